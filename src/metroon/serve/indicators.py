"""Indicators: one measure at one place as pages show it: value, interval, period, trend, place among all, status."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from markupsafe import Markup

from metroon.base import period as periods
from metroon.base.estimate import ALL
from metroon.serve import headlines
from metroon.serve.figures import Figures, group_words, is_place_of_its_own, period_words
from metroon.serve.numbers import numbers
from metroon.serve.standing import (
    Status,
    Tone,
    absence,
    beside_short,
    beside_tone,
    beside_words,
    status,
)
from metroon.serve.svg import Line, breaks, choropleth, dumbbell, ends, project, shades, span, spark, strip, trend

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metroon.base.estimate import Cell, Estimate
    from metroon.base.scorecard import GroupGap, PlaceStanding, Standing
    from metroon.serve.numbers import Numbers
    from metroon.serve.page import Asked
    from metroon.serve.site import Site
    from metroon.serve.svg import Ends, Shapes
    from metroon.serve.words import Words


@dataclass(frozen=True)
class Shown:
    """One number in words.

    Args:
        value: The value; empty when there is none.
        range: Its interval, or that there is none; empty without a value.
        period: Which period it is of.
        reason: Why there is no value, in a sentence; empty when there is one.
        caveat: What weakens it, in a sentence; empty when nothing does.
        short: Why there is no value, as short as a list needs it; empty when there is one.
    """

    value: str
    range: str
    period: str
    reason: str = ""
    caveat: str = ""
    short: str = ""


@dataclass(frozen=True)
class Indicator:
    """One measure at one place, or in the whole city.

    Args:
        measure: Its name.
        href: Its page.
        question: The question it answers, in the city's words.
        title: Its title, in the city's words.
        unit: Its unit, in the city's words.
        goal: The title of its goal, in the city's words.
        shown: The number.
        status: Beside its target.
        target: What was asked for, in words; empty without a target.
        beside: Beside the city, in words; empty where places are not compared.
        beside_tone: How that looks.
        standing: Beside the city; None where places are not compared.
        city: The whole city's number of the same period, in words; None where it is no fair comparison.
        change: What its series bears to be said; empty with one period only.
        spark: Its series, drawn.
        strip: Where it lies among all places, drawn; empty when it is not measured by place.
        estimate: The number itself.
    """

    measure: str
    href: str
    question: str
    title: str
    unit: str
    goal: str
    shown: Shown
    status: Status
    target: str
    beside: str
    beside_tone: Tone
    standing: Standing | None
    city: Shown | None
    change: str
    spark: Markup
    strip: Markup
    estimate: Estimate | None


def figures_of(asked: Asked, found: Numbers) -> Figures:
    """How a measure's numbers are written in the language asked for."""
    return Figures(asked.words, found.scale)


def minimum(site: Site, measure: str) -> int:
    """Groups of fewer people than this are hidden in a measure: its product's own limit, or the city's."""
    made_of = site.catalog.datasets[measure].made_of if measure in site.catalog.datasets else ()
    limits = [d.minimum_cell for n in made_of if (d := site.catalog.datasets.get(n)) is not None]
    return max((n for n in limits if n is not None), default=site.catalog.minimum_cell)


def shown(asked: Asked, found: Numbers, e: Estimate | None) -> Shown:
    """One number in words, or why there is none."""
    words, figures = asked.words, figures_of(asked, found)
    when = period_words(e.cell.period, words) if e is not None else ""
    if e is None or e.value is None:
        limit = minimum(asked.site, found.measured.measure)
        reason = absence(e, words, minimum=limit)
        is_hidden = e is not None and e.state == "hidden"
        return Shown("", "", when, reason, short=words.gettext("Hidden to protect people") if is_hidden else reason)
    caveat = ""
    if e.state == "cannot tell":
        caveat = words.gettext("Too few are behind it to say anything sure.")
    return Shown(figures.value(e.value), range_words(e, found, figures), when, "", caveat)


def range_words(e: Estimate, found: Numbers, figures: Figures) -> str:
    """The interval in words; that a stock is counted and has none."""
    if e.low is None and found.measured.kind == "stock":
        return figures.words.gettext("a full count")
    return figures.interval(e.low, e.high)


