"""``kind: socrata``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pydantic import Field, field_validator

from metroon.collect.web import ApiSource, Found, Page, check_columns, columns, settle, snapshot, web_address

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from metroon.collect.client import Answer, Client
    from metroon.collect.landing import Landed, Landing

_SYSTEM = ("id", "created_at", "updated_at", "version")


class Socrata(ApiSource):
    """A dataset of a Socrata portal (Tyler Data & Insights), over its SODA API.

    Rows are asked for in the order of their ids, and their number is compared with what the portal counts before and
    after; pages that repeat, shrink or leave rows out are fetched again from the start, and refused the second time.
    Nothing is fetched when neither the count nor the newest change differs from last time.
    Every row has ``:id``, ``:created_at`` and ``:updated_at`` too; a point gives ``NAME.longitude`` and
    ``NAME.latitude``.

    Source:
        SODA 2.1: https://dev.socrata.com/docs/queries/ and https://dev.socrata.com/docs/system-fields.html
    """

    domain: str = Field(examples=["data.example.org"])
    """The portal's host, such as data.ourcity.gov."""
    dataset: str = Field(pattern=r"^[a-z0-9]{4}-[a-z0-9]{4}$", examples=["abcd-1234"])
    """The dataset's id, the last part of its address."""
    where: str | None = None
    """Which rows, as a condition in SoQL; all unless given."""
    increments: bool = False
    """Fetch only rows that are new or changed since last time; all of them when rows were taken away."""
    page_rows: int = Field(10_000, ge=1, le=50_000)
    """Rows of one page."""

    @field_validator("domain")
    @classmethod
    def _host(cls, given: str) -> str:
        web_address(_site(given))
        return given

    @property
    def revises(self) -> bool:
        """Increments bring changed rows again."""
        return self.increments

    def found(self, page: Any, told: Mapping[str, str]) -> Found:
        """The rows of one page."""
        return Found(list(page), tuple(told))

    def fetch(self, landing: Landing) -> None:
        """Fetch every row, or those that changed.

        Raises:
            Refused: The pages do not add up, or cannot be had; what was landed before stays.
        """
        with self.client(landing, "X-App-Token") as client:
            state = self._state(client)
            before = landing.manifest()
            is_whole = landing.is_whole() and before.state.get("of") == state["of"]
            same = ("of", "count", "newest", "columns")
            if is_whole and before.files and all(before.state.get(k) == state[k] for k in same):
                settle(landing, list(before.files), before.state)
                return
            is_same_table = before.state.get("columns") == state["columns"]
            if self.increments and is_whole and is_same_table and before.state.get("newest"):
                made = self._changed(landing, client, state, before.state, before.files)
                if made is not None:
                    settle(landing, made, {**state, "batch": str(int(before.state["batch"]) + 1)})
                    return
            made = self._rows(landing, client, state, 1, self.where)
            settle(landing, made, {**state, "batch": "1"})

    def _rows(
        self, landing: Landing, client: Client, state: Mapping[str, str], batch: int, where: str | None
    ) -> list[Landed]:
        return snapshot(
            landing, client, self._url, lambda: self._pages_of(client, state, batch, where),
            lambda: self._counted(client, where)[0],
        )  # fmt: skip

    def _changed(
        self,
        landing: Landing,
        client: Client,
        state: Mapping[str, str],
        last: Mapping[str, str],
        files: tuple[Landed, ...],
    ) -> list[Landed] | None:
        """What was landed, and what changed since; None when rows were taken away, which no increment can tell."""
        since = f":updated_at >= '{last['newest']}'"
        where = f"({self.where}) and {since}" if self.where else since
        made = [*files, *self._rows(landing, client, state, int(last["batch"]) + 1, where)]
        ids = {row[":id"] for f in made for row in json.loads((landing.folder / f.file).read_bytes())}
        return made if len(ids) == int(state["count"]) else None

    def _pages_of(self, client: Client, state: Mapping[str, str], batch: int, where: str | None) -> Iterator[Page]:
        known = [*columns(state), *(f":{name}" for name in _SYSTEM)]
        query = {"$select": ":*,*", "$order": ":id", "$limit": str(self.page_rows), **_where(where)}
        offset, number = 0, 0
        while True:
            answer, rows = client.json(self._url, {**query, "$offset": str(offset)})
            if not isinstance(rows, list) or not all(isinstance(r, dict) and ":id" in r for r in rows):
                raise self._no_rows(client, answer)
            if not rows and number:
                return
            number += 1
            names = [n for n in dict.fromkeys(n for r in rows for n in r) if not n.startswith(":@")]
            check_columns(client, self._url, known, names)
            yield Page(answer, [r[":id"] for r in rows], f"{batch:04}-{number:06}")
            if not rows:
                return
            offset += len(rows)

    def _state(self, client: Client) -> dict[str, str]:
        answer, told = client.json(f"{_site(self.domain)}/api/views/{self.dataset}.json")
        given = told.get("columns") if isinstance(told, dict) else None
        if not isinstance(given, list) or not all(isinstance(c, dict) and c.get("fieldName") for c in given):
            raise self._no_rows(client, answer)
        named = {str(c["fieldName"]): str(c.get("dataTypeName", "")) for c in given}
        count, newest = self._counted(client, self.where)
        told_of = f"{self._url}?{self.where or ''}"
        return {"of": told_of, "count": str(count), "newest": newest, "columns": json.dumps(named)}

    def _counted(self, client: Client, where: str | None) -> tuple[int, str]:
        asked = {"$select": "count(*) as n, max(:updated_at) as newest", **_where(where)}
        answer, told = client.json(self._url, asked)
        try:
            row = told[0]  # type: ignore[index]  # what it is instead, is told below
            return int(row["n"]), str(row.get("newest", ""))
        except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError):
            raise self._no_rows(client, answer) from None

    def _no_rows(self, client: Client, answer: Answer) -> Exception:
        what = "an error" if answer.body.lstrip().startswith(b"{") else "something else"
        fix = "Check domain: and dataset: in product.yaml; the address of a chart or map is no dataset's."
        return client.refused("D135", answer.about.address, f"answers with {what} where rows were asked for.", fix)

    @property
    def _url(self) -> str:
        return f"{_site(self.domain)}/resource/{self.dataset}.json"


def _site(domain: str) -> str:
    return (domain if "://" in domain else f"https://{domain}").rstrip("/")


def _where(where: str | None) -> dict[str, str]:
    return {"$where": where} if where else {}
