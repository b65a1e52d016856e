import json
import math
from base64 import urlsafe_b64encode
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small import DAY, MADE, SECRET, column, trees

from chance import examples
from metroon.base.catalog import Dataset, Edition, Rows
from metroon.base.engine import Engine, TooSlow
from metroon.serve.query import (
    MOST_CONDITIONS,
    Condition,
    Order,
    Query,
    apply,
    batches,
    columns,
    condition,
    cursor,
    order,
    place,
    total,
    turned,
    types_of,
    words_of,
)
from metroon.serve.trouble import Trouble

ENGINE = Engine()
TREES = trees(300)
ATTACKS = [
    "x' or '1'='1", "x'; drop view t; --", "x\\' or 1=1 --", "/* */ union select 1", "$1", "?", "{t}", "%s",
    "read_csv('/etc/passwd')", "‘ or 1=1", "getenv('HOME')", '"; attach \'x\'', "a\nb", "_metroon_0",
]  # fmt: skip


def rows_of(table: pa.Table, *, ordered: tuple[str, ...] = (), number: int = 1) -> Rows:
    told = tuple(column(n, "string") for n in table.column_names)
    dataset = Dataset("trees", "table", "Trees", "", columns=told, has_rows=True)
    edition = Edition(number, DAY, MADE, None, (), "sha")
    return Rows(dataset, edition, ENGINE.table(table), told, table.num_rows, ordered, ENGINE)


ROWS = rows_of(TREES.drop(["owner"]))


def read(query: Query, rows: Rows = ROWS) -> list[dict]:
    return [r for b in batches(rows, query) for r in b.to_pylist()]


def found(*conditions: Condition) -> list[str]:
    return [r["tree"] for r in read(Query(select=("tree",), where=conditions))]


def expected(holds) -> list[str]:
    return [r["tree"] for r in TREES.to_pylist() if holds(r)]


def test_no_question_gives_every_row_in_the_order_of_the_file():
    assert [f"t{i:05}" for i in range(300)] == [r["tree"] for r in read(Query())]


def test_types_are_those_of_the_rows_whatever_the_catalog_says():
    assert {"tree": "string", "age": "integer", "height": "number", "is_city": "boolean", "planted": "date"} == {
        k: v for k, v in types_of(ROWS).items() if k in ("tree", "age", "height", "is_city", "planted")
    }


@pytest.mark.parametrize(
    ("asked", "holds"),
    [
        (("kind", "eq", ["oak"]), lambda r: r["kind"] == "oak"),
        (("kind", "in", ["oak", "elm"]), lambda r: r["kind"] in ("oak", "elm")),
        (("kind", "ne", ["oak"]), lambda r: r["kind"] != "oak"),
        (("age", "gte", ["40"]), lambda r: r["age"] is not None and r["age"] >= 40),
        (("age", "lt", ["5"]), lambda r: r["age"] is not None and r["age"] < 5),
        (("age", "ne", ["5"]), lambda r: r["age"] != 5),
        (("age", "between", ["5", "7"]), lambda r: r["age"] in (5, 6, 7)),
        (("age", "is_null", ["true"]), lambda r: r["age"] is None),
        (("age", "is_null", ["false"]), lambda r: r["age"] is not None),
        (("height", "lte", ["10.5"]), lambda r: r["height"] <= 10.5),
        (("is_city", "eq", ["true"]), lambda r: r["is_city"] is True),
        (("is_city", "ne", [True]), lambda r: r["is_city"] is not True),
        (("planted", "eq", ["2026-01-03"]), lambda r: r["planted"] == date(2026, 1, 3)),
        (("seen_at", "gt", ["2026-01-12T11:00:00"]), lambda r: r["seen_at"] > datetime(2026, 1, 12, 11)),
        (("note", "contains", ['A"B\\C']), lambda r: 'a"b\\c' in (r["note"] or "")),
        (("note", "starts", ["PL"]), lambda r: (r["note"] or "").startswith("pl")),
        (("note", "contains", ["%"]), lambda r: False),
        (("note", "eq", [""]), lambda r: r["note"] == ""),
        (("note", "eq", ["x' or '1'='1"]), lambda r: r["note"] == "x' or '1'='1"),
    ],
)
def test_a_condition_keeps_the_rows_that_it_says(asked, holds):
    assert expected(holds) == found(condition(ROWS, *asked))


