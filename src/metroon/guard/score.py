"""The publication score: how much a table tells of single people, by what it is broken down by. No audit.

A score looks at the make-up of a table, not at what can be subtracted from it. What it finds low is still held to
every other rule of this room.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from metroon.base.estimate import UNKNOWN
from metroon.base.protection import Points, Scored
from metroon.city.score import ScoreFile

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from metroon.city.score import Judged, Told

POINTS: Mapping[Judged, Mapping[str, int]] = {
    # The smallest number of events in a cell.
    "events": {"0": 7, "11": 5, "100": 3, "1000": 2},
    # Years in the narrowest group of ages.
    "age": {"0": 7, "3": 5, "6": 3, "11": 2, "30": 1},
    # Detailed groups go by their people in the whole state, +1 to +7: unknown here, so the most.
    "race": {"large groups": 2, "small groups": 3, "detailed": 7, "yes or no": 1},
    # Which gender identities get +3 and which +5 is not said where this was read.
    "sex": {"sex": 1, "orientation": 2, "gender identity": 3, "gender identity in detail": 5},
    # +1, +2 and +7 for kinds that are not told apart where this was read, so the most.
    "immigration": {"any": 7},
    # Months in the shortest period.
    "time": {"0": 5, "3": 4, "6": 3, "12": 0, "24": -3, "60": -5},
    # Residents of the smallest place where people were served.
    "place": {"0": 1, "20001": 0, "250000": -1, "560000": -3, "1000000": -4, "2000001": -5},
    # Residents of the smallest place where people live. Only the first step was read: the others are from memory.
    "home": {
        "0": 7, "4001": 5, "20001": 4, "50001": 3, "100001": 1, "250001": 0, "560001": -1, "1000001": -3, "2000001": -5,
    },
    "address": {"any": 3},
    # Groups of any other variable.
    "other": {"0": 3, "5": 5, "10": 7},
    # Variables beside events, time and place. For three the source says +3 in one place and +4 in another.
    "beside": {"1": 1, "2": 2, "3": 4},
    # The smallest number of events, where there is no other variable.
    "alone": {"0": 0, "3": -3, "5": -5},
}  # fmt: skip
"""The points of the guideline (see ``score``); a number's points are those of the largest key that it reaches."""

_TELLS: tuple[tuple[Told, str], ...] = (
    ("immigration", r"immigra|citizen|refugee|asylum|visa"),
    ("sex", r"(^|_)([pv]?sex|gender\w*|sexual\w*|transgender|orientation|lgbtq?\w*)(_|$)"),
    ("race", r"(^|_)(p?race\w*|ethnic\w*|hispanic|latin[oax]|ancestry|tribe|nationality)(_|$)"),
    ("age", r"(^|_)([pv]?ages?|age\w*|birth\w*|dob|yob)(_|$)"),
)
_LARGE = re.compile(
    r"white|black|african.american|asian|hispanic|latin|middle.east|mena\b|other|unknown|declined|refused|not ", re.I
)
_SMALL = re.compile(
    r"american.indian|alaska|native|aian|hawaii|pacific|nhpi|mixed|multi|two or more|several|more than one", re.I
)
_YES_NO = re.compile(r"yes|no|true|false|not hispanic.*|non.?hispanic.*|hispanic.*|unknown", re.I)
_WIDEST = 200


@dataclass(frozen=True)
class Variable:
    """One thing that a table tells of the people in it.

    Args:
        column: The column.
        tells: What it tells of a person.
        groups: Its values in the table.
        width: Years in a group, where a technique says so and the values need not be read.
    """

    column: str
    tells: Told
    groups: tuple[str, ...]
    width: int | None = None


@dataclass(frozen=True)
class Table:
    """What a table that is to be released is made of.

    Args:
        words: Which table.
        events: The smallest number of events in a shown cell, zeros aside; None when no such cell is shown.
        months: How long its shortest period is; None when it has no time.
        residents: Residents of its smallest place; None when nobody declared them.
        is_home: Whether places are those in which people live.
        has_address: Whether addresses or points leave.
        variables: What else it tells of people.
    """

    words: str
    events: int | None
    months: int | None
    residents: float | None
    is_home: bool = False
    has_address: bool = False
    variables: tuple[Variable, ...] = field(default=())


def tells(column: str, rules: ScoreFile) -> Told:
    """What a column tells of a person: as the city says, else by its name.

    Example:
        >>> tells("victim_age_band", ScoreFile()), tells("crew", ScoreFile())
        ('age', 'other')
    """
    if column in rules.columns:
        return rules.columns[column]
    return next((told for told, words in _TELLS if re.search(words, column.lower())), "other")


