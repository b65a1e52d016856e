"""What one request, one client and all of them together may ask."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import PlainTextResponse, StreamingResponse

from metroon.serve.limits import SHORT_BYTES, Buckets, Limited, Limits

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.types import ASGIApp, Message, Receive, Scope, Send


@dataclass
class Said:
    """What a client got."""

    messages: list[Message] = field(default_factory=list)

    @property
    def status(self) -> int:
        return next(m["status"] for m in self.messages if m["type"] == "http.response.start")

    @property
    def body(self) -> bytes:
        return b"".join(m.get("body", b"") for m in self.messages)

    def header(self, name: str) -> str:
        start = next(m for m in self.messages if m["type"] == "http.response.start")
        return dict(start["headers"]).get(name.encode(), b"").decode()


async def ask(
    of: ASGIApp,
    path: str = "/",
    *,
    method: str = "GET",
    query: bytes = b"",
    host: str = "127.0.0.1",
    client: str | None = "203.0.113.5",
    parts: list[bytes] | None = None,
    headers: dict[str, str] | None = None,
    on_send: Callable[[Message], Awaitable[None]] | None = None,
    is_slow: bool = False,
    said: Said | None = None,
) -> Said:
    said, waiting = said or Said(), list(parts or [b""])

    async def receive() -> Message:
        if not waiting or is_slow:
            await asyncio.sleep(60)
        body = waiting.pop(0)
        return {"type": "http.request", "body": body, "more_body": bool(waiting)}

    async def send(message: Message) -> None:
        if on_send:
            await on_send(message)
        said.messages.append(message)

    told = [(k.lower().encode(), v.encode()) for k, v in {"host": host, **(headers or {})}.items()]
    scope: dict[str, Any] = {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.4"}, "http_version": "1.1", "method": method,
        "scheme": "http", "path": path, "raw_path": path.encode(), "query_string": query, "root_path": "",
        "headers": told, "client": (client, 1) if client else None, "server": ("127.0.0.1", 80),
    }  # fmt: skip
    await of(scope, receive, send)
    return said


async def hello(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("hello")(scope, receive, send)


def limited(inner: ASGIApp = hello, **limits: Any) -> Limited:
    return Limited(inner, Limits(**limits))


def stream(parts: int, gate: asyncio.Event | None = None) -> ASGIApp:
    async def of(scope: Scope, receive: Receive, send: Send) -> None:
        async def body() -> AsyncIterator[bytes]:
            for _ in range(parts):
                yield b"p" * SHORT_BYTES
                if gate:
                    await gate.wait()

        await StreamingResponse(body())(scope, receive, send)

    return of


def test_a_long_query_is_refused_before_anything_is_read() -> None:
    said = asyncio.run(ask(limited(query_bytes=10), query=b"q=" + b"a" * 20))

    assert 414 == said.status
    assert "application/problem+json" == said.header("content-type")


def test_a_long_path_is_refused() -> None:
    assert 414 == asyncio.run(ask(limited(path_bytes=10), "/" + "a" * 20)).status


def test_a_body_that_says_it_is_too_large_is_refused() -> None:
    said = asyncio.run(ask(limited(body_bytes=10), method="POST", headers={"content-length": "11"}))

    assert 413 == said.status


def test_a_body_that_lies_about_its_length_is_cut() -> None:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.routing import Route

    async def read(request: Request) -> PlainTextResponse:
        return PlainTextResponse(str(len(await request.body())))

    inner = Starlette(routes=[Route("/", read, methods=["POST"])])
    said = asyncio.run(ask(limited(inner, body_bytes=10), method="POST", parts=[b"a" * 8, b"a" * 8]))

    assert 413 == said.status


def test_a_body_that_does_not_come_is_given_up() -> None:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.routing import Route

    async def read(request: Request) -> PlainTextResponse:
        return PlainTextResponse(str(len(await request.body())))

    inner = Starlette(routes=[Route("/", read, methods=["POST"])])
    said = asyncio.run(ask(limited(inner, body_s=0.01), method="POST", is_slow=True))

    assert 408 == said.status


def test_a_client_that_asks_too_often_is_told_when_to_ask_again() -> None:
    server = limited(per_second=1, burst=2)

    async def often() -> list[Said]:
        return [await ask(server) for _ in range(3)]

    said = asyncio.run(often())

    assert [200, 200, 429] == [s.status for s in said]
    assert 1 == int(said[-1].header("retry-after"))


def test_one_client_that_asks_too_often_does_not_stop_another() -> None:
    server = limited(per_second=1, burst=1)

    async def both() -> list[int]:
        return [(await ask(server, client=c)).status for c in ("203.0.113.5", "203.0.113.5", "203.0.113.6")]

    assert [200, 429, 200] == asyncio.run(both())


def test_one_household_of_ipv6_is_one_client() -> None:
    server = limited(per_second=1, burst=1)

    async def both() -> list[int]:
        return [
            (await ask(server, client=c)).status for c in ("2001:db8:1:2::1", "2001:db8:1:2::ffff", "2001:db8:1:3::1")
        ]

    assert [200, 429, 200] == asyncio.run(both())


def test_no_address_of_a_client_is_kept() -> None:
    server = limited(per_second=1, burst=1)
    asyncio.run(ask(server, client="203.0.113.5"))

    kept = repr(vars(server)) + repr(vars(server._buckets))

    assert "203.0.113.5" not in kept
    assert repr(bytes([203, 0, 113, 5])) not in kept


def test_the_same_client_has_another_hash_in_another_process() -> None:
    one, other = limited(per_second=1), limited(per_second=1)
    for server in (one, other):
        asyncio.run(ask(server))

    assert one._buckets is not None
    assert other._buckets is not None
    assert set(one._buckets._left) != set(other._buckets._left)


@given(st.lists(st.floats(0, 5), max_size=60), st.floats(0.5, 20), st.integers(1, 10))
def test_no_client_gets_more_than_its_burst_and_its_rate(waits: list[float], rate: float, burst: int) -> None:
    now = [0.0]
    buckets = Buckets(per_second=rate, burst=burst, clock=lambda: now[0])
    passed = 0
    for wait in waits:
        now[0] += wait
        passed += buckets.wait_s(b"a") == 0

    assert passed <= burst + rate * now[0] + 1e-6


def test_a_server_answers_only_for_its_own_names() -> None:
    server = limited(hosts=("data.example.gov",))

    async def three() -> list[int]:
        return [(await ask(server, host=h)).status for h in ("data.example.gov", "evil.example", "127.0.0.1:8000")]

    assert [200, 421, 200] == asyncio.run(three())


def test_an_answer_that_does_not_begin_is_given_up() -> None:
    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(30)

    assert 504 == asyncio.run(ask(limited(slow, answer_s=0.02))).status


def test_what_a_request_that_was_given_up_says_later_goes_nowhere() -> None:
    done = []

    async def late(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(0.05)
        try:
            await hello(scope, receive, send)
        except OSError:
            done.append("cut")

    async def both() -> Said:
        said = await ask(limited(late, answer_s=0.01))
        await asyncio.sleep(0.1)
        return said

    said = asyncio.run(both())

    assert (504, ["cut"]) == (said.status, done)
    assert b"hello" not in said.body


def test_more_long_answers_than_allowed_are_refused_and_come_back_when_one_ends() -> None:
    async def three() -> list[int]:
        gate = asyncio.Event()
        server = limited(stream(2, gate), streams=1)
        first = asyncio.ensure_future(ask(server))
        await asyncio.sleep(0.02)
        second = await ask(server)
        gate.set()
        return [(await first).status, second.status, (await ask(server)).status]

    assert [200, 503, 200] == asyncio.run(three())


def test_one_client_cannot_take_all_long_answers() -> None:
    async def two() -> list[int]:
        gate = asyncio.Event()
        server = limited(stream(2, gate), streams=10, streams_each=1)
        first = asyncio.ensure_future(ask(server))
        await asyncio.sleep(0.02)
        same, other = await ask(server), asyncio.ensure_future(ask(server, client="203.0.113.9"))
        await asyncio.sleep(0.02)
        gate.set()
        return [(await first).status, same.status, (await other).status]

    assert [200, 503, 200] == asyncio.run(two())


def test_an_answer_in_small_parts_is_no_long_one() -> None:
    async def of(scope: Scope, receive: Receive, send: Send) -> None:
        async def body() -> AsyncIterator[bytes]:
            for part in (b"a", b"b", b"c"):
                yield part

        await StreamingResponse(body())(scope, receive, send)

    said = asyncio.run(ask(limited(of, streams=0)))

    assert (200, b"abc") == (said.status, said.body)


def test_an_answer_that_fails_before_it_begins_is_told_so() -> None:
    async def of(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        raise RuntimeError("somebody's value")

    said = Said()

    async def both() -> None:
        with pytest.raises(RuntimeError):
            await ask(limited(of), said=said)

    asyncio.run(both())

    assert 500 == said.status
    assert b"somebody" not in said.body
    assert b"half" not in said.body


def test_a_client_that_takes_nothing_is_cut_off_and_holds_no_place() -> None:
    async def stall(message: Message) -> None:
        if message["type"] == "http.response.body":
            await asyncio.sleep(30)

    server = limited(stream(5), stall_s=0.02)
    said = asyncio.run(ask(server, on_send=stall))

    assert 200 == said.status
    assert (0, 0) == (server._at_once, server._streams.total())


def test_an_answer_that_never_ends_is_cut_off() -> None:
    now = [0.0]

    async def on_send(message: Message) -> None:
        now[0] += 10

    server = Limited(stream(1000), Limits(stream_s=60), clock=lambda: now[0])
    said = asyncio.run(ask(server, on_send=on_send))

    assert len(said.messages) < 20


def test_the_head_of_a_long_answer_does_not_make_its_body() -> None:
    made = []

    async def of(scope: Scope, receive: Receive, send: Send) -> None:
        async def body() -> AsyncIterator[bytes]:
            for i in range(1000):
                made.append(i)
                yield b"part"

        await StreamingResponse(body(), headers={"x": "y"})(scope, receive, send)

    said = asyncio.run(ask(limited(of), method="HEAD"))

    assert (200, b"", "y") == (said.status, said.body, said.header("x"))
    assert len(made) < 3


def test_one_client_waits_for_its_own_turn_and_nobody_waits_for_it() -> None:
    working: list[str] = []
    most: dict[str, int] = {}

    async def work(scope: Scope, receive: Receive, send: Send) -> None:
        who = scope["client"][0]
        working.append(who)
        most[who] = max(most.get(who, 0), working.count(who))
        await asyncio.sleep(0.01)
        working.remove(who)
        await hello(scope, receive, send)

    async def all_of_them() -> list[int]:
        server = limited(work, at_once_each=2)
        asked = [ask(server, client=c) for c in ["203.0.113.5"] * 9 + ["203.0.113.6"] * 3]
        said = [s.status for s in await asyncio.gather(*asked)]
        return [*said, len(server._turns)]

    assert [*[200] * 12, 0] == asyncio.run(all_of_them())
    assert {"203.0.113.5": 2, "203.0.113.6": 2} == most


def test_whether_the_server_lives_is_told_whoever_waits() -> None:
    async def both() -> list[int]:
        gate = asyncio.Event()

        async def wait(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["path"] == "/":
                await gate.wait()
            await hello(scope, receive, send)

        server = limited(wait, at_once_each=1)
        first = asyncio.ensure_future(ask(server))
        await asyncio.sleep(0.01)
        alive = (await ask(server, "/health/live")).status
        gate.set()
        return [alive, (await first).status]

    assert [200, 200] == asyncio.run(both())


def test_what_was_given_up_keeps_its_turn_until_it_ends() -> None:
    async def three() -> list[int]:
        gate = asyncio.Event()

        async def wait(scope: Scope, receive: Receive, send: Send) -> None:
            await gate.wait()
            await hello(scope, receive, send)

        server = limited(wait, at_once_each=1, answer_s=0.02)
        first, second = (await ask(server)).status, (await ask(server)).status
        gate.set()
        await asyncio.sleep(0.01)
        return [first, second, (await ask(server)).status]

    assert [504, 503, 200] == asyncio.run(three())


def test_a_body_that_trickles_is_given_up() -> None:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.routing import Route

    async def read(request: Request) -> PlainTextResponse:
        return PlainTextResponse(str(len(await request.body())))

    inner = Starlette(routes=[Route("/", read, methods=["POST"])])
    server = Limited(inner, Limits(body_s=0.03, answer_s=0.1))

    async def trickle() -> None:
        async def receive() -> Message:
            await asyncio.sleep(0.02)
            return {"type": "http.request", "body": b"a", "more_body": True}

        async def send(message: Message) -> None:
            pass

        scope: dict[str, Any] = {
            "type": "http", "method": "POST", "path": "/", "raw_path": b"/", "query_string": b"", "headers": [],
            "client": ("203.0.113.5", 1), "root_path": "", "http_version": "1.1", "scheme": "http",
        }  # fmt: skip
        await server(scope, receive, send)
        await asyncio.sleep(0.05)

    asyncio.run(trickle())

    assert not server._given_up


def test_when_all_places_are_taken_the_next_is_told_to_wait() -> None:
    async def two() -> tuple[Said, int]:
        gate = asyncio.Event()

        async def wait(scope: Scope, receive: Receive, send: Send) -> None:
            await gate.wait()
            await hello(scope, receive, send)

        server = limited(wait, at_once=1)
        first = asyncio.ensure_future(ask(server))
        await asyncio.sleep(0.01)
        second = await ask(server)
        gate.set()
        return second, (await first).status

    second, first = asyncio.run(two())

    assert (503, 200) == (second.status, first)
    assert "5" == second.header("retry-after")
    assert 503 == json.loads(second.body)["status"]


def test_a_fault_inside_is_not_hidden() -> None:
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        raise OSError("a disk is gone")

    async def tried() -> str:
        try:
            await ask(limited(broken))
        except OSError as error:
            return str(error)
        return ""

    assert "a disk is gone" == asyncio.run(tried())
