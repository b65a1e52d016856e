"""The city: everything a city declared in its repo, read once and checked as a whole."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import date  # pydantic reads the annotation
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from metroon.base.errors import Problem, Refused
from metroon.base.node import did_you_mean, validate
from metroon.base.period import Grain  # pydantic reads the annotation
from metroon.city.contract import Contract, contract
from metroon.city.glossary import glossary
from metroon.city.holds import holds
from metroon.city.ids import NAME as NAME
from metroon.city.ids import Id as Id
from metroon.city.inventory import inventory
from metroon.city.people import NOBODY, Staff, people
from metroon.city.plan import Plan, plan
from metroon.city.protocols import protocols
from metroon.city.score import ScoreFile  # pydantic reads the annotation
from metroon.city.stories import Written, stories
from metroon.city.table import TableFile, table_file
from metroon.city.yaml import read, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from metroon.base.catalog import Dataset, Term
    from metroon.base.hold import Hold
    from metroon.base.node import Node
    from metroon.base.protocol import Protocol

T = TypeVar("T")
_VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?P<default>:-[^}]*)?\}")


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"there is no time zone '{name}'. Fix: Write it like this: America/Los_Angeles") from None
    return name


def _address(url: str) -> str:
    if url and not re.fullmatch(r"https?://[^\s/?#]+(/[^\s?#]*)?", url):
        raise ValueError("this is no address of a portal. Fix: Write it like this: https://data.example.gov")
    return url.rstrip("/")


def _mail(address: str) -> str:
    if address and not re.fullmatch(r"[^@\s]+@[^@\s]+", address):
        raise ValueError("this is no e-mail address. Fix: Write it like this: data@example.gov")
    return address


def _extent(given: tuple[float, float, float, float] | None) -> tuple[float, float, float, float] | None:
    if given is None:
        return None
    west, south, east, north = given
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        raise ValueError(
            "the extent is none: west is less than east, south less than north, all in degrees. "
            "Fix: Write it like this: [-122.05, 37.12, -121.6, 37.47]"
        )
    return given


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class People(_Part):
    """The residents of each area: the denominator of rates.

    Args:
        column: Column of the areas' product.
        source: Where the figures come from.
        vintage: The year they speak of.
        boundaries: The edition of boundaries that they were counted for, when it is not of that year.
        unit: What is counted: ``people`` or ``households``.
        margin: Column with the margin of error (90 %), of figures that are estimates of a survey.
    """

    column: str
    source: str
    vintage: str
    boundaries: str = ""
    unit: Literal["people", "households"] = "people"
    margin: str | None = None


class Bands(_Part):
    """Groups of areas by a figure, such as quarters by poverty: a geography of its own.

    Args:
        column: Column of the areas' product.
        into: How many bands of equally many areas; ties go to the lower band.
        title: What people call it.
        low: Name of the lowest band.
        high: Name of the highest band.
    """

    column: str
    into: int = Field(4, ge=2, le=20)
    title: str
    low: str = "lowest"
    high: str = "highest"


class Merged(_Part):
    """Neighboring areas joined until each has enough residents: a geography of its own.

    Args:
        residents: Residents that each joined area has at the least, where its neighbors allow it.
        title: What people call it.
    """

    residents: int = Field(ge=1)
    title: str


class Geography(_Part):
    """One set of areas of one vintage.

    Args:
        title: What people call it.
        product: The product whose rows are the areas.
        key: Column that identifies an area.
        name: Label of an area, with columns in braces.
        vintage: Which edition of the boundaries; it stands beside every number.
        official: False when no authority has adopted them.
        note: What a reader must know, such as who drew them.
        inside: Product whose outline the centroid of an area must lie in.
        people: Residents of each area.
        bands: Groups of these areas.
        merged: These areas joined with their neighbors, by residents.
    """

    title: str
    product: str
    key: str
    name: str = ""
    vintage: str
    official: bool = True
    note: str = ""
    inside: str | None = None
    people: People | None = None
    bands: dict[Id, Bands] = Field(default_factory=dict)
    merged: dict[Id, Merged] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _can_be_merged(self) -> Geography:
        if self.merged and self.people is None:
            raise ValueError("areas are joined by their residents. Fix: Give the geography people:.")
        if twice := sorted(set(self.bands) & set(self.merged)):
            raise ValueError(f"'{twice[0]}' names bands and merged areas. Fix: Rename one of them.")
        return self

    @property
    def made_of_it(self) -> tuple[str, ...]:
        """The names of the geographies that are made of its areas."""
        return (*self.bands, *self.merged)


class Thresholds(_Part):
    """The city's own limits; a contract may be stricter.

    Args:
        minimum_cell: Smaller groups of people are hidden.
        hidden_share: Above this share of hidden cells a measure gets advice on what to change.
        comment_days: The fewest days for which the public may comment on a data use protocol.
    """

    minimum_cell: int = Field(11, ge=3)
    hidden_share: float = Field(0.30, gt=0, lt=1)
    comment_days: int = Field(30, ge=1)


class Goal(_Part):
    """Something that the city wants for its residents.

    Args:
        title: What people call it.
        outcome: What residents should feel when it is reached, in plain words.
        department: Who answers for it.
        owner: The role or person who answers questions about it.
    """

    title: str
    outcome: str
    department: str | None = None
    owner: str = ""


class PortalFile(_Part):
    """What the city says of its portal.

    Args:
        address: The portal's public address, such as https://data.example.gov; feeds and catalogs name it.
        contact: An e-mail address for questions about the portal.
        about: What the portal is for, in one sentence.
        licence: SPDX identifier of the licence for the numbers of measures, such as CC0-1.0; contracts say that of
            their own rows.
    """

    address: Annotated[str, AfterValidator(_address)] = ""
    contact: Annotated[str, AfterValidator(_mail)] = ""
    about: str = ""
    licence: str = ""


class CityFile(_Part):
    """What ``city.yaml`` holds.

    Args:
        name: The city's name.
        time_zone: Time zone of the times in its files, such as America/Los_Angeles.
        languages: Languages of its residents, its own first, such as en, es, vi and zh-Hans.
        invented: True when the city and its people are made up; said wherever it shows.
        as_of: The day the city takes for today; leave it out to use the day of the run.
        data: Folder of the raw files, relative to the city; ``${NAME:-default}`` reads the environment.
        departments: Department -> what people call it.
        places: Geography -> its areas.
        extent: Where the city lies: west, south, east and north in degrees; what its places cover unless given. By it
            coordinates in another system are known, and points far outside.
        goals: Goal -> what the city wants.
        thresholds: The city's own limits.
        score: The publication score, where the city sets it other than the guideline.
        portal: What the city says of its portal.
        engine: The engine that counts the rows of measures, such as ``{kind: sail}``; DuckDB in this process unless
            named.
    """

    name: str
    time_zone: Annotated[str, AfterValidator(_zone)] = "UTC"
    languages: list[str] = Field(default_factory=lambda: ["en"])
    invented: bool = False
    as_of: date | None = None
    data: str = "inbox"
    departments: dict[str, str] = Field(default_factory=dict)
    places: dict[Id, Geography] = Field(default_factory=dict)
    extent: Annotated[tuple[float, float, float, float] | None, AfterValidator(_extent)] = None
    goals: dict[Id, Goal] = Field(default_factory=dict)
    thresholds: Thresholds = Thresholds()
    score: ScoreFile = ScoreFile()
    portal: PortalFile = PortalFile()
    engine: dict[str, Any] = Field(default_factory=lambda: {"kind": "duckdb"})


class Period(_Part):
    """The time a measure is broken down by.

    Args:
        column: Date or timestamp column.
        grain: How long one period of the whole city is; ``finest`` takes the shortest that can be published and tells
            something, for the city, the places and the groups each.
        places: How long one period of the places is, when longer than the city's.
        groups: How long one period of the groups is, when longer than the city's.
        fiscal_year_begins: The month in which a year begins.
        event: What the date tells: when it happened, was reported, or was closed.
        settle_days: Days after its end until late reports of a period have come in; before, it is not released.
    """

    column: str
    grain: Literal["month", "quarter", "year", "all", "finest"] = "year"
    places: Grain | None = None
    groups: Grain | None = None
    fiscal_year_begins: int = Field(1, ge=1, le=12)
    event: Literal["occurred", "reported", "closed"] = "occurred"
    settle_days: int = Field(0, ge=0)

    @property
    def city(self) -> Grain:
        """The grain of the whole city; a month until the finest is chosen."""
        return "month" if self.grain == "finest" else self.grain

    def of(self, level: Literal["city", "places", "groups"]) -> Grain:
        """The grain of the city, the places or the groups."""
        own = {"city": None, "places": self.places, "groups": self.groups}[level]
        return own or self.city


@dataclass(frozen=True)
class Product:
    """One product: the promise and how it is kept.

    Args:
        name: Its name, the folder's.
        folder: Where it is declared.
        contract: The promise.
        collect: How its rows are brought in (a node; the collect kinds read it).
        guard: The techniques for its open rows (a node; the guard kinds read them).
        table: The table with totals that leaves of it; None when none does.
        table_node: Where it is declared.
    """

    name: str
    folder: Path
    contract: Contract
    collect: Node
    guard: Node
    table: TableFile | None
    table_node: Node


@dataclass(frozen=True)
class Declared:
    """One measure as declared (a node; the measure kinds read it)."""

    name: str
    node: Node


@dataclass(frozen=True)
class City:
    """One city repo, read.

    Args:
        folder: Where it is.
        file: What ``city.yaml`` says.
        node: ``city.yaml`` with its lines.
        products: Name -> product, in name order.
        measures: Name -> measure, in name order.
        plan: What plan.yaml promises; None without one.
        staff: Roles and stewards of people.yaml.
        listed: What inventory.yaml lists and the city does not collect.
        terms: The words of glossary.yaml.
        stories: The texts of stories/, newest first.
        protocols: The data use protocols of protocols/, in the order of their ids.
        holds: The legal holds of holds.yaml, also those that have ended.
    """

    folder: Path
    file: CityFile
    node: Node
    products: Mapping[str, Product]
    measures: Mapping[str, Declared]
    plan: Plan | None = None
    staff: Staff = NOBODY
    listed: tuple[Dataset, ...] = ()
    terms: tuple[Term, ...] = ()
    stories: tuple[Written, ...] = ()
    protocols: tuple[Protocol, ...] = ()
    holds: tuple[Hold, ...] = ()

    @property
    def unread(self) -> frozenset[str]:
        """Names of products that are declared and could not be read."""
        return frozenset(p.name for p in (self.folder / "products").glob("[!.]*") if p.is_dir()) - self.products.keys()

    @property
    def plugins(self) -> Path:
        """The folder of the city's own kinds."""
        return self.folder / "plugins"

    @property
    def home(self) -> Path:
        """Where Metroon keeps this city's versions; never in git."""
        return home(self.folder)

    @property
    def data(self) -> Path:
        """The folder of raw files."""
        return data_folder(self.file.data, self.folder)


