"""Signs: what people write into numbers beside digits, and how it is read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

SIGNS: dict[str, tuple[str, str]] = {
    "parentheses": (r"^\(([^()]*)\)$", r"-\1"),
    "trailing minus": (r"^([^-+]*[^-+ ]) ?-$", r"-\1"),
    "percent": (r"([0-9.]) ?%$", r"\1"),
    "currency": (r"^([-+]?)[$€£] ?([-+]?[0-9.])", r"\1\2"),
    "thousands": (
        r"^([-+]?[0-9]{1,3}),([0-9]{3})(?:,([0-9]{3}))?(?:,([0-9]{3}))?(?:,([0-9]{3}))?(\.[0-9]*)?$",
        r"\1\2\3\4\5\6",
    ),
}
"""Sign -> what a number that has it looks like, and what is read instead; in the order in which they are read.

A percentage stays in percent: 12 % is 12. Each is one replacement, which leaves alone what does not look like it.
"""


def plain(text: str, signs: Collection[str]) -> str:
    """A number without the signs that it is declared to have; a text that is no such number stays as it is.

    Args:
        text: What stands in the file.
        signs: Which signs may be in it.

    Example:
        >>> plain("($1,234.50)", ["parentheses", "currency", "thousands"]), plain("1,23", ["thousands"])
        ('-1234.50', '1,23')
    """
    for sign, (looks, by) in SIGNS.items():
        if sign in signs:
            text = re.sub(looks, by, text)
    return text
