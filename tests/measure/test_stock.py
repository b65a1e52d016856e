"""What is there, told only as far as the deliveries reach."""

from __future__ import annotations

from datetime import date, timedelta

from metroon.base.estimate import ALL
from town import STAY_COLUMNS, Town


def test_a_month_whose_delivery_has_not_come_is_not_told_by_those_who_left_in_it(tmp_path):
    town = Town(tmp_path, as_of=date(2026, 6, 1)).city()
    rows = []
    for n in range(360):  # three came on each day until the end of April; many of them leave in May
        day = date(2026, 1, 1) + timedelta(days=n // 3)
        left = day + timedelta(days=25)
        told = {"id": f"s{n}", "person": f"p{n}", "ward": "north", "day": day, "race": "A", "is_home": "yes"}
        rows.append(told | {"left_on": left if left < date(2026, 5, 30) else ""})
    town.csv("stays.csv", rows)
    town.product("stays", {**STAY_COLUMNS, "left_on": "date quasi"})
    town.measure("open_stays", kind="stock", until="left_on", period={"column": "day", "grain": "month"}, unit="stays")

    told = town.run()

    periods = {c.period for c, e in told.cells("open_stays").items() if c.place == ALL and e.value is not None}
    assert {"2026-02", "2026-03", "2026-04"} <= periods
    assert "2026-05" not in periods
