"""Groups told together under one name: their parts are counted, and stay hidden."""

from __future__ import annotations

import pytest

from metroon.base.errors import Refused
from metroon.base.node import Node, validate
from metroon.measure.declared import Group
from town import IN_WARDS, STAY_COLUMNS, Town, small_town

RACES = {"A": 60, "B": 40, "C": 7, "D": 8}
OTHER = {"by": "race", "join": {"Other groups": ["C", "D"]}}


def town(folder, races=None, **measure) -> Town:
    made = small_town(folder, **{"places": [], "groups": [OTHER], **measure})
    every = [r for r, n in (races or RACES).items() for _ in range(n)]
    made.csv("stays.csv", [
        {"id": f"s{i}", "person": f"p{i}", "ward": "north", "day": "2025-05-05", "race": r,
         "is_home": "yes" if i % 2 else "no"} for i, r in enumerate(every)
    ])  # fmt: skip
    return made


def test_joined_groups_are_told_by_their_sum_and_no_part_of_them(tmp_path):
    told = town(tmp_path).run()

    assert [] == told.codes()
    assert {"A": 60, "B": 40, "Other groups": 15, "all": 115} == told.events("stay_count")


def test_shares_of_joined_groups_are_those_of_all_their_rows(tmp_path):
    told = town(tmp_path, RACES | {"C": 30, "D": 20}, kind="share", when="is_home").run()

    assert [50.0] == [e.base for c, e in told.cells("stay_count").items() if c.group == "Other groups"]


def test_a_joined_group_that_is_small_itself_is_hidden(tmp_path):
    told = town(tmp_path, RACES | {"C": 3, "D": 4}).run()

    assert told.events("stay_count")["Other groups"] is None


def test_a_joined_group_is_hidden_where_it_would_tell_what_another_measure_hides(tmp_path):
    # C is 7 and D is 20: whoever sees D and both together knows C.
    made = town(tmp_path, RACES | {"D": 20})
    made.measure("each", groups=["race"])
    told = made.run()
    each, joined = told.events("each"), told.events("stay_count")

    assert each["C"] is None
    assert each["D"] is None or joined["Other groups"] is None


def test_a_name_that_the_column_holds_is_refused(tmp_path):
    told = town(tmp_path, RACES | {"Other groups": 20}).run()

    assert ["G163"] == told.codes()


def test_groups_of_rates_are_not_joined(tmp_path):
    told = town(tmp_path, kind="rate", places=["ward"]).run()

    assert "G163" in told.codes()


def test_a_value_that_the_contract_does_not_know_is_refused(tmp_path):
    made = town(tmp_path, groups=[{"by": "race", "join": {"Other groups": ["C", "E"]}}])
    race = {"logicalType": "string", "classification": "sensitive", "enum": [{"value": v} for v in RACES]}
    made.product("stays", {**STAY_COLUMNS, "race": race}, table=IN_WARDS)

    assert ["M112"] == made.run().codes()


@pytest.mark.parametrize(
    "told",
    [
        {"join": {"Other": ["C"]}},
        {"join": {"C": ["C", "D"]}},
        {"join": {"Other": ["C", "D"], "More": ["D", "E"]}},
        {"join": {"Other": ["C", "D"]}, "reference": "C"},
        {"join": {"Other": ["C", "D"]}, "separator": ";"},
    ],
)
def test_what_cannot_be_joined_is_refused(told):
    with pytest.raises(Refused):
        validate(Node({"by": "race", **told}, "measures/m.yaml"), Group, "Y103")
