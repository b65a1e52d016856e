"""Suggestions: what a column may tell about people, from its name and the shape of its values.

A suggestion decides nothing: a person reads it in the contract and changes what is wrong. In doubt it is the
stricter class, because a column that is kept back by mistake costs a line of YAML, and the other mistake cannot
be undone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from metroon.base.patterns import CHANCE
from metroon.guard.hints import FEW, IDENTIFYING, IS_THING, TELLING, THING_DATE, Hint, is_list

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from metroon.base.profile import ColumnProfile, Profile
    from metroon.city.contract import Classification


@dataclass(frozen=True)
class Suggestion:
    """What a column most likely is.

    Args:
        classification: The class, as a contract writes it.
        reason: Why, in words that a steward can check; never a value.
        is_person: Whether the column says that each row is about one person.
        score: How much speaks for it, 0 to 1: the share of values that fit, or how telling a name or shape is.
    """

    classification: Classification
    reason: str
    is_person: bool = False
    score: float = 0.3


_OPEN = {"public"}
_CLOSED = {"direct", "sensitive", "free text", "linkage key"}


@dataclass(frozen=True)
class Classified:
    """One column, with what was declared and what its name and values suggest.

    Args:
        column: Its name.
        declared: The class in the contract; None when nobody has decided, or there is no contract.
        suggested: The class that is suggested.
        reason: The evidence, in words; never a value.
        score: How much speaks for it, 0 to 1.
        declassified: Who lowered the class, when somebody did.
    """

    column: str
    declared: Classification | None
    suggested: Classification
    reason: str
    score: float
    declassified: str = ""

    @property
    def is_doubtful(self) -> bool:
        """Whether a column that may leave looks like one that must not, and nobody has said why."""
        return self.declared in _OPEN and self.suggested in _CLOSED and not self.declassified

    @property
    def differs(self) -> bool:
        """Whether the two are not the same."""
        return self.declared != self.suggested


MOST = 0.8
"""Share of the values that must fit a pattern for the whole column to be that."""
SOME = 0.02
"""Above this share, single persons are named in a text that is something else."""
NAMES = 0.6
"""Share of values made of names that makes a column one of names: no dictionary has all."""


def suggestions(profile: Profile) -> dict[str, Suggestion]:
    """A suggestion for every column, each in the light of the others.

    Where a row is about one person, what looks public tells something about that person and is called quasi. Where
    rows are areas, their names and figures are those of places.
    """
    alone = {c.name: suggest(c) for c in profile.columns}
    if profile.shape == "area":
        return {c.name: _of_area(c, alone[c.name]) for c in profile.columns}
    if profile.point:
        alone |= {name: _point(profile.column(name)) for name in profile.point}
    if not any(s.is_person for s in alone.values()):
        return alone
    about = Suggestion("quasi", "tells something of a person, as each row here does")
    return {n: about if s.classification == "public" else s for n, s in alone.items()}


def suggest(column: ColumnProfile) -> Suggestion:
    """What one column may tell about people.

    Args:
        column: The column, looked at.

    Example:
        >>> from metroon.base.profile import ColumnProfile
        >>> suggest(ColumnProfile("DOB", "dob", "date", rows=9, distinct=9)).classification
        'quasi'
    """
    if column.type == "object":
        return Suggestion("public", "the boundary or line on the map")
    return (
        _by_pattern(column)
        or _by_name(column, IDENTIFYING)
        or _by_dictionary(column)
        or _by_mixture(column)
        or _by_name(column, TELLING)
        or _by_shape(column)
    )


def _by_pattern(column: ColumnProfile) -> Suggestion | None:
    """What nearly all values fit: the form itself tells, whatever the name says."""
    told: tuple[tuple[str, Classification, str], ...] = (
        ("email", "direct", "e-mail addresses"),
        ("ssn", "direct", "social security numbers"),
        ("phone", "direct", "telephone numbers"),
        ("card", "direct", "payment card numbers"),
        ("iban", "direct", "bank account numbers"),
        ("vin", "direct", "vehicle identification numbers"),
        ("itin", "direct", "taxpayer numbers"),
        ("mbi", "direct", "numbers of health insurance"),
        ("routing", "direct", "routing numbers of banks"),
        ("npi", "direct", "numbers of health providers"),
        ("plate", "direct", "licence plates"),
        ("address", "direct", "street addresses"),
        ("point", "sensitive", "points on the ground"),
        ("ip", "linkage key", "addresses of devices"),
        ("ipv6", "linkage key", "addresses of devices"),
        ("mac", "linkage key", "numbers of devices"),
        ("uuid", "linkage key", "keys that are different in every row"),
        ("clock", "quasi", "times of day"),
    )
    for pattern, classification, words in told:
        share = column.hits.get(pattern, 0.0)
        if share >= MOST and is_no_chance(column.hits, pattern):
            by_chance = f"; of other texts of this form {CHANCE[pattern]:.0%} would" if pattern in CHANCE else ""
            reason = f"{share:.0%} of the values look like {words}{by_chance}"
            return Suggestion(classification, reason, pattern == "ssn", share)
    if column.hits.get("shape", 0.0) >= MOST:
        return Suggestion("sensitive", "shapes or points on the ground")
    return None


def is_no_chance(hits: Mapping[str, float], pattern: str) -> bool:
    """Whether values pass a pattern's rule far more often than texts of its form do that are something else.

    Args:
        hits: Pattern -> share of the values, as ``base/patterns.py`` tells it.
        pattern: A pattern, with or without a rule that chance can pass.

    Example:
        >>> is_no_chance({"card": 0.1, "card form": 1.0}, "card")
        False
        >>> is_no_chance({"card": 0.97, "card form": 1.0}, "card")
        True
    """
    form = hits.get(f"{pattern} form")
    return form is None or hits.get(pattern, 0.0) >= form * (1 + CHANCE[pattern]) / 2


def _by_dictionary(column: ColumnProfile) -> Suggestion | None:
    """Texts that are given and family names, where the column's name does not speak of a thing."""
    share = column.hits.get("name", 0.0)
    if share < NAMES or is_list(column) or column.distinct < FEW or IS_THING.search(column.name):
        return None
    return Suggestion("direct", f"{share:.0%} of the values are made of names of people", True, share)


