"""Geographies: the city's declared sets of areas, cut from the rows of its products."""

from __future__ import annotations

import math
from string import Formatter
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from metroon.base.errors import Refused
from metroon.base.node import did_you_mean
from metroon.base.places import Places

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from metroon.base.errors import Problem
    from metroon.base.node import Node
    from metroon.city.city import Bands, Geography, Merged
    from metroon.city.contract import Contract

Row = dict[str, Any]


def places(
    name: str,
    declared: Geography,
    node: Node,
    contract: Contract,
    rows: Sequence[Row],
    outline: Sequence[Row] | None,
) -> dict[str, Places]:
    """One geography and its bands.

    Args:
        name: The geography's id.
        declared: What the city says of it.
        node: Where it says so.
        contract: The promise of its product.
        rows: The rows of its product.
        outline: The rows of the product that its areas must lie inside of, when one is declared.

    Returns:
        Id -> places; bands are named ``geography.band``. Areas are in the order of their names.

    Raises:
        Refused: Columns are missing or not public, keys repeat or are empty, or residents are negative.
    """
    _check(declared, node, contract, rows)
    chosen = _inside(rows, outline) if outline is not None else list(rows)
    chosen.sort(key=lambda r: _natural(str(r[declared.key])))
    label = declared.name or f"{{{declared.key}}}"
    keys = [str(r[declared.key]) for r in chosen]
    people = declared.people
    whole = Places(
        id=name,
        title=declared.title,
        vintage=declared.vintage,
        official=declared.official,
        names={k: label.format_map(r) for k, r in zip(keys, chosen, strict=True)},
        shapes={
            k: shapely.from_wkb(bytes(r["geometry"])) for k, r in zip(keys, chosen, strict=True) if r.get("geometry")
        },
        people={k: float(r[people.column]) for k, r in zip(keys, chosen, strict=True) if r[people.column] is not None}
        if people
        else {},
        people_source=_source(people.source, people.vintage) if people else "",
        margins={
            k: float(r[people.margin])
            for k, r in zip(keys, chosen, strict=True)
            if r[people.margin] is not None and float(r[people.margin]) >= 0
        }
        if people and people.margin
        else {},
        note=declared.note,
    )
    merged = {f"{name}.{m}": merged_places(f"{name}.{m}", whole, by, node) for m, by in declared.merged.items()}
    bands = {f"{name}.{b}": _bands(f"{name}.{b}", band, declared, whole, chosen) for b, band in declared.bands.items()}
    return {name: whole, **bands, **merged}


def overlaps(first: Places, second: Places) -> set[tuple[str, str]]:
    """Pairs of places that share ground: what anybody with a map knows.

    Slivers below a hundred-thousandth of the smaller area count too when both share more than an edge.
    """
    tree_keys = list(second.shapes)
    tree = shapely.STRtree([second.shapes[k] for k in tree_keys])
    found = set()
    for key, area in first.shapes.items():
        for index in tree.query(area, predicate="intersects"):
            other = second.shapes[tree_keys[int(index)]]
            if shapely.area(shapely.intersection(area, other)) > 1e-5 * min(shapely.area(area), shapely.area(other)):
                found.add((key, tree_keys[int(index)]))
    return found


def neighbors(places: Places, keys: Sequence[str]) -> NDArray[np.float64]:
    """Which of some areas share a border: 1 for neighbors, else 0; (areas, areas)."""
    shapes = [places.shapes[k] for k in keys]
    first, second = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    found = np.zeros((len(keys), len(keys)))
    found[first, second] = 1.0
    np.fill_diagonal(found, 0.0)
    return found


def _bands(name: str, band: Bands, declared: Geography, whole: Places, rows: Sequence[Row]) -> Places:
    known = [r for r in rows if r[band.column] is not None]
    values = np.array([float(r[band.column]) for r in known])
    # Linear interpolation between areas, a tie at a cut goes to the lower band.
    cuts = np.quantile(values, [i / band.into for i in range(1, band.into)]) if len(values) else np.array([])
    areas = {str(r[declared.key]): str(int((cuts < v).sum()) + 1) for r, v in zip(known, values, strict=True)}
    keys = [str(i) for i in range(1, band.into + 1)]
    words = {keys[0]: f" ({band.low})", keys[-1]: f" ({band.high})"}
    note = f"{len(areas)} areas of {whole.title} in {band.into} bands by {band.column}. {declared.note}".strip()
    return _made_of(name, band.title, whole, areas, {k: f"{k}{words.get(k, '')}" for k in keys}, note)


def _made_of(
    name: str, title: str, whole: Places, areas: Mapping[str, str], names: Mapping[str, str], note: str
) -> Places:
    members = {k: [a for a, b in areas.items() if b == k] for k in names}
    return Places(
        id=name,
        title=title,
        vintage=whole.vintage,
        official=whole.official,
        names=names,
        shapes={
            k: shapely.union_all([whole.shapes[a] for a in m if a in whole.shapes]) for k, m in members.items() if m
        },
        people={k: math.fsum(whole.people.get(a, 0.0) for a in m) for k, m in members.items()} if whole.people else {},
        people_source=whole.people_source,
        # Estimates of areas are taken for independent of each other (US Census Bureau, ACS handbook, chapter 8).
        margins={k: math.sqrt(math.fsum(whole.margins.get(a, 0.0) ** 2 for a in m)) for k, m in members.items()}
        if whole.margins
        else {},
        note=note,
        base=whole.id,
        areas=areas,
        whole=whole,
    )


