"""What is counted part by part, and kept, is what one count of all rows gives, to the last digit."""

from __future__ import annotations

import tempfile
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from chance import examples
from metroon import measure
from metroon.base.engine import Engine
from metroon.base.kinds import build
from metroon.base.node import Node
from metroon.locate import column
from metroon.measure import Indicator, Parts
from town import WARDS, promise

ENGINE = Engine()
CONTRACT = promise({
    "day": "date quasi", "ward": "string quasi", "race": "string sensitive", "is_home": "boolean sensitive",
    "hours": "number sensitive",
})  # fmt: skip
SCHEMA = pa.schema([
    ("day", pa.date32()), ("race", pa.string()), ("is_home", pa.bool_()), ("hours", pa.float64()),
    (column("ward"), pa.string()),
])  # fmt: skip
BASE = {"question": "How many?", "of": "stays", "period": {"column": "day", "grain": "month"}, "groups": ["race"]}
MEASURES = {
    name: build("measure", Node({"title": name, **BASE, **own}, "measure.yaml"), Indicator, Path())
    for name, own in {
        "homes": {"kind": "share", "when": "is_home", "among": "hours > 1"},
        "hours": {"kind": "total", "value": "hours"},
        "middle": {"kind": "quantile", "value": "hours", "quantile": 0.5},
    }.items()
}
rows = st.lists(
    st.fixed_dictionaries({
        "day": st.none() | st.integers(0, 400).map(lambda n: date(2024, 12, 1) + timedelta(days=n)),
        "race": st.sampled_from(["A", "B", "", None]),
        "is_home": st.sampled_from([True, False, None]),
        "hours": st.none() | st.floats(-1e6, 1e6, allow_nan=False).map(lambda x: round(x, 7)),
        column("ward"): st.sampled_from(WARDS),
        "part": st.integers(0, 4),
    }),
    max_size=40,
)  # fmt: skip


def relation(found: list[dict]):
    return ENGINE.table(pa.Table.from_pylist(found, SCHEMA))


def told(cube) -> str:
    """The finest cells in any order, numbers as their bits."""
    made = []
    for finest in (cube.finest, *(cube.spreads[n] for n in sorted(cube.spreads))):
        keys = [[codes.labels[i] for i in codes.at] for _, codes in sorted(finest.keys.items())]
        numbers = [n.tolist() for _, n in sorted({**finest.numbers, **finest.values}.items())]
        made.append(sorted(zip(*keys, *numbers, strict=True), key=repr))
    return repr(made)  # nan is like itself here


def in_parts(found: list[dict], folder: Path, asked: list[str] | None = None):
    parts = {str(n): [r for r in found if r["part"] == n] for n in sorted({r["part"] for r in found})}

    def located(name: str):
        if asked is not None:
            asked.append(name)
        return relation(parts[name])

    whole = relation([r for listed in parts.values() for r in listed])
    given_parts = Parts(tuple(parts), located, folder, "the same")
    return measure.cube(ENGINE, whole, MEASURES, CONTRACT, parts=given_parts)


@given(rows.filter(bool))
@examples(8, many=40)
def test_parts_add_up_to_what_one_count_of_all_rows_gives(found):
    with tempfile.TemporaryDirectory() as folder:
        first, again = in_parts(found, Path(folder)), in_parts(found, Path(folder))

    whole = told(measure.cube(ENGINE, relation(found), MEASURES, CONTRACT))
    assert [whole, whole] == [told(first), told(again)]


def test_only_new_parts_are_counted(tmp_path):
    row = {"day": date(2025, 1, 1), "race": "A", "is_home": True, "hours": 2.5, column("ward"): "north"}
    in_parts([{**row, "part": 0}, {**row, "part": 1}], tmp_path)
    asked: list[str] = []
    in_parts([{**row, "part": n} for n in range(3)], tmp_path, asked)

    assert ["2"] == asked


def test_rows_that_count_by_what_other_rows_say_are_counted_all_at_once(tmp_path):
    class Latest(type(MEASURES["homes"])):
        def outcome(self, row):
            return row.column("day").cast("timestamp") == row.newest(["day"])

    found = [
        {"day": date(2025, 1, n), "race": "A", "is_home": True, "hours": 2.0, column("ward"): "north", "part": n}
        for n in (1, 2, 3)
    ]
    latest = Latest(title="latest", when="is_home", **{k: v for k, v in BASE.items() if k != "groups"})
    parts = Parts(("1", "2", "3"), lambda n: relation([r for r in found if str(r["part"]) == n]), tmp_path, "the same")
    cube = measure.cube(ENGINE, relation(found), {"latest": latest}, CONTRACT, parts=parts)

    assert (1, 2) == (cube.finest.number("latest", "yes").sum(), cube.finest.number("latest", "no").sum())


def test_months_are_named_as_calendars_do_also_where_no_day_is_recorded():
    found = [date(2024, 12, 31), date(2025, 1, 1), date(1000, 10, 1), None]
    cube = measure.cube(
        ENGINE,
        relation([{"day": d, "race": "A", "hours": 2.0, "is_home": True, column("ward"): "north"} for d in found]),
        {"homes": MEASURES["homes"]},
        CONTRACT,
    )
    months = cube.finest.keys["_month"]

    assert {"2024-12", "2025-01", "1000-10", None} == {months.labels[i] for i in months.at}
    assert np.all(cube.finest.number("homes", "yes") == 1)
