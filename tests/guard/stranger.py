"""A stranger who has every published row of every edition, and nothing else of the city.

Written apart from the product: it imports nothing of it. It takes rows as anybody can fetch them, finds by itself
which of them add up (periods in longer periods, places in the city, groups in all, failures in trials, the same
series in two measures, an edition that did not change), and places every hidden number by linear programs. A rule is
used when it holds wherever all its numbers are shown: more than an honest reader would dare to assume.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import combinations, pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csc_array, csr_array
from scipy.sparse.csgraph import connected_components

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

ALL = "all"
Key = tuple[str, str, str, str, str]
"""Period, geography, place, dimension, group."""
Number = tuple[str, int, str, Key]
"""Measure, edition, component, key."""
Equation = tuple[tuple[Number, ...], Number]
"""Parts and their total."""
WIDTH = 5
MINIMUM = 11
NEAR = 1e-6
_FAR = 1e5


def longer(period: str) -> list[str]:
    """The periods that a period lies in, shortest first."""
    if match := re.fullmatch(r"(\d{4})-(\d\d)", period):
        year, month = match.groups()
        return [f"{year}-Q{(int(month) + 2) // 3}", year, ALL]
    if match := re.fullmatch(r"(\d{4})-Q\d", period):
        return [match.group(1), ALL]
    return [ALL] if re.fullmatch(r"\d{4}", period) else []


def grain(period: str) -> str:
    """Whether it is a month, a quarter, a year or everything."""
    return ALL if period == ALL else "quarter" if "Q" in period else "month" if "-" in period else "year"


@dataclass
class Placed:
    """A small hidden number that the stranger places closer than the rules allow."""

    number: Number
    low: float
    high: float
    truth: float


@dataclass
class Stranger:
    """What somebody knows who has read everything.

    Args:
        oracle: The true hidden numbers; only asked which guessed equations are right, and in the end who was found.
    """

    oracle: Mapping[Number, float] = field(default_factory=dict)
    shown: dict[Number, float] = field(default_factory=dict)
    hidden: set[Number] = field(default_factory=set)
    equations: list[Equation] = field(default_factory=list)
    rules: dict[str, int] = field(default_factory=dict)
    same: dict[Number, Number] = field(default_factory=dict)
    _rows: dict[tuple[str, int], dict[Key, Mapping[str, Any]]] = field(default_factory=dict)
    _share: dict[str, bool] = field(default_factory=dict)

    def reads(self, measure: str, edition: int, rows: Iterable[Mapping[str, Any]], *, is_share: bool) -> None:
        """Takes in one edition of one measure."""
        table = self._rows.setdefault((measure, edition), {})
        self._share[measure] = is_share
        for row in rows:
            key: Key = tuple(row[k] for k in ("period", "geography", "place", "dimension", "group"))  # type: ignore[assignment]
            table[key] = row
            numbers = self._numbers(row, is_share=is_share)
            for component in self._components(measure):
                number = (measure, edition, component, key)
                if row["state"] == "hidden":
                    self.hidden.add(number)
                elif component in numbers:
                    self.shown[number] = numbers[component]

    def _components(self, measure: str) -> tuple[str, ...]:
        return ("yes", "no", "base", "unknown") if self._share[measure] else ("yes", "unknown")

    @staticmethod
    def _numbers(row: Mapping[str, Any], *, is_share: bool) -> dict[str, float]:
        told: dict[str, float] = {}
        if row["unknown"] is not None:
            told["unknown"] = float(row["unknown"])
        if row["events"] is not None:
            told["yes"] = float(row["events"])
            if is_share and row["base"] is not None:
                told |= {"base": float(row["base"]), "no": float(row["base"]) - float(row["events"])}
        elif is_share and row["state"] == "no exposure":
            told |= {"yes": 0.0, "no": 0.0, "base": 0.0}
        return told

    def thinks(self) -> None:
        """Finds what adds up, by measure and edition, across measures and across editions."""
        for measure, edition in sorted(self._rows):
            for rule, found in self._within(measure, edition).items():
                self._believes(rule, found)
            if self._share[measure]:
                keys = self._rows[measure, edition]
                self._believes(
                    f"{measure} {edition}: successes and failures are trials",
                    [
                        (((measure, edition, "yes", k), (measure, edition, "no", k)), (measure, edition, "base", k))
                        for k in keys
                    ],
                )
        for rule, found in self._across().items():
            self._believes(rule, found)
        for rule, found in self._later().items():
            self._believes(rule, found)

    def _within(self, measure: str, edition: int) -> dict[str, list[Equation]]:
        keys = self._rows[measure, edition].keys()
        parts: dict[tuple[str, Key], list[Key]] = defaultdict(list)
        for key in keys:
            period, geography, place, dimension, group = key
            for of in longer(period):
                parts[f"{grain(period)} in {grain(of)}", (of, *key[1:])].append(key)  # type: ignore[index]
            if geography != ALL:
                parts[f"{geography} in the city", (period, ALL, ALL, dimension, group)].append(key)
            if dimension != ALL:
                parts[f"{dimension} in all", (period, geography, place, ALL, ALL)].append(key)
        found: dict[str, list[Equation]] = defaultdict(list)
        for (rule, total), members in parts.items():
            if total not in keys:
                continue
            for component in self._components(measure):
                of = tuple((measure, edition, component, m) for m in sorted(members))
                # Whether it holds may differ by breakdown, so each breakdown is a rule of its own.
                where = f"{measure} {edition} {component} {rule} {total[1]} {total[3]} {grain(total[0])}"
                found[where].append((of, (measure, edition, component, total)))
        return found

    def _series(self) -> dict[tuple[str, int, str], dict[Key, float]]:
        series: dict[tuple[str, int, str], dict[Key, float]] = defaultdict(dict)
        for (measure, edition, component, key), value in self.shown.items():
            series[measure, edition, component][key] = value
        last = {m: max(e for n, e in self._rows if n == m) for m, _ in self._rows}
        return {s: told for s, told in series.items() if s[1] == last[s[0]] and any(told.values())}

    def _across(self) -> dict[str, list[Equation]]:
        series, found = self._series(), {}
        for one, two in combinations(sorted(series), 2):
            if one[0] == two[0]:
                continue
            both = series[one].keys() & series[two].keys()
            if sum(series[one][k] > 0 for k in both) < 3 or any(series[one][k] != series[two][k] for k in both):
                continue
            keys = self._rows[one[0], one[1]].keys() & self._rows[two[0], two[1]].keys()
            found[f"{one} is {two}"] = [(((*one, k),), (*two, k)) for k in sorted(keys)]
        return found

    def _later(self) -> dict[str, list[Equation]]:
        found: dict[str, list[Equation]] = {}
        for measure in sorted({m for m, _ in self._rows}):
            editions = sorted(e for m, e in self._rows if m == measure)
            for before, after in pairwise(editions):
                keys = self._rows[measure, before].keys() & self._rows[measure, after].keys()
                for component in self._components(measure):
                    for period in sorted({k[0] for k in keys}):
                        found[f"{measure} {component} {period}: {after} is {before}"] = [
                            (((measure, before, component, k),), (measure, after, component, k))
                            for k in sorted(keys)
                            if k[0] == period
                        ]
        return found

    def _believes(self, rule: str, equations: Sequence[Equation]) -> None:
        seen = [e for e in equations if all(n in self.shown for n in (*e[0], e[1]))]
        if any(abs(sum(self.shown[n] for n in parts) - self.shown[t]) > NEAR for parts, t in seen):
            return
        useful = [e for e in equations if any(n in self.hidden for n in (*e[0], e[1])) and self._is_right(e)]
        if useful:
            self.rules[rule] = len(useful)
            self.equations += useful

    def _is_right(self, equation: Equation) -> bool:
        values = [self.shown.get(n, self.oracle.get(n)) for n in (*equation[0], equation[1])]
        told = [v for v in values if v is not None]
        return len(told) == len(values) and abs(sum(told[:-1]) - told[-1]) < NEAR

    def finds(self, measures: Iterable[str]) -> list[Placed]:
        """The small hidden numbers of some measures that it places closer than the rules allow."""
        of = set(measures)
        small = {n: v for n, v in self.oracle.items() if n in self.hidden and n[0] in of and 1 <= v < MINIMUM}
        return [found for piece in self._pieces() for found in _placed(*piece, small)]

    def _pieces(self) -> Iterator[tuple[list[Number], csr_array, np.ndarray]]:
        numbers = sorted({n for parts, t in self.equations for n in (*parts, t)} - self.shown.keys())
        at = {n: i for i, n in enumerate(numbers)}
        rows, columns, signs, right = [], [], [], np.zeros(len(self.equations))
        for row, (parts, total) in enumerate(self.equations):
            for number, sign in (*((p, 1.0) for p in parts), (total, -1.0)):
                if number in at:
                    rows.append(row)
                    columns.append(at[number])
                    signs.append(sign)
                else:
                    right[row] -= sign * self.shown[number]
        matrix = csr_array((signs, (rows, columns)), shape=(len(self.equations), len(numbers)))
        lines, cells = matrix.shape
        graph = csr_array(
            (np.ones(len(rows)), (rows, lines + np.array(columns, dtype=int))), shape=(lines + cells,) * 2
        )
        _, label = connected_components(graph, directed=False)
        by_row, by_cell = defaultdict(list), defaultdict(list)
        for row in range(lines):
            by_row[label[row]].append(row)
        for cell in range(cells):
            by_cell[label[lines + cell]].append(cell)
        for piece, members in by_cell.items():
            part = csr_array(matrix[by_row[piece]][:, members])
            yield [numbers[m] for m in members], part, right[by_row[piece]]


def _placed(
    members: list[Number], matrix: csr_array, right: np.ndarray, small: Mapping[Number, float]
) -> Iterator[Placed]:
    asked = [cell for cell, number in enumerate(members) if number in small]
    if not asked:
        return
    truth = np.array([small.get(n, 0.0) for n in members])
    floor = truth - np.minimum(truth, 2)
    ceiling = truth + np.maximum(3, WIDTH - np.minimum(truth, 2))
    least, most = np.full(len(members), np.inf), np.full(len(members), -np.inf)
    of = csc_array(matrix)

    def solve(aim: np.ndarray) -> None:
        found = linprog(aim, A_eq=of, b_eq=right, bounds=(0, _FAR))
        np.minimum(least, found.x, out=least)
        np.maximum(most, found.x, out=most)

    chance = np.random.default_rng(1)
    # Tables that pull many ways at once show most numbers to be wide apart; the rest are asked one by one.
    for _ in range(4):
        aim = chance.uniform(-1, 1, len(members))
        solve(aim)
        solve(-aim)
    for cell in asked:
        aim = np.zeros(len(members))
        aim[cell] = 1.0
        if least[cell] > floor[cell] + NEAR:
            solve(aim)
        if most[cell] < ceiling[cell] - NEAR:
            solve(-aim)
        if least[cell] > floor[cell] + NEAR or most[cell] < ceiling[cell] - NEAR:
            yield Placed(members[cell], float(least[cell]), float(most[cell]), float(truth[cell]))
