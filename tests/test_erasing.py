"""A person is taken out of everything that is kept, by key, and nothing brings them back; all people are invented."""

from __future__ import annotations

import hashlib
import json
import sys
from datetime import date
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from erased import BY, CANARIES, KEY, NAME, PEOPLE, WHY, codes, counts, erase, found, n_rows, rows, town
from metroon import audit, erasing, keeping
from metroon.base.errors import Refused
from metroon.base.running import running
from metroon.cli import main
from metroon.explain import explain
from metroon.lake import removal
from metroon.lake.erasure import Certificates
from metroon.lake.suppression import Suppressions, normal, person, scrubbed
from town import WARDS, Town

if TYPE_CHECKING:
    from pathlib import Path


# What goes


def test_no_byte_of_the_person_is_left_below_the_folder(tmp_path):
    made = town(tmp_path)
    assert found(tmp_path / ".metroon")
    certificate = erase(made)

    assert [] == found(tmp_path / ".metroon")
    assert (True, 3) == (certificate.is_done, certificate.told["replaced_by"])
    assert 0 < certificate.told["verified"]["files_looked_at"]
    assert {} == certificate.told["verified"]["cells_of_others_that_hold_the_same"]


def test_every_version_stays_readable_without_the_person_also_for_others(tmp_path):
    made = town(tmp_path)
    before = counts(made)
    erase(made)

    assert {1: 160, 2: 240} == before
    assert {1: 157, 2: 235, 3: 235} == counts(made)


def test_the_logs_say_what_the_files_are_now(tmp_path):
    made = town(tmp_path)
    erase(made)
    for log in (tmp_path / ".metroon" / "lake").rglob("_delta_log/*.json"):
        for line in log.read_text().splitlines():
            added = json.loads(line).get("add")
            file = log.parent.parent / added["path"] if added else None
            if file is not None and file.exists():
                rows = json.loads(added["stats"])["numRecords"]
                assert (file.stat().st_size, pq.read_metadata(file).num_rows) == (added["size"], rows)


def test_the_account_stays_whole_and_the_next_run_has_nothing_to_read(tmp_path):
    made = town(tmp_path)
    erase(made)
    account = made.run().account("stays")

    assert ("unchanged", True, 235) == (account.outcome, account.adds_up, account.kept)
    assert 5 == account.set_aside[removal.reason(1)]


def test_no_later_run_brings_the_person_back(tmp_path):
    made = town(tmp_path)
    erase(made)
    made.csv("stays_3.csv", rows(20, start=900, canaries=2))
    account = made.run().account("stays")

    assert (True, 235 + 78, 7) == (account.adds_up, account.kept, account.set_aside[removal.reason(1)])
    assert [] == found(tmp_path / ".metroon")


def test_reading_all_again_gives_what_taking_the_rows_out_gave(tmp_path):
    made = town(tmp_path)
    erase(made)
    walk = made.walk()
    told = walk.engine.rows(walk.lake.read(walk.lake.restricted("stays")).order_by(["_file", "_line"]))
    aside = walk.lake.restricted("stays").evidence["account"]
    made.write("products/stays/README.md", "x")
    file = tmp_path / "inbox" / "stays_1.csv"
    file.write_text(file.read_text() + "\n")
    made.ran()
    walk = made.walk()
    again = walk.lake.restricted("stays")

    assert 4 == again.number
    assert told == walk.engine.rows(walk.lake.read(again).order_by(["_file", "_line"]))
    assert (aside["kept"], aside["reasons"]) == (
        again.evidence["account"]["kept"],
        again.evidence["account"]["reasons"],
    )


# Large products, whose versions are made of parts


@pytest.fixture
def parted(monkeypatch):
    """Every delivery becomes a part of its own."""
    monkeypatch.setattr(sys.modules["metroon.conform.check"], "LARGE", 1)


def test_parts_that_hold_nothing_of_the_person_stay_and_an_append_reads_only_what_is_new(tmp_path, parted):
    made = town(tmp_path)
    erase(made)
    assert {1: 157, 2: 235, 3: 235} == counts(made)
    made.csv("stays_3.csv", rows(20, start=900, canaries=2))
    account = made.run().account("stays")
    walk = made.walk()
    three, four = (walk.lake.restricted("stays", n).evidence["parts"] for n in (3, 4))

    assert (True, 235 + 78, 7) == (account.adds_up, account.kept, account.set_aside[removal.reason(1)])
    assert [p["key"] for p in three] == [p["key"] for p in four[:-1]]
    assert [] == found(tmp_path / ".metroon")


