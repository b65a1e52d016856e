"""A certificate proves what it says, and nothing that was changed in it goes unnoticed."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from metroon.base.errors import Refused
from metroon.guard.certificate import read, save, verify
from metroon.guard.system import Alternatives, Proof, Suppression, system

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LINES = np.array([
    [1, 1, 1, -1, 0, 0, 0, 0, 0], [0, 0, 0, 0, 1, 1, 0, -1, 0],
    [1, 0, 0, 0, 1, 0, -1, 0, 0], [0, 1, 0, 0, 0, 1, 0, 0, -1],
])  # fmt: skip
"""Two rows of parts with their totals; two columns of the two rows with theirs."""
VALUE = np.array([4, 20, 16, 40, 12, 3, 16, 15, 23])
SMALL = np.array([0, 5])
BLOCK = [1, -1, 0, 0, -1, 1, 0, 0, 0]
"""What may move when the two by two block is withheld."""
Change = tuple[str, int, int]


def proof(*, is_whole: bool = True) -> Proof:
    """4 and 3 in a block of four that is withheld: 4 goes down to 1 and up to 7, 3 down to 0 and up to 6."""
    need = {name: np.zeros(9) for name in ("below", "above", "width")}
    need["below"][SMALL], need["above"][SMALL], need["width"][SMALL] = 2, 3, 5
    names = [("crashes", "yes", "2024", "ward", str(at), "all", "all", "1") for at in range(9)]
    made = system(csr_array(LINES), VALUE, **need, is_whole=is_whole, names=names)
    hidden = np.array([bool(n) for n in BLOCK])
    others = csr_array(np.array([[3 * n for n in BLOCK], [-3 * n for n in BLOCK]]))
    up, down = np.full(9, -1), np.full(9, -1)
    up[SMALL], down[SMALL] = 0, 1
    return Proof("crashes", made, Suppression(hidden, Alternatives(others, up, down), np.array([], dtype=np.int64)))


def changed(right: Proof, name: str, at: tuple[int, ...], to: float) -> Proof:
    """The same proof with one number changed."""
    others = right.suppression.alternatives
    if name in ("hidden", "up", "down", "change"):
        owner = right.suppression if name == "hidden" else others
    else:
        owner = right.system
    array = getattr(owner, name)
    array = array.toarray() if hasattr(array, "toarray") else array.copy()
    array[at] = to
    made = csr_array(array) if name in ("change", "matrix") else array
    if name == "hidden":
        return replace(right, suppression=replace(right.suppression, hidden=made))
    if owner is others:
        others = replace(others, **{name: made})
        return replace(right, suppression=replace(right.suppression, alternatives=others))
    return replace(right, system=replace(right.system, **{name: made}))


def is_sound(given: Proof) -> bool:
    """The same question by plain fractions, cell by cell: written apart from the product."""
    lines, change = given.system.matrix.toarray().tolist(), given.suppression.alternatives.change.toarray().tolist()
    value = [Fraction(float(n)) for n in given.system.value]
    rows = [[Fraction(float(n)) for n in row] for row in change]
    every = [value, *([a + d for a, d in zip(value, row, strict=True)] for row in rows)]
    for table in every:
        if any(sum(Fraction(float(c)) * y for c, y in zip(line, table, strict=True)) != 0 for line in lines):
            return False
        if any(y < 0 or y.denominator != 1 for y in table):
            return False
    for at in range(given.system.cells):
        if not given.suppression.hidden[at] and any(row[at] != 0 for row in rows):
            return False
        up, down = int(given.suppression.alternatives.up[at]), int(given.suppression.alternatives.down[at])
        if not (-1 <= up < len(rows) and -1 <= down < len(rows)):
            return False
        rise = rows[up][at] if up >= 0 else 0
        fall = -rows[down][at] if down >= 0 else 0
        needs = (given.system.above[at], given.system.below[at], given.system.width[at])
        if rise < needs[0] or fall < needs[1] or rise + fall < needs[2]:
            return False
    return True


def test_a_proof_that_is_right_is_accepted() -> None:
    assert is_sound(proof())
    assert () == verify(proof())
    assert () == verify(proof(is_whole=False))


@given(
    st.sampled_from([("change", (2, 9)), ("value", (9,)), ("matrix", (4, 9)), ("up", (9,)), ("down", (9,))]).flatmap(
        lambda a: st.tuples(st.just(a[0]), st.tuples(*(st.integers(0, n - 1) for n in a[1])))
    ),
    st.one_of(st.integers(-30, 30), st.just(0.5)),
)
def test_a_proof_with_one_number_changed_is_accepted_only_if_it_is_right_all_the_same(
    where: tuple[str, tuple[int, ...]], to: float
) -> None:
    if where[0] in ("up", "down"):
        to = int(to)
    wrong = changed(proof(), *where, to)

    assert is_sound(wrong) == (verify(wrong) == ())


@given(st.sampled_from(["change", "value"]), st.integers(0, 1), st.integers(0, 8), st.integers(1, 9), st.booleans())
def test_no_number_of_another_table_or_of_the_true_one_can_be_changed(
    name: str, row: int, cell: int, by: int, is_less: bool
) -> None:
    at = (row, cell) if name == "change" else (cell,)
    owner = proof().suppression.alternatives.change.toarray() if name == "change" else VALUE

    assert verify(changed(proof(), name, at, owner[at] + (-by if is_less else by)))


@given(st.integers(0, 3), st.integers(0, 8), st.integers(-3, 3))
def test_no_equation_can_be_changed(line: int, cell: int, to: int) -> None:
    was = LINES[line, cell]

    assert (to == was) == (verify(changed(proof(), "matrix", (line, cell), to)) == ())


@pytest.mark.parametrize("cell", np.flatnonzero(BLOCK).tolist())
def test_no_cell_that_was_withheld_can_be_shown(cell: int) -> None:
    assert ["are shown, and yet differ in another table"] == [
        fault.what for fault in verify(changed(proof(), "hidden", (cell,), False))
    ]


@pytest.mark.parametrize(("name", "to"), [("up", -1), ("up", 1), ("up", 2), ("down", -1), ("down", 0), ("down", -2)])
@pytest.mark.parametrize("cell", SMALL.tolist())
def test_no_cell_can_be_sent_to_a_table_that_does_not_speak_for_it(name: str, to: int, cell: int) -> None:
    assert verify(changed(proof(), name, (cell,), to))


@pytest.mark.parametrize(
    ("name", "to", "words"),
    [
        ("above", 3.5, "1 cells are not far enough above the truth in any other table"),
        ("below", 3.5, "1 cells are not far enough below the truth in any other table"),
        ("width", 7, "1 cells have an interval that is too narrow"),
        ("floor", 2, "1 cells are less than is known of them"),
        ("ceiling", 6, "1 cells are more than is known of them"),
        ("fixed", True, "1 cells are shown, and yet differ in another table"),
        ("above", np.nan, "a bound or a need is no number"),
        ("below", -1, "a need is negative"),
        ("value", np.inf, "a number is not finite"),
        ("value", 4.5, "a count is not a whole number"),
        ("value", 2.0**60, "a count is not a whole number"),
    ],
)
def test_what_is_wrong_is_told(name: str, to: float, words: str) -> None:
    assert [words] == [str(fault) for fault in verify(changed(proof(), name, (0,), to))]


def test_a_cell_left_without_proof_is_told() -> None:
    failing = replace(proof().suppression, failing=np.array([5]))

    assert ["1 cells were left without proof"] == [str(f) for f in verify(replace(proof(), suppression=failing))]


def test_a_fraction_is_no_other_table_of_counts_but_one_of_amounts() -> None:
    half = csr_array(np.array([[3.5 * n for n in BLOCK], [-2.5 * n for n in BLOCK]]))

    def with_halves(right: Proof) -> Proof:
        others = replace(right.suppression.alternatives, change=half)
        return replace(right, suppression=replace(right.suppression, alternatives=others))

    assert ["a count is not a whole number"] == [str(f) for f in verify(with_halves(proof()))]
    assert () == verify(with_halves(proof(is_whole=False)))


def test_counts_that_are_too_large_for_whole_numbers_are_told() -> None:
    large = system(csr_array([[1, 1, -1]]), np.array([2.0**52, 2.0**52, 2.0**53]))
    none = Alternatives(csr_array((0, 3)), np.full(3, -1), np.full(3, -1))
    given = Proof("crashes", large, Suppression(np.zeros(3, dtype=bool), none, np.array([], dtype=np.int64)))

    assert verify(given)


def test_arrays_of_another_length_are_told() -> None:
    short = replace(proof().suppression, hidden=np.ones(8, dtype=bool))

    assert ["the arrays have different lengths"] == [str(f) for f in verify(replace(proof(), suppression=short))]


def as_plain(given: Proof) -> list[object]:
    system, suppression = given.system, given.suppression
    others = suppression.alternatives
    arrays = [system.matrix.toarray(), others.change.toarray(), suppression.hidden, suppression.failing]
    arrays += [getattr(system, n) for n in ("value", "published", "below", "above", "width", "since", "weight")]
    arrays += [system.bundle, system.fixed, system.floor, system.ceiling, others.up, others.down]
    rest = (suppression.lower_bound, suppression.is_optimal, suppression.told, [tuple(n) for n in system.names])
    return [given.population, system.is_whole, *rest, *(a.tolist() for a in arrays)]


def test_what_is_read_back_is_what_was_saved(tmp_path: Path) -> None:
    told = replace(proof().suppression, told=("Ein Satz für die Akte.",), lower_bound=2.5, is_optimal=True)
    given = replace(proof(), suppression=told)
    digest = save(given, tmp_path)

    assert as_plain(given) == as_plain(read(tmp_path / f"{digest}.npz"))


def test_the_same_proof_makes_the_same_file(tmp_path: Path) -> None:
    assert save(proof(), tmp_path / "a.npz") == save(proof(), tmp_path / "b.npz")
    assert ["a.npz", "b.npz"] == sorted(p.name for p in tmp_path.iterdir())


def test_only_the_owner_may_read_a_certificate(tmp_path: Path) -> None:
    save(proof(), tmp_path / "a.npz")

    assert 0o600 == (tmp_path / "a.npz").stat().st_mode & 0o777


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def turned(content: bytes) -> bytes:
    at = len(content) // 2
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


@pytest.mark.parametrize("harm", [cut, turned, lambda _: b"", lambda _: b"no archive"])
def test_a_file_that_was_harmed_is_refused(tmp_path: Path, harm: Callable[[bytes], bytes]) -> None:
    digest = save(proof(), tmp_path)
    path = tmp_path / f"{digest}.npz"
    path.write_bytes(harm(path.read_bytes()))

    with pytest.raises(Refused) as refused:
        read(path)

    assert ["G109"] == [p.code for p in refused.value.problems]


@given(st.data())
def test_no_byte_of_a_file_can_be_changed_unseen(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    folder = tmp_path_factory.mktemp("certificate")
    path = folder / "any.npz"
    digest = save(proof(), path)
    content = bytearray(path.read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)

    with pytest.raises(Refused):
        read(path, sha256=digest)
    try:
        faults = as_plain(read(path)) != as_plain(proof())
    except Refused:
        faults = False

    assert not faults


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        read(tmp_path / "gone.npz")

    assert ["G109"] == [p.code for p in refused.value.problems]


def test_a_certificate_is_checked_without_a_solver() -> None:
    script = (
        "import sys; import metroon.guard.certificate; "
        "print([m for m in ('highspy', 'scipy.optimize') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert "[]" == found.stdout.strip()
