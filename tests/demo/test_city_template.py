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

CITY = Path(str(files("metroon.demo") / "city"))
PRODUCTS = sorted(f.name for f in (CITY / "products").iterdir())
MEASURES = sorted(f.stem for f in (CITY / "measures").iterdir())
SCHEMA = json.loads((files("open_data_contract_standard") / "schema.json").read_text(encoding="utf-8"))
CLASSES = {"public", "internal", "quasi", "direct", "sensitive", "free text", "linkage key"}


def read(*path: str):
    return YAML(typ="safe").load(CITY.joinpath(*path).read_text(encoding="utf-8"))


def contract(product: str):
    return read("products", product, "contract.yaml")


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

    used = {*told.get("groups", []), *({told["period"]["column"]} if "period" in told else ())}

    assert used <= names
    assert told["department"] in read("city.yaml")["departments"]


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
