"""Signs: what people write into numbers beside digits, and how it is read."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

SIGNS: dict[str, tuple[str, str]] = {
    "parentheses": (r"^\(([^()]*)\)$", r"-\1"),
    "trailing minus": (r"^([^-+]*[^-+ ]) ?-$", r"-\1"),
    "percent": (r"([0-9.]) ?%$", r"\1"),
    "currency": (r"^([-+]?)[$€£] ?([-+]?[0-9.])|([0-9.]) ?[$€£]$", r"\1\2\3"),
    "thousands": (
        r"^([-+]?[0-9]{1,3}),([0-9]{3})(?:,([0-9]{3}))?(?:,([0-9]{3}))?(?:,([0-9]{3}))?(\.[0-9]*)?$",
        r"\1\2\3\4\5\6",
    ),
    "decimal comma": (
        r"^([-+]?[0-9]{1,3})\.([0-9]{3})(?:\.([0-9]{3}))?(?:\.([0-9]{3}))?(?:,([0-9]+))?$"
        r"|^([-+]?[0-9]+)(?:,([0-9]+))?$|^[^.]*\..*$",
        r"\1\2\3\4\6.\5\7",
    ),
}
"""Sign -> what a number that has it looks like, and what is read instead; in the order in which they are read.

A percentage stays in percent: 12 % is 12. Each is one replacement, which leaves alone what does not look like it; but
where the comma is declared to begin the decimals, 12.5 is no number, and is read as none.
"""

SPREADSHEET_DAYS = "spreadsheet days"
"""What days and times are written as that a spreadsheet program counts from 1900: 45292.5 is noon of 2024-01-01."""
EPOCH = date(1899, 12, 30)
"""The day that they are counted from: programs hold 1900 for a leap year, so that it fits from March 1900 on."""
COUNTED = (61, 2_958_465)
"""The first and the last day that they are read for: 1900-03-01 and 9999-12-31."""


def plain(text: str, signs: Collection[str]) -> str:
    """A number without the signs that it is declared to have; a text that is no such number stays as it is.

    Args:
        text: What stands in the file.
        signs: Which signs may be in it.

    Example:
        >>> plain("($1,234.50)", ["parentheses", "currency", "thousands"]), plain("1,23", ["thousands"])
        ('-1234.50', '1,23')
        >>> plain("1.234,50", ["decimal comma"]), plain("12.5", ["decimal comma"])
        ('1234.50', '.')
    """
    for sign, (looks, by) in SIGNS.items():
        if sign in signs:
            text = re.sub(looks, by, text)
    return text
