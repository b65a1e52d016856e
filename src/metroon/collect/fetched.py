"""Fetched files: what all sources share that bring whole files from elsewhere, to be read as any kind of file."""

from __future__ import annotations

import re
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Protocol

from pydantic import Field, field_validator

from metroon.base.errors import Refused
from metroon.base.kinds import build
from metroon.base.node import Node
from metroon.collect.deliveries import Unreadable
from metroon.collect.source import FileSource, RemoteSource

if TYPE_CHECKING:
    from collections.abc import Mapping

    from metroon.collect.landing import Landing
    from metroon.collect.source import Raw, Reading

_USUAL = {"geofile": "geojson", "excel": "xlsx"}


class FetchedSource(RemoteSource):
    """A source of whole files that lie elsewhere."""

    as_: dict[str, Any] = Field({"kind": "csv"}, alias="as")
    """How files are read: the kind of files and its options, without path, such as {kind: csv, delimiter: ";"}."""

    @field_validator("as_")
    @classmethod
    def _kind(cls, given: dict[str, Any]) -> dict[str, Any]:
        file_source(given)
        return given

    @cached_property
    def source(self) -> FileSource:
        """What reads the files."""
        return file_source(self.as_)

    def files(self, data: Path, folder: Path) -> list[Path]:
        """The files that were landed."""
        return self.source.files(data, folder)

    def read(self, reading: Reading) -> Raw:
        """Every record of the files that were landed."""
        return self.source.read(reading)

    def parts(self, delivery: Path) -> list[Path]:
        """The file itself."""
        return self.source.parts(delivery)

    def headers(self, landing: Landing) -> list[str]:
        """The columns of what was landed."""
        return list(dict.fromkeys(name for file in landing.deliveries() for name in self.source.headers(file)))


class Teller(Protocol):
    """What tells of a fault at an address."""

    def __call__(self, code: str, address: str, why: str, fix: str) -> Refused:
        """A refusal that names the address."""


def file_source(options: Mapping[str, Any]) -> FileSource:
    """What reads files that are fetched, as ``as:`` declares it.

    Args:
        options: Its kind and its options.

    Raises:
        ValueError: There is no such kind of files, or its options do not fit.
    """
    try:
        return build("collect", Node({"kind": "csv", "path": "*", **options}, ""), FileSource)
    except Refused as refused:
        raise ValueError(f"{refused.problems[0].what} Fix: {refused.problems[0].fix}") from None


def named(path: str, kind: object) -> tuple[str, str]:
    """What a landed file's name begins and ends with, by where it lies there.

    Args:
        path: Where it lies.
        kind: The kind of file, where the path does not end as one.

    Example:
        >>> named("fire/incidents 2026.CSV", "csv"), named("export", "excel")
        (('fire_incidents_2026', 'csv'), ('export', 'xlsx'))
    """
    suffix = PurePosixPath(path).suffix
    told = suffix.lstrip(".").lower()
    is_ending = told.isascii() and told.isalnum() and len(told) <= 10
    stem = re.sub(r"[^A-Za-z0-9_-]+", "_", path.removesuffix(suffix) if is_ending else path).strip("_")
    return stem[-100:] or "file", told if is_ending else _USUAL.get(str(kind), str(kind))


def check_file(file: Path, source: FileSource, refused: Teller, address: str) -> None:
    """Look whether a file that was fetched is what it should be, before it takes the place of the last one.

    Args:
        file: The file.
        source: What is to read it.
        refused: Tells of a fault.
        address: Where it came from.

    Raises:
        Refused: It is a web page, or not what its kind reads (D135).
    """
    with file.open("rb") as opened:
        start = opened.read(300).lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    fix = "Check the address and as: in product.yaml; a sign-in page needs token_from:."
    if start.startswith((b"<!doctype", b"<html")):
        raise refused("D135", address, "answers with a web page where a file was asked for.", fix)
    if start.startswith(b"{") and b'"error"' in start and b'"features"' not in start:
        raise refused("D135", address, "answers with an error where a file was asked for.", fix)
    try:
        source.headers(file)
    except (Unreadable, OSError) as fault:
        told = f"{fault.fix} {fix}" if isinstance(fault, Unreadable) else fix
        raise refused("D135", address, f"gives a file that is not what as: says: {fault}", told) from None
