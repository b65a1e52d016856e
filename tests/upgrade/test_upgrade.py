"""Lakes that earlier versions wrote are opened, read, explained and run on; the files are made by ``make.py``."""

from __future__ import annotations

import tarfile
from datetime import date
from pathlib import Path

import pytest

from metroon import audit, verification
from metroon.city import load
from metroon.explain import explain
from metroon.lake import format as formats
from metroon.walk import Walk
from town import WARDS, Town, stays

LAKES = sorted(Path(__file__).parent.glob("format_*.tar.gz"))
AS_OF = date(2026, 3, 15)


@pytest.fixture(params=LAKES, ids=lambda p: p.name.partition(".")[0])
def old(request, tmp_path) -> Town:
    with tarfile.open(request.param) as packed:
        packed.extractall(tmp_path, filter="data")
    return Town(tmp_path / "town")


def test_there_is_a_lake_of_every_format_that_was_ever_numbered():
    assert {f"format_{n}.tar.gz" for n in range(1, formats.NOW + 1)} == {p.name for p in LAKES}
    assert all(p.stat().st_size < 200_000 for p in LAKES)


def test_every_version_of_an_old_lake_is_readable(old):
    walk = Walk(load(old.folder), AS_OF)
    numbers = sorted(walk.lake.history("stays", "restricted"))
    versions = [walk.lake.restricted("stays", n) for n in numbers]

    assert [220, 300, 380, 380] == [walk.engine.count(walk.lake.read(v)) for v in versions if v]
    assert [0, 1, 2, 2] == [walk.engine.count(walk.lake.set_aside(v)) for v in versions if v]
    assert all(v and v.evidence["key"] for v in versions)
    assert list(range(1, 1 + len(walk.lake.history("stay_count", "open")))) == list(
        walk.lake.history("stay_count", "open")
    )


def test_a_number_of_an_old_lake_is_explained_and_made_again(old):
    told = explain(Walk(load(old.folder), AS_OF), "stay_count")

    assert 380 == next(e.events for e in told.estimates)
    assert told.is_same, told.why_not


def test_the_proofs_of_an_old_lake_hold_and_nobody_is_found(old):
    walk = Walk(load(old.folder), AS_OF)

    assert not [v.faults for v in verification.verified(walk) if v.faults]
    assert not audit.audit(walk).found


def test_an_old_lake_is_run_on_and_what_was_there_stays(old):
    walk = Walk(load(old.folder), AS_OF)
    before = {n: v["key"] for n, v in walk.lake.history("stays", "restricted").items()}
    rows = stays(dict.fromkeys(WARDS, 20))
    old.csv("stays_4.csv", [{**r, "id": f"d4-{r['id']}", "person": f"d4-{r['person']}"} for r in rows])

    told = old.run()
    after = {n: v["key"] for n, v in told.walk.lake.history("stays", "restricted").items()}

    assert before.items() <= after.items()
    assert 460 == told.account("stays").kept
    assert "released" == told.measured("stay_count").outcome
    assert formats.NOW == formats.number(told.walk.lake.folder)
