"""The quick way of typing rows gives what looking at each row gives, also where data are dirty."""

import sys
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metroon.base.errors import Refused
from metroon.collect import Reading
from metroon.collect.kinds import csv as csv_kind
from metroon.collect.kinds.csv import Csv
from metroon.conform import Unproven, check
from tiny import AS_OF, ours, promise, text

PROMISED = promise(
    text("id", primaryKey=True, required=True),
    {"name": "at", "logicalType": "timestamp", "logicalTypeOptions": {"format": "M/d/yy h:mm a"}},
    {"name": "day", "logicalType": "date", "logicalTypeOptions": {"format": "M/d/yyyy"}},
    {"name": "seen", "logicalType": "timestamp", "logicalTypeOptions": {"format": "M/d/yyyy HH:mm"}},
    {"name": "told", "logicalType": "timestamp", "logicalTypeOptions": {"timezone": False}},
    {
        "name": "age",
        "logicalType": "integer",
        "logicalTypeOptions": {"minimum": 0, "maximum": 120},
        "customProperties": ours(missingCodes=["-999", "unknown"]),
    },
    {"name": "size", "logicalType": "number", "quality": [{"metric": "nullValues", "mustBeLessThan": 50, "unit": "%"}]},
    {"name": "is_open", "logicalType": "boolean"},
    text(
        "ward",
        enum=[{"value": "north"}, {"value": "south"}],
        customProperties=ours(missingCodes=["N/A"]),
        quality=[{"metric": "missingValues", "arguments": {"missingValues": ["-"]}, "mustBeLessThan": 1}],
    ),
    name="people",
    customProperties=ours(eventTime="day"),
)
NAMES = [c.name for c in PROMISED.columns]
GOOD = {
    "id": [f"c{i}" for i in range(40)],
    "at": ["1/31/15 1:05 AM", "3/8/15 2:30 AM", "11/1/15 1:30 AM"],
    "day": ["1/31/2026", "3/15/2026"],
    "seen": ["1/31/2026 13:05"],
    "told": ["2026-01-31", "2026-01-31T10:00:00"],
    "age": ["34", "0", "120", "-999"],
    "size": ["1.5", "-2", "1e3", ".5", "7."],
    "is_open": ["yes", "F"],
    "ward": ["north", "south", "N/A"],
}
DIRTY = [
    "", " ", "  x", "north ", " south", "\vnorth", "north\v", " -999", "-999 ", "unknown", "4186.0", "4186.7", "007",
    "+5", " 34 ", "1_000", "+-7", "1e999", "inf", "nan", "0x10", "9223372036854775808", "1,5", "epoch", "infinity",
    "1/1/1900", "1/1/0015", "1/31/2026 24:00", "1/31/2026 24:01", "12/31/9999", "3/16/2026", "1/31/15 13:05 AM",
    "2026-01-31T10:00:00Z", "1/1/00 1:00 AM", "-", "N/A ", "é", "id", "never", "200", "-1",
]  # fmt: skip
ROW = st.fixed_dictionaries({n: st.sampled_from(values) for n, values in GOOD.items()})
SPOILED = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(DIRTY), max_size=2)
ROWS = st.lists(st.tuples(ROW, st.just({}) | SPOILED).map(lambda made: {**made[0], **made[1]}), min_size=1, max_size=12)


@pytest.fixture(autouse=True)
def every_file_is_large(monkeypatch):
    monkeypatch.setattr(sys.modules["metroon.conform.check"], "LARGE", 0)
    monkeypatch.setattr(csv_kind, "LARGE", 0)


def told(engine, raw, folder) -> dict | list | str:
    """All that becomes of rows."""
    try:
        found = check(
            engine, raw, PROMISED, inputs={}, as_of=AS_OF, time_zone="America/Los_Angeles", folder=folder
        )  # fmt: skip
    except Refused as refused:
        return [str(p) for p in refused.problems]
    except Unproven:
        return "has to be read record by record"
    order = ["_file", "_line"]
    plain = ("read", "kept", "reasons", "refused", "deliveries", "verdicts", "missing", "newest", "problems", "notes")
    return {
        **{name: getattr(found, name) for name in plain},
        "rows": [str(r) for r in engine.rows(found.rows.order_by(order))],  # as text: a number that is none is itself
        "aside": engine.rows(found.set_aside.order_by(order)),
        "types": found.rows.schema(),
        "parts": [replace(p, files=(), aside=()) for p in found.parts],
    }


def both_ways(rows, engine, folder) -> tuple:
    lines = [NAMES, *([row[n] for n in NAMES] for row in rows)]
    (folder / "a.csv").write_text("".join(",".join(f'"{c}"' for c in line) + "\n" for line in lines))
    raw = Csv(path="a.csv").read(Reading(engine, PROMISED, folder, folder))
    assert all(p.nulled is not None for p in raw.pieces if p.records is not None and p.header)
    carefully = replace(raw, pieces=tuple(replace(p, nulled=None) for p in raw.pieces))
    return told(engine, carefully, folder), told(engine, raw, folder)


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS)
def test_dirty_rows_become_the_same_quickly_and_carefully(rows, engine, tmp_path_factory):
    carefully, quickly = both_ways(rows, engine, tmp_path_factory.mktemp("quick"))

    assert carefully == quickly


@pytest.mark.slow
@pytest.mark.parametrize("column", NAMES)
def test_each_dirty_text_becomes_the_same_in_each_column(column, engine, tmp_path):
    good = {n: values[0] for n, values in GOOD.items()}
    rows = [{**good, "id": f"k{i}", column: cell} for i, cell in enumerate([*DIRTY, *GOOD[column]])]
    carefully, quickly = both_ways(rows, engine, tmp_path)

    assert isinstance(carefully, dict)
    assert carefully == quickly


def test_rows_without_a_fault_are_written_at_once(engine, tmp_path, monkeypatch):
    monkeypatch.setattr("metroon.conform.staging._carefully", lambda *_: pytest.fail("each row was looked at"))
    rows = [{n: values[i % len(values)] for n, values in GOOD.items()} for i in range(6)]
    (tmp_path / "a.csv").write_text("\n".join([",".join(NAMES), *(",".join(r.values()) for r in rows)]))
    found = told(engine, Csv(path="a.csv").read(Reading(engine, PROMISED, tmp_path, tmp_path)), tmp_path)

    assert (6, []) == (found["kept"], found["aside"])
