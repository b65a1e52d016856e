"""A PostgreSQL of its own for tests: a new cluster in a folder, on a free port of this machine."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

if TYPE_CHECKING:
    from collections.abc import Iterator

NOBODY = "postgres"
"""The server refuses to run as root; Debian's package brings this user."""


@dataclass(frozen=True)
class Cluster:
    """A running server."""

    port: int

    def url(self, user: str = "reader", password: str = "open-sesame", database: str = "city") -> str:
        return f"postgresql://{user}:{password}@127.0.0.1:{self.port}/{database}"

    def run(self, *statements: str) -> None:
        """What the department does to its own database."""
        url = self.url("boss").replace("postgresql:", "postgresql+pg8000:")
        engine = sa.create_engine(url, poolclass=sa.NullPool)
        with engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)
        engine.dispose()


def programs() -> Path | None:
    """The folder of the server's programs; None where PostgreSQL is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb")) or [Path(p) for p in [shutil.which("initdb")] if p]
    return found[-1].parent if found else None


@contextmanager
def cluster(bin_folder: Path) -> Iterator[Cluster]:
    """A server with a user ``reader`` who may read what ``boss`` makes in the database ``city``."""
    folder = Path(tempfile.mkdtemp(prefix="metroon-pg-"))
    as_user: list[str] = []
    if os.geteuid() == 0:
        shutil.chown(folder, NOBODY, NOBODY)
        as_user = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    secret = folder / "password"
    secret.write_text("open-sesame\n")
    secret.chmod(0o644)

    def run(program: str, *words: str) -> None:
        # Not piped: the server would inherit the pipe and keep it open.
        with (folder / "log").open("ab") as log:
            subprocess.run(
                [*as_user, str(bin_folder / program), *words],
                check=True,
                stdout=log,
                stderr=log,
                cwd=folder,
                timeout=60,
            )

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    data = str(folder / "data")
    try:
        run("initdb", "-D", data, "-U", "boss", "-A", "scram-sha-256", f"--pwfile={secret}", "-N", "-E", "UTF8")
        options = f"-p {port} -F -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c timezone=Asia/Tokyo"
        run("pg_ctl", "-D", data, "-w", "-t", "50", "-o", options, "start")
        made = Cluster(port)
        first = sa.create_engine(
            made.url("boss", database="postgres").replace("sql:", "sql+pg8000:"), poolclass=sa.NullPool
        )
        with first.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("create database city")
        first.dispose()
        made.run(
            "create role reader login password 'open-sesame'",
            "alter default privileges in schema public grant select on tables to reader",
        )
        yield made
    finally:
        try:
            run("pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
        finally:
            shutil.rmtree(folder, ignore_errors=True)
