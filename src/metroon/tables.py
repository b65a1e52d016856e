"""Tables with totals, of a file that somebody has: read, protected, and written as it may leave."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from metroon.base.errors import Problem, Refused
from metroon.base.estimate import ALL
from metroon.base.node import did_you_mean
from metroon.city.yaml import shown
from metroon.collect.profile import records
from metroon.guard import (
    Dominance,
    Finest,
    Given,
    Rules,
    check_totals,
    dimension,
    protect_table,
    rule_faults,
    table,
    unseen_totals,
)
from metroon.guard.protected import TOO_MUCH as TOO_MUCH

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from metroon.guard import Dimension, ProtectedTable, Table

    Text = NDArray[np.object_]

OWN = ("count", "total", "state", "note")
"""Columns that a protected table has beside those of its dimensions."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """How a file is to be read as a table.

    Args:
        by: One text for each dimension: a column; columns coarse to fine with ``>`` between, such as
            ``district>neighborhood``; or several such hierarchies over the same rows with ``|`` between, such as
            ``district|school_zone``.
        count: The column of counts; empty when each row is one event, or when only totals are published.
        total: The column that is added up, such as dollars; empty for a table of counts.
        contributor: The column that tells whose a row is; empty when each row is a cell.
        whole: The word that stands for totals in the file.
        rules: When a cell tells too much by itself.
    """

    by: tuple[str, ...]
    count: str = ""
    total: str = ""
    contributor: str = ""
    whole: str = ALL
    rules: Rules = field(default_factory=Rules)

    @property
    def hierarchies(self) -> list[list[list[str]]]:
        """The columns of each hierarchy of each dimension."""
        return [[[c.strip() for c in h.split(">")] for h in d.split("|")] for d in self.by]

    @property
    def shows_count(self) -> bool:
        """Whether counts are published: not of a file that has only totals."""
        return bool(self.count) or not self.total


def protect_file(file: Path, given: Mapping[str, Any], *, out: Path | None = None) -> ProtectedTable:
    """A file as a table, protected; nothing is written.

    Args:
        file: CSV or Parquet.
        given: What ``metroon guard table`` was told: ``by``, ``count``, ``total``, ``contributor``, ``whole``,
            ``minimum``, ``zeros``, ``category``, ``rule``, ``exact`` and ``seconds``.
        out: Where it will be written; None when it is only looked at.

    Raises:
        Refused: The file or a rule has faults, or what is written would take its place (G118).
    """
    if out is not None and out.resolve() == file.resolve():
        what = "the protected table would be written over the table that it is made of."
        raise Refused([Problem(shown(file), 0, "G118", what, "Name another file with --out.")])
    asked = Asked(
        by=tuple(given["by"]),
        count=given["count"],
        total=given["total"],
        contributor=given["contributor"],
        whole=given["whole"],
        rules=rules_of(given),
    )
    made = read_table(file, asked)
    return protect_table(
        made, asked.rules, shows_count=asked.shows_count, exact=given["exact"], seconds=given["seconds"]
    )


def rules_of(given: Mapping[str, Any]) -> Rules:
    """Rules as they are written for the command: ``p=10``, ``pq=10,50``, ``dominance=1,80``, ``contributors=3``.

    Raises:
        Refused: A rule is not understood (G115).

    Example:
        >>> rules_of({"rule": ["dominance=1,80", "dominance=2,90", "width=500"]}).dominance
        (Dominance(largest=1, percent=80.0), Dominance(largest=2, percent=90.0))
    """
    options = {k: given[k] for k in ("minimum", "zeros") if k in given}
    made = Rules(**options, categories=frozenset(given.get("category", ())))
    problems = []
    for written in given.get("rule", ()):
        name, _, numbers = str(written).partition("=")
        try:
            values = [_rule_number(n) for n in numbers.split(",")]
            made = replace(made, **_RULES[name.strip()](made, *values))
        except (KeyError, TypeError, ValueError):
            fix = "Write p=10, pq=10,50, dominance=1,80, contributors=3, doubt=10 or width=100."
            problems.append(Problem("", 0, "G115", f"the rule '{written}' is not understood.", fix))
    if problems:
        raise Refused(problems)
    return made


def _rule_number(written: str) -> float:
    number = float(written)
    if not np.isfinite(number):
        raise ValueError("a rule without a number")
    return number


def _whole(number: float) -> int:
    if not number.is_integer():
        raise ValueError("a part of a contributor")
    return int(number)


_RULES: dict[str, Callable[..., dict[str, Any]]] = {
    "p": lambda _, p: {"p_percent": p},
    "pq": lambda _, p, q: {"p_percent": p, "prior_percent": q},
    "dominance": lambda rules, n, k: {"dominance": (*rules.dominance, Dominance(_whole(n), k))},
    "contributors": lambda _, n: {"contributors": _whole(n)},
    "doubt": lambda _, percent: {"doubt_percent": percent},
    "width": lambda _, width: {"minimum_width": width},
}


def read_table(file: Path, asked: Asked) -> Table:
    """A file as a table with all its totals.

    Args:
        file: A delimited text file with a header, or a Parquet file. Its rows are the finest cells; totals may stand
            among them, and are then checked.
        asked: How to read it.

    Raises:
        Refused: Every fault at once, with the file: columns that are not there (G118), holes in hierarchies (G110),
            totals that are not the sum of their parts (G112), numbers that are none (G113), cells that stand twice
            (G114), rules that cannot be kept (G115).
    """
    found = records(file)
    problems = [*_asked_faults(asked, list(found.columns)), *rule_faults(asked.rules)]
    if found.ragged:
        what = f"{found.ragged:,} records have more or fewer fields than the header: a table with holes is no table."
        problems.append(Problem("", 0, "G118", what, "Ask for the whole file, or mend these records."))
    if not problems:
        wanted = {c for d in asked.hierarchies for h in d for c in h} | {asked.count, asked.total, asked.contributor}
        columns = {c: _text(found.columns[c]) for c in wanted - {""}}
        try:
            return _table(file.stem, asked, columns)
        except Refused as refused:
            problems += refused.problems
    raise Refused(replace(p, file=shown(file)) for p in problems)


def save_table(found: ProtectedTable, file: Path) -> None:
    """Write what may be shown of a table, as CSV or, when its name ends so, Parquet; whole or not at all.

    Raises:
        Refused: Something of it is not proven (G116, G117), or the file cannot be written (G118).
    """
    rows = found.rows()
    part = file.with_name(f".{file.name}.part")
    try:
        if file.suffix.lower() == ".parquet":
            pq.write_table(rows, part)
        else:
            pa_csv.write_csv(rows, part)
        part.replace(file)
    except OSError as error:
        part.unlink(missing_ok=True)
        what = f"it cannot be written: {error.strerror or 'no such folder'}."
        raise Refused([Problem(shown(file), 0, "G118", what, "Name a file in a folder that is there.")]) from None


def _asked_faults(asked: Asked, known: Sequence[str]) -> Iterator[Problem]:
    columns = [c for d in asked.hierarchies for h in d for c in h]
    for column in dict.fromkeys([*columns, *filter(None, (asked.count, asked.total, asked.contributor))]):
        if column not in known:
            what = f"the file has no column '{column}', or more than one."
            yield Problem("", 0, "G118", what, did_you_mean(column, known))
    twice = sorted({c for c in columns if columns.count(c) > 1})
    if twice:
        what = f"{', '.join(twice)} stands twice among the dimensions."
        yield Problem("", 0, "G118", what, "Name each column once.")
    if taken := sorted(set(columns) & set(OWN)):
        what = f"a dimension is named {', '.join(taken)}, as a column of the protected table is."
        yield Problem("", 0, "G118", what, "Rename the column in the file.")
    if lost := sorted(asked.rules.categories - set(columns)):
        what = f"{', '.join(lost)} is said to tell something of a person, and is no dimension of the table."
        yield Problem("", 0, "G118", what, did_you_mean(lost[0], columns))
    if amounts := sorted(set(columns) & ({asked.count, asked.total} - {""})):
        what = f"{', '.join(amounts)} is a dimension and what is counted or added up: each code would tell its number."
        yield Problem("", 0, "G118", what, "Name a column that tells of which group a row is.")
    if not asked.total and asked.rules.asks_of_totals:
        what = "a rule speaks of totals, and no column is added up: it would protect nothing."
        yield Problem("", 0, "G115", what, "Name the column that is added up with --total, or leave the rule out.")
    if asked.total and not (asked.contributor or asked.count):
        what = "nothing tells which totals are unsafe: neither who contributes nor how many are counted."
        yield Problem("", 0, "G115", what, "Name the column of contributors, or that of counts.")


def _text(column: pa.ChunkedArray) -> Text:
    return np.array([("" if v is None else str(v)).strip() for v in column.to_pylist()], dtype=object)


def _table(name: str, asked: Asked, columns: Mapping[str, Text]) -> Table:
    every = [c for d in asked.hierarchies for h in d for c in h]
    rows = len(columns[every[0]])
    total = np.zeros(rows, dtype=bool)
    for column in every:
        total |= columns[column] == asked.whole
    parts = {c: v[~total] for c, v in columns.items()}
    dimensions: list[Dimension] = []
    problems: list[Problem] = []
    for hierarchies in asked.hierarchies:
        try:
            dimensions.append(dimension(hierarchies, _codes(hierarchies, parts)))
        except Refused as refused:
            problems += refused.problems
    if problems:
        raise Refused(problems)
    made = table(name, dimensions, Finest(
        [_codes(h, parts) for h in asked.hierarchies],
        count=_numbers(parts.get(asked.count)),
        total=_numbers(parts.get(asked.total)),
        contributor=list(parts[asked.contributor]) if asked.contributor else None,
        are_cells=bool(asked.count) and not asked.contributor,
    ))  # fmt: skip
    problems = unseen_totals(made)
    if total.any():
        problems += check_totals(made, list(_given(asked, {c: v[total] for c, v in columns.items()})))
    if problems:
        raise Refused(problems)
    return made


def _codes(hierarchies: Iterable[Sequence[str]], columns: Mapping[str, Text]) -> list[tuple[str, ...]]:
    return list(zip(*(columns[c].tolist() for h in hierarchies for c in h), strict=True))


def _numbers(values: Text | None) -> list[str] | None:
    return None if values is None else [str(v) for v in values]


def _given(asked: Asked, columns: Mapping[str, Text]) -> Iterator[Given]:
    codes = [_codes(h, columns) for h in asked.hierarchies]
    plain = [[tuple(ALL if v == asked.whole else v for v in code) for code in own] for own in codes]
    counts, totals = (columns.get(c) if c else None for c in (asked.count, asked.total))
    for at, code in enumerate(zip(*plain, strict=True)):
        yield Given(code, *(_number(values, at) for values in (counts, totals)))


def _number(values: Text | None, at: int) -> float | None:
    if values is None:
        return None
    try:
        return float(values[at])
    except ValueError:
        return float("nan")  # not the sum of anything
