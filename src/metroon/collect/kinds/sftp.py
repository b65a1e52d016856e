"""``kind: sftp``."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from metroon.base.errors import Refused
from metroon.collect.addresses import NotAllowed, resolve
from metroon.collect.fetched import FetchedSource, check_file, named
from metroon.collect.landing import Landed, now
from metroon.collect.source import sha256

if TYPE_CHECKING:
    from collections.abc import Iterator

    from metroon.collect.landing import Landing

_LATER = "Run it again later; what was landed before stays. When it lasts, ask who runs the server."
_ALIAS = "declared"
_HOST_KEY = r"^(ssh-ed25519|ecdsa-sha2-nistp\d{3}|ssh-rsa) [A-Za-z0-9+/=]+$"


class Sftp(FetchedSource):
    """Files on an SFTP server, fetched with the ``sftp`` program of OpenSSH.

    The server must show the host key that is declared here; nothing is believed at first sight.
    The user signs in with a key without a passphrase: the variable of ``key_from`` holds the path of its file.
    Every file is fetched each time, since the protocol tells no hash, and its size is compared before and after.
    """

    host: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.:-]*$", examples=["sftp.example.org"])
    """The server's name."""
    host_key: str = Field(pattern=_HOST_KEY, examples=["ssh-ed25519 AAAA"])
    """The public key of the server, as ``ssh-keyscan`` shows it and as whoever runs it confirms it."""
    user: str = Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.@-]*$", examples=["reader"])
    """Who signs in."""
    key_from: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", examples=["SFTP_KEY_FILE"])
    """Environment variable that holds the path of the private key's file."""
    path: str = Field(pattern=r"^[^\s\"'\\\x00-\x1f-][^\s\"'\\\x00-\x1f]*$", examples=["outbox/permits_*.csv"])
    """File there, or pattern with * such as outbox/permits_*.csv: each file is one delivery."""
    port: int = Field(22, ge=1, le=65535)
    """The server's port."""
    intranet: bool = False
    """The server is in the city's own network: its address may be private."""
    timeout_s: float = Field(60, gt=0)
    """Seconds after which a server that says nothing is given up."""
    most_mb: int = Field(20_000, ge=1)
    """Megabytes of all files together above which they are refused."""

    def fetch(self, landing: Landing) -> None:
        """Fetch every file that the path names.

        Raises:
            Refused: They cannot be had whole; what was landed before stays.
        """
        key = self._key(landing)
        with tempfile.TemporaryDirectory(dir=_made(landing.folder), prefix=".sftp-") as folder:
            session = _Session(self, landing, key, Path(folder))
            found = session.listed()
            if sum(f.size for f in found) > self.most_mb * 1_000_000:
                raise session.refused(
                    "D137", f"has more than {self.most_mb:,} MB.", "Raise most_mb:, or correct path:."
                )
            session.run([f'get "{_quoted(f.path)}" "{i}"' for i, f in enumerate(found)])
            if session.listed() != found:
                raise session.refused("D138", "has files that changed while they were fetched.", _LATER)
            made = [session.landed(f, Path(folder, str(i))) for i, f in enumerate(found)]
        landing.keep(made)
        landing.sweep()

    def _key(self, landing: Landing) -> Path:
        given = os.environ.get(self.key_from, "").strip()
        if not given:
            what = f"the environment variable {self.key_from} is not set."
            fix = f"Set {self.key_from} to the path of the private key's file, which only this user may read."
            raise Refused([landing.problem("D131", what, fix)])
        if not Path(given).is_file():
            what = f"the environment variable {self.key_from} names no file."
            raise Refused([landing.problem("D131", what, "Set it to the path of the private key's file.")])
        return Path(given)


@dataclass(frozen=True)
class _There:
    """A file on the server."""

    path: str
    size: int
    line: str