def indicator(asked: Asked, measure: str, geography: str = ALL, place: str = ALL) -> Indicator:
    """One measure at one place, or in the whole city, ready to be shown.

    Args:
        asked: The request.
        measure: Its name.
        geography: The set of places; for the whole city it is left out.
        place: The place; for the whole city it is left out.
    """
    found, words = numbers(asked.site, measure), asked.words
    figures, told = figures_of(asked, found), found.measured
    is_city = place == ALL
    e = found.score.city if is_city else found.at(geography, place)
    target = found.targets.get(e.cell) if e is not None else None
    standing = found.standings.get(e.cell) if e is not None else None
    beside_city = None
    if not is_city and found.compares_with_city(geography):
        beside_city = found.city_beside(geography)
    trail = found.trail() if is_city else found.trail(geography, place)
    around = around_city(asked, found) if is_city else geography
    change = headlines.trend(trail, course=found.score.course if is_city else None, breaks=found.score.breaks)
    return Indicator(
        measure,
        asked.link(f"/measures/{measure}"),
        told.question or told.title,
        told.title,
        told.unit,
        dict(found.score.chain).get("goal", ""),
        shown(asked, found, e),
        status(e, target, words),
        _target(asked, found, e, figures),
        beside_words(standing, words),
        beside_tone(standing),
        standing.standing if standing is not None else None,
        shown(asked, found, beside_city) if beside_city is not None else None,
        headlines.trend_words(change, told.direction, words) if change.kind != "short" else "",
        sparkline(asked, found, trail, has_target=target is not None and target.gap is not None),
        place_strip(asked, found, around, place, e if not is_city else None),
        e,
    )


def around_city(asked: Asked, found: Numbers) -> str:
    """The set of places that stands beside the whole city: the neighborhoods, else the first; empty without any."""
    home = asked.catalog.neighborhoods
    return home if home in found.areas else next(iter(found.areas), "")


def _target(asked: Asked, found: Numbers, e: Estimate | None, figures: Figures) -> str:
    target = found.targets.get(e.cell) if e is not None else None
    if target is None:
        return ""
    want = headlines.asked_words(target, figures, found.measured.direction)
    return asked.words.gettext("Target: %(asked)s by %(day)s", asked=want, day=asked.words.day(target.on))


# Series


def line(
    found: Numbers,
    trail: Sequence[Estimate],
    words: Words,
    *,
    has_target: bool,
    label: str = "",
    has_signals: bool = False,
) -> Line:
    """A series as charts draw it. Periods that were not released are there without a number.

    Args:
        found: The measure.
        trail: Its estimates, oldest first.
        words: The language.
        has_target: Whether the numbers may stand beside the target.
        label: The target in words.
        has_signals: Whether the periods that are signals are marked.
    """
    by_period = {e.cell.period: e for e in trail}
    names = _every_period([e.cell.period for e in trail])
    every = [by_period.get(p) for p in names]
    path = [found.score.asked.get(p) for p in names] if has_target else []
    # A band asks for two lines; the chart has one, so the nearer end to the last value is drawn.
    asked = [None if p is None else _end(p, trail[-1], found.measured.direction) for p in path]
    cuts = [i for i, p in enumerate(names) if i and _begins_anew(names[i - 1], p, found)]
    signals: list[int] = []
    course = found.score.course
    if has_signals and course is not None and trail and trail[-1].cell == course.cell:
        flagged = dict(zip(course.periods, course.signals, strict=True))
        signals = [i for i, p in enumerate(names) if flagged.get(p, "none") != "none"]
    return Line(
        periods=[period_words(p, words) for p in names],
        values=[None if e is None else e.value for e in every],
        low=[None if e is None else e.low for e in every],
        high=[None if e is None else e.high for e in every],
        target=asked if any(a is not None for a in asked) else None,
        target_label=label,
        breaks=cuts,
        break_label=words.gettext("counted differently from here") if cuts else "",
        signals=signals,
    )


def _every_period(told: Sequence[str]) -> list[str]:
    if not told or told[0] == ALL:
        return list(told)
    named = [told[0]]
    while named[-1] != told[-1]:
        named.append(periods.next_period(named[-1]))
    return named


def _end(path: tuple[float, float], last: Estimate, direction: str) -> float:
    low, high = path
    if direction != "within" or last.value is None:
        return low
    return low if abs(last.value - low) < abs(last.value - high) else high


def _begins_anew(before: str, period: str, found: Numbers) -> bool:
    if period == ALL:
        return False
    return any(periods.first_day(before) < day <= periods.first_day(period) for day, _ in found.score.breaks)


