"""One suite for all kinds, found by listing: a new kind is held to the promises of its room for nothing."""

from __future__ import annotations

import inspect
import json
import math
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metroon.base import kinds
from metroon.base.engine import Engine, EngineKind
from metroon.base.errors import Refused
from metroon.base.estimate import Cell, Spread, Tallies
from metroon.base.kinds import Kind
from metroon.base.node import Node
from metroon.city.city import Geography, People
from metroon.collect import FileSource, Reading, Source
from metroon.guard import Protecting, Technique
from metroon.measure import Indicator, Known, faults
from metroon.review import Question
from metroon.serve.door import Door
from town import promise

ENGINE = Engine()
NOUNS: dict[str, type[Kind]] = {
    "base": EngineKind, "collect": Source, "guard": Technique, "measure": Indicator, "lake": Kind, "review": Question,
    "serve": Door,
}  # fmt: skip
EVERY = [(room, name) for room in kinds.rooms() for name in kinds.names(room)]
GUARDS = list(kinds.names("guard"))
MEASURES = list(kinds.names("measure"))
FILES = [n for n in kinds.names("collect") if issubclass(kinds.find("collect", n, Kind), FileSource)]
# What stands for an option that a kind must be given, by its type.
ANY = {
    "": "european_2013",
    "string": "column",
    "integer": 3,
    "number": 3.0,
    "boolean": True,
    "array": ["a"],
    "object": {},
}


def any_value(told: dict[str, Any]) -> object:
    """A value that an option may have, by what its schema says of it."""
    given = told.get("examples") or told.get("enum")
    return (given or (["2026-01-01"] if told.get("format") == "date" else [ANY[told.get("type", "")]]))[0]


def options(kind: type[Kind], **known: object) -> dict[str, object]:
    """The fewest options that a kind can be made with."""
    schema = kind.model_json_schema()
    needed = {
        n: known.get(n, MEASURE_OPTIONS["people"] if n == "people" else any_value(schema["properties"][n]))
        for n in schema.get("required", [])
    }
    return needed | {k: v for k, v in known.items() if k in schema["properties"]}


def made(room: str, name: str, **known: object):
    kind = kinds.find(room, name, NOUNS[room])
    return kinds.build(room, Node({"kind": name, **options(kind, **known)}, "some.yaml"), NOUNS[room])


@pytest.mark.parametrize(("room", "name"), EVERY)
def test_a_kind_says_in_one_sentence_what_it_is(room, name):
    first = kinds.first_line(room, name)

    assert (True, True) == (first.endswith("."), len(first) > 20)


@pytest.mark.parametrize(("room", "name"), EVERY)
def test_every_option_of_a_kind_is_on_its_manual_page(room, name):
    kind = kinds.find(room, name, NOUNS[room])
    page = "".join((inspect.getsource(c) if c is not Kind else "") for c in kind.__mro__ if issubclass(c, Kind))

    # In the class's own Args, or in a line of its own below the field.
    assert [] == [f for f in kind.model_fields if f"        {f}: " not in page and not _has_line(page, f)]


def _has_line(page: str, option: str) -> bool:
    lines = [line.strip() for line in page.splitlines()]
    return any(a.startswith(f"{option}:") and b.startswith('"""') for a, b in pairwise(lines))


@pytest.mark.parametrize(("room", "name"), [e for e in EVERY if e[0] != "lake"])
def test_a_word_that_a_kind_does_not_know_is_refused_with_its_line(room, name):
    kind = kinds.find(room, name, NOUNS[room])
    node = Node({"kind": name, **options(kind), "colour": "red"}, "some.yaml", {("colour",): 7})
    with pytest.raises(Refused) as refused:
        kinds.build(room, node, NOUNS[room])

    assert [("some.yaml", 7, "K104")] == [(p.file, p.line, p.code) for p in refused.value.problems]


@pytest.mark.parametrize(("room", "name"), EVERY)
def test_editors_can_help_with_every_kind(room, name):
    assert "properties" in json.loads(json.dumps(kinds.find(room, name, NOUNS[room]).model_json_schema()))


# Collect: what is not there is told; nothing is made up.


