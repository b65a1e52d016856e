"""Whether this machine and this city repo are ready, said in words."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from metroon.base.engine import Engine
from metroon.base.errors import Refused
from metroon.city import load
from metroon.walk import sources, techniques

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ibis.expr.types import Value

    from metroon.base.engine import Relation

_NEEDED = ("duckdb", "ibis", "deltalake", "pyarrow", "shapely", "pyproj", "shapefile", "sqlglot", "scipy", "jsonschema")
_ROOM_GB = 1


@dataclass(frozen=True)
class Finding:
    """One thing looked at."""

    is_ok: bool
    what: str
    fix: str = ""


def examine(folder: Path) -> list[Finding]:
    """Everything that a run needs: Python, packages, the engine, space, the city's files and keys."""
    return [*_machine(), *(_city(folder) if (folder / "city.yaml").is_file() else _no_city(folder))]


def _machine() -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding(sys.version_info >= (3, 11), f"Python {version}", "Install Python 3.11 or newer.")
    missing = [n for n in _NEEDED if importlib.util.find_spec(n) is None]
    there = f"{len(_NEEDED) - len(missing)} of {len(_NEEDED)} packages"
    yield Finding(not missing, there, f"Install {', '.join(missing)}.")
    if not missing:
        engine = Engine()
        answer = engine.rows(engine.table(pa.table({"n": [2, 3]})).aggregate(n=_sum))
        yield Finding(answer == [{"n": 5}], "the engine answers", "Install duckdb and ibis-framework again.")


def _sum(rows: Relation) -> Value:
    return rows["n"].sum()


def _no_city(folder: Path) -> Iterator[Finding]:
    yield Finding(False, f"no city.yaml in {folder} or above it", "Start a city with: metroon init FOLDER")


def _city(folder: Path) -> Iterator[Finding]:
    free_gb = shutil.disk_usage(folder).free / 1e9
    yield Finding(free_gb >= _ROOM_GB, f"{free_gb:.0f} GB free", "Make room: versions of all products are kept.")
    yield Finding(os.access(folder, os.W_OK), f"{folder} can be written", "Ask for the right to write there.")
    try:
        city = load(folder)
        protecting, collecting = techniques(city), sources(city)
    except Refused as refused:
        yield Finding(False, f"{len(refused.problems)} faults in the city repo", "See them with: metroon check")
        return
    yield Finding(True, f"{city.file.name}: {len(city.products)} products, {len(city.measures)} measures")
    yield Finding(city.data.is_dir(), f"raw files in {city.data}", "Create the folder or correct 'data:' in city.yaml.")
    purposes = {str(p) for made in protecting.values() for t in made if (p := getattr(t, "purpose", None))}
    for purpose in sorted(purposes):
        name = f"METROON_KEY_{purpose.upper()}"
        fix = f"Set {name} to at least 16 random characters, from your secret store."
        yield Finding(len(os.environ.get(name, "")) >= 16, f"the key {name} is set", fix)
    for name in sorted({v for source in collecting.values() for v in source.variables}):
        fix = f"Set {name} in the environment of this program, from your secret store."
        yield Finding(bool(os.environ.get(name)), f"the environment variable {name} is set", fix)
