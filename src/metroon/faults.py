"""Every fault of a city repo at once: what ``metroon check`` tells, without touching a row."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import pyarrow as pa

from metroon import conform, guard, locate, measure, review, serve, tabulation
from metroon.base.engine import CannotRun, Engine
from metroon.base.errors import Problem, Refused
from metroon.base.node import Node, did_you_mean
from metroon.collect import FileSource
from metroon.guard import protocol, retention
from metroon.lake import Lake
from metroon.measure.indicator import Expression
from metroon.walk import counting, indicators, names_faults, order, sources, techniques
from metroon.walk import known as known_to

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import date

    from metroon.city import City, Contract, Product
    from metroon.collect import Source
    from metroon.measure import Indicator


T = TypeVar("T")
_ARROW = {
    "string": pa.string(), "integer": pa.int64(), "number": pa.float64(), "boolean": pa.bool_(), "date": pa.date32(),
    "timestamp": pa.timestamp("us"), "object": pa.binary(),
}  # fmt: skip


def faults(city: City, as_of: date) -> list[Problem]:
    """What a person should put right before a run; an empty list means the repo is whole."""
    found: list[Problem] = []
    known, protecting, asked = sources(city, found), techniques(city, found), indicators(city, found)
    if known.keys() == city.products.keys():
        _try(found, lambda: order(city, known, protecting))
    known_names = known_to(city, as_of)
    _try(found, lambda: counting(city))
    engine, promised = Engine(), {n: p.contract for n, p in city.products.items()}
    for name, product in city.products.items():
        found += guard.gate(product.contract)
        source = known.get(name)
        if source is not None and _made_of(source, product):
            found += guard.unlawful(product.contract, city.staff.declassifiers)
        found += protocol.uncovered(product.contract, city.protocols) if product.contract.unit else []
        found += retention.faults(product.contract)
        _try(found, partial(_add_files, found, city, product, known.get(name)))
        found += _techniques(product)
        found += tabulation.faults(city, product, product.contract)
        found += conform.faults(engine, product.contract, as_of)
        _try(found, partial(_add_breaks, found, city, product, engine))
    found += _geographies(city)
    found += _texts(city, asked)
    for name, indicator in ((n, i) for n, i in asked.items() if i.of not in city.unread):
        node = city.measures[name].node
        own = list(measure.faults(indicator, node, known_names))
        found += own or _expressions(engine, indicator, promised[indicator.of], node)
    return sorted(set(found))


def _texts(city: City, asked: Mapping[str, Indicator]) -> Iterator[Problem]:
    """Names in the plan and the stories that mean nothing, and evidence that shows nothing."""
    told = may_name(city, asked)
    if city.plan is not None:
        yield from review.plan_faults(city.plan, told, city.plugins)
    for story in city.stories:
        yield from review.story_faults(story, told, serve.ESTIMATE_COLUMNS)


def may_name(city: City, asked: Mapping[str, Indicator]) -> review.Known:
    """What the plan and the stories may name.

    Args:
        city: What was declared.
        asked: Its measures; those that cannot be read are known by their names alone.
    """
    names = {
        "measure": sorted(city.measures),
        "department": list(city.file.departments.values()),
        "role": [r.id for r in city.staff.roles],
        "language": city.file.languages,
        "geography": [f"{n}.{place}" for n, i in asked.items() for place in i.places],
        "group": [f"{n}.{g.by}" for n, i in asked.items() for g in i.groups],
    }
    return review.Known(names, city.file.departments, {n for n, i in asked.items() if i.is_share})


def warned(city: City, as_of: date) -> list[Problem]:
    """What is lawful and yet worth a thought.

    Measures that are likely wrong, what is not published yet for want of its protocol,
    promises that nothing holds to the rows, variables of the environment that are not set, and what contracts promise
    otherwise than before.
    """
    promised = [p.contract for p in city.products.values()]
    waits = (p for contract in promised for p in protocol.gate(contract, city.protocols, as_of=as_of))
    words = (p for contract in promised for p in conform.unchecked(contract))
    doubtful = measure.warnings(indicators(city), {n: d.node for n, d in city.measures.items()})
    return sorted({*doubtful, *waits, *words, *_unset(city), *_changed(city)})


def _add_breaks(found: list[Problem], city: City, product: Product, engine: Engine) -> None:
    last = Lake(city.home / "lake", engine).restricted(product.name)
    kept = last.evidence.get("contract") if last else None
    found += conform.breaks(kept, product.contract, last.number) if last and kept else []


def _changed(city: City) -> Iterator[Problem]:
    """What contracts promise otherwise than the editions that were kept last."""
    kept = Lake(city.home / "lake", Engine())
    for name, product in city.products.items():
        last = kept.restricted(name)
        before = last.evidence.get("contract") if last else None
        told = conform.changes(before, conform.edition(product.contract)) if last and before else ()
        if last and told:
            what = f"since version {last.number} the contract promises otherwise: {'; '.join(map(str, told))}."
            fix = f"Nothing, if that is meant: metroon run {name} makes a version under it."
            yield product.contract.node.problem("C221", what, fix, "version")


def _unset(city: City) -> Iterator[Problem]:
    """Variables of the environment that a product's source or its pseudonyms need, and that are not set."""
    for name, source in sources(city).items():
        product = city.products[name]
        for variable in sorted(v for v in source.variables if not os.environ.get(v)):
            what = f"the environment variable {variable} is not set: nothing can be fetched for {name}."
            fix = f"Set {variable} in the environment of this program, from your secret store."
            yield product.collect.problem("D150", what, fix)
    for name, made in techniques(city).items():
        purposes = sorted({str(p) for t in made if (p := getattr(t, "purpose", None))})
        for variable in (f"METROON_KEY_{p.upper()}" for p in purposes):
            if not os.environ.get(variable):
                what = f"the key {variable} is not set: no pseudonym of {name} can be made."
                fix = f"Set {variable} to at least 16 random characters, from your secret store."
                yield city.products[name].guard.problem("G105", what, fix)


