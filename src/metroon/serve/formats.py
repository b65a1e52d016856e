"""Formats: rows of a dataset or of a page as a file to keep, with its name, version, explanation and licence.

When reading fails after the first bytes have left, the answer breaks off, so that nobody takes a part for the whole.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote

from starlette.responses import Response, StreamingResponse

from metroon import __version__
from metroon.base.catalog import Rows
from metroon.base.errors import Refused
from metroon.serve.encoders import (
    arrow_bytes,
    csv_bytes,
    geojson_bytes,
    json_bytes,
    ndjson_bytes,
    parquet_bytes,
    shapes,
    stream,
)
from metroon.serve.query import Query
from metroon.serve.trouble import Trouble, trouble_of
from metroon.serve.workbook import Beside, xlsx_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from starlette.types import Receive, Scope, Send

    from metroon.base.catalog import Catalog, Dataset
    from metroon.serve.page import Sheet

MEDIA: Mapping[str, str] = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "ndjson": "application/x-ndjson",
    "parquet": "application/vnd.apache.parquet",
    "arrow": "application/vnd.apache.arrow.stream",
    "geojson": "application/geo+json",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
"""Ending -> media type, of every format there is."""


class Asking(Protocol):
    """What of a request for data matters here; ``Asked`` has it."""

    @property
    def catalog(self) -> Catalog:
        """What the asker may see."""

    @property
    def address(self) -> str:
        """The portal's own address, without a slash at its end."""

    @property
    def path(self) -> str:
        """The path asked for."""

    @property
    def query(self) -> Mapping[str, str]:
        """The query parameters."""


@dataclass(frozen=True)
class Wanted:
    """What a door asks for; the same as ``Asking``."""

    catalog: Catalog
    address: str
    path: str
    query: Mapping[str, str]


def beside_of(asked: Asking, data: Rows | Sheet, query: Query) -> Beside:
    """What a workbook says beside its rows."""
    catalog = asked.catalog
    caveats = [("Invented", "The city and its people are invented.")] if catalog.is_invented else []
    if not isinstance(data, Rows):
        told = (
            ("Title", data.title),
            ("Source", data.source),
            ("City", catalog.city),
            ("Address", asked.address + asked.path),
        )
        return Beside(data.title, data.columns, tuple(caveats), told, catalog.as_of)
    dataset, edition = data.dataset, data.edition
    if query != Query():
        caveats.append(("Selection", f"Only what the query in the address asks for is here, of {data.total:,} rows."))
    caveats += [
        ("Known gap", dataset.gap),
        ("Limitations", dataset.limitations),
        ("Who could be hurt", dataset.harm_notes),
    ]
    if dataset.minimum_cell:
        caveats.append(("Small groups", f"Groups of fewer than {dataset.minimum_cell} people are hidden."))
    citation = (
        ("Citation", cited(catalog, data, asked.address)),
        ("Address", f"{asked.address}{dataset.path}?version={edition.number}"),
        ("Version", str(edition.number)),
        ("As of", edition.as_of.isoformat()),
        ("Licence", dataset.licence.title or dataset.licence.id or "The city has declared no licence."),
    )
    return Beside(dataset.title, data.columns, tuple(c for c in caveats if c[1]), citation, edition.as_of)


def cited(catalog: Catalog, rows: Rows, address: str) -> str:
    """How to cite a version."""
    dataset, edition = rows.dataset, rows.edition
    where = f"{address}{dataset.path}?version={edition.number}"
    return f"{catalog.city}: {dataset.title}, version {edition.number}, as of {edition.as_of.isoformat()}. {where}"


SLICE_BYTES = 1 << 19
"""Bytes that are sent at once: what packs or sends them holds up nobody else for long."""


def _sliced(parts: Iterable[bytes]) -> Generator[bytes, None, None]:
    for part in parts:
        for at in range(0, len(part), SLICE_BYTES):
            yield part[at : at + SLICE_BYTES]


class Streamed(StreamingResponse):
    """A streamed answer that lets go of its query when its reader does."""

    def __init__(
        self, parts: Generator[bytes, None, None], close: Callable[[], None], headers: Mapping[str, str]
    ) -> None:
        super().__init__(_sliced(parts), headers=headers)
        self._parts, self._close = parts, close

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, bit by bit."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._parts.close()
            self._close()


