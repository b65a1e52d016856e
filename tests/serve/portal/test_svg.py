"""Charts draw what they are given, within their box, and nothing of what is None."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from metroon.base.places import Places
from metroon.serve import svg
from metroon.serve.svg.line import drawn, px
from metroon.serve.svg.trend import labelled, names_below, ticks

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
ANY = st.one_of(st.none(), NUMBERS, st.sampled_from([0.0, -0.0, 1.0, math.nan, math.inf, -math.inf, 5e-324, 1.7e308]))
EVIL = '"><script>alert(1)</script>&'


@st.composite
def lines(draw: st.DrawFn) -> svg.Line:
    """Series with gaps, breaks, bounds, targets and signals of any size."""
    n = draw(st.integers(1, 30))
    column = st.lists(ANY, min_size=n, max_size=n)
    numbers = st.lists(st.integers(0, n - 1), max_size=3)
    return svg.Line(
        [str(2000 + i) for i in range(n)], draw(column), draw(st.one_of(st.just([]), column)),
        draw(st.one_of(st.just([]), column)), draw(st.one_of(st.none(), NUMBERS, column)), "Target", draw(numbers),
        "counted anew", draw(numbers), draw(st.one_of(st.just([]), column)),
    )  # fmt: skip


def coordinates(html: str) -> list[float]:
    """Every place in the chart: in paths, and in percent of HTML marks."""
    paths = [float(n) for d in re.findall(r' d="([^"]*)"', html) for n in re.findall(r"-?[\d.]+", d)]
    styles = re.findall(r'style="([^"]*)"', html)
    return paths + [float(n) for s in styles for n in re.findall(r"(?:left|right|top|bottom):(?:calc\()?([-\d.]+)%", s)]


def assert_drawable(html: str, least: float = 0, most: float = 100) -> None:
    assert not re.search(r"\b(?:nan|inf|None)\b", html), str(html)
    assert all(least <= c <= most for c in coordinates(html)), html


def said(x: float) -> str:
    return "a number"


@given(lines())
def test_a_trend_and_a_spark_of_anything_stay_in_their_box(line: svg.Line) -> None:
    assert_drawable(svg.spark(line, label="x"))
    assert_drawable(svg.trend(line, label="x", tick=said))
    assert_drawable(svg.trend(line, label="x", tick=said, zero=False))


@given(st.lists(ANY, max_size=40), ANY, ANY, ANY, ANY, st.sampled_from(["up", "down", "neutral", "within"]))
def test_a_strip_of_anything_stays_in_its_box(values: list, you, city, low, high, direction) -> None:
    html = svg.strip(values, you, city, direction=direction, words=svg.Ends(), label="x", low=low, high=high)

    assert_drawable(html)


@given(ANY, ANY, ANY, ANY)
def test_a_dumbbell_of_anything_stays_in_its_box(reference, value, low, high) -> None:
    span = svg.span(*(x for x in (reference, value, low, high)))

    assert_drawable(svg.dumbbell(reference, value, span=span, label="x", low=low, high=high))


@given(st.lists(ANY, max_size=30))
def test_a_histogram_of_anything_stays_in_its_box(heights: list[float | None]) -> None:
    html = svg.bars(heights, label="x")
    boxes = re.findall(r'x="([\d.-]+)" y="([\d.-]+)" width="([\d.-]+)" height="([\d.-]+)"', html)

    assert_drawable(html)
    assert all(0 <= float(x) and float(x) + float(w) <= 100.1 for x, _, w, _ in boxes)
    assert all(0 <= float(y) and float(y) + float(h) <= 100.2 for _, y, _, h in boxes)


@given(lines(), st.integers(0, 29), NUMBERS, NUMBERS, NUMBERS)
def test_nothing_of_a_point_without_a_value_is_drawn(
    line: svg.Line, at: int, value: float, low: float, high: float
) -> None:
    n = len(line.periods)
    i = at % n
    hidden = [None if k == i else v for k, v in enumerate(line.values)]
    bare = replace(line, values=hidden, low=_with(line.low, i, None, n), high=_with(line.high, i, None, n))
    # Bounds that a caller forgot to hide must not give the value away, nor move anything else.
    forgotten = replace(line, values=hidden, low=_with(line.low, i, low, n), high=_with(line.high, i, high, n))

    assert svg.spark(bare, label="x") == svg.spark(forgotten, label="x")
    assert svg.trend(bare, label="x", tick=said) == svg.trend(forgotten, label="x", tick=said)


def _with(column, i: int, x: float | None, n: int) -> list[float | None]:
    full = list(column) or [None] * n
    return [x if k == i else v for k, v in enumerate(full)]


@given(st.lists(NUMBERS, min_size=1, max_size=30), st.sampled_from(["up", "down", "neutral", "within"]))
def test_places_without_a_value_leave_no_trace_on_a_strip(values: list[float], direction) -> None:
    def draw(shown: list[float | None]) -> Markup:
        return svg.strip(shown, None, values[0], direction=direction, words=svg.Ends(), label="x")

    assert draw([*values]) == draw([None, *values, None, math.nan])


@given(NUMBERS, NUMBERS)
def test_bounds_of_a_hidden_place_are_not_drawn(low: float, high: float) -> None:
    def draw(a: float | None, b: float | None) -> Markup:
        return svg.strip([1, 2], None, 1.5, direction="up", words=svg.Ends(), label="x", low=a, high=b)

    assert draw(None, None) == draw(low, high)
    assert svg.dumbbell(1, None, span=(0, 2), label="x") == svg.dumbbell(
        1, None, span=(0, 2), label="x", low=low, high=high
    )


@given(lines())
def test_a_target_does_not_come_into_a_chart_without_values(line: svg.Line) -> None:
    empty = replace(line, values=[None] * len(line.periods))

    assert "c-tgt" not in svg.spark(empty, label="x")
    assert coordinates(svg.trend(empty, label="x", tick=said)) == []


@given(lines())
def test_a_break_is_never_crossed_by_the_line(line: svg.Line) -> None:
    cuts = set(line.breaks)

    assert all(not cuts & set(run[1:]) for run in drawn(line).pieces)
    assert [i for run in drawn(line).pieces for i in run] == [
        i for i, v in enumerate(drawn(line).values) if v is not None
    ]


def test_a_line_with_one_value_is_a_dot_with_its_interval() -> None:
    html = svg.spark(svg.Line(["2025"], [3.0], [2.0], [4.0]), label="3 in 2025")

    assert 1 == html.count('class="dot')
    assert "c-rng" in html
    assert "c-line" not in html
    assert 1 == html.count(">2025<")


def test_a_value_between_two_gaps_is_still_seen() -> None:
    html = svg.spark(svg.Line(list("abcde"), [1, None, 2, None, 3]), label="x")

    assert 3 == html.count('class="dot')


def test_a_series_that_is_all_equal_runs_through_the_middle_of_a_spark() -> None:
    assert 'class="c-line" d="M0,50L50,50L100,50"' in svg.spark(svg.Line(list("abc"), [7, 7, 7]), label="x")


def test_a_trend_of_an_amount_starts_at_zero_and_a_target_band_may_change_over_time() -> None:
    line = svg.Line(["2025", "2026", "2027"], [90, 91, None], target=[None, 95, 97], target_label="Target: 97")
    html = svg.trend(line, label="x", tick=lambda x: f"{x:g}")

    assert ">0</span>" in html
    assert 'class="c-tgt" d="M50,5L100,3"' in html
    assert "Target: 97" in html


def test_a_falling_line_falls() -> None:
    html = svg.spark(svg.Line(["1", "2"], [10, 5]), label="x")
    (first, second) = re.search(r'c-line" d="M0,([\d.]+)L100,([\d.]+)"', html).groups()

    assert float(first) < float(second)  # counted from the top


@pytest.mark.parametrize(("direction", "right", "words"), [
    ("up", 9.0, ("worse", "better")), ("down", 1.0, ("worse", "better")),
    ("neutral", 9.0, ("lower", "higher")), ("within", 9.0, ("lower", "higher")),
])  # fmt: skip
def test_on_a_strip_right_is_better_and_the_ends_say_so(direction, right: float, words: tuple[str, str]) -> None:
    html = svg.strip([1.0, 5.0, 9.0], right, 5.0, direction=direction, words=svg.Ends(), label="x")

    assert 'class="dot you" style="left:100%' in html
    assert html.index(words[0]) < html.index(words[1])
    assert f'style="left:0">{words[0]}' in html
    assert f'style="right:0">{words[1]}' in html


@given(NUMBERS, NUMBERS)
def test_a_better_place_is_never_further_left(a: float, b: float) -> None:
    def left(x: float, direction) -> float:
        html = svg.strip([a, b], x, None, direction=direction, words=svg.Ends(), label="x")
        return float(re.search(r'dot you" style="left:([\d.]+)%', html).group(1))

    low, high = sorted((a, b))
    assert left(low, "up") <= left(high, "up")
    assert left(high, "down") <= left(low, "down")


def test_a_bound_without_end_is_drawn_to_the_edge() -> None:
    assert "H100" in svg.dumbbell(1, 2, span=(0, 4), label="x", low=1.5, high=math.inf).split("c-sure")[1]


def test_words_cannot_leave_their_place() -> None:
    line = svg.Line([EVIL, "2026"], [1, 2], target=1, target_label=EVIL, breaks=(1,), break_label=EVIL)
    shapes = svg.Shapes(10, 10, {"a": "M0,0L1,1L2,0Z"}, {"a": EVIL})
    words = svg.Ends(EVIL, EVIL, EVIL, EVIL, EVIL)
    every = [
        svg.spark(line, label=EVIL),
        svg.trend(line, label=EVIL, tick=lambda _: EVIL),
        svg.trend(svg.Line(["1"], [None]), label=EVIL, tick=said),
        svg.strip([1, 2], 1, 2, direction="up", words=words, label=EVIL),
        svg.choropleth(shapes, {}, breaks=(), links={"a": (EVIL, EVIL)}, label=EVIL, id=EVIL),
        svg.choropleth(shapes, {}, breaks=(), links={}, label=EVIL),
        svg.locator(shapes, "a", label=EVIL),
        svg.dumbbell(1, 2, span=(0, 3), label=EVIL),
        svg.bars([1, 2], label=EVIL),
        svg.days([("ok", EVIL)], label=EVIL),
        svg.countbar([("good", 1)], label=EVIL),
    ]

    assert [] == [html for html in every if "<script" in html or '"">' in html]


def test_a_label_that_is_markup_loses_its_marks_in_an_attribute() -> None:
    html = svg.bars([1], label=Markup('<span lang="en">Trees &amp; shade</span>'))

    assert 'aria-label="Trees &amp; shade"' in html


@given(st.lists(NUMBERS, min_size=1, max_size=40), st.booleans())
def test_the_axis_holds_every_number_between_round_ends(numbers: list[float], zero: bool) -> None:
    found = ticks(numbers, zero=zero)

    assert found[0] <= min(numbers)
    assert found[-1] >= max(numbers)
    assert list(found) == sorted(set(found))
    assert 2 <= len(found) <= 6
    assert not zero or found[0] <= 0 <= found[-1]


@given(st.integers(1, 400), st.integers(2, 8))
def test_the_first_and_the_last_period_are_named_and_no_more_than_fit(n: int, most: int) -> None:
    named = [i for i, _ in labelled(n, most)]

    assert (0, n - 1) == (named[0], named[-1])
    assert named == sorted(set(named))
    assert len(named) <= most + 1


@given(st.lists(st.one_of(st.none(), NUMBERS), max_size=300))
def test_breaks_are_at_most_four_ascending_and_within_the_values(values: list[float | None]) -> None:
    cuts = svg.breaks(values)
    known = [v for v in values if v is not None]

    assert len(cuts) <= 4
    assert list(cuts) == sorted(set(cuts))
    assert all(min(known) < c <= max(known) for c in cuts)
    assert len(svg.shades(cuts)) == len(cuts) + 1


@given(st.lists(st.floats(0.001, 1e6), min_size=2, max_size=300))
def test_breaks_are_round_numbers_in_any_order_of_the_values(values: list[float]) -> None:
    cuts = svg.breaks(values)

    assert cuts == svg.breaks(values[::-1])
    assert len(cuts) < 2 or all(len(f"{c:.6g}".replace(".", "").strip("0")) <= 4 for c in cuts), cuts


def test_one_far_off_place_does_not_put_all_others_into_one_shade() -> None:
    cuts = svg.breaks([*(1 + i / 10 for i in range(39)), 500])
    classes = {sum(v >= c for c in cuts) for v in (1 + i / 10 for i in range(39))}

    assert len(classes) >= 3


SQUARE = shapely.box(0, 0, 1, 1)


def places(shapes: dict[str, shapely.Geometry]) -> Places:
    return Places("p", "Places", "2020", True, {k: f"Place {k}" for k in shapes}, shapes)


def grid(n: int, size: float = 0.01) -> Places:
    side = math.ceil(math.sqrt(n))
    boxes = {
        str(i): shapely.segmentize(
            shapely.box(i % side * size, i // side * size, (i % side + 1) * size, (i // side + 1) * size), size / 20
        )
        for i in range(n)
    }
    return places(boxes)


@pytest.mark.parametrize("n", [1, 2, 40, 300])
def test_areas_fit_their_box_and_keep_the_order_of_the_places(n: int) -> None:
    given_places = grid(n)
    shapes = svg.project(given_places)

    assert list(given_places.names) == list(shapes.paths)
    assert all(shapes.paths.values())
    for path in shapes.paths.values():
        xs, ys = zip(*(map(float, p.split(",")) for p in re.findall(r"[\d.]+,[\d.]+", path)), strict=True)
        assert 0 <= min(xs) <= max(xs) <= shapes.width
        assert 0 <= min(ys) <= max(ys) <= shapes.height


def test_straight_borders_keep_only_their_corners_and_no_point_twice() -> None:
    shapes = svg.project(grid(4))

    assert all(path.count(",") <= 6 for path in shapes.paths.values()), shapes.paths
    for path in shapes.paths.values():
        points = re.findall(r"[\d.]+,[\d.]+", path)
        assert all(a != b for a, b in zip(points, points[1:] + points[:1], strict=True))


def test_north_is_up_and_a_degree_of_longitude_is_as_short_as_it_is_there() -> None:
    north = svg.project(places({"s": shapely.box(-122, 37, -121, 38), "n": shapely.box(-122, 38, -121, 39)}))

    assert north.middles["n"][1] < north.middles["s"][1]
    assert math.isclose(math.cos(math.radians(38)) / 2, (north.width - 6) / (north.height - 6), rel_tol=0.01)


def test_islands_and_holes_are_kept() -> None:
    lake = shapely.difference(SQUARE, shapely.box(0.3, 0.3, 0.6, 0.6))
    islands = shapely.MultiPolygon([lake, shapely.box(2, 0, 3, 1)])

    assert 3 == svg.project(places({"a": islands})).paths["a"].count("Z")


def test_overlapping_or_broken_borders_are_drawn_all_the_same() -> None:
    shapes = svg.project(places({"a": SQUARE, "b": shapely.box(0.5, 0.5, 2, 2), "c": shapely.Point(1, 1).buffer(0.4)}))

    assert ["a", "b", "c"] == [k for k, path in shapes.paths.items() if path.startswith("M")]


def test_places_without_boundaries_give_no_map() -> None:
    shapes = svg.project(Places("p", "Places", "2020", True, {"a": "A"}))

    assert "" == svg.choropleth(shapes, {"a": 1.0}, breaks=(), links={}, label="x")
    assert "" == svg.locator(shapes, "a", label="x")


@given(st.lists(st.tuples(st.floats(-100, 100), st.floats(-60, 60)), min_size=3, max_size=30))
def test_an_area_of_any_shape_stays_in_its_box(points: list[tuple[float, float]]) -> None:
    hull = shapely.MultiPoint(np.array(points)).convex_hull
    if hull.geom_type != "Polygon" or hull.area < 1e-6:
        return
    shapes = svg.project(places({"a": hull}))

    assert_drawable(svg.locator(shapes, "a", label="x"), 0, max(shapes.width, shapes.height))


def test_each_area_is_a_link_with_a_name_and_the_shade_of_its_class() -> None:
    shapes = svg.project(grid(4))
    values = {"0": 1.0, "1": 2.0, "2": None}
    links = {k: (f"/neighborhoods/{k}", f"Place {k}") for k in shapes.paths}
    html = svg.choropleth(shapes, values, breaks=(2.0,), links=links, label="x", outlined="1", id="m")

    assert 4 == len(re.findall(r'<a href="/neighborhoods/\d" aria-label="Place \d"><path', html))
    assert ["q1", "q3", "na", "na"] == re.findall(r'<path class="(q\d|na)"', html)
    assert 2 == html.count('fill="url(#m-na)"')
    assert 1 == html.count('class="you"')


def test_a_value_on_a_break_belongs_to_the_class_above() -> None:
    shapes = svg.project(grid(2))
    html = svg.choropleth(shapes, {"0": 1.999, "1": 2.0}, breaks=(2.0,), links={}, label="x")

    assert ["q1", "q3"] == re.findall(r'<path class="(q\d)"', html)


def test_what_is_hidden_looks_like_what_is_missing_on_a_map() -> None:
    shapes = svg.project(grid(3))

    def draw(values: dict[str, float | None]) -> Markup:
        return svg.choropleth(shapes, values, breaks=(1.0, 2.0), links={}, label="x")

    assert draw({"0": 1.5}) == draw({"0": 1.5, "1": None, "2": math.nan})


def test_days_say_each_verdict_in_words_and_none_looks_like_another() -> None:
    html = svg.days(
        [("ok", "Nov 1: kept"), ("late", "Nov 2: late"), ("bad", "Nov 3: failed"), ("none", "no run")], label="x"
    )

    assert ["g", "w", "b", "n"] == re.findall(r'<li class="(\w)"', html)
    assert ["Nov 1: kept", "Nov 2: late", "Nov 3: failed", "no run"] == re.findall(r'class="sr">([^<]+)<', html)


def test_a_count_bar_has_a_part_for_each_status_that_occurs() -> None:
    html = svg.countbar([("good", 3), ("watch", 0), ("bad", 1)], label="3 on track, 1 off track")

    assert [("g", "3"), ("b", "1")] == re.findall(r'class="(\w)" style="flex:(\d)"', html)
    assert "" == svg.countbar([("good", 0)], label="x")


@given(st.floats(-1000, 1000))
def test_places_are_written_to_a_tenth(x: float) -> None:
    assert abs(float(px(x)) - x) <= 0.0500001
    assert re.fullmatch(r"-?\d+(\.[1-9])?", px(x))


def test_a_long_series_of_months_is_named_by_years_where_they_begin() -> None:
    months = [f"{m} {y}" for y in range(2022, 2027) for m in ("Jan", "Apr", "Jul", "Oct")][1:]
    named = [(i, text) for i, text, _ in names_below(months)]

    assert [(3, "2023"), (7, "2024"), (11, "2025"), (15, "2026")] == named  # 2022 begins before the series


def test_years_are_found_in_periods_of_every_language() -> None:
    months = [f"{y}年{m}月" for y in range(2022, 2027) for m in range(1, 13)]

    assert ["2022", "2023", "2024", "2025", "2026"] == [text for _, text, _ in names_below(months)]


def test_a_place_alone_stands_within_its_interval_and_not_at_an_end() -> None:
    html = svg.strip([], 1.06, 1.0, direction="down", words=svg.Ends(), label="x", low=0.7, high=1.53)
    dot = float(re.search(r'dot you" style="left:([\d.]+)%', html)[1])
    sure = [float(x) for x in re.search(r'c-sure" d="M([\d.]+),50H([\d.]+)"', html).groups()]

    assert 40 < dot < 70
    assert [0, 100] == sure


def test_the_last_value_stands_under_its_interval_when_a_target_is_close_above_it() -> None:
    line = svg.Line(("2025", "2026"), (42, 44), (38, 40), (46, 48), target=56, target_label="Target: 56")
    html = svg.trend(line, label="x", tick=lambda x: f"{x:g}")

    assert re.search(r'lbl you end" style="right:0%;top:', html)
