import json
import os
import time
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from hypothesis import given, settings
from hypothesis import strategies as st

from metroon.base.errors import Refused
from metroon.guard.rows import Guarded
from metroon.lake import Lake, key, text_sha256
from tiny import File, checked, promise, text

CANARY = "Jane Q. Canary"
TYPES = {
    "text": pa.string(), "whole": pa.int64(), "number": pa.float64(), "is_so": pa.bool_(), "day": pa.date32(),
    "at": pa.timestamp("us"), "shape": pa.binary(),
}  # fmt: skip
VALUES = {
    "text": st.text(st.characters(exclude_categories=["Cs"]), max_size=6), "whole": st.integers(-(2**63), 2**63 - 1),
    "number": st.floats(allow_nan=False), "is_so": st.booleans(),
    "day": st.dates(date(1000, 1, 1)), "at": st.datetimes(datetime(1000, 1, 1)), "shape": st.binary(max_size=6),
}  # fmt: skip
TABLES = st.lists(st.fixed_dictionaries({n: st.none() | v for n, v in VALUES.items()}), max_size=6)


def guarded(engine, rows: pa.Table, name: str = "toys") -> Guarded:
    return Guarded(name, engine.table(rows))


def published(lake: Lake, engine, rows: pa.Table, **evidence):
    return lake.publish(guarded(engine, rows), evidence)


def log(folder: Path) -> str:
    return "".join(f.read_text(encoding="utf-8") for f in sorted(folder.rglob("_delta_log/*.json")))


@settings(max_examples=30, deadline=None)
@given(rows=TABLES)
def test_what_is_read_back_is_what_was_saved(rows, engine, tmp_path_factory):
    lake = Lake(tmp_path_factory.mktemp("lake"), engine)
    version = published(lake, engine, pa.Table.from_pylist(rows, pa.schema(list(TYPES.items()))))
    back = engine.fetch(lake.read(version))

    assert rows == back.to_pylist()
    assert list(TYPES) == back.column_names


def test_an_empty_table_keeps_its_columns(engine, tmp_path):
    lake = Lake(tmp_path, engine)
    version = published(lake, engine, pa.schema(list(TYPES.items())).empty_table())

    assert (tuple(TYPES), 0) == (lake.read(version).columns, engine.count(lake.read(version)))


def test_versions_count_from_one_and_every_one_stays_readable(engine, tmp_path):
    lake = Lake(tmp_path, engine)
    made = [published(lake, engine, pa.table({"n": [n]}), run=n) for n in range(1, 5)]

    assert [1, 2, 3, 4] == [v.number for v in made]
    assert [1, 2, 3, 4] == [engine.rows(lake.read(v))[0]["n"] for v in made]
    assert [1, 2, 3, 4] == [e["run"] for e in lake.history("toys", "open").values()]
    assert (2, 4, None) == (lake.open("toys", 2).number, lake.open("toys").number, lake.open("toys", 9))


@pytest.mark.slow
def test_more_versions_than_the_format_keeps_in_one_piece_stay_readable(engine, tmp_path):
    """The format writes a checkpoint after a hundred commits; evidence must outlive it."""
    lake = Lake(tmp_path, engine)
    rows = engine.table(pa.table({"n": [1]}))
    for run in range(1, 105):
        lake.publish(Guarded("toys", rows), {"run": run})

    assert list(range(1, 105)) == [e["run"] for e in lake.history("toys", "open").values()]
    assert [{"n": 1}] == engine.rows(lake.read(lake.open("toys", 1)))


@pytest.mark.parametrize(
    "later",
    [
        pa.table({"n": [1], "at": [datetime(2026, 1, 1)]}),
        pa.table({"n": ["a"]}),
        pa.table({"other": [b"x"]}),
        pa.table({"n": pa.array([], pa.float64())}),
    ],
)
def test_a_table_may_change_its_columns_and_old_versions_keep_theirs(later, engine, tmp_path):
    lake = Lake(tmp_path, engine)
    first = published(lake, engine, pa.table({"n": [1]}))
    second = published(lake, engine, later)

    assert [{"n": 1}] == engine.rows(lake.read(first))
    assert later.to_pylist() == engine.rows(lake.read(second))


