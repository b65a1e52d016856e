"""Flows: who comes into a stock is also who another measure counts, so both must hide the same."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from metroon.base.estimate import ALL
from metroon.guard.cells import Hiding, Line
from metroon.measure.grid import FLOWS, IN_OUT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from metroon.base.estimate import Cell
    from metroon.guard.cells import CellTable
    from metroon.measure.indicator import Indicator


def flow_counted(indicator: Indicator, stocks: Iterable[Indicator]) -> str:
    """Which flow of a stock of the same rows a measure counts: ``in``, ``out``, or none.

    Without a date it counts those who came at any time.
    """
    if indicator.accumulates:
        return ""
    for stock in (s for s in stocks if s.of == indicator.of):
        column = indicator.period.column if indicator.period else None
        if stock.period is not None and column in (None, stock.period.column):
            return IN_OUT[0]
        if column == getattr(stock, "until", ""):
            return IN_OUT[1]
    return ""


def as_flow(table: CellTable, flow: str) -> CellTable:
    """A table whose cells of places are those of a flow, so that the guard sees that both count the same."""
    if not flow:
        return table

    def named(c: Cell) -> Cell:
        return replace(c, dimension=FLOWS, group=flow) if c.dimension == ALL else c

    return replace(
        table,
        tallies={named(c): replace(t, cell=named(c)) for c, t in table.tallies.items()},
        lines=tuple(Line(named(line.total), tuple(map(named, line.parts))) for line in table.lines),
        unpublished=frozenset(map(named, table.unpublished)),
        released_as={named(c): c for c in table.tallies},
    )


def as_plain(hiding: Hiding, flow: str) -> Hiding:
    """What is hidden of such a table, by its own cells."""
    if not flow:
        return hiding

    def plain(c: Cell) -> Cell:
        return replace(c, dimension=ALL, group=ALL) if c.dimension == FLOWS else c

    return Hiding(frozenset(map(plain, hiding.primary)), frozenset(map(plain, hiding.secondary)))
