"""Show: every cell of one measure, every rule and delivery of one product."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.text import Text

from metroon.base.estimate import ALL
from metroon.serve.terminal import cells
from metroon.serve.terminal.accounts import LINES, OUTCOMES, every_one, failure, has_failed, most_missing
from metroon.serve.terminal.console import (
    BAD,
    BROKEN,
    DATA,
    GOOD,
    KEPT,
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
    line,
    text,
)
from metroon.serve.terminal.figures import figure_text, places_title
from metroon.serve.terminal.measures import failed_measure, headline, trend_line, withheld
from metroon.serve.terminal.words import STATES, bytes_words, group_name, number, part, place_name, readable, scale_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.console import RenderableType

    from metroon.base.account import Account, Delivery, Drift, Measured, Verdict
    from metroon.base.estimate import Estimate

_WIDE = 100
_NAME_WIDTH, _NAME_WIDTH_WIDE = 20, 30
_VALUE, _BESIDE = "value (interval)", "beside the city"
_MOST_DRIFTS = 40
_SAMPLES = {
    "rate": ("events", "people"),
    "directly_standardised": ("events", "people"),
    "indirectly_standardised": ("events", "expected"),
    "ratio": ("rows", "base"),
}
"""Kind -> what stands behind its values, in words; of kinds that are not here, events and base."""


def measure_table(measured: Measured, *, is_invented: bool = False) -> RenderableType:
    """Every cell of the headline period: city, places, groups, both crossed; then the city's past.

    Args:
        measured: One measure's released estimates.
        is_invented: Whether its city is invented; then that is said above.

    Returns:
        Something Rich can print. Each value stands beside its interval, or a state's words in its place.
    """
    parts: list[RenderableType] = [Text(""), *banner(is_invented)]
    parts.append(line((measured.title or measured.measure, STRONG)))
    parts += [text(measured.question, QUIET)] if measured.question else []
    version = f"version {measured.version}" if measured.version is not None else "no version yet"
    parts.append(flow([measured.measure, measured.kind, measured.unit, measured.outcome, version], QUIET))
    if measured.outcome == "failed" or measured.problems:
        parts += [heading("FAILED", f"{STRONG} {BAD}"), failed_measure(measured)]
    parts += [Text(""), *headline(measured), *trend_line(measured)]
    sections = _sections(measured)
    longest = max((len(name) for _, rows in sections for name, _ in rows), default=0)
    parts += [p for title, rows in sections for p in (heading(title), _cells_grid(measured, rows, longest))]
    return Page((*parts, *withheld(measured), *_sources(measured), Text("")))


def _sections(measured: Measured) -> list[tuple[str, list[tuple[str, Estimate]]]]:
    """(Heading, rows as (name, estimate)), those without rows left out."""
    geographies = {g.id: places_title(g) for g in measured.geographies}
    found: list[tuple[str, list[tuple[str, Estimate]]]] = []
    for key, title in geographies.items():
        found.append((title, [(place_name(e.cell, measured), e) for e in cells.of_places(measured, key)]))
    for dimension, groups in cells.of_groups(measured).items():
        found.append((readable(dimension), [(group_name(e.cell), e) for e in groups]))
    for (key, dimension), both in cells.crossed(measured).items():
        names = [(f"{place_name(e.cell, measured)}, {group_name(e.cell)}", e) for e in both]
        found.append((f"{geographies.get(key, key)} by {readable(dimension)}", names))
    past = [(p, e) for p, e in reversed(cells.trend(measured)) if e is not None]
    found.append(("The whole city, latest first", past if measured.headline != ALL else []))
    return [(title, rows) for title, rows in found if rows]


def _cells_grid(measured: Measured, rows: Sequence[tuple[str, Estimate]], longest: int) -> RenderableType:
    """Columns as wide in every section, so that all sections line up."""
    told = [e for e in cells.released(measured) if cells.is_told(e)]
    is_beside = any(cells.is_ranked(e) for _, e in rows)
    columns = [c for c in _columns(measured, told) if c.head != _BESIDE or is_beside]

    def build(width: int, _: bool) -> RenderableType:
        shown = columns if width >= _WIDE else [c for c in columns if c.head != _BESIDE]
        body = [[text(name), *(c.write(e) for c in shown)] for name, e in rows]
        most = _NAME_WIDTH_WIDE if width >= _WIDE else _NAME_WIDTH
        widths = [min(longest, most), *(c.width(told) for c in shown)]
        right = [i for i, c in enumerate(shown, 1) if c.is_number]
        return grid(body, right=right, widths=widths, head=["", *(c.head for c in shown)])

    return Fit(build)


@dataclass(frozen=True)
class _Column:
    head: str
    write: Callable[[Estimate], Text]
    is_number: bool = True

    def width(self, told: Sequence[Estimate]) -> int:
        least = len(max(STATES.values(), key=len)) if self.head == _VALUE else len(self.head)
        return max([least, *(self.write(e).cell_len for e in told)])


def _columns(measured: Measured, told: Sequence[Estimate]) -> list[_Column]:
    scale, cities = scale_of(measured), cells.cities(measured)
    digits = max((len(scale.value(e.value)) for e in told if e.value is not None), default=0)

    def figure(e: Estimate) -> Text:
        return figure_text(e, scale, style=STRONG, digits=digits)

    def beside(e: Estimate) -> Text:
        where = None if scale.is_count else cells.standing(e, cities.get(e.cell.period))
        return text(cells.standing_words(where, measured.direction), QUIET)

    columns = [_Column(_VALUE, figure, is_number=False)]
    if measured.is_share:
        columns.append(_Column("n", lambda e: _plain(e.base)))
    elif any(e.base is not None for e in told):
        events, base = _SAMPLES.get(measured.kind, ("events", "base"))
        columns.append(_Column(events, lambda e: _plain(e.events)))
        columns.append(_Column(base, lambda e: _plain(e.base)))
    elif any(e.events is not None and e.events != e.value for e in told):
        columns.append(_Column("n", lambda e: _plain(e.events)))
    if any(e.unknown for e in told):
        columns.append(_Column("unknown", lambda e: _plain(e.unknown)))
    if any(e.worst is not None for e in told):
        columns.append(_Column("could be", lambda e: text(scale.allowed(e))))
    return [*columns, _Column(_BESIDE, beside, is_number=False)]


def _plain(value: float | None) -> Text:
    return text("" if value is None else number(value))


def _sources(measured: Measured) -> list[RenderableType]:
    """Where the boundaries and the people of each geography come from."""
    told = [
        flow([places_title(g), g.note, f"people: {g.people_source}" if g.people_source else ""], QUIET)
        for g in measured.geographies
    ]
    return [Text(""), *(indented(t, 2) for t in told)] if told else []


def account_table(account: Account, *, is_invented: bool = False) -> RenderableType:
    """Everything a product's walk has to tell: its sum, each rule, each delivery, what is not recorded.

    Args:
        account: One product's walk.
        is_invented: Whether its city is invented; then that is said above.

    Returns:
        Something Rich can print; it names files and lines, never a value of a row.
    """
    version = f"version {account.version}" if account.version is not None else "no version yet"
    parts: list[RenderableType] = [
        Text(""),
        *banner(is_invented),
        line((account.title or account.product, STRONG)),
        flow([account.product, OUTCOMES[account.outcome], version], QUIET),
    ]
    if has_failed(account):
        parts += [heading("FAILED OR REFUSED", f"{STRONG} {BAD}"), failure(account)]
    parts += [heading("WHERE THE ROWS WENT"), _sum(account)]
    parts += [heading("WHERE THE LINES WENT"), _lines(account)] if account.lines else []
    parts += [heading("PROMISES"), _verdicts(account.verdicts)] if account.verdicts else []
    parts += [heading("MOVED SINCE BEFORE", f"{STRONG} {WATCH}"), _drifts(account.drifts)] if account.drifts else []
    parts += [heading("DELIVERIES"), _deliveries(account.deliveries)] if account.deliveries else []
    parts += [heading("NOT RECORDED"), _missing(account)] if most_missing(account) else []
    parts += [heading("CANNOT BE ANSWERED"), *map(_point, account.cannot_answer)] if account.cannot_answer else []
    parts += [heading("LATE", f"{STRONG} {WATCH}"), text(account.late)] if account.late else []
    parts += [heading("NOTES"), *map(_point, account.notes)] if account.notes else []
    return Page((*parts, Text("")))


def _point(words: str) -> RenderableType:
    return grid([("-", words)])


def _sum(account: Account) -> RenderableType:
    rows = [
        ("  read", number(account.read)),
        ("= kept", number(account.kept)),
        ("+ set aside", number(sum(account.set_aside.values()))),
        *((f"      {reason}", number(n)) for reason, n in account.set_aside.items()),
        ("+ refused", number(account.refused)),
        *((f"of the kept, outside {every_one(title)}", number(n)) for title, n in account.outside.items()),
    ]
    if account.no_place is not None:
        rows.append(("of the kept, without a usable place", number(account.no_place)))
    return grid(rows, right=(1,))


def _lines(account: Account) -> RenderableType:
    told = [(f"{'+' if i else '='} {LINES.get(k, k)}", number(n)) for i, (k, n) in enumerate(account.lines.items())]
    return grid([("  lines of text", number(sum(account.lines.values()))), *told], right=(1,))


def _verdicts(verdicts: Sequence[Verdict]) -> RenderableType:
    """Broken promises first; under each rule its note and where it was broken."""
    rows = [
        (
            _outcome(v),
            line(
                v.text,
                (f"\n{v.note}" if v.note else "", QUIET),
                (f"\nat {', '.join(v.where)}" if v.where else "", DATA),
            ),
            number(v.checked),
            number(v.failed),
            text(v.severity, QUIET),
        )
        for v in sorted(verdicts, key=lambda v: not v.is_broken)
    ]
    return grid(rows, right=(2, 3), head=("promise", "rule", "checked", "failed", "a breach is"))


def _drifts(drifts: Sequence[Drift]) -> RenderableType:
    told = [(text(d.kind), text(d.what), text(d.delivery, DATA)) for d in drifts[:_MOST_DRIFTS]]
    left = [("", text(f"and {number(len(drifts) - len(told))} more", QUIET), "")] if len(drifts) > len(told) else []
    return grid([*told, *left], head=("what", "how", "file"))


def _outcome(verdict: Verdict) -> Text:
    if verdict.undecided == "no data":
        return text(verdict.undecided, QUIET)
    broken = text(f"{BROKEN} {verdict.undecided or 'broken'}", f"{STRONG} {BAD}")
    return text(f"{KEPT} kept", GOOD) if verdict.is_kept else broken


def _deliveries(deliveries: Sequence[Delivery]) -> RenderableType:
    rows = [
        (
            text(d.file),
            text(d.sha256[:12], QUIET),
            bytes_words(d.size),
            number(d.read),
            number(sum(d.lines.values())) if d.lines else "",
            text(f"{BROKEN} REFUSED: {d.refused}", BAD) if d.refused else text(f"{KEPT} taken", GOOD),
        )
        for d in deliveries
    ]
    return grid(rows, right=(2, 3, 4), head=("file", "hash", "size", "read", "lines", "outcome"))


def _missing(account: Account) -> RenderableType:
    rows = [(readable(c), number(n), part(n, account.kept) if account.kept else "") for c, n in most_missing(account)]
    return grid(rows, right=(1, 2), head=("column", "rows", "of the kept"))
