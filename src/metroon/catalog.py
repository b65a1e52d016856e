"""The catalog of a city: everything it publishes, gathered from its declarations and releases.

Nothing is counted here, and nothing of the restricted zone gets in but verdicts without counts: how many rows were
set aside may be one person.
"""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, cast

from metroon import guard, lake, plan, report, scorecard, tabulation
from metroon.base.catalog import (
    Catalog,
    Check,
    Column,
    Dataset,
    Day,
    Portal,
    Promise,
    Rows,
)
from metroon.city import imprint
from metroon.editions import Known, editions
from metroon.guard import retention
from metroon.locate import neighbors
from metroon.serve.terminal.rows import ESTIMATE_COLUMNS
from metroon.walk import geographies

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from metroon.base.catalog import Access, DayVerdict, Edition
    from metroon.base.engine import Engine, Relation
    from metroon.base.places import Places
    from metroon.base.scorecard import Score
    from metroon.city import Contract, Product
    from metroon.city.contract import Column as Promised
    from metroon.editions import Facts
    from metroon.guard import Technique
    from metroon.lake import Open, Version
    from metroon.permit.gate import Opener
    from metroon.walk import Walk

    Run = tuple[date, str, bool]
    """A day on which a run looked, what it said, and whether the product was late."""

STRIP_DAYS = 30
"""How many days the strip of a dataset shows."""
LATELY_DAYS = 7
"""How far back the portal says what really changed."""


def gather(
    walk: Walk, known: Known | None = None, *, scores: Sequence[Score] | None = None, has_news: bool = True
) -> Catalog:
    """The catalog as it is now.

    Args:
        walk: The city.
        known: What was found of versions for an earlier catalog.
        scores: The newest scores of all measures, when somebody has them already.
        has_news: Whether it says what changed lately; a plan does not ask for it.
    """
    known = known if known is not None else Known()
    newest = list(scores) if scores is not None else scorecard.scores(walk)[0]
    by_name = {s.measured.measure: s for s in newest}
    runs = walk.store.days(walk.as_of)
    made = [_table(walk, p, known, runs.get(p.name, [])) for p in walk.city.products.values()]
    made += [_measure(walk, s, known) for s in newest]
    made += walk.city.listed
    places = {g: walk.places(g) for g in geographies(walk.city) if walk.has_places(g)}
    home = next((g for g in walk.city.file.places if g in places), "")
    file = walk.city.file
    since = walk.as_of - timedelta(days=LATELY_DAYS)
    found = Catalog(
        city=file.name,
        is_invented=file.invented,
        as_of=walk.as_of,
        time_zone=file.time_zone,
        languages=tuple(file.languages),
        folder=str(walk.city.folder / "portal"),
        portal=Portal(file.portal.address, file.portal.contact, file.portal.about),
        identity=_identity(walk, made),
        made_at=datetime.now(UTC),
        datasets={d.name: d for d in sorted(made, key=lambda d: (d.title, d.name))},
        scores=by_name,
        goals=tuple(scorecard.goal_pages(walk, made=newest)) if file.goals else (),
        changes=scorecard.changes(walk, since, known=newest) if newest and has_news else None,
        geographies=places,
        neighborhoods=home,
        neighbors=_bordering(places[home]) if home else {},
        plan=None,
        stories=plan.stories(walk.city, by_name),
        terms=walk.city.terms,
        names=plan.names(walk.city),
        minimum_cell=file.thresholds.minimum_cell,
        protocols=walk.city.protocols,
    )
    return _with_plan(walk, found)


def _identity(walk: Walk, made: Sequence[Dataset]) -> str:
    parts = {
        "datasets": repr(sorted(made, key=lambda d: d.name)),
        "declared": lake.text_sha256(*declared(walk.city.folder, walk.city.data)),
        "as_of": walk.as_of.isoformat(),
        "code": walk.code,
    }
    return lake.key(parts)[:16]


