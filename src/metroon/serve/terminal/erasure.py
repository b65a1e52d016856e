"""Erasure in the terminal: what of a person goes, what went, and what stays out of reach."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.text import Text

from metroon.serve.terminal.console import (
    BAD,
    GOOD,
    KEPT,
    LATE,
    QUIET,
    STRONG,
    WATCH,
    Page,
    banner,
    flow,
    heading,
    indented,
    line,
    text,
)
from metroon.serve.terminal.words import counted, number

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rich.console import RenderableType


def erasure_page(told: Mapping[str, Any], *, is_invented: bool = False) -> Page:
    """What would go of a person, or what a certificate says that went; counts, and never a value.

    Args:
        told: What a plan or a certificate says.
        is_invented: Whether the city is invented; then that is said above.
    """
    is_done = told.get("state") == "done"
    title = f"certificate {told['number']}" if is_done else "nothing is touched yet"
    parts: list[RenderableType] = [
        Text(""),
        flow(["erasure", str(told["product"]), title, "restricted: the counts are of one person"], QUIET),
        *banner(is_invented),
        heading("Gone" if is_done else "Would go", after=0),
        *(indented(line(*words), 2) for words in _gone(told)),
    ]
    if told.get("verified"):
        looked = told["verified"]
        said = f"looked: {looked['how']}; {counted(looked['files_looked_at'], 'file')}, nothing left"
        parts.append(indented(line((KEPT, GOOD), f" {said}"), 2))
        shared = looked["cells_of_others_that_hold_the_same"]
        for table, n in sorted(shared.items()):
            same = f"{counted(n, 'cell')} of others hold the same words: look whether they speak of the person"
            parts.append(indented(line((LATE, WATCH), f" {table}: {same}"), 2))
    for block in told.get("blocked_by", ()):
        parts += [line(("kept: ", BAD), block["what"]), indented(text(block["fix"], QUIET), 2)]
    parts.append(heading("Stays, out of reach", after=0))
    parts += [indented(text(words, QUIET), 2) for words in _stays(told)]
    return Page((*parts, Text("")))


def _gone(told: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    versions: dict[tuple[str, str], list[int]] = {}
    for held in told["rewritten"]:
        versions.setdefault((held["zone"], held["table"]), []).append(int(held["rows"] or 0))
    for (zone, table), rows in versions.items():
        most = f"up to {counted(max(rows), 'row')}" if len(rows) > 1 else counted(rows[0], "row")
        yield (table, STRONG), f" ({zone}): {most} of {counted(len(rows), 'version')}; the rest stays readable"
    for what, words in (("versions", "all rows"), ("withdrawn", "published, all rows")):
        tables: dict[str, int] = {}
        for held in told[what]:
            tables[held["table"]] = tables.get(held["table"], 0) + 1
        for table, n in sorted(tables.items()):
            yield (table, STRONG), f": {words} of {counted(n, 'version')}; a run makes the newest anew"
    if told["records_set_aside"]:
        yield (f"{counted(told['records_set_aside'], 'record')} of rows set aside; where they stood stays",)
    if told["halves_set_aside"]:
        halves = counted(told["halves_set_aside"], "record")
        yield (f"{halves} of rows set aside that cannot be read whole: nobody can tell whose",)
    if told["landed"]:
        yield (f"what was fetched for {', '.join(told['landed'])}",)
    yield (f"{counted(len(told['files']), 'data file')} written anew; caches, drafts and traces in the store",)


def _stays(told: Mapping[str, Any]) -> Iterator[str]:
    for one in told["out_of_scope"]:
        if "file" in one:
            lines = one["lines"]
            shown = ", ".join(number(n) for n in lines[:10]) + (
                f" and {len(lines) - 10} more" if len(lines) > 10 else ""
            )
            yield f"{one['what']}: {one['file']}:{shown}"
        else:
            yield str(one["what"])
