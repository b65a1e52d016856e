"""``kind: s3``."""

from __future__ import annotations

import hashlib
import os
import re
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from pydantic import Field, field_validator

from metroon.base.errors import Refused
from metroon.collect.addresses import NotAllowed, resolve, split
from metroon.collect.fetched import FetchedSource, check_file, named
from metroon.collect.landing import Landed, now
from metroon.collect.web import MEGABYTE, secret, web_address

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obstore.store import ClientConfig, S3Config

    from metroon.collect.landing import Landing

_LATER = "Run it again later; what was landed before stays. When it lasts, ask who runs the store."
_BLOCK = 1 << 20
_CLOSED = re.compile(r"\b40[13] |AccessDenied|InvalidAccessKeyId|SignatureDoesNotMatch")


class S3(FetchedSource):
    """Objects in a bucket of S3, or of any store that speaks its protocol.

    An object is fetched again only when its ETag or size has changed. Without keys the bucket must be public.
    """

    bucket: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,62}$", examples=["city-open-data"])
    """The bucket."""
    path: str = Field(min_length=1, examples=["permits/2026_*.csv"])
    """Object, or pattern with * such as permits/2026_*.csv: each object is one delivery."""
    region: str = Field("us-east-1", pattern=r"^[a-z0-9-]+$")
    """Where the bucket is."""
    endpoint: str | None = None
    """Address of another store than Amazon's, such as https://s3.ourcity.gov."""
    key_id_from: str | None = Field(None, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    """Environment variable that holds the id of the key."""
    secret_from: str | None = Field(None, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    """Environment variable that holds the key's secret."""
    intranet: bool = False
    """The store is in the city's own network: its address may be private, and plain http is taken."""
    timeout_s: float = Field(60, gt=0)
    """Seconds after which a store that says nothing is given up."""
    most_mb: int = Field(20_000, ge=1)
    """Megabytes of all objects together above which they are refused."""

    @field_validator("endpoint")
    @classmethod
    def _address(cls, given: str | None) -> str | None:
        return None if given is None else web_address(given).rstrip("/")

    def fetch(self, landing: Landing) -> None:
        """Fetch every object that the path names and that has changed.

        Raises:
            Refused: They cannot be had whole; what was landed before stays.
        """
        bucket = _Bucket(self, landing)
        found = bucket.listed()
        if sum(int(o["size"]) for o in found) > self.most_mb * MEGABYTE:
            raise bucket.refused("D137", f"has more than {self.most_mb:,} MB.", "Raise most_mb:, or correct path:.")
        before = {f.address: f for f in landing.landed()} if landing.is_whole() else {}
        landing.keep([bucket.landed(o, before.get(bucket.address(o))) for o in found])
        landing.sweep()


class _Bucket:
    """One bucket, and the key to it."""

    def __init__(self, source: S3, landing: Landing) -> None:
        self._source = source
        self._landing = landing
        try:
            import obstore  # waits for the extra 's3'
        except ImportError:
            what, fix = "kind: s3 needs a package that is not installed: obstore.", "Type: pip install 'metroon[s3]'"
            raise Refused([landing.problem("D143", what, fix)]) from None
        self._api = obstore
        self._check_endpoint()
        timeout = timedelta(seconds=source.timeout_s)
        options: ClientConfig = {"timeout": timedelta(hours=6), "connect_timeout": timeout, "read_timeout": timeout}
        if source.intranet:
            options["allow_http"] = True
        self._store = obstore.store.S3Store(
            source.bucket, config=self._config(), client_options=options,
            retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=4 * source.timeout_s)},
        )  # fmt: skip

    def _config(self) -> S3Config:
        source = self._source
        made: S3Config = {"region": source.region, "virtual_hosted_style_request": False}
        if source.endpoint:
            made["endpoint"] = source.endpoint
        if source.key_id_from and source.secret_from:
            key, word = secret(source.key_id_from, self._landing), secret(source.secret_from, self._landing)
            return {**made, "access_key_id": key, "secret_access_key": word}
        return {**made, "skip_signature": True}

    def _check_endpoint(self) -> None:
        if self._source.endpoint is None:
            return
        try:
            parts = split(self._source.endpoint)
            host = str(parts.hostname)
            own = frozenset({host.lower()} if self._source.intranet else ())
            resolve(host, parts.port or (443 if parts.scheme == "https" else 80), own)
            if parts.scheme == "http" and not self._source.intranet:
                raise NotAllowed("it speaks plain http, where anybody can read along")
        except NotAllowed as fault:
            fix = "Correct endpoint:, or write intranet: true for a store in the city's own network."
            raise self.refused("D132", f"is not asked: {fault}.", fix) from None
        except OSError:
            raise self.refused("D133", "has no address.", f"Check endpoint:. {_LATER}") from None

    def listed(self) -> list[dict[str, Any]]:
        """The objects that the path names, in the order of their names."""
        path = self._source.path
        prefix = path.partition("*")[0].rpartition("/")[0]
        with _told(self):
            pages = self._api.list(self._store, prefix=prefix or None, chunk_size=1000)
            every = [dict(o) for page in pages for o in page]
        found = sorted((o for o in every if fnmatchcase(str(o["path"]), path)), key=lambda o: str(o["path"]))
        if not found:
            raise self.refused("D140", "has no object that path: names.", "Correct path:, or ask who sends the files.")
        return found

    def landed(self, there: dict[str, Any], before: Landed | None) -> Landed:
        """An object, as it was landed before where it is still the same."""
        etag = str(there.get("e_tag") or "")
        if before is not None and etag and (before.etag, before.size) == (etag, there["size"]):
            return before
        path = str(there["path"])
        part = self._landing.folder / f".{hashlib.sha256(path.encode()).hexdigest()[:16]}.part"
        digest, size = hashlib.sha256(), 0
        with self._landing.opened(part, os.O_TRUNC) as file:
            for block in self._blocks(path, etag):
                file.write(block)
                digest.update(block)
                size += len(block)
            file.flush()
            os.fsync(file.fileno())
        if size != there["size"]:
            raise self.refused("D136", "sent an object that is not as long as it says.", _LATER)
        stem, ending = named(path, self._source.as_.get("kind", "csv"))
        about = Landed("", "", 0, self.address(there), now(), etag, str(there.get("last_modified") or ""))
        made = self._landing.take(part, stem, ending, digest.hexdigest(), about)
        check_file(self._landing.folder / made.file, self._source.source, self._refused_at, path)
        return made

    def _blocks(self, path: str, etag: str) -> Iterator[bytes]:
        with _told(self):
            # If-Match: an object that is replaced while it is fetched is not mixed with its successor.
            given = self._api.get(self._store, path, options={"if_match": etag} if etag else {})
            for block in given.stream(min_chunk_size=_BLOCK):
                yield bytes(block)

    def address(self, there: dict[str, Any]) -> str:
        """Where an object lies, without anything secret."""
        return f"{self._shown}/{there['path']}"

    def refused(self, code: str, why: str, fix: str) -> Refused:
        return Refused([self._landing.problem(code, f"{self._shown} {why}", fix)])

    def _refused_at(self, code: str, address: str, why: str, fix: str) -> Refused:
        return self.refused(code, f"({address}) {why}", fix)

    @property
    def _shown(self) -> str:
        return (
            f"{self._source.endpoint}/{self._source.bucket}" if self._source.endpoint else f"s3://{self._source.bucket}"
        )


