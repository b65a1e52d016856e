"""Only whole periods are released: no half month looks like a fall, no gap like a zero."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from metroon.base.period import first_day, last_day
from metroon.measure.coverage import Days, covered
from town import small_town, stays

LATE = date(2030, 1, 1)


def days(*found: date, events: int = 0) -> Days:
    return Days(tuple(sorted(set(found))), events or len(found))


def daily(first: date, last: date, *, per_day: int = 20, leave_out=lambda d: False) -> Days:
    found = [first + timedelta(days=d) for d in range((last - first).days + 1)]
    kept = tuple(d for d in found if not leave_out(d))
    return Days(kept, per_day * len(kept))


def months(found: Days, counted: Days | None = None, as_of: date = LATE) -> list[str]:
    return covered(found, counted or found, "month", as_of=as_of)


def test_the_month_that_has_just_begun_is_not_released():
    assert ["2025-01", "2025-02"] == months(daily(date(2025, 1, 1), date(2025, 3, 14)))


def test_a_first_month_that_the_data_begin_in_the_middle_of_is_not_released():
    assert ["2025-02"] == months(daily(date(2025, 1, 12), date(2025, 2, 28)))


def test_a_month_that_is_over_in_the_data_but_not_on_the_calendar_waits():
    found = daily(date(2025, 1, 1), date(2025, 2, 28))

    assert (["2025-01"], ["2025-01", "2025-02"]) == (
        months(found, as_of=date(2025, 2, 28)),
        months(found, as_of=date(2025, 3, 1)),
    )


def test_offices_that_are_closed_on_weekends_do_not_lose_the_month_that_ends_on_sunday():
    # August 2025 begins on a Friday and ends on a Sunday.
    found = daily(date(2025, 8, 1), date(2025, 8, 29), leave_out=lambda d: d.weekday() > 4)

    assert ["2025-08"] == months(found)


def test_a_year_that_begins_with_a_long_weekend_is_whole():
    found = daily(date(2016, 1, 4), date(2016, 12, 30), leave_out=lambda d: d.weekday() > 4)

    assert ["2016"] == covered(found, found, "year", as_of=LATE)


def test_a_month_without_a_rare_event_is_a_zero_and_no_gap():
    rare = days(*(date(2025, m, 10) for m in (1, 2, 4, 5, 6)))

    assert [f"2025-0{m}" for m in range(1, 7)] == months(daily(date(2025, 1, 1), date(2025, 6, 30)), rare)


def test_a_month_of_silence_among_daily_events_is_missing_data_and_no_zero():
    found = daily(date(2025, 1, 1), date(2025, 4, 30), leave_out=lambda d: d.month == 3)

    assert ["2025-01", "2025-02", "2025-04"] == months(found)


def test_nothing_is_known_of_the_months_after_the_last_event():
    rare = days(*(date(2025, m, 28) for m in (1, 2, 3)))

    assert ["2025-01", "2025-02", "2025-03"] == months(rare)


def test_a_date_of_long_ago_does_not_make_a_century_of_zeros():
    found = daily(date(2025, 1, 1), date(2025, 2, 28))
    with_error = Days((date(1900, 1, 1), *found.days), found.events + 1)

    assert 3 >= len(months(with_error))


def test_what_is_counted_decides_where_its_periods_begin():
    # A category that came into use in March was not zero before.
    new = daily(date(2025, 3, 1), date(2025, 4, 30), per_day=2)

    assert ["2025-03", "2025-04"] == months(daily(date(2025, 1, 1), date(2025, 4, 30)), new)


def test_without_any_event_no_period_is_covered():
    assert [] == months(daily(date(2025, 1, 1), date(2025, 4, 30)), Days((), 0))


@given(
    st.dates(date(2000, 1, 1), date(2024, 1, 1)),
    st.lists(st.integers(0, 900), min_size=1, max_size=60),
    st.sampled_from(["month", "quarter", "year"]),
    st.integers(-100, 1500),
)
@settings(max_examples=50, deadline=None)
def test_every_released_period_is_over_and_within_the_data_but_for_a_usual_silence(start, offsets, grain, later):
    found = days(*(start + timedelta(days=d) for d in offsets))
    as_of = start + timedelta(days=later)

    for period in covered(found, found, grain, as_of=as_of):
        assert last_day(period) < as_of
        assert first_day(period) >= found.days[0] - found.slack
        assert last_day(period) <= found.days[-1] + found.slack


def test_a_partial_month_is_named_beside_the_numbers_and_has_none(tmp_path):
    town = small_town(tmp_path, period={"column": "day", "grain": "month"}, places=[])
    town.csv("stays.csv", stays({"north": 3000}, start=date(2025, 1, 1), days=75))
    told = town.run()

    expected = {"2025-01", "2025-02"}, "Not released, because the data do not cover it wholly: 2025-03"
    assert expected == ({c.period for c in told.cells("stay_count")}, told.measured("stay_count").notes[0])


def test_a_row_of_the_far_future_is_no_sign_that_the_data_reach_so_far(tmp_path):
    town = small_town(tmp_path, period={"column": "day", "grain": "month"}, places=[])
    made = stays({"north": 3000}, start=date(2025, 1, 1), days=75)
    town.csv("stays.csv", [*made, made[0] | {"id": "x", "day": "9999-12-31"}])

    assert {"2025-01", "2025-02"} == {c.period for c in town.run().cells("stay_count")}


def test_a_headline_of_zero_says_zero(tmp_path):
    town = small_town(tmp_path, period={"column": "day", "grain": "month"}, places=["ward"], among="race = 'B'")
    made = stays({"north": 900}, start=date(2025, 1, 1), days=181)
    town.csv("stays.csv", [r | {"race": "B" if r["day"][8:] == "10" and r["day"][5:7] != "03" else "A"} for r in made])
    cells = town.run().cells("stay_count")

    assert {0} == {e.events for c, e in cells.items() if c.period == "2025-03"}
