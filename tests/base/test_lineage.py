"""What a column of a query is made of: nothing else can change it, whatever the rows are."""

from __future__ import annotations

from collections import Counter
from typing import Any

import duckdb
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from chance import examples
from metroon.base.lineage import lineage
from metroon.base.sql import select

ENGINE = duckdb.connect(config={"threads": 1})
TABLES = {"a": ["k", "x", "y", "z"], "b": ["k", "u", "v"]}
STAYS = {
    "stays": ["id", "person", "ward", "age", "race"], "wards": ["ward", "name", "people"], "visits": ["id", "card"],
}  # fmt: skip


def told(query: str) -> dict[str, str]:
    """Column -> what it is computed from, then what decides the rows, as short text."""
    select(query)
    found = lineage(query, STAYS)
    assert found.why_not == ""
    words = {name: " ".join(sorted(".".join(o) for o in origins)) for name, origins in found.columns.items()}
    return words | {"(rows)": " ".join(sorted(".".join(o) for o in found.decides))}


STAYS_ALL = "stays.age stays.id stays.person stays.race stays.ward"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("select ward, upper(race) as r from stays", {"ward": "stays.ward", "r": "stays.race", "(rows)": ""}),
        ("select ward from stays where age > 64", {"ward": "stays.ward", "(rows)": "stays.age"}),
        ("select ward, count(*) as n from stays group by ward",
         {"ward": "stays.ward", "n": STAYS_ALL, "(rows)": "stays.ward"}),
        ("select ward, sum(age) as s from stays group by all",
         {"ward": "stays.ward", "s": STAYS_ALL, "(rows)": STAYS_ALL}),
        ("select count(*) as n from (select ward from stays)", {"n": STAYS_ALL, "(rows)": ""}),
        ("select s.ward, w.name from stays s join wards w on s.ward = w.ward",
         {"ward": "stays.ward", "name": "wards.name", "(rows)": "stays.ward wards.ward"}),
        ("select * exclude (id, person, age, race) from stays join wards using (ward)",
         {"ward": "stays.ward wards.ward", "name": "wards.name", "people": "wards.people",
          "(rows)": "stays.ward wards.ward"}),
        ("with old as (select ward as w from stays where age > 64) select w from old",
         {"w": "stays.ward", "(rows)": "stays.age"}),
        ("with old(w) as (select ward from stays) select name from wards where ward in (select w from old)",
         {"name": "wards.name", "(rows)": "stays.ward wards.ward"}),
        ("select distinct race from stays", {"race": "stays.race", "(rows)": "stays.race"}),
        ("select ward from stays order by age", {"ward": "stays.ward", "(rows)": "stays.age"}),
        ("select ward, age from stays order by 2 limit 5",
         {"ward": "stays.ward", "age": "stays.age", "(rows)": "stays.age"}),
        ("select race as r, r || '!' as loud from stays", {"r": "stays.race", "loud": "stays.race", "(rows)": ""}),
        ("select stays as whole from stays", {"whole": STAYS_ALL, "(rows)": ""}),
        ("select ward, row_number() over (order by age) as n from stays",
         {"ward": "stays.ward", "n": STAYS_ALL, "(rows)": ""}),
        ("select name from wards semi join stays using (ward)",
         {"name": "wards.name", "(rows)": "stays.ward wards.ward"}),
        ("select ward from stays union all select name from wards",
         {"ward": "stays.ward wards.name", "(rows)": ""}),
        ("select ward from stays except select ward from wards",
         {"ward": "stays.ward wards.ward", "(rows)": "stays.ward wards.ward"}),
        ("select id, card from visits union all by name select id, race as card from stays",
         {"id": "stays.id visits.id", "card": "stays.race visits.card", "(rows)": ""}),
        ("select list_transform([age], ward -> ward + people) as t from stays, wards",
         {"t": "stays.age stays.ward wards.people wards.ward", "(rows)": ""}),
        ("select n from stays, lateral (select name as n from wards where wards.ward = stays.ward)",
         {"n": "wards.name", "(rows)": "stays.ward wards.ward"}),
        ("select case when age > 64 then 'old' end as band from stays", {"band": "stays.age", "(rows)": ""}),
        ("select 1 as one from stays", {"one": "", "(rows)": ""}),
    ],
)  # fmt: skip
def test_every_column_is_told_by_what_it_is_made_of(query, expected):
    assert expected == told(query)


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("with recursive r as (select 1 as n union all select n + 1 from r where n < 9) select n from r",
         "it uses recursive cte"),
        ("select #1 from stays", "it names columns by their position or a pattern"),
        ("select columns('w.*') from stays", "it chooses columns by a pattern"),
        ("select * from stays positional join wards", "it joins by position"),
        ("select * from stays, visits", "two of its columns have the name 'id'"),
        ("select unnest([age, 1]) from stays", "it unnests in its select list"),
        ("select * from elsewhere", "the columns of 'elsewhere' are not known"),
        ("select height from stays", "no table is known to have the column 'height'"),
        ("select * from range(3) r", "it is not known what a star stands for"),
    ],
)  # fmt: skip
def test_what_cannot_be_told_for_certain_is_said_to_be_so(query, why):
    found = lineage(query, STAYS)

    assert (why, None) == (found.why_not, found.of("ward"))


def test_a_column_that_the_query_does_not_give_has_no_lineage():
    assert lineage("select ward from stays", STAYS).of("race") is None


# Whatever the query: a column that is not among the origins can be anything, and nothing changes.

