"""What every answer says to browsers: what they may load, keep and tell to others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.datastructures import MutableHeaders

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = (
    "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'; "
    "base-uri 'self'; form-action 'self'"
)
"""Nothing comes from another host, and no script stands in a page."""
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}
HSTS = "max-age=31536000"
"""Only behind https: a browser that once read it asks for nothing else for a year."""


class Secured:
    """Gives every answer the headers, where it has none of its own.

    Args:
        inner: The application.
        is_https: Whether residents come by https, so that browsers may be told to keep to it.
    """

    def __init__(self, inner: ASGIApp, *, is_https: bool = False) -> None:
        self._inner = inner
        self._headers = {**HEADERS, **({"Strict-Transport-Security": HSTS} if is_https else {})}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request with the headers."""
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return

        async def secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._inner(scope, receive, secured)
