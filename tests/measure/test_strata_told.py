"""Standardised rates tell the counts of their strata: few in one stratum are few behind the rate."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import pytest

from town import WARDS, Town

if TYPE_CHECKING:
    from pathlib import Path

COLUMNS = {
    "id": {"logicalType": "string", "primaryKey": True, "required": True, "classification": "public"},
    "day": "date public", "ward": "string public", "age": "string public",
}  # fmt: skip
IN_WARDS = {"geographyKey": {"column": "ward", "layer": "ward"}}
AGES = ("young", "middle", "old")
WEIGHTS = {"young": 3, "middle": 2, "old": 1}
PEOPLE = {"of": "residents", "column": "n", "group": "group", "source": "count", "vintage": "2025", "place": "ward",
          "geography": "ward"}  # fmt: skip
FEW = {"north": (40, 33, 4), "east": (41, 37, 52), "south": (48, 61, 44), "west": (39, 55, 47)}
RESIDENTS = {(w, a): 997 + 131 * i + 53 * j for i, w in enumerate(WARDS) for j, a in enumerate(AGES)}


def standardised(folder: Path, kind: str, counts: dict[str, tuple[int, ...]], **more: Any) -> dict[str, Any]:
    town = Town(folder).with_wards({w: sum(RESIDENTS[w, a] for a in AGES) for w in WARDS})
    rows = [(w, a) for w, told in counts.items() for a, n in zip(AGES, told, strict=True) for _ in range(n)]
    town.csv("events.csv", [{"id": f"e{i}", "day": "2025-05-05", "ward": w, "age": a} for i, (w, a) in enumerate(rows)])
    town.product("events", COLUMNS, table=IN_WARDS)
    town.csv("residents.csv", [{"ward": w, "group": a, "n": n} for (w, a), n in RESIDENTS.items()])
    town.product(
        "residents", {"ward": "string public", "group": "string public", "n": "integer public"}, unit="none",
    )  # fmt: skip
    town.measure("rate", kind=kind, of="events", by="age", people=PEOPLE, places=["ward"], **more)
    run = town.run()
    cells = run.cells("rate")
    return {w: next(e for c, e in cells.items() if c.place == w) for w in WARDS}


def possible(told: Any, ward: str) -> list[tuple[int, ...]]:
    """Every set of whole numbers that has the published rate and number of events."""
    total, weights = told.events, [WEIGHTS[a] / sum(WEIGHTS.values()) for a in AGES]
    return [
        (a, b, total - a - b)
        for a, b in product(range(total + 1), repeat=2)
        if a + b <= total
        and abs(
            1000 * sum(w * n / RESIDENTS[ward, s] for w, n, s in zip(weights, (a, b, total - a - b), AGES, strict=True))
            - told.value
        )
        < 1e-9
    ]


def test_a_reader_finds_the_strata_of_a_rate_that_is_shown(tmp_path: Path) -> None:
    told = standardised(tmp_path, "directly_standardised", FEW, standard=WEIGHTS, per=1000)

    shown = [w for w in WARDS if told[w].state == "known"]
    assert shown
    assert [[FEW[w]] for w in shown] == [possible(told[w], w) for w in shown]


def test_so_a_place_with_few_in_one_stratum_has_no_rate(tmp_path: Path) -> None:
    told = standardised(tmp_path, "directly_standardised", FEW, standard=WEIGHTS, per=1000)

    assert "hidden" == told["north"].state


@pytest.mark.parametrize(("old", "state"), [((1, 0, 2, 1), "hidden"), ((52, 44, 47, 40), "known")])
def test_a_ratio_to_the_city_is_hidden_where_few_in_the_city_are_in_one_stratum(
    tmp_path: Path, old: tuple[int, ...], state: str
) -> None:
    counts = {w: (*FEW[w][:2], n) for w, n in zip(WARDS, old, strict=True)}
    told = standardised(tmp_path, "indirectly_standardised", counts, levels=list(AGES))

    assert {state} == {e.state for e in told.values()}
