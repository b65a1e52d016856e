"""Which place a row belongs to, for every geography, cached by version and boundary."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

import ibis
import numpy as np
import pyarrow as pa
import shapely

from metroon.base.estimate import NOWHERE, OUTSIDE
from metroon.base.places import locate

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

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
    file = _placed(engine, rows, contract, by_point, cache, version)
    return _with_places(made, (counter or engine).parquet([str(file)]), contract)


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


def _placed(
    engine: Engine, rows: Relation, contract: Contract, wanted: list[Places], cache: Path, version: str
) -> Path:
    """The file that says of each different point which places it is in."""
    lon, lat = contract.point or ("", "")
    boundaries = "".join(boundary_sha256(g) for g in wanted)
    name = hashlib.sha256(f"{version}|{lon}|{lat}|{boundaries}".encode()).hexdigest()
    file = cache / f"{name}.parquet"
    if not file.exists():
        found = _locate(engine, rows, lon, lat, wanted)
        cache.mkdir(parents=True, exist_ok=True)
        part = cache / f"{uuid.uuid4().hex}.part"  # its own, should two runs work at once
        engine.save(found, part)
        part.replace(file)
    return file


def _with_places(rows: Relation, located: Relation, contract: Contract) -> Relation:
    lon, lat = contract.point or ("", "")
    # Grain: one row per different point; null-safe, so that rows without a point keep their row.
    same = [rows[lon].identical_to(located["_lon"]), rows[lat].identical_to(located["_lat"])]
    return rows.left_join(located, same).drop("_lon", "_lat")


def _locate(engine: Engine, rows: Relation, lon: str, lat: str, wanted: list[Places]) -> Relation:
    points = engine.fetch(rows.select(_lon=rows[lon], _lat=rows[lat]).distinct())
    x, y = (_floats(points, c) for c in ("_lon", "_lat"))
    columns = {column(g.id): pa.array(locate(g, x, y).tolist(), pa.string()) for g in wanted}
    return engine.table(pa.table({"_lon": points["_lon"], "_lat": points["_lat"], **columns}))


def _floats(table: pa.Table, name: str) -> NDArray[np.float64]:
    return np.asarray(table.column(name).cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)


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
    engine: Engine, rows: Relation, contract: Contract, geographies: Sequence[Places], *, cache: Path, version: str
) -> Lost:
    """How many rows with points are in no area of some geographies."""
    located = assign(engine, rows, contract, geographies, cache=cache, version=version)
    sums = {f"_{i}": (located[column(g.id)] == OUTSIDE).cast("int64").sum() for i, g in enumerate(geographies)}
    nowhere = (located[column(geographies[0].id)] == NOWHERE).cast("int64").sum()
    row = engine.rows(located.aggregate(**sums, _none=nowhere))[0]
    outside = {g.label: int(row[f"_{i}"] or 0) for i, g in enumerate(geographies)}
    return Lost({k: n for k, n in outside.items() if n}, int(row["_none"] or 0))