def merged_places(name: str, whole: Places, by: Merged, node: Node) -> Places:
    """Areas joined with their neighbors until each has enough residents.

    Again and again the part with the fewest residents goes to the neighbor with the fewest; of equals the first in
    the order of the areas. Nothing that is counted has a say in it, so that the boundaries tell nothing of anybody.

    Args:
        name: Id of the geography.
        whole: The areas.
        by: How many residents, and the title.
        node: Where the areas are declared.

    Raises:
        Refused: Areas have no boundaries or no residents, so that nobody can say what to join.
    """
    keys = list(whole.names)
    if any(k not in whole.shapes or k not in whole.people for k in keys):
        what = f"some areas of {whole.title} have no boundary or no number of residents: they cannot be joined."
        raise Refused([node.problem("G162", what, "Take merged: out, or give each area both.", "merged")])
    parts = _joined(neighbors(whole, keys) > 0, np.array([whole.people[k] for k in keys]), by.residents)
    members = {"+".join(keys[i] for i in part): [keys[i] for i in part] for part in parts}
    return _made_of(
        name, by.title, whole, {a: key for key, own in members.items() for a in own},
        {key: " and ".join(whole.names[a] for a in own) for key, own in members.items()},
        f"{len(keys)} areas of {whole.title} joined into {len(parts)} of at least {by.residents:,} residents where "
        f"neighbors allow it. {whole.note}".strip(),
    )  # fmt: skip


def _joined(are_neighbors: NDArray[np.bool_], people: NDArray[np.float64], least: int) -> list[list[int]]:
    parts = [[i] for i in range(len(people))]
    done: set[int] = set()  # parts without a neighbor stay as they are
    while True:
        totals = [math.fsum(people[p]) for p in parts]
        small = [i for i, n in enumerate(totals) if n < least and parts[i][0] not in done]
        if not small:
            return sorted(parts)
        one = min(small, key=lambda i: (totals[i], parts[i][0]))
        beside = [j for j, p in enumerate(parts) if j != one and are_neighbors[np.ix_(parts[one], p)].any()]
        if not beside:
            done.add(parts[one][0])
            continue
        other = min(beside, key=lambda j: (totals[j], parts[j][0]))
        parts[other] = sorted([*parts[other], *parts[one]])
        del parts[one]


def _inside(rows: Sequence[Row], outline: Sequence[Row]) -> list[Row]:
    limits = shapely.union_all([shapely.from_wkb(r["geometry"]) for r in outline if r.get("geometry")])
    shapely.prepare(limits)
    return [r for r in rows if r.get("geometry") and limits.contains(shapely.centroid(shapely.from_wkb(r["geometry"])))]


def faults(declared: Geography, node: Node, contract: Contract) -> Iterator[Problem]:
    """What is wrong between a geography and the product of its areas.

    Everything that a geography shows of its areas is published with every number, so it must be public.

    Args:
        declared: What the city says of it.
        node: Where it says so.
        contract: The promise of the product whose rows are the areas.
    """
    numbers = {"people.column": declared.people.column} if declared.people else {}
    numbers |= {"people.margin": declared.people.margin} if declared.people and declared.people.margin else {}
    numbers |= {f"bands.{b}.column": band.column for b, band in declared.bands.items()}
    shown = {"key": [declared.key], "name": _columns_of(declared.name), **{k: [c] for k, c in numbers.items()}}
    names = [c.name for c in contract.columns]
    for where, columns in shown.items():
        for name in columns:
            column, at = contract.column(name), where.split(".")
            if column is None:
                what = f"{declared.product} has no column '{name}'."
                yield node.problem("P101", what, did_you_mean(name, names), *at)
            elif column.classification != "public":
                given = column.classification or "not classified"
                what = f"'{name}' of {declared.product} is {given}, and places show it."
                fix = "Name a column that is public, or let its steward classify it so."
                yield node.problem("P106", what, fix, *at)
            elif where in numbers and column.type not in ("integer", "number"):
                what = f"'{name}' of {declared.product} is no number."
                yield node.problem("P105", what, "Write logicalType: integer or number in its contract.", *at)


def _columns_of(label: str) -> list[str]:
    try:
        return [name for _, name, _, _ in Formatter().parse(label) if name is not None]
    except ValueError:
        return [label]


def _check(declared: Geography, node: Node, contract: Contract, rows: Sequence[Row]) -> None:
    if problems := list(faults(declared, node, contract)):
        raise Refused(problems)
    keys = [r[declared.key] for r in rows]
    if None in keys or len(set(map(str, keys))) < len(keys):
        what = f"'{declared.key}' does not tell the areas of {declared.product} apart."
        raise Refused([node.problem("P102", what, "Name a column that is unique and never empty.", "key")])
    if declared.people and any((r[declared.people.column] or 0) < 0 for r in rows):
        what = f"'{declared.people.column}' holds negative numbers: a code for missing, not people."
        fix = f"Declare the code as missingCodes of '{declared.people.column}' in the contract of {declared.product}."
        raise Refused([node.problem("P103", what, fix, "people")])


def _source(source: str, vintage: str) -> str:
    return source if vintage in source else f"{source} ({vintage})"


def _natural(text: str) -> tuple[Any, ...]:
    return (0, int(text), text) if text.isdigit() else (1, 0, text)
