"""The search of CKAN over datasets: the part of its query language that clients use, and nothing of Solr behind it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from metroon.base.node import did_you_mean
from metroon.serve.packages import FILES, slug
from metroon.serve.trouble import Trouble

if TYPE_CHECKING:
    from metroon.base.catalog import Dataset


def invalid(what: str, fix: str, parameter: str) -> Trouble:
    """What CKAN calls a validation error."""
    return Trouble("wrong-value", what, fix, parameter)


_VALUES: Mapping[str, Callable[[Dataset], Sequence[str]]] = {
    "organization": lambda d: [slug(d.department), d.department],
    "owner_org": lambda d: [slug(d.department)],
    "groups": lambda d: [slug(d.topic), d.topic],
    "tags": lambda d: list(d.tags),
    "license_id": lambda d: [d.licence.id],
    "res_format": lambda d: [f.upper() for f in FILES if d.has_rows and (f != "geojson" or d.geometry or d.point)],
    "name": lambda d: [d.name],
    "id": lambda d: [d.name],
    "title": lambda d: [d.title],
    "notes": lambda d: [d.description],
    "author": lambda d: [d.department],
    "private": lambda d: ["false"],
    "state": lambda d: ["active"],
    "type": lambda d: ["dataset"],
    "dataset_type": lambda d: ["dataset"],
    "access_level": lambda d: [d.access],
}
_TERM = re.compile(r'([+-]?)(?:(\w+):)?(?:"([^"]*)"|\(([^()]*)\)|([^\s"()]+))')
_IN_WORDS = frozenset({"title", "notes", "name", "text"})
"""Fields that hold words: part of them is enough."""
Term = tuple[str, tuple[str, ...], bool]
"""Field (empty for all texts), values of which one must be there, whether it must not."""


def terms(text: str, parameter: str) -> Iterable[Term]:
    """The terms of a search: words, ``field:value``, ``field:"a b"``, ``field:(a OR b)``, with + or - before them."""
    rest = _TERM.sub("", text).strip()
    if rest:
        raise invalid("The search cannot be read.", "Write words, or field:value with values in quotes.", parameter)
    for sign, name, quoted, listed, word in _TERM.findall(text):
        if (name, word) in (("*", "*"), ("", "*:*")) or word == "*:*" or (not name and word in ("AND", "*")):
            continue
        if name and name not in _VALUES and name != "text":
            raise invalid("There is no such field to search.", did_you_mean(name[:60], _VALUES), parameter)
        if not name and word in ("OR", "NOT"):
            raise invalid("OR and NOT are offered within field:(a OR b) and as -field:a only.", "Ask twice.", parameter)
        values = tuple(v for v in re.split(r"\s+OR\s+", listed) if v) if listed else (quoted or word,)
        yield ("" if name == "text" else name, tuple(v.strip('"') for v in values), sign == "-")


def test_of(name: str, values: tuple[str, ...], *, is_not: bool) -> Callable[[Dataset], bool]:
    """Whether a dataset fits a term."""
    looked = [v.casefold() for v in values]

    def holds(dataset: Dataset) -> bool:
        told = _VALUES[name](dataset) if name else [_told_of(dataset)]
        texts = [t.casefold() for t in told]
        is_part = not name or name in _IN_WORDS
        found = any(_fits(v, t, is_part=is_part) for v in looked for t in texts)
        return found is not is_not

    return holds


def _fits(value: str, text: str, *, is_part: bool) -> bool:
    stem = value.rstrip("*")
    if value == "*" or (value.endswith("*") and any(w.startswith(stem) for w in (text, *text.split()))):
        return bool(text)
    return value in text if is_part else value == text


def _told_of(dataset: Dataset) -> str:
    return " ".join(
        (dataset.name, dataset.title, dataset.description, dataset.department, dataset.topic, *dataset.tags)
    )


def sorting(text: str) -> list[tuple[Callable[[Dataset], Any], bool]]:
    """What to sort by, and whether it is turned: ``title asc, metadata_modified desc``.

    Raises:
        Trouble: It cannot be sorted by this.
    """
    keys: Mapping[str, Callable[[Dataset], Any]] = {
        "name": lambda d: d.name,
        "title": lambda d: d.title.casefold(),
        "title_string": lambda d: d.title.casefold(),
        "metadata_modified": lambda d: d.editions[0].made_at.isoformat() if d.editions else "",
        "metadata_created": lambda d: d.editions[-1].made_at.isoformat() if d.editions else "",
    }
    found = []
    for part in text.split(","):
        words = part.split()
        if not words or words[0] in ("score", "relevance"):
            continue
        if words[0] not in keys or words[1:] not in ([], ["asc"], ["desc"]):
            raise invalid("Cannot sort by this.", did_you_mean(words[0][:60], keys), "sort")
        found.append((keys[words[0]], words[1:] == ["desc"]))
    return found


def counted(found: Sequence[Dataset], name: str, most: int | None) -> dict[str, int]:
    """How many of the datasets found have each value of a field, most first.

    Raises:
        Trouble: There is no such field.
    """
    if name not in _VALUES:
        raise invalid("There is no such field to count.", did_you_mean(name[:60], _VALUES), "facet.field")
    told = Counter(v for d in found for v in _VALUES[name](d)[: 1 if name in ("organization", "groups") else None] if v)
    return dict(sorted(told.items(), key=lambda kv: (-kv[1], kv[0]))[:most])
