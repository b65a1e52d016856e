"""Limits: how much one request, one client and all of them together may ask of a server.

No address of a client is kept: a client is told from another by a keyed hash, whose key lives as long as the process.
"""

from __future__ import annotations

import asyncio
import hashlib
import ipaddress
import math
import secrets
import time
from collections import Counter, OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_CLIENTS = 50_000
"""Clients that are told apart at once; the one that was not seen for longest is forgotten first."""
LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]", "::1"})
_STILL = "/static/"
_CHEAP = (_STILL, "/health")
"""What is there at once, so that nothing has to be waited for: whoever watches the server must hear of it."""
SHORT_BYTES = 65_536
"""An answer that is whole by then is no download: pages of rows come in parts too."""


class Cut(OSError):  # noqa: N818  # what was decided, no fault
    """The rest of an answer is not sent: nobody takes it, or it was refused."""


@dataclass(frozen=True)
class Limits:
    """What a server lets itself be asked.

    Args:
        path_bytes: Longest path.
        query_bytes: Longest query.
        body_bytes: Largest body of a request.
        body_s: Seconds in which each part of a body has to come.
        answer_s: Seconds after which a request without an answer is given up (504), and a body without an end (408).
        stall_s: Seconds that a client may take none of an answer before it is cut off.
        stream_s: Seconds after which any answer is cut off.
        streams: Long answers at once.
        streams_each: Long answers at once to one client.
        at_once: Requests at once.
        at_once_each: Requests of one client that are worked on at once; its others wait for their turn.
        per_second: Requests a second that one client may send for long; None for any number.
        burst: Requests that one client may send at once before that counts.
        threads: Threads that make pages and read rows.
        hosts: Names under which the server may be asked, beside those of its own machine; empty for any.
    """

    path_bytes: int = 2_048
    query_bytes: int = 8_192
    body_bytes: int = 1_000_000
    body_s: float = 10.0
    answer_s: float = 30.0
    stall_s: float = 30.0
    stream_s: float = 3_600.0
    streams: int = 32
    streams_each: int = 8
    at_once: int = 512
    at_once_each: int = 8
    per_second: float | None = None
    burst: int = 240
    threads: int = 16
    hosts: tuple[str, ...] = ()


