"""Rows that leave: the classification gate, one technique for each column, and no small group left."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from metroon.base.errors import Problem, Refused
from metroon.city.contract import CLASSES
from metroon.guard.likeness import FEWEST_OTHERS, Likeness, likeness
from metroon.guard.singling import singled_out
from metroon.guard.technique import WHO

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from metroon.base.engine import Relation
    from metroon.base.estimate import Estimate
    from metroon.city.contract import Column, Contract
    from metroon.guard.technique import Protecting, Technique


@dataclass(frozen=True)
class Guarded:
    """What may leave. Only this room makes it.

    Args:
        name: Product or measure.
        rows: Protected rows, or released estimates as rows.
        estimates: The released estimates, when it is a measure.
        notes: What was done, for the account.
        steps: Column -> the step of its ladder that it stands on.
        likeness: How alike people are in the rows; None for what is no rows of people.
        parts: What rows of things are made of, where what becomes of a row depends on no other: name -> its rows. A
            name has the same rows forever, so that what was published of a part stays as it is.
    """

    name: str
    rows: Relation
    estimates: tuple[Estimate, ...] = ()
    notes: tuple[str, ...] = ()
    steps: Mapping[str, str] = field(default_factory=dict)
    likeness: Likeness | None = None
    parts: Mapping[str, Callable[[], Relation]] = field(default_factory=dict)


def gate(contract: Contract) -> list[Problem]:
    """What keeps a product from being published: undecided columns, or an undeclared privacy unit."""
    open_columns = [c for c in contract.columns if c.classification is None]
    problems = [_undecided(contract, c) for c in open_columns]
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


def unlawful(contract: Contract, may_declassify: Collection[str]) -> list[Problem]:
    """Classes that somebody lowered who may not.

    Args:
        contract: The product's own promise.
        may_declassify: Ids of the roles whose holders may lower a class.
    """
    lowered = [c for c in contract.columns if c.declassified and c.declassified.get("by") not in may_declassify]
    return [_unlawful(contract, c) for c in lowered]


def _unlawful(contract: Contract, column: Column) -> Problem:
    what = (
        f"'{column.declassified.get('by')}', who lowered the class of column '{column.name}', is no role of "
        f"people.yaml that is held and may do so: nothing of {contract.name} is published."
    )
    fix = "Write the id of a role with may: [declassify] and a holder, or take declassified out."
    return column.node.problem("G140", what, fix, "customProperties")


def _undecided(contract: Contract, column: Column) -> Problem:
    if column.declassified and column.node.at("classification").value is not None:
        return _unlawful(contract, column)
    return column.node.problem(
        "G101",
        f"column '{column.name}' has no classification: nothing of {contract.name} is published.",
        f"Write classification: ({', '.join(CLASSES)}). Then: metroon run {contract.name}",
    )


def leaving(contract: Contract, techniques: Sequence[Technique]) -> dict[str, str]:
    """Column -> the class it leaves with, for the columns that may leave as things are declared.

    A public column passes. Every other one needs a technique, and then leaves when it is quasi-identifying; when it
    is sensitive only where each group of people must hold different values of it; and a token only of things.
    """
    chosen = {t.column: t for t in techniques}
    found: dict[str, str] = {}
    for column in contract.columns:
        technique = chosen.get(column.name)
        after = (technique.leaves() if technique else None) or column.classification or ""
        may = after in ("public", "quasi") if technique else after == "public"
        if technique is not None:
            may |= after == "linkage key" and contract.unit == "none"
            may |= after == "sensitive" and technique.diversity() is not None
            may &= technique.stays()
        if may:
            found[column.name] = after
    return found


def protect(
    rows: Relation,
    contract: Contract,
    techniques: Sequence[Technique],
    given: Protecting,
    *,
    minimum_cell: int,
    parts: Mapping[str, Relation] | None = None,
) -> Guarded:
    """The rows that may leave.

    Args:
        rows: Kept rows of the product.
        contract: The promise, classes inherited.
        techniques: At most one for each column; every other column passes if public, else is dropped. Those that
            have steps are set to the finest that leaves no small group, the first one giving way first.
        given: What techniques need.
        minimum_cell: Fewest people (rows, where no column tells people apart) that may share one combination of
            quasi-identifying values.
        parts: What the rows are made of: name -> its rows. A name stands for all that decides what becomes of them,
            but for the steps.

    Raises:
        Refused: A column is undecided, a technique cannot be done, small groups of people remain, a group is alike
            in what is sensitive, or columns leave together that single people out.
    """
    problems = [*gate(contract), *_misplaced(contract, techniques)]
    if problems:
        raise Refused(problems)
    given = replace(given, minimum_cell=minimum_cell)
    made = _climbed(_whole(rows, contract), contract, techniques, given)
    if problems := [*_told(made, contract, minimum_cell), *_singled_out(made, contract, given)]:
        raise Refused(problems)
    left = made.rows.drop(*({WHO} & {*made.rows.columns}))
    if not left.columns:
        what = f"no column of {contract.name} may leave."
        fix = "Set releaseMode: aggregate, so that only measures leave."
        raise Refused([contract.node.problem("G106", what, fix)])
    if contract.unit == "none":
        by_part = _by_part(parts or {}, contract, techniques, given, made.steps)
        return Guarded(contract.name, left, notes=made.notes, steps=made.steps, parts=by_part)
    told = likeness(
        made.rows, made.quasi, made.diverse, given.engine, minimum_cell=minimum_cell, counts_alone=True
    )  # fmt: skip
    return Guarded(contract.name, left, notes=(*made.notes, told.words()), steps=made.steps, likeness=told)


def _whole(rows: Relation, contract: Contract) -> Relation:
    """The contract's columns, with who is who."""
    who = {WHO: rows[contract.person_key].cast("string").fill_null("")} if contract.person_key else {}
    return rows.select(*(c.name for c in contract.columns), **who)


