"""The repo of the invented city: valid contracts, every column decided, every name resolved."""

import csv
import json
from importlib.resources import files
from pathlib import Path

import pytest
from arroyo import TEXT, rows
from jsonschema import Draft201909Validator
from ruamel.yaml import YAML

from metroon.demo import TRUTHS
from metroon.demo.people import GROUPS, counts

CITY = Path(str(files("metroon.demo") / "city"))
PRODUCTS = sorted(f.name for f in (CITY / "products").iterdir())
MEASURES = sorted(f.stem for f in (CITY / "measures").iterdir())
SCHEMA = json.loads((files("open_data_contract_standard") / "schema.json").read_text(encoding="utf-8"))
CLASSES = {"public", "internal", "quasi", "direct", "sensitive", "free text", "linkage key"}


def read(*path: str):
    return YAML(typ="safe").load(CITY.joinpath(*path).read_text(encoding="utf-8"))


def contract(product: str):
    return read("products", product, "contract.yaml")


def measured(measure: str):
    return read("measures", f"{measure}.yaml")


def own(node, name: str):
    return next((p["value"] for p in node.get("customProperties", []) if p["property"] == name), None)


@pytest.mark.parametrize("product", PRODUCTS)
def test_the_contract_is_valid_odcs(product):
    errors = Draft201909Validator(SCHEMA).iter_errors(contract(product))

    assert [] == [f"{list(e.absolute_path)}: {e.message}" for e in errors]


@pytest.mark.parametrize("product", PRODUCTS)
def test_every_column_has_a_type_a_class_and_a_title(product):
    columns = contract(product)["schema"][0]["properties"]

    assert all(c["classification"] in CLASSES and c["logicalType"] and c["businessName"] for c in columns)


@pytest.mark.parametrize("product", PRODUCTS)
def test_rows_are_published_only_of_things(product):
    unit, mode = (own(contract(product), k) for k in ("privacyUnit", "releaseMode"))

    assert (unit == "none") == (mode == "rows")
    assert unit != "none" or own(contract(product), "privacyReason")


@pytest.mark.parametrize("product", PRODUCTS)
def test_no_direct_identifier_of_open_rows_is_left_without_a_technique(product):
    if own(contract(product), "releaseMode") == "rows":
        direct = [c["name"] for c in contract(product)["schema"][0]["properties"] if c["classification"] == "direct"]
        named = [t["column"] for t in read("products", product, "product.yaml")["guard"]]

        assert set(direct) <= set(named)


@pytest.mark.parametrize("product", PRODUCTS)
def test_every_product_says_in_plain_words_what_is_wrong_with_it(product):
    text = (CITY / "products" / product / "README.md").read_text(encoding="utf-8")

    assert "(invented)" in text.splitlines()[0]
    assert len(text.splitlines()) >= 3


@pytest.mark.parametrize("product", sorted(TEXT))
def test_every_declared_header_is_in_the_files(product, city):
    headers = {k or "column1" for r in rows(city, product)[:1] for k in r}
    columns = contract(product)["schema"][0]["properties"]

    assert {c.get("physicalName", c["name"]) for c in columns} == headers - {"file"}


@pytest.mark.parametrize("product", PRODUCTS)
def test_a_reference_names_a_column_of_another_product(product):
    columns = contract(product)["schema"][0]["properties"]
    for to in (r["to"] for c in columns for r in c.get("relationships", [])):
        other, column = to.split(".")

        assert column in {c["name"] for c in contract(other)["schema"][0]["properties"]}


@pytest.mark.parametrize("measure", MEASURES)
def test_a_measure_counts_a_product_by_its_columns(measure):
    told = read("measures", f"{measure}.yaml")
    names = {c["name"] for c in contract(told["of"])["schema"][0]["properties"]}

    groups = {g["by"] for g in told.get("groups", [])}
    columns = {told[key] for key in ("until", "weight", "stratum") if key in told}

    assert {*groups, *columns, *({told["period"]["column"]} if "period" in told else ())} <= names
    assert told["department"] in read("city.yaml")["departments"]


@pytest.mark.parametrize("measure", MEASURES)
def test_a_measure_has_a_goal_a_type_a_service_and_an_owner_who_is_invented(measure):
    told = measured(measure)

    assert told["goal"] in read("city.yaml")["goals"]
    assert {"type", "service", "question"} <= set(told)
    assert told["owner"].startswith("Invented steward of ")
    assert told["note"].startswith("Invented. ")


