from __future__ import annotations

from typing import get_args

import pytest

from metroon.base.estimate import State
from metroon.base.scorecard import ChangeKind, SlotName, Standing, Status
from metroon.measure.gaps import Verdict
from metroon.measure.signals import Assurance, Signal, Variation
from metroon.measure.signals import State as ChartState
from metroon.serve.terminal import words
from metroon.serve.terminal.console import legible

KNOWN = [
    (words.VARIATIONS, Variation, {""}),
    (words.ASSURANCES, Assurance, {""}),
    (words.STANDINGS, Standing, set()),
    (words.TARGETS, Status, set()),
    (words.STATE_SIGNS, State, {"known", "cannot tell"}),
    (words.TOLERANCES, Verdict, set()),
    (words.SIGNALS, Signal, {"none"}),
    (words.CHARTS, ChartState, {"ok"}),
    (words.KINDS_OF_CHANGE, ChangeKind, set()),
    (words.SLOTS, SlotName, set()),
]


@pytest.mark.parametrize(("told", "every", "silent"), KNOWN)
def test_every_word_of_the_code_has_words_for_people(told, every, silent):
    assert set(get_args(every)) - silent == set(told)


@pytest.mark.parametrize("told", [words.TARGETS, words.ASSURANCES, words.STANDINGS, words.STATE_SIGNS])
def test_no_two_signs_of_a_kind_are_alike(told):
    signs = [sign.sign for sign in told.values()]

    assert len(signs) == len(set(signs))
    assert len({sign.words for sign in told.values()}) == len(signs)


def test_a_row_of_places_can_hold_standings_and_states_together():
    signs = [s.sign for s in (*words.STANDINGS.values(), *words.STATE_SIGNS.values())]

    assert len(signs) == len(set(signs))
    assert "".join(signs).isascii()


def test_only_signs_with_a_mood_are_coloured_and_neutral_ones_have_none():
    assert {"higher", "lower", "not different", "not enough data"} == {
        s.words for s in words.STANDINGS.values() if not s.mood
    }
    assert not words.VARIATIONS["neutral high"].mood


def test_every_sign_has_one_for_outputs_that_know_only_ascii():
    every = [words.TARGETS, words.VARIATIONS, words.ASSURANCES, words.STANDINGS, words.STATE_SIGNS, words.TOLERANCES]
    told = [legible(str(sign), "ascii") for signs in every for sign in signs.values()]

    assert [t for t in told if not t.isascii()] == []
    assert legible("✗ not met ▲ ▼", "ascii") == "x not met ^ v"