@pytest.mark.parametrize("name", FILES)
def test_a_source_of_files_that_are_not_there_says_where_it_looked(name, tmp_path):
    source = made("collect", name, path="nothere.*")
    with pytest.raises(Refused) as refused:
        source.read(Reading(ENGINE, promise({"a": "string public"}), tmp_path, tmp_path))

    assert ["D101"] == [p.code for p in refused.value.problems]
    assert "nothere.*" in refused.value.problems[0].what


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("content", [b"", b"\x00\xff\xfe\x00 no such format \x00", b"<html>404</html>"])
def test_a_source_refuses_a_file_that_it_cannot_read_and_never_breaks(name, content, tmp_path):
    (tmp_path / "broken.zip").write_bytes(content)
    source = made("collect", name, path="broken.zip")
    with pytest.raises(Refused) as refused:
        source.read(Reading(ENGINE, promise({"a": "string public"}), tmp_path, tmp_path))

    assert {"D102"} == {p.code for p in refused.value.problems}


# Guard: a technique never lets more out than came in.

SECRETS = {
    "string": ["Ann Example", "Bob Sample", None],
    "integer": [87654, 91234, None],
    "number": [87654.25, 91234.5, None],
}


@pytest.mark.parametrize("name", GUARDS)
@pytest.mark.parametrize("kind", SECRETS)
@pytest.mark.parametrize("unit", ["person", "none"])
def test_a_technique_leaves_no_value_of_a_direct_column_in_what_leaves(name, kind, unit):
    from metroon import guard

    technique = made("guard", name, column="x", purpose="care", width=1, steps=[1])
    contract = promise({"x": f"{kind} direct", "kept": "string public"}, unit=unit)
    rows = ENGINE.table(pa.table({"x": SECRETS[kind], "kept": ["a", "b", "c"]}))
    given_here = Protecting(ENGINE, contract, {}, {"care": b"a key of sixteen or more"})
    try:
        left = ENGINE.rows(guard.protect(rows, contract, [technique], given_here, minimum_cell=11).rows)
    except Refused:
        left = []

    assert set() == {str(v) for r in left for v in r.values()} & {str(v) for v in SECRETS[kind] if v is not None}


# What a technique is for, where that is no number; the others take numbers too.
FITTING = {"delay": "date", "rare": "string"}
DAYS = [date(2025, 1 + i % 12, 1 + i % 28) for i in range(40)]


def given_column(name: str, values: list[int | None]) -> tuple[dict[str, str], pa.Array]:
    """A contract's column that a technique is for, and some values of it."""
    kind = FITTING.get(name, "integer")
    told = {"integer": values, "string": [v and f"v{v}" for v in values], "date": [v and DAYS[v] for v in values]}
    return {"x": f"{kind} quasi", "kept": "string public"}, pa.array(told[kind])


@pytest.mark.parametrize("name", GUARDS)
def test_a_technique_changes_its_own_column_only_and_adds_no_row(name):
    technique = made("guard", name, column="x", purpose="care", width=10, steps=[10, 20])
    columns, values = given_column(name, list(range(1, 40)))
    table = pa.table({"x": values, "kept": [f"k{i}" for i in range(39)]})
    given_here = Protecting(ENGINE, promise(columns), {}, {"care": b"a key of sixteen or more"}, date(2026, 3, 15))
    done = [r["kept"] for r in ENGINE.rows(technique.protect(ENGINE.table(table), given_here))]

    assert [k for k in table["kept"].to_pylist() if k in done] == done
    assert name == "delay" or len(done) == 39


@pytest.mark.parametrize("name", GUARDS)
def test_a_technique_does_the_same_every_time(name):
    technique = made("guard", name, column="x", purpose="care", width=10, steps=[10, 20])
    columns, values = given_column(name, [1, 25, None, 1])
    rows = ENGINE.table(pa.table({"x": values, "kept": list("abcd")}))
    given_here = Protecting(ENGINE, promise(columns), {}, {"care": b"a key of sixteen or more"}, date(2026, 3, 15))

    assert ENGINE.rows(technique.protect(rows, given_here)) == ENGINE.rows(technique.protect(rows, given_here))


# Measure: a value stands between its bounds, or there is none and words say why.