def respond(
    asked: Asking,
    data: Rows | Sheet,
    ending: str,
    query: Query | None = None,
    *,
    is_head: bool = False,
    if_none_match: str = "",
) -> Response:
    """Rows of a dataset or of a page as a file that streams; ``?raw=1`` leaves the cells of a CSV as they are.

    Args:
        asked: Who asks, for what.
        data: The rows.
        ending: A key of ``MEDIA``.
        query: Which of the rows; all unless given. It does not touch a page's sheet.
        is_head: Whether only the headers are asked for.
        if_none_match: What the asker already has, as the header says it.

    Returns:
        The file, 304 when the asker has it already, or a problem document.
    """
    wanted = query or Query()
    try:
        head = headers(asked, data, ending, wanted)
        if is_known(head["ETag"], if_none_match):
            return Response(status_code=304, headers={k: v for k, v in head.items() if k != "Content-Disposition"})
        if is_head:
            return head_of({**head, "Content-Type": MEDIA[ending]})
        return _file(asked, data, ending, wanted, head)
    except Trouble as trouble:
        return trouble.response()
    except (Refused, OSError) as error:
        return trouble_of(error).response()


def _file(asked: Asking, data: Rows | Sheet, ending: str, query: Query, head: Mapping[str, str]) -> Response:
    chosen = query.select
    if ending == "geojson" and isinstance(data, Rows):
        geometry, point = shapes(data)
        if not geometry and not point:
            raise no_shapes()
        if chosen:
            query = replace(query, select=tuple(dict.fromkeys((*chosen, *([geometry] if geometry else point or ())))))
    rows = stream(data, query)
    if ending == "geojson" and not (rows.geometry or rows.point):
        raise no_shapes()
    writers: Mapping[str, Callable[[], Generator[bytes, None, None]]] = {
        "csv": lambda: csv_bytes(rows, is_raw=asked.query.get("raw") == "1"),
        "json": lambda: json_bytes(rows),
        "ndjson": lambda: ndjson_bytes(rows),
        "parquet": lambda: parquet_bytes(rows),
        "arrow": lambda: arrow_bytes(rows),
        "geojson": lambda: geojson_bytes(rows, name=_name(data), properties=chosen),
        "xlsx": lambda: xlsx_bytes(rows, beside_of(asked, data, query)),
    }
    return Streamed(writers[ending](), rows.close, {**head, "Content-Type": MEDIA[ending]})


def head_of(head: Mapping[str, str]) -> Response:
    """An answer to HEAD: what stands above a file whose length nobody knows before it is written."""
    response = Response(headers=head)
    del response.headers["Content-Length"]
    return response


def no_shapes() -> Trouble:
    """It has neither shapes nor points."""
    return Trouble("no-shapes", "This dataset has no shapes and no points.", "Ask for csv, json or parquet instead.")


def _name(data: Rows | Sheet) -> str:
    return data.dataset.name if isinstance(data, Rows) else data.name


def headers(asked: Asking, data: Rows | Sheet, ending: str, query: Query) -> dict[str, str]:
    """What stands above a file: what it is called, which version it is, where it is explained, its licence."""
    raw = asked.query.get("raw", "")
    identity = asked.catalog.identity if ending == "xlsx" or not isinstance(data, Rows) else ""
    told: list[object] = [
        _name(data),
        ending,
        raw,
        query.fingerprint(),
        query.limit,
        query.offset,
        identity,
        __version__,
    ]
    if not isinstance(data, Rows):
        told += [asked.path, sorted(asked.query.items())]
        name = f"{data.name}-{asked.catalog.as_of.isoformat()}.{ending}"
        return {"ETag": _tag(told), "Content-Disposition": f'attachment; filename="{name}"',
                "Last-Modified": _http_date(asked.catalog.made_at)}  # fmt: skip
    dataset, edition = data.dataset, data.edition
    told += [edition.number, edition.sha256, [c.name for c in data.columns]]
    part = "" if query == Query() else "-part"
    return {
        "ETag": _tag(told),
        "Last-Modified": _http_date(edition.made_at),
        "Content-Disposition": f'attachment; filename="{dataset.name}-v{edition.number}{part}.{ending}"',
        "Link": links(asked.address, dataset),
        "Metroon-Version": str(edition.number),
    }


def links(address: str, dataset: Dataset) -> str:
    """Where a dataset is explained, and its licence, as a Link header."""
    found = [f'<{quote(address + dataset.path, safe=":/?=&%")}>; rel="describedby"; type="text/html"']
    if dataset.licence.url:
        found.append(f'<{quote(dataset.licence.url, safe=":/?=&%#")}>; rel="license"')
    return ", ".join(found)


def _tag(told: list[object]) -> str:
    return f'W/"{hashlib.sha256(json.dumps(told, default=str).encode()).hexdigest()[:24]}"'


def _http_date(at: datetime) -> str:
    return format_datetime(at.astimezone(UTC), usegmt=True)


def is_known(tag: str, if_none_match: str) -> bool:
    """Whether the asker already has what a tag stands for.

    Example:
        >>> is_known('W/"a"', '"b", "a"'), is_known('W/"a"', "*"), is_known('W/"a"', "")
        (True, True, False)
    """
    given = [t.strip().removeprefix("W/") for t in if_none_match.split(",")]
    return "*" in given or tag.removeprefix("W/") in given
