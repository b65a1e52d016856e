"""Protected tables: what may be shown of a table with totals, so that nobody can be found in the rest."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from metroon.base.errors import Problem, Refused
from metroon.base.estimate import ALL
from metroon.guard.optimum import optimum
from metroon.guard.primary import count_system, total_system
from metroon.guard.rows import Guarded
from metroon.guard.suppress import suppress

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from metroon.base.engine import Engine
    from metroon.guard.primary import Rules
    from metroon.guard.system import Suppression, System
    from metroon.guard.table import Dimension, Table

    Mask = NDArray[np.bool_]

KNOWN, HIDDEN = "known", "hidden"
"""What a row of a protected table is: a number, also 0, or withheld."""
NAME = "_name"
"""Ends the name of the column that tells what people call a code."""
DIGITS = 15
"""Decimal digits that double precision keeps of any number (IEEE 754, binary64)."""
TOO_MUCH = 0.30
"""Above this share of hidden cells a table is too fine (privacy reference, section 4)."""


@dataclass(frozen=True)
class Coarser:
    """One way to make a table less fine, and what it would be before cells are withheld to protect others.

    Args:
        words: What to leave out.
        cells: Cells that are left and count anything.
        small: Share of these that are small themselves, 0 to 1.
        kept: Share of today's cells that count anything and are left, 0 to 1.
    """

    words: str
    cells: int
    small: float
    kept: float


@dataclass(frozen=True, eq=False)
class ProtectedTable:
    """A table with what is withheld of it.

    Args:
        table: The table, with the truth: never published.
        rules: When a cell tells too much by itself.
        hidden: Cells that are withheld.
        primary: Those of them that tell too much by themselves.
        failing: Cells for which no proof was found. When there are any, nothing may be published.
        proofs: What a reader knows, and what else is possible: of the counts, and of the totals where there are any.
        told: What is proven and what is not, in words.
        seconds: Processor time that it took.
        shows_count: Whether counts are published.
    """

    table: Table
    rules: Rules
    hidden: Mask
    primary: Mask
    failing: int
    proofs: tuple[tuple[System, Suppression], ...]
    told: tuple[str, ...]
    seconds: float
    shows_count: bool = True

    @property
    def is_optimal(self) -> bool:
        """Whether it is proven that no other choice of cells loses less."""
        # Counts and totals are chosen one after the other: no proof speaks of both.
        return len(self.proofs) == 1 and all(one.is_optimal for _, one in self.proofs)

    @property
    def telling(self) -> Mask:
        """Published cells of which a reader can tell that they count something, or that are withheld."""
        return np.asarray(self.table.published & ((self.table.count > 0) | self.hidden))

    @property
    def hidden_share(self) -> float:
        """Hidden cells over published ones that have anything to tell, 0 to 1."""
        return float(self.hidden.sum() / max(1, self.telling.sum()))

    @property
    def events_share(self) -> float:
        """Share of the events that are counted in a finest cell which is shown, 0 to 1."""
        finest = self.table.count * self.table.finest
        return float(finest[~self.hidden].sum() / max(1.0, finest.sum()))

    def rows(self) -> pa.Table:
        """The table as it may be published: one row a cell, totals included, in the order of the codes.

        Raises:
            Refused: Some cells are not proven to be in doubt (G117), or nothing but hidden cells and zeros is left
                (G116).
        """
        if problems := list(self._faults()):
            raise Refused(problems)
        return _rows(self.table, self.hidden, minimum=self.rules.minimum, shows_count=self.shows_count)

    def _faults(self) -> Iterator[Problem]:
        name = self.table.name
        if self.failing:
            what = f"{self.failing:,} cells of {name} are not proven to be in doubt: nothing of it is published."
            yield Problem("", 0, "G117", what, "Make the table coarser, or give it more time.")
        if not (self.telling & ~self.hidden).any():
            yield _nothing_left(name)


def release_table(
    engine: Engine, made: Table, hidden: Mask, *, minimum: int, labels: Mapping[str, Mapping[str, str]]
) -> Guarded:
    """What may leave of a table of counts whose cells were chosen together with the measures of the same people.

    Args:
        engine: The engine.
        made: The table.
        hidden: Cells that are withheld.
        minimum: The fewest people that may be told.
        labels: Column -> code -> what people call it, where that is another word; it stands in a column of its own.

    Raises:
        Refused: Nothing but hidden cells and zeros is left (G116).
    """
    if not (made.published & ~hidden & (made.count > 0)).any():
        raise Refused([_nothing_left(made.name)])
    rows = _rows(made, hidden, minimum=minimum, shows_count=True)
    for column, known in labels.items():
        told = [known.get(code, code) for code in rows[column].to_pylist()]
        rows = rows.add_column(rows.column_names.index(column) + 1, f"{column}{NAME}", pa.array(told, pa.string()))
    return Guarded(made.name, engine.table(rows))


def _rows(made: Table, hidden: Mask, *, minimum: int, shows_count: bool) -> pa.Table:
    shown = np.flatnonzero(made.published)
    flat = [[v for code in made.codes[at] for v in code] for at in shown.tolist()]
    columns = {c: pa.array([row[i] for row in flat], pa.string()) for i, c in enumerate(made.columns)}
    withheld = hidden[shown]
    people, money = f"no group of fewer than {minimum} people can be told", "nobody can tell who gave how much"
    kept = [people] * (made.total is None or shows_count) + [money] * (made.total is not None)
    note = f"withheld so that {', and '.join(kept)}"
    if shows_count:
        columns["count"] = pa.array(made.count[shown].astype(np.int64), mask=withheld)
    if made.total is not None:
        # Not all bits of a sum: the last ones tell in which order its parts were added, withheld ones too.
        told = [float(f"{amount:.{DIGITS}g}") for amount in made.total[shown].tolist()]
        columns["total"] = pa.array(np.array(told), mask=withheld)
    columns["state"] = pa.array(np.where(withheld, HIDDEN, KNOWN).tolist(), pa.string())
    columns["note"] = pa.array(np.where(withheld, note, "").tolist(), pa.string())
    return pa.table(columns)


def _nothing_left(name: str) -> Problem:
    what = f"nothing is left to publish of {name}: every cell that counts anything had to be hidden."
    return Problem("", 0, "G116", what, "Make the table coarser: fewer dimensions, or longer periods.")


def protect_table(
    made: Table, rules: Rules, *, shows_count: bool = True, exact: bool = False, seconds: float | None = None
) -> ProtectedTable:
    """Withholds cells until nobody can be found in the rest of a table.

    A cell is primary when a rule says so. More are then added, least loss first, until a reader of all that is shown
    can place none of the primaries closer than it needs. Where counts and totals are published, a cell that hides the
    one hides the other.

    Args:
        made: The table, with its totals.
        rules: When a cell tells too much by itself.
        shows_count: Whether counts are published; a table of totals may go without.
        exact: Look for the least loss and prove that it is, for a minute unless told; tables of a few hundred cells.
        seconds: Stop after this long. What is not proven by then fails, and nothing may be published; None for as
            long as it takes.

    Raises:
        Refused: The rules cannot be kept (G115).

    Example:
        >>> from metroon.guard import Finest, Rules, dimension, table
        >>> kinds, wards = dimension([["kind"]], [("a",), ("b",), ("c",)]), dimension([["ward"]], [("E",), ("W",)])
        >>> codes = [[("a",), ("a",), ("b",), ("b",), ("c",), ("c",)], [("E",), ("W",)] * 3]
        >>> made = table("calls", [kinds, wards], Finest(codes, count=[4, 20, 12, 33, 25, 41]))
        >>> found = protect_table(made, Rules())
        >>> int(found.primary.sum()), int(found.hidden.sum()), found.failing
        (1, 4, 0)
    """
    began = time.process_time()
    counts = [count_system(made, rules)] if shows_count or made.total is None else []
    totals = [total_system(made, rules)] if made.total is not None else []
    systems = [*counts, *totals]
    unsafe = np.any([s.needs[: made.cells] for s in systems], axis=0) & made.published
    hidden = np.asarray(unsafe & ~np.any([s.fixed[: made.cells] for s in systems], axis=0))
    limit = {} if seconds is None else {"seconds": seconds}
    found: list[Suppression] = []
    is_settled = False
    while not is_settled:
        before, found = hidden, []
        for of in systems:
            wide = np.concatenate([hidden, np.zeros(of.cells - made.cells, dtype=bool)])
            one = optimum(of, hidden=wide, **limit) if exact else suppress(of, hidden=wide, seconds=seconds)
            found.append(one)
            hidden = np.asarray(hidden | one.hidden[: made.cells])
        # What one hides the other hides too; both only grow, so it ends.
        is_settled = len(systems) == 1 or bool((hidden == before).all())
    return ProtectedTable(
        made,
        rules,
        hidden,
        unsafe,
        sum(len(one.failing) for one in found),
        tuple(zip(systems, found, strict=True)),
        tuple(dict.fromkeys(words for one in found for words in one.told)),
        time.process_time() - began,
        shows_count=bool(counts),
    )


def coarser(found: ProtectedTable) -> list[Coarser]:
    """Ways to make a table less fine by leaving out one level or one dimension, those that keep most cells first.

    They are compared by the cells that are small themselves, which is quick; what must be withheld to protect these
    is known only when the table is protected anew.

    Example:
        >>> from metroon.guard import Finest, Rules, dimension, table
        >>> days = dimension([["month", "day"]], [("1", "1"), ("1", "2")])
        >>> wards = dimension([["ward"]], [("E",), ("W",)])
        >>> made = table("calls", [days, wards], Finest([[("1", "1"), ("1", "2")], [("E",), ("W",)]], count=[9, 40]))
        >>> [(c.words, round(c.small, 2)) for c in coarser(protect_table(made, Rules()))]
        [('without day', 0.33), ('without ward', 0.25), ('without month and day', 0.33)]
    """
    made, telling = found.table, found.table.published & (found.table.count > 0)
    told = []
    for at, d in enumerate(made.dimensions):
        for words, codes in _options(d):
            left = np.ones(1, dtype=bool)
            for other, of in enumerate(made.dimensions):
                own = codes if other == at else np.ones(len(of.codes), dtype=bool)
                left = np.logical_and.outer(left, own).ravel()
            left = left & telling
            cells = int(left.sum())
            small = float((found.primary & left).sum() / max(1, cells))
            told.append(Coarser(words, cells, small, cells / max(1, int(telling.sum()))))
    return sorted(told, key=lambda c: (-c.kept, c.words))


def _options(d: Dimension) -> Iterator[tuple[str, Mask]]:
    """The codes that are left without the last column, and without all of them."""
    last = d.columns[-1]
    without = np.array([code[-1] == ALL for code in d.codes])
    if len(d.columns) > 1:
        yield f"without {last}", without
    yield f"without {' and '.join(d.columns)}", np.array([set(code) == {ALL} for code in d.codes])
