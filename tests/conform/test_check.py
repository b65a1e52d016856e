import json
import random
from datetime import date, datetime

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chance import examples
from metroon.base.errors import Refused
from metroon.conform import cannot_answer, check, late
from tiny import AS_OF, File, checked, ours, promise, raw, text

CANARY = "Jane Q. Canary"
PEOPLE = promise(
    text("id", primaryKey=True, required=True),
    {"name": "day", "logicalType": "date", "logicalTypeOptions": {"format": "M/d/yyyy"}},
    {"name": "age", "logicalType": "integer", "logicalTypeOptions": {"minimum": 0, "maximum": 120}},
    text(
        "ward", enum=[{"value": "north"}, {"value": "south"}], quality=[{"metric": "nullValues", "mustBeLessThan": 1}]
    ),
    name="people",
    customProperties=ours(eventTime="day"),
    quality=[{"metric": "rowCount", "mustBeGreaterThan": 1, "severity": "stop"}],
)
GOOD = ["a", "1/31/2026", "34", "north"]


def kept(engine, result, *columns) -> list[tuple]:
    rows = result.rows.order_by(["_file", "_line"]).select(*columns)
    return [tuple(r.values()) for r in engine.rows(rows)]


def adds_up(result) -> bool:
    return result.read == result.kept + sum(result.reasons.values()) + result.refused


CELL = st.sampled_from(
    ["", " ", "a", "b", "c", "1", "34", "200", "999", "1.5", "1/31/2026", "3/16/2026", "x", "north", "é\n"]
)
ROW = st.lists(CELL, min_size=4, max_size=4)
FILES = st.lists(st.tuples(st.lists(ROW, max_size=8), st.sets(st.integers(0, 7), max_size=2)), min_size=1, max_size=3)


def files_of(given_files) -> list[File]:
    return [
        File(rows, f"{i}.csv", dict.fromkeys(rejects & set(range(len(rows))), "the record is not whole"))
        for i, (rows, rejects) in enumerate(given_files)
    ]


def counts(engine, files) -> tuple | str:
    """What was read, kept, set aside and refused; or that nothing could be taken."""
    try:
        result = checked(engine, PEOPLE, *files)
    except Refused:
        return "refused"
    assert adds_up(result)
    assert result.kept == engine.count(result.rows)
    assert sum(result.reasons.values()) == engine.count(result.set_aside)
    return result.read, result.kept, result.reasons, result.refused, dict(result.missing)


@examples(6, many=20)
@given(given_files=FILES)
def test_every_record_is_kept_set_aside_or_refused(given_files, engine):
    assert counts(engine, files_of(given_files))


@examples(3, many=8)
@given(rows=st.lists(ROW, min_size=2, max_size=8), seed=st.integers(0, 99))
def test_the_order_of_rows_does_not_matter_for_how_many_are_kept(rows, seed, engine):
    mixed = random.Random(seed).sample(rows, len(rows))
    promised = promise(*[c.node.value for c in PEOPLE.columns], name="people")
    unkeyed = promise(*[{**c.node.value, "primaryKey": False} for c in PEOPLE.columns], name="people")

    assert checked(engine, unkeyed, File(rows)).reasons == checked(engine, unkeyed, File(mixed)).reasons
    assert checked(engine, promised, File(rows)).kept == checked(engine, promised, File(mixed)).kept


def test_set_aside_tells_where_and_why_and_what_stands_there(engine):
    result = checked(engine, PEOPLE, File([GOOD, ["b", "soon", "1", "north"], ["c", "", "300", ""]]))

    told = [
        ("a.csv", 3, "day is no date in the declared format", {"id": "b", "day": "soon", "age": "1", "ward": "north"}),
        ("a.csv", 4, "age is outside its maximum 120", {"id": "c", "day": "", "age": "300", "ward": ""}),
    ]

    assert told == [(*r[:3], json.loads(r[3])) for r in map(tuple, (r.values() for r in engine.rows(result.set_aside)))]


