"""The verbs of the portal: serve, build and asked, as a person types them."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import time
from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING
from urllib.request import urlopen

import pytest
from click.testing import CliRunner

from metroon.base.store import Store
from metroon.cli import main
from metroon.walk import Walk
from town import COMMAND, Town, small_town

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    made = small_town(tmp_path_factory.mktemp("served") / "town")
    made.ran()
    return made


@contextmanager
def started(town: Town, *more: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    with (town.folder / "log").open("w") as log, subprocess.Popen(
        [*COMMAND, "serve", str(town.folder), "--port", "0", "--as-of", "2026-03-15", *more],
        stdout=subprocess.PIPE, stderr=log, text=True,
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            found = re.search(r"http://127\.0\.0\.1:\d+", line)
            assert found, line
            yield process, found[0]
        finally:
            process.kill()


def read(address: str, seconds: float = 60) -> tuple[int, dict[str, str], bytes]:
    end = time.monotonic() + seconds
    while True:
        try:
            with urlopen(address, timeout=30) as answer:
                return answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.read()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


@pytest.mark.slow
@pytest.mark.parametrize("workers", ["1", "2"])
def test_serve_says_where_it_is_and_ends_when_it_is_told_to(town: Town, workers: str) -> None:
    with started(town, "--workers", workers) as (process, address):
        status, headers, _ = read(f"{address}/datasets?q=canary")
        process.send_signal(signal.SIGTERM)
        process.wait(60)

        assert 200 == status
        assert "server" not in headers
        with pytest.raises(OSError, match="refused"), urlopen(f"{address}/health", timeout=5):
            pass
    log = (town.folder / "log").read_text()
    assert '"route": "/datasets"' in log
    assert not [told for told in ("canary", "127.0.0.1") if told in log]


@pytest.mark.slow
def test_answers_that_have_begun_end_before_the_server_does(town: Town) -> None:
    got = b""
    with started(town) as (process, address):
        read(f"{address}/health")
        host, port = address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as asking:
            asking.sendall(b"GET /datasets HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            time.sleep(0.05)
            process.send_signal(signal.SIGTERM)
            while part := asking.recv(65_536):
                got += part
        process.wait(60)

    assert got.startswith(b"HTTP/1.1 200")
    assert got.rstrip().endswith(b"</html>")


def test_a_port_that_is_taken_is_told_with_what_to_do(town: Town) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        told = CliRunner().invoke(main, ["serve", str(town.folder), "--port", str(other.getsockname()[1])])

    assert 2 == told.exit_code
    assert "S102" in told.stderr
    assert "--port 0" in told.stderr


def test_serve_tells_the_faults_of_a_city_repo(tmp_path: Path) -> None:
    told = CliRunner().invoke(main, ["serve", str(tmp_path), "--port", "0"])

    assert (2, True) == (told.exit_code, "Y104" in told.stderr)


@pytest.mark.slow
def test_build_writes_a_copy_and_says_how_to_look_at_it(town: Town, tmp_path: Path) -> None:
    told = CliRunner().invoke(
        main, ["build", str(town.folder), "--as-of", "2026-03-15", "--to", str(tmp_path / "site")]
    )

    assert 0 == told.exit_code, told.output
    assert "http.server" in told.stdout
    assert (tmp_path / "site/measures/stay_count/index.html").is_file()


def test_asked_lists_what_was_asked_for_and_not_found(town: Town) -> None:
    walk: Walk = town.walk()
    store = Store(walk.city.home / "store.sqlite")
    for _ in range(2):
        store.asked(date(2026, 3, 1), "swimming pools", "en")
    store.close()
    told = CliRunner().invoke(main, ["asked", str(town.folder)])
    machine = CliRunner().invoke(main, ["asked", str(town.folder), "--format", "json"])

    assert "swimming pools" in told.stdout
    assert [{"query": "swimming pools", "language": "en", "times": 2, "last": "2026-03-01"}] == json.loads(
        machine.stdout
    )