@pytest.mark.parametrize("attack", ATTACKS)
def test_statements_in_values_are_values(attack):
    assert expected(lambda r: r["note"] == attack) == found(condition(ROWS, "note", "eq", [attack]))
    assert expected(lambda r: attack in (r["note"] or "")) == found(condition(ROWS, "note", "contains", [attack]))
    words = attack.casefold().split()
    in_row = expected(lambda r: all(any(w in str(v).casefold() for v in r.values() if v is not None) for w in words))
    assert set(in_row) >= {r["tree"] for r in read(Query(words=words_of(attack, parameter="q")))}


@pytest.mark.parametrize("attack", [*ATTACKS, "owner", "", "tree --", "tree;", '"tree"', "TREE", "*", "\x00", "rowid"])
def test_statements_and_hidden_columns_in_names_are_unknown_columns(attack):
    for ask in (
        lambda: condition(ROWS, attack, "eq", ["x"]),
        lambda: columns(ROWS, [attack], parameter="select"),
        lambda: order(ROWS, [(attack, False)], parameter="order"),
    ):
        with pytest.raises(Trouble) as failed:
            ask()
        assert "unknown-column" == failed.value.slug
        assert "owner" not in failed.value.fix


def test_an_unknown_column_is_told_with_the_likely_one_and_all_known_ones():
    with pytest.raises(Trouble) as failed:
        condition(ROWS, "hieght", "eq", ["1"])

    assert ("Did you mean 'height'?", True) == (failed.value.fix[:22], "planted" in failed.value.fix)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("age", "old"), ("age", "1.5"), ("age", "9" * 30), ("age", "1_0"), ("age", "٣"), ("age", "9" * 5000),
        ("age", None), ("height", "nan"), ("height", "inf"), ("height", "1e999"), ("height", float("nan")),
        ("is_city", "maybe"), ("planted", "2026-02-30"), ("planted", "yesterday"), ("seen_at", "2026-01-01T00:00:00Z"),
        ("seen_at", "now"),
        ("kind", "a\x00b"), ("kind", "\ud800"), ("kind", "x" * 1001), ("kind", ["oak"]), ("age", {"a": 1}),
    ],
)  # fmt: skip
def test_a_value_of_another_type_is_told_without_the_value(name, value):
    with pytest.raises(Trouble) as failed:
        condition(ROWS, name, "eq", [value])

    assert ("wrong-value", True) == (failed.value.slug, bool(failed.value.fix))
    assert str(value) not in failed.value.detail + failed.value.fix


@pytest.mark.parametrize(
    ("op", "values", "slug"),
    [
        ("in", ["x"] * 1001, "too-much"),
        ("in", [], "too-much"),
        ("between", ["a"], "wrong-value"),
        ("eq", [], "wrong-value"),
    ],
)
def test_a_condition_takes_as_many_values_as_it_needs(op, values, slug):
    with pytest.raises(Trouble) as failed:
        condition(ROWS, "kind", op, values)
    assert slug == failed.value.slug


def test_only_texts_have_parts():
    with pytest.raises(Trouble, match="only texts have parts"):
        condition(ROWS, "age", "contains", ["1"])


def test_more_conditions_than_allowed_are_too_much():
    many = Query(where=(condition(ROWS, "kind", "eq", ["oak"]),) * (MOST_CONDITIONS + 1))
    with pytest.raises(Trouble) as failed:
        read(many)
    assert "too-much" == failed.value.slug


def test_columns_come_in_the_order_asked_for_and_no_other():
    assert ["kind", "tree"] == list(read(Query(select=("kind", "tree"), limit=1))[0])


def test_a_query_made_by_hand_cannot_name_a_column_that_is_hidden():
    hidden = replace(ROWS, columns=tuple(c for c in ROWS.columns if c.name != "note"))
    for query in (Query(select=("note",)), Query(where=(Condition("note", "eq", ("x",)),))):
        with pytest.raises(Trouble):
            read(query, hidden)
    assert "note" not in read(Query(limit=1), hidden)[0]


def test_words_of_a_search_never_find_a_hidden_column():
    secret = replace(rows_of(TREES), columns=ROWS.columns)

    assert [] == read(Query(words=(SECRET.split()[0],)), secret)
    assert 0 == total(secret, Query(words=("canary",)))


