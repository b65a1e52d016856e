"""Adding a source: a file, a folder of deliveries, a database's table or a dataset elsewhere, drafted as a product."""

from __future__ import annotations

import glob
import os
import re
import shutil
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, get_origin

from metroon.base.environment import environment
from metroon.base.errors import Problem, Refused
from metroon.base.kinds import build, find
from metroon.base.node import Node
from metroon.base.profile import product_name
from metroon.city.city import home
from metroon.city.draft import Given, draft_given, must_be_free
from metroon.collect import Landing, RemoteSource
from metroon.collect.connection import snapshot
from metroon.collect.guess import SourceGuess, source_of
from metroon.collect.profile import KINDS, form, profile, profile_source
from metroon.guard.suggest import suggestions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

    from metroon.base.profile import Profile

_WORDS = re.compile(r"[^\W\d]+|\d+|[\W_]+")
_TABLES = 20
_KEY = re.compile(r"product\.yaml|\b[a-z_]+:(?=[ ,.;]|$)")
_TYPED = "There is no product.yaml yet: say its keys on the command, as --option NAME=VALUE."
_SHOWN = 5
"""Files that are told by name; of more their number."""


@dataclass(frozen=True)
class Added:
    """A product that was drafted.

    Args:
        name: Its name.
        profile: What was looked at.
        files: The files written.
        personal: How many of its columns are suggested as not public.
        needs_protocol: Whether nothing of it is published before a protocol is finished.
        told: What else a steward should know.
        sets: Variables of the environment that its source needs, with what they hold, where that is no secret.
    """

    name: str
    profile: Profile
    files: tuple[Path, ...]
    personal: int
    needs_protocol: bool
    told: tuple[str, ...] = ()
    sets: Mapping[str, str] = field(default_factory=dict)


def add(
    city: Path, guess: SourceGuess, *, name: str | None, on: date, options: Mapping[str, str] | None = None
) -> Added:
    """Draft a product of a source.

    Args:
        city: The folder of the city repo.
        guess: What the source is.
        name: The product's name; from the source's unless given.
        on: The day on which a window for comments would begin.
        options: Further options of a source that lies elsewhere, such as ``token_from``, as they are typed.

    Raises:
        Refused: It cannot be read, or is not there (D157, D158), or its files are there already (Y107).
    """
    if guess.what == "path":
        path = Path(guess.address)
        return _folder(city, path, name, on) if path.is_dir() else _file(city, path, name, on)
    return _elsewhere(city, guess, options or {}, name or guess.name, on)


def meant(source: str, table: str | None) -> SourceGuess:
    """What somebody means who names a source: what is there on the disk comes first.

    Args:
        source: A file, a folder, an address, or the environment variable that holds a database's address.
        table: The table of a database.

    Raises:
        Refused: Nobody can tell, or it holds a secret (D157).
    """
    return SourceGuess("path", source) if Path(source).exists() else source_of(source, table=table)


def _file(city: Path, file: Path, name: str | None, on: date) -> Added:
    if not file.is_file():
        fix = "Correct the path; an address begins with https://, a database is named by its environment variable."
        raise Refused([Problem(str(file), 0, "D157", "there is no such file or folder.", fix)])
    return _drafted(city, name or product_name(file.stem), profile(file), Given(file.name, (file,)), on)


# A folder of deliveries


def _folder(city: Path, folder: Path, name: str | None, on: date) -> Added:
    every = sorted(f for f in folder.iterdir() if f.is_file() and f.name[0] not in ".~")
    forms, unread = _forms(every)
    if not forms:
        what = "the folder holds no file that can be read."
        fix = f"Name a folder of files that end in {', '.join(sorted(KINDS))}; folders in it are not looked into."
        raise Refused([Problem(str(folder), 0, "D158", what, fix)])
    if len(forms) > 1 and all(len(form) == 1 for form in forms):
        what = f"each of the {len(forms)} files in it has other columns: they are no deliveries of one product."
        fix = f"Add them one by one, such as: metroon add {folder / forms[0][0].name}"
        raise Refused([Problem(str(folder), 0, "D158", what, fix)])
    files = max(forms, key=lambda form: (len(form), sum(f.stat().st_size for f in form)))
    others = [f for form in forms if form is not files for f in form]
    stem, pattern = common_pattern([f.name for f in files], [f.name for f in every])
    below = Path(os.path.realpath(folder)).name
    given = Given(stem or below, tuple(files), pattern, below)
    told = [f"{len(files)} file{'s' * (len(files) != 1)} of one form, taken by the pattern {pattern}."]
    if others:
        told.append(
            f"Of another form, to be added by {'itself' if len(others) == 1 else 'themselves'}: {_listed(others)}."
        )
    if unread:
        told.append(f"{_listed(unread)} cannot be read, and {'is' if len(unread) == 1 else 'are'} left out.")
    if caught := [f for f in (*others, *unread) if Path(f.name).match(pattern)]:
        told.append(
            f"The pattern takes {_listed(caught)} too, which will be refused: rename or move what is no delivery."
        )
    found = profile(files[0], path=pattern)
    made = _drafted(city, name or product_name(stem if len(stem) > 2 else below), found, given, on)
    return replace(made, told=(*told, *made.told))


def _forms(files: Sequence[Path]) -> tuple[list[list[Path]], list[Path]]:
    """Files of one form each: read in one way, with the same columns; and those that cannot be read."""
    found: dict[tuple[object, ...], list[Path]] = {}
    unread: list[Path] = []
    for file in files:
        if file.suffix.lower() not in KINDS:
            continue  # a note, a picture: no delivery
        try:
            told = form(file)
        except Refused:
            unread.append(file)
            continue
        found.setdefault((told.kind, tuple(sorted(told.options.items())), told.headers), []).append(file)
    return list(found.values()), unread


