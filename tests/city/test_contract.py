from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metroon.base.errors import Refused
from metroon.base.node import Node
from metroon.city.contract import Contract, contract
from metroon.city.yaml import read
from slips import ODD, WHOLE, changed, parts
from tiny import CONTRACT, ours, promise, swapped, text

CODES = 'value: [{ value: "999", reason: not recorded }]'
MODE = "property: releaseMode, value: aggregate"
SLIPS = [
    ("required: true", "requird: true", "C102", "requird", "Did you mean 'required'?"),
    ("format: M/d/yyyy", "fromat: M/d/yyyy", "C102", "fromat", "Did you mean 'format'?"),
    ("maximum: 120", "maxmum: 120", "C102", "maxmum", "Did you mean 'maximum'?"),
    ("status: active", "statos: active", "C102", "statos", "Did you mean 'status'?"),
    ("metric: nullValues,", "metric: nullValues, treshold: 5,", "C102", "treshold", "Known:"),
    ("metric: nullValues", "metric: nulValues", "C104", "nulValues", "Did you mean 'nullValues'?"),
    ("logicalType: integer", "logicalType: int", "C104", "logicalType: int\n", "Did you mean 'integer'?"),
    ("version: 1.0.0", "version: 1.0", "C104", "version: 1.0", "Put the value in quotes."),
    ("      - name: age\n", "      - name: 2020\n", "C104", "name: 2020", "Put the value in quotes."),
    ("physicalName: ID", "physicalName:", "C104", "physicalName:", "take the line out"),
    ("minimum: 0", "minimum: zero", "C104", "minimum: zero", "Write it like this: 1.5"),
    ("mustBeLessThan: 50", "mustBeLessThan: '50'", "C104", "mustBeLessThan: '50'", "like this: 1.5"),
    ("mustBeLessThan: 50, ", "", "C103", "known_ward", "Write one of: mustBe,"),
    ("mustBeLessThan: 50", "mustBeLessThan: 50, mustBe: 3", "C103", "known_ward", "Write one of: mustBe,"),
    ("kind: DataContract\n", "", "C103", "apiVersion", "Add 'kind:' here."),
    ("enum: [{ value: north }, { value: south }]", "enum: [north, south]", "C104", "enum", "{key: value}"),
    ("  - name: crashes\n", "  - name: crash\n", "C106", "name: crash\n", "Write name: crashes"),
    ("      - name: age\n", "      - name: ID\n", "C108", "      - name: ID", "Remove or rename one."),
    ("logicalType: integer", "logicalType: array", "C102", "logicalTypeOptions: { minimum", "Known:"),
    ("classification: quasi", "classification: quasy", "C110", "quasy", "Did you mean 'quasi'?"),
    ("property: releaseMode", "property: relaseMode", "C111", "relaseMode", "Did you mean 'releaseMode'?"),
    ("value: happened_on", "value: happend_on", "C112", "value: happend_on", "Did you mean 'happened_on'?"),
    ("value: happened_on", "value: age", "C112", "value: age", "date or timestamp"),
    ("value: event_on_person", "value: persons", "C113", "value: persons", "Did you mean 'person'?"),
    ("value: event_on_person", "value: none", "C114", "privacyUnit", "privacyReason"),
    ("value: aggregate", "value: row", "C115", "value: row,", "Write rows, table"),
    (MODE, "property: accessLevel, value: Public", "C120", "value: Public", "Did you mean 'public'?"),
    (MODE, "property: minimumCell, value: 2", "C116", "minimumCell", "city's own"),
    ("value: 35", "value: soon", "C117", "value: soon", "Write value: 35"),
    ("value: 35", "value: -1", "C117", "value: -1", "Write value: 35"),
    ("unit: d", "unit: fortnight", "C117", "unit: fortnight", "Known:"),
    (CODES, "value: '999'", "C118", "value: '999'", "in quotes"),
    (CODES, "value: [1.50]", "C118", "value: [1.50]", "in quotes"),
    (CODES, "value: [{ code: 9 }]", "C118", "value: [{ code", "in quotes"),
    ("value: aggregate, vendor: metroon", "value: aggregate", "C118", "releaseMode", "Add vendor: metroon"),
    (MODE, "property: privacyUnit, value: none", "C118", "value: none", "Keep one"),
    ("      - name: age\n", "      - name: _line\n", "C119", "name: _line", "start with a letter"),
    ("      - name: age\n", "      - name: age-group\n", "C119", "name: age-group", "physicalName"),
    ("classification: public\n", "relationships: [{ to: wards }]\n", "C104", "relationships", "other_product"),
    ("classification: public\n", "relationships: [{ to: [a.b, c.d] }]\n", "C209", "relationships", "other_product"),
]


