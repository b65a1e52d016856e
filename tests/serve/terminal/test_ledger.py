from __future__ import annotations

import re
from dataclasses import replace

import invented
import pytest
from printed import shown

from metroon.base.account import Account, Delivery, Run, Verdict
from metroon.base.errors import Problem
from metroon.serve import scoreboard

KEY = "the key (id) is repeated"


def rule(text: str, *, is_kept: bool) -> Verdict:
    return Verdict(text, text, "", "accuracy", "set aside", 100, 0 if is_kept else 5, is_kept)


def page_of(*accounts: Account, width: int = 110) -> str:
    run = Run("Arroyo Vista", True, invented.run().as_of, accounts, (), (), 1.0)
    return shown(scoreboard(run), width=width)


def test_each_product_is_one_row_whose_numbers_line_up():
    page = page_of(invented.service_calls(), invented.fires())

    assert re.search(r"^✗ service_calls   36,200 = 34,877 \+ 119 \+ 1,204  late", page, re.MULTILINE)
    assert re.search(r"^✓ fire_incidents   8,058 =  8,058 \+   0 ", page, re.MULTILINE)


def test_what_failed_comes_first_and_what_is_kept_last():
    late = replace(invented.fires(), product="late_one", late="3 days late: no file of May")
    page = page_of(invented.fires(), late, invented.service_calls()).partition("WHERE THE ROWS WENT")[2]

    assert ["✗", "!", "✓"] == re.findall(r"^([✗!✓]) \w+ +\d", page, re.MULTILINE)


def test_a_reason_that_is_a_broken_rule_is_told_once():
    account = replace(
        invented.fires(), read=8_063, set_aside={KEY: 5}, verdicts=(rule(KEY, is_kept=False), rule("b", is_kept=True))
    )

    assert "1 of 2 rules broken: key is repeated" in page_of(account)


def test_a_remark_takes_two_lines_at_most_and_counts_the_rest():
    reasons = {f"reason number {i} of a long list of reasons": 9 - i for i in range(8)}
    account = replace(invented.fires(), read=8_058 + sum(reasons.values()), set_aside=reasons, outside={})
    page = page_of(account).partition("WHERE THE ROWS WENT")[2]
    rows = page.partition("✓ every rule kept")[0].splitlines()[1:]

    assert 2 == len(rows)
    assert re.search(r"\d more$", rows[-1])


@pytest.mark.parametrize("width", [60, 80, 110])
def test_no_product_is_lost_in_a_narrow_terminal(width):
    page = page_of(*invented.run().accounts, width=width)

    assert [a.product for a in invented.run().accounts if a.product not in page] == []


def test_a_problem_of_many_files_is_told_once_with_the_first_of_them():
    files = [f"calls/{i:02d}.csv" for i in range(9)]
    account = replace(
        invented.fires(),
        refused=90,
        read=8_148,
        deliveries=tuple(Delivery(f, "0" * 64, 1, 10, "no header") for f in files),
        problems=tuple(Problem(f, 0, "D102", "no header.", "Ask for it.") for f in files),
    )
    page = page_of(account, width=120)

    assert 1 == page.count("D102: no header.") == page.count("Fix: Ask for it.")
    assert "refused 9 deliveries of 9: calls/00.csv (10 records), calls/01.csv (10 records)" in page
    assert "and 6 more files" in page


def test_a_late_product_is_told_at_the_top():
    page = page_of(replace(invented.fires(), late="3 days late: no file of May"))

    assert page.index("! LATE: 1") < page.index("fire_incidents  3 days late: no file of May")
    assert "nothing failed, no delivery was refused" in page


def test_products_that_cannot_answer_the_same_share_a_line():
    asked = ("When, and whether it changed: no column holds a date.",)
    found = [replace(invented.fires(), product=name, cannot_answer=asked) for name in ("one", "two")]

    assert "one, two: When, and whether it changed" in page_of(*found)


def test_the_emptiest_columns_come_first_and_the_rest_are_counted():
    missing = {f"column_{i}": 1_000 * i for i in range(1, 9)}
    page = page_of(replace(invented.fires(), missing=missing))
    found = re.findall(r"column (\d) of", page)

    assert ["8", "7", "6", "5"] == found
    assert "and 4 more columns" in page
