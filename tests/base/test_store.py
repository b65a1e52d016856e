from datetime import datetime

import pytest

from metroon.base.account import Verdict
from metroon.base.errors import Refused
from metroon.base.store import Store


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
