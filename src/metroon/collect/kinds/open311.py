"""``kind: open311``."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pydantic import Field, field_validator

from metroon.base.errors import Refused
from metroon.collect.web import ApiSource, Found, Unsettled, settle, web_address

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from metroon.collect.client import Answer, Client
    from metroon.collect.landing import Landed, Landing

_ID = "service_request_id"
# GeoReport v2, GET service requests.
_FIELDS = (
    _ID, "status", "status_notes", "service_name", "service_code", "description", "agency_responsible",
    "service_notice", "requested_datetime", "updated_datetime", "expected_datetime", "address", "address_id",
    "zipcode", "lat", "long", "media_url",
)  # fmt: skip
_SHORTEST = timedelta(minutes=1)
_CLOCK = timedelta(hours=1)


class Open311(ApiSource):
    """Service requests of a city's 311, over Open311 GeoReport v2.

    Requests are asked for in windows of days, page by page; where a server has no pages, windows are halved until no
    answer can have been cut. Windows that are over stay as they were landed, but those of the last days are asked for
    again, because requests change. Of rows with one id the last that came counts.

    Source:
        GeoReport v2: https://wiki.open311.org/GeoReport_v2/
    """

    url: str = Field(examples=["https://311.example.org/open311/v2"])
    """The server's address, to which /requests.json is added."""
    since: date = Field(examples=["2026-01-01"])
    """The first day of requests that is asked for."""
    jurisdiction: str | None = None
    """The jurisdiction_id, where the server serves several cities."""
    window_days: int = Field(30, ge=1, le=90)
    """Days of one window; GeoReport v2 gives at most 90."""
    again_days: int = Field(90, ge=1)
    """Requests that came in the last days are asked for again, because they change."""
    updated: bool = False
    """The server knows updated_after: fetch only what changed since last time, of whatever day."""
    page_rows: int = Field(500, ge=1, le=1_000)
    """Requests of one page; a server may give fewer."""

    cut_at: int = Field(50, ge=2, le=1_000)
    """Fewest requests at which a server without pages may cut its answer: smaller answers are taken for whole."""

    @field_validator("url")
    @classmethod
    def _address(cls, given: str) -> str:
        return web_address(given).removesuffix("/requests.json").rstrip("/")

    @property
    def revises(self) -> bool:
        """Requests come again when they change."""
        return True

    def found(self, page: Any, told: Mapping[str, str]) -> Found:
        """The requests of one page."""
        return Found(list(page), _FIELDS)

    def fetch(self, landing: Landing) -> None:
        """Fetch the windows that may have changed, or what changed.

        Raises:
            Refused: A window cannot be had whole; what was landed before stays.
        """
        before = landing.manifest()
        of = f"{self.url} {self.jurisdiction or ''} {self.since} {self.window_days} {self.updated}"
        is_same = before.state.get("of") == of and landing.is_whole()
        known, state = (before.files, dict(before.state)) if is_same else ((), {})
        until = datetime.now(UTC).replace(microsecond=0)
        last = datetime.fromisoformat(state["until"]) if state else None
        if last is not None and until + _CLOCK < last:
            what = "this machine's clock is behind the last fetch: nobody can tell which requests are new."
            raise Refused([landing.problem("D145", what, "Set the clock of this machine, then run it again.")])
        with self.client(landing, "Authorization", "Bearer {}") as client:
            asking = _Asking(self, client, landing)
            if self.updated and state.get("newest"):
                made = asking.changed(known, state)
            else:
                made = asking.windows(known, last, until)
            # A time to come is a slip: asked for by it, nothing would ever be new again.
            known_by = [t for t in asking.updated if t <= (until + _CLOCK).isoformat()]
            newest = max([*known_by, state.get("newest", "")])
        settle(landing, made, {"of": of, "until": until.isoformat(), "newest": newest})


@dataclass
class _Window:
    """Pages of some time, and the ids of the requests in them."""

    answers: list[Answer]
    ids: set[str]
    has_pages: bool = True


