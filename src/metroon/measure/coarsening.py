"""Coarser ways to ask the same question: longer periods, larger areas, fewer breakdowns and groups."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal, get_args

from metroon.base.node import did_you_mean
from metroon.base.period import GRAINS, Grain
from metroon.measure.tally import LEVELS, tally

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from metroon.base.errors import Problem
    from metroon.base.node import Node
    from metroon.guard.cells import CellTable, Hiding
    from metroon.measure.cube import Cube
    from metroon.measure.indicator import Indicator
    from metroon.measure.tally import Asking

    Hide = Callable[[Sequence[CellTable]], Mapping[str, Hiding]]

WITHOUT = "without "
"""Begins a step that leaves a breakdown out."""
_CHOSEN = "grains "
"""Begins the step by which a release of ``grain: finest`` says what was chosen, for the city, places and groups."""
_ALL_OF: tuple[Literal["groups", "places"], ...] = ("groups", "places")
_GRAIN_WORDS: dict[Grain, str] = {"quarter": "quarters", "year": "years", "all": "all years together"}
_STEP_WORDS: dict[str, str] = {str(grain): words for grain, words in _GRAIN_WORDS.items()}


def coarsened(indicator: Indicator, steps: Sequence[str]) -> Indicator:
    """A measure after some steps, each on top of those before it.

    Args:
        indicator: The measure.
        steps: As ``coarsen`` holds them; those that mean nothing change nothing.
    """
    for step in steps:
        indicator = _after(indicator, step)
    return indicator


def every_coarsening(indicator: Indicator) -> tuple[tuple[tuple[str, ...], Indicator], ...]:
    """Steps -> the measure after them, from the question as it is asked to the coarsest that it allows."""
    own = indicator.coarsen
    return tuple((tuple(own[:n]), coarsened(indicator, own[:n])) for n in range(len(own) + 1))


def beginning(indicator: Indicator, last: Sequence[str]) -> int:
    """How many steps a new release takes at least, so that it is as coarse as the last one.

    Going back and forth would tell readers on which side of the limit the hidden numbers lie, and give them two
    tables to lay over each other.

    Args:
        indicator: The measure.
        last: The steps of the last release.

    Returns:
        The first number of steps after which nothing is finer than it was; 0 when the declared order no longer holds
        what was done: then a person has decided anew.
    """
    found = every_coarsening(indicator)
    return next((n for n, (steps, made) in enumerate(found) if all(_has(made, steps, s) for s in last)), 0)


def coarse_enough(cube: Cube, asked: Sequence[Asking], hide: Hide, *, hidden_share: float) -> Asking:
    """The first of some ways to ask with which no more is hidden than the limit; the last when none is.

    Args:
        cube: The finest cells.
        asked: From fine to coarse.
        hide: What the guard would withhold of tables.
        hidden_share: Hidden cells over cells that count anything, from 0 to 1.
    """
    for one in asked[:-1]:
        table = tally(cube, one).table
        if table.unit == "none":
            return one
        hiding = hide([table])[one.name]
        hidden = hiding.primary | hiding.secondary
        telling = ({c for c, t in table.tallies.items() if t.yes + t.no + t.unknown > 0} | hidden) - table.unpublished
        if len(telling & hidden) <= hidden_share * len(telling):
            return one
    return asked[-1]


def coarsen_faults(indicator: Indicator, node: Node, geographies: Collection[str]) -> Iterator[Problem]:
    """Steps of ``coarsen`` that mean nothing, or change nothing.

    Args:
        indicator: The measure.
        node: Its declaration.
        geographies: Every geography of the city.
    """
    made = indicator
    for i, step in enumerate(indicator.coarsen):
        after = _after(made, step)
        if after == made:
            what = f"the step '{step}' makes the measure no coarser."
            fix = f"Write a longer period, bands of a place of the measure, or {WITHOUT}a breakdown. "
            known = _steps(made)
            yield node.problem("G160", what, fix + did_you_mean(step, known), "coarsen", i)
        elif WITHOUT not in step and "." in step and step not in geographies:
            fix = did_you_mean(step, [g for g in geographies if "." in g])
            yield node.problem("G160", f"there is no geography '{step}'.", fix, "coarsen", i)
        made = after
    if indicator.coarsen and indicator.period is not None and indicator.period.grain == "finest":
        what = "grain: finest chooses by itself, so that no order of coarsening can be kept."
        yield node.problem("G160", what, "Write the finest grain that you want, such as grain: month.", "coarsen")


def words_of(steps: Sequence[str]) -> str:
    """What was coarsened, as a sentence for those who read the numbers; empty when nothing was.

    Example:
        >>> words_of(["quarter", "without race"])
        'Coarsened so that fewer numbers have to be hidden: quarters, without race'
    """
    told = [_STEP_WORDS.get(s, s) for s in steps if not s.startswith(_CHOSEN)]
    return f"Coarsened so that fewer numbers have to be hidden: {', '.join(told)}" if told else ""


def poolings(indicator: Indicator, coarser_places: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str, Indicator]]:
    """Single changes that make a measure coarser: longer periods, larger areas, fewer breakdowns; then two at once.

    Args:
        indicator: The measure.
        coarser_places: Geography -> those made of its areas.

    Returns:
        What changes in words, what to write as ``coarsen``, and the measure.
    """
    if indicator.period:
        shortest = min(GRAINS.index(indicator.period.of(level)) for level in LEVELS)
        for grain in GRAINS[shortest + 1 :]:
            yield _GRAIN_WORDS[grain], grain, longer(indicator, grain)
    for name in indicator.places:
        for coarse in coarser_places.get(name, ()):
            if coarse not in indicator.places:
                yield f"{coarse} instead of {name}", coarse, _after(indicator, coarse)
    if len(indicator.places) + len(indicator.groups) < 2:
        return
    every = [*indicator.places, *(g.by for g in indicator.groups)]
    for name in every:
        yield f"no breakdown by {name}", f"{WITHOUT}{name}", _after(indicator, f"{WITHOUT}{name}")
    if indicator.period and shortest < len(GRAINS) - 1:
        pooled = longer(indicator, "all")
        for name in every:
            step = f"{WITHOUT}{name}"
            yield f"all years together and no breakdown by {name}", f"all, {step}", _after(pooled, step)


def longer(indicator: Indicator, grain: Grain) -> Indicator:
    """The measure with no period shorter than a grain."""
    period = indicator.period
    if period is None:
        return indicator
    own = {level: max(period.of(level), grain, key=GRAINS.index) for level in LEVELS}
    changed = {"grain": own["city"]}
    changed |= {
        level: own[level] for level in ("places", "groups") if own[level] != own["city"] or getattr(period, level)
    }
    return indicator.model_copy(update={"period": period.model_copy(update=changed)})


def chosen_grains(indicator: Indicator) -> str:
    """The step that says which grains a measure has, so that the next release of ``grain: finest`` is not finer."""
    period = indicator.period
    return _CHOSEN + " ".join(period.of(level) for level in LEVELS) if period is not None else ""


def grains_of(steps: Sequence[str]) -> dict[str, Grain]:
    """Level -> the grain that a release of ``grain: finest`` chose; empty when it did not choose.

    Example:
        >>> grains_of(["grains month year year"])["places"]
        'year'
    """
    told = next((s.removeprefix(_CHOSEN).split() for s in steps if s.startswith(_CHOSEN)), [])
    return dict(zip(LEVELS, told, strict=False))  # type: ignore[arg-type]  # they were written as grains


def _after(indicator: Indicator, step: str) -> Indicator:
    if step.startswith(_CHOSEN):
        grains = grains_of([step])
        own = {"grain": grains["city"], "places": grains["places"], "groups": grains["groups"]}
        period = indicator.period
        return indicator.model_copy(update={"period": period.model_copy(update=own)}) if period else indicator
    if step in get_args(Grain):
        return longer(indicator, step)  # type: ignore[arg-type]  # it is one
    if step.startswith(WITHOUT):
        return _without(indicator, step.removeprefix(WITHOUT))
    base = step.partition(".")[0]
    if step == base or base not in indicator.places:
        return indicator
    coarse = list(dict.fromkeys(step if p == base else p for p in indicator.places))
    return indicator.model_copy(update={"places": coarse})


def _without(indicator: Indicator, name: str) -> Indicator:
    if name in _ALL_OF:
        return indicator.model_copy(update={name: []})
    places = [p for p in indicator.places if p != name]
    groups = [g for g in indicator.groups if g.by != name]
    if (len(places), len(groups)) == (len(indicator.places), len(indicator.groups)):
        return indicator
    return indicator.model_copy(update={"places": places, "groups": groups})


def _has(made: Indicator, steps: Sequence[str], step: str) -> bool:
    """Whether a measure after some steps is at least as coarse as another step made it."""
    return step in steps or made == _after(made, step)


def _steps(indicator: Indicator) -> list[str]:
    names = [*indicator.places, *(g.by for g in indicator.groups)]
    return [*GRAINS[1:], *(f"{WITHOUT}{n}" for n in (*names, *_ALL_OF))]


def coarser(asking: Asking, indicator: Indicator, steps: Sequence[str]) -> Asking:
    """The same question, coarser.

    Args:
        asking: The question as it is asked.
        indicator: The measure after the steps.
        steps: The steps.
    """
    return replace(asking, indicator=indicator, steps=tuple(steps), coarser=())