def faults(folder: Path, written: str, name: str = "crashes") -> list[tuple[int, str]]:
    """Line and code of every fault of a contract."""
    return [(p.line, p.code) for p in problems(folder, written, name)]


def problems(folder: Path, written: str, name: str = "crashes") -> tuple:
    (folder / "contract.yaml").write_text(written, encoding="utf-8")
    with pytest.raises(Refused) as refused:
        contract(read(folder / "contract.yaml"), name)
    assert all(p.fix for p in refused.value.problems)
    return refused.value.problems


def line_of(written: str, part: str) -> int:
    return written[: written.index(part)].count("\n") + 1


def test_a_whole_contract_is_read_as_it_was_meant(tmp_path):
    (tmp_path / "contract.yaml").write_text(CONTRACT, encoding="utf-8")
    made = contract(read(tmp_path / "contract.yaml"), "crashes")

    assert ("crashes", "event_on_person", "aggregate", "happened_on", 35.0, ("id",)) == (
        made.name, made.unit, made.mode, made.event_time, made.latency_days, made.key
    )  # fmt: skip
    assert [("id", "ID"), ("happened_on", "happened_on"), ("age", "age"), ("ward", "ward")] == [
        (c.name, c.source) for c in made.columns
    ]
    assert ({"999": "not recorded"}, ("north", "south")) == (made.columns[2].missing, made.columns[3].allowed)


@pytest.mark.parametrize(("before", "after", "code", "at", "fix"), SLIPS)
def test_each_fault_is_told_at_its_line_with_what_to_write(before, after, code, at, fix, tmp_path):
    written = swapped(CONTRACT, before, after)
    told = [p for p in problems(tmp_path, written) if p.code == code and p.line == line_of(written, at)]

    assert told
    assert fix in told[0].fix


def test_all_faults_are_told_at_once(tmp_path):
    written = swapped(CONTRACT, "classification: quasi", "classification: secret")
    written = swapped(written, "value: event_on_person", "value: nobody")
    written = swapped(written, "property: releaseMode", "property: mode")
    written = swapped(written, "value: happened_on", "value: when")

    assert {"C110", "C113", "C111", "C112"} == {code for _, code in faults(tmp_path, written)}


def test_every_unknown_key_of_one_column_is_told(tmp_path):
    """The model that the standard's own package ships drops unknown keys of columns silently."""
    written = swapped(CONTRACT, "required: true\n", "requird: true\n        uniqe: true\n        colour: red\n")
    first = line_of(written, "requird")

    assert [(first, "C102"), (first + 1, "C102"), (first + 2, "C102")] == faults(tmp_path, written)


def test_one_wrong_value_makes_no_other_key_unknown(tmp_path):
    """Validators forget which keys they knew where a value beside them is wrong."""
    written = swapped(CONTRACT, "metric: nullValues", "metric: nulValues")

    assert [(line_of(written, "nulValues"), "C104")] == faults(tmp_path, written)