class Buckets:
    """One bucket of tokens for each client; a request takes one, and they come back with time.

    Args:
        per_second: Tokens that come back in a second.
        burst: Tokens that a full bucket holds.
        clock: Seconds, of a clock that never goes back.

    Example:
        >>> now = [0.0]
        >>> buckets = Buckets(per_second=1, burst=2, clock=lambda: now[0])
        >>> [buckets.wait_s(b"a") for _ in range(3)]
        [0.0, 0.0, 1.0]
        >>> now[0] = 1.0
        >>> buckets.wait_s(b"a")
        0.0
    """

    def __init__(self, *, per_second: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_second = per_second
        self._burst = burst
        self._clock = clock
        self._left: OrderedDict[bytes, tuple[float, float]] = OrderedDict()

    def wait_s(self, client: bytes) -> float:
        """Take a token. Returns 0, or the seconds until there is one again."""
        now = self._clock()
        left, at = self._left.pop(client, (float(self._burst), now))
        left = min(self._burst, left + (now - at) * self._per_second)
        wait = 0.0 if left >= 1 else (1 - left) / self._per_second
        self._left[client] = (left if wait else left - 1, now)
        if len(self._left) > MOST_CLIENTS:
            self._left.popitem(last=False)
        return wait


class Limited:
    """Holds an application to limits.

    Args:
        inner: The application.
        limits: The limits.
        clock: Seconds, of a clock that never goes back.
    """

    def __init__(self, inner: ASGIApp, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._inner = inner
        self._limits = limits
        self._clock = clock
        rate = limits.per_second
        self._buckets = Buckets(per_second=rate, burst=limits.burst, clock=clock) if rate else None
        self._key = secrets.token_bytes(32)
        self._at_once = 0
        self._streams: Counter[bytes] = Counter()
        self._given_up: set[asyncio.Future[None]] = set()
        self._turns: WeakValueDictionary[bytes, asyncio.Semaphore] = WeakValueDictionary()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or refuse it."""
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        client = _client(scope, self._key)
        refusal = self._refusal(scope, client)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        self._at_once += 1
        try:
            turn = await self._turn(client if not scope["path"].startswith(_CHEAP) else b"")
            if turn is None:
                busy = refused(503, "The server is busy", "Ask for less at once.", {"Retry-After": "5"})
                await busy(scope, receive, send)
                return
            await self._answer(scope, _Body(receive, self._limits), send, client, turn)
        finally:
            self._at_once -= 1

    async def _turn(self, client: bytes) -> _Turn | None:
        """The turn of a request, once it comes; None when it does not. One client cannot take all threads."""
        if not client:
            return _Turn(None)
        each = self._turns.get(client)
        if each is None:
            each = self._turns[client] = asyncio.Semaphore(self._limits.at_once_each)
        try:
            async with asyncio.timeout(self._limits.answer_s):
                await each.acquire()
        except TimeoutError:
            return None
        return _Turn(each)

    def _refusal(self, scope: Scope, client: bytes) -> JSONResponse | None:
        limits, headers = self._limits, Headers(scope=scope)
        if len(scope.get("raw_path") or scope["path"].encode()) > limits.path_bytes:
            return refused(414, "The address is too long", f"A path may have {limits.path_bytes:,} bytes.")
        if len(scope.get("query_string", b"")) > limits.query_bytes:
            return refused(414, "The address is too long", f"A query may have {limits.query_bytes:,} bytes.")
        if not _is_known(headers.get("host", ""), limits.hosts):
            return refused(421, "This server does not answer for that name", "Ask it under its own name.")
        length = headers.get("content-length", "0")
        if length.isdigit() and int(length) > limits.body_bytes:
            return refused(413, "The request is too large", f"A body may have {limits.body_bytes:,} bytes.")
        if self._at_once >= limits.at_once:
            return refused(503, "The server is busy", "Ask again in a few seconds.", {"Retry-After": "5"})
        wait = self._buckets.wait_s(client) if self._buckets and client else 0.0
        if wait:
            after = {"Retry-After": str(math.ceil(wait))}
            return refused(429, "Too many requests", f"Ask again in {math.ceil(wait)} s.", after)
        return None

    async def _answer(self, scope: Scope, receive: Receive, send: Send, client: bytes, turn: _Turn) -> None:
        answer = _Answer(scope, send, self._limits, self._clock, lambda: self._may_stream(client))
        task = asyncio.ensure_future(self._inner(scope, receive, answer.send))
        # Also of what was given up: its thread works on.
        task.add_done_callback(turn.end)
        try:
            begun = asyncio.ensure_future(answer.begun.wait())
            try:
                await asyncio.wait({task, begun}, timeout=self._limits.answer_s, return_when=asyncio.FIRST_COMPLETED)
            finally:
                begun.cancel()
            if not task.done() and not answer.begun.is_set():
                answer.is_cut = True
                self._given_up.add(task)
                task.add_done_callback(self._forget)
                await refused(504, "It took too long", "Ask for less, or again later.")(scope, receive, send)
                return
            turn.end()
            try:
                await task
            except (OSError, ClientDisconnect):
                if not answer.is_cut:
                    raise
        finally:
            if task.done() and not answer.begun.is_set() and not task.cancelled() and task.exception():
                # Also where the page that says so is broken: nobody is left without an answer.
                await refused(500, "Something went wrong here", "Please try again later.")(scope, receive, send)
            if not task.done() and task not in self._given_up:
                task.cancel()
            if answer.is_stream:
                self._streams[client] -= 1
                self._streams += Counter()  # keeps only those that have some

    def _may_stream(self, client: bytes) -> bool:
        many = self._streams.total() >= self._limits.streams
        if many or (client and self._streams[client] >= self._limits.streams_each):
            return False
        self._streams[client] += 1
        return True

    def _forget(self, done: asyncio.Future[None]) -> None:
        self._given_up.discard(done)
        if not done.cancelled():
            done.exception()  # nobody waits for it any more


class _Turn:
    """The turn of one request among those of its client."""

    def __init__(self, of: asyncio.Semaphore | None) -> None:
        self._of = of

    def end(self, _: object = None) -> None:
        """Let the next one come; once."""
        of, self._of = self._of, None
        if of is not None:
            of.release()


class _Answer:
    """One answer on its way out: begun, cut off, or one of the long ones."""

    def __init__(
        self, scope: Scope, send: Send, limits: Limits, clock: Callable[[], float], may_stream: Callable[[], bool]
    ) -> None:
        self.begun = asyncio.Event()
        self.is_cut = False
        self.is_stream = False
        self._scope = scope
        self._send = send
        self._limits = limits
        self._clock = clock
        self._may_stream = may_stream
        self._start: Message | None = None
        self._waiting: list[Message] = []
        self._bytes = 0
        self._until = clock() + limits.stream_s

    async def send(self, message: Message) -> None:
        """Pass a part of the answer on. The start waits until it is known whether it is a long one."""
        if self.is_cut:
            raise Cut("the answer was cut off")
        if message["type"] == "http.response.start":
            self._start = message
            return
        if self._scope["method"] == "HEAD":
            await self._head(message)
            return
        if self._clock() > self._until:
            self.is_cut = True
            raise Cut("the answer took too long")
        if self._start is not None:
            self._waiting.append(message)
            self._bytes += len(message.get("body", b""))
            has_more = bool(message.get("more_body"))
            if has_more and self._bytes < SHORT_BYTES:
                return
            start, self._start = self._start, None
            if has_more and not self._scope["path"].startswith(_STILL):
                self.is_stream = self._may_stream()
                if not self.is_stream:
                    await self._refuse()
            await self._out(start)
            for each in self._waiting:
                await self._out(each)
            self._waiting.clear()
            return
        await self._out(message)

    async def _head(self, message: Message) -> None:
        if self._start is None:
            return
        start, self._start = self._start, None
        await self._out(start)
        await self._out({"type": "http.response.body", "body": b""})
        if message.get("more_body"):
            self.is_cut = True
            raise Cut("only the head was asked for")

    async def _refuse(self) -> None:
        busy = refused(503, "Too many downloads at once", "Ask again in a minute.", {"Retry-After": "60"})
        await self._out({"type": "http.response.start", "status": busy.status_code, "headers": busy.raw_headers})
        await self._out({"type": "http.response.body", "body": busy.body})
        self.is_cut = True
        raise Cut("there are too many long answers")

    async def _out(self, message: Message) -> None:
        self.begun.set()
        try:
            async with asyncio.timeout(self._limits.stall_s):
                await self._send(message)
        except TimeoutError:
            self.is_cut = True
            raise Cut("nobody takes the answer") from None


class _Body:
    """The body of a request as it comes, which may be neither too large nor too slow."""

    def __init__(self, receive: Receive, limits: Limits) -> None:
        self._receive = receive
        self._limits = limits
        self._bytes = 0
        self._is_whole = False
        self._until = asyncio.get_running_loop().time() + limits.answer_s

    async def __call__(self) -> Message:
        if self._is_whole:
            return await self._receive()
        try:
            async with asyncio.timeout_at(min(asyncio.get_running_loop().time() + self._limits.body_s, self._until)):
                message = await self._receive()
        except TimeoutError:
            raise HTTPException(408, "The request came too slowly.") from None
        self._bytes += len(message.get("body", b""))
        self._is_whole = not message.get("more_body", False)
        if self._bytes > self._limits.body_bytes:
            raise HTTPException(413, f"A body may have {self._limits.body_bytes:,} bytes.")
        return message


def refused(status: int, title: str, detail: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """A refusal as programs read it (RFC 9457), which a person can read too."""
    told = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    kept = {"Cache-Control": "no-store", **(headers or {})}
    return JSONResponse(told, status, headers=kept, media_type="application/problem+json")


def _client(scope: Scope, key: bytes) -> bytes:
    """What tells one client from another while this process lives; empty when it is not known."""
    host = (scope.get("client") or ("",))[0]
    if not host:
        return b""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        told = host.encode()
    else:
        # One household has a whole /64 of IPv6.
        told = address.packed[:8] if address.version == 6 else address.packed
    return hashlib.blake2b(told, key=key, digest_size=12).digest()


def _is_known(host: str, hosts: tuple[str, ...]) -> bool:
    if not hosts:
        return True
    name = host.lower().rpartition(":")[0] if ":" in host and not host.endswith("]") else host.lower()
    return name in LOOPBACK or name in hosts
