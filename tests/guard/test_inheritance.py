"""Classes follow columns: a product made of others is as strict as what each of its columns can tell of."""

from __future__ import annotations

from io import StringIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from metroon import guard, serve
from metroon.base.lineage import Lineage, lineage
from metroon.city import load
from metroon.city.contract import Contract
from metroon.faults import faults
from metroon.guard.lineage import STRICTNESS
from metroon.walk import Walk
from town import Town, promise, stays

COLUMNS = {"id": "linkage key", "ward": "public", "age": "quasi", "race": "sensitive", "name": "direct"}
PEOPLE = {
    "roles": [
        {"id": "privacy_officer", "title": "Privacy officer", "duties": "Decides.", "holder": "An invented lawyer",
         "since": "2026-01-01", "may": ["declassify"]},
        {"id": "vacant_officer", "title": "Another", "duties": "Decides.", "holder": "vacant", "since": "2026-01-01",
         "may": ["declassify"]},
        {"id": "data_lead", "title": "Data lead", "duties": "Leads.", "holder": "An invented lead",
         "since": "2026-01-01"},
    ],
    "stewards": [{"name": "An invented steward", "contact": "steward@example.gov"}],
}  # fmt: skip


def child(query: str, *columns: str, classes: dict[str, str] | None = None) -> dict[str, str | None]:
    """Column -> the class that it inherits from stays, each declared public."""
    known = COLUMNS | (classes or {})
    parent = promise({n: f"string {c}" for n, c in known.items()})
    made = promise(dict.fromkeys(columns, "string public"))
    found = guard.inherit(made, [parent], lineage=lineage(query, {"stays": [*known, "_file", "_line"]}))
    return {c.name: c.classification for c in found.columns}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("select ward from stays", {"ward": "public"}),
        ("select ward, age from stays", {"ward": "public", "age": "quasi"}),
        ("select upper(ward) as ward, race || name as age from stays", {"ward": "public", "age": "direct"}),
        ("select ward from stays where race = 'A'", {"ward": "sensitive"}),
        ("select ward from stays order by age", {"ward": "quasi"}),
        ("select distinct ward, age from stays", {"ward": "quasi", "age": "quasi"}),
        ("select ward, count(*) as age from stays group by ward", {"ward": "public", "age": "direct"}),
        ("select ward, sum(1) as age from stays group by ward", {"ward": "public", "age": "direct"}),
        ("select ward from stays union all select name as ward from stays", {"ward": "direct"}),
        ("select _file as ward from stays", {"ward": "direct"}),
    ],
)
def test_a_column_is_as_strict_as_what_it_is_computed_from_and_what_decides_its_rows(query, expected):
    assert expected == child(query, *expected)


def test_what_cannot_be_told_is_as_strict_as_everything():
    assert {"ward": "direct"} == child("select #2 as ward from stays", "ward")
    assert {"other": "direct"} == child("select ward from stays", "other")


def test_a_column_made_of_an_undecided_one_is_undecided_and_the_others_are_not():
    made = child("select ward, age from stays", "ward", "age", classes={"age": "?"})

    assert {"ward": "public", "age": None} == made


names = st.sampled_from(sorted(COLUMNS))


@given(
    computed=st.dictionaries(st.sampled_from(["x", "y"]), st.frozensets(names), min_size=2, max_size=2),
    decides=st.frozensets(names),
    classes=st.fixed_dictionaries({n: st.sampled_from(STRICTNESS) for n in COLUMNS}),
    own=st.sampled_from(STRICTNESS),
)
@settings(max_examples=60, deadline=None)
def test_a_column_is_never_less_strict_than_any_of_its_origins_nor_stricter_than_everything(
    computed, decides, classes, own
):
    parent = promise({n: f"string {c}" for n, c in classes.items()})
    told = Lineage(
        {k: frozenset(("stays", c) for c in v) for k, v in computed.items()}, frozenset(("stays", c) for c in decides)
    )
    made = guard.inherit(promise({"x": f"string {own}", "y": f"string {own}"}), [parent], lineage=told)

    every = max([own, *classes.values()], key=STRICTNESS.index)
    for column in made.columns:
        told_of = [own, *(classes[c] for c in computed[column.name] | decides)]
        assert max(told_of, key=STRICTNESS.index) == column.classification
        assert STRICTNESS.index(column.classification) <= STRICTNESS.index(every)


# In a city


