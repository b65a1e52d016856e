from __future__ import annotations

import json
import math
from dataclasses import fields, replace

import invented
import invented_scores as scores
import pytest

from metroon.base.scorecard import Score
from metroon.serve import score_dict
from metroon.serve.terminal.sentences import verdict

SCORE = scores.score()


def test_the_keys_are_the_words_of_the_code():
    assert {f.name for f in fields(Score)} | {"verdict"} == set(score_dict(SCORE))


@pytest.mark.parametrize(
    "score", [SCORE, scores.crashes(), scores.stock(), scores.unanswered(), scores.bare_score(invented.requests())]
)
def test_json_holds_it_and_gives_it_back(score):
    told = score_dict(score)

    assert told == json.loads(json.dumps(told, allow_nan=False))


def test_numbers_are_told_in_full_precision():
    told = score_dict(SCORE)

    assert (SCORE.gaps[0].difference, SCORE.city.low) == (told["gaps"][0]["difference"], told["city"]["low"])
    assert list(SCORE.course.mean) == told["course"]["mean"]


@pytest.mark.parametrize("odd", [math.inf, -math.inf, math.nan])
def test_a_number_that_is_not_finite_is_none(odd):
    gap = replace(SCORE.gaps[0], ratio_high=odd)

    assert score_dict(replace(SCORE, gaps=(gap,)))["gaps"][0]["ratio_high"] is None


def test_days_are_text_and_cells_have_their_five_parts():
    told = score_dict(SCORE)

    assert ("2015-07-15", "2015-06-30") == (told["as_of"], told["target"]["on"])
    assert {"period", "geography", "place", "dimension", "group"} == set(told["places"][0]["cell"])


def test_pairs_have_names():
    told = score_dict(SCORE)

    assert {"title": "Requests closed twice", "variation": "concern high"} == told["guard_metric"]
    assert [{"on": "2014-03-01", "reason": "A new list of codes."}] == told["breaks"]
    assert told["chain"]["budget program"] == "Call center"


def test_the_measure_is_told_without_its_cells_and_shapes():
    told = score_dict(SCORE)["measured"]

    assert "estimates" not in told
    assert ["district"] == [g["id"] for g in told["geographies"]]
    assert "shapes" not in told["geographies"][0]


def test_the_verdict_is_that_of_the_page():
    assert verdict(SCORE) == score_dict(SCORE)["verdict"]