@pytest.mark.parametrize("measure", MEASURES)
def test_whoever_set_a_target_or_tells_a_story_is_invented(measure):
    told = measured(measure)
    targets = [told["target"], *told["target"].get("history", [])] if "target" in told else []
    authors = [n["author"] for n in (*told.get("narrative", {}).values(), *told.get("breaks", []))]

    assert [] == [t["authority"] for t in targets if not t["authority"].startswith("Invented council resolution ")]
    assert [] == [a for a in authors if not a.startswith("Invented steward of ")]


@pytest.mark.parametrize("measure", MEASURES)
def test_a_measure_names_only_what_is_there(measure, city):
    told = measured(measure)
    programs = {r["Program"] for r in rows(city, "spending")}
    people = [g["people"] for g in told.get("groups", []) if "people" in g]
    people += [told["people"]] if "people" in told else []

    assert {told[key] for key in ("guard_metric", "coverage") if key in told} <= set(MEASURES)
    assert {told[key] for key in ("budget_program",) if key in told} <= programs
    for p in people:
        assert {p["column"], p["group"], p["place"]} <= {
            c["name"] for c in contract(p["of"])["schema"][0]["properties"]
        }


def test_the_scorecard_has_six_goals_and_each_tells_what_residents_feel():
    types = {}
    for measure in MEASURES:
        types.setdefault(measured(measure)["goal"], set()).add(measured(measure)["type"])

    assert 16 <= len(MEASURES)
    assert set(read("city.yaml")["goals"]) == set(types)
    assert 6 == len(types)
    assert [] == [goal for goal, found in types.items() if "outcome" not in found]


def test_every_kind_of_measure_is_shown_in_the_city():
    kinds = {f.name.removesuffix(".py") for f in files("metroon.measure.kinds").iterdir() if f.name[0] not in "_."}

    assert kinds == {measured(m)["kind"] for m in MEASURES}


def test_groups_are_compared_with_a_reference_chosen_beforehand():
    told = [g for m in MEASURES for g in measured(m).get("groups", [])]
    compared = {m for m in MEASURES for g in measured(m).get("groups", []) if "reference" in g}

    assert 12 <= len(compared)
    assert {"relative", "points"} == {g.get("tolerance_in", "relative") for g in told if "reference" in g}
    assert [["1-4", "5-19", "20-99", "100 and over"]] == [g["order"] for g in told if "order" in g]
    assert [";"] == [g["separator"] for g in told if "separator" in g]


def test_some_stories_have_expired_and_others_have_not():
    expiry = [n["expires"] for m in MEASURES for n in measured(m).get("narrative", {}).values()]

    assert {True, False} == {day < read("city.yaml")["as_of"] for day in expiry}


def test_what_counts_complaints_says_so_and_tells_how_much_is_reported():
    of_requests = [m for m in MEASURES if measured(m)["of"] == "requests_with_promise"]

    assert {(True, "street_defects_reported")} == {
        (measured(m).get("complaints"), measured(m).get("coverage")) for m in of_requests
    }


def test_the_standard_population_is_that_of_the_city():
    by_age = dict(zip(GROUPS["age band"], counts("age band").sum(axis=0).tolist(), strict=True))
    oldest = by_age.pop("65-74") + by_age.pop("75 and over")

    assert {**by_age, "65 and over": oldest} == measured("injuries_at_the_same_age")["standard"]


def test_every_truth_names_a_measure_of_the_city():
    assert {t.measure for t in TRUTHS} <= set(MEASURES)


def test_every_measure_that_the_ledger_names_is_there(city):
    assert {r["Measure"] for r in rows(city, "spending")} - {"", None} <= set(MEASURES)


def test_the_city_says_that_it_is_invented():
    assert read("city.yaml")["invented"] is True


def test_files_of_a_product_share_one_header_but_for_the_renamed_one(city):
    for product, (pattern, delimiter, encoding) in TEXT.items():
        heads = set()
        for file in sorted((city / "inbox").glob(pattern)):
            with file.open(encoding=encoding, newline="") as handle:
                heads.add(tuple(next(csv.reader(handle, delimiter=delimiter))))

        assert (2 if product == "requests_311" else 1) == len(heads)
