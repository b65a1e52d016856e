"""Lately: what really changed, in words. Only what a rule calls a change is told, and how many are chance."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from metroon.base.estimate import ALL
from metroon.serve.figures import period_words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from metroon.base.estimate import Cell
    from metroon.base.scorecard import Changed, Changes
    from metroon.serve.page import Asked
    from metroon.serve.words import Words

MOST = 8
"""Changes that the first page tells; the rest is on the pages of the measures."""


@dataclass(frozen=True)
class Told:
    """One real change, of one measure or of several that changed alike.

    Args:
        kind: What happened, in words.
        title: The measure or product, in the city's words.
        where: The place or group, in the city's words; empty for the city.
        href: Its page; empty when it has none.
        before: What it was, in words; empty when there is nothing to say.
        after: What it is, in words.
        also: (Title, page) of further measures of which just the same is told.
    """

    kind: str
    title: str
    where: str
    href: str
    before: str
    after: str
    also: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Lately:
    """What really changed since a day.

    Args:
        sentence: How much changed, in a sentence; that nothing did, where nothing did. What is told of several
            measures at once counts once.
        changed: What changed, the most telling first.
        more: How many more there are, in a sentence; empty when all are told.
        chance: How many signals chance alone would show, in a sentence; empty when nothing was looked at.
    """

    sentence: str
    changed: tuple[Told, ...]
    more: str = ""
    chance: str = ""


def lately(asked: Asked, *, place: str = "", measures: Iterable[str] | None = None, most: int = MOST) -> Lately:
    """What really changed lately in the city, at a place, or of some measures.

    Args:
        asked: The request.
        place: Only what changed at this place of the neighborhoods.
        measures: Only what changed of these measures.
        most: How many to tell.
    """
    words, changes = asked.words, asked.catalog.changes
    if changes is None:
        return Lately(words.gettext("Nothing is known yet of what changed: this is the first release."), ())
    wanted = None if measures is None else set(measures)
    found = [
        c
        for c in changes.changed
        if (not place or (c.cell is not None and _is_at(asked, c, place))) and (wanted is None or c.measure in wanted)
    ]
    each = [c for c in found if c.kind != "first published"]
    first = len(found) - len(each)
    real = _alike(each)
    told = [_told(asked, *alike) for alike in real[:most]]
    left = len(real) - len(told)
    return Lately(
        _sentence(changes, len(real), first, words),
        tuple(told),
        words.ngettext("%(n)s more change is on the pages of the measures.",
                       "%(n)s more changes are on the pages of the measures.", left) if left else "",
        _chance(changes, words),
    )  # fmt: skip


def _is_at(asked: Asked, c: Changed, place: str) -> bool:
    cell = c.cell
    return cell is not None and cell.place == place and cell.geography == asked.catalog.neighborhoods


def _sentence(changes: Changes, real: int, first: int, words: Words) -> str:
    since = words.day(changes.since)
    if real:
        return words.ngettext(
            "%(n)s thing really changed since %(since)s.", "%(n)s things really changed since %(since)s.", real,
            since=since,
        )  # fmt: skip
    if first:
        return words.ngettext(
            "%(n)s result was published for the first time since %(since)s; nothing can be compared with an earlier "
            "release yet.",
            "%(n)s results were published for the first time since %(since)s; nothing can be compared with an earlier "
            "release yet.",
            first,
            since=since,
        )
    return words.gettext("Nothing really changed since %(since)s.", since=since)


def _chance(changes: Changes, words: Words) -> str:
    if not changes.looked_at:
        return ""
    looked = words.number(changes.looked_at)
    if changes.false_alarms < 0.1:
        return words.gettext(
            "Of %(looked)s series over time, fewer than 0.1 would show a new signal by chance alone.", looked=looked
        )
    return words.gettext(
        "Of %(looked)s series over time, about %(n)s would show a new signal by chance alone.",
        looked=looked,
        n=words.number(changes.false_alarms, 1),
    )


def _alike(changed: Iterable[Changed]) -> list[list[Changed]]:
    """Changes of one kind, of the same place and group, with the same before and after, in the order given."""
    made: dict[tuple[str, Cell | None, str, str], list[Changed]] = {}
    for c in changed:
        of = None if c.cell is None else replace(c.cell, period=ALL)
        made.setdefault((c.kind, of, c.before, c.after), []).append(c)
    return list(made.values())


def _href(asked: Asked, c: Changed) -> str:
    known = c.measure in asked.catalog.scores
    dataset = asked.catalog.datasets.get(c.measure)
    href = f"/measures/{c.measure}" if known else dataset.path if dataset is not None else ""
    return asked.link(href) if href else ""


def _told(asked: Asked, c: Changed, *others: Changed) -> Told:
    before = "" if c.before in ("", "nothing") else state_words(c.before, asked.words)
    return Told(
        kind_words(c.kind, asked.words),
        c.title,
        c.where,
        _href(asked, c),
        before,
        state_words(c.after, asked.words),
        tuple((o.title, _href(asked, o)) for o in others),
    )


def kind_words(kind: str, words: Words) -> str:
    """What kind of change it is."""
    told = {
        "signal begun": words.gettext("A change began"),
        "signal ended": words.gettext("A change ended"),
        "assurance flipped": words.gettext("Reaching the target became more or less sure"),
        "target crossed": words.gettext("A target was crossed"),
        "gap newly certain": words.gettext("A gap between groups is now certain"),
        "gap no longer certain": words.gettext("A gap between groups is no longer certain"),
        "restated": words.gettext("An earlier number was corrected"),
        "late": words.gettext("Data are late"),
        "no longer late": words.gettext("Data are no longer late"),
        "definition changed": words.gettext("It is counted differently now"),
        "boundaries changed": words.gettext("Boundaries changed"),
        "target changed": words.gettext("The target was changed"),
        "narrative expired": words.gettext("What was said about it is out of date"),
        "first published": words.gettext("Published for the first time"),
    }
    return told.get(kind, words.plain(kind))


def state_words(text: str, words: Words) -> str:
    """What something was or is, in the reader's words; the city's own words as they are."""
    known = {
        "met": words.gettext("on track"),
        "not met": words.gettext("off track"),
        "cannot tell": words.gettext("too close to call"),
        "consistently passes": words.gettext("reaches the target every time"),
        "consistently fails": words.gettext("misses the target every time"),
        "hit or miss": words.gettext("reaches the target at times"),
        "no signal": words.gettext("within its usual ups and downs"),
        "common cause": words.gettext("within its usual ups and downs"),
        "no target": words.gettext("no target"),
        "in time": words.gettext("in time"),
    }
    if text in known:
        return known[text]
    name, since, period = text.partition(" since ")
    variation = variation_words(name, words)
    if not variation:
        return words.plain(text)
    if not since:
        return variation
    return words.gettext("%(what)s since %(since)s", what=variation, since=period_words(period, words))


def variation_words(variation: str, words: Words) -> str:
    """What the last period of a series is, beside its usual ups and downs; empty for what is no variation."""
    told = {
        "common cause": words.gettext("within its usual ups and downs"),
        "improvement high": words.gettext("a sign of a real change for the better (upwards)"),
        "improvement low": words.gettext("a sign of a real change for the better (downwards)"),
        "concern high": words.gettext("a sign of a real change for the worse (upwards)"),
        "concern low": words.gettext("a sign of a real change for the worse (downwards)"),
        "neutral high": words.gettext("a sign of a real change upwards"),
        "neutral low": words.gettext("a sign of a real change downwards"),
    }
    return told.get(variation, "")
