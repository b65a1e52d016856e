"""The number of the lake's format: what a newer Metroon wrote is not touched, what an older one wrote is migrated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from metroon.base import private
from metroon.base.errors import Problem, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

NAME = "format"
"""A file in the lake's folder that holds the number and nothing else."""
NOW = 1
"""What this code writes: folders of Delta tables, in two zones, with the evidence in the commits."""


def _number(lake: Path) -> None:
    """From 0, before there were numbers: the tables are the same."""


STEPS: Mapping[int, Callable[[Path], None]] = {0: _number}
"""Number -> what makes a lake of that format one of the next."""


def number(lake: Path) -> int:
    """The format of a lake; 0 when it says none.

    Args:
        lake: Its folder.

    Raises:
        Refused: The number cannot be read (F111).
    """
    file = lake / NAME
    try:
        return int(file.read_text(encoding="ascii"))
    except (FileNotFoundError, NotADirectoryError):
        return 0
    except (OSError, ValueError) as error:
        what, fix = f"it holds no number of a format ({type(error).__name__}).", "Restore it from a backup."
        raise Refused([Problem(str(file), 0, "F111", what, fix)]) from None


def look(lake: Path) -> None:
    """Stop before a lake is touched that a newer Metroon wrote.

    Args:
        lake: Its folder.

    Raises:
        Refused: It did (F110), or the number cannot be read (F111).
    """
    if (found := number(lake)) > NOW:
        what = f"a newer Metroon wrote this lake: its format is {found}, and this one knows {NOW}."
        fix = "Install the version of Metroon that wrote it, or a later one. Nothing was changed."
        raise Refused([Problem(str(lake / NAME), 0, "F110", what, fix)])


def migrate(lake: Path) -> list[int]:
    """Make a lake one of this code's format, step by step; each step is written down when it is done.

    Args:
        lake: Its folder; made when it is not there.

    Returns:
        The formats that it had before each step.

    Raises:
        Refused: A newer Metroon wrote it (F110), or it cannot be written (L101).
    """
    look(lake)
    is_new = not lake.is_dir()
    done = []
    try:
        lake.mkdir(parents=True, exist_ok=True)
        for step in range(NOW if is_new else number(lake), NOW):
            STEPS[step](lake)
            private.save(f"{step + 1}\n".encode(), lake / NAME)
            done.append(step)
        if is_new:
            private.save(f"{NOW}\n".encode(), lake / NAME)
    except OSError as error:
        what = f"the folder cannot be written ({type(error).__name__})."
        fix = "Check free space and rights of the folder; the last good versions stay."
        raise Refused([Problem(str(lake), 0, "L101", what, fix)]) from error
    return done
