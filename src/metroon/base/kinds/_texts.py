"""Functions of texts, as DuckDB does them."""

from __future__ import annotations

import re

from sqlglot import exp

from metroon.base.engine import is_pattern
from metroon.base.kinds._call import Builder, Call, Entry, measured, same
from metroon.base.kinds._words import Unequal, apply, both, negated, text, unless

# DuckDB's parser lets through what RE2 knows; these are read in the same way by RE2 and by the engine behind Spark SQL.
_PATTERN = re.compile(
    r"(?:[A-Za-z0-9 _,:/@%='\".$^*+?|)]|-|\((?!\?)|\\[.+*?()\[\]{}|^$/-]|\\d|\{\d{1,3}(?:,\d{0,3})?\}"
    r"|\[\^?(?:[A-Za-z0-9 _,:/.]|-(?!-))+\])*"
)
# Blanks that DuckDB trims: the Unicode category Zs.
_BLANKS = "\x20\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
# Letters that become another letter, or several, in the one engine only; sigma, whose small form depends on its place.
_LOWERED = "[\u0130\u03a3\u1c89\ua7cb\ua7cc\ua7ce\ua7d2\ua7d4\ua7da\ua7dc\U00010d50-\U00010d65\U00016ea0-\U00016eb8]"
_RAISED = (
    "[\u00df\u0149\u019b\u01f0\u0264\u0390\u03b0\u0587\u1c8a\u1e96-\u1e9a\u1f50\u1f52\u1f54\u1f56\u1f80-\u1faf"
    "\u1fb2-\u1fb4\u1fb6\u1fb7\u1fbc\u1fc2-\u1fc4\u1fc6\u1fc7\u1fcc\u1fd2\u1fd3\u1fd6\u1fd7\u1fe2-\u1fe4\u1fe6\u1fe7"
    "\u1ff2-\u1ff4\u1ff6\u1ff7\u1ffc\ua7cd\ua7cf\ua7d3\ua7d5\ua7db\ufb00-\ufb06\ufb13-\ufb17\U00010d70-\U00010d85"
    "\U00016ebb-\U00016ed3]"
)


def _cased(function: str, unlike: str) -> Builder:
    def build(call: Call) -> exp.Expression:
        return unless(both(exp.RegexpLike, call[0], text(unlike)), apply(function, call[0]), "string")

    return build


def _like(call: Call) -> exp.Expression:
    if "\\" in call.text(1):
        raise Unequal("'like' with a backslash in its pattern")
    return exp.Paren(this=exp.Like(this=call[0], expression=text(call.text(1))))


def _searched(begin: str, end: str) -> Builder:
    def build(call: Call) -> exp.Expression:
        pattern = call.text(1)
        if not _PATTERN.fullmatch(pattern) or not is_pattern(pattern):
            raise Unequal(f"'{call.part.name}' with a pattern of more than plain characters, sets, groups and repeats")
        # A digit is one of ten for DuckDB, and one of hundreds for the engine behind Spark SQL.
        plain = re.sub(r"(?<!\\)((?:\\\\)*)\\d", r"\g<1>[0-9]", pattern)
        return both(exp.RegexpLike, call[0], text(f"{begin}{plain}{end}"))

    return build


def _joined(call: Call) -> exp.Expression:
    return apply("concat", *(apply("coalesce", a, text("")) for a in call.every))


TEXTS: tuple[Entry, ...] = (
    ("lower lcase", "text", _cased("lower", _LOWERED)),
    ("upper ucase", "text", _cased("upper", _RAISED)),
    ("trim", "text", lambda c: apply("btrim", c[0], text(_BLANKS))),
    ("ltrim", "text", lambda c: apply("ltrim", text(_BLANKS), c[0])),
    ("rtrim", "text", lambda c: apply("rtrim", text(_BLANKS), c[0])),
    ("length len char_length character_length", "text", measured("length")),
    ("strlen", "text", measured("octet_length")),
    ("left", "text integer", lambda c: apply("left", c[0], exp.Literal.number(c.number(1, low=0)))),
    ("right", "text integer", lambda c: apply("right", c[0], exp.Literal.number(c.number(1, low=0)))),
    ("substring substr", "text integer", lambda c: apply("substring", c[0], exp.Literal.number(c.number(1, low=1)))),
    (
        "substring substr",
        "text integer integer",
        lambda c: apply("substring", c[0], *(exp.Literal.number(c.number(i, low=2 - i)) for i in (1, 2))),
    ),
    ("starts_with prefix ^@", "text text", same("startswith")),
    ("ends_with suffix", "text text", same("endswith")),
    ("contains", "text text", same("contains")),
    ("strpos instr position", "text text", measured("instr")),
    ("replace", "text text text", same("replace")),
    (
        "split_part",
        "text text integer",
        lambda c: apply("split_part", c[0], text(c.text(1)), exp.Literal.number(c.number(2, low=1))),
    ),
    ("repeat", "text integer", lambda c: apply("repeat", c[0], exp.Literal.number(c.number(1, low=0, high=1000)))),
    ("||", "text text", same("concat")),
    ("concat", "text ...", _joined),
    ("concat_ws", "text ...", same("concat_ws")),
    ("~~", "text text", _like),
    ("!~~", "text text", lambda c: negated(_like(c))),
    ("regexp_matches", "text text", _searched("", "")),
    ("regexp_full_match", "text text", _searched("^(?:", ")$")),
    ("md5", "text", same("md5")),
    ("sha256", "text", lambda c: apply("sha2", c[0], exp.Literal.number(256))),
)  # fmt: skip
"""Functions of texts."""
