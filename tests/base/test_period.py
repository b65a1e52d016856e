from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metroon.base.period import first_day, is_closed, last_day, name

DAYS = st.dates(date(1000, 1, 1), date(9998, 12, 31))
GRAINS = st.sampled_from(["month", "quarter", "year"])


@settings(max_examples=50)
@given(day=DAYS, grain=GRAINS)
def test_a_day_lies_in_its_period_and_no_other_day_around_it_does(day, grain):
    period = name(day, grain)

    assert first_day(period) <= day <= last_day(period)
    assert period == name(first_day(period), grain) == name(last_day(period), grain)
    assert period != name(first_day(period) - timedelta(days=1), grain)
    assert period != name(last_day(period) + timedelta(days=1), grain)


@settings(max_examples=50)
@given(day=DAYS, grain=GRAINS)
def test_a_period_is_closed_on_its_last_day_and_not_before(day, grain):
    period = name(day, grain)

    assert is_closed(period, last_day(period))
    assert not is_closed(period, last_day(period) - timedelta(days=1))


@settings(max_examples=50)
@given(one=DAYS, other=DAYS, grain=GRAINS)
def test_names_sort_as_the_days_do(one, other, grain):
    assert (name(one, grain) <= name(other, grain)) or one > other


@pytest.mark.parametrize("period", ["all", "", "spring"])
def test_what_is_no_stretch_of_time_has_no_first_day(period):
    with pytest.raises(ValueError):
        first_day(period)
