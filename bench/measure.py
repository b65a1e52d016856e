"""What measuring costs, as ratios in one run: python bench/measure.py [ROWS]

Cells: 40 measures x 40 neighborhoods x 6 groups x 60 months over 10 million rows, counted into the finest cells and
rolled up, against one hand-written DuckDB query to the same finest cells. Medians and different people, which do not
add up, against queries of their own. Estimates: 1,000,000 against the bare calls of SciPy.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
import tracemalloc
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import numpy as np
from scipy.special import gammainccinv, gammaincinv

from metroon.base.engine import Engine
from metroon.base.estimate import Tallies
from metroon.base.kinds import build
from metroon.base.node import Node
from metroon.base.places import Places
from metroon.city.contract import contract
from metroon.measure import Asking, Indicator, cube, tally

if TYPE_CHECKING:
    from collections.abc import Callable

ROWS = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000
MEASURES, NEIGHBORHOODS, GROUPS, MONTHS = 40, 40, 6, 60
CELLS = 1_000_000


def median_s(step: Callable[[], object], tries: int = 5) -> float:
    took = []
    for _ in range(tries):
        began = time.perf_counter()
        step()
        took.append(time.perf_counter() - began)
    return statistics.median(took)


def rows_file(folder: Path) -> str:
    """Rows of chance: a day of five years, a neighborhood, a group, a category, a number, a yes or no or nothing."""
    file = folder / "rows.parquet"
    duckdb.sql("select setseed(0.5)").fetchall()
    duckdb.sql(f"""
        copy (
            select
                date '2020-01-01' + cast(floor(random() * 1826) as integer) as day,
                'N' || cast(floor(random() * {NEIGHBORHOODS}) as integer) as neighborhood,
                'G' || cast(floor(random() * {GROUPS}) as integer) as kind_of_person,
                cast(floor(random() * 20) as integer) as category,
                round(random() * 100, 1) as x,
                case when random() < 0.1 then null else random() < 0.6 end as is_done,
                cast(floor(random() * {ROWS} / 3) as integer) as person
            from range({ROWS})
        ) to '{file}' (format parquet, compression zstd)
    """)
    return str(file)


def measures() -> dict[str, Indicator]:
    """Twenty counts and twenty shares, each of a category."""
    made = {}
    for i in range(MEASURES):
        declared = {
            "kind": "share" if i % 2 else "count", "title": f"Measure {i}", "question": "How many?", "of": "events",
            "among": f"category = {i // 2}", "period": {"column": "day", "grain": "month"}, "places": ["neighborhood"],
            "groups": [{"by": "kind_of_person", "reference": "G0"}],
        }  # fmt: skip
        made[f"m{i}"] = build("measure", Node(declared | ({"when": "is_done"} if i % 2 else {}), "m.yaml"), Indicator)
    return made


def promised(person_key: str | None = None) -> object:
    columns = {"day": "date", "neighborhood": "string", "kind_of_person": "string", "category": "integer", "x": "number",
               "is_done": "boolean", "person": "integer"}  # fmt: skip
    own = [{"property": k, "value": v, "vendor": "metroon"} for k, v in (
        ("privacyUnit", "person" if person_key else "none"), ("privacyReason", "invented"), ("personKey", person_key),
    ) if v]  # fmt: skip
    node = Node({
        "apiVersion": "v3.2.0", "kind": "DataContract", "id": "events", "name": "events", "version": "1", "status": "active",
        "schema": [{"name": "events", "properties": [
            {"name": n, "logicalType": t, "classification": "public"} for n, t in columns.items()
        ], "customProperties": [{"property": "geographyKey", "value": {"column": "neighborhood", "layer": "neighborhood"},
                                 "vendor": "metroon"}]}],
        "customProperties": own,
    }, "contract.yaml")  # fmt: skip
    return contract(node, "events")


PLACES = Places("neighborhood", "Neighborhoods", "2025", True, {f"N{i}": f"N{i}" for i in range(NEIGHBORHOODS)})


def counted(engine: Engine, file: str, asked: dict[str, Indicator], person_key: str | None = None) -> object:
    """The product's way: one pass, then every cell of every measure."""
    promise = promised(person_key)
    rows = engine.parquet([file])
    located = rows.mutate(_place_neighborhood=rows["neighborhood"].cast("string"))
    made = cube(engine, located, asked, promise)
    return [
        tally(made, Asking(name, indicator, promise, [PLACES], {}, 11, date(2025, 1, 15)))
        for name, indicator in asked.items()
    ]