# What is made of the product


def made_of_stays(made: Town, query: str, columns: dict[str, Any]) -> None:
    made.write("products/sums/query.sql", query)
    made.product("sums", columns, collect={"kind": "query", "sql": "query.sql"})
    made.ran()


def test_what_can_be_traced_by_the_key_stays_readable_without_the_person(tmp_path):
    made = town(tmp_path)
    made_of_stays(
        made, "select s.person as who, s.name, w.ward from stays s join wards w using (ward)",
        {"who": "string linkage key", "name": "string direct", "ward": "string quasi"},
    )  # fmt: skip
    certificate = erase(made)
    walk = made.walk()

    assert [] == certificate.told["versions"]
    assert 235 == walk.engine.count(walk.lake.read(walk.lake.restricted("sums")))
    assert [] == found(tmp_path / ".metroon")
    assert ("kept", 235) == (made.run().account("sums").outcome, made.run().account("sums").kept)
    assert [] == found(tmp_path / ".metroon")


@pytest.mark.parametrize(
    "query",
    [
        "select upper(person) || '!' as who, name, ward from stays",
        "select a.person as who, b.name as name, a.ward from stays a join stays b using (day)",
        "select max(person) as who, max(name) as name, ward from stays group by ward",
        "with t as (select * from stays) select person as who, name, ward from t",
    ],
)
def test_what_cannot_be_traced_goes_whole_and_is_made_again(tmp_path, query):
    made = town(tmp_path)
    made_of_stays(made, query, {"who": "string linkage key", "name": "string direct", "ward": "string quasi"})
    certificate = erase(made)

    assert {"sums", "sums.set_aside"} == {v["table"] for v in certificate.told["versions"]}
    assert [] == found(tmp_path / ".metroon")
    with pytest.raises(Refused) as refused:
        made.walk().lake.read(made.walk().lake.restricted("sums"))
    assert ("L104", True) == (refused.value.problems[0].code, "certificate 1" in refused.value.problems[0].what)
    assert "kept" == made.run().account("sums").outcome
    assert [] == found(tmp_path / ".metroon")


def test_a_product_that_is_made_of_others_sends_to_where_the_person_comes_from(tmp_path):
    made = town(tmp_path)
    made_of_stays(made, "select person, ward from stays", {"person": "string linkage key", "ward": "string quasi"})

    assert ["L120"] == codes(lambda: erasing.plan(made.walk(), "sums", KEY))


# Published rows


PERMITS: dict[str, Any] = {
    "id": "string public", "owner": "string linkage key", "name": "string direct", "ward": "string public",
}  # fmt: skip


def permits(folder: Path, guard: list[dict[str, Any]], columns: dict[str, Any] = PERMITS) -> Town:
    made = Town(folder).with_wards(dict.fromkeys(WARDS, 1000))
    made.write("people.yaml", PEOPLE)
    made.product("permits", columns, unit="none", mode="rows", guard=guard, personKey="owner")
    told = [{"id": f"b{i}", "owner": r["person"], "name": r["name"], "ward": r["ward"]} for i, r in enumerate(rows())]
    made.csv("permits.csv", told)
    made.ran()
    return made


def test_a_token_in_published_rows_is_found_by_its_secret(tmp_path, monkeypatch):
    monkeypatch.setenv("METROON_KEY_PERMITS", "a secret of at least 16 signs")
    made = permits(tmp_path, [{"kind": "pseudonym", "column": "owner", "purpose": "permits"}])
    walk = made.walk()
    assert 160 == walk.engine.count(walk.lake.read(walk.lake.open("permits")))
    erasing.erase(walk, "permits", KEY, by=BY, reason=WHY)
    walk = made.walk()

    assert 157 == walk.engine.count(walk.lake.read(walk.lake.open("permits", 1)))
    assert [] == found(tmp_path / ".metroon")
    made.run()
    assert 157 == n_rows(made, "open", "permits")


