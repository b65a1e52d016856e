"""``kind: ckan``."""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from pydantic import Field, field_validator

from metroon.collect.fetched import check_file, file_source, named
from metroon.collect.landing import Landing
from metroon.collect.web import (
    ApiSource,
    Found,
    Page,
    Unsettled,
    check_columns,
    columns,
    settle,
    snapshot,
    web_address,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from metroon.collect.client import Client
    from metroon.collect.landing import Manifest
    from metroon.collect.source import FileSource, Raw, Reading


class Ckan(ApiSource):
    """A resource of a CKAN portal: its rows in the DataStore, or else its file.

    Rows are asked for in the order of ``_id``, as many at a time as the portal gives (it cuts at 32,000), and their
    number is compared with ``total`` on every page; pages that do not add up are fetched again from the start, and
    refused the second time. A resource that is not in the DataStore is fetched as the file that it is.

    Source:
        CKAN DataStore API, datastore_search: https://docs.ckan.org/en/latest/maintaining/datastore.html
    """

    url: str = Field(examples=["https://data.example.org"])
    """The portal's address, such as https://data.ourcity.gov."""
    resource: str = Field(pattern=r"^[A-Za-z0-9_-]{1,100}$", examples=["65032067-580e-4167-9a5c-94fa8ac2d9a7"])
    """The id of the resource, not of the dataset; the last part of its address."""
    page_rows: int = Field(10_000, ge=1, le=32_000)
    """Rows of one page."""
    as_: dict[str, Any] | None = Field(None, alias="as")
    """How the file is read when the resource is not in the DataStore, such as {kind: csv}."""

    @field_validator("url")
    @classmethod
    def _address(cls, given: str) -> str:
        return web_address(given).rstrip("/")

    @field_validator("as_")
    @classmethod
    def _kind(cls, given: dict[str, Any] | None) -> dict[str, Any] | None:
        if given is not None:
            file_source(given)
        return given

    @cached_property
    def _source(self) -> FileSource:
        return file_source(self.as_ or {})

    def found(self, page: Any, told: Mapping[str, str]) -> Found:
        """The records of one page."""
        return Found(list(page["result"]["records"]), tuple(told))

    def files(self, data: Path, folder: Path) -> list[Path]:
        """The pages, or the file, that were landed."""
        return self._source.files(data, folder) if _is_file(Landing(data).manifest()) else super().files(data, folder)

    def read(self, reading: Reading) -> Raw:
        """Every record that was landed."""
        is_file = _is_file(Landing(reading.data).manifest())
        return self._source.read(reading) if is_file else super().read(reading)

    def headers(self, landing: Landing) -> list[str]:
        """The columns of what was landed."""
        if _is_file(landing.manifest()):
            return [name for file in landing.deliveries() for name in self._source.headers(file)]
        return super().headers(landing)

    def fetch(self, landing: Landing) -> None:
        """Fetch every row, or the file.

        Raises:
            Refused: The pages do not add up, or cannot be had; what was landed before stays.
        """
        with self.client(landing, "Authorization") as client:
            shown = self._asked(client, "resource_show", {"id": self.resource})
            if not shown.get("datastore_active"):
                self._fetch_file(landing, client, str(shown.get("url") or ""))
                return
            state = self._state(client)
            pages = snapshot(
                landing,
                client,
                self._action("datastore_search"),
                lambda: self._pages_of(client, columns(state)),
                lambda: int(self._searched(client, {"limit": "0"})["total"]),
            )
            settle(landing, pages, state)

    def _state(self, client: Client) -> dict[str, str]:
        told = self._searched(client, {"limit": "0"})
        named = {str(f["id"]): str(f.get("type", "")) for f in told["fields"]}
        return {"of": f"{self.url} {self.resource}", "columns": json.dumps(named)}

    def _pages_of(self, client: Client, known: Mapping[str, str]) -> Iterator[Page]:
        offset, total = 0, 0
        while True:
            query = {"limit": str(self.page_rows), "offset": str(offset), "sort": "_id asc"}
            answer, told = client.json(self._action("datastore_search"), {"resource_id": self.resource, **query})
            result = self._checked(client, told)
            rows = result["records"]
            if offset and result["total"] != total:
                raise Unsettled(f"the portal counts {total:,} records, and on a later page {result['total']:,}")
            total = result["total"]
            if not rows and offset:
                return
            check_columns(client, self._action("datastore_search"), known, dict.fromkeys(n for r in rows for n in r))
            if not all("_id" in r for r in rows):
                fix = "Write as: with the kind of its file, and ask who runs the portal."
                raise client.refused("D140", self.url, "gives rows without _id: nobody can tell them apart.", fix)
            yield Page(answer, [r["_id"] for r in rows])
            offset += len(rows)
            if not rows or offset >= total:
                return

    def _searched(self, client: Client, query: Mapping[str, str]) -> dict[str, Any]:
        _, told = client.json(self._action("datastore_search"), {"resource_id": self.resource, **query})
        return self._checked(client, told)

    def _checked(self, client: Client, told: object) -> dict[str, Any]:
        result = told.get("result") if isinstance(told, dict) and told.get("success") else None
        if isinstance(result, dict) and _is_page(result):
            return dict(result)
        fix = "Check url: and resource: in product.yaml, or run it again later."
        address = self._action("datastore_search")
        raise client.refused("D135", address, "answers with an error where rows were asked for.", fix)

    def _asked(self, client: Client, action: str, query: Mapping[str, str]) -> dict[str, Any]:
        _, told = client.json(self._action(action), query)
        result = told.get("result") if isinstance(told, dict) and told.get("success") else None
        if not isinstance(result, dict):
            fix = "Check url: and resource: in product.yaml; a dataset's id is no resource's."
            raise client.refused("D135", self._action(action), "answers with an error.", fix)
        return result

    def _fetch_file(self, landing: Landing, client: Client, url: str) -> None:
        if self.as_ is None:
            fix = "Write as: with the kind of its file, such as as: {kind: csv}, below collect: in product.yaml."
            raise client.refused("D140", self.url, f"has no rows of resource {self.resource}, only a file.", fix)
        address = urljoin(f"{self.url}/", url)
        told = landing.landed() if landing.is_whole() and _is_file(landing.manifest()) else ()
        before = next((f for f in told if f.address == address), None)
        ending = named(urlsplit(address).path, self.as_.get("kind", "csv"))[1]
        made = client.download(address, "file", ending, before=before)
        if made is not None:
            check_file(landing.folder / made.file, self._source, client.refused, address)
        settle(landing, [f for f in (made or before,) if f], {"of": address, "mode": "file"})

    def _action(self, name: str) -> str:
        return f"{self.url}/api/3/action/{name}"


def _is_page(result: Mapping[str, Any]) -> bool:
    records, fields = result.get("records"), result.get("fields")
    if not isinstance(records, list) or not isinstance(fields, list) or not isinstance(result.get("total"), int):
        return False
    return all(isinstance(r, dict) for r in records) and all(_is_field(f) for f in fields)


def _is_field(field: object) -> bool:
    return isinstance(field, dict) and isinstance(field.get("id"), str)


def _is_file(told: Manifest) -> bool:
    return told.state.get("mode") == "file"
