"""A number that carries its grain, its uncertainty and what is not known about it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

State = Literal["known", "cannot tell", "hidden", "no exposure", "late", "not collected", "cannot be answered"]
"""Why a value is there, or why not. Never merged to null or 0.

``known``: the value and its interval stand. ``cannot tell``: the interval is too wide to say anything.
``hidden``: withheld to protect people. ``no exposure``: nobody was at risk, so there is no rate.
``late``: the data have not come. ``not collected``: nobody gathers it.
``cannot be answered``: the data lack a date, a place or a denominator.
"""

STATES: tuple[State, ...] = get_args(State)
"""All states, in the order of their numbers in ``Estimates``."""
ALL = "all"
"""The place, group or period that stands for everything together."""
OUTSIDE = "(outside)"
"""The place of events whose point lies in none of the areas."""
INSIDE = "(inside)"
"""All areas of a geography together: what the city's rate counts, for only there residents are known."""
NOWHERE = "(no place)"
"""The place of events that have no usable point."""
UNKNOWN = "(unknown)"
"""The group of events whose group was not recorded."""


@dataclass(frozen=True, order=True, slots=True)
class Cell:
    """Which slice a number speaks of.

    Args:
        period: ``2015``, ``2015-Q1``, ``2015-01``, or ``all`` for everything in the data.
        geography: Id of the set of places, or ``all`` for the whole city.
        place: Key of the place in that geography; ``all``, ``(outside)`` or ``(no place)``.
        dimension: The column that makes the groups, or ``all``.
        group: Value of that column; ``all`` or ``(unknown)``.
    """

    period: str = ALL
    geography: str = ALL
    place: str = ALL
    dimension: str = ALL
    group: str = ALL


@dataclass(frozen=True, slots=True)
class Tally:
    """What was counted in one cell, before any estimate is made of it.

    Args:
        cell: The slice.
        yes: Events, or successes of a share.
        no: Failures of a share; 0 for a count or a rate.
        unknown: Rows whose outcome is not recorded.
        least_people: The smallest non-zero number of different people behind ``yes``, ``no`` and
            ``unknown``, when the contract names the column that tells people apart; else None.
        people: People at risk in the place, for a rate; None when there is no denominator.
    """

    cell: Cell
    yes: int
    no: int
    unknown: int
    least_people: int | None = None
    people: float | None = None


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its interval, its unknowns and its state.

    Args:
        cell: The slice it speaks of.
        state: Why there is a value or not.
        value: The estimate in the measure's unit; None unless ``state`` is known or cannot tell.
        low: Lower bound of the interval, same unit.
        high: Upper bound of the interval, same unit.
        events: Numerator: events, or successes.
        base: Denominator: trials of a share, people of a rate; None for a count.
        unknown: Rows whose outcome is not recorded.
        worst: The value if every unknown were against the city's wish (share only).
        best: The value if every unknown were in its favour (share only).
        note: Why, in words, when the state needs it.
    """

    cell: Cell
    state: State
    value: float | None = None
    low: float | None = None
    high: float | None = None
    events: int | None = None
    base: float | None = None
    unknown: int | None = None
    worst: float | None = None
    best: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Spread:
    """How the values behind many cells are spread: one entry for each cell and different value.

    Args:
        cell: Number of the cell.
        keys: What tells the entries of a cell apart, such as a duration in days.
        sums: Numbers added up in each entry.
    """

    cell: Ints
    keys: Mapping[str, NDArray[np.generic]]
    sums: Mapping[str, Floats]


@dataclass(frozen=True)
class Tallies:
    """What was counted in many cells: in every array one entry a cell.

    Args:
        yes: Events, or successes of a share.
        no: Failures of a share.
        unknown: Rows whose outcome is not recorded.
        people: People at risk; nan where nobody counted them.
        sums: Other numbers added up over the rows, by their names.
        strata: Events of each stratum, (cells, strata); None for measures without strata.
        strata_people: People of each stratum, (cells, strata); nan where nobody counted them.
        city: Number of the cell of the whole city in the same period.
        spread: How values are spread, for measures that no sum can answer.
        margins: Margins of error of the people (90 %), where they are estimates; None when they are counted.
    """

    yes: Ints
    no: Ints
    unknown: Ints
    people: Floats
    sums: Mapping[str, Floats] = field(default_factory=dict)
    strata: Floats | None = None
    strata_people: Floats | None = None
    city: Ints | None = None
    spread: Spread | None = None
    margins: Floats | None = None

    @property
    def cells(self) -> int:
        """How many cells there are."""
        return len(self.yes)


@dataclass(frozen=True)
class Estimates:
    """Estimates of many cells: in every array one entry a cell, nan where there is no number.

    Args:
        state: Number of the state in ``STATES``.
        value: The estimates, in the measure's unit.
        low: Lower bounds.
        high: Upper bounds; an interval that is not there has nan in both.
        events: Numerators.
        base: Denominators.
        unknown: Rows whose outcome is not recorded.
        worst: Values if every unknown were against the city's wish.
        best: Values if every unknown were in its favour.
        note: Number of the words in ``notes``.
        notes: Words that say why; the first is empty.
    """

    state: NDArray[np.int8]
    value: Floats
    low: Floats
    high: Floats
    events: Floats
    base: Floats
    unknown: Floats
    worst: Floats
    best: Floats
    note: NDArray[np.int16]
    notes: tuple[str, ...]

    def at(self, cells: Sequence[Cell]) -> tuple[Estimate, ...]:
        """One estimate for each cell; nothing numeric where the state says that there is no value."""
        columns = [_numbers(c) for c in (self.value, self.low, self.high, self.events, self.base, self.unknown)] + [
            _numbers(c) for c in (self.worst, self.best)
        ]
        states = [STATES[s] for s in self.state.tolist()]
        notes = [self.notes[n] for n in self.note.tolist()]
        return tuple(
            Estimate(cell, state, value, low, high, _whole(events), base, _whole(unknown), worst, best, note)
            for cell, state, value, low, high, events, base, unknown, worst, best, note in zip(
                cells, states, *columns, notes, strict=True
            )
        )


def _numbers(column: Floats) -> list[float | None]:
    return [None if x != x else x for x in column.tolist()]  # nan is what is not itself


def _whole(x: float | None) -> int | None:
    return None if x is None else round(x)


def without_value(cell: Cell, state: State, note: str) -> Estimate:
    """An estimate that says why it has no value: nothing numeric survives in it.

    Example:
        >>> without_value(Cell(), "hidden", "fewer than 11 people").events is None
        True
    """
    return Estimate(cell, state, note=note)


def sha256(estimates: Iterable[Estimate]) -> str:
    """The hash of a set of estimates: equal whenever every number, state and note is equal, in any order.

    Example:
        >>> a, b = Estimate(Cell("2015"), "known", 1.0), Estimate(Cell("2016"), "known", 2.0)
        >>> sha256([a, b]) == sha256([b, a])
        True
    """
    lines = sorted(json.dumps(asdict(e), sort_keys=True, ensure_ascii=False) for e in estimates)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
