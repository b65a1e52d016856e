from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metroon.serve.terminal.sparkline import GAP, LEVELS, Axis, sparkline

finite = st.floats(allow_nan=False, allow_infinity=False)
series = st.lists(st.none() | finite, max_size=60)


@given(series)
def test_a_sparkline_has_one_character_for_each_value_and_gaps_only_where_there_is_none(values):
    line = sparkline(values)

    assert [v is None for v in values] == [c == GAP for c in line]
    assert set(line) <= {*LEVELS, GAP}


@given(series)
def test_a_higher_value_never_stands_lower(values):
    told = sorted((v, LEVELS.index(c)) for v, c in zip(values, sparkline(values), strict=True) if v is not None)

    assert [level for _, level in told] == sorted(level for _, level in told)


@given(finite, st.integers(1, 20))
def test_equal_values_make_a_flat_line_in_the_middle(value, n):
    assert LEVELS[3] * n == sparkline([value] * n)


@given(series)
def test_what_is_hidden_does_not_move_the_others(values):
    without = [v for v in values if v is not None]

    assert sparkline(without) == sparkline(values).replace(GAP, "")


@pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_not_finite_is_a_gap(odd):
    assert f"{LEVELS[0]}{GAP}{LEVELS[-1]}" == sparkline([1, odd, 2])


def test_the_lowest_and_the_highest_use_the_whole_height():
    assert sparkline([1, 2]) == "▁█"


def test_nothing_but_gaps_is_gaps():
    assert sparkline([None] * 3) == GAP * 3


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.integers(2, 60), st.floats(-1e7, 1e7))
def test_every_value_falls_inside_the_axis(start, end, width, value):
    assert 0 <= Axis(start, end, width).column(value) < width


@given(st.integers(12, 60), st.tuples(*[st.floats(0, 1)] * 3), st.floats(0, 1))
def test_a_strip_is_as_wide_as_its_axis_and_shows_value_and_city(width, three, city):
    low, value, high = sorted(three)
    strip = Axis(0, 1, width).strip(low, value, high, city=city)

    assert width == len(strip)
    assert strip.count("●") == 1


def test_right_is_better_when_less_is_better():
    less, more = (Axis(10, 0, 21).strip(v, v, v, city=5).index("●") for v in (2, 8))

    assert less > more


@given(st.integers(19, 60), st.floats(0, 1))
def test_the_caption_keeps_its_three_words_apart(width, city):
    assert Axis(0, 1, width).caption("worse", "better", city=city).split() == ["worse", "city", "better"]
