"""JSON documents and JSON Lines: every number as it is written, every record kept or set aside with its place."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metroon.base.errors import Refused
from metroon.collect import FILE, LINE, RECORD, REJECT, Reading
from metroon.collect.kinds.json import Json
from metroon.collect.kinds.ndjson import Ndjson
from metroon.collect.objects import parse, written
from tiny import promise, text

ID = promise(text("id"))


def collected(engine, folder, contract, source):
    raw = source.read(Reading(engine, contract, folder, folder))
    return raw, engine.rows(raw.rows.order_by([FILE, LINE]))


def documents(engine, folder, content, *columns, **options):
    (folder / "a.json").write_text(content, encoding="utf-8")
    return collected(engine, folder, promise(*map(text, columns or ("id",))), Json(path="a.json", **options))


def lines(engine, folder, content, *columns):
    given = content if isinstance(content, bytes) else content.encode()
    (folder / "a.ndjson").write_bytes(given)
    return collected(engine, folder, promise(*map(text, columns or ("id",))), Ndjson(path="a.ndjson"))


def problem(refused) -> str:
    assert ["D102"] == [p.code for p in refused.value.problems]
    return refused.value.problems[0].what


def test_numbers_keep_every_digit_that_is_written(engine, tmp_path):
    written_numbers = ["12345678901234567890", "0.10", "1e400", "-0.0", "3.14159265358979323846"]
    _, rows = documents(engine, tmp_path, "[" + ",".join(f'{{"id": {n}}}' for n in written_numbers) + "]")

    assert written_numbers == [r["id"] for r in rows]


def test_records_are_found_where_the_product_says(engine, tmp_path):
    content = '{"success": true, "result": {"records": [{"id": 1}, {"id": 2}]}}'
    _, rows = documents(engine, tmp_path, content, rows="result.records")

    assert [("1", 1), ("2", 2)] == [(r["id"], r[LINE]) for r in rows]


def test_a_document_without_the_list_names_the_lists_that_it_has(engine, tmp_path):
    with pytest.raises(Refused) as refused:
        documents(engine, tmp_path, '{"result": {"records": [{"id": 1}]}}')

    assert "'result.records'" in refused.value.problems[0].fix


def test_nested_objects_are_dotted_names_and_lists_stay_json(engine, tmp_path):
    content = '[{"id": 1, "at": {"street": "Elm", "point": {"x": 1.50}}, "tags": ["a", 2.50, {"b": null}]}]'
    (tmp_path / "a.json").write_text(content)
    contract = promise(text("street", physicalName="at.street"), text("x", physicalName="at.point.x"), text("tags"))
    _, rows = collected(engine, tmp_path, contract, Json(path="a.json"))

    assert [("Elm", "1.50", '["a", 2.50, {"b": null}]')] == [(r["street"], r["x"], r["tags"]) for r in rows]


def test_true_and_null_are_told_apart_from_texts(engine, tmp_path):
    _, rows = documents(engine, tmp_path, '[{"id": true}, {"id": null}, {"id": ""}, {"id": "null"}]')

    assert ["true", None, "", "null"] == [r["id"] for r in rows]


def test_a_record_that_has_a_name_twice_or_is_no_object_is_set_aside_with_its_text(engine, tmp_path):
    raw, rows = documents(engine, tmp_path, '[{"id": 1}, {"id": 2, "id": 3}, [4], {"at": {"x": 1, "x": 2}}]')

    assert 4 == raw.deliveries[0].read
    assert [None, "the record has a name twice", "the record is no object", "the record has a name twice"] == [
        r[REJECT] for r in rows
    ]
    assert [None, '{"id": 2, "id": 3}', "[4]", '{"at": {"x": 1, "x": 2}}'] == [r[RECORD] for r in rows]


def test_names_that_some_records_lack_are_told_and_empty_there(engine, tmp_path):
    raw, rows = documents(engine, tmp_path, '[{"id": 1, "b": 1}, {"id": 2}, {"id": 3}]', "id", "b")

    assert ["1", None, None] == [r["b"] for r in rows]
    assert "of 3 records some lack a name, and are empty there: 'b' in 2" in raw.notes[0]


def test_a_name_that_no_record_has_refuses_the_file(engine, tmp_path):
    with pytest.raises(Refused) as refused:
        documents(engine, tmp_path, '[{"id": 1, "opened": 2}]', "id", "opened_at")

    assert "'opened_at' may now be 'opened'" in problem(refused)


def test_an_empty_list_is_a_delivery_without_records(engine, tmp_path):
    raw, rows = documents(engine, tmp_path, "[]")

    assert (0, []) == (raw.deliveries[0].read, rows)


@pytest.mark.parametrize("content", ["", "[{'id': 1}]", '[{"id": 1}', '[{"id": NaN}]', "[" * 100_000, '{"id": 1}', "5"])
def test_what_is_no_list_of_json_objects_is_refused(content, engine, tmp_path):
    with pytest.raises(Refused) as refused:
        documents(engine, tmp_path, content)

    assert problem(refused)


def test_json_in_another_encoding_is_refused(engine, tmp_path):
    (tmp_path / "a.json").write_bytes('[{"id": "é"}]'.encode("utf-16"))
    with pytest.raises(Refused) as refused:
        collected(engine, tmp_path, ID, Json(path="a.json"))

    assert "UTF-8" in problem(refused)


def test_a_line_that_is_no_object_is_set_aside_with_its_line(engine, tmp_path):
    content = b'\xef\xbb\xbf{"id": 1}\n\n[2]\n{"id": NaN}\r\n{"id": "\xff"}\n{"id": 5\n{"id": "\\ud800"}\n{"id": 6}'
    raw, rows = lines(engine, tmp_path, content)

    assert [1, 3, 4, 5, 6, 7, 8] == [r[LINE] for r in rows]
    assert ["1", None, None, None, None, None, "6"] == [r["id"] for r in rows]
    assert [2, 3, 4, 5, 6] == [i for i, r in enumerate(rows, start=1) if r[REJECT] is not None]
    assert 7 == raw.deliveries[0].read
    assert {"blank": 1, "records": 2, "set aside": 5} == raw.deliveries[0].lines


def test_lines_of_which_none_is_an_object_refuse_the_file(engine, tmp_path):
    with pytest.raises(Refused) as refused:
        lines(engine, tmp_path, "<html>\n<body>404</body>\n</html>\n")

    assert "not one record is an object." == problem(refused)


def test_no_message_shows_what_stands_in_a_line(engine, tmp_path):
    raw, rows = lines(engine, tmp_path, '{"id": 1}\n{"id": Jane Q. Canary}\n')

    assert "Canary" not in str((raw.problems, raw.notes, [r[REJECT] for r in rows]))


NAMES = st.text(st.characters(codec="utf-8"), max_size=6)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=False, allow_infinity=False) | NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)


def as_json(value: object) -> str:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(k)}:{as_json(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(as_json, value)) + "]"
    return json.dumps(value)


@given(value=VALUES)
def test_what_is_written_again_says_the_same(value):
    def exact(text: str) -> object:
        return json.loads(text, parse_float=str, parse_int=str)

    assert exact(as_json(value)) == exact(written(parse(as_json(value))))


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ('"count": 9', "there are 9 records and holds 2"),
        ('"Total-Count": 12000', "there are 12,000 records and holds 2"),
        ('"next": "https://x.example/?page=2", "count": 2', "there are more than its 2 records"),
        ('"next": null, "count": 2, "total": "many"', ""),
    ],
)
def test_a_document_that_says_itself_that_it_is_one_page_of_several_is_told(said, words, engine, tmp_path):
    raw, _ = documents(engine, tmp_path, f'{{{said}, "rows": [{{"id": 1}}, {{"id": 2}}]}}', rows="rows")

    assert bool(words) == bool(raw.notes)
    assert all(note.startswith("a.json: the document says") and words in note for note in raw.notes)