def test_options_of_a_column_without_a_type_are_those_of_a_text():
    made = promise({"name": "code", "logicalTypeOptions": {"pattern": "^[A-Z]$"}})

    assert ("string", "^[A-Z]$") == (made.columns[0].type, made.columns[0].options["pattern"])


@pytest.mark.parametrize("written", ["", "- a\n- b\n", "text\n", "3\n", "~\n"])
def test_what_is_no_contract_at_all_is_told(written, tmp_path):
    assert [(1, "C101")] == faults(tmp_path, written)


@pytest.mark.parametrize("tables", ["[]", "null", "{}", "text", "[{name: a, properties: [{name: a}]}, {name: b}]"])
def test_a_contract_holds_one_table(tables, tmp_path):
    head = CONTRACT[: CONTRACT.index("slaProperties")]

    assert {"C104", "C105"} >= {code for _, code in faults(tmp_path, f"{head}schema: {tables}\n")}


def test_a_table_without_columns_is_told(tmp_path):
    head = CONTRACT[: CONTRACT.index("slaProperties")]

    assert [(8, "C107")] == faults(tmp_path, f"{head}schema:\n  - name: crashes\n")


def test_names_that_differ_in_capitals_only_are_the_same_to_the_engine():
    with pytest.raises(Refused, match="C108"):
        promise(text("Ward"), text("ward"))


def test_a_latency_without_a_time_to_measure_it_by_is_told(tmp_path):
    written = swapped(CONTRACT, "      - { property: eventTime, value: happened_on, vendor: metroon }\n", "      []\n")
    written = swapped(written, "    customProperties:\n      []\n", "")

    assert [(line_of(written, "latency"), "C117")] == faults(tmp_path, written)


def test_properties_of_other_tools_are_passed_by():
    own = [{"property": "privacyUnit", "value": "anything", "vendor": "atlan"}, {"property": "color", "value": [1]}]
    made = promise(text("id"), customProperties=own)

    assert None is made.unit


@pytest.mark.parametrize(
    ("property_", "value"),
    [
        ("point", "lon"), ("point", {"longitude": "x"}), ("point", ["x", "y"]), ("geographyKey", "ward"),
        ("geographyKey", [None]), ("geographyKey", [{"column": "x"}]), ("eventTime", ["day"]), ("eventTime", None),
    ],
)  # fmt: skip
def test_a_property_of_the_wrong_shape_is_told_and_crashes_nothing(property_, value):
    with pytest.raises(Refused, match="C118"):
        promise(text("id"), customProperties=ours(**{property_: value}))


@pytest.mark.parametrize(("value", "unit", "days"), [(2, None, 2), ("36", "h", 1.5), (1, "y", 365.25), (2, "w", 14)])
def test_a_latency_is_told_in_days(value, unit, days):
    node = contract_with_latency({"value": value, **({"unit": unit} if unit else {})})

    assert days == contract(node, "toys").latency_days


def contract_with_latency(given: dict) -> Node:
    made = promise({"name": "day", "logicalType": "date"}, customProperties=ours(eventTime="day")).node
    return Node({**made.value, "slaProperties": [{"property": "latency", **given}]}, made.file)  # type: ignore[dict-item]


def made_or_told(value: object) -> Contract | list:
    try:
        return contract(Node(value, "contract.yaml"), "toys")
    except Refused as refused:
        return [p for p in refused.problems if p.fix and p.code.startswith("C")]


@settings(max_examples=50, deadline=None)
@given(path=st.sampled_from(parts(WHOLE)), new=ODD | st.just(...))
def test_whatever_stands_in_a_contract_it_is_read_or_told(path, new):
    assert made_or_told(changed(WHOLE, path, new))


@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_a_contract_with_two_slips_is_read_or_told(data):
    once = changed(WHOLE, data.draw(st.sampled_from(parts(WHOLE))), data.draw(ODD))
    twice = changed(once, data.draw(st.sampled_from(parts(once))), data.draw(ODD))

    assert made_or_told(twice)