def by_hand(file: str) -> Callable[[], object]:
    """One query to the same finest cells."""
    sums = []
    for i in range(MEASURES):
        among = f"category = {i // 2}"
        if i % 2:
            sums += [f"count(*) filter (where {among} and is_done)", f"count(*) filter (where {among} and not is_done)",
                     f"count(*) filter (where {among} and is_done is null)"]  # fmt: skip
        else:
            sums.append(f"count(*) filter (where {among})")
        sums.append(f"bit_or(1 << day(day)) filter (where {among})")
    query = f"""
        select strftime(day, '%Y-%m') as month, neighborhood, kind_of_person, {", ".join(sums)}
        from read_parquet('{file}') group by all
    """
    plain = duckdb.connect()
    return lambda: plain.sql(query).to_arrow_table()


def medians(engine: Engine, file: str) -> tuple[Callable[[], object], Callable[[], object]]:
    declared = {"kind": "quantile", "title": "M", "question": "?", "of": "events", "value": "x",
                "period": {"column": "day", "grain": "month"}, "places": ["neighborhood"]}  # fmt: skip
    asked = {"median": build("measure", Node(declared, "m.yaml"), Indicator)}
    plain = duckdb.connect()
    levels = ["strftime(day, '%Y-%m')", "strftime(day, '%Y-%m'), neighborhood"]
    queries = [f"select {by}, median(x), count(*) from read_parquet('{file}') group by all" for by in levels]
    ours = lambda: [t.indicator.estimates(t.tallies) for t in counted(engine, file, asked)]  # noqa: E731
    return ours, lambda: [plain.sql(q).to_arrow_table() for q in queries]


def people(engine: Engine, file: str) -> tuple[Callable[[], object], Callable[[], object]]:
    one = {"m0": measures()["m1"]}
    plain = duckdb.connect()
    levels = [
        "strftime(day, '%Y-%m')",
        "strftime(day, '%Y-%m'), neighborhood",
        "strftime(day, '%Y-%m'), kind_of_person",
    ]
    parts = ", ".join(
        f"count(distinct person) filter (where category = 0 and {w})"
        for w in ("is_done", "not is_done", "is_done is null")
    )
    queries = [f"select {by}, {parts} from read_parquet('{file}') group by all" for by in levels]
    return lambda: counted(engine, file, one, "person"), lambda: [plain.sql(q).to_arrow_table() for q in queries]


def estimates() -> None:
    dice = np.random.default_rng(1)
    events = dice.poisson(30, CELLS)
    unknown, nothing = np.zeros(CELLS, dtype=np.int64), np.full(CELLS, np.nan)
    failures = dice.poisson(50, CELLS)
    asked = measures()
    count = Tallies(events, unknown, unknown, nothing)
    share = Tallies(events, failures, unknown, nothing)

    def bare_poisson() -> object:
        x = events.astype(float)
        return x, gammaincinv(x, 0.025), gammainccinv(x + 1, 0.025)

    def bare_wilson() -> object:
        x, n, z = events.astype(float), (events + failures).astype(float), 1.959963984540054
        reach = z * np.sqrt(z * z + 4 * x * (1 - x / n))
        scale = 2 * (n + z * z)
        return x / n, (2 * x + z * z - reach) / scale, (2 * x + z * z + reach) / scale

    told(
        "1,000,000 estimates of counts / gammaincinv and gammainccinv",
        lambda: asked["m0"].estimates(count),
        bare_poisson,
        2,
    )
    told(
        "1,000,000 estimates of shares / Wilson's formula in NumPy",
        lambda: asked["m1"].estimates(share),
        bare_wilson,
        None,
    )


def told(
    name: str, ours: Callable[[], object], theirs: Callable[[], object], limit: float | None, tries: int = 5
) -> None:
    ours(), theirs()  # neither pays for a cold cache
    # In turn, so that whatever else the machine does weighs on both.
    ratio = statistics.median(median_s(ours, 1) / median_s(theirs, 1) for _ in range(tries))
    print(f"{name:<78} {ratio:6.2f}{f'  (limit {limit:g})' if limit else ''}", flush=True)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        file, engine = rows_file(Path(folder)), Engine()
        print(f"{ROWS:,} rows, {MEASURES} measures, {NEIGHBORHOODS} x {GROUPS} x {MONTHS} finest cells")
        asked = measures()
        told(
            "all cells of 40 measures / one query by hand to the finest cells",
            lambda: counted(engine, file, asked),
            by_hand(file),
            2,
            3,
        )
        tracemalloc.start()
        counted(engine, file, asked)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        cells = MEASURES * MONTHS * (1 + NEIGHBORHOODS + 2 + GROUPS) + MONTHS * NEIGHBORHOODS * GROUPS
        print(f"{'peak memory of Python objects and arrays, bytes for each cell':<78} {peak / cells:6.0f}")
        told("one median by month and place / two queries with median()", *medians(engine, file), 4, 3)
        told("different people of one share by three levels / three queries", *people(engine, file), 2, 3)
    estimates()


if __name__ == "__main__":
    main()