class _told:  # noqa: N801  # read as a word: with _told(bucket)
    """Whatever the store says, as a problem: never a key, never a value."""

    def __init__(self, bucket: _Bucket) -> None:
        self._bucket = bucket

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, fault: BaseException | None, _: object) -> None:
        if fault is None or isinstance(fault, GeneratorExit | Refused):
            return
        from obstore import exceptions as known  # waits for the extra 's3'

        if isinstance(fault, known.PreconditionError):
            raise self._bucket.refused("D138", "has an object that changed while it was fetched.", _LATER) from None
        # A list that is not allowed is told as an error like any other; its text is looked at, and not shown.
        is_closed = isinstance(fault, known.GenericError) and _CLOSED.search(str(fault))
        if isinstance(fault, known.PermissionDeniedError | known.UnauthenticatedError) or is_closed:
            fix = "Write key_id_from: and secret_from:, or ask who runs the store for the right to list and read."
            raise self._bucket.refused("D142", "does not let this key in.", fix) from None
        is_missing = isinstance(fault, known.GenericError) and "NoSuchBucket" in str(fault)
        if isinstance(fault, known.NotFoundError | FileNotFoundError) or is_missing:
            raise self._bucket.refused("D140", "has no such bucket or object.", "Correct bucket: and path:.") from None
        if isinstance(fault, known.BaseError):
            fix = f"Check endpoint:, region: and the network. {_LATER}"
            raise self._bucket.refused("D133", "cannot be reached, or broke off.", fix) from None
