"""Certificates: the proof of a release as a file, and its check by plain arithmetic, without any solver."""

from __future__ import annotations

import hashlib
import io
import json
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array

from metroon.base import private
from metroon.base.errors import Problem, Refused
from metroon.guard.system import Alternatives, Proof, Suppression, System

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    Array = NDArray[np.generic]
    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Mask = NDArray[np.bool_]

FORMAT = 1
"""What the files are written as; a reader of another number stops."""
_CELLS = {"value": "f", "published": "b", "below": "f", "above": "f", "width": "f", "since": "i", "weight": "f",
          "bundle": "i", "fixed": "b", "floor": "f", "ceiling": "f", "hidden": "b", "up": "i", "down": "i"}  # fmt: skip
"""The arrays with one entry a cell, and of which type: floating, whole or true and false."""
_SPARSE = ("matrix", "change")
_UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, OSError, EOFError, RuntimeError, MemoryError,
               zipfile.BadZipFile, zlib.error, struct.error)  # fmt: skip
"""All that reading a file that was cut short, changed or never was an archive of arrays may end in."""
_EXACT = 2.0**53
"""Up to here a floating number is a whole number without doubt."""
_SLACK = 1e-6
"""How far an equation of amounts may be off, for each unit of what it adds up (privacy reference, section 4)."""


@dataclass(frozen=True)
class Fault:
    """One thing that keeps a certificate from proving that nobody is found.

    Args:
        what: What is wrong. Never a value.
        cells: Numbers of the cells that it is about; empty when it is about equations or the whole.

    Example:
        >>> print(Fault("have no other table above the truth", (4, 7)))
        2 cells have no other table above the truth
    """

    what: str
    cells: tuple[int, ...] = ()

    def __str__(self) -> str:
        return f"{len(self.cells)} cells {self.what}" if self.cells else self.what


@dataclass(frozen=True)
class Verified:
    """What the check of one release's certificate has found.

    Args:
        name: The measure, table or product.
        edition: The number of the open version; 0 while it is not known to have left.
        surface: What the release is made of.
        in_doubt: Cells of the proof that must stay in doubt.
        proven: How many of them do.
        faults: What is wrong, in words without values; nothing when the proof holds.
    """

    name: str
    edition: int
    surface: str
    in_doubt: int
    proven: int
    faults: tuple[str, ...] = ()


def verify(proof: Proof) -> tuple[Fault, ...]:
    """Whether a proof holds: each cell that must stay in doubt has other tables that a reader cannot rule out.

    A table is possible to a reader when it keeps every equation, agrees with every number that is shown, stays
    between floor and ceiling, and is of whole numbers where only these are possible. For counts all is reckoned in
    whole numbers, so that nothing rests on rounding. No solver is asked: only additions and comparisons.

    Args:
        proof: What was released, what is true, and the other tables.

    Returns:
        What is wrong; nothing when the proof holds.

    Source:
        Fischetti and Salazar (2000), Journal of the American Statistical Association 95, 916-928,
        doi:10.1080/01621459.2000.10474282, section 2: protection levels.

    Example:
        3 + 20 = 23, the parts withheld; the other tables are 0 + 23 and 6 + 17.

        >>> from metroon.guard.system import system
        >>> needs = {"below": np.array([2.0, 0, 0]), "above": np.array([3.0, 0, 0]), "width": np.array([5.0, 0, 0])}
        >>> made = system(csr_array([[1, 1, -1]]), [3, 20, 23], **needs)
        >>> others = Alternatives(csr_array([[-3, 3, 0], [3, -3, 0]]), np.array([1, -1, -1]), np.array([0, -1, -1]))
        >>> hidden = np.array([True, True, False])
        >>> verify(Proof("crashes", made, Suppression(hidden, others, np.array([], dtype=np.int64))))
        ()
        >>> shown = np.array([True, False, False])
        >>> print(*verify(Proof("crashes", made, Suppression(shown, others, np.array([], dtype=np.int64)))))
        1 cells are shown, and yet differ in another table
    """
    if faults := tuple(_unlike(proof.system, proof.suppression)):
        return faults
    return tuple(_false(proof.system, proof.suppression))