def _by_part(
    parts: Mapping[str, Relation],
    contract: Contract,
    techniques: Sequence[Technique],
    given: Protecting,
    steps: Mapping[str, str],
) -> dict[str, Callable[[], Relation]]:
    """Each part of rows of things, protected as all of them are; none where a row depends on others.

    Rows of people are never told part by part: which of them came together may tell of somebody.
    """
    if not all(t.is_by_row for t in techniques):
        return {}
    chosen = [t.at(steps[t.column]) if t.column in steps else t for t in techniques]
    told = json.dumps(dict(steps), sort_keys=True)

    def made(rows: Relation) -> Relation:
        changed, _ = _changed(_whole(rows, contract), contract, chosen, given, steps)
        return changed.drop(*({WHO} & {*changed.columns}))

    return {hashlib.sha256(f"{n}|{told}".encode()).hexdigest(): partial(made, rows) for n, rows in parts.items()}


@dataclass(frozen=True)
class _Made:
    """Rows after every technique, before it is decided whether they may leave.

    Args:
        rows: The rows, with who is who.
        quasi: Columns by which people may be recognised.
        diverse: Sensitive columns that stay -> fewest different values in a group.
        areas: Columns that a point became.
        notes: What was done.
        steps: Column -> its step.
        likeness: How alike people are in them.
    """

    rows: Relation
    quasi: tuple[str, ...]
    diverse: Mapping[str, int]
    areas: tuple[str, ...]
    notes: tuple[str, ...]
    steps: Mapping[str, str]
    likeness: Likeness


def _climbed(rows: Relation, contract: Contract, techniques: Sequence[Technique], given: Protecting) -> _Made:
    """The rows with every ladder on the finest step that protects; on the coarsest ones when none does."""
    ladders = {t.column: rungs for t in techniques if (rungs := t.rungs(given))}
    steps = {column: rungs[-1] for column, rungs in ladders.items()}

    def made(steps: Mapping[str, str]) -> _Made:
        return _made(
            rows, contract, [t.at(steps[t.column]) if t.column in steps else t for t in techniques], given, steps
        )

    found = made(steps)
    if not found.likeness.is_safe:
        return found
    # From the last ladder to the first, each as fine as it can be while those before it are as coarse as they go:
    # what is declared first gives way first, and no ladder could stand on a finer step with the others where they are.
    for column, rungs in reversed(ladders.items()):
        for rung in rungs[:-1]:
            tried = made({**steps, column: rung})
            if tried.likeness.is_safe:
                steps, found = {**steps, column: rung}, tried
                break
    return found


