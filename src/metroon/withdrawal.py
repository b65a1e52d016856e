"""Published versions that hold what may not leave any more, and how they are taken away."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from metroon import guard
from metroon.base.errors import Problem, Refused
from metroon.base.running import running

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metroon.lake import Open, Version
    from metroon.walk import Walk


@dataclass(frozen=True)
class Held:
    """One published version that holds what may not leave any more.

    Args:
        number: Its number.
        as_of: The day that it took for today.
        columns: Its columns that may not leave.
    """

    number: int
    as_of: str
    columns: tuple[str, ...]


def held(walk: Walk, name: str) -> list[Held]:
    """The published versions of a product that hold columns which, as things are declared now, may not leave.

    A column that the contract does not know any more is not judged: nobody says what it tells.
    """
    if name not in walk.city.products:
        return []
    contract = walk.contracts[name]
    every, table = {c.name for c in contract.columns}, walk.city.products[name].table
    may = set(guard.leaving(contract, walk.techniques[name])) if contract.mode == "rows" else set()
    if contract.mode == "table" and table is not None:
        may = {n for names in table.dimensions for n in names}
    found = []
    for number, evidence in walk.lake.history(name, "open").items():
        if contract.mode == "table" and "columns" not in evidence:
            continue  # a table with totals: its cells were protected, whatever its columns are
        version = walk.lake.open(name, number)
        # Rows are no table, and a table has no rows: what is of the other kind may not leave at all.
        closed = every - may if walk.is_of_mode(name, evidence) else every
        columns = tuple(c for c in _columns(walk, version) if c in closed) if version is not None else ()
        if columns:
            found.append(Held(number, str(evidence["as_of"]), columns))
    return found


def _columns(walk: Walk, version: Version[Open]) -> Sequence[str]:
    known = version.evidence.get("columns")
    if known is None:
        try:
            known = walk.lake.read(version).columns
        except (OSError, Refused):
            known = ()  # its files are gone
    return list(known)


def told(walk: Walk, name: str) -> list[Problem]:
    """What a run says of versions that should be withdrawn; nothing where they cannot be read, which is told itself."""
    try:
        found = held(walk, name)
    except Refused:
        return []
    if not found:
        return []
    columns = sorted({c for h in found for c in h.columns})
    n = len(found)
    what = (
        f"{n} published version{'s' * (n != 1)} of {name} still hold{'s' * (n == 1)} {', '.join(columns)}, which may "
        "not leave any more; they are closed at the portal, and their files are still there."
    )
    fix = f'Take them away for good: metroon guard withdraw {name} --reason "WHY" --yes'
    return [walk.contracts[name].node.problem("G145", what, fix, "schema")]


def chosen(walk: Walk, name: str, numbers: Sequence[int] = ()) -> list[Held]:
    """The versions to take away: those that are named, else those that hold what may not leave.

    Raises:
        Refused: There is nothing of that name, or no such version.
    """
    walk.wanted([name])
    if not numbers:
        return held(walk, name)
    known = walk.lake.history(name, "open")
    unknown = [n for n in numbers if n not in known]
    if unknown:
        listed = f"Published versions: {', '.join(map(str, known)) or 'none'}."
        what = f"{name} has no published version {unknown[0]}."
        raise Refused([Problem(walk.city.node.file, 0, "F105", what, listed)])
    closed = {h.number: h.columns for h in held(walk, name)}
    return [Held(n, str(known[n]["as_of"]), closed.get(n, ())) for n in sorted(set(numbers))]


def withdraw(walk: Walk, name: str, versions: Sequence[Held], *, by: str, reason: str) -> None:
    """Take versions away for good; the history keeps that they were there, and when, by whom and why they went.

    Raises:
        Refused: A run is at work, a legal hold keeps them (G158), or the folder cannot be written.
    """
    if not versions:
        return
    of = walk.indicators[name].of if name in walk.indicators else name
    if kept_by := [h for h in walk.city.holds if h.holds(of, walk.as_of)]:
        fix = "They stay closed. The hold ends with released: in holds.yaml."
        raise Refused(
            h.node.problem("G158", f"legal hold {h.id} ({h.reason}) keeps every version of {name}.", fix)
            for h in kept_by
        )
    at = datetime.now(UTC).isoformat(timespec="seconds")
    columns = sorted({c for v in versions for c in v.columns})
    with running(walk.lake.folder.parent):
        kept = {"at": at, "by": by, "reason": reason, "columns": columns}
        walk.lake.withdraw(name, [v.number for v in versions], kept)
