"""What the whole street costs, as ratios in one run: python bench/street.py [--rows N] [--peer PYTHON] [--keep FOLDER]

Incidents are the real ones of one month, repeated with shifted times and numbers of their own: the file is expanded,
and no number made of it says anything of a city. The street collects them, holds them to 16 rules, keeps and publishes
them, puts their points into districts and counts by district and month. The baseline is a script for DuckDB: it parses
the same file, calls the same ``locate``, writes the same two tables as Parquet and counts; it checks no rule, proves
nothing and remembers nothing. Both are processes of their own with the same number of threads. The peer is
datacontract-cli with the same checks, in its own environment: ``--peer`` names its ``python``.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DATA = Path(os.environ.get("METROON_DATA", Path(__file__).parents[2] / "shared" / "data")) / "sanjose"
MONTH, DISTRICTS = DATA / "FireIncidents_Jan2015.csv", DATA / "CITY_COUNCIL_DISTRICTS.geojson"
AS_OF = "2015-02-15"
THREADS = len(os.sched_getaffinity(0))
TIMES = {
    "event_at": "Date_Time_Of_Event", "dispatched_at": "Dispatched_Time", "on_the_way_at": "Unit_On_The_Way_Time",
    "on_scene_at": "Unit_On_Scene_TimeStamp", "cleared_at": "Cleared_TimeStamp",
}  # fmt: skip
COLUMNS = {
    "incident_no": ("Incident_No", "VARCHAR"),
    "event_at": (TIMES["event_at"], "TIMESTAMP"),
    "dispatched_at": (TIMES["dispatched_at"], "TIMESTAMP"),
    "on_the_way_at": (TIMES["on_the_way_at"], "TIMESTAMP"),
    "on_scene_at": (TIMES["on_scene_at"], "TIMESTAMP"),
    "on_scene_unit": ("On_Scene_Unit", "VARCHAR"),
    "cleared_at": (TIMES["cleared_at"], "TIMESTAMP"),
    "units": ("Unit_Count", "BIGINT"),
    "priority": ("Priority", "VARCHAR"),
    "type": ("Final_Incident_Type", "VARCHAR"),
    "category": ("Final_Incident_Category", "VARCHAR"),
    "latitude": ("Latitude", "DOUBLE"),
    "longitude": ("Longitude", "DOUBLE"),
}
"""Column -> its header and its type, in the order of the file."""
OPEN = "date_trunc('month', event_at)::date as event_at, units, priority, category, district as council_district"
AMONG, WHEN = "priority = 'Priority 1'", "date_diff('minute', event_at, on_scene_at) <= 8"


# The city


def expanded(folder: Path, rows: int, copy: int) -> dict[str, Any]:
    """Write so many incidents: copies of the real month from a number on, each some days and minutes earlier."""
    import duckdb

    out = folder / "inbox" / f"incidents_{copy:08}.csv"

    times = ", ".join(
        f"""case when "{c}" = '' then '' else strftime(strptime("{c}", '%-m/%-d/%y %-I:%M %p')
            - to_days(cast(31 * (copy % 110) as integer)) - to_minutes(copy // 110),
            '%-m/%-d/%y %-I:%M %p') end as "{c}"
        """
        for c in TIMES.values()
    )
    read = f"read_csv('{MONTH}', header = true, all_varchar = true, delim = ',', quote = '\"')"
    many = duckdb.sql(f"select count(*) from {read}").fetchall()[0][0]
    duckdb.execute(f"set threads = {THREADS}")
    duckdb.execute(f"""
        copy (
            select * exclude copy replace ("Incident_No" || '-' || copy as "Incident_No", {times})
            from (select copy.range as copy, it.* from range({copy}, {copy + rows // many + 1}) copy, {read} it)
            limit {rows}
        ) to '{out}' (header, force_quote *)
    """)
    return {"mb": out.stat().st_size / 1e6}


def city(folder: Path) -> None:
    """Declare the city: districts, incidents with 16 rules, one measure."""

    def ours(**given: Any) -> list[dict[str, Any]]:
        return [{"property": k, "value": v, "vendor": "metroon"} for k, v in given.items()]

    def product(name: str, promised: dict[str, Any], how: dict[str, Any], **own: Any) -> None:
        told = {"apiVersion": "v3.2.0", "kind": "DataContract", "id": name, "name": name, "version": "1.0.0",
                "status": "active", "schema": [{"name": name, **promised}],
                "customProperties": ours(privacyUnit="none", privacyReason="Expanded: no row is of a person.",
                                         releaseMode="rows", **own)}  # fmt: skip
        write(folder / "products" / name / "contract.yaml", told)
        write(folder / "products" / name / "product.yaml", how)

    places = {"council_district": {"title": "Council districts", "product": "council_districts", "key": "district",
                                   "vintage": "2015"}}  # fmt: skip
    write(folder / "city.yaml", {"name": "Expanded", "time_zone": "America/Los_Angeles", "as_of": AS_OF,
                                 "data": "inbox", "places": places})  # fmt: skip
    product(
        "council_districts",
        {"properties": [
            {"name": "district", "physicalName": "DISTRICTS", "logicalType": "string", "classification": "public"},
            {"name": "geometry", "logicalType": "object", "physicalType": "wkb", "classification": "public"},
        ]},
        {"collect": {"kind": "geofile", "path": DISTRICTS.name, "others": "leave"}},
    )  # fmt: skip
    product("incidents", promised(), {
        "collect": {"kind": "csv", "path": "incidents_*.csv"},
        "guard": [
            {"kind": "coarsen", "column": "event_at", "to": "month"},
            {"kind": "coarsen", "column": "latitude", "to": "council_district"},
        ],
    })  # fmt: skip
    write(folder / "measures" / "within_8min.yaml", {
        "kind": "share", "title": "Reached within 8 minutes", "question": "How often?", "of": "incidents",
        "among": AMONG, "when": WHEN, "period": {"column": "event_at", "grain": "month"},
        "places": ["council_district"], "unit": "of calls",
    })  # fmt: skip
    (folder / "inbox").mkdir(exist_ok=True)
    shutil.copy(DISTRICTS, folder / "inbox")


def promised() -> dict[str, Any]:
    """16 rules: 8 types, 2 values that must be there, a key, no future, 2 smallest values, a list, a number of rows."""
    classes = {"incident_no": "linkage key", "units": "public", "priority": "public", "category": "public"}
    more: dict[str, dict[str, Any]] = {
        "incident_no": {"primaryKey": True, "required": True},
        "event_at": {"required": True},
        "units": {"logicalTypeOptions": {"minimum": 0}},
        "latitude": {"logicalTypeOptions": {"minimum": -90}},
        "priority": {"quality": [{
            "id": "priority_known", "type": "library", "metric": "invalidValues",
            "arguments": {"validValues": ["Priority 1", "Priority 2"]}, "mustBeLessThan": 1, "unit": "percent",
            "severity": "warn",
        }]},
    }  # fmt: skip
    kinds = {"VARCHAR": "string", "TIMESTAMP": "timestamp", "BIGINT": "integer", "DOUBLE": "number"}
    properties = []
    for name, (header, kind) in COLUMNS.items():
        given = more.get(name, {})
        if kind == "TIMESTAMP":
            given = {**given, "logicalTypeOptions": {"format": "M/d/yy h:mm a"}}
        properties.append({"name": name, "physicalName": header, "logicalType": kinds[kind],
                           "classification": classes.get(name, "quasi"), **given})  # fmt: skip
    quality = [{"id": "rows", "type": "library", "metric": "rowCount", "mustBeGreaterThan": 100, "severity": "stop"}]
    own = [{"property": "point", "value": {"longitude": "longitude", "latitude": "latitude"}, "vendor": "metroon"},
           {"property": "eventTime", "value": "event_at", "vendor": "metroon"}]  # fmt: skip
    return {"properties": properties, "quality": quality, "customProperties": own}


def write(file: Path, what: object) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(what, indent=1), encoding="utf-8")


# The two sides, each in a process of its own


def street(folder: Path) -> dict[str, Any]:
    """Walk the city; what it says of itself."""
    # What is imported only when it is used belongs to the imports too; pyarrow looks for pandas at its first array.
    import fsspec  # noqa: F401
    import ibis.backends.duckdb  # noqa: F401
    import pyarrow as pa
    import scipy.special  # noqa: F401

    pa.array([""])

    from metroon import flow
    from metroon.city import load
    from metroon.walk import Walk

    began, cpu = time.monotonic(), time.process_time()
    declared = load(folder)
    steps: list[tuple[float, float, str]] = []

    def step(verb: str, name: str) -> None:
        steps.append((time.monotonic(), time.process_time(), f"{verb} {name}"))

    walk = Walk(declared, declared.file.as_of, told=step)
    told = flow.run(walk, ())
    seconds, cpu = time.monotonic() - began, time.process_time() - cpu
    ended = [*steps[1:], (time.monotonic(), time.process_time(), "")]
    problems = [str(p) for a in (*told.accounts, *told.measured) for p in a.problems]
    account = next(a for a in told.accounts if a.product == "incidents")
    return {
        "after_imports_s": seconds,
        "after_imports_cpu_s": cpu,
        "problems": problems,
        "outcome": account.outcome,
        "read": account.read,
        "kept": account.kept,
        "rules": len(account.verdicts),
        "steps": {
            name: (end - at, cpu_end - cpu) for (at, cpu, name), (end, cpu_end, _) in zip(steps, ended, strict=False)
        },
    }


def baseline(folder: Path) -> dict[str, Any]:
    """The script without a street."""
    import duckdb
    import numpy as np
    import pyarrow as pa
    import shapely

    from metroon.base.places import Places, locate

    began = time.monotonic()
    out = folder / "baseline"
    out.mkdir(exist_ok=True)
    con = duckdb.connect(config={"threads": THREADS})
    kinds = dict(COLUMNS.values())
    named = ", ".join(f'"{header}" as {name}' for name, (header, _) in COLUMNS.items())
    con.execute(f"""
        copy (
            select {named}, filename as _file, row_number() over () + 1 as _line
            from read_csv('{folder}/inbox/incidents_*.csv', header = true, columns = {kinds!r}, delim = ',',
                          quote = '"', timestampformat = '%m/%d/%y %I:%M %p', filename = true)
        ) to '{out}/restricted.parquet' (format parquet, compression zstd)
    """)
    con.execute(f"create view incidents as from read_parquet('{out}/restricted.parquet')")
    points = con.sql("select distinct longitude, latitude from incidents").to_arrow_table()
    features = json.loads(DISTRICTS.read_text(encoding="utf-8"))["features"]
    shapes = {f["properties"]["DISTRICTS"]: shapely.geometry.shape(f["geometry"]) for f in features}
    places = Places("council_district", "Districts", "2015", True, {k: k for k in shapes}, shapes)
    x, y = (np.asarray(points[c].to_numpy(), dtype=float) for c in ("longitude", "latitude"))
    located = points.append_column("district", pa.array(locate(places, x, y).tolist(), pa.string()))
    con.register("located", located)
    joined = """incidents left join located on incidents.longitude is not distinct from located.longitude
                and incidents.latitude is not distinct from located.latitude"""
    con.execute(f"copy (select {OPEN} from {joined}) to '{out}/open.parquet' (format parquet, compression zstd)")
    con.execute(f"""
        copy (
            select strftime(event_at, '%Y-%m') as month, district, count(*) filter (where {WHEN}) as yes,
                   count(*) filter (where not ({WHEN})) as no
            from {joined} where {AMONG} group by all
        ) to '{out}/cells.parquet' (format parquet)
    """)
    return {"after_imports_s": time.monotonic() - began}


def uniqueness(folder: Path) -> dict[str, Any]:
    """Whether any number is there twice: what no part of a file can answer alone."""
    import duckdb

    began, cpu = time.monotonic(), time.process_time()
    con = duckdb.connect(config={"threads": THREADS})
    con.sql(f"select count(*) - count(distinct incident_no) from '{folder}/baseline/restricted.parquet'").fetchall()
    return {"after_imports_s": time.monotonic() - began, "after_imports_cpu_s": time.process_time() - cpu}


def peer(folder: Path) -> dict[str, Any]:
    """The same checks by datacontract-cli; run by the Python of its own environment."""
    from datacontract.data_contract import DataContract

    began, cpu = time.monotonic(), time.process_time()
    run = DataContract(data_contract_file=str(folder / "peer.yaml")).test()
    checks = [c.result for c in run.checks]
    told = {str(r.value if hasattr(r, "value") else r): checks.count(r) for r in checks}
    spent = {"after_imports_s": time.monotonic() - began, "after_imports_cpu_s": time.process_time() - cpu}
    return {**spent, "checks": told}


@dataclass(frozen=True)
class Took:
    """What a process took.

    Args:
        seconds: From its start to its end.
        cpu_s: Of all its threads.
        peak_mb: The most memory that it held at once.
        told: What it said.
    """

    seconds: float
    cpu_s: float
    peak_mb: float
    told: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.seconds:8.1f} s  {self.cpu_s:8.1f} s of processor  {self.peak_mb:8,.0f} MB"


def took(side: str, folder: Path, *words: int, python: str = sys.executable) -> Took:
    """Run one side as a process of its own.

    This process does no work itself: a child's peak memory begins with that of whoever started it.
    """
    out = folder / f"{side}.json"
    out.unlink(missing_ok=True)
    began = time.monotonic()
    told = [python, __file__, "--keep", str(folder), "--side", side, *map(str, words)]
    process = subprocess.Popen(told, stdout=subprocess.DEVNULL, env={**os.environ, "OMP_NUM_THREADS": str(THREADS)})
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{side} ended with {process.returncode}")
    seconds = time.monotonic() - began
    return Took(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, json.loads(out.read_text()))


# Whether both did the same


def same(folder: Path) -> dict[str, bool]:
    """Whether both sides wrote the same rows and counted the same cells."""
    import duckdb

    from metroon.city import load
    from metroon.walk import Walk

    declared = load(folder)
    walk = Walk(declared, declared.file.as_of)
    kept, opened, measured = (
        walk.lake.restricted("incidents"),
        walk.lake.open("incidents"),
        walk.lake.open("within_8min"),
    )
    if kept is None or opened is None or measured is None:
        return {"published": False}
    restricted, published, cells = (f"read_parquet({walk.lake.files(v)!r})" for v in (kept, opened, measured))
    base = folder / "baseline"

    def told(columns: str, table: str) -> Any:
        return duckdb.sql(f"select count(*), sum(hash({columns})::hugeint) from {table}").fetchall()

    columns = ", ".join(COLUMNS)
    open_columns = "event_at, units, priority, category, council_district"
    ours = duckdb.sql(f"""
        select period, place, events::bigint, (base - events)::bigint from {cells}
        where geography = 'council_district' and events is not null order by all
    """).fetchall()
    theirs = duckdb.sql(f"""
        select month, district, yes, no from '{base}/cells.parquet' where yes + no > 0 order by all
    """).fetchall()
    known = {(m, d): n for m, d, *n in theirs}
    return {
        "restricted": told(columns, restricted) == told(columns, f"'{base}/restricted.parquet'"),
        "open": told(open_columns, published) == told(open_columns, f"'{base}/open.parquet'"),
        f"{len(ours)} cells": bool(ours) and all(list(n) == known.get((m, d)) for m, d, *n in ours),
    }


SIDES = {f.__name__: f for f in (expanded, street, baseline, uniqueness, peer, same)}


def main() -> None:
    """Everything, one line each."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--rows", type=int, default=10_000_000)
    asked.add_argument("--peer", help="the python of an environment with datacontract-cli[duckdb]")
    asked.add_argument("--keep", type=Path, help="a folder to work in, and to keep")
    asked.add_argument("--side", nargs="+", help="run one side only, in --keep; used by this program itself")
    given = asked.parse_args()
    if given.side:
        side, *words = given.side
        (given.keep / f"{side}.json").write_text(json.dumps(SIDES[side](given.keep, *map(int, words))))
        return
    if given.keep:
        shutil.rmtree(given.keep, ignore_errors=True)
        given.keep.mkdir(parents=True)
        compare(given.keep, given.rows, given.peer)
        return
    with tempfile.TemporaryDirectory() as place:
        compare(Path(place), given.rows, given.peer)


def compare(folder: Path, rows: int, python: str | None) -> None:
    """Make the files and run every side."""
    city(folder)
    size = took("expanded", folder, rows, 0).told["mb"]
    print(f"{rows:,} incidents, expanded from one real month: {size:,.0f} MB of CSV; {THREADS} threads", flush=True)
    base = took("baseline", folder)
    print(f"baseline          {base}", flush=True)
    first = took("street", folder)
    print(f"the whole street  {first}", flush=True)
    print(f"  {first.told['kept']:,} of {first.told['read']:,} rows kept, {first.told['rules']} rules")
    print(*steps_of(first), sep="\n")
    print(*(f"  {p}" for p in first.told["problems"]), sep="\n", end="")
    print(f"{first.seconds / base.seconds:.2f}  time, street / baseline (at most 1.5)")
    print(f"{first.cpu_s / base.cpu_s:.2f}  processor time, street / baseline")
    print(f"{first.peak_mb / base.peak_mb:.2f}  peak memory, street / baseline (at most 1.5)")
    print(
        *(
            f"      the same {what}: {'yes' if is_same else 'NO'}"
            for what, is_same in took("same", folder).told.items()
        ),
        sep="\n",
    )
    again = took("street", folder)
    print(
        f"{again.told['after_imports_s']:.2f}  seconds of an unchanged run after imports (at most 1); "
        f"{again.told['after_imports_cpu_s']:.2f} of processor"
    )
    checked_by_peer(folder, python, first)
    scan = took("uniqueness", folder)
    took("expanded", folder, max(rows // 100, 1), rows)  # there are fewer copies than rows, so none is there twice
    more = took("street", folder)
    print(f"an append of 1 %  {more}  ({more.told['outcome']}: {more.told['kept']:,} rows)")
    print(*steps_of(more), sep="\n")
    print(f"{scan.told['after_imports_s']:.2f}  seconds of the uniqueness scan alone")
    spent = more.told["after_imports_s"] - scan.told["after_imports_s"]
    print(f"{spent / first.told['after_imports_s']:.3f}  time, append less that scan / full (at most 0.05)")
    spent = more.told["after_imports_cpu_s"] - scan.told["after_imports_cpu_s"]
    print(f"{spent / first.told['after_imports_cpu_s']:.3f}  processor time, the same")
    base = took("baseline", folder)
    print(
        *(
            f"      the same {what}: {'yes' if is_same else 'NO'}"
            for what, is_same in took("same", folder).told.items()
        ),
        sep="\n",
    )


def steps_of(side: Took) -> list[str]:
    """What each step took."""
    return [f"  {s:8.2f} s {cpu:8.2f} s of processor: {name}" for name, (s, cpu) in side.told["steps"].items()]


def checked_by_peer(folder: Path, python: str | None, first: Took) -> None:
    """The same checks by the peer, or why not; of times it checks no format, and it keeps and publishes nothing."""
    if not python:
        print("no peer: name the python of its environment by --peer (pip install 'datacontract-cli[duckdb]==1.2.8')")
        return
    told = json.loads((folder / "products" / "incidents" / "contract.yaml").read_text())
    table = told["schema"][0]
    del table["customProperties"], told["customProperties"]
    path = str(folder / "inbox" / "incidents_00000000.csv")
    server = {"server": "local", "type": "local", "path": path, "format": "csv", "delimiter": ","}
    for column in table["properties"]:
        column.pop("classification")
        column["name"] = column.pop("physicalName")
        if column["logicalType"] == "timestamp":
            column["logicalType"] = "string"  # it reads no time in a declared format
            column.pop("logicalTypeOptions")
        column["physicalType"] = {"string": "varchar", "integer": "bigint", "number": "double"}[column["logicalType"]]
    write(folder / "peer.yaml", {**told, "servers": [server]})
    found = took("peer", folder, python=python)
    print(f"datacontract-cli  {found}  {found.told['checks']}")
    print(f"{found.seconds / first.seconds:.2f}  time, its checks / the whole street")
    print(f"{found.cpu_s / first.cpu_s:.2f}  processor time, the same")
    ours = [first.told["steps"][name] for name in ("collect incidents", "conform incidents")]
    seconds, cpu = (sum(s[i] for s in ours) for i in (0, 1))
    told = found.told
    print(
        f"{told['after_imports_s'] / seconds:.2f}  times as fast here to collect, check and keep as its checks alone"
    )
    print(f"{told['after_imports_cpu_s'] / cpu:.2f}  the same of processor time")


if __name__ == "__main__":
    main()
