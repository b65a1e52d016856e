"""Classes follow columns: what a product that is made of others inherits from the columns it was computed from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from metroon.base.lineage import Lineage
from metroon.city.contract import PrivacyUnit  # of the tuple below

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from metroon.city.contract import Classification, Column, Contract

# Least to most strict: what a derived column takes when its parents differ.
STRICTNESS: tuple[Classification, ...] = (
    "public", "internal", "quasi", "linkage key", "sensitive", "free text", "direct",
)  # fmt: skip
_UNITS: tuple[PrivacyUnit, ...] = ("none", "event_on_person", "person")
UNTRACED = Lineage(why_not="nothing says what it is computed from")
"""The lineage of what has none."""


class Origin(NamedTuple):
    """A column of another product that a column can tell of.

    Args:
        product: The other product.
        column: Its column.
        classification: Its class there; None when nobody has decided it.
        decides: Whether it only decides which rows there are; else values are computed from it.
    """

    product: str
    column: str
    classification: Classification | None
    decides: bool


@dataclass(frozen=True)
class Traced:
    """Where the class of one column comes from.

    Args:
        column: Its name.
        declared: The class in its own contract; None when nobody has decided it.
        inherited: The strictest class of all that it can tell of; None when one of these is not decided.
        origins: All that it can tell of, strictest first.
        why_not: Why it cannot be told from which columns it is computed; then it has every column as its origin.
        declassified_by: Who lowered its class; empty when nobody did.
    """

    column: str
    declared: Classification | None
    inherited: Classification | None
    origins: tuple[Origin, ...]
    why_not: str = ""
    declassified_by: str = ""


def trace(contract: Contract, parents: Sequence[Contract], lineage: Lineage = UNTRACED) -> tuple[Traced, ...]:
    """Where the class of each column of a product comes from.

    Args:
        contract: The product's own promise.
        parents: The promises of the products it is made of, their classes inherited.
        lineage: What its query says of its columns.

    Example:
        A count tells of everything that it counts::

            trace(by_ward, [stays], lineage("select ward, count(*) as n from stays group by ward", tables))
    """
    known = {(p.name.lower(), c.name.lower()): (p, c) for p in parents for c in p.columns}
    every = [Origin(p.name, c.name, c.classification, False) for p, c in known.values()]
    made = []
    for column in contract.columns:
        computed = lineage.columns.get(column.source.lower())
        why = lineage.why_not or ("" if computed is not None else f"the query gives no column '{column.source}'")
        if why or computed is None:
            origins = every
        else:
            told = [(o, False) for o in computed] + [(o, True) for o in lineage.decides - computed]
            origins = [m for (product, name), decides in told for m in _meant(product, name, decides, parents)]
        origins = sorted(set(origins), key=lambda o: (-_rank(o.classification), o.decides, o.product, o.column))
        strictest = origins[0].classification if origins else STRICTNESS[0]
        by = column.declassified.get("by", "")
        made.append(Traced(column.name, column.classification, strictest, tuple(origins), why, by))
    return tuple(made)


def _meant(product: str, name: str, decides: bool, parents: Sequence[Contract]) -> Iterator[Origin]:
    for parent in (p for p in parents if p.name.lower() == product):
        own = [c for c in parent.columns if c.name.lower() == name]
        # What the contract does not know, such as the file and line of a row, may be any of it.
        yield from (Origin(parent.name, c.name, c.classification, decides) for c in own or parent.columns)


def _rank(classification: Classification | None) -> int:
    return len(STRICTNESS) if classification is None else STRICTNESS.index(classification)


def inherit(
    contract: Contract,
    parents: Sequence[Contract],
    *,
    lineage: Lineage = UNTRACED,
    may_declassify: Collection[str] = (),
) -> Contract:
    """The contract of a product made of others: each column as strict as what it can tell of.

    A column takes at least the strictest class of the columns that it is computed from, and of those that decide which
    rows there are. Where that cannot be told, it takes the strictest class of all columns of all parents. Only
    somebody who may can lower it, with a reason. The unit takes the strictest unit, and what tells people apart in a
    parent tells them apart in the child. A column that is made of an undecided one is undecided: what nobody has
    decided cannot be inherited. So is one that was declassified by somebody who may not.

    Args:
        contract: The product's own promise.
        parents: The promises of the products it is made of, their classes inherited.
        lineage: What its query says of its columns.
        may_declassify: Ids of the roles whose holders may lower a class.
    """
    if not parents:
        return contract
    traced = {t.column: t for t in trace(contract, parents, lineage)}
    columns = tuple(_inherited(c, traced[c.name], may_declassify) for c in contract.columns)
    units = [contract.unit, *(p.unit for p in parents)]
    unit = None if None in units else max((u for u in units if u), key=_UNITS.index)
    floors = [p.minimum_cell for p in (contract, *parents) if p.minimum_cell]
    keys = [k for k in (contract.person_key, *(p.person_key for p in parents)) if k]
    who = next((k for k in keys if contract.column(k)), keys[0] if keys else None)
    return replace(contract, columns=columns, unit=unit, person_key=who, minimum_cell=max(floors, default=None))


def _inherited(column: Column, traced: Traced, may_declassify: Collection[str]) -> Column:
    given, floor = column.classification, traced.inherited
    if given is None:
        return column
    if column.declassified.get("by") and column.declassified.get("reason"):
        return column if traced.declassified_by in may_declassify else replace(column, classification=None)
    return replace(column, classification=None if floor is None else max(given, floor, key=STRICTNESS.index))
