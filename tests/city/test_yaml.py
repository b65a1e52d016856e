from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from metroon.base.errors import Refused
from metroon.base.node import Node
from metroon.city.events import Unalike, compose
from metroon.city.yaml import _Reading, read

TEXTS = st.text("ab:-?!&*<>|#{}[],'\"%@` \t\n0123.~_éx", max_size=60)


def node(folder: Path, text: str) -> Node:
    file = folder / "x.yaml"
    file.write_text(text, encoding="utf-8", newline="")
    return read(file)


def faults(folder: Path, text: str) -> list[tuple[int, str]]:
    with pytest.raises(Refused) as refused:
        node(folder, text)
    assert all(p.fix for p in refused.value.problems)
    return [(p.line, p.code) for p in refused.value.problems]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"), ("yes", "yes"), ("on", "on"), ("off", "off"), ("true", True), ("False", False),
        ("012", 12), ("0o14", 12), ("0x1F", 31), ("-3", -3), ("1.50", 1.5), ("1e3", 1000.0), (".inf", float("inf")),
        ("12:30:45", "12:30:45"), ("1:30", "1:30"), ("2015-02-15", "2015-02-15"), ("2015-02-30", "2015-02-30"),
        ("2015-02-15T10:00:00Z", "2015-02-15T10:00:00Z"), ("~", None), ("null", None), ("", None), ("''", ""),
        ("'012'", "012"), ('"a\\nb"', "a\nb"), ("[a, 1]", ["a", 1]), ("{a: {b: 1}}", {"a": {"b": 1}}),
        ("San José 😀", "San José 😀"), (">-\n  one\n  two\n\n  three", "one two\nthree"), ('"\\a"', "\a"),
    ],
)  # fmt: skip
def test_values_are_those_of_yaml_1_2(text, value, tmp_path):
    assert {"a": value} == node(tmp_path, f"a: {text}\n").value


@pytest.mark.parametrize("text", ["", "---\n", "# only a comment\n", "\ufeff"])
def test_an_empty_file_is_an_empty_node(text, tmp_path):
    assert None is node(tmp_path, text).value


def test_every_key_and_item_knows_its_line(tmp_path):
    made = node(tmp_path, "\ufeffa: 1\r\nb:\r\n  - c: 1\r\n    d: 2\r\n  - e\r\nf: {g: 1,\r\n  h: 2}\r\n")

    assert [1, 2, 3, 3, 4, 5, 6, 6, 7] == [
        made.line("a"), made.line("b"), made.line("b", 0), made.line("b", 0, "c"), made.line("b", 0, "d"),
        made.line("b", 1), made.line("f"), made.line("f", "g"), made.line("f", "h"),
    ]  # fmt: skip


def test_keys_are_texts_whatever_they_look_like(tmp_path):
    assert {"1": "a", "null": "b", "yes": "c", "2015-01-01": "d"} == node(
        tmp_path, "1: a\nnull: b\nyes: c\n2015-01-01: d\n"
    ).value


def test_every_repeated_key_is_told_with_its_line(tmp_path):
    assert [(3, "Y102"), (6, "Y102")] == faults(tmp_path, "a: 1\nb: 2\na: 3\nc:\n  d: 1\n  d: 2\n")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a:\n\tb: 1\n", 2), ("a: [1, 2\n", 2), ("a: 'x\n", 2), ("a: b: c\n", 1), ("a: 1\n  b: 2\n", 2),
        ("a: @x\n", 1), ("a: %x\n", 1), ("a: 1\n---\nb: 2\n", 2), ("a: 1\n\x00", 0),
        ("? [a, b]\n: c\n", 1), ("a: !!int x\n", 1), ("a: &a 1\nb: [\n", 3),
    ],
)  # fmt: skip
def test_what_is_no_yaml_is_told_at_its_line(text, line, tmp_path):
    assert [(line, "Y102")] == faults(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("base: &base {kind: csv}\na:\n  <<: *base\n  others: warn\nb: *base\n", [1, 3, 5]),
        ("a: &unused 1\n", [1]), ("a: *nobody\n", [1]), ("a: 1\nb: *.csv\n", [2]), ("a: &a [*a]\n", [1, 1]),
        ("a: &a\n  <<: *a\n", [1, 2]), ("a: 1\n<<: {b: 1}\n", [2]), ("<<: 3\nb: {<<: [{a: 1}]}\n", [1, 2]),
        ("&a b: 1\n*a : 2\n", [1, 2]), ("- &a x\n- ? *a\n- !!str x\n", [1, 2]), ("--- &a\nb: 1\n", [1]),
    ],
)  # fmt: skip
def test_every_anchor_alias_and_merge_is_refused_at_its_line(text, lines, tmp_path):
    assert [(line, "Y109") for line in lines] == faults(tmp_path, text)


