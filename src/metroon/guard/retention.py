"""Retention: which rows have passed their time, and what must be there before they may be destroyed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Literal, cast

import ibis

from metroon.base.errors import Problem, Refused
from metroon.base.node import did_you_mean
from metroon.city.properties import property_node
from metroon.collect import FILE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from ibis.expr.types import BooleanValue

    from metroon.base.account import Delivery
    from metroon.base.engine import Relation
    from metroon.base.hold import Hold
    from metroon.base.node import Node
    from metroon.city.contract import Contract

Level = Literal["legal hold", "statute", "contract", "programme rule"]
LEVELS: tuple[Level, ...] = ("legal hold", "statute", "contract", "programme rule")
"""What wins over what: the first over all others."""
FLOOR_YEARS = 2
"""California Government Code 34090 (d): no record less than two years old."""
NEVER = ("title or lien", "court", "required by statute", "minutes", "ordinance", "resolution")
"""California Government Code 34090 (a), (b), (c), (e): records that this section never lets go."""
CATEGORIES = ("ordinary", *NEVER)
_KEEP = re.compile(r"(?P<n>\d+) (?P<unit>day|month|year)s?")
_KEYS = ("keep", "from", "basis", "category", "destroy")
_APPROVAL_KEYS = ("approvedBy", "resolution", "attorney", "through")


@dataclass(frozen=True)
class Approval:
    """Who agreed that records are destroyed.

    Args:
        by: Ids of roles or contacts of people.yaml: the head of the department, and the city attorney.
        resolution: The resolution of the council.
        attorney: The written consent of the city attorney.
        through: The newest day that it covers; None for every day.
    """

    by: tuple[str, ...]
    resolution: str
    attorney: str
    through: date | None


@dataclass(frozen=True)
class Rule:
    """How long rows are kept, in a form that acts.

    Args:
        n: How many.
        unit: Days, months or years.
        starts: What the time is counted from: the day of the event, or of the delivery.
        basis: The law or schedule it rests on.
        category: What kind of record it is, as Government Code 34090 tells them apart.
        approval: Who agreed to destroy what has passed its time; None when nobody has.
        node: Where it stands.
    """

    n: int
    unit: Literal["day", "month", "year"]
    starts: Literal["eventTime", "delivery"]
    basis: str
    category: str
    approval: Approval | None
    node: Node

    @property
    def keep(self) -> str:
        """The time, in words."""
        return f"{self.n} {self.unit}{'s' if self.n != 1 else ''}"

    def cutoff(self, on: date) -> date:
        """The newest day whose rows have passed their time, and that the approval covers.

        Args:
            on: The day.

        Example:
            >>> from metroon.base.node import Node
            >>> rule = Rule(2, "year", "eventTime", "", "ordinary", None, Node({}, "contract.yaml"))
            >>> rule.cutoff(date(2028, 2, 29))
            datetime.date(2026, 2, 28)
        """
        passed = before(on, self.n, self.unit)
        through = self.approval.through if self.approval else None
        return min(passed, through) if through else passed


def before(on: date, n: int, unit: Literal["day", "month", "year"]) -> date:
    """The day some days, months or years earlier; the last of a month where that day is not there.

    Args:
        on: The day.
        n: How many; 0 or more.
        unit: Of what.
    """
    if unit == "day":
        return on - timedelta(days=n)
    months = on.year * 12 + on.month - 1 - (n if unit == "month" else 12 * n)
    first = date(months // 12, months % 12 + 1, 1)
    following = date((months + 1) // 12, (months + 1) % 12 + 1, 1)
    return first.replace(day=min(on.day, (following - timedelta(days=1)).day))


def rule(contract: Contract) -> Rule | None:
    """The rule of a contract; None where retention is not declared, is a text, or has faults."""
    told = contract.custom.get("retention")
    if not isinstance(told, dict) or [*faults(contract)]:
        return None
    keep, given = cast("re.Match[str]", _KEEP.fullmatch(str(told["keep"]))), told.get("destroy")
    approval = None
    if isinstance(given, dict):
        through = given.get("through")
        approval = Approval(
            tuple(map(str, given.get("approvedBy") or ())),
            str(given.get("resolution") or "").strip(),
            str(given.get("attorney") or "").strip(),
            date.fromisoformat(str(through)) if through else None,
        )
    return Rule(
        int(keep["n"]),
        cast("Literal['day', 'month', 'year']", keep["unit"]),
        cast("Literal['eventTime', 'delivery']", told["from"]),
        str(told["basis"]),
        str(told.get("category") or ""),
        approval,
        property_node(contract.node, "retention"),
    )


def words(told: object) -> str:
    """What a contract says of retention, as one text.

    Example:
        >>> words({"keep": "2 years", "from": "eventTime", "basis": "Records schedule"})
        '2 years after the event (Records schedule)'
    """
    if not isinstance(told, dict):
        return str(told or "")
    after = {"eventTime": "the event", "delivery": "the delivery"}.get(str(told.get("from")), "")
    return f"{told.get('keep', '')} after {after} ({told.get('basis', '')})"


def faults(contract: Contract) -> Iterator[Problem]:
    """What is wrong with a rule as it is declared, without who may approve it."""
    told, node = contract.custom.get("retention"), property_node(contract.node, "retention")
    if not isinstance(told, dict):
        return

    def problem(what: str, fix: str, *keys: str) -> Problem:
        return node.problem("G157", what, fix, "value", *keys)

    for key in told:
        if key not in _KEYS:
            yield problem(f"retention has an unknown key '{key}'.", did_you_mean(str(key), _KEYS), str(key))
    keep = _KEEP.fullmatch(str(told.get("keep") or ""))
    if keep is None:
        yield problem(
            "retention does not say how long rows are kept.", "Write keep: 2 years (or days, months).", "keep"
        )
    elif before(date(2001, 1, 1), int(keep["n"]), cast("Any", keep["unit"])) > date(2001 - FLOOR_YEARS, 1, 1):
        what = f"rows would be kept for {keep[0]}; the law asks for {FLOOR_YEARS} years at least."
        yield problem(what, f"Write keep: {FLOOR_YEARS} years, or longer (California Government Code 34090).", "keep")
    if told.get("from") not in ("eventTime", "delivery"):
        what, fix = "retention does not say from when.", "Write from: eventTime, or from: delivery."
        yield problem(what, fix, "from")
    elif told["from"] == "eventTime" and contract.event_time is None:
        fix = "Name the column as eventTime of the table, or write from: delivery."
        yield problem("retention counts from the event, and the table names no eventTime.", fix, "from")
    if not str(told.get("basis") or "").strip():
        yield problem("retention names no basis.", "Write basis: the law or the records schedule.", "basis")
    yield from _approval_faults(told, problem)


def _approval_faults(told: Mapping[str, Any], problem: Callable[..., Problem]) -> Iterator[Problem]:
    given, category = told.get("destroy"), told.get("category")
    if category not in (None, *CATEGORIES):
        yield problem(f"there is no category '{category}'.", did_you_mean(str(category), CATEGORIES), "category")
    if given is None:
        return
    if not isinstance(given, dict):
        yield problem("destroy has no keys.", f"Write destroy: {{{', '.join(_APPROVAL_KEYS)}}}", "destroy")
        return
    if category is None:
        fix = f"Write category: one of {', '.join(CATEGORIES)} (California Government Code 34090)."
        yield problem("retention does not say what kind of record is to be destroyed.", fix, "category")
    for key in given:
        if key not in _APPROVAL_KEYS:
            fix = did_you_mean(str(key), _APPROVAL_KEYS)
            yield problem(f"destroy has an unknown key '{key}'.", fix, "destroy", str(key))
    if not isinstance(given.get("approvedBy") or [], list):
        yield problem("approvedBy is no list.", "Write approvedBy: [department_head, city_attorney]", "destroy")
    if (through := given.get("through")) is not None:
        try:
            date.fromisoformat(str(through))
        except ValueError:
            yield problem(f"'{through}' is no day.", "Write through: YYYY-MM-DD", "destroy", "through")


@dataclass(frozen=True)
class Block:
    """What keeps rows from being destroyed.

    Args:
        level: How strong it is.
        what: What it is, in words.
        fix: What would have to happen.
    """

    level: Level
    what: str
    fix: str


@dataclass(frozen=True)
class Held:
    """One version in the restricted zone that holds rows which have passed their time.

    Args:
        table: The product, or its table of rows set aside.
        version: Its number.
        rows: How many of its rows have; None where it is made of rows that have, or tells where they stood.
    """

    table: str
    version: int
    rows: int | None


@dataclass(frozen=True)
class Due:
    """What of a product has passed its time. Restricted information: the counts are of people.

    Args:
        product: The product.
        words: Its rule, in words; empty when none is declared.
        rule: The rule, where it is in a form that acts.
        cutoff: The newest day whose rows have passed their time; None without a rule.
        rows: Rows of the newest version that have.
        held: Versions that hold such rows.
        undated: Rows of the newest version of which nobody can say; only where the time is counted from the event.
        derived: Products that are made of it and hold its rows too.
        sources: Delivered files that hold such rows; they belong to the city and stay.
        blocks: What keeps them from being destroyed, the strongest first.
        faults: What is wrong with the rule as it is declared.
    """

    product: str
    words: str
    rule: Rule | None = None
    cutoff: date | None = None
    rows: int = 0
    held: tuple[Held, ...] = ()
    undated: int = 0
    derived: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    blocks: tuple[Block, ...] = ()
    faults: tuple[Problem, ...] = ()


def blocks(
    of: Rule, products: Sequence[str], holds: Sequence[Hold], names: Mapping[str, str], *, on: date
) -> tuple[Block, ...]:
    """What keeps rows from being destroyed, the strongest first; empty when they may be.

    Args:
        of: The rule.
        products: The product, and those that are made of it and hold its rows too.
        holds: Legal holds of the city.
        names: Whom an approval may name -> what people call them; roles that are held, and stewards.
        on: The day.
    """
    found = [
        Block(
            "legal hold", f"legal hold {h.id} ({h.reason}), ordered by {h.by}", "It ends with released: in holds.yaml."
        )
        for h in holds
        if any(h.holds(p, on) for p in products)
    ]
    law = "California Government Code 34090"
    if of.category in NEVER:
        fix = "Nothing of it is ever destroyed."
        found.append(Block("statute", f"records of the kind '{of.category}' stay ({law})", fix))
    approval = of.approval
    if approval is None:
        fix = "Write destroy: {approvedBy, resolution, attorney} once they have agreed."
        return (*found, Block("statute", f"nobody has agreed to destroy it ({law})", fix))
    known = {names[word] for word in approval.by if word in names}
    if len(known) < 2 or len(known) < len(set(approval.by)):
        what = f"{len(known)} of 2 approvals name somebody of people.yaml ({law})"
        fix = "Write approvedBy: with the head of the department and the city attorney, as people.yaml names them."
        found.append(Block("statute", what, fix))
    if not approval.resolution:
        found.append(Block("statute", f"no resolution of the council ({law})", "Write resolution: its number and day."))
    if not approval.attorney:
        fix = "Write attorney: number and day of the letter."
        found.append(Block("statute", f"no written consent of the city attorney ({law})", fix))
    return tuple(sorted(found, key=lambda b: LEVELS.index(b.level)))


def due(rows: Relation, event_time: str | None, cutoff: date, files: Sequence[str] | None) -> BooleanValue:
    """Which rows have passed their time.

    Args:
        rows: Kept rows of a version.
        event_time: The column with the day of the event.
        cutoff: The newest day whose rows have passed their time.
        files: Deliveries that have passed their time; None when the time is counted from the event.

    Returns:
        True or false for each row. A row without a day has not passed its time: nobody can say that it has.
    """
    if files is not None:
        return rows[FILE].isin(list(files)).fill_null(False) if files else ibis.literal(False)
    if event_time is None or event_time not in rows.columns:
        return ibis.literal(False)
    return (rows[event_time].try_cast("date") <= ibis.literal(cutoff)).fill_null(False)


def reason(number: int) -> str:
    """Why rows that a file still holds are set aside."""
    return f"past its time: destroyed, certificate {number}"


def destroyed(
    rows: Relation, *, certificate: Mapping[str, Any], contract: Contract, deliveries: Sequence[Delivery]
) -> BooleanValue:
    """Which rows, read again from a file, were destroyed before.

    Args:
        rows: Rows as they were read.
        certificate: What was destroyed.
        contract: The product's promise.
        deliveries: The deliveries that the rows came in.

    Raises:
        Refused: They were told by a column that the product has no longer (G157).
    """
    cutoff, told = date.fromisoformat(str(certificate["cutoff"])), certificate["rule"]
    if told["from"] == "delivery":
        known = {(str(d["file"]), str(d["sha256"])) for d in certificate["deliveries"]}
        return due(rows, None, cutoff, [d.file for d in deliveries if (d.file, d.sha256) in known])
    column = next((c for c in (told["event_time"], contract.event_time) if c in rows.columns), None)
    if column is None:
        number = certificate["number"]
        what = f"rows of certificate {number} were told by '{told['event_time']}', which is no column any more."
        fix = "Name the column with the day of the event as eventTime of the table."
        raise Refused([contract.node.problem("G157", what, fix, "schema")])
    return due(rows, column, cutoff, None)
