"""Patterns: forms of text that point to a person, each with the rule that tells it from a lookalike.

A pattern proves nothing about one value. What counts is the share of a column's values that it fits.
"""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING

from metroon.base.names import is_name

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

_EMAIL = re.compile(r"[^\s@,;<>]+@[^\s@,;<>]+\.[A-Za-z]{2,}")
_PHONE = re.compile(
    r"(?:\+?1[-. ]?)?(?:\(([2-9]\d{2})\) ?|([2-9]\d{2})[-. ])([2-9]\d{2})[-. ]?(\d{4})(?: ?(?:x|ext\.?) ?\d+)?"
)
_BARE_PHONE = re.compile(r"\+?1?[2-9]\d{2}[2-9]\d{6}")
_SSN = re.compile(r"(\d{3})([- ])(\d{2})\2(\d{4})")
_BARE_SSN = re.compile(r"(\d{3})(\d{2})(\d{4})")
_CARD = re.compile(r"\d{4}[ -]?(?:\d{4,6}[ -]?){2}\d{1,7}")
# Issuers and the lengths of their numbers (ISO/IEC 7812-1): Visa, Mastercard, American Express, Discover, Diners, JCB.
_ISSUERS = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})|5[1-5]\d{14}|2(?:2[3-9]|[3-6]\d|7[01])\d{13}|3[47]\d{13}|6(?:011|4[4-9]\d|5\d\d)\d{12}"
    r"|3(?:0[0-5]|[689]\d)\d{11}|35(?:2[89]|[3-8]\d)\d{12}"
)
_ITIN = re.compile(r"9\d\d([- ]?)(?:5\d|6[0-5]|7\d|8[0-8]|9[0-2]|9[4-9])\1\d{4}")
_NPI = re.compile(r"[12]\d{9}")
_ROUTING = re.compile(r"(?:0\d|1[0-2]|2[1-9]|3[0-2]|6[1-9]|7[0-2]|80)\d{7}")
# 11 signs, letters without S, L, O, I, B, Z, positions fixed (CMS, Medicare Beneficiary Identifier format).
_MBI = re.compile(
    r"[1-9][AC-HJKMNP-RT-Y][AC-HJKMNP-RT-Y\d]\d-?[AC-HJKMNP-RT-Y][AC-HJKMNP-RT-Y\d]\d-?[AC-HJKMNP-RT-Y]{2}\d\d"
)
_MAC = re.compile(r"(?i)[0-9a-f]{2}(?:([:-])[0-9a-f]{2})(?:\1[0-9a-f]{2}){4}")
_UUID = re.compile(r"(?i)[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
_PARCEL = re.compile(r"\d{3}-\d{2,3}-\d{2,3}(?:-\d{2})?")
_IBAN = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}")
# Of the countries whose accounts a city meets most; others are held to the check digits alone.
_IBAN_LENGTHS = {"AT": 20, "BE": 16, "CH": 21, "DE": 22, "ES": 24, "FR": 27, "GB": 22, "IE": 22, "IT": 27, "NL": 18,
                 "PL": 28, "PT": 25, "SE": 24}  # fmt: skip
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
    plain = re.sub(r"[ -]", "", text)
    return bool(_CARD.fullmatch(text)) and bool(_ISSUERS.fullmatch(plain)) and _luhn(plain)


def _luhn(digits: str) -> bool:
    # The last digit makes the sum, each second one doubled, a multiple of 10 (ISO/IEC 7812-1, annex B).
    listed = [int(c) for c in reversed(digits)]
    return sum(d if i % 2 == 0 else (d * 2 - 9 if d > 4 else d * 2) for i, d in enumerate(listed)) % 10 == 0


def is_npi(text: str) -> bool:
    """Whether a text is a health provider's number: ten digits that check with the prefix 80840 (45 CFR 162.406).

    Example:
        >>> is_npi("1234567893"), is_npi("1234567890")
        (True, False)
    """
    return bool(_NPI.fullmatch(text)) and _luhn("80840" + text)


def is_routing(text: str) -> bool:
    """Whether a text is a bank's routing number: nine digits with weights 3, 7, 1 (American Bankers Association).

    Example:
        >>> is_routing("011000015"), is_routing("011000016")
        (True, False)
    """
    return (
        bool(_ROUTING.fullmatch(text)) and sum(int(c) * w for c, w in zip(text, (3, 7, 1) * 3, strict=True)) % 10 == 0
    )


def is_iban(text: str) -> bool:
    """Whether a text is a bank account's IBAN (ISO 13616, modulo 97).

    Example:
        >>> is_iban("GB82 WEST 1234 5698 7654 32"), is_iban("GB83 WEST 1234 5698 7654 32")
        (True, False)
    """
    plain = text.replace(" ", "")
    if not _IBAN.fullmatch(plain) or _IBAN_LENGTHS.get(plain[:2], len(plain)) != len(plain):
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
    "ipv6": lambda t: _is_ipv6(t),
    "mac": lambda t: bool(_MAC.fullmatch(t)),
    "uuid": lambda t: bool(_UUID.fullmatch(t)),
    "itin": lambda t: bool(_ITIN.fullmatch(t)),
    "npi": is_npi,
    "routing": is_routing,
    "mbi": lambda t: bool(_MBI.fullmatch(t)),
    "parcel": lambda t: bool(_PARCEL.fullmatch(t)),
    "name": is_name,
    "licence": lambda t: bool(_LICENCE.fullmatch(t)),
    "plate": lambda t: bool(_PLATE.fullmatch(t.replace(" ", ""))),
    "address": lambda t: bool(_ADDRESS.fullmatch(t)),
    "point": lambda t: bool(_POINT.fullmatch(t)),
    "shape": lambda t: bool(_SHAPE.fullmatch(t)),
    "clock": lambda t: bool(_CLOCK.fullmatch(t)),
    "url": lambda t: bool(_URL.fullmatch(t)),
}
"""Name -> whether a text fits: e-mail, North American phone, social security and taxpayer number, card, IBAN, routing
number, VIN, device addresses, health provider and beneficiary, parcel, name of a person, California licence and plate,
street address, point, shape, time of day, web address."""

CHANCE: Mapping[str, float] = {
    "card": 0.1, "iban": 1 / 97, "vin": 1 / 11, "npi": 0.1, "routing": 0.1, "bare ssn": 0.889, "ssn": 0.889,
    "bare phone": 0.64,
}  # fmt: skip
"""Pattern -> share of texts of its form that pass its rule although they are something else.

One check digit of ten passes one in ten (Luhn, ABA), of eleven one in eleven (VIN), modulo 97 one in 97. Of nine random
digits 898/1000 x 99/100 x 9999/10000 = 0.889 pass the rules of social security numbers, of ten 0.8 x 0.8 those of
telephone numbers: such a form alone says little.
"""
_FORMS: Mapping[str, re.Pattern[str]] = {
    "card": re.compile(r"(?:\d[ -]?){13,19}"),
    "iban": _IBAN,
    "vin": re.compile(r"[A-Z0-9]{8}[\dX][A-Z0-9]{8}"),
    "npi": re.compile(r"\d{10}"),
    "routing": re.compile(r"\d{9}"),
    "ssn": re.compile(r"\d{3}[- ]\d{2}[- ]\d{4}"),
}


def _is_ipv6(text: str) -> bool:
    if text.count(":") < 2:
        return False
    try:
        return ipaddress.ip_address(text).version == 6
    except ValueError:
        return False


def hits(values: Iterable[tuple[str, int]], among: Collection[str] | None = None) -> dict[str, float]:
    """The share of a column's values that fits each pattern.

    Args:
        values: Value and how often it stands.
        among: Patterns to try; all of them unless named.

    Returns:
        Pattern -> share of the rows, 0-1; only patterns that fit at all. For patterns with a rule that chance can
        pass, such as a check digit, ``PATTERN form`` is the share that has the form, right or wrong.

    Example:
        >>> hits([("ana@example.org", 3), ("none", 1)])
        {'email': 0.75}
    """
    listed = [(text[:_LONGEST], n) for text, n in values]
    total = sum(n for _, n in listed)
    tried = PATTERNS.keys() if among is None else among
    found = {name: sum(n for text, n in listed if PATTERNS[name](text)) for name in tried}
    forms = {name: form for name, form in _FORMS.items() if name in tried}
    found |= {f"{name} form": sum(n for text, n in listed if form.fullmatch(text)) for name, form in forms.items()}
    return {name: n / total for name, n in found.items() if n}
