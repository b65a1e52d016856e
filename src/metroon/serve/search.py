"""What can be searched in a catalog, in every language of the portal, and why something was found."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from metroon.base.search import Entry, Hit, Index, folded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from metroon.base.catalog import Catalog, Dataset, Term
    from metroon.serve.site import Site
    from metroon.serve.words import Words

WORTH = {"goal": 1.2, "measure": 1.2, "table": 1.1, "kept": 0.8, "listed": 0.8, "page": 0.7, "term": 0.05}
"""What a result is worth beside others that fit as well: answers before tables, rows that one may have before others.

Meanings of words stand in a group of their own, so they need not be first."""
KINDS = ("goal", "measure", "table", "listed", "neighborhood", "story", "term", "page")
"""What is found, in the order in which groups of equal worth are shown."""
LONGEST = 200
"""Characters of a question that are looked at."""
ALIKE = 0.6
"""How well a word says what another one means that only looks like it."""
PART = 0.4
"""How well a part of a name says the whole."""
SHORTEST_PART = 4
FEW = 2
"""A word that stands in more entries of the glossary than this tells none of them."""
LONGEST_KEPT = 60
"""Longer questions are never kept: they may tell a story of somebody."""
_SILENT = {
    "en": "a about an and any are as at be by can could did do does for from get give has have how i in is it its "
    "many me more most much my near new of on or our per show should so tell that the their there these they this to "
    "was we were what when where which who whom whose why will with would you your find data dataset datasets list "
    "long often take takes come comes until used city",
    "es": "a al como con cual cuales cuando cuanta cuantas cuanto cuantos de del donde el ella en es esta estan este "
    "hay la las lo los me mi mis muchas muchos para por porque que quien se son su sus tiene un una unas unos y yo "
    "datos ciudad dame muestra nuestra nuestro nuestras nuestros",
    "vi": "bao nhieu nao o dau la cua toi cac nhung mot va co khong cho trong voi nay do thi duoc bi ai gi khi the nhu "
    "minh chung ta du lieu thanh pho",
    "zh-Hans": "的 了 吗 呢 是 在 有 我 你 他 们 和 多少 什么 怎么 哪里 哪些 我们 数据",
}
# Without their accents these would be other words: đến (to) would be đèn (lamp).
_ACCENTED = "đến trên mất lâu phải để về lên vào cách bằng hơn từ với đang đã sẽ ở là có"
_SILENT_ACCENTED = frozenset(_ACCENTED.split())
_TYPED = re.compile(r"[^\W_]+")
_HAN_SILENT = frozenset("的了吗呢是在有我你他们和多少什么怎哪里些数据城市能")
# A number, in any writing: an address, a telephone number, a case or a date of birth is not kept, nor what looks so.
_NUMBERED = re.compile(r"[一二三四五六七八九十百零〇两]+\s*(?:号|街|路|巷|弄|室|楼|栋|单元)")
_MAILED = re.compile(r"@|https?:|www\.", re.IGNORECASE)
_NAMED = re.compile(r"\b[^\W\d_a-z][^\W\d_]+(?:\s+[^\W\d_a-z]\.?[^\W\d_]*)+")


@dataclass(frozen=True)
class Finder:
    """The search of one catalog.

    Args:
        index: Everything that can be found.
        terms: The glossary: words in any language -> every way to say the same, with how well it does.
        parts: A word that stands in few of them -> the ways of those.
    """

    index: Index
    terms: Mapping[tuple[str, ...], Mapping[str, float]]
    parts: Mapping[str, Mapping[str, float]]

    def find(self, query: str, *, limit: int = 50) -> tuple[Hit, ...]:
        """What fits a question in plain words best."""
        return self.index.find(list(self.ideas(query)), limit=limit)

    def ideas(self, query: str) -> Iterator[dict[str, float]]:
        """What a question asks for: for each idea, all words that say it, with how well they do.

        A word of the glossary, in any language, stands for all its other words too. Words that say nothing are left
        out; words that nothing is called by are taken for those that look like them.
        """
        typed = [(f, w) for w in _TYPED.findall(query[:LONGEST].casefold()) for f in folded(w)]
        words = tuple(f for f, _ in typed)
        longest = max(map(len, self.terms), default=0)
        spans = [
            (i, i + n)
            for n in range(min(longest, len(words)), 0, -1)
            for i in range(len(words) - n + 1)
            if words[i : i + n] in self.terms
        ]
        kept = [s for s in spans if not any(o != s and o[0] <= s[0] and s[1] <= o[1] for o in spans)]
        covered = {i for first, end in kept for i in range(first, end)}
        alone = [i for i in range(len(words)) if i not in covered]
        telling = [i for i in alone if not is_silent(*typed[i])] or ([] if kept else alone)
        for first, end in sorted([*kept, *((i, i + 1) for i in telling)]):
            said = words[first:end]
            ways = self.terms.get(said)
            yield {" ".join(said): 1.0, **ways} if ways else self._alone(said[0])

    def _alone(self, word: str) -> dict[str, float]:
        found = {word: 1.0}
        if not self.index.begins(word):
            found.update((near, ALIKE) for near in self.index.near(word, least=0.8) if len(word) > 3)
        return {**self.parts.get(word, {}), **found}

    def near(self, query: str) -> tuple[str, ...]:
        """Words that things here are called by and that look like those asked for."""
        asked = [w for w in re.findall(r"[^\W\d_]{3,}", query[:LONGEST]) if not is_silent(folded(w)[0])]
        found = [n for w in asked[:4] if not self.index.knows(w) for n in self.index.near(w)]
        return tuple(dict.fromkeys(found))[:5]


def finder(site: Site) -> Finder:
    """The search of a site, made at the first question."""
    return site.once("search", lambda: made(site.catalog, site.words))


def made(catalog: Catalog, spoken: Mapping[str, Words]) -> Finder:
    """The search of a catalog.

    Args:
        catalog: What can be found.
        spoken: Language -> its words.
    """
    return Finder(Index(_entries(catalog, list(spoken.values()))), _ways(catalog.terms), _parts(catalog.terms))


def may_keep(query: str) -> bool:
    """Whether a question that found nothing may be shown to stewards: only when it cannot tell of anybody.

    Nothing with a number in it, an e-mail or web address, two words written as names are, or more than 60 characters.

    Example:
        >>> may_keep("dog parks"), may_keep("12 Main Street"), may_keep("Maria Lopez"), may_keep("a@b.example")
        (True, False, False, False)
    """
    text = query.strip()
    has_number = any(unicodedata.category(c).startswith("N") for c in text) or _NUMBERED.search(text)
    unfit = has_number or _MAILED.search(text) or _NAMED.search(text)
    return 0 < len(text) <= LONGEST_KEPT and bool(folded(text)) and not unfit


def is_silent(word: str, typed: str = "") -> bool:
    """Whether a word, as the index knows it and as it was typed, says nothing of what is looked for."""
    return word in _SILENT_WORDS or typed in _SILENT_ACCENTED or (not word.isascii() and set(word) <= _HAN_SILENT)


_SILENT_WORDS = frozenset(w for told in _SILENT.values() for w in folded(told))


def _ways(terms: Iterable[Term]) -> dict[tuple[str, ...], dict[str, float]]:
    """Every way to say a term -> all its ways; the single words of its own name say a little of it."""
    found: dict[tuple[str, ...], dict[str, float]] = {}
    for term in terms:
        ways = dict.fromkeys([term.term, *(s for said in term.synonyms.values() for s in said)], 1.0)
        telling = [w for w in folded(term.term) if not is_silent(w) and len(w) > 2]
        loose = dict.fromkeys(telling, PART) if len(telling) > 1 else {}
        for way in ways:
            if words := folded(way):
                found[words] = {**loose, **found.get(words, {}), **ways}
    return found


def _parts(terms: Iterable[Term]) -> dict[str, dict[str, float]]:
    """A word of few glossary entries -> their ways, which say a part of it: ``deaths`` of "deaths and injuries"."""
    holding: dict[str, dict[str, Term]] = {}
    for term in terms:
        # Not in Vietnamese: there a word is a syllable, which says too little alone.
        for way in (term.term, *(s for n in term.synonyms if n != "vi" for s in term.synonyms[n])):
            for word in folded(way):
                if not is_silent(word) and (len(word) >= SHORTEST_PART or not word.isascii()):
                    holding.setdefault(word, {})[term.id] = term
    return {
        word: {w: PART for t in held.values() for w in (t.term, *(s for said in t.synonyms.values() for s in said))}
        for word, held in holding.items()
        if len(held) <= FEW
    }


def _entries(catalog: Catalog, spoken: Sequence[Words]) -> Iterator[Entry]:
    def named(*texts: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(t for text in texts if text for t in (text, *(w.plain(text) for w in spoken))))

    for d in catalog.datasets.values():
        columns = () if d.shape == "measure" else tuple(t for c in d.columns for t in named(c.title, c.name))
        tags = tuple(t for tag in _tags(d, catalog) for t in named(tag))
        yield Entry(d.shape, d.path, named(d.title), (*tags, d.name), columns, _told(d, catalog, named), _worth(d))
    for g in catalog.goals:
        titles = tuple(t for s in g.scores for t in named(s.measured.title))
        said = named(*(t for s in g.scores for t in _tags(catalog.datasets[s.measured.measure], catalog)))
        about = named(g.outcome, g.department)
        yield Entry("goal", f"/goals/{g.goal}", named(g.title), said, titles, about, WORTH["goal"])
    places = catalog.geographies.get(catalog.neighborhoods)
    for key, name in places.names.items() if places else ():
        yield Entry("neighborhood", f"/neighborhoods/{key}", named(name), (), (), named(places.title if places else ""))
    for story in catalog.stories:
        yield Entry("story", f"/stories/{story.id}", (story.title,), (), (), (story.summary, story.markdown[:2000]))
    for term in catalog.terms:
        said = tuple(s for ways in term.synonyms.values() for s in ways)
        told = named(term.meaning, term.not_to_confuse)
        yield Entry("term", f"/glossary/{term.id}", named(term.term), said, (), told, WORTH["term"])
    yield from _pages(spoken)


def _worth(d: Dataset) -> float:
    return WORTH["kept" if d.shape == "table" and not d.has_rows else d.shape]


def _tags(d: Dataset, catalog: Catalog) -> tuple[str, ...]:
    """Its own further words, and those of what it is made of."""
    under = (catalog.datasets[n] for n in d.made_of if n in catalog.datasets)
    return tuple(dict.fromkeys(t for one in (d, *under) for t in one.tags if t != "invented"))


def _told(d: Dataset, catalog: Catalog, named: Callable[..., tuple[str, ...]]) -> tuple[str, ...]:
    score = catalog.scores.get(d.name)
    asks = score.measured.question if score else ""
    chain = tuple(t for _, told in score.chain for t in named(told)) if score else ()
    groups = tuple(t for g in score.measured.geographies for t in named(g.title)) if score else ()
    topics = named(d.topic.replace("_", " "))
    values = tuple(t for c in d.columns for _, label in c.allowed[:20] for t in named(label))
    under = [catalog.datasets[n] for n in d.made_of if n in catalog.datasets]
    sources = tuple(t for u in under for t in named(u.title, u.description))
    return (
        *sources,
        *named(asks, d.description, d.grain, d.department),
        *topics,
        *chain,
        *groups,
        *d.purposes,
        d.gap,
        *values,
    )


def _pages(spoken: Sequence[Words]) -> Iterator[Entry]:
    """Pages that are not about one thing of the catalog."""
    for path, told in PAGES.items():
        titles = dict.fromkeys(t for w in spoken for t in page_words(path, w)[:1])
        texts = dict.fromkeys(t for w in spoken for t in page_words(path, w)[1:])
        yield Entry("page", path, tuple(titles), told, (), tuple(texts), WORTH["page"])


PAGES: Mapping[str, tuple[str, ...]] = {
    "/plan": ("strategy", "estrategia", "chiến lược", "战略", "计划"),
    "/privacy": ("protected", "privacidad", "quyền riêng tư", "隐私", "personal information"),
    "/method": ("formula", "uncertainty", "statistics", "método", "phương pháp", "方法"),
    "/glossary": ("dictionary", "glosario", "thuật ngữ", "词汇表"),
    "/neighborhoods": ("barrios", "vecindarios", "khu phố", "社区", "街区"),
    "/goals": ("targets", "objetivos", "metas", "mục tiêu", "目标"),
    "/measures": ("indicators", "indicadores", "chỉ số", "指标"),
    "/stories": ("historias", "câu chuyện", "故事"),
    "/accessibility": ("screen reader", "disability", "accesibilidad", "trợ năng", "无障碍"),
    "/feeds": ("alerts", "follow", "subscribe", "rss", "avisos", "theo dõi", "订阅"),
    "/api": ("developers", "programs", "ckan", "desarrolladores", "lập trình", "接口"),
}
"""Pages of their own -> words that people say for them, in all languages."""


def page_words(path: str, words: Words) -> tuple[str, str]:
    """The name of a page and what it tells, in one language."""
    told = {
        "/plan": (words.gettext("The city's plan"), words.gettext("What the city set out to do, and what is done.")),
        "/privacy": (
            words.gettext("How privacy is protected"),
            words.gettext("What is hidden, blurred or left out, so that nobody can be found in the numbers."),
        ),
        "/method": (words.gettext("How we measure"), words.gettext("How numbers are counted, and how sure they are.")),
        "/glossary": (words.gettext("Glossary"), words.gettext("What words mean here.")),
        "/neighborhoods": (words.gettext("Neighborhoods"), words.gettext("How each neighborhood is doing.")),
        "/goals": (words.gettext("City goals"), words.gettext("What the city wants to reach, and how far it is.")),
        "/measures": (words.gettext("Measures"), words.gettext("All numbers that are followed.")),
        "/stories": (words.gettext("Stories"), words.gettext("Texts with numbers that stay current.")),
        "/accessibility": (
            words.gettext("Accessibility statement"),
            words.gettext("For whom this site works, how that was tested, and what does not work yet."),
        ),
        "/feeds": (words.gettext("Feeds and alerts"), words.gettext("How to hear of changes.")),
        "/api": (words.gettext("Doors for programs"), words.gettext("How programs read the catalog and its rows.")),
    }
    return told[path]
