"""Each kind of rule has rows that must fail it and rows that must pass."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metroon.base.errors import Refused
from metroon.base.node import Node
from metroon.city.contract import contract
from metroon.conform import faults
from metroon.conform.threshold import OPERATORS, Threshold
from slips import ODD, WHOLE, changed, parts
from tiny import AS_OF, File, checked, ours, promise, text


def column(type_: str, **more) -> dict:
    return {"name": "v", "logicalType": type_, **more}


def options(type_: str, **given) -> dict:
    return column(type_, logicalTypeOptions=given)


def enum(type_: str, *values) -> dict:
    return column(type_, enum=[{"value": v} for v in values])


def values(engine, result) -> list:
    return [r["v"] for r in engine.rows(result.rows.order_by("_line"))]


ASIDE = [
    (column("integer"), ["1", "-7", "4186.0", "1e3"], ["4186.5", "x", "1,000", "0x10", "1_000", "nan", "--"]),
    (column("number"), ["1", ".5", "-1e3"], ["$5", "1,5", "nan", "inf", "1e999"]),
    (column("boolean"), ["yes", "No", "T", "f", "1", "0", "TRUE"], ["2", "maybe", "oui"]),
    (column("date"), ["2025-01-31", "2025/1/2", "2025-01-31 10:00"], ["2025-02-30", "31/1/2025", "0001-01-01"]),
    (column("timestamp"), ["2025-01-31T10:00:00Z", "2025-01-31"], ["infinity", "epoch", "20250131"]),
    (options("date", format="M/d/yyyy"), ["1/31/2025", "01/02/2025"], ["31/1/2025", "1/31/25", "2025-01-31"]),
    (options("timestamp", format="M/d/yy h:mm a"), ["1/2/25 12:05 AM", "1/2/25 1:05 pm"], ["1/2/25 13:05 PM"]),
    (column("string", required=True), ["a", "0"], ["", "  "]),
    (enum("string", "north", "no"), ["north", "no"], ["North", "nor"]),
    (enum("integer", 1, 2), ["1", "2.0"], ["3"]),
    (enum("number", 1, 2.5), ["1", "1.0", "2.50"], ["2"]),
    (enum("boolean", True), ["yes", "1"], ["no"]),
    (enum("date", "2025-01-31"), ["2025-01-31"], ["2025-01-30"]),
    (enum("timestamp", "2025-01-31T10:00:00"), ["2025-01-31 10:00"], ["2025-01-31 10:01"]),
    (options("integer", minimum=1, maximum=5), ["1", "5"], ["0", "6"]),
    (options("number", exclusiveMinimum=1, exclusiveMaximum=5), ["1.1", "4.9"], ["1", "5"]),
    (options("number", multipleOf=0.5), ["1", "1.5"], ["1.2"]),
    (options("integer", multipleOf=3), ["0", "-3", "9"], ["4"]),
    (options("date", minimum="2025-01-01", maximum="2025-12-31"), ["2025-01-01", "2025-12-31"], ["2024-12-31"]),
    (options("timestamp", exclusiveMaximum="2025-01-01T12:00"), ["2025-01-01 11:59"], ["2025-01-01 12:00"]),
    (options("string", minLength=2, maxLength=3), ["ab", "abc", "äöü"], ["a", "abcd"]),
    (options("string", pattern="^[A-Z]{2}$"), ["AB"], ["ab", "ABC", "A"]),
    (column("object"), [], ["POINT (1 2)"]),
]  # fmt: skip


@pytest.mark.parametrize(("declared", "good", "bad"), ASIDE)
def test_what_breaks_a_columns_promise_is_set_aside_and_the_rest_is_kept(declared, good, bad, engine):
    result = checked(engine, promise(declared), File([[v] for v in [*good, *bad]]))

    assert (len(good), len(bad)) == (result.kept, sum(result.reasons.values()))
    assert None not in values(engine, result)
    assert [f"a.csv:{len(good) + 2 + i}" for i in range(len(bad))][:5] == sorted(
        {w for v in result.verdicts for w in v.where}, key=lambda w: int(w.partition(":")[2])
    )[:5]


@pytest.mark.parametrize(("declared", "good", "bad"), [case for case in ASIDE if "required" not in case[0]])
def test_what_is_not_recorded_breaks_no_promise_but_that_it_is_required(declared, good, bad, engine):
    result = checked(engine, promise(declared), File([[""], ["  "], [None]]))

    assert (3, {"v": 3}) == (result.kept, result.missing)


QUALITY = [
    ({"metric": "nullValues", "mustBe": 0}, "string", ["a", "b"], ["a", ""]),
    ({"metric": "nullValues", "mustBeLessThan": 50, "unit": "percent"}, "string", ["a", "b", ""], ["a", ""]),
    ({"metric": "nullValues", "mustBeLessOrEqualTo": 50, "unit": "percent"}, "string", ["a", ""], ["a", "", ""]),
    ({"metric": "missingValues", "mustBe": 0, "arguments": {"missingValues": ["n/a"]}}, "string", ["a"], ["n/a"]),
    ({"metric": "invalidValues", "mustBe": 0, "arguments": {"validValues": ["a", None]}}, "string", ["a", ""], ["b"]),
    ({"metric": "invalidValues", "mustBe": 0, "arguments": {"validValues": [1]}}, "number", ["1", "1.0"], ["2"]),
    ({"metric": "invalidValues", "mustBe": 0, "arguments": {"validValues": [True]}}, "boolean", ["yes"], ["no"]),
    ({"metric": "invalidValues", "mustBe": 0, "arguments": {"pattern": "^a"}}, "string", ["ab", ""], ["ba"]),
    ({"metric": "duplicateValues", "mustBe": 0}, "string", ["a", "b", "", ""], ["a", "a"]),
    ({"metric": "duplicateValues", "mustBeLessThan": 2}, "string", ["a", "a"], ["a", "a", "a"]),
    ({"metric": "rowCount", "mustBeBetween": [2, 3]}, "string", ["a", "b"], ["a"]),
    ({"metric": "rowCount", "mustBeBetween": [3, 2]}, "string", ["a", "b"], ["a"]),
    ({"metric": "rowCount", "mustNotBeBetween": [2, 3]}, "string", ["a"], ["a", "b"]),
    ({"metric": "rowCount", "mustNotBe": 1}, "string", ["a", "b"], ["a"]),
    ({"metric": "rowCount", "mustBeGreaterThan": 1}, "string", ["a", "b"], ["a"]),
    ({"metric": "rowCount", "mustBeGreaterOrEqualTo": 2}, "string", ["a", "b"], ["a"]),
    ({"type": "sql", "query": "select count(*) from {object} where v = 'x'", "mustBe": 0}, "string", ["a"], ["x"]),
    ({"type": "sql", "query": "select sum(${column}) from ${table}", "mustBe": 3}, "integer", ["1", "2"], ["1"]),
    ({"type": "sql", "query": "select avg(v) from toys;", "mustBeLessThan": 2}, "number", ["1"], ["1", "5"]),
    ({"type": "sql", "query": "select v from toys", "mustBe": 1}, "integer", ["1"], ["1", "1"]),
    ({"type": "sql", "query": "select max(v) from toys", "mustNotBe": 0}, "integer", ["1"], [""]),
]


@pytest.mark.parametrize(("rule", "type_", "good", "bad"), QUALITY)
def test_a_declared_rule_is_kept_by_good_rows_and_broken_by_bad(rule, type_, good, bad, engine):
    promised = promise(column(type_, quality=[{"id": "rule", **rule}]))
    kept, broken = (checked(engine, promised, File([[v] for v in rows])) for rows in (good, bad))

    assert [True, False] == [v.is_kept for r in (kept, broken) for v in r.verdicts if v.rule == "rule"]
    assert len(bad) == broken.kept, "a rule that does not say otherwise only warns"


@pytest.mark.parametrize(("rule", "type_", "good", "bad"), QUALITY)
def test_a_rule_that_stops_refuses_the_one_delivery_that_breaks_it(rule, type_, good, bad, engine):
    promised = promise(column(type_, quality=[{**rule, "severity": "stop"}]))
    result = checked(engine, promised, File([[v] for v in good], "good.csv"), File([[v] for v in bad], "bad.csv"))

    assert (len(good) + len(bad), len(good), len(bad)) == (result.read, result.kept, result.refused)
    assert ["bad.csv"] == [p.file for p in result.problems] == [d.file for d in result.deliveries if d.refused]


@pytest.mark.parametrize(("rule", "type_", "good", "bad"), [q for q in QUALITY if "Values" in q[0].get("metric", "")])
def test_a_rule_that_sets_aside_takes_the_failing_rows_out(rule, type_, good, bad, engine):
    promised = promise(column(type_, quality=[{**rule, "severity": "set aside", "description": "told"}]))
    result = checked(engine, promised, File([[v] for v in bad]))

    assert len(bad) == result.kept + sum(result.reasons.values())
    assert 1 <= sum(n for reason, n in result.reasons.items() if reason.startswith("told"))


def test_a_delivery_without_any_row_is_held_to_its_rules_too(engine):
    promised = promise(text("v"), quality=[{"metric": "rowCount", "mustBeGreaterThan": 0, "severity": "stop"}])
    result = checked(engine, promised, File([["a"]], "a.csv"), File([], "empty.csv"))

    assert ["empty.csv"] == [d.file for d in result.deliveries if d.refused]


def test_when_every_delivery_is_refused_nothing_is_taken(engine):
    promised = promise(text("v"), quality=[{"metric": "rowCount", "mustBe": 5, "severity": "stop"}])

    with pytest.raises(Refused) as refused:
        checked(engine, promised, File([["a"]], "a.csv"), File([["b"]], "b.csv"))
    assert ["a.csv", "b.csv"] == [p.file for p in refused.value.problems]


@settings(max_examples=50)
@given(v=st.integers(-9, 9), low=st.integers(-9, 9), high=st.integers(-9, 9))
def test_every_operator_and_its_contrary_exclude_each_other(v, low, high):
    contraries = {
        "mustBe": "mustNotBe", "mustBeGreaterThan": "mustBeLessOrEqualTo", "mustBeLessThan": "mustBeGreaterOrEqualTo"
    }  # fmt: skip
    for one, other in contraries.items():
        assert Threshold(one, low).holds(v, 10) is not Threshold(other, low).holds(v, 10)
    assert Threshold("mustBeBetween", [low, high]).holds(v, 10) is (min(low, high) <= v <= max(low, high))
    assert 8 == len(OPERATORS)


@pytest.mark.parametrize(
    ("bound", "said"), [(0, "must be 0"), (1_000_000, "must be 1000000"), (0.5, "must be 0.5"), (2.0, "must be 2")]
)
def test_a_threshold_is_said_as_it_was_written(bound, said):
    assert said == str(Threshold("mustBe", bound))


def told(engine, *columns, **table) -> list[tuple[str, bool]]:
    """Code of every fault of a promise, and whether it says what to do."""
    return [(p.code, bool(p.fix)) for p in faults(engine, promise(*columns, **table), AS_OF)]


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ({"type": "custom", "engine": "soda", "implementation": "x", "severity": "stop"}, "C201"),
        ({"metric": "duplicateValues", "mustBe": 0, "arguments": {"properties": "v"}}, "C202"),
        ({"metric": "duplicateValues", "mustBe": 0, "arguments": {"properties": ["w"]}}, "C202"),
        ({"metric": "nullValues", "mustBe": 0, "severity": "fatal"}, "C203"),
        ({"metric": "nullValues", "mustBe": "0"}, "C204"),
        ({"metric": "nullValues", "mustBe": None}, "C204"),
        ({"metric": "nullValues", "mustBe": True}, "C204"),
        ({"metric": "nullValues", "mustBe": 0, "unit": "prozent"}, "C204"),
        ({"metric": "rowCount", "mustBe": 0, "unit": "percent"}, "C204"),
        ({"type": "sql", "query": "delete from toys", "mustBe": 0}, "C205"),
        ({"type": "sql", "query": "select count(*) from others", "mustBe": 0}, "C205"),
        ({"type": "sql", "query": "select count(*) from read_text('x')", "mustBe": 0}, "C205"),
        ({"type": "sql", "query": "select count(nome) from {object}", "mustBe": 0}, "C205"),
        ({"type": "sql", "query": "select count(*) from {object} where v + 1 = 2", "mustBe": 0}, "C205"),
        ({"metric": "invalidValues", "mustBe": 0}, "C208"),
        ({"metric": "invalidValues", "mustBe": 0, "arguments": {"validValues": "a"}}, "C208"),
        ({"metric": "invalidValues", "mustBe": 0, "arguments": {"pattern": "("}}, "C210"),
        ({"metric": "rowCount", "mustBe": 0, "severity": "set aside"}, "C211"),
        ({"type": "sql", "query": "select 1", "mustBe": 0, "severity": "set aside"}, "C211"),
    ],
)
def test_a_rule_that_cannot_be_run_is_told_before_a_row_is_touched(rule, code, engine):
    assert [(code, True)] == told(engine, text("v", quality=[rule]))


def test_a_run_is_refused_too_when_a_rule_names_what_is_not_there(engine):
    rule = {"type": "sql", "query": "select count(nome) from {object}", "mustBe": 0}

    with pytest.raises(Refused, match="C205"):
        checked(engine, promise(text("v", quality=[rule])), File([["a"]]))


@pytest.mark.parametrize(
    "declared",
    [
        options("date", format="YYYY-MM-DD"),
        options("timestamp", format="yyyy-MM-dd'T'HH:mm:ssXXX"),
        options("string", pattern="("),
        options("string", pattern="^(?!a)"),
        options("date", minimum="January"),
        enum("integer", "one"),
        enum("date", "31.1.2025"),
        enum("boolean", "perhaps"),
    ],
)
def test_a_promise_that_no_row_could_keep_is_told_before_a_row_is_touched(declared, engine):
    assert [("C210", True)] == told(engine, declared)


def test_every_fault_of_the_rules_is_told_at_once(engine):
    rules = [{"metric": "nullValues", "mustBe": 0, "severity": "x"}, {"metric": "invalidValues", "mustBe": 0}]

    assert ["C203", "C208", "C210"] == sorted(
        code for code, _ in told(engine, text("v", quality=rules), options("date", format="DD") | {"name": "w"})
    )


def test_rules_of_the_whole_table_stand_at_the_table(engine):
    assert [("C207", True)] == told(engine, text("v"), quality=[{"metric": "nullValues", "mustBe": 0}])


def test_two_rules_cannot_share_an_id(engine):
    rules = [{"id": "same", "metric": "rowCount", "mustBe": n} for n in (1, 2)]

    assert [("C212", True)] == told(engine, text("v"), quality=rules)


def test_rules_in_words_are_for_people(engine):
    assert [] == told(engine, text("v"), quality=[{"type": "text", "description": "It is good."}])


@pytest.mark.parametrize(("word", "ours_"), [("error", "stop"), ("warning", "warn"), ("info", "warn"), (None, "warn")])
def test_the_words_of_other_tools_are_understood(word, ours_, engine):
    rule = {"id": "r", "metric": "rowCount", "mustBe": 1, **({"severity": word} if word else {})}
    result = checked(engine, promise(text("v"), quality=[rule]), File([["a"]]))

    assert [ours_] == [v.severity for v in result.verdicts]


@settings(max_examples=50, deadline=None)
@given(path=st.sampled_from(parts(WHOLE)), new=ODD | st.just(...))
def test_whatever_a_contract_that_was_read_says_its_rules_run_or_are_told(path, new, engine):
    try:
        made = contract(Node(changed(WHOLE, path, new), "contract.yaml"), "toys")
    except Refused:
        return
    assert all(p.fix and p.code.startswith("C2") for p in faults(engine, made, AS_OF))


def test_a_missing_code_is_null_and_counted_and_never_averaged(engine):
    age = {"name": "v", "logicalType": "integer", "customProperties": ours(missingCodes=["999", "0"])}
    result = checked(
        engine,
        promise(age),
        File(
            [
                ["34"],
                ["999"],
                ["0"],
                [" 999 "],
                [
                    "",
                ],
                ["8"],
            ]
        ),
    )

    assert ([34, None, None, None, None, 8], {"v": 4}) == (values(engine, result), result.missing)
    assert [{"mean": 21.0}] == engine.rows(result.rows.aggregate(mean=result.rows["v"].mean()))


def test_a_missing_code_is_the_text_of_the_file_and_not_its_number(engine):
    code = {"name": "v", "logicalType": "string", "customProperties": ours(missingCodes=["0"])}
    result = checked(engine, promise(code), File([["0"], ["00"], ["0.0"]]))

    assert [None, "00", "0.0"] == values(engine, result)
