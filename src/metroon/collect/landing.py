"""Landing: what was fetched from elsewhere, kept as files by their hashes before anything is parsed."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from metroon.base import private
from metroon.base.errors import Problem, Refused

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from typing import BinaryIO

MANIFEST = ".landed.json"


@dataclass(frozen=True)
class Landed:
    """One file that was fetched.

    Args:
        file: Its name in the landing folder.
        sha256: Hash of its bytes.
        size: Bytes.
        address: Where it came from, without anything secret.
        fetched_at: When, in UTC.
        etag: What the server called this content; empty when it did not.
        last_modified: When the server says it was changed; empty when it did not.
        records: How many records the server says there are; None when it did not.
    """

    file: str
    sha256: str
    size: int
    address: str = ""
    fetched_at: str = ""
    etag: str = ""
    last_modified: str = ""
    records: int | None = None


class Landing:
    """The folder of one product into which its remote source is fetched.

    A file appears whole or not at all, and counts when the manifest names it.

    Args:
        folder: The product's own folder; made when it is not there.
        beside: The folder of product.yaml, for sources that read a file beside it.
    """

    def __init__(self, folder: Path, beside: Path | None = None) -> None:
        self.folder = folder
        self.beside = beside

    def landed(self) -> tuple[Landed, ...]:
        """What counts now, in the order of the deliveries; nothing before the first fetch.

        Raises:
            Refused: The manifest cannot be read.
        """
        try:
            told = json.loads((self.folder / MANIFEST).read_text(encoding="utf-8"))
            return tuple(Landed(**entry) for entry in told["files"])
        except FileNotFoundError:
            return ()
        except (OSError, ValueError, KeyError, TypeError):
            fix = "Restore it from a backup, or move the folder away: everything is then fetched anew."
            raise Refused([Problem(str(self.folder), 0, "D130", "its manifest cannot be read.", fix)]) from None

    @contextmanager
    def writing(self, name: str) -> Iterator[BinaryIO]:
        """A file to write; it gets its name when all of it is written and synced.

        Args:
            name: Its name in the folder; it counts once ``keep`` names it.
        """
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        part = self.folder / f".{name}.part"
        try:
            with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            part.replace(self.folder / name)
        finally:
            part.unlink(missing_ok=True)

    def keep(self, files: Sequence[Landed]) -> None:
        """Say which files count from now on; all others in the folder are removed."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        told = json.dumps({"files": [asdict(f) for f in files]}, indent=1, sort_keys=True)
        private.save(told.encode(), self.folder / MANIFEST)
        known = {f.file for f in files} | {MANIFEST}
        for file in self.folder.iterdir():
            if file.is_file() and file.name not in known:
                file.unlink()
