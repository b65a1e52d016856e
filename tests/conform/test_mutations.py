"""Every kind of promise of the standard has rows that keep it, and the same rows with one change that must break it."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chance import examples
from metroon.city.standard import schema
from metroon.conform.unchecked import OPTIONS, USES
from tiny import File, checked, ours, promise, text

KEY = {"name": "k", "logicalType": "string"}


def col(type_: str = "string", **more) -> dict:
    return {"name": "v", "logicalType": type_, **more}


def opt(type_: str, **given) -> dict:
    return col(type_, logicalTypeOptions=given)


def lib(metric: str, type_: str = "string", **more) -> dict:
    return col(type_, quality=[{"id": "rule", "type": "library", "metric": metric, **more}])


def sql(query: str, type_: str = "integer", **more) -> dict:
    return col(type_, quality=[{"id": "rule", "type": "sql", "query": query, **more}])


# Kind of promise -> (the column, values that keep it, values that break it, the rule that must tell).
PROMISES = {
    "logicalType integer": (col("integer"), ["1"], ["1", "x"], "v.type"),
    "logicalType number": (col("number"), ["1.5"], ["1.5", "x"], "v.type"),
    "logicalType boolean": (col("boolean"), ["yes"], ["yes", "x"], "v.type"),
    "logicalType date": (col("date"), ["2025-01-31"], ["2025-02-31"], "v.type"),
    "logicalType timestamp": (col("timestamp"), ["2025-01-31T10:00"], ["2025-01-31T30:00"], "v.type"),
    "logicalType object": (col("object"), [""], ["POINT (1 2)"], "v.type"),
    "required": (col(required=True), ["a", "b"], ["a", ""], "v.required"),
    "unique": (col(unique=True), ["a", "b"], ["a", "a"], "v.unique"),
    "primaryKey": (col(primaryKey=True), ["a", "b"], ["a", "a"], "key"),
    "enum": (col(enum=[{"value": "a"}]), ["a", ""], ["a", "b"], "v.enum"),
    "relationships": (col(relationships=[{"to": "toys.k"}]), ["1", "2"], ["1", "3"], "v.reference"),
    "string minLength": (opt("string", minLength=2), ["ab"], ["a"], "v.minLength"),
    "string maxLength": (opt("string", maxLength=2), ["ab"], ["abc"], "v.maxLength"),
    "string pattern": (opt("string", pattern="^a+$"), ["aa"], ["ab"], "v.pattern"),
    "string format": (opt("string", format="email"), ["a@b.example"], ["a.b.example"], "v.format"),
    "string format uuid": (
        opt("string", format="uuid"), ["123e4567-E89B-12d3-a456-426614174000"], ["123e4567"], "v.format",
    ),
    "string format uri": (opt("string", format="uri"), ["https://b.example/x?y#z"], ["b example"], "v.format"),
    "string format hostname": (opt("string", format="hostname"), ["b-1.example"], ["-b.example"], "v.format"),
    "string format ipv4": (opt("string", format="ipv4"), ["192.0.2.255"], ["192.0.2.256"], "v.format"),
    "string format ipv6": (opt("string", format="ipv6"), ["2001:db8::1"], ["2001:db8::1::2"], "v.format"),
    "string format byte": (opt("string", format="byte"), ["QUJD", "QQ=="], ["QUJ"], "v.format"),
    "integer minimum": (opt("integer", minimum=1), ["1"], ["0"], "v.minimum"),
    "integer maximum": (opt("integer", maximum=1), ["1"], ["2"], "v.maximum"),
    "integer exclusiveMinimum": (opt("integer", exclusiveMinimum=1), ["2"], ["1"], "v.exclusiveMinimum"),
    "integer exclusiveMaximum": (opt("integer", exclusiveMaximum=1), ["0"], ["1"], "v.exclusiveMaximum"),
    "integer multipleOf": (opt("integer", multipleOf=3), ["9007199254740993"], ["9007199254740992"], "v.multipleOf"),
    "integer format": (opt("integer", format="i8"), ["-128", "127"], ["128"], "v.format"),
    "integer format u16": (opt("integer", format="u16"), ["0", "65535"], ["-1"], "v.format"),
    "integer format i32": (opt("integer", format="i32"), ["2147483647"], ["2147483648"], "v.format"),
    "integer format i64": (opt("integer", format="i64"), ["9223372036854775807"], ["9223372036854775808"], "v.type"),
    "number minimum": (opt("number", minimum=0.5), ["0.5"], ["0.4"], "v.minimum"),
    "number maximum": (opt("number", maximum=0.5), ["0.5"], ["0.6"], "v.maximum"),
    "number exclusiveMinimum": (opt("number", exclusiveMinimum=0.5), ["0.6"], ["0.5"], "v.exclusiveMinimum"),
    "number exclusiveMaximum": (opt("number", exclusiveMaximum=0.5), ["0.4"], ["0.5"], "v.exclusiveMaximum"),
    "number multipleOf": (opt("number", multipleOf=0.1), ["0.3", "100000000000.1"], ["0.35"], "v.multipleOf"),
    "number format": (opt("number", format="f32"), ["3.4e38"], ["3.5e38"], "v.format"),
    "date format": (opt("date", format="d.M.yyyy"), ["31.1.2025"], ["2025-01-31"], "v.type"),
    "date minimum": (opt("date", minimum="2025-01-01"), ["2025-01-01"], ["2024-12-31"], "v.minimum"),
    "date maximum": (opt("date", maximum="2025-01-01"), ["2025-01-01"], ["2025-01-02"], "v.maximum"),
    "date exclusiveMinimum": (
        opt("date", exclusiveMinimum="2025-01-01"), ["2025-01-02"], ["2025-01-01"], "v.exclusiveMinimum",
    ),
    "date exclusiveMaximum": (
        opt("date", exclusiveMaximum="2025-01-01"), ["2024-12-31"], ["2025-01-01"], "v.exclusiveMaximum",
    ),
    "timestamp format": (opt("timestamp", format="d.M.yy H:mm"), ["1.2.25 8:05"], ["2025-02-01 8:05"], "v.type"),
    "timestamp minimum": (opt("timestamp", minimum="2025-01-01"), ["2025-01-01 00:00"], ["2024-12-31"], "v.minimum"),
    "timestamp maximum": (opt("timestamp", maximum="2025-01-01"), ["2025-01-01"], ["2025-01-01 00:01"], "v.maximum"),
    "timestamp exclusiveMinimum": (
        opt("timestamp", exclusiveMinimum="2025-01-01"), ["2025-01-01 00:01"], ["2025-01-01"], "v.exclusiveMinimum",
    ),
    "timestamp exclusiveMaximum": (
        opt("timestamp", exclusiveMaximum="2025-01-01"), ["2024-12-31"], ["2025-01-01"], "v.exclusiveMaximum",
    ),
    "timestamp timezone": (
        opt("timestamp", timezone=True), ["2025-01-31T10:00Z", "2025-01-31T10:00-08:00"], ["2025-01-31T10:00"],
        "v.timezone",
    ),
    "timestamp timezone false": (
        opt("timestamp", timezone=False), ["2025-01-31T10:00"], ["2025-01-31T10:00Z"], "v.timezone",
    ),
    "metric rowCount": (lib("rowCount", mustBe=2), ["a", "b"], ["a"], "rule"),
    "metric nullValues": (lib("nullValues", mustBe=0), ["a"], ["a", ""], "rule"),
    "metric missingValues": (
        lib("missingValues", mustBe=0, arguments={"missingValues": ["n/a"]}), ["a"], ["n/a"], "rule",
    ),
    "metric invalidValues": (
        lib("invalidValues", mustBe=0, arguments={"validValues": ["a", "b"], "pattern": "^a"}), ["a"], ["b"], "rule",
    ),
    "metric invalidValues in percent": (
        lib("invalidValues", mustBeLessThan=50, unit="percent", arguments={"pattern": "^a"}),
        ["a", "a", "b"], ["a", "b"], "rule",
    ),
    "metric duplicateValues": (lib("duplicateValues", mustBe=0), ["a", "b"], ["a", "a"], "rule"),
    "metric duplicateValues of several": (
        lib("duplicateValues", mustBe=0, arguments={"properties": ["v", "k"]}), ["a", "a"], None, "rule",
    ),
    "metric duplicateValues in percent": (
        lib("duplicateValues", mustBeLessOrEqualTo=25, unit="percent"), ["a", "a", "b", "c"], ["a", "a", "b"], "rule",
    ),
    "type sql": (sql("select sum({column}) from {object}", mustBe=3), ["1", "2"], ["1", "1"], "rule"),
    "type sql in percent": (
        sql("select count(*) from {object} where {column} > 1", mustBeLessThan=50, unit="percent"),
        ["1", "1", "2"], ["1", "2"], "rule",
    ),
    "type sql in percent of a total": (
        sql("select count(*) from {object} where {column} > 2", mustBeLessThan=50, unit="percent",
            customProperties=ours(total="select count(*) from {object} where {column} > 1")),
        ["1", "2", "2", "3"], ["1", "1", "2", "3"], "rule",
    ),
    "mustBe": (sql("select max({column}) from {object}", mustBe=2), ["2"], ["3"], "rule"),
    "mustNotBe": (sql("select max({column}) from {object}", mustNotBe=2), ["3"], ["2"], "rule"),
    "mustBeGreaterThan": (sql("select max({column}) from {object}", mustBeGreaterThan=2), ["3"], ["2"], "rule"),
    "mustBeGreaterOrEqualTo": (
        sql("select max({column}) from {object}", mustBeGreaterOrEqualTo=2), ["2"], ["1"], "rule",
    ),
    "mustBeLessThan": (sql("select max({column}) from {object}", mustBeLessThan=2), ["1"], ["2"], "rule"),
    "mustBeLessOrEqualTo": (sql("select max({column}) from {object}", mustBeLessOrEqualTo=2), ["2"], ["3"], "rule"),
    "mustBeBetween": (sql("select max({column}) from {object}", mustBeBetween=[2, 3]), ["2"], ["4"], "rule"),
    "mustNotBeBetween": (sql("select max({column}) from {object}", mustNotBeBetween=[2, 3]), ["4"], ["3"], "rule"),
}  # fmt: skip


def rows(values) -> File:
    return File([[str(i % 3 if i > 1 else i + 1), v] for i, v in enumerate(values)])


def verdict(engine, declared, values, name):
    result = checked(engine, promise(KEY, declared), rows(values))
    return next(v for v in result.verdicts if v.rule == name)


@pytest.mark.parametrize(("declared", "good", "bad", "name"), PROMISES.values(), ids=PROMISES)
def test_rows_that_keep_a_promise_pass_it_and_their_mutants_break_it(declared, good, bad, name, engine):
    assert verdict(engine, declared, good, name).is_kept
    assert bad is None or verdict(engine, declared, bad, name).is_broken


def test_every_kind_of_promise_that_is_checked_has_its_mutants():
    options = [f"{type_} {key}" for type_, keys in OPTIONS.items() for key, use in keys.items() if use == "checked"]
    metrics = [f"metric {name}" for name, use in USES["metric"].items() if use == "checked"]
    types = [f"type {name}" for name, use in USES["type"].items() if use == "checked" and name != "library"]
    operators = [key for key in USES["rule"] if key.startswith("must")]
    columns = ["required", "unique", "primaryKey", "enum", "relationships"]

    assert [] == [k for k in [*options, *metrics, *types, *operators, *columns] if k not in PROMISES]


def test_the_list_of_what_is_checked_knows_every_word_of_the_standard():
    known = schema()["$defs"]
    rule = {
        "rule": [k for d in ("DataQuality", "DataQualityLibrary", "DataQualitySql", "DataQualityCustom")
                 for k in known[d]["properties"]]
        + [p["required"][0] for p in known["DataQualityOperators"]["oneOf"]],
        "type": known["DataQuality"]["properties"]["type"]["enum"],
        "metric": known["DataQualityLibrary"]["properties"]["metric"]["enum"],
        "column": [*known["SchemaElement"]["properties"], *known["SchemaBaseProperty"]["properties"], *_own_keys()],
        "reference": known["RelationshipBase"]["properties"],
        "agreed": known["ServiceLevelAgreementProperty"]["properties"],
    }  # fmt: skip

    assert {p: set(keys) for p, keys in rule.items()} == {p: set(keys) for p, keys in USES.items()}
    assert set(known["SchemaBaseProperty"]["properties"]["logicalType"]["enum"]) == set(OPTIONS)
    assert {t: set(keys) for t, keys in _options().items()} == {t: set(keys) for t, keys in OPTIONS.items() if keys}


def _own_keys() -> set[str]:
    found = {k for part in schema()["$defs"]["SchemaBaseProperty"]["allOf"]
             for k in part.get("then", {}).get("properties", {})}  # fmt: skip
    return found | {"name"}


def _options() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for part in schema()["$defs"]["SchemaBaseProperty"]["allOf"]:
        named = [part.get("if", {}), *part.get("if", {}).get("anyOf", [])]
        types = [p["properties"]["logicalType"]["const"] for p in named if "logicalType" in p.get("properties", {})]
        options = part.get("then", {}).get("properties", {}).get("logicalTypeOptions", {}).get("properties", {})
        found |= {t: {*found.get(t, ()), *options} for t in types if options}
    return found


def test_columns_refer_together_to_columns_of_another_product(engine):
    there = engine.table(pa.table({"a": ["1", "2"], "b": ["x", "y"]}))
    promised = promise(
        KEY, text("v"), relationships=[{"from": ["toys.k", "toys.v"], "to": ["others.a", "others.b"]}]
    )  # fmt: skip

    def found(*given):
        result = checked(engine, promised, File(given), inputs={"others": there})
        return [(v.rule, v.checked, v.failed, v.is_kept) for v in result.verdicts]

    assert [("k.v.reference", 1, 0, True)] == found(["1", "x"], ["1", ""])
    assert [("k.v.reference", 2, 1, False)] == found(["1", "x"], ["1", "y"])


def test_a_percentage_of_no_rows_is_no_data_and_neither_kept_nor_broken(engine):
    declared = lib("nullValues", mustBe=0, unit="percent", severity="stop")
    result = checked(engine, promise(KEY, declared), File([]), File([["1", "a"]], "b.csv"))
    empty = checked(engine, promise(KEY, declared), File([]))

    assert [] == [d.file for d in result.deliveries if d.refused]
    assert [("no data", False, False)] == [(v.undecided, v.is_kept, v.is_broken) for v in empty.verdicts]


@pytest.mark.parametrize(
    "rule",
    [
        {"type": "custom", "engine": "soda", "implementation": "checks: []"},
        {"type": "sql", "query": "select max(v) from toys where false", "mustBe": 0},
        {"type": "sql", "query": "select v, k from toys", "mustBe": 0},
    ],
)
def test_a_rule_that_cannot_be_run_is_never_kept(rule, engine):
    found = verdict(engine, col(quality=[{"id": "rule", **rule}]), ["1"], "rule")

    assert ("cannot be run", False, True) == (found.undecided, found.is_kept, found.is_broken)
    assert found.note


GIVEN = st.lists(st.tuples(st.sampled_from("123"), st.sampled_from(["", "a", "b", "no", "aaaa"])), max_size=12)
HELD = promise(
    KEY,
    col(
        enum=[{"value": v} for v in ("a", "b", "aaaa")],
        logicalTypeOptions={"maxLength": 3},
        required=True,
        quality=[
            {"id": "null", "metric": "nullValues", "mustBe": 0},
            {"id": "valid", "metric": "invalidValues", "mustBe": 0, "arguments": {"validValues": ["a"]}},
        ],
    ),
    quality=[{"id": "twice", "metric": "duplicateValues", "mustBe": 0, "arguments": {"properties": ["k", "v"]}}],
)


def failed(engine, *files) -> dict[str, int]:
    return {v.rule: v.failed for v in checked(engine, HELD, *files).verdicts}


@examples(6, many=25)
@given(rows=GIVEN, seed=st.randoms())
def test_the_order_of_rows_changes_no_count(rows, seed, engine):
    other = list(rows)
    seed.shuffle(other)

    assert failed(engine, File(rows)) == failed(engine, File(other))


@examples(6, many=25)
@given(rows=GIVEN, at=st.integers(0, 12))
def test_a_file_in_two_parts_gives_the_same_counts(rows, at, engine):
    assert failed(engine, File(rows)) == failed(engine, File(rows[:at], "a.csv"), File(rows[at:], "b.csv"))


@examples(6, many=25)
@given(rows=GIVEN, bad=st.sampled_from([("1", ""), ("2", "no"), ("3", "aaaa"), ("1", "a")]))
def test_one_more_row_lowers_no_count(rows, bad, engine):
    before, after = failed(engine, File(rows)), failed(engine, File([*rows, bad]))

    assert [] == [rule for rule, n in before.items() if after[rule] < n]


CANARY = "Quetzalcoatlus73"


@pytest.mark.parametrize("name", PROMISES)
def test_no_value_of_a_row_is_in_a_verdict_or_a_reason(name, engine):
    declared = PROMISES[name][0]
    result = checked(engine, promise(KEY, declared), File([["1", CANARY], ["2", CANARY], ["3", "73737373"]]))
    told = [str(result.verdicts), str(result.reasons), str(result.problems), str(result.deliveries)]

    assert [] == [t for t in told if CANARY in t or "73737373" in t]