def declared(folder: Path, data: Path | None = None) -> list[Path]:
    """The files by which a city declares what it has: everything that a person writes, without data and versions."""
    found: list[Path] = []
    for here, folders, files in os.walk(folder):
        kept = (f for f in sorted(folders) if not f.startswith(".") and f != "__pycache__")
        folders[:] = [f for f in kept if data is None or Path(here, f) != data]
        found += [Path(here, f) for f in sorted(files) if Path(f).suffix in _WRITTEN]
    return found


_WRITTEN = {".yaml", ".yml", ".md", ".po", ".sql", ".py", ".html", ".txt"}


def _bordering(home: Places) -> dict[str, tuple[str, ...]]:
    keys = list(home.shapes)
    if not keys:
        return {}  # places that are known by their key only
    near = neighbors(home, keys)
    pairs = zip(keys, near, strict=True)
    return {k: tuple(b for b, is_near in zip(keys, at, strict=True) if is_near) for k, at in pairs}


def _with_plan(walk: Walk, found: Catalog) -> Catalog:
    told = plan.status(found, walk.city, walk.store)
    texts = (told, found.portal, found.stories, found.terms, found.names, walk.city.listed)
    return replace(found, plan=told, identity=lake.key({"rest": found.identity, "texts": repr(texts)})[:16])


def opener(walk: Walk, catalog: Catalog, engine: Engine) -> Opener:
    """How the published rows of a city are opened: the newest version, or a numbered one."""
    views: dict[tuple[str, int], tuple[Relation, int]] = {}
    lock = Lock()

    def view(version: Version[Open]) -> tuple[Relation, int]:
        # A view that is made stays in the engine: one for each version, not one for each reader.
        key = (version.name, version.number)
        with lock:
            if key not in views:
                rows = engine.parquet(walk.lake.files(version))
                views[key] = rows, engine.count(rows)
            return views[key]

    def opened(name: str, number: int | None) -> Rows | None:
        dataset = catalog.datasets.get(name)
        if dataset is None or not dataset.has_rows:
            return None
        edition = next((e for e in dataset.editions if number in (None, e.number)), None)
        version = walk.lake.open(name, edition.number) if edition else None
        if edition is None or version is None:
            return None
        rows, total = view(version)
        known = {c.name: c for c in dataset.columns}
        columns = tuple(known.get(c, Column(c, c, "", _type(rows[c]))) for c in rows.columns)
        return Rows(dataset, edition, rows, columns, total, engine=engine)

    return opened


def _type(column: Any) -> str:
    """The type of a column of an earlier version, which the contract does not name any more."""
    kind = column.type()
    told = {
        "integer": kind.is_integer(), "number": kind.is_numeric(), "boolean": kind.is_boolean(), "date": kind.is_date(),
        "timestamp": kind.is_timestamp(), "object": kind.is_binary(),
    }  # fmt: skip
    return next((name for name, is_it in told.items() if is_it), "string")


