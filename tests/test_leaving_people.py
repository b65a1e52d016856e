"""A city that is put back brings nobody back who was erased, whatever the backup knew; all people are invented."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from erased import BY, KEY, PEOPLE, WHY, counts, erase, found, rows, town
from metroon import erasing
from metroon.city import load
from metroon.lake import removal
from metroon.lake.erasure import Certificates
from metroon.leaving import backup, restore
from town import WARDS, Town

if TYPE_CHECKING:
    from pathlib import Path

AT = datetime(2026, 3, 1, tzinfo=UTC)
LATER = datetime(2026, 3, 2, tzinfo=UTC)
PUBLISHED = {"id": "string public", "owner": "string public", "name": "string public", "ward": "string public"}


class Cut(BaseException):
    """The process was killed."""


def cut_off(made: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    def cut(*_: object) -> None:
        raise Cut

    with monkeypatch.context() as patched:
        patched.setattr(removal, "finish", cut)
        with pytest.raises(Cut):
            erase(made)


def permits(folder: Path) -> Town:
    """A town that publishes rows with the key and the name of the person."""
    made = Town(folder).with_wards(dict.fromkeys(WARDS, 1000))
    made.write("people.yaml", PEOPLE)
    made.product("permits", PUBLISHED, unit="none", mode="rows", guard=[], personKey="owner")
    made.csv(
        "permits.csv", [{"id": r["id"], "owner": r["person"], "name": r["name"], "ward": r["ward"]} for r in rows()]
    )
    made.ran()
    return made


def test_an_erasure_that_was_begun_in_the_backup_and_is_completed_since_is_carried_out_again(tmp_path, monkeypatch):
    made = town(tmp_path / "town")
    cut_off(made, monkeypatch)
    before = backup(load(made.folder), tmp_path / "before", at=AT)
    made.run()
    restore(before.folder, tmp_path / "again", live=made.folder)
    again = Town(tmp_path / "again")

    assert ["done"] == [c.told["state"] for c in Certificates(again.folder / ".metroon").all()]
    assert [] == found(again.folder / ".metroon")
    assert {1: 157, 2: 235} == {n: rows for n, rows in counts(again).items() if n < 3}
    assert (True, 235) == (again.run().account("stays").adds_up, again.run().account("stays").kept)
    assert [] == found(again.folder / ".metroon")


def test_an_erasure_that_is_begun_everywhere_is_finished_by_the_next_run(tmp_path, monkeypatch):
    made = town(tmp_path / "town")
    cut_off(made, monkeypatch)
    before = backup(load(made.folder), tmp_path / "before", at=AT)
    restore(before.folder, tmp_path / "again", live=made.folder)
    again = Town(tmp_path / "again")
    again.run()

    assert ["done"] == [c.told["state"] for c in Certificates(again.folder / ".metroon").all()]
    assert [] == found(again.folder / ".metroon")


@pytest.mark.parametrize("is_live", [True, False])
def test_rows_that_were_withdrawn_before_the_erasure_are_not_published_again(tmp_path, is_live):
    made = permits(tmp_path / "town")
    before = backup(load(made.folder), tmp_path / "backups", at=AT)
    told = {"at": "2026-03-01", "by": BY, "columns": [], "reason": "Invented."}
    made.walk().lake.withdraw("permits", [1], told)
    erasing.erase(made.walk(), "permits", KEY, by=BY, reason=WHY)
    if not is_live:
        backup(load(made.folder), tmp_path / "backups", at=LATER)
    restore(before.folder, tmp_path / "again", live=made.folder if is_live else None)
    again = Town(tmp_path / "again")

    assert [] == found(again.folder / ".metroon")
    assert None is again.walk().lake.open("permits")
    assert {1: "Invented."} == {n: w["reason"] for n, w in again.walk().lake.withdrawn("permits").items()}
    again.ran()
    assert [] == found(again.folder / ".metroon")


def test_what_was_not_withdrawn_stays_published(tmp_path):
    made = permits(tmp_path / "town")
    before = backup(load(made.folder), tmp_path / "before", at=AT)
    restore(before.folder, tmp_path / "again", live=made.folder)

    assert 1 == Town(tmp_path / "again").walk().lake.open("permits").number
