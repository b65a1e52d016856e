"""Bring sources in.

In: files, or other products' rows, and the contract that names the columns. Out: ``Raw`` rows, every record
with its file and line, and the deliveries that were refused whole.
"""

from metroon.collect.landing import Landing
from metroon.collect.source import (
    FILE,
    LINE,
    RECORD,
    REJECT,
    FileSource,
    Known,
    Piece,
    Raw,
    Reading,
    RemoteSource,
    Source,
    sha256,
)

__all__ = [
    "FILE",
    "LINE",
    "RECORD",
    "REJECT",
    "FileSource",
    "Known",
    "Landing",
    "Piece",
    "Raw",
    "Reading",
    "RemoteSource",
    "Source",
    "sha256",
]
