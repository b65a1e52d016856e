"""Data use protocols as a city declares them: read whole, or every fault told with its line."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from metroon.base.errors import Refused
from metroon.city import load
from metroon.city.draft import draft_protocol
from metroon.faults import faults
from tiny import PROTOCOL, tiny_city
from town import settled

if TYPE_CHECKING:
    from pathlib import Path

PEOPLE = """\
roles:
  - { id: privacy_officer, title: Privacy officer, duties: Decides., holder: Somebody, since: 2020-01-01 }
  - { id: deputy, title: Deputy, duties: Waits., holder: vacant, since: 2020-01-01 }
stewards:
  - { name: Steward of roads, contact: roads@example.gov }
"""


def declared(folder: Path, comment: object = None, **more: Any) -> Path:
    """A city whose only protocol is changed in some keys."""
    text = {**settled("crashes"), **({"comment": comment} if comment else {}), **more}
    told = {k: v for k, v in text.items() if v is not None}
    return tiny_city(folder, **{"people.yaml": PEOPLE, "protocols/crashes.yaml": json.dumps(told, indent=1)})


def codes(folder: Path) -> list[str]:
    with pytest.raises(Refused) as refused:
        load(folder)
    return [p.code for p in refused.value.problems]


def test_a_protocol_is_read_with_its_window_and_its_comments(tmp_path):
    comment = {
        "from": "2026-01-01", "to": "2026-01-30",
        "comments": [{"received": "2026-01-05", "text": "Why?", "reply": "To count.", "replied": "2026-01-06"}],
    }  # fmt: skip
    (read,) = load(declared(tmp_path, comment)).protocols

    assert ("crashes", date(2026, 1, 1), date(2026, 1, 30)) == (read.id, read.opens, read.closes)
    assert [("Why?", "To count.")] == [(c.text, c.reply) for c in read.comments]
    assert "/protocols/crashes" == read.path


def test_every_fault_is_told_at_once_with_its_line(tmp_path):
    folder = declared(
        tmp_path, {"from": "2026-01-01", "to": "2026-01-05"}, data=[{"product": "crshes", "from": "2026-01-01"}]
    )
    with pytest.raises(Refused) as refused:
        load(folder)
    told = {p.code: p for p in refused.value.problems}

    assert {"R101", "G154"} == told.keys()
    assert all(p.file.endswith("protocols/crashes.yaml") and p.line > 1 for p in told.values())
    assert "to: 2026-01-30" in told["G154"].fix


@pytest.mark.parametrize(
    "key", ["title", "purpose", "notice", "retention", "sharing", "accuracy", "security", "equity", "owner", "comment"]
)
def test_no_element_may_be_missing(tmp_path, key):
    assert ["Y103"] == codes(declared(tmp_path, **{key: None}) if key != "comment" else _without_comment(tmp_path))


def _without_comment(folder: Path) -> Path:
    text = {k: v for k, v in settled("crashes").items() if k != "comment"}
    return tiny_city(folder, **{"protocols/crashes.yaml": json.dumps(text)})


def test_an_element_that_says_nothing_is_missing(tmp_path):
    assert ["Y103"] == codes(declared(tmp_path, purpose="  "))


def test_a_city_may_ask_for_a_longer_window(tmp_path):
    folder = declared(tmp_path)
    city = folder / "city.yaml"
    city.write_text(city.read_text() + "thresholds: { comment_days: 45 }\n")

    assert ["G154"] == codes(folder)


@pytest.mark.parametrize(
    ("item", "is_fault"),
    [
        ({"received": "2000-01-05", "text": "Why?"}, False),
        ({"received": "2000-01-05", "text": "Why?", "reply": "So.", "replied": "2000-01-05"}, False),
        ({"received": "2000-01-05", "text": "Why?", "reply": "So."}, True),
        ({"received": "2000-01-05", "text": "Why?", "replied": "2000-01-06"}, True),
        ({"received": "2000-01-05", "text": "Why?", "reply": "So.", "replied": "2000-01-04"}, True),
    ],
)
def test_a_reply_and_its_day_come_together_and_after_the_comment(tmp_path, item, is_fault):
    folder = declared(tmp_path, {"from": "2000-01-01", "to": "2000-01-31", "comments": [item]})

    assert (["G154"] if is_fault else []) == (codes(folder) if is_fault else [*map(str, faults_of(folder))])


def faults_of(folder: Path) -> list[str]:
    return [p.code for p in faults(load(folder), date(2026, 3, 15))]


@pytest.mark.parametrize(
    ("by", "named"), [("privacy_officer", "Privacy officer"), ("roads@example.gov", "Steward of roads")]
)
def test_somebody_of_people_yaml_may_decide_that_there_is_no_window(tmp_path, by, named):
    waived = {"waived": {"by": by, "on": "2026-01-01", "reason": "They were public."}}

    (read,) = load(declared(tmp_path, waived)).protocols

    assert read.waiver is not None
    assert (named, date(2026, 1, 1)) == (read.waiver.by, read.since)


@pytest.mark.parametrize("by", ["deputy", "somebody", "Privacy officer"])
def test_nobody_else_may(tmp_path, by):
    assert ["G155"] == codes(declared(tmp_path, {"waived": {"by": by, "on": "2026-01-01", "reason": "So."}}))


def test_check_asks_for_a_protocol_where_people_stand_behind_rows(tmp_path):
    folder = tiny_city(tmp_path, **{"protocols/crashes.yaml": None})

    assert ["G150"] == faults_of(folder)


def test_a_draft_can_be_read_and_is_not_written_over_another(tmp_path):
    folder = tiny_city(tmp_path, **{"protocols/crashes.yaml": None})
    made = draft_protocol(load(folder), "crashes", on=date(2026, 3, 15))
    (read,) = load(folder).protocols

    assert (date(2026, 3, 15), date(2026, 4, 13)) == (read.opens, read.closes)
    with pytest.raises(Refused) as refused:
        draft_protocol(load(folder), "crashes", on=date(2026, 3, 15))
    assert ["Y107"] == [p.code for p in refused.value.problems]
    assert made == folder / "protocols" / "crashes.yaml"


def test_the_hash_of_what_is_said_changes_with_purpose_and_sharing_only(tmp_path):
    def says(text: str) -> str:
        return load(tiny_city(tmp_path, **{"protocols/crashes.yaml": text})).protocols[0].says_sha256

    before = says(PROTOCOL)

    assert before == says(PROTOCOL.replace("security: Invented.", "security: Better."))
    assert before != says(PROTOCOL.replace("To count crashes.", "To find drivers."))
    assert before != says(PROTOCOL.replace("sharing: Invented.", "sharing: With everybody."))
