"""The publication score: its points by hand from the guideline's table, and what a city may set otherwise."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metroon.base.errors import Refused
from metroon.base.node import Node, validate
from metroon.city.city import CityFile
from metroon.city.score import ScoreFile
from metroon.guard.score import POINTS, Table, Variable, score, tells, years
from metroon.schema import schemas

RULES = ScoreFile()
PLAIN = Table("by district and year", 40, 12, 30_000.0)
LARGE = ("White", "Black", "Asian", "Hispanic", "Middle Eastern")
# Points of the CalHHS Data De-Identification Guidelines, section 4.3, added up by hand from the published scales.
BY_HAND = {
    # 11-99 events +5, one year 0, 20,001-250,000 people 0, nothing else and at least five events -5
    "crashes by district and year": (PLAIN, 0),
    # +5, month +5, up to 20,000 people +1, -5
    "crashes by neighborhood and month": (replace(PLAIN, months=1, residents=4_000.0), 6),
    # 1000 or more +2, five years -5, more than two million people -5, -5
    "five years of a large city": (Table("", 4_000, 60, 3e6), -13),
    # +5, 0, 0, five large groups +2, one variable +1
    "by race": (replace(PLAIN, variables=(Variable("race", "race", LARGE),)), 8),
    # +5, 0, 0, large and small groups +3, ages of 5 years +5, male and female +1, three variables +4
    "by race, age and sex": (
        replace(PLAIN, variables=(
            Variable("race", "race", (*LARGE, "American Indian")),
            Variable("age", "age", ("20-24", "25-29")),
            Variable("sex", "sex", ("Male", "Female")),
        )), 18,
    ),
    # fewer than 11 events +7, quarter +4, more than 250,000 people -1, twelve groups +7, one variable +1
    "by twelve languages and quarter": (
        Table("", 4, 3, 300_000.0, variables=(Variable("language", "other", tuple("abcdefghijkl")),)), 18,
    ),
    # +5, half a year +3, where people live up to 4,000 of them +7, addresses +3, -5
    "homes with addresses": (Table("", 11, 6, 4_000.0, is_home=True, has_address=True), 13),
    # +5, 2-4 years -3, 1-2 million -4, immigration +7, one variable +1
    "by immigration": (Table("", 99, 24, 1_500_000.0, variables=(Variable("visa", "immigration", ("a", "b")),)), 6),
}  # fmt: skip


@pytest.mark.parametrize("name", BY_HAND)
def test_a_table_has_the_points_that_were_added_up_by_hand(name):
    table, points = BY_HAND[name]

    assert points == score(table, RULES).points


@pytest.mark.parametrize(("events", "points"), [(10, 7), (11, 5), (99, 5), (100, 3), (999, 3), (1000, 2)])
def test_the_smallest_cell_has_the_points_of_its_step(events, points):
    assert points == score(replace(PLAIN, events=events), RULES).lines[0].points


@pytest.mark.parametrize(("groups", "points"), [(("0-1",), 7), (("0-2",), 5), (("0-5", "6-90"), 3), (("0-10",), 2), (("0-29",), 1)])  # fmt: skip  # noqa: E501
def test_the_narrowest_age_group_counts(groups, points):
    lines = score(replace(PLAIN, variables=(Variable("age", "age", groups),)), RULES).lines

    assert points == next(p.points for p in lines if p.variable == "age")


@pytest.mark.parametrize(
    ("groups", "word"),
    [
        (("White", "Asian", "(unknown)"), "large groups"),
        (("White", "Two or more races"), "small groups"),
        (("Hmong", "Samoan", "Tongan"), "detailed"),
        (("Hispanic", "Not Hispanic"), "yes or no"),
    ],
)
def test_race_is_told_by_the_names_of_its_groups(groups, word):
    lines = score(replace(PLAIN, variables=(Variable("race", "race", groups),)), RULES).lines

    assert POINTS["race"][word] == next(p.points for p in lines if p.variable == "race")


def test_what_cannot_be_judged_gets_the_most_points():
    unknown = Table("", 40, None, None, variables=(Variable("age", "age", ("young", "old")),))
    found = {p.variable: p.points for p in score(unknown, RULES).lines}

    assert (5, 1, 7) == (found["time"], found["place"], found["age"])


def test_nothing_shown_has_no_points_for_its_cells():
    assert 0 == score(replace(PLAIN, events=None), RULES).lines[0].points


tables = st.builds(
    Table,
    words=st.just(""),
    events=st.integers(1, 5_000),
    months=st.integers(1, 120),
    residents=st.floats(100, 5e6),
    is_home=st.booleans(),
    has_address=st.booleans(),
    variables=st.lists(
        st.sampled_from([
            Variable("race", "race", LARGE), Variable("age", "age", ("0-9", "10-19")),
            Variable("sex", "sex", ("M", "F")), Variable("crew", "other", ("a", "b", "c")),
        ]), max_size=4, unique_by=lambda v: v.column,
    ).map(tuple),
)  # fmt: skip


@given(tables, st.integers(1, 5_000), st.integers(0, 100), st.floats(1, 10))
def test_a_coarser_table_never_scores_higher(table, more_events, more_months, times):
    coarse = replace(
        table, events=table.events + more_events, months=table.months + more_months, residents=table.residents * times
    )

    assert score(coarse, RULES).points <= score(table, RULES).points


@given(tables)
def test_one_variable_less_never_scores_higher(table):
    for left_out in table.variables:
        fewer = replace(table, variables=tuple(v for v in table.variables if v != left_out))

        assert score(fewer, RULES).points <= score(table, RULES).points


@given(tables, st.randoms())
def test_the_order_of_variables_does_not_matter(table, random):
    shuffled = list(table.variables)
    random.shuffle(shuffled)

    assert score(table, RULES).points == score(replace(table, variables=tuple(shuffled)), RULES).points


@given(st.integers(0, 90), st.integers(0, 30))
def test_years_between_two_ages_are_counted_with_both(first, more):
    assert more + 1 == years(f"{first}-{first + more}")


@pytest.mark.parametrize(
    ("column", "told"),
    [("victim_age", "age"), ("date_of_birth", "age"), ("gender_identity", "sex"), ("ethnicity", "race"),
     ("immigration_status", "immigration"), ("crew", "other"), ("stage", "other"), ("language", "other")],
)  # fmt: skip
def test_a_column_tells_what_its_name_says(column, told):
    assert told == tells(column, RULES)


# What a city sets


def read(**told) -> ScoreFile:
    return validate(Node({"name": "Town", "score": told}, "city.yaml"), CityFile, "Y103").score


def test_a_city_sets_its_limit_its_points_and_what_columns_tell():
    rules = read(
        limit=9, points={"events": {0: 9, 11: 6}}, columns={"stage": "age", "crew": "nothing"}, homes=["stays"]
    )
    table = replace(PLAIN, variables=(Variable("crew", tells("crew", rules), ("a",)),))

    assert ("age", 9) == (tells("stage", rules), score(table, rules).limit)
    assert [("events", 6), ("time", 0), ("place", 0), ("alone", -5)] == [
        (p.variable, p.points) for p in score(table, rules).lines
    ]


@pytest.mark.parametrize(
    "told",
    [
        {"points": {"events": {11: 5}}},
        {"points": {"events": {"few": 5}}},
        {"points": {"race": {"large groups": 1}}},
        {"points": {"weather": {0: 1}}},
        {"columns": {"stage": "height"}},
        {"cutoff": 12},
    ],
)
def test_points_that_mean_nothing_are_refused_with_their_line(told):
    with pytest.raises(Refused) as refused:
        read(**told)

    assert {"Y103"} == {p.code for p in refused.value.problems}
    assert all(p.fix for p in refused.value.problems)


@pytest.mark.parametrize("judged", POINTS)
def test_the_guideline_has_points_for_everything_that_a_city_may_set(judged):
    assert POINTS[judged] == ScoreFile(points={judged: POINTS[judged]}).points[judged]


def test_editors_know_what_a_city_may_set():
    made = schemas()
    scored = made["city"]["$defs"]["ScoreFile"]["properties"]

    assert {"limit", "points", "columns", "homes"} == set(scored)
    assert "merged" in made["city"]["$defs"]["Geography"]["properties"]
    assert all("coarsen" in kind["properties"] for kind in made["measure"]["oneOf"])
