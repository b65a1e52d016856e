from __future__ import annotations

import re
from dataclasses import replace

import invented_scores as scores
import pytest
from printed import shown, without_codes

from metroon.base.scorecard import RANKS, Changed
from metroon.serve import INVENTED, changes_page
from metroon.serve.terminal.words import KINDS_OF_CHANGE, about

CHANGES = scores.changes()


def lines(**way: object) -> list[str]:
    return shown(changes_page(CHANGES), **{"width": 120, **way}).splitlines()  # type: ignore[arg-type]


def test_each_change_is_one_line_with_what_was_and_what_is():
    page = lines()
    at = page.index("REALLY CHANGED: 3")

    assert re.match(r"a signal began +Requests answered in time: was no signal, is ▲ improvement since", page[at + 1])
    assert re.match(r"target crossed +Requests answered in time, District 1: was ✓ met, is ✗ not met", page[at + 2])
    assert re.match(r"first published +Requests answered in time: release 2", page[at + 3])
    assert page[at + 4] == ""


def test_the_order_given_is_kept():
    every = tuple(Changed(kind, "m", f"Title {i}", None, "", "a", "b") for i, kind in enumerate(RANKS))
    page = shown(changes_page(replace(CHANGES, changed=every)), width=120)

    assert [f"Title {i}" for i in range(len(RANKS))] == re.findall(r"Title \d+", page)
    assert [words for words in KINDS_OF_CHANGE.values() if words not in page] == []


def test_what_did_not_change_is_counted_and_named():
    page = "\n".join(lines())

    assert "NO REAL CHANGE: 2 measures\n  Injury crashes · Beds that are taken" in page


def test_false_alarms_to_expect_stand_beside_how_many_series_were_looked_at():
    assert "33 series looked at for signals · by chance alone about 0.5 of them would show one" in lines()


@pytest.mark.parametrize(("n", "words"), [(0.0, "fewer than 0.1"), (0.04, "fewer than 0.1"), (1.26, "about 1.3")])
def test_an_expected_number_is_never_written_as_none(n, words):
    assert words == about(n)


def test_nothing_changed_is_said_in_words():
    page = shown(changes_page(replace(CHANGES, changed=())))

    assert "REALLY CHANGED: 0\nNothing." in page


@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_line_is_wider_than_the_terminal(width):
    assert width >= max(len(without_codes(line)) for line in lines(width=width, terminal=True))


def test_an_invented_city_is_labelled():
    assert INVENTED in shown(changes_page(CHANGES, is_invented=True))
