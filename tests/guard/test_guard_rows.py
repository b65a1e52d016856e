"""Rows leave only when every column was decided, and no few people stand behind a combination of values."""

from __future__ import annotations

import subprocess
from collections import Counter
from dataclasses import replace
from datetime import date, datetime
from operator import itemgetter

import pyarrow as pa
import pytest
import shapely
from deltalake import DeltaTable
from hypothesis import given, settings
from hypothesis import strategies as st

from metroon import guard
from metroon.base.engine import Engine
from metroon.base.errors import Refused
from metroon.base.places import Places
from metroon.city.contract import CLASSES
from metroon.guard import Protecting
from metroon.guard.kinds.coarsen import Coarsen
from metroon.guard.kinds.drop import Drop
from metroon.guard.kinds.pseudonym import Pseudonym
from metroon.guard.lineage import STRICTNESS
from town import IN_WARDS, STAY_COLUMNS, WARDS, Town, promise, small_town, stays

ENGINE = Engine()
KEY = b"sixteen characters or more"
SQUARES = Places("ward", "Wards", "2025", True, {"w": "West"}, {"w": shapely.box(1, 1, 2, 2)})


def protected(rows: list[dict], columns: dict, *techniques, keys=None, minimum_cell=11, **own) -> list[dict]:
    made = promise(columns, **own)
    places = {"ward": SQUARES}
    relation = ENGINE.table(pa.Table.from_pylist(rows))
    given_here = Protecting(ENGINE, made, places, {"care": KEY} if keys is None else keys)
    guarded = guard.protect(relation, made, techniques, given_here, minimum_cell=minimum_cell)
    return ENGINE.rows(guarded.rows)


def refused(*args, **more) -> list[str]:
    with pytest.raises(Refused) as caught:
        protected(*args, **more)
    return [p.code for p in caught.value.problems]


# The gate


@pytest.mark.parametrize("classification", CLASSES)
def test_only_public_columns_pass_when_nothing_else_was_said(classification):
    made = protected([{"a": "x", "b": "y"}], {"a": f"string {classification}", "b": "string public"}, unit="none")

    assert [{"a": "x", "b": "y"} if classification == "public" else {"b": "y"}] == made


def test_one_undecided_column_keeps_the_whole_table_in():
    assert ["G101"] == refused([{"a": "x", "b": "y"}], {"a": "string public", "b": "string ?"}, unit="none")


def test_a_table_that_does_not_say_what_it_counts_stays_in():
    assert ["G102"] == refused([{"a": "x"}], {"a": "string public"}, unit=None)


def test_an_undecided_column_stops_rows_and_measures_and_says_what_to_type(tmp_path):
    town = small_town(tmp_path)
    told = town.product("stays", {**STAY_COLUMNS, "race": "string ?"}, mode="rows", table=IN_WARDS).run()

    assert (None, None) == (told.walk.lake.open("stays"), told.walk.lake.open("stay_count"))
    assert {"G101"} == set(told.codes())
    assert "Then: metroon run stays" in told.measured("stay_count").problems[0].fix


def test_an_undeclared_unit_stops_rows_and_measures_too(tmp_path):
    town = small_town(tmp_path)
    told = town.product("stays", STAY_COLUMNS, unit=None, mode="rows", table=IN_WARDS).run()

    assert (None, None, {"G102"}) == (
        told.walk.lake.open("stays"),
        told.walk.lake.open("stay_count"),
        set(told.codes()),
    )


def test_what_was_kept_while_undecided_is_published_once_it_is_decided(tmp_path):
    town = Town(tmp_path).city()
    town.csv("trees.csv", [{"id": str(i), "kind": "oak"} for i in range(5)])
    town.product("trees", {"id": "string public", "kind": "string ?"}, unit="none", mode="rows").run()
    told = town.product("trees", {"id": "string public", "kind": "string public"}, unit="none", mode="rows").run()

    assert ("published", 5) == (told.account("trees").outcome, told.account("trees").kept)


# Derived products


