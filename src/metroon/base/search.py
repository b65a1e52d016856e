"""Search in plain words: an index in memory (SQLite FTS5) of short texts in any language.

Words are folded here (case, accents, plural endings; Chinese and Japanese into pairs of characters), for entries and
questions alike. What a person types reaches the index as quoted words only, never as its query language.
"""

from __future__ import annotations

import re
import sqlite3
import unicodedata
from bisect import bisect_left
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from math import log
from threading import Lock
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Field = Literal["titles", "synonyms", "columns", "text"]
FIELDS: tuple[Field, ...] = ("titles", "synonyms", "columns", "text")
WEIGHTS = (12.0, 6.0, 3.0, 1.0)
"""How much a word counts in each field: a name says most."""
MOST_WORDS = 12
"""Words of a question that are looked at; nobody asks with more, and each costs time."""
CANDIDATES = 300
"""Entries that are put in order; the index gives its best."""
_HAN = "\u3041-\u309f\u30a1-\u30fa\u30fc-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003fffd"
_WORD = re.compile(f"[{_HAN}]+|[^\\W_{_HAN}]+")
_SPOKEN = re.compile(r"[^\W\d_]{3,}")
_IS_HAN = re.compile(f"[{_HAN}]")
# Letters that do not come apart into a letter and an accent.
_LETTERS = str.maketrans({"đ": "d", "ø": "o", "ł": "l", "æ": "ae", "œ": "oe", "ı": "i", "ð": "d", "þ": "th"})

_TABLE = f"""
create virtual table found using fts5({", ".join(FIELDS)}, tokenize = 'unicode61 remove_diacritics 0')
"""
_BEST = f"""
select rowid from found where found match ? order by bm25(found, {", ".join(map(str, WEIGHTS))}) limit ?
"""  # noqa: S608  # our own numbers


@dataclass(frozen=True)
class Entry:
    """One thing that can be found.

    Args:
        kind: What it is, such as ``table`` or ``term``.
        path: Where it is.
        titles: Its name in each language that has one; the first is its own.
        synonyms: Other words that people say for it.
        columns: Names of its columns.
        text: What is told of it.
        worth: How much it is worth beside others that fit as well, above 0.
    """

    kind: str
    path: str
    titles: tuple[str, ...]
    synonyms: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    text: tuple[str, ...] = ()
    worth: float = 1.0


@dataclass(frozen=True)
class Hit:
    """An entry that was found.

    Args:
        entry: Which.
        score: How well it fits; only its order means anything.
        share: Share of the words asked for that it holds, rare ones counting more; above 0 to 1.
        fields: Where the words were found, the strongest first.
    """

    entry: Entry
    score: float
    share: float
    fields: tuple[Field, ...]


@lru_cache(maxsize=65536)
def folded(text: str) -> tuple[str, ...]:
    """The words of a text as the index knows them, in their order.

    Example:
        >>> folded("Street lights that are out"), folded("Đèn đường"), folded("路灯坏了")
        (('street', 'light', 'that', 'are', 'out'), ('den', 'duong'), ('路灯', '灯坏', '坏了'))
    """
    apart = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(c for c in apart if not unicodedata.combining(c)).translate(_LETTERS)
    found: list[str] = []
    for word in _WORD.findall(unicodedata.normalize("NFC", plain)):
        if _IS_HAN.match(word):
            found += [word[i : i + 2] for i in range(max(1, len(word) - 1))]
        else:
            found.append(_stem(word))
    return tuple(found)


def _stem(word: str) -> str:
    """A word without the endings that English and Spanish put on it; the same word for all its forms, not a real one.

    Example:
        >>> {_stem(w) for w in ("dumping", "dumped", "dumps")}, {_stem(w) for w in ("house", "houses", "housing")}
        ({'dump'}, {'hous'})
    """
    if not word.isascii() or len(word) < 4 or not word.isalpha():
        return word
    if word.endswith("ies"):
        word = word[:-3] + "y"
    elif word.endswith(("ses", "xes", "zes", "shes")) and len(word) > 4:
        word = word[:-2]
    elif word.endswith("s") and not word.endswith("ss"):
        word = word[:-1]
    for ending in ("ing", "ed"):
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            word = word[: -len(ending)]
    # Short words keep their end: a call is no calle.
    is_long = len(word) > 5 or (len(word) > 3 and word[-2] in "szv")
    return word[:-1] if is_long and word[-1] in "ey" else word