def test_any_reader_of_the_format_sees_the_same_rows_and_columns(engine, tmp_path):
    lake = Lake(tmp_path, engine)
    published(lake, engine, pa.table({"n": [1, 2]}))
    rows = pa.table({"n": [3], "at": [datetime(2026, 1, 1)]})
    published(lake, engine, rows)
    folder = str(tmp_path / "open" / "toys")

    assert [{"n": 1}, {"n": 2}] == DeltaTable(folder, version=1).to_pyarrow_table().to_pylist()
    assert rows.to_pylist() == DeltaTable(folder).to_pyarrow_table().to_pylist()
    assert ["n", "at"] == [f.name for f in DeltaTable(folder).schema().fields]


def test_the_evidence_is_in_the_commit_for_any_reader(engine, tmp_path):
    evidence = {"key": "k", "parents": {"wards": 3}, "notes": ["San José ✓", 'a "quote"'], "as_of": date(2026, 3, 15)}
    published(Lake(tmp_path, engine), engine, pa.table({"n": [1]}), **evidence)
    commit = DeltaTable(str(tmp_path / "open" / "toys")).history(1)[0]

    assert {**evidence, "as_of": "2026-03-15"} == json.loads(commit["metroon"])


def test_the_log_holds_no_value_of_any_row(engine, tmp_path):
    rows = pa.table({"name": [CANARY, None], "born": [date(1931, 7, 9), None], "at": [datetime(1931, 7, 9), None]})
    published(Lake(tmp_path, engine), engine, rows)
    stats = [json.loads(line)["add"]["stats"] for line in log(tmp_path).splitlines() if '"add"' in line]

    assert [{"numRecords": 2}] == [json.loads(s) for s in stats]
    assert not {CANARY, "1931"} & {word for word in (CANARY, "1931") if word in log(tmp_path)}


def test_rows_set_aside_are_kept_beside_their_version_with_what_stands_there(engine, tmp_path):
    promised = promise(text("name"), {"name": "age", "logicalType": "integer"})
    lake = Lake(tmp_path, engine)
    version = lake.save(checked(engine, promised, File([["a", "1"], [CANARY, "old"]])), {"run": 1})
    later = lake.save(checked(engine, promised, File([["a", "1"]])), {"run": 2})

    assert [("a", 1)] == [(r["name"], r["age"]) for r in engine.rows(lake.read(version))]
    record = json.dumps({"name": CANARY, "age": "old"}, separators=(",", ":"))
    assert [{"_file": "a.csv", "_line": 3, "_reason": "age is no integer", "_record": record}] == engine.rows(
        lake.set_aside(version)
    )
    assert 0 == engine.count(lake.set_aside(later))


def test_the_zones_do_not_see_each_other(engine, tmp_path):
    lake = Lake(tmp_path, engine)
    published(lake, engine, pa.table({"n": [1]}))

    assert (None, 1) == (lake.restricted("toys"), lake.open("toys").number)


def test_a_lake_without_a_table_has_no_version(engine, tmp_path):
    lake = Lake(tmp_path / "nowhere", engine)

    assert (None, {}, 0) == (lake.open("toys"), lake.history("toys", "open"), lake.sweep())


@pytest.mark.parametrize("name", ["San José", "with blank", "it's", "[1]", "a=b", "a+b&c", "ñ 50% off", "*"])
def test_the_folder_of_the_city_may_be_called_as_people_call_folders(name, engine, tmp_path):
    lake = Lake(tmp_path / name / ".metroon" / "lake", engine)
    version = published(lake, engine, pa.table({"n": [1]}), run=7)

    assert (1, 7, [{"n": 1}]) == (version.number, lake.open("toys").evidence["run"], engine.rows(lake.read(version)))


@pytest.mark.parametrize("name", ["city #1", "really?", "100%25"])
def test_a_folder_that_the_format_would_lose_is_told_before_anything_is_written(name, engine, tmp_path):
    with pytest.raises(Refused) as refused:
        published(Lake(tmp_path / name, engine), engine, pa.table({"n": [1]}))
    assert ["L101"] == [p.code for p in refused.value.problems]
    assert not (tmp_path / name).exists()