def _made_of(source: Source, product: Product) -> frozenset[str]:
    """What it is made of; nothing when its query cannot be read, which is told elsewhere."""
    try:
        return source.reads(product.folder)
    except Refused:
        return frozenset()


def _try(found: list[Problem], step: Callable[[], T]) -> T | None:
    try:
        return step()
    except Refused as refused:
        found.extend(refused.problems)
        return None


def _add_files(found: list[Problem], city: City, product: Product, source: Source | None) -> None:
    found.extend(_files(city, product, source))


def _files(city: City, product: Product, source: Source | None) -> Iterator[Problem]:
    if isinstance(source, FileSource) and not source.files(city.data, product.folder):
        what = f"no file matches '{source.path}' in the data folder."
        fix = f"Put the file into {city.data}, or correct 'path:' (or the city's 'data:')."
        yield product.collect.problem("D101", what, fix, "path")
    yield from names_faults(city, product, source)


def _techniques(product: Product) -> Iterator[Problem]:
    names = [c.name for c in product.contract.columns]
    for technique in product.guard.each():
        column = technique.at("column").value
        if column is not None and column not in names:
            what = f"guard names a column '{column}' that {product.name} does not have."
            yield technique.problem("G107", what, did_you_mean(str(column), names), "column")


def _expressions(engine: Engine, indicator: Indicator, contract: Contract, node: Node) -> Iterator[Problem]:
    empty = engine.table(pa.schema([(c.name, _ARROW[c.type]) for c in contract.columns]).empty_table())
    for e in (Expression("among", indicator.among or ""), *indicator.expressions()):
        key = e.key
        try:
            if e.sql:
                engine.with_column(
                    empty, "_it", f"cast(({e.sql}\n) as {'boolean' if e.type == 'boolean' else 'double'})"
                )
        except CannotRun as error:
            wanted = "true or false" if e.type == "boolean" else "a number"
            fix = f"Write an expression that is {wanted}; try_cast gives null where a value does not fit."
            yield node.problem("M105", f"'{key}' cannot be run: {error.why}.", fix, key)


def _geographies(city: City) -> Iterator[Problem]:
    for name, g in city.file.places.items():
        node = city.node.at("places", name)
        for key, product in (("product", g.product), ("inside", g.inside)):
            if product is not None and product not in {*city.products, *city.unread}:
                fix = did_you_mean(product, city.products)
                yield node.problem("P104", f"there is no product '{product}'.", fix, key)
        if g.product in city.products:
            yield from locate.faults(g, node, city.products[g.product].contract)
        yield from measure.vintage_faults(g, node)
