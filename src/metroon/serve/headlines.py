"""Headlines: sentences that data write. Each has a predicate that holds on them, and says less where it does not.

A series is told better or worse only where whole intervals lie apart. What is hidden makes every sentence that spans
it neutral: nothing may be told of it, not even by its absence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from metroon.base import period as periods
from metroon.base.estimate import ALL
from metroon.serve.figures import period_words

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from metroon.base.estimate import Estimate
    from metroon.base.scorecard import Course, GroupGap, PlaceStanding, TargetGap
    from metroon.serve.figures import Figures
    from metroon.serve.words import Words

Direction = Literal["up", "down", "neutral", "within"]
Move = Literal["above", "below"]
TrendKind = Literal["signal", "side", "record", "apart", "same", "untold", "bare", "short"]


@dataclass(frozen=True)
class Trend:
    """What a series over time bears to be said.

    Args:
        kind: ``signal`` (each since ``since`` lies outside its own control limits), ``side`` (a signal, and each since
            ``since`` lies on one side of its own mean), ``record`` (the last is clear of each since ``since``),
            ``apart`` (the last is clear of the first, ``since``), ``same`` (it is not), ``untold`` (something in it
            is hidden or too uncertain), ``bare`` (each has a value and some no interval, such as full counts),
            ``short`` (fewer than two periods).
        move: Where the last lies; None unless it is clear.
        since: The period that the sentence reaches back to; empty for ``untold``, ``bare`` and ``short``.
        until: The last period.
    """

    kind: TrendKind
    move: Move | None
    since: str
    until: str


def is_clear(later: Estimate, earlier: Estimate) -> Move | None:
    """Where a number lies beside another one: wholly above or below it with both intervals, or None.

    Example:
        >>> from metroon.base.estimate import Cell, Estimate
        >>> a, b = Estimate(Cell("2024"), "known", 5, 4, 6), Estimate(Cell("2025"), "known", 9, 8, 10)
        >>> is_clear(b, a), is_clear(a, b), is_clear(a, a)
        ('above', 'below', None)
    """
    if not (is_bounded(later) and is_bounded(earlier)):
        return None
    if (later.low or 0.0) > (earlier.high or 0.0):
        return "above"
    return "below" if (later.high or 0.0) < (earlier.low or 0.0) else None


def is_bounded(e: Estimate) -> bool:
    """Whether a number is known with an interval, so that something may be said of it."""
    return e.state == "known" and e.value is not None and e.low is not None and e.high is not None and e.low <= e.high


def trend(trail: Sequence[Estimate], *, course: Course | None = None, breaks: Sequence[tuple[date, str]] = ()) -> Trend:
    """What a series bears to be said.

    Args:
        trail: Its estimates, oldest first, all of one length of period.
        course: The same series with its control limits, when there are enough points for them.
        breaks: Days on which its meaning changed: nothing is compared across them.
    """
    series = _unbroken(trail, breaks)
    until = trail[-1].cell.period if trail else ""
    if course is not None and course.periods and course.periods[-1] == until and (found := signal(course)) is not None:
        return found
    if len(series) < 2:
        return Trend("short", None, "", until)
    if not all(is_bounded(e) for e in series):
        return Trend("bare" if _is_bare(series) else "untold", None, "", until)
    *earlier, last = series
    run = _run(earlier, last)
    if len(run) > 1:
        return Trend("record", is_clear(last, earlier[-1]), run[0].cell.period, until)
    move_since_first = is_clear(last, earlier[0])
    return Trend("apart" if move_since_first else "same", move_since_first, earlier[0].cell.period, until)


def _is_bare(series: Sequence[Estimate]) -> bool:
    """Whether every period is known with a value and nothing but an interval is missing."""
    return all(e.state == "known" and e.value is not None for e in series) and any(
        e.low is None or e.high is None for e in series
    )


def signal(course: Course) -> Trend | None:
    """What the control limits bear to be said of the last periods; None without a signal."""
    if course.variation in ("", "common cause") or not course.is_kept or not course.begun:
        return None
    is_high = course.variation.endswith("high")
    move: Move = "above" if is_high else "below"
    beyond = _since(course, course.high if is_high else course.low, is_high=is_high)
    if beyond:
        return Trend("signal", move, beyond, course.periods[-1])
    beside = _since(course, course.mean, is_high=is_high)
    return Trend("side", move, beside, course.periods[-1]) if beside else None


def _since(course: Course, line: Sequence[float | None], *, is_high: bool) -> str:
    """The first of the last periods that all lie beyond a line; empty when the last does not, or is not known."""
    since = ""
    for period, value, limit in zip(reversed(course.periods), reversed(course.values), reversed(line), strict=True):
        if value is None or limit is None or not (value > limit if is_high else value < limit):
            break
        since = period
    return since


def _unbroken(trail: Sequence[Estimate], breaks: Sequence[tuple[date, str]]) -> list[Estimate]:
    if not breaks or not trail or trail[-1].cell.period == ALL:
        return list(trail)
    newest = max(day for day, _ in breaks)
    return [e for e in trail if periods.first_day(e.cell.period) >= newest]


def _run(earlier: Sequence[Estimate], last: Estimate) -> list[Estimate]:
    """The longest row of periods just before the last, none missing, each clear of it on one side, oldest first."""
    side = is_clear(last, earlier[-1])
    run: list[Estimate] = []
    for e in reversed(earlier):
        after = run[0] if run else last
        if side is None or is_clear(last, e) != side or periods.next_period(e.cell.period) != after.cell.period:
            break
        run.insert(0, e)
    return run


def trend_words(found: Trend, direction: Direction, words: Words) -> str:
    """A trend as one sentence."""
    since = period_words(found.since, words) if found.since else ""
    until = period_words(found.until, words) if found.until else ""
    if found.kind == "short":
        return words.gettext("There is not yet more than one period to compare.")
    if found.kind == "untold":
        return words.gettext("Not every period can be told, so no change over time is claimed.")
    if found.kind == "bare":
        return words.gettext("No range is known for these numbers, so no change over time is claimed.")
    if found.kind == "same":
        return words.gettext("No clear change from %(since)s to %(until)s.", since=since, until=until)
    mood = _mood(found.move, direction)
    if found.kind == "signal":
        told = {
            "better": words.gettext("Better than its usual ups and downs since %(since)s.", since=since),
            "worse": words.gettext("Worse than its usual ups and downs since %(since)s.", since=since),
            "higher": words.gettext("Above its usual ups and downs since %(since)s.", since=since),
            "lower": words.gettext("Below its usual ups and downs since %(since)s.", since=since),
        }
    elif found.kind == "side":
        told = {
            "better": words.gettext("On the better side of its usual level since %(since)s.", since=since),
            "worse": words.gettext("On the worse side of its usual level since %(since)s.", since=since),
            "higher": words.gettext("Above its usual level since %(since)s.", since=since),
            "lower": words.gettext("Below its usual level since %(since)s.", since=since),
        }
    elif found.kind == "record":
        told = _record_words(found.until, since, until, words)
    else:
        told = {
            "better": words.gettext("Better in %(until)s than in %(since)s.", since=since, until=until),
            "worse": words.gettext("Worse in %(until)s than in %(since)s.", since=since, until=until),
            "higher": words.gettext("Higher in %(until)s than in %(since)s.", since=since, until=until),
            "lower": words.gettext("Lower in %(until)s than in %(since)s.", since=since, until=until),
        }
    return told[mood]


def _record_words(period: str, since: str, until: str, words: Words) -> dict[str, str]:
    said = {"since": since, "until": until}
    grain = periods.grain_of(period)
    if grain == "month":
        return {
            "better": words.gettext("Better in %(until)s than in any month since %(since)s.", **said),
            "worse": words.gettext("Worse in %(until)s than in any month since %(since)s.", **said),
            "higher": words.gettext("Higher in %(until)s than in any month since %(since)s.", **said),
            "lower": words.gettext("Lower in %(until)s than in any month since %(since)s.", **said),
        }
    if grain == "quarter":
        return {
            "better": words.gettext("Better in %(until)s than in any quarter since %(since)s.", **said),
            "worse": words.gettext("Worse in %(until)s than in any quarter since %(since)s.", **said),
            "higher": words.gettext("Higher in %(until)s than in any quarter since %(since)s.", **said),
            "lower": words.gettext("Lower in %(until)s than in any quarter since %(since)s.", **said),
        }
    return {
        "better": words.gettext("Better in %(until)s than in any year since %(since)s.", **said),
        "worse": words.gettext("Worse in %(until)s than in any year since %(since)s.", **said),
        "higher": words.gettext("Higher in %(until)s than in any year since %(since)s.", **said),
        "lower": words.gettext("Lower in %(until)s than in any year since %(since)s.", **said),
    }


def _mood(move: Move | None, direction: Direction) -> str:
    if direction == "up":
        return "better" if move == "above" else "worse"
    if direction == "down":
        return "better" if move == "below" else "worse"
    return "higher" if move == "above" else "lower"


def target_words(estimate: Estimate | None, target: TargetGap | None, figures: Figures, direction: Direction) -> str:
    """A number beside its target, as one sentence.

    Returns:
        Met or missed only where the whole interval lies on one side of what was asked for.
    """
    words = figures.words
    if target is None:
        return words.gettext("The city has set no target for this.")
    asked = asked_words(target, figures, direction)
    if estimate is None or estimate.value is None or target.gap is None:
        return words.gettext("There is no value to hold against the target, %(asked)s.", asked=asked)
    value, range_ = figures.value(estimate.value), figures.interval(estimate.low, estimate.high)
    said = {"value": value, "range": range_, "asked": asked, "period": period_words(estimate.cell.period, words)}
    if target.status == "met":
        return words.gettext("On track in %(period)s: %(value)s (%(range)s); the target was %(asked)s.", **said)
    if target.status == "not met":
        return words.gettext("Off track in %(period)s: %(value)s (%(range)s); the target was %(asked)s.", **said)
    return words.gettext("Too close to call in %(period)s: %(value)s (%(range)s); the target was %(asked)s.", **said)


def asked_words(target: TargetGap, figures: Figures, direction: Direction) -> str:
    """What was asked for: at least, at most, or between."""
    low, high = figures.value(target.asked_low), figures.value(target.asked_high)
    if target.asked_low != target.asked_high:
        return figures.words.gettext("between %(low)s and %(high)s", low=low, high=high)
    if direction == "down":
        return figures.words.gettext("at most %(n)s", n=low)
    return figures.words.gettext("at least %(n)s", n=low)


def places_words(standings: Sequence[PlaceStanding], direction: Direction, words: Words) -> str:
    """How many places clearly differ from the city, as one or two sentences; that none does, where none does."""
    if not standings:
        return words.gettext("Places are not compared with the city here.")
    count = {s: sum(p.standing == s for p in standings) for s in ("better", "worse", "higher", "lower")}
    of = words.number(len(standings))
    told = []
    if count["worse"]:
        told.append(
            words.ngettext(
                "Of %(of)s places compared, %(n)s is clearly worse off than the city as a whole.",
                "Of %(of)s places compared, %(n)s are clearly worse off than the city as a whole.",
                count["worse"],
                of=of,
            )
        )
    if count["better"] and told:
        told.append(words.ngettext("%(n)s is clearly better off.", "%(n)s are clearly better off.", count["better"]))
    elif count["better"]:
        told.append(
            words.ngettext(
                "Of %(of)s places compared, %(n)s is clearly better off than the city as a whole.",
                "Of %(of)s places compared, %(n)s are clearly better off than the city as a whole.",
                count["better"],
                of=of,
            )
        )
    if count["higher"] or count["lower"]:
        told.append(
            words.ngettext(
                "Of %(of)s places compared, %(n)s clearly differs from the city as a whole.",
                "Of %(of)s places compared, %(n)s clearly differ from the city as a whole.",
                count["higher"] + count["lower"],
                of=of,
            )
        )
    return " ".join(told) or words.gettext("No place clearly differs from the city as a whole.")


def largest_gap(gaps: Sequence[GroupGap]) -> GroupGap | None:
    """The largest certain gap, beside the level of its reference: of those left behind, where there are any.

    Returns:
        None when no gap's interval leaves out zero.
    """
    certain = [g for g in gaps if g.is_certain and g.standing == "worse"] or [g for g in gaps if g.is_certain]
    return max(certain, key=lambda g: abs(g.difference) / (abs(g.reference_value) or 1), default=None)


def gaps_words(gaps: Sequence[GroupGap], figures: Figures) -> str:
    """The largest certain gap between groups, as one sentence; that none is certain, where none is."""
    words = figures.words
    if not gaps:
        return words.gettext("No groups are compared here.")
    found = largest_gap(gaps)
    if found is None:
        return words.gettext("No difference between groups is larger than its margin of error.")
    said = {
        "group": words.plain(found.cell.group),
        "value": figures.value(found.value),
        "reference": words.plain(found.reference),
        "other": figures.value(found.reference_value),
        "period": period_words(found.cell.period, words),
    }
    if found.standing == "worse":
        return words.gettext(
            "Worse for %(group)s: %(value)s, against %(other)s for %(reference)s (%(period)s).", **said
        )
    if found.standing == "better":
        return words.gettext(
            "Better for %(group)s: %(value)s, against %(other)s for %(reference)s (%(period)s).", **said
        )
    return words.gettext(
        "Different for %(group)s: %(value)s, against %(other)s for %(reference)s (%(period)s).", **said
    )
