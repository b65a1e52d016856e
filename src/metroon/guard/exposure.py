"""Exposure: who can be found by a reader of everything that was ever released, and which releases give them away."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.sparse import csc_array, csr_array
from scipy.sparse.csgraph import connected_components

from metroon.guard.audit import audit, intervals
from metroon.guard.ledger import Union
from metroon.guard.solver import Program

if TYPE_CHECKING:
    from collections.abc import Iterable

    from metroon.guard.system import Floats, Ints, Mask, Name, System

_EXACT = 1e-6
"""An interval narrower than this, for each unit of the value, tells the value."""
_FAR = 10.0
"""How many times the largest number or need a table may differ from the truth."""


@dataclass(frozen=True)
class Exposed:
    """A cell that a reader can place too closely. It tells the truth nearly or wholly: never public.

    Args:
        cell: Its number in the union.
        name: What it is.
        low: The least that a reader can tell it to be.
        high: The most.
    """

    cell: int
    name: Name
    low: float
    high: float

    @property
    def is_exact(self) -> bool:
        """Whether the value itself is told."""
        return self.high - self.low <= _EXACT * max(1.0, abs(self.low))


def exposed(union: Union, *, among: Ints | None = None) -> tuple[Exposed, ...]:
    """The cells that need doubt and whose attacker's interval is too narrow.

    What the kept proofs still show to be in doubt is not asked again; only for the rest a solver looks.

    Args:
        union: What is known.
        among: Cells to look at; all that need doubt unless given.

    Returns:
        The exposed cells, in the order of the union.
    """
    asked = union.unproven()
    asked = asked if among is None else np.intersect1d(asked, among)
    return _within(union, asked)


def _within(union: Union, asked: Ints) -> tuple[Exposed, ...]:
    if not len(asked):
        return ()
    system, nothing = union.system, np.zeros(union.system.cells, dtype=bool)
    is_asked = nothing.copy()
    is_asked[asked] = True
    below, above, width = (np.where(is_asked, need, 0.0) for need in (system.below, system.above, system.width))
    # One program speaks for many cells; only those that fail are placed exactly.
    failing = audit(replace(system.without_names(), below=below, above=above, width=width), nothing).failing
    low, high = intervals(system.without_names(), nothing, failing) if len(failing) else (failing, failing)
    return tuple(
        Exposed(c, system.names[c], float(least), float(most))
        for c, least, most in zip(failing.tolist(), low.tolist(), high.tolist(), strict=True)
    )


def newly_exposed(union: Union, releases: Iterable[int]) -> tuple[Exposed, ...]:
    """The cells that some releases give away, alone or together with all others: not those that were lost before.

    A cell that had been lost already counts when it can now be placed more closely than before.

    Args:
        union: What is known, these releases included.
        releases: Numbers of their entries.
    """
    after = exposed(union)
    if not after:
        return ()
    before = union.without(releases)
    lost = {e.cell: e for e in _within(before, np.array([e.cell for e in after], dtype=np.int64))}
    return tuple(e for e in after if e.cell not in lost or _is_closer(e, lost[e.cell]))


def _is_closer(now: Exposed, before: Exposed) -> bool:
    slack = _EXACT * max(1.0, abs(now.low))
    return now.low > before.low + slack or now.high < before.high - slack


def givers(union: Union, cell: int) -> tuple[int, ...]:
    """A set of releases that gives a cell away and of which none can be left out; the later ones when there is choice.

    Args:
        union: What is known.
        cell: A cell that is exposed.

    Returns:
        Numbers of their entries. There may be another set that is smaller.
    """
    asked, left = np.array([cell], dtype=np.int64), union
    for release in sorted(union.told):
        fewer = left.without([release])
        if _within(fewer, asked):
            left = fewer
    return tuple(sorted(left.told))


def naively_exposed(union: Union) -> tuple[Exposed, ...]:
    """The cells that would be found if only those were withheld that need doubt themselves, and nothing beside them.

    That is what ordinary suppression does: it hides small numbers, and subtraction brings them back.
    """
    shown = replace(union, system=replace(union.system, published=union.usual))
    return exposed(shown)


def known_to_insiders(union: Union) -> tuple[Exposed, ...]:
    """The cells that somebody can place too closely who is the only one in another cell, and so knows that it is 1.

    Args:
        union: What is known to everybody.

    Returns:
        Each cell once, with the narrowest interval that one person can have. Needs one look for each such person.
    """
    at = {name: cell for cell, name in enumerate(union.system.names)}
    found = [replace(e, cell=at[e.name]) for part in union.parts() for e in _Insiders(part).found()]
    return tuple(sorted(found, key=lambda e: e.cell))


def _totals(system: System) -> csr_array:
    """For each cell (row) the cells of which it is a part."""
    lines, cells = csr_array(system.matrix), system.cells
    part: list[int] = []
    whole: list[int] = []
    for begin, end in pairwise(lines.indptr.tolist()):
        own, sign = lines.indices[begin:end], np.sign(lines.data[begin:end])
        for one in (-1, 1):
            total = own[sign == one]
            if len(total) == 1:
                part += own[sign == -one].tolist()
                whole += [int(total[0])] * (len(own) - 1)
    return csr_array((np.ones(len(part)), (part, whole)), shape=(cells, cells))


def _one_person(totals: csr_array, alone: Mask) -> Ints:
    """A number for each cell: those of 1 that are parts of each other, and so are one person, have the same."""
    part, whole = totals.nonzero()
    both = alone[part] & alone[whole]
    graph = csr_array((np.ones(int(both.sum())), (part[both], whole[both])), shape=totals.shape)
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


class _Insiders:
    """Each person who is alone in some cell of one piece of a union, and what they find of others.

    Tables that are possible to one of them are kept: most are possible to the next one too, so that few programs are
    solved for many people.

    Args:
        part: What everybody knows.
    """

    def __init__(self, part: Union) -> None:
        system = self._system = part.system
        self._free = np.flatnonzero(~system.published)
        self._needs = np.flatnonzero(system.needs[self._free])
        value = system.value[self._free]
        # No table has to go farther than this: what is asked is whether it goes far enough.
        reach = np.full(
            len(self._free), _FAR * max(1.0, float(system.width.max(initial=0)), float(value.max(initial=0)))
        )
        self._down = np.maximum(-reach, system.floor[self._free] - value)
        self._up = np.minimum(reach, system.ceiling[self._free] - value)
        self._program = Program(csc_array(system.matrix[:, self._free]), self._down, self._up, is_primal=True)
        self._tables = part.possible()[:, self._free[self._needs]].toarray()
        self._totals = _totals(system)
        self._who = _one_person(self._totals, system.value == 1)[self._free[self._needs]]
        self._held: dict[int, Mask] = {}

    def found(self) -> list[Exposed]:
        """Each cell that somebody finds, once, with the narrowest interval that one person has."""
        cells = self._free[self._needs]
        narrowest: dict[int, Exposed] = {}
        for person in np.flatnonzero(self._system.value[cells] == 1).tolist():
            self._bound(person, 0.0, 0.0)
            for other in self._short(person).tolist():
                fall, rise = (self._farthest(other, sign) for sign in (1.0, -1.0))
                if not self._is_short(person)[other]:
                    continue
                value, cell = float(self._system.value[cells[other]]), int(cells[other])
                e = Exposed(cell, self._system.names[cell], value - fall, value + rise)
                if cell not in narrowest or _is_closer(e, narrowest[cell]):
                    narrowest[cell] = e
            column = self._needs[person]
            self._bound(person, self._down[column], self._up[column])
        return list(narrowest.values())

    def _is_short(self, person: int) -> Mask:
        """Which cells no table that this person thinks possible shows to be in doubt; not the person's own."""
        possible = self._tables[np.abs(self._tables[:, person]) <= _EXACT]
        fall, rise = -possible.min(axis=0, initial=0.0), possible.max(axis=0, initial=0.0)
        at = self._free[self._needs]
        s, slack = self._system, _EXACT * np.maximum(1.0, np.abs(self._system.value[at]))
        # Whoever is counted in a cell knows that it is not 0: in doubt are the others.
        known = np.minimum(s.below[at], np.where(self._holds(person), np.maximum(s.value[at] - 1, 0), s.below[at]))
        is_wide = (fall >= known - slack) & (rise >= s.above[at] - slack)
        is_wide &= fall + rise >= s.width[at] - (s.below[at] - known) - slack
        # A cell of 1 that is part of another one, or holds it, is the same person, who finds nobody else there.
        is_self = (self._who == self._who[person]) & (s.value[at] == 1)
        return np.asarray(~is_wide & ~is_self)

    def _holds(self, person: int) -> Mask:
        """The cells in which the person is counted: totals of the own one, and totals of these."""
        if person not in self._held:
            at = self._free[self._needs]
            own = at[(self._who == self._who[person]) & (self._system.value[at] == 1)]
            found = set(own.tolist())
            todo = list(found)
            while todo:
                part = todo.pop()
                begin, end = self._totals.indptr[part : part + 2].tolist()
                more = set(self._totals.indices[begin:end].tolist()) - found
                found |= more
                todo += more
            self._held[person] = np.isin(at, list(found))
        return self._held[person]

    def _short(self, person: int) -> Ints:
        """The cells that are still short after tables have been looked for that move as many as can be."""
        before = len(self._needs) + 1
        while (short := np.flatnonzero(self._is_short(person))).size < before:
            before = short.size
            for cost in (1.0, -1.0) if before else ():
                self._solved(short, np.full(before, cost))
        return short

    def _farthest(self, other: int, cost: float) -> float:
        table = self._solved(np.array([other]), np.array([cost]))
        return max(0.0, -cost * float(table[other]))

    def _solved(self, cells: Ints, cost: Floats) -> Floats:
        columns = self._needs[cells]
        if len(cells) > 1:  # none farther than it needs, so that one does not take the room of others
            need = np.maximum(self._system.width, self._system.above + self._system.below)[self._free[columns]]
            self._program.bound(columns, np.maximum(self._down[columns], -need), np.minimum(self._up[columns], need))
        self._program.price(columns, cost)
        found = self._program.solve()
        self._program.price(columns, np.zeros(len(columns)))
        if len(cells) > 1:
            self._program.bound(columns, self._down[columns], self._up[columns])
        if found is None:
            return np.zeros(len(self._needs))  # nothing is known of it, so nothing is claimed for it
        table = np.asarray(found[self._needs])
        self._tables = np.vstack([self._tables, table])
        return table

    def _bound(self, person: int, low: float, high: float) -> None:
        self._program.bound(self._needs[[person]], np.array([low]), np.array([high]))


