"""What an erasure refuses before anything is touched, and a chain of certificates that stays whole; all invented."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erased import BY, COLUMNS, KEY, MAIL, NAME, PEOPLE, WHY, codes, erase, found, rows, town
from metroon import erasing
from metroon.city import load
from metroon.lake import erasure, removal
from metroon.lake.erasure import Certificates
from metroon.leaving import backup, restore
from town import IN_WARDS, WARDS, Town

# The chain


class Cut(BaseException):
    """The process was killed."""


def cut_off(made: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    def cut(*_: object) -> None:
        raise Cut

    with monkeypatch.context() as patched:
        patched.setattr(removal, "finish", cut)
        with pytest.raises(Cut):
            erase(made)


def test_an_erasure_that_is_finished_after_another_was_lifted_leaves_the_chain_whole(tmp_path):
    made = town(tmp_path / "town")
    erase(made, "p00010")
    left = made.folder / ".metroon" / "left.log"
    left.write_text(KEY)
    assert {"L124"} == {*codes(lambda: erase(made))}
    erasing.lift(made.walk(), "stays", 1, by=BY, reason="A letter")
    left.unlink()
    assert 2 == erase(made).number
    assert [] == Certificates(made.folder / ".metroon").faults()
    assert 4 == erase(made, "p00012").number
    backup(load(made.folder), tmp_path / "backups", at=datetime(2026, 3, 1, tzinfo=UTC))
    restore(tmp_path / "backups", tmp_path / "again")

    assert [] == Certificates(tmp_path / "again" / ".metroon").faults()


def test_an_erasure_that_a_hold_stopped_is_finished_after_others_and_the_chain_stays_whole(tmp_path, monkeypatch):
    made = town(tmp_path)
    cut_off(made, monkeypatch)
    made.product("other", COLUMNS, table={**IN_WARDS}, personKey="person")
    made.csv("other.csv", rows())
    hold = {"id": "suit", "products": ["stays"], "reason": "A suit", "by": BY, "from": "2026-01-01"}
    made.write("holds.yaml", {"holds": [hold]})
    made.run()
    erasing.erase(made.walk(), "other", "p00010", by=BY, reason=WHY)
    (tmp_path / "holds.yaml").unlink()
    made.run()

    assert ["done", "done"] == [c.told["state"] for c in Certificates(tmp_path / ".metroon").all()]
    assert [] == Certificates(tmp_path / ".metroon").faults()
    assert 3 == erasing.erase(made.walk(), "other", "p00011", by=BY, reason=WHY).number


@given(late=st.booleans(), part=st.sampled_from(["product", "reason", "versions", "number", "former_sha256"]))
def test_what_a_certificate_began_with_cannot_be_changed_unseen(tmp_path_factory, late, part):
    """Also by somebody who makes its own hash again, and also when it was completed after the next one was begun."""
    home = tmp_path_factory.mktemp("home")
    known = Certificates(home)
    told: dict[str, Any] = {"product": "stays", "reason": "x", "versions": [], "files": [{"name": "a", "rows": 1}]}
    first = known.begin(told)
    ended = {**first.told, "state": "done", "files": [{"name": "a", "rows": 1, "sha256_after": "b"}]}
    if late:
        known.begin(told)
    known.save(erasure.Certificate(1, ended))
    if not late:
        known.begin(told)
    assert [] == known.faults()
    file = known.folder / "0001.json"
    changed = json.loads(file.read_text())
    changed[part] = [{"table": "stays", "version": 1}] if part == "versions" else 1 if part != "number" else 3
    changed["sha256"] = erasure.content_sha256(changed)
    file.write_text(json.dumps(changed))

    assert ["L106"] == [p.code for p in known.faults()]


# The reason


@pytest.mark.parametrize(
    "reason",
    [f"letter of {KEY}", f"letter of {KEY.lower()}.", f"by ({NAME})", f"mail from <{MAIL}>", f"case_{KEY}_2",
     f"2026/{KEY}", f"{NAME}'s letter"],
)  # fmt: skip
def test_a_lifting_whose_reason_tells_of_the_person_is_refused(reason, erased_town):
    home = erased_town.folder / ".metroon"

    assert ["L120"] == codes(lambda: erasing.lift(erased_town.walk(), "stays", 1, by=BY, reason=reason))
    assert [1] == [c.number for c in Certificates(home).all()]
    assert [] == found(home)


@pytest.mark.parametrize("reason", ["letter of Quux", "Ada called", "asked by ADA QUUX", "the canary-case"])
def test_a_part_of_a_name_is_no_reason(reason, whole_town):
    assert ["L120"] == codes(lambda: erase(whole_town, reason=reason))
    assert [] == Certificates(whole_town.folder / ".metroon").all()


@pytest.fixture(scope="module")
def whole_town(tmp_path_factory):
    return town(tmp_path_factory.mktemp("whole"))


@pytest.fixture(scope="module")
def erased_town(tmp_path_factory):
    made = town(tmp_path_factory.mktemp("erased"))
    erase(made)
    return made


def test_a_short_key_inside_of_a_number_is_no_value_of_the_person(tmp_path):
    made = town(tmp_path)
    made.csv("stays_3.csv", [{**r, "person": "17"} for r in rows(1, start=900, canaries=0)[:1]])
    made.ran()

    assert ["L120"] == codes(lambda: erase(made, "17", reason="Request of 17, in 2026"))
    assert erase(made, "17", reason="Request 2026-17").is_done


# Names of delivered files


@pytest.mark.parametrize(
    "name", [f"stays_{KEY}.csv", f"stays {NAME.lower()}.csv", f"stays-{NAME.replace(' ', '-')}-2.csv"]
)
def test_a_delivery_named_after_the_person_is_told_before_anything_is_touched(tmp_path, name):
    made = town(tmp_path)
    made.csv(name, rows(5, start=700, canaries=1))
    made.ran()
    before = {f: f.read_bytes() for f in (tmp_path / ".metroon" / "lake").rglob("*.parquet")}

    assert ["L129"] == codes(lambda: erase(made))
    assert ["L129"] == [p.code for p in erasing.plan(made.walk(), "stays", KEY).blocks]
    assert [] == Certificates(tmp_path / ".metroon").all()
    assert before == {f: f.read_bytes() for f in (tmp_path / ".metroon" / "lake").rglob("*.parquet")}


def test_a_delivery_named_after_the_person_that_only_an_old_version_read_is_told_too(tmp_path):
    made = town(tmp_path)
    file = made.csv(f"stays_{KEY}.csv", rows(5, start=700, canaries=1))
    made.ran()
    file.rename(file.with_name("stays_3.csv"))
    made.ran()

    assert ["L129"] == codes(lambda: erase(made))
    assert erase(made, "p00010").is_done


def test_a_number_of_the_person_in_the_name_of_a_file_is_found_in_each_form(tmp_path):
    made = Town(tmp_path).with_wards(dict.fromkeys(WARDS, 1000))
    made.write("people.yaml", PEOPLE)
    made.product("stays", {**COLUMNS, "person": "integer linkage key"}, table={**IN_WARDS}, personKey="person")
    made.csv("stays_0077311.csv", [{**r, "person": 77311 if n < 2 else 50000 + n} for n, r in enumerate(rows())])
    made.ran()

    assert ["L129"] == codes(lambda: erase(made, "77311"))
