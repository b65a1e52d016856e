"""The attacker's side over everything ever published, the ledger that it rests on, and what is refused without it."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from metroon import record
from metroon.base.errors import Refused
from metroon.cli import main
from metroon.guard.ledger import Release
from town import AS_OF, COMMAND, IN_WARDS, STAY_COLUMNS, Told, Town, small_town, stays

SMALL = {"north": 40, "east": 7, "south": 60, "west": 70}
MORE = {"north": 43, "east": 7, "south": 60, "west": 70}


def verb(town: Town, *words: str):
    return CliRunner().invoke(main, ["guard", "audit", "-C", str(town.folder), *words])


def as_json(town: Town, *words: str) -> dict:
    return json.loads(verb(town, "--format", "json", *words).stdout)


def two_editions(folder) -> Town:
    """A town in which three people came too late for the first edition."""
    town = small_town(folder, SMALL, groups=["race"])
    town.ran()
    town.csv("stays.csv", stays(MORE))
    town.ran()
    return town


def betrayed(town: Town) -> None:
    """Something else was published of the same people, which shows all that a measure withholds to protect others."""
    walk = town.walk()
    entry = next(e for e in walk.ledger.entries() if e.release.proof)
    proof = walk.ledger.proof(entry)
    only_small = proof.suppression.hidden & proof.system.needs
    told = replace(proof, suppression=replace(proof.suppression, hidden=only_small))
    with walk.ledger.alone():
        release = replace(entry.release, proof=walk.ledger.keep(told), content="betrayed")
        walk.ledger.adopt(release, 9, time=record.now())


def outcomes(told: Told) -> dict[str, str]:
    return {m.measure: m.outcome for m in told.run.measured}


# What can be recovered


@pytest.fixture(scope="module")
def edited(tmp_path_factory) -> Town:
    return two_editions(tmp_path_factory.mktemp("town"))


def test_nothing_is_recovered_from_all_editions_and_it_is_said_how_that_is_known(edited):
    told = verb(edited)

    assert (0, "") == (told.exit_code, told.stderr)
    assert "0: nobody can be found" in told.stdout
    assert "3 releases" in told.stdout
    assert "by the proofs that were kept" in told.stdout
    assert "privacy officer" in told.stdout


def test_ordinary_suppression_would_have_lost_what_this_keeps(edited):
    told = as_json(edited, "--naive")["naive"]

    assert ["stay_count"] == [lost["measure"] for lost in told]
    assert (True, 0) == (told[0]["exact"] > 0, told[0]["ours"])
    assert "IF ONLY SMALL NUMBERS HAD BEEN HIDDEN" in verb(edited, "--naive").stdout


def test_who_is_alone_in_a_cell_may_find_another_and_only_the_audit_of_insiders_says_so(tmp_path):
    # One in the north, two in the east, and the south hidden with them: the one knows what the two are less the south.
    town = small_town(tmp_path, {"north": 1, "east": 2, "south": 60, "west": 70})
    town.ran()
    found = as_json(town, "--insiders")["recovered"]

    assert [] == as_json(town)["recovered"]
    assert {"insider"} >= {f["to"] for f in found}
    assert bool(found) == (1 == verb(town, "--insiders").exit_code)


def test_machines_get_the_same(edited):
    told = as_json(edited)

    assert (3, 1, [], []) == (told["releases"], told["things"], told["recovered"], told["naive"])
    assert told["in_doubt"] == told["proven"] + told["solved"]


@pytest.mark.parametrize("name", ["stay_count", "stays"])
def test_only_those_who_are_asked_for_are_looked_for(edited, name):
    assert (2, 1) == (as_json(edited, name)["releases"], as_json(edited, "wards")["releases"])


def test_a_name_that_is_not_there_is_refused(edited):
    told = verb(edited, "nothere")

    assert 2 == told.exit_code
    assert "F104" in told.stderr


def test_what_is_recovered_is_listed_with_the_releases_that_give_it_away(tmp_path):
    town = small_town(tmp_path, SMALL)
    town.ran()
    betrayed(town)
    told = as_json(town)

    assert 1 == verb(town).exit_code
    assert [("stay_count (yes) at all times, ward east", 7.0, 7.0, True, ["stay_count 9"])] == [
        (f["what"], f["low"], f["high"], f["is_exact"], f["releases"]) for f in told["recovered"]
    ]
    assert "ward east: exactly 7" in verb(town).stdout


def test_a_release_that_would_give_somebody_away_is_not_published(tmp_path):
    town = small_town(tmp_path, SMALL)
    told = town.run()
    walk = told.walk
    entry = next(e for e in walk.ledger.entries() if e.release.proof)
    proof = walk.ledger.proof(entry)
    hidden = np.zeros_like(proof.suppression.hidden)
    open_ = replace(proof, suppression=replace(proof.suppression, hidden=hidden & proof.system.needs))
    version = walk.lake.open("stay_count")
    release = replace(entry.release, content="another", proof="")
    with pytest.raises(Refused) as refused:
        record.Record(walk, {"stay_count": open_}).publish(None, dict(version.evidence), release)

    problem = refused.value.problems[0]
    assert ("G125", True) == (problem.code, "ward east" in problem.what)
    assert "7" not in problem.what
    assert 1 == walk.lake.open("stay_count").number
    assert {"confirmed"} == {e.state for e in walk.ledger.entries()}


def test_a_proof_that_fails_is_not_published(tmp_path):
    walk = small_town(tmp_path, SMALL).run().walk
    entry = next(e for e in walk.ledger.entries() if e.release.proof)
    proof = walk.ledger.proof(entry)
    broken = replace(proof, suppression=replace(proof.suppression, failing=np.array([0])))
    with pytest.raises(Refused) as refused:
        record.Record(walk, {"stay_count": broken}).publish(None, {}, entry.release)

    assert ["G128"] == [p.code for p in refused.value.problems]


def test_a_measure_that_is_declared_no_more_stays_known_for_ever(tmp_path):
    town = small_town(tmp_path, SMALL)
    town.ran()
    (tmp_path / "measures" / "stay_count.yaml").unlink()
    town.ran()

    assert (2, 1) == (as_json(town)["releases"], as_json(town)["in_doubt"])


def test_a_lake_that_was_thrown_away_does_not_make_the_world_forget(tmp_path):
    town = two_editions(tmp_path)
    for zone in ("open", "restricted"):
        shutil.rmtree(tmp_path / ".metroon" / "lake" / zone)
    for north in (60, 90):
        town.csv("stays.csv", stays({**SMALL, "north": north}))
        told = town.run()

    assert (set(), 2) == (codes(told), told.walk.lake.open("stay_count").number)
    assert (0, 6) == (verb(town).exit_code, as_json(town)["releases"])
    names = {n for e in told.walk.ledger.entries() if e.release.proof for n in told.walk.ledger.proof(e).system.names}
    assert {"1", "3", "4"} <= {n[7] for n in names}


# What the ledger keeps


def test_every_release_is_in_the_ledger_with_its_proof_and_what_it_was_made_by(tmp_path):
    walk = small_town(tmp_path, SMALL).run().walk
    rows, measure = walk.ledger.entries()

    assert ("wards", "rows", "", 1, "confirmed") == (
        rows.release.name, rows.release.surface, rows.release.proof, rows.edition, rows.state,
    )  # fmt: skip
    told = measure.release
    assert ("stay_count", "measure", ("stays",), "stays", AS_OF.isoformat(), 11) == (
        told.name, told.surface, told.population, told.product, told.as_of, told.minimum,
    )  # fmt: skip
    assert (64, 64, 64) == (len(told.proof), len(told.contract), len(told.declaration))
    assert walk.lake.open("stay_count").evidence["release_sha256"] == told.content
    assert walk.ledger.mark(2) == walk.lake.open("stay_count").evidence["ledger"]["sha256"]


def test_a_run_that_changes_nothing_writes_nothing_and_proves_nothing_again(tmp_path, monkeypatch):
    town = small_town(tmp_path, SMALL)
    town.run()
    before = sorted((p.name, p.stat().st_mtime_ns) for p in (tmp_path / ".metroon" / "ledger").rglob("*"))
    town.run()

    assert before == sorted((p.name, p.stat().st_mtime_ns) for p in (tmp_path / ".metroon" / "ledger").rglob("*"))


def test_an_edition_that_holds_all_that_was_known_before_is_the_only_one_that_is_read(edited):
    walk = edited.walk()
    first, second = [e for e in walk.ledger.entries() if e.release.proof]

    assert (first.release.proof,) == second.release.covers
    assert [second.release.proof] == list(record.told_of(walk, record.live(walk, "stays")))


def test_no_value_of_a_person_is_in_the_list_itself(edited):
    lines = (edited.folder / ".metroon" / "ledger" / "ledger.jsonl").read_text()

    assert not {"north", "east", "south", "west"} & set(lines.replace('"', " ").split())


# When it is not whole


def codes(told: Told) -> set[str]:
    return {p.code for m in told.run.measured for p in m.problems}


def late(town: Town) -> Told:
    """A later run, with something new to publish."""
    town.csv("stays.csv", stays({"north": 60, "east": 7, "south": 60, "west": 70}))
    return town.run()


def test_without_its_ledger_nothing_more_is_published(tmp_path):
    town = small_town(tmp_path, SMALL)
    town.ran()
    shutil.rmtree(tmp_path / ".metroon" / "ledger")
    told = late(town)

    assert ({"G120"}, 1) == (codes(told), told.walk.lake.open("stay_count").number)
    assert 2 == verb(town).exit_code


def test_a_ledger_that_was_cut_short_is_noticed(tmp_path):
    town = two_editions(tmp_path)
    file = tmp_path / ".metroon" / "ledger" / "ledger.jsonl"
    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:-2]))
    told = late(town)

    assert ({"G120"}, 2) == (codes(told), told.walk.lake.open("stay_count").number)


def test_the_ledger_of_another_city_is_noticed(tmp_path):
    town, other = small_town(tmp_path / "one", SMALL), small_town(tmp_path / "other", MORE)
    town.ran()
    other.ran()
    shutil.copytree(tmp_path / "other/.metroon/ledger", tmp_path / "one/.metroon/ledger", dirs_exist_ok=True)

    assert {"G120"} == codes(late(town))


def test_a_changed_line_stops_everything_that_would_be_published(tmp_path):
    town = small_town(tmp_path, SMALL)
    town.ran()
    file = tmp_path / ".metroon" / "ledger" / "ledger.jsonl"
    file.write_text(file.read_text().replace('"hidden":2', '"hidden":0'))
    told = late(town)

    assert ({"G122"}, 1) == (codes(told), told.walk.lake.open("stay_count").number)


@pytest.mark.parametrize("change", ["gone", "changed"])
def test_without_a_proof_nothing_more_of_these_people_is_published(tmp_path, change):
    town = small_town(tmp_path, SMALL)
    town.ran()
    proof = next((tmp_path / ".metroon" / "ledger" / "proofs").glob("*.npz"))
    if change == "gone":
        proof.unlink()
    else:
        proof.write_bytes(proof.read_bytes()[:-1])
    told = late(town)

    assert ({"G123"}, 1) == (codes(told), told.walk.lake.open("stay_count").number)
    assert (str(proof), True) == (
        told.measured("stay_count").problems[0].file, "backup" in told.measured("stay_count").problems[0].fix,
    )  # fmt: skip


def test_a_faulty_ledger_leaves_what_is_published_as_it_is(tmp_path):
    town = small_town(tmp_path, SMALL)
    before = town.run().events("stay_count")
    (tmp_path / ".metroon" / "ledger" / "ledger.jsonl").write_text("nothing\n")

    assert before == late(town).events("stay_count")


def test_what_cannot_be_told_about_a_run_that_was_cut_off_stops_these_people_only(tmp_path):
    town = small_town(tmp_path, SMALL)
    told = town.run()
    with told.walk.ledger.alone():
        release = Release("other_count", "measure", ("stays",), "stays", "", "")
        told.walk.ledger.reserve(release, time=record.now())
    (tmp_path / ".metroon/lake/open/other_count/_delta_log").mkdir(parents=True)
    (tmp_path / ".metroon/lake/open/other_count/_delta_log/00000000000000000000.json").write_text("nothing")
    town.csv("wards.csv", [{"ward": w, "people": 1} for w in SMALL])
    told = late(town)

    assert ({"G124"}, 1, 2) == (
        codes(told), told.walk.lake.open("stay_count").number, told.walk.lake.open("wards").number,
    )  # fmt: skip


# A run that was cut off between reserving and confirming


def left_open(town: Town, *, has_left: bool) -> None:
    """Cut the ledger back to where the last release is reserved, with or without its version."""
    file = town.folder / ".metroon" / "ledger" / "ledger.jsonl"
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:-1]))
    if not has_left:
        shutil.rmtree(town.folder / ".metroon" / "lake" / "open" / "stay_count")


@pytest.mark.parametrize("has_left", [True, False])
def test_the_next_run_finds_out_whether_a_release_has_left(tmp_path, has_left):
    town = small_town(tmp_path, SMALL)
    town.ran()
    left_open(town, has_left=has_left)
    told = late(town)

    states = [e.state for e in told.walk.ledger.entries() if e.release.name == "stay_count"]
    assert (["confirmed" if has_left else "void", "confirmed"], set()) == (states, codes(told))
    assert (2 if has_left else 1) == told.walk.lake.open("stay_count").number


def test_what_has_not_left_is_not_taken_for_known(tmp_path):
    town = small_town(tmp_path, SMALL)
    town.ran()
    left_open(town, has_left=False)
    town.ran()

    assert (0, 2) == (verb(town).exit_code, as_json(town)["releases"])


# Published before there was a ledger


def without_ledger(folder) -> Town:
    """A lake as it was made before releases were kept: no ledger, and no version that names one."""
    town = small_town(folder, SMALL)
    town.ran()
    shutil.rmtree(folder / ".metroon" / "ledger")
    for log in (folder / ".metroon" / "lake" / "open").rglob("_delta_log/*.json"):
        lines = [json.loads(line) for line in log.read_text().splitlines()]
        for line in lines:
            if "metroon" in (commit := line.get("commitInfo", {})):
                evidence = {k: v for k, v in json.loads(commit["metroon"]).items() if k != "ledger"}
                commit["metroon"] = json.dumps(evidence)
        log.write_text("\n".join(json.dumps(line) for line in lines) + "\n")
    return town


def test_what_was_published_before_is_taken_in_by_a_person_and_not_by_itself(tmp_path):
    town = without_ledger(tmp_path)
    told = late(town)

    assert ({"G121"}, 1) == (codes(told), told.walk.lake.open("stay_count").number)
    assert "metroon guard audit --adopt --by" in told.measured("stay_count").problems[0].fix


def test_things_need_nobody_to_take_them_in(tmp_path):
    town = without_ledger(tmp_path)
    town.csv("wards.csv", [{"ward": w, "people": 1} for w in SMALL])

    assert 2 == town.run().walk.lake.open("wards").number


def test_once_it_is_taken_in_the_next_edition_is_published_and_held_against_it(tmp_path):
    town = without_ledger(tmp_path)
    taken = verb(town, "--adopt", "--by", "privacy officer")
    told = late(town)
    entries = {(e.release.name, e.edition): e for e in told.walk.ledger.entries()}

    assert (0, set(), 2) == (taken.exit_code, codes(told), told.walk.lake.open("stay_count").number)
    assert ("adopted", "privacy officer") == (
        entries["stay_count", 1].state, entries["stay_count", 1].release.by,
    )  # fmt: skip
    assert "published before the ledger" in taken.stdout
    known = told.walk.ledger.proof(entries["stay_count", 1]).system
    assert {("south", 60.0), ("west", 70.0)} <= {(n[4], v) for n, v in zip(known.names, known.value, strict=True)}
    assert "east" not in {n[4] for n in known.names}


def test_a_ledger_that_is_lost_can_be_made_again_from_what_is_published(tmp_path):
    town = two_editions(tmp_path)
    shutil.rmtree(tmp_path / ".metroon" / "ledger")
    verb(town, "--adopt", "--by", "privacy officer")

    assert (set(), 3) == (codes(late(town)), town.walk().lake.open("stay_count").number)


@pytest.mark.parametrize("by", ["", "nobody"])
def test_it_takes_somebody_who_answers_for_it(tmp_path, by):
    town = without_ledger(tmp_path)
    role = {"id": "officer", "title": "O", "duties": "D", "holder": "H", "since": "2026-01-01"}
    town.write("people.yaml", {"roles": [role]})
    told = verb(town, "--adopt", "--by", by)

    assert (2, True) == (told.exit_code, "G129" in told.stderr)
    assert not (tmp_path / ".metroon" / "ledger" / "ledger.jsonl").exists()


def test_adopting_twice_takes_nothing_in_again(tmp_path):
    town = without_ledger(tmp_path)
    verb(town, "--adopt", "--by", "officer")
    before = len(town.walk().ledger.entries())
    verb(town, "--adopt", "--by", "officer")

    assert before == len(town.walk().ledger.entries())


def test_what_left_as_things_is_taken_in_when_people_turn_out_to_stand_behind_it(tmp_path):
    town = small_town(tmp_path, SMALL)
    town.product("stays", STAY_COLUMNS, unit="none", table=IN_WARDS)
    first = town.run().events("stay_count")
    town.product("stays", STAY_COLUMNS, table=IN_WARDS)
    refused = town.run()
    verb(town, "--adopt", "--by", "officer")
    told = town.run()

    assert (7, {"G121"}, set()) == (first["east"], codes(refused), codes(told))
    assert (2, None) == (told.walk.lake.open("stay_count").number, told.events("stay_count")["east"])


# Killed


def killed(town: Town, lines: int) -> None:
    """Kill a run, without a word of warning, as soon as the ledger has so many lines."""
    file = town.folder / ".metroon" / "ledger" / "ledger.jsonl"
    run = [*COMMAND, "run", str(town.folder), "--as-of", AS_OF.isoformat()]
    worker = subprocess.Popen(run, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while worker.poll() is None:
        if file.is_file() and file.read_bytes().count(b"\n") >= lines:
            worker.send_signal(signal.SIGKILL)
            break
    worker.wait()


@pytest.mark.parametrize("lines", [3, *(pytest.param(n, marks=pytest.mark.slow) for n in (1, 2, 4, 5, 6, 7, 8))])
def test_a_run_that_is_killed_leaves_a_ledger_that_the_next_one_settles(tmp_path, lines):
    town = small_town(tmp_path, SMALL)
    killed(town, lines)
    town.csv("stays.csv", stays(MORE))
    killed(town, lines)
    told = town.run()
    entries = told.walk.ledger.entries()

    assert set() == codes(told)
    assert told.events("stay_count")["all"] in (180, 177, None)  # three more may wait, or be withheld
    assert {"confirmed", "void"} >= {e.state for e in entries}
    open_ = {(n, v) for n in told.walk.lake.published() for v in told.walk.lake.history(n, "open")}
    assert open_ == {(e.release.name, e.edition) for e in entries if e.state == "confirmed"}
    assert 0 == verb(town).exit_code


# Open rows beside withheld numbers


def with_open_rows(folder, **guard) -> Town:
    """Stays whose wards may leave as rows, since each has enough people, and a count by race that withholds."""
    town = small_town(folder, {"north": 40, "east": 50, "south": 60, "west": 70})
    columns = {**STAY_COLUMNS, "ward": "string public", "race": "string public"}
    town.product("stays", columns, mode="rows", table=IN_WARDS, **guard)
    return town


def test_a_measure_that_withholds_what_open_rows_tell_is_not_published(tmp_path):
    town = with_open_rows(tmp_path)
    rows = stays({"north": 40, "east": 50, "south": 60, "west": 70})
    town.csv("stays.csv", [r | {"race": "C" if i < 4 else r["race"]} for i, r in enumerate(rows)])
    told = town.measure("stay_count", groups=["race"]).run()

    assert ({"G126"}, None) == (codes(told), told.walk.lake.open("stay_count"))
    rows = next(e.release for e in told.walk.ledger.entries() if e.release.name == "stays")
    assert {"race": "", "ward": ""} == dict(rows.columns)


def test_rows_that_tell_what_a_measure_has_withheld_are_not_published(tmp_path):
    town = small_town(tmp_path, {"north": 40, "east": 7, "south": 60, "west": 70})
    town.ran()
    columns = {**STAY_COLUMNS, "ward": "string public"}
    town.product("stays", columns, mode="rows", table=IN_WARDS)
    told = town.run()

    assert ["G126"] == [p.code for p in told.account("stays").problems]
    assert None is told.walk.lake.open("stays")


def test_a_measure_is_published_when_open_rows_lack_a_column_for_what_it_withholds(tmp_path):
    town = with_open_rows(tmp_path)
    told = town.measure("stay_count", kind="share", when="is_home", groups=["race"]).run()

    assert set() == codes(told)
