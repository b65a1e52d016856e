"""Points: columns of coordinates brought into degrees, and those that cannot be a place told, never placed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
import pyarrow as pa

from metroon.base.errors import Problem
from metroon.collect import FILE
from metroon.collect.systems import Extent, around, is_known, likely, to_degrees

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ibis.expr.types import BooleanValue, Value

    from metroon.base.engine import Engine, Relation
    from metroon.city.contract import Contract
    from metroon.collect.systems import Floats

_MOST = 0.5
"""The share of points that may lie on no map: a few are always wrong, most of them are not."""
_SAMPLED = 1_000
_MISSING = "_missing{}"
_ZERO, _POLE, _OFF, _EXCHANGED, _FAR, _GIVEN = "_zero", "_pole", "_off", "_exchanged", "_far", "_given"


def system_faults(contract: Contract) -> Iterator[Problem]:
    """What a contract says of the system of its points and cannot be: D121."""
    if not contract.point or not contract.point_crs:
        return
    table = contract.node.at("schema", 0)
    stands = next((p for p in table.at("customProperties").each() if p.at("property").value == "point"), table)
    if not is_known(contract.point_crs):
        what = f"there is no coordinate reference system '{contract.point_crs}'."
        yield stands.problem("D121", what, "Write its code like this: crs: EPSG:2227", "value")
    for name in contract.point:
        column = contract.column(name)
        if column is not None and column.type != "number":
            what = f"'{name}' is in another system and becomes degrees, but its logicalType is {column.type}."
            yield stands.problem("D121", what, "Write logicalType: number, and bounds in degrees.", "value")


def are_moved(contract: Contract) -> bool:
    """Whether points are in a system that is not that of degrees, so that each has to be brought into it."""
    crs = contract.point_crs
    return bool(contract.point and crs) and is_known(str(crs)) and to_degrees(str(crs)) is not None


def in_degrees(engine: Engine, rows: Relation, contract: Contract) -> Relation:
    """Typed rows with their points in longitude and latitude.

    Grain:
        As the rows'.

    Args:
        engine: The engine.
        rows: Typed rows; beside each column i a column ``_missing{i}`` that says whether it is recorded.
        contract: Says which columns hold the point, and in which system it is.

    Returns:
        The same rows; a point that the system cannot bring into degrees is not recorded. The point 0, 0 stays what
        it is: programs write it for none, in any system.
    """
    if not contract.point or not contract.point_crs or not is_known(contract.point_crs):
        return rows
    degrees = to_degrees(contract.point_crs)
    if degrees is None:
        return rows
    names = [c.name for c in contract.columns]
    columns = list(contract.point)
    missing = [_MISSING.format(names.index(name)) for name in columns]

    def moved(batch: pa.Table) -> pa.Table:
        x, y = (_floats(batch, name) for name in columns)
        is_zero = (x == 0) & (y == 0)
        longitude, latitude = degrees(x, y)
        is_lost = ~is_zero & np.isfinite(x) & np.isfinite(y) & ~(np.isfinite(longitude) & np.isfinite(latitude))
        for name, gone, values in zip(columns, missing, (longitude, latitude), strict=True):
            made = pa.array(np.where(is_zero, 0.0, values), pa.float64(), mask=~is_zero & ~np.isfinite(values))
            told = pa.array(_flags(batch, gone) | is_lost)
            batch = batch.set_column(batch.column_names.index(name), name, made)
            batch = batch.set_column(batch.column_names.index(gone), gone, told)
        return batch

    return engine.map_arrow(rows, moved)


def counts(rows: Relation, contract: Contract, extent: Extent | None) -> dict[str, Value]:
    """What to add up over the rows of each file, to tell of points that cannot be a place; empty without points.

    Args:
        rows: Rows with their points in degrees.
        contract: Says which columns hold the point.
        extent: Where the city is, when that is known.
    """
    if not contract.point:
        return {}
    x, y = (rows[name].cast("float64") for name in contract.point)
    is_zero = (x == 0) & (y == 0)
    is_off = (x.abs() > 180) | (y.abs() > 90)
    is_pole = ~is_off & (y.abs() == 90)
    marks = {_GIVEN: x.notnull() & y.notnull() & ~is_zero, _ZERO: is_zero, _OFF: is_off, _POLE: is_pole}
    if extent is not None:
        is_exchanged = _within(y, x, extent) & ~_within(x, y, extent)
        marks[_EXCHANGED] = is_exchanged
        marks[_OFF] = is_off & ~is_exchanged
        marks[_FAR] = ~(is_zero | is_off | is_pole | is_exchanged | _within(x, y, extent))
    return {name: mark.fill_null(False).cast("int64").sum() for name, mark in marks.items()}


@dataclass(frozen=True)
class Misplaced:
    """A delivery whose coordinates are not in the system that is promised.

    Args:
        why: What is wrong, without a value.
        fix: What to declare, or what to ask the department for.
    """

    why: str
    fix: str


def misplaced(
    engine: Engine,
    rows: Relation,
    contract: Contract,
    *,
    by_file: Mapping[str, Mapping[str, int]],
    extent: Extent | None,
) -> dict[str, Misplaced]:
    """File -> why it is refused: most of its points lie on no map, or another system puts them into the city.

    Args:
        engine: The engine.
        rows: Raw rows, with their points as they came.
        contract: Says which columns hold the point, and in which system it is.
        by_file: File -> what ``counts`` adds up to.
        extent: Where the city is, when that is known.
    """
    found: dict[str, Misplaced] = {}
    for file, sums in by_file.items():
        given = sums.get(_GIVEN, 0)
        off = sums.get(_OFF, 0)
        lost = off + sums.get(_EXCHANGED, 0) + sums.get(_FAR, 0)
        if contract.point and lost > _MOST * given:
            why = _explained(engine, rows.filter(rows[FILE] == file), contract, extent, is_off=off > _MOST * given)
            if why is not None:
                found[file] = why
    return found


def refusal(file: str, found: Misplaced) -> Problem:
    """The refusal of a delivery whose coordinates are in another system: D120."""
    return Problem(file, 0, "D120", f"the delivery was refused: {found.why}.", found.fix)


def notes(by_file: Mapping[str, Mapping[str, int]]) -> tuple[str, ...]:
    """What to tell of points that are no place; the rows stay."""
    words = {
        _ZERO: "at 0, 0",
        _POLE: "at a pole",
        _OFF: "on no map",
        _EXCHANGED: "with longitude and latitude exchanged",
        _FAR: "far outside the city",
    }
    sums = {name: sum(s.get(name, 0) for s in by_file.values()) for name in words}
    told = [f"{n:,} {words[name]}" for name, n in sums.items() if n]
    total = sum(sums.values())
    if not total:
        return ()
    rows = (
        "1 row has a point that is no place here"
        if total == 1
        else f"{total:,} rows have a point that is no place here"
    )
    return (f"{rows}: {', '.join(told)}",)


def _explained(
    engine: Engine, rows: Relation, contract: Contract, extent: Extent | None, *, is_off: bool
) -> Misplaced | None:
    first, second = contract.point or ("", "")
    read = rows.select(**{n: rows[n].cast("string").try_cast("float64") for n in (first, second)})
    given = read.filter((read[first].abs() + read[second].abs()).between(0, float("inf")) & (read[first] != 0))
    sample = engine.fetch(given.limit(_SAMPLED))
    fits = likely(_floats(sample, first), _floats(sample, second), extent)
    said = f"in {contract.point_crs}" if contract.point_crs else "longitudes and latitudes"
    why = f"the coordinates in '{first}' and '{second}' cannot be {said}"
    if fits is None:
        hint = "" if extent else " With extent: in city.yaml the likely system is named."
        ask = f"Ask the department for their system, and add it to the property point: crs: CODE.{hint}"
        return Misplaced(why, ask) if is_off else None
    pair = (second, first) if fits.is_exchanged else (first, second)
    crs = f", crs: {fits.code}" if fits.code else ""
    fix = f"Write into the property point of contract.yaml: {{longitude: {pair[0]}, latitude: {pair[1]}{crs}}}"
    return Misplaced(f"{why}; they fit {fits.words}", fix)


def _within(x: Value, y: Value, extent: Extent) -> BooleanValue:
    west, south, east, north = around(extent)
    return cast("BooleanValue", x.between(west, east) & y.between(south, north))


def _floats(table: pa.Table, name: str) -> Floats:
    return np.asarray(table.column(name).cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)


def _flags(table: pa.Table, name: str) -> np.ndarray:
    return np.asarray(table.column(name).to_numpy(zero_copy_only=False), dtype=bool)
