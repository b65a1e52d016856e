"""Trouble: what a door answers when it cannot answer, as a problem document (RFC 9457) in plain words.

No trouble ever tells a value of a row, a path of the machine or what the engine said.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from metroon.base.engine import TooSlow
from metroon.base.errors import Refused
from metroon.permit import Gone, NotThere

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.types import Receive, Scope, Send

CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "ETag, Last-Modified, Link, Content-Disposition, Allow",
}
"""What everybody may read, everybody's page may read too."""

TROUBLES: Mapping[str, tuple[int, str, str]] = {
    "not-there": (404, "There is nothing here", "No dataset, measure or page of this name is published."),
    "no-version": (404, "There is no such version", "The dataset was never published under this number."),
    "version-gone": (410, "This version is gone", "Its rows were erased, as the law or a promise asked for."),
    "unknown-column": (400, "There is no such column", "A filter, an order or a selection names an unknown column."),
    "unknown-parameter": (400, "There is no such parameter", "The address asks for something that is not offered."),
    "wrong-value": (400, "A value does not fit", "A value is not of the type of its column or parameter."),
    "bad-cursor": (400, "The cursor does not fit", "It is broken, or belongs to another question."),
    "too-much": (400, "That is too much at once", "A limit or a list is longer than is allowed."),
    "no-shapes": (406, "It has no shapes", "Only datasets with shapes or points can be read as GeoJSON."),
    "not-acceptable": (406, "Not in this format", "None of the formats asked for is offered."),
    "wrong-method": (405, "It can only be read", "The address answers GET, HEAD and OPTIONS."),
    "too-slow": (503, "It took too long", "The question took more time than one question may."),
    "cannot-read": (503, "It cannot be read now", "The rows cannot be read at the moment."),
}
"""Slug -> status, title, and when it happens. The title of one slug never changes."""
PROBLEMS = "/api/v1/problems"
"""Where all of them are told."""


@dataclass
class Trouble(Exception):  # noqa: N818  # an answer, not a crash
    """A door cannot answer.

    Args:
        slug: Which trouble, a key of ``TROUBLES``.
        detail: What is wrong this time, in words.
        fix: What to ask instead. Never empty.
        parameter: The parameter at fault; empty when it is none.

    Example:
        >>> Trouble("unknown-column", "There is no column 'nome'.", "Did you mean 'name'?").status
        400
    """

    slug: str
    detail: str
    fix: str
    parameter: str = ""

    @property
    def status(self) -> int:
        """The HTTP status."""
        return TROUBLES[self.slug][0]

    @property
    def title(self) -> str:
        """What kind of trouble it is."""
        return TROUBLES[self.slug][1]

    def document(self) -> dict[str, object]:
        """The problem document."""
        told: dict[str, object] = {
            "type": f"{PROBLEMS}#{self.slug}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "fix": self.fix,
        }
        return {**told, "parameter": self.parameter} if self.parameter else told

    def response(self) -> Response:
        """The problem document as an answer."""
        body = json.dumps(self.document(), ensure_ascii=False)
        headers = {**CORS, "Cache-Control": "no-store"}
        if self.slug == "too-slow":
            headers["Retry-After"] = "60"
        return Response(body, self.status, headers, "application/problem+json")


def not_there() -> Trouble:
    """Nothing is there, or nothing for the asker: both look the same."""
    return Trouble("not-there", "Nothing of this name is published here.", "Look at /api/v1/datasets for what is.")


def gone() -> Trouble:
    """It was published, and was taken away for good."""
    fix = "Look at /api/v1/datasets for what is published now."
    return Trouble("version-gone", "This version was published, and the city has taken it away.", fix)


def trouble_of(error: NotThere | Refused | OSError) -> Trouble:
    """What an error of the gate or the engine is to the asker."""
    if isinstance(error, Gone):
        return gone()
    if isinstance(error, NotThere):
        return not_there()
    if isinstance(error, TooSlow):
        return Trouble("too-slow", "The question took too long.", "Ask for fewer rows, or fetch the whole file.")
    return Trouble(
        "cannot-read", "The rows cannot be read now.", "Try again later. If it stays so, tell the dataset's steward."
    )


def plain(trouble: Trouble) -> Response:
    """A trouble as the problem document that it is."""
    return trouble.response()


class Answer:
    """One address of a door, as an ASGI application: runs beside others, and turns trouble into an answer.

    Args:
        answer: What answers; it may raise a ``Trouble``, ``NotThere``, or what the engine raises.
        methods: What it answers besides HEAD and OPTIONS.
        told: How this door tells a trouble.
        limit_bytes: How long the body of a question may be.
    """

    def __init__(
        self,
        answer: Callable[[Request, bytes], Response],
        *,
        methods: tuple[str, ...] = ("GET",),
        told: Callable[[Trouble], Response] = plain,
        limit_bytes: int = 1_000_000,
    ) -> None:
        self.answer = answer
        self.methods = methods
        self.told = told
        self.limit_bytes = limit_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One question and its answer."""
        request = Request(scope, receive)
        response = await self._respond(request)
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        allowed = ", ".join((*self.methods, "HEAD", "OPTIONS"))
        if request.method == "OPTIONS":
            asked = {"Access-Control-Allow-Methods": allowed, "Access-Control-Allow-Headers": "*"}
            return Response(status_code=204, headers={**CORS, **asked, "Allow": allowed})
        if request.method not in (*self.methods, "HEAD"):
            response = self.told(Trouble("wrong-method", "This address can only be read.", f"Ask with {allowed}."))
            response.headers["Allow"] = allowed
            return response
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > self.limit_bytes:
                return self.told(Trouble("too-much", "The question is too long.", "Ask in fewer words."))
        return await run_in_threadpool(self._answered, request, body)

    def _answered(self, request: Request, body: bytes) -> Response:
        try:
            response = self.answer(request, body)
        except Trouble as trouble:
            response = self.told(trouble)
        except (NotThere, Refused, OSError) as error:
            response = self.told(trouble_of(error))
        response.headers.update(CORS)
        return response
