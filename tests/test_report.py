"""What a run says of a product's day."""

from __future__ import annotations

from dataclasses import replace

import pytest

from metroon import report
from metroon.base.account import Account, Verdict

KEPT = Verdict("lamp.required", "lamp is missing", "lamp", "completeness", "set aside", 3, 0, True)
GOOD = Account("lamps", "Street lamps", "published", verdicts=(KEPT,))


def broken(severity: str) -> Account:
    return replace(GOOD, verdicts=(KEPT, replace(KEPT, severity=severity, failed=1, is_kept=False)))


def test_rows_that_a_rule_sets_aside_leave_the_day_as_it_is():
    assert ("ok", False) == report.day(GOOD) == report.day(broken("set aside"))
    assert ("late", True) == report.day(replace(broken("set aside"), late="3 days late"))


@pytest.mark.parametrize("told", [broken("stop"), broken("warn"), replace(GOOD, outcome="failed")])
def test_a_day_is_bad_when_the_product_failed_or_a_check_stopped_or_warned(told):
    assert ("bad", False) == report.day(told)
    assert ("bad", True) == report.day(replace(told, late="3 days late"))
