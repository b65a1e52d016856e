"""What the ledger says of a release, and everything ever released as what one reader knows."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.sparse import csr_array, vstack
from scipy.sparse.csgraph import connected_components

from metroon.guard.system import System

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from metroon.guard.system import Floats, Ints, Mask, Name, Proof

Surface = Literal["measure", "table", "rows"]
"""What a release is made of: a measure's numbers, a table with totals, or rows of a product.

Pages, files and every door read the same version of it, so there is one entry for all of them.
"""
State = Literal["pending", "confirmed", "void", "adopted"]
"""Where a release stands. ``pending``: reserved, and not yet known to have left. ``adopted``: it left before there was
a ledger."""
WHOLE = ""
"""The grain of a column that is told as it is."""


@dataclass(frozen=True)
class Release:
    """What the ledger keeps of a release, beside its proof. None of it is a number of people.

    Args:
        name: The measure, table or product.
        surface: What it is made of.
        population: The products whose people are counted.
        product: The product whose rows are counted, or leave.
        as_of: The day that was taken for today.
        content: The hash of what leaves.
        proof: The hash of the certificate; empty when nobody stands behind what is counted.
        contract: The hash of the product's contract.
        declaration: The hash of the measure's or product's declaration.
        code: Version of the package and the hash of its files.
        minimum: The fewest people that may be told.
        rounding: How values are rounded; empty when they are not.
        cells: How many numbers it has.
        hidden: How many of them are withheld.
        columns: Of rows: the columns that left -> how coarse, such as ``month``; empty when as they are.
        tells: Of a measure: for what it withholds, the columns (with their grain) by which one could count it again.
        covers: Hashes of earlier proofs of which this one holds all: they need not be read again.
        by: Who took it in, when it was published without a ledger.
    """

    name: str
    surface: Surface
    population: tuple[str, ...]
    product: str
    as_of: str
    content: str
    proof: str = ""
    contract: str = ""
    declaration: str = ""
    code: str = ""
    minimum: int = 0
    rounding: str = ""
    cells: int = 0
    hidden: int = 0
    columns: Mapping[str, str] = field(default_factory=dict)
    tells: tuple[Mapping[str, str], ...] = ()
    covers: tuple[str, ...] = ()
    by: str = ""


@dataclass(frozen=True)
class Entry:
    """One release in the ledger.

    Args:
        seq: Its number; the ledger counts from 1 and leaves none out.
        time: When it was reserved.
        state: Where it stands.
        edition: The number of the open version; 0 while it is not known to have left.
        release: What it is.
    """

    seq: int
    time: str
    state: State
    edition: int
    release: Release

    @property
    def is_live(self) -> bool:
        """Whether the world may have it. What has left stays known for ever, also when it is withdrawn."""
        return self.state != "void"

    @property
    def label(self) -> str:
        """How people name it."""
        return f"{self.release.name} {self.edition}" if self.edition else self.release.name


def kin(entries: Iterable[Entry], population: Iterable[str]) -> list[Entry]:
    """The releases of the same people, however products were tied to each other when they were made.

    Example:
        >>> def entry(seq, *products):
        ...     return Entry(seq, "", "confirmed", 1, Release("m", "measure", products, products[0], "", ""))
        >>> made = [entry(1, "a", "b"), entry(2, "b", "c"), entry(3, "d")]
        >>> [e.seq for e in kin(made, ["c"])]
        [1, 2]
    """
    known, every = set(population), list(entries)
    while more := {p for e in every if known & set(e.release.population) for p in e.release.population} - known:
        known |= more
    return [e for e in every if known & set(e.release.population)]


@dataclass(frozen=True, eq=False)
class Told:
    """A proof, and which of what it speaks of has really been released.

    Args:
        proof: What was released together.
        releases: Measure or table -> number of its entry. What of the proof is not among them was not told.
    """

    proof: Proof
    releases: Mapping[str, int]

    @property
    def shown(self) -> Mask:
        """The cells that readers have seen: of what was really released, and of earlier editions."""
        is_told = np.array([name[0] in self.releases for name in self.proof.system.names], dtype=bool)
        return np.asarray(self.proof.shown & (is_told | self.proof.system.fixed))

    def known(self) -> Proof:
        """The proof, with what was not released taken for never shown."""
        system, is_told = self.proof.system, [name[0] in self.releases for name in self.proof.system.names]
        published = system.published & (np.array(is_told, dtype=bool) | system.fixed)
        return replace(self.proof, system=replace(system, published=published))

    def covers(self, other: Told) -> bool:
        """Whether whoever knows this knows all of another too: its cells, sums, bounds and needs."""
        own, theirs = self.proof.system, other.proof.system
        number = {name: at for at, name in enumerate(own.names)}
        at = np.array([number.get(name, -1) for name in theirs.names], dtype=np.int64)
        if (at < 0).any():
            return False
        is_known = bool((own.value[at] == theirs.value).all() and (self.shown[at] | ~other.shown).all())
        is_bounded = bool((own.floor[at] >= theirs.floor).all() and (own.ceiling[at] <= theirs.ceiling).all())
        needs = ((own.below, theirs.below), (own.above, theirs.above), (own.width, theirs.width))
        is_needed = all(bool((mine[at] >= others).all()) for mine, others in needs)
        lines = _rows(_moved_to(own.matrix, np.arange(own.cells), own.cells))
        return (
            is_known and is_bounded and is_needed and set(lines) >= set(_rows(_moved_to(theirs.matrix, at, own.cells)))
        )


@dataclass(frozen=True, eq=False)
class Union:
    """All that was ever told of some people, as one reader knows it.

    Args:
        system: Every cell once. ``published`` are those that some release shows.
        usual: The cells that ordinary suppression would have shown: all but those that need doubt themselves.
        told: For each release, by number of its entry, the cells that it shows.
        others: Other tables that were kept as proofs, over the cells of the union.
    """

    system: System
    usual: Mask
    told: Mapping[int, Ints]
    others: csr_array

    def without(self, releases: Iterable[int]) -> Union:
        """What a reader would know who had not seen some releases."""
        left = {number: cells for number, cells in self.told.items() if number not in set(releases)}
        shown = np.zeros(self.system.cells, dtype=bool)
        for cells in left.values():
            shown[cells] = True
        return replace(self, system=replace(self.system, published=shown), told=left)

    def knowing(self, cells: Ints) -> Union:
        """What a reader would know to whom some cells have been told besides."""
        shown = self.system.published.copy()
        shown[cells] = True
        return replace(self, system=replace(self.system, published=shown))

    def parts(self) -> list[Union]:
        """Pieces of what is unseen that no equation ties to each other: each can be looked at by itself."""
        matrix, unseen = self.system.matrix.tocsc(), np.flatnonzero(~self.system.published)
        lines = matrix.shape[0]
        row, cell = matrix[:, unseen].nonzero()
        size = lines + len(unseen)
        graph = csr_array((np.ones(len(row)), (row, lines + cell)), shape=(size, size))
        _, label = connected_components(graph, directed=False)
        needs = self.system.needs[unseen]
        return [
            self._part(np.flatnonzero(label[:lines] == piece), unseen[label[lines:] == piece])
            for piece in np.unique(label[lines:][needs])
        ]

    def _part(self, lines: Ints, cells: Ints) -> Union:
        own, others = self.system.matrix[lines], self.others.tocsc()[:, cells].tocsr()
        at = np.union1d(cells, own.indices)
        moved = csr_array((others.data, cells[others.indices], others.indptr), shape=self.others.shape)
        s = self.system
        made = System(
            csr_array(own[:, at]), s.value[at], s.published[at], s.below[at], s.above[at], s.width[at], s.since[at],
            s.weight[at], s.bundle[at], s.fixed[at], s.floor[at], s.ceiling[at], s.is_whole,
            [s.names[i] for i in at.tolist()],
        )  # fmt: skip
        return Union(made, self.usual[at], {}, csr_array(moved[np.diff(moved.indptr) > 0][:, at]))

    def possible(self) -> csr_array:
        """The kept other tables that a reader of all this cannot rule out."""
        return csr_array(self.others[_possible(self.system, self.others)]) if self.others.shape[0] else self.others

    def doubts(self) -> tuple[Floats, Floats]:
        """How far each cell can be under and over the truth, for all that the kept proofs show; no solver is asked."""
        possible = self.possible()
        if not possible.shape[0]:
            return np.zeros(self.system.cells), np.zeros(self.system.cells)
        fall = np.maximum(0.0, -possible.min(axis=0).toarray().ravel())
        return fall, np.maximum(0.0, possible.max(axis=0).toarray().ravel())

    def unproven(self) -> Ints:
        """The cells that must stay in doubt and whose doubt no kept proof shows any more: these need a solver."""
        fall, rise = self.doubts()
        return np.flatnonzero(self.system.needs & ~in_doubt(self.system, fall, rise))


def in_doubt(system: System, fall: Floats, rise: Floats) -> Mask:
    """Where a reader's interval is wide enough.

    Args:
        system: What is needed.
        fall: How far under the truth the interval reaches, one entry a cell.
        rise: How far over it.
    """
    slack = 1e-6 * np.maximum(1.0, np.abs(system.value))
    return np.asarray(
        (fall >= system.below - slack) & (rise >= system.above - slack) & (fall + rise >= system.width - slack)
    )


def _possible(system: System, others: csr_array) -> Mask:
    # Equations hold, what is shown stays, floors and ceilings are kept.
    slack = 1e-6
    # A table of one number a period has no equation at all.
    none = np.zeros(others.shape[0])
    off = abs(others @ system.matrix.T).max(axis=1).toarray().ravel() if system.matrix.shape[0] else none
    moved = abs(others[:, np.flatnonzero(system.published)])
    rows = others.tocoo()
    at, change = rows.col, rows.data
    value, room = system.value[at], slack * np.maximum(1.0, np.abs(system.value[at]))
    is_out = (value + change < system.floor[at] - room) | (value + change > system.ceiling[at] + room)
    is_lawful = np.bincount(rows.row[is_out], minlength=others.shape[0]) == 0
    scale = np.maximum(1.0, abs(others).max(axis=1).toarray().ravel())
    return np.asarray(is_lawful & (off <= slack * scale) & (moved.sum(axis=1) <= slack * scale))


def union(every: Sequence[Told]) -> Union:
    """Everything that was told of some people, put together as one reader would.

    The same name is the same number in every release, so that tables which have cells in common are tied by them:
    a count by wards and one by neighborhoods through the ground that both share, two editions through what has not
    changed in between. What is known of a cell from anywhere is known of it: the highest floor, the lowest ceiling.

    A cell needs its doubt as long as some release needs it. What was shown before a release asked for doubt needs none
    any more: it cannot be taken back. What is shown afterwards does.

    Args:
        every: The proofs in the order in which they were released.

    Returns:
        One system, with the cells that each release shows.

    Raises:
        ValueError: Two proofs give one name different numbers, or a proof has no names: the file is not what it was.

    Example:
        Two safe tables of the same three blocks: their difference is block b alone.

        >>> from metroon.guard.system import Alternatives, Proof, Suppression, system
        >>> none = Alternatives(csr_array((0, 3)), np.array([-1] * 3), np.array([-1] * 3))
        >>> def table(name, blocks, values):
        ...     names = [("blocks", "yes", "all", "blocks", b, "all", "all", "1") for b in blocks]
        ...     names.append((name, "yes", "all", "all", "all", "all", "all", "1"))
        ...     need = np.array([0.0 if b != "b" else 2.0 for b in blocks] + [0.0])
        ...     made = system(csr_array([[1, 1, -1]]), values, published=np.array([False, False, True]),
        ...         below=need, above=need * 1.5, width=need * 2.5, names=names)
        ...     nothing = np.zeros(3, dtype=bool)
        ...     return Told(Proof("people", made, Suppression(nothing, none, np.array([], dtype=np.int64))), {name: 1})
        >>> both = union([table("wards", "ab", [20, 3, 23]), table("districts", "bc", [3, 30, 33])])
        >>> both.system.cells, both.system.matrix.shape[0], int(both.system.needs.sum())
        (5, 2, 1)
    """
    number: dict[Name, int] = {}
    places: list[Ints] = []
    for one in every:
        names = one.proof.system.names
        if len(names) != one.proof.system.cells:
            raise ValueError("a proof does not name its cells")
        places.append(np.array([number.setdefault(name, len(number)) for name in names], dtype=np.int64))
    n = len(number)
    value, floor, ceiling = np.full(n, np.nan), np.full(n, -np.inf), np.full(n, np.inf)
    below, above, width = np.zeros(n), np.zeros(n), np.zeros(n)
    shown, usual = np.zeros(n, dtype=bool), np.zeros(n, dtype=bool)
    cells_of: dict[int, list[Ints]] = {}
    others: list[csr_array] = []
    for one, at in zip(every, places, strict=True):
        system, measures = one.proof.system, np.array([name[0] for name in one.proof.system.names])
        _refuse_other_numbers(value[at], system.value)
        value[at] = system.value
        floor[at] = np.maximum(floor[at], system.floor)
        ceiling[at] = np.minimum(ceiling[at], system.ceiling)
        is_open = ~shown[at]
        for need, own in ((below, system.below), (above, system.above), (width, system.width)):
            need[at] = np.maximum(need[at], np.where(is_open, own, 0.0))
        visible = one.shown
        shown[at[visible]] = True
        usual[at[system.published & (np.isin(measures, list(one.releases)) | system.fixed)]] = True
        for name, seq in one.releases.items():
            cells_of.setdefault(seq, []).append(at[visible & (measures == name)])
        others.append(_moved_to(one.proof.suppression.alternatives.change, at, n))
    needs = (below > 0) | (above > 0) | (width > 0)
    made = System(
        _stacked([_moved_to(one.proof.system.matrix, at, n) for one, at in zip(every, places, strict=True)], n),
        np.nan_to_num(value),
        shown,
        below,
        above,
        width,
        np.zeros(n, dtype=np.int64),
        np.ones(n),
        np.arange(n),
        np.zeros(n, dtype=bool),
        floor,
        ceiling,
        all(one.proof.system.is_whole for one in every),
        tuple(number),
    )
    seen = {seq: np.unique(np.concatenate(cells)) for seq, cells in cells_of.items()}
    return Union(made, usual & ~needs, seen, _stacked(others, n))


def _refuse_other_numbers(known: Floats, value: Floats) -> None:
    both = ~np.isnan(known)
    if (np.abs(known[both] - value[both]) > 1e-6 * np.maximum(1.0, np.abs(value[both]))).any():
        raise ValueError("two proofs give one name different numbers")


def _moved_to(rows: csr_array, at: Ints, cells: int) -> csr_array:
    """The same rows over the cells of the union."""
    told = csr_array(rows).tocoo()
    return csr_array((told.data.astype(np.float64), (told.row, at[told.col])), shape=(rows.shape[0], cells))


def _stacked(parts: Sequence[csr_array], cells: int) -> csr_array:
    """All rows, each once."""
    every = csr_array(vstack([csr_array((0, cells)), *parts]))
    first: dict[tuple[bytes, bytes], int] = {}
    for number, row in enumerate(_rows(every)):
        first.setdefault(row, number)
    return csr_array(every[sorted(first.values())])


def _rows(matrix: csr_array) -> list[tuple[bytes, bytes]]:
    """Each row in a form in which equal ones are equal."""
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    places, numbers = matrix.indices.astype(np.int64), matrix.data
    return [(places[a:b].tobytes(), numbers[a:b].tobytes()) for a, b in pairwise(matrix.indptr.tolist())]


def to_read(live: Iterable[Entry]) -> list[Entry]:
    """The releases whose proofs tell everything that was told: those that no later proof holds as a whole."""
    proven = [e for e in live if e.release.proof]
    covered = {sha256 for e in proven for sha256 in e.release.covers if sha256 != e.release.proof}
    return [e for e in proven if e.release.proof not in covered]


def told(kept: Iterable[tuple[Entry, Proof]]) -> dict[str, Told]:
    """What was told by some releases, oldest first: the hash of each proof -> it, with the releases it is of."""
    proofs: dict[str, Proof] = {}
    releases: dict[str, dict[str, int]] = {}
    for entry, proof in kept:
        proofs[entry.release.proof] = proof
        releases.setdefault(entry.release.proof, {}).setdefault(entry.release.name, entry.seq)
    return {sha256: Told(proofs[sha256], of) for sha256, of in releases.items()}


def tells(columns: Mapping[str, str], wanted: Iterable[Mapping[str, str]]) -> list[Mapping[str, str]]:
    """Which withheld numbers could be counted again from rows that are open.

    Args:
        columns: The open columns -> how coarse they are; ``WHOLE`` when as they are.
        wanted: For each kind of number the columns that it takes -> how coarse they may be at the most.

    Returns:
        Those for which every column is open, fine enough.

    Example:
        >>> wanted = [{"ward": "", "day": "month"}, {"race": ""}]
        >>> tells({"ward": "", "day": "month"}, wanted), tells({"ward": "", "day": "year"}, wanted)
        ([{'ward': '', 'day': 'month'}], [])
    """
    return [one for one in wanted if all(c in columns and _is_enough(columns[c], grain) for c, grain in one.items())]


_GRAINS = ("month", "quarter", "year", "all")


def _is_enough(has: str, needs: str) -> bool:
    if has not in _GRAINS or needs not in _GRAINS:
        return True  # as it is, or coarsened in a way of which nothing is known here: taken for enough
    return _GRAINS.index(has) <= _GRAINS.index(needs)