def _unlike(system: System, suppression: Suppression) -> Iterator[Fault]:
    """What cannot be reckoned with at all: wrong lengths, rows that are not there, numbers that are none."""
    others, n = suppression.alternatives, system.cells
    each = [getattr(system, name) for name in _CELLS if hasattr(system, name)]
    if {len(a) for a in (*each, suppression.hidden, others.up, others.down)} != {n}:
        yield Fault("the arrays have different lengths")
    elif system.matrix.shape[1] != n or others.change.shape[1] != n:
        yield Fault("the equations or the other tables are of another number of cells")
    elif not all(((a >= -1) & (a < others.change.shape[0])).all() for a in (others.up, others.down)):
        yield Fault("a cell names another table that is not there")
    elif not all(np.isfinite(a).all() for a in (system.value, system.matrix.data, others.change.data)):
        yield Fault("a number is not finite")
    elif np.isnan([system.floor, system.ceiling, system.below, system.above, system.width]).any():
        yield Fault("a bound or a need is no number")
    elif min(system.below.min(initial=0), system.above.min(initial=0), system.width.min(initial=0)) < 0:
        yield Fault("a need is negative")
    elif system.is_whole and not all(_is_whole(a) for a in (system.value, system.matrix.data, others.change.data)):
        yield Fault("a count is not a whole number")
    elif system.is_whole and _largest_sum(system, others) >= _EXACT:
        yield Fault("the counts are too large to be reckoned with in whole numbers")


def _false(system: System, suppression: Suppression) -> Iterator[Fault]:
    """What is wrong in a proof that can be reckoned with."""
    others, kind = suppression.alternatives, np.int64 if system.is_whole else np.float64
    value, matrix = system.value.astype(kind), system.matrix.astype(kind)
    change = others.change.astype(kind)
    change.sum_duplicates()
    if _is_off(matrix, csr_array(value[None, :]), system.is_whole):
        yield Fault("the true numbers do not add up")
    if _is_off(matrix, change, system.is_whole):
        yield Fault("another table does not add up")
    lowest = np.minimum(value, value + change.min(axis=0).toarray().ravel()) if change.shape[0] else value
    highest = np.maximum(value, value + change.max(axis=0).toarray().ravel()) if change.shape[0] else value
    slack = np.zeros(system.cells) if system.is_whole else _SLACK * np.maximum(1.0, np.abs(value))
    moved = np.bincount(change.tocoo().col[change.data != 0], minlength=system.cells) > 0
    # Where an entry has no cell of its own, another table is up and down by nothing.
    rise, fall = _moved(change, others.up), -_moved(change, others.down)
    yield from _told("are shown, and yet differ in another table", moved & system.shown(suppression.hidden))
    yield from _told("are less than is known of them", lowest < system.floor - slack)
    yield from _told("are more than is known of them", highest > system.ceiling + slack)
    yield from _told("are not far enough above the truth in any other table", rise < system.above - slack)
    yield from _told("are not far enough below the truth in any other table", fall < system.below - slack)
    yield from _told("have an interval that is too narrow", rise + fall < system.width - slack)
    if len(suppression.failing):
        yield Fault("were left without proof", tuple(int(cell) for cell in suppression.failing))


def _told(what: str, cells: Mask) -> Iterator[Fault]:
    if cells.any():
        yield Fault(what, tuple(np.flatnonzero(cells).tolist()))


def _is_whole(numbers: Array) -> bool:
    return bool((np.abs(numbers) < _EXACT).all() and (np.rint(numbers) == numbers).all())


def _largest_sum(system: System, others: Alternatives) -> float:
    """The most that any equation could add up to on the way, whatever the signs."""
    reach = np.abs(system.value) + abs(others.change).sum(axis=0)
    return float((abs(system.matrix) @ reach).max(initial=reach.max(initial=0.0)))


def _is_off(matrix: csr_array, tables: csr_array, is_whole: bool) -> bool:
    """Whether an equation does not hold in some table: exactly in whole numbers, else nearly."""
    sums = np.abs((matrix @ tables.T).toarray())
    if is_whole:
        return bool(sums.any())
    return bool((sums > _SLACK * np.maximum(1.0, (abs(matrix) @ abs(tables).T).toarray())).any())


def _moved(change: csr_array, row: Ints) -> Floats | Ints:
    """By how much each cell differs in the table that is named for it; 0 where none is."""
    named = np.flatnonzero(row >= 0)
    moved = np.zeros(len(row), dtype=change.dtype)
    if len(named):
        moved[named] = change[row[named], named]
    return moved


def save(proof: Proof, path: Path) -> str:
    """Write a proof to a file that only its owner may read: it tells the truth.

    The same proof makes the same file. It is there as a whole or not at all, whenever the machine stops.

    Args:
        proof: What is to be kept.
        path: The file to write; a folder keeps it under the name of its content, as ``<sha256>.npz``.

    Returns:
        The SHA-256 of the file, in hexadecimal.
    """
    content = _written(proof)
    digest = hashlib.sha256(content).hexdigest()
    path = path / f"{digest}.npz" if path.is_dir() else path
    private.save(content, path)
    return digest


