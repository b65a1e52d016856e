"""Ladders climb only as far as the smallest group needs, all rows alike, and never come down again."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from itertools import product

import pyarrow as pa
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from chance import examples
from metroon import guard
from metroon.base.engine import Engine
from metroon.base.errors import Refused
from metroon.base.kinds import build
from metroon.base.node import Node
from metroon.base.places import Places
from metroon.guard import Guarded, Protecting, Technique
from metroon.guard.kinds.delay import Delay
from metroon.guard.kinds.diverse import Diverse
from metroon.guard.kinds.ladder import Ladder
from metroon.guard.kinds.rare import Rare
from metroon.guard.kinds.top_code import TopCode
from town import Town, promise

ENGINE = Engine()
DAYS = Ladder(column="day", steps=["day", "month", "quarter", "year"])
AGES = Ladder(column="age", steps=[5, 10, 20, 40])
COLUMNS = {"day": "date quasi", "age": "integer quasi", "kind": "string quasi", "ill": "string sensitive"}
AS_OF = date(2026, 3, 15)


def made(rows: list[dict], techniques: list[Technique], *, minimum: int = 3, **more) -> Guarded:
    columns = more.pop("columns", None) or {c: COLUMNS[c] for c in rows[0]}
    contract = promise(columns, **{k: more.pop(k) for k in ("unit", "table", "personKey") if k in more})
    given_here = Protecting(ENGINE, contract, as_of=AS_OF, **more)
    relation = ENGINE.table(pa.Table.from_pylist(rows))
    return guard.protect(relation, contract, techniques, given_here, minimum_cell=minimum)


def codes(*args, **more) -> list[str]:
    with pytest.raises(Refused) as caught:
        made(*args, **more)
    return [p.code for p in caught.value.problems]


def on(days: list[int], ages: list[int]) -> list[dict]:
    return [{"day": date(2025, 1, 1) + timedelta(days=d), "age": a} for d, a in zip(days, ages, strict=True)]


def smallest(rows: list[dict]) -> int:
    return min(Counter(tuple(sorted(r.items(), key=str)) for r in rows).values())


# Climbing


def test_a_ladder_stays_on_its_finest_step_when_that_is_enough():
    assert {"day": "day"} == made([{"day": AS_OF}] * 3, [DAYS]).steps


def test_the_ladder_that_is_declared_first_gives_way_first():
    rows = on([0, 40, 80] * 3, [21, 22, 23] * 3 * 1)
    fewer = [{**r, "age": 20 + i} for i, r in enumerate(rows)]

    assert {"day": "quarter", "age": "5"} == made(fewer[:5] + fewer[:5], [DAYS, AGES]).steps
    assert {"age": "40", "day": "day"} == made([{"day": AS_OF, "age": a} for a in (0, 39, 25)], [AGES, DAYS]).steps


def test_when_the_top_is_not_enough_no_row_leaves():
    assert ["G103"] == codes(on([0, 400, 800], [1, 1, 1]), [DAYS, AGES])


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 79)), min_size=3, max_size=40), st.integers(3, 6))
@examples(10, many=25)
def test_no_group_is_too_small_and_no_ladder_could_stand_on_a_finer_step(found, minimum):
    rows = on([d for d, _ in found], [a for _, a in found])
    try:
        left = made(rows, [DAYS, AGES], minimum=minimum)
    except Refused:
        return
    steps = dict(left.steps)

    def at(step: dict[str, str]) -> list[dict]:
        fixed = [
            Ladder(column=t.column, steps=[s for s in t.steps if _label(s) == step[t.column]]) for t in (DAYS, AGES)
        ]
        return ENGINE.rows(made(rows, fixed, minimum=minimum).rows)

    assert smallest(ENGINE.rows(left.rows)) >= minimum
    for t in (DAYS, AGES):
        labels = [_label(s) for s in t.steps]
        for finer in labels[: labels.index(steps[t.column])]:
            with pytest.raises(Refused):
                at({**steps, t.column: finer})


def _label(step: str | float) -> str:
    return step if isinstance(step, str) else f"{step:g}"


def test_the_order_of_rows_does_not_matter():
    rows = on([0, 1, 40, 41, 80, 81, 82], [3, 4, 13, 14, 33, 34, 35])

    assert made(rows, [DAYS, AGES]).steps == made(rows[::-1], [DAYS, AGES]).steps


@pytest.mark.parametrize("last", ["day", "month", "quarter", "year"])
def test_a_version_is_never_finer_than_the_one_before(last):
    assert {"day": last} == made([{"day": AS_OF}] * 9, [DAYS], before={"day": last}).steps


def test_a_step_that_is_not_there_any_more_leads_to_the_top():
    assert {"day": "year"} == made([{"day": AS_OF}] * 9, [DAYS], before={"day": "week"}).steps


def test_the_step_is_kept_with_the_version_and_holds_in_the_next_one(tmp_path):
    town = Town(tmp_path).city(thresholds={"minimum_cell": 3})
    ladder = {"kind": "ladder", "column": "day", "steps": ["day", "month", "year"]}

    def run(days: list[str]) -> dict:
        town.csv("visits.csv", [{"day": d} for d in days])
        town.product("visits", {"day": "date quasi"}, mode="rows", guard=[ladder])
        return town.run().walk.lake.open("visits").evidence["steps"]

    assert {"day": "month"} == run(["2025-01-01", "2025-01-02", "2025-01-03"])
    assert {"day": "month"} == run(["2025-01-01"] * 3)


@pytest.mark.parametrize(
    "steps",
    [["month", "day"], [10, 5], [5, 7], [0], [], [{"a": "x", "b": "x"}, {"a": "y", "b": "z"}], ["day", "day"]],
)
def test_steps_that_do_not_go_from_fine_to_coarse_are_refused(steps):
    with pytest.raises(Refused) as caught:
        build("guard", Node({"kind": "ladder", "column": "x", "steps": steps}, "product.yaml"), Technique)

    assert {"K104"} == {p.code for p in caught.value.problems}


def test_codes_climb_by_their_mappings_and_what_these_do_not_name_is_other():
    ladder = Ladder(column="kind", steps=[{"a": "ab", "b": "ab", "c": "c"}, {"a": "all", "b": "all", "c": "all"}])
    fine = made([{"kind": k} for k in "ababab" + "ccc" + "zzz"], [ladder])
    coarse = made([{"kind": k} for k in "ababab" + "cc" + "ccz" + "zz"[:2]], [ladder])

    assert {"ab", "c", "other"} == {r["kind"] for r in ENGINE.rows(fine.rows)}
    assert {"ab", "c", "other"} == {r["kind"] for r in ENGINE.rows(coarse.rows)}
    assert ["all"] * 4 == [r["kind"] for r in ENGINE.rows(made([{"kind": k} for k in "abbc"], [ladder]).rows)]


# Places


def wards(name: str, people: dict[str, int] | None) -> Places:
    return Places(
        name, name.title(), "2025", True, {"w": "West", "e": "East"},
        {"w": shapely.box(1, 1, 2, 2), "e": shapely.box(2, 1, 3, 2)}, people=people or {},
    )  # fmt: skip


POINT = {"table": {"point": {"longitude": "lon", "latitude": "lat"}}}
AT = {"lon": "number sensitive", "lat": "number sensitive"}
HERE = [{"lon": 1.5, "lat": 1.5}] * 3
AREAS = Ladder(column="lon", steps=["block", "district"])


@pytest.mark.parametrize(
    ("block", "expected"),
    [(20_000, "block"), (19_999, "district"), (None, "district")],
)
def test_a_sensitive_place_becomes_the_first_area_that_enough_people_live_in(block, expected):
    small = wards("block", {"w": 50_000, "e": block} if block else None)
    places = {"block": small, "district": wards("district", {"w": 90_000, "e": 20_000})}
    left = made(HERE, [AREAS], columns=AT, places=places, **POINT)

    assert ({"lon": expected}, [{expected: "w"}] * 3) == (left.steps, ENGINE.rows(left.rows))


@pytest.mark.parametrize("people", [None, {"w": 90_000}, {"w": 90_000, "e": 19_999}])
def test_where_no_area_has_enough_people_no_row_leaves(people):
    places = {"block": wards("block", None), "district": wards("district", people)}

    assert ["G142"] == codes(HERE, [AREAS], columns=AT, places=places, **POINT)


def test_a_lower_floor_is_taken_only_when_it_is_written():
    places = {"block": wards("block", {"w": 500, "e": 600}), "district": wards("district", None)}
    low = Ladder(column="lon", steps=["block", "district"], residents=500)

    assert {"lon": "block"} == made(HERE, [low], columns=AT, places=places, **POINT).steps


def test_places_of_things_need_no_residents():
    places = {"block": wards("block", None), "district": wards("district", None)}

    assert {"lon": "block"} == made(HERE, [AREAS], columns=AT, places=places, unit="none", **POINT).steps


# Delay


def left_of(days: list[date], technique: Delay, minimum: int = 1) -> list[date]:
    rows = made([{"day": d} for d in days], [technique], minimum=minimum)
    return [r["day"] for r in ENGINE.rows(rows.rows)]


def test_rows_leave_only_some_days_after_their_period_is_over():
    days = [date(2025, 12, 31), date(2026, 1, 1), date(2026, 1, 31), date(2026, 2, 1), date(2026, 3, 14)]

    assert [date(2025, 12, 1), date(2026, 1, 1), date(2026, 1, 1)] == left_of(days, Delay(column="day", days=42))
    assert [date(2025, 12, 1)] == left_of(days, Delay(column="day", days=43))
    assert [date(2025, 10, 1)] == left_of(days, Delay(column="day", days=1, period="quarter"))


def test_a_row_without_a_date_does_not_leave_nor_any_when_no_day_is_known():
    contract, technique = promise({"day": "date quasi"}), Delay(column="day", days=1)
    rows = ENGINE.table(pa.table({"day": pa.array([None, date(2020, 1, 1)], pa.date32())}))

    assert 1 == ENGINE.count(technique.protect(rows, Protecting(ENGINE, contract, as_of=AS_OF)))
    assert 0 == ENGINE.count(technique.protect(rows, Protecting(ENGINE, contract)))


@given(st.dates(date(2025, 1, 1), date(2026, 6, 1)), st.integers(1, 200), st.sampled_from(["month", "quarter", "year"]))
@examples(24, many=60)
def test_the_whole_period_of_a_row_that_leaves_is_over_for_as_long_as_declared(day, days, period):
    first_day_kept = date.fromisoformat(Delay(column="day", days=days, period=period).today(AS_OF))
    ends = {"month": 1, "quarter": 3, "year": 12}[period]
    month = day.month - (day.month - 1) % ends
    after = date(day.year + (month + ends - 1) // 12, (month + ends - 1) % 12 + 1, 1)

    assert (day < first_day_kept) == (after + timedelta(days=days) <= AS_OF)


def test_a_later_day_lets_more_rows_leave_without_a_new_delivery(tmp_path):
    town = Town(tmp_path).city(thresholds={"minimum_cell": 3})
    town.csv("visits.csv", [{"day": d} for d in ["2026-01-05"] * 3 + ["2026-02-05"] * 3])
    town.product(
        "visits", {"day": "date quasi"}, mode="rows", guard=[{"kind": "delay", "column": "day", "days": 20}]
    )  # fmt: skip

    def left(day: date) -> int:
        walk = town.run(as_of=day).walk
        return walk.engine.count(walk.lake.read(walk.lake.open("visits")))

    assert (3, 3, 6) == (left(date(2026, 3, 15)), left(date(2026, 3, 20)), left(date(2026, 3, 21)))


# Rare and high values


@given(st.dictionaries(st.text("abcdef", min_size=1, max_size=2), st.integers(1, 12), min_size=1, max_size=8))
@examples(16, many=40)
def test_rare_categories_become_one_that_is_not_rare_and_not_one_category(counts):
    rows = [{"kind": k} for k, n in counts.items() for _ in range(n)]
    relation = ENGINE.table(pa.Table.from_pylist(rows))
    given_here = Protecting(ENGINE, promise({"kind": "string quasi"}), minimum_cell=5)
    left = Counter(r["kind"] for r in ENGINE.rows(Rare(column="kind").protect(relation, given_here)))
    merged = {k for k in counts if k not in left}

    assert sum(counts.values()) == sum(left.values())
    assert all(n >= 5 for k, n in left.items() if k != "other")
    if merged and set(left) != {"other"}:
        assert left["other"] >= 5
        assert len(merged) >= 2


def test_nothing_rare_changes_nothing():
    rows = [{"kind": k} for k in "aaabbb"]

    assert {"a": 3, "b": 3} == Counter(r["kind"] for r in ENGINE.rows(made(rows, [Rare(column="kind")]).rows))


@pytest.mark.parametrize(("width", "expected"), [(None, [3, 89, 90, 90]), (10, [0, 80, 90, 90])])
def test_high_numbers_become_one(width, expected):
    rows = [{"age": a} for a in (3, 89, 90, 104)]
    left = made(rows, [TopCode(column="age", highest=90, width=width)], minimum=1)

    assert expected == [r["age"] for r in ENGINE.rows(left.rows)]


# What a group tells


def ill(*groups: str) -> list[dict]:
    return [{"age": 10 * g, "ill": x} for g, told in enumerate(groups) for x in told]


BANDS = Ladder(column="age", steps=[1])


@pytest.mark.parametrize(
    ("groups", "is_safe"),
    [
        (["aabbcc"], True),
        (["aabb"], False),  # two values only
        (["aaaabc"], False),  # all but two alike
        (["aaaabcd"], True),
        (["aabbcc", "aaaaaa"], False),
        (["------"], False),
    ],
)  # fmt: skip
def test_a_group_that_is_alike_in_what_is_sensitive_keeps_every_row_in(groups, is_safe):
    rows = [r | {"ill": None if r["ill"] == "-" else r["ill"]} for r in ill(*groups)]
    techniques = [BANDS, Diverse(column="ill")]
    columns = {"age": "integer quasi", "ill": "string sensitive"}

    if is_safe:
        assert {"age", "ill"} == set(ENGINE.rows(made(rows, techniques).rows)[0])
    else:
        assert ["G143"] == codes(rows, techniques, columns=columns)


def test_many_rows_of_one_person_are_one_person_in_a_group_too():
    rows = [r | {"who": w} for r, w in zip(ill("aaabbc"), "123445", strict=True)]
    columns = {"age": "integer quasi", "ill": "string sensitive", "who": "string linkage key"}

    assert ["G143"] == codes(rows, [BANDS, Diverse(column="ill")], columns=columns, personKey="who")
    assert 6 == ENGINE.count(made(rows, [BANDS, Diverse(column="ill")], columns=columns).rows)


def test_a_ladder_climbs_until_its_groups_differ_in_what_is_sensitive():
    rows = [{"age": a, "ill": x} for a, x in zip([1, 1, 1, 1, 7, 7, 7, 7], "aaaabbcc", strict=True)]

    assert {"age": "10"} == made(rows, [AGES, Diverse(column="ill")]).steps


def test_a_sensitive_column_stays_in_without_a_technique_and_with_any_other():
    rows = ill("aabbcc")

    assert ["age"] == list(ENGINE.rows(made(rows, [BANDS]).rows)[0])
    assert ["age"] == list(ENGINE.rows(made(rows, [BANDS, Rare(column="ill")]).rows)[0])


@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from("abc"), st.integers(0, 9)), min_size=1, max_size=60))
@examples(16, many=40)
def test_how_alike_people_are_is_what_counting_by_hand_finds(found):
    rows = [{"age": a, "ill": x, "_who_": str(w)} for a, x, w in found]
    told = guard.likeness.likeness(
        ENGINE.table(pa.Table.from_pylist(rows)), ["age"], {"ill": 3}, ENGINE, minimum_cell=4, counts_alone=True
    )
    people = {a: {w for b, _, w in found if b == a} for a in {a for a, _, _ in found}}
    having = {(a, x): {w for b, y, w in found if (b, y) == (a, x)} for a, x in product(people, "abc")}
    alike = sum(
        len([x for x in "abc" if having[a, x]]) < 3 or len(people[a]) - max(len(having[a, x]) for x in "abc") < 3
        for a in people
    )
    small = {a for a in people if len(people[a]) < 4}

    assert (len(people), min(map(len, people.values())), len(small)) == (told.groups, told.smallest, told.small_groups)
    assert sum(a in small for a, _, _ in found) == told.small_rows
    assert {"ill": alike} == told.alike
    assert sum(n == 1 for n in Counter((a, x) for a, x, _ in found).values()) == told.alone


# Columns that single people out together


BIRTHS = {"birth_date": "date quasi", "zip": "string quasi", "sex": "string quasi"}


def born(n: int, day: date = date(1980, 5, 17)) -> list[dict]:
    return [{"birth_date": day, "zip": "95112", "sex": "F"}] * n


SAME = [{"kind": "ladder", "column": c, "steps": [{"95112": "95112", "F": "F"}]} for c in ("zip", "sex")]


def born_techniques(step: str) -> list[Technique]:
    told = [*SAME, {"kind": "ladder", "column": "birth_date", "steps": [step]}]
    return [build("guard", Node(t, "product.yaml"), Technique) for t in told]


def test_birth_place_and_sex_never_leave_together_however_many_share_them():
    # Sweeney (2000), table 1: 87 % of the residents of the United States are unique by these three.
    assert ["G141"] == codes(born(50), born_techniques("day"), columns=BIRTHS)
    assert ["G141"] == codes(born(50), born_techniques("month"), columns=BIRTHS)


def test_the_year_of_birth_may():
    assert 50 == ENGINE.count(made(born(50), born_techniques("year"), columns=BIRTHS).rows)


def test_they_leave_when_one_of_them_is_dropped_or_no_person_stands_behind_the_row():
    two = [t for t in born_techniques("day") if t.column != "sex"]

    assert {"birth_date", "zip"} == set(ENGINE.rows(made(born(50), two, columns=BIRTHS).rows)[0])
    assert 50 == ENGINE.count(made(born(50), born_techniques("day"), columns=BIRTHS, unit="none").rows)