def sparkline(asked: Asked, found: Numbers, trail: Sequence[Estimate], *, has_target: bool) -> Markup:
    """A small trend with its sentence; nothing when there are fewer than two periods with a value."""
    if sum(e.value is not None for e in trail) < 2:
        return Markup("")
    drawn = line(found, trail, asked.words, has_target=has_target)
    return spark(drawn, label=series_sentence(asked, found, trail))


def big_trend(asked: Asked, found: Numbers, trail: Sequence[Estimate], *, has_target: bool, label: str) -> Markup:
    """A large trend with its axis and sentence; nothing when there are fewer than two periods with a value."""
    if sum(e.value is not None for e in trail) < 2:
        return Markup("")
    drawn = line(found, trail, asked.words, has_target=has_target, label=label, has_signals=True)
    return trend(drawn, label=series_sentence(asked, found, trail), tick=figures_of(asked, found).axis)


def series_sentence(asked: Asked, found: Numbers, trail: Sequence[Estimate]) -> str:
    """A series in one sentence: first and last value, lowest and highest."""
    words, figures = asked.words, figures_of(asked, found)
    known = [e for e in trail if e.value is not None]
    if not known:
        return words.gettext("No period has a value that can be told.")
    values = [e.value for e in known if e.value is not None]
    return words.gettext(
        "From %(first)s to %(last)s: %(begin)s at first, %(end)s at last, between %(low)s and %(high)s.",
        first=period_words(known[0].cell.period, words),
        last=period_words(known[-1].cell.period, words),
        begin=figures.value(values[0]),
        end=figures.value(values[-1]),
        low=figures.value(min(values)),
        high=figures.value(max(values)),
    )


# Places


def shapes(site: Site, geography: str) -> Shapes:
    """The boundaries of a set of places, projected once for a catalog."""
    return site.once(("shapes", geography), lambda: project(site.catalog.geographies[geography]))


def strip_ends(asked: Asked) -> Ends:
    """The words at the ends of strips in the language asked for."""
    return asked.site.once(("ends", asked.words.language), lambda: ends(asked.words))


def place_strip(asked: Asked, found: Numbers, geography: str, place: str, you: Estimate | None) -> Markup:
    """Where a place lies among all, or all places of the city; nothing when it is not measured by place."""
    areas = found.areas.get(geography, {})
    values = asked.site.once(
        ("strip", found.measured.measure, geography), lambda: tuple(e.value for e in areas.values())
    )
    known = [v for v in values if v is not None]
    if len(known) < 2 or (you is not None and you.value is None) or (you is None and place != ALL):
        return Markup("")
    words, figures = asked.words, figures_of(asked, found)
    compares = found.compares_with_city(geography)
    city = found.city_beside(geography) if compares else None
    said = {
        "low": figures.value(min(known)),
        "high": figures.value(max(known)),
        "value": figures.value(you.value) if you is not None and you.value is not None else "",
        "place": words.plain(_name(found, geography, place)) if place != ALL else "",
        "city": figures.value(city.value) if city is not None and city.value is not None else "",
        "n": words.number(len(known)),
    }
    if place == ALL:
        label = words.gettext("%(n)s places, between %(low)s and %(high)s.", **said)
    elif said["city"]:
        label = words.gettext(
            "%(place)s %(value)s, the city %(city)s; %(n)s places lie between %(low)s and %(high)s.", **said
        )
    else:
        label = words.gettext("%(place)s %(value)s; %(n)s places lie between %(low)s and %(high)s.", **said)
    return strip(
        values if found.compares_places else (),
        you.value if you is not None else None,
        city.value if city is not None else None,
        direction=found.measured.direction if compares else "neutral",
        words=strip_ends(asked),
        label=label,
        low=you.low if you is not None else None,
        high=you.high if you is not None else None,
    )


def _name(found: Numbers, geography: str, place: str) -> str:
    places = found.places(geography)
    return place if places is None else places.names.get(place, place)


@dataclass(frozen=True)
class PlaceRow:
    """One place of a measure, as a list shows it.

    Args:
        key: The place's key.
        name: What people call it.
        href: Its page; empty when it has none.
        shown: Its number.
        status: Beside the target.
        beside: Beside the city, in words.
        beside_tone: How that looks.
        smoothed: Its number with borrowed strength, in words; empty when nothing is borrowed.
        estimate: The number itself.
    """

    key: str
    name: str
    href: str
    shown: Shown
    status: Status
    beside: str
    beside_tone: Tone
    smoothed: str
    estimate: Estimate | None