def _written(proof: Proof) -> bytes:
    system, suppression = proof.system, proof.suppression
    others = suppression.alternatives
    arrays: dict[str, Array] = {
        name: np.asarray(getattr(system, name)) for name in _CELLS if name not in ("hidden", "up", "down")
    }
    arrays |= {"hidden": suppression.hidden, "up": others.up, "down": others.down, "failing": suppression.failing}
    for name, sparse in zip(_SPARSE, (system.matrix, others.change), strict=True):
        sparse = sparse.copy()
        sparse.sum_duplicates()
        sparse.eliminate_zeros()
        numbers = sparse.data.astype(np.int64) if system.is_whole and _is_whole(sparse.data) else sparse.data
        arrays |= {f"{name}_data": numbers, f"{name}_shape": np.array(sparse.shape, dtype=np.int64)}
        arrays |= {f"{name}_indices": sparse.indices.astype(np.int64), f"{name}_indptr": sparse.indptr.astype(np.int64)}
    words = {
        "format": FORMAT,
        "population": proof.population,
        "is_whole": system.is_whole,
        "lower_bound": suppression.lower_bound,
        "is_optimal": suppression.is_optimal,
        "told": list(suppression.told),
        "names": [list(name) for name in system.names],
    }
    arrays["words"] = np.frombuffer(json.dumps(words, ensure_ascii=False, sort_keys=True).encode(), dtype=np.uint8)
    content = io.BytesIO()
    np.savez_compressed(content, allow_pickle=False, **arrays)
    return content.getvalue()


def read(path: Path, *, sha256: str = "") -> Proof:
    """A proof from its file.

    Args:
        path: The file.
        sha256: What it must be; when not given, what its name says, if that is a SHA-256.

    Raises:
        Refused: It is missing, cut short, changed, or no certificate (G109).
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _unreadable(path, f"the certificate cannot be read: {error.strerror}.") from error
    wanted = sha256 or (path.stem if len(path.stem) == 64 and set(path.stem) <= set("0123456789abcdef") else "")
    if wanted and hashlib.sha256(content).hexdigest() != wanted:
        raise _unreadable(path, "the certificate is not what was written: it was cut short or changed.")
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            return _proof({name: file[name] for name in file.files})
    except _UNREADABLE as error:
        raise _unreadable(path, "the file is no certificate, or it was cut short or changed.") from error


def _unreadable(path: Path, what: str) -> Refused:
    fix = "Put it back from a backup. Nothing of the same people is published while it is not there."
    return Refused([Problem(str(path), 0, "G109", what, fix)])


def _proof(arrays: Mapping[str, Array]) -> Proof:
    words = json.loads(arrays["words"].tobytes().decode())
    if words["format"] != FORMAT:
        raise ValueError("a certificate of another format")
    each: dict[str, Array] = {}
    for name, kind in _CELLS.items():
        if arrays[name].dtype.kind != kind or arrays[name].shape != arrays["value"].shape:
            raise ValueError(f"{name} is not one number for each cell")
        each[name] = arrays[name]
    matrix, change = (_sparse(arrays, name) for name in _SPARSE)
    names = tuple(tuple(str(word) for word in name) for name in words["names"])
    if names and len(names) != len(arrays["value"]):
        raise ValueError("not one name for each cell")
    hidden, up, down = each.pop("hidden"), each.pop("up"), each.pop("down")
    made = System(matrix, is_whole=bool(words["is_whole"]), names=names, **each)  # type: ignore[arg-type]  # by kind
    suppression = Suppression(
        hidden.astype(np.bool_),
        Alternatives(change, up.astype(np.int64), down.astype(np.int64)),
        arrays["failing"].astype(np.int64),
        float(words["lower_bound"]),
        bool(words["is_optimal"]),
        tuple(str(line) for line in words["told"]),
    )
    return Proof(str(words["population"]), made, suppression)


def _sparse(arrays: Mapping[str, Array], name: str) -> csr_array:
    data, at, rows = (arrays[f"{name}_{part}"] for part in ("data", "indices", "indptr"))
    if data.dtype.kind not in "if" or at.dtype.kind != "i" or rows.dtype.kind != "i":
        raise ValueError(f"{name} is of no numbers")
    lines, cells = (int(n) for n in arrays[f"{name}_shape"].tolist())
    made = csr_array((data.astype(np.float64), at.astype(np.int64), rows.astype(np.int64)), shape=(lines, cells))
    made.check_format(full_check=True)
    return made