CELLS = 40
MEASURE_OPTIONS: dict[str, object] = {
    "of": "stays", "title": "A", "question": "B?", "when": "x", "value": "n", "numerator": "n", "denominator": "m",
    "until": "ended", "begun": "day", "weight": "m", "by": "age", "standard": {"young": 2, "old": 1},
    "levels": ["young", "old"],
    "people": {"of": "residents", "column": "n", "group": "g", "source": "count", "vintage": "2025"},
}  # fmt: skip


def measure(name: str, **more: object) -> Indicator:
    kind = kinds.find("measure", name, Indicator)
    given_here = {k: v for k, v in {**MEASURE_OPTIONS, **more}.items() if k in kind.model_fields}
    if name in ("again", "indirectly_standardised", "directly_standardised") or "by" not in kind.model_fields:
        given_here["by"] = ["age"] if name == "again" else "age"
    given_here = {k: v for k, v in given_here.items() if k in kind.model_fields}
    return kinds.build("measure", Node({"kind": name, **given_here}, "some.yaml"), Indicator)


def tallied(name: str, seed: int) -> Tallies:
    """What rows of chance would add up to in some cells, for whatever a kind may ask of them."""
    chance = np.random.default_rng(seed)
    sizes = chance.choice([0, 1, 2, 5, 30, 400], CELLS)
    cell = np.repeat(np.arange(CELLS), sizes)
    n, m = chance.gamma(2, 3, len(cell)).round(1), chance.choice([1.0, 2.0, 5.0], len(cell))
    outcome = chance.choice(["yes", "no", "unknown"], len(cell), p=[0.3, 0.5, 0.2])
    every = not kinds.find("measure", name, Indicator).is_share
    is_known, says = outcome != "unknown", outcome == "yes"

    def added(values: np.ndarray, only: np.ndarray) -> np.ndarray:
        return np.bincount(cell[only], weights=np.asarray(values, dtype=float)[only], minlength=CELLS)

    one = np.ones(len(cell))
    yes = added(one, is_known if every else says).astype(int)
    sums = {
        "sum": added(n, is_known), "squares": added(n * n, is_known), "numerator": added(n, is_known),
        "denominator": added(m, is_known), "numerator squares": added(n * n, is_known),
        "denominator squares": added(m * m, is_known), "products": added(n * m, is_known),
        "closed": added(one, says), "weights": added(m, is_known), "yes weights": added(m, says),
    }  # fmt: skip
    sums |= {"squares": added(m * m, is_known)} if name == "survey_share" else {}
    half = chance.binomial(yes, 0.5)
    spread = Spread(
        cell[is_known], {"value": n[is_known], "days": np.floor(n[is_known])},
        {"n": one[is_known], "closed": says[is_known].astype(float)},
    )  # fmt: skip
    return Tallies(
        yes, np.zeros(CELLS, dtype=int) if every else added(one, outcome == "no").astype(int),
        added(one, ~is_known).astype(int), chance.choice([np.nan, 0.0, 0.5, 1000.0, 1e7], CELLS), sums,
        np.stack([half, yes - half], axis=1).astype(float), chance.choice([0.0, 1000.0, 2500.0], (CELLS, 2)),
        np.zeros(CELLS, dtype=int), None if name == "survey_share" else spread,
    )  # fmt: skip


cells_at = [Cell("2025", "ward", str(i)) for i in range(CELLS)]
seeds = st.integers(0, 10_000)


@pytest.mark.parametrize("name", MEASURES)
@given(seed=seeds)
@settings(max_examples=20, deadline=None)
def test_an_estimate_stands_between_its_bounds_or_says_why_there_is_none(name, seed):
    for estimate in measure(name).estimates(tallied(name, seed)).at(cells_at):
        numbers = [estimate.value, estimate.worst, estimate.best, estimate.base]

        assert all(n is None or (math.isfinite(n) and n >= 0) for n in numbers)
        assert all(n is None or math.isfinite(n) for n in (estimate.low, estimate.high))
        if estimate.value is None:
            assert (True, None, None) == (bool(estimate.note), estimate.low, estimate.high)
            assert estimate.state not in ("known", "hidden")
        else:
            assert estimate.state in ("known", "cannot tell")
            assert bool(estimate.note) == (estimate.state == "cannot tell")
        if estimate.low is not None:
            assert estimate.low - 1e-9 <= estimate.value <= estimate.high + 1e-9
            assert estimate.low < estimate.high