def score(table: Table, rules: ScoreFile) -> Scored:
    """The publication score of one table.

    Args:
        table: What it is made of.
        rules: The city's own limit and points.

    Returns:
        Every line with its points. What cannot be judged gets the most points of its scale, and says so.

    Assumes:
        The points are those of a summary of the guideline. Not confirmed in its text: that 12 is still low enough;
        the scale of homes above 4,000 residents; which gender identities get 3 and which 5; the kinds of
        immigration; that three other variables get 4. Rural and frontier places (+5, +7) are not known to a
        contract: a city that has them writes ``place`` in ``score:`` of city.yaml.

    Source:
        California Health and Human Services Agency, Data De-Identification Guidelines, section 4.3, publication
        scoring criteria.

    Example:
        >>> made = Table("by district and year", 40, 12, 30_000.0)
        >>> [(p.variable, p.points) for p in score(made, ScoreFile()).lines]
        [('events', 5), ('time', 0), ('place', 0), ('alone', -5)]
    """
    lines = [_events(table, rules), _time(table, rules), _place(table, rules)]
    if table.has_address:
        lines.append(Points("address", "addresses or points", _of("address", rules)["any"]))
    told = [v for v in table.variables if v.tells != "nothing"]
    lines += [_variable(v, rules) for v in told]
    lines.append(_beside(table, told, rules))
    return Scored(table.words, tuple(lines), rules.limit)


def _of(judged: Judged, rules: ScoreFile) -> Mapping[str, int]:
    return rules.points.get(judged) or POINTS[judged]


def _reached(judged: Judged, number: float, rules: ScoreFile) -> int:
    scale = _of(judged, rules)
    return scale[str(max(int(k) for k in scale if int(k) <= number))]


def _most(judged: Judged, rules: ScoreFile) -> int:
    return max(_of(judged, rules).values())


def _events(table: Table, rules: ScoreFile) -> Points:
    if table.events is None:
        return Points("events", "no cell with events is shown", 0)
    return Points("events", f"smallest shown cell: {table.events:,}", _reached("events", table.events, rules))


def _time(table: Table, rules: ScoreFile) -> Points:
    if table.months is None:
        return Points("time", "no length of time is known: counted as the shortest", _most("time", rules))
    words = f"{table.months // 12} years" if table.months >= 24 else f"{table.months} months"
    return Points("time", f"shortest period: {words}", _reached("time", table.months, rules))


def _place(table: Table, rules: ScoreFile) -> Points:
    judged: Judged = "home" if table.is_home else "place"
    kind = "where people live" if table.is_home else "where people are served"
    if table.residents is None:
        return Points(judged, f"{kind}: residents are not declared, counted as the fewest", _most(judged, rules))
    found = f"{kind}, smallest: {table.residents:,.0f} residents"
    return Points(judged, found, _reached(judged, table.residents, rules))


def _variable(variable: Variable, rules: ScoreFile) -> Points:
    groups = [g for g in variable.groups if g and g != UNKNOWN]
    match variable.tells:
        case "age":
            return _age(variable, groups, rules)
        case "race":
            word = _race(groups)
            return Points("race", f"{variable.column}: {word}, {len(groups)} groups", _of("race", rules)[word])
        case "sex":
            word = _sex(variable.column, groups)
            return Points("sex", f"{variable.column}: {word}, {len(groups)} groups", _of("sex", rules)[word])
        case "immigration":
            return Points("immigration", variable.column, _of("immigration", rules)["any"])
    return Points("other", f"{variable.column}: {len(groups)} groups", _reached("other", len(groups), rules))


def _age(variable: Variable, groups: Sequence[str], rules: ScoreFile) -> Points:
    widths = [variable.width] if variable.width else [w for g in groups if (w := years(g)) is not None]
    if not widths:
        return Points("age", f"{variable.column}: its groups are not understood", _most("age", rules))
    narrow = min(widths)
    return Points("age", f"{variable.column}: narrowest group {narrow} years", _reached("age", narrow, rules))


def years(group: str) -> int | None:
    """How many years of age a group holds; None when its name does not say.

    Example:
        >>> [years(g) for g in ("25-34", "65 and over", "under 18", "90+", "7", "young")]
        [10, 200, 18, 200, 1, None]
    """
    numbers = [int(n) for n in re.findall(r"\d+", group)]
    if len(numbers) >= 2:
        return abs(numbers[1] - numbers[0]) + 1
    if not numbers:
        return None
    if re.search(r"under|below|less|younger|<|up to", group, re.I):
        return numbers[0]
    return _WIDEST if re.search(r"\+|over|older|above|more|>", group, re.I) else 1


def _race(groups: Sequence[str]) -> str:
    if len(groups) <= 3 and all(_YES_NO.fullmatch(g) for g in groups):
        return "yes or no"
    if any(_SMALL.search(g) for g in groups):
        return "small groups" if all(_LARGE.search(g) or _SMALL.search(g) for g in groups) else "detailed"
    return "large groups" if all(_LARGE.search(g) for g in groups) else "detailed"


def _sex(column: str, groups: Sequence[str]) -> str:
    if re.search(r"orientation|sexual|lgb", column.lower()):
        return "orientation"
    few = {"m", "f", "x", "male", "female", "man", "woman", "men", "women", "unknown", "other"}
    is_identity = bool(re.search(r"identity|transgender|nonbinary", column.lower()))
    if not is_identity and all(g.lower() in few - {"x", "other"} for g in groups):
        return "sex"
    return "gender identity" if len(groups) <= 3 else "gender identity in detail"


def _beside(table: Table, told: Sequence[Variable], rules: ScoreFile) -> Points:
    if told:
        found = f"{', '.join(v.column for v in told)} beside events, time and place"
        return Points("beside", found, _reached("beside", len(told), rules))
    events = table.events if table.events is not None else 0
    found = f"only events (at least {events:,}), time and place"
    return Points("alone", found, _reached("alone", events, rules))
