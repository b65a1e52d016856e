from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

from rich.console import Console

if TYPE_CHECKING:
    from rich.console import RenderableType


def shown(part: RenderableType, *, width: int = 112, terminal: bool = False, colour: bool = False) -> str:
    """What is printed: in a pipe, or in a terminal with or without colour."""
    out = io.StringIO()
    console = Console(
        file=out,
        width=width,
        force_terminal=terminal,
        no_color=not colour,
        color_system="truecolor" if colour else None,
        legacy_windows=False,
    )
    console.print(part)
    return out.getvalue()


def without_codes(printed: str) -> str:
    return re.sub(r"\x1b\[[\d;]*m", "", printed)
