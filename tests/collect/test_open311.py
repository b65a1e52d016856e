"""Service requests of a 311: every one, however the server cuts its answers; those that change come again."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import Phase, given
from hypothesis import strategies as st
from loopback import Asked, Reply, as_json, fetched, read, serving, source

from chance import examples
from metroon.base.errors import Refused
from metroon.collect import Landing

NOW = datetime.now(UTC).replace(microsecond=0)


def request(i: int, days_ago: float, status: str = "open", updated: datetime | None = None) -> dict[str, object]:
    came = NOW - timedelta(days=days_ago)
    told = {"requested_datetime": came.isoformat(), "updated_datetime": (updated or came).isoformat()}
    return {"service_request_id": str(i), "status": status, **told}


@dataclass
class Server311:
    """A GeoReport server: invented requests, and the ways in which servers cut their answers."""

    requests: list[dict[str, object]]
    cap: int = 1000
    has_pages: bool = True
    asked: list[dict[str, str]] = field(default_factory=list)

    def __call__(self, asked: Asked) -> Reply:
        query = asked.query
        self.asked.append(query)
        found = sorted(self.requests, key=lambda r: str(r["requested_datetime"]), reverse=True)
        for low, high, name in (("start_date", "end_date", "requested"), ("updated_after", "", "updated")):
            if low in query:
                after = datetime.fromisoformat(query[low])
                before = datetime.fromisoformat(query[high]) if high else NOW + timedelta(days=999)
                found = [r for r in found if after <= datetime.fromisoformat(str(r[f"{name}_datetime"])) <= before]
        size = min(self.cap, int(query["page_size"]) if self.has_pages else self.cap)
        start = size * (int(query["page"]) - 1) if self.has_pages else 0
        return as_json(found[start : start + size])


def open311(url: str, days: int = 45, **options: object):
    since = (NOW - timedelta(days=days)).date()
    return source("open311", url=f"{url}/open311/v2", since=since, **options)


def last_of_each(rows) -> dict[object, object]:
    return {r["service_request_id"]: r["status"] for r in rows}


@given(hours=st.sets(st.integers(2, 24 * 44), max_size=10), has_pages=st.booleans(), cap=st.integers(2, 5))
@examples(3, many=6, phases=(Phase.explicit, Phase.generate))
def test_every_request_comes_however_the_server_cuts_its_answers(tmp_path_factory, engine, hours, has_pages, cap):
    server311 = Server311([request(h, h / 24) for h in hours], cap, has_pages)
    with serving(server311) as server:
        made = open311(server.url, page_rows=cap, cut_at=2)
        landing = fetched(made, tmp_path_factory.mktemp("home"))
    rows, _ = read(made, landing, engine, service_request_id="string public", status="string public")

    assert {str(h) for h in hours} == set(last_of_each(rows))


def test_more_requests_in_a_minute_than_a_server_without_pages_gives_are_told(tmp_path):
    same = [request(i, 2) for i in range(9)]
    with serving(Server311(same, cap=3, has_pages=False)) as server, pytest.raises(Refused) as refused:
        fetched(open311(server.url, cut_at=2), tmp_path)

    assert ["D138"] == [p.code for p in refused.value.problems]


def test_windows_that_are_long_over_are_not_asked_for_again_and_late_changes_are_seen(tmp_path, engine):
    server311 = Server311([request(1, 300), request(2, 10)])
    with serving(server311) as server:
        made = open311(server.url, days=310)
        before = fetched(made, tmp_path).landed()
        asked = len(server311.asked)
        server311.requests[1] = request(2, 10, "closed")
        landing = fetched(made, tmp_path)
    rows, _ = read(made, landing, engine, service_request_id="string public", status="string public")

    assert {"1": "open", "2": "closed"} == last_of_each(rows)
    assert before[0] == landing.landed()[0]
    assert len(server311.asked) - asked < asked / 2


def test_what_has_not_changed_is_the_same_deliveries(tmp_path):
    with serving(Server311([request(i, i) for i in range(1, 40)])) as server:
        before = [f.sha256 for f in fetched(open311(server.url), tmp_path).landed()]
        after = [f.sha256 for f in fetched(open311(server.url), tmp_path).landed()]

    assert before == after


def test_only_what_changed_is_fetched_where_the_server_knows_what_changed(tmp_path, engine):
    server311 = Server311([request(i, i) for i in range(1, 40)])
    with serving(server311) as server:
        made = open311(server.url, updated=True)
        before = fetched(made, tmp_path).landed()
        assert before == fetched(made, tmp_path).landed()
        server311.requests[30] = request(31, 31, "closed", NOW)
        landing = fetched(made, tmp_path)
    rows, _ = read(made, landing, engine, service_request_id="string public", status="string public")

    assert (True, before) == (made.revises, landing.landed()[: len(before)])
    assert "closed" == last_of_each(rows)["31"]


def test_a_change_at_a_time_to_come_hides_no_later_one(tmp_path, engine):
    server311 = Server311([request(1, 3, updated=NOW + timedelta(days=900)), request(2, 2)])
    with serving(server311) as server:
        made = open311(server.url, updated=True)
        fetched(made, tmp_path)
        again = fetched(made, tmp_path).landed()
        assert again == fetched(made, tmp_path).landed()
        server311.requests[1] = request(2, 2, "closed", NOW)
        rows, _ = read(
            made, fetched(made, tmp_path), engine, service_request_id="string public", status="string public"
        )

    assert "closed" == last_of_each(rows)["2"]


def test_a_clock_that_went_back_is_told_and_nothing_is_lost(tmp_path):
    with serving(Server311([request(1, 1)])) as server:
        landing = fetched(open311(server.url), tmp_path)
        ahead = (NOW + timedelta(days=3)).isoformat()
        landing.keep(landing.landed(), {**landing.manifest().state, "until": ahead})
        with pytest.raises(Refused) as refused:
            fetched(open311(server.url), tmp_path)

    assert ["D145"] == [p.code for p in refused.value.problems]
    assert Landing(landing.folder).is_whole()


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (as_json([{"code": 400, "description": "jurisdiction_id was not provided"}], 400), "D134"),
        (as_json({"error": "x"}), "D135"),
        (as_json([{"token": "abc"}]), "D139"),
        (Reply(b"<?xml version='1.0'?><service_requests/>"), "D135"),
    ],
)
def test_an_answer_that_is_no_requests_is_refused(tmp_path, reply, code):
    with serving(lambda _: reply) as server, pytest.raises(Refused) as refused:
        fetched(open311(server.url), tmp_path)

    assert [code] == [p.code for p in refused.value.problems]
