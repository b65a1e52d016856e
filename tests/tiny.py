"""A city of three invented rows, and promises and rows to hold to them; each test changes what it is about."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from metroon.base.account import Delivery
from metroon.base.node import Node
from metroon.city.contract import Contract, contract
from metroon.collect import FILE, LINE, REJECT, Raw
from metroon.conform import Checked, check

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from metroon.base.engine import Engine, Relation

AS_OF = date(2026, 3, 15)

CITY = """\
name: Toytown
time_zone: America/Los_Angeles
data: inbox
departments:
  roads: Roads
places:
  ward:
    title: Wards
    product: crashes
    key: ward
    vintage: "2025"
"""
CONTRACT = """\
apiVersion: v3.2.0
kind: DataContract
id: toytown.crashes
name: Crashes
version: 1.0.0
status: active
slaProperties:
  - { property: latency, value: 35, unit: d }
schema:
  - name: crashes
    properties:
      - name: id
        physicalName: ID
        logicalType: string
        primaryKey: true
        required: true
        classification: linkage key
      - name: happened_on
        logicalType: date
        logicalTypeOptions: { format: M/d/yyyy }
        classification: quasi
      - name: age
        logicalType: integer
        logicalTypeOptions: { minimum: 0, maximum: 120 }
        classification: quasi
        customProperties:
          - { property: missingCodes, value: [{ value: "999", reason: not recorded }], vendor: metroon }
      - name: ward
        logicalType: string
        enum: [{ value: north }, { value: south }]
        classification: public
        quality:
          - { id: known_ward, metric: nullValues, mustBeLessThan: 50, unit: percent }
    quality:
      - { id: not_empty, metric: rowCount, mustBeGreaterThan: 0, severity: stop }
    customProperties:
      - { property: eventTime, value: happened_on, vendor: metroon }
customProperties:
  - { property: privacyUnit, value: event_on_person, vendor: metroon }
  - { property: releaseMode, value: aggregate, vendor: metroon }
"""
PRODUCT = """\
collect: { kind: csv, path: crashes*.csv }
guard: []
"""
MEASURE = """\
kind: count
title: Crashes
question: How many crashes?
of: crashes
places: [ward]
"""
PROTOCOL = """\
title: Crashes
purpose: To count crashes.
data: [{ product: crashes, from: 2000-01-01 }]
notice: Invented.
retention: Invented.
sharing: Invented.
accuracy: Invented.
security: Invented.
equity: Invented.
owner: Roads
comment: { from: 2000-01-01, to: 2000-01-31 }
"""
ROWS = "ID,happened_on,age,ward\nc1,1/31/2026,34,north\nc2,2/1/2026,999,south\nc3,2/2/2026,8,\n"


def tiny_city(folder: Path, **files: str | None) -> Path:
    """Write the city; a file is named by its short name or its path, and None leaves it out."""
    written: dict[str, str | None] = {
        "city.yaml": CITY,
        "products/crashes/contract.yaml": CONTRACT,
        "products/crashes/product.yaml": PRODUCT,
        "measures/crash_count.yaml": MEASURE,
        "protocols/crashes.yaml": PROTOCOL,
        "inbox/crashes_2026.csv": ROWS,
    }
    short = {"city": "city.yaml", "contract": "products/crashes/contract.yaml", "rows": "inbox/crashes_2026.csv",
             "product": "products/crashes/product.yaml", "measure": "measures/crash_count.yaml"}  # fmt: skip
    for name, text in {**written, **{short.get(k, k): v for k, v in files.items()}}.items():
        if text is not None:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
    return folder


def swapped(text: str, before: str, after: str) -> str:
    """The text with one place changed, which must be there."""
    assert before in text
    return text.replace(before, after, 1)


def ours(**given: Any) -> list[dict[str, Any]]:
    """Metroon's properties as a contract lists them."""
    return [{"property": k, "value": v, "vendor": "metroon"} for k, v in given.items()]


def promise(
    *properties: Mapping[str, Any], name: str = "toys", latency_days: float | None = None, **table: Any
) -> Contract:
    """A contract of one table with these columns."""
    latency = [{"property": "latency", "value": latency_days}] if latency_days is not None else []
    node = Node(
        {
            "apiVersion": "v3.2.0", "kind": "DataContract", "id": name, "version": "1", "slaProperties": latency,
            "schema": [{"name": name, "properties": [dict(p) for p in properties], **table}],
        },
        f"products/{name}/contract.yaml",
    )  # fmt: skip
    return contract(node, name)


def text(name: str, **more: Any) -> dict[str, Any]:
    """A text column."""
    return {"name": name, "logicalType": "string", **more}


@dataclass(frozen=True)
class File:
    """One delivery of invented rows: lists of texts, and what is wrong with records that are not whole."""

    rows: Sequence[Sequence[Any]]
    name: str = "a.csv"
    rejects: Mapping[int, str] = field(default_factory=dict)


def raw(engine: Engine, promised: Contract, *files: File) -> Raw:
    """Raw rows as a source would give them; the first row of a file stands in line 2."""
    rows = [
        {**dict(zip([c.name for c in promised.columns], row, strict=True)),
         FILE: f.name, LINE: i + 2, REJECT: f.rejects.get(i)}
        for f in files for i, row in enumerate(f.rows)
    ]  # fmt: skip
    types = {c.name: pa.string() for c in promised.columns}
    schema = pa.schema([*types.items(), (FILE, pa.string()), (LINE, pa.int64()), (REJECT, pa.string())])
    deliveries = tuple(Delivery(f.name, "0", 1, len(f.rows)) for f in files)
    return Raw(engine.table(pa.Table.from_pylist(rows, schema)), deliveries)


def checked(engine: Engine, promised: Contract, *files: File, inputs: Mapping[str, Relation] | None = None) -> Checked:
    """The rows of some deliveries, held to a promise."""
    return check(engine, raw(engine, promised, *files), promised, inputs=inputs or {}, as_of=AS_OF)