class _Session:
    """One server and one key."""

    def __init__(self, source: Sftp, landing: Landing, key: Path, folder: Path) -> None:
        self._source = source
        self._landing = landing
        self._folder = folder
        self._program = shutil.which("sftp") or ""
        if not self._program:
            fix = "Install the OpenSSH client, on Debian: apt-get install openssh-client"
            raise Refused([landing.problem("D143", "kind: sftp needs the program sftp, which is not there.", fix)])
        (folder / "known_hosts").write_text(f"{_ALIAS} {source.host_key}\n", encoding="utf-8")
        told = {
            "BatchMode": "yes", "StrictHostKeyChecking": "yes", "UserKnownHostsFile": folder / "known_hosts",
            "GlobalKnownHostsFile": "/dev/null", "HostKeyAlias": _ALIAS, "IdentitiesOnly": "yes", "IdentityFile": key,
            "IdentityAgent": "none", "PasswordAuthentication": "no", "KbdInteractiveAuthentication": "no",
            "ConnectTimeout": max(1, int(source.timeout_s)), "ServerAliveInterval": max(1, int(source.timeout_s / 3)),
            "ServerAliveCountMax": 3, "HostName": self._address(), "Port": source.port, "User": source.user,
            "ProxyCommand": "none", "CheckHostIP": "no", "UpdateHostKeys": "no", "LogLevel": "ERROR",
        }  # fmt: skip
        self._options = [part for name, value in told.items() for part in ("-o", f"{name}={_told_path(value)}")]

    def listed(self) -> list[_There]:
        """The files that the path names, in the order of their names."""
        found = sorted(_files(self.run([f"ls -ln {self._source.path}"])), key=lambda f: f.path)
        if not found:
            raise self.refused("D140", "has no file that path: names.", "Correct path:, or ask who sends the files.")
        return found

    def run(self, commands: list[str]) -> str:
        """What the program says to some commands."""
        # -F none: whatever a person wrote into a file of settings does not count here.
        command = [self._program, "-F", "none", "-b", "-", *self._options, _ALIAS]
        asked = "\n".join(commands) + "\n"
        try:
            done = subprocess.run(  # noqa: S603  # the program's own path, and options whose signs were checked
                command, input=asked, capture_output=True, text=True, cwd=self._folder, errors="replace",
                timeout=self._source.timeout_s + 3600, env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"},
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise self.refused("D133", "is too slow: it was given up.", _LATER) from None
        if done.returncode:
            # ssh itself ends with 255; what the server says of files ends with 1.
            raise self._unconnected(done.stderr) if done.returncode == 255 else self._unread(done.stderr)
        return done.stdout

    def _unconnected(self, said: str) -> Refused:
        low = said.lower()
        if "host key verification failed" in low or "no matching host key" in low:
            fix = "Ask who runs the server whether its key was changed, and never take a new one unasked."
            return self.refused("D141", "shows another host key than the one that is declared.", fix)
        if any(words in low for words in ("permission denied", "invalid format", "bad permissions", "load key")):
            fix = "Ask who runs the server to let this key in; its file has no passphrase and is for this user only."
            return self.refused("D141", "does not let this user in with this key.", fix)
        return self.refused("D133", "cannot be reached, or broke off.", f"Check host: and port:. {_LATER}")

    def _unread(self, said: str) -> Refused:
        low = said.lower()
        if "no space left" in low:
            what = f"what is fetched cannot be written into {self._landing.folder}: no space is left."
            return Refused([self._landing.problem("D144", what, "Make room on the disk.")])
        if "permission denied" in low:
            return self.refused("D141", "does not let this user read the files.", "Ask who runs the server.")
        fix = "Correct path:, or ask who sends the files."
        return self.refused("D140", "has no file that path: names, or none that can be read.", fix)

    def landed(self, there: _There, here: Path) -> Landed:
        """A fetched file, with its name."""
        if not here.is_file() or here.stat().st_size != there.size:
            raise self.refused("D136", "sent a file that is not as long as it says.", _LATER)
        here.chmod(0o600)
        stem, ending = named(there.path, self._source.as_.get("kind", "csv"))
        about = Landed("", "", 0, f"{self._shown}/{there.path.lstrip('/')}", now())
        made = self._landing.take(here, stem, ending, sha256(here), about)
        check_file(self._landing.folder / made.file, self._source.source, self._refused_at, there.path)
        return made

    def refused(self, code: str, why: str, fix: str) -> Refused:
        return Refused([self._landing.problem(code, f"{self._shown} {why}", fix)])

    def _refused_at(self, code: str, address: str, why: str, fix: str) -> Refused:
        return self.refused(code, f"({address}) {why}", fix)

    def _address(self) -> str:
        own = frozenset({self._source.host.lower()} if self._source.intranet else ())
        try:
            return resolve(self._source.host, self._source.port, own)[0]
        except NotAllowed as fault:
            fix = "Correct host:, or write intranet: true for a server in the city's own network."
            raise self.refused("D132", f"is not asked: {fault}.", fix) from None
        except OSError:
            raise self.refused("D133", "has no address.", f"Check host:. {_LATER}") from None

    @property
    def _shown(self) -> str:
        port = "" if self._source.port == 22 else f":{self._source.port}"
        return f"sftp://{self._source.host}{port}"


def _files(said: str) -> Iterator[_There]:
    for line in said.splitlines():
        parts = line.split(None, 8)
        # What begins with - is a file; folders, links and the echo of the command are none.
        if len(parts) == 9 and parts[0].startswith("-") and parts[4].isdecimal() and '"' not in parts[8]:
            yield _There(parts[8], int(parts[4]), line)


def _told_path(value: object) -> str:
    return f'"{value}"' if isinstance(value, Path) else str(value)


def _quoted(path: str) -> str:
    return path.replace("\\", "\\\\")


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder
