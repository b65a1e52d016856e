"""Formats: what a text or a whole number must look like where the contract names a format."""

from __future__ import annotations

_OCTET = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_IPV4 = rf"({_OCTET}\.){{3}}{_OCTET}"
_H = "[0-9a-fA-F]{1,4}"
# Eight groups; or :: in the place of one or more of them; the last two may be written as an IPv4 address.
_IPV6 = "|".join(
    [
        f"({_H}:){{7}}{_H}",
        f"({_H}:){{6}}{_IPV4}",
        *(f"({_H}(:{_H}){{0,{n - 1}}})?::(({_H}:){{0,{6 - n}}}{_H})?" if n else f"::(({_H}:){{0,6}}{_H})?"
          for n in range(7)),
        f"({_H}:){{7}}:",
        *(f"({_H}(:{_H}){{0,{n - 1}}})?::({_H}:){{0,{5 - n}}}{_IPV4}" if n else f"::({_H}:){{0,5}}{_IPV4}"
          for n in range(6)),
    ]
)  # fmt: skip
_LABEL = "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"

TEXTS: dict[str, str] = {
    "uuid": "[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}",
    "email": rf"[A-Za-z0-9.!#$%&'*+/=?^_`{{|}}~-]+@{_LABEL}(\.{_LABEL})*",
    "uri": r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+",
    "hostname": rf"{_LABEL}(\.{_LABEL})*",
    "ipv4": _IPV4,
    "ipv6": _IPV6,
    "byte": "([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?",
}
"""Format of a text -> the regular expression that the whole of it must match.

Source:
    RFC 9562 (uuid), the HTML standard's valid e-mail address (email), RFC 3986 section 3 (uri), RFC 1123 section 2.1
    (hostname), RFC 4291 section 2.2 (ipv6), RFC 4648 section 4 (byte: Base64).
"""
UNSEEN = ("binary", "password")
"""Formats of the standard that say how a text is to be treated, and that no text could break."""
INTEGERS: dict[str, tuple[int, int]] = {
    f"{sign}{bits}": (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if sign == "i" else (0, 2**bits - 1)
    for sign in "iu"
    for bits in (8, 16, 32, 64, 128)
}
"""Format of an integer -> the smallest and the largest number that it holds."""
NUMBERS: dict[str, float] = {"f32": 3.4028234663852886e38, "f64": 1.7976931348623157e308}
"""Format of a number -> the largest that it holds (IEEE 754)."""


def pattern(name: str) -> str | None:
    """The regular expression of a format of texts, from beginning to end; None where no text could break it.

    Example:
        >>> pattern("uuid"), pattern("password")
        ('^([0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12})$', None)
    """
    return f"^({TEXTS[name]})$" if name in TEXTS else None
