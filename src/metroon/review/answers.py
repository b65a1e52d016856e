"""Stories with the answers to their questions: the numbers that stand in them are asked again each time."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from metroon.base.catalog import Query, Story
from metroon.base.errors import Problem
from metroon.base.estimate import ALL
from metroon.base.node import did_you_mean
from metroon.base.period import last_day

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from metroon.city.stories import QueryFile, Written
    from metroon.review.lint import Known

Row = dict[str, str | int | float | bool | None]
LATEST = "latest"


def answered(story: Written, rows: Mapping[str, Sequence[Row]]) -> Story:
    """A story with what its questions found; a question whose measure is not published finds nothing.

    Args:
        story: The story as written.
        rows: Measure -> its released estimates, one mapping a row.
    """
    told = story.file
    return Story(
        id=story.id,
        title=told.title,
        summary=told.summary,
        on=told.on,
        author=told.author,
        language=told.language,
        markdown=story.markdown,
        queries=tuple(
            Query(name, q.measure, tuple(_found(q, rows.get(q.measure, ())))) for name, q in told.queries.items()
        ),
    )


def _found(query: QueryFile, rows: Sequence[Row]) -> list[Row]:
    def fits(row: Row) -> bool:
        is_place = row["geography"] == query.geography and query.place in ("", row["place"])
        is_group = row["dimension"] == query.by and query.group in ("", row["group"])
        return is_place and is_group and query.period in (LATEST, row["period"])

    found = [r for r in rows if fits(r)]
    if query.period != LATEST:
        return found
    # Where nothing has a value, the last row still says why.
    told = [r for r in found if r["value"] is not None] or found
    last = _latest([str(r["period"]) for r in told])
    return [r for r in found if r["period"] == last]


def _latest(periods: list[str]) -> str:
    return max(periods, key=lambda p: (p != ALL, last_day(p) if p != ALL else p), default="")


def story_faults(story: Written, known: Known, columns: Collection[str]) -> Iterator[Problem]:
    """Names in a story that are not there.

    Args:
        story: The story as written.
        known: What it may name.
        columns: Columns of released estimates.
    """
    measures = known.names["measure"]
    for name, query in story.file.queries.items():
        at = story.node.at("queries", name)
        if query.measure not in measures:
            what = f"there is no measure '{query.measure}'."
            yield at.problem("R101", what, did_you_mean(query.measure, measures), "measure")
            continue
        for key, what in (("geography", "geography"), ("by", "group")):
            given = getattr(query, key)
            there = [n.partition(".")[2] for n in known.names[what] if n.partition(".")[0] == query.measure]
            if given not in (ALL, *there):
                told = f"the measure '{query.measure}' is not told by '{given}'."
                yield at.problem("R101", told, did_you_mean(given, there), key)
    for line, what in story.blanks():
        column = re.sub(r"^\w+\.", "", what)
        if column not in columns:
            fix = did_you_mean(column, columns)
            yield Problem(story.node.file, line, "R107", f"a released number has no '{column}'.", fix)