def home(folder: Path) -> Path:
    """Where the versions of the city in a folder are kept.

    Example:
        >>> str(home(Path("/city")))
        '/city/.metroon'
    """
    return folder / ".metroon"


def data_folder(declared: str, folder: Path) -> Path:
    """The folder that ``data:`` means.

    Without the variable, and for plain paths, it is relative to the city; a path that comes from the
    environment is relative to where the reader stands, as they typed it.

    Example:
        >>> str(data_folder("inbox", Path("/city")))
        '/city/inbox'
    """
    path = Path(_VARIABLE.sub(lambda found: _meant(found) or "", declared)).expanduser()
    is_typed = any(os.environ.get(found["name"]) for found in _VARIABLE.finditer(declared))
    return path.resolve() if is_typed else Path(os.path.normpath(folder / path))


def _meant(found: re.Match[str]) -> str | None:
    default = found["default"]
    return os.environ.get(found["name"]) or (default.removeprefix(":-") if default else None)


def load(folder: Path, found: list[Problem] | None = None) -> City:
    """Read a whole city repo.

    Args:
        folder: Where it is.
        found: Faults go here, and what can be read without them is; they are raised when this is left out.

    Raises:
        Refused: Every fault of every file at once; with ``found``, those of city.yaml that leave nothing to read.
    """
    faults: list[Problem] = []
    node = _try(faults, lambda: read(folder / "city.yaml"))
    if node is None:
        raise Refused(no_city(folder) if not (folder / "city.yaml").exists() else faults)
    file = _try(faults, lambda: validate(node, CityFile, "Y103"))
    if file is not None:
        faults += _data_faults(node, file.data)
    products = _products(folder, faults)
    measures = _measures(folder, faults)
    for name in sorted(set(products) & set(measures)):
        fix = "Rename one of them: versions of both are kept under their names."
        faults.append(measures[name].node.problem("Y106", f"'{name}' is both a product and a measure.", fix))
    if file is None:
        raise Refused(faults)
    made = City(folder, file, node, products, measures, **_texts(folder, file, {*products, *measures}, faults))
    if faults and found is None:
        raise Refused(faults)
    if found is not None:
        found += faults
    return made


