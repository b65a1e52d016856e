"""Data about people go nowhere before the public could read what for, comment, and get an answer."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from metroon.base.node import Node
from metroon.base.protocol import Comment, Covered, Protocol, Waiver
from metroon.cli import main
from metroon.guard.protocol import Lived, gate, kept
from town import STAY_COLUMNS, WARDS, Town, promise, settled, small_town, stays

if TYPE_CHECKING:
    from pathlib import Path

OPENS, CLOSES = date(2026, 1, 1), date(2026, 1, 30)
STAYS = promise({"id": "string linkage key", "day": "date quasi"})


def protocol(**more: Any) -> Protocol:
    elements = ("purpose", "notice", "retention", "sharing", "accuracy", "security", "equity", "owner", "contact")
    told = {
        "id": "stays", "title": "Stays", **dict.fromkeys(elements, "Invented."),
        "data": (Covered("stays", OPENS),), "opens": OPENS, "closes": CLOSES, "comments": (), "waiver": None,
        "node": Node({}, "protocols/stays.yaml"),
    }  # fmt: skip
    return Protocol(**{**told, **more})


def codes(*protocols: Protocol, on: date = date(2026, 2, 1), before: Lived | None = None) -> list[str]:
    return [p.code for p in gate(STAYS, protocols, as_of=on, before=before)]


@given(st.dates(date(2025, 6, 1), date(2026, 6, 1)), st.lists(st.booleans(), max_size=3), st.integers(-40, 40))
def test_nothing_passes_on_a_day_of_the_window_or_unanswered_or_that_came_in_late(on, answered, late):
    comments = tuple(Comment(OPENS, "Why?", "So." if is_answered else "") for is_answered in answered)
    data = (Covered("stays", OPENS + timedelta(days=late)),)

    found = codes(protocol(comments=comments, data=data), on=on)

    assert (not found) == (on > CLOSES and all(answered) and late <= 0)


def test_without_a_protocol_the_fix_names_the_file_to_write():
    (problem,) = gate(STAYS, (), as_of=CLOSES)

    assert "G150" == problem.code
    assert "protocols/stays.yaml" in problem.fix


def test_the_last_day_of_the_window_belongs_to_it():
    assert ["G151"] == codes(protocol(), on=CLOSES)
    assert [] == codes(protocol(), on=CLOSES + timedelta(days=1))


def test_a_thing_needs_no_protocol():
    thing = promise({"id": "string public"}, unit="none")

    assert [] == gate(thing, (), as_of=CLOSES)


def test_a_draft_that_says_nothing_yet_lets_nothing_pass():
    assert ["G156"] == codes(protocol(purpose="Not said yet."))


def test_a_waiver_stands_for_the_window_from_its_day_on():
    waived = protocol(opens=None, closes=None, waiver=Waiver("Privacy officer", date(2026, 1, 15), "Public before."))

    assert ["G151"] == codes(waived, on=date(2026, 1, 14))
    assert [] == codes(waived, on=date(2026, 1, 15))
    assert ["G153"] == codes(protocol(waiver=Waiver("P", date(2025, 1, 1), "So."), data=(Covered("stays", OPENS),)))


def test_a_second_protocol_does_not_stop_what_the_first_allows():
    assert [] == codes(protocol(), protocol(id="z", opens=date(2026, 2, 1), closes=date(2026, 3, 2)))


def lived(made: Protocol, **more: Any) -> Lived:
    return Lived.read({**kept(STAYS, made), **more})


@pytest.mark.parametrize("change", [{"purpose": "To find people."}, {"sharing": "With everybody."}])
def test_another_purpose_needs_another_window(change):
    before, wider = lived(protocol()), protocol(**change)
    later = {"opens": date(2026, 3, 1), "closes": date(2026, 3, 30)}

    assert ["G153"] == codes(wider, before=before)
    assert ["G151"] == codes(protocol(**change, **later), on=date(2026, 3, 15), before=before)
    assert [] == codes(protocol(**change, **later), on=date(2026, 4, 1), before=before)


def test_a_further_column_of_people_needs_another_window():
    assert ["G153"] == codes(protocol(), before=lived(protocol(), columns=["id"]))
    assert [] == codes(protocol(), before=lived(protocol(), columns=["id", "day", "gone"]))


def test_better_words_for_the_rest_need_no_window():
    assert [] == codes(protocol(security="Two keys."), before=lived(protocol()))


# In a run


def written(town: Town, **comment: Any) -> Town:
    town.write("protocols/stays.yaml", {**settled("stays"), "comment": comment})
    return town


def rows_town(folder: Path) -> Town:
    """A town that publishes rows of people, and a measure of them."""
    town = Town(folder).with_wards()
    town.csv("stays.csv", stays(dict.fromkeys(WARDS, 40)))
    columns = {**STAY_COLUMNS, "ward": "string public"}
    town.product("stays", columns, table={"geographyKey": {"column": "ward", "layer": "ward"}}, mode="rows")
    return town.measure("stay_count", places=["ward"])


def test_rows_and_measures_wait_for_the_window_and_leave_on_the_day_after(tmp_path):
    town = written(rows_town(tmp_path), **{"from": "2026-02-20", "to": "2026-03-21"})
    during, after = town.run(), town.run(as_of=date(2026, 3, 22))

    assert ["G151", "G151"] == during.codes()
    assert (None, None) == (during.walk.lake.open("stays", 2), during.measured("stay_count").version)
    assert ("published", "released") == (after.account("stays").outcome, after.measured("stay_count").outcome)


def test_rows_are_kept_inside_while_nothing_of_them_leaves(tmp_path):
    told = written(rows_town(tmp_path), **{"from": "2026-03-01", "to": "2026-03-30"}).run()

    assert ("kept", 160) == (told.account("stays").outcome, told.account("stays").kept)
    assert [] == list((tmp_path / ".metroon" / "lake" / "open").glob("stay*"))


def test_an_unanswered_comment_stops_the_next_release_and_says_so(tmp_path):
    town = small_town(tmp_path)
    town.ran()
    comments = [{"received": "2000-01-05", "text": "Why?"}]
    written(town, **{"from": "2000-01-01", "to": "2000-01-31", "comments": comments})
    town.csv("stays_more.csv", stays({"north": 3}))
    told = town.run()

    assert "G152" in told.codes()
    assert ("failed", 1) == (told.measured("stay_count").outcome, told.measured("stay_count").version)


def test_a_release_remembers_what_the_public_was_told_and_a_wider_purpose_is_noticed(tmp_path):
    town = small_town(tmp_path)
    town.ran()
    town.write("protocols/stays.yaml", {**settled("stays"), "purpose": "To find single people."})
    town.measure("stay_count", places=["ward"], title="Renamed")

    assert ["G153"] == list(dict.fromkeys(town.run().codes()))
    again = {
        **settled("stays"),
        "purpose": "To find single people.",
        "comment": {"from": "2026-01-01", "to": "2026-01-31"},
    }
    town.write("protocols/stays.yaml", again)
    assert [] == town.run().codes()


def test_a_product_made_of_people_needs_the_protocol_too(tmp_path):
    town = small_town(tmp_path)
    sql = {"kind": "query", "sql": "query.sql"}
    town.write("products/sums/query.sql", "select ward, count(*) as n from stays group by ward")
    town.product("sums", {"ward": "string public", "n": "integer public"}, collect=sql, unit="none", mode="rows")
    (tmp_path / "protocols" / "sums.yaml").unlink()

    assert ["G150"] == [p.code for p in town.run().account("sums").problems]


def test_an_old_number_is_made_again_without_asking_anew(tmp_path):
    from metroon.explain import explain

    town = small_town(tmp_path)
    town.ran()
    (tmp_path / "protocols" / "stays.yaml").write_text(json.dumps(settled("wards")))
    town.csv("stays_more.csv", stays({"north": 3}))

    assert explain(town.walk(), "stay_count").is_same


# The command


def said(folder: Path, *words: str) -> tuple[int, str]:
    told = CliRunner().invoke(main, ["guard", "protocol", *words, "-C", str(folder)], catch_exceptions=False)
    return told.exit_code, told.output


def test_the_command_drafts_what_is_missing_and_tells_what_is_open(tmp_path):
    town = small_town(tmp_path)
    (tmp_path / "protocols" / "stays.yaml").unlink()
    missing = said(tmp_path)
    wrote = said(tmp_path, "--write")
    drafted = said(tmp_path, "stay_count")
    town.write("protocols/stays.yaml", settled("stays"))

    assert (1, True) == (missing[0], "G150" in missing[1])
    assert (0, True) == (wrote[0], "protocols/stays.yaml" in wrote[1])
    assert (1, True, True) == (drafted[0], "G156" in drafted[1], "G151" in drafted[1])
    assert (0, True) == (said(tmp_path)[0], "live" in said(tmp_path)[1])


def test_programs_read_the_same(tmp_path):
    small_town(tmp_path)
    code, text = said(tmp_path, "--format", "json")
    (told,) = json.loads(text)

    assert (0, "stays", [], "live") == (code, told["product"], told["problems"], told["protocols"][0]["standing"])
