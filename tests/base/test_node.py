import pytest
from pydantic import BaseModel, ConfigDict, Field

from metroon.base.errors import Problem, Refused
from metroon.base.node import Node, did_you_mean, validate


class Lamp(BaseModel):
    model_config = ConfigDict(extra="forbid")
    color: str
    watts: int = 3


class Street(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    lamps: dict[str, Lamp] = Field(default_factory=dict)


def faults(value: object, lines: dict | None = None) -> list[tuple[int, str, str]]:
    with pytest.raises(Refused) as refused:
        validate(Node(value, "street.yaml", lines or {}), Street, "Y103")
    return [(p.line, p.what, p.fix) for p in refused.value.problems]


def test_a_node_knows_the_line_of_what_is_there_and_of_what_should_be():
    node = Node({"a": {"b": [1, {"c": 2}]}}, "x.yaml", {("a",): 2, ("a", "b"): 3, ("a", "b", 1): 5})

    assert [2, 3, 5, 5, 3, 1] == [
        node.line("a"), node.line("a", "b"), node.line("a", "b", 1), node.line("a", "b", 1, "c"),
        node.line("a", "b", 7), node.line("z"),
    ]  # fmt: skip
    assert 5 == node.at("a", "b").line(1)


@pytest.mark.parametrize("value", [None, "text", 3, [1], {"a": None}, {"a": "b"}])
def test_a_step_into_nothing_is_an_empty_node(value):
    assert None is Node(value, "x.yaml").at("a", "b", 0, "c").value
    assert [] == list(Node(value, "x.yaml").at("a", "b").items())
    assert [] == list(Node(value, "x.yaml").at("a", "b").each())


def test_every_fault_is_told_with_its_line_and_the_likely_key():
    value = {"nam": "Main", "lamps": {"first": {"colour": "red", "watts": "many"}}}
    lines = {("nam",): 1, ("lamps", "first"): 3, ("lamps", "first", "colour"): 4, ("lamps", "first", "watts"): 5}
    told = faults(value, lines)

    assert [1, 1, 3, 4, 5] == [line for line, _, _ in told]
    assert ["'name' is missing.", "unknown key 'nam'."] == sorted(what for line, what, _ in told if line == 1)
    assert ["Did you mean 'color'? Known: color, watts."] == [fix for line, _, fix in told if line == 4]


@pytest.mark.parametrize("given", [2015, 1.5])
def test_a_number_where_a_text_belongs_wants_quotes(given):
    assert [(1, "'name' is read as a number or a date and must be a text.", "Put the value in quotes.")] == faults(
        {"name": given}
    )


def test_a_key_without_a_value_is_told_as_empty():
    assert [(1, "'name' is empty.", "Write its value, or take the line out.")] == faults({"name": None})


@pytest.mark.parametrize("value", [None, [], "x", 3])
def test_what_is_no_mapping_is_told_with_the_keys_to_write(value):
    assert ["Write its keys below, such as: name, lamps."] == [fix for _, _, fix in faults(value)]


def test_nothing_similar_is_never_suggested():
    assert "Known: csv, query." == did_you_mean("zzz", ["query", "csv"])
    assert "None is known here." == did_you_mean("zzz", [])


def test_a_problem_without_a_fix_cannot_be_made():
    with pytest.raises(ValueError, match="helps nobody"):
        Problem("x.yaml", 1, "Y101", "it is wrong.", "")


def test_problems_are_told_once_and_in_the_order_of_the_files():
    late, early = Problem("b.yaml", 1, "Y1", "x", "y"), Problem("a.yaml", 9, "Y1", "x", "y")

    assert (early, late) == Refused([late, early, late]).problems