@dataclass(frozen=True)
class PlaceMap:
    """One measure over all places of a set, as map and as list.

    Args:
        markup: The map; empty when the places have no boundaries.
        legend: (Class, words) of each shade from the lowest, and of the hatch when a place has no value.
        rows: One a place.
        order: In which order the list stands, in words.
        period: Which period it is of.
        label: The places with vintage and standing.
        note: What a reader must know of these places.
        headline: How many places clearly differ from the city, in words.
        without: How many places have no value, in words; empty when none.
        city: The whole city's number of the same period; None where it is no fair comparison.
        has_target: Whether places stand beside a target.
        is_count: Whether it is a count, which is larger where more people are.
        may_order: Whether places may stand beside each other, so that a list by value makes sense.
    """

    markup: Markup
    legend: tuple[tuple[str, str], ...]
    rows: tuple[PlaceRow, ...]
    order: str
    period: str
    label: str
    note: str
    headline: str
    without: str
    city: Shown | None
    has_target: bool
    is_count: bool
    may_order: bool


def place_rows(asked: Asked, found: Numbers, geography: str) -> tuple[PlaceRow, ...]:
    """Every place of a set with its number, in the city's own order. Written once for a catalog and a language."""
    key = ("place rows", found.measured.measure, geography, asked.words.language)
    return asked.site.once(key, lambda: tuple(_place_rows(asked, found, geography)))


def _place_rows(asked: Asked, found: Numbers, geography: str) -> list[PlaceRow]:
    places = asked.catalog.geographies.get(geography) or found.places(geography)
    areas, words, figures = found.areas.get(geography, {}), asked.words, figures_of(asked, found)
    has_pages = geography == asked.catalog.neighborhoods
    rows = []
    for key, name in (places.names if places is not None else {}).items():
        e = areas.get(key)
        standing = found.standings.get(e.cell) if e is not None else None
        target = found.targets.get(e.cell) if e is not None else None
        rows.append(
            PlaceRow(
                key,
                name,
                asked.link(f"/neighborhoods/{key}") if has_pages else "",
                shown(asked, found, e),
                status(e, target, words),
                beside_short(standing, words),
                beside_tone(standing),
                _smoothed(standing, figures),
                e,
            )
        )
    return rows


def _smoothed(standing: PlaceStanding | None, figures: Figures) -> str:
    if standing is None or standing.smoothed is None:
        return ""
    return figures.words.gettext(
        "%(value)s (%(range)s)",
        value=figures.value(standing.smoothed),
        range=figures.interval(standing.smoothed_low, standing.smoothed_high),
    )


def place_map(asked: Asked, found: Numbers, geography: str, *, outlined: str = "", order: str = "") -> PlaceMap:
    """One measure over all places of a set.

    Args:
        asked: The request.
        found: The measure.
        geography: The set of places.
        outlined: A place to mark.
        order: ``value`` for the list by value; else in the city's own order.
    """
    words, told = asked.words, found.measured
    rows: Sequence[PlaceRow] = place_rows(asked, found, geography)
    places = asked.catalog.geographies.get(geography) or found.places(geography)
    values = {r.key: r.estimate.value if r.estimate is not None else None for r in rows}
    cuts = asked.site.once(("breaks", told.measure, geography), lambda: _breaks(found, geography))
    missing = [r for r in rows if not r.shown.value]
    markup = Markup("")
    if geography in asked.catalog.geographies:
        links = {r.key: (r.href or f"#{geography}-{r.key}", _named(asked, r)) for r in rows}
        label = words.gettext("Map of %(places)s.", places=words.plain(places.title if places else ""))
        markup = choropleth(
            shapes(asked.site, geography), values, breaks=cuts, links=links, label=label, outlined=outlined,
            id=f"map-{told.measure}",
        )  # fmt: skip
    said = words.gettext("In the city's own order.")
    if order == "value" and found.compares_places:
        rows = by_value(rows, told.direction)
        said = order_words(told.direction, words)
    standings = [p for c, p in found.standings.items() if c.geography == geography]
    city = found.city_beside(geography) if found.compares_with_city(geography) else None
    n = len(missing)
    return PlaceMap(
        markup,
        _legend(cuts, figures_of(asked, found), words, has_gaps=bool(missing)),
        tuple(rows),
        said,
        period_words(found.last.get((geography, ALL), ALL), words),
        words.plain(places.label) if places else "",
        places.note if places else "",
        headlines.places_words(standings, told.direction, words) if standings else "",
        words.ngettext("%(n)s place has no value that can be told.", "%(n)s places have no value that can be told.", n)
        if n
        else "",
        shown(asked, found, city) if city is not None else None,
        any(r.status.verdict not in ("no target", "not measured") and r.status.tone != "mute" for r in rows),
        not standings and not told.is_share,
        found.compares_places,
    )


