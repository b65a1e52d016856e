"""Every fault of a city repo at once: what ``metroon check`` tells, without touching a row."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import pyarrow as pa

from metroon import guard
from metroon.base.engine import Engine
from metroon.base.errors import Problem, Refused
from metroon.base.node import did_you_mean
from metroon.collect import FILE, LINE, REJECT, FileSource
from metroon.conform.rules import rules
from metroon.conform.typing import typed
from metroon.walk import indicators, order, sources, techniques

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import date

    from metroon.city import City, Contract, Product
    from metroon.collect import Source


T = TypeVar("T")


def faults(city: City, as_of: date) -> list[Problem]:
    """What a person should put right before a run; an empty list means the repo is whole."""
    found: list[Problem] = []
    known = _try(found, lambda: sources(city)) or {}
    protecting = _try(found, lambda: techniques(city)) or {}
    asked = _try(found, lambda: indicators(city)) or {}
    if known.keys() == protecting.keys() == city.products.keys():
        _try(found, lambda: order(city, known, protecting))
    engine = Engine()
    for name, product in city.products.items():
        found += guard.gate(product.contract)
        found += _references(city, product.contract)
        found += _files(city, product, known.get(name))
        found += (p for t in protecting.get(name, []) for p in _technique(product, t.column))
        _try(found, lambda c=product.contract: _rules(engine, c, as_of))  # type: ignore[misc]  # a bound loop variable
    found += _geographies(city)
    for name, indicator in asked.items():
        node = city.measures[name].node
        product_of = city.products.get(indicator.of)
        found += indicator.faults(node, product_of.contract if product_of else None, set(city.file.departments))
        found += _places(city, name, indicator.places)
    return sorted(set(found))


def _try(found: list[Problem], step: Callable[[], T]) -> T | None:
    try:
        return step()
    except Refused as refused:
        found.extend(refused.problems)
        return None


def _files(city: City, product: Product, source: Source) -> Iterator[Problem]:
    if isinstance(source, FileSource) and not source.files(city.data, product.folder):
        what = f"no file matches '{source.path}' in the data folder."
        fix = f"Put the file into {city.data}, or correct 'path:' (or the city's 'data:')."
        yield product.collect.problem("D101", what, fix, "path")
    yield from names_faults(city, product, source)


def _technique(product: Product, column: str) -> Iterator[Problem]:
    names = [c.name for c in product.contract.columns]
    if column not in names:
        what = f"guard names a column '{column}' that {product.name} does not have."
        yield product.guard.problem("G107", what, did_you_mean(column, names))


def _rules(engine: Engine, contract: Contract, as_of: date) -> None:
    names = [c.name for c in contract.columns]
    types = {**dict.fromkeys(names, pa.string()), FILE: pa.string(), LINE: pa.int64(), REJECT: pa.string()}
    empty = engine.table(pa.schema(list(types.items())).empty_table())
    rules(contract, empty, {c.name: typed(engine, empty, c) for c in contract.columns}, as_of)


def _geographies(city: City) -> Iterator[Problem]:
    for name, g in city.file.places.items():
        node = city.node.at("places", name)
        for key, product in (("product", g.product), ("inside", g.inside)):
            if product is not None and product not in city.products:
                fix = did_you_mean(product, city.products)
                yield node.problem("P104", f"there is no product '{product}'.", fix, key)
        if g.product not in city.products:
            continue
        names = [c.name for c in city.products[g.product].contract.columns]
        wanted = [("key", g.key), *([("people", g.people.column)] if g.people else [])]
        wanted += [("bands", b.column) for b in g.bands.values()]
        for key, column in wanted:
            if column not in names:
                yield node.problem("P101", f"{g.product} has no column '{column}'.", did_you_mean(column, names), key)
