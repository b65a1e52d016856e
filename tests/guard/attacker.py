"""An attacker who reads a release: knows what is shown, what adds up, and that nothing is negative.

Written apart from the product: dense equations over every number, shown or not, and one pair of linear
programs for each number that is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from metroon.base.estimate import Cell
from metroon.guard.cells import CellTable, Hiding

Number = tuple[str, str, Cell]  # measure, component, cell


@dataclass
class Attacker:
    knows_that_counts_are_whole: bool = False
    shown: dict[Number, int] = field(default_factory=dict)
    equations: list[dict[Number, int]] = field(default_factory=list)

    def reads(self, table: CellTable, hiding: Hiding) -> None:
        """Takes in one released table."""
        hidden = hiding.primary | hiding.secondary | table.unpublished
        for cell, tally in table.tallies.items():
            if cell not in hidden:
                for component in components(table):
                    self.shown[table.measure, component, cell] = getattr(tally, component)
        for line in table.lines:
            for component in components(table):
                equation = {(table.measure, component, part): 1 for part in line.parts}
                self.equations.append(equation | {(table.measure, component, line.total): -1})

    def learns(self, parts: list[Number], total: Number) -> None:
        """Knows from the definitions that some numbers add up to another."""
        self.equations.append(dict.fromkeys(parts, 1) | {total: -1})

    def interval(self, number: Number) -> tuple[float, float]:
        """The smallest and the largest that a number can be."""
        if number in self.shown:
            return float(self.shown[number]), float(self.shown[number])
        unknown = sorted({n for e in self.equations for n in e} - self.shown.keys())
        if number not in unknown:
            return 0.0, np.inf
        at = {n: i for i, n in enumerate(unknown)}
        left = np.zeros((len(self.equations), len(unknown)))
        right = np.zeros(len(self.equations))
        for row, equation in enumerate(self.equations):
            for n, sign in equation.items():
                if n in at:
                    left[row, at[n]] = sign
                else:
                    right[row] -= sign * self.shown[n]
        aim = np.zeros(len(unknown))
        aim[at[number]] = 1.0
        return self._bound(left, right, aim), -self._bound(left, right, -aim)

    def _bound(self, left: np.ndarray, right: np.ndarray, aim: np.ndarray) -> float:
        found = milp(
            aim,
            integrality=np.full(len(aim), int(self.knows_that_counts_are_whole)),
            bounds=Bounds(0, np.inf),
            constraints=LinearConstraint(left, right, right),
        )
        if found.x is None:  # the truth is always feasible, so it is unbounded
            return -np.inf
        return float(found.fun)


def components(table: CellTable) -> tuple[str, ...]:
    return ("yes", "no", "unknown") if table.is_share else ("yes", "unknown")


def small_numbers(table: CellTable) -> list[Number]:
    """Every number of a table that is about too few people, as the rules say it."""
    found = []
    for cell, tally in table.tallies.items():
        few_people = tally.least_people is not None and 0 < tally.least_people < table.minimum_cell
        for component in components(table):
            count = getattr(tally, component)
            is_small = 1 <= count < table.minimum_cell or (few_people and count > 0)
            is_all_alike = table.is_share and component != "unknown" and count == 0 and tally.yes + tally.no > 0
            if is_small or is_all_alike:
                found.append((table.measure, component, cell))
    return [] if table.unit == "none" else found


def exposed(attacker: Attacker, table: CellTable) -> list[Number]:
    """The small numbers that the attacker places closer than the rules allow."""
    return [n for n in small_numbers(table) if not is_in_doubt(attacker.interval(n), table, n)]


def is_in_doubt(interval: tuple[float, float], table: CellTable, number: Number) -> bool:
    _, component, cell = number
    count = getattr(table.tallies[cell], component)
    low, high = interval
    under = min(count, 2)
    over = max(3, 5 - under)
    return low <= count - under + 1e-6 and high >= count + over - 1e-6 and high - low >= 5 - 1e-6
