"""What it costs to serve a million rows, as ratios in one run: python bench/serve_rows.py

Files are fetched from a real server in a process of its own. Each is compared with encoding the same rows in this
process, from the same Parquet file; small questions while a file streams, with small questions alone.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import socket
import statistics
import sys
import tempfile
import threading
import time
import urllib.request
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import uvicorn

from metroon.base.engine import Engine
from metroon.serve.encoders import Stream, arrow_bytes, csv_bytes, ndjson_bytes, parquet_bytes
from metroon.serve.query import BATCH_ROWS

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "serve" / "portal"))
import small

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROWS = 1_000_000
TRIES = 5
BASE = "/api/v1/datasets/trees/rows"


def serve(folder: str, port: int) -> None:
    """A server of the small city, whose trees are a million."""
    portal = small.small_portal(Path(folder), {("trees", 2): pa.table({})}, is_there=True)
    uvicorn.run(small.doors(portal, "rest"), host="127.0.0.1", port=port, log_level="error")


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[tuple[str, int]]:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(str(folder), port))
    server.start()
    for _ in range(300):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            break
        time.sleep(0.1)
    yield f"http://127.0.0.1:{port}", server.pid or 0
    server.terminate()
    server.join()


def fetched(url: str) -> tuple[float, float, int]:
    """Seconds to the first byte, to the last, and bytes."""
    began = time.perf_counter()
    with urllib.request.urlopen(url) as told:
        size = len(told.read(1))
        first = time.perf_counter() - began
        while part := told.read(1 << 20):
            size += len(part)
    return first, time.perf_counter() - began, size


def encoded(file: Path, encode: Callable[[Stream], Iterator[bytes]]) -> float:
    began = time.perf_counter()
    engine = Engine()
    read = engine.batches(engine.parquet([str(file)]), rows=BATCH_ROWS)
    first = next(read)
    for _ in encode(Stream(first.schema, chain([first], read))):
        pass
    return time.perf_counter() - began


def plain_csv(rows: Stream) -> Iterator[bytes]:
    """What pyarrow alone takes for it."""
    for batch in rows.batches:
        out = pa.BufferOutputStream()
        pa.csv.write_csv(batch, out)
        yield out.getvalue().to_pybytes()


def plain_parquet(rows: Stream) -> Iterator[bytes]:
    """What pyarrow alone takes for it."""
    out = pa.BufferOutputStream()
    pa.parquet.write_table(pa.Table.from_batches(rows.batches), out, compression="zstd", row_group_size=122_880)
    yield out.getvalue().to_pybytes()


def peak_mb(pid: int) -> float:
    told = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in told if line.startswith("VmHWM")).split()[1]) / 1024


def small_questions(address: str, stop: threading.Event) -> list[float]:
    """How long each takes, until told to stop or after 60."""
    took: list[float] = []
    while not stop.is_set() and len(took) < 60:
        began = time.perf_counter()
        urllib.request.urlopen(f"{address}{BASE}?limit=10&kind=oak").read()
        took.append(time.perf_counter() - began)
    return took


def p95(took: list[float]) -> float:
    return statistics.quantiles(took, n=20)[-1]


def beside(address: str, ending: str) -> tuple[float, int]:
    """p95 of small questions while a file streams, and how many were asked."""
    stop, found = threading.Event(), []

    def ask() -> None:
        while not stop.is_set():
            found.extend(small_questions(address, stop))

    asking = threading.Thread(target=ask)
    asking.start()
    for _ in range(3):
        fetched(f"{address}{BASE}?format={ending}")
    stop.set()
    asking.join()
    return p95(found), len(found)


def main() -> None:
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home)
        engine = Engine()
        table = small.trees(ROWS).drop(["owner"])
        engine.save(engine.table(table), folder / "trees-2.parquet")
        del table
        with serving(folder) as (address, pid):
            fetched(f"{address}{BASE}?limit=1")
            alone_mb = peak_mb(pid)
            print(f"{ROWS:,} rows x 10 columns; ratio = over HTTP / the same encoder in process, median of {TRIES}")
            ours = {"csv": csv_bytes, "parquet": parquet_bytes, "arrow": arrow_bytes, "ndjson": ndjson_bytes}
            plain = {"csv": plain_csv, "parquet": plain_parquet, "arrow": arrow_bytes, "ndjson": ndjson_bytes}
            file = folder / "trees-2.parquet"
            for ending, encode in ours.items():
                # By turns, so that what else the machine does weighs on both alike.
                url, turns = f"{address}{BASE}?format={ending}", []
                for _ in range(TRIES):
                    turns.append((encoded(file, encode), fetched(url), encoded(file, plain[ending])))
                ours_ratio = statistics.median(there[1] / here for here, there, _ in turns)
                bare_ratio = statistics.median(there[1] / bare for _, there, bare in turns)
                first = statistics.median(there[0] / there[1] for _, there, _ in turns)
                size, peak = turns[0][1][2] / 1e6, peak_mb(pid) - alone_mb
                print(
                    f"{ending}: ratio {ours_ratio:.2f}, to pyarrow alone {bare_ratio:.2f}; first byte at {first:.0%};"
                )
                print(f"  {size:.0f} MB; peak memory of the server {peak:.0f} MB over idle")
            alone = p95(small_questions(address, threading.Event()))
            for ending in ("csv", "parquet", "ndjson"):
                found, count = beside(address, ending)
                print(f"small questions while {ending} streams: p95 ratio {found / alone:.2f} ({count} asked)")


if __name__ == "__main__":
    main()
