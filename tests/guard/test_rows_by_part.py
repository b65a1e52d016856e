"""Open rows of things are written part by part: the same rows as all at once, and what was published stays as it is."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import count
from pathlib import Path

import pyarrow as pa
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from chance import examples
from metroon import guard
from metroon.base.engine import Engine
from metroon.base.places import Places
from metroon.guard import Protecting
from metroon.guard.kinds.coarsen import Coarsen
from metroon.guard.kinds.delay import Delay
from metroon.guard.kinds.drop import Drop
from metroon.guard.kinds.ladder import Ladder
from metroon.guard.kinds.pseudonym import Pseudonym
from metroon.guard.kinds.rare import Rare
from metroon.guard.kinds.top_code import TopCode
from metroon.lake import Lake
from town import promise

ENGINE = Engine()
AS_OF = date(2026, 3, 15)
SQUARES = Places("ward", "Wards", "2025", True, {"w": "West"}, {"w": shapely.box(1, 1, 2, 2)})
COLUMNS = {
    "id": "string linkage key", "lat": "number sensitive", "lon": "number sensitive", "day": "date quasi",
    "size": "number quasi", "kind": "string public", "age": "integer quasi",
}  # fmt: skip
POINT = {"point": {"longitude": "lon", "latitude": "lat"}}
# The point is named by its second half: the first must not be gone before it is read.
BY_ROW = [
    Coarsen(column="lon", to="ward"), Delay(column="day", days=30), Coarsen(column="size", width=10),
    Pseudonym(column="id", purpose="care"), Drop(column="kind"), TopCode(column="age", highest=90),
]  # fmt: skip
SCHEMA = pa.schema([
    ("id", pa.string()), ("lat", pa.float64()), ("lon", pa.float64()), ("day", pa.date32()), ("size", pa.float64()),
    ("kind", pa.string()), ("age", pa.int64()),
])  # fmt: skip
things = st.lists(
    st.fixed_dictionaries({
        "id": st.none() | st.sampled_from(["a", "b", "c"]),
        "lat": st.sampled_from([1.5, 9.0, None, 0.0]),
        "lon": st.sampled_from([1.5, 9.0, None, 0.0]),
        "day": st.none() | st.integers(0, 100).map(lambda n: AS_OF - timedelta(days=n)),
        "size": st.none() | st.floats(0, 100, allow_nan=False),
        "kind": st.sampled_from(["x", "y"]),
        "age": st.none() | st.integers(0, 120),
        "part": st.integers(0, 3),
    }),
    max_size=30,
)  # fmt: skip


def relation(found: list[dict]):
    return ENGINE.table(pa.Table.from_pylist(found, SCHEMA))


def guarded(found: list[dict], techniques, *, unit="none"):
    parts = {f"part {n}": relation([r for r in found if r["part"] == n]) for n in sorted({r["part"] for r in found})}
    contract = promise(COLUMNS, unit=unit, table=POINT)
    given_here = Protecting(ENGINE, contract, {"ward": SQUARES}, {"care": b"a key of sixteen or more"}, AS_OF)
    return guard.protect(relation(found), contract, techniques, given_here, minimum_cell=1, parts=parts)


def listed(rows) -> list[str]:
    return sorted(repr(r) for r in ENGINE.rows(rows))


@given(things)
@examples(8, many=25)
def test_parts_protected_one_by_one_are_all_rows_protected_at_once(found):
    made = guarded(found, BY_ROW)

    assert listed(made.rows) == sorted(t for rows in made.parts.values() for t in listed(rows()))


def test_a_point_becomes_its_area_whichever_of_its_columns_is_named():
    row = {"lat": 1.5, "lon": 1.5, "part": 0}
    for column in ("lat", "lon"):
        found = ENGINE.rows(guarded([row], [Coarsen(column=column, to="ward")]).rows)
        assert [{"kind": None, "ward": "w"}] == found


def test_rows_are_not_parted_where_one_depends_on_others():
    row = {"kind": "x", "part": 0}

    assert {} == guarded([row], [Rare(column="kind")]).parts


def test_rows_of_people_are_not_parted():
    row = {"kind": "x", "part": 0}

    assert {} == guarded([row], [], unit="event_on_person").parts


def test_a_part_on_another_step_is_another_part():
    row = {"size": 12.0, "part": 0}

    def names(*steps: float) -> set[str]:
        return {*guarded([row], [Ladder(column="size", steps=list(steps))]).parts}

    assert names(5.0, 10.0) == names(5.0, 10.0)
    assert names(5.0, 10.0).isdisjoint(names(10.0, 20.0))


@pytest.fixture
def told(tmp_path):
    numbers = count()

    def publish(found: list[dict]):
        home = Lake(tmp_path / "lake", ENGINE)
        version = home.publish(guarded(found, BY_ROW), {"key": str(next(numbers))})
        return home.files(version), listed(home.read(version))

    return publish


def test_an_append_writes_only_what_is_new(told):
    old = [{"kind": "x", "size": 12.0, "day": date(2025, 1, n), "part": 0} for n in (1, 2)]
    new = [{"kind": "y", "size": 55.0, "day": date(2025, 2, 1), "part": 1}]
    first, _ = told(old)
    files, rows = told([*old, *new])

    assert set(first) < set(files)
    assert rows == listed(guarded([*old, *new], BY_ROW).rows)


def test_a_part_that_is_gone_is_in_the_next_version_no_more(told):
    both = [{"kind": "x", "size": 12.0, "day": date(2025, 1, 1), "part": n} for n in (0, 1)]
    told(both)
    _, rows = told(both[1:])

    assert rows == listed(guarded(both[1:], BY_ROW).rows)
    assert 1 == len(rows)


def test_an_open_table_that_lost_a_file_is_written_whole(told):
    old = [{"kind": "x", "size": 12.0, "day": date(2025, 1, 1), "part": 0}]
    (file,), _ = told(old)
    Path(file).unlink()
    _, rows = told([*old, {**old[0], "size": 70.0, "part": 1}])

    assert 2 == len(rows)