@given(st.lists(st.sampled_from(STRICTNESS), min_size=1, max_size=4), st.sampled_from(STRICTNESS))
@settings(max_examples=50, deadline=None)
def test_a_derived_column_is_as_strict_as_the_strictest_it_could_come_from(parents, own):
    parent = promise({f"c{i}": f"string {c}" for i, c in enumerate(parents)})
    child = guard.inherit(promise({"x": f"string {own}"}), [parent])

    assert max([*parents, own], key=STRICTNESS.index) == child.columns[0].classification


def test_an_undecided_parent_leaves_the_child_undecided():
    child = guard.inherit(promise({"x": "string public"}), [promise({"a": "string ?"})])

    assert ["G101"] == [p.code for p in guard.gate(child)]


@pytest.mark.parametrize(
    ("own", "parent", "made"),
    [("none", "person", "person"), ("none", "event_on_person", "event_on_person"), ("person", "none", "person")],
)
def test_a_derived_table_counts_people_when_a_parent_does(own, parent, made):
    assert (
        made
        == guard.inherit(promise({"x": "string public"}, unit=own), [promise({"a": "string public"}, unit=parent)]).unit
    )


@pytest.mark.parametrize(
    ("word", "made"),
    [
        ({"by": "officer", "reason": "A count of 10,000 homes"}, "public"),
        ({"by": "steward", "reason": "I would like it to be"}, None),
        ({"by": "officer"}, "direct"),
        ({"reason": "because"}, "direct"),
    ],
)
def test_a_class_is_lowered_only_by_somebody_who_may_and_has_a_reason(word, made):
    child = promise({"x": "string public"})
    lowered = replace(child, columns=(replace(child.columns[0], declassified=word),))

    inherited = guard.inherit(lowered, [promise({"a": "string direct"})], may_declassify=["officer"])

    assert made == inherited.columns[0].classification


def test_the_strictest_minimum_is_inherited():
    child = guard.inherit(
        promise({"x": "string public"}, minimumCell=5), [promise({"a": "string public"}, minimumCell=20)]
    )

    assert 20 == child.minimum_cell


def test_what_tells_people_apart_is_inherited():
    parent = promise({"person": "string linkage key"}, personKey="person")
    child = promise({"x": "string public", "person": "string linkage key"})

    assert "person" == guard.inherit(child, [parent]).person_key


def test_a_derived_table_that_lost_who_is_who_stays_in():
    parent = promise({"person": "string linkage key"}, personKey="person")

    assert ["G108"] == [p.code for p in guard.gate(guard.inherit(promise({"x": "string public"}), [parent]))]


def test_a_query_over_stays_of_few_people_does_not_make_them_many(tmp_path):
    town = small_town(tmp_path)
    made = stays(dict.fromkeys(WARDS, 40))
    town.csv("stays.csv", [r | {"person": "one"} if r["ward"] == "north" else r for r in made])
    town.product("stays", STAY_COLUMNS, table=IN_WARDS, personKey="person")
    town.product("nights", STAY_COLUMNS, collect={"kind": "query", "sql": "query.sql"}, table=IN_WARDS)
    town.write("products/nights/query.sql", "select id, person, day, ward, race, is_home from stays")
    cells = town.measure("nights_by_ward", of="nights", places=["ward"]).run().events("nights_by_ward")

    assert (None, 160) == (cells["north"], cells["all"])


# Techniques


def test_drop_takes_even_a_public_column_away():
    assert [{"b": "y"}] == protected(
        [{"a": "x", "b": "y"}], {"a": "string public", "b": "string public"}, Drop(column="a"), unit="none"
    )


@pytest.mark.parametrize(
    ("to", "expected"), [("month", date(2026, 5, 1)), ("quarter", date(2026, 4, 1)), ("year", date(2026, 1, 1))]
)
@pytest.mark.parametrize("kind", ["date", "timestamp"])
def test_a_date_becomes_the_first_day_of_its_month_quarter_or_year(to, expected, kind):
    when = date(2026, 5, 17) if kind == "date" else datetime(2026, 5, 17, 23, 59)

    assert [{"at": expected}] == protected(
        [{"at": when}], {"at": f"{kind} quasi"}, Coarsen(column="at", to=to), unit="none"
    )


