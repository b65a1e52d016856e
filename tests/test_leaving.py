"""Backup, restore and export: a city is put back as it was, and what the world has seen is not forgotten."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from metroon.base import bundle
from metroon.base.bundle import Bundle, Writing
from metroon.base.engine import Engine
from metroon.base.errors import Refused
from metroon.city import load
from metroon.cli import main
from metroon.explain import explain
from metroon.lake import Lake, erasure
from metroon.lake import format as formats
from metroon.lake.erasure import Certificates
from metroon.leaving import backup, export, restore
from metroon.walk import Walk
from town import COMMAND, Town, small_town, stays

AT = datetime(2026, 3, 15, 12, 0, 0, tzinfo=UTC)
LATER = datetime(2026, 3, 16, 12, 0, 0, tzinfo=UTC)
PEOPLE = {
    "roles": [
        {"id": "officer", "title": "Privacy officer", "duties": "Invented.", "holder": "Ana", "since": "2026-01-01"}
    ]
}


@pytest.fixture
def town(tmp_path) -> Town:
    made = small_town(tmp_path / "town")
    made.city(as_of="2026-03-15")
    made.ran()
    return made


def codes(call) -> list[str]:
    with pytest.raises(Refused) as refused:
        call()
    return sorted({p.code for p in refused.value.problems})


def walk(folder: Path) -> Walk:
    return Walk(load(folder), date(2026, 3, 15))


def rows(folder: Path, engine: Engine) -> dict[tuple[str, str], list[str]]:
    lake, found = Lake(folder / ".metroon" / "lake", engine), {}
    for zone, name in (("restricted", "stays"), ("restricted", "wards"), ("open", "wards"), ("open", "stay_count")):
        version = lake.restricted(name) if zone == "restricted" else lake.open(name)
        if version is not None:
            found[zone, name] = sorted(map(repr, engine.rows(lake.read(version))))
    return found


# Backup and restore


def test_without_the_living_city_a_restore_says_that_it_knows_of_no_later_erasure(town, tmp_path):
    made = backup(load(town.folder), tmp_path / "backups", at=AT)
    words = [str(made.folder), str(tmp_path / "again")]
    alone = CliRunner().invoke(main, ["restore", *words], catch_exceptions=False)
    beside = CliRunner().invoke(main, ["restore", words[0], str(tmp_path / "b"), "--live", str(town.folder)])

    assert (0, 0) == (alone.exit_code, beside.exit_code)
    assert [True, False] == ["after the newest backup is not known" in told.output for told in (alone, beside)]


def test_a_restored_city_explains_the_same_number_with_the_same_hash(town, tmp_path):
    before = explain(town.walk(), "stay_count")
    made = backup(load(town.folder), tmp_path / "backups", at=AT)

    restore(made.folder, tmp_path / "again")
    after = explain(walk(tmp_path / "again"), "stay_count")

    assert (before.measured.sha256, before.again_sha256) == (after.measured.sha256, after.again_sha256)
    assert after.is_same


def test_a_restored_city_has_the_same_rows_and_its_next_run_finds_nothing_to_do(town, tmp_path, engine):
    made = backup(load(town.folder), tmp_path / "backups", at=AT)

    restore(tmp_path / "backups", tmp_path / "again")

    assert made.files == len(Bundle.read(made.folder).files)
    assert rows(town.folder, engine) == rows(tmp_path / "again", engine)
    again = Town(tmp_path / "again").run().run
    assert {"unchanged"} == {a.outcome for a in again.accounts} | {m.outcome for m in again.measured}


def test_a_second_backup_writes_only_what_changed_and_each_is_whole_by_itself(town, tmp_path):
    first = backup(load(town.folder), tmp_path / "backups", at=AT)
    second = backup(load(town.folder), tmp_path / "backups", at=LATER)
    Bundle.read(first.folder).look()
    Bundle.read(second.folder).look()

    assert first.copied == first.files == second.files
    assert 1 == second.copied  # the operational store


def test_only_as_many_backups_stay_as_are_asked_for(town, tmp_path):
    backup(load(town.folder), tmp_path / "backups", at=AT)
    made = backup(load(town.folder), tmp_path / "backups", at=LATER, keep=1)

    assert (1, [made.folder]) == (made.removed, list(bundle.bundles(tmp_path / "backups")))
    Bundle.read(made.folder).look()


def test_a_backup_holds_no_key_from_the_environment(town, tmp_path, monkeypatch):
    monkeypatch.setenv("METROON_KEY_LINKING", "an-invented-secret-key")
    made = backup(load(town.folder), tmp_path / "backups", at=AT)

    assert not any(b"an-invented-secret-key" in f.read_bytes() for f in made.folder.rglob("*") if f.is_file())


def test_a_backup_is_no_place_inside_the_city_nor_for_another_one(town, tmp_path):
    backup(load(town.folder), tmp_path / "backups", at=AT)
    other = small_town(tmp_path / "other")
    other.city(name="Elsewhere")

    assert ["F112"] == codes(lambda: backup(load(town.folder), town.folder / "backups", at=AT))
    assert ["F112"] == codes(lambda: backup(load(other.folder), tmp_path / "backups", at=LATER))


def test_a_file_of_a_backup_that_was_changed_is_named_and_nothing_is_restored(town, tmp_path):
    made = backup(load(town.folder), tmp_path / "backups", at=AT)
    file = made.folder / "city" / "inbox" / "stays.csv"
    file.chmod(0o600)
    file.write_bytes(file.read_bytes()[:-1] + b"!")

    with pytest.raises(Refused) as refused:
        restore(made.folder, tmp_path / "again")

    assert [str(file)] == [p.file for p in refused.value.problems]
    assert not (tmp_path / "again").exists()


def test_nothing_is_overwritten_by_a_restore(town, tmp_path):
    made = backup(load(town.folder), tmp_path / "backups", at=AT)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "note.txt").write_text("Invented.")

    assert ["F114"] == codes(lambda: restore(made.folder, tmp_path / "full"))
    assert ["F114"] == codes(lambda: restore(made.folder, town.folder))
    assert ["F113"] == codes(lambda: restore(tmp_path / "full", tmp_path / "again"))


def test_what_was_kept_comes_back_into_a_citys_own_folder(town, tmp_path, engine):
    made = backup(load(town.folder), tmp_path / "backups", at=AT)
    (town.folder / ".metroon").rename(tmp_path / "lost")
    town.write("README.md", "Written since.")
    restore(made.folder, town.folder)

    assert "Written since." == (town.folder / "README.md").read_text()
    assert 4 == len(rows(town.folder, engine))


@pytest.mark.slow
def test_a_backup_while_runs_are_at_work_is_a_city_that_can_be_run(town, tmp_path, engine):
    for n in range(4):
        extra = [{**r, "id": f"x{n}{r['id']}"} for r in stays({"north": 20, "east": 20, "south": 20, "west": 20})]
        town.csv(f"stays_{n}.csv", extra)
    runs = subprocess.Popen([*COMMAND, "run", "-C", str(town.folder)], stdout=subprocess.DEVNULL)
    made, at = [], AT
    while runs.poll() is None and len(made) < 200:
        at = at.replace(year=at.year + 1)
        made.append(backup(load(town.folder), tmp_path / "backups", at=at))

    assert 0 == runs.wait()
    for number, one in enumerate({0: made[0], 1: made[len(made) // 2], 2: made[-1]}.values()):
        restore(one.folder, tmp_path / f"again{number}")
        told = Town(tmp_path / f"again{number}").run()
        assert [] == told.codes()
        assert 540 == told.walk.engine.count(told.walk.lake.read(told.walk.version("stays")))


def test_a_release_since_the_backup_is_not_forgotten(town, tmp_path):
    made = backup(load(town.folder), tmp_path / "backups", at=AT)
    more = stays({"north": 20, "east": 20, "south": 20, "west": 20})
    town.csv("stays_more.csv", [{**r, "id": f"x{r['id']}", "person": f"x{r['person']}"} for r in more])
    town.ran()
    lines = (town.folder / ".metroon/ledger/ledger.jsonl").read_bytes()

    told = restore(made.folder, tmp_path / "again", live=town.folder)

    assert lines == (tmp_path / "again/.metroon/ledger/ledger.jsonl").read_bytes()
    assert told.entries > 0
    assert [] == Town(tmp_path / "again").run().codes()


def test_rows_that_were_destroyed_since_the_backup_do_not_come_back(town, tmp_path, engine):
    """Also without the live city: a later backup beside it brings the certificate."""
    made = backup(load(town.folder), tmp_path / "backups", at=AT)
    home = town.folder / ".metroon"
    lake = Lake(home / "lake", engine)
    files = lake.stored("stays", 1)
    certificates = Certificates(home)
    told = {"product": "stays", "begun_at": "2026-03-15T13:00:00+00:00"}
    told["versions"] = [{"table": "stays", "version": 1, "rows": 1, "files": erasure.described(files, home)}]
    begun = certificates.begin(told)
    erasure.remove(home, [f["file"] for f in told["versions"][0]["files"]])
    certificates.save(type(begun)(begun.number, {**begun.told, "state": "done"}))
    backup(load(town.folder), tmp_path / "backups", at=LATER)

    put = restore(made.folder, tmp_path / "again")

    assert (1, 1) == (put.destroyed, put.certificates)
    assert not any((tmp_path / "again" / ".metroon" / f["file"]).exists() for f in told["versions"][0]["files"])
    assert [] == Certificates(tmp_path / "again/.metroon").faults()
    assert ["L104"] == codes(lambda: Lake(tmp_path / "again/.metroon/lake", engine).files(lake.restricted("stays")))


def test_histories_that_do_not_belong_together_are_refused(town, tmp_path):
    made = backup(load(town.folder), tmp_path / "backups", at=AT)
    other = small_town(tmp_path / "other")
    other.csv("stays.csv", stays({"north": 30, "east": 31, "south": 32, "west": 33}))
    other.city(as_of="2026-03-15")
    other.ran()

    assert ["F115"] == codes(lambda: restore(made.folder, tmp_path / "again", live=other.folder))


# Export


def test_an_export_without_the_restricted_zone_holds_nobodys_row(town, tmp_path):
    made = export(town.walk(), tmp_path / "out", at=AT)
    names = {f.relative_to(made.folder).as_posix() for f in made.folder.rglob("*") if f.is_file()}
    people = [f"p{n}".encode() for n in range(100, 220)]

    assert {"README.md", "tables/stay_count/stay_count.csv", "tables/wards/wards.columns.csv"} <= names
    assert not [n for n in names if "restricted" in n or "proofs" in n or "inbox" in n or "sqlite" in n]
    assert not [f for f in made.folder.rglob("*.csv") for p in people if p in f.read_bytes()]


def test_a_city_from_its_export_has_equal_rows_and_releases(town, tmp_path, engine):
    town.write("people.yaml", PEOPLE)
    made = export(town.walk(), tmp_path / "out", at=AT, restricted=True, by="officer")
    restore(made.folder, tmp_path / "again")
    before, after = explain(town.walk(), "stay_count"), explain(walk(tmp_path / "again"), "stay_count")

    assert rows(town.folder, engine) == rows(tmp_path / "again", engine)
    assert before.measured.sha256 == after.measured.sha256 == after.again_sha256
    assert "officer" == Bundle.read(made.folder).told["by"]


def test_the_open_part_alone_shows_the_same_releases(town, tmp_path, engine):
    made = export(town.walk(), tmp_path / "out", at=AT)
    restore(made.folder, tmp_path / "again")
    kept = {k: v for k, v in rows(town.folder, engine).items() if k[0] == "open"}

    assert kept == rows(tmp_path / "again", engine)


def test_an_exports_csv_and_parquet_say_the_same_and_every_column_is_explained(town, tmp_path):
    made = export(town.walk(), tmp_path / "out", at=AT)
    for name in ("wards", "stay_count"):
        folder = made.folder / "tables" / name
        with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            told = list(csv.DictReader(file))
        with (folder / f"{name}.columns.csv").open(encoding="utf-8", newline="") as file:
            columns = list(csv.DictReader(file))
        table = pq.read_table(folder / f"{name}.parquet")

        assert (table.num_rows, table.column_names) == (len(told), list(told[0]))
        assert table.column_names == [c["column"] for c in columns]
        assert json.loads((folder / "evidence.json").read_text())["1"]["key"]


def test_what_is_not_public_leaves_only_by_somebody_who_answers_for_it(town, tmp_path):
    town.write("people.yaml", PEOPLE)

    assert ["F116"] == codes(lambda: export(town.walk(), tmp_path / "out", at=AT, restricted=True))
    assert ["F116"] == codes(lambda: export(town.walk(), tmp_path / "out", at=AT, restricted=True, by="nobody"))
    assert not (tmp_path / "out").exists()


# Bundles


@given(files=st.dictionaries(st.text("abc", min_size=1, max_size=3), st.binary(max_size=50), max_size=5), bad=st.data())
def test_a_changed_byte_in_any_file_of_a_bundle_is_found(tmp_path_factory, files, bad):
    folder = tmp_path_factory.mktemp("bundle")
    with Writing(folder / "made") as out:
        for name, content in files.items():
            (folder / f"{name}.in").write_bytes(content)
            out.put(folder / f"{name}.in", f"x/{name}")
        made = out.finish({"kind": "test"})
    made.look()
    if changed := sorted(n for n, c in files.items() if c):
        name = bad.draw(st.sampled_from(changed))
        file = made.folder / "x" / name
        file.chmod(0o600)
        file.write_bytes(bytes([file.read_bytes()[0] ^ 1]) + file.read_bytes()[1:])

        assert ["F113"] == codes(Bundle.read(made.folder).look)


def test_a_bundle_that_was_cut_off_is_not_there(tmp_path):
    with suppress(KeyboardInterrupt), Writing(tmp_path / "made") as out:
        out.put_text("Invented.", "a.txt")
        raise KeyboardInterrupt

    assert [] == list(tmp_path.iterdir())


def test_a_list_that_leads_out_of_its_folder_is_no_bundle(tmp_path):
    told = {"kind": "backup", "files": {"../a": {"sha256": "", "size": 0, "changed_ns": 0}}}
    (tmp_path / "manifest.json").write_text(json.dumps(told))

    assert ["F113"] == codes(lambda: Bundle.read(tmp_path))


# The format of the lake


def test_a_lake_of_a_newer_format_is_not_touched(town):
    file = town.folder / ".metroon" / "lake" / "format"
    file.write_text(f"{formats.NOW + 1}\n")

    assert ["F110"] == codes(town.walk)
    assert ["F110"] == codes(lambda: formats.migrate(file.parent))
    assert f"{formats.NOW + 1}\n" == file.read_text()


def test_a_format_that_is_no_number_is_refused(town):
    (town.folder / ".metroon" / "lake" / "format").write_text("one\n")

    assert ["F111"] == codes(town.walk)


def test_a_lake_from_before_there_were_numbers_gets_one_and_the_run_says_so(town):
    (town.folder / ".metroon" / "lake" / "format").unlink()

    told = town.run().run

    assert ("the lake's format was 0 and is 1 now",) == told.upkeep
    assert f"{formats.NOW}\n" == (town.folder / ".metroon" / "lake" / "format").read_text()


@pytest.mark.skipif(sys.platform == "win32", reason="rights are those of Unix")
def test_a_backup_can_be_read_by_its_owner_alone(town, tmp_path):
    made = backup(load(town.folder), tmp_path / "backups", at=AT)

    assert 0o700 == made.folder.stat().st_mode & 0o777
    assert {0o400} == {f.stat().st_mode & 0o777 for f in made.folder.rglob("*") if f.is_file()}
