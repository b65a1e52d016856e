"""Drafts: first versions of a city's YAML, written from a profile and commented for the person who edits them.

Nothing is overwritten, and no value of a row is written down but the codes of short public lists.
"""

from __future__ import annotations

import filecmp
import glob
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from metroon.base.errors import Problem, Refused
from metroon.base.node import validate
from metroon.base.profile import product_name as named
from metroon.city.city import NAME, CityFile, data_folder
from metroon.city.promise import Drafted, contract_text
from metroon.city.protocols import protocol_text
from metroon.city.scalar import scalar
from metroon.city.texts import CITY, README, measure_text, product_text
from metroon.city.yaml import read, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from metroon.base.profile import Profile
    from metroon.city.city import City
    from metroon.city.promise import Suggested

_BESIDE_SHP = (".shp", ".shx", ".dbf", ".prj", ".cpg")


def product_name(file: Path) -> str:
    """The name a product gets from its file.

    Example:
        >>> product_name(Path("in/FireIncidents_Jan2015.csv"))
        'fire_incidents_jan2015'
    """
    return named(file.stem)


@dataclass(frozen=True)
class Given:
    """What a product is drafted from: files that lie here, or a source that lies elsewhere.

    Args:
        title: What it is called where it comes from, such as a file's name.
        files: The files; those outside the city's data folder are copied there, if that folder lies in the city's own.
        path: The pattern that takes them all, from their own folder on; empty when it is one file.
        folder: The folder below the data folder into which several files are copied.
        source: How product.yaml collects it, with its ``kind:``, when it lies elsewhere.
    """

    title: str
    files: tuple[Path, ...] = ()
    path: str = ""
    folder: str = ""
    source: Mapping[str, object] = field(default_factory=dict)


def draft(
    city: Path, name: str, profile: Profile, suggestions: Mapping[str, Suggested], file: Path, *, on: date
) -> list[Path]:
    """Write the contract, the product and a first measure for a file; see ``draft_given``."""
    return draft_given(city, name, profile, suggestions, Given(file.name, (file,)), on=on)


def draft_given(
    city: Path, name: str, profile: Profile, suggestions: Mapping[str, Suggested], given: Given, *, on: date
) -> list[Path]:
    """Write the contract, the product and a first measure; where it may tell of people, a protocol too.

    Args:
        city: The folder of the city repo.
        name: The product's name.
        profile: The rows, looked at.
        suggestions: Column name -> what it may tell about people.
        given: The files, or the source.
        on: The day on which a window for comments would begin; the city's own day for today comes before it.

    Returns:
        The files written, in the order in which to read them; copied data files come last.

    Raises:
        Refused: The name cannot be, a file is there already, or a data file cannot be reached (Y105, Y107, Y108).
    """
    declared = validate(read(city / "city.yaml"), CityFile, "Y103")
    path, copies = _placed(city, data_folder(declared.data, city), given) if given.files else ("", [])
    folder = city / "products" / name
    _must_be_name(folder, name)
    made = Drafted(name, given.title, path, declared, profile, suggestions, given.source)
    texts = {
        folder / "contract.yaml": contract_text(made),
        folder / "product.yaml": product_text(made),
    }
    if profile.shape != "area":  # areas are what others are counted by
        texts[city / "measures" / f"{name}_count.yaml"] = measure_text(made)
    if any(suggestions[c.name].classification not in ("public", "internal") for c in profile.columns):
        texts[city / "protocols" / f"{name}.yaml"] = drafted_protocol(declared, name, made.title, on=on)
    _refuse_overwriting([*texts, *(to for given, to in copies if not _is_same(given, to))])
    for file, to in copies:
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, to)
    return [*_write(texts), *(to for _, to in copies)]


def must_be_free(city: Path, name: str) -> None:
    """Refuse a name that no product can have, or that one has already, before anything is fetched for it.

    Raises:
        Refused: It cannot be a name (Y105), or its files are there already (Y107).
    """
    folder = city / "products" / name
    _must_be_name(folder, name)
    _refuse_overwriting([folder / "contract.yaml", folder / "product.yaml"])


