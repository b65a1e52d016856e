"""The worst sites get better by themselves: San Francisco's pedestrian crashes of 2015-2019, counted by the engine."""

from __future__ import annotations

import os
from pathlib import Path

import ibis
import pyarrow.csv
import pytest

from metroon.base.engine import Engine
from metroon.measure.interval import exact_rate_ratio

DATA = Path(os.environ.get("METROON_DATA") or Path(__file__).parents[3] / "shared" / "data")
FILE = DATA / "sf" / "Crashes.csv"
pytestmark = pytest.mark.skipif(not FILE.exists(), reason="the shared data are not here")


def test_sites_chosen_for_many_crashes_fall_by_44_percent_with_nothing_done():
    # measures.md, section 14, row 20; safety.md, section 5.
    engine = Engine()
    rows = engine.table(pyarrow.csv.read_csv(FILE))
    roads = [rows[c].cast("string").fill_null("") for c in ("PRIMARY_RD", "SECONDARY_RD")]
    year = rows["ACCIDENT_YEAR"].cast("int64")
    sites = rows.mutate(_a=ibis.least(*roads), _b=ibis.greatest(*roads), _before=year <= 2016, _year=year)
    sites = sites.filter(sites["_year"] <= 2018).group_by("_a", "_b")
    found = engine.rows(sites.aggregate(before=lambda t: t["_before"].sum(), after=lambda t: (~t["_before"]).sum()))
    worst = [(r["before"], r["after"]) for r in found if r["before"] >= 4]

    assert (1613, 1689) == (sum(r["before"] for r in found), sum(r["after"] for r in found))
    assert (47, 235, 131) == (len(worst), sum(b for b, _ in worst), sum(a for _, a in worst))
    # The interval alone would call it a success: only a comparison tells that nothing was done.
    assert exact_rate_ratio(131, 1, 235, 1).high < 1
