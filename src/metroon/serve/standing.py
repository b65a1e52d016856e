"""Standing: what may be said of one number beside its target and beside the city, in one place for all pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from metroon.base.estimate import Estimate
    from metroon.base.scorecard import PlaceStanding, TargetGap
    from metroon.serve.words import Words

Tone = Literal["good", "watch", "bad", "mute"]
"""How it looks: each tone has a mark and a colour, and never comes without its words."""
Verdict = Literal[
    "on track", "off track", "too close", "too wide", "hidden", "no exposure", "late", "not collected",
    "cannot be answered", "cannot be judged", "no target", "not measured",
]  # fmt: skip
"""What a number is beside its target, or why nobody can say."""
_TONES: dict[Verdict, Tone] = {"on track": "good", "off track": "bad", "too close": "watch"}
_STATES: dict[str, Verdict] = {
    "hidden": "hidden",
    "no exposure": "no exposure",
    "late": "late",
    "not collected": "not collected",
    "cannot be answered": "cannot be answered",
}


@dataclass(frozen=True)
class Status:
    """What may be said of one number: a verdict, its tone and its words.

    Args:
        verdict: What it is.
        tone: How it looks.
        text: The words beside the mark.
    """

    verdict: Verdict
    tone: Tone
    text: str


def verdict(estimate: Estimate | None, target: TargetGap | None) -> Verdict:
    """What a number is beside its target: by its whole interval, or why nobody can say.

    Args:
        estimate: The number; None when the place or group is not measured.
        target: The number beside its target; None without a target.

    Example:
        >>> verdict(None, None)
        'not measured'
    """
    if estimate is None:
        return "not measured"
    if estimate.state in _STATES:
        return _STATES[estimate.state]
    if target is None:
        return "no target"
    if target.status in _STATES:  # the number has no day on which the target could be held against it
        return "cannot be judged"
    if target.status == "met":
        return "on track"
    if target.status == "not met":
        return "off track"
    has_interval = estimate.low is not None and estimate.high is not None
    return "too close" if estimate.state == "known" and has_interval else "too wide"


def status(estimate: Estimate | None, target: TargetGap | None, words: Words) -> Status:
    """The verdict on a number with its tone and words."""
    found = verdict(estimate, target)
    return Status(found, tone(found), verdict_words(found, words))


def tone(found: Verdict) -> Tone:
    """How a verdict looks: only a verdict by the whole interval is green or red.

    Example:
        >>> tone("on track"), tone("too close"), tone("hidden")
        ('good', 'watch', 'mute')
    """
    return _TONES.get(found, "mute")


def verdict_words(found: Verdict, words: Words) -> str:
    """A verdict as people read it."""
    told = {
        "on track": words.gettext("On track"),
        "off track": words.gettext("Off track"),
        "too close": words.gettext("Too close to call"),
        "too wide": words.gettext("Too few to say"),
        "hidden": words.gettext("Too few to say"),
        "no exposure": words.gettext("Nothing to measure"),
        "late": words.gettext("Data are late"),
        "not collected": words.gettext("Not collected"),
        "cannot be answered": words.gettext("Cannot be answered"),
        "cannot be judged": words.gettext("Cannot be judged yet"),
        "no target": words.gettext("No target"),
        "not measured": words.gettext("Not measured here"),
    }
    return told[found]


def absence(estimate: Estimate | None, words: Words, *, minimum: int) -> str:
    """Why there is no value, in a sentence; empty when there is one.

    Args:
        estimate: The number; None when the place or group is not measured.
        words: The language.
        minimum: Groups of fewer people than this are hidden.
    """
    if estimate is None:
        return words.gettext("Not measured here.")
    if estimate.state == "hidden":
        return words.gettext(
            "Hidden to protect people: it could tell of a group of fewer than %(n)s.", n=words.number(minimum)
        )
    told = {
        "no exposure": words.gettext("There was nothing to measure."),
        "late": words.gettext("The data have not come yet."),
        "not collected": words.gettext("Nobody collects this."),
        "cannot be answered": words.gettext("The data cannot answer this."),
    }
    return told.get(estimate.state, "" if estimate.value is not None else words.gettext("No value is published."))


@dataclass(frozen=True)
class Tally:
    """How many numbers have which verdict.

    Args:
        verdict: Which.
        tone: How it looks.
        count: How many.
        sentence: The count as a sentence.
    """

    verdict: Verdict
    tone: Tone
    count: int
    sentence: str


_COUNTED: tuple[tuple[Verdict, tuple[Verdict, ...]], ...] = (
    ("on track", ("on track",)),
    ("too close", ("too close",)),
    ("off track", ("off track",)),
    ("too wide", ("too wide", "hidden")),
    ("cannot be judged", ("no exposure", "late", "not collected", "cannot be answered", "cannot be judged")),
)
"""Verdicts on numbers that have a target, those that are counted together, in the order in which they are told."""


def tallies(found: Iterable[Verdict], words: Words) -> tuple[Tally, ...]:
    """Counts of verdicts on numbers that have a target, best first; verdicts that nobody has are left out.

    Returns:
        Counts that add up to the numbers that have a target: what cannot be told is counted too.
    """
    every = list(found)
    counted = [(one, sum(v in together for v in every)) for one, together in _COUNTED]
    return tuple(Tally(one, tone(one), n, _counted(one, n, words)) for one, n in counted if n)


def _counted(found: Verdict, n: int, words: Words) -> str:
    if found == "on track":
        return words.ngettext("%(n)s is on track.", "%(n)s are on track.", n)
    if found == "off track":
        return words.ngettext("%(n)s is off track.", "%(n)s are off track.", n)
    if found == "too close":
        return words.ngettext("%(n)s is too close to call.", "%(n)s are too close to call.", n)
    if found == "cannot be judged":
        return words.ngettext("%(n)s cannot be judged.", "%(n)s cannot be judged.", n)
    return words.ngettext(
        "For %(n)s, too few people or events are behind it to say.",
        "For %(n)s, too few people or events are behind them to say.",
        n,
    )


def beside_words(standing: PlaceStanding | None, words: Words) -> str:
    """A place beside the city, in words; empty when places of this measure are not compared."""
    if standing is None:
        return ""
    told = {
        "better": words.gettext("Better than the city as a whole"),
        "worse": words.gettext("Worse than the city as a whole"),
        "higher": words.gettext("Higher than in the city as a whole"),
        "lower": words.gettext("Lower than in the city as a whole"),
        "not different": words.gettext("Not clearly different from the city"),
        "cannot tell": words.gettext("Too few to compare with the city"),
    }
    return told[standing.standing]


def beside_short(standing: PlaceStanding | None, words: Words) -> str:
    """A place beside the city, as short as a list needs it; empty when places of this measure are not compared."""
    if standing is None:
        return ""
    told = {
        "better": words.gettext("Better"),
        "worse": words.gettext("Worse"),
        "higher": words.gettext("Higher"),
        "lower": words.gettext("Lower"),
        "not different": words.gettext("Not clearly different"),
        "cannot tell": words.gettext("Too few to compare"),
    }
    return told[standing.standing]


def beside_tone(standing: PlaceStanding | None) -> Tone:
    """How a place beside the city looks: good and bad only where that is clear and has a direction."""
    tones: dict[str, Tone] = {"better": "good", "worse": "bad"}
    return tones.get(standing.standing, "mute") if standing is not None else "mute"