def _named(asked: Asked, row: PlaceRow) -> str:
    name = asked.words.plain(row.name)
    if not row.shown.value:
        return asked.words.gettext("%(place)s: %(reason)s", place=name, reason=row.shown.reason)
    return asked.words.gettext(
        "%(place)s: %(value)s (%(range)s), %(period)s", place=name, value=row.shown.value, range=row.shown.range,
        period=row.shown.period,
    )  # fmt: skip


def _breaks(found: Numbers, geography: str) -> tuple[float, ...]:
    every = [
        e.value
        for (g, place, _, _), trail in found.trails.items()
        if g == geography and is_place_of_its_own(place)
        for e in trail
    ]
    return breaks(every)


def _legend(cuts: Sequence[float], figures: Figures, words: Words, *, has_gaps: bool) -> tuple[tuple[str, str], ...]:
    shade = shades(cuts)
    told: list[tuple[str, str]] = []
    for i, k in enumerate(shade):
        if not cuts:
            text = words.gettext("all the same")
        elif i == 0:
            text = words.gettext("under %(n)s", n=figures.axis(cuts[0]))
        elif i == len(cuts):
            text = words.gettext("%(n)s or more", n=figures.axis(cuts[-1]))
        else:
            text = words.gettext("%(low)s to under %(high)s", low=figures.axis(cuts[i - 1]), high=figures.axis(cuts[i]))
        told.append((f"k{k}", text))
    if has_gaps:
        told.append(("kn", words.gettext("No value to show")))
    return tuple(told)


def by_value(rows: Sequence[PlaceRow], direction: str) -> list[PlaceRow]:
    """Rows with the best value first (the highest, where nothing is better); those without a value last, by name."""
    known = [r for r in rows if r.estimate is not None and r.estimate.value is not None]
    rest = sorted((r for r in rows if r not in known), key=lambda r: r.name)
    sign = 1.0 if direction == "down" else -1.0
    return [*sorted(known, key=lambda r: (sign * cast("float", r.estimate.value if r.estimate else 0), r.name)), *rest]


def order_words(direction: str, words: Words) -> str:
    """The order of ``by_value`` in words, with what it does not mean."""
    if direction == "down":
        return words.gettext("Lowest value first. Places whose ranges overlap are not told apart by this order.")
    return words.gettext("Highest value first. Places whose ranges overlap are not told apart by this order.")


# Groups


@dataclass(frozen=True)
class GapRow:
    """One group beside its reference.

    Args:
        group: Its name, in the city's words.
        value: Its level.
        other: The level of the reference.
        difference: Group less reference; that none was found, where the interval holds zero.
        range: The interval of the difference.
        is_certain: Whether the interval leaves out zero.
        tone: Better or worse than the reference.
        standing: The same in words.
        tolerance: Within or outside the tolerance that was declared, in words.
        drawn: The dumbbell.
        gap: The gap itself.
    """

    group: str
    value: str
    other: str
    difference: str
    range: str
    is_certain: bool
    tone: Tone
    standing: str
    tolerance: str
    drawn: Markup
    gap: GroupGap


@dataclass(frozen=True)
class GapChart:
    """The groups of one breakdown beside their reference.

    Args:
        dimension: The breakdown's column.
        title: The breakdown in words.
        reference: Whom groups are compared with, in the city's words.
        headline: The largest certain gap in a sentence.
        period: Which period it is of.
        rows: One a group, in the declared order.
        silent: (Group, why) of groups without a value.
        left_out: Groups that are not in the summary measures, in the city's words.
    """

    dimension: str
    title: str
    reference: str
    headline: str
    period: str
    rows: tuple[GapRow, ...]
    silent: tuple[tuple[str, str], ...]
    left_out: str


def breakdown_title(asked: Asked, found: Numbers, dimension: str) -> str:
    """What people call the column that makes groups, in the city's words."""
    entry = asked.catalog.datasets.get(found.measured.measure)
    for made_of in entry.made_of if entry is not None else ():
        source = asked.catalog.datasets.get(made_of)
        for column in source.columns if source is not None else ():
            if column.name == dimension and column.title:
                return asked.words.plain(column.title)
    return dimension.replace("_", " ")


