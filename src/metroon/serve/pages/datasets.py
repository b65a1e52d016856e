"""``/datasets``: everything that the city holds, whether it is public, restricted or not collected yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from metroon.base.catalog import Column
from metroon.base.search import folded
from metroon.serve.page import Page, Sheet
from metroon.serve.search import LONGEST, finder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date

    from markupsafe import Markup

    from metroon.base.catalog import Catalog, Dataset
    from metroon.serve.page import Asked
    from metroon.serve.words import Words

EACH = 20
"""Entries of one page."""
MOST_FOUND = 2000
"""Entries that a search of this page looks through: nobody reads on."""
FACETS = ("shape", "access", "department", "topic", "fresh", "map")
"""Parameters that narrow the list, in the order in which they are shown. They are the same in every language."""
FOLDED_FROM = 8
"""A longer list of choices is folded after so many."""


@dataclass(frozen=True)
class Choice:
    """One value of a facet, as a link that takes it or leaves it.

    Args:
        text: What people call it.
        count: Entries that the list would have.
        href: The address of that list.
        is_chosen: Whether it is taken.
    """

    text: str | Markup
    count: int
    href: str
    is_chosen: bool


@dataclass(frozen=True)
class Facet:
    """One way to narrow the list.

    Args:
        name: Its parameter.
        title: What people call it.
        choices: Its values, the most frequent first.
        more: Its rarer values.
    """

    name: str
    title: str
    choices: tuple[Choice, ...]
    more: tuple[Choice, ...]


@dataclass(frozen=True)
class Item:
    """One entry of the list.

    Args:
        title: Its name.
        href: Its page.
        kind: What it is.
        department: Who owns it.
        text: What it tells.
        pills: (Tone, words) of what to know before opening it.
        told: Rows and day, in words.
    """

    title: Markup
    href: str
    kind: str
    department: Markup
    text: Markup
    pills: tuple[tuple[str, str], ...]
    told: tuple[str, ...]


@dataclass(frozen=True)
class DatasetsView:
    """What the page shows.

    Args:
        title: Its name.
        description: For search engines.
        lede: What there is, in a sentence with counts.
        query: What was searched.
        kept: Parameters that a new search keeps.
        facets: Ways to narrow the list.
        chosen: What narrows it now; each link leaves one.
        items: Entries of this page.
        total: Entries that fit.
        counted: How many fit and which are shown, in a sentence.
        order: In which order they stand, in a sentence.
        sorts: Other orders.
        before: The page before; empty on the first.
        after: The page after; empty on the last.
        place: Which page of how many, in words; empty when there is one.
        clear: The address of the whole list.
        near: (Word, address): words that look like those searched, when nothing fits.
        data: The path of the list as data, without its ending.
        asked: Its parameters, with a question mark; empty without any.
    """

    title: str
    description: str
    lede: str
    query: str
    kept: tuple[tuple[str, str], ...]
    facets: tuple[Facet, ...]
    chosen: tuple[Choice, ...]
    items: tuple[Item, ...]
    total: int
    counted: str
    order: str
    sorts: tuple[Choice, ...]
    before: str
    after: str
    place: str
    clear: str
    near: tuple[tuple[str, str], ...]
    data: str
    asked: str


@dataclass(frozen=True)
class _Known:
    """One entry with the values by which it can be found."""

    dataset: Dataset
    values: Mapping[str, tuple[str, ...]]


class Datasets(Page):
    """The list of everything, which GET parameters narrow."""

    path = "/datasets"
    template = "datasets.html"

    def view(self, asked: Asked) -> DatasetsView:
        """One page of the entries that fit."""
        words, told = asked.words, _told(asked)
        found = _fits(asked, told)
        fits = found.known
        pages = max(1, -(-len(fits) // EACH))
        at = min(max(1, int(told["page"]) if told.get("page", "").isdecimal() and len(told["page"]) < 7 else 1), pages)
        shown = fits[(at - 1) * EACH : at * EACH]

        def href(**changed: str) -> str:
            return _href(asked, told, changed)

        facets = tuple(f for name in FACETS if (f := _facet(asked, name, found.counts[name], told)) is not None)
        return DatasetsView(
            title=words.gettext("Find data"),
            description=words.gettext(
                "All data of %(city)s: what is public, what is not, and why.", city=asked.catalog.city
            ),
            lede=_lede(asked.catalog, words),
            query=told.get("q", ""),
            kept=tuple((n, v) for n, v in told.items() if n not in ("q", "page")),
            facets=facets,
            chosen=tuple(c for f in facets for c in (*f.choices, *f.more) if c.is_chosen),
            items=tuple(_item(asked, k.dataset) for k in shown),
            total=len(fits),
            counted=_counted(words, at, len(shown), len(fits)),
            order=_order(told, words),
            sorts=_sorts(told, words, href),
            before=href(page=str(at - 1)) if at > 1 else "",
            after=href(page=str(at + 1)) if at < pages else "",
            place=_place(words, at, pages),
            clear=asked.link(self.path),
            near=_near(asked, told) if not fits else (),
            data=self.path,
            asked=f"?{urlencode(kept)}" if (kept := {n: v for n, v in told.items() if n != "page"}) else "",
        )

    def data(self, asked: Asked) -> Sheet:
        """The inventory, or the part of it that fits."""
        fits = _fits(asked, _told(asked)).known
        plain = asked.words.plain
        rows = [
            {
                "name": d.name,
                "title": plain(d.title),
                "description": plain(d.description),
                "kind": d.shape,
                "department": plain(d.department),
                "topic": plain(d.topic),
                "access": d.access,
                "rows": d.rows,
                "updated": d.updated,
                "version": d.version,
                "licence": d.licence.id,
                "is_late": is_late(d),
                "known_gap": plain(d.gap),
                "address": f"{asked.address}{d.path}",
            }
            for d in (k.dataset for k in fits)
        ]
        source = f"{asked.catalog.city}, {asked.catalog.as_of.isoformat()}"
        return Sheet("datasets", asked.words.gettext("Data inventory"), _COLUMNS, rows, source)


_COLUMNS = (
    Column("name", "Name", "Its permanent id.", "string"),
    Column("title", "Title", "What people call it.", "string"),
    Column("description", "Description", "What it is.", "string"),
    Column("kind", "Kind", "table, measure, or listed: not collected yet.", "string"),
    Column("department", "Department", "Who owns it.", "string"),
    Column("topic", "Topic", "What it is about.", "string"),
    Column("access", "Access", "public, restricted public or non-public, in the words of DCAT-US.", "string"),
    Column("rows", "Rows", "Published rows; empty when none are.", "integer"),
    Column("updated", "Updated", "The day of its newest version.", "date"),
    Column("version", "Version", "The number of its newest published version.", "integer"),
    Column("licence", "Licence", "SPDX identifier of what readers may do with it.", "string"),
    Column("is_late", "Is late", "Whether it is later than was promised.", "boolean"),
    Column("known_gap", "Known gap", "What is missing in it.", "string"),
    Column("address", "Address", "Its page.", "string"),
)


def is_late(dataset: Dataset) -> bool:
    """Whether a dataset is later than was promised."""
    return bool(dataset.late) or dataset.promise.is_kept is False


def has_map(dataset: Dataset, catalog: Catalog) -> bool:
    """Whether it tells where: its rows have shapes or points, or its numbers are told by place."""
    score = catalog.scores.get(dataset.name) if dataset.shape == "measure" else None
    if score is not None:
        return any(g.shapes for g in score.measured.geographies)
    return dataset.has_rows and bool(dataset.geometry or dataset.point)


def topics_of(catalog: Catalog) -> Mapping[str, tuple[str, ...]]:
    """Name -> what it is about: goals for measures, and the goals of what is made of it for tables."""
    found: dict[str, dict[str, None]] = {n: {} for n in catalog.datasets}
    for d in catalog.datasets.values():
        if d.shape != "table" and d.topic:
            found[d.name][d.topic] = None
            _pass_on(catalog, d, d.topic, found)
    return {n: tuple(topics) for n, topics in found.items()}


def _pass_on(catalog: Catalog, made: Dataset, topic: str, found: dict[str, dict[str, None]]) -> None:
    for name in made.made_of:
        if name in found and topic not in found[name]:
            found[name][topic] = None
            _pass_on(catalog, catalog.datasets[name], topic, found)


def kind_words(dataset: Dataset, words: Words) -> str:
    """What a dataset is, in words."""
    told = {
        "table": words.gettext("Table"),
        "measure": words.gettext("Measure"),
        "listed": words.gettext("Not collected yet"),
    }
    return told[dataset.shape]


def access_words(dataset: Dataset, words: Words) -> str:
    """Who may have a dataset's rows, in words."""
    told = {
        "public": words.gettext("Public"),
        "restricted public": words.gettext("Restricted"),
        "non-public": words.gettext("Not public"),
    }
    return told[dataset.access]


