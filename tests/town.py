"""A town of a few hundred invented rows, written down as a city repo. Each test shapes its own."""

from __future__ import annotations

import atexit
import csv
import hashlib
import json
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metroon import flow, report
from metroon.base.account import Account, Measured, Run
from metroon.base.estimate import Cell, Estimate
from metroon.base.node import Node
from metroon.city import load
from metroon.city.contract import Contract, contract
from metroon.walk import Walk

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

AS_OF = date(2026, 3, 15)
WARDS = ("north", "east", "south", "west")
Row = dict[str, Any]
COMMAND = [sys.executable, "-c", "from metroon.cli import main; main()"]
"""The command in a process of its own."""


def ours(**given: Any) -> list[dict[str, Any]]:
    """Custom properties as a contract lists them."""
    return [{"property": k, "value": v, "vendor": "metroon"} for k, v in given.items() if v is not None]


def column(declared: str | Mapping[str, Any], name: str) -> dict[str, Any]:
    """``type classification`` in short, or the whole property; ``?`` stands for a class nobody has decided."""
    if not isinstance(declared, str):
        return {"name": name, **declared}
    kind, _, classification = declared.partition(" ")
    return {"name": name, "logicalType": kind, **({} if classification == "?" else {"classification": classification})}


def promise(columns: Mapping[str, str | Mapping[str, Any]], *, unit: str = "event_on_person", **own: Any) -> Contract:
    """The contract of a table named ``stays``; properties of the table itself are in ``table``."""
    table = own.pop("table", {})
    reason = "a thing" if unit == "none" else None
    return contract(
        Node(_promised("stays", columns, table, privacyUnit=unit, privacyReason=reason, **own), "contract.yaml"),
        "stays",
    )


def _promised(name: str, columns: Mapping[str, Any], table: Mapping[str, Any], **own: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v3.2.0", "kind": "DataContract", "id": name, "name": name, "version": "1.0.0",
        "status": "active",
        "schema": [{
            "name": name, "properties": [column(c, n) for n, c in columns.items()], "customProperties": ours(**table),
        }],
        "customProperties": ours(**own),
    }  # fmt: skip


def settled(*products: str) -> dict[str, Any]:
    """A data use protocol that the public could comment on long ago, and did not."""
    elements = ("title", "purpose", "notice", "retention", "sharing", "accuracy", "security", "equity", "owner")
    return {
        **dict.fromkeys(elements, "Invented."),
        "data": [{"product": p, "from": "2000-01-01"} for p in products],
        "comment": {"from": "2000-01-01", "to": "2000-01-31"},
    }


@cache
def _kept() -> Path:
    """Where what runs left is kept for towns that are the same, as long as this process lives."""
    folder = tempfile.mkdtemp(prefix="towns")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


