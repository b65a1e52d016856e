"""A portal to ask: the invented city walked once for all, its portal, a client in this process, and a real server."""

from __future__ import annotations

import os
import socket
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import uvicorn
from seen import FILE, SEEN, write
from starlette.testclient import TestClient

from metroon import flow
from metroon.city import load
from metroon.demo import build, earlier
from metroon.portal import CityPortal
from metroon.serve.app import app
from metroon.walk import Walk

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def walked_demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Arroyo Vista, built and run on two days, once for all test processes. Nobody may write into it."""
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if base.name.startswith("popen-") else base) / "arroyo_vista"
    ready = shared.with_name("arroyo_vista.ready")
    try:
        shared.mkdir()
    except FileExistsError:
        for _ in range(3000):
            if ready.exists():
                return shared
            time.sleep(0.1)
        raise
    build(shared)
    city = load(shared)
    with earlier(shared) as day:
        flow.run(Walk(city, day))
    flow.run(Walk(city, city.file.as_of))
    ready.touch()
    return shared


@pytest.fixture(scope="session")
def portal(walked_demo: Path) -> CityPortal:
    """The portal of Arroyo Vista."""
    return CityPortal(walked_demo)


@pytest.fixture(scope="session")
def client(portal: CityPortal) -> TestClient:
    """Asks the portal in this process."""
    return TestClient(app(portal), base_url="http://127.0.0.1:8000")


@pytest.fixture(scope="session")
def server(portal: CityPortal) -> Iterator[str]:
    """The address of a real server of the portal on loopback."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    serving = uvicorn.Server(uvicorn.Config(app(portal), host="127.0.0.1", port=port, log_level="warning"))
    thread = threading.Thread(target=serving.run, daemon=True)
    thread.start()
    while not serving.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{port}"
    serving.should_exit = True
    thread.join(10)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write what real clients were seen doing, when that was asked for; each test process adds its own."""
    if SEEN and os.environ.get("METROON_SEEN") == "write":
        write(SEEN, FILE)