def common_pattern(names: Sequence[str], every: Sequence[str]) -> tuple[str, str]:
    """What the names of some files have in common, and a pattern that takes them and later ones like them.

    Args:
        names: The files that belong together.
        every: All files beside them: if the pattern can leave the others out, it does.

    Example:
        >>> common_pattern(["calls_2019.csv", "calls_2020.csv"], ["calls_2019.csv", "calls_2020.csv", "notes.txt"])
        ('calls', 'calls_*.csv')
        >>> common_pattern(["FireJan15.csv"], ["FireJan15.csv"]), common_pattern(["a.csv"], ["a.csv"])
        (('FireJan', 'FireJan*.csv'), ('a', 'a.csv'))
    """
    words = [_WORDS.findall(name) for name in names]
    first = _shared(words)
    last = _shared([w[: len(first) - len(w) - 1 : -1] for w in words])[::-1]
    if len(names) == 1:
        number = next((i for i, word in enumerate(words[0]) if word.isdigit()), None)
        if number is None:  # nothing in its name says what the next one will be called
            return names[0].rpartition(".")[0], glob.escape(names[0])
        first, last = words[0][:number], words[0][-2:]
    # Digits that all have in common today are next year's other ones.
    wide = list(first), list(last)
    while wide[0] and wide[0][-1].isdigit():
        wide[0].pop()
    while wide[1] and wide[1][0].isdigit():
        wide[1].pop(0)
    made = [f"{glob.escape(''.join(before))}*{glob.escape(''.join(after))}" for before, after in (wide, (first, last))]
    alone = (p for p in made if {n for n in every if Path(n).match(p)} <= set(names))
    return "".join(wide[0]).strip("_-. "), next(alone, made[0])


def _shared(words: Sequence[Sequence[str]]) -> list[str]:
    """The words that all begin with."""
    made = []
    for each in zip(*words, strict=False):
        if len(set(each)) > 1:
            break
        made.append(each[0])
    return made


def _listed(files: Sequence[Path]) -> str:
    names = ", ".join(f.name for f in files[:_SHOWN])
    return names if len(files) <= _SHOWN else f"{names} and {len(files) - _SHOWN} more"


# What lies elsewhere


def _elsewhere(city: Path, guess: SourceGuess, options: Mapping[str, str], name: str, on: date) -> Added:
    if guess.what == "portal":
        what = "this is a whole portal, not one of its datasets."
        raise Refused([Problem("", 0, "D157", what, "Name the page of one dataset.")])
    must_be_free(city, name)
    if guess.what == "database" and "table" not in guess.source:
        raise Refused([_which_table(guess)])
    kind = find("collect", str(guess.source["kind"]), RemoteSource, city / "plugins")
    declared = {**guess.source, **_typed(kind, options)}
    try:
        made = build("collect", Node(declared, ""), RemoteSource, city / "plugins")
    except Refused as refused:
        fix = "Say it on the command: --option NAME=VALUE"
        raise Refused([Problem("", 0, "D157", p.what, f"{p.fix} {fix}") for p in refused.problems]) from None
    landing = Landing(home(city) / "landed" / name, city / "products" / name)
    was_there = landing.folder.is_dir()
    with environment(guess.sets), _undeclared(name):
        try:
            made.fetch(landing)
            beside, key = city / "products" / name, made.key(landing)
            found = profile_source(made, made.headers(landing), landing.folder, beside, key)
            title = str(guess.source.get("table") or name).rpartition(".")[2]
            drafted = _drafted(city, name, found, Given(title, source=declared), on)
        except BaseException:
            if not was_there:  # nothing half done: there is no product, so nothing of it is kept
                shutil.rmtree(landing.folder, ignore_errors=True)
            raise
    missing = {k: v for k, v in guess.sets.items() if os.environ.get(k) != v}
    return replace(drafted, sets=missing)


@contextmanager
def _undeclared(name: str) -> Iterator[None]:
    """What is wrong with a source is told without the product's declaration, which is not written yet."""
    try:
        yield
    except Refused as refused:
        raise Refused([_without_place(p, name) for p in refused.problems]) from None


def _without_place(told: Problem, name: str) -> Problem:
    if told.file != f"products/{name}/product.yaml":
        return told
    return replace(told, file="", line=0, fix=f"{told.fix} {_TYPED}" if _KEY.search(told.fix) else told.fix)


def _typed(kind: type[RemoteSource], options: Mapping[str, str]) -> dict[str, object]:
    """Options as YAML would have them: of a list the parts, and truth values."""
    made: dict[str, object] = {}
    for name, text in options.items():
        field = kind.model_fields.get(name)
        is_list = field is not None and get_origin(field.annotation) is list
        told = {"true": True, "false": False}
        made[name] = [part.strip() for part in text.split(",")] if is_list else told.get(text.lower(), text)
    return made


def _which_table(guess: SourceGuess) -> Problem:
    with environment(guess.sets), snapshot(str(guess.source["url_from"]), "", most_minutes=1) as database:
        names = database.tables()
    shown = ", ".join(names[:_TABLES]) + (f" and {len(names) - _TABLES} more" if len(names) > _TABLES else "")
    fix = f"Name one with --table: {shown}." if names else "Name one with its schema: --table SCHEMA.TABLE."
    return Problem("", 0, "D157", "a database has many tables.", fix)


def _drafted(city: Path, name: str, found: Profile, given: Given, on: date) -> Added:
    suggested = suggestions(found)
    files = draft_given(city, name, found, suggested, given, on=on)
    personal = sum(s.classification != "public" for s in suggested.values())
    needs = city / "protocols" / f"{name}.yaml" in files
    return Added(name, found, tuple(files), personal, needs)