def _told(asked: Asked) -> dict[str, str]:
    """The parameters that mean something here; others are left alone."""
    known = {n: v.strip()[:LONGEST] for n in ("q", *FACETS, "sort", "page") if (v := asked.query.get(n, "")).strip()}
    return {n: v for n, v in known.items() if n != "sort" or v in ("title", "updated", "best")}


def _href(asked: Asked, told: Mapping[str, str], changed: Mapping[str, str]) -> str:
    kept = {n: v for n, v in {**told, "page": "", **changed}.items() if v}
    return asked.link("/datasets") + (f"?{urlencode(kept)}" if kept else "")


def _inventory(asked: Asked) -> Sequence[_Known]:
    """Everything with its values, in the order of titles in the language asked for; made once."""

    def made() -> Sequence[_Known]:
        catalog = asked.catalog
        topics = asked.site.once("topics", lambda: topics_of(catalog))
        known = [_Known(d, _values(d, catalog, topics.get(d.name, ()))) for d in catalog.datasets.values()]
        return sorted(known, key=lambda k: (folded(asked.words.plain(k.dataset.title)), k.dataset.name))

    return asked.site.once(("inventory", asked.words.language), made)


def _values(d: Dataset, catalog: Catalog, topics: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    fresh = "late" if is_late(d) else "kept" if d.promise.is_kept else ""
    return {
        "shape": (d.shape,),
        "access": (d.access,),
        "department": (d.department,) if d.department else (),
        "topic": topics,
        "fresh": (fresh,) if fresh else (),
        "map": ("yes",) if has_map(d, catalog) else (),
    }


@dataclass(frozen=True)
class _Fits:
    """What the search and the choices leave, and how many entries each choice would leave."""

    known: Sequence[_Known]
    counts: Mapping[str, Mapping[str, int]]


def _fits(asked: Asked, told: Mapping[str, str]) -> _Fits:
    every = _inventory(asked)
    chosen = [(n, told[n]) for n in FACETS if n in told]
    if not chosen and "q" not in told:
        counts = asked.site.once("facets", lambda: _narrowed(every, []).counts)
        return _Fits(_sorted(every, told), counts)
    fits = _narrowed(_searched(asked, every, told), chosen)
    return _Fits(_sorted(fits.known, told), fits.counts)


def _narrowed(found: Sequence[_Known], chosen: Sequence[tuple[str, str]]) -> _Fits:
    """What fits every choice. A choice counts what all others leave, so that its link shows as many as it says."""
    counts: dict[str, dict[str, int]] = {n: {} for n in FACETS}
    fits: list[_Known] = []
    for known in found:
        against = [n for n, v in chosen if v not in known.values[n]]
        if not against:
            fits.append(known)
        if len(against) <= 1:
            for name in against or FACETS:
                for value in known.values[name]:
                    counts[name][value] = counts[name].get(value, 0) + 1
    return _Fits(fits, counts)


def _searched(asked: Asked, every: Sequence[_Known], told: Mapping[str, str]) -> Sequence[_Known]:
    if "q" not in told:
        return every
    by_path = asked.site.once(("paths", asked.words.language), lambda: {k.dataset.path: k for k in every})
    hits = finder(asked.site).find(told["q"], limit=MOST_FOUND)
    found = [k for h in hits if (k := by_path.get(h.entry.path)) is not None]
    if told.get("sort") != "title":
        return found
    kept = {k.dataset.name for k in found}
    return [k for k in every if k.dataset.name in kept]


def _sorted(found: Sequence[_Known], told: Mapping[str, str]) -> Sequence[_Known]:
    if told.get("sort") != "updated":
        return found
    return sorted(found, key=lambda k: -_ordinal(k.dataset.updated))


def _ordinal(day: date | None) -> int:
    return day.toordinal() if day else 0


def _facet(asked: Asked, name: str, found: Mapping[str, int], told: Mapping[str, str]) -> Facet | None:
    """One facet with the counts that its links bring."""
    counts = dict(found)
    chosen = told.get(name, "")
    if chosen and chosen not in counts:
        counts[chosen] = 0
    if not counts:
        return None
    order = sorted(counts, key=lambda v: (v != chosen, -counts[v], v))
    choices = tuple(
        Choice(
            _value_words(asked, name, v), counts[v], _href(asked, told, {name: "" if v == chosen else v}), v == chosen
        )
        for v in order
    )
    cut = FOLDED_FROM if len(choices) > FOLDED_FROM + 1 else len(choices)
    return Facet(name, _facet_words(name, asked.words), choices[:cut], choices[cut:])


def _facet_words(name: str, words: Words) -> str:
    told = {
        "shape": words.gettext("Kind"),
        "access": words.gettext("Who may have the rows"),
        "department": words.gettext("Department"),
        "topic": words.gettext("Topic"),
        "fresh": words.gettext("Promise"),
        "map": words.gettext("Place"),
    }
    return told[name]


def _value_words(asked: Asked, name: str, value: str) -> str | Markup:
    words = asked.words
    told = {
        ("shape", "table"): words.gettext("Table"),
        ("shape", "measure"): words.gettext("Measure"),
        ("shape", "listed"): words.gettext("Not collected yet"),
        ("access", "public"): words.gettext("Public"),
        ("access", "restricted public"): words.gettext("Restricted"),
        ("access", "non-public"): words.gettext("Not public"),
        ("fresh", "late"): words.gettext("Late"),
        ("fresh", "kept"): words.gettext("As fresh as promised"),
        ("map", "yes"): words.gettext("Has a map"),
    }
    return told.get((name, value)) or words.of(value)


def _lede(catalog: Catalog, words: Words) -> str:
    every = catalog.datasets.values()
    total, public = len(every), sum(d.has_rows for d in every)
    listed = sum(d.shape == "listed" for d in every)
    first = words.ngettext(
        "The city lists %(n)s dataset and measure.", "The city lists %(n)s datasets and measures.", total
    )
    second = words.ngettext("You can download %(n)s of them.", "You can download %(n)s of them.", public)
    if not listed:
        return f"{first} {second}"
    third = words.ngettext(
        "%(n)s is not collected yet, and it says why.", "%(n)s are not collected yet, and they say why.", listed
    )
    return f"{first} {second} {third}"


def _counted(words: Words, at: int, shown: int, total: int) -> str:
    if shown == total:
        return words.ngettext("%(n)s fits.", "%(n)s fit.", total) if total else words.gettext("None fits.")
    first = (at - 1) * EACH + 1
    return words.gettext(
        "%(first)s to %(last)s of %(total)s.",
        first=words.number(first), last=words.number(first + shown - 1), total=words.number(total),
    )  # fmt: skip


def _place(words: Words, at: int, pages: int) -> str:
    told = words.gettext("Page %(n)s of %(total)s", n=words.number(at), total=words.number(pages))
    return told if pages > 1 else ""


def _near(asked: Asked, told: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((n, _href(asked, {"q": n}, {})) for n in finder(asked.site).near(told.get("q", "")))


def _order(told: Mapping[str, str], words: Words) -> str:
    if told.get("sort") == "updated":
        return words.gettext("Newest first.")
    if told.get("q") and told.get("sort") != "title":
        return words.gettext("Best match first.")
    return words.gettext("In the order of their titles.")


def _sorts(told: Mapping[str, str], words: Words, href: Callable[..., str]) -> tuple[Choice, ...]:
    now = told.get("sort") or ("best" if told.get("q") else "title")
    names = {"best": words.gettext("Best match"), "title": words.gettext("Title"), "updated": words.gettext("Newest")}
    shown = [n for n in names if n != "best" or told.get("q")]
    return tuple(Choice(names[n], 0, href(sort=n), n == now) for n in shown)


def _item(asked: Asked, d: Dataset) -> Item:
    words = asked.words
    pills: list[tuple[str, str]] = []
    if is_late(d):
        pills.append(("watch", words.gettext("Late")))
    if d.access != "public" and d.shape != "listed":
        pills.append(("mute", access_words(d, words)))
    if d.shape == "listed":
        pills.append(("mute", words.gettext("Not collected yet")))
    if d.checks and not all(c.is_kept for c in d.checks):
        pills.append(("watch", words.gettext("A check fails")))
    told = []
    if d.rows is not None and d.shape == "table":
        told.append(words.ngettext("%(n)s row", "%(n)s rows", d.rows))
    elif d.shape == "table":
        told.append(words.gettext("No rows are published"))
    elif d.rows is not None:
        told.append(words.ngettext("%(n)s number", "%(n)s numbers", d.rows))
    if d.updated:
        told.append(words.gettext("Updated %(day)s", day=words.day(d.updated)))
    return Item(
        words.of(d.title), asked.link(d.path), kind_words(d, words), words.of(d.department), words.of(d.description),
        tuple(pills), tuple(told),
    )  # fmt: skip