def _table(walk: Walk, product: Product, known: Known, runs: Sequence[Run]) -> Dataset:
    name, contract = product.name, walk.contracts[product.name]
    kept = walk.lake.restricted(name)
    # What was published stays on the disk until it is withdrawn; it is closed as soon as it may not leave any more.
    published = walk.lake.open(name)
    published = published if published and walk.is_of_mode(name, published.evidence) else None
    facts = known.of(walk, published, contract) if published else None
    late = report.late(walk, name, kept, walk.as_of) if kept else ""
    told: Any = contract.node.value
    description: Any = told.get("description") or {}
    custom: Any = contract.custom
    return Dataset(
        name=name,
        shape="table",
        title=contract.title,
        description=contract.description,
        grain=tabulation.grain(product) or contract.grain,
        department=walk.city.file.departments.get(told.get("domain", ""), told.get("domain", "")),
        topic=str(told.get("domain", "")),
        tags=tuple(told.get("tags") or ()),
        access=cast("Access", custom.get("accessLevel") or _access(contract)),
        has_rows=published is not None,
        has_totals=published is not None and contract.mode == "table",
        unit=contract.unit or "",
        steward=imprint.steward(contract, walk.city.staff.stewards),
        licence=imprint.licence(contract),
        gap=imprint.gap(product.folder),
        promise=Promise(
            next((str(s.get("description", "")) for s in told.get("slaProperties") or []), ""),
            contract.latency_days,
            is_kept=not late if contract.latency_days is not None and kept else None,
            kept=sum(not was_late for _, _, was_late in runs) if contract.latency_days is not None else 0,
            checked=len(runs) if contract.latency_days is not None else 0,
        ),
        limitations=" ".join(str(description.get("limitations") or "").split()),
        legal_basis=str(custom.get("legalBasis") or ""),
        purposes=tuple(custom.get("purposes") or ()),
        retention=retention.words(custom.get("retention")),
        harm_notes=str(custom.get("harmNotes") or ""),
        provenance=str(custom.get("collectionProvenance") or ""),
        minimum_cell=walk.minimum_cell(contract) if contract.unit != "none" else None,
        columns=(
            *_columns(contract, walk.techniques[name], published is not None, facts),
            *(_totals(walk, product, facts) if contract.mode == "table" and facts else ()),
        ),
        rows=facts.rows if facts else None,
        span=facts.span if facts else None,
        updated=date.fromisoformat(kept.evidence["as_of"]) if kept else None,
        editions=tuple(_editions(walk, name, known)) if published else (),
        withdrawn=tuple(walk.lake.withdrawn(name)),
        checks=_checks(kept.evidence) if kept else (),
        days=_days(runs, walk.as_of),
        late=late,
        used_in=tuple(_used_in(walk, name)),
        made_of=tuple(sorted(walk.sources[name].reads(product.folder) & set(walk.city.products))),
        geometry=next((c.name for c in contract.columns if c.type == "object"), ""),
        point=contract.point,
        time=contract.event_time or "",
        contract=_contract_text(product, facts),
        key=tabulation.key(product) or contract.key,
    )


def _editions(walk: Walk, name: str, known: Known) -> Iterator[Edition]:
    """The published versions that are what the contract says today: rows, or a table."""
    told = walk.lake.history(name, "open")
    yield from (e for e in editions(walk, name, known) if walk.is_of_mode(name, told[e.number]))


def _access(contract: Contract) -> Access:
    """Who may have what leaves, where nobody declared it: what somebody decided to publish is public."""
    return "non-public" if contract.mode == "aggregate" else "public"


def _contract_text(product: Product, facts: Facts | None) -> str:
    """The contract as it stands; nothing where it gives examples of a column that is not published."""
    closed = [c for c in product.contract.columns if facts is None or c.name not in facts.types]
    has_examples = any(c.node.at("examples").value for c in closed)
    return "" if has_examples else (product.folder / "contract.yaml").read_text(encoding="utf-8")


def _columns(
    contract: Contract, techniques: Sequence[Technique], has_rows: bool, facts: Facts | None
) -> Iterator[Column]:
    published = facts.types if facts else {}
    may = guard.leaving(contract, techniques) if contract.mode == "rows" else published
    for c in contract.columns:
        is_open = c.name in published and c.name in may
        yield Column(
            c.name,
            c.title,
            c.description,
            c.type,
            c.classification or "",
            protection=_protection(c, techniques, has_rows, is_open),
            is_open=is_open,
            filled=facts.filled.get(c.name) if facts and is_open else None,
            bars=facts.bars.get(c.name, ()) if facts and is_open else (),
            allowed=tuple((v, v) for v in c.allowed),
        )
    # What a point became.
    for t in techniques if contract.mode == "rows" else ():
        for name in (g for g in t.geographies() if g in published and contract.column(g) is None):
            yield Column(
                name, name, "The area that the place lies in.", "string", "quasi", protection=t.words(),
                filled=facts.filled.get(name) if facts else None,
            )  # fmt: skip


