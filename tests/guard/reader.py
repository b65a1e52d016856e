"""A reader who takes every released number of a town as an equation over its rows, and solves for those withheld.

Written apart from the product: it knows nothing of cells, lines or links, only which rows each number counts. So it
finds what follows from all measures together, whatever the guard did or did not think of.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from metroon.base.estimate import ALL, NOWHERE, OUTSIDE, UNKNOWN, Cell, Estimate
from town import WARDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Kind = tuple[str, str, str, int]
"""What is known of a stay: ward, race, whether it led home, year."""
KINDS: list[Kind] = list(product([*WARDS, "elsewhere", ""], ["A", "B", "C", ""], ["yes", "no", ""], [2024, 2025]))
OUTCOMES = ("yes", "no", "")


def invented(seed: int, n: int) -> list[Kind]:
    """Stays, some kinds of them common and many rare; the first and the last day of the two years are covered."""
    chance = random.Random(seed)
    weights = [chance.random() ** 3 + 0.02 for _ in KINDS]
    ends: list[Kind] = [("north", "A", "yes", 2024), ("north", "A", "yes", 2025)]
    return ends + chance.choices(KINDS, weights, k=n)


def rows_of(stays: list[Kind]) -> list[dict[str, str]]:
    """The file that the town delivers."""
    days = {0: "01-01", 1: "12-31"}
    return [
        {
            "id": f"s{i}",
            "person": f"p{i}",
            "day": f"{y}-{days.get(i, f'{i % 12 + 1:02d}-15')}",
            "ward": w,
            "race": r,
            "is_home": o,
        }
        for i, (w, r, o, y) in enumerate(stays)
    ]


@dataclass
class Reader:
    """What somebody knows who has read the releases.

    Args:
        stays: The truth; only used to check that the equations are true.
    """

    stays: list[Kind]
    left: list[np.ndarray] = field(default_factory=list)
    right: list[float] = field(default_factory=list)
    withheld: list[tuple[str, np.ndarray]] = field(default_factory=list)

    def reads(
        self,
        name: str,
        cells: Mapping[Cell, Estimate],
        counts: Callable[[Kind], bool],
        *,
        is_share: bool,
        is_rate: bool,
    ) -> None:
        """Takes in one release."""
        for cell, e in cells.items():
            rows = np.array([counts(k) and _is_in(cell, k) and not (is_rate and k[0] not in WARDS) for k in KINDS])
            parts = [rows & np.array([k[2] == o for k in KINDS]) for o in OUTCOMES] if is_share else [rows]
            if e.state == "hidden":
                self.withheld += [(f"{name} {cell}", part) for part in parts]
            elif is_share and e.base is not None:
                for part, n in zip(parts, (e.events, e.base - (e.events or 0), e.unknown), strict=True):
                    self._knows(part, n)
            elif is_share:  # nothing happened, or nothing of which the outcome is known
                for part in parts if e.state == "no exposure" else parts[:2]:
                    self._knows(part, 0)
            elif e.events is not None:
                self._knows(rows, e.events)

    def exposed(self, minimum: int = 11) -> list[tuple[str, float, float, float]]:
        """Small numbers that were withheld and that the reader places closer than the guard promises."""
        truth = np.array([self.stays.count(k) for k in KINDS], dtype=float)
        assert np.allclose(self._left() @ truth, self.right), "an equation is false"
        found = []
        for name, rows in self.withheld:
            n = float(truth[rows].sum())
            low, high = self.interval(rows)
            if 0 < n < minimum and (low > n - min(n, 2) + 1e-6 or high < n + max(3, 5 - n) - 1e-6):
                found.append((name, n, low, high))
        return found

    def interval(self, rows: np.ndarray) -> tuple[float, float]:
        """The smallest and the largest number that some rows can be."""
        return self._bound(rows.astype(float)), -self._bound(-rows.astype(float))

    def _knows(self, rows: np.ndarray, n: float | None) -> None:
        self.left.append(rows.astype(float))
        self.right.append(float(n or 0))

    def _left(self) -> np.ndarray:
        return np.array(self.left).reshape(-1, len(KINDS))

    def _bound(self, aim: np.ndarray) -> float:
        known = LinearConstraint(self._left(), self.right, self.right)
        found = milp(aim, integrality=np.ones(len(aim)), bounds=Bounds(0, np.inf), constraints=known)
        return float(found.fun) if found.x is not None else -np.inf


def _is_in(cell: Cell, kind: Kind) -> bool:
    ward, race, _, year = kind
    place = ward if ward in WARDS else OUTSIDE if ward else NOWHERE
    return (
        cell.period in (ALL, str(year))
        and (cell.geography == ALL or cell.place == place)
        and (cell.dimension == ALL or cell.group == (race or UNKNOWN))
    )