def _texts(folder: Path, file: CityFile, taken: set[str], faults: list[Problem]) -> dict[str, Any]:
    """What the city says in words: what of it can be read."""
    departments, languages = file.departments, file.languages
    for name in ("plan", "people", "inventory", "glossary", "holds"):
        if (folder / f"{name}.yml").exists():
            faults.append(_other_ending(folder / f"{name}.yml"))
    staff = _try(faults, lambda: people(folder, departments)) or NOBODY
    made = {
        "plan": _try(faults, lambda: plan(folder)),
        "staff": staff,
        "listed": _try(faults, lambda: inventory(folder, departments, taken, staff.stewards)),
        "terms": _try(faults, lambda: glossary(folder, languages)),
        "stories": stories(folder, languages, faults),
        "holds": _try(faults, lambda: holds(folder, staff)),
        "protocols": protocols(folder, staff, faults, contact=file.portal.contact, days=file.thresholds.comment_days),
    }
    return {k: v for k, v in made.items() if v is not None}


def no_city(folder: Path) -> list[Problem]:
    """What to say where there is no city repo."""
    fix = "Name the folder of a city repo, or start one with: metroon init FOLDER"
    return [Problem(shown(folder), 0, "Y104", "there is no city.yaml in this folder.", fix)]


def _data_faults(node: Node, declared: str) -> Iterator[Problem]:
    for found in _VARIABLE.finditer(declared):
        if _meant(found) is None:
            what = f"the environment has no {found['name']}, which data: needs."
            fix = f"Set it, or write what holds without it: ${{{found['name']}:-FOLDER}}"
            yield node.problem("Y103", what, fix, "data")


