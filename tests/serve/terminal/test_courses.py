from __future__ import annotations

import math
import re
from dataclasses import replace

import invented
import pytest
from hypothesis import given
from hypothesis import strategies as st
from printed import shown

from metroon.base.account import Measured
from metroon.base.estimate import UNKNOWN, Cell, without_value
from metroon.serve import scoreboard
from metroon.serve.terminal.courses import courses, followed

QUARTERS = [f"{year}-Q{q}" for year in range(2020, 2025) for q in (1, 2, 3, 4)][:18]


def streets(counts: dict[str, list[int]], periods: list[str] = QUARTERS) -> Measured:
    """Counts of one column's groups over time, and of the whole city."""
    cells = [
        invented.tally(Cell(p, dimension="street", group=group), n)
        for group, told in counts.items()
        for p, n in zip(periods, told, strict=True)
    ]
    city = [invented.tally(Cell(p), sum(n)) for p, *n in zip(periods, *counts.values(), strict=True)]
    named = {"title": "Crashes", "unit": "crashes", "direction": "down", "geographies": ()}
    return replace(invented.requests(), headline=periods[-1], estimates=(*city, *cells), **named)


FALLING = {"even": [40, 41] * 9, "falls": [80] * 9 + [40] * 9, "rises": [30] * 9 + [36] * 9}


def test_the_group_whose_mean_changed_most_comes_first():
    found = courses(streets(FALLING), "street")

    assert ["falls", "rises", "even"] == [c.group for c in found]
    assert (80.0, 40.0) == (found[0].early.mean, found[0].late.mean)


def test_halves_are_as_long_and_made_of_whole_years():
    early, late = (getattr(courses(streets(FALLING), "street")[0], half) for half in ("early", "late"))

    assert ("2020-Q1", "2021-Q4") == (early.first, early.last)
    assert ("2022-Q3", "2024-Q2") == (late.first, late.last)


@given(st.lists(st.integers(0, 300), min_size=18, max_size=18), st.randoms())
def test_the_order_of_cells_does_not_change_a_course(counts, random):
    measured = streets({"a": counts, "b": [20] * 18})
    other = list(measured.estimates)
    random.shuffle(other)

    assert courses(measured, "street") == courses(replace(measured, estimates=tuple(other)), "street")


@given(st.lists(st.integers(0, 300), min_size=18, max_size=18))
def test_a_mean_lies_inside_its_interval_and_adds_up_to_the_events(counts):
    for half, told in zip(("early", "late"), (counts[:8], counts[-8:]), strict=True):
        found = getattr(courses(streets({"a": counts}), "street")[0], half)

        assert found.low <= found.mean <= found.high
        assert math.isclose(sum(told), found.mean * 8)


def test_the_interval_of_a_mean_is_that_of_the_count_over_its_periods():
    # Breslow and Day (1987), p. 69 ff.: 65 events have 50.2 to 82.8 by Byar's approximation.
    early = courses(streets({"a": [8] * 7 + [9] + [8] * 10}), "street")[0].early

    assert (50.2, 82.8) == (round(early.low * 8, 1), round(early.high * 8, 1))


@pytest.mark.parametrize("state", ["hidden", "late"])
def test_a_group_with_a_gap_is_not_followed(state):
    measured = streets(FALLING)
    gone = Cell(QUARTERS[3], dimension="street", group="falls")
    told = tuple(without_value(gone, state, "") if e.cell == gone else e for e in measured.estimates)

    assert "falls" not in [c.group for c in courses(replace(measured, estimates=told), "street")]


def test_rows_without_a_group_are_not_followed():
    assert ["a"] == [c.group for c in courses(streets({"a": [9] * 18, UNKNOWN: [50] * 18}), "street")]


def test_fewer_than_four_periods_a_half_make_no_means():
    assert () == courses(streets({"a": [9] * 7}, QUARTERS[:7]), "street")
    assert 1 == len(courses(streets({"a": [9] * 8}, QUARTERS[:8]), "street"))


def test_only_counts_are_followed():
    assert ("", ()) == followed(invented.reached())


def test_the_scoreboard_shows_a_fall_with_both_intervals_and_without_a_verdict():
    run = replace(invented.run(), measured=(streets(FALLING),), accounts=(), next_steps=())
    page = shown(scoreboard(run), width=120)

    assert "mean 2020-Q1–2021-Q4" in page
    assert re.search(r"falls +█+▁+ +80 \(62–98\) +40 \(28–52\) +80\.0 \([\d.–]+\) +40\.0 \([\d.–]+\)", page)
    assert not re.search("fell|rose|improv|worse|signific|because|thanks", page)
