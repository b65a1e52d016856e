"""One suite for all kinds, found by listing: a new kind is held to the promises of its room for nothing."""

from __future__ import annotations

import inspect
import json
import math
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metroon.base import kinds
from metroon.base.engine import Engine
from metroon.base.errors import Refused
from metroon.base.estimate import Cell, Tally
from metroon.base.kinds import Kind
from metroon.base.node import Node
from metroon.collect import FileSource, Reading, Source
from metroon.guard import Protecting, Technique
from metroon.measure import Indicator
from town import promise

ENGINE = Engine()
NOUNS: dict[str, type[Kind]] = {"collect": Source, "guard": Technique, "measure": Indicator, "lake": Kind}
EVERY = [(room, name) for room in kinds.rooms() for name in kinds.names(room)]
GUARDS = list(kinds.names("guard"))
MEASURES = list(kinds.names("measure"))
FILES = [n for n in kinds.names("collect") if issubclass(kinds.find("collect", n, Kind), FileSource)]
# What stands for an option that a kind must be given, by its type.
ANY = {"string": "column", "integer": 3, "number": 3.0, "boolean": True, "array": [], "object": {}}


def options(kind: type[Kind], **known: object) -> dict[str, object]:
    """The fewest options that a kind can be made with."""
    schema = kind.model_json_schema()
    needed = {n: ANY[schema["properties"][n]["type"]] for n in schema.get("required", [])}
    return needed | {k: v for k, v in known.items() if k in schema["properties"]}


def made(room: str, name: str, **known: object):
    kind = kinds.find(room, name, NOUNS[room])
    return kinds.build(room, Node({"kind": name, **options(kind, **known)}, "some.yaml"), NOUNS[room])


def measure(name: str, **more: object) -> Indicator:
    return made("measure", name, of="stays", title="A", question="B?", when="x", **more)


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

    technique = made("guard", name, column="x", purpose="care", width=1)
    contract = promise({"x": f"{kind} direct", "kept": "string public"}, unit=unit)
    rows = ENGINE.table(pa.table({"x": SECRETS[kind], "kept": ["a", "b", "c"]}))
    given_here = Protecting(ENGINE, contract, {}, {"care": b"a key of sixteen or more"})
    try:
        left = ENGINE.rows(guard.protect(rows, contract, [technique], given_here, minimum_cell=11).rows)
    except Refused:
        left = []

    assert set() == {str(v) for r in left for v in r.values()} & {str(v) for v in SECRETS[kind] if v is not None}


@pytest.mark.parametrize("name", GUARDS)
def test_a_technique_changes_its_own_column_only_and_no_number_of_rows(name):
    technique = made("guard", name, column="x", purpose="care", width=10)
    contract = promise({"x": "integer quasi", "kept": "string public"})
    table = pa.table({"x": list(range(40)), "kept": [f"k{i}" for i in range(40)]})
    done = technique.protect(
        ENGINE.table(table), Protecting(ENGINE, contract, {}, {"care": b"a key of sixteen or more"})
    )

    assert table["kept"].to_pylist() == [r["kept"] for r in ENGINE.rows(done)]


@pytest.mark.parametrize("name", GUARDS)
def test_a_technique_does_the_same_every_time(name):
    technique = made("guard", name, column="x", purpose="care", width=10)
    contract = promise({"x": "integer quasi", "kept": "string public"})
    rows = ENGINE.table(pa.table({"x": [1, 25, None, 1], "kept": list("abcd")}))
    given_here = Protecting(ENGINE, contract, {}, {"care": b"a key of sixteen or more"})

    assert ENGINE.rows(technique.protect(rows, given_here)) == ENGINE.rows(technique.protect(rows, given_here))


# Measure: a value stands between its bounds, or there is none and words say why.

counts = st.integers(0, 3) | st.integers(0, 10**6)
tallies = st.builds(
    Tally,
    st.just(Cell("2025")),
    counts,
    counts,
    counts,
    st.none(),
    st.none() | st.sampled_from([0.0, 0.5, 1000.0, 1e7]),
)


@pytest.mark.parametrize("name", MEASURES)
@given(tally=tallies)
@settings(max_examples=20, deadline=None)
def test_an_estimate_stands_between_its_bounds_or_says_why_there_is_none(name, tally):
    estimate = measure(name).estimate(tally)
    numbers = [estimate.value, estimate.low, estimate.high, estimate.worst, estimate.best, estimate.base]

    assert tally.cell == estimate.cell
    assert all(n is None or (math.isfinite(n) and n >= 0) for n in numbers)
    if estimate.value is None:
        assert (True, None, None) == (bool(estimate.note), estimate.low, estimate.high)
        assert estimate.state not in ("known", "hidden")
    else:
        assert estimate.state in ("known", "cannot tell")
        assert estimate.low - 1e-9 <= estimate.value <= estimate.high + 1e-9
        assert estimate.low < estimate.high
        assert bool(estimate.note) == (estimate.state == "cannot tell")


@pytest.mark.parametrize("name", MEASURES)
@given(tally=tallies)
@settings(max_examples=20, deadline=None)
def test_a_share_of_unknowns_lies_between_worst_and_best(name, tally):
    for direction in ("up", "down"):
        e = measure(name, direction=direction).estimate(tally)
        if e.worst is not None and e.best is not None:
            low, high = sorted((e.worst, e.best))
            assert low - 1e-12 <= e.value <= high + 1e-12
            assert (e.worst <= e.best) == (direction == "up" or e.worst == e.best)


@pytest.mark.parametrize("name", MEASURES)
@given(tally=tallies, width=st.floats(1e-6, 1e6))
@settings(max_examples=20, deadline=None)
def test_who_asks_for_less_width_is_told_no_more(name, tally, width):
    wide, narrow = (measure(name, useful_width=w).estimate(tally) for w in (width, width / 2))

    assert (wide.value, wide.low, wide.high) == (narrow.value, narrow.low, narrow.high)
    assert not (wide.state == "cannot tell" and narrow.state == "known")


@pytest.mark.parametrize("name", MEASURES)
def test_a_measure_counts_its_product_or_says_that_there_is_none(name):
    node, indicator = Node({}, "measures/a.yaml"), measure(name, places=["ward"])
    contract = promise({"x": "boolean public"})
    tries = [({}, ["ward"]), ({"stays": contract}, ["ward"]), ({"stays": contract}, [])]
    found = [[p.code for p in indicator.faults(node, products, {"fire"}, known)] for products, known in tries]

    assert [["M101"], [], ["M106"]] == found


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
