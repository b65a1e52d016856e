"""``/search?q=``: what fits a question in plain words, grouped by what it is, and why it was found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from markupsafe import escape

from metroon.base.catalog import Column
from metroon.base.search import folded
from metroon.serve.page import Page, Sheet
from metroon.serve.search import KINDS, LONGEST, finder, may_keep, page_words

if TYPE_CHECKING:
    from markupsafe import Markup

    from metroon.base.search import Entry, Hit
    from metroon.serve.page import Asked
    from metroon.serve.search import Finder
    from metroon.serve.words import Words

MOST = 40
EACH = 6
"""Results of one kind that are shown; the rest is counted and linked."""
WEAKEST = 0.25
"""Results that fit so much worse than the best, as a share of its score, are left out; meanings of words are not."""


@dataclass(frozen=True)
class Found:
    """One result.

    Args:
        title: Its name.
        href: Its page.
        text: What it tells, shortened.
        why: Where the words were found, in a sentence.
    """

    title: Markup
    href: str
    text: Markup
    why: str


@dataclass(frozen=True)
class Group:
    """Results of one kind.

    Args:
        title: What they are.
        found: The best of them.
        more: How many there are besides, in words; empty for none.
        href: Where all are; empty when there is no such list.
    """

    title: str
    found: tuple[Found, ...]
    more: str
    href: str


@dataclass(frozen=True)
class SearchView:
    """What the page shows.

    Args:
        title: Its name.
        query: What was asked.
        groups: What was found; the kind with the best result comes first.
        said: How many there are, in a sentence.
        near: (Word, address): words that look like those asked for.
        kept: Whether the stewards hear of a question without an answer.
        ways: (Name, address, what is there): where else to look.
    """

    title: str
    query: str
    groups: tuple[Group, ...]
    said: str
    near: tuple[tuple[str, str], ...]
    kept: bool
    ways: tuple[tuple[str, str, str], ...]


class Search(Page):
    """The search of the whole site."""

    path = "/search"
    template = "search.html"

    def view(self, asked: Asked) -> SearchView:
        """What fits, or what to try when nothing does."""
        words, query = asked.words, asked.query.get("q", "").strip()[:LONGEST]
        find = finder(asked.site)
        hits = _hits(find, query)
        is_kept = bool(query) and not hits and may_keep(query)
        if is_kept and asked.site.heard is not None:
            asked.site.heard(query, words.language)
        return SearchView(
            title=words.gettext("Search: %(query)s", query=query) if query else words.gettext("Search"),
            query=query,
            groups=_groups(asked, find, query, hits),
            said=words.ngettext("%(n)s result.", "%(n)s results, the best first.", len(hits)) if hits else "",
            near=tuple((w, f"{asked.link(self.path)}?{urlencode({'q': w})}") for w in find.near(query)),
            kept=is_kept and asked.site.heard is not None,
            ways=tuple(ways(asked)),
        )

    def data(self, asked: Asked) -> Sheet:
        """The results as a table."""
        words, query = asked.words, asked.query.get("q", "").strip()[:LONGEST]
        rows = [
            {"kind": h.entry.kind, "title": _title(asked, h.entry), "address": f"{asked.address}{h.entry.path}"}
            for h in _hits(finder(asked.site), query)
        ]
        return Sheet("search", words.gettext("Search: %(query)s", query=query), _COLUMNS, rows, asked.catalog.city)


_COLUMNS = (
    Column("kind", "Kind", "What it is.", "string"),
    Column("title", "Title", "What people call it.", "string"),
    Column("address", "Address", "Its page.", "string"),
)


def ways(asked: Asked) -> list[tuple[str, str, str]]:
    """Where else to look: lists that hold something, with what is there."""
    catalog, words = asked.catalog, asked.words
    shown = ["/measures", "/goals", "/neighborhoods", "/glossary", "/plan", "/stories"]
    is_there = {
        "/goals": bool(catalog.goals),
        "/neighborhoods": bool(catalog.neighborhoods),
        "/glossary": bool(catalog.terms),
        "/plan": catalog.plan is not None,
        "/stories": bool(catalog.stories),
    }
    every = words.gettext("All data"), asked.link("/datasets"), words.gettext("Everything that the city holds.")
    return [every, *((n, asked.link(p), t) for p in shown if is_there.get(p, True) for n, t in [page_words(p, words)])]


def _hits(find: Finder, query: str) -> tuple[Hit, ...]:
    hits = find.find(query, limit=MOST) if query else ()
    return tuple(h for h in hits if h.entry.kind == "term" or h.score >= WEAKEST * hits[0].score)


def _groups(asked: Asked, find: Finder, query: str, hits: tuple[Hit, ...]) -> tuple[Group, ...]:
    by_kind: dict[str, list[Hit]] = {}
    for hit in hits:
        by_kind.setdefault(hit.entry.kind, []).append(hit)
    order = sorted(by_kind, key=lambda k: (-by_kind[k][0].score, KINDS.index(k)))
    ideas = list(find.ideas(query))
    return tuple(
        Group(
            _kind_words(kind, asked.words),
            tuple(_found(asked, h, ideas, query) for h in by_kind[kind][:EACH]),
            asked.words.ngettext("%(n)s more", "%(n)s more", n) if (n := len(by_kind[kind]) - EACH) > 0 else "",
            _all_of(asked, kind, query),
        )
        for kind in order
    )


def _kind_words(kind: str, words: Words) -> str:
    told = {
        "goal": words.gettext("City goals"),
        "measure": words.gettext("Measures"),
        "table": words.gettext("Datasets"),
        "listed": words.gettext("Not collected yet"),
        "neighborhood": words.gettext("Neighborhoods"),
        "story": words.gettext("Stories"),
        "term": words.gettext("What words mean here"),
        "page": words.gettext("Pages"),
    }
    return told[kind]


def _all_of(asked: Asked, kind: str, query: str) -> str:
    if kind in ("measure", "table", "listed"):
        return f"{asked.link('/datasets')}?{urlencode({'q': query, 'shape': kind})}"
    lists = {"goal": "/goals", "neighborhood": "/neighborhoods", "story": "/stories", "term": "/glossary"}
    return asked.link(lists[kind]) if kind in lists else ""


def _title(asked: Asked, entry: Entry) -> str:
    if entry.kind == "page":
        return page_words(entry.path, asked.words)[0]
    return asked.words.plain(entry.titles[0])


def _found(asked: Asked, hit: Hit, ideas: list[dict[str, float]], query: str) -> Found:
    words, entry = asked.words, hit.entry
    text = words.of(_text(asked, entry))
    if entry.kind == "page":
        title, text = (escape(told) for told in page_words(entry.path, words))
    else:
        title = words.of(entry.titles[0])
    return Found(title, asked.link(entry.path), text, _why(hit, ideas, query, words))


def _text(asked: Asked, entry: Entry) -> str:
    """One sentence on a result, in the city's own words."""
    catalog, name = asked.catalog, entry.path.rpartition("/")[2]
    if entry.kind in ("table", "listed"):
        return catalog.datasets[name].description
    if entry.kind == "measure":
        score = catalog.scores.get(name)
        return score.measured.question if score else catalog.datasets[name].description
    if entry.kind == "goal":
        return next((g.outcome for g in catalog.goals if g.goal == name), "")
    if entry.kind == "term":
        return next((t.meaning for t in catalog.terms if t.id == name), "")
    if entry.kind == "story":
        return next((s.summary for s in catalog.stories if s.id == name), "")
    return ""


