"""A moment of the lake: the files that make up what was there at one time, also while a run is at work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from metroon.base.errors import Problem, Refused

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LOG = "_delta_log"
_TRIES = 200


def moment(lake: Path) -> list[Path]:
    """The logs of all tables as they stood at one time, and the data files that they name and that are there.

    A version is in its log after everything that it was made of is in theirs, so logs that do not change while all of
    them are listed belong together.

    Args:
        lake: The lake's folder.

    Raises:
        Refused: Runs write without a pause (F112).
    """
    logs = list(_logs(lake))
    for _ in range(_TRIES):
        again = list(_logs(lake))
        if again == logs:
            return [*logs, *_data(lake, logs)]
        logs = again
    fix = "Try again when fewer runs are at work."
    raise Refused([Problem(str(lake), 0, "F112", "runs write without a pause, so that no moment can be kept.", fix)])


def _logs(lake: Path) -> Iterator[Path]:
    """The files of every log, the pointers to their middle first."""
    if (lake / "format").is_file():
        yield lake / "format"
    for folder in sorted(lake.glob(f"*/*/{_LOG}")):
        files = sorted(f for f in folder.iterdir() if f.is_file() and not f.name.endswith(".tmp"))
        yield from sorted(files, key=lambda f: not f.name.startswith("_"))


def _data(lake: Path, logs: list[Path]) -> Iterator[Path]:
    told: dict[Path, list[str]] = {}
    for log in logs:
        if log.suffix == ".json":
            told.setdefault(log.parent.parent, []).append(log.read_text(encoding="utf-8"))
    for table, texts in sorted(told.items()):
        text = "".join(texts)
        yield from (f for f in sorted(table.rglob("*.parquet")) if f.parent.name != _LOG and f.name in text)