def town(
    folder, *, declassified: dict[str, str] | None = None, race: str = "sensitive", people: object = PEOPLE
) -> Town:
    made = Town(folder).with_wards()
    made.csv("stays.csv", stays({"north": 30, "south": 40}))
    columns = {"id": "string linkage key", "ward": "string public", "race": f"string {race}"}
    made.product("stays", columns)
    n = {"logicalType": "integer", "classification": "public"}
    if declassified:
        n["customProperties"] = [{"property": "declassified", "value": declassified, "vendor": "metroon"}]
    made.product(
        "by_ward", {"ward": "string public", "n": n}, collect={"kind": "query"}, mode="rows", unit="none",
    )  # fmt: skip
    made.write("products/by_ward/query.sql", "select ward, count(*) as n from stays group by ward")
    if people:
        made.write("people.yaml", people)
    return made


def inherited(walk: Walk, product: str = "by_ward") -> Contract:
    return walk.contracts[product]


def test_a_query_follows_its_columns_and_a_count_of_people_stays_in(tmp_path):
    told = town(tmp_path).run()
    classes = {c.name: c.classification for c in inherited(told.walk).columns}

    assert {"ward": "public", "n": "sensitive"} == classes
    assert ("ward",) == told.walk.lake.read(told.walk.lake.open("by_ward")).columns


REASON = "Counts of more than 20 people"


@pytest.mark.parametrize(
    ("by", "codes"),
    [
        ("privacy_officer", []),
        ("data_lead", ["G140"]),
        ("vacant_officer", ["G140"]),
        ("steward@example.gov", ["G140"]),
        ("An invented lawyer", ["G140"]),
        ("nobody", ["G140"]),
    ],
)
def test_only_a_role_that_is_held_and_may_do_so_lowers_a_class(tmp_path, by, codes):
    told = town(tmp_path, declassified={"by": by, "reason": REASON}).run()
    found = [p.code for p in told.account("by_ward").problems]
    rows = told.walk.lake.open("by_ward")

    assert codes == found
    assert (rows is None) == bool(codes)


def test_without_people_nobody_lowers_a_class(tmp_path):
    told = town(tmp_path, declassified={"by": "privacy_officer", "reason": REASON}, people=None).run()

    assert ["G140"] == [p.code for p in told.account("by_ward").problems]
    assert "may: [declassify]" in told.account("by_ward").problems[0].fix


def test_the_way_of_a_class_is_told(tmp_path):
    traced = {
        t.column: t for t in town(tmp_path, declassified={"by": "data_lead", "reason": "x"}).walk().lineage("by_ward")
    }

    assert [("stays", "ward", "public", False)] == [tuple(o) for o in traced["ward"].origins]
    assert ("sensitive", "data_lead") == (traced["n"].inherited, traced["n"].declassified_by)
    assert ("stays", "race", "sensitive", False) == tuple(traced["n"].origins[0])


def test_a_stricter_parent_closes_what_was_published_on_the_strength_of_the_lower_class(tmp_path):
    made = town(tmp_path)
    made.product("stays", {"id": "string linkage key", "ward": "string public", "race": "string sensitive"})
    first = made.run()
    made.product("stays", {"id": "string linkage key", "ward": "string quasi", "race": "string sensitive"})
    told = made.run()
    problems = {p.code: p for p in told.account("by_ward").problems}

    assert ("ward",) == first.walk.lake.read(first.walk.lake.open("by_ward")).columns
    assert {"G106", "G145"} == set(problems)
    assert "1 published version of by_ward still holds ward" in problems["G145"].what


@pytest.mark.parametrize(("by", "codes"), [("privacy_officer", []), ("data_lead", ["G140"])])
def test_who_may_not_lower_a_class_is_told_before_any_run(tmp_path, by, codes):
    made = town(tmp_path, declassified={"by": by, "reason": REASON})

    assert codes == [p.code for p in faults(load(made.folder), made.as_of) if p.code == "G140"]


def test_the_page_of_a_lineage_names_columns_with_their_classes(tmp_path):
    made = town(tmp_path, declassified={"by": "privacy_officer", "reason": REASON}).walk().lineage("by_ward")
    page = Console(width=200, file=StringIO())
    page.print(serve.lineage_page("by_ward", made))
    told = page.file.getvalue()

    assert "n: stays.race (sensitive), stays.id (linkage key)" in told
    assert "its class was lowered by privacy_officer" in told
