"""Two numbers, one thing: what a page says of a measure at a place is what its release says, of the period it names."""

from __future__ import annotations

import re
from itertools import chain

import pytest

KEY = ("measure", "place", "period")


def of_pages(client, portal) -> list[dict]:
    """Every number that the pages of goals and neighborhoods give as data."""
    catalog = portal.site().catalog
    paths = [f"/goals/{g.goal}" for g in catalog.goals]
    paths += [f"/neighborhoods/{p}" for p in catalog.geographies[catalog.neighborhoods].names]
    return [{**row, "path": path} for path in paths for row in client.get(f"{path}.json").json()]


def released(client, name: str) -> dict[tuple[str, str, str], float | None]:
    rows = client.get(f"/measures/{name}.json").json()
    return {(name, r["place"], r["period"]): r["value"] for r in rows if r["group"] == "all"}


@pytest.mark.slow
def test_a_number_on_any_page_is_the_one_of_the_release_of_that_period(client, portal):
    told = of_pages(client, portal)
    known = dict(chain.from_iterable(released(client, n).items() for n in {r["measure"] for r in told}))
    places = {r["place"] for r in told}

    assert len(told) > 400
    assert {"all", "N07"} <= places
    assert [] == [r for r in told if known.get(tuple(r[k] for k in KEY), "not released") != r["value"]]


@pytest.mark.slow
def test_a_page_has_one_number_of_a_measure_at_a_place_in_a_period(client, portal):
    told = [(r["path"], *(r[k] for k in KEY)) for r in of_pages(client, portal)]

    assert len(told) == len(set(told))


@pytest.mark.slow
def test_every_number_of_a_page_stands_there_with_its_period(client, portal):
    words = portal.site().words["en"]
    catalog = portal.site().catalog
    paths = [f"/goals/{g.goal}" for g in catalog.goals] + ["/neighborhoods/N07"]
    lacking = []
    for path in paths:
        text = re.sub(r"<[^>]+>", " ", client.get(path).text)
        for row in client.get(f"{path}.json").json():
            period = "all years together" if row["period"] == "all" else words.period(row["period"])
            if row["value"] is not None and period not in text and not _quarter(row["period"], text):
                lacking.append((path, row["measure"], row["period"]))

    assert [] == lacking


def _quarter(period: str, text: str) -> bool:
    year, _, quarter = period.partition("-Q")
    return bool(quarter) and f"Q{quarter} {year}" in text
