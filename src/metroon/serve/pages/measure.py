"""``/measures/{measure}``: one result with everything that must stand beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from metroon.base.estimate import ALL, NOWHERE, OUTSIDE, UNKNOWN, Cell
from metroon.permit import NotThere
from metroon.serve import headlines
from metroon.serve.citation import Citation, citation
from metroon.serve.figures import group_words, period_words
from metroon.serve.indicators import (
    GapChart,
    Indicator,
    PlaceMap,
    Shown,
    big_trend,
    breakdown_title,
    cell_words,
    figures_of,
    gap_charts,
    indicator,
    minimum,
    place_map,
    shown,
    sparkline,
)
from metroon.serve.lately import Lately, lately, variation_words
from metroon.serve.numbers import numbers
from metroon.serve.page import Page
from metroon.serve.pages.goal import Said, signal_words, words_said
from metroon.serve.standing import Tone, verdict_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from markupsafe import Markup

    from metroon.base.catalog import Catalog, Dataset, Rows
    from metroon.base.scorecard import Inequality, PastTarget, Score
    from metroon.serve.figures import Figures
    from metroon.serve.numbers import Numbers
    from metroon.serve.page import Asked
    from metroon.serve.words import Words


@dataclass(frozen=True)
class Point:
    """One period of the whole city.

    Args:
        shown: The number.
        asked: What the target asked for by its end, in words; empty when nothing.
        signal: Which rule makes it a sign of a real change, in words; empty when none does.
    """

    shown: Shown
    asked: str
    signal: str


@dataclass(frozen=True)
class Tab:
    """One set of places that may be shown.

    Args:
        id: Its id.
        title: What people call it, in the city's words.
        is_chosen: Whether it is shown now.
    """

    id: str
    title: str
    is_chosen: bool


@dataclass(frozen=True)
class Summary:
    """One summary of how unequal the groups of a breakdown are.

    Args:
        title: What it says, in Metroon's words.
        value: The number.
        range: Its interval, or that none is known.
        note: What must stand beside it.
    """

    title: str
    value: str
    range: str
    note: str


@dataclass(frozen=True)
class Unequal:
    """The summaries of one breakdown.

    Args:
        title: The breakdown in words.
        summaries: One a row.
        left_out: Groups that are not in them, in the city's words.
    """

    title: str
    summaries: tuple[Summary, ...]
    left_out: str


@dataclass(frozen=True)
class Group:
    """One group of the city, in breakdowns without a reference.

    Args:
        name: What people call it.
        shown: Its number.
    """

    name: str
    shown: Shown


@dataclass(frozen=True)
class Covered:
    """How much of what is there gets reported at one place.

    Args:
        name: The place, in the city's words.
        share: The share in words, with its interval.
        corrected: What the number would be if all were reported; empty where it cannot be told.
    """

    name: str
    share: str
    corrected: str


@dataclass(frozen=True)
class Moved:
    """One place or group over time.

    Args:
        name: What people call it.
        spark: Its series, drawn.
        sentence: What its series bears to be said.
        is_signal: Whether its last period is a signal.
        is_weak: Whether it is one that may be chance among as many series as were looked at.
    """

    name: str
    spark: Markup
    sentence: str
    is_signal: bool
    is_weak: bool


@dataclass(frozen=True)
class Past:
    """A target that no longer holds.

    Args:
        target: What was asked, on whose authority, until when and why.
        status: The last number beside it; empty when it cannot be told.
        tone: How that looks.
    """

    target: PastTarget
    status: str
    tone: Tone


@dataclass(frozen=True)
class MeasureView:
    """What the page shows.

    Args:
        title: The question, in the reader's language.
        description: The finding.
        row: The measure for the whole city.
        dataset: Its entry.
        finding: What its series bears to be said.
        verdict: The number beside its target, in a sentence.
        signal: What the last period is beside its usual ups and downs.
        alarms: How many signals chance alone would show, in a sentence; empty when nothing was looked at.
        trend: The series, drawn.
        points: The series, newest first.
        baseline: The last number beside the baseline, in a sentence; empty without one.
        tabs: Sets of places.
        geography: The chosen one; empty when it is not measured by place.
        map: The chosen places; None when it is not measured by place.
        borrowed: What was done to borrow strength, in Metroon's words.
        alike: Whether neighbors are alike, in Metroon's words.
        lost: What lies outside all places or has none, in sentences.
        order: ``value`` or ``name``.
        gaps: Groups beside their reference.
        groups: (Breakdown, groups) of breakdowns without a reference.
        moved: Places and groups over time, signals first.
        lies: Where it lies against where some people live, in sentences.
        unequal: Summaries of inequality.
        unknown: What is not known of the last number, in sentences.
        covered: How much of what is there gets reported.
        is_of_complaints: Whether rows are complaints.
        said: What people say now.
        expired: How much that was said is out of date.
        goal: (Address, title) of its goal; None when it has none.
        chain: (What, name) it hangs together with.
        series: Which series it is and since when, in a sentence.
        breaks: (Day in words, reason) of changes of what is counted.
        past: Targets that no longer hold.
        guard: The measure that gaming would hurt, and what it does, in a sentence; empty without.
        notes: What stands beside every number, in the city's words.
        sure: What its interval is, in a sentence.
        explain: The command that walks the number back.
        lately: What really changed.
        citation: How to cite it.
        minimum: Groups of fewer people are hidden, in words.
        stage: How settled the number is.
        version: The earlier version that was asked for; None for the newest.
    """

    title: str
    description: str
    row: Indicator
    dataset: Dataset | None
    finding: str
    verdict: str
    signal: str
    alarms: str
    trend: Markup
    points: tuple[Point, ...]
    baseline: str
    tabs: tuple[Tab, ...]
    geography: str
    map: PlaceMap | None
    borrowed: str
    alike: str
    lost: tuple[str, ...]
    order: str
    gaps: tuple[GapChart, ...]
    groups: tuple[tuple[str, tuple[Group, ...]], ...]
    moved: tuple[Moved, ...]
    lies: tuple[str, ...]
    unequal: tuple[Unequal, ...]
    unknown: tuple[str, ...]
    covered: tuple[Covered, ...]
    is_of_complaints: bool
    said: tuple[Said, ...]
    expired: str
    goal: tuple[str, str] | None
    chain: tuple[tuple[str, str], ...]
    series: str
    breaks: tuple[tuple[str, str], ...]
    past: tuple[Past, ...]
    guard: str
    notes: tuple[str, ...]
    sure: str
    explain: str
    lately: Lately
    citation: Citation | None
    minimum: str
    stage: str
    version: int | None


class MeasurePage(Page):
    """One result with everything that must stand beside it."""

    path = "/measures/{measure}"
    template = "measure.html"

    def view(self, asked: Asked) -> MeasureView:
        """One measure: its series, its places, its groups, and what is not known."""
        found, words = numbers(asked.site, _name(asked)), asked.words
        score, told, figures = found.score, found.measured, figures_of(asked, found)
        row = indicator(asked, told.measure)
        trail = found.trail()
        finding = headlines.trend(trail, course=score.course, breaks=score.breaks)
        geography = _geography(asked, found)
        order = "value" if asked.query.get("order") == "value" else "name"
        said, expired = words_said(score, words)
        dataset = asked.catalog.datasets.get(told.measure)
        goal = next((g for g in asked.catalog.goals if score in g.scores), None)
        chosen = asked.catalog.geographies.get(geography)
        sentence = headlines.trend_words(finding, told.direction, words)
        return MeasureView(
            title=words.plain(told.question or told.title),
            description=sentence,
            row=row,
            dataset=dataset,
            finding=sentence,
            verdict=headlines.target_words(score.city, score.target, figures, told.direction),
            signal=signal_words(score.course, words),
            alarms=_alarms(score, words),
            trend=big_trend(asked, found, trail, has_target=score.target is not None, label=row.target),
            points=tuple(_points(asked, found)),
            baseline=_baseline(score, figures),
            tabs=tuple(Tab(g.id, g.title, g.id == geography) for g in told.geographies if g.id in found.areas),
            geography=geography,
            map=place_map(asked, found, geography, order=order) if geography else None,
            borrowed=score.borrowed.get(geography, ""),
            alike=score.alike.get(geography, ""),
            lost=tuple(_lost(asked, found, geography)),
            order=order,
            gaps=gap_charts(asked, found),
            groups=tuple(_groups(asked, found)),
            moved=tuple(_moved(asked, found)),
            lies=tuple(_lies(score, words)),
            unequal=tuple(_unequal(asked, found, d, i) for d, i in score.inequality.items()),
            unknown=tuple(_unknown(found, figures)),
            covered=tuple(_covered(found, figures, chosen.names if chosen else {}, geography)),
            is_of_complaints=score.is_of_complaints,
            said=said,
            expired=expired,
            goal=(asked.link(f"/goals/{goal.goal}"), goal.title) if goal else None,
            chain=tuple((_link_words(k, words), v) for k, v in score.chain),
            series=_series(score, words),
            breaks=tuple((words.day(d), reason) for d, reason in score.breaks),
            past=tuple(_past(p, words) for p in score.past_targets),
            guard=_guard(score, words),
            notes=told.notes,
            sure=sure_words(found, words),
            explain=f"metroon explain {told.measure}",
            lately=lately(asked, measures=[told.measure]),
            citation=citation(asked.catalog, dataset, dataset.editions[0] if dataset.editions else None,
                              address=asked.address, words=words) if dataset else None,
            minimum=words.number(minimum(asked.site, told.measure)),
            stage=_stage(score, words),
            version=_earlier(asked, dataset),
        )  # fmt: skip

    def data(self, asked: Asked) -> Rows:
        """Every published estimate of the measure."""
        return asked.gate.rows(asked.principal, _name(asked), "page", version=_version(asked))

    def paths(self, catalog: Catalog) -> Iterable[str]:
        """Every measure."""
        return [f"/measures/{m}" for m in catalog.scores]


def _name(asked: Asked) -> str:
    name = asked.params["measure"]
    if name not in asked.catalog.scores:
        raise NotThere(asked.path)
    return name


def _version(asked: Asked) -> int | None:
    told = asked.query.get("version", "")
    if not told:
        return None
    if not (told.isascii() and told.isdigit()):
        raise NotThere(asked.path)
    return int(told)


def _earlier(asked: Asked, dataset: Dataset | None) -> int | None:
    """The version that was asked for, when it is not the newest."""
    number = _version(asked)
    if number is None:
        return None
    if dataset is None or number not in {e.number for e in dataset.editions}:
        raise NotThere(asked.path)
    return None if number == dataset.version else number


def _geography(asked: Asked, found: Numbers) -> str:
    able = [g.id for g in found.measured.geographies if g.id in found.areas]
    chosen = asked.query.get("places", "")
    if chosen:
        if chosen not in able:
            raise NotThere(asked.path)
        return chosen
    home = asked.catalog.neighborhoods
    return home if home in able else next(iter(able), "")


def _points(asked: Asked, found: Numbers) -> Iterable[Point]:
    course, figures = found.score.course, figures_of(asked, found)
    flagged = dict(zip(course.periods, course.signals, strict=True)) if course else {}
    for e in reversed(found.trail()):
        low_high = found.score.asked.get(e.cell.period) if found.score.target is not None else None
        asked_for = ""
        if low_high is not None:
            low, high = figures.value(low_high[0]), figures.value(low_high[1])
            asked_for = low if low == high else figures.words.gettext("%(low)s to %(high)s", low=low, high=high)
        yield Point(shown(asked, found, e), asked_for, rule_words(flagged.get(e.cell.period, "none"), figures.words))


def rule_words(rule: str, words: Words) -> str:
    """Which rule flags a period, in words; empty when none does."""
    told = {
        "outside limits": words.gettext("Outside its usual ups and downs"),
        "trend": words.gettext("Rising or falling many periods in a row"),
        "shift": words.gettext("Many periods in a row on one side of its usual level"),
        "two of three near a limit": words.gettext("Two of three periods near a limit"),
        "three of four near a limit": words.gettext("Three of four periods near a limit"),
    }
    return told.get(rule, "")


def _alarms(score: Score, words: Words) -> str:
    if score.course is None or score.course.state != "ok":
        return ""
    return words.gettext(
        "By chance alone, about %(n)s of the series of this result would show a signal.",
        n=words.number(score.false_alarms, 2),
    )


def _baseline(score: Score, figures: Figures) -> str:
    change, words = score.baseline, figures.words
    if change is None:
        return ""
    said = {
        "period": period_words(change.period, words),
        "value": figures.value(change.value),
        "difference": figures.difference(change.difference),
        "range": words.gettext("no range known")
        if change.low is None or change.high is None
        else words.gettext("%(low)s to %(high)s", low=figures.signed(change.low), high=figures.signed(change.high)),
    }
    if not change.is_certain or figures.is_nothing(change.difference):
        return words.gettext(
            "Beside %(period)s (%(value)s) the difference is within its margin of error (%(range)s).", **said
        )
    if change.difference > 0:
        return words.gettext("%(difference)s higher (%(range)s) than in %(period)s (%(value)s).", **said)
    return words.gettext("%(difference)s lower (%(range)s) than in %(period)s (%(value)s).", **said)


def _lost(asked: Asked, found: Numbers, geography: str) -> Iterable[str]:
    period = found.last.get((geography, ALL), "")
    told = {
        OUTSIDE: asked.words.gettext("Outside all of these places: %(value)s"),
        NOWHERE: asked.words.gettext("Without a usable place: %(value)s"),
    }
    for place, text in told.items():
        e = found.cells.get(Cell(period, geography, place))
        if e is not None:
            one = shown(asked, found, e)
            value = asked.words.gettext("%(value)s (%(range)s)", value=one.value, range=one.range)
            yield text % {"value": value if one.value else one.reason}


def _groups(asked: Asked, found: Numbers) -> Iterable[tuple[str, tuple[Group, ...]]]:
    """Breakdowns whose groups are not held against a reference, or all groups with their numbers."""
    compared = {g.cell.dimension for g in found.score.gaps}
    by: dict[str, list[Group]] = {}
    for e in found.cells.values():
        c = e.cell
        if c.dimension in (ALL, *compared) or c.place != ALL or c.period != found.last.get((ALL, c.dimension)):
            continue
        by.setdefault(c.dimension, []).append(Group(group_words(c.group, asked.words), shown(asked, found, e)))
    return [(breakdown_title(asked, found, d), tuple(g)) for d, g in by.items()]


def _moved(asked: Asked, found: Numbers) -> Iterable[Moved]:
    words, direction = asked.words, found.measured.direction
    made = []
    for course in found.score.courses:
        told = headlines.signal(course)
        cell = course.cell
        trail = found.trails.get((cell.geography, cell.place, cell.dimension, cell.group), ())
        told_otherwise = headlines.trend(trail, breaks=found.score.breaks)
        sentence = headlines.trend_words(told or told_otherwise, direction, words)
        is_weak = told is None and bool(course.begun) and course.variation not in ("", "common cause")
        if is_weak:
            sentence = words.gettext(
                "Possibly %(what)s, since %(since)s: among so many series it may be chance.",
                what=variation_words(course.variation, words),
                since=period_words(course.begun, words),
            )
        name = cell_words(asked, found, cell)
        made.append(Moved(name, sparkline(asked, found, trail, has_target=False), sentence, told is not None, is_weak))
    return sorted(made, key=lambda m: (not m.is_signal, not m.is_weak))


def _lies(score: Score, words: Words) -> Iterable[str]:
    """Who lives where a resource lies, against who lives everywhere: certain only beyond its margin."""
    for d in score.disparities:
        said = {
            "people": words.plain(d.people),
            "around": words.number(d.around, 1),
            "everywhere": words.number(d.everywhere, 1),
        }
        if d.around == d.everywhere:
            continue
        if not d.is_certain:
            yield words.gettext(
                "%(people)s: %(around)s%% of those who live where it lies, %(everywhere)s%% of all; the difference is "
                "within its margin of error.",
                **said,
            )
        else:
            yield words.gettext(
                "%(people)s: %(around)s%% of those who live where it lies, %(everywhere)s%% of all.", **said
            )


def _unequal(asked: Asked, found: Numbers, dimension: str, told: Sequence[Inequality]) -> Unequal:
    words = asked.words
    return Unequal(
        breakdown_title(asked, found, dimension),
        tuple(
            Summary(
                i.title,
                words.number(i.value),
                words.gettext("%(low)s to %(high)s", low=words.number(i.low), high=words.number(i.high))
                if i.low is not None and i.high is not None
                else words.gettext("no range known"),
                i.note,
            )
            for i in told
        ),
        found.score.left_out.get(dimension, ""),
    )


def _unknown(found: Numbers, figures: Figures) -> Iterable[str]:
    """What is not known of the last number: how many rows, and how far they could move it."""
    e, words = found.score.city, figures.words
    if e is None:
        yield words.gettext("The whole city has no number.")
        return
    if e.unknown:
        yield words.ngettext(
            "Of %(n)s more row it is not recorded what came of it.",
            "Of %(n)s more rows it is not recorded what came of them.",
            e.unknown,
        )
    if e.worst is not None and e.best is not None and e.unknown:
        low, high = sorted((e.worst, e.best))
        yield words.gettext(
            "If all of these were known, the number would lie between %(low)s and %(high)s.",
            low=figures.value(low),
            high=figures.value(high),
        )
    if found.measured.hidden:
        yield words.ngettext(
            "%(n)s of the numbers of this result is hidden to protect people.",
            "%(n)s of the numbers of this result are hidden to protect people.",
            found.measured.hidden,
        )
    grouped = [c for c in found.cells if c.group == UNKNOWN]
    if grouped:
        yield words.gettext("For some rows the group is not recorded; they are in the city's number, in no group's.")


def _covered(found: Numbers, figures: Figures, names: Mapping[str, str], geography: str) -> Iterable[Covered]:
    words = figures.words
    for c in found.score.covered:
        if c.cell.geography != geography:
            continue
        share = words.gettext(
            "%(value)s (%(range)s)",
            value=words.percent(c.share),
            range=words.gettext("%(low)s to %(high)s", low=words.percent(c.low), high=words.percent(c.high)),
        )
        corrected = "" if c.corrected is None else figures.value(c.corrected)
        yield Covered(names.get(c.cell.place, c.cell.place), share, corrected)


def _link_words(what: str, words: Words) -> str:
    told = {
        "goal": words.gettext("Goal"),
        "type": words.gettext("Type"),
        "service": words.gettext("Service"),
        "budget program": words.gettext("Budget program"),
        "department": words.gettext("Department"),
        "owner": words.gettext("Owner"),
    }
    return told.get(what, words.plain(what))


def _series(score: Score, words: Words) -> str:
    since = words.day(score.series.since)
    if score.series.number == 1:
        return words.gettext("It has been counted the same way since it was first published, on %(day)s.", day=since)
    return words.gettext(
        "Series %(n)s, since %(day)s: %(changed)s changed, so that earlier releases cannot be compared.",
        n=words.number(score.series.number),
        day=since,
        changed=", ".join(score.series.changed),
    )


def _past(old: PastTarget, words: Words) -> Past:
    tones: dict[str, Tone] = {"met": "good", "not met": "bad", "cannot tell": "watch"}
    texts = {
        "met": verdict_words("on track", words),
        "not met": verdict_words("off track", words),
        "cannot tell": verdict_words("too close", words),
    }
    return Past(old, texts.get(old.status or "", ""), tones.get(old.status or "", "mute"))


def _guard(score: Score, words: Words) -> str:
    title, variation = score.guard_metric
    if not title:
        return ""
    said = variation_words(variation, words) or words.gettext("too few periods for a verdict")
    return words.gettext(
        "If this result were made to look better than it is, another one would show it: %(title)s (%(what)s).",
        title=words.plain(title),
        what=said,
    )


def sure_words(found: Numbers, words: Words) -> str:
    """What the interval of a measure is, in a sentence."""
    if found.measured.kind == "stock":
        return words.gettext("It is a full count of what is in the files, so there is no range around it.")
    if found.measured.kind.startswith("survey"):
        return words.gettext(
            "Only some people were asked. The range holds the chance in that: 95 of 100 such surveys would give a "
            "range that holds what all people would have said."
        )
    return words.gettext(
        "The range holds the chance that is in every count: with the same risk, 95 of 100 periods would give a range "
        "that holds the true level. It does not hold errors in the data."
    )


def _stage(score: Score, words: Words) -> str:
    told = {
        "first": words.gettext("First figure: it may still change."),
        "revised": words.gettext("Revised figure: it may still change."),
        "final": words.gettext("Final figure."),
    }
    return told.get(score.stage, "")