def _by_name(column: ColumnProfile, hints: Sequence[Hint]) -> Suggestion | None:
    hint = next((h for h in hints if h.holds(column)), None)
    if hint is None:
        return None
    share = column.hits.get(hint.pattern, 0.0)
    evidence = f"{share:.0%} of the values look like it" if share >= 0.01 else "by its name"
    # Mean ages and shares of women are figures of a place.
    is_person = hint.is_person and column.type != "number"
    return Suggestion(hint.classification, f"{hint.about} ({evidence})", is_person, max(0.6, share))


def _by_mixture(column: ColumnProfile) -> Suggestion | None:
    """Where some values name people, all of them have to be read."""
    words = {"email": "e-mail addresses", "phone": "telephone numbers", "ssn": "social security numbers",
             "card": "payment card numbers", "iban": "bank account numbers", "vin": "vehicle identification numbers",
             "address": "street addresses", "url": "web addresses, which may hold anything"}  # fmt: skip
    for pattern, said in words.items():
        share = column.hits.get(pattern, 0.0)
        if share >= SOME and is_no_chance(column.hits, pattern):
            return Suggestion("free text", f"{share:.0%} of the values look like {said}", score=share)
    return None


def _by_shape(column: ColumnProfile) -> Suggestion:
    if not column.recorded:
        return Suggestion("internal", "nothing is recorded yet, so that nothing can be said of it")
    if re.fullmatch(r"column\d+|index|Unnamed: \d+", column.header) and column.distinct > 0.9 * column.recorded:
        return Suggestion("internal", "row numbers of the program that wrote the file")
    if column.type in ("date", "timestamp"):
        if THING_DATE.search(column.name):
            return Suggestion("public", "when something was done to a thing (by its name)")
        return Suggestion("quasi", "a date or time, which with a place may tell who")
    if column.type in ("number", "boolean"):
        return Suggestion("public", "a figure" if column.type == "number" else "yes or no")
    if column.type == "integer":
        return _whole(column)
    return _text(column)


def _whole(column: ColumnProfile) -> Suggestion:
    if column.is_key and column.rows >= 20 and _counts_or_names(column):
        return Suggestion("linkage key", "a different number in every row")
    if column.hits.get("bare ssn", 0.0) >= 0.99 and column.distinct > 0.9 * column.recorded:
        return Suggestion("direct", "nine digits, nearly all different: they may be social security numbers")
    return Suggestion("public", "a figure")


def _counts_or_names(column: ColumnProfile) -> bool:
    """Whether whole numbers run through, or all have the same number of digits: figures do neither."""
    if not isinstance(column.low, float) or not isinstance(column.high, float):
        return True
    low, high = int(column.low), int(column.high)
    return high - low + 1 == column.rows or (low > 0 and len(str(low)) == len(str(high)))


def _text(column: ColumnProfile) -> Suggestion:
    if is_list(column):
        number = "one value" if column.distinct == 1 else f"{column.distinct} different values, each many times"
        return Suggestion("public", number)
    if column.hits.get("bare ssn", 0.0) >= 0.99 and column.distinct > 0.9 * column.recorded:
        return Suggestion("direct", "nine digits, nearly all different: they may be social security numbers")
    if column.mean_words <= 1.2 and column.digit_share > 0.5:
        if column.distinct > 0.5 * column.recorded:
            return Suggestion("linkage key", "a code that is different in most rows")
        return Suggestion("internal", "codes that nobody has explained yet")
    if column.mean_words <= 1.5 and column.mean_length <= 12 and column.recorded >= 10 * column.distinct:
        return Suggestion("internal", "short words that nobody has explained yet")
    if column.recorded < 20 * max(column.distinct, 1) and column.recorded < 200 and column.distinct <= 5:
        return Suggestion("internal", "too few rows to tell a list from what somebody typed")
    return Suggestion("free text", "many different texts: somebody has to read them first")


def _point(column: ColumnProfile) -> Suggestion:
    if column.decimals <= 2:
        return Suggestion("quasi", f"a place to {column.decimals} decimals of a degree: about a kilometre")
    return Suggestion("sensitive", f"a place to {column.decimals} decimals of a degree: as good as an address")


def _of_area(column: ColumnProfile, alone: Suggestion) -> Suggestion:
    """Rows are areas: their names, numbers and figures are of places, not of people."""
    named = alone.reason.startswith("perhaps a person's name")
    if alone.classification in ("quasi", "linkage key", "sensitive") or named:
        return replace(alone, classification="public", reason="of an area, not of a person", is_person=False)
    return alone