def test_a_record_that_came_broken_is_set_aside_for_that_and_nothing_else(engine):
    file = File([GOOD, [None] * 4, ["b", *GOOD[1:]]], rejects={1: "the record does not have 4 fields"})
    result = checked(engine, PEOPLE, file)

    assert {"the record does not have 4 fields": 1} == result.reasons
    assert {2} == {v.checked for v in result.verdicts if v.rule == "id.required"}


def test_a_row_is_set_aside_once_for_its_first_reason(engine):
    result = checked(engine, PEOPLE, File([GOOD, ["b", *GOOD[1:]], ["", "soon", "old", "east"]]))

    assert ({"id is missing": 1}, 2) == (result.reasons, result.kept)


def test_what_cannot_be_read_is_not_counted_as_missing(engine):
    age = {"name": "v", "logicalType": "integer", "required": True}
    verdicts = checked(engine, promise(age), File([["34"], ["old"], [""]])).verdicts

    assert {"v.type": 1, "v.required": 1} == {v.rule: v.failed for v in verdicts}


def test_of_repeated_keys_the_first_by_delivery_and_line_stays(engine):
    first = [["b", "", "2", ""], ["a", "", "1", ""]]
    second = [["a", "", "3", ""], ["a", "", "4", ""], ["c", "", "5", ""]]
    result = checked(engine, PEOPLE, File(second, "2.csv"), File(first, "1.csv"))

    assert [("b", 2), ("a", 1), ("c", 5)] == kept(engine, result, "id", "age")
    assert {"the key (id) is repeated": 2} == result.reasons
    assert [("2.csv:2", "2.csv:3")] == [v.where for v in result.verdicts if v.rule == "key"]


def test_what_repeats_a_row_that_was_set_aside_is_kept(engine):
    result = checked(engine, PEOPLE, File([["a", "soon", "1", ""], ["a", "1/1/2026", "1", ""], ["b", "", "1", ""]]))

    assert [("a", date(2026, 1, 1)), ("b", None)] == kept(engine, result, "id", "day")
    assert {"day is no date in the declared format": 1} == result.reasons


def test_a_corrected_delivery_is_taken_although_the_refused_one_had_its_keys(engine):
    refused, sent_again = File([["a", "", "", ""]], "1.csv"), File([["a", "", "", ""], ["b", "", "", ""]], "2.csv")
    result = checked(engine, PEOPLE, refused, sent_again)

    assert (2, 1, {}) == (result.kept, result.refused, result.reasons)


def test_a_unique_column_keeps_the_first_and_a_missing_value_repeats_nothing(engine):
    result = checked(engine, promise(text("v", unique=True)), File([["x"], [""], ["x"], [""], ["y"]]))

    assert [("x",), (None,), (None,), ("y",)] == kept(engine, result, "v")


def test_an_event_in_the_future_is_set_aside_and_one_of_today_is_not(engine):
    rows = [["a", "3/15/2026", "", ""], ["b", "3/16/2026", "", ""], ["c", "", "", ""]]
    result = checked(engine, PEOPLE, File(rows))

    assert [("a",), ("c",)] == kept(engine, result, "id")
    assert ({"day lies in the future": 1}, datetime(2026, 3, 15)) == (result.reasons, result.newest)


def test_texts_lose_the_blanks_around_them_and_nothing_else(engine):
    result = checked(engine, promise(text("v")), File([["  a  b\t"], ["\n007 "]]))

    assert [("a  b",), ("007",)] == kept(engine, result, "v")


def test_long_identifiers_stay_exact(engine):
    result = checked(engine, promise({"name": "v", "logicalType": "integer"}), File([["9007199254740993"], ["1e3"]]))

    assert [(9007199254740993,), (1000,)] == kept(engine, result, "v")


