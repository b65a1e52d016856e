"""The page that a new reader sees first: the real run of the invented city, in the width of a terminal."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

import pytest
from printed import shown

from metroon import flow
from metroon.city import load
from metroon.demo import build
from metroon.serve import INVENTED, picture, scoreboard
from metroon.walk import Walk

if TYPE_CHECKING:
    from metroon.base.account import Run

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    city = load(build(tmp_path_factory.mktemp("demo") / "arroyo_vista"))
    assert city.file.as_of
    return flow.run(Walk(city, city.file.as_of))


def test_a_run_takes_four_or_five_lines_a_measure_and_sixty_for_the_rest(run):
    most = 60 + 9 * len(run.measured) // 2

    assert len(shown(scoreboard(run), width=110, terminal=True).splitlines()) < most
    assert len(shown(scoreboard(run), width=110).splitlines()) < most


def test_nothing_important_is_lost_from_it(run):
    page = shown(scoreboard(run), width=110)
    important = [
        INVENTED,
        *(d.file for a in run.accounts for d in a.deliveries if d.refused),
        *(p.code for a in run.accounts for p in a.problems),
        *(a.product for a in run.accounts),
        *(textwrap.wrap(m.title, 46)[0] for m in run.measured),  # a long title goes on in the next line
        *(f"{g.title} {g.vintage}" for m in run.measured for g in m.geographies),
        *(f"{m.hidden} of {m.cells} hidden for privacy" for m in run.measured if m.hidden),
    ]

    assert [words for words in important if words not in page] == []


def test_the_street_that_was_rebuilt_has_the_largest_change(run):
    page = shown(scoreboard(run), width=110)
    below = re.split(r"corridor: 4 of \d", page)[1].splitlines()[1]

    assert re.match(r"  Sombra Road +[▁▂▃▄▅▆▇█]{18} ", below)


def test_steps_are_few_and_name_every_product_that_breaks_a_promise(run):
    broken = [a.product for a in run.accounts if any(not v.is_kept for v in a.verdicts)]

    assert 1 < len(run.next_steps) <= 6
    assert any(all(name in step for name in broken) for step in run.next_steps)


def test_its_picture_says_that_the_city_is_invented(run):
    assert INVENTED in picture(scoreboard(run), "metroon demo").replace("&#160;", " ")