def test_every_word_of_a_search_must_stand_in_the_row():
    asked = Query(words=words_of("OAK plain", parameter="q"))

    assert expected(lambda r: r["kind"] == "oak" and r["note"] == "plain") == [r["tree"] for r in read(asked)]


def test_the_total_is_true_whatever_the_limit():
    asked = Query(where=(condition(ROWS, "kind", "eq", ["oak"]),), limit=3, offset=50)

    assert (100, 300) == (total(ROWS, asked), total(ROWS, Query(limit=1)))


ORDERS = st.lists(
    st.builds(Order, st.sampled_from(["kind", "age", "height", "is_city", "planted", "note"]), st.booleans()),
    max_size=3,
)


@examples(4, many=15)
@given(
    chosen=ORDERS, limit=st.integers(1, 120), of=st.sampled_from(["", "oak"]), ordered=st.sampled_from([(), ("age",)])
)
def test_pages_neither_overlap_nor_lose_a_row_in_any_order(chosen, limit, of, ordered):
    rows = replace(ROWS, order=ordered)
    where = (condition(rows, "kind", "eq", [of]),) if of else ()
    query = Query(where=where, order=tuple({o.column: o for o in chosen}.values()))
    at, pages = 0, []
    while at < total(rows, query):
        page = turned(rows, replace(query, limit=limit), place(cursor(rows, query, at)))
        pages += read(page, rows)
        at += limit

    assert sorted(expected(lambda r: not of or r["kind"] == of)) == sorted(r["tree"] for r in pages)
    assert [r["tree"] for r in read(query, rows)] == [r["tree"] for r in pages]


def test_rows_without_a_value_come_last_both_ways():
    for is_descending in (False, True):
        ages = [r["age"] for r in read(Query(select=("age",), order=(Order("age", is_descending),)))]
        known = [a for a in ages if a is not None]
        assert sorted(known, reverse=is_descending) + [None] * 30 == ages


def test_a_number_that_is_none_is_no_trouble():
    assert any(math.isnan(r["height"]) for r in read(Query(order=(Order("height", True),))))


def test_a_cursor_of_another_question_or_version_does_not_fit():
    oaks = Query(where=(condition(ROWS, "kind", "eq", ["oak"]),))
    at = place(cursor(ROWS, oaks, 10))

    assert 10 == turned(ROWS, oaks, at).offset
    for rows, query in ((ROWS, Query()), (rows_of(TREES, number=2), oaks), (ROWS, replace(oaks, select=("kind",)))):
        with pytest.raises(Trouble, match="another question"):
            turned(rows, query, at)


def coded(told: object) -> str:
    return urlsafe_b64encode(json.dumps(told).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "text",
    ["", "x", "....", "é", "W10", "e30", "'; drop table t; --", "A" * 999, coded([1, 2]), coded([1, -1, "x"]),
     coded([True, 1, "x"]), coded([1, 2**60, "x"]), coded(["1", 1, "x"]), coded([1, 1.5, "x"]), coded(5), coded(None),
     coded("[" * 900), coded([[1]] * 3), urlsafe_b64encode(b"[" * 700).decode(), "\x00", "W" * 5, coded([0, 0, "x"])],
)  # fmt: skip
def test_a_broken_cursor_is_told_as_broken(text):
    with pytest.raises(Trouble) as failed:
        place(text)
    assert "bad-cursor" == failed.value.slug


@settings(max_examples=200)
@given(st.text(max_size=60))
def test_whatever_a_cursor_holds_it_points_somewhere_or_is_broken(text):
    with suppress(Trouble):
        assert 0 <= place(text).offset


def test_a_question_that_takes_too_long_is_stopped():
    endless = ENGINE.sql("select i as n from range(100000000000) as r(i)", {})
    rows = replace(rows_of(pa.table({"n": [1]})), relation=endless)
    with pytest.raises(TooSlow):
        for _ in batches(rows, Query(order=(Order("n", True),)), seconds=0.1):
            pass


def test_a_compiled_query_holds_values_only_as_values():
    text = ENGINE.text(apply(ROWS, Query(where=(condition(ROWS, "note", "eq", ["x'; drop view t; --"]),))))

    assert "'x''; drop view t; --'" in text