class Index:
    """Entries that can be searched. It never changes, and many threads may ask it.

    Args:
        entries: What can be found.

    Example:
        >>> index = Index([Entry("table", "/trees", ("Street trees", "Árboles")), Entry("table", "/lamps", ("Lamps",))])
        >>> [h.entry.path for h in index.find([{"arboles": 1.0}])], index.near("tres")
        (['/trees'], ('trees',))
    """

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._entries = tuple(entries)
        self._held = [tuple(_held(e, f) for f in FIELDS) for e in self._entries]
        # Texts end with a space each, so no phrase runs from one into the next.
        self._joined = [tuple("\n".join(texts) for texts in held) for held in self._held]
        self._counts: dict[str, int] = {}
        self._spoken: dict[str, None] = {}
        for entry, held in zip(self._entries, self._held, strict=True):
            for word in {w for texts in held for text in texts for w in text.split()}:
                self._counts[word] = self._counts.get(word, 0) + 1
            self._spoken.update(
                (w, None) for t in (*entry.titles, *entry.synonyms) for w in _SPOKEN.findall(t.casefold())
            )
        self._known = sorted(self._counts)
        self._lock = Lock()
        # One connection for all threads, under the lock: it is in memory and answers in milliseconds.
        self._db = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        self._db.execute(_TABLE)
        self._db.execute("begin")
        rows = ((n, *joined) for n, joined in enumerate(self._joined))
        self._db.executemany("insert into found (rowid, titles, synonyms, columns, text) values (?, ?, ?, ?, ?)", rows)
        self._db.execute("commit")

    def __len__(self) -> int:
        return len(self._entries)

    def find(self, asked: Sequence[Mapping[str, float]], *, limit: int = 50) -> tuple[Hit, ...]:
        """The entries that fit best.

        Args:
            asked: What is looked for: for each idea every word or phrase that says it, with how well it does (0 to 1).
            limit: At most so many.
        """
        ideas = [i for i in (self._phrases(said) for said in asked[:MOST_WORDS]) if i]
        if not ideas:
            return ()
        phrases = list(dict.fromkeys(p for idea in ideas for p in idea))
        match = " OR ".join(f'"{" ".join(p)}"' for p in phrases)
        with self._lock:
            rows = self._db.execute(_BEST, (match, max(limit, CANDIDATES))).fetchall()
        rarity = [self._rarity(idea) for idea in ideas]
        hits = []
        for (n,) in rows:
            where = self._where(n, phrases)
            weights = [_weight(where, idea) for idea in ideas]
            share = sum(r for r, w in zip(rarity, weights, strict=True) if w) / sum(rarity)
            score = sum(r * w for r, w in zip(rarity, weights, strict=True)) * share * self._entries[n].worth
            fields = tuple(f for i, f in enumerate(FIELDS) if any(i == field for field, _ in where))
            if fields:
                hits.append(Hit(self._entries[n], score, share, fields))
        # Between equals the order of the index (bm25) stays: sorting is stable.
        return tuple(sorted(hits, key=lambda h: -h.score)[:limit])

    def near(self, word: str, *, limit: int = 3, least: float = 0.7) -> tuple[str, ...]:
        """Words that entries are called by and that look like a word, the nearest first; ``least`` is 0 to 1."""
        told = word.casefold()
        alike = [w for w in self._spoken if abs(len(w) - len(told)) <= 3 and set(w[:2]) & set(told[:2])]
        return tuple(get_close_matches(told, alike, limit, least))

    def knows(self, word: str) -> bool:
        """Whether any entry holds a word."""
        return all(w in self._counts for w in folded(word))

    def begins(self, word: str) -> bool:
        """Whether any word of an entry begins with a folded one."""
        return word in self._counts or bool(self._begun(word))

    def _phrases(self, said: Mapping[str, float]) -> dict[tuple[str, ...], float]:
        """What one idea may be called, as words that the index holds, with how well they say it."""
        found: dict[tuple[str, ...], float] = {}
        for text, fit in said.items():
            words = folded(text)
            if words and all(w in self._counts for w in words):
                found[words] = max(fit, found.get(words, 0.0))
            elif len(words) == 1:
                found.update(((w,), fit) for w in self._begun(words[0]))
        return found

    def _begun(self, part: str) -> list[str]:
        """Words that begin with what was typed; for one Chinese character, pairs that hold it."""
        if len(part) == 1 and _IS_HAN.match(part):
            return [w for w in self._known if part in w][:20]
        if len(part) < 3:
            return []
        at = bisect_left(self._known, part)
        return [w for w in self._known[at : at + 20] if w.startswith(part)]

    def _rarity(self, idea: Mapping[tuple[str, ...], float]) -> float:
        common = max(min(self._counts[w] for w in phrase) for phrase, fit in idea.items() if fit == max(idea.values()))
        return log(1 + (len(self._entries) - common + 0.5) / (common + 0.5))

    def _where(self, n: int, phrases: Iterable[tuple[str, ...]]) -> dict[tuple[int, tuple[str, ...]], int]:
        """(Field, phrase) that an entry holds -> words of the shortest of its texts that does."""
        found = {}
        for i, texts in enumerate(self._held[n]):
            every = self._joined[n][i]
            for phrase in phrases:
                told = f" {' '.join(phrase)} "
                if told in every:
                    found[i, phrase] = min(t.count(" ") - 1 for t in texts if told in t)
        return found


def _weight(where: Mapping[tuple[int, tuple[str, ...]], int], idea: Mapping[tuple[str, ...], float]) -> float:
    """How much an entry says of an idea: by its strongest field, and more where the text holds little else."""
    told = ((WEIGHTS[i] * idea[p], len(p), words) for (i, p), words in where.items() if p in idea)
    return max((weight * (1 + said / words) for weight, said, words in told), default=0.0)


def _held(entry: Entry, field: Field) -> tuple[str, ...]:
    told: tuple[str, ...] = getattr(entry, field)
    return tuple(f" {' '.join(words)} " for t in told if (words := folded(t)))
