"""Rows that leave: the classification gate, one technique for each column, and no small group left."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from metroon.base.errors import Problem, Refused
from metroon.city.contract import CLASSES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metroon.base.engine import Relation
    from metroon.base.estimate import Estimate
    from metroon.city.contract import Classification, Contract, PrivacyUnit
    from metroon.guard.technique import Protecting, Technique

# Least to most strict: what a derived column takes when its parents differ.
STRICTNESS: tuple[Classification, ...] = (
    "public", "internal", "quasi", "linkage key", "sensitive", "free text", "direct",
)  # fmt: skip
_WHO = "_who_"  # rides along until small groups are counted; no contract may name a column so
_UNITS: tuple[PrivacyUnit, ...] = ("none", "event_on_person", "person")


@dataclass(frozen=True)
class Guarded:
    """What may leave. Only this room makes it.

    Args:
        name: Product or measure.
        rows: Protected rows, or released estimates as rows.
        estimates: The released estimates, when it is a measure.
        notes: What was done, for the account.
    """

    name: str
    rows: Relation
    estimates: tuple[Estimate, ...] = ()
    notes: tuple[str, ...] = ()


def inherit(contract: Contract, parents: Sequence[Contract]) -> Contract:
    """The contract of a product made of others: as strict as the strictest of them.

    Every column takes at least the strictest class among the parents' columns, unless a named person declassified
    it with a reason; the unit takes the strictest unit, and what tells people apart in a parent tells them apart in
    the child. A parent with an unclassified column leaves the child's columns unclassified: what nobody has decided
    cannot be inherited.
    """
    if not parents:
        return contract
    classes = [c.classification for p in parents for c in p.columns]
    undecided = any(c is None for c in classes)
    floor = max((c for c in classes if c is not None), key=STRICTNESS.index, default=STRICTNESS[0])

    def stricter(given: Classification | None) -> Classification | None:
        if given is None or undecided:
            return None
        return max(given, floor, key=STRICTNESS.index)

    columns = tuple(
        c
        if c.declassified.get("by") and c.declassified.get("reason")
        else replace(c, classification=stricter(c.classification))
        for c in contract.columns
    )
    units = [contract.unit, *(p.unit for p in parents)]
    unit = None if None in units else max((u for u in units if u), key=_UNITS.index)
    floors = [p.minimum_cell for p in (contract, *parents) if p.minimum_cell]
    keys = [k for k in (contract.person_key, *(p.person_key for p in parents)) if k]
    who = next((k for k in keys if contract.column(k)), keys[0] if keys else None)
    return replace(contract, columns=columns, unit=unit, person_key=who, minimum_cell=max(floors, default=None))


def gate(contract: Contract) -> list[Problem]:
    """What keeps a product from being published: undecided columns, or an undeclared privacy unit."""
    open_columns = [c for c in contract.columns if c.classification is None]
    problems = [
        c.node.problem(
            "G101",
            f"column '{c.name}' has no classification: nothing of {contract.name} is published.",
            f"Write classification: ({', '.join(CLASSES)}). Then: metroon run {contract.name}",
        )
        for c in open_columns
    ]
    if contract.unit is None:
        what = f"{contract.name} does not say what a row counts: nothing of it is published."
        fix = (
            "Add the custom property privacyUnit: person, event_on_person, or none with a privacyReason. "
            f"Then: metroon run {contract.name}"
        )
        problems.append(contract.node.problem("G102", what, fix, "customProperties"))
    if contract.person_key and contract.column(contract.person_key) is None:
        what = (
            f"{contract.name} is made of rows that '{contract.person_key}' tells people apart in, and lacks it: "
            "many rows of one person would pass for many people, so nothing of it is published."
        )
        fix = f"Add {contract.person_key} to query and contract, as linkage key. Then: metroon run {contract.name}"
        problems.append(contract.node.problem("G108", what, fix, "schema"))
    return problems


def protect(
    rows: Relation,
    contract: Contract,
    techniques: Sequence[Technique],
    given: Protecting,
    *,
    minimum_cell: int,
) -> Guarded:
    """The rows that may leave.

    Args:
        rows: Kept rows of the product.
        contract: The promise, classes inherited.
        techniques: At most one for each column; every other column passes if public, else is dropped.
        given: What techniques need.
        minimum_cell: Fewest people (rows, where no column tells people apart) that may share one combination of
            quasi-identifying values.

    Raises:
        Refused: A column is undecided, a technique cannot be done, or small groups of people remain.
    """
    problems = [*gate(contract), *_misplaced(contract, techniques)]
    if problems:
        raise Refused(problems)
    chosen = {t.column: t for t in techniques}
    who = {_WHO: rows[contract.person_key].cast("string").fill_null("")} if contract.person_key else {}
    made = rows.select(*(c.name for c in contract.columns), **who)
    done, quasi = [], []
    for column in contract.columns:
        technique = chosen.get(column.name)
        after = (technique.leaves() if technique else None) or column.classification
        if technique is not None and column.name in made.columns:
            made = technique.protect(made, given)
            done.append(f"{column.name}: {type(technique).__name__.lower()}")
        may_stay = after in ("public", "quasi") if technique else after == "public"
        if after == "linkage key" and contract.unit == "none" and technique is not None:
            may_stay = True
        if not may_stay and column.name in made.columns:
            made = made.drop(column.name)
            done.append(f"{column.name}: drop")
        if after == "quasi" and column.name in made.columns:
            quasi.append(column.name)
    areas = [c for c in made.columns if contract.column(c) is None and c != _WHO]  # what a point became
    quasi = [*(c for c in quasi if c in made.columns), *areas]
    _refuse_small_groups(made, quasi, contract, given, minimum_cell)
    made = made.drop(*who)
    if not made.columns:
        what = f"no column of {contract.name} may leave."
        fix = "Set releaseMode: aggregate, so that only measures leave."
        raise Refused([contract.node.problem("G106", what, fix)])
    return Guarded(contract.name, made, notes=tuple(done))


def _misplaced(contract: Contract, techniques: Sequence[Technique]) -> list[Problem]:
    names = [t.column for t in techniques]
    unknown = [n for n in names if contract.column(n) is None]
    twice = sorted({n for n in names if names.count(n) > 1})
    where = contract.node
    return [
        *(
            where.problem("G107", f"guard names a column '{n}' that is not there.", "Correct product.yaml.")
            for n in unknown
        ),
        *(where.problem("G107", f"guard names column '{n}' twice.", "Keep one technique a column.") for n in twice),
    ]


def _refuse_small_groups(
    rows: Relation, quasi: Sequence[str], contract: Contract, given: Protecting, minimum_cell: int
) -> None:
    if contract.unit == "none" or not quasi:
        return
    people = rows[_WHO].nunique() if _WHO in rows.columns else rows.count()
    groups = rows.group_by(list(quasi)).aggregate(_n=rows.count(), _people=people)
    few = groups.filter(groups["_people"] < minimum_cell)
    small = given.engine.rows(few.aggregate(groups=few.count(), rows=few["_n"].sum()))
    if small[0]["groups"]:
        what = (
            f"{small[0]['rows']:,} rows of {contract.name} stand in {small[0]['groups']:,} groups of fewer than "
            f"{minimum_cell} that share the values of {', '.join(quasi)}: no row is published."
        )
        fix = "Coarsen or drop one of these columns in product.yaml, or set releaseMode: aggregate."
        raise Refused([contract.node.problem("G103", what, fix)])
