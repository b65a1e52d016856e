from __future__ import annotations

from dataclasses import replace
from datetime import date

import invented
import invented_scores as scores
import pytest
from hypothesis import given
from hypothesis import strategies as st
from printed import shown

from metroon.base import period as periods
from metroon.base.estimate import Cell
from metroon.serve import full_scoreboard, measure_table, scoreboard
from metroon.serve.terminal import cells
from metroon.serve.terminal.breakdowns import breakdowns
from metroon.serve.terminal.words import period_noun, period_words

MEASURED = scores.measured()


def test_each_breakdown_is_told_by_its_own_last_period():
    told = {(e.cell.geography, e.cell.dimension): e.cell.period for e in cells.of_headline(MEASURED)}

    assert told == {("all", "all"): "2015-06", ("district", "all"): "2014", ("all", "language"): "2014"}


def test_places_stand_beside_the_city_of_their_own_period():
    # District 3 lies above the city's year and below its last month.
    year = cells.compare(cells.of_places(MEASURED, "district"), cells.city_in(MEASURED, "2014"))
    found = next(b for b in breakdowns(MEASURED) if b.label.startswith("Council"))

    assert year == found.told
    assert "3" not in {e.cell.place for e in found.told.below}
    assert "3" in {
        e.cell.place for e in cells.compare(cells.of_places(MEASURED, "district"), cells.whole_city(MEASURED)).below
    }


def test_the_trend_is_of_the_citys_own_grain():
    named = [p for p, _ in cells.trend(MEASURED)]

    assert scores.MONTHS == named


@pytest.mark.parametrize("page_of", [scoreboard, full_scoreboard])
def test_the_period_of_places_is_said_where_it_is_not_the_citys(page_of):
    page = shown(page_of(replace(invented.run(), measured=(MEASURED,), accounts=(), next_steps=())))

    assert "differ in 2014: " in page or "Council districts (2015), 2014" in page


def test_the_table_of_cells_shows_every_breakdown_at_its_own_period():
    page = shown(measure_table(MEASURED))

    assert "Spanish" in page
    assert "District 10" in page


def test_a_cell_of_two_headlines_is_told_once():
    twice = replace(invented.share(scores.group("English", "2015-06"), 9, 10))
    told = cells.of_groups(replace(MEASURED, estimates=(*MEASURED.estimates, twice)))["language"]

    assert {"2015-06"} == {e.cell.period for e in told}


@given(st.integers(2, 12), st.integers(1950, 2090), st.sampled_from(["month", "quarter", "year"]), st.integers(1, 12))
def test_every_period_of_a_fiscal_year_is_named_by_its_own_years(begins, year, grain, month):
    period = periods.name(date(year, month, 1), grain, begins)
    told = period_words(period)

    assert grain == period_noun(period)
    assert str(periods.last_day(period).year)[2:] in told
    assert ".." not in told


def test_a_trend_of_fiscal_years_leaves_calendar_years_alone():
    fiscal = ["2012-07..2013-06", "2013-07..2014-06", "2014-07..2015-06"]
    told = replace(
        invented.calls(),
        headline=fiscal[-1],
        headlines=(fiscal[-1],),
        estimates=tuple(invented.rate(Cell(p), 100, 1e4) for p in (*fiscal, "2013", "2014")),
    )

    assert fiscal == [p for p, _ in cells.trend(told)]
    assert "FY 2012-13 to FY 2014-15" in shown(
        full_scoreboard(replace(invented.run(), measured=(told,), accounts=(), next_steps=()))
    )


def test_a_city_without_its_last_period_is_not_told_by_another():
    told = tuple(e for e in MEASURED.estimates if e.cell != Cell("2015-06"))
    found = replace(MEASURED, estimates=told)

    assert cells.whole_city(found) is None
    assert ("all", "all") not in {(e.cell.geography, e.cell.dimension) for e in cells.of_headline(found)}


def test_without_headlines_the_headline_is_the_only_one():
    assert {"2015-01"} == {e.cell.period for e in cells.of_headline(invented.reached())}
