"""The whole way: when all is well, when nothing is new, when something breaks, and when a run is cut off."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from metroon.base.errors import Refused
from metroon.base.estimate import Cell
from metroon.explain import Explanation, explain
from town import AS_OF, COMMAND, IN_WARDS, STAY_COLUMNS, Told, Town, small_town, stays

COUNTS = {"north": 40, "east": 50, "south": 60, "west": 70}
PLACED = {"places": ["ward"]}


def listing(town: Town) -> list[str]:
    return sorted(p.relative_to(town.folder).as_posix() for p in (town.folder / ".metroon" / "lake").rglob("*"))


def with_trees(town: Town) -> Town:
    """A second product, of things whose rows are published."""
    town.csv("trees.csv", [{"id": f"t{i}", "kind": "oak", "ward": "north"} for i in range(5)])
    columns = {"id": "string public", "kind": "string public", "ward": "string public"}
    town.product("trees", columns, unit="none", mode="rows", table=IN_WARDS)
    return town.measure("tree_count", of="trees", places=["ward"])


def outcomes(told) -> dict[str, str]:
    return {a.product: a.outcome for a in told.run.accounts} | {m.measure: m.outcome for m in told.run.measured}


# All is well


def test_a_run_takes_files_to_open_rows_and_released_numbers(tmp_path):
    told = with_trees(small_town(tmp_path)).run()

    expected = {
        "stays": "kept", "trees": "published", "wards": "published", "stay_count": "released", "tree_count": "released",
    }  # fmt: skip
    assert expected == outcomes(told)
    assert {"all": 220, **COUNTS, "(outside)": 0, "(no place)": 0} == told.events("stay_count")


def test_every_record_is_kept_set_aside_or_refused(tmp_path):
    town = small_town(tmp_path)
    made = stays(COUNTS)
    town.csv("stays.csv", [*made, made[0], made[1] | {"id": "y", "day": "yesterday"}, made[2] | {"id": ""}])
    town.write("inbox/stays_broken.csv", "not,the,header\n1,2,3\n")
    told = town.run().account("stays")

    assert (True, 220, 3) == (told.adds_up, told.kept, sum(told.set_aside.values()))
    assert told.read == told.kept + sum(told.set_aside.values()) + told.refused


def test_two_walks_in_two_folders_release_the_same_numbers(tmp_path):
    hashes = []
    for name in ("one", "other"):
        told = small_town(tmp_path / name, kind="share", when="is_home", groups=["race"], **PLACED).run()
        hashes.append(told.measured("stay_count").sha256)

    assert hashes[0] == hashes[1] != ""


@pytest.mark.slow
def test_the_random_order_of_python_sets_changes_no_number(tmp_path):
    town = small_town(tmp_path, kind="share", when="is_home", groups=["race"], **PLACED)
    town.csv("stays.csv", stays({"north": 40, "east": 9, "south": 7, "west": 70}))
    town.measure("stay_rate", kind="rate", **PLACED)
    code = (
        "import sys; from pathlib import Path; from metroon import flow; from metroon.city import load;"
        "from metroon.walk import Walk; from datetime import date; f = Path(sys.argv[1]);"
        "print(*(m.sha256 for m in flow.run(Walk(load(f), date(2026, 3, 15), Path(sys.argv[2]))).measured))"
    )
    printed = [
        subprocess.run(
            [sys.executable, "-c", code, tmp_path, tmp_path / f"home{seed}"],
            env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True,
        ).stdout
        for seed in ("0", "4242")
    ]  # fmt: skip

    assert printed[0] == printed[1] != ""


# Nothing is new


def test_a_second_run_makes_nothing_and_says_so(tmp_path):
    town = with_trees(small_town(tmp_path))
    town.ran()
    before = listing(town)
    told = town.run()

    assert before == listing(town)
    assert {"unchanged"} == set(outcomes(told).values())


def test_a_file_that_was_only_touched_is_unchanged(tmp_path):
    town = small_town(tmp_path)
    town.ran()
    before = listing(town)
    os.utime(tmp_path / "inbox" / "stays.csv", ns=(1, 1))

    assert ({"unchanged"}, before) == (set(outcomes(town.run()).values()), listing(town))


def test_one_other_byte_makes_a_new_version_of_its_product_and_its_measures_only(tmp_path):
    town = with_trees(small_town(tmp_path))
    town.ran()
    file = tmp_path / "inbox" / "trees.csv"
    file.write_bytes(file.read_bytes().replace(b"t4,oak", b"t4,elm"))
    told = town.run()

    changed = {name for name, outcome in outcomes(told).items() if outcome != "unchanged"}
    assert ({"trees", "tree_count"}, 2, 1) == (changed, told.account("trees").version, told.account("stays").version)


def test_a_measure_that_keeps_failing_does_not_make_the_others_new_every_time(tmp_path):
    town = small_town(tmp_path).measure("broken", groups=["person"])
    town.ran()
    before = listing(town)

    assert ("unchanged", "failed") == tuple(outcomes(town.run())[n] for n in ("stay_count", "broken"))
    assert before == listing(town)


def test_another_day_changes_nothing_until_a_period_has_ended(tmp_path):
    town = small_town(tmp_path, period={"column": "day", "grain": "month"})
    town.ran()

    days = [date(2026, 3, 31), date(2026, 4, 1)]
    assert ["unchanged", "released"] == [outcomes(town.run(as_of=d))["stay_count"] for d in days]


def test_a_changed_file_that_looks_the_same_is_found_on_request(tmp_path):
    town = with_trees(small_town(tmp_path))
    town.run()
    file = tmp_path / "inbox" / "trees.csv"
    stat = file.stat()
    file.write_bytes(file.read_bytes().replace(b"oak", b"elm"))
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))

    assert ("unchanged", "published") == (
        town.run().account("trees").outcome,
        town.run(verify=True).account("trees").outcome,
    )


def test_an_earlier_version_stays_as_it_was(tmp_path):
    town = small_town(tmp_path)
    town.ran()
    town.csv("stays.csv", stays({"north": 20, "east": 20, "south": 20, "west": 20}))
    told = town.run()
    old = told.walk.lake.open("stay_count", 1)

    rows = told.walk.engine.rows(told.walk.lake.read(old))
    assert (220, 80) == (next(r["events"] for r in rows if r["geography"] == "all"), told.events("stay_count")["all"])


# Something breaks


def test_a_missing_file_stops_its_own_product_and_names_where_to_put_it(tmp_path):
    town = with_trees(small_town(tmp_path))
    (tmp_path / "inbox" / "stays.csv").unlink()
    told = town.run()

    assert {
        "stays": "failed",
        "stay_count": "failed",
        "trees": "published",
        "tree_count": "released",
        "wards": "published",
    } == (outcomes(told))
    assert str(tmp_path / "inbox") in told.account("stays").problems[0].fix


def test_a_file_that_is_gone_leaves_the_last_good_version_and_its_numbers(tmp_path):
    town = small_town(tmp_path)
    town.ran()
    (tmp_path / "inbox" / "stays.csv").unlink()
    told = town.run()

    assert ("failed", 1, 220) == (
        told.account("stays").outcome,
        told.account("stays").version,
        told.events("stay_count")["all"],
    )


def test_a_measure_that_fails_says_which_release_readers_still_see(tmp_path):
    town = small_town(tmp_path)
    first = town.measure("broken", groups=["person"]).run().measured("broken")
    town.ran()
    then = town.measure("stay_count", groups=["person"], **PLACED).run().measured("stay_count")

    assert [("failed", None), ("failed", 1)] == [(m.outcome, m.version) for m in (first, then)]


def test_one_refused_delivery_does_not_keep_the_others_out(tmp_path):
    town = small_town(tmp_path)
    town.csv("stays_2.csv", [{"ethnicity" if k == "race" else k: v for k, v in r.items()} for r in stays({"north": 3})])
    told = town.run()

    assert ("kept", 220, ["D102"]) == (told.account("stays").outcome, told.account("stays").kept, told.codes())
    assert ["", "the schema changed"] == [d.refused.partition(":")[0] for d in told.account("stays").deliveries]


def test_what_is_made_of_a_product_without_version_says_which(tmp_path):
    town = small_town(tmp_path)
    town.product("nights", STAY_COLUMNS, collect={"kind": "query", "sql": "query.sql"}, table=IN_WARDS)
    town.write("products/nights/query.sql", "select * from stays")
    town.measure("night_count", of="nights", **PLACED)
    (tmp_path / "inbox" / "stays.csv").unlink()
    told = town.run()

    assert ["F102"] == [p.code for p in told.account("nights").problems]
    assert "Put stays right first." == told.account("nights").problems[0].fix
    assert {"failed"} == {o for n, o in outcomes(told).items() if n != "wards"}


def test_a_product_that_cannot_be_made_of_a_good_one_does_not_stop_the_numbers_of_the_good_one(tmp_path):
    town = small_town(tmp_path)
    town.product(
        "nights",
        {**STAY_COLUMNS, "more": "string public"},
        collect={"kind": "query", "sql": "query.sql"},
        table=IN_WARDS,
    )
    town.write("products/nights/query.sql", "select *, cast(person as integer) as more from stays")
    town.measure("night_count", of="nights", **PLACED)
    told = town.run()

    assert ("failed", "failed", "released") == tuple(outcomes(told)[n] for n in ("nights", "night_count", "stay_count"))


BROKEN = {
    "of_nothing": ({"of": "nothere"}, "M101"),
    "among_nothing": ({"among": "nothere = 1"}, "M102"),
    "by_nothing": ({"groups": ["nothere"]}, "M102"),
    "by_race_as_time": ({"period": {"column": "race", "grain": "year"}}, "M103"),
    "of_many_rows": ({"among": "count(*) > 1"}, "M105"),
    "by_chance": ({"among": "random() > 0.5"}, "M105"),
    "by_the_clock": ({"among": "day > current_date"}, "M105"),
    "nowhere": ({"places": ["nowhere"]}, "M106"),
    "by_name": ({"groups": ["person"]}, "M107"),
    "unlike": ({"among": "race > 5"}, "E101"),
    "unreadable": ({"among": "cast(person as integer) = 1"}, "E101"),
}


@pytest.fixture(scope="module")
def with_broken_measures(tmp_path_factory) -> Told:
    town = small_town(tmp_path_factory.mktemp("town"))
    for name, (declared, _) in BROKEN.items():
        town.measure(name, **declared)
    return town.run()


@pytest.mark.parametrize("name", BROKEN)
def test_a_measure_that_cannot_be_counted_says_why(with_broken_measures, name):
    told = with_broken_measures.measured(name)

    assert ("failed", [BROKEN[name][1]]) == (told.outcome, [p.code for p in told.problems])
    assert f"measures/{name}.yaml" in told.problems[0].file


def test_measures_that_cannot_be_counted_do_not_stop_one_that_can(with_broken_measures):
    assert 220 == with_broken_measures.events("stay_count")["all"]


def test_no_problem_of_a_run_shows_a_value_of_a_row(with_broken_measures):
    words = " ".join(str(p) for m in with_broken_measures.run.measured for p in m.problems)

    assert None is re.search(r"\bp\d+\b", words)


def test_a_release_that_cannot_be_written_stops_itself_alone(tmp_path):
    town = with_trees(small_town(tmp_path))
    town.write(".metroon/lake/open/stay_count", "in the way")
    told = town.run()

    assert ("failed", "released", ["L103"]) == (
        outcomes(told)["stay_count"],
        outcomes(told)["tree_count"],
        told.codes(),
    )


def test_what_could_not_be_published_is_published_by_the_next_run(tmp_path):
    town = with_trees(small_town(tmp_path))
    in_the_way = town.write(".metroon/lake/open/trees", "in the way")
    first = town.run()
    in_the_way.unlink()
    second = town.run()

    # What was published last is read first: no ladder may stand on a finer step than there.
    assert (["L103"], "kept", "published") == (
        first.codes(),
        first.account("trees").outcome,
        second.account("trees").outcome,
    )
    assert 1 == second.account("trees").version


def test_failures_are_told_before_anything_else_is_to_do(tmp_path):
    town = with_trees(small_town(tmp_path))
    town.product(
        "trees", {"id": "string public", "kind": "string ?", "ward": "string public"}, unit="none", mode="rows"
    )
    (tmp_path / "inbox" / "stays.csv").unlink()
    steps = town.run().run.next_steps

    assert steps[0].startswith("stays: Put the file into")
    assert any(s.startswith("trees: Write classification:") for s in steps[1:])


# It is cut off


def cut_off(town: Town, files: int) -> None:
    """Kill a run, without a word of warning, as soon as the lake has so many files."""
    lake = town.folder / ".metroon" / "lake"
    run = [*COMMAND, "run", str(town.folder), "--as-of", AS_OF.isoformat()]
    worker = subprocess.Popen(
        run,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    while worker.poll() is None:
        if sum(p.is_file() for p in lake.rglob("*")) >= files:
            worker.send_signal(signal.SIGKILL)
            break
    worker.wait()


def grown(town: Town) -> int:
    return sum(p.is_file() for p in (town.folder / ".metroon" / "lake").rglob("*"))


MOMENTS = [3, *(pytest.param(n, marks=pytest.mark.slow) for n in (1, 2, 4, 5, 6, 7, 8, 9, 11, 12))]


@pytest.mark.parametrize("more", MOMENTS)
def test_a_run_that_is_killed_leaves_the_last_good_version_and_the_next_completes(tmp_path, more):
    town = with_trees(small_town(tmp_path / "cut"))
    town.ran()
    for t in (town, with_trees(small_town(tmp_path / "whole"))):
        t.csv("stays.csv", stays({"north": 20, "east": 20, "south": 20, "west": 20}))
        t.csv("trees.csv", [{"id": f"t{i}", "kind": "elm", "ward": "east"} for i in range(7)])
    cut_off(town, grown(town) + more)
    walk = town.walk()
    stood = {n: walk.engine.rows(walk.lake.read(walk.lake.open(n))) for n in ("stay_count", "tree_count")}
    after = town.run()
    whole = Town(tmp_path / "whole", places=town.places).city().run()

    cities = {n: next(r["events"] for r in rows if r["geography"] == "all") for n, rows in stood.items()}
    assert cities["stay_count"] in (220, 80)
    assert cities["tree_count"] in (5, 7)
    assert [] == after.codes()
    assert [m.sha256 for m in whole.run.measured] == [m.sha256 for m in after.run.measured]
    assert 7 == after.walk.engine.count(after.walk.lake.read(after.walk.lake.open("trees")))
    assert {"unchanged"} == set(outcomes(town.run()).values())


@pytest.mark.parametrize("files", [1, pytest.param(4, marks=pytest.mark.slow), pytest.param(9, marks=pytest.mark.slow)])
def test_a_first_run_that_is_killed_is_completed_by_the_next(tmp_path, files):
    town = with_trees(small_town(tmp_path))
    cut_off(town, files)
    told = town.run()

    assert ([], 220) == (told.codes(), told.events("stay_count")["all"])


# A number is walked back


def walked_back(town: Town, **more) -> Explanation:
    return explain(town.walk(), "stay_count", **more)


@pytest.fixture(scope="module")
def walked(tmp_path_factory) -> Town:
    """A town that was walked once, with names for its wards, races, and seven stays in the east."""
    town = small_town(tmp_path_factory.mktemp("town"), {**COUNTS, "east": 7}, groups=["race"])
    town.places["ward"]["name"] = "Ward {ward}"
    town.city().run()
    return town


def test_a_number_is_made_again_from_the_files_with_the_same_hash(walked):
    told = walked_back(walked)

    assert (True, "files", told.measured.sha256) == (told.is_same, told.again_from, told.again_sha256)
    assert [("stays", "same"), ("wards", "same")] == sorted((i.product, i.state) for i in told.inputs)


def test_an_explanation_names_measure_contracts_files_and_code_with_their_hashes(walked):
    told = walked_back(walked)

    assert told.declaration.endswith("measures/stay_count.yaml")
    hashes = [told.declaration_sha256, *(s.contract_sha256 for s in told.steps), *(i.sha256 for i in told.inputs)]
    assert all(re.fullmatch("[0-9a-f]{64}", h) for h in hashes)
    assert re.fullmatch("metroon [^ ]+, [0-9a-f]{64}", told.code)
    assert ["stays", "wards"] == sorted(s.account.product for s in told.steps)


@pytest.mark.parametrize("place", ["west", "WEST", "Ward west"])
def test_a_place_is_found_by_its_key_or_its_name(walked, place):
    assert [(Cell("all", "ward", "west"), 70)] == [
        (e.cell, e.events) for e in walked_back(walked, place=place).estimates
    ]


def test_a_group_is_found_by_its_value(walked):
    assert ["B"] == [e.cell.group for e in walked_back(walked, group="B").estimates]


@pytest.mark.parametrize("asked", [{"place": "nroth"}, {"group": "Z"}, {"version": 9}])
def test_what_is_not_there_is_not_made_up(walked, asked):
    with pytest.raises(Refused) as refused:
        walked_back(walked, **asked)

    assert {"F105" if "version" in asked else "F106"} == {p.code for p in refused.value.problems}


def test_a_withheld_number_is_explained_without_it(walked):
    told = walked_back(walked, place="east")

    assert (["hidden"], [None]) == ([e.state for e in told.estimates], [e.events for e in told.estimates])


def test_after_a_file_has_changed_the_number_is_made_again_from_what_was_kept(tmp_path):
    town = small_town(tmp_path)
    town.ran()
    town.csv("stays.csv", stays({"north": 20}))
    told = walked_back(town)

    assert (True, "versions", {"stays": "changed", "wards": "same"}) == (
        told.is_same,
        told.again_from,
        {i.product: i.state for i in told.inputs},
    )


def test_a_file_that_came_since_does_not_change_what_is_explained(tmp_path):
    town = small_town(tmp_path)
    town.ran()
    town.csv("stays_2.csv", [r | {"id": f"{r['id']}b"} for r in stays({"north": 20})])
    told = walked_back(town)

    assert (True, "versions") == (told.is_same, told.again_from)


def test_a_file_that_is_gone_is_said_to_be_gone(tmp_path):
    town = small_town(tmp_path)
    town.ran()
    (tmp_path / "inbox" / "stays.csv").unlink()
    told = walked_back(town)

    assert (True, "gone") == (told.is_same, {i.product: i.state for i in told.inputs}["stays"])


def test_an_earlier_release_is_made_again_from_the_versions_it_read(tmp_path):
    town = small_town(tmp_path)
    town.ran()
    town.csv("stays.csv", stays({"north": 20}))
    town.ran()
    told = walked_back(town, version=1)

    assert (True, 220) == (told.is_same, told.estimates[0].events)


def test_a_contract_that_has_changed_since_is_named(tmp_path):
    town = small_town(tmp_path)
    town.ran()
    before = walked_back(town).steps
    town.product("stays", STAY_COLUMNS, table=IN_WARDS, minimumCell=60)
    told = walked_back(town)

    assert (False, "the contract of stays has changed since") == (told.is_same, told.why_not)
    assert [s.contract_sha256 for s in before] == [s.contract_sha256 for s in told.steps]


def test_a_declaration_that_has_changed_since_is_named(tmp_path):
    town = small_town(tmp_path)
    town.ran()
    told = walked_back(town.measure("stay_count", among="race = 'A'", **PLACED))

    assert (False, "the measure's declaration has changed since") == (told.is_same, told.why_not)


def test_the_log_of_the_lake_is_the_evidence(tmp_path):
    # A Delta reader without Metroon finds what a version was made of.
    town = small_town(tmp_path)
    told = town.run()
    log = sorted((tmp_path / ".metroon/lake/open/stay_count/_delta_log").glob("*.json"))[-1]
    commit = next(json.loads(line)["commitInfo"] for line in log.read_text().splitlines() if "commitInfo" in line)

    assert told.measured("stay_count").sha256 == json.loads(commit["metroon"])["release_sha256"]


def test_the_whole_path_of_the_folder_does_not_matter(tmp_path):
    town = small_town(tmp_path / "here")
    town.ran()
    moved = Path(tmp_path / "there")
    town.folder.rename(moved)
    told = Town(moved, places=town.places).run()

    assert {"unchanged"} == set(outcomes(told).values())
