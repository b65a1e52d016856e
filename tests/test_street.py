"""The layout is the map: the alphabet is the path of the data, and the stated layers equal the folders."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SRC = ROOT / "src" / "metroon"
COMPOSERS = {
    "adding",
    "audit",
    "catalog",
    "classification",
    "plan",
    "portal",
    "scorecard",
    "cli",
    "doctor",
    "editions",
    "erasing",
    "explain",
    "faults",
    "harvest",
    "flow",
    "comparison",
    "protection",
    "register",
    "risk",
    "guarding",
    "keeping",
    "leaving",
    "record",
    "report",
    "schedule",
    "schema",
    "serving",
    "tables",
    "tabulation",
    "verb",
    "verification",
    "waiting",
    "walk",
    "watching",
    "withdrawal",
}
FORBIDDEN = {"utils", "helpers", "common", "misc", "core", "manager", "handler", "service", "types"}


def rooms() -> list[str]:
    return sorted(p.name for p in SRC.iterdir() if (p / "__init__.py").exists())


def test_the_stated_layers_are_the_sorted_folders() -> None:
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0]
    stated = [name.strip() for layer in contract["layers"] for name in layer.split("|")]

    assert rooms() == [name for name in reversed(stated) if name not in COMPOSERS]


def test_only_what_composes_stands_beside_the_rooms() -> None:
    assert {p.stem for p in SRC.glob("*.py")} - {"__init__"} == COMPOSERS


def test_every_room_opens_with_what_goes_in_and_what_comes_out() -> None:
    doors = {room: ast.get_docstring(ast.parse((SRC / room / "__init__.py").read_text())) or "" for room in rooms()}

    assert [] == [room for room, text in doors.items() if not ("In: " in text and "Out: " in text)]


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert [] == [str(p) for p in SRC.rglob("*.py") if p.stem in FORBIDDEN]


def test_only_the_command_imports_our_own_modules_inside_functions() -> None:
    verbs = {SRC / name for name in ("cli.py", "guarding.py", "verb.py")}
    found = [str(p.relative_to(SRC)) for p in SRC.rglob("*.py") if p not in verbs and _imports_inside(p)]

    assert [] == found


def test_only_the_kinds_module_uses_importlib_to_import() -> None:
    pattern = re.compile(r"import_module|__import__|spec_from_file_location")

    assert ["base/kinds/__init__.py"] == [
        p.relative_to(SRC).as_posix() for p in sorted(SRC.rglob("*.py")) if pattern.search(p.read_text())
    ]


@pytest.mark.parametrize("room", ["collect", "guard", "measure", "review", "serve"])
def test_a_kind_is_one_file_with_one_manual_page(room: str) -> None:
    for file in sorted((SRC / room / "kinds").glob("[!_]*.py")):
        public = [n for n in ast.parse(file.read_text()).body if isinstance(n, ast.ClassDef) and n.name[0] != "_"]

        assert [file.stem.replace("_", "")] == [c.name.lower() for c in public]
        assert ast.get_docstring(public[0])


def _imports_inside(file: Path) -> bool:
    tree = ast.parse(file.read_text())
    functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    names = [i.module or "" for f in functions for i in ast.walk(f) if isinstance(i, ast.ImportFrom)]
    names += [a.name for f in functions for i in ast.walk(f) if isinstance(i, ast.Import) for a in i.names]
    return any(n.startswith("metroon") for n in names)