class _Asking:
    """Asks one server for one product."""

    def __init__(self, source: Open311, client: Client, landing: Landing) -> None:
        self._source = source
        self._client = client
        self._landing = landing
        self._url = f"{source.url}/requests.json"
        self._largest = 0
        self.updated: list[str] = []

    def windows(self, known: tuple[Landed, ...], last: datetime | None, until: datetime) -> list[Landed]:
        """Every window up to now: as it was landed, where it has long been over, else asked for again."""
        made: list[Landed] = []
        start = datetime(self._source.since.year, self._source.since.month, self._source.since.day, tzinfo=UTC)
        if start > until:
            raise self._refused("D145", "is asked for requests of days to come.", "Correct since: in product.yaml.")
        while start <= until:
            end = start + timedelta(days=self._source.window_days)
            stem = f"1-{start:%Y%m%d}"
            is_over = last is not None and end + timedelta(days=self._source.again_days) <= last
            landed = [f for f in known if f.file.startswith(f"{stem}-")]
            made += landed if is_over else self._land(stem, self._settled(start, min(end, until)))
            start = end
        return made

    def changed(self, known: tuple[Landed, ...], state: Mapping[str, str]) -> list[Landed]:
        """What was landed before, and what changed since."""
        newest = datetime.fromisoformat(state["newest"])
        window = self._paged({"updated_after": _shown(newest)})
        if not window.has_pages:
            raise self._refused("D138", "has no pages of what changed.", "Write updated: false in product.yaml.")
        hashes = {hashlib.sha256(a.body).hexdigest() for a in window.answers}
        if max(self.updated, default="") <= state["newest"] or hashes <= {f.sha256 for f in known}:
            return list(known)
        batch = 1 + max((int(f.file.split("-")[1]) for f in known if f.file.startswith("2-")), default=0)
        return [*known, *self._land(f"2-{batch:06}", window.answers)]

    def _land(self, stem: str, answers: list[Answer]) -> list[Landed]:
        return [self._landing.add(f"{stem}-{n:06}", "json", a.body, a.about) for n, a in enumerate(answers, start=1)]

    def _settled(self, start: datetime, end: datetime) -> list[Answer]:
        for last_try in (False, True):
            try:
                return self._window(start, end)
            except Unsettled as fault:
                if last_try:
                    fix = "They may have changed meanwhile: run it again later, or ask who runs the server."
                    raise self._refused("D138", f"gives pages that do not add up: {fault}.", fix) from None
        raise ValueError("a window is tried at least once")

    def _window(self, start: datetime, end: datetime) -> list[Answer]:
        window = self._paged({"start_date": _shown(start), "end_date": _shown(end)})
        return window.answers if window.has_pages else self._halved(start, end, window)

    def _halved(self, start: datetime, end: datetime, whole: _Window) -> list[Answer]:
        """What a server without pages has in a window: asked for in halves for as long as an answer may be cut."""
        # An answer smaller than another one of the same server was not cut.
        if len(whole.ids) < max(self._source.cut_at, self._largest):
            return whole.answers
        middle = start + (end - start) / 2
        if end - start <= _SHORTEST:
            fix = "Ask who runs the server to serve pages."
            raise self._refused("D138", "has no pages, and a single minute has more requests than it gives.", fix)
        halves = [(start, middle), (middle, end)]
        parts = [(a, b, self._paged({"start_date": _shown(a), "end_date": _shown(b)})) for a, b in halves]
        return [answer for a, b, part in parts for answer in self._halved(a, b, part)]

    def _paged(self, query: Mapping[str, str]) -> _Window:
        """The pages of one question, until one is empty; a server without pages gives the first again and again."""
        window = _Window([], set())
        first: list[str] = []
        for number, (answer, ids) in enumerate(self._pages(query), start=1):
            if number == 1:
                first = ids
            elif ids and set(ids) <= window.ids:
                window.has_pages = number > 2
                self._largest = max(self._largest, len(window.ids))
                if not window.has_pages:
                    return window
                raise Unsettled("a page came again")
            if not ids and number > 1:
                break
            window.answers.append(answer)
            window.ids |= set(ids)
        if len(window.answers) > 1 and next(self._pages(query))[1] != first:
            raise Unsettled("the first page changed while the others were fetched")
        return window

    def _pages(self, query: Mapping[str, str]) -> Iterator[tuple[Answer, list[str]]]:
        own = {"jurisdiction_id": self._source.jurisdiction} if self._source.jurisdiction else {}
        number = 0
        while True:
            number += 1
            paged = {
                "page": str(number),
                "page_size": str(self._source.page_rows),
                "per_page": str(self._source.page_rows),
            }
            answer, told = self._client.json(self._url, {**own, **query, **paged})
            if not isinstance(told, list) or not all(isinstance(r, dict) for r in told):
                raise self._refused("D135", "answers with something else where requests were asked for.", _CHECK)
            if not all(r.get(_ID) for r in told):
                raise self._refused("D139", f"gives requests without {_ID}.", _CHECK)
            self.updated += [t for r in told if (t := _moment(r.get("updated_datetime")))]
            yield answer, [str(r[_ID]) for r in told]

    def _refused(self, code: str, why: str, fix: str) -> Refused:
        return self._client.refused(code, self._url, why, fix)


_CHECK = "Check url: and jurisdiction: in product.yaml by opening the address in a browser."


def _shown(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _moment(told: object) -> str:
    """A time in UTC, as texts that sort; empty when it is none, or does not say its zone."""
    try:
        moment = datetime.fromisoformat(str(told))
        return moment.astimezone(UTC).isoformat() if moment.tzinfo else ""
    except (ValueError, OverflowError):
        return ""