# What an audit tells


@dataclass(frozen=True)
class Finding:
    """One cell that can be recovered, as it is told to the privacy officer.

    Args:
        what: What it is, in words.
        low: The least that the reader can tell it to be.
        high: The most.
        is_exact: Whether the value itself is told.
        releases: Releases that give it away together; none of them can be left out.
        to: ``reader``: anybody. ``insider``: the one person in another cell.
    """

    what: str
    low: float
    high: float
    is_exact: bool
    releases: tuple[str, ...]
    to: Literal["reader", "insider"] = "reader"


@dataclass(frozen=True)
class Lost:
    """What ordinary suppression would have lost of one measure to subtraction, and what was lost.

    Args:
        measure: Its name.
        small: Cells that need doubt.
        exact: Of these, those whose value would be told.
        within: Those that would be placed too closely, though not exactly.
        ours: Those that are lost as it was published.
    """

    measure: str
    small: int
    exact: int
    within: int
    ours: int


@dataclass(frozen=True)
class Audited:
    """The attacker's side over everything ever published.

    Args:
        releases: Releases that are known to the world.
        shown: Numbers that they show, each once.
        in_doubt: Cells that must stay in doubt.
        proven: Of these, those whose kept proof still holds beside all that was published later.
        solved: Those that a solver found in doubt.
        found: Those that can be recovered.
        lost: What ordinary suppression would have lost; empty unless asked.
        things: Releases of which nobody stands behind a row: there is nothing to protect.
        adopted: Releases that were taken in without a proof: what they withhold is not known.
        rows: Releases of rows.
        insiders: Whether people who are alone in a cell were looked at too.
    """

    releases: int
    shown: int
    in_doubt: int
    proven: int
    solved: int
    found: tuple[Finding, ...] = ()
    lost: tuple[Lost, ...] = ()
    things: int = 0
    adopted: int = 0
    rows: int = 0
    insiders: bool = False
