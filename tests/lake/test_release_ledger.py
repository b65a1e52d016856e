"""The ledger on disk: what was written stays, what was changed is noticed, and one writes at a time."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from metroon.base.errors import Refused
from metroon.guard.ledger import Entry, Release
from metroon.guard.system import Alternatives, Proof, Suppression, system
from metroon.lake import Ledger

NOON = "2026-03-15T12:00:00+00:00"


def release(name: str = "stays", **more) -> Release:
    return Release(**{
        "name": name, "surface": "measure", "population": ("stays",), "product": "stays", "as_of": "2026-03-15",
        "content": "c", **more,
    })  # fmt: skip


def published(ledger: Ledger, *names: str) -> None:
    with ledger.alone():
        for edition, name in enumerate(names, 1):
            mark = ledger.reserve(release(name), time=NOON)
            ledger.confirm(mark.seq, edition, time=NOON)


def proof() -> Proof:
    made = system(csr_array([[1, 1, -1]]), [3, 20, 23], names=[(c, "yes", "", "", "", "", "", "1") for c in "abc"])
    none = Alternatives(csr_array((0, 3)), np.full(3, -1), np.full(3, -1))
    return Proof("stays", made, Suppression(np.array([True, True, False]), none, np.array([], dtype=np.int64)))


def codes(call) -> list[str]:
    with pytest.raises(Refused) as refused:
        call()
    return [p.code for p in refused.value.problems]


STEPS = st.lists(st.sampled_from(["confirmed", "void", "left open", "adopted"]), max_size=12)


@given(STEPS)
def test_what_was_written_is_read_back_by_whoever_opens_it(steps):
    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger(Path(folder))
        with ledger.alone():
            for number, step in enumerate(steps, 1):
                if step == "adopted":
                    ledger.adopt(release(f"m{number}"), number, time=NOON)
                    continue
                mark = ledger.reserve(release(f"m{number}"), time=NOON)
                if step == "confirmed":
                    ledger.confirm(mark.seq, number, time=NOON)
                elif step == "void":
                    ledger.void(mark.seq, time=NOON)
        again = Ledger(Path(folder)).entries()

        assert ledger.entries() == again
        expected = [s if s != "left open" else "pending" for s in steps]
        assert expected == [e.state for e in again]
        assert [number if s in ("confirmed", "adopted") else 0 for number, s in enumerate(steps, 1)] == [
            e.edition for e in again
        ]


def test_all_that_is_known_of_a_release_is_read_back(tmp_path):
    told = release(columns={"ward": "", "day": "month"}, tells=({"ward": ""},), proof="a" * 64, by="officer")
    with (ledger := Ledger(tmp_path)).alone():
        ledger.reserve(told, time=NOON)

    assert (Entry(1, NOON, "pending", 0, told),) == Ledger(tmp_path).entries()


def test_a_city_that_never_published_has_an_empty_ledger(tmp_path):
    ledger = Ledger(tmp_path / "ledger")

    assert (False, ()) == (ledger.is_there, ledger.entries())
    assert not (tmp_path / "ledger").exists()


@given(st.integers(0, 10_000), st.integers(0, 255))
def test_no_byte_of_the_ledger_can_be_changed_unnoticed(at, byte):
    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger(Path(folder))
        published(ledger, "one", "other")
        text = bytearray(ledger.file.read_bytes())
        at %= len(text) - 1  # the last line's end: without it the line is being written
        was, text[at] = text[at], byte
        ledger.file.write_bytes(bytes(text))

        if was != byte and text.count(b"\n") >= 4:
            assert ["G122"] == codes(Ledger(Path(folder)).entries)


@pytest.mark.parametrize("line", [0, 1, 2])
def test_no_line_can_be_taken_out_put_in_or_moved(tmp_path, line):
    ledger = Ledger(tmp_path)
    published(ledger, "one", "other")
    lines = ledger.file.read_bytes().splitlines(keepends=True)
    for changed in (lines[:line] + lines[line + 1 :], lines[: line + 1] + lines[line:], [*lines[1:], lines[0]]):
        ledger.file.write_bytes(b"".join(changed))

        assert ["G122"] == codes(Ledger(tmp_path).entries)


def test_a_broken_chain_is_told_with_its_line_and_what_to_do(tmp_path):
    ledger = Ledger(tmp_path)
    published(ledger, "one", "other")
    ledger.file.write_text(ledger.file.read_text().replace('"name":"other"', '"name":"hidden"'))
    with pytest.raises(Refused) as refused:
        Ledger(tmp_path).entries()

    problem = refused.value.problems[0]
    assert (str(ledger.file), 3) == (problem.file, problem.line)
    assert "backup" in problem.fix


@pytest.mark.parametrize("lost", [1, 20, 200])
def test_a_line_that_was_being_written_is_cut_off_and_written_again(tmp_path, lost):
    ledger = Ledger(tmp_path)
    published(ledger, "one")
    with ledger.alone():
        ledger.reserve(release("torn"), time=NOON)
    ledger.file.write_bytes(ledger.file.read_bytes()[:-lost])
    again = Ledger(tmp_path)
    published(again, "torn")

    assert [("one", "confirmed"), ("torn", "confirmed")] == [(e.release.name, e.state) for e in again.entries()]


def test_what_another_run_wrote_is_seen_at_once(tmp_path):
    one, other = Ledger(tmp_path), Ledger(tmp_path)
    published(one, "a")
    published(other, "b")
    published(one, "c")

    assert ["a", "b", "c"] == [e.release.name for e in other.entries()] == [e.release.name for e in one.entries()]


def test_many_writers_at_once_leave_one_whole_chain(tmp_path):
    code = (
        "import sys; from pathlib import Path; from metroon.lake import Ledger\n"
        "from metroon.guard.ledger import Release\n"
        "ledger = Ledger(Path(sys.argv[1]))\n"
        "for i in range(15):\n"
        "    with ledger.alone():\n"
        "        mark = ledger.reserve(Release(sys.argv[2], 'measure', ('p',), 'p', '', ''), time='t')\n"
        "        ledger.confirm(mark.seq, i + 1, time='t')\n"
    )
    workers = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path), name]) for name in "abc"]

    assert [0, 0, 0] == [w.wait() for w in workers]
    entries = Ledger(tmp_path).entries()
    assert (45, {"confirmed"}) == (len(entries), {e.state for e in entries})


def test_nobody_writes_who_does_not_hold_the_ledger_alone(tmp_path):
    with pytest.raises(ValueError, match="alone"):
        Ledger(tmp_path).reserve(release(), time=NOON)


def test_a_release_is_settled_once(tmp_path):
    ledger = Ledger(tmp_path)
    published(ledger, "one")
    with ledger.alone(), pytest.raises(ValueError, match="twice"):
        ledger.void(1, time=NOON)

    assert ["confirmed"] == [e.state for e in Ledger(tmp_path).entries()]


@pytest.mark.skipif(os.geteuid() == 0, reason="the right to write is not asked of root")
def test_a_ledger_that_cannot_be_written_says_so_to_a_user(tmp_path):
    tmp_path.chmod(0o500)

    assert ["G127"] == codes(lambda: published(Ledger(tmp_path / "ledger"), "one"))


def test_a_ledger_that_cannot_be_written_says_so(tmp_path):
    (tmp_path / "ledger").write_text("in the way")

    assert ["G127"] == codes(lambda: published(Ledger(tmp_path / "ledger"), "one"))


def test_a_proof_is_read_back_under_its_hash(tmp_path):
    ledger = Ledger(tmp_path)
    sha256 = ledger.keep(proof())
    with ledger.alone():
        ledger.reserve(release(proof=sha256), time=NOON)
    read = ledger.proof(ledger.entries()[0])

    assert (proof().system.value.tolist(), [True, True, False]) == (
        read.system.value.tolist(), read.suppression.hidden.tolist(),
    )  # fmt: skip


@pytest.mark.parametrize("change", ["gone", "shorter", "another"])
def test_a_proof_that_is_missing_or_changed_is_no_proof(tmp_path, change):
    ledger = Ledger(tmp_path)
    with ledger.alone():
        ledger.reserve(release(proof=ledger.keep(proof())), time=NOON)
    entry = ledger.entries()[0]
    file = ledger.proof_file(entry.release.proof)
    if change == "gone":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:-9] if change == "shorter" else b"another")

    assert ["G123"] == codes(lambda: Ledger(tmp_path).proof(entry))


def test_only_the_owner_can_read_the_ledger_and_its_proofs(tmp_path):
    ledger = Ledger(tmp_path / "ledger")
    published(ledger, "one")
    sha256 = ledger.keep(proof())
    files = (ledger.file, ledger.proof_file(sha256))

    assert [0o600, 0o600] == [stat.S_IMODE(f.stat().st_mode) for f in files]
    assert 0o700 == stat.S_IMODE(ledger.folder.stat().st_mode)


def test_the_ledger_is_one_json_object_a_line_that_other_programs_read(tmp_path):
    ledger = Ledger(tmp_path)
    published(ledger, "one")
    lines = [json.loads(line) for line in ledger.file.read_text().splitlines()]

    assert [("reserved", 1), ("confirmed", 1)] == [(line["step"], line["seq"]) for line in lines]
    assert lines[0]["sha256"] == lines[1]["before"]
