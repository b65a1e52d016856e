from datetime import date, datetime

import pytest

from metroon.base.account import Verdict
from metroon.base.errors import Refused
from metroon.base.store import MOST_ASKED, Store


def verdict(rule: str, *, is_kept: bool) -> Verdict:
    return Verdict(rule, rule, "", "accuracy", "warn", 10, 0, is_kept)


def test_a_hash_holds_only_while_size_and_time_of_change_are_the_same(tmp_path):
    store = Store(tmp_path / "store.sqlite")
    store.saw("a.csv", 3, 99, "f00")

    assert ["f00", None, None, None] == [
        store.seen("a.csv", 3, 99), store.seen("a.csv", 4, 99), store.seen("a.csv", 3, 98), store.seen("b.csv", 3, 99)
    ]  # fmt: skip


def test_what_was_remembered_is_there_after_a_restart(tmp_path):
    store = Store(tmp_path / "store.sqlite")
    store.judged("crashes", 1, datetime(2026, 1, 1), [verdict("a", is_kept=True), verdict("b", is_kept=False)])
    store.judged("crashes", 2, datetime(2026, 1, 2), [verdict("a", is_kept=True)])
    store.close()

    assert {1: (1, 2), 2: (1, 1)} == Store(tmp_path / "store.sqlite").history("crashes")


def test_a_damaged_index_is_made_anew(tmp_path):
    file = tmp_path / "store.sqlite"
    file.write_bytes(b"this is no database, and it is longer than a header " * 20)

    assert {} == Store(file).history("crashes")


def test_a_place_that_cannot_be_written_is_a_problem(tmp_path):
    (tmp_path / "home").write_text("a file where the folder should be", encoding="utf-8")

    with pytest.raises(Refused) as refused:
        Store(tmp_path / "home" / "store.sqlite")
    assert ["L101"] == [p.code for p in refused.value.problems]


def test_what_was_done_is_remembered_with_its_last_day(tmp_path):
    store = Store(tmp_path / "store.sqlite")
    store.planned(date(2026, 1, 1), {"a": "done", "b": "late"})
    store.planned(date(2026, 2, 1), {"a": "done", "b": "late"})
    store.planned(date(2026, 3, 1), {"a": "reopened", "b": "done"})

    assert [{}, {"a": date(2026, 1, 1)}, {"a": date(2026, 2, 1), "b": date(2026, 3, 1)}] == [
        store.done_on(d) for d in (date(2025, 12, 31), date(2026, 1, 31), date(2026, 3, 1))
    ]


def test_a_second_run_of_a_day_does_not_forget_what_was_done(tmp_path):
    store = Store(tmp_path / "store.sqlite")
    for state in ("late", "done", "reopened"):
        store.planned(date(2026, 1, 1), {"a": state})

    assert {"a": date(2026, 1, 1)} == store.done_on(date(2026, 1, 1))


def test_questions_without_an_answer_are_counted_by_their_words(tmp_path):
    store = Store(tmp_path / "store.sqlite")
    for query in ("dog parks", "Dog  Parks", "bakeries"):
        store.asked(date(2026, 7, 1), query, "en")
    store.asked(date(2026, 7, 2), "dog parks", "en")
    store.asked(date(2026, 7, 2), "dog parks", "es")

    assert [
        ("dog parks", "en", 3, "2026-07-02"),
        ("dog parks", "es", 1, "2026-07-02"),
        ("bakeries", "en", 1, "2026-07-01"),
    ] == store.not_found()


def test_nobody_can_fill_the_disk_with_questions(tmp_path):
    store = Store(tmp_path / "store.sqlite")
    for n in range(MOST_ASKED + 5):
        store.asked(date(2026, 7, 1), f"word {n}", "en")

    assert MOST_ASKED == len(store.not_found())


def test_questions_are_forgotten_after_a_year(tmp_path):
    store = Store(tmp_path / "store.sqlite")
    store.asked(date(2025, 1, 1), "dog parks", "en")
    store.asked(date(2026, 7, 1), "bakeries", "en")

    assert ["bakeries"] == [query for query, *_ in store.not_found()]
