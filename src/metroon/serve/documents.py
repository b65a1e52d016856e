"""Documents that doors answer with: known by their hash, so that nothing is sent twice, in the language asked for."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any, TypeVar

from starlette.responses import Response

from metroon.serve.answer import is_known

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from starlette.requests import Request

    from metroon.serve.site import Site
    from metroon.serve.words import Words

T = TypeVar("T")


def document(
    request: Request,
    body: str | bytes,
    *,
    media: str,
    modified: datetime | None = None,
    known_by: bytes | None = None,
) -> Response:
    """The answer with a document, or 304 when the asker has it already.

    Args:
        request: Who asks.
        body: The document.
        media: Its media type.
        modified: When it last changed; never the time of asking.
        known_by: What tells whether it changed, when parts of it, such as the time of asking, do not.
    """
    content = body.encode() if isinstance(body, str) else body
    weak, told_by = ("", content) if known_by is None else ("W/", known_by)
    tag = f'{weak}"{hashlib.sha256(told_by).hexdigest()[:32]}"'
    told = {"ETag": tag, "Cache-Control": "public, max-age=0, must-revalidate"}
    if modified is not None:
        told["Last-Modified"] = format_datetime(modified.astimezone(UTC), usegmt=True)
    if is_known(request, tag):
        return Response(status_code=304, headers=told)
    if request.method == "HEAD":
        return Response(headers={**told, "Content-Length": str(len(content))}, media_type=media)
    return Response(content, headers=told, media_type=media)


def as_json(told: Any) -> bytes:
    """A document as JSON: the same value always gives the same bytes, and every number in it is one."""
    return json.dumps(told, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def kept(site: Site, key: tuple[str, ...], address: str, make: Callable[[], T]) -> T:
    """What is made once for the address that the city declared; other addresses may be anybody's invention."""
    is_own = address == site.catalog.portal.address.rstrip("/")
    return site.once((*key, address), make) if is_own else make()


def words_of(request: Request, site: Site) -> Words:
    """The language asked for by ``?lang=`` or in front of the path; the city's own where it is not spoken."""
    asked = request.query_params.get("lang") or request.scope.get("language") or ""
    return site.words.get(asked, site.words[site.default])
