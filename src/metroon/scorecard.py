"""What the releases of a city say: the score of each measure, what changed since a day, one page a goal.

Nothing is counted here. Every figure comes from what was released, so that a scorecard of an earlier day is what was
published by then, made again.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from metroon import measure, report
from metroon.base.errors import Problem, Refused
from metroon.base.estimate import ALL, Cell
from metroon.base.node import did_you_mean
from metroon.base.period import last_day
from metroon.base.scorecard import (
    RANKS,
    Changed,
    Changes,
    GoalPage,
    PastTarget,
    Score,
    Series,
    Words,
)
from metroon.locate import neighbors
from metroon.measure import scorecard as scoring
from metroon.measure.signals import false_alarms
from metroon.measure.spatial import morans_i

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from metroon.base.account import Measured
    from metroon.base.estimate import Estimate
    from metroon.base.scorecard import ChangeKind, Course, Disparity, GroupGap, TargetGap
    from metroon.lake import Open, Version
    from metroon.measure import Indicator
    from metroon.measure.declared import Point
    from metroon.measure.scorecard import Released
    from metroon.measure.signals import RuleSet
    from metroon.walk import Walk


def published(walk: Walk, name: str, on: date | None = None) -> Version[Open] | None:
    """The release of a measure that readers saw on a day: the newest of those made until then; None when none was.

    The day of a release is the one that its run took for today.
    """
    known = walk.lake.history(name, "open")
    days = {n: date.fromisoformat(told["as_of"]) for n, told in known.items()}
    told = [n for n, day in days.items() if on is None or day <= on]
    return walk.lake.open(name, max(told, key=lambda n: (days[n], n))) if told else None


def scores(walk: Walk, names: Iterable[str] = (), *, on: date | None = None) -> tuple[list[Score], list[Measured]]:
    """The scores of some measures, all of them unless named, and those that have no release.

    Args:
        walk: The city.
        names: Measures.
        on: The day whose scorecard is asked for: exactly what was published by then. The newest unless named.
    """
    made, lacking = [], []
    for name in names or sorted(walk.indicators):
        if name not in walk.indicators:
            fix = did_you_mean(name, walk.indicators)
            raise Refused([Problem(walk.city.node.file, 0, "F104", f"there is no measure '{name}'.", fix)])
        version = published(walk, name, on)
        if version is None:
            lacking.append(_without(walk, name, on))
        else:
            made.append(score(walk, name, version, on or walk.as_of))
    return made, lacking


def _without(walk: Walk, name: str, on: date | None) -> Measured:
    problems = walk.measure_faults(name)
    if not problems:
        when = f" by {on}" if on else ""
        fix = f"Make one: metroon measure {name}"
        problems = [Problem(walk.city.measures[name].node.file, 0, "F105", f"nothing of it was published{when}.", fix)]
    return report.measured(walk, name, walk.indicators[name], {}, ALL, problems=tuple(problems))


def score(walk: Walk, name: str, version: Version[Open], as_of: date) -> Score:
    """What one release says.

    Args:
        walk: The city.
        name: The measure.
        version: The release.
        as_of: The day taken for today: decides what is late, final and expired.
    """
    told = report.shown(walk, name, version)
    released = _released(walk, name, version, told)
    indicator = released.indicator
    if balance := scoring.balanced(released):
        told = replace(told, notes=(*told.notes, balance))
    city, target = released.city, indicator.target
    course, courses, alarms = scoring.courses(released)
    unequal, left_out = scoring.inequality(released)
    places, borrowed = scoring.places(released)
    beside = [scoring.target_gap(released, e, target) for e in (*released.places(), *_groups(released))]
    coverage = published(walk, indicator.coverage, as_of) if indicator.coverage in walk.indicators else None
    made = Score(
        measured=told,
        as_of=as_of,
        published=date.fromisoformat(version.evidence["as_of"]),
        stage=_stage(walk, name, version, city, as_of),
        city=city,
        target=scoring.target_gap(released, city, target),
        target_words=f"{_points(target.points)} ({target.authority}, set {target.frozen_at})" if target else "",
        past_targets=tuple(_past_targets(released)),
        baseline=scoring.since_baseline(released),
        course=course,
        courses=courses,
        targets=tuple(t for t in beside if t is not None),
        gaps=scoring.group_gaps(released),
        inequality=unequal,
        left_out=left_out,
        places=places,
        borrowed=borrowed,
        covered=scoring.covered(released, _released(walk, str(indicator.coverage), coverage) if coverage else None),
        words=tuple(_words(indicator, as_of)),
        series=_series(version),
        breaks=tuple((b.on, b.reason) for b in indicator.breaks),
        late=_late(walk, indicator, version, as_of),
        false_alarms=alarms,
        guard_metric=_guard_metric(walk, indicator, as_of),
        chain=tuple((k, v) for k, v in _chain(walk, indicator) if v),
        rules=indicator.signals.rules,
        orders={g.by: tuple(g.order) for g in indicator.groups if g.order},
        is_of_complaints=indicator.complaints,
        disparities=_disparities(walk, released, version),
        alike=dict(_alike(released, told)),
        asked=scoring.asked(released),
    )
    return made


def _disparities(walk: Walk, released: Released, version: Version[Open]) -> tuple[Disparity, ...]:
    asked = released.indicator.disparity
    if asked is None or not walk.has_places(asked.geography):
        return ()
    columns = dict.fromkeys(c for p in asked.people for c in (p.column, p.margin) if c)
    numbers = walk.area_numbers(asked.geography, list(columns), version.evidence["parents"])
    residents = walk.places(asked.geography).people

    def people(column: str, holds: str) -> dict[str, float]:
        if holds == "people":
            return numbers[column]
        return {area: n * residents[area] for area, n in numbers[column].items() if area in residents}

    kinds = [
        scoring.AreaPeople(p.title, people(p.column, p.holds), people(p.margin, p.holds) if p.margin else {})
        for p in asked.people
    ]
    return scoring.disparities(released, asked.geography, kinds, residents)


def _alike(released: Released, told: Measured) -> Iterator[tuple[str, str]]:
    """Whether areas are like their neighbors (Moran's I), by the boundaries that they share."""
    if released.indicator.is_count:
        return
    for g in told.geographies:
        values = {e.cell.place: e.value for e in released.places() if e.cell.geography == g.id and e.value is not None}
        keys = [k for k in g.shapes if k in values]
        if len(keys) < _FEWEST_AREAS:
            continue
        found = morans_i(np.array([float(values[k] or 0) for k in keys]), neighbors(g, keys))
        if abs(found.z) > 1.96:
            kind = "alike" if found.z > 0 else "unlike"
            yield g.id, f"neighboring areas are {kind}: Moran's I {found.value:.2f}, z {found.z:.1f}"


_FEWEST_AREAS = 10
"""Areas under which it is not asked whether neighbors are alike."""


def _released(walk: Walk, name: str, version: Version[Open], told: Measured | None = None) -> Released:
    told = told or report.shown(walk, name, version)
    indicator = walk.as_declared(name, version)
    people: dict[str, dict[str, float]] = {}
    for group in indicator.groups:
        if group.people is not None and walk.lake.restricted(group.people.of) is not None:
            by: Counter[str] = Counter()
            for (_, member), n in walk.people(indicator, version.evidence["parents"]).get(group.by, {}).items():
                by[member] += n  # type: ignore[assignment]  # residents may be fractions
            people[group.by] = dict(by)
    return scoring.Released(indicator, told.estimates, told.headlines, people)


def _groups(released: Released) -> list[Estimate]:
    return [e for d in released.indicator.dimensions for e in released.groups(d)]


def _stage(walk: Walk, name: str, version: Version[Open], city: Estimate | None, as_of: date) -> str:
    rule = walk.as_declared(name, version).revision
    if city is None or city.cell.period == ALL:
        return "final"
    if last_day(city.cell.period) + timedelta(days=rule.final_after_days) <= as_of:
        return "final"
    for number in sorted(walk.lake.history(name, "open")):
        old = walk.lake.open(name, number) if number < version.number else None
        before = _released(walk, name, old).at(city.cell) if old is not None else None
        if before is not None and before.value != city.value:
            return "revised"
    return "first"


def _points(points: Sequence[Point]) -> str:
    def one(point: Point) -> str:
        value = f"{point.value:g}" if point.value is not None else f"{point.low:g} to {point.high:g}"
        return f"{value} by {point.on}"

    return ", ".join(map(one, points))


def _past_targets(released: Released) -> Iterator[PastTarget]:
    target = released.indicator.target
    for old in target.history if target is not None else []:
        held = target.model_copy(update={"points": old.points}) if target is not None else None
        found = scoring.target_gap(released, released.city, held)
        yield PastTarget(
            _points(old.points), old.authority, old.frozen_at, old.until, old.reason, found.status if found else None
        )


def _words(indicator: Indicator, as_of: date) -> Iterator[Words]:
    for slot, told in indicator.narrative.items():
        yield Words(slot, told.text, told.author, told.on, told.expires, is_expired=told.expires <= as_of)


def _series(version: Version[Open]) -> Series:
    told: Any = version.evidence.get("series") or {"number": 1, "since": version.evidence["as_of"]}
    since = date.fromisoformat(told["since"])
    return Series(told["number"], since, tuple(told.get("changed") or ()), told.get("before"))


def _late(walk: Walk, indicator: Indicator, version: Version[Open], as_of: date) -> str:
    rows = walk.lake.restricted(indicator.of, version.evidence["parents"].get(indicator.of))
    return report.late(walk, indicator.of, rows, as_of) if rows is not None else ""


def _guard_metric(walk: Walk, indicator: Indicator, as_of: date) -> tuple[str, str]:
    name = indicator.guard_metric
    version = published(walk, name, as_of) if name in walk.indicators else None
    if name is None or version is None:
        return "", ""
    course, _, _ = scoring.courses(_released(walk, name, version))
    return walk.indicators[name].title, course.variation if course is not None else ""


def _chain(walk: Walk, indicator: Indicator) -> Iterator[tuple[str, str]]:
    goal = walk.city.file.goals.get(indicator.goal or "")
    yield "goal", goal.title if goal else ""
    yield "type", indicator.type
    yield "service", indicator.service
    yield "budget program", indicator.budget_program
    yield "department", walk.city.file.departments.get(indicator.department or "", indicator.department or "")
    yield "owner", indicator.owner


# What changed


def changes(walk: Walk, since: date, *, known: Sequence[Score] | None = None) -> Changes:
    """What really changed since a day: only what a rule calls a change, the most telling first.

    Args:
        walk: The city.
        since: The day to compare with.
        known: The newest scores of all measures, when somebody has them already.
    """
    now = known if known is not None else scores(walk)[0]
    before = {s.measured.measure: s for s in scores(walk, on=since)[0]}
    found: list[Changed] = []
    quiet: list[str] = []
    for one in now:
        old = before.get(one.measured.measure)
        own = list(_changed(walk, old, one))
        found += own
        if not own:
            quiet.append(one.measured.title or one.measured.measure)
    found.sort(key=lambda c: (RANKS.index(c.kind), -c.size, c.measure))
    series = [c for s in now for c in (s.course, *s.courses) if c is not None and c.state == "ok"]
    return Changes(since, walk.as_of, tuple(found), tuple(quiet), len(series), sum(map(_city_alarms, now)))


def _city_alarms(of: Score) -> float:
    """The chance that the city's series shows a signal by chance; those of places and groups are held back already."""
    if of.course is None or of.course.state != "ok":
        return 0.0
    points = sum(v is not None for v in of.course.values)
    return false_alarms(points, rules=cast("RuleSet", of.rules)).last_point


def _changed(walk: Walk, old: Score | None, now: Score) -> Iterator[Changed]:
    if old is None:
        yield _whole("first published", now, "nothing", f"release {now.measured.version}")
        return
    if now.series.number != old.series.number:
        what = ", ".join(now.series.changed)
        yield _whole("definition changed", now, f"series {old.series.number}", f"series {now.series.number}: {what}")
    else:
        yield from _signals(old, now)
        if old.target_words == now.target_words:  # nothing is reached by asking for less
            yield from _assured(old, now)
            yield from _crossed(old, now)
        yield from _gaps(old, now)
        yield from _restated(walk, old, now)
    yield from _boundaries(old, now)
    if old.target_words != now.target_words:
        yield _whole("target changed", now, old.target_words or "no target", now.target_words or "no target")
    if bool(old.late) != bool(now.late):
        kind: ChangeKind = "late" if now.late else "no longer late"
        yield _whole(kind, now, old.late or "in time", now.late or "in time")
    was_expired = {w.slot for w in old.words if w.is_expired}
    for w in now.words:
        if w.is_expired and w.slot not in was_expired:
            yield _whole("narrative expired", now, f"{w.slot} by {w.author}", f"expired on {w.expires}")


def _whole(kind: ChangeKind, of: Score, before: str, after: str) -> Changed:
    return Changed(kind, of.measured.measure, of.measured.title or of.measured.measure, None, "", before, after)


def _one(kind: ChangeKind, of: Score, cell: Cell, before: str, after: str, size: float = 0.0) -> Changed:
    title = of.measured.title or of.measured.measure
    return Changed(kind, of.measured.measure, title, cell, where(of.measured, cell), before, after, size)


def where(measured: Measured, cell: Cell) -> str:
    """The place or group of a cell in words; empty for the whole city."""
    names = {g.id: g.names for g in measured.geographies}
    place = names.get(cell.geography, {}).get(cell.place, cell.place) if cell.geography != ALL else ""
    return ", ".join(word for word in (place, cell.group if cell.dimension != ALL else "") if word)


def _by_series(of: Score) -> dict[Cell, Course]:
    every = [c for c in (of.course, *of.courses) if c is not None]
    return {replace(c.cell, period=ALL): c for c in every}


def _signal(course: Course | None) -> str:
    if course is None or course.variation in ("", "common cause") or not course.is_kept:
        return ""
    return course.variation


def _signals(old: Score, now: Score) -> Iterator[Changed]:
    was = _by_series(old)
    for key, course in _by_series(now).items():
        before, after = _signal(was.get(key)), _signal(course)
        if after and after != before:
            yield _one("signal begun", now, course.cell, before or "no signal", f"{after} since {course.begun}")
        elif before and not after:
            yield _one("signal ended", now, course.cell, before, course.variation or "no verdict")


def _assured(old: Score, now: Score) -> Iterator[Changed]:
    was = _by_series(old)
    for key, course in _by_series(now).items():
        last = was.get(key)
        decided = ("consistently passes", "consistently fails", "hit or miss")
        flipped = last is not None and last.assurance in decided and course.assurance in decided
        if flipped and last is not None and last.assurance != course.assurance:
            yield _one("assurance flipped", now, course.cell, last.assurance, course.assurance)


def _crossed(old: Score, now: Score) -> Iterator[Changed]:
    was = {replace(t.cell, period=ALL): t for t in _targets(old)}
    for t in _targets(now):
        before = was.get(replace(t.cell, period=ALL))
        was_told = before is not None and before.status in ("met", "not met", "cannot tell")
        if before is not None and was_told and t.status in ("met", "not met") and before.status != t.status:
            yield _one("target crossed", now, t.cell, before.status, t.status, abs(t.gap or 0.0))


def _targets(of: Score) -> list[TargetGap]:
    return [t for t in (of.target, *of.targets) if t is not None]


def _gaps(old: Score, now: Score) -> Iterator[Changed]:
    was: Mapping[Cell, GroupGap] = {replace(g.cell, period=ALL): g for g in old.gaps}
    for g in now.gaps:
        before = was.get(replace(g.cell, period=ALL))
        if before is None or before.is_certain == g.is_certain:
            continue
        was_then, is_now = (f"{x.difference:+.3g} beside {x.reference}" for x in (before, g))
        kind: ChangeKind = "gap newly certain" if g.is_certain else "gap no longer certain"
        yield _one(kind, now, g.cell, was_then, is_now, abs(g.difference))


def _restated(walk: Walk, old: Score, now: Score) -> Iterator[Changed]:
    version = walk.lake.open(now.measured.measure, now.measured.version)
    above = walk.as_declared(now.measured.measure, version).revision.restated_above if version else 0.05
    was = {e.cell: e for e in old.measured.estimates}
    for e in now.measured.estimates:
        before = was.get(e.cell)
        if before is None or before.value is None or e.value is None or before.value == e.value:
            continue
        if e.cell.period == ALL:  # it grows with every delivery
            continue
        part = abs(e.value - before.value) / max(abs(before.value), 1e-12)
        if part > above:
            yield _one("restated", now, e.cell, f"{before.value:.4g} ({e.cell.period})", f"{e.value:.4g}", part)


def _boundaries(old: Score, now: Score) -> Iterator[Changed]:
    was = {g.id: g.label for g in old.measured.geographies}
    for g in now.measured.geographies:
        if g.id in was and was[g.id] != g.label:
            yield _whole("boundaries changed", now, was[g.id], g.label)


# One page a goal


def goal_pages(
    walk: Walk, goals: Sequence[str] = (), *, on: date | None = None, made: Sequence[Score] | None = None
) -> list[GoalPage]:
    """One page for each goal with its measures, outcomes first; measures of no goal are left to the scoreboard.

    Args:
        walk: The city.
        goals: Ids of goals, all of them unless named.
        on: The day whose pages are asked for; the newest unless named.
        made: The scores of that day of all measures, when somebody has them already.
    """
    known = walk.city.file.goals
    unknown = [g for g in goals if g not in known]
    if unknown:
        fix = did_you_mean(unknown[0], known)
        raise Refused([Problem(walk.city.node.file, 0, "M117", f"there is no goal '{unknown[0]}'.", fix)])
    nodes = {n: d.node for n, d in walk.city.measures.items()}
    warned = list(measure.warnings(walk.indicators, nodes))
    have = {s.measured.measure: s for s in made} if made is not None else None
    return [_page(walk, goal, warned, on, have) for goal in (goals or known)]


_ORDER = ("outcome", "equity", "quality", "efficiency", "output", "input")


def _page(
    walk: Walk, goal: str, warned: Sequence[Problem], on: date | None, have: Mapping[str, Score] | None
) -> GoalPage:
    declared = walk.city.file.goals[goal]
    names = sorted(
        (n for n, i in walk.indicators.items() if i.goal == goal),
        key=lambda n: (_ORDER.index(walk.indicators[n].type), n),
    )
    known = [have[n] for n in names if n in have] if have is not None else []
    rest = names if have is None else [n for n in names if n not in have]
    made, lacking = scores(walk, rest, on=on) if rest else ([], [])
    made = sorted((*known, *made), key=lambda s: names.index(s.measured.measure))
    own = {walk.city.measures[n].node.file for n in names}
    return GoalPage(
        goal,
        declared.title,
        declared.outcome,
        walk.city.file.departments.get(declared.department or "", declared.department or ""),
        declared.owner,
        tuple(made),
        tuple(p.what for p in warned if p.file in own),
        tuple((m.title or m.measure, m.problems[0].what if m.problems else "not published") for m in lacking),
    )