@pytest.mark.parametrize(
    ("format_", "given_", "expected"),
    [
        ("M/d/yy h:mm a", "1/2/15 12:05 AM", datetime(2015, 1, 2, 0, 5)),
        ("M/d/yy h:mm a", "1/2/15 12:05 PM", datetime(2015, 1, 2, 12, 5)),
        ("MM/dd/yyyy hh:mm:ss a", "01/02/2015 01:05:09 PM", datetime(2015, 1, 2, 13, 5, 9)),
        ("yyyy-MM-dd'T'HH:mm:ss.SSS", "2015-01-02T03:04:05.678", datetime(2015, 1, 2, 3, 4, 5, 678000)),
        ("d MMM yyyy", "2 Jan 2015", datetime(2015, 1, 2)),
        ("EEEE, MMMM d, y", "Friday, January 2, 2015", datetime(2015, 1, 2)),
        ("yyyyMMdd", "20150102", datetime(2015, 1, 2)),
        ("dd.MM.uuuu 'um' HH 'Uhr'", "02.01.2015 um 15 Uhr", datetime(2015, 1, 2, 15)),
        ("h 'o''clock' a M/d/yy", "3 o'clock PM 1/2/69", datetime(1969, 1, 2, 15)),
    ],
)
def test_times_are_read_in_the_notation_of_the_standard(format_, given_, expected, engine):
    column = {"name": "v", "logicalType": "timestamp", "logicalTypeOptions": {"format": format_}}

    assert [(expected,)] == kept(engine, checked(engine, promise(column), File([[given_]])), "v")


@pytest.mark.parametrize(
    ("given_", "zone", "expected"),
    [
        ("2015-01-01T07:30:00Z", None, datetime(2015, 1, 1, 7, 30)),
        ("2015-01-01T07:30:00Z", "America/Los_Angeles", datetime(2014, 12, 31, 23, 30)),
        ("2015-07-01 00:30:00-07:00", "America/Los_Angeles", datetime(2015, 7, 1, 0, 30)),
        ("2015-07-01 00:30+0000", "America/Los_Angeles", datetime(2015, 6, 30, 17, 30)),
        ("2015-01-01 07:30", "America/Los_Angeles", datetime(2015, 1, 1, 7, 30)),
    ],
)
def test_a_time_that_says_its_distance_from_utc_is_told_by_the_citys_clocks(given_, zone, expected, engine):
    promised = promise({"name": "v", "logicalType": "timestamp"})
    result = check(engine, raw(engine, promised, File([[given_]])), promised, inputs={}, as_of=AS_OF, time_zone=zone)

    assert [(expected,)] == kept(engine, result, "v")


def reference(engine, known, values, *, key="id", to="wards.id", type_="string"):
    promised = promise({"name": "v", "logicalType": type_, "relationships": [{"to": to}]})
    result = checked(engine, promised, File([[v] for v in values]), inputs=known)
    (verdict,) = [v for v in result.verdicts if v.rule == "v.reference"]
    return verdict


def test_a_reference_that_leads_nowhere_is_told_with_its_place(engine):
    wards = {"wards": engine.table(pa.table({"id": ["n", "s", None]}))}
    verdict = reference(engine, wards, ["n", "x", "", "s"])

    assert (False, 1, 3, ("a.csv:3",), "warn") == (
        verdict.is_kept, verdict.failed, verdict.checked, verdict.where, verdict.severity
    )  # fmt: skip
    assert reference(engine, wards, ["n", "", "s"]).is_kept


def test_a_number_refers_to_a_text_that_says_the_same(engine):
    wards = {"wards": engine.table(pa.table({"id": ["1", "2", CANARY]}))}

    assert [True, False] == [reference(engine, wards, [v], type_="integer").is_kept for v in ("2", "3")]


def test_a_reference_to_the_table_itself_is_followed(engine):
    assert reference(engine, {}, ["a", "b", "a"], to="toys.v").is_kept


@pytest.mark.parametrize("to", ["nowhere.id", "wards.nome"])
def test_a_reference_to_what_is_not_there_is_not_kept_and_says_why(to, engine):
    verdict = reference(engine, {"wards": engine.table(pa.table({"id": ["n"]}))}, ["n"], to=to)

    assert not verdict.is_kept
    assert verdict.note


def told(result) -> str:
    """All that leaves the room in words."""
    return "\n".join([
        *map(str, result.problems), *(str(v) for v in result.verdicts), str(result.reasons), str(result.deliveries),
    ])  # fmt: skip


