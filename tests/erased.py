"""A town in which one invented person, the canary, is to be erased, and an own look at every file for what is left."""

from __future__ import annotations

import gzip
import io
import json
import sqlite3
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

from metroon import erasing
from metroon.base.errors import Refused
from town import IN_WARDS, WARDS, Row, Town, stays

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEY, NAME, MAIL = "Canary-Key-7731", "Ada Canary Quux", "ada.canary@quux.example"
CANARIES = (KEY, NAME, MAIL)
BY, WHY = "privacy_officer", "Request 2026-17"
PEOPLE = {
    "roles": [
        {"id": BY, "title": "Privacy Officer", "duties": "x", "holder": "A", "since": "2020-01-01", "may": ["erase"]},
        {"id": "clerk", "title": "Clerk", "duties": "x", "holder": "B", "since": "2020-01-01"},
        {"id": "empty", "title": "Nobody", "duties": "x", "holder": "vacant", "since": "2020-01-01", "may": ["erase"]},
    ]
}
COLUMNS: dict[str, Any] = {
    "id": {"logicalType": "string", "primaryKey": True, "required": True, "classification": "linkage key"},
    "person": "string linkage key",
    "name": "string direct",
    "mail": "string direct",
    "day": "date quasi",
    "ward": "string quasi",
}


def rows(n: int = 40, *, canaries: int = 3, start: int = 0) -> list[Row]:
    """Stays of so many people in each ward; of the first ward so many are the canary's."""
    made: list[Row] = []
    for i, r in enumerate(stays(dict.fromkeys(WARDS, n)), start):
        is_canary = i - start < canaries
        made.append({
            "id": f"n{i}", "person": KEY if is_canary else f"p{i:05}",
            "name": NAME if is_canary else f"Person No {i:05}",
            "mail": MAIL if is_canary else f"no{i:05}@town.example", "day": r["day"], "ward": r["ward"],
        })  # fmt: skip
    return made


def town(folder: Path, *, table: object = None, canaries: int = 3, **own: Any) -> Town:
    """A town with two versions of stays, rows set aside, and a measure; it has run."""
    made = Town(folder).with_wards(dict.fromkeys(WARDS, 1000))
    made.write("people.yaml", PEOPLE)
    made.product("stays", COLUMNS, table={**IN_WARDS, "eventTime": "day"}, personKey="person", **own)
    made.measure("stay_count", places=["ward"])
    made.csv("stays_1.csv", rows(canaries=canaries))
    made.ran()
    # A repeat of a row of the canary, one with a day that is none, and the half of a record.
    more = [*rows(20, start=500, canaries=2), {**rows()[0]}, {**rows()[0], "id": "bad", "day": "no day"}]
    file = made.csv("stays_2.csv", more)
    file.write_text(file.read_text() + f"cut,{KEY},{NAME}\n")
    made.ran()
    return made


def erase(made: Town, key: str = KEY, **more: Any) -> Any:
    return erasing.erase(made.walk(), "stays", key, **{"by": BY, "reason": WHY, **more})


# An own look at every file, which shares nothing with the code that it judges.


def texts(content: bytes, name: str) -> Iterator[str]:
    yield name
    for coding in ("utf-8", "utf-16-le", "latin-1"):
        yield content.decode(coding, "ignore")
    if content[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for member in archive.namelist():
                yield from texts(archive.read(member), member)
    if content[:2] == b"\x1f\x8b":
        yield from texts(gzip.decompress(content), name)
    if content[:4] == b"PAR1":
        table = pq.read_table(io.BytesIO(content))
        yield repr(table.to_pylist()) + repr(table.schema.metadata)
    if content[:6] == b"\x93NUMPY":
        array = np.load(io.BytesIO(content), allow_pickle=False)
        yield array.tobytes().decode("utf-8", "ignore") + repr(array.tolist())
    if name.endswith((".json", ".jsonl")):
        yield from (repr(json.loads(line)) for line in content.decode().splitlines() if line[:1] + line[-1:] == "{}")


def found(folder: Path, canaries: tuple[str, ...] = CANARIES) -> list[str]:
    """Every file below a folder in which one of some texts stands, whatever it is packed in."""
    hits = set()
    for file in (f for f in folder.rglob("*") if f.is_file()):
        told = list(texts(file.read_bytes(), file.name))
        if file.suffix == ".sqlite":
            with sqlite3.connect(file) as db:
                told += list(db.iterdump())
        hits |= {str(file.relative_to(folder)) for t in told for c in canaries if c.lower() in t.lower()}
    return sorted(hits)


def n_rows(made: Town, zone: str, name: str, number: int | None = None) -> int:
    walk = made.walk()
    version = getattr(walk.lake, zone)(name, number)
    return walk.engine.count(walk.lake.read(version))


def counts(made: Town, zone: str = "restricted") -> dict[int, int]:
    """Version -> rows, as another reader of Delta tables counts them."""
    table = made.folder / ".metroon" / "lake" / zone / "stays"
    newest = DeltaTable(str(table)).version()
    return {v: DeltaTable(str(table), version=v).to_pyarrow_table().num_rows for v in range(1, newest + 1)}


def codes(step: Any) -> list[str]:
    with pytest.raises(Refused) as refused:
        step()
    assert not any(c in str(p) for p in refused.value.problems for c in CANARIES)
    return [p.code for p in refused.value.problems]
