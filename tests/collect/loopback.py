"""Servers on this machine that answer as tests tell them to, over real sockets."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from metroon.base import kinds
from metroon.base.engine import Engine
from metroon.base.node import Node
from metroon.collect import Landing, Raw, Reading, RemoteSource, Source
from town import promise

QUICK = {"intranet": ["127.0.0.1"], "pause_s": 0.01, "wait_ms": 0, "timeout_s": 2}


@dataclass
class Asked:
    path: str
    query: dict[str, str]
    headers: dict[str, str]


@dataclass
class Reply:
    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    length: int | None = None
    """What Content-Length says, when it lies."""
    stall: threading.Event | None = None
    """What to wait for after the body, when the rest is never sent."""


def as_json(value: object, status: int = 200, **headers: str) -> Reply:
    return Reply(json.dumps(value).encode(), status, {"Content-Type": "application/json", **headers})


@dataclass
class Server:
    url: str
    asked: list[Asked]

    @property
    def paths(self) -> list[str]:
        return [a.path for a in self.asked]


@contextmanager
def serving(answer: Callable[[Asked], Reply], tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """A server that gives what a function says, and remembers what it was asked."""
    seen: list[Asked] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {k: v[0] for k, v in parse_qs(parts.query, keep_blank_values=True).items()}
            asked = Asked(parts.path, query, {k.lower(): v for k, v in self.headers.items()})
            seen.append(asked)
            reply = answer(asked)
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            length = len(reply.body) if reply.length is None else reply.length
            self.send_header("Content-Length", str(length))
            self.end_headers()
            self.wfile.write(reply.body)
            if reply.stall is not None:
                self.wfile.flush()
                reply.stall.wait(20)
            if length > len(reply.body):
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield Server(f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}", seen)
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def raw_serving(talk: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that says what it likes over a bare socket; gives its address."""
    listener = socket.create_server(("127.0.0.1", 0))

    def one(connection: socket.socket) -> None:
        with connection:
            try:
                connection.recv(65536)
                talk(connection)
            except OSError:
                pass  # the client has gone

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=one, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.close()


def source(kind: str, **options: object) -> RemoteSource:
    made = kinds.build("collect", Node({"kind": kind, **QUICK, **options}, "product.yaml"), Source)
    assert isinstance(made, RemoteSource)
    return made


def fetched(made: RemoteSource, home: Path) -> Landing:
    landing = Landing(home / "landed" / "permits")
    made.fetch(landing)
    return landing


def read(made: RemoteSource, landing: Landing, engine: Engine, **columns: str) -> tuple[list[dict[str, object]], Raw]:
    """What was landed, under a contract's columns such as ``id="string public"``."""
    told = {n: t.split() for n, t in columns.items()}
    promised = {
        n.replace(".", "_"): {"logicalType": kind, "classification": class_, "physicalName": n}
        for n, (kind, class_) in told.items()
    }
    raw = made.read(Reading(engine, promise(promised), landing.folder, landing.folder))
    return engine.rows(raw.rows), raw
