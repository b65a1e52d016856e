"""The page of one measure: what its release says, beside its target, its groups, its places and its own past."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from metroon.base.estimate import ALL
from metroon.serve.terminal import cells
from metroon.serve.terminal.bare import bared
from metroon.serve.terminal.charts import chart_lines
from metroon.serve.terminal.console import (
    BAD,
    DATA,
    LATE,
    QUIET,
    STRONG,
    WATCH,
    Fit,
    Page,
    banner,
    flow,
    grid,
    heading,
    indented,
    labelled,
    line,
    signed,
    text,
)
from metroon.serve.terminal.disparities import disparity_parts
from metroon.serve.terminal.equity import NOT_COMPARED, group_parts
from metroon.serve.terminal.figures import figure_text, places_title, sample_words, unit_figure
from metroon.serve.terminal.measures import failed_measure, withheld
from metroon.serve.terminal.sentences import (
    assurance_words,
    cell_name,
    change_words,
    gap_words,
    target_sign,
    target_words,
    variation_words,
    verdict,
)
from metroon.serve.terminal.standings import standing_rows
from metroon.serve.terminal.words import (
    ASSURANCES,
    DIRECTIONS,
    SLOTS,
    STAGES,
    STANDINGS,
    STATE_SIGNS,
    TARGETS,
    VARIATIONS,
    Sign,
    about,
    counted,
    period_words,
    place_name,
    readable,
    scale_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from metroon.base.estimate import Estimate
    from metroon.base.scorecard import Course, PastTarget, PlaceStanding, Score, TargetGap, Words

_MOST_NAMES = 6
_ADD_UP_OVER_TIME = ("count", "rate", "total", "directly_standardised")
"""Kinds whose number for a year is about the sum of those of its months."""
_NOT_HELD = "Parts of a whole, and numbers of another length of time, are not held against the city's target."
_LONGEST_NAME, _SHORTEST_NAME = 30, 12


def score_page(score: Score, *, is_invented: bool = False) -> RenderableType:
    """Everything that one measure's release says, the verdict first.

    Args:
        score: What the release says.
        is_invented: Whether its city is invented; then that is said above.

    Returns:
        Something Rich can print, from 80 to 120 columns. A withheld number is in no part of it, and no sign stands
        without its words.
    """
    bare = bared(score)
    sections = [
        ("OVER TIME", _over_time(bare)),
        ("TARGET", _targets(bare)),
        ("GROUPS", group_parts(bare)),
        ("PLACES", _places(bare)),
        ("WHERE IT LIES, AND WHO LIVES THERE", disparity_parts(bare)),
        ("COMPLAINTS: HOW MUCH OF WHAT IS THERE GETS REPORTED", _covered(bare)),
        ("WHAT PEOPLE SAY", _told(bare)),
        ("SERIES", _series(bare)),
        ("HIDDEN, UNKNOWN AND NOTES", [part for part in withheld(bare.measured) if _is_words(part)]),
    ]
    parts = [*_head(bare, is_invented), *_verdict(bare)]
    parts += [part for title, body in sections if body for part in (heading(title, after=0), *body)]
    return Page((*parts, Text("")))


def _is_words(part: RenderableType) -> bool:
    return not (isinstance(part, Text) and not part.plain)


def _head(score: Score, is_invented: bool) -> list[RenderableType]:
    measured = score.measured
    version = f"release {measured.version}" if measured.version is not None else "no release yet"
    parts: list[RenderableType] = [Text(""), *banner(is_invented)]
    parts.append(line((measured.title or measured.measure, STRONG)))
    parts += [text(measured.question)] if measured.question else []
    parts.append(flow([measured.measure, measured.kind, DIRECTIONS[measured.direction], version], QUIET))
    parts.append(flow([f"{what}: {name}" for what, name in score.chain], QUIET))
    if measured.outcome == "failed" or measured.problems:
        parts += [heading("FAILED", f"{STRONG} {BAD}"), failed_measure(measured)]
    return parts


def _verdict(score: Score) -> list[RenderableType]:
    measured, city, scale = score.measured, score.city, scale_of(score.measured)
    facts: list[str | Text] = [unit_figure(city, measured), sample_words(city, measured) if city is not None else ""]
    facts += [period_words(measured.headline), STAGES.get(score.stage, score.stage), f"published {score.published}"]
    rows: list[tuple[str, RenderableType]] = [("value", flow(facts, QUIET))]
    unknown = scale.unknown(city) if city is not None else ""
    rows += [("unknown", text(unknown, WATCH if city is not None and city.unknown else QUIET))] if unknown else []
    rows.append(("target", _coloured(target_words(score), target_sign(score.target) if score.target else None)))
    rows.append(("signal", _signal(score.course)))
    assured = ASSURANCES.get(score.course.assurance) if score.course is not None else None
    if assured is not None:
        rows.append(("assurance", _coloured(assurance_words(score.course), assured)))
    if score.baseline is not None:
        rows.append(("baseline", text(change_words(score.baseline, scale))))
    if score.guard_metric[0]:
        rows.append(("guard", _guard_metric(score)))
    rows += [("late", text(f"{LATE} {score.late}", WATCH))] if score.late else []
    return [Text(""), text(verdict(score)), Text(""), labelled(rows)]


def _coloured(words: str, sign: Sign | None) -> Text:
    return text(words) if sign is None else signed(sign, after=words.removeprefix(str(sign)))


def _signal(course: Course | None) -> Text:
    words = variation_words(course)
    sign = VARIATIONS.get(course.variation) if course is not None else None
    weak = f" ({course.note})" if course is not None and course.note else ""
    return line(_coloured(words, sign), (weak, QUIET))


def _guard_metric(score: Score) -> Text:
    name, variation = score.guard_metric
    sign = VARIATIONS.get(variation)
    told = signed(sign) if sign is not None else text("no verdict")
    return line(f"{name}: ", told, ("  would suffer if somebody gamed this measure", QUIET))


def _over_time(score: Score) -> list[RenderableType]:
    lines: list[RenderableType] = [*chart_lines(score)]
    found = [c for c in score.courses if c.variation and c.variation != "common cause"]
    for course in found:
        lines.append(line(f"{cell_name(course.cell, score.measured)}: ", _signal(course)))
    quiet = len(score.courses) - len(found)
    told = [f"{counted(quiet, 'place or group', 'places and groups')} without a signal"] if quiet else []
    if score.course is not None and score.course.state == "ok":
        told.append(f"by chance alone {about(score.false_alarms)} of these series would show a signal")
    return [*lines, *([flow(told, QUIET)] if told else [])]


def _targets(score: Score) -> list[RenderableType]:
    parts: list[RenderableType] = [text(f"to reach: {score.target_words}")] if score.target_words else []
    by_breakdown: dict[str, list[TargetGap]] = {}
    titles = {g.id: places_title(g) for g in score.measured.geographies}
    comparable = [t for t in score.targets if _is_comparable(score, t)]
    for target in comparable:
        cell = target.cell
        by = readable(cell.dimension).capitalize() if cell.dimension != ALL else ""
        name = " by ".join(w for w in (titles.get(cell.geography, ""), by) if w)
        by_breakdown.setdefault(f"{name}, {period_words(cell.period)}", []).append(target)
    for name, found in by_breakdown.items():
        parts.append(flow([line((name, STRONG)), *_by_status(score, found)]))
    left = [text(_NOT_HELD, QUIET)] if len(comparable) < len(score.targets) else []
    return [*parts, *left, *(_past_target(t) for t in score.past_targets)]


def _is_comparable(score: Score, target: TargetGap) -> bool:
    """Whether a number is of the same kind as the city's: no part of a count, and no year beside a quarter."""
    measured = score.measured
    if scale_of(measured).is_count:
        return False
    return measured.kind not in _ADD_UP_OVER_TIME or cells.is_alike(target.cell.period, measured.headline)