def test_without_the_secret_nothing_is_touched(tmp_path, monkeypatch):
    monkeypatch.setenv("METROON_KEY_PERMITS", "a secret of at least 16 signs")
    made = permits(tmp_path, [{"kind": "pseudonym", "column": "owner", "purpose": "permits"}])
    monkeypatch.delenv("METROON_KEY_PERMITS")

    assert ["L126"] == codes(lambda: erasing.erase(made.walk(), "permits", KEY, by=BY, reason=WHY))
    assert found(tmp_path / ".metroon")
    assert [] == Certificates(tmp_path / ".metroon").all()


def test_published_rows_in_which_nobody_can_tell_the_person_are_taken_away_and_published_anew(tmp_path):
    made = permits(tmp_path, [])
    walk = made.walk()
    certificate = erasing.erase(walk, "permits", KEY, by=BY, reason=WHY)

    assert [{"table": "permits", "version": 1}] == certificate.told["withdrawn"]
    assert None is made.walk().lake.open("permits")
    made.ran()
    assert 157 == n_rows(made, "open", "permits")


# Who may, and what keeps it


@pytest.mark.parametrize(
    ("more", "code"),
    [({"by": "clerk"}, "L128"), ({"by": "empty"}, "L128"), ({"by": ""}, "L128"), ({"reason": " "}, "L120"),
     ({"reason": f"asked by {NAME}"}, "L120"), ({"reason": f"key {KEY.upper()}"}, "L120"), ({"column": "no"}, "L120"),
     ({"key": "nobody-has-this"}, "L127"), ({"key": " "}, "L120")],
)  # fmt: skip
def test_what_is_wrong_is_told_and_nothing_is_touched(tmp_path, more, code):
    made = town(tmp_path)
    before = found(tmp_path / ".metroon")

    assert [code] == codes(lambda: erase(made, **more))
    assert before == found(tmp_path / ".metroon")
    assert [] == Certificates(tmp_path / ".metroon").all()


def test_a_legal_hold_wins(tmp_path):
    made = town(tmp_path)
    hold = {"id": "suit", "products": ["stays"], "reason": "A suit", "by": BY, "from": "2026-01-01"}
    made.write("holds.yaml", {"holds": [hold]})

    assert ["L121"] == codes(lambda: erase(made))
    assert found(tmp_path / ".metroon")


def test_nobody_is_erased_while_a_run_is_at_work(tmp_path):
    made = town(tmp_path)
    with running(tmp_path / ".metroon"):
        assert ["G158"] == codes(lambda: erase(made))


# Certificates


def test_a_certificate_says_all_but_who(tmp_path):
    told = erase(town(tmp_path)).told
    files = {k["file"]: k["lines"] for k in told["out_of_scope"] if "file" in k}

    assert {"stays_1.csv": [2, 3, 4], "stays_2.csv": [2, 3]} == files
    assert ("Privacy Officer", WHY, 3, 0) == (
        told["by"]["title"],
        told["reason"],
        told["records_set_aside"],
        told["halves_set_aside"],
    )
    assert all(f["sha256_before"] != f["sha256_after"] for f in told["files"])
    assert [(1, 3), (2, 5)] == [(h["version"], h["rows"]) for h in told["rewritten"]]
    assert [] == Certificates(tmp_path / ".metroon").faults()


def test_the_hashes_of_who_was_erased_are_of_use_to_nobody_without_their_key(tmp_path):
    erase(town(tmp_path))
    folder = tmp_path / ".metroon" / "erased"
    text = (folder / "0001.json").read_text()

    assert not any(hashlib.sha256(c.encode()).hexdigest() in text for v in CANARIES for c in (v, v.casefold()))
    assert {0o600} == {f.stat().st_mode & 0o777 for f in folder.iterdir()}
    assert Suppressions(tmp_path / ".metroon").of(1).is_key(f"  {KEY.lower()} ")


def test_without_the_list_of_who_was_erased_nothing_is_read(tmp_path):
    made = town(tmp_path)
    erase(made)
    (tmp_path / ".metroon" / "erased" / "0001.json").unlink()
    made.csv("stays_3.csv", rows(2, start=900))

    assert "L122" in made.run().codes()
    assert [] == found(tmp_path / ".metroon")


def test_a_lifted_erasure_lets_the_rows_come_again(tmp_path):
    made = town(tmp_path)
    erase(made)
    erasing.lift(made.walk(), "stays", 1, by=BY, reason="The person asked for it")

    assert 240 == made.run().account("stays").kept
    assert [] == Certificates(tmp_path / ".metroon").faults()
    assert ["L120"] == codes(lambda: erasing.lift(made.walk(), "stays", 1, by=BY, reason="again"))


