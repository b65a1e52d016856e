"""What may be told of many cells: values with their intervals, or the state that says why there is none."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from metroon.base.estimate import STATES, Estimates

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from metroon.base.estimate import State, Tallies
    from metroon.measure.declared import SmallNumbers

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

FEW_EVENTS = "too few events to say anything"
TOO_WIDE = "the interval is too wide to say anything"


@dataclass
class Answer:
    """Estimates in the making: numbers first, then the cells that have none, each with its reason.

    Args:
        value: The estimates; nan where there is none.
        low: Lower bounds.
        high: Upper bounds.
        events: Numerators.
        base: Denominators; None for measures without.
        unknown: Rows whose outcome is not recorded.
        worst: Values if every unknown were against the city's wish.
        best: Values if every unknown were in its favour.
    """

    value: Floats
    low: Floats
    high: Floats
    events: Floats
    unknown: Floats
    base: Floats | None = None
    worst: Floats | None = None
    best: Floats | None = None
    _said: list[tuple[State, Flags, str]] = field(default_factory=list)

    def say(self, state: State, where: Flags, note: str) -> Answer:
        """Give some cells a state with its reason; what is said first stands."""
        self._said.append((state, where, note))
        return self

    def estimates(self) -> Estimates:
        """The estimates; cells of a state without a value lose every number."""
        cells = len(self.value)
        state, note = np.zeros(cells, dtype=np.int8), np.zeros(cells, dtype=np.int16)
        notes = ["", *dict.fromkeys(words for _, _, words in self._said)]
        for which, where, words in reversed(self._said):
            state[where], note[where] = STATES.index(which), notes.index(words)
        is_bare = state > STATES.index("cannot tell")
        is_bare |= np.isnan(self.value)
        nothing = np.broadcast_to(np.nan, cells)
        told = (self.value, self.low, self.high, self.events, self.base, self.unknown, self.worst, self.best)
        value, low, high, events, base, unknown, worst, best = (
            _bared(nothing if c is None else c, is_bare) for c in told
        )
        return Estimates(state, value, low, high, events, base, unknown, worst, best, note, tuple(notes))


def _bared(column: Floats, is_bare: Flags) -> Floats:
    if not is_bare.any():
        return np.asarray(column, dtype=np.float64)
    return np.where(is_bare, np.nan, column)


def few_events(events: NDArray[np.int64], low: Floats, high: Floats, rule: SmallNumbers) -> Flags:
    """Where a number of events tells nothing: by their relative standard error, or by the width of the interval.

    Args:
        events: Events observed.
        low: Lower bounds, in the measure's unit.
        high: Upper bounds.
        rule: When a number says too little. No events are information: their interval is told.

    Example:
        >>> from metroon.measure.declared import SmallNumbers
        >>> few_events(np.array([0, 4, 400]), np.zeros(3), np.ones(3), SmallNumbers()).tolist()
        [False, True, False]
    """
    if rule.useful_width is not None:
        return np.asarray(high - low > rule.useful_width)
    return np.asarray((events > 0) & (events < rule.relative_error**-2 * (1 - 1e-12)))


def too_few(events: NDArray[np.int64], rule: SmallNumbers) -> Flags:
    """Where there are fewer events than a value needs."""
    return np.asarray(events < rule.events)


def measured_answer(
    tallies: Tallies,
    value: Floats,
    low: Floats,
    high: Floats,
    rule: SmallNumbers,
    *,
    base: Floats | None = None,
    no_base: str = "",
    is_ranked: Flags | None = None,
) -> Estimates:
    """Means, ratios and quantiles of numbers: what there is, and why there is none.

    Args:
        tallies: What was counted; ``yes`` are the rows with a number.
        value: The estimates.
        low: Lower bounds; nan where the rows allow none.
        high: Upper bounds.
        rule: When a number says too little; ``relative_error`` is of half the interval over twice the value.
        base: What is divided by.
        no_base: What to say where that is not above zero.
        is_ranked: Where an interval may be of zero width, because many rows have the same number.
    """
    rows = tallies.yes.astype(float)
    low, high = np.where(low < high, low, np.nan), np.where(low < high, high, np.nan)
    answer = Answer(value, low, high, rows, tallies.unknown.astype(float), base)
    answer.say("no exposure", (tallies.yes == 0) & (tallies.unknown == 0), "there is no case")
    answer.say("cannot tell", tallies.yes == 0, "no case has a known number")
    if base is not None:
        answer.say("no exposure", ~(base > 0), no_base)
    answer.say("cannot be answered", tallies.yes < rule.events, "too few rows for a value")
    is_bare = np.isnan(low) if is_ranked is None else np.isnan(low) & ~is_ranked
    answer.say("cannot tell", is_bare, "too few different numbers for an interval")
    if rule.useful_width is not None:
        wide = high - low > rule.useful_width
    else:
        # An interval of 95 % reaches about two standard errors to each side.
        wide = (high - low) / 4 > rule.relative_error * np.abs(value)
    return answer.say("cannot tell", wide, TOO_WIDE).estimates()


def standardised_answer(tallies: Tallies) -> tuple[Floats, Floats]:
    """Events and people of each cell and stratum; people are nan where nobody lives in a stratum that has events."""
    events, people = tallies.strata, tallies.strata_people
    if events is None or people is None:
        raise ValueError("a standardised rate needs events and people of strata")
    return events, np.where((people <= 0) & (events > 0), np.nan, np.where(people <= 0, np.nan, people))


def no_people(answer: Answer, tallies: Tallies) -> Answer:
    """Say where nobody lives, and where nobody counted who does."""
    answer.say("cannot be answered", np.isnan(tallies.people), "no number of residents is declared for this")
    return answer.say("no exposure", tallies.people <= 0, "nobody lives here")