def _by_status(score: Score, found: Sequence[TargetGap]) -> list[Text]:
    told = []
    for sign in (*TARGETS.values(), *STATE_SIGNS.values()):
        own = [t for t in found if target_sign(t) == sign]
        if not own:
            continue
        names = []
        if sign.mood and (sign.mood == "bad" or len(own) <= _MOST_NAMES):
            own.sort(key=lambda t: -abs(t.gap or 0.0))
            names = [_missed(score, t) if sign.mood == "bad" else cell_name(t.cell, score.measured) for t in own]
        more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
        told.append(
            line(signed(Sign(sign.sign, f"{len(own)} {sign.words}", sign.mood)),
                 f": {'; '.join(names[:_MOST_NAMES])}{more}" if names else "")
        )  # fmt: skip
    return told


def _missed(score: Score, target: TargetGap) -> str:
    gap = gap_words(target, scale_of(score.measured))
    return f"{cell_name(target.cell, score.measured)} {gap}"


def _past_target(t: PastTarget) -> RenderableType:
    sign = TARGETS.get(t.status or "") or STATE_SIGNS.get(t.status or "")
    status = signed(sign, before=", last number beside it: ") if sign is not None else Text("")
    words = f"old target, until {t.until}: {t.words} ({t.authority}, set {t.frozen_at}); {t.reason.rstrip('.')}"
    return line((words, QUIET), status)


