"""Erasing tells the person from others who share a value, and the key in whatever form it stands; all are invented."""

from __future__ import annotations

import json
import shutil
import sqlite3
import unicodedata
from datetime import date
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest

from erased import COLUMNS, KEY, NAME, PEOPLE, codes, erase, found, n_rows, rows, town
from metroon import erasing
from metroon.base.store import Store
from metroon.lake import remains, removal
from metroon.lake.suppression import as_number, numbers, person, scrubbed
from town import IN_WARDS, WARDS, Row, Town

if TYPE_CHECKING:
    from pathlib import Path


def stays(folder: Path, told: list[Row], **columns: Any) -> Town:
    """A town with so many stays."""
    made = Town(folder).with_wards(dict.fromkeys(WARDS, 1000))
    made.write("people.yaml", PEOPLE)
    made.product("stays", {**COLUMNS, **columns}, table={**IN_WARDS, "eventTime": "day"}, personKey="person")
    made.csv("stays_1.csv", told)
    made.ran()
    return made


def records(made: Town) -> list[dict[str, Any]]:
    """What the rows that are set aside still say."""
    files = (made.folder / ".metroon" / "lake" / "restricted" / "stays.set_aside").glob("*.parquet")
    told = [r for file in files for r in pq.read_table(file)["_record"].to_pylist() if r is not None]
    return [json.loads(r) for r in told]


# Other people


def test_what_other_people_share_takes_nothing_of_theirs_away(tmp_path):
    told = [{**r, "note": "done"} for r in rows()]
    bad = {**told[50], "day": "no day"}
    mine = {"name": NAME, "mail": "", "note": "done"}
    told += [{**bad, "id": "b1"}, {**bad, "id": "b2", "name": NAME}, {**bad, "id": "b3", "person": "", **mine}]
    told += [{**bad, "id": "b4", "person": "", "name": "nobody"}, {**bad, "id": "b5", "mail": f"see {KEY}!"}]
    made = stays(tmp_path, told, note="string free text")
    file = tmp_path / ".metroon" / "store.sqlite"
    with sqlite3.connect(file) as db:
        db.execute("insert into plan values ('act', 'done', '2026-01-01')")
    store = Store(file)
    store.asked(date(2026, 1, 1), f"where is {NAME}", "en")
    store.close()
    certificate = erase(made)

    assert {"b1", "b2", "b4"} == {r["id"] for r in records(made)}
    assert 2 == certificate.told["records_set_aside"]
    with sqlite3.connect(file) as db:
        assert [(1,)] == db.execute("select count(*) from plan where state = 'done'").fetchall()
        assert [] == db.execute("select * from asked").fetchall()


@pytest.mark.parametrize("note", ["person", "Privacy Officer"])
def test_a_word_of_the_program_or_of_the_city_blocks_nothing(tmp_path, note):
    made = stays(
        tmp_path, [{**r, "note": note if r["person"] == KEY else "x"} for r in rows()], note="string free text"
    )

    assert erase(made).is_done
    assert "done" == json.loads((tmp_path / ".metroon" / "certificates" / "0001.json").read_text())["state"]


def test_a_certificate_is_searched_for_what_somebody_wrote_into_it(tmp_path):
    folder = tmp_path / "certificates"
    folder.mkdir()
    seeker = remains.words(["person", "ada quux"])
    (folder / "0001.json").write_text(json.dumps({"column": "person", "by": {"title": "Ada Quux"}, "reason": "x"}))
    assert () == remains.look(tmp_path, seeker).files
    (folder / "0001.json").write_text(json.dumps({"column": "person", "reason": "for Ada Quux"}))
    assert ("certificates/0001.json",) == remains.look(tmp_path, seeker).files


# The same person


ADA = person(1, b"k", ["p-1-22"], ["Ada Quux"], singles=["Ada Quux"], is_number=False)
SEVEN = person(1, b"k", ["77311"], is_number=True)


@pytest.mark.parametrize(
    ("record", "is_own"),
    [({"who": "P-1-22"}, True), ({"who": "p9", "name": "Ada Quux"}, False), ({"who": "", "name": "ADA quux"}, True),
     ({"name": "Ada Quux"}, True), ({"who": "?", "name": "Ada Quux"}, True), ({"who": "p9", "x": "p-1-22"}, True),
     ({"who": "p9", "x": "see p-1-22."}, True), ({"who": "p9", "x": "p-1-223"}, False), ({"who": ""}, False)],
)  # fmt: skip
def test_a_record_is_told_by_its_key_and_by_what_is_of_one_person_only_where_it_has_none(record, is_own):
    text = json.dumps(record)

    assert (None if is_own else text) == scrubbed(text, [ADA], "who")


@pytest.mark.parametrize("form", ["77311", "0077311", "77311.0", "77311.00", "77,311", "7.7311e4", " 77311 ", "+77311"])
def test_a_number_is_the_same_in_whatever_form_it_stands(form):
    assert None is scrubbed(json.dumps({"who": form}), [SEVEN], "who")
    assert "77311" == as_number(form)


