from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

import invented
from hypothesis import given
from hypothesis import strategies as st

from metroon.base.estimate import Cell, Estimate
from metroon.serve import ESTIMATE_COLUMNS, estimate_rows, rows_csv, rows_json

RUN = invented.run()
NUMBERS = ("value", "low", "high", "base", "worst", "best")
finite = st.none() | st.floats(allow_nan=False, allow_infinity=False)
words = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=12)


def parsed(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_the_columns_of_estimates_are_a_promise():
    header = "geography,place,place_name,dimension,group,period,state,value,low,high,"
    header += "events,base,unknown,worst,best,note"

    assert header == rows_csv(estimate_rows(RUN.measured[0])).splitlines()[0]
    assert header == rows_csv([], columns=ESTIMATE_COLUMNS).strip()


@given(st.lists(st.tuples(words, finite, finite), min_size=1))
def test_csv_parses_back_to_equal_numbers(rows):
    named = [{"name": n, "value": v, "low": w} for n, v, w in rows]
    back = [(r["name"], *(float(r[k]) if r[k] else None for k in ("value", "low"))) for r in parsed(rows_csv(named))]

    assert rows == back


@given(st.lists(st.fixed_dictionaries({"name": words, "value": finite})))
def test_json_parses_back_to_equal_rows(rows):
    assert rows == json.loads(rows_json(rows))


def test_every_estimate_comes_back_from_both_formats():
    for measured in RUN.measured:
        rows = estimate_rows(measured)
        back = [{k: float(r[k]) if r[k] else None for k in NUMBERS} for r in parsed(rows_csv(rows))]

        assert rows == json.loads(rows_json(rows))
        assert [{k: row[k] for k in NUMBERS} for row in rows] == back


def test_states_are_told_apart_in_machine_rows():
    states = {row["state"] for m in RUN.measured for row in json.loads(rows_json(estimate_rows(m)))}
    every = {"known", "cannot tell", "hidden", "no exposure", "late", "not collected", "cannot be answered"}

    assert every == states


def test_a_cell_without_a_value_has_no_number_even_if_one_was_left_in_it():
    left = Estimate(Cell("2015-01"), "hidden", 0.5, 0.4, 0.6, 7, 14.0, 3, 0.4, 0.6, "fewer than 11 people")
    row = estimate_rows(replace(RUN.measured[0], estimates=(left,)))[0]

    assert {None} == {row[k] for k in (*NUMBERS, "events", "unknown")}
    assert (row["state"], row["note"]) == ("hidden", "fewer than 11 people")


def test_a_number_that_is_not_finite_is_null():
    row = {"value": float("nan"), "high": float("inf")}

    assert json.loads(rows_json([row])) == [{"value": None, "high": None}]
    assert rows_csv([row]) == "value,high\n,\n"


def test_words_that_a_spreadsheet_would_run_are_made_harmless_on_request_only():
    row = {"name": "=1+1", "value": -2.5}

    assert rows_csv([row], for_spreadsheet=True) == "name,value\n'=1+1,-2.5\n"
    assert rows_csv([row]) == "name,value\n=1+1,-2.5\n"


def test_no_rows_are_an_empty_list():
    assert json.loads(rows_json([])) == []