def gap_charts(asked: Asked, found: Numbers) -> tuple[GapChart, ...]:
    """Every breakdown of a measure that has a reference: one dumbbell a group."""
    by_dimension: dict[str, list[GroupGap]] = {}
    for gap in found.score.gaps:
        by_dimension.setdefault(gap.cell.dimension, []).append(gap)
    return tuple(_gap_chart(asked, found, dimension, gaps) for dimension, gaps in by_dimension.items())


def _gap_chart(asked: Asked, found: Numbers, dimension: str, gaps: list[GroupGap]) -> GapChart:
    words, figures = asked.words, figures_of(asked, found)
    order = {g: i for i, g in enumerate(found.score.orders.get(dimension, ()))}
    gaps = sorted(gaps, key=lambda g: order.get(g.cell.group, len(order)))
    estimates = {g.cell: found.cells.get(g.cell) for g in gaps}
    reach = span(
        *(n for g in gaps for n in (g.value, g.reference_value)),
        *(n for e in estimates.values() if e is not None for n in (e.low, e.high)),
    )
    period = gaps[0].cell.period
    told = {g.cell.group for g in gaps} | {g.reference for g in gaps}
    silent = [
        e
        for e in found.cells.values()
        if e.cell.dimension == dimension
        and e.cell.period == period
        and e.cell.place == ALL
        and e.cell.group not in told
        and e.value is None
    ]
    return GapChart(
        dimension,
        breakdown_title(asked, found, dimension),
        gaps[0].reference,
        headlines.gaps_words(gaps, figures),
        period_words(period, words),
        tuple(_gap_row(asked, found, g, reach, estimates[g.cell]) for g in gaps),
        tuple((group_words(e.cell.group, words), shown(asked, found, e).reason) for e in silent),
        found.score.left_out.get(dimension, ""),
    )


def _gap_row(asked: Asked, found: Numbers, gap: GroupGap, reach: tuple[float, float], e: Estimate | None) -> GapRow:
    words, figures = asked.words, figures_of(asked, found)
    said = {
        "group": group_words(gap.cell.group, words),
        "value": figures.value(gap.value),
        "reference": words.plain(gap.reference),
        "other": figures.value(gap.reference_value),
    }
    label = words.gettext("%(group)s: %(value)s; %(reference)s: %(other)s.", **said)
    low, high = (e.low, e.high) if e is not None else (None, None)
    tones: dict[str, Tone] = {"better": "good", "worse": "bad"}
    return GapRow(
        said["group"],
        said["value"],
        said["other"],
        figures.signed(gap.difference) if gap.is_certain else words.gettext("none found"),
        _difference_range(gap, figures),
        gap.is_certain,
        tones.get(gap.standing, "mute") if gap.is_certain else "mute",
        _gap_standing(gap, words),
        _tolerance(gap, words),
        dumbbell(gap.reference_value, gap.value, span=reach, label=label, low=low, high=high),
        gap,
    )


def _difference_range(gap: GroupGap, figures: Figures) -> str:
    if gap.difference_low is None or gap.difference_high is None:
        return figures.words.gettext("no range known")
    return figures.words.gettext(
        "%(low)s to %(high)s", low=figures.signed(gap.difference_low), high=figures.signed(gap.difference_high)
    )


def _gap_standing(gap: GroupGap, words: Words) -> str:
    if not gap.is_certain:
        return words.gettext("The difference is within its margin of error")
    told = {"better": words.gettext("Better off"), "worse": words.gettext("Worse off")}
    return told.get(gap.standing, words.gettext("Different"))


def _tolerance(gap: GroupGap, words: Words) -> str:
    told = {
        "within tolerance": words.gettext("Within what the city tolerates"),
        "outside tolerance": words.gettext("Outside what the city tolerates"),
    }
    return told.get(gap.tolerance, words.gettext("Cannot tell whether the city tolerates it"))


def cell_words(asked: Asked, found: Numbers, cell: Cell) -> str:
    """What people call a cell: its place, its group, or the whole city."""
    words = asked.words
    parts = []
    if cell.place != ALL:
        parts.append(words.plain(_name(found, cell.geography, cell.place)))
    if cell.group != ALL:
        parts.append(group_words(cell.group, words))
    return ", ".join(parts) or words.gettext("The whole city")
