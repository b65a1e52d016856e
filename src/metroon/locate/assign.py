"""Which place a row belongs to, for every geography, cached by version and boundary."""

from __future__ import annotations

import hashlib
import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

import ibis
import shapely

from metroon.base import private
from metroon.base.estimate import NOWHERE, OUTSIDE
from metroon.base.places import MANY, located, with_places

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from metroon.base.engine import Counter, Engine, Relation
    from metroon.base.places import Places
    from metroon.city.contract import Contract

PREFIX = "_place_"


def column(geography: str) -> str:
    """The name of the column that holds the place of a row.

    Example:
        >>> column("tract.poverty_quartile")
        '_place_tract.poverty_quartile'
    """
    return PREFIX + geography


def can_place(contract: Contract, geography: Places) -> bool:
    """Whether rows of a product can be put into a geography: they have a point, or already name its areas."""
    return contract.point is not None or _key(contract, geography) is not None


def assign(
    engine: Engine,
    rows: Relation,
    contract: Contract,
    geographies: Iterable[Places],
    *,
    cache: Path,
    version: str,
    counter: Counter | None = None,
    counted: Relation | None = None,
    parts: Mapping[str, Relation] | None = None,
) -> Relation:
    """The rows with one more column for each geography: the key of the place they belong to.

    Args:
        engine: The engine.
        rows: Rows of one version.
        contract: Says which columns hold the point, or already name the place.
        geographies: Where to look.
        cache: Folder for what was worked out before.
        version: Names the rows; with the boundaries it is the key of the cache.
        counter: The engine that goes on with the rows, when it is another; points are put into places here always.
        counted: The same rows, on that engine.
        parts: What the rows are made of: name of each part -> its rows. What was worked out of a part before holds
            for every version that it is a part of, so that only the points of new parts are put into places.

    Returns:
        Places as text: a key, ``(outside)``, or ``(no place)``. A geography that the rows cannot be put into gets
        no column.
    """
    wanted = list(geographies)
    by_key = {g.id: k for g in wanted if (k := _key(contract, g)) is not None}
    by_point = [g for g in wanted if g.id not in by_key] if contract.point else []
    given = rows if counted is None else counted
    made = given.mutate(**{column(g.id): _by_key(given[by_key[g.id]], g) for g in wanted if g.id in by_key})
    if not by_point:
        return made
    files = _files(engine, parts or {version: rows}, contract, by_point, cache)
    points = (counter or engine).parquet(files).drop(MANY)
    # A point that several parts have is in the same place in each.
    return with_places(made, points.distinct() if len(files) > 1 else points, contract.point or ("", ""))


def points(
    engine: Engine, parts: Mapping[str, Relation], contract: Contract, geography: Places, *, cache: Path
) -> Relation:
    """The different points of some rows, ``LON`` and ``LAT``, each with the key of the place it belongs to.

    Args:
        engine: The engine.
        parts: What the rows are made of; see ``assign``.
        contract: Says which columns hold the point.
        geography: Where to look.
        cache: Folder for what was worked out before.
    """
    return engine.parquet(_files(engine, parts, contract, [geography], cache)).drop(MANY).distinct()


def boundary_sha256(places: Places) -> str:
    """The hash of a geography's keys and boundaries."""
    digest = hashlib.sha256(f"{places.id}|{places.vintage}".encode())
    for key in sorted(places.names):
        digest.update(key.encode() + b"\0" + places.areas.get(key, "").encode())
        if key in places.shapes:
            digest.update(shapely.to_wkb(places.shapes[key]))
    return digest.hexdigest()


def _key(contract: Contract, geography: Places) -> str | None:
    for known in contract.geography_keys:
        if known.layer in (geography.id, geography.base) and known.vintage in ("", geography.vintage):
            return known.column
    return None


def _by_key(given: ibis.Value, places: Places) -> ibis.Value:
    text = given.cast("string")
    if places.areas:
        found = text.cases(*places.areas.items(), else_=OUTSIDE)
    else:
        found = text.isin(list(places.names)).ifelse(text, OUTSIDE)
    return text.isnull().ifelse(NOWHERE, found)


def _files(
    engine: Engine, parts: Mapping[str, Relation], contract: Contract, wanted: Sequence[Places], cache: Path
) -> list[str]:
    """The files that say of each different point of each part which places it is in, and how many rows have it."""
    point = contract.point or ("", "")
    by_column = {column(g.id): g for g in wanted}
    told = "|".join([*point, *(boundary_sha256(g) for g in wanted)])
    found = []
    for name, rows in parts.items():
        file = cache / f"{hashlib.sha256(f'{name}|{told}'.encode()).hexdigest()}.parquet"
        if not file.exists():
            points = engine.table(located(engine, rows, point, by_column))
            cache.mkdir(parents=True, exist_ok=True)
            part = cache / f"{uuid.uuid4().hex}.part"  # its own, should two runs work at once
            engine.save(points, part)
            part.replace(file)
        found.append(str(file))
    return found


@dataclass(frozen=True)
class Lost:
    """Rows that are in no area.

    Args:
        outside: Label of a geography -> rows whose point lies outside every area of it; only where there are any.
        no_place: Rows without a usable point.
    """

    outside: Mapping[str, int]
    no_place: int


def lost(
    engine: Engine,
    rows: Relation,
    contract: Contract,
    geographies: Sequence[Places],
    *,
    cache: Path,
    version: str,
    parts: Mapping[str, Relation] | None = None,
) -> Lost:
    """How many rows with points are in no area of some geographies.

    Args:
        engine: The engine.
        rows: Rows of one version.
        contract: Says which columns hold the point, or already name the place.
        geographies: Where to look; at least one.
        cache: Folder for what was worked out before.
        version: Names the rows.
        parts: What they are made of; see ``assign``.
    """
    sha256 = hashlib.sha256("|".join([version, *map(boundary_sha256, geographies)]).encode()).hexdigest()
    file = cache / f"{sha256}.json"
    if not file.exists():
        told = _lost(engine, rows, contract, geographies, parts or {version: rows}, cache)
        cache.mkdir(parents=True, exist_ok=True)
        private.save(json.dumps(told).encode(), file)
    found = json.loads(file.read_text(encoding="utf-8"))
    outside = {g.label: int(found[g.id].get(OUTSIDE, 0)) for g in geographies}
    return Lost({k: n for k, n in outside.items() if n}, int(found[geographies[0].id].get(NOWHERE, 0)))


def _lost(
    engine: Engine,
    rows: Relation,
    contract: Contract,
    geographies: Sequence[Places],
    parts: Mapping[str, Relation],
    cache: Path,
) -> dict[str, dict[str, int]]:
    """Geography -> why a row is in no area of it -> how many rows."""
    keyed = {g.id: _by_key(rows[k], g) for g in geographies if (k := _key(contract, g)) is not None}
    by_point = [g for g in geographies if g.id not in keyed]
    files = _files(engine, parts, contract, by_point, cache) if by_point else []
    told = {}
    for g in geographies:
        name = column(g.id)
        found = rows.select(**{name: keyed[g.id]}).mutate(**{MANY: 1}) if g.id in keyed else engine.parquet(files)
        lost = found.filter(found[name].isin([OUTSIDE, NOWHERE]))
        counted = lost.group_by(name).aggregate(n=lost[MANY].sum())
        told[g.id] = {str(r[name]): int(r["n"]) for r in engine.rows(counted)}
    return told
