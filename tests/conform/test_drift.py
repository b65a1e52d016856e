"""What deliveries bring otherwise than those before: told with its numbers, and never where nothing moved."""

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chance import examples
from metroon.conform import Past, drifted_columns, watch
from metroon.conform.drift import KEPT
from tiny import File, checked, ours, promise, text

NOTHING = Past({}, frozenset())
LIMITS = {"rows_percent": 50, "missing_percent": 10, "shares_percent": 15}
KIND = {"name": "kind", "logicalType": "string", "classification": "public", "enum": [{"value": v} for v in "abc"]}
SIZE = {"name": "size", "logicalType": "integer", "classification": "public"}
PROMISED = promise(KIND, SIZE, customProperties=ours(drift=LIMITS))


def file(name: str, rows) -> File:
    return File([list(r) for r in rows], name)


def deliver(engine, past, *files, promised=PROMISED, headers=None):
    """What is found in files, and the past after them; each file has a hash of its own name and rows."""
    made = checked(engine, promised, *files)
    hashes = {f.name: f"{f.name} {hash(str(f.rows))}" for f in files}
    made = replace(made, deliveries=tuple(replace(d, sha256=hashes[d.file]) for d in made.deliveries))
    given = {(f, hashes[f]): h for f, h in (headers or {}).items()}
    found = watch(engine, made, given, past)
    return found.drifts, Past(found.profiles, frozenset(hashes.values()))


def months(n: int, rows: int = 40):
    mixed = random.Random(1)
    return [
        file(f"{i:02}.csv", [(mixed.choice("aab"), str(mixed.randint(1, 9))) for _ in range(rows)]) for i in range(n)
    ]


def after(engine, fresh: File, *, n: int = 6, promised=PROMISED):
    before = months(n)
    _, past = deliver(engine, NOTHING, *before, promised=promised)
    return [(d.kind, d.column, d.delivery) for d in deliver(engine, past, *before, fresh, promised=promised)[0]]


def test_the_first_deliveries_have_nothing_to_be_compared_with(engine):
    assert () == deliver(engine, NOTHING, *months(6))[0]


def test_a_delivery_like_the_others_moves_nothing(engine):
    assert [] == after(engine, months(7)[6])


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ([("a", "1")] * 30 + [("b", "x")] * 40, ("type changed", "size")),
        ([("a", "3"), ("b", "5")] * 19 + [("d", "3")], ("codes grown", "kind")),
        ([("a", "3"), ("a", "5"), ("b", "7")] * 40, ("more rows", "")),
        ([("a", "3"), ("a", "5"), ("b", "7")] * 3, ("fewer rows", "")),
        ([("a", "3"), ("a", ""), ("b", "7")] * 13, ("gaps", "size")),
        ([("c", "3"), ("c", "5"), ("c", "7")] * 13, ("shares", "kind")),
        ([("a", "3000"), ("a", "5000"), ("b", "7000")] * 13, ("shares", "size")),
    ],
)
def test_what_moved_is_told_of_the_delivery_in_which_it_moved(rows, found, engine):
    assert (*found, "new.csv") in after(engine, file("new.csv", rows))


def test_the_numbers_that_were_compared_are_told(engine):
    before = months(6)
    _, past = deliver(engine, NOTHING, *before)
    (drift, *_), _ = deliver(engine, past, *before, file("new.csv", [("a", "3"), ("a", "5"), ("b", "7")] * 40))

    assert "120 rows, 200 % more than the median of 40 in 6 deliveries; 50 % may be" == drift.what


def test_how_much_may_move_is_the_contracts_to_say(engine):
    silent = promise(KIND, SIZE)
    wide = promise(KIND, SIZE, customProperties=ours(drift={"rows_percent": 500}))
    many = file("new.csv", [("c", "")] * 120)

    assert [[], []] == [after(engine, many, promised=p) for p in (silent, wide)]


def test_nothing_is_told_twice_of_one_delivery(engine):
    before, fresh = months(6), file("new.csv", [("c", "")] * 120)
    _, past = deliver(engine, NOTHING, *before)
    first, past = deliver(engine, past, *before, fresh)

    assert first
    assert () == deliver(engine, past, *before, fresh)[0]


def test_only_the_profiles_of_the_newest_deliveries_are_kept(engine):
    before = months(KEPT + 5, rows=1)
    found, past = deliver(engine, NOTHING, *before)

    assert (KEPT, ()) == (len(past.profiles), found)
    assert () == deliver(engine, past, *before)[0]


NAMES = ["kind", "size", "street"]


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        (["kind", "size"], []),
        (["kind", "street"], [("column gone", "size", "column 'size' is gone")]),
        (["kind", "Size_m"], [("column renamed", "size", "column 'size' is gone; it is likely 'Size_m' now")]),
        (["kind", "size", "zip"], [("column new", "zip", "column 'zip' is new")]),
        (["Mary Moe", "1 Main Street"], []),
    ],
)
def test_a_column_that_is_gone_or_new_is_told_also_where_nothing_can_be_read(headers, found):
    past = Past({"1": {"headers": NAMES, "rows": 1, "aside": {}}}, frozenset({"1"}))
    told = drifted_columns(PROMISED, {("new.csv", "2"): headers}, past)

    assert found == [(d.kind, d.column, d.what) for d in told]


@examples(6, many=20)
@given(seed=st.integers(0, 10_000))
def test_samples_of_one_mixture_rarely_move(seed, engine):
    mixed = random.Random(seed)
    every = [file(f"{i}.csv", [(mixed.choice("aabc"), str(mixed.randint(1, 99))) for _ in range(60)]) for i in range(7)]
    _, past = deliver(engine, NOTHING, *every[:6])

    assert [] == [d.kind for d in deliver(engine, past, *every)[0]]


def test_no_value_of_a_row_is_kept_in_a_profile(engine):
    given = [text("name", classification="direct"), {**text("note"), "classification": "public"}, SIZE]
    promised = promise(*given, customProperties=ours(drift=LIMITS))
    _, past = deliver(
        engine, NOTHING, file("a.csv", [("Quetzal Moe", "Quetzalcoatl", "737373")] * 3), promised=promised
    )

    assert [] == [word for word in ("Quetzal", "737373") if word in str(past.profiles)]
