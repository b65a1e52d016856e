"""The first rows of a dataset, as its page shows them: only published ones, filtered by plain words."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import and_, or_
from typing import TYPE_CHECKING, Any

from metroon.base.engine import CannotRun

if TYPE_CHECKING:
    from metroon.base.catalog import Column, Rows
    from metroon.base.engine import Relation

SHOWN = 8
"""Rows that are shown."""
MOST_WORDS = 8
LONGEST = 100
"""Words and characters of a filter that are looked at."""
SECONDS = 3.0
"""How long it may take."""


@dataclass(frozen=True)
class Preview:
    """A few rows.

    Args:
        columns: Its columns, without shapes.
        rows: One tuple a row, a value for each column.
        fits: How many rows fit the filter; None when it was not worked out.
        trouble: ``slow`` when it took too long, ``gone`` when the rows cannot be read; else empty.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[Any, ...], ...] = ()
    fits: int | None = None
    trouble: str = ""


def preview(rows: Rows, words: str = "") -> Preview:
    """The first rows in which every word stands in one of the columns of text. It never fails.

    Args:
        rows: Published rows.
        words: What is looked for; empty for the first rows as they are.
    """
    columns = tuple(c for c in rows.columns if c.type != "object")
    relation = filtered(rows, words).select(*(c.name for c in columns)) if columns else rows.relation
    if rows.engine is None or not columns:
        return Preview(columns, trouble="gone")
    try:
        found = fetched(rows, relation.limit(SHOWN))
        fits = rows.total if not words.split() else int(fetched(rows, relation.aggregate(n=relation.count()))[0]["n"])
    except CannotRun:
        return Preview(columns, trouble="slow")
    except OSError:
        return Preview(columns, trouble="gone")
    return Preview(columns, tuple(tuple(r[c.name] for c in columns) for r in found), fits)


def fetched(rows: Rows, relation: Relation) -> list[dict[str, Any]]:
    """The rows of a small relation over published rows.

    Raises:
        CannotRun: It takes too long, or does not fit.
        OSError: The version was erased meanwhile.
    """
    if rows.engine is None:
        return []
    return [row for batch in rows.engine.batches(relation, rows=1000, seconds=SECONDS) for row in batch.to_pylist()]


def filtered(rows: Rows, words: str) -> Relation:
    """The rows in which every word stands in one of the columns of text, whatever its case.

    A word is also found by the label of a value in a closed list, as readers see it.
    """
    relation = rows.relation
    schema: Any = relation.schema()
    texts = [c for c in rows.columns if schema[c.name].is_string()]
    looked_for = words[:LONGEST].casefold().split()[:MOST_WORDS]
    if not looked_for:
        return relation
    if not texts:
        return relation.limit(0)

    def holds(column: Column, word: str) -> Any:
        text: Any = relation[column.name]
        labelled = [value for value, label in column.allowed if word in label.casefold()]
        return text.lower().contains(word) | text.isin(labelled) if labelled else text.lower().contains(word)

    return relation.filter(reduce(and_, (reduce(or_, (holds(c, w) for c in texts)) for w in looked_for)))