def _totals(walk: Walk, product: Product, facts: Facts) -> Iterator[Column]:
    """The columns of a table with totals that its rows do not have."""
    promised = {c.name for c in walk.contracts[product.name].columns}
    titles = {g: walk.city.file.places[g.partition(".")[0]].title for g in geographies(walk.city)}
    for name in facts.types:
        if name not in promised:
            title, kind, meaning = tabulation.column(product, name, titles)
            yield Column(name, title, meaning, kind, filled=facts.filled.get(name), bars=facts.bars.get(name, ()))


def _protection(of: Promised, techniques: Sequence[Technique], has_rows: bool, is_open: bool) -> str:
    if not has_rows:
        return "" if of.classification == "public" else "No row is published, only counts of many."
    made = [t.words() for t in techniques if t.column == of.name]
    return " ".join(made) if made or is_open else "Left out of the published rows."


def _days(runs: Sequence[Run], as_of: date) -> tuple[Day, ...]:
    told = {day: verdict for day, verdict, _ in runs}
    days = (as_of - timedelta(days=n) for n in reversed(range(STRIP_DAYS)))
    return tuple(Day(d, cast("DayVerdict", told.get(d, "none"))) for d in days)


def _used_in(walk: Walk, name: str) -> Iterator[tuple[str, str]]:
    yield from (("measure", n) for n in sorted(walk.indicators) if name in walk.needs(n))
    for other, product in sorted(walk.city.products.items()):
        if name in walk.sources[other].reads(product.folder):
            yield "table", other


def _checks(evidence: Mapping[str, Any]) -> tuple[Check, ...]:
    verdicts = evidence["account"]["verdicts"]
    told = (v for v in verdicts if v.get("undecided") != "no data")
    return tuple(Check(v["text"], v["column"], v["dimension"], v["severity"], v["is_kept"]) for v in told)


_TOLD: dict[str, tuple[str, str, str]] = {
    "geography": ("Set of places", "string", "Which set of places the row is about; all for the whole city."),
    "place": ("Place key", "string", "The key of the place; all for the whole city."),
    "place_name": ("Place", "string", "What people call the place."),
    "dimension": ("Kind of group", "string", "By what people or things were grouped; all for everybody."),
    "group": ("Group", "string", "Which group the row is about; all for everybody."),
    "period": ("Period", "string", "The year, quarter or month; all for the whole time."),
    "state": ("State", "string", "Whether there is a number, and if not, why not."),
    "value": ("Value", "number", "The best estimate."),
    "low": ("Low end", "number", "The low end of the range that we are 95% sure of."),
    "high": ("High end", "number", "The high end of the range that we are 95% sure of."),
    "events": ("Events", "integer", "How many were counted."),
    "base": ("Base", "number", "Out of how many, or over how much time."),
    "unknown": ("Not known", "integer", "Of how many it is not recorded."),
    "worst": ("Worst case", "number", "The value if all that is not recorded were bad."),
    "best": ("Best case", "number", "The value if all that is not recorded were good."),
    "note": ("Note", "string", "What must be known beside the number."),
}
"""Column of released estimates -> title, type, meaning."""


def _measure(walk: Walk, score: Score, known: Known) -> Dataset:
    told = score.measured
    of = walk.indicators[told.measure].of
    made = editions(walk, told.measure, known)
    return Dataset(
        name=told.measure,
        shape="measure",
        title=told.title or told.measure,
        description=told.question,
        grain="One row per period, place and group.",
        department=dict(score.chain).get("department", ""),
        topic=dict(score.chain).get("goal", ""),
        access="public",
        has_rows=bool(made),
        minimum_cell=walk.minimum_cell(walk.contracts[of]) if walk.contracts[of].unit != "none" else None,
        columns=tuple(Column(c, *_named(c)) for c in ESTIMATE_COLUMNS),
        rows=len(told.estimates),
        updated=score.published,
        editions=made,
        withdrawn=tuple(walk.lake.withdrawn(told.measure)),
        late=score.late,
        made_of=(of, *sorted(walk.needs(told.measure) - {of})),
        licence=imprint.known_licence(walk.city.file.portal.licence),
    )


def _named(column: str) -> tuple[str, str, str]:
    title, kind, meaning = _TOLD[column]
    return title, meaning, kind