def test_erasing_and_retention_keep_one_chain_and_do_not_disturb_each_other(tmp_path):
    made = town(tmp_path)
    erase(made)

    assert [] == keeping.apply(made.walk(), today=date(2026, 3, 15))
    assert 0 == CliRunner().invoke(main, ["guard", "retention", "-C", str(tmp_path)]).exit_code


def test_a_second_call_finds_nobody_and_a_second_person_goes_too(tmp_path):
    made = town(tmp_path)
    erase(made)
    assert ["L127"] == codes(lambda: erase(made))
    certificate = erase(made, "p00010")
    made.csv("stays_3.csv", rows(20, start=900, canaries=2))
    account = made.run().account("stays")

    assert (2, True) == (certificate.number, account.adds_up)
    assert {removal.reason(1): 7, removal.reason(2): 1} == {k: n for k, n in account.set_aside.items() if "erased" in k}
    assert [] == found(tmp_path / ".metroon", (*CANARIES, "p00010"))


# Numbers


def test_an_old_number_names_the_certificate_and_new_ones_are_explained(tmp_path):
    made = town(tmp_path)
    erase(made)
    made.ran()
    walk = made.walk()
    old, new = explain(walk, "stay_count", version=1), explain(walk, "stay_count")

    assert (False, True) == (old.is_same, "certificate 1" in old.why_not)
    assert (True, "") == (new.is_same, new.why_not)


@pytest.mark.parametrize("stays_of_the_person", [3, 12, 25])
def test_no_difference_of_two_releases_gives_the_person_away(tmp_path, stays_of_the_person):
    made = town(tmp_path, canaries=stays_of_the_person)
    before = made.run().events("stay_count")
    erase(made)
    after = made.run().events("stay_count")

    shown = [p for p in before if before[p] is not None and after.get(p) is not None]
    assert not [p for p in shown if 0 < abs(before[p] - after[p]) < 11 + stays_of_the_person + 2]
    assert () == tuple(audit.audit(made.walk(), ()).found)


def test_a_correction_of_the_person_that_waits_is_forgotten(tmp_path):
    made = town(tmp_path)
    made.csv("stays_3.csv", rows(1, start=900, canaries=1)[:1])
    made.ran()
    waiting = tmp_path / ".metroon" / "ledger" / "waiting"
    lists = {f: json.loads(f.read_text()) for f in waiting.glob("*.json")}
    walk = made.walk()
    one = walk.lake.read(walk.lake.restricted("stays"))
    one = one.filter(one["id"] == "n900")
    columns = next(iter(lists.values()))["columns"]
    (told,) = walk.engine.rows(removal.row_hashes(walk.engine, one, columns, "h").select("h"))
    assert any(told["h"] in says["added"] for says in lists.values())
    erase(made)

    assert not any(told["h"] in f.read_text() for f in waiting.glob("*.json"))
    assert "released" == made.run().measured("stay_count").outcome
    assert () == tuple(audit.audit(made.walk(), ()).found)


def test_a_file_that_no_version_has_is_no_hiding_place(tmp_path):
    made = town(tmp_path)
    table = tmp_path / ".metroon" / "lake" / "restricted"
    for name in ("stays", "wards"):
        one = next(f for f in (table / "stays").glob("*.parquet"))
        (table / name / "part-left.parquet").write_bytes(one.read_bytes())
    erase(made)

    assert [] == found(tmp_path / ".metroon")


VALUES = st.one_of(st.none(), st.sampled_from(["Ada Quux", " ada  QUUX", "p1", "P1 ", "p2", "Bo", "7"]))
ADA = person(1, b"k", ["p1"], ["ada quux"], singles=["ada quux"])


@given(st.dictionaries(st.text(max_size=3), VALUES, max_size=4))
def test_a_record_without_a_key_goes_when_a_value_of_it_is_the_persons_and_only_then(record):
    is_own = any(normal(v) in ("p1", "ada quux") for v in record.values() if v is not None)
    text = json.dumps(record)

    assert (None if is_own else text) == scrubbed(text, [ADA])
    assert None is scrubbed(f"{text[:-1]}, cut", [ADA])
