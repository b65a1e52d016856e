from pathlib import Path

import pytest

from metroon.base.errors import Refused
from metroon.city import load
from metroon.city.city import data_folder
from tiny import CITY, CONTRACT, MEASURE, PRODUCT, swapped, tiny_city


def faults(folder: Path) -> list[tuple[str, int, str]]:
    """File, line and code of every fault of a city repo."""
    with pytest.raises(Refused) as refused:
        load(folder)
    assert all(p.fix for p in refused.value.problems)
    return [(Path(p.file).name, p.line, p.code) for p in refused.value.problems]


def fixes(folder: Path) -> str:
    with pytest.raises(Refused) as refused:
        load(folder)
    return " ".join(p.fix for p in refused.value.problems)


def test_a_whole_city_is_read(tmp_path):
    city = load(tiny_city(tmp_path))

    assert ("Toytown", ["crashes"], ["crash_count"], tmp_path / "inbox") == (
        city.file.name, list(city.products), list(city.measures), city.data
    )  # fmt: skip


def test_the_faults_of_all_files_are_told_at_once(tmp_path):
    tiny_city(
        tmp_path,
        city=swapped(CITY, "vintage", "vintag"),
        contract=swapped(CONTRACT, "required", "requird"),
        product=swapped(PRODUCT, "guard", "gard"),
        measure="a: 1\na: 2\n",
    )

    assert {
        ("city.yaml", 11, "Y103"), ("contract.yaml", 16, "C102"), ("product.yaml", 2, "Y103"),
        ("crash_count.yaml", 2, "Y102"), ("city.yaml", 7, "Y103"),
    } == set(faults(tmp_path))  # fmt: skip


@pytest.mark.parametrize(
    ("before", "after", "line", "fix"),
    [
        ("time_zone: America/Los_Angeles", "timezone: America/Los_Angeles", 2, "Did you mean 'time_zone'?"),
        ("time_zone: America/Los_Angeles", "time_zone: Pacific", 2, "America/Los_Angeles"),
        ("title: Wards", "titel: Wards", 8, "Did you mean 'title'?"),
        ('vintage: "2025"', "vintage: 2025", 11, "Put the value in quotes."),
        ("key: ward", "key:", 10, "take the line out"),
        ("  ward:\n", "  Ward 1:\n", 7, "small letters"),
        ("data: inbox", "as_of: 2026-02-30", 3, "metroon schema"),
        ("data: inbox", "thresholds: { minimum_cell: 2 }", 3, "metroon schema"),
        ("data: inbox", "invented: perhaps", 3, "metroon schema"),
        ("name: Toytown\n", "", 1, "Add 'name:' here."),
        ("departments:\n  roads: Roads\n", "departments: [roads]\n", 4, "metroon schema"),
    ],
)
def test_each_fault_of_the_city_is_told_at_its_line_with_what_to_write(before, after, line, fix, tmp_path):
    tiny_city(tmp_path, city=swapped(CITY, before, after))

    assert line in [at for name, at, _ in faults(tmp_path) if name == "city.yaml"]
    assert fix in fixes(tmp_path)


@pytest.mark.parametrize("text", ["", "- a\n", "text\n", "3\n", "~\n", "name: [\n", "a:\n\tb: 1\n"])
@pytest.mark.parametrize("file", ["city", "contract", "product"])
def test_odd_yaml_is_told_and_crashes_nothing(file, text, tmp_path):
    tiny_city(tmp_path, **{file: text})

    assert 1 <= len(faults(tmp_path))


@pytest.mark.parametrize("file", ["contract", "product"])
def test_a_missing_file_of_a_product_is_told(file, tmp_path):
    tiny_city(tmp_path, **{file: None})

    assert [(f"{file}.yaml", 0, "Y101")] == faults(tmp_path)


def test_a_folder_without_a_city_is_told(tmp_path):
    assert [(tmp_path.name, 0, "Y104")] == faults(tmp_path)


@pytest.mark.parametrize("guard", ["{ kind: drop, column: id }", "drop", "3"])
def test_a_protection_that_is_no_list_is_not_passed_over(guard, tmp_path):
    tiny_city(tmp_path, product=swapped(PRODUCT, "guard: []", f"guard: {guard}"))

    assert [("product.yaml", 2, "Y103")] == faults(tmp_path)


def test_files_that_end_in_yml_are_not_passed_over(tmp_path):
    tiny_city(tmp_path)
    (tmp_path / "measures" / "second.yml").write_text(MEASURE, encoding="utf-8")
    (tmp_path / "products" / "crashes" / "contract.yml").write_text(CONTRACT, encoding="utf-8")

    assert [("contract.yml", 0, "Y105"), ("second.yml", 0, "Y105")] == sorted(faults(tmp_path))


@pytest.mark.parametrize("name", ["Crashes", "crash data", "2020", "crash-data", "día"])
def test_a_name_that_cannot_be_a_table_is_told(name, tmp_path):
    tiny_city(tmp_path)
    (tmp_path / "products" / "crashes").rename(tmp_path / "products" / name)

    assert (name, 0, "Y105") in faults(tmp_path)


def test_folders_of_other_programs_are_no_products(tmp_path):
    tiny_city(tmp_path)
    (tmp_path / "products" / ".ipynb_checkpoints").mkdir()

    assert ["crashes"] == list(load(tmp_path).products)


def test_a_name_is_a_product_or_a_measure_and_not_both(tmp_path):
    tiny_city(tmp_path)
    (tmp_path / "measures" / "crash_count.yaml").rename(tmp_path / "measures" / "crashes.yaml")

    assert [("crashes.yaml", 1, "Y106")] == faults(tmp_path)


@pytest.mark.parametrize(
    ("declared", "value", "folder"),
    [
        ("inbox", None, "/city/inbox"),
        ("../raw", None, "/raw"),
        ("/abs/raw", None, "/abs/raw"),
        ("${RAW:-../raw}/fire", None, "/raw/fire"),
        ("${RAW:-../raw}/fire", "", "/raw/fire"),
        ("${RAW:-../raw}/fire", "/data", "/data/fire"),
        ("${RAW:-}", None, "/city"),
    ],
)
def test_the_data_folder_is_the_variables_or_the_default(declared, value, folder, monkeypatch):
    monkeypatch.delenv("RAW", raising=False)
    if value is not None:
        monkeypatch.setenv("RAW", value)

    assert folder == str(data_folder(declared, Path("/city")))


def test_a_data_folder_from_the_environment_is_where_the_reader_stands(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RAW", "here")

    assert tmp_path.resolve() / "here" == data_folder("${RAW:-x}", Path("/city"))


def test_a_data_folder_that_needs_an_unset_variable_is_told(tmp_path, monkeypatch):
    monkeypatch.delenv("RAW", raising=False)
    tiny_city(tmp_path, city=swapped(CITY, "data: inbox", "data: ${RAW}/fire"))

    assert [("city.yaml", 3, "Y103")] == faults(tmp_path)
