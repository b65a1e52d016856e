"""Work orders for waste that was dumped, as the public works department delivers them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from metroon.demo.days import DAYS, MINUTES, iso_minutes, labels, minutes
from metroon.demo.flaws import RECORDS, flawed_rows
from metroon.demo.people import POVERTY, RESIDENTS, live_in
from metroon.demo.position import as_text, displaced
from metroon.demo.sheet import Change, Flags, Number, Sheet, Text, Whole, deliveries, padded, spoiled, with_twins
from metroon.demo.terrain import beside, points, squares
from metroon.demo.truths import DOLLARS_PER_TON, DUMPED_AGAIN

CREWS = ("City crew", "Contractor")
_CREW_CHANCES = [0.55, 0.45]
_DAYS_TO_CLEAN = np.array([4.0, 2.5])
_WASTE = np.array(["Household", "Furniture", "Construction", "Tires"])
_WASTE_CHANCES = [0.45, 0.30, 0.17, 0.08]
_NEAR_M, _SOON_DAYS = 25.0, 13.0
"""How far from the old heap and how soon after its cleaning a new one is reported, at most."""


@dataclass(frozen=True)
class _Orders:
    """Work orders in the order of their time; one entry each in every array."""

    at: Whole
    cleaned: Whole
    crew: Whole
    waste: Whole
    points: Number


def dumping_sheets(rng: np.random.Generator) -> dict[str, Sheet]:
    """The yearly files, by the year in which the waste was reported: label -> sheet.

    Grain:
        One row per work order.
    """
    orders = _orders(rng)
    n = len(orders.at)
    is_cleaned: Flags = orders.cleaned < DAYS * MINUTES
    tons = np.maximum(np.round(rng.lognormal(-1.1, 0.8, n), 2), 0.01)
    price = np.array([DOLLARS_PER_TON[name] for name in CREWS])[orders.crew]
    cost = tons * price * rng.lognormal(-0.045, 0.3, n)  # a mean of 1
    sheet = Sheet(
        {
            "Order No": padded("AV-D-", np.arange(n) + 1, 5),
            "Reported": iso_minutes(orders.at),
            "Cleaned": np.where(is_cleaned, iso_minutes(np.where(is_cleaned, orders.cleaned, 0)), ""),
            "Waste": _WASTE[orders.waste],
            "Crew": np.array(CREWS)[orders.crew],
            "Tons": _if(is_cleaned, tons),
            "Cost": _if(is_cleaned, cost),
            **as_text(orders.points),
        }
    )
    flawed = flawed_rows(rng, "dumping_orders", among=np.ones(n, dtype=bool), only={"no tons": is_cleaned})
    changes: list[Change] = [("Tons", "no tons", "-999")]
    sheet = displaced(rng, spoiled(sheet, flawed, changes), flawed)
    rows = with_twins(n, flawed["twin"])
    return deliveries(sheet.take(rows), labels(orders.at[rows] // MINUTES, "year"))


def _if(is_known: Flags, number: Number) -> Text:
    return np.where(is_known, np.char.mod("%.2f", number), "")


def _orders(rng: np.random.Generator) -> _Orders:
    """Heaps by chance, and those that follow where one was cleaned and more was dumped at once."""
    n = RECORDS["dumping_orders"]
    crew = rng.choice(len(CREWS), n, p=_CREW_CHANCES)
    waste = rng.choice(len(_WASTE), n, p=_WASTE_CHANCES)
    at = minutes(rng, rng.integers(0, DAYS, n))
    ground = points(rng, squares(rng, live_in(rng, RESIDENTS * (0.4 + 2 * POVERTY), n)))
    to_clean = (_DAYS_TO_CLEAN[crew] * rng.gamma(2.0, 0.5, n) * MINUTES).astype(np.int64) + 30
    gap = (rng.uniform(0.1, _SOON_DAYS, n) * MINUTES).astype(np.int64)
    near = beside(rng, n, _NEAR_M)
    before = _before(rng, crew)
    for order in np.flatnonzero(before >= 0).tolist():
        old = before[order]
        again = at[old] + to_clean[old] + gap[order]
        # What would follow after the last day of the data stays a heap of its own.
        if again < DAYS * MINUTES:
            at[order], waste[order], ground[order] = again, waste[old], ground[old] + near[order]
    rows = np.argsort(at, kind="stable")
    return _Orders(at[rows], (at + to_clean)[rows], crew[rows], waste[rows], ground[rows])


def _before(rng: np.random.Generator, crew: Whole) -> Whole:
    """For each order the one that it follows, always an earlier number; -1 for a heap of its own.

    Each order is followed with the chance of its crew, independently of all others. The orders that follow are the
    last ones, in the order of those that they follow, so that their number is the same whatever the chances give.
    """
    n = len(crew)
    is_followed: Flags = rng.random(n) < np.array([DUMPED_AGAIN[name] for name in CREWS])[crew]
    is_followed[-1] = False
    followed = np.flatnonzero(is_followed)
    before = np.full(n, -1)
    before[n - len(followed) :] = followed
    return before