@pytest.mark.parametrize("name", MEASURES)
@given(seed=seeds)
@settings(max_examples=20, deadline=None)
def test_a_share_of_unknowns_lies_between_worst_and_best(name, seed):
    for direction in ("up", "down"):
        for e in measure(name, direction=direction).estimates(tallied(name, seed)).at(cells_at):
            if e.worst is not None and e.best is not None and name != "survey_share":
                low, high = sorted((e.worst, e.best))
                assert low - 1e-12 <= e.value <= high + 1e-12
                assert (e.worst <= e.best) == (direction == "up" or e.worst == e.best)


@pytest.mark.parametrize("name", MEASURES)
@given(seed=seeds, width=st.floats(1e-6, 1e6))
@settings(max_examples=20, deadline=None)
def test_who_asks_for_less_width_is_told_no_more(name, seed, width):
    wide, narrow = (
        measure(name, small_numbers={"useful_width": w}).estimates(tallied(name, seed)).at(cells_at)
        for w in (width, width / 2)
    )

    assert [(e.value, e.low, e.high) for e in wide] == [(e.value, e.low, e.high) for e in narrow]
    assert not any(a.state == "cannot tell" and b.state == "known" for a, b in zip(wide, narrow, strict=True))


@pytest.mark.parametrize("name", MEASURES)
@given(seed=seeds)
@settings(max_examples=10, deadline=None)
def test_a_cell_has_the_same_estimate_alone_and_among_others(name, seed):
    found, indicator = tallied(name, seed), measure(name)
    together = indicator.estimates(found).at(cells_at)
    order = np.random.default_rng(seed).permutation(CELLS)
    back = np.argsort(order)
    spread = found.spread and Spread(back[found.spread.cell], found.spread.keys, found.spread.sums)
    moved = Tallies(
        found.yes[order], found.no[order], found.unknown[order], found.people[order],
        {k: v[order] for k, v in found.sums.items()}, found.strata[order], found.strata_people[order],
        np.full(CELLS, back[0]), spread,
    )  # fmt: skip
    apart = indicator.estimates(moved).at([cells_at[i] for i in order])

    for one, other in zip(together, sorted(apart, key=lambda e: int(e.cell.place)), strict=True):
        assert (one.cell, one.state, one.note) == (other.cell, other.state, other.note)
        assert [one.value, one.low, one.high] == pytest.approx([other.value, other.low, other.high])


@pytest.mark.parametrize("name", MEASURES)
def test_a_measure_counts_its_product_or_says_that_there_is_none(name):
    node = Node({}, "measures/a.yaml")
    indicator = measure(name, places=["ward"])
    columns = {"x": "boolean public", "n": "number public", "m": "number public", "g": "string public"}
    columns |= {"age": "string public", "day": "date public", "ended": "date public"}
    contract = promise(columns)
    people = People(column="n", source="count", vintage="2025")
    ward = Geography(title="Wards", product="wards", key="ward", vintage="2025", people=people)
    tries = [({}, {"ward": ward}), ({"stays": contract, "residents": contract}, {"ward": ward}),
             ({"stays": contract, "residents": contract}, {})]  # fmt: skip
    found = [[p.code for p in faults(indicator, node, Known(p_, {"fire"}, g))] for p_, g in tries]

    assert ["M101"] == found[0]
    assert [] == found[1]
    assert "M106" in found[2]


# Lake: what is read back is what was saved, and stays so.


@pytest.mark.parametrize("name", list(kinds.names("lake")))
def test_every_version_stays_readable_as_it_was_saved(name, tmp_path):
    lake, table = made("lake", name), Path(tmp_path, "stays")
    first = [{"a": "x", "n": 1}, {"a": None, "n": 2}]
    second = [{"a": "y", "m": 2.5}]
    numbers = [
        lake.write(table, ENGINE.table(pa.Table.from_pylist(rows)), ENGINE, f'{{"n": {len(rows)}}}')
        for rows in (first, second)
    ]
    back = [ENGINE.rows(ENGINE.parquet(lake.files(table, n))) for n in numbers]

    assert (numbers[0] < numbers[1], [first, second]) == (True, back)
    assert ['{"n": 2}', '{"n": 1}'] == list(lake.history(table).values())
