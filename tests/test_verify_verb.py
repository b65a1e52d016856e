"""The certificates of what was published are checked again, and one that is gone or false is told."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from metroon import record
from metroon.cli import main
from town import Town, small_town

if TYPE_CHECKING:
    from pathlib import Path

SMALL = {"north": 40, "east": 7, "south": 60, "west": 70}


@pytest.fixture
def town(tmp_path: Path) -> Town:
    made = small_town(tmp_path / "town", SMALL, groups=["race"])
    made.ran()
    return made


def verb(town: Town, *words: str):
    return CliRunner().invoke(main, ["guard", "verify", "-C", str(town.folder), *words])


def files(town: Town) -> list[Path]:
    return sorted((town.folder / ".metroon" / "ledger" / "proofs").glob("*.npz"))


def test_every_release_has_a_certificate_that_holds(town: Town) -> None:
    told = verb(town, "--format", "json")
    found = json.loads(told.stdout)

    assert 0 == told.exit_code
    assert found
    assert all(one["faults"] == [] and one["proven"] == one["in_doubt"] > 0 for one in found)


def test_the_page_has_a_line_for_each_release(town: Town) -> None:
    found = json.loads(verb(town, "--format", "json").stdout)
    page = verb(town).output

    assert [] == [one["name"] for one in found if f"{one['name']} {one['edition']}" not in page]
    assert f"{len(found)} of {len(found)} certificate" in page


def test_a_certificate_that_is_gone_is_told(town: Town) -> None:
    for file in files(town):
        file.unlink()
    told = verb(town)

    assert 1 == told.exit_code
    assert "is missing or is not what was written" in " ".join(told.output.split())


def test_a_certificate_that_was_changed_is_told(town: Town) -> None:
    for file in files(town):
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        file.write_bytes(content)

    assert 1 == verb(town).exit_code


def test_a_certificate_that_proves_too_little_is_told(town: Town) -> None:
    walk = town.walk()
    entry = next(e for e in walk.ledger.entries() if e.release.proof)
    proof = walk.ledger.proof(entry)
    only_small = proof.suppression.hidden & proof.system.needs
    shown = replace(proof, suppression=replace(proof.suppression, hidden=only_small))
    with walk.ledger.alone():
        release = replace(entry.release, proof=walk.ledger.keep(shown), content="shown")
        walk.ledger.adopt(release, 9, time=record.now())
    told = verb(town, entry.release.name)

    assert 1 == told.exit_code
    assert "are shown, and yet differ in another table" in " ".join(told.output.split())


def test_only_the_owner_can_read_the_certificates(town: Town) -> None:
    assert {0o600} == {file.stat().st_mode & 0o777 for file in files(town)}


def test_a_name_that_nobody_knows_is_refused(town: Town) -> None:
    told = verb(town, "nothing_like_it")

    assert 2 == told.exit_code
    assert "F104" in told.output
