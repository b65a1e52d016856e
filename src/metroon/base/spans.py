"""Spans: bytes of a file, from one place to another, that the engine reads as a file of its own.

Of a text whose lines are known, several spans are read at once, and the number of a line is still known in each.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from threading import local
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from io import FileIO
    from pathlib import Path


@dataclass(frozen=True)
class Span:
    """Bytes of a text: whole lines.

    Args:
        begin: The first byte, from 0.
        end: The byte after the last.
        line: The number of its first line, from 1.
    """

    begin: int
    end: int
    line: int


class Spans:
    """Spans of files under names of their own, for one engine. They are read only."""

    protocol = "span"

    def __init__(self) -> None:
        self._known: list[tuple[Path, Span]] = []

    def name(self, file: Path, spans: Sequence[Span]) -> list[str]:
        """The names under which the engine finds spans of a file."""
        first = len(self._known)
        self._known += [(file, span) for span in spans]
        return [f"{self.protocol}://{i}" for i in range(first, len(self._known))]

    def file_system(self) -> Any:
        """What the engine reads the spans through."""
        from fsspec import AbstractFileSystem  # few need it, and it takes a while

        def find(path: str) -> tuple[Path, Span]:
            return self._known[int(path.rpartition("/")[2])]

        class Files(AbstractFileSystem):  # type: ignore[misc]  # fsspec has no types
            protocol = self.protocol
            cachable = False

            def info(self, path: str, **_: Any) -> dict[str, Any]:
                file, span = find(path)
                changed = file.stat().st_mtime
                return {"name": path, "size": span.end - span.begin, "type": "file", "mtime": changed}

            def modified(self, path: str) -> datetime:
                return datetime.fromtimestamp(self.info(path)["mtime"], UTC)

            def glob(self, path: str, **_: Any) -> list[str]:
                return [path]  # no name is a pattern

            def open(self, path: str, *_: Any, **__: Any) -> _Opened:
                return _Opened(*find(path))

        return Files()


class _Opened:
    """A span that is open. The engine's threads place and read by turns, so each has the file open for itself."""

    def __init__(self, file: Path, span: Span) -> None:
        self._file, self._span, self._own = file, span, local()
        self._opened: list[FileIO] = []

    def seek(self, at: int, _whence: int = 0) -> int:
        self._raw.seek(self._span.begin + at)
        return at

    def tell(self) -> int:
        return self._raw.tell() - self._span.begin

    def read(self, most: int) -> bytes:
        return self._raw.read(max(0, min(most, self._span.end - self._raw.tell()))) or b""

    def flush(self) -> None:
        """Nothing is written."""

    def close(self) -> None:
        for raw in self._opened:
            raw.close()

    def __del__(self) -> None:
        # Where a text turns out not to be what it was taken for, the engine lets go of it without a word.
        self.close()

    @property
    def _raw(self) -> FileIO:
        if not hasattr(self._own, "raw"):
            self._own.raw = raw = self._file.open("rb", buffering=0)
            self._opened.append(raw)
            raw.seek(self._span.begin)
        found: FileIO = self._own.raw
        return found
