"""The privacy register: every personal column of every product, where it flows, and what was released of it."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

from metroon import guard, keeping
from metroon.base.protection import Register, Registered
from metroon.city import imprint
from metroon.city.properties import listed
from metroon.guard.lineage import STRICTNESS
from metroon.guard.protocol import is_personal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from metroon.city import Contract
    from metroon.city.contract import Column
    from metroon.guard.retention import Due
    from metroon.measure import Indicator
    from metroon.walk import Walk

UNDECIDED = "undecided"
"""The class of a column that nobody has classified."""
_NOT_PERSONAL = ("public", "internal")


def register(walk: Walk) -> Register:
    """Every personal column of every product, by product, strictest class first. Nothing is counted anew.

    Args:
        walk: The city.

    Returns:
        Names, classes and days; no value of a row.
    """
    flows = _flows(walk)
    kept = {told.product: told for told in keeping.due(walk, today=walk.as_of)}
    rows = [
        _row(walk, contract, column, flows.get((name, column.name), ()), kept[name])
        for name, contract in sorted(walk.contracts.items())
        for column in sorted(contract.columns, key=_strictest_first)
        if column.classification not in _NOT_PERSONAL
    ]
    totals = {
        "products": len({r.product for r in rows}),
        "columns": len(rows),
        **{c: n for c in (UNDECIDED, *reversed(STRICTNESS)) if (n := sum(r.classification == c for r in rows))},
        "released": sum(bool(r.released) for r in rows),
        "without purpose": sum(not r.purposes for r in rows),
        "without legal basis": sum(not r.legal_basis for r in rows),
        "without retention": sum(not r.retention for r in rows),
        "past their retention": sum(bool(r.due) for r in rows),
        "without steward": sum(not r.steward for r in rows),
    }
    file = walk.city.file
    return Register(file.name, walk.as_of, totals, tuple(rows), file.invented)


def _strictest_first(column: Column) -> tuple[int, str]:
    known = column.classification
    return (-len(STRICTNESS) if known is None else -STRICTNESS.index(known), column.name)


def _row(walk: Walk, contract: Contract, column: Column, flows: tuple[str, ...], kept: Due) -> Registered:
    released, last = _released(walk, contract, column)
    said = {k: "; ".join(str(v) for v in listed(contract.custom.get(k))) for k in ("purposes", "legalBasis")}
    steward = imprint.steward(contract, walk.city.staff.stewards)
    return Registered(
        product=contract.name,
        column=column.name,
        classification=column.classification or UNDECIDED,
        purposes=said["purposes"],
        legal_basis=said["legalBasis"],
        retention=kept.words,
        due=_past(kept),
        flows_to=flows,
        technique=_technique(walk, contract, column),
        released=released,
        last_released=last,
        protocol=_protocol(walk, contract),
        steward=steward.name if steward else "",
    )


def _past(kept: Due) -> str:
    """Whether rows have passed their time, and the strongest of what keeps them."""
    if not kept.rows and not kept.held:
        return ""
    why = f"; kept by {kept.blocks[0].level}: {kept.blocks[0].what}" if kept.blocks else ""
    return f"rows up to {kept.cutoff} have passed their time{why}"


def _technique(walk: Walk, contract: Contract, column: Column) -> str:
    if contract.mode != "rows":
        return "rows stay"
    technique = next((t for t in walk.techniques[contract.name] if t.column == column.name), None)
    stays = column.name in guard.leaving(contract, walk.techniques[contract.name])
    return technique.words() if technique is not None else "passes" if stays else "dropped"


def _protocol(walk: Walk, contract: Contract) -> str:
    if not is_personal(contract):
        return "not needed: nobody stands behind a row"
    found = [p for p in walk.city.protocols if p.covers(contract.name)]
    told = []
    for p in found:
        window = f"comments {p.opens} to {p.closes}" if p.opens and p.closes else "no window for comments"
        told.append(f"{p.id} ({p.standing(walk.as_of)}; {window})")
    return "; ".join(told)


def _released(walk: Walk, contract: Contract, column: Column) -> tuple[str, date | None]:
    """What was released of a column, in words, and the last day on which it was."""
    told, days = [], []
    version = walk.lake.open(contract.name)
    if version is not None and column.name in walk.lake.read(version).columns:
        told.append("a dimension of its table" if contract.mode == "table" else "rows")
        days += [e["as_of"] for e in walk.lake.history(contract.name, "open").values()]
    for name, indicator in sorted(walk.indicators.items()):
        by_it = indicator.of == contract.name and any(g.by == column.name for g in indicator.groups)
        editions = walk.lake.history(name, "open") if by_it else {}
        if editions:
            told.append(f"groups of {name} ({len(editions)} edition{'s' * (len(editions) != 1)})")
            days += [e["as_of"] for e in editions.values()]
    return "; ".join(told), max(map(date.fromisoformat, days), default=None)


def _flows(walk: Walk) -> Mapping[tuple[str, str], tuple[str, ...]]:
    """Product and column -> columns of other products that are made of it, and measures that read it."""
    found: dict[tuple[str, str], list[str]] = {}
    for child in walk.order:
        for traced in walk.lineage(child):
            for origin in traced.origins:
                found.setdefault((origin.product, origin.column), []).append(f"{child}.{traced.column}")
    for name, indicator in sorted(walk.indicators.items()):
        for column in _read(indicator, walk.contracts.get(indicator.of)):
            found.setdefault((indicator.of, column), []).append(f"measure {name}")
    return {key: tuple(dict.fromkeys(where)) for key, where in found.items()}


def _read(indicator: Indicator, contract: Contract | None) -> Iterator[str]:
    """The columns of its product that a measure reads."""
    if contract is None:
        return
    texts = [indicator.among or "", *(e.sql for e in indicator.expressions())]
    words = {w for text in texts for w in re.findall(r"\w+", text)}
    named = {g.by for g in indicator.groups} | {c for _, c in indicator.reads()} | words
    named |= {indicator.period.column} if indicator.period else set()
    placed = {k.column for k in contract.geography_keys} | set(contract.point or ())
    named |= placed if indicator.places else set()
    yield from (c.name for c in contract.columns if c.name in named)