def _must_be_name(folder: Path, name: str) -> None:
    if not NAME.fullmatch(name):
        fix = "Name it with --name: small letters, digits and _, starting with a letter."
        raise Refused([Problem(shown(folder), 0, "Y105", f"'{name}' is no name for a product.", fix)])


def draft_protocol(city: City, name: str, *, on: date) -> Path:
    """Write a first data use protocol for a product that is there.

    Args:
        city: The city.
        name: The product.
        on: The first day of the window, unless the city takes another day for today.

    Returns:
        The file.

    Raises:
        Refused: It is there already (Y107).
    """
    file = city.folder / "protocols" / f"{name}.yaml"
    _refuse_overwriting([file])
    _write({file: drafted_protocol(city.file, name, city.products[name].contract.title, on=on)})
    return file


def drafted_protocol(city: CityFile, name: str, title: str, *, on: date) -> str:
    """The text of a first data use protocol for one product, with a window of the city's own length.

    Args:
        city: What ``city.yaml`` says.
        name: The product.
        title: What people call it.
        on: The first day of the window, unless the city takes another day for today.
    """
    days = city.thresholds.comment_days
    return protocol_text(name, title, opens=city.as_of or on, days=days, contact=city.portal.contact)


def draft_city(folder: Path, name: str) -> list[Path]:
    """Write the start of a city repo.

    Args:
        folder: Where; it is made when it is not there.
        name: What people call the city.

    Returns:
        The files and folders made.

    Raises:
        Refused: One of the files is there already (Y107).
    """
    texts = {
        folder / "city.yaml": CITY.format(name=scalar(name)),
        folder / "README.md": README.format(name=name),
        folder / ".gitignore": "# Metroon's own versions, and raw files: neither belongs in git.\n.metroon/\ninbox/\n",
    }
    _refuse_overwriting(texts)
    folders = [folder / part for part in ("products", "measures", "inbox")]
    for place in folders:
        place.mkdir(parents=True, exist_ok=True)
    return [*_write(texts), *folders]


def _placed(city: Path, data: Path, given: Given) -> tuple[str, list[tuple[Path, Path]]]:
    """Where the files are below the data folder, and what must be copied for them to be there."""
    first, pattern = given.files[0], given.path or glob.escape(given.files[0].name)
    at, below = Path(os.path.realpath(first)), Path(os.path.realpath(data))
    if at.is_relative_to(below):
        above = glob.escape(at.parent.relative_to(below).as_posix())
        # A link has its own name: the file is found by the name that it has in the folder.
        pattern = given.path or glob.escape(at.name)
        return (pattern if above == "." else f"{above}/{pattern}"), []
    if not below.is_relative_to(os.path.realpath(city)):
        fix = f"Put it into {shown(data)}, or into another folder and name that as data: in city.yaml."
        what = f"the file lies outside the city's data folder, {shown(data)}."
        raise Refused([Problem(str(first), 0, "Y108", what, fix)])
    parts = [part for file in given.files for part in _parts(file)]
    pattern = f"{glob.escape(given.folder)}/{pattern}" if given.folder else pattern
    return pattern, [(part, data / given.folder / part.name) for part in parts]


def _parts(file: Path) -> list[Path]:
    if file.suffix.lower() != ".shp":
        return [file]
    return sorted(p for p in file.parent.iterdir() if p.stem == file.stem and p.suffix.lower() in _BESIDE_SHP)


def _is_same(one: Path, other: Path) -> bool:
    return other.is_file() and filecmp.cmp(one, other, shallow=False)


def _refuse_overwriting(files: Iterable[Path]) -> None:
    there = [f for f in files if f.exists()]
    if there:
        fix = "Choose another name with --name, or remove the file if nobody needs it."
        raise Refused(
            [Problem(shown(f), 0, "Y107", "this file is there already: nothing was written.", fix) for f in there]
        )


def _write(texts: Mapping[Path, str]) -> list[Path]:
    for file, text in texts.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return list(texts)
