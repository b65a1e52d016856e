from __future__ import annotations

import math
from dataclasses import replace

import invented
from hypothesis import given
from hypothesis import strategies as st
from printed import shown

from metroon.base.estimate import NOWHERE, OUTSIDE, UNKNOWN, Cell, Estimate, without_value
from metroon.serve.terminal import cells
from metroon.serve.terminal.measures import measure_block
from metroon.serve.terminal.words import Scale

CITY = Estimate(Cell("2015"), "known", 0.5, 0.45, 0.55)


@st.composite
def places(draw: st.DrawFn) -> tuple[Estimate, ...]:
    def one(key: str) -> Estimate:
        low, value, high = sorted(draw(st.tuples(*[st.floats(0, 1)] * 3)))
        state = draw(st.sampled_from(["known", "cannot tell", "hidden"]))
        return Estimate(Cell("2015", "district", key), state, value, low, high)

    keys = draw(st.lists(st.sampled_from(["1", "2", "3", "4", OUTSIDE, NOWHERE]), unique=True))
    return tuple(map(one, keys))


@given(places())
def test_what_is_said_to_differ_has_its_whole_interval_on_one_side(found):
    told = cells.compare(found, CITY)

    assert all(e.low > CITY.value and e.state == "known" for e in told.above)
    assert all(e.high < CITY.value and e.state == "known" for e in told.below)


@given(places())
def test_what_is_outside_or_nowhere_is_never_ranked(found):
    told = cells.compare(found, CITY)

    assert not {e.cell.place for e in (*told.above, *told.below, *told.around)} & {OUTSIDE, NOWHERE}


@given(places(), st.randoms())
def test_the_order_of_cells_does_not_matter(found, random):
    other = list(found)
    random.shuffle(other)
    keys = [{e.cell.place for e in c.above} for c in (cells.compare(found, CITY), cells.compare(tuple(other), CITY))]

    assert keys[0] == keys[1]


@given(places())
def test_every_ranked_cell_is_told_exactly_once(found):
    told = cells.compare(found, CITY)
    shown = len(told.above) + len(told.below) + len(told.around) + sum(told.silent.values())

    assert told.ranked == shown


def test_many_places_are_told_with_how_many_would_differ_by_chance():
    now, names = "2015-01", {str(i): f"Tract {i}" for i in range(60)}
    tracts = [invented.share(Cell(now, "tract", key), 95 if int(key) < 9 else 78, 100) for key in names]
    measured = replace(
        invented.reached(),
        geographies=(replace(invented.DISTRICTS, id="tract", names=names),),
        estimates=(invented.share(Cell(now), 7_800, 10_000), *tracts),
    )
    page = " ".join(shown(measure_block(measured)).split())

    assert "9 of 60 clearly differ from the city, 3 shown · by chance alone about 3 would" in page


def test_an_interval_without_an_end_is_still_drawn():
    open_ended = Estimate(Cell("2014", "area", "a"), "known", 120.0, 100.0, math.inf, 9, 70.0)
    measured = replace(invented.calls(), estimates=(*invented.calls().estimates[:2], open_ended))

    assert "●" in shown(measure_block(measured), terminal=True, width=120)


def test_the_unknown_group_is_never_ranked():
    group = Estimate(Cell("2015", dimension="sex", group=UNKNOWN), "known", 0.9, 0.8, 0.95)

    assert cells.standing(group, CITY) is None


def test_beside_a_city_without_a_value_nobody_can_tell():
    place = Estimate(Cell("2015", "district", "1"), "known", 0.9, 0.8, 0.95)

    assert cells.standing(place, without_value(Cell("2015"), "late", "")) == "cannot tell"
    assert cells.standing(place, None) == "cannot tell"


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 0.2)), min_size=1, max_size=14))
def test_a_trend_sentence_is_true_of_every_earlier_period(values):
    known = [Estimate(Cell(f"{2000 + i}"), "known", v, v - half, v + half) for i, (v, half) in enumerate(values)]
    words = cells.trend_words(tuple((e.cell.period, e) for e in known))
    *earlier, last = known

    if "clearly above" in words and "not" not in words:
        assert all(last.low > e.high for e in earlier)
    if words.startswith("clearly"):
        assert len(earlier) >= 2


def test_one_earlier_period_that_is_as_high_takes_the_sentence_back():
    points = [
        Estimate(Cell(str(y)), "known", v, v - 0.01, v + 0.01) for y, v in ((2000, 0.1), (2001, 0.2), (2002, 0.5))
    ]
    as_high = replace(points[0], value=0.5, low=0.49, high=0.51)

    assert cells.trend_words(tuple((e.cell.period, e) for e in points)) == "clearly above both earlier years"
    assert "not clearly" in cells.trend_words(tuple((e.cell.period, e) for e in (as_high, *points[1:])))


def test_a_period_that_was_never_released_is_a_gap_in_the_trend():
    measured = replace(invented.reached(), estimates=(CITY, replace(CITY, cell=Cell("2013"))), headline="2015")

    assert [(p, e is not None) for p, e in cells.trend(measured)] == [
        ("2013", True),
        ("2014", False),
        ("2015", True),
    ]


@given(st.floats(0, 1), st.floats(1e-6, 1))
def test_an_interval_is_never_written_as_if_it_had_no_width(low, width):
    first, last = Scale(is_share=True, decimals=1).span(low, low + width).split("–")

    assert first != last
