"""The catalog of a city: everything it publishes, gathered from its declarations and releases.

Nothing is counted here, and nothing of the restricted zone gets in but verdicts without counts: how many rows were
set aside may be one person.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from metroon import lake, scorecard
from metroon.base.catalog import (
    Catalog,
    Check,
    Column,
    Dataset,
    Edition,
    Portal,
    Promise,
    Rows,
    Steward,
)
from metroon.locate import neighbors
from metroon.serve.terminal.rows import ESTIMATE_COLUMNS
from metroon.walk import geographies

if TYPE_CHECKING:
    from collections.abc import Mapping

    from metroon.base.catalog import Access
    from metroon.base.engine import Engine
    from metroon.base.scorecard import Score
    from metroon.city import Contract, Product
    from metroon.permit.gate import Opener
    from metroon.walk import Walk

LATELY_DAYS = 30
"""How far back the portal says what really changed."""


def gather(walk: Walk) -> Catalog:
    """The catalog as it is now."""
    scores = {s.measured.measure: s for s in scorecard.scores(walk)[0]}
    made = [_table(walk, p) for p in walk.city.products.values()]
    made += [_measure(walk, s) for s in scores.values()]
    places = {g: walk.places(g) for g in geographies(walk.city) if walk.has_places(g)}
    home = next((g for g in walk.city.file.places if g in places), "")
    near = neighbors(places[home], list(places[home].shapes)) if home else []
    keys = list(places[home].shapes) if home else []
    bordering = {k: tuple(b for b, is_near in zip(keys, at, strict=True) if is_near) for k, at in zip(keys, near, strict=True)} if home else {}
    file = walk.city.file
    told = {d.name: (d.version, d.title) for d in made}
    return Catalog(
        city=file.name,
        is_invented=file.invented,
        as_of=walk.as_of,
        time_zone=file.time_zone,
        languages=tuple(file.languages),
        folder=str(walk.city.folder / "portal"),
        portal=Portal(),
        identity=lake.key({"datasets": told, "as_of": walk.as_of.isoformat(), "code": walk.code})[:16],
        made_at=datetime.now(UTC),
        datasets={d.name: d for d in sorted(made, key=lambda d: (d.title, d.name))},
        scores=scores,
        goals=tuple(scorecard.goal_pages(walk)) if file.goals else (),
        changes=scorecard.changes(walk, walk.as_of - timedelta(days=LATELY_DAYS)) if scores else None,
        geographies=places,
        neighborhoods=home,
        neighbors=bordering,
        plan=None,
        stories=(),
        terms=(),
        names={},
        minimum_cell=file.thresholds.minimum_cell,
    )


def opener(walk: Walk, catalog: Catalog, engine: Engine) -> Opener:
    """How the published rows of a city are opened: the newest version, or a numbered one."""

    def opened(name: str, number: int | None) -> Rows | None:
        dataset = catalog.datasets.get(name)
        if dataset is None or not dataset.has_rows:
            return None
        edition = next((e for e in dataset.editions if number in (None, e.number)), None)
        version = walk.lake.open(name, edition.number) if edition else None
        if edition is None or version is None:
            return None
        rows = engine.parquet(walk.lake.files(version))
        known = {c.name: c for c in dataset.columns}
        columns = tuple(known.get(c, Column(c, c, "", "string")) for c in rows.columns)
        return Rows(dataset, edition, rows, columns, engine.count(rows))

    return opened


def _table(walk: Walk, product: Product) -> Dataset:
    name, contract = product.name, walk.contracts[product.name]
    kept, published = walk.lake.restricted(name), walk.lake.open(name)
    told: Any = contract.node.value
    description: Any = told.get("description") or {}
    custom: Any = contract.custom
    rows = walk.lake.read(published) if published else None
    return Dataset(
        name=name,
        shape="table",
        title=contract.title,
        description=contract.description,
        grain=contract.grain,
        department=walk.city.file.departments.get(told.get("domain", ""), told.get("domain", "")),
        topic=str(told.get("domain", "")),
        tags=tuple(told.get("tags") or ()),
        access=cast("Access", custom.get("accessLevel") or "non-public"),
        has_rows=published is not None,
        unit=contract.unit or "",
        steward=_steward(told),
        promise=Promise(
            next((str(s.get("description", "")) for s in told.get("slaProperties") or []), ""), contract.latency_days
        ),
        limitations=" ".join(str(description.get("limitations") or "").split()),
        legal_basis=str(custom.get("legalBasis") or ""),
        purposes=tuple(custom.get("purposes") or ()),
        retention=str(custom.get("retention") or ""),
        harm_notes=str(custom.get("harmNotes") or ""),
        provenance=str(custom.get("collectionProvenance") or ""),
        minimum_cell=walk.minimum_cell(contract) if contract.unit != "none" else None,
        columns=tuple(_columns(contract, rows.columns if rows is not None else ())),
        rows=walk.engine.count(rows) if rows is not None else None,
        updated=date.fromisoformat(kept.evidence["as_of"]) if kept else None,
        editions=_editions(walk, name),
        checks=_checks(kept.evidence) if kept else (),
        geometry=next((c.name for c in contract.columns if c.type == "object"), ""),
        point=contract.point,
        time=contract.event_time or "",
        contract=(product.folder / "contract.yaml").read_text(encoding="utf-8"),
    )


def _columns(contract: Contract, published: Any) -> list[Column]:
    return [
        Column(
            c.name,
            c.title,
            c.description,
            c.type,
            c.classification or "",
            is_open=c.name in published,
            allowed=tuple((v, v) for v in c.allowed),
        )
        for c in contract.columns
    ]


def _steward(told: Mapping[str, Any]) -> Steward | None:
    team = (told.get("team") or {}).get("members") or []
    return next((Steward(m["username"], m.get("role", "steward"), m["username"]) for m in team), None)


def _checks(evidence: Mapping[str, Any]) -> tuple[Check, ...]:
    verdicts = evidence["account"]["verdicts"]
    return tuple(Check(v["text"], v["column"], v["dimension"], v["severity"], v["is_kept"]) for v in verdicts)


def _editions(walk: Walk, name: str) -> tuple[Edition, ...]:
    known = walk.lake.history(name, "open")
    return tuple(
        Edition(n, date.fromisoformat(e["as_of"]), datetime.fromisoformat(e["made_at"]), None, (), e["key"])
        for n, e in sorted(known.items(), reverse=True)
    )


_MEASURE_TYPES = {"value": "number", "low": "number", "high": "number", "base": "number", "worst": "number",
                  "best": "number", "events": "integer", "unknown": "integer"}  # fmt: skip


def _measure(walk: Walk, score: Score) -> Dataset:
    told = score.measured
    editions = _editions(walk, told.measure)
    return Dataset(
        name=told.measure,
        shape="measure",
        title=told.title or told.measure,
        description=told.question,
        grain="One row per period, place and group.",
        department=dict(score.chain).get("department", ""),
        topic=dict(score.chain).get("goal", ""),
        access="public",
        has_rows=bool(editions),
        columns=tuple(Column(c, c, "", _MEASURE_TYPES.get(c, "string")) for c in ESTIMATE_COLUMNS),
        rows=len(told.estimates),
        updated=score.published,
        editions=editions,
        late=score.late,
        made_of=(walk.indicators[told.measure].of,),
    )
