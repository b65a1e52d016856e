"""Files on an SFTP server: a real one, started by the test."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from loopback import fetched, read

from metroon.base import kinds
from metroon.base.errors import Refused
from metroon.base.node import Node
from metroon.collect import Landing, RemoteSource, Source

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
pytestmark = pytest.mark.skipif(SSHD is None or not shutil.which("sftp"), reason="OpenSSH's server is not here")


@dataclass
class Sshd:
    port: int
    host_key: str
    folder: Path


def key(file: Path) -> str:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", file], check=True)
    return " ".join(file.with_suffix(".pub").read_text().split()[:2])


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    folder = tmp_path_factory.mktemp("sshd")
    host_key, own = key(folder / "host"), key(folder / "own")
    key(folder / "other")
    (folder / "authorized").write_text(own + "\n")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    told = {
        "ListenAddress": "127.0.0.1", "Port": port, "HostKey": folder / "host", "StrictModes": "no", "UsePAM": "no",
        "AuthorizedKeysFile": folder / "authorized", "PasswordAuthentication": "no", "PidFile": folder / "pid",
        "KbdInteractiveAuthentication": "no",
    }  # fmt: skip
    (folder / "config").write_text("".join(f"{k} {v}\n" for k, v in told.items()) + "Subsystem sftp internal-sftp\n")
    server = subprocess.Popen([str(SSHD), "-D", "-e", "-f", folder / "config"], stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.02)
        yield Sshd(port, host_key, folder)
    finally:
        server.terminate()
        server.wait()


@pytest.fixture
def outbox(tmp_path: Path, sshd: Sshd, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SFTP_KEY_FILE", str(sshd.folder / "own"))
    (tmp_path / "out box").mkdir()
    (tmp_path / "outbox").mkdir()
    for name, rows in (("b.csv", "id\n2\n"), ("a.csv", "id\n1\n"), ("c d.csv", "id\n3\n"), ("x.txt", "no")):
        (tmp_path / "outbox" / name).write_text(rows)
    return tmp_path / "outbox"


def sftp(sshd: Sshd, outbox: Path, **options: object) -> RemoteSource:
    told = {"host": "127.0.0.1", "port": sshd.port, "host_key": sshd.host_key, "user": getpass.getuser(),
            "key_from": "SFTP_KEY_FILE", "path": f"{outbox}/*.csv", "intranet": True, "timeout_s": 5}  # fmt: skip
    made = kinds.build("collect", Node({"kind": "sftp", **told, **options}, "product.yaml"), Source)
    assert isinstance(made, RemoteSource)
    return made


def code(made: RemoteSource, home: Path) -> str:
    with pytest.raises(Refused) as refused:
        fetched(made, home)
    (problem,) = refused.value.problems
    return problem.code


def test_every_file_that_the_path_names_is_fetched_in_the_order_of_the_names(sshd, outbox, tmp_path, engine):
    made = sftp(sshd, outbox)
    landing = fetched(made, tmp_path)
    rows, _ = read(made, landing, engine, id="string public")

    assert ["1", "2", "3"] == [r["id"] for r in rows]
    assert f"sftp://127.0.0.1:{sshd.port}/{str(outbox).lstrip('/')}/a.csv" == landing.landed()[0].address
    assert {0o600} == {p.stat().st_mode & 0o777 for p in landing.folder.iterdir()}


def test_the_same_files_are_the_same_deliveries(sshd, outbox, tmp_path):
    made = sftp(sshd, outbox)

    assert fetched(made, tmp_path).landed() == fetched(made, tmp_path).landed()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"host_key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJxGk0aZ3xk0m6yVDlO5cQH0m3c1cYI2zJ9kz6cX9yQ0"}, "D141"),
        ({"user": "nobody-of-this-name"}, "D141"),
        ({"path": "/nowhere/*.csv"}, "D140"),
        ({"path": "/nowhere/a.csv"}, "D140"),
        ({"port": 1}, "D133"),
        ({"intranet": False}, "D132"),
        ({"as": {"kind": "parquet"}}, "D135"),
    ],
)
def test_what_cannot_be_had_is_told_and_what_was_landed_stays(sshd, outbox, tmp_path, options, expected):
    before = fetched(sftp(sshd, outbox), tmp_path).landed()

    assert expected == code(sftp(sshd, outbox, **options), tmp_path)
    landing = Landing(tmp_path / "landed" / "permits")
    assert (before, True) == (landing.landed(), landing.is_whole())


def test_another_key_is_not_let_in_and_a_missing_one_is_named(sshd, outbox, tmp_path, monkeypatch):
    monkeypatch.setenv("SFTP_KEY_FILE", str(sshd.folder / "other"))
    assert "D141" == code(sftp(sshd, outbox), tmp_path)
    monkeypatch.delenv("SFTP_KEY_FILE")

    assert "D131" == code(sftp(sshd, outbox), tmp_path)


@pytest.mark.parametrize("path", ["-oProxyCommand=x", "a.csv\nget /etc/passwd", 'a" b', "a b.csv", "!touch", "a;b'c"])
def test_a_path_is_never_a_command(path, sshd, outbox, tmp_path):
    try:
        made = sftp(sshd, outbox, path=path)
    except Refused as refused:
        found = refused.problems[0].code
    else:
        found = code(made, tmp_path)

    assert found in ("K104", "D140")