@given(st.integers(-(10**6), 10**6), st.integers(1, 500))
@settings(max_examples=50, deadline=None)
def test_a_number_becomes_the_lower_end_of_its_band(value, width):
    made = protected([{"n": value}], {"n": "integer quasi"}, Coarsen(column="n", width=width), unit="none")

    assert [{"n": value // width * width}] == made


def test_another_program_reads_the_coarser_date_as_a_date(tmp_path):
    town = Town(tmp_path).city()
    town.csv("trees.csv", [{"id": "1", "planted": "2026-03-01"}])
    technique = {"kind": "coarsen", "column": "planted", "to": "year"}
    town.product("trees", {"id": "string public", "planted": "date quasi"}, unit="none", mode="rows", guard=[technique])
    town.ran()
    read = DeltaTable(tmp_path / ".metroon/lake/open/trees").to_pyarrow_table()

    assert [{"id": "1", "planted": date(2026, 1, 1)}] == read.to_pylist()


def test_a_point_becomes_its_area_and_both_coordinates_go():
    rows = [{"lon": 1.5, "lat": 1.5}, {"lon": 9.0, "lat": 9.0}, {"lon": None, "lat": None}]
    columns = {"lon": "number sensitive", "lat": "number sensitive"}
    point = {"point": {"longitude": "lon", "latitude": "lat"}}
    made = protected(rows, columns, Coarsen(column="lon", to="ward"), unit="none", table=point)

    assert ["(no place)", "(outside)", "w"] == sorted(r["ward"] for r in made)
    assert [["ward"]] * 3 == [list(r) for r in made]


def test_few_people_in_an_area_are_found_too():
    rows = [{"lon": 1.5, "lat": 1.5}] * 10
    columns = {"lon": "number sensitive", "lat": "number sensitive"}
    point = {"point": {"longitude": "lon", "latitude": "lat"}}

    assert ["G103"] == refused(rows, columns, Coarsen(column="lon", to="ward", residents=0), table=point)


@pytest.mark.parametrize(
    ("column", "technique"),
    [
        ("string quasi", Coarsen(column="x", to="month")),
        ("date quasi", Coarsen(column="x", width=10)),
        ("integer quasi", Coarsen(column="x", to="year")),
        ("string quasi", Coarsen(column="x", to="nowhere")),
    ],
)
def test_what_cannot_be_coarsened_publishes_nothing(column, technique):
    value = {"string": "a", "date": date(2026, 1, 1), "integer": 3}[column.split()[0]]

    assert ["G104"] == refused([{"x": value}], {"x": column}, technique, unit="none")


def test_coarsening_does_not_make_a_name_public():
    rows = [{"at": date(2026, 5, 17), "b": "y"}]

    assert [{"b": "y"}] == protected(
        rows, {"at": "date direct", "b": "string public"}, Coarsen(column="at", to="year"), unit="none"
    )


def tokens(purpose: str, values: list[str | None]) -> list[str | None]:
    rows = [{"n": str(i), "x": v} for i, v in enumerate(values)]
    columns = {"n": "string public", "x": "string direct"}
    keys = {"care": KEY, "study": b"another key of sixteen"}
    made = protected(rows, columns, Pseudonym(column="x", purpose=purpose), unit="none", keys=keys)
    # Rows have no order of their own.
    return [r["x"] for r in sorted(made, key=itemgetter("n"))]


def test_a_token_is_the_same_within_a_purpose_and_another_in_another():
    one, two = tokens("care", ["Ann", " ann ", "Bob", None]), tokens("study", ["Ann", "ann", "Bob", None])

    assert (True, True, True, None) == (one[0] == one[1], two[0] == two[1], one[0] != one[2], one[3])
    assert set(one) & set(two) == {None}


@pytest.mark.parametrize("keys", [{}, {"care": b""}, {"care": b"short"}, {"other": KEY}])
def test_without_a_key_for_its_purpose_no_token_is_made(keys):
    assert ["G105"] == refused(
        [{"x": "Ann"}], {"x": "string direct"}, Pseudonym(column="x", purpose="care"), unit="none", keys=keys
    )


def test_a_token_of_a_person_follows_the_person_so_it_does_not_leave():
    rows = [{"x": "Ann", "b": "y"}]
    columns = {"x": "string direct", "b": "string public"}

    assert [{"b": "y"}] == protected(rows, columns, Pseudonym(column="x", purpose="care"))


def test_the_key_of_a_pseudonym_is_nowhere_on_disk(tmp_path, monkeypatch):
    key = "k3y-of-the-purpose-care"
    monkeypatch.setenv("METROON_KEY_CARE", key)
    town = Town(tmp_path).city()
    town.csv("lamps.csv", [{"id": str(i), "owner": "Ann"} for i in range(5)])
    technique = {"kind": "pseudonym", "column": "owner", "purpose": "care"}
    town.product(
        "lamps", {"id": "string public", "owner": "string direct"}, unit="none", mode="rows", guard=[technique]
    )
    rows = town.run().walk.lake.open("lamps")
    found = subprocess.run(["grep", "-rlE", f"{key}|{key.encode().hex()}", tmp_path], check=False, capture_output=True)

    assert (True, b"") == (rows is not None, found.stdout)


@pytest.mark.parametrize(
    ("techniques", "code"),
    [([Drop(column="z")], "G107"), ([Drop(column="a"), Coarsen(column="a", to="year")], "G107")],
)
def test_a_technique_for_no_column_or_twice_for_one_publishes_nothing(techniques, code):
    assert [code] == refused([{"a": "x"}], {"a": "string public"}, *techniques, unit="none")


def test_a_table_of_which_no_column_may_leave_says_so():
    assert ["G106"] == refused([{"a": "x"}], {"a": "string direct"}, unit="none")


# Small groups


def people(*groups: int, per_person: int = 1) -> list[dict]:
    return [
        {"age": 10 * g, "who": f"p{g}.{i // per_person}", "public": "x"} for g, n in enumerate(groups) for i in range(n)
    ]


AGES = {"age": "integer quasi", "who": "string linkage key", "public": "string public"}
BANDS = Coarsen(column="age", width=1)


def test_ten_people_alike_keep_every_row_in_and_eleven_do_not():
    assert (["G103"], 22) == (refused(people(11, 10), AGES, BANDS), len(protected(people(11, 11), AGES, BANDS)))


def test_eleven_stays_of_one_person_are_one_person():
    rows = people(11, 11, per_person=11)

    assert (["G103"], 22) == (refused(rows, AGES, BANDS, personKey="who"), len(protected(rows, AGES, BANDS)))


def test_stays_that_do_not_say_whose_they_are_may_all_be_of_one_person():
    rows = [r | {"who": None} for r in people(30)]

    assert ["G103"] == refused(rows, AGES, BANDS, personKey="who")


def test_who_is_who_does_not_leave_with_the_rows():
    assert {"age", "public"} == set(protected(people(11, 11), AGES, BANDS, personKey="who")[0])


def test_wider_bands_let_rows_leave_that_narrow_ones_keep_in():
    rows = [{"age": a, "who": str(a), "public": "x"} for a in range(22)]

    assert (["G103"], {0, 11}) == (
        refused(rows, AGES, BANDS),
        {r["age"] for r in protected(rows, AGES, Coarsen(column="age", width=11))},
    )


def test_the_refusal_counts_rows_and_names_columns_and_shows_no_value():
    with pytest.raises(Refused) as caught:
        protected([{"age": 87, "who": "x", "public": "Secret Lane"}], AGES, BANDS)

    what = "1 rows of stays stand in 1 groups of fewer than 11 that share the values of age: no row is published."
    assert what == caught.value.problems[0].what


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 12)), max_size=80), st.integers(3, 20), st.integers(0, 10))
@settings(max_examples=30, deadline=None)
def test_no_published_row_stands_with_fewer_people_than_the_minimum_and_a_higher_one_publishes_no_more(
    found, minimum, more
):
    rows = [{"age": a, "who": str(w), "public": "x"} for a, w in found] or [{"age": 0, "who": "0", "public": "x"}]

    def leave(floor: int) -> list[dict]:
        try:
            return protected(rows, AGES, BANDS, minimum_cell=floor, personKey="who")
        except Refused:
            return []

    left = leave(minimum)
    behind = Counter(age for age, _ in {(r["age"], r["who"]) for r in rows})
    assert all(behind[r["age"]] >= minimum for r in left)
    assert len(leave(minimum + more)) <= len(left)