def _made(
    rows: Relation, contract: Contract, techniques: Sequence[Technique], given: Protecting, steps: Mapping[str, str]
) -> _Made:
    made, done = _changed(rows, contract, techniques, given, steps)
    chosen, stays = {t.column: t for t in techniques}, leaving(contract, techniques)
    areas = [c for c in made.columns if contract.column(c) is None and c != WHO]  # what a point became
    quasi = [c for c in made.columns if stays.get(c) == "quasi"]
    diverse = {c: int(t.diversity() or 0) for c, t in chosen.items() if stays.get(c) == "sensitive"}
    counted = (*quasi, *areas) if contract.unit != "none" else ()
    told = likeness(made, counted, diverse, given.engine, minimum_cell=given.minimum_cell)
    return _Made(made, counted, diverse, tuple(areas), tuple(done), dict(steps), told)


def _changed(
    rows: Relation, contract: Contract, techniques: Sequence[Technique], given: Protecting, steps: Mapping[str, str]
) -> tuple[Relation, list[str]]:
    """Rows after every technique, without the columns that may not leave, and what was done."""
    chosen, stays = {t.column: t for t in techniques}, leaving(contract, techniques)
    made, done, gone = rows, [], []
    for column in contract.columns:
        technique = chosen.get(column.name)
        if technique is not None and column.name in made.columns:
            made = technique.protect(made, given)
            step = f" to {steps[column.name]}" if column.name in steps else ""
            done.append(f"{column.name}: {type(technique).__name__.lower()}{step}")
        if column.name not in stays and column.name in made.columns:
            gone.append(column.name)
            done.append(f"{column.name}: drop")
    # Only now: a technique may read another column than its own, such as the other half of a point.
    made = made.drop(*(c for c in gone if c in made.columns))
    return made, done


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


def _told(made: _Made, contract: Contract, minimum_cell: int) -> Iterator[Problem]:
    """Why rows may not leave, as counts of rows and groups."""
    told = made.likeness
    if told.small_groups:
        what = (
            f"{told.small_rows:,} rows of {contract.name} stand in {told.small_groups:,} groups of fewer than "
            f"{minimum_cell} that share the values of {', '.join(made.quasi)}: no row is published."
        )
        fix = "Coarsen or drop one of these columns in product.yaml, or set releaseMode: aggregate."
        yield contract.node.problem("G103", what, fix)
    for column, groups in told.alike.items():
        if groups:
            alike = f"people who share the values of {', '.join(made.quasi)}" if made.quasi else "people of the table"
            what = (
                f"in {groups:,} group{'s' * (groups != 1)} of {alike}, {contract.name} holds fewer than "
                f"{made.diverse[column]} different values of '{column}', or fewer than {FEWEST_OTHERS} people have "
                "another than the most frequent one: no row is published."
            )
            fix = f"Drop {column}, coarsen the other columns in product.yaml, or set releaseMode: aggregate."
            yield contract.node.problem("G143", what, fix)


def _singled_out(made: _Made, contract: Contract, given: Protecting) -> Iterator[Problem]:
    staying = [c for c in made.rows.columns if c not in (WHO, *made.areas)]
    found = singled_out(contract, staying, made.areas) if contract.unit != "none" else None
    if found is None:
        return
    birth, area, sex = found
    dates = made.rows[birth].cast("timestamp") if made.rows[birth].type().is_temporal() else None
    if dates is not None and not given.engine.count(made.rows.filter(dates != dates.truncate("Y"))):
        return  # only the year is left of it
    what = f"'{birth}', '{area}' and '{sex}' of {contract.name} would leave together: they single most people out."
    fix = f"Coarsen {birth} to year, or drop one of the three in product.yaml. Then: metroon run {contract.name}"
    yield contract.node.problem("G141", what, fix)
