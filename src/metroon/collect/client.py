"""A client of web servers that may be slow, broken or hostile: what it hands over is whole, or a problem says why."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import re
import socket
import ssl
import threading
import time
import zlib
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlencode, urljoin
from urllib.request import getproxies_environment

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection

from metroon.base.errors import Problem, Refused
from metroon.collect.addresses import NotAllowed, resolve, split
from metroon.collect.landing import Landed, Landing, now

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import BinaryIO

    from urllib3.response import HTTPResponse

T = TypeVar("T")
AGENT = "Metroon (open source; collects open data of cities)"
_BLOCK = 1 << 16
_REDIRECTS = 5
_SLOWEST_PER_S = 512
"""Bytes in a second, on average over each time-out, below which a server is given up."""
_LONGEST_WAIT_S = 300
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_MOVED = frozenset({301, 302, 303, 307, 308})
_LATER = "Run it again later; what was landed before stays. When it lasts, ask who runs the server."
_SIGN_IN = "Write token_from: with the name of an environment variable that holds a token, or correct the token."
_WORD = re.compile(r"[A-Za-z][\w .:-]{0,60}")


@dataclass(frozen=True)
class Manners:
    """How servers are asked.

    Args:
        own: Hosts of the city's own network that may be asked although their addresses are private.
        timeout_s: Seconds to wait for an answer to begin, and for each part of it.
        tries: How often a request is tried at most.
        pause_s: Seconds before it is tried again; doubled each time.
        wait_ms: Milliseconds between two requests.
        most: Bytes of one answer, unpacked.
    """

    own: frozenset[str] = frozenset()
    timeout_s: float = 60.0
    tries: int = 4
    pause_s: float = 1.0
    wait_ms: int = 100
    most: int = 2_000_000_000


@dataclass(frozen=True)
class Answer:
    """What a server answered, whole and unpacked.

    Args:
        body: Its bytes.
        headers: Header in small letters -> value.
        about: Where it came from and when, without anything secret.
    """

    body: bytes
    headers: Mapping[str, str]
    about: Landed


class _Again(Exception):  # noqa: N818  # not yet a failure
    """A try that failed and may be repeated."""

    def __init__(self, problem: Problem, wait_s: float = 0.0) -> None:
        super().__init__(problem.what)
        self.problem = problem
        self.wait_s = wait_s


class Client:
    """Asks servers, one request after another.

    Every address is resolved once and checked, and what was checked is what is connected; redirects are followed
    here, each as the first address was. A token is sent to the host it is for and to no other.

    Args:
        landing: The product that it fetches for; its problems are told there.
        manners: How servers are asked.
        secret: A header and its value for the first address' host, such as a token; never told.
    """

    def __init__(self, landing: Landing, manners: Manners, secret: tuple[str, str] | None = None) -> None:
        self._landing = landing
        self._manners = manners
        self._secret = secret
        self._connections: dict[tuple[str, str, int], HTTPConnection] = {}
        self._context: ssl.SSLContext | None = None
        self._last = -60.0

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        for connection in self._connections.values():
            connection.close()
        self._connections.clear()

    def refused(self, code: str, address: str, why: str, fix: str) -> Refused:
        """A refusal that names the address without its query."""
        return Refused([self._problem(code, address, why, fix)])

    def get(self, address: str, query: Mapping[str, str] | None = None) -> Answer:
        """One whole answer.

        Args:
            address: What is asked; anything secret belongs into the client's header.
            query: Its parameters.

        Raises:
            Refused: It cannot be had whole (D132 to D137, D140).
        """
        asked = f"{address}?{urlencode(query)}" if query else address

        def once() -> Answer:
            with self._answered(asked, {"Accept-Encoding": "gzip"}) as (response, watch):
                self._check_status(asked, response)
                body = b"".join(self._body(asked, response, watch))
                headers = {k.lower(): v for k, v in response.headers.items()}
                return Answer(body, headers, _about(asked, response))

        return self._tried(once)

    def beginning(self, address: str, most: int) -> bytes:
        """The first bytes of an answer; the connection ends there.

        Args:
            address: What is asked.
            most: How many bytes are enough; less come when there are no more.

        Raises:
            Refused: Nothing can be had (D132 to D136, D140).
        """

        def once() -> bytes:
            headers = {"Accept-Encoding": "identity", "Range": f"bytes=0-{most - 1}"}
            with self._answered(address, headers) as (response, _):
                self._check_status(address, response, allowed=(200, 206))
                body = bytes(response.read(most, decode_content=False))
                self.__exit__()
                return body

        return self._tried(once)

    def json(self, address: str, query: Mapping[str, str] | None = None) -> tuple[Answer, object]:
        """One whole answer that is JSON, with what it says.

        Raises:
            Refused: It cannot be had whole, or is no JSON (D135).
        """
        answer = self.get(address, query)
        try:
            return answer, json.loads(answer.body)
        except (ValueError, RecursionError):
            start = answer.body[:200].lstrip().lower()
            told = "a web page" if start.startswith((b"<!doctype", b"<html")) else "no JSON"
            why = f"answers with {told} where data were asked for."
            raise self.refused("D135", address, why, "Check the address; a sign-in page needs token_from:.") from None

    def download(self, address: str, stem: str, ending: str, *, before: Landed | None = None) -> Landed | None:
        """A file, written bit by bit; a download that was cut off goes on where it ended, also in a later run.

        Args:
            address: The file.
            stem: What its name begins with.
            ending: What its name ends with.
            before: What was landed of this address last: nothing is sent again while the server says it is the same.

        Returns:
            The file; None when it is still the one before.

        Raises:
            Refused: It cannot be had whole (D132 to D137, D140, D144).
        """
        part = _Part(self._landing, address)
        return self._tried(lambda: self._downloaded(address, part, stem, ending, before))

    def _downloaded(self, address: str, part: _Part, stem: str, ending: str, before: Landed | None) -> Landed | None:
        has = part.has()
        headers = {"Accept-Encoding": "identity"}
        if has:
            headers |= {"Range": f"bytes={has}-", "If-Range": part.validator}
        elif before is not None:
            headers |= {"If-None-Match": before.etag} if before.etag else {}
            headers |= {"If-Modified-Since": before.last_modified} if before.last_modified else {}
        with self._answered(address, headers) as (response, watch):
            if response.status == 304 and len(headers) > 1 and not has:  # it was asked whether it has changed
                self._drained(response)
                return None
            if response.status == 416:  # what is there now is shorter than what was half fetched
                part.drop()
                raise _Again(self._problem("D136", address, "has changed while it was fetched.", _LATER))
            goes_on = response.status == 206 and has and _is_rest(response, has) and part.is_same(response)
            if response.status == 206 and not goes_on:
                part.drop()
                raise _Again(self._problem("D136", address, "sends another part than was asked for.", _LATER))
            self._check_status(address, response, allowed=(200, 206))
            if not goes_on:
                part.begin(response)
            try:
                with part.opened() as file:
                    for block in self._body(address, response, watch, already=has if goes_on else 0):
                        part.write(file, block)
                    file.flush()
                    os.fsync(file.fileno())
            except Refused:  # too large, or no room: going on would help nobody
                part.drop()
                raise
            return self._landing.take(part.file, stem, ending, part.finish(), _about(address, response))

    # One request

    def _tried(self, act: Callable[[], T]) -> T:
        tries = max(1, self._manners.tries)
        for n in range(1, tries + 1):
            try:
                return act()
            except _Again as fault:
                pause = max(fault.wait_s, self._manners.pause_s * 2 ** (n - 1))
                if n == tries or pause > _LONGEST_WAIT_S:
                    raise Refused([fault.problem]) from None
            time.sleep(pause)
        raise ValueError("a request is tried at least once")

    @contextmanager
    def _answered(self, address: str, headers: Mapping[str, str]) -> Iterator[tuple[HTTPResponse, _Watch]]:
        """The answer to one request, redirects followed; whatever breaks while it is read is told."""
        watch = _Watch(self._manners.timeout_s)
        asked, is_done = address, False
        response: HTTPResponse | None = None
        try:
            for _ in range(_REDIRECTS + 1):
                response = self._sent(asked, headers, watch, with_secret=_origin(asked) == _origin(address))
                if response.status not in _MOVED or "location" not in response.headers:
                    yield response, watch
                    is_done = True
                    return
                self._drained(response)
                asked = self._moved(address, asked, response.headers["location"])
            raise self.refused("D134", address, "redirects again and again.", "Write the address that it ends at.")
        except NotAllowed as fault:
            is_first = asked == address
            why = f"is not asked: {fault}." if is_first else f"redirects to an address that is not asked: {fault}."
            fix = "Correct the address; a host of the city's own network must be named: intranet: or --intranet HOST."
            raise self.refused("D132", address, why, fix) from None
        except ssl.SSLCertVerificationError as error:
            fix = "Ask who runs the server for a valid certificate; a city's own authority: set SSL_CERT_FILE."
            why = f"has no certificate that can be trusted: {error.verify_message or 'it is not for this host'}."
            raise self.refused("D133", address, why, fix) from None
        except (urllib3.exceptions.HTTPError, http.client.HTTPException, OSError) as error:
            raise self._broken(address, error, watch) from None
        finally:
            watch.end()
            if not is_done:  # what is left of an answer is no beginning of the next one
                self.__exit__()
                if response is not None:
                    response.close()

    def _broken(self, address: str, error: Exception, watch: _Watch) -> _Again:
        proxy = "A proxy is set in the environment, and none is spoken to: this machine must reach the server itself. "
        hint = proxy if getproxies_environment() and not watch.received else ""
        # The library counts a connection that was not made among those that took too long.
        is_slow = isinstance(error, (TimeoutError, urllib3.exceptions.TimeoutError))
        if watch.is_cut or (is_slow and not isinstance(error, urllib3.exceptions.NewConnectionError)):
            return _Again(self._problem("D133", address, "is too slow: it was given up.", f"{hint}{_LATER}"))
        if watch.received:
            return _Again(self._problem("D136", address, "broke off in the middle of its answer.", _LATER))
        fix = f"Check the address and the network. {hint}{_LATER}"
        return _Again(self._problem("D133", address, f"cannot be reached ({type(error).__name__}).", fix))

    def _sent(self, address: str, headers: Mapping[str, str], watch: _Watch, *, with_secret: bool) -> HTTPResponse:
        parts = split(address)
        secret = dict([self._secret]) if self._secret and with_secret else {}
        host = str(parts.hostname)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        if secret and parts.scheme == "http" and not {host, f"{host}:{port}"} & self._manners.own:
            raise NotAllowed("a token would be sent over plain http, where anybody can read it")
        connection = self._connected(parts.scheme, host, port)
        if connection.sock is not None:
            watch.begin(connection.sock)
        time.sleep(max(0.0, self._last + self._manners.wait_ms / 1000 - time.monotonic()))
        shown = f"[{host}]" if ":" in host else host
        told = {"Host": shown if port == connection.default_port else f"{shown}:{port}", "User-Agent": AGENT}
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request(
            "GET", target, headers={**told, **headers, **secret}, preload_content=False, decode_content=False
        )
        response = connection.getresponse()
        self._last = time.monotonic()
        return response

    def _connected(self, scheme: str, host: str, port: int) -> HTTPConnection:
        known = self._connections.pop((scheme, host, port), None)
        if known is None or not known.is_connected:
            known = self._connect(scheme, host, port)
        self._connections[scheme, host, port] = known
        return known

    def _connect(self, scheme: str, host: str, port: int) -> HTTPConnection:
        failed: Exception = OSError("no address")
        for address in resolve(host, port, self._manners.own):
            connection = self._made(scheme, address, host, port)
            try:
                connection.connect()
                return connection
            except ssl.SSLCertVerificationError:
                raise
            except (urllib3.exceptions.HTTPError, OSError) as error:
                failed = error
        raise failed

    def _made(self, scheme: str, address: str, host: str, port: int) -> HTTPConnection:
        timeout = self._manners.timeout_s
        if scheme == "http":
            return HTTPConnection(address, port, timeout=timeout)
        self._context = self._context or ssl.create_default_context()
        return HTTPSConnection(address, port, timeout=timeout, ssl_context=self._context, server_hostname=host)

    def _moved(self, address: str, asked: str, location: str) -> str:
        try:
            to = urljoin(asked, location)
        except ValueError:
            raise NotAllowed("it is no address of the web") from None
        if split(asked).scheme == "https" and split(to).scheme == "http":
            raise self.refused("D132", address, "redirects from https to plain http.", "Write the address it means.")
        return to

    # The answer

    def _check_status(self, address: str, response: HTTPResponse, allowed: tuple[int, ...] = (200,)) -> None:
        status = response.status
        if status in allowed:
            return
        told = _errors(self._little(response))
        shown = f"answers with {_status(status)}{told}"
        if status in _AGAIN:
            wait_s = _retry_after(response)
            waits = f", and wants {wait_s:,.0f} seconds of rest" if wait_s > _LONGEST_WAIT_S else ""
            raise _Again(self._problem("D134", address, f"{shown}{waits}.", _LATER), wait_s)
        if status in (401, 403):
            raise self.refused("D134", address, f"{shown}.", _SIGN_IN)
        if status in (404, 410):
            raise self.refused("D140", address, f"{shown}.", "Check the address or the id; ask who runs the server.")
        if status in (204, 304):
            raise self.refused("D135", address, f"{shown}, where data were asked for.", _LATER)
        raise self.refused("D134", address, f"{shown}.", "Check what is asked in product.yaml, or ask who runs it.")

    def _little(self, response: HTTPResponse) -> bytes:
        self.__exit__()  # nothing more is asked over this connection
        with suppress(urllib3.exceptions.HTTPError, http.client.HTTPException, OSError):
            return bytes(response.read(_BLOCK, decode_content=False))
        return b""

    def _drained(self, response: HTTPResponse) -> None:
        """Read what little a redirect says, so that the connection can be used again."""
        if len(response.read(_BLOCK, decode_content=False)) == _BLOCK:
            self.__exit__()

    def _body(self, address: str, response: HTTPResponse, watch: _Watch, already: int = 0) -> Iterator[bytes]:
        most, told = self._manners.most, response.headers.get("content-length", "")
        too_large = self.refused(
            "D137", address, f"sends more than {most:,} bytes.", "Raise most_mb: in product.yaml if it is meant."
        )
        if told.isdecimal() and already + int(told) > most:
            self.__exit__()
            raise too_large
        packed = response.headers.get("content-encoding", "identity").strip().lower()
        if packed not in ("identity", "gzip", "x-gzip", ""):
            raise self.refused("D135", address, "packs its answer in a way that was not asked for.", _LATER)
        unpack = _Unpack() if "gzip" in packed else None
        total = already
        while block := response.read(_BLOCK, decode_content=False):
            watch.received += len(block)
            for piece in unpack.pieces(block) if unpack else (block,):
                total += len(piece)
                if total > most:
                    self.__exit__()
                    raise too_large
                yield piece
        if watch.is_cut:  # to the one who reads, a connection that was ended looks like an answer that is over
            raise _Again(self._problem("D133", address, "is too slow: it was given up.", _LATER))
        if unpack and not unpack.is_whole:
            self.__exit__()
            raise _Again(self._problem("D136", address, "sends a packed answer that is cut off or damaged.", _LATER))

    def _problem(self, code: str, address: str, why: str, fix: str) -> Problem:
        return self._landing.problem(code, f"{shown(address)} {why}", fix)


class _Unpack:
    """gzip, unpacked in pieces that are never large."""

    def __init__(self) -> None:
        self._made = zlib.decompressobj(wbits=31)
        self._is_damaged = False

    @property
    def is_whole(self) -> bool:
        return self._made.eof and not self._is_damaged

    def pieces(self, block: bytes) -> Iterator[bytes]:
        rest = block
        while rest and not self._is_damaged:
            if self._made.eof:  # one packed text after another
                self._made = zlib.decompressobj(wbits=31)
            try:
                piece = self._made.decompress(rest, _BLOCK)
            except zlib.error:
                self._is_damaged = True
                return
            rest = self._made.unused_data if self._made.eof else self._made.unconsumed_tail
            if piece:
                yield piece


class _Watch:
    """Ends a connection that is slower than a person would wait for."""

    def __init__(self, period_s: float) -> None:
        self.received = 0
        self.is_cut = False
        self._period_s = period_s
        self._done = threading.Event()
        self._sockets: list[socket.socket] = []

    def begin(self, sock: socket.socket) -> None:
        """Watch one more socket; the first one starts the watch."""
        self._sockets.append(sock)
        if len(self._sockets) == 1:
            threading.Thread(target=self._look, daemon=True).start()

    def end(self) -> None:
        self._done.set()

    def _look(self) -> None:
        before = 0
        while not self._done.wait(self._period_s):
            if self.received - before < _SLOWEST_PER_S * self._period_s:
                self.is_cut = True
                for sock in self._sockets:
                    with suppress(OSError):
                        # Not the one of TLS: it would hand what is still in the pipe over as if it were plain.
                        socket.socket.shutdown(sock, socket.SHUT_RDWR)
                return
            before = self.received


class _Part:
    """A file that is being downloaded, with what is needed to go on after a break."""

    def __init__(self, landing: Landing, address: str) -> None:
        self._landing = landing
        name = f".download.{hashlib.sha256(address.encode()).hexdigest()[:16]}"
        self.file = landing.folder / name
        self._note = landing.folder / f"{name}.json"
        self._digest = hashlib.sha256()
        self.validator = ""

    def has(self) -> int:
        """Bytes that are there already and can be gone on from."""
        self._digest, self.validator = hashlib.sha256(), ""
        try:
            told = json.loads(self._note.read_text(encoding="utf-8"))
            with self.file.open("rb") as file:
                while block := file.read(1 << 20):
                    self._digest.update(block)
            self.validator = str(told["validator"])
            return self.file.stat().st_size if self.validator else 0
        except (OSError, ValueError, KeyError, TypeError):
            return 0

    def is_same(self, response: HTTPResponse) -> bool:
        """Whether a server that sends a part sends it of the same content, as far as it says."""
        told = response.headers.get("etag", "")
        return not told or not self.validator.startswith('"') or told == self.validator

    def begin(self, response: HTTPResponse) -> None:
        """Forget what is there and begin anew."""
        etag = response.headers.get("etag", "")
        # RFC 9110, 13.1.5: a weak name may be the same for other bytes.
        self.validator = etag if etag.startswith('"') else response.headers.get("last-modified", "")
        if response.headers.get("content-encoding", "identity") != "identity":
            self.validator = ""  # what is kept is unpacked: its end is no place in what is sent
        self._digest = hashlib.sha256()
        with self._landing.opened(self._note, os.O_TRUNC) as note:
            note.write(json.dumps({"validator": self.validator}).encode())
        with self._landing.opened(self.file, os.O_TRUNC):
            pass

    def opened(self) -> AbstractContextManager[BinaryIO]:
        return self._landing.opened(self.file, os.O_APPEND)

    def write(self, file: BinaryIO, block: bytes) -> None:
        file.write(block)
        self._digest.update(block)

    def finish(self) -> str:
        self._note.unlink(missing_ok=True)
        return self._digest.hexdigest()

    def drop(self) -> None:
        self._note.unlink(missing_ok=True)
        self.file.unlink(missing_ok=True)


def shown(address: str) -> str:
    """An address without what may be secret in it.

    Example:
        >>> shown("https://data.example.org/a.csv?key=1234#x")
        'https://data.example.org/a.csv'
    """
    return re.sub(r"//[^/@]*@", "//", address.partition("#")[0].partition("?")[0])


def _about(address: str, response: HTTPResponse) -> Landed:
    headers = response.headers
    return Landed(
        "", "", 0, address, now(), headers.get("etag", ""), headers.get("last-modified", ""), status=response.status
    )


def _origin(address: str) -> tuple[str, str | None, int | None]:
    parts = split(address)
    return parts.scheme, parts.hostname, parts.port


def _is_rest(response: HTTPResponse, start: int) -> bool:
    """Whether what is sent is all that is missing."""
    told = re.fullmatch(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)", response.headers.get("content-range", "").strip())
    return told is not None and int(told[1]) == start and told[3] in ("*", str(int(told[2]) + 1))


def _status(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _errors(body: bytes) -> str:
    """The kind of error that a server names, where it is one word of a program: its sentences may hold anything."""
    with suppress(ValueError, RecursionError):
        told = json.loads(body)
        inner = told.get("error") if isinstance(told, dict) else None
        for where in (told, inner):
            for key in ("errorCode", "code", "__type"):
                word = where.get(key) if isinstance(where, dict) else None
                if isinstance(word, str) and _WORD.fullmatch(word):
                    return f" ({word})"
    return ""


def _retry_after(response: HTTPResponse) -> float:
    """Seconds that a server wants to be left alone; a date is compared with its own clock, not with ours."""
    told = response.headers.get("retry-after", "").strip()
    if told.isdecimal():
        return float(told[:9])
    with suppress(ValueError, TypeError, OverflowError):
        then = parsedate_to_datetime(told)
        there = parsedate_to_datetime(response.headers.get("date", ""))
        return max(0.0, (then - there).total_seconds())
    return 0.0