def _places(score: Score) -> list[RenderableType]:
    parts: list[RenderableType] = []
    rows = {r.geography.id: r for r in standing_rows(score)}
    for geography in score.measured.geographies:
        found = cells.of_places(score.measured, geography.id)
        if not found:
            continue
        facts: list[str | Text] = [line((places_title(geography), STRONG)), period_words(found[0].cell.period)]
        parts += [Text("")] if parts else []
        row = rows.get(geography.id)
        if row is None:
            is_count = scale_of(score.measured).is_count
            parts.append(flow([*facts, NOT_COMPARED[is_count]], QUIET))
        else:
            parts.append(flow([*facts, f"beside the city's {_city_value(score, found[0])}"], QUIET))
            is_clear = any(clear for _, _, clear in row.places)
            clear = "clearly (the sign twice): beyond the 99.8 % limits too" if is_clear else ""
            parts.append(indented(flow([line((row.signs, DATA)), *row.legend(), clear], QUIET), 2))
        parts.append(indented(_place_grid(score, found), 2))
        borrowed = score.borrowed.get(geography.id, "")
        parts += [indented(text(f"Borrowed strength: {borrowed}", QUIET), 2)] if borrowed else []
        neighbors = score.alike.get(geography.id, "")
        parts += [indented(text(neighbors, QUIET), 2)] if neighbors else []
    return parts


def _city_value(score: Score, e: Estimate) -> str:
    city = cells.city_in(score.measured, e.cell.period)
    return figure_text(city, scale_of(score.measured)).plain if city is not None else "value, which was not released"


def _place_grid(score: Score, found: Sequence[Estimate]) -> RenderableType:
    """Every place in display order: its value, its standing, its smoothed number beside the raw one."""
    measured, scale = score.measured, scale_of(score.measured)
    standing = {p.cell: p for p in score.places}
    digits = max((len(scale.value(e.value)) for e in found if e.value is not None), default=0)
    order = {key: i for g in measured.geographies if g.id == found[0].cell.geography for i, key in enumerate(g.names)}
    head = ["", "value (interval)", "beside the city", "n", "borrowed strength", "own"]
    rows = []
    for e in sorted(found, key=lambda e: order.get(e.cell.place, len(order))):
        own = standing.get(e.cell)
        row = [
            text(place_name(e.cell, measured)),
            figure_text(e, scale, style=STRONG, digits=digits, says_state=own is None),
        ]
        row += [_standing(own), text(sample_words(e, measured).removeprefix("n "), QUIET), *_borrowed(score, own)]
        rows.append(row)
    kept = [i for i in range(len(head)) if any(row[i].plain for row in rows)]

    def build(width: int, _: bool) -> RenderableType:
        # Where room is short the sample goes, and of a standing its words, which stand with its sign above.
        for shown, body, title in ((kept, rows, head), *_shorter(kept, rows, head)):
            widths = [max(len(title[i]), *(row[i].cell_len for row in body)) for i in shown]
            widths[0] = min(widths[0], _LONGEST_NAME)
            over = sum(widths) + 2 * (len(widths) - 1) - width
            if over <= 0:
                break
        widths[0] = max(_SHORTEST_NAME, widths[0] - max(over, 0))
        right = [shown.index(i) for i in (3, 5) if i in shown]
        return grid([[r[i] for i in shown] for r in body], right=right, widths=widths, head=[title[i] for i in shown])

    return Fit(build)


_Table = tuple[list[int], list[list[Text]], list[str]]


def _shorter(kept: list[int], rows: list[list[Text]], head: list[str]) -> tuple[_Table, _Table]:
    """The table without samples, and then with the signs of standings alone."""
    without = [i for i in kept if i != 3]
    signs = [[*row[:2], text(row[2].plain.partition(" ")[0]), *row[3:]] for row in rows]
    return (without, rows, head), (without, signs, [*head[:2], "", *head[3:]])


def _standing(own: PlaceStanding | None) -> Text:
    if own is None:
        return Text("")
    sign = STANDINGS[own.standing]
    return signed(Sign(sign.sign * 2, f"clearly {sign.words}", sign.mood) if own.is_clear else sign)


def _borrowed(score: Score, own: PlaceStanding | None) -> list[Text]:
    if own is None or own.smoothed is None:
        return [Text(""), Text("")]
    scale = scale_of(score.measured)
    weight = f"{100 * own.own_weight:.0f} %" if own.own_weight is not None else ""
    return [text(f"{scale.value(own.smoothed)} {scale.bounds(own.smoothed_low, own.smoothed_high)}"), text(weight)]


def _covered(score: Score) -> list[RenderableType]:
    if not score.covered and score.is_of_complaints:
        warning = "Complaints tell of those who complain: how much of what is there gets reported is not known here."
        return [text(warning, WATCH)]
    if not score.covered:
        return []
    scale, value = scale_of(score.measured), {e.cell: e for e in score.measured.estimates}
    warning = "These are complaints: they tell of those who complain. A place where less is reported is not better off."
    parts: list[RenderableType] = [text(warning, WATCH)]
    titles = {g.id: g for g in score.measured.geographies}
    for geography in dict.fromkeys(c.cell.geography for c in score.covered):
        own = [c for c in score.covered if c.cell.geography == geography]
        rows = [
            (
                text(place_name(c.cell, score.measured)),
                text(f"{100 * c.share:.1f} % ({100 * c.low:.1f}–{100 * c.high:.1f})"),
                figure_text(value[c.cell], scale) if c.cell in value else text("no value", WATCH),
                text(scale.value(c.corrected) if c.corrected is not None and not scale.is_share else ""),
            )
            for c in own
        ]
        is_corrected = any(row[3].plain for row in rows)
        head = ["", "reported (interval)", "value (interval)", "if all were reported (no interval)"]
        shown = rows if is_corrected else [row[:3] for row in rows]
        name = places_title(titles[geography]) if geography in titles else geography
        parts += [line((name, STRONG)), indented(grid(shown, head=head if is_corrected else head[:3]), 2)]
    return parts


def _told(score: Score) -> list[RenderableType]:
    return [labelled([(SLOTS.get(w.slot, w.slot), _words(w)) for w in score.words], 13)] if score.words else []


def _words(w: Words) -> Text:
    when = f"  {w.author}, {w.on}"
    until = f", EXPIRED {w.expires}" if w.is_expired else f", until {w.expires}"
    return line((w.text, QUIET if w.is_expired else ""), (when, QUIET), (until, WATCH if w.is_expired else QUIET))


def _series(score: Score) -> list[RenderableType]:
    series = score.series
    facts = [f"series {series.number}, published since {series.since}"]
    facts += [f"changed then: {', '.join(series.changed)}"] if series.changed else []
    facts += [f"the series before ends with release {series.before}"] if series.before is not None else []
    facts += ["no trend or limit goes across"] if series.number > 1 else []
    return [flow(facts, QUIET)]
