"""Changes of a contract: what one edition promises otherwise than the last, and whether that breaks what readers do.

The promise is kept with every version as plain values, so that two editions can be compared when the file is long
overwritten.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any

from metroon.base.errors import Problem
from metroon.conform.threshold import OPERATORS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from metroon.city.contract import Column, Contract

Edition = dict[str, Any]
"""One edition of a contract as plain values: what a reader relies on, and nothing of its layout."""
_UNIT = "what a row counts (privacyUnit)"
_OPEN = ("aggregate", "table", "rows")
"""How much each releaseMode shows, the least first."""
DRAFTS = ("draft", "proposed")
"""States in which a contract promises nobody anything yet."""


@dataclass(frozen=True)
class Change:
    """One thing that a contract says otherwise than before.

    Args:
        what: In words.
        column: The column it is about; empty for the whole table.
        is_breaking: Whether what readers do with the rows may fail or mean something else.
        is_protective: Whether less of people is shown by it: then it may be made at once, whatever it breaks.
    """

    what: str
    column: str = ""
    is_breaking: bool = False
    is_protective: bool = False

    def __str__(self) -> str:
        return f"{'breaking: ' if self.is_breaking else ''}{self.what}"


def edition(contract: Contract) -> Edition:
    """What a contract promises, as plain values."""
    return {
        "version": contract.edition,
        "status": contract.status,
        "table": {
            _UNIT: contract.unit,
            "the column that tells people apart (personKey)": contract.person_key,
            "one row per what (grain)": contract.grain,
            "when it happened (eventTime)": contract.event_time,
            "the point": list(contract.point) if contract.point else None,
            "the keys of geographies": [[k.column, k.layer, k.vintage] for k in contract.geography_keys],
            "the primary key": list(contract.key),
        },
        "mode": contract.mode,
        "latency_days": contract.latency_days,
        "minimum_cell": contract.minimum_cell,
        "columns": {c.name: _column(c) for c in contract.columns},
        "references": sorted(f"{', '.join(r.columns)} in {r}" for r in contract.references),
        "rules": dict(_rules(contract)),
    }


def _column(column: Column) -> Edition:
    options = {k: v for k, v in column.options.items() if k != "format"}
    is_time = column.type in ("date", "timestamp")
    return {
        "title": column.title,
        "header": column.source,
        "type": column.type,
        "classification": column.classification,
        "required": column.is_required,
        "unique": column.is_unique,
        "codes": sorted(column.allowed),
        "not recorded": sorted(column.missing),
        # How a date is written in the file is no matter of who reads the rows; what a text looks like is.
        "written": column.options.get("format") if is_time else None,
        "limits": options if is_time or "format" not in column.options else dict(column.options),
    }


def _rules(contract: Contract) -> Iterator[tuple[str, Edition]]:
    for index, (node, column) in enumerate(contract.quality):
        name = str(node.at("id").value or node.at("name").value or f"{column or 'table'}.quality{index + 1}")
        kept = ("type", "metric", "query", "arguments", "unit", "severity", "engine", *OPERATORS)
        yield name, {key: at.value for key, at in node.items() if key in kept}


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Change, ...]:
    """What an edition promises otherwise than an earlier one, what breaks first.

    Args:
        before: The earlier edition.
        after: The later one.
    """
    found = [
        *_columns(before["columns"], after["columns"]),
        *_table(before["table"], after["table"]),
        *_released(before, after),
        *_listed("a reference", before["references"], after["references"]),
        *_rule_changes(before["rules"], after["rules"]),
    ]
    return tuple(sorted(found, key=lambda c: not c.is_breaking))


def breaks(last: Mapping[str, Any], contract: Contract, version: int) -> list[Problem]:
    """Breaking changes since an edition that was kept, without a new major version; none where they may be made.

    What protects people waits for no edition: a column that is closed, or rows that become a table or measures only.

    Args:
        last: The edition that was kept.
        contract: The contract as it is now.
        version: The number of the version that was kept.
    """
    broken = [c for c in changes(last, edition(contract)) if c.is_breaking and not c.is_protective]
    if not broken or last["status"] in DRAFTS or _is_newer(last["version"], contract.edition):
        return []
    told = "; ".join(c.what for c in broken)
    what = f"the contract breaks what readers of version {version} rely on, and is no new edition of it: {told}."
    fix = f"Write version: {_next(last['version'])} if that is meant, and tell the readers; else take the change back."
    return [contract.node.problem("C220", what, fix, "version")]


def _is_newer(before: str, after: str) -> bool:
    return _major(after) > _major(before)


def _major(version: str) -> int:
    found = re.match(r"\D*(\d+)", version)
    return int(found[1]) if found else -1


def _next(version: str) -> str:
    return f"{_major(version) + 1}.0.0"


def _columns(before: Mapping[str, Edition], after: Mapping[str, Edition]) -> Iterator[Change]:
    gone, new = [c for c in before if c not in after], [c for c in after if c not in before]
    renamed = _renamed({c: before[c] for c in gone}, {c: after[c] for c in new})
    for old, name in renamed.items():
        yield Change(f"column {old} is gone; it is likely {name} now", old, is_breaking=True)
        yield from _column_changes(name, before[old], after[name])
    yield from (Change(f"column {c} is gone", c, is_breaking=True) for c in gone if c not in renamed)
    yield from (Change(f"column {c} is new", c) for c in new if c not in renamed.values())
    for name in (c for c in before if c in after):
        yield from _column_changes(name, before[name], after[name])


def _renamed(gone: Mapping[str, Edition], new: Mapping[str, Edition]) -> dict[str, str]:
    """Column that is gone -> the new one that it likely is."""
    found: dict[str, str] = {}
    for old, was in gone.items():
        free = {n: it for n, it in new.items() if n not in found.values() and it["type"] == was["type"]}
        same = [n for n, it in free.items() if it["header"] == was["header"]]
        near = sorted(free, key=lambda n: -SequenceMatcher(None, old.lower(), n.lower()).ratio())[:1]
        likely = same or [n for n in near if SequenceMatcher(None, old.lower(), n.lower()).ratio() >= 0.6]
        found |= {old: likely[0]} if likely else {}
    return found


def _column_changes(name: str, was: Edition, now: Edition) -> Iterator[Change]:
    if was["type"] != now["type"]:
        yield Change(f"{name} is {_a(now['type'])}, no longer {_a(was['type'])}", name, is_breaking=True)
    if was["classification"] != now["classification"]:
        what = f"the classification of {name} is {now['classification'] or 'undecided'}, no longer"
        # Only what was public was seen by readers, and closing it protects.
        is_closed = was["classification"] == "public"
        what = f"{what} {was['classification'] or 'undecided'}"
        yield Change(what, name, is_breaking=is_closed, is_protective=is_closed)
    for key, words in (("required", "required"), ("unique", "unique")):
        if was[key] != now[key]:
            # Not required: empty cells come. Required: rows that came until now come no more. Unique is a gain.
            is_breaking = key == "required" or bool(was[key])
            yield Change(f"{name} is {'' if now[key] else 'no longer '}{words}", name, is_breaking=is_breaking)
    yield from _codes(name, was["codes"], now["codes"])
    lost, more = _differing(was["not recorded"], now["not recorded"])
    if lost:
        yield Change(f"{_n(lost, 'missing code')} of {name} count as values now", name, is_breaking=True)
    if more:
        yield Change(f"{_n(more, 'more code')} of {name} mean not recorded", name)
    for key in sorted(was["limits"].keys() | now["limits"].keys()):
        old, new = was["limits"].get(key), now["limits"].get(key)
        if old != new:
            yield Change(f"{key} of {name} is {_shown(new)}, no longer {_shown(old)}", name)
    for key, words in (("title", "the title"), ("header", "the header in the file"), ("written", "the format")):
        if was[key] != now[key]:
            yield Change(f"{words} of {name} is another", name)


def _codes(name: str, was: list[str], now: list[str]) -> Iterator[Change]:
    lost, more = _differing(was, now)
    if was and not now:
        yield Change(f"{name} is no longer held to a list of values", name)
    elif now and not was:
        yield Change(f"{name} is held to a list of values", name)
    elif lost:
        yield Change(f"{_n(lost, 'code')} of {name} no longer allowed: {_few(lost)}", name, is_breaking=True)
    if was and now and more:
        yield Change(f"{_n(more, 'code')} of {name} new: {_few(more)}", name)


def _table(was: Edition, now: Edition) -> Iterator[Change]:
    for key in was:
        if was[key] != now.get(key):
            is_set = was[key] in (None, "", [])
            what = f"{key} is {'said for the first time' if is_set else 'another'}"
            # A key that was never promised: rows that repeat it come no more, but nobody relied on them.
            yield Change(what, is_breaking=not is_set, is_protective=key == _UNIT and was[key] == "none")


def _released(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    was, now = before["mode"], after["mode"]
    if was != now:
        is_less = _OPEN.index(now) < _OPEN.index(was) if {was, now} <= {*_OPEN} else False
        yield Change(f"releaseMode is {now}, no longer {was}", is_breaking=was != "aggregate", is_protective=is_less)
    for key, words in (("latency_days", "the promised latency in days"), ("minimum_cell", "minimumCell")):
        old, new = before[key], after[key]
        if old != new:
            yield Change(f"{words} is {_shown(new)}, no longer {_shown(old)}")


def _listed(word: str, was: list[str], now: list[str]) -> Iterator[Change]:
    lost, more = _differing(was, now)
    yield from (Change(f"{word} is no longer promised: {one}") for one in lost)
    yield from (Change(f"{word} is promised: {one}") for one in more)


def _rule_changes(was: Mapping[str, Edition], now: Mapping[str, Edition]) -> Iterator[Change]:
    lost, more = _differing(list(was), list(now))
    yield from (Change(f"rule {one} is no longer promised") for one in lost)
    yield from (Change(f"rule {one} is promised") for one in more)
    yield from (Change(f"rule {one} is another") for one in was if one in now and was[one] != now[one])


def _differing(was: list[str], now: list[str]) -> tuple[list[str], list[str]]:
    return [v for v in was if v not in now], [v for v in now if v not in was]


def _n(things: list[str], word: str) -> str:
    return f"{len(things)} {word}{'s' if len(things) > 1 else ''}"


def _few(words: list[str]) -> str:
    return ", ".join(words[:5]) + (f" and {len(words) - 5} more" if len(words) > 5 else "")


def _a(word: str) -> str:
    return f"{'an' if word[0] in 'aeiou' else 'a'} {word}"


def _shown(value: object) -> str:
    return "not said" if value is None else str(value)