def _why(hit: Hit, ideas: list[dict[str, float]], query: str, words: Words) -> str:
    """Where the words were found, the strongest place first; another word for one of them is named."""
    typed = f" {' '.join(folded(query))} "
    for field in hit.fields:
        texts: tuple[str, ...] = getattr(hit.entry, field)
        for said in sorted(_ways(ideas), key=lambda way: f" {' '.join(folded(way))} " not in typed):
            if not (name := _holding(texts, said)):
                continue
            if f" {' '.join(folded(said))} " not in typed:
                return words.gettext("Found by another word: %(word)s.", word=said)
            return _where(hit, field, name, words)
    return _where(hit, hit.fields[0], "", words)


def _where(hit: Hit, field: str, name: str, words: Words) -> str:
    if field == "columns" and name and hit.entry.kind in ("table", "listed"):
        return words.gettext("Found in its column %(name)s.", name=words.plain(name))
    told = {
        "titles": words.gettext("Found in its name."),
        "synonyms": words.gettext("Found in words for it."),
        "columns": words.gettext("Found in what belongs to it."),
        "text": words.gettext("Found in its description."),
    }
    return told[field]


def _ways(ideas: list[dict[str, float]]) -> list[str]:
    """All words and phrases of a question, those that say most first."""
    every = [(fit, way) for idea in ideas for way, fit in idea.items()]
    return [way for _, way in sorted(every, key=lambda told: -told[0])]


def _holding(texts: tuple[str, ...], said: str) -> str:
    """The first text that holds a word or phrase."""
    phrase = f" {' '.join(folded(said))} "
    return next((t for t in texts if phrase in f" {' '.join(folded(t))} "), "") if phrase.strip() else ""