def test_no_word_ever_shows_what_stands_in_a_cell(engine):
    rules = [
        {"type": "sql", "query": "select max(v) from toys", "mustBe": 0},
        {"type": "sql", "query": "select max(cast(v as integer)) from toys", "mustBe": 0},
        {"type": "sql", "query": "select max(cast(v as integer)) from toys", "mustBe": 0, "severity": "stop"},
        {"metric": "duplicateValues", "mustBe": 0, "arguments": {"properties": ["v"]}},
    ]
    columns = [
        text("v", enum=[{"value": "x"}], primaryKey=True, relationships=[{"to": "toys.v"}]),
        *({"name": f"v{t}", "logicalType": t} for t in ("integer", "number", "date", "timestamp", "boolean", "object")),
        text(
            "p", logicalTypeOptions={"pattern": "^x$", "maxLength": 3}, quality=[{"metric": "nullValues", "mustBe": 1}]
        ),
    ]
    files = [File([[f"{CANARY}{i}"] * len(columns) for i in (1, 1, 2)]), File([["x", *[None] * 7]], "whole.csv")]
    quiet = checked(engine, promise(*columns, quality=rules[:2] + rules[3:]), *files)
    with pytest.raises(Refused) as refused:
        checked(engine, promise(*columns, quality=rules), *files)

    assert CANARY not in told(quiet) + str(refused.value)
    assert sorted(quiet.set_aside.columns) == ["_file", "_line", "_reason", "_record"]
    assert CANARY not in str(engine.rows(quiet.set_aside.drop("_record")))


def test_a_rule_that_fails_on_a_value_is_told_without_it(engine):
    rule = {"id": "r", "type": "sql", "query": "select max(cast(v as integer)) from toys", "mustBe": 0}
    result = checked(engine, promise(text("v"), quality=[rule]), File([[CANARY]]))

    assert [(False, "the rule's query gave no number")] == [(v.is_kept, v.note) for v in result.verdicts]


@pytest.mark.parametrize(
    ("query", "note"),
    [
        ("select count(*) from toys where v > 1900", "found 2"),
        ("select max(v) from toys", "found another number"),
        ("select v from toys limit 1", "found another number"),
        ("select sum(v) from toys where v = 1931", "found another number"),
        ("select count(*) + max(v) from toys", "found another number"),
    ],
)
def test_a_number_that_a_query_gives_is_told_only_when_it_is_a_count(query, note, engine):
    rule = {"id": "r", "type": "sql", "query": query, "mustBe": 0}
    born = {"name": "v", "logicalType": "integer"}
    result = checked(engine, promise(born, quality=[rule]), File([["1931"], ["1954"]]))

    assert [note] == [v.note for v in result.verdicts if v.rule == "r"]


def test_a_source_of_no_record_at_all_is_kept_as_an_empty_table(engine):
    result = checked(engine, promise(text("v"), {"name": "n", "logicalType": "number"}), File([]))

    assert (0, 0, {}, None) == (result.read, result.kept, result.missing, result.newest)


def test_what_a_table_cannot_answer_is_read_off_its_promise(engine):
    result = checked(engine, promise(text("v", businessName="Speed")), File([[""], [""]]))

    assert 3 == len(cannot_answer(result.contract, result.missing, result.kept))


@pytest.mark.parametrize(
    ("newest", "begins"),
    [(datetime(2026, 2, 8), ""), (datetime(2026, 2, 7), "1 day late"), (datetime(2025, 2, 8), "365 days late"),
     (None, "no event has a day"), (datetime(2026, 4, 1), "")],
)  # fmt: skip
def test_data_are_late_from_the_day_after_the_promised_one(newest, begins):
    day = {"name": "day", "logicalType": "date"}
    contract = promise(day, customProperties=ours(eventTime="day"), latency_days=35)

    assert late(contract, newest, AS_OF).startswith(begins)
    assert bool(begins) == bool(late(contract, newest, AS_OF))
