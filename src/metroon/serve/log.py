"""What a server writes down: one line of JSON for each request, without the words, the place or the name of who asks.

The line names the pattern of a route, such as ``/neighborhoods/{key}``, never the path; no query, no address and no
value of a row is in it. An error is told by its type and where it happened: its message may hold somebody's value.
"""

from __future__ import annotations

import json
import logging
import time
import traceback
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from starlette.datastructures import MutableHeaders

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

ACCESS = logging.getLogger("metroon.access")
ERRORS = logging.getLogger("metroon.errors")


class Logged:
    """Writes a line for each request of an application, and gives each an id of its own.

    Args:
        inner: The application.
    """

    def __init__(self, inner: ASGIApp) -> None:
        self._inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request and write its line."""
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        began, status, sent = time.perf_counter(), 0, 0
        name = scope["request_id"] = uuid.uuid4().hex[:16]

        async def told(message: Message) -> None:
            nonlocal status, sent
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = name
            sent += len(message.get("body", b""))
            await send(message)

        try:
            await self._inner(scope, receive, told)
        finally:
            line = {
                "id": name,
                "method": scope["method"],
                "route": pattern(scope),
                "language": scope.get("language", ""),
                "status": status,
                "ms": round((time.perf_counter() - began) * 1000, 1),
                "bytes": sent,
            }
            ACCESS.info("request", extra={"told": line})


def pattern(scope: Scope) -> str:
    """The pattern of the route that answered, never the path that was asked for."""
    return str(getattr(scope.get("route"), "path", "") or "none")


class Lines(logging.Formatter):
    """A record as one line of JSON; an exception as its type and the places it went through."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, Any] = {"time": at, "level": record.levelname.lower(), "event": record.getMessage()}
        line |= getattr(record, "told", {})
        if record.exc_info and record.exc_info[1] is not None:
            line |= failure(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False)


def failure(error: BaseException) -> dict[str, Any]:
    """An exception without its message, which may hold a value: its type, and file and line of its way."""
    frames = traceback.extract_tb(error.__traceback__)[-8:]
    return {"error": type(error).__name__, "at": [f"{_short(f.filename)}:{f.lineno}" for f in frames]}


def _short(file: str) -> str:
    return "/".join(file.split("/")[-3:])


def configuration(*, is_quiet: bool = False) -> dict[str, Any]:
    """What ``logging`` is told, for a server and for uvicorn alike.

    Args:
        is_quiet: Whether requests are left out.
    """
    level = "WARNING" if is_quiet else "INFO"
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": {"()": Lines}},
        "handlers": {"out": {"class": "logging.StreamHandler", "formatter": "lines", "stream": "ext://sys.stderr"}},
        "loggers": {
            "metroon": {"handlers": ["out"], "level": level, "propagate": False},
            "uvicorn": {"handlers": ["out"], "level": level, "propagate": False},
            # Its own line would hold the address of who asks, and what for.
            "uvicorn.access": {"handlers": [], "level": "CRITICAL", "propagate": False},
        },
    }
