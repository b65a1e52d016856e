"""What things cost, as ratios in one run: python bench/ratios.py

Every line is a quotient of two times measured here and now, the median of several tries, so that it means the same
on every machine.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import numpy as np

from metroon import flow
from metroon.base.engine import Engine
from metroon.city import load
from metroon.collect import Reading
from metroon.collect.kinds.csv import Csv
from metroon.demo import build
from metroon.lake.kinds.delta import Delta
from metroon.walk import Walk

if TYPE_CHECKING:
    from collections.abc import Callable

ROWS = 300_000


def median_s(step: Callable[[], object], tries: int = 5) -> float:
    took = []
    for _ in range(tries):
        began = time.perf_counter()
        step()
        took.append(time.perf_counter() - began)
    return statistics.median(took)


def command(*words: str) -> Callable[[], object]:
    return lambda: subprocess.run([sys.executable, *words], check=True, capture_output=True)


def help_to_engine() -> float:
    ours = command("-c", "from metroon.cli import main; main(['--help'])")
    return median_s(ours, 9) / median_s(command("-c", "import duckdb"), 9)


def unchanged_to_first(folder: Path) -> float:
    def once() -> object:
        city = load(folder)
        return flow.run(Walk(city, city.file.as_of))

    return median_s(once, 1) and median_s(once, 3) / first_s(folder)


def first_s(folder: Path) -> float:
    def fresh() -> object:
        with tempfile.TemporaryDirectory() as home:
            city = load(folder)
            return flow.run(Walk(city, city.file.as_of, Path(home)))

    return median_s(fresh, 1)


def csv_to_duckdb(folder: Path) -> float:
    file = folder / "wide.csv"
    columns = [f"c{i}" for i in range(8)]
    numbers = np.random.default_rng(1).integers(0, 10**6, (ROWS, len(columns)))
    np.savetxt(file, numbers, fmt="%d", delimiter=",", header=",".join(columns), comments="")
    contract = load(Path("examples/sanjose")).products["city_limits"].contract
    declared = type(contract.columns[0])
    made = [declared(**{**contract.columns[0].__dict__, "name": c, "source": c, "type": "string"}) for c in columns]
    contract = type(contract)(**{**contract.__dict__, "columns": tuple(made)})
    ours = median_s(lambda: Csv(path="wide.csv").read(Reading(Engine(), contract, folder, folder)), 3)
    query = f"create or replace table t as select * from read_csv('{file}', all_varchar=true, header=true)"
    return ours / median_s(lambda: duckdb.execute(query), 3)


def delta_to_parquet(folder: Path) -> float:
    engine = Engine()
    rows = engine.sql(f"select range as n, md5(range::varchar) as t from range({2 * ROWS})", {"_": _one(engine)})
    delta = median_s(lambda: Delta().write(folder / "table", rows, engine, "{}"))
    return delta / median_s(lambda: engine.save(rows, folder / "plain.parquet"))


def _one(engine: Engine) -> object:
    import pyarrow as pa

    return engine.table(pa.table({"n": [1]}))


def main() -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        city = build(folder / "city")
        lines = {
            "metroon --help / python -c 'import duckdb'  (at most 3)": help_to_engine(),
            "unchanged run / first run, Arroyo Vista": unchanged_to_first(city),
            f"csv read record by record / DuckDB read_csv, {ROWS:,} rows x 8": csv_to_duckdb(folder),
            "Delta commit with evidence / plain Parquet by COPY": delta_to_parquet(folder),
        }
    for words, ratio in lines.items():
        print(f"{ratio:8.2f}  {words}")


if __name__ == "__main__":
    main()
