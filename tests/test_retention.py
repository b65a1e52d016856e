"""What has passed its time is destroyed with two approvals and a certificate; a legal hold wins over all else."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from metroon import keeping, withdrawal
from metroon.base.errors import Refused
from metroon.base.running import running
from metroon.city import load
from metroon.cli import main
from metroon.explain import explain
from metroon.faults import faults
from metroon.guard import retention
from metroon.lake import erasure
from metroon.lake.erasure import Certificates
from town import AS_OF, IN_WARDS, STAY_COLUMNS, WARDS, Row, Town, promise, stays

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

CANARY = "Canary-7731-Person"
TODAY = date(2026, 3, 15)
APPROVED = {
    "approvedBy": ["housing_head", "city_attorney"], "resolution": "2026-14", "attorney": "Letter of March 4",
}  # fmt: skip
RULE = {
    "keep": "2 years",
    "from": "eventTime",
    "basis": "Records schedule",
    "category": "ordinary",
    "destroy": APPROVED,
}
PEOPLE = {
    "roles": [
        {"id": "housing_head", "title": "Head of Housing", "duties": "x", "holder": "A", "since": "2020-01-01"},
        {"id": "city_attorney", "title": "City Attorney", "duties": "x", "holder": "B", "since": "2020-01-01"},
        {"id": "empty", "title": "Nobody", "duties": "x", "holder": "vacant", "since": "2020-01-01"},
    ]
}


def hold(**more: Any) -> dict[str, Any]:
    told = {"id": "suit", "products": ["stays"], "reason": "A suit", "by": "city_attorney", "from": "2026-01-01"}
    return {"holds": [{**told, **more}]}


def old_rows() -> list[Row]:
    """120 stays of 2023, whose people are canaries, and 160 of 2025."""
    old = stays(dict.fromkeys(WARDS, 30), start=date(2023, 1, 1))
    new = stays(dict.fromkeys(WARDS, 40), start=date(2025, 1, 1))
    return [{**r, "id": f"o{i}", "person": f"{CANARY}-{i}"} for i, r in enumerate(old)] + new


def town(folder: Path, rule: object = RULE, holds: object = None) -> Town:
    """A town whose stays have a rule, and that has run once."""
    made = Town(folder).with_wards(dict.fromkeys(WARDS, 1000))
    made.write("people.yaml", PEOPLE)
    if holds:
        made.write("holds.yaml", holds)
    made.csv("stays.csv", old_rows())
    made.product("stays", STAY_COLUMNS, table={**IN_WARDS, "eventTime": "day"}, retention=rule)
    made.measure("stay_count", places=["ward"])
    made.ran()
    return made


def due(made: Town, on: date = TODAY) -> keeping.Due:
    return keeping.due(made.walk(as_of=on), ["stays"], today=on)[0]


def found(folder: Path, canary: str) -> list[str]:
    """Files below the folder in which a text stands, plain or in a Parquet page that can be read."""
    import pyarrow.parquet as pq

    hits = [f for f in folder.rglob("*") if f.is_file() and canary.encode() in f.read_bytes()]
    tables = [f for f in folder.rglob("*.parquet") if canary in repr(pq.read_table(f).to_pylist())]
    return sorted({str(f.relative_to(folder)) for f in (*hits, *tables)})


# What is due


def kept_files(folder: Path) -> list[Path]:
    """Everything but what the store has beside it while somebody has it open."""
    return sorted(f for f in (folder / ".metroon").rglob("*") if not f.name.endswith(("-shm", "-wal")))


def test_what_has_passed_its_time_is_counted_and_nothing_is_touched(tmp_path):
    made = town(tmp_path)
    before = kept_files(tmp_path)
    told = due(made)

    assert (date(2024, 3, 15), 120, ("stays.csv",), ()) == (told.cutoff, told.rows, told.sources, told.blocks)
    assert before == kept_files(tmp_path)


def test_a_day_of_tomorrow_makes_nothing_older(tmp_path):
    made = town(tmp_path)
    (told,) = keeping.due(made.walk(as_of=date(2050, 1, 1)), ["stays"], today=TODAY)

    assert date(2024, 3, 15) == told.cutoff


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(0, 60), st.sampled_from(["day", "month", "year"]))
def test_a_longer_time_never_lets_more_go(on, n, unit):
    assert retention.before(on, n + 1, unit) <= retention.before(on, n, unit) <= on


@given(st.dates(date(2004, 1, 1), date(2100, 1, 1)))
def test_what_is_let_go_is_two_years_old_at_least(on):
    cutoff = retention.before(on, 2, "year")
    years = on.year - cutoff.year - ((on.month, on.day) < (cutoff.month, cutoff.day))

    assert 2 == years


def test_a_text_is_a_record_and_destroys_nothing(tmp_path):
    told = due(town(tmp_path, "2 years"))

    assert ("2 years", None, 0) == (told.words, told.rule, told.rows)


def test_rows_count_from_the_day_on_which_their_file_first_came(tmp_path):
    made = town(tmp_path, {**RULE, "from": "delivery"})
    later = date.today() + timedelta(days=3 * 366)

    assert 0 == due(made).rows
    assert 280 == due(made, later).rows


# What keeps it


@pytest.mark.parametrize("products", [["stays"], "all", ["sums"]])
def test_a_legal_hold_wins_over_everything_also_on_what_is_made_of_it(tmp_path, products):
    made = town(tmp_path)
    with_sums(made)
    made.write("holds.yaml", hold(products=products))
    made.ran()

    assert "legal hold" == due(made).blocks[0].level
    assert [] == keeping.apply(made.walk(as_of=TODAY), today=TODAY)
    assert found(tmp_path / ".metroon", CANARY)


def test_a_hold_ends_on_the_day_that_it_is_released_and_begins_at_once(tmp_path):
    released = {"on": "2026-03-15", "by": "city_attorney"}

    made = town(tmp_path, holds=hold(released=released))
    assert ["legal hold"] == [b.level for b in due(made, date(2026, 3, 14)).blocks]
    assert () == due(made).blocks
    made.write("holds.yaml", hold(**{"from": "2027-01-01"}))
    assert ["legal hold"] == [b.level for b in due(made).blocks]


def test_a_hold_keeps_published_versions_from_being_withdrawn(tmp_path):
    walk = town(tmp_path, holds=hold(products=["wards"])).walk()
    with pytest.raises(Refused) as refused:
        withdrawal.withdraw(walk, "wards", withdrawal.chosen(walk, "wards", [1]), by="", reason="late")

    assert ["G158"] == [p.code for p in refused.value.problems]
    assert walk.engine.count(walk.lake.read(walk.lake.open("wards")))


@pytest.mark.parametrize(
    ("change", "count"),
    [
        ({"approvedBy": ["housing_head"]}, 1),
        ({"approvedBy": ["housing_head", "housing_head"]}, 1),
        ({"approvedBy": ["housing_head", "empty"]}, 1),
        ({"approvedBy": ["housing_head", "city_attorney", "somebody"]}, 1),
        ({"approvedBy": []}, 1),
        ({"resolution": " "}, 1),
        ({"attorney": ""}, 1),
        ({"resolution": "", "attorney": ""}, 2),
    ],
)
def test_one_approval_too_few_keeps_everything(tmp_path, change, count):
    made = town(tmp_path, {**RULE, "destroy": {**APPROVED, **change}})

    assert ["statute"] * count == [b.level for b in due(made).blocks]
    assert [] == keeping.apply(made.walk(as_of=TODAY), today=TODAY)
    assert found(tmp_path / ".metroon", CANARY)


@pytest.mark.parametrize("category", retention.NEVER)
def test_some_records_are_never_destroyed(tmp_path, category):
    assert ["statute"] == [b.level for b in due(town(tmp_path, {**RULE, "category": category})).blocks]


def test_an_approval_covers_no_later_day(tmp_path):
    told = due(town(tmp_path, {**RULE, "destroy": {**APPROVED, "through": "2023-06-30"}}))

    assert (date(2023, 6, 30), True) == (told.cutoff, 0 < told.rows < 120)


@pytest.mark.parametrize(
    "rule",
    [
        {**RULE, "keep": "1 year"},
        {**RULE, "keep": "23 months"},
        {**RULE, "keep": "700 days"},
        {**RULE, "keep": "long"},
        {**RULE, "from": "birth"},
        {**RULE, "basis": ""},
        {**RULE, "category": "old"},
        {**RULE, "kept": "2 years"},
        {k: v for k, v in RULE.items() if k != "category"},
        {**RULE, "destroy": {**APPROVED, "through": "soon"}},
        {**RULE, "destroy": {**APPROVED, "who": "me"}},
    ],
)
def test_a_rule_that_the_law_or_the_form_forbids_is_a_fault_and_acts_not(tmp_path, rule):
    made = Town(tmp_path).with_wards()
    made.csv("stays.csv", old_rows())
    made.product("stays", STAY_COLUMNS, table={**IN_WARDS, "eventTime": "day"}, retention=rule)

    assert ["G157"] == [p.code for p in faults(load(tmp_path), AS_OF)]
    assert None is retention.rule(load(tmp_path).products["stays"].contract)


def test_two_years_are_lawful():
    contract = promise({"day": "date quasi"}, table={"eventTime": "day"}, retention=RULE)

    assert [] == list(retention.faults(contract))
    assert [] == list(
        retention.faults(promise({"day": "date quasi"}, retention={**RULE, "keep": "24 months", "from": "delivery"}))
    )


@pytest.mark.parametrize(
    ("wrong", "code"),
    [({"products": ["stais"]}, "R101"), ({"by": "me"}, "G159"), ({"products": []}, "G159"), ({"by": "empty"}, "G159"),
     ({"released": {"on": "2025-01-01", "by": "city_attorney"}}, "G159"),
     ({"released": {"on": "2026-02-01", "by": "me"}}, "G159"), ({"until": "2026-01-01"}, "Y103")],
)  # fmt: skip
def test_a_hold_with_a_fault_stops_the_whole_city(tmp_path, wrong, code):
    made = town(tmp_path)
    made.write("holds.yaml", hold(**wrong))
    with pytest.raises(Refused) as refused:
        load(tmp_path)

    assert [code] == [p.code for p in refused.value.problems]


# Destroyed


def test_no_byte_of_what_was_destroyed_is_left_and_the_rest_stays(tmp_path):
    made = town(tmp_path)
    assert found(tmp_path / ".metroon", CANARY)
    (certificate,) = keeping.apply(made.walk(as_of=TODAY), today=TODAY)

    assert [] == found(tmp_path / ".metroon", CANARY)
    walk = made.walk()
    kept = walk.lake.restricted("stays")
    assert (2, 160) == (kept.number, walk.engine.count(walk.lake.read(kept)))
    assert (True, 120, 2) == (certificate.is_done, certificate.told["rows"], certificate.told["replaced_by"])
    assert ["Head of Housing", "City Attorney"] == [a["title"] for a in certificate.told["approvals"]["by"]]
    assert ["stays.csv"] == certificate.told["sources_kept"]


def test_the_account_of_rows_stays_whole(tmp_path):
    made = town(tmp_path)
    keeping.apply(made.walk(as_of=TODAY), today=TODAY)
    account = made.run().account("stays")

    assert ("unchanged", True, 160) == (
        account.outcome,
        account.adds_up,
        account.kept,
    )
    assert {retention.reason(1): 120} == account.set_aside


def test_a_file_that_still_holds_the_rows_does_not_bring_them_back(tmp_path):
    made = town(tmp_path)
    keeping.apply(made.walk(as_of=TODAY), today=TODAY)
    made.csv("stays_more.csv", [{**r, "id": f"n{r['id']}"} for r in stays({"north": 3})])
    account = made.run().account("stays")

    assert (163, {retention.reason(1): 120}) == (account.kept, account.set_aside)
    assert [] == found(tmp_path / ".metroon", CANARY)
    assert 0 == due(made).rows


def test_every_older_version_goes_and_one_without_such_rows_stays(tmp_path):
    made = town(tmp_path)
    made.csv("stays.csv", stays(dict.fromkeys(WARDS, 40), start=date(2025, 1, 1)))
    made.ran()
    keeping.apply(made.walk(as_of=TODAY), today=TODAY)
    lake = made.walk().lake

    assert (False, True) == (lake.has_rows("stays", 1), lake.has_rows("stays", 2))
    assert 2 == lake.restricted("stays").number
    assert [] == found(tmp_path / ".metroon", CANARY)


def with_sums(made: Town) -> None:
    made.write("products/sums/query.sql", "select person, ward, day from stays")
    columns = {"person": "string linkage key", "ward": "string quasi", "day": "date quasi"}
    made.product("sums", columns, collect={"kind": "query", "sql": "query.sql"})


def test_what_is_made_of_the_rows_goes_with_them_and_is_made_again(tmp_path):
    made = town(tmp_path)
    with_sums(made)
    made.ran()
    keeping.apply(made.walk(as_of=TODAY), today=TODAY)

    assert [] == found(tmp_path / ".metroon", CANARY)
    with pytest.raises(Refused) as refused:
        made.walk().lake.read(made.walk().lake.restricted("sums"))
    assert ("L104", True) == (refused.value.problems[0].code, "certificate 1" in refused.value.problems[0].what)
    assert ("kept", 160) == (made.run().account("sums").outcome, made.run().account("sums").kept)


def test_points_that_were_located_go_too(tmp_path):
    made = town(tmp_path)
    cache = made.walk().cache
    cache.mkdir(exist_ok=True)
    (cache / "points.parquet").write_bytes(CANARY.encode())
    keeping.apply(made.walk(as_of=TODAY), today=TODAY)

    assert [] == list(cache.iterdir())


def test_nothing_is_destroyed_while_a_run_is_at_work(tmp_path):
    made = town(tmp_path)
    with running(tmp_path / ".metroon"), pytest.raises(Refused) as refused:
        keeping.apply(made.walk(as_of=TODAY), today=TODAY)

    assert ["G158"] == [p.code for p in refused.value.problems]
    assert 120 == due(made).rows


def test_a_second_call_finds_nothing_to_do(tmp_path):
    made = town(tmp_path)
    keeping.apply(made.walk(as_of=TODAY), today=TODAY)

    assert [] == keeping.apply(made.walk(as_of=TODAY), today=TODAY)
    assert (0, ()) == (due(made).rows, due(made).held)


def test_an_old_number_names_the_certificate_instead_of_being_made_again(tmp_path):
    made = town(tmp_path)
    keeping.apply(made.walk(as_of=TODAY), today=TODAY)
    told = explain(made.walk(), "stay_count", version=1)

    assert ("", True) == (told.again_sha256, "certificate 1" in told.why_not)


# Cut off


class Cut(BaseException):
    """The process was killed."""


@pytest.mark.parametrize("at", ["remove", "orphans", "described", "save"])
def test_who_is_cut_off_leaves_it_whole_or_finishes_on_the_next_call(tmp_path, monkeypatch, at):
    made = town(tmp_path)

    def cut(*_: object, **__: object) -> None:
        raise Cut

    with monkeypatch.context() as patched:
        patched.setattr(*((Certificates, "save") if at == "save" else (erasure, at)), cut)
        with pytest.raises(Cut):
            keeping.apply(made.walk(as_of=TODAY), today=TODAY)
    begun = Certificates(tmp_path / ".metroon").unfinished()
    assert (1 if at in ("remove", "orphans") else 0) == len(begun)
    (certificate,) = keeping.apply(made.walk(as_of=TODAY), today=TODAY)

    assert (True, 1) == (certificate.is_done, len(Certificates(tmp_path / ".metroon").all()))
    assert [] == found(tmp_path / ".metroon", CANARY)
    assert 160 == made.run().account("stays").kept


def test_a_process_killed_between_certificate_and_deletion_is_finished_by_the_next(tmp_path):
    import subprocess
    import sys

    made = town(tmp_path)
    code = (
        "import os, sys; from datetime import date; from metroon import keeping; from metroon.lake import erasure;"
        "from metroon.city import load; from metroon.walk import Walk; from pathlib import Path;"
        "erasure.remove = lambda *a: os.kill(os.getpid(), 9);"
        "day = date(2026, 3, 15); keeping.apply(Walk(load(Path(sys.argv[1])), day), today=day)"
    )
    ended = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert -9 == ended.returncode
    assert 1 == len(Certificates(tmp_path / ".metroon").unfinished())
    keeping.apply(made.walk(as_of=TODAY), today=TODAY)

    assert [] == found(tmp_path / ".metroon", CANARY)
    assert [] == Certificates(tmp_path / ".metroon").unfinished()


def test_a_hold_that_comes_in_between_stops_what_was_begun(tmp_path, monkeypatch):
    made = town(tmp_path)

    def cut(*_: object) -> None:
        raise Cut

    with monkeypatch.context() as patched:
        patched.setattr(erasure, "remove", cut)
        with pytest.raises(Cut):
            keeping.apply(made.walk(as_of=TODAY), today=TODAY)
    made.write("holds.yaml", hold())

    assert [] == keeping.apply(made.walk(as_of=TODAY), today=TODAY)
    assert found(tmp_path / ".metroon", CANARY)


# Certificates


def twice(folder: Path) -> Certificates:
    made = town(folder, {**RULE, "destroy": {**APPROVED, "through": "2023-06-30"}})
    keeping.apply(made.walk(as_of=TODAY), today=TODAY)
    made.product("stays", STAY_COLUMNS, table={**IN_WARDS, "eventTime": "day"}, retention=RULE)
    keeping.apply(made.walk(as_of=TODAY), today=TODAY)
    return Certificates(folder / ".metroon")


def test_each_certificate_holds_the_hash_of_the_one_before_it(tmp_path):
    one, two = (certificates := twice(tmp_path)).all()

    assert [] == certificates.faults()
    assert (one.told["sha256"], "") == (two.told["former_sha256"], one.told["former_sha256"])
    assert [] == found(tmp_path / ".metroon", CANARY)


@pytest.mark.parametrize("number", [1, 2])
def test_a_certificate_that_somebody_changed_is_found_and_stops_everything(tmp_path, number):
    certificates = twice(tmp_path)
    file = certificates.folder / f"{number:04}.json"
    file.write_text(file.read_text().replace("Records schedule", "Another schedule"), encoding="utf-8")

    assert ["L106"] == [p.code for p in certificates.faults()]
    made = Town(tmp_path)
    with pytest.raises(Refused):
        keeping.apply(made.walk(as_of=TODAY), today=TODAY)


def test_a_certificate_that_is_gone_is_missed(tmp_path):
    certificates = twice(tmp_path)
    (certificates.folder / "0001.json").unlink()

    assert ["L106"] == [p.code for p in certificates.faults()]


def test_no_value_of_a_person_is_in_a_certificate(tmp_path):
    texts = [f.read_text() for f in twice(tmp_path).folder.glob("*.json")]

    assert not any(CANARY in t or '"s1"' in t for t in texts)
    assert all(json.loads(t)["state"] == "done" for t in texts)


# The command


def said(made: Town, *words: str) -> Result:
    asked = ["guard", "retention", *words, "-C", str(made.folder), "--as-of", TODAY.isoformat()]
    return CliRunner().invoke(main, asked, catch_exceptions=False)


def test_the_command_tells_what_is_due_and_then_what_was_destroyed(tmp_path):
    made = town(tmp_path)
    before, done, after = said(made), said(made, "--apply"), said(made, "--format", "json")

    assert (1, True) == (before.exit_code, "120 rows of 2024-03-15 or earlier" in " ".join(before.stdout.split()))
    assert (0, True) == (done.exit_code, "1 certificate" in done.stdout)
    told = json.loads(after.stdout)
    assert ([], "done") == (told["products"][0]["versions"], told["certificates"][0]["state"])
    assert CANARY not in before.output + done.output + after.output


def test_the_command_names_what_keeps_it_the_strongest_first(tmp_path):
    made = town(tmp_path, {**RULE, "destroy": {**APPROVED, "attorney": ""}}, hold())
    told = said(made, "stays", "--apply")

    assert 1 == told.exit_code
    assert told.stdout.index("legal hold suit") < told.stdout.index("no written consent of the city attorney")


def test_what_was_begun_and_cut_off_is_told_until_it_is_finished(tmp_path, monkeypatch):
    made = town(tmp_path)

    def cut(*_: object) -> None:
        raise Cut

    with monkeypatch.context() as patched:
        patched.setattr(erasure, "remove", cut)
        with pytest.raises(Cut):
            keeping.apply(made.walk(as_of=TODAY), today=TODAY)

    assert (1, True) == (said(made).exit_code, "begun and cut off" in said(made).stdout)
    assert 0 == said(made, "--apply").exit_code
