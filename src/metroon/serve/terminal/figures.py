"""Figures: a value never without its interval, its sample and its places' vintage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from metroon.serve.terminal import cells
from metroon.serve.terminal.console import DATA, STRONG, WATCH, line, text
from metroon.serve.terminal.words import STATES, Scale, number, period_words, scale_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.text import Text

    from metroon.base.account import Measured
    from metroon.base.estimate import Estimate
    from metroon.base.places import Places


def figure_text(estimate: Estimate, scale: Scale, *, style: str = "", digits: int = 0, says_state: bool = True) -> Text:
    """A value beside its interval, or the words of its state.

    Args:
        estimate: The cell.
        scale: How the measure's values are written.
        style: Of the value alone.
        digits: Characters the value takes, so that values below each other line up.
        says_state: Whether "cannot tell" is said here, not in a column of its own.
    """
    if not cells.is_told(estimate) or estimate.value is None:
        return text("no value" if estimate.state == "known" else STATES[estimate.state], WATCH)
    value = f"{scale.value(estimate.value):>{digits}}"
    figure = line((value, style), f" {scale.interval(estimate)}")
    if estimate.state == "known" or not says_state:
        return figure
    return line(figure, (f" {STATES[estimate.state]}", WATCH))


def unit_figure(estimate: Estimate | None, measured: Measured, *, style: str = f"{STRONG} {DATA}") -> Text:
    """A value beside its interval and its unit, or the words of its state, or that there is none.

    Args:
        estimate: The whole city's cell; None when it was not released.
        measured: Its measure.
        style: Of the value alone.
    """
    if estimate is None:
        return text("no value for the whole city", WATCH)
    figure = figure_text(estimate, scale_of(measured), style=style, says_state=False)
    if not cells.is_told(estimate):
        return figure
    unit = f" {measured.unit}" if measured.unit else ""
    state = "" if estimate.state == "known" else f", {STATES[estimate.state]}"
    return line(figure, unit, (state, WATCH))


def sample_words(estimate: Estimate, measured: Measured) -> str:
    """How much stands behind a value: trials of a share, events of a rate; empty for a count."""
    if not cells.is_told(estimate):
        return ""
    n = estimate.base if measured.is_share else estimate.events
    is_the_value_itself = not measured.is_share and n == estimate.value
    return f"n {number(n)}" if n is not None and not is_the_value_itself else ""


def places_title(geography: Places) -> str:
    """A geography with the vintage that stands beside every number of it."""
    unofficial = "" if geography.official else ", NOT OFFICIAL"
    return f"{geography.title} ({geography.vintage}{unofficial})"


def period_aside(measured: Measured, found: Sequence[Estimate]) -> str:
    """Which period places or groups are of, where it is not the city's own; else empty."""
    period = found[0].cell.period if found else measured.headline
    return "" if period == measured.headline else f", {period_words(period)}"