def test_a_folder_that_cannot_be_written_is_told_and_the_last_version_stays(engine, tmp_path):
    lake = Lake(tmp_path, engine)
    published(lake, engine, pa.table({"n": [1]}), run=1)
    (tmp_path / "restricted").write_text("a file where the folder should be", encoding="utf-8")
    with pytest.raises(Refused) as refused:
        lake.save(checked(engine, promise(text("v")), File([["a"]])), {})

    assert ["L101"] == [p.code for p in refused.value.problems]
    assert {"run": 1} == lake.open("toys").evidence


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_the_right_to_write_is_told(engine, tmp_path):
    (tmp_path / "open").mkdir(mode=0o500)

    with pytest.raises(Refused, match="L101"):
        published(Lake(tmp_path, engine), engine, pa.table({"n": [1]}))


def test_a_damaged_log_is_told_and_not_taken_for_a_new_table(engine, tmp_path):
    lake = Lake(tmp_path, engine)
    published(lake, engine, pa.table({"n": [1]}))
    (tmp_path / "open" / "toys" / "_delta_log" / f"{1:020d}.json").write_text("{broken", encoding="utf-8")

    with pytest.raises(Refused, match="L103"):
        lake.open("toys")


def test_a_table_with_features_that_plain_reading_gets_wrong_is_refused(engine, tmp_path):
    lake = Lake(tmp_path, engine)
    version = published(lake, engine, pa.table({"n": [1]}))
    log_file = tmp_path / "open" / "toys" / "_delta_log" / f"{0:020d}.json"
    written = log_file.read_text(encoding="utf-8")
    log_file.write_text(written.replace('"timestampNtz"', '"timestampNtz","deletionVectors"'), encoding="utf-8")

    with pytest.raises(Refused, match="L102"):
        lake.read(version)


def test_a_version_that_another_program_wrote_is_not_taken_for_ours(engine, tmp_path):
    lake = Lake(tmp_path, engine)
    published(lake, engine, pa.table({"n": [1]}), run=1)
    write_deltalake(str(tmp_path / "open" / "toys"), pa.table({"n": [2]}), mode="append")

    assert ([1], {"run": 1}) == (list(lake.history("toys", "open")), lake.open("toys").evidence)
    assert [{"n": 1}] == engine.rows(lake.read(lake.open("toys")))


def lost(folder: Path, name: str, age_s: float) -> Path:
    """A data file that no commit names."""
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"PAR1")
    os.utime(file, (time.time() - age_s,) * 2)
    return file


def test_sweep_takes_old_files_that_no_commit_names_and_nothing_else(engine, tmp_path):
    lake = Lake(tmp_path, engine)
    versions = [published(lake, engine, pa.table({"n": [n]})) for n in (1, 2)]
    for file in (tmp_path / "open" / "toys").glob("*.parquet"):
        os.utime(file, (0, 0))
    old = lost(tmp_path / "open" / "toys", "part-old.parquet", 7200)
    young = lost(tmp_path / "open" / "toys", "part-young.parquet", 60)
    first_run = lost(tmp_path / "restricted" / "never_committed", "part-old.parquet", 7200)
    foreign = lost(tmp_path / "open" / "toys", "notes.parquet", 7200)

    assert 2 == lake.sweep()
    assert [False, True, False, True] == [f.exists() for f in (old, young, first_run, foreign)]
    assert [1, 2] == [engine.rows(lake.read(v))[0]["n"] for v in versions]


def test_a_time_with_a_zone_is_kept_as_the_same_moment(engine, tmp_path):
    lake = Lake(tmp_path, engine)
    moment = datetime(2026, 1, 31, 5, tzinfo=UTC)
    version = published(lake, engine, pa.table({"at": [moment]}))

    assert [moment] == [r["at"] for r in engine.rows(lake.read(version))]


@settings(max_examples=30)
@given(
    parts=st.dictionaries(st.text(max_size=3), st.integers() | st.text(max_size=3), max_size=4),
    other=st.text(max_size=3),
)
def test_a_key_changes_with_what_it_is_made_of_and_with_nothing_else(parts, other):
    assert key(parts) == key(dict(reversed(parts.items())))
    assert (key(parts) == key({**parts, "x": other})) == (parts.get("x") == other and "x" in parts)


def test_the_hash_of_declarations_tells_files_apart(tmp_path):
    a, b = tmp_path / "a", tmp_path / "b"
    a.write_text("xy", encoding="utf-8")
    b.write_text("", encoding="utf-8")
    before = text_sha256(a, b)
    a.write_text("x", encoding="utf-8")
    b.write_text("y", encoding="utf-8")

    assert before != text_sha256(a, b)
    assert text_sha256(a) == text_sha256(a)