@dataclass
class Town:
    """A city repo that is being written.

    Args:
        folder: Where; its raw files go into ``inbox``.
        as_of: The day taken for today.
    """

    folder: Path
    as_of: date = AS_OF
    places: dict[str, Any] = field(default_factory=dict)
    thresholds: dict[str, Any] = field(default_factory=dict)

    def city(self, **more: Any) -> Town:
        """Write ``city.yaml``."""
        told = {"name": "Town", "places": self.places, "thresholds": self.thresholds, **more}
        self.write("city.yaml", told)
        return self

    def write(self, name: str, what: object) -> Path:
        """Write one file of the repo; what is no text is written as JSON, which is YAML too."""
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(what if isinstance(what, str) else json.dumps(what, indent=1), encoding="utf-8")
        return file

    def csv(self, name: str, rows: Sequence[Row]) -> Path:
        """Write a delivery."""
        file = self.folder / "inbox" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("w", encoding="utf-8", newline="") as out:
            writer = csv.DictWriter(out, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        return file

    def product(
        self,
        name: str,
        columns: Mapping[str, str | Mapping[str, Any]],
        *,
        collect: Mapping[str, Any] | None = None,
        guard: Sequence[Mapping[str, Any]] = (),
        unit: str | None = "event_on_person",
        mode: str = "aggregate",
        table: Mapping[str, Any] | None = None,
        **own: Any,
    ) -> Town:
        """Declare a product."""
        reason = "a thing" if unit == "none" else None
        promised = _promised(
            name, columns, table or {}, privacyUnit=unit, privacyReason=reason, releaseMode=mode, **own
        )
        self.write(f"products/{name}/contract.yaml", promised)
        how = {"collect": collect or {"kind": "csv", "path": f"{name}*.csv"}, "guard": list(guard)}
        self.write(f"products/{name}/product.yaml", how)
        self.write(f"protocols/{name}.yaml", settled(name))
        return self

    def measure(self, name: str, *, kind: str = "count", of: str = "stays", **more: Any) -> Town:
        """Declare a measure."""
        self.write(f"measures/{name}.yaml", {"kind": kind, "title": name, "question": "How many?", "of": of, **more})
        return self

    def with_wards(self, people: Mapping[str, int | str] | None = None, **more: Any) -> Town:
        """Declare four wards that rows name by key; with residents when given."""
        known = people or dict.fromkeys(WARDS, 1000)
        self.csv("wards.csv", [{"ward": w, "people": known.get(w, "")} for w in WARDS])
        self.product("wards", {"ward": "string public", "people": "integer public"}, unit="none", mode="rows")
        told = {"people": {"column": "people", "source": "count", "vintage": "2025"}} if people else {}
        self.places["ward"] = {"title": "Wards", "product": "wards", "key": "ward", "vintage": "2025", **told, **more}
        return self.city()

    def with_squares(self, people: Mapping[str, int] | None = None) -> Town:
        """Declare four wards as squares of one degree side by side, from longitude 1 on."""
        features = [
            {"type": "Feature", "properties": {"ward": w, "people": (people or {}).get(w)}, "geometry": square(i + 1)}
            for i, w in enumerate(WARDS)
        ]
        self.write("inbox/wards.geojson", {"type": "FeatureCollection", "features": features})
        geometry = {"logicalType": "object", "physicalType": "wkb", "classification": "public"}
        columns = {"ward": "string public", "people": "integer public", "geometry": geometry}
        self.product("wards", columns, collect={"kind": "geofile", "path": "wards.geojson"}, unit="none", mode="rows")
        told = {"people": {"column": "people", "source": "count", "vintage": "2025"}} if people else {}
        self.places["ward"] = {"title": "Wards", "product": "wards", "key": "ward", "vintage": "2025", **told}
        return self.city()

    def walk(self, *, home: Path | None = None, as_of: date | None = None, **more: Any) -> Walk:
        """The town as it stands, ready to be walked."""
        return Walk(load(self.folder), as_of or self.as_of, home=home, **more)

    def run(self, *names: str, **more: Any) -> Told:
        """Walk it."""
        walk = self.walk(**more)
        return Told(walk, flow.run(walk, names))

    def ran(self) -> Town:
        """The town after a run that nobody asks about.

        Of towns of which every file is the same, what earlier runs left included, only the first is walked; to others
        what the run left is copied. A test that changes how a run goes, or asks what it did, has it ``run``.
        """
        left, kept = self.folder / ".metroon", _kept() / self._sha256()
        if kept.is_dir():
            shutil.rmtree(left, ignore_errors=True)
            shutil.copytree(kept, left)
            return self
        walk = self.walk()
        flow.run(walk)
        walk.close()
        walk.store.close()  # else a part of it is in a file beside it
        shutil.copytree(left, kept, ignore=shutil.ignore_patterns("scratch"))  # it goes with this walk
        return self

    def _sha256(self) -> str:
        digest = hashlib.sha256(self.as_of.isoformat().encode())
        digest.update(repr(sorted((k, v) for k, v in os.environ.items() if k.startswith("METROON"))).encode())
        digest.update(repr(sys.modules["metroon.conform.check"].__dict__["LARGE"]).encode())
        for file in sorted(f for f in self.folder.rglob("*") if f.is_file()):
            digest.update(file.relative_to(self.folder).as_posix().encode() + b"\0")
            digest.update(hashlib.sha256(file.read_bytes()).digest())
        return digest.hexdigest()


@dataclass(frozen=True)
class Told:
    """A run, and what to ask of it."""

    walk: Walk
    run: Run

    def account(self, product: str) -> Account:
        return next(a for a in self.run.accounts if a.product == product)

    def measured(self, measure: str) -> Measured:
        return next(m for m in self.run.measured if m.measure == measure)

    def cells(self, measure: str) -> dict[Cell, Estimate]:
        """What was released, as anybody reads it back from the lake."""
        version = self.walk.lake.open(measure)
        assert version is not None, self.measured(measure).problems
        return {e.cell: e for e in report.shown(self.walk, measure, version).estimates}

    def events(self, measure: str) -> dict[str, int | None]:
        """Place (or group, or city as ``all``) -> events, of a release with one period."""
        return {e.cell.place if e.cell.group == "all" else e.cell.group: e.events for e in self.cells(measure).values()}

    def codes(self) -> list[str]:
        """Codes of all problems, products first."""
        return [p.code for told in (*self.run.accounts, *self.run.measured) for p in told.problems]


def square(left: float) -> dict[str, Any]:
    """A square of one degree from (left, 1) on."""
    ring = [[left, 1], [left + 1, 1], [left + 1, 2], [left, 2], [left, 1]]
    return {"type": "Polygon", "coordinates": [ring]}


STAY_COLUMNS: dict[str, str | dict[str, Any]] = {
    "id": {"logicalType": "string", "primaryKey": True, "required": True, "classification": "linkage key"},
    "person": "string linkage key",
    "day": "date quasi",
    "ward": "string quasi",
    "race": "string sensitive",
    "is_home": "boolean sensitive",
}
IN_WARDS = {"geographyKey": {"column": "ward", "layer": "ward"}}


def stays(counts: Mapping[str, int], *, start: date = date(2025, 1, 1), days: int = 365, **more: Any) -> list[Row]:
    """So many stays for each ward, spread evenly over some days; every stay a person of its own."""
    wards = [w for w, n in counts.items() for _ in range(n)]
    return [
        {
            "id": f"s{i}", "person": f"p{i}", "ward": ward,
            "day": (start + timedelta(days=i * days // max(len(wards), 1))).isoformat(),
            "race": "A" if i % 3 else "B", "is_home": "yes" if i % 4 else "no", **more,
        }
        for i, ward in enumerate(wards)
    ]  # fmt: skip


def small_town(folder: Path, counts: Mapping[str, int] | None = None, **measure: Any) -> Town:
    """Four wards, one product of stays, one count of them by ward; ready to run."""
    town = Town(folder).with_wards(dict.fromkeys(WARDS, 1000))
    town.csv("stays.csv", stays(counts or {"north": 40, "east": 50, "south": 60, "west": 70}))
    town.product("stays", STAY_COLUMNS, table=IN_WARDS)
    return town.measure("stay_count", **{"places": ["ward"], **measure})


def is_bare(estimate: Estimate) -> bool:
    """Whether no number is left in it."""
    e = estimate
    return {e.value, e.low, e.high, e.events, e.base, e.unknown, e.worst, e.best} == {None}
