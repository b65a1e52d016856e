from __future__ import annotations

import re
from dataclasses import replace

import invented
from printed import shown

from metroon.base.account import Measured
from metroon.base.estimate import Cell
from metroon.serve import scoreboard
from metroon.serve.terminal.breakdowns import alike, differing, sides

NOW = "2015-01"


def tracts(many: dict[int, int]) -> Measured:
    """A share of 78 % in the city and in 60 tracts, but for those with their own successes of 100."""
    names = {str(i): f"Tract {i}" for i in range(60)}
    cells = [invented.share(Cell(NOW, "tract", key), many.get(int(key), 78), 100) for key in names]
    places = (replace(invented.DISTRICTS, id="tract", title="Tracts", names=names),)
    city = invented.share(Cell(NOW), 7_800, 10_000)
    return replace(invented.reached(), geographies=places, estimates=(city, *cells))


def page_of(measured: Measured) -> str:
    return shown(scoreboard(replace(invented.run(), measured=(measured,), accounts=(), next_steps=())))


def test_no_more_than_would_differ_by_chance_are_not_said_to_differ():
    measured = tracts({1: 95, 2: 95, 3: 95})

    assert () == differing(measured)
    assert ["Tracts 2015"] == [b.label for b in alike(measured)]
    assert "cannot tell by Tracts 2015" in page_of(measured)


def test_more_than_by_chance_are_told_with_the_clearest_of_each_side():
    page = page_of(tracts({1: 95, 2: 95, 3: 99, 4: 40}))

    assert "differ: 4 of 60 Tracts 2015" in page
    assert re.search(r"better Tract 3: 99\.0 % \([\d.–]+\)  worse Tract 4: 40\.0 % \([\d.–]+\)", page)
    assert "Tract 1:" not in page


def test_the_clearest_is_the_farthest_by_its_interval_and_not_by_its_value():
    measured = tracts({1: 95, 2: 95, 3: 95})
    few = invented.share(Cell(NOW, "tract", "4"), 20, 20)
    told = tuple(few if e.cell == few.cell else e for e in measured.estimates)

    assert "Tract 3" in sides(replace(measured, estimates=told))[0].plain


def test_groups_say_which_column_they_are_of_and_places_do_not():
    page = page_of(invented.calls())

    assert "better Old Orchard: 57.0 (48.8–65.7)" in page
    assert "worse kind 7 (Road kind): 152.3" in page


def test_less_is_better_puts_the_lower_first():
    assert ["better", "worse"] == [s.plain.split()[0] for s in sides(invented.calls())]
    assert ["above", "below"] == [s.plain.split()[0] for s in sides(replace(invented.calls(), direction="neutral"))]


def test_counts_are_never_said_to_differ():
    assert () == (*differing(invented.requests()), *alike(invented.requests()))


def test_a_star_and_the_vintage_stand_beside_boundaries_that_nobody_adopted():
    page = page_of(invented.calls())

    assert "2 of 5 Neighborhoods 2019 draft*" in page
    assert "Neighborhoods 2019 draft*  Unofficial. Drawn by invented volunteers." in page