COLUMNS = [(t, c) for t, columns in TABLES.items() for c in columns]


@st.composite
def queries(draw: Any, depth: int = 2) -> tuple[str, list[str]]:
    """A SELECT over two tables of whole numbers, with the names of its columns."""
    source, columns = draw(sources(depth))
    n = draw(st.integers(1, 3))
    items = [draw(expressions(columns, depth)) for _ in range(n)]
    is_grouped = draw(st.booleans()) and draw(st.booleans())
    aggregates = ["count(*)", f"sum({draw(st.sampled_from(columns))})", f"max({draw(st.sampled_from(columns))})"]
    more = [draw(st.sampled_from(aggregates))] if is_grouped else []
    if not is_grouped and draw(st.integers(0, 5)) == 0:
        more = [f"count(*) over (partition by {draw(st.sampled_from(columns))})"]
    named = [f"{e} as c{i}" for i, e in enumerate([*items, *more])]
    where = f" where {draw(predicates(columns, depth))}" if draw(st.booleans()) else ""
    distinct = "distinct " if draw(st.integers(0, 6)) == 0 else ""
    group = f" group by {', '.join(str(i + 1) for i in range(n))}" if is_grouped else ""
    having = f" having count(*) > {draw(st.integers(0, 2))}" if is_grouped and draw(st.booleans()) else ""
    order = (
        f" order by {draw(st.sampled_from([f'c{i}' for i in range(n)]))} limit 3"
        if draw(st.integers(0, 5)) == 0
        else ""
    )
    made = f"select {distinct}{', '.join(named)} from {source}{where}{group}{having}{order}"
    return made, [f"c{i}" for i in range(len(named))]


@st.composite
def sources(draw: Any, depth: int) -> tuple[str, list[str]]:
    kind = draw(st.integers(0, 6 if depth else 3))
    if kind == 0:
        return "a", ["k", "x", "a.y", "z"]
    if kind == 1:
        return "a join b using (k)", ["k", "x", "y", "u", "v"]
    if kind == 2:
        how = draw(st.sampled_from(["join", "left join", "semi join"]))
        return f"a {how} b on a.k = b.u", ["a.k", "x", "y"] if how == "semi join" else ["a.k", "b.k", "x", "v"]
    if kind == 3:
        return "b natural join a", ["k", "u", "x"]
    inner, names = draw(queries(depth - 1))
    if kind == 4:
        return f"({inner}) as s", [f"s.{n}" for n in names]
    if kind == 5:
        return f"({inner}) as s(p), b", ["p", "v"]
    other, more = draw(queries(depth - 1))
    assume(len(names) == len(more))
    how = draw(st.sampled_from(["union all", "union", "except", "intersect"]))
    return f"(({inner}) {how} ({other})) as s", names


@st.composite
def expressions(draw: Any, columns: list[str], depth: int) -> str:
    column, other = draw(st.sampled_from(columns)), draw(st.sampled_from(columns))
    kinds = [
        column, f"{column} + {other}", f"coalesce({column}, {other})", "7",
        f"list_sum(list_transform([{column}], lambda e: e + {other}))",
    ]  # fmt: skip
    if depth:
        kinds += [
            f"case when {draw(predicates(columns, 0))} then {column} else 0 end",
            f"(select max(i.u) from b as i where i.k = {column})",
        ]
    return draw(st.sampled_from(kinds))


@st.composite
def predicates(draw: Any, columns: list[str], depth: int) -> str:
    column, other = draw(st.sampled_from(columns)), draw(st.sampled_from(columns))
    kinds = [f"{column} > 1", f"{column} = {other}"]
    if depth:
        kinds += [f"{column} in (select i.v from b as i)", f"exists (select 1 from b as i where i.u = {column})"]
    return draw(st.sampled_from(kinds))


def run(query: str, data: dict[str, list[tuple[int, ...]]]) -> dict[str, Counter[Any]]:
    """Column -> how often each value stands in it."""
    for table, columns in TABLES.items():
        values = ", ".join(str(row) for row in data[table])
        ENGINE.execute(f"create or replace table {table} as from (values {values}) as t({', '.join(columns)})")
    answer = ENGINE.execute(query)
    names = [d[0] for d in answer.description]
    rows = answer.fetchall()
    return {name: Counter(r[i] for r in rows) for i, name in enumerate(names)}


def rows_of(width: int) -> st.SearchStrategy[list[tuple[int, ...]]]:
    return st.lists(st.tuples(*[st.integers(0, 3)] * width), min_size=4, max_size=7)


@given(queries(), st.fixed_dictionaries({"a": rows_of(4), "b": rows_of(3)}), st.sampled_from(COLUMNS), st.data())
@examples(40, many=150)
def test_a_column_that_is_no_origin_can_be_anything_and_nothing_changes(query, data, changed, more):
    text, names = query
    select(text)
    found = lineage(text, TABLES)
    assert found.why_not == ""
    free = [n for n in names if changed not in (found.of(n) or ())]
    assume(free)
    table, column = changed
    at = TABLES[table].index(column)
    fresh = more.draw(st.lists(st.integers(0, 3), min_size=len(data[table]), max_size=len(data[table])))
    other = {**data, table: [(*r[:at], v, *r[at + 1 :]) for r, v in zip(data[table], fresh, strict=True)]}
    before, after = run(text, data), run(text, other)

    assert {n: before[n] for n in free} == {n: after[n] for n in free}
