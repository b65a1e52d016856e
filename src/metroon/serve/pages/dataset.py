"""``/datasets/{name}``: one dataset: what it is, whether it can be trusted today, and how to use it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from babel.dates import format_time
from markupsafe import Markup

from metroon.base.catalog import Column
from metroon.permit import Gone, NotThere
from metroon.serve.citation import Citation, citation
from metroon.serve.over_time import OverTime, finding, over_time
from metroon.serve.page import Page, Sheet
from metroon.serve.pages.datasets import access_words, is_late
from metroon.serve.pages.protocols import standing_words
from metroon.serve.preview import LONGEST, preview
from metroon.serve.shares import Shares, share_finding, shares
from metroon.serve.snippets import Snippet, snippets
from metroon.serve.structured import dataset_jsonld
from metroon.serve.svg import Line, bars, days, trend

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from metroon.base.catalog import Catalog, Check, Dataset, Edition, Rows
    from metroon.serve.page import Asked
    from metroon.serve.words import Words

SNIPPETS = ("spreadsheet", "python", "r", "sql", "curl", "assistant")
MEANS_FROM = 12
"""A line of means needs more points than this to say more than the months themselves."""
NEWEST = 8
"""Versions that are shown; older ones are folded."""
_FREE = ("CC0-1.0", "PDDL-1.0", "Unlicense")
_NAMED = ("CC-BY-4.0", "CC-BY-3.0", "ODC-By-1.0")


@dataclass(frozen=True)
class Fact:
    """One of the four things to know first."""

    name: str
    text: str | Markup
    more: str | Markup


@dataclass(frozen=True)
class Bar:
    """One value of a chart of shares."""

    label: Markup
    percent: float
    count: str
    share: str


@dataclass(frozen=True)
class Chart:
    """One chart with what it says.

    Args:
        title: The finding.
        subtitle: What is counted, in which period.
        svg: The chart; empty for bars.
        bars: Its bars.
        note: What the numbers are not.
        columns: Heads of the table with the same numbers.
        rows: Its rows.
        source: Where the numbers come from.
        download: Where they can be had; empty when they cannot.
    """

    title: str
    subtitle: str | Markup
    svg: Markup
    bars: tuple[Bar, ...]
    note: str
    columns: tuple[str | tuple[str, str], ...]
    rows: tuple[tuple[str | Markup, ...], ...]
    source: str
    download: str


@dataclass(frozen=True)
class Looked:
    """The first rows.

    Args:
        columns: (Title, its kind of cell) of each column.
        rows: Their values, as people write them; None where nothing is recorded.
        filter: The filter asked for.
        said: How many rows fit, in a sentence.
        trouble: Why there are none, in a sentence; empty when there are.
    """

    columns: tuple[tuple[Markup, str], ...]
    rows: tuple[tuple[str | Markup | None, ...], ...]
    filter: str
    said: str
    trouble: str


@dataclass(frozen=True)
class Meaning:
    """One column, for the table that says what columns mean."""

    title: Markup
    name: str
    text: Markup
    lock: Markup
    allowed: tuple[Markup, ...]
    more_allowed: int
    kind: str
    bars: Markup
    filled: str


@dataclass(frozen=True)
class Used:
    """Something that is made of the dataset, or that it is made of."""

    title: Markup
    href: str
    kind: str


@dataclass(frozen=True)
class Old:
    """One version in the list."""

    number: str
    day: str
    rows: str
    changes: tuple[Markup, ...]
    href: str
    is_shown: bool


@dataclass(frozen=True)
class DatasetView:
    """What the page shows. See the template for the order."""

    title: str
    name: Markup
    description: str
    lede: Markup
    grain: Markup
    eyebrow: str
    department: Markup
    pills: tuple[tuple[str, str | Markup], ...]
    facts: tuple[Fact, ...]
    is_listed: bool
    has_rows: bool
    why_not: str
    pinned: str
    newest: str
    chart: Chart | None
    look: Looked | None
    columns: tuple[Meaning, ...]
    has_bars: bool
    trust: str
    checks: tuple[tuple[str | Markup, ...], ...]
    failing: tuple[tuple[Markup, str], ...]
    strip: Markup
    strip_said: str
    warnings: tuple[tuple[str, Markup], ...]
    register: tuple[tuple[str, tuple[Markup, ...]], ...]
    snippets: tuple[Snippet, ...]
    use: str
    editions: tuple[Old, ...]
    older: tuple[Old, ...]
    citation: Citation | None
    downloads: tuple[tuple[str, str, str], ...]
    steward: Steward | None
    feeds: tuple[tuple[str, str], ...]
    used_in: tuple[Used, ...]
    made_of: tuple[Used, ...]
    jsonld: Mapping[str, Any]
    path: str
    version: str


@dataclass(frozen=True)
class Steward:
    """Who answers for it, ready to be shown."""

    name: Markup
    initials: str
    role: Markup
    promise: Markup
    hours: Markup
    contact: str
    href: str


class DatasetPage(Page):
    """One dataset, in its newest version or in the one that ``?version=`` names."""

    path = "/datasets/{name}"
    template = "dataset.html"

    def view(self, asked: Asked) -> DatasetView:
        """Everything that the city says of one dataset."""
        dataset, edition = _asked_for(asked)
        words, of = asked.words, asked.words.of
        rows = _rows(asked, dataset, edition, "page")
        pinned = edition if edition is not None and edition is not dataset.editions[0] else None
        told = tuple(_edition(asked, dataset, e, edition) for e in dataset.editions)
        return DatasetView(
            title=words.plain(dataset.title),
            name=of(dataset.title),
            description=words.plain(dataset.description),
            lede=of(dataset.description),
            grain=of(dataset.grain),
            eyebrow=words.gettext("In the inventory") if dataset.shape == "listed" else words.gettext("Dataset"),
            department=of(dataset.department),
            pills=tuple(_pills(dataset, edition, words)),
            facts=tuple(_facts(asked, dataset, edition, rows)),
            is_listed=dataset.shape == "listed",
            has_rows=rows is not None,
            why_not=_why_not(dataset, words),
            pinned=_pinned(dataset, pinned, words) if pinned else "",
            newest=asked.link(dataset.path),
            chart=_chart(asked, dataset, edition, rows),
            look=_look(asked, rows) if rows is not None else None,
            columns=tuple(_meaning(c, dataset, words) for c in dataset.columns),
            has_bars=any(c.bars for c in dataset.columns),
            trust=_trust(dataset, words),
            checks=tuple(_check(c, words) for c in dataset.checks),
            failing=tuple((of(c.text), _then(c, words)) for c in dataset.checks if not c.is_kept),
            strip=_strip(dataset, words),
            strip_said=_strip_said(dataset, words),
            warnings=tuple(_warnings(dataset, words)),
            register=(*_register(dataset, words), *_protocols(asked, dataset)),
            snippets=snippets(dataset, address=asked.address, words=words, version=pinned.number if pinned else None),
            use=use if (use := asked.query.get("use", "")) in SNIPPETS else SNIPPETS[0],
            editions=told[:NEWEST],
            older=told[NEWEST:],
            citation=citation(asked.catalog, dataset, edition, address=asked.address, words=words),
            downloads=tuple(_downloads(dataset, pinned, words)) if rows is not None else (),
            steward=_steward(dataset, words),
            feeds=(("Atom", f"/feeds{dataset.path}.atom"), ("JSON", f"/feeds{dataset.path}.json"))
            if dataset.editions
            else (),
            used_in=tuple(_used_in(asked, dataset)),
            made_of=tuple(_used(asked, n) for n in dataset.made_of if n in asked.catalog.datasets),
            jsonld=dataset_jsonld(dataset, asked.catalog, asked.address, words=words),
            path=dataset.path,
            version=str(pinned.number) if pinned else "",
        )

    def data(self, asked: Asked) -> Rows | Sheet | None:
        """The rows of the version asked for; with ``?show=months`` the numbers of the chart."""
        dataset, edition = _asked_for(asked)
        rows = _rows(asked, dataset, edition, "file")
        if rows is None:
            raise NotThere(dataset.name)
        if asked.query.get("show") == "months":
            told = _over_time(asked, rows)
            if told is None:
                raise NotThere(dataset.name)
            held = [{"month": m, "rows": n} for m, n in zip(told.months, told.counts, strict=True)]
            source = _source(asked, dataset, edition)
            return Sheet(f"{dataset.name}_by_month", asked.words.plain(dataset.title), _BY_MONTH, held, source)
        return rows

    def paths(self, catalog: Catalog) -> Iterable[str]:
        """One page for each table and each entry of the inventory."""
        return [d.path for d in catalog.datasets.values() if d.shape != "measure"]


_BY_MONTH = (
    Column("month", "Month", "The first day of the month.", "date"),
    Column("rows", "Rows", "Published rows dated in this month.", "integer"),
)


def _asked_for(asked: Asked) -> tuple[Dataset, Edition | None]:
    dataset = asked.catalog.datasets.get(asked.params["name"])
    if dataset is None or dataset.shape == "measure":
        raise NotThere(asked.params["name"])
    number = asked.query.get("version", "")
    if not number:
        return dataset, dataset.editions[0] if dataset.editions else None
    found = next((e for e in dataset.editions if str(e.number) == number), None)
    if found is None:
        raise Gone(dataset.name) if number in map(str, dataset.withdrawn) else NotThere(dataset.name)
    return dataset, found


def _rows(asked: Asked, dataset: Dataset, edition: Edition | None, surface: Any) -> Rows | None:
    """The published rows; None when there are none, or when they were erased meanwhile."""
    if not dataset.has_rows or edition is None:
        return None
    try:
        return asked.gate.rows(asked.principal, dataset.name, surface, version=edition.number)
    except (NotThere, OSError):
        return None


def _pills(d: Dataset, edition: Edition | None, words: Words) -> Iterable[tuple[str, str | Markup]]:
    failing = sum(not c.is_kept for c in d.checks)
    if d.shape == "listed":
        yield "mute", words.gettext("Not collected yet")
    elif d.checks and not failing:
        yield "good", words.ngettext("The check passes", "All %(n)s checks pass", len(d.checks))
    elif d.checks:
        yield "watch", words.ngettext("%(n)s check fails", "%(n)s checks fail", failing)
    if d.updated:
        yield "watch" if is_late(d) else "good", words.gettext("Updated %(day)s", day=words.day(d.updated))
    if d.late:
        yield "watch", words.of(d.late)
    held = sum(bool(c.protection) or not c.is_open for c in d.columns) if d.unit not in ("", "none") else 0
    if held:
        yield "mute", words.ngettext("Privacy: %(n)s protection", "Privacy: %(n)s protections", held)
    if d.access != "public":
        yield "mute", access_words(d, words)
    if edition is not None:
        yield "mute", words.gettext("Version %(n)s", n=words.number(edition.number))


def _facts(asked: Asked, d: Dataset, edition: Edition | None, rows: Rows | None) -> Iterable[Fact]:
    words = asked.words
    if d.shape == "listed":
        yield from _missing(d, words)
        return
    yield Fact(words.gettext("Promise"), *_promise(d, words))
    yield Fact(words.gettext("Rows"), *_extent(d, edition, rows, words))
    yield Fact(words.gettext("Licence"), *_licence(d, words))
    yield Fact(words.gettext("Known gap"), *_gap(d, words))


def _missing(d: Dataset, words: Words) -> Iterable[Fact]:
    """What to know of data that nobody collects yet."""
    why = words.of(d.not_yet) if d.not_yet else words.gettext("Nobody has said.")
    yield Fact(words.gettext("Why it is not collected yet"), why, "")
    when = words.of(d.planned) if d.planned else words.gettext("No day is set")
    yield Fact(words.gettext("Planned"), when, "")
    yield Fact(words.gettext("Who would have it"), access_words(d, words), "")
    looked = words.day(d.reviewed) if d.reviewed else words.gettext("Never")
    yield Fact(words.gettext("This entry was last looked at"), looked, "")


def _promise(d: Dataset, words: Words) -> tuple[str | Markup, str | Markup]:
    if not d.promise.text:
        return words.gettext("None is declared"), words.gettext("Nobody promised how fresh it is.")
    text = words.of(d.promise.text)
    if d.late:
        return text, words.of(d.late)
    if d.promise.checked:
        return text, words.ngettext(
            "Kept on %(kept)s of %(n)s day with a run", "Kept on %(kept)s of %(n)s days with a run",
            d.promise.checked, kept=words.number(d.promise.kept),
        )  # fmt: skip
    return text, words.gettext("No run of the last 30 days looked.")


def _extent(d: Dataset, edition: Edition | None, rows: Rows | None, words: Words) -> tuple[str | Markup, str | Markup]:
    columns = words.ngettext("%(n)s column", "%(n)s columns", sum(c.is_open for c in d.columns))
    if rows is None:
        return words.gettext("Not published"), words.gettext("What is made of it is public.") if d.used_in else ""
    count = words.ngettext("%(n)s row", "%(n)s rows", rows.total)
    # The span is of the newest version only.
    if d.span is None or edition is not d.editions[0]:
        return count, columns
    first, last = (words.day(on) for on in d.span)
    return count, words.gettext("%(columns)s, %(first)s to %(last)s", columns=columns, first=first, last=last)


def _licence(d: Dataset, words: Words) -> tuple[str | Markup, str | Markup]:
    name = d.licence.title or d.licence.id
    if not name:
        return words.gettext("None is declared"), words.gettext(
            "Ask the steward before you use it."
        ) if d.has_rows else ""
    if d.licence.url.startswith(("https://", "http://")):
        text: str | Markup = Markup('<a href="{}" rel="license noopener">{}</a>').format(d.licence.url, words.of(name))
    else:
        text = words.of(name)
    if not d.has_rows:
        return text, ""
    if d.licence.id in _FREE:
        return text, words.gettext("Use it for anything; no sign-up.")
    return text, words.gettext("Use it, and say where it is from.") if d.licence.id in _NAMED else ""


def _gap(d: Dataset, words: Words) -> tuple[str | Markup, str | Markup]:
    if not d.gap:
        return words.gettext("None is declared"), ""
    if len(d.gap) <= 90:
        return words.of(d.gap), ""
    first, _, rest = words.plain(d.gap).partition(". ")
    if not rest or len(first) > 120:
        return Markup('<a href="#before">{}</a>').format(words.gettext("Read it before you use the data")), ""
    shown = words.of(d.gap) if words.knows(d.gap) else Markup('<span lang="en">{}.</span>').format(first)
    more = Markup('<a href="#before">{}</a>').format(words.gettext("More on this"))
    return (Markup("{}.").format(first) if words.knows(d.gap) else shown), more


def _why_not(d: Dataset, words: Words) -> str:
    if d.has_rows:
        return ""
    if d.shape == "listed":
        return words.gettext("The city does not collect this yet. It is listed so that you know what is missing.")
    if d.unit not in ("", "none"):
        return words.gettext(
            "Its rows tell of people, so nobody outside the city sees them. What the contract says is here."
        )
    return words.gettext("Its rows are not published. What the contract says of them is here.")


def _pinned(d: Dataset, edition: Edition, words: Words) -> str:
    return words.gettext(
        "You are looking at version %(n)s of %(day)s. The newest is version %(newest)s.",
        n=words.number(edition.number), day=words.day(edition.as_of), newest=words.number(d.editions[0].number),
    )  # fmt: skip


def _source(asked: Asked, d: Dataset, edition: Edition | None) -> str:
    words = asked.words
    if edition is None:
        return words.plain(d.title)
    return words.gettext(
        "%(title)s, version %(n)s of %(day)s",
        title=words.plain(d.title), n=words.number(edition.number), day=words.day(edition.as_of),
    )  # fmt: skip


def _over_time(asked: Asked, rows: Rows) -> OverTime | None:
    key = ("over time", rows.dataset.name, rows.edition.number)
    return asked.site.once(key, lambda: over_time(rows, until=asked.catalog.as_of))


def _chart(asked: Asked, d: Dataset, edition: Edition | None, rows: Rows | None) -> Chart | None:
    if rows is None:
        return None
    source = _source(asked, d, edition)
    told = _over_time(asked, rows)
    if told is not None:
        return _trend(asked, d, rows, told, source)
    parts = asked.site.once(("shares", d.name, rows.edition.number), lambda: shares(rows))
    return _parts(parts, source, asked.words) if parts is not None else None


def _trend(asked: Asked, d: Dataset, rows: Rows, told: OverTime, source: str) -> Chart:
    words = asked.words
    said, months = finding(told, words), tuple(words.month(m) for m in told.months)
    title = words.plain(next((c.title for c in d.columns if c.name == d.time), d.time))
    counts, means = tuple(float(n) for n in told.counts), told.yearly_means
    has_means = sum(m is not None for m in means) > MEANS_FROM
    label = words.gettext(
        "%(finding)s. Lowest month: %(low)s rows; highest: %(high)s.",
        finding=said, low=words.number(min(told.counts)), high=words.number(max(told.counts)),
    )  # fmt: skip
    line = Line(months, means, points=counts) if has_means else Line(months, counts)
    subtitle = (
        words.gettext("Rows in each whole month by %(column)s (dots), and the mean of 12 months (line)", column=title)
        if has_means
        else words.gettext("Rows in each whole month by %(column)s", column=title)
    )
    heads = (words.gettext("Month"), (words.gettext("Rows"), "num"))
    cells = [(m, words.number(n)) for m, n in zip(months, told.counts, strict=True)]
    pin = f"&version={rows.edition.number}" if asked.query.get("version") else ""
    return Chart(
        said,
        subtitle,
        trend(line, label=label, tick=lambda n: words.number(n, 0)),
        (),
        words.gettext("The chart counts rows of the file. Why there are more or fewer, it cannot say."),
        (*heads, (words.gettext("Mean of 12 months"), "num")) if has_means else heads,
        tuple((*c, words.number(m, 1) if m is not None else "–") for c, m in zip(cells, means, strict=True))
        if has_means
        else tuple(cells),
        source,
        f"{d.path}.csv?show=months{pin}",
    )


def _parts(told: Shares, source: str, words: Words) -> Chart:
    most = told.counts[0][2]
    made = tuple(
        Bar(words.of(label), round(100 * n / most, 1), words.number(n), words.percent(n / told.total, 1))
        for _, label, n in told.counts
    )
    missing = words.ngettext("In %(n)s row it is not recorded.", "In %(n)s rows it is not recorded.", told.missing)
    counts = words.gettext("The chart counts rows of the file.")
    return Chart(
        share_finding(told, words),
        words.gettext("Rows with each value"),
        Markup(""),
        made,
        f"{counts} {missing}" if told.missing else counts,
        (words.gettext("Value"), (words.gettext("Rows"), "num"), (words.gettext("Share"), "num")),
        tuple((b.label, b.count, b.share) for b in made),
        source,
        "",
    )


def _look(asked: Asked, rows: Rows) -> Looked:
    words, wanted = asked.words, asked.query.get("filter", "").strip()[:LONGEST]
    found = preview(rows, wanted)
    trouble = {
        "slow": words.gettext("This took too long. Try fewer or longer words, or download the file."),
        "gone": words.gettext("The rows cannot be shown at the moment."),
    }.get(found.trouble, "")
    if not trouble and not found.rows:
        trouble = (
            words.gettext("No row holds all of these words. Fewer words find more.")
            if wanted
            else words.gettext("It has no rows.")
        )
    fits = words.ngettext("%(n)s row", "%(n)s rows", found.fits or 0)
    all_rows = words.number(rows.total)
    said = (
        words.gettext("%(fits)s of %(total)s hold these words. The first are shown.", fits=fits, total=all_rows)
        if wanted
        else words.gettext("The first of %(fits)s, as in the file.", fits=fits)
    )
    kinds = tuple("num" if c.type in ("integer", "number") else "" for c in found.columns)
    heads = tuple((words.of(c.title or c.name), k) for c, k in zip(found.columns, kinds, strict=True))
    cells = tuple(tuple(_cell(v, c, words) for v, c in zip(r, found.columns, strict=True)) for r in found.rows)
    return Looked(heads, cells, wanted, said, trouble)


def _cell(value: Any, column: Column, words: Words) -> str | Markup | None:
    """A value as people write it; a number stays as it is in the file: it may be a year or a name."""
    if value is None:
        return None
    if isinstance(value, bool):
        return words.gettext("Yes") if value else words.gettext("No")
    if isinstance(value, datetime):
        return words.gettext(
            "%(day)s, %(time)s", day=words.day(value), time=format_time(value, "short", locale=words.locale)
        )
    if isinstance(value, date):
        return words.day(value)
    if isinstance(value, float):
        return f"{value:.6f}".rstrip("0").rstrip(".")
    label = next((label for v, label in column.allowed if v == value), None)
    text = str(value)
    return words.of(label) if label is not None else text if len(text) <= 80 else f"{text[:79]}…"


def _meaning(c: Column, d: Dataset, words: Words) -> Meaning:
    title = words.plain(c.title or c.name)
    lock = words.of(c.protection) if c.protection else Markup("")
    if not c.is_open and d.has_rows and not c.protection:
        lock = Markup("{}").format(words.gettext("Left out of the published rows"))
    shown = c.allowed[:8]
    return Meaning(
        title=words.of(c.title or c.name),
        name=c.name,
        text=words.of(" ".join(c.description.split())),
        lock=lock,
        allowed=tuple(words.of(label) for _, label in shown),
        more_allowed=len(c.allowed) - len(shown),
        kind=_type_words(c.type, words),
        bars=bars(c.bars, label=words.gettext("How the values of %(column)s are spread", column=title)),
        filled=words.percent(c.filled, 0 if c.filled in (0, 1) else 1) if c.filled is not None and c.is_open else "",
    )


def _type_words(kind: str, words: Words) -> str:
    told = {
        "string": words.gettext("Text"),
        "integer": words.gettext("Whole number"),
        "number": words.gettext("Number"),
        "boolean": words.gettext("Yes or no"),
        "date": words.gettext("Day"),
        "timestamp": words.gettext("Day and time"),
        "object": words.gettext("Shape on the map"),
    }
    return told.get(kind, kind)


def _trust(d: Dataset, words: Words) -> str:
    if not d.checks:
        return words.gettext("No run has checked it yet.")
    return words.ngettext(
        "%(n)s check runs before every version. When one that counts fails, the last good version stays.",
        "%(n)s checks run before every version. When one that counts fails, the last good version stays.",
        len(d.checks),
    )


def _check(check: Check, words: Words) -> tuple[str | Markup, ...]:
    kept = words.gettext("Kept") if check.is_kept else words.gettext("Broken")
    return words.of(check.text), kept, _then(check, words), words.of(check.dimension)


def _then(check: Check, words: Words) -> str:
    """What happens where a check is broken."""
    told = {
        "stop": words.gettext("The delivery is refused"),
        "set aside": words.gettext("The row is set aside"),
        "warn": words.gettext("It is told"),
    }
    return told.get(check.severity, check.severity)


def _strip(d: Dataset, words: Words) -> Markup:
    told = {
        "ok": words.gettext("no check stopped it or warned"),
        "late": words.gettext("late"),
        "bad": words.gettext("a check fails"),
        "none": words.gettext("nothing ran"),
    }
    shown = [(day.verdict, f"{words.day(day.on)}: {told[day.verdict]}") for day in d.days]
    return days(shown, label=words.gettext("Runs of the last 30 days, oldest first"))


def _strip_said(d: Dataset, words: Words) -> str:
    if not d.days or all(day.verdict == "none" for day in d.days):
        return words.gettext("Nothing ran in the last 30 days.")
    count = {v: sum(day.verdict == v for day in d.days) for v in ("ok", "late", "bad", "none")}
    ran = len(d.days) - count["none"]
    return " ".join(
        [
            words.ngettext("It ran on %(n)s day of %(all)s.", "It ran on %(n)s days of %(all)s.", ran, all=len(d.days)),
            words.ngettext("It was late on %(n)s.", "It was late on %(n)s.", count["late"]),
            words.ngettext("A check failed on %(n)s.", "A check failed on %(n)s.", count["bad"]),
        ]
    )


def _warnings(d: Dataset, words: Words) -> Iterable[tuple[str, Markup]]:
    """What to know before using it."""
    if d.gap:
        yield words.gettext("Known gap"), words.of(d.gap)
    if d.limitations:
        yield words.gettext("What it must not be used for"), words.of(d.limitations)
    if d.provenance:
        yield words.gettext("Where it comes from"), words.of(d.provenance)


def _register(d: Dataset, words: Words) -> Iterable[tuple[str, tuple[Markup, ...]]]:
    """What the city says of data about people, and of why it keeps them."""
    if d.purposes:
        yield words.gettext("What it is collected for"), tuple(words.of(p) for p in d.purposes)
    if d.legal_basis:
        yield words.gettext("The law it rests on"), (words.of(d.legal_basis),)
    if d.retention:
        yield words.gettext("How long it is kept"), (words.of(d.retention),)
    if d.harm_notes:
        yield words.gettext("Who could be hurt, and how"), (words.of(d.harm_notes),)
    if d.minimum_cell is not None:
        said = words.gettext("Groups of fewer than %(n)s people are hidden.", n=words.number(d.minimum_cell))
        yield words.gettext("Small groups"), (Markup("{}").format(said),)


def _protocols(asked: Asked, d: Dataset) -> Iterable[tuple[str, tuple[Markup, ...]]]:
    """What the city told the public before it used data about people."""
    words = asked.words
    about = [p for p in asked.catalog.protocols if p.covers(d.name)]
    made = [
        Markup('<a href="{}">{}</a> ({})').format(
            asked.link(p.path), words.of(p.title), standing_words(p.standing(asked.catalog.as_of), words)
        )
        for p in about
    ]
    if made:
        yield words.gettext("Data use protocol"), tuple(made)


def _edition(asked: Asked, d: Dataset, e: Edition, shown: Edition | None) -> Old:
    words = asked.words
    return Old(
        words.number(e.number),
        words.day(e.as_of),
        words.ngettext("%(n)s row", "%(n)s rows", e.rows) if e.rows is not None else "",
        tuple(words.of(c) for c in e.changes),
        f"{asked.link(d.path)}?{urlencode({'version': e.number})}",
        e is shown,
    )


def _downloads(d: Dataset, pinned: Edition | None, words: Words) -> Iterable[tuple[str, str, str]]:
    pin = f"?version={pinned.number}" if pinned else ""
    yield "Excel", f"{d.path}.xlsx{pin}", words.gettext("with what columns mean")
    yield "CSV", f"{d.path}.csv{pin}", words.gettext("for any program")
    yield "JSON", f"{d.path}.json{pin}", words.gettext("for programs")
    yield "Parquet", f"{d.path}.parquet{pin}", words.gettext("small and fast")
    if d.geometry or d.point:
        yield words.gettext("Map file, GeoJSON"), f"{d.path}.geojson{pin}", words.gettext("for maps")


def _steward(d: Dataset, words: Words) -> Steward | None:
    s = d.steward
    if s is None:
        return None
    href = f"mailto:{s.contact}" if "@" in s.contact and "/" not in s.contact else ""
    if s.contact.startswith(("https://", "http://", "/")) and not s.contact.startswith("//"):
        href = s.contact
    parts = re.findall(r"[^\W\d_]+", s.name.split("@")[0].split("(")[0])
    initials = "".join(p[0] for p in (parts[:1] + parts[1:][-1:])).upper()
    return Steward(
        words.of(s.name), initials, words.of(s.role), words.of(s.promise), words.of(s.hours), s.contact, href
    )


def _used_in(asked: Asked, d: Dataset) -> Iterable[Used]:
    catalog = asked.catalog
    named = [n for _, n in d.used_in if n in catalog.datasets]
    named += [o.name for o in catalog.datasets.values() if d.name in o.made_of and o.name not in named]
    for name in named:
        yield _used(asked, name)
    for story in catalog.stories:
        if any(q.measure in named for q in story.queries):
            kind = asked.words.gettext("story")
            yield Used(asked.words.of(story.title), asked.link(f"/stories/{story.id}"), kind)


def _used(asked: Asked, name: str) -> Used:
    d = asked.catalog.datasets[name]
    kind = asked.words.gettext("measure") if d.shape == "measure" else asked.words.gettext("table")
    return Used(asked.words.of(d.title), asked.link(d.path), kind)
