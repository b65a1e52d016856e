"""Archives: what a zip really holds, looked at before any program unpacks it."""

from __future__ import annotations

import zipfile
import zlib
from typing import TYPE_CHECKING

from metroon.collect.deliveries import Unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LARGEST = 2 << 30
"""Bytes that a zip may unpack to: a full sheet of a million rows and thirty columns has about half of it."""
_RATIO = 200
"""How many times its size a zip may unpack to. Sheets of equal cells come to about 100; bombs begin at 1,000."""
_SMALL = 64 << 20
"""Bytes that may be unpacked at any ratio: they do no harm."""
_STEP = 1 << 20
_AGAIN = "Ask the department to send it again, as one plain file."


def check_zip(file: Path) -> None:
    """Make sure that a zip unpacks to what a file of a city can be, by what it declares and by what is really in it.

    Raises:
        Unreadable: It is no whole zip, has a password, or unpacks to far more than its size or than it declares.
    """
    size = file.stat().st_size
    try:
        with zipfile.ZipFile(file) as bundle:
            entries = bundle.infolist()
            _hold(sum(e.file_size for e in entries), size)
            unpacked = 0
            for entry in entries:
                if entry.flag_bits & 1:
                    raise Unreadable("the file has a password.", "Ask the department to send it without one.")
                unpacked += _unpacked(file, bundle, entry, size, unpacked)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError, OSError):
        raise Unreadable("the file is no whole zip.", _AGAIN) from None


def _unpacked(file: Path, bundle: zipfile.ZipFile, entry: zipfile.ZipInfo, size: int, before: int) -> int:
    """The bytes of one entry, counted: ``zipfile`` stops at the declared size, where other programs go on."""
    if entry.compress_type != zipfile.ZIP_DEFLATED:
        with bundle.open(entry) as handle:
            while handle.read(_STEP):  # whole, and its checksum right
                pass
        return entry.file_size
    total = checksum = 0
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    for block in _packed(file, entry):
        given = block
        while given and not inflater.eof:
            made = inflater.decompress(given, _STEP)
            given = inflater.unconsumed_tail
            total += len(made)
            checksum = zlib.crc32(made, checksum)
            _hold(before + total, size)
    made = inflater.flush()
    total, checksum = total + len(made), zlib.crc32(made, checksum)
    if total > entry.file_size:
        raise Unreadable("the file holds more than it declares: it may be a zip bomb.", _AGAIN)
    if total != entry.file_size or checksum != entry.CRC:
        raise zipfile.BadZipFile
    return total


def _packed(file: Path, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    with file.open("rb") as handle:
        handle.seek(entry.header_offset + 26)
        name, extra = handle.read(2), handle.read(2)
        handle.seek(int.from_bytes(name, "little") + int.from_bytes(extra, "little"), 1)
        left = entry.compress_size
        while left and (block := handle.read(min(_STEP, left))):
            left -= len(block)
            yield block


def _hold(unpacked: int, size: int) -> None:
    if unpacked > LARGEST or unpacked > max(_SMALL, _RATIO * size):
        times = unpacked // max(size, 1)
        why = f"the file would unpack to {unpacked >> 20:,} MB or more, {times:,} times its size: it may be a zip bomb."
        raise Unreadable(why, _AGAIN)