@pytest.mark.parametrize("other", ["773110", "7731", "77311.5", "-77311", "x77311", "1e999", "NaN"])
def test_another_number_is_another_person(other):
    assert not SEVEN.is_key(other)
    assert "77311" not in numbers(other)


def test_a_number_in_another_form_is_found_in_texts():
    seeker = remains.words([77311])
    for text in ("77,311", "no. 0077311", "77311.0", "(77311)"):
        assert seeker.finds(text)
    for text in ("77311.5", "0.77311", "177311", "773110"):
        assert not seeker.finds(text)


def test_a_key_that_is_a_number_goes_from_rows_and_records_however_it_is_given(tmp_path):
    told = [{**r, "person": "0077311" if r["person"] == KEY else str(500_000 + i)} for i, r in enumerate(rows())]
    forms = ("77311", "0077311", "77311.0", "77,311", "7.7311e4")
    told += [{**told[50], "id": f"b{i}", "day": "no day", "person": form} for i, form in enumerate(forms)]
    made = stays(tmp_path, told, person="integer linkage key")
    certificate = erase(made, "0077311.0")

    assert (157, 5) == (n_rows(made, "restricted", "stays"), certificate.told["records_set_aside"])
    assert [] == records(made)


def test_accents_of_one_sign_and_of_two_are_the_same(tmp_path):
    one, two = (unicodedata.normalize(way, "Zoë Çelik-Núñez") for way in ("NFC", "NFD"))
    told = [
        {**r, "person": one if i == 0 else two if r["person"] == KEY else r["person"]} for i, r in enumerate(rows())
    ]
    told += [{**told[50], "id": "b1", "day": "no day", "person": two}]
    made = stays(tmp_path, told)
    certificate = erase(made, one)

    assert (157, 1) == (n_rows(made, "restricted", "stays"), certificate.told["records_set_aside"])
    assert [] == found(tmp_path / ".metroon", (one, two))
    assert remains.words([one]).finds(f"by {two.upper()}.")
    assert remains.words([one]).finds_bytes(b"\xff" + two.encode("utf-16-le"))


# What was cut off


@pytest.mark.slow
@pytest.mark.parametrize("coding", ["utf-8", "utf-16-le"])
def test_a_second_call_looks_for_all_that_the_first_one_looked_for(tmp_path, coding):
    made = town(tmp_path)
    left = tmp_path / ".metroon" / "notes.log"
    left.write_bytes(f"mail from {NAME} today".encode(coding))

    assert ["L124"] == codes(lambda: erase(made))
    assert ["L124"] == codes(lambda: erase(made))
    assert ["L124"] == codes(lambda: erasing.finish(made.walk()))
    left.unlink()
    assert "by their hashes" in erase(made).told["verified"]["how"]


# What is made of the product


SUMS: dict[str, Any] = {
    "id": "string linkage key", "person": "string linkage key", "name": "string direct", "ward": "string quasi",
    "day": "date quasi",
}  # fmt: skip


def sums(made: Town, query: str, **more: Any) -> None:
    made.write("products/sums/query.sql", query)
    made.product("sums", SUMS, collect={"kind": "query", "sql": "query.sql"}, **more)


def test_what_was_made_of_the_product_and_is_declared_no_longer_goes_whole(tmp_path):
    made = town(tmp_path)
    sums(made, "select id, person, name, ward, day from stays")
    made.ran()
    shutil.rmtree(tmp_path / "products" / "sums")
    (tmp_path / "protocols" / "sums.yaml").unlink()
    certificate = erase(made)

    assert {"sums", "sums.set_aside"} == {v["table"] for v in certificate.told["versions"]}
    assert {} == certificate.told["verified"]["cells_of_others_that_hold_the_same"]
    assert [] == found(tmp_path / ".metroon")


@pytest.mark.slow
def test_a_correction_that_waits_is_forgotten_also_where_nobody_can_tell_whose_it_is(tmp_path):
    made = town(tmp_path)
    sums(
        made, "with t as (select * from stays) select id, person, upper(name) as name, ward, day from t", table=IN_WARDS
    )  # fmt: skip
    made.measure("sum_count", of="sums", places=["ward"])
    made.ran()
    made.csv("stays_3.csv", rows(1, start=900, canaries=1)[:1])
    made.ran()
    lists = {f: json.loads(f.read_text()) for f in (tmp_path / ".metroon" / "ledger" / "waiting").glob("*.json")}
    walk = made.walk()
    one = walk.lake.read(walk.lake.restricted("sums"))
    one = one.filter(one["id"] == "n900")
    told = {
        r["h"]
        for says in lists.values() if {*says["columns"]} <= {*one.columns}
        for r in walk.engine.rows(removal.row_hashes(walk.engine, one, says["columns"], "h").select("h"))
    }  # fmt: skip
    assert any(h in says["added"] for h in told for says in lists.values())
    erase(made)

    assert not any(h in f.read_text() for h in told for f in lists)
    assert "released" == made.run().measured("sum_count").outcome
