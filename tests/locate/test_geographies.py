"""Geographies are cut from the rows of products, and say only what is public."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metroon import locate
from metroon.base.errors import Refused
from metroon.base.node import Node
from metroon.base.places import Places
from metroon.city.city import Geography
from metroon.locate.geographies import _natural
from town import IN_WARDS, Town, promise

NODE = Node({}, "city.yaml")
AREAS = promise(
    {
        "key": "string public",
        "people": "integer public",
        "poor": "number public",
        "member": "string direct",
        "new": "string ?",
    }
)


def geography(**more) -> Geography:
    return Geography.model_validate({"title": "Areas", "product": "areas", "key": "key", "vintage": "2025", **more})


def cut(rows: list[dict], **more) -> dict[str, Places]:
    return locate.places("area", geography(**more), NODE, AREAS, rows, None)


def row(key: str, people: int | None = 100, poor: float | None = 1.0) -> dict:
    return {"id": key, "key": key, "people": people, "poor": poor, "member": "Somebody", "new": ""}


def bands(into: int) -> dict:
    return {"bands": {"poor": {"column": "poor", "into": into, "title": "By poverty", "low": "least", "high": "most"}}}


PEOPLE = {"people": {"column": "people", "source": "Census", "vintage": "2020"}}


@given(st.lists(st.integers(0, 12), min_size=1, max_size=30), st.integers(2, 5))
@settings(max_examples=50, deadline=None)
def test_bands_are_cut_at_linear_quantiles_with_ties_to_the_lower(values, into):
    rows = [row(str(i), poor=v) for i, v in enumerate(values)]
    ordered = sorted(values)

    def cut_at(i: int) -> Fraction:
        at = Fraction(i, into) * (len(ordered) - 1)
        low = ordered[int(at)]
        return low + (at - int(at)) * (ordered[min(int(at) + 1, len(ordered) - 1)] - low)

    expected = {str(i): str(1 + sum(v > cut_at(k) for k in range(1, into))) for i, v in enumerate(values)}
    assert expected == cut(rows, **bands(into))["area.poor"].areas


def test_an_area_without_a_figure_is_in_no_band_and_its_people_neither():
    made = cut([row("a", 10, 1.0), row("b", 20, 2.0), row("c", 40, None)], **PEOPLE, **bands(2))["area.poor"]

    assert ({"1": 10.0, "2": 20.0}, {"a": "1", "b": "2"}) == (made.people, made.areas)


def test_people_of_a_band_are_those_of_its_areas():
    made = cut([row("a", 10, 1.0), row("b", 20, 2.0), row("c", 40, 3.0)], **PEOPLE, **bands(2))["area.poor"]

    assert {"1": 30.0, "2": 40.0} == made.people


def test_an_area_whose_people_nobody_counted_is_not_taken_for_empty():
    assert {"a": 0.0, "b": 5.0} == cut([row("a", 0), row("b", 5), row("c", None)], **PEOPLE)["area"].people


def test_bands_are_named_with_their_ends():
    made = cut([row("a", poor=1.0), row("b", poor=2.0)], **bands(3))["area.poor"]

    assert {"1": "1 (least)", "2": "2", "3": "3 (most)"} == made.names


def test_areas_are_in_the_order_of_their_numbers():
    assert ["2", "10", "a"] == sorted(["a", "10", "2"], key=_natural)


def test_a_label_may_show_any_public_column():
    assert {"a": "Area a, 100"} == cut([row("a")], name="Area {key}, {people}")["area"].names


@pytest.mark.parametrize(
    ("declared", "code"),
    [
        ({"key": "nothere"}, "P101"),
        ({"name": "District of {member}"}, "P106"),
        ({"name": "{new}"}, "P106"),
        ({"name": "{nothere}"}, "P101"),
        ({"name": "{key.__class__}"}, "P101"),
        ({"name": "{key"}, "P101"),
        ({"key": "member"}, "P106"),
        ({"people": {"column": "key", "source": "x", "vintage": "y"}}, "P105"),
        ({"bands": {"b": {"column": "key", "title": "x"}}}, "P105"),
        ({"people": {"column": "nothere", "source": "x", "vintage": "y"}}, "P101"),
    ],
)
def test_what_places_show_must_be_there_be_public_and_fit(declared, code):
    with pytest.raises(Refused) as refused:
        cut([row("a")], **declared)

    assert [code] == [p.code for p in refused.value.problems]


@pytest.mark.parametrize("keys", [["a", "a"], ["a", None]])
def test_areas_that_cannot_be_told_apart_are_refused(keys):
    with pytest.raises(Refused) as refused:
        cut([row(k) for k in keys])

    assert ["P102"] == [p.code for p in refused.value.problems]


def test_a_code_for_missing_is_not_taken_for_residents():
    with pytest.raises(Refused) as refused:
        cut([row("a", -999)], **PEOPLE)

    assert ["P103"] == [p.code for p in refused.value.problems]


def test_a_name_that_nobody_may_publish_is_in_no_release(tmp_path):
    town = Town(tmp_path).with_wards()
    town.product("wards", {"ward": "string public", "people": "string direct"}, unit="none", mode="rows")
    town.places["ward"]["name"] = "{people}"
    town.city().product("stays", {"id": "string linkage key", "ward": "string quasi"}, table=IN_WARDS)
    town.csv("stays.csv", [{"id": i, "ward": "north"} for i in range(30)])
    told = town.measure("stay_count", places=["ward"]).run()

    assert (["P106"], None) == (told.codes(), told.walk.lake.open("stay_count"))
