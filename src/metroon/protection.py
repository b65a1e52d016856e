"""What would leave of a product or measure, at which risk, and what to change: computed as a run would, published not.

Everything here comes from hidden numbers too. It is for the city's own people, and no part of it goes into a release.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from metroon import comparison, flow, risk, waiting
from metroon.base.errors import Refused
from metroon.base.protection import Leaving, Part
from metroon.guard import Hiding
from metroon.guard.losses import loss, reasons

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from metroon.city import Contract
    from metroon.guard import Technique
    from metroon.measure import Tallied
    from metroon.walk import Walk


def leaving(walk: Walk, name: str, *, is_compared: bool = False) -> Leaving:
    """What would leave of a product or measure now.

    Args:
        walk: The city.
        name: Product or measure.
        is_compared: Whether other ways to ask are compared even where nothing has to change.

    Raises:
        Refused: There is no such product or measure, or it has no rows yet.
    """
    walk.wanted([name])
    one = _measure if name in walk.indicators else _product
    return one(walk, name, is_compared=is_compared)


# Measures


def _measure(walk: Walk, name: str, *, is_compared: bool) -> Leaving:
    indicator = walk.indicators[name]
    made = _begun(walk, name, indicator.title, indicator.of)
    protected, failed = flow.protect_numbers(walk, walk.together(name))
    if name not in protected:
        problems = tuple(p for m in failed if m.measure == name for p in m.problems)
        return replace(made, problems=problems)
    numbers, hiding, _ = protected[name]
    tallied = numbers.tallied
    told, scored = loss(tallied.table, hiding), risk.of_measure(walk, tallied, hiding)
    must_change = told.hidden_share > made.limit or (scored is not None and not scored.is_low)
    is_compared = scored is not None and (is_compared or must_change)
    return replace(
        made,
        would_leave=True,
        parts=tuple(_tables(tallied, hiding)),
        cells=told.cells,
        hidden=told.cells - told.shown,
        share=told.hidden_share,
        smallest=told.smallest,
        reasons=reasons(tallied.table, hiding),
        scored=scored,
        options=tuple(comparison.of_measure(walk, name, numbers.indicator, tallied, hiding)) if is_compared else (),
        notes=(*numbers.measured.notes, *_waiting(walk, name)),
    )


def _waiting(walk: Walk, name: str) -> Iterator[str]:
    """Corrections that wait until there are enough of them."""
    for held in waiting.held(walk, [name]):
        yield f"Corrections of {held.product} wait since {held.since}, until enough have come."


def _begun(walk: Walk, name: str, title: str, product: str) -> Leaving:
    contract, file = walk.contracts[product], walk.city.file
    return Leaving(
        name, title, "measure" if name in walk.indicators else "product", product, walk.as_of,
        contract.unit or "not declared", walk.minimum_cell(contract), would_leave=False,
        limit=file.thresholds.hidden_share, is_invented=file.invented,
    )  # fmt: skip


def _tables(tallied: Tallied, hiding: Hiding) -> Iterator[Part]:
    hidden = hiding.primary | hiding.secondary
    for (geography, dimension), cells in risk.breakdowns(tallied).items():
        n = sum(c in hidden for c in cells)
        told = f"{len(cells):,} cells, {n:,} hidden"
        yield Part(risk.in_words(tallied, geography, dimension, cells), told, len(cells) > n)


# Tables with totals


def _totals(walk: Walk, name: str, made: Leaving, *, is_compared: bool) -> Leaving:
    try:
        found, hiding = flow.protect_table(walk, name)
    except Refused as refused:
        return replace(made, problems=refused.problems)
    declared, told = walk.city.products[name].table, loss(found.table, hiding)
    if declared is None:
        return made
    hidden, scored = len(found.hidden(hiding)), risk.of_table(walk, name, declared, found, told.smallest)
    words = " by ".join(" and ".join(names) for names in declared.dimensions)
    must_change = told.hidden_share > made.limit or (scored is not None and not scored.is_low)
    is_compared = scored is not None and (is_compared or must_change)
    return replace(
        made,
        kind="table",
        would_leave=True,
        parts=(Part(words, f"{len(found.published):,} cells, totals among them, {hidden:,} hidden", leaves=True),),
        cells=told.cells,
        hidden=told.cells - told.shown,
        share=told.hidden_share,
        smallest=told.smallest,
        reasons=reasons(found.table, hiding),
        scored=scored,
        options=tuple(comparison.of_table(walk, name, declared, found, hiding)) if is_compared else (),
    )


# Rows


def _product(walk: Walk, name: str, *, is_compared: bool) -> Leaving:
    contract = walk.contracts[name]
    made = _begun(walk, name, contract.title, name)
    problems = [*walk.product_faults(name), *walk.gate(name)]
    if contract.mode == "table" and not problems:
        return _totals(walk, name, made, is_compared=is_compared)
    if contract.mode == "aggregate" or problems:
        told = "rows are not published: only measures made of them leave" if contract.mode == "aggregate" else ""
        parts = tuple(Part(c.name, c.classification or "undecided", leaves=False) for c in contract.columns)
        return replace(made, parts=parts, problems=tuple(problems), notes=(told,) if told else ())
    kept = walk.version(name)
    techniques = walk.techniques[name]
    try:
        guarded = flow.guarded_rows(walk, kept)
    except Refused as refused:
        parts = tuple(_columns(contract, techniques, ()))
        return replace(made, parts=parts, problems=refused.problems, options=tuple(comparison.of_rows(walk, name, 0)))
    left = guarded.rows.columns
    return replace(
        made,
        would_leave=True,
        parts=tuple(_columns(contract, techniques, left)),
        cells=walk.engine.count(guarded.rows),
        smallest=guarded.likeness.smallest if guarded.likeness else None,
        scored=risk.of_rows(walk, contract, techniques, guarded),
        options=tuple(comparison.of_rows(walk, name, len(left))) if contract.unit != "none" else (),
        notes=guarded.notes,
    )


def _columns(contract: Contract, techniques: Sequence[Technique], left: Sequence[str]) -> Iterator[Part]:
    chosen = {t.column: t for t in techniques}
    for column in contract.columns:
        told = column.classification or "undecided"
        technique = chosen.get(column.name)
        how = technique.words() if technique else "" if column.name in left else "Dropped."
        yield Part(column.name, f"{told}. {how}".strip(" ."), column.name in left)
    known = {c.name for c in contract.columns}
    yield from (Part(c, "the area that a point became", leaves=True) for c in left if c not in known)
