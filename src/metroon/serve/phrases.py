"""Phrases: sentences that other rooms make in English, known again by their form and told in another language.

A room writes ``15 days late: the newest event is of 2015-01-01`` without knowing who will read it. Here stands the form
of that sentence, once, so that it can be translated; its values are taken out, written as the language writes them,
and put in again. A sentence of no known form is left to its reader as it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING

from metroon.base.period import grain_of
from metroon.serve.figures import period_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from metroon.serve.words import Words

LONGEST = 1000
"""Longer texts are no sentences of a room: they are not looked at."""
MOST_PARTS = 8
"""How many sentences a text may be of, and how many parts with commas between them one name may be of."""


def N_(sentence: str) -> str:  # noqa: N802  # the name by which tools find sentences to translate
    """A sentence as it is: it only marks that it is to be translated."""
    return sentence


def ngettext(one: str, many: str) -> tuple[str, str]:
    """Both forms of a sentence with a number, marked to be translated."""
    return one, many


PHRASES: tuple[str | tuple[str, str], ...] = (
    # How late data are
    ngettext(
        "%(n)s day late: the newest event is of %(day)s, at most %(limit)s days were promised",
        "%(n)s days late: the newest event is of %(day)s, at most %(limit)s days were promised",
    ),
    N_("no event has a %(column)s"),
    # Rules of a contract
    N_("%(column)s is no integer"),
    N_("%(column)s is no number"),
    N_("%(column)s is no boolean"),
    N_("%(column)s is no date"),
    N_("%(column)s is no timestamp"),
    N_("%(column)s is no object"),
    N_("%(column)s is no integer in the declared format"),
    N_("%(column)s is no number in the declared format"),
    N_("%(column)s is no boolean in the declared format"),
    N_("%(column)s is no date in the declared format"),
    N_("%(column)s is no timestamp in the declared format"),
    N_("%(column)s is missing"),
    N_("%(column)s is not in its list of values"),
    N_("%(column)s is outside its minimum %(bound)s"),
    N_("%(column)s is outside its maximum %(bound)s"),
    N_("%(column)s is outside its exclusiveMinimum %(bound)s"),
    N_("%(column)s is outside its exclusiveMaximum %(bound)s"),
    N_("%(column)s is no multiple of %(bound)s"),
    N_("%(column)s is shorter than %(n)s"),
    N_("%(column)s is longer than %(n)s"),
    N_("%(column)s does not match its pattern"),
    N_("%(column)s is no %(form)s"),
    N_("%(column)s does not fit %(form)s"),
    N_("%(column)s does not say how far it is from UTC"),
    N_("%(column)s says how far it is from UTC"),
    N_("%(column)s lies in the future"),
    N_("%(column)s is repeated"),
    N_("%(column)s is not found in %(other)s"),
    N_("the key (%(columns)s) is repeated"),
    N_("%(metric)s of the table"),
    N_("%(metric)s of %(column)s"),
    N_("%(sentence)s (must be %(amount)s)"),
    N_("%(sentence)s (must not be %(amount)s)"),
    N_("%(sentence)s (must be above %(amount)s)"),
    N_("%(sentence)s (must be at least %(amount)s)"),
    N_("%(sentence)s (must be below %(amount)s)"),
    N_("%(sentence)s (must be at most %(amount)s)"),
    N_("%(sentence)s (must lie between %(low)s and %(amount)s)"),
    N_("%(sentence)s (must not lie between %(low)s and %(amount)s)"),
    # Kinds of checks
    N_("accuracy"),
    N_("completeness"),
    N_("conformity"),
    N_("consistency"),
    N_("coverage"),
    N_("timeliness"),
    N_("uniqueness"),
    # How columns are protected
    N_("No row is published, only counts of many."),
    N_("Left out of the published rows."),
    N_("Published in bands of %(n)s."),
    N_("Only the month is published."),
    N_("Only the quarter is published."),
    N_("Only the year is published."),
    N_("Only the area is published, not the point."),
    N_("Replaced by a token that nobody can turn back without a key that the city keeps."),
    N_("Changed, so that it tells less of a person."),
    # Columns of every measure
    N_("One row per period, place and group."),
    N_("Set of places"),
    N_("Which set of places the row is about; all for the whole city."),
    N_("Place key"),
    N_("The key of the place; all for the whole city."),
    N_("Place"),
    N_("What people call the place."),
    N_("Kind of group"),
    N_("By what people or things were grouped; all for everybody."),
    N_("Group"),
    N_("Which group the row is about; all for everybody."),
    N_("Period"),
    N_("The year, quarter or month; all for the whole time."),
    N_("State"),
    N_("Whether there is a number, and if not, why not."),
    N_("Value"),
    N_("The best estimate."),
    N_("Low end"),
    N_("The low end of the range that we are 95% sure of."),
    N_("High end"),
    N_("The high end of the range that we are 95% sure of."),
    N_("Events"),
    N_("How many were counted."),
    N_("Base"),
    N_("Out of how many, or over how much time."),
    N_("Not known"),
    N_("Of how many it is not recorded."),
    N_("Worst case"),
    N_("The value if all that is not recorded were bad."),
    N_("Best case"),
    N_("The value if all that is not recorded were good."),
    N_("Note"),
    N_("What must be known beside the number."),
    # Licences, and who answers
    N_("Creative Commons Zero 1.0"),
    N_("Creative Commons Attribution 4.0"),
    N_("Creative Commons Attribution-ShareAlike 4.0"),
    N_("Open Data Commons Public Domain Dedication"),
    N_("Open Data Commons Attribution 1.0"),
    N_("Open Database License 1.0"),
    N_("steward"),
    # What is new in a version
    N_("column %(column)s added"),
    N_("column %(column)s removed"),
    N_("column %(column)s is now %(type)s, it was %(was)s"),
    N_("a whole number"),
    N_("a number"),
    N_("a text"),
    N_("a date"),
    N_("a time"),
    N_("yes or no"),
    N_("a shape"),
    ngettext("%(n)s row more", "%(n)s rows more"),
    ngettext("%(n)s row fewer", "%(n)s rows fewer"),
    ngettext("%(n)s estimate changed", "%(n)s estimates changed"),
    ngettext("%(n)s period added", "%(n)s periods added"),
    # What really changed
    N_("series %(n)s"),
    N_("series %(n)s: %(columns)s"),
    N_("expired on %(day)s"),
    N_("%(signed)s beside %(name)s"),
    N_("%(value)s (%(period)s)"),
    N_("no verdict"),
    # Targets
    N_("%(value)s by %(day)s"),
    N_("%(low)s to %(high)s by %(day)s"),
    N_("%(points)s (%(name)s, set %(day)s)"),
    # Notes beside a measure
    N_("Residents of %(name)s: %(sentence)s"),
    N_("Whether it gets better or worse, and any dated target: cannot be answered, because %(name)s has no date"),
    N_("Not released, because the data do not cover it wholly: %(periods)s"),
    N_("Coarsened so that fewer numbers have to be hidden: %(names)s"),
    N_("quarters"),
    N_("years"),
    N_("all years together"),
    N_("without %(name)s"),
    N_("%(n)s rows have no date and are in no period"),
    N_("fewer than %(n)s rows have no date and are in no period"),
    N_("%(n)s rows or more have no date and are in no period"),
    N_("%(n)s rows are left out: it is not recorded whether they count"),
    N_("fewer than %(n)s rows are left out: it is not recorded whether they count"),
    N_("%(n)s rows or more are left out: it is not recorded whether they count"),
    N_("%(n)s rows lie in no area and are in no rate"),
    N_("fewer than %(n)s rows lie in no area and are in no rate"),
    N_("%(n)s rows or more lie in no area and are in no rate"),
    N_("without %(names)s: hidden, or too few to tell"),
    N_("Only %(n)s areas are known; nothing is borrowed from fewer than %(limit)s."),
    N_("The %(n)s areas differ no more than chance makes them: each is given the mean of all."),
    N_(
        "Each area borrows strength from the mean of %(n)s; its own data make up %(least)s to %(most)s of its estimate."
    ),
    N_("Each area borrows strength from the mean of %(n)s; its own data make up %(share)s of its estimate."),
    N_("They lie %(n)s times as far from the city as chance would put them; %(out)s stand out even so."),
    N_("neighboring areas are alike: Moran's I %(value)s, z %(z)s"),
    N_("neighboring areas are unlike: Moran's I %(value)s, z %(z)s"),
    N_("What is there balances with who came and went in %(n)s periods."),
    N_(
        "What is there balances with who came and went in %(n)s periods (the last: %(closing)s = %(opening)s + "
        "%(came)s - %(gone)s)."
    ),
    N_(
        "What is there balances with who came and went in %(n)s periods; %(unknown)s cannot be checked, because a "
        "number is hidden."
    ),
    N_(
        "What is there balances with who came and went in %(n)s periods (the last: %(closing)s = %(opening)s + "
        "%(came)s - %(gone)s); %(unknown)s cannot be checked, because a number is hidden."
    ),
    N_("It does not balance: %(breaks)s."),
    N_("It does not balance: %(breaks)s; %(unknown)s cannot be checked, because a number is hidden."),
    N_("the city, %(period)s: closes %(n)s above what the opening stock and the flows make."),
    N_("the city, %(period)s: closes %(n)s below what the opening stock and the flows make."),
    N_("the city, %(period)s: the count at its end is %(n)s above what the opening stock and the flows make."),
    N_("the city, %(period)s: the count at its end is %(n)s below what the opening stock and the flows make."),
    N_("the city, %(period)s: opens %(n)s above the stock that the period before closed with: it was counted afresh."),
    N_("the city, %(period)s: opens %(n)s below the stock that the period before closed with: it was counted afresh."),
    # How unequal groups are
    N_("squared distance from the mean"),
    N_("standard deviation of the groups around the mean"),
    N_("standard deviation of the groups around the mean, in percent of it"),
    N_("Theil index, times 1,000"),
    N_("mean log deviation, times 1,000"),
    N_("mean distance from the mean, by people"),
    N_("mean distance from the mean, each group once"),
    N_("mean distance from the mean in percent of it, by people"),
    N_("mean distance from the mean in percent of it, each group once"),
    N_("mean distance from the reference, by people"),
    N_("mean distance from the reference, each group once"),
    N_("%(sentence)s, without noise"),
    N_("how far values lean to the better-off, in their unit"),
    N_("how far values lean to the better-off, as a part of the mean: -1 to 1"),
    N_("best-off group minus worst-off group"),
    N_("best-off group over worst-off group"),
    N_("best-off end minus worst-off end of the fitted line"),
    N_("best-off end over worst-off end of the fitted line"),
    N_("largest minus smallest value"),
    N_("largest over smallest value"),
    N_("best group minus all together"),
    N_("best group minus all together, in percent of all together"),
    N_("mean distance from the best group, by people"),
    N_("mean distance from the best group, each group once"),
    N_("part of all cases that would not be if each group had the lowest value"),
    N_("noise makes it larger; the same without noise stands beside it"),
    N_("noise makes it larger; how much, only standard errors tell"),
    N_("what the standard errors add is taken away"),
    N_("picked after looking, which makes it look larger; bounds, where given, allow for that"),
    N_("against the best-off group of the order"),
    N_("needs values above 0"),
    N_("the mean is too near 0 for an error or bounds"),
    N_("logistic curve; the error is that of its fit"),
    N_("logistic curve; the error is that of the groups"),
    N_("straight line"),
    N_("straight line through the log of the values"),
    N_("straight line through the logit of the values"),
    # What is likely wrong with a goal
    N_("the goal '%(code)s' has %(types)s measures only."),
    N_("complaints tell of those who complain; nothing says how much of what is there gets reported."),
    N_("not published"),
    N_("outcome"),
    N_("equity"),
    N_("quality"),
    N_("efficiency"),
    N_("output"),
    N_("input"),
    # Why an action of the plan is in its state
    N_("No evidence is declared: nobody can check it."),
    N_("Every piece of evidence holds."),
    N_("Evidence that holds: %(held)s of %(all)s."),
    N_("It was done on %(day)s."),
    N_("It was due on %(day)s."),
    N_("The milestone “%(name)s” was due on %(day)s."),
    N_("Due today."),
    ngettext("Due in %(n)s day.", "Due in %(n)s days."),
    N_("It waits for: %(pieces)s."),
    N_("%(name)s (late)"),
    N_("%(name)s (blocked)"),
    N_("%(name)s (reopened)"),
    N_("%(name)s (not checkable)"),
    N_("Nobody holds the role that answers for it."),
    N_("The role %(name)s is vacant since %(day)s."),
    N_("It expired on %(day)s: it counts for %(n)s days."),
    N_("Not: %(names)s."),
    # Evidence: documents, goals, inventory
    N_("%(name)s is there."),
    N_("%(name)s is at most %(n)s days old."),
    N_("%(name)s, of %(day)s."),
    N_("%(name)s is dated %(day)s: not yet."),
    N_("Every goal has a published outcome measure."),
    N_("At least %(share)s of the goals have a published outcome measure."),
    N_("%(n)s of %(all)s goals have a published outcome measure."),
    N_("The city has declared no goals."),
    N_("At least %(share)s of the departments have something in the inventory."),
    N_("At least %(share)s of the departments have something in the inventory, updated in the last %(n)s days."),
    N_("%(n)s of %(all)s departments are in the inventory."),
    N_("The city has declared no departments."),
    # Evidence: what a measure shows
    N_("“%(name)s” is published."),
    N_("“%(name)s” has a target."),
    N_("“%(name)s” meets its target, its whole interval on the right side of it."),
    N_("“%(name)s” has an interval around its last number."),
    N_("“%(name)s” is told by place."),
    N_("“%(name)s” is told by place (%(groups)s)."),
    N_("“%(name)s” is told by group."),
    N_("“%(name)s” is told by group (%(groups)s)."),
    N_("“%(name)s” has a baseline."),
    N_("%(claim)s, and its last number is at least %(low)s."),
    N_("%(claim)s, and its last number is at most %(high)s."),
    N_("Nothing of “%(code)s” is published."),
    N_("Published on %(day)s."),
    N_("Target %(points)s (%(name)s, set %(day)s)."),
    N_("No target is set."),
    N_("The target is met."),
    N_("The target is not met."),
    N_("The target is cannot tell."),
    N_("Baseline of %(period)s."),
    N_("No baseline is set."),
    N_("No number of the city is published."),
    N_("An interval stands around it."),
    N_("No interval stands around it."),
    N_("Told by %(groups)s."),
    N_("Not told by place."),
    N_("Not told by group."),
    N_("%(claim)s; its last number is %(value)s."),
    N_("%(claim)s; no number of the city is published."),
    # Evidence: what products have
    N_("All %(products)s have a licence."),
    N_("All %(products)s have a steward."),
    N_("All %(products)s have a class for every column."),
    N_("All %(products)s have a legal basis."),
    N_("All %(products)s say how long rows are kept."),
    N_("All %(products)s have published rows."),
    N_("All %(products)s keep every rule in their newest version."),
    N_("All %(products)s are as fresh as promised."),
    N_("All %(products)s tell their known gap."),
    N_("At least %(share)s of %(products)s have a licence."),
    N_("At least %(share)s of %(products)s have a steward."),
    N_("At least %(share)s of %(products)s have a class for every column."),
    N_("At least %(share)s of %(products)s have a legal basis."),
    N_("At least %(share)s of %(products)s say how long rows are kept."),
    N_("At least %(share)s of %(products)s have published rows."),
    N_("At least %(share)s of %(products)s keep every rule in their newest version."),
    N_("At least %(share)s of %(products)s are as fresh as promised."),
    N_("At least %(share)s of %(products)s tell their known gap."),
    N_("At least %(n)s %(products)s have a licence."),
    N_("At least %(n)s %(products)s have a steward."),
    N_("At least %(n)s %(products)s have a class for every column."),
    N_("At least %(n)s %(products)s have a legal basis."),
    N_("At least %(n)s %(products)s say how long rows are kept."),
    N_("At least %(n)s %(products)s have published rows."),
    N_("At least %(n)s %(products)s keep every rule in their newest version."),
    N_("At least %(n)s %(products)s are as fresh as promised."),
    N_("At least %(n)s %(products)s tell their known gap."),
    N_("%(n)s of %(all)s %(products)s have a licence."),
    N_("%(n)s of %(all)s %(products)s have a steward."),
    N_("%(n)s of %(all)s %(products)s have a class for every column."),
    N_("%(n)s of %(all)s %(products)s have a legal basis."),
    N_("%(n)s of %(all)s %(products)s say how long rows are kept."),
    N_("%(n)s of %(all)s %(products)s have published rows."),
    N_("%(n)s of %(all)s %(products)s keep every rule in their newest version."),
    N_("%(n)s of %(all)s %(products)s are as fresh as promised."),
    N_("%(n)s of %(all)s %(products)s tell their known gap."),
    N_("products"),
    N_("public products"),
    N_("restricted public products"),
    N_("non-public products"),
    N_("products of %(name)s"),
    N_("public products of %(name)s"),
    N_("restricted public products of %(name)s"),
    N_("non-public products of %(name)s"),
    # Evidence: roles, stories, words
    N_("Somebody holds: %(names)s."),
    N_("No required role is vacant."),
    N_("The city has no people.yaml."),
    N_("%(n)s of %(all)s roles are held."),
    N_("Vacant: %(pieces)s."),
    N_("%(name)s (since %(day)s)"),
    N_("At least %(n)s stories were written."),
    N_("At least %(n)s stories were written in the last %(days)s days."),
    ngettext("%(n)s story was written.", "%(n)s stories were written."),
    N_("The glossary explains at least %(n)s words."),
    N_("The glossary explains at least %(n)s words and says in %(languages)s too."),
    N_("%(n)s of %(all)s words count."),
)
"""Every sentence, with places for its values; a pair has the form for one and that for more."""
AND_MORE = N_("%(names)s and %(n)s more")
"""How a list of names ends that counts the rest."""

_NUMBER = r"-?\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?"
_DAY = r"\d{4}-\d\d-\d\d"
_PERIOD = r"(?:all|\d{4}(?:-(?:Q[1-4]|\d\d))?(?:\.\.\d{4}-\d\d)?)"
_POINT = rf"{_NUMBER}(?: to {_NUMBER})? by {_DAY}"
_TEXT = r"\S(?:.{0,500}?\S)?"


def told(text: str, words: Words) -> str | None:
    """A sentence that another room made, in a language, with its values as that language writes them.

    Args:
        text: The sentence, in English; or several of them, one after the other.
        words: The language.

    Returns:
        The sentence; None when its form is not known or not translated.

    Example:
        >>> from metroon.serve.words import Words
        >>> told("15 days late: the newest event is of 2015-01-01, at most 35 days were promised", Words("en"))
        '15 days late: the newest event is of Jan 1, 2015, at most 35 days were promised'
        >>> told("Anything else.", Words("en")) is None
        True
    """
    if not text or len(text) > LONGEST:
        return None
    found = _one(text, words)
    return found if found is not None or ". " not in text else _several(text, words)


def is_known(text: str) -> bool:
    """Whether a text has the form of a sentence that a room makes, so that nobody need translate it for one city."""
    return bool(_fitting(text))


def _one(text: str, words: Words) -> str | None:
    if _POINTS.fullmatch(text):
        return _joined([_plain(p, words) for p in _split_points(text)], words)
    for phrase, values in _fitting(text):
        said = _said(phrase, values, words)
        if said is not None:
            return said
    return None


def _several(text: str, words: Words) -> str | None:
    """Sentences one after the other: the longest that are known, from the left; None when one is not."""
    parts = text.split(". ")
    if len(parts) > MOST_PARTS:
        return None
    whole = [f"{p}." for p in parts[:-1]] + parts[-1:]
    found, at = [], 0
    while at < len(whole):
        for end in range(len(whole), at, -1):
            run = " ".join(whole[at:end])
            said = _one(run, words)
            if said is None and words.language != "en" and words.finds(run):
                said = words.plain(run)
            if said is not None:
                found.append(said)
                at = end
                break
        else:
            return None
    return ("" if _is_chinese(words) else " ").join(found)


@dataclass(frozen=True)
class Phrase:
    """One sentence with its form.

    Args:
        one: The sentence, or its form for one.
        many: Its form for more than one; empty when it has one form.
    """

    one: str
    many: str = ""


def _form(message: str) -> re.Pattern[str]:
    parts = re.split(r"%\((\w+)\)s", message)
    literals, places = parts[::2], parts[1::2]
    made = re.escape(literals[0])
    for place, literal in zip(places, literals[1:], strict=True):
        made += f"(?P<{place}>{PLACES[place].form}){re.escape(literal)}"
    return re.compile(made)


def _literals(message: str) -> list[str]:
    """What stands between the places of a sentence, the longest first."""
    return sorted(re.split(r"%\(\w+\)s", message), key=lambda part: -len(part))


@lru_cache(maxsize=8192)
def _fitting(text: str) -> tuple[tuple[Phrase, Mapping[str, str]], ...]:
    """The phrases that a text fits, those first of which it has most, with the values in it."""
    return tuple(
        (p, m.groupdict()) for part, form, p in _FORMS if part in text and (m := form.fullmatch(text)) is not None
    )


def _said(phrase: Phrase, values: Mapping[str, str], words: Words) -> str | None:
    if words.language != "en" and not words.has(phrase.one):
        return None
    said: dict[str, object] = {}
    for place, value in values.items():
        retold = PLACES[place].told(value, words)
        if retold is None:
            return None
        said[place] = retold
    if phrase.many:
        # A number that is 1 in one form and more in the other: the language decides on its own form.
        n = int(values["n"].replace(",", ""))
        return words.ngettext(phrase.one, phrase.many, n, **{k: v for k, v in said.items() if k != "n"})
    return words.gettext(phrase.one, **said)


# How values are told. A value of which nothing may be told unless it is known gives None.


@dataclass(frozen=True)
class Place:
    """A place for a value in a sentence.

    Args:
        form: What it may look like, as a regular expression.
        told: The value as a language writes it; None when the language lacks it and the sentence must not be told.
    """

    form: str
    told: Callable[[str, Words], str | None]


def _plain(text: str, words: Words) -> str:
    return words.plain(text)


def _as_it_is(text: str, words: Words) -> str:
    return text


def _number(text: str, words: Words) -> str:
    if "e" in text:
        return text
    whole, _, decimals = text.replace(",", "").partition(".")
    x = float(f"{whole}.{decimals}") if decimals else int(whole)
    return words.number(x, len(decimals))


def _signed(text: str, words: Words) -> str:
    return f"+{_number(text[1:], words)}" if text[0] == "+" else _number(text, words)


def _amount(text: str, words: Words) -> str:
    number = text.removesuffix(" %")
    return _number(number, words) if number == text else _share(f"{number}%", words)


def _share(text: str, words: Words) -> str:
    number = text[:-1].replace(",", "")
    return words.percent(float(number) / 100, len(number.partition(".")[2]))


def _day(text: str, words: Words) -> str:
    return words.day(date.fromisoformat(text))


def _bound(text: str, words: Words) -> str:
    if re.fullmatch(_DAY, text):
        return _day(text, words)
    return _number(text, words) if re.fullmatch(_NUMBER, text) else text


def _period(text: str, words: Words) -> str | None:
    try:
        grain_of(text)
    except (ValueError, StopIteration):
        return None
    return period_words(text, words)


def _joined(told_as: list[str], words: Words) -> str:
    return ("、" if _is_chinese(words) else ", ").join(told_as)


def _is_chinese(words: Words) -> bool:
    return words.language.startswith("zh")


def _periods(text: str, words: Words) -> str | None:
    found = [_period(p, words) for p in text.split(", ")]
    return None if None in found else _joined([p for p in found if p is not None], words)


def _names(text: str, words: Words) -> str:
    """Names with commas between them; a name may have commas in it, so that the longest known one is taken."""
    more = re.fullmatch(r"(.+) and (\d+) more", text)
    if more is not None:
        return words.gettext(AND_MORE, names=_names(more[1], words), n=_number(more[2], words))
    parts, found, at = text.split(", "), [], 0
    while at < len(parts):
        ends = range(min(len(parts), at + MOST_PARTS), at + 1, -1) if words.language != "en" else ()
        end = next((e for e in ends if words.knows(", ".join(parts[at:e]))), at + 1)
        found.append(words.plain(", ".join(parts[at:end])))
        at = end
    return _joined(found, words)


def _pieces(text: str, words: Words) -> str:
    """Names that each have a word in brackets after them."""
    more = re.fullmatch(r"(.+) and (\d+) more", text)
    if more is not None:
        return words.gettext(AND_MORE, names=_pieces(more[1], words), n=_number(more[2], words))
    return _joined([words.plain(p) for p in re.split(r"(?<=\)), ", text)], words)


def _split_points(text: str) -> Iterator[str]:
    yield from re.split(rf"(?<=-\d\d), (?={_POINT})", text)


def _points(text: str, words: Words) -> str:
    return _joined([words.plain(p) for p in _split_points(text)], words)


def _breaks(text: str, words: Words) -> str | None:
    found = [_claim(p, words) for p in text.removesuffix(".").split(".; ")]
    return None if None in found else "; ".join(p for p in found if p is not None)


def _claim(text: str, words: Words) -> str | None:
    """A sentence inside another one, without its full stop."""
    found = told(f"{text}.", words)
    return None if found is None else found.rstrip(".。")


def _known(text: str, words: Words) -> str | None:
    return words.plain(text) if words.knows(text) else None


def _groups(text: str, words: Words) -> str:
    return _joined([words.plain(g.replace("_", " ")) for g in text.split(", ")], words)


def _types(text: str, words: Words) -> str:
    return _joined([words.plain(t) for t in text.split(", ")], words)


def _languages(text: str, words: Words) -> str:
    known = words.locale.languages
    return _joined([known.get(c.replace("-", "_"), c) for c in text.split(", ")], words)


_CODE = r"[^\s“”',;]+"
_N, _ANY, _GIVEN = Place(_NUMBER, _number), Place(_TEXT, _plain), Place(_CODE, _as_it_is)
_PERCENT = Place(r"\d+%", _share)
_TYPE = Place(r"[\w<>(), ]+?", _plain)
_PRODUCTS = r"(?:public |restricted public |non-public )?products(?: of .{1,200}?)?"
PLACES: Mapping[str, Place] = {
    **dict.fromkeys(
        ("n", "all", "days", "limit", "held", "out", "low", "high", "value", "z", "closing", "opening", "came", "gone",
         "unknown"),
        _N,
    ),
    "signed": Place(rf"[+-]{_NUMBER}", _signed),
    "amount": Place(rf"{_NUMBER}(?: %)?", _amount),
    "bound": Place(rf"{_DAY}|{_NUMBER}|[\dT:. -]+", _bound),
    **dict.fromkeys(("share", "least", "most"), _PERCENT),
    "day": Place(_DAY, _day),
    "period": Place(_PERIOD, _period),
    "periods": Place(rf"{_PERIOD}(?:, {_PERIOD})*", _periods),
    "name": _ANY,
    "names": Place(_TEXT, _names),
    "pieces": Place(_TEXT, _pieces),
    "points": Place(rf"{_POINT}(?:, {_POINT})*", _points),
    "breaks": Place(_TEXT, _breaks),
    "claim": Place(_TEXT, _claim),
    "sentence": Place(_TEXT, _known),
    "products": Place(_PRODUCTS, _plain),
    **dict.fromkeys(("column", "other", "code"), _GIVEN),
    "columns": Place(rf"{_CODE}(?:, {_CODE})*", _as_it_is),
    "form": Place(r"uuid|email|uri|hostname|ipv[46]|byte|[iuf]\d{1,3}", _as_it_is),
    "metric": Place("nullValues|missingValues|invalidValues|duplicateValues|rowCount|sql", _as_it_is),
    "groups": Place(rf"{_CODE}(?:, {_CODE})*", _groups),
    "types": Place(r"\w+(?:, \w+)*", _types),
    "languages": Place(r"[\w-]+(?:, [\w-]+)*", _languages),
    **dict.fromkeys(("type", "was"), _TYPE),
}  # fmt: skip
"""What may stand in a place, by its name."""

_POINTS = re.compile(rf"{_POINT}(?:, {_POINT})+")
_MADE = [(text, Phrase(*made)) for p in PHRASES for made in [(p,) if isinstance(p, str) else p] for text in made]
_FORMS = [
    (_literals(text)[0], _form(text), phrase)
    for text, phrase in sorted(_MADE, key=lambda made: -sum(map(len, _literals(made[0]))))
]
