"""Scalars: any text written so that YAML reads back the same text."""

from __future__ import annotations

import json
import re

_PLAIN = re.compile(r"[A-Za-zÀ-ɏ_/][A-Za-zÀ-ɏ0-9 _./()%+'-]*")
_NOT_TEXT = re.compile(r"(?i)true|false|yes|no|on|off|y|n|null|nan|inf|\.(nan|inf)")
# What YAML may not hold as it is: control signs, its own line ends, and marks that no editor shows.
_UNSEEN = re.compile("[\x7f-\x9f\xad\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]|[\u200b-\u200f\u202a-\u202e]")


def scalar(text: str) -> str:
    """A text as YAML, plain where it can be.

    Example:
        >>> scalar("Priority 1"), scalar("no"), scalar("a: b"), scalar("2015")
        ('Priority 1', '"no"', '"a: b"', '"2015"')
    """
    if _PLAIN.fullmatch(text) and not _NOT_TEXT.fullmatch(text) and text == text.strip():
        return text
    quoted = json.dumps(text, ensure_ascii=False)
    return _UNSEEN.sub(lambda m: f"\\u{ord(m[0]):04x}", quoted)


def listed(texts: list[str] | tuple[str, ...]) -> str:
    """Texts as a YAML list on one line.

    Example:
        >>> listed(["a", "b, c"])
        '[a, "b, c"]'
    """
    return f"[{', '.join(scalar(t) for t in texts)}]"