def _products(folder: Path, faults: list[Problem]) -> dict[str, Product]:
    found: dict[str, Product] = {}
    for place in sorted(p for p in (folder / "products").glob("[!.]*") if p.is_dir()):
        _name(place.name, place, faults)
        _other_endings(place, faults)
        promise = _try(faults, partial(_contract, place))
        how = _try(faults, partial(read, place / "product.yaml"))
        if how is not None:
            faults += _product_faults(how)
        if promise is not None and how is not None:
            made = _try(faults, partial(table_file, how.at("table")))
            collect, guard = how.at("collect"), how.at("guard")
            found[place.name] = Product(place.name, place, promise, collect, guard, made, how.at("table"))
    return found


def _product_faults(how: Node) -> Iterator[Problem]:
    if not isinstance(how.value, dict):
        what = "expected keys and values here."
        yield how.problem("Y103", what, "Write collect: {kind: csv, path: FILE}, and guard: if rows may leave.")
    for key, _ in how.items():
        if key not in ("collect", "guard", "table"):
            yield how.problem("Y103", f"unknown key '{key}'.", did_you_mean(key, ("collect", "guard", "table")), key)
    if not isinstance(how.at("guard").value, list | None):
        what = "guard must be a list: as it is, no column would be protected."
        yield how.problem("Y103", what, "Write one line for each column, with - before it.", "guard")


def _contract(place: Path) -> Contract:
    return contract(read(place / "contract.yaml"), place.name)


def _measures(folder: Path, faults: list[Problem]) -> dict[str, Declared]:
    found: dict[str, Declared] = {}
    _other_endings(folder / "measures", faults)
    for file in sorted((folder / "measures").glob("*.yaml")):
        _name(file.stem, file, faults)
        node = _try(faults, partial(read, file))
        if node is not None:
            found[file.stem] = Declared(file.stem, node)
    return found


def _name(name: str, at: Path, faults: list[Problem]) -> None:
    if not NAME.fullmatch(name):
        fix = "Use small letters, digits and _ and start with a letter."
        faults.append(Problem(shown(at), 0, "Y105", f"'{name}' is no name for a product or measure.", fix))


def _other_endings(folder: Path, faults: list[Problem]) -> None:
    faults.extend(_other_ending(file) for file in sorted(folder.glob("*.yml")))


def _other_ending(file: Path) -> Problem:
    return Problem(shown(file), 0, "Y105", "files that end in .yml are not read.", "End its name in .yaml.")


def _try(faults: list[Problem], step: Callable[[], T]) -> T | None:
    try:
        return step()
    except Refused as refused:
        faults.extend(refused.problems)
        return None
