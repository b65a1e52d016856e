"""Web sources: what all sources share that are asked over http, and how pages become one whole snapshot."""

from __future__ import annotations

import json
import os
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow as pa
import shapely
from pydantic import Field
from shapely.errors import ShapelyError

from metroon.base.errors import Refused
from metroon.base.kinds import find
from metroon.collect.addresses import NotAllowed, split
from metroon.collect.client import Answer, Client, Manners
from metroon.collect.deliveries import Unreadable, finish, gather, match
from metroon.collect.landing import Landing
from metroon.collect.objects import JsonError, Record, parse, tabled, written
from metroon.collect.source import RECORD, REJECT, FileSource, Raw, Reading, RemoteSource

if TYPE_CHECKING:
    from pathlib import Path

    from metroon.city.contract import Contract
    from metroon.collect.landing import Landed

MEGABYTE = 1_000_000
_SENT_AGAIN = "Run it again later; when it lasts, ask who runs the server."
_SHAPES = frozenset({"Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon"})


class WebSource(RemoteSource):
    """A source that is asked over http."""

    token_from: str | None = Field(None, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    """Environment variable that holds a token; the token itself is written nowhere."""
    intranet: list[str] = Field(default_factory=list)
    """Hosts of the city's own network that may be asked although their addresses are private: gis.city.local."""
    timeout_s: float = Field(60, gt=0)
    """Seconds after which a server that says nothing, or next to nothing, is given up."""
    tries: int = Field(4, ge=1, le=10)
    """How often a request is tried at most."""
    pause_s: float = Field(1, ge=0)
    """Seconds before it is tried again; doubled each time. A server that asks for more rest gets it."""
    wait_ms: int = Field(100, ge=0)
    """Milliseconds between two requests, so that a small server is not hurt."""
    most_mb: int = Field(2000, ge=1)
    """Megabytes of one answer, unpacked, above which it is refused."""

    def client(self, landing: Landing, header: str, value: str = "{}") -> Client:
        """A client that asks as these options say.

        Args:
            landing: The product that it fetches for.
            header: The header that a token is sent in.
            value: How it is written there.

        Raises:
            Refused: The variable that holds the token is not set (D131).
        """
        own = frozenset(host.lower() for host in self.intranet)
        most = self.most_mb * MEGABYTE
        manners = Manners(own, self.timeout_s, self.tries, self.pause_s, self.wait_ms, most)
        token = secret(self.token_from, landing) if self.token_from else ""
        return Client(landing, manners, (header, value.format(token)) if token else None)


def secret(variable: str, landing: Landing) -> str:
    """What an environment variable holds.

    Raises:
        Refused: It is not set, or holds what no header can (D131).
    """
    given = os.environ.get(variable, "").strip()
    if not given or not (given.isascii() and given.isprintable()):
        what = f"the environment variable {variable} {'holds no token' if given else 'is not set'}."
        fix = f"Set {variable} in the environment of this program, from your secret store; it is never written down."
        raise Refused([landing.problem("D131", what, fix)])
    return given


def web_address(given: str) -> str:
    """An address as a person may write it into product.yaml.

    Raises:
        ValueError: It is none, or holds what is secret.
    """
    try:
        parts = split(given)
    except NotAllowed as fault:
        raise ValueError(f"{fault}. Fix: Write it as https://data.ourcity.gov/permits.csv") from None
    names = {pair.partition("=")[0].lower() for pair in parts.query.split("&")}
    if found := names & {"token", "access_token", "key", "api_key", "apikey", "sig", "signature", "password", "secret"}:
        raise ValueError(
            f"'{min(found)}' in an address would be kept and shown. Fix: Write token_from: with the name of an "
            "environment variable that holds it."
        )
    return given


def columns(state: Mapping[str, str]) -> dict[str, str]:
    """The columns that a server says there are, each with its type, as they were noted when it was asked."""
    return dict(json.loads(state.get("columns", "{}")))


class ApiSource(WebSource):
    """A source that hands its records over in pages of JSON."""

    most_mb: int = Field(200, ge=1)
    """Megabytes of one page, unpacked, above which it is refused."""
    others: Literal["warn", "leave"] = "warn"
    """Columns that the contract does not name stay out: say so (warn), or expect it (leave)."""

    def files(self, data: Path, folder: Path) -> list[Path]:  # the same call for every source
        """The pages that were landed."""
        return self._pages().deliveries(data)

    def read(self, reading: Reading) -> Raw:
        """Every record of every page that was landed, as text."""
        told = columns(Landing(reading.data).manifest().state)

        def one(file: Path, contract: Contract) -> tuple[pa.Table, list[str]]:
            return page_table(self._found(file, told), contract)

        return gather(self._pages(), reading, one)

    def headers(self, landing: Landing) -> list[str]:
        """The columns of what was landed."""
        told = columns(landing.manifest().state)
        every = [self._found(file, told) for file in landing.deliveries()]
        return list(dict.fromkeys(name for found in every for name in (*found.names, *_names(found.records))))

    def _pages(self) -> FileSource:
        return find("collect", "json", FileSource)(path="*.json", others=self.others)

    def _found(self, file: Path, told: Mapping[str, str]) -> Found:
        try:
            return self.found(parse(file.read_text(encoding="utf-8-sig")), told)
        except (UnicodeDecodeError, JsonError):
            raise Unreadable("the page is no JSON.", _SENT_AGAIN) from None
        except (KeyError, TypeError, AttributeError, IndexError, ValueError):
            raise Unreadable("the page is none of this kind of server.", _SENT_AGAIN) from None

    @abstractmethod
    def found(self, page: Any, told: Mapping[str, str]) -> Found:
        """The records of one page.

        Args:
            page: What was parsed.
            told: The columns that the server says there are, each with its type.

        Raises:
            KeyError: It is none of this kind; so do the other errors of looking into what is something else.
        """


@dataclass(frozen=True)
class Found:
    """The records of one page.

    Args:
        records: The records, parsed.
        names: Columns that the server says there are, also where every record lacks them.
    """

    records: list[object]
    names: tuple[str, ...] = ()


def page_table(found: Found, contract: Contract) -> tuple[pa.Table, list[str]]:
    """The records of one page under the contract's names, and the columns nobody declared.

    A GeoJSON shape becomes the column of its name, as well-known binary where the contract says ``object``; a point
    gives ``NAME.longitude`` and ``NAME.latitude`` too.

    Raises:
        Unreadable: A promised column is missing.
    """
    if (plain := _plain(found, contract)) is not None:
        return plain
    asked = {c.source: c.name for c in contract.columns if c.type == "object"}
    empty: dict[str, object] = dict.fromkeys(found.names)
    records = [Record(i, _placed(r, empty)) for i, r in enumerate(found.records, start=1)]
    if not records:
        records = [Record(0, empty)]  # no record tells which columns there are
        made = tabled(records, contract)
        return made.rows.slice(0, 0), made.unnamed
    made = tabled(records, contract)
    rows = made.rows
    for name in asked.values():
        rows = _shaped(rows, name)
    shapes = {n.rpartition(".")[0] for n in made.unnamed if n.endswith((".longitude", ".latitude"))}
    return rows, [n for n in made.unnamed if n.rpartition(".")[0] not in shapes]


def _plain(found: Found, contract: Contract) -> tuple[pa.Table, list[str]] | None:
    """The same, several times as fast, for records whose promised columns are all texts or numbers; else None."""
    seen: dict[str, None] = dict.fromkeys(found.names)
    for record in found.records:
        if not isinstance(record, dict):
            return None
        if not record.keys() <= seen.keys():
            seen.update(dict.fromkeys(record))
    if not found.records or any(c.type == "object" or c.source not in seen for c in contract.columns):
        return None
    records: list[Any] = found.records
    try:
        made = {c.name: pa.array([r.get(c.source) for r in records], pa.string()) for c in contract.columns}
    except (pa.ArrowTypeError, pa.ArrowInvalid, UnicodeEncodeError):
        return None  # a truth value, a list, an object, half a sign of a text
    _, unnamed = match(list(seen), contract)
    rows = finish(made, range(1, len(records) + 1), [None] * len(records))
    return rows.append_column(RECORD, pa.nulls(len(records), pa.string())), unnamed


def _placed(record: object, empty: Mapping[str, object]) -> object:
    if not isinstance(record, dict):
        return record
    made = {**empty, **record}
    for name, value in record.items():
        if isinstance(value, dict) and str(value.get("type")) in _SHAPES and "coordinates" in value:
            made[name] = written(value)
            at = value["coordinates"]
            is_point = value["type"] == "Point" and isinstance(at, list) and len(at) >= 2
            made[f"{name}.longitude"], made[f"{name}.latitude"] = at[:2] if is_point else (None, None)
    return made


def _shaped(rows: pa.Table, name: str) -> pa.Table:
    """A column of GeoJSON texts as well-known binary; a row whose shape is none is set aside."""
    texts, rejects = rows.column(name).to_pylist(), rows.column(REJECT).to_pylist()
    shapes: list[bytes | None] = []
    for i, text in enumerate(texts):
        shape, fault = _wkb(text)
        shapes.append(shape)
        rejects[i] = rejects[i] or fault
    rows = rows.set_column(rows.column_names.index(name), name, pa.array(shapes, pa.binary()))
    return rows.set_column(rows.column_names.index(REJECT), REJECT, pa.array(rejects, pa.string()))


def _wkb(text: str | None) -> tuple[bytes | None, str | None]:
    if text is None:
        return None, None
    try:
        made = shapely.force_2d(shapely.from_geojson(text))
    except (ShapelyError, ValueError, TypeError):
        return None, "the shape of the feature is damaged"
    if made is None or made.is_empty or not np.isfinite(shapely.get_coordinates(made)).all():
        return None, "the feature has no shape"
    xy = np.abs(shapely.get_coordinates(made))
    if not ((xy[:, 0] <= 180) & (xy[:, 1] <= 90)).all():
        return None, "the shape of the feature lies on no map"
    return bytes(shapely.to_wkb(made if made.is_valid else shapely.make_valid(made))), None


def _names(records: list[object]) -> list[str]:
    return list(dict.fromkeys(name for r in records if isinstance(r, dict) for name in r))


# Pages that make a whole


def check_columns(client: Client, address: str, known: Iterable[str], given: Iterable[str]) -> None:
    """Look whether a page has the columns that the dataset should have.

    Raises:
        Refused: It has others (D139).
    """
    if others := [name for name in given if name not in set(known)]:
        named = ", ".join(f"'{o}'" for o in others[:6])
        fix = f"Its columns may just have been changed. {_SENT_AGAIN}"
        raise client.refused(
            "D139", address, f"gives a page with columns that the dataset does not have: {named}.", fix
        )


class Unsettled(Exception):  # noqa: N818  # not yet a failure
    """Pages that do not make a whole: something changed while they were fetched, or the server leaves rows out."""


@dataclass(frozen=True)
class Page:
    """One page as it came.

    Args:
        answer: Its bytes, and where they came from.
        keys: What no two records may have in common, one for each record.
        stem: What the name of its file begins with; the number of the page unless given.
    """

    answer: Answer
    keys: list[Any]
    stem: str = ""


def snapshot(
    landing: Landing, client: Client, address: str, pages: Callable[[], Iterator[Page]], count: Callable[[], int]
) -> list[Landed]:
    """Every page of a dataset, landed; they count only once the caller keeps them.

    Args:
        landing: Where they are landed, each before the next one is asked for.
        client: Asks the server.
        address: The dataset, for messages.
        pages: Asks for the pages, from the first on.
        count: Asks the server how many records there are.

    Raises:
        Refused: They do not add up, a second time from the start (D138).
    """
    for last_try in (False, True):
        try:
            return _once(landing, client, address, pages, count)
        except Unsettled as fault:
            if last_try:
                fix = f"It may have been changed meanwhile. {_SENT_AGAIN}"
                raise client.refused("D138", address, f"gives pages that do not add up: {fault}.", fix) from None
    raise ValueError("pages are tried at least once")


def _once(
    landing: Landing, client: Client, address: str, pages: Callable[[], Iterator[Page]], count: Callable[[], int]
) -> list[Landed]:
    expected, seen, rows = count(), set[int](), 0
    made: list[Landed] = []
    for number, page in enumerate(pages(), start=1):
        about = replace(page.answer.about, records=expected)
        made.append(landing.add(page.stem or f"{number:06}", "json", page.answer.body, about))
        rows += len(page.keys)
        if not all(isinstance(key, str | int | float) for key in page.keys):
            raise client.refused("D139", address, "gives records whose id is none.", _SENT_AGAIN)
        # The hashes of 64 bits, not the keys: of ten million, that is a third of the memory.
        seen.update(map(hash, page.keys))
        if len(seen) < rows:
            raise Unsettled("a record stands on two pages")
        if rows > expected:
            raise Unsettled(f"there are more records than the {expected:,} that the server counts")
    if rows < expected:
        raise Unsettled(f"{rows:,} of {expected:,} records were sent")
    if (after := count()) != expected:
        raise Unsettled(f"the server counts {expected:,} records before and {after:,} after")
    return made


def settle(landing: Landing, made: list[Landed], state: Mapping[str, str] | None = None) -> None:
    """Let what was fetched count, whole as it is, and clear away what is left of tries before."""
    landing.keep(made, state)
    landing.sweep()