def test_a_small_file_that_grows_without_end_is_refused_at_once(tmp_path):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 30)]

    assert {(i, "Y109") for i in range(1, 31)} == set(faults(tmp_path, "\n".join(lines)))


def test_signs_of_anchors_within_a_text_are_no_anchors(tmp_path):
    text = "a: R&D\nb: 2 * 3 & 4\nc: '*.csv'\nd: \"&x\"\ne: |\n  &a\n  *b\n# *c &d\n'<<': 1\n"

    assert {"a": "R&D", "b": "2 * 3 & 4", "c": "*.csv", "d": "&x", "e": "&a\n*b\n", "<<": 1} == node(
        tmp_path, text
    ).value


def test_nesting_without_end_is_told(tmp_path):
    assert [(0, "Y102")] == faults(tmp_path, "[" * 5000)


def test_no_tag_makes_anything_but_plain_values(tmp_path):
    text = "a: !!python/object/apply:os.system [ls]\nb: !unknown {c: 1}\nd: !!binary aGk=\n"

    assert {"a": ["ls"], "b": {"c": 1}, "d": "aGk="} == node(tmp_path, text).value


def test_a_file_that_is_not_utf_8_is_told(tmp_path):
    (tmp_path / "x.yaml").write_bytes("a: José".encode("latin-1"))

    with pytest.raises(Refused, match="UTF-8"):
        read(tmp_path / "x.yaml")


@pytest.mark.parametrize(("name", "code"), [("nowhere.yaml", "Y101"), ("folder", "Y102"), ("file/x.yaml", "Y102")])
def test_what_is_no_file_is_told(name, code, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("a", encoding="utf-8")

    with pytest.raises(Refused) as refused:
        read(tmp_path / name)
    assert [code] == [p.code for p in refused.value.problems]


def told(folder: Path, text: str) -> tuple[Node | None, list[int]]:
    """The node, or the lines of what is wrong with the text."""
    try:
        return node(folder, text), []
    except Refused as refused:
        return None, [p.line for p in refused.problems if p.fix]


@settings(max_examples=50, deadline=None)
@given(text=TEXTS)
def test_no_text_crashes_the_reader(text, tmp_path_factory):
    made, faulty = told(tmp_path_factory.getbasetemp(), text)
    last = text.count("\n") + text.count("\r") + 1

    assert (made is None) == bool(faulty)
    assert all(0 <= line <= last for line in faulty)
    assert made is None or all(1 <= line <= last for line in made.lines.values())


PIECES = st.lists(
    st.sampled_from([
        "a", "key", "- ", ": ", ":", "? ", "!!str ", "&a ", "*a ", "<<: *a", "|", "|-\n", ">\n", ">", "#", " # c",
        "{", "}", "[", "]", ", ", "'", "''", '"', "\\n", "%YAML 1.1\n", "---\n", "...\n", " ", "  ", "\n", "\t",
        "0", "1", ".5", "~", "null", "true", "no", "é", "012", "0o7", "2015-01-01", "1:30", "=", "\x85", "\u2028",
        "\ufeff", "\r\n", "\r", "a: b\n", "  c: d\n", "- e\n", "  - f\n", 'a: "x\n  y"\n', "a: |\n  t\n   u\n\n",
        "a: x\n  y\n\n  z\n", "a: >\n  t\n  u\n\n",
    ]),
    max_size=14,
).map("".join)  # fmt: skip


@settings(max_examples=300)
@given(PIECES)
@pytest.mark.filterwarnings("ignore")
def test_the_quick_reader_reads_what_the_pure_one_does_or_leaves_it_to_that(text):
    try:
        quick = compose(text)
    except Unalike:
        return
    assert not any(getattr(event, "anchor", None) for event in YAML(typ="safe", pure=True).parse(text))
    assert read_by_hand(YAML(typ="safe", pure=True).compose(text)) == read_by_hand(quick)


def read_by_hand(part):
    reading = _Reading("x.yaml")
    value = reading.value(part, ())
    return repr(value), {} if reading.faults else reading.lines


def test_the_quick_reader_takes_the_files_of_a_city(tmp_path):
    assert compose("a: [1, {b: 'x y'}]\nc: |\n  text http://example.gov/?q=1\n") is not None
