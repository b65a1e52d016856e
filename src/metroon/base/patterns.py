"""Patterns: forms of text that point to a person, each with the rule that tells it from a lookalike.

A pattern proves nothing about one value. What counts is the share of a column's values that it fits.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_EMAIL = re.compile(r"[^\s@,;<>]+@[^\s@,;<>]+\.[A-Za-z]{2,}")
_PHONE = re.compile(
    r"(?:\+?1[-. ]?)?(?:\(([2-9]\d{2})\) ?|([2-9]\d{2})[-. ])([2-9]\d{2})[-. ]?(\d{4})(?: ?(?:x|ext\.?) ?\d+)?"
)
_BARE_PHONE = re.compile(r"\+?1?[2-9]\d{2}[2-9]\d{6}")
_SSN = re.compile(r"(\d{3})([- ])(\d{2})\2(\d{4})")
_BARE_SSN = re.compile(r"(\d{3})(\d{2})(\d{4})")
_CARD = re.compile(r"[3-6]\d{3}[ -]?(?:\d{4,6}[ -]?){2}\d{1,7}")
_IBAN = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}")
_VIN = re.compile(r"[A-HJ-NPR-Z0-9]{17}")
_IP = re.compile(r"(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)")
_LICENCE = re.compile(r"[A-Z]\d{7}")
_PLATE = re.compile(r"[1-9][A-Z]{3}\d{3}")
_STREETS = (
    "st|street|ave?|avenue|av|blvd|bl|boulevard|rd|road|dr|drive|ln|lane|ct|court|wy|way|pl|place|ter|terrace|cir|circle"
    "|pkwy|expwy|hwy|highway|sq|square|aly|alley|calle|camino|avenida|paseo|via"
)
_ADDRESS = re.compile(rf"(?i)\d+[a-z]?(?:-\d+)? (?:.* )?(?:{_STREETS})\b\.?.*|(?:calle|avenida|paseo) .*\d+.*")
_POINT = re.compile(r"(?i)\(? ?-?\d{1,3}\.\d{3,} ?, ?-?\d{1,3}\.\d{3,} ?\)?|(?:SRID=\d+;)?POINT ?Z? ?\(.*\)")
_SHAPE = re.compile(r"(?i)0[01]0[1-7]0000[0-9a-f]{30,}|(?:SRID=\d+;)?(?:MULTI)?(?:LINESTRING|POLYGON) ?Z? ?\(.*")
_CLOCK = re.compile(r"(?i)([01]?\d|2[0-4]):[0-5]\d(:[0-5]\d)?( ?[ap]m)?")
_LONGEST = 400  # what is longer is a text or a shape, whatever stands at its end
_URL = re.compile(r"(?i)(?:https?|ftp)://\S+|www\.\S+")


def is_card(text: str) -> bool:
    """Whether a text is a payment card's number: 13 to 19 digits whose last one checks (Luhn).

    Example:
        >>> is_card("4111 1111 1111 1111"), is_card("4111 1111 1111 1112")
        (True, False)
    """
    digits = [int(c) for c in text if c.isdigit()]
    if not _CARD.fullmatch(text) or not 13 <= len(digits) <= 19:
        return False
    doubled = [d if i % 2 == 0 else (d * 2 - 9 if d > 4 else d * 2) for i, d in enumerate(reversed(digits))]
    return sum(doubled) % 10 == 0


def is_iban(text: str) -> bool:
    """Whether a text is a bank account's IBAN (ISO 13616, modulo 97).

    Example:
        >>> is_iban("GB82 WEST 1234 5698 7654 32"), is_iban("GB83 WEST 1234 5698 7654 32")
        (True, False)
    """
    plain = text.replace(" ", "")
    if not _IBAN.fullmatch(plain):
        return False
    return int("".join(str(int(c, 36)) for c in plain[4:] + plain[:4])) % 97 == 1


def is_vin(text: str) -> bool:
    """Whether a text is a vehicle's identification number with the right check digit (49 CFR 565.15).

    Example:
        >>> is_vin("1M8GDM9AXKP042788"), is_vin("1M8GDM9A1KP042788")
        (True, False)
    """
    if not _VIN.fullmatch(text):
        return False
    letters = dict(zip("ABCDEFGHJKLMNPRSTUVWXYZ", [*range(1, 9), *range(1, 6), 7, 9, *range(2, 10)], strict=True))
    weights = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
    rest = sum((int(c) if c.isdigit() else letters[c]) * w for c, w in zip(text, weights, strict=True)) % 11
    return text[8] == ("X" if rest == 10 else str(rest))


def is_ssn(text: str, *, is_bare: bool = False) -> bool:
    """Whether a text is a social security number: area not 000, 666 or 900-999, group not 00, serial not 0000.

    Args:
        text: Any text.
        is_bare: Nine digits without hyphens; most nine-digit numbers pass, so that this alone says little.

    Example:
        >>> is_ssn("123-45-6789"), is_ssn("900-45-6789"), is_ssn("123456789"), is_ssn("123456789", is_bare=True)
        (True, False, False, True)
    """
    found = (_BARE_SSN if is_bare else _SSN).fullmatch(text)
    if not found:
        return False
    area, group, serial = found[1], found[found.re.groups - 1], found[found.re.groups]
    return area not in ("000", "666") and area < "900" and group != "00" and serial != "0000"


PATTERNS: Mapping[str, Callable[[str], bool]] = {
    "email": lambda t: bool(_EMAIL.fullmatch(t)),
    "phone": lambda t: bool(_PHONE.fullmatch(t)),
    "bare phone": lambda t: bool(_BARE_PHONE.fullmatch(t)),
    "ssn": is_ssn,
    "bare ssn": lambda t: is_ssn(t, is_bare=True),
    "card": is_card,
    "iban": is_iban,
    "vin": is_vin,
    "ip": lambda t: bool(_IP.fullmatch(t)),
    "licence": lambda t: bool(_LICENCE.fullmatch(t)),
    "plate": lambda t: bool(_PLATE.fullmatch(t.replace(" ", ""))),
    "address": lambda t: bool(_ADDRESS.fullmatch(t)),
    "point": lambda t: bool(_POINT.fullmatch(t)),
    "shape": lambda t: bool(_SHAPE.fullmatch(t)),
    "clock": lambda t: bool(_CLOCK.fullmatch(t)),
    "url": lambda t: bool(_URL.fullmatch(t)),
}
"""Name -> whether a text fits: e-mail, North American phone, social security, card, IBAN, VIN, IP, California licence
and plate, street address, point, shape, time of day, web address."""


def hits(values: Iterable[tuple[str, int]]) -> dict[str, float]:
    """The share of a column's values that fits each pattern.

    Args:
        values: Value and how often it stands.

    Returns:
        Pattern -> share of the rows, 0-1; only patterns that fit at all.

    Example:
        >>> hits([("ana@example.org", 3), ("none", 1)])
        {'email': 0.75}
    """
    listed = [(text[:_LONGEST], n) for text, n in values]
    total = sum(n for _, n in listed)
    found = {name: sum(n for text, n in listed if fits(text)) for name, fits in PATTERNS.items()}
    return {name: n / total for name, n in found.items() if n}
