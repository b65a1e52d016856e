"""The gate of the data use protocols: data about people are not used before the public could read and comment why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from metroon.base.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

    from metroon.base.protocol import Protocol
    from metroon.city.contract import Contract

ELEMENTS = ("purpose", "notice", "retention", "sharing", "accuracy", "security", "equity", "owner")
"""What a protocol must say before anything is used under it."""
UNSAID = "not said yet"
"""How a draft begins each of them."""


def is_personal(contract: Contract) -> bool:
    """Whether people stand behind the rows; a contract that does not say counts as one with people."""
    return contract.unit != "none"


@dataclass(frozen=True)
class Lived:
    """What held when something of a product last went out.

    Args:
        says_sha256: The hash of what the protocol said of purpose and sharing.
        since: The first day of its window, or the day of its waiver.
        columns: The columns that the product had.
    """

    says_sha256: str
    since: str
    columns: frozenset[str]

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Lived:
        """What a release kept of it."""
        return cls(str(told["says_sha256"]), str(told["since"]), frozenset(map(str, told["columns"])))


def gate(
    contract: Contract, protocols: Sequence[Protocol], *, as_of: date, before: Lived | None = None
) -> list[Problem]:
    """What keeps data about people from being used; empty when one protocol allows it, or when nobody is in them.

    Args:
        contract: The product's promise, classes inherited.
        protocols: Every protocol of the city.
        as_of: The day.
        before: What held when something of the product last went out; None when nothing did.

    Returns:
        Every reason, those of the first protocol that covers the product.
    """
    if not is_personal(contract) or permitting(contract, protocols, as_of=as_of, before=before) is not None:
        return []
    if missing := uncovered(contract, protocols):
        return missing
    first = next(p for p in protocols if p.covers(contract.name))
    return list(_open(contract, first, as_of=as_of, before=before))


def uncovered(contract: Contract, protocols: Sequence[Protocol]) -> list[Problem]:
    """That no protocol is about data which people stand behind; empty when one is, however far it is."""
    return [_missing(contract)] if is_personal(contract) and not any(p.covers(contract.name) for p in protocols) else []


def permitting(
    contract: Contract, protocols: Sequence[Protocol], *, as_of: date, before: Lived | None = None
) -> Protocol | None:
    """The protocol under which data about people may be used; None when there is none."""
    return next(
        (p for p in protocols if p.covers(contract.name) and not [*_open(contract, p, as_of=as_of, before=before)]),
        None,
    )


def kept(contract: Contract, protocol: Protocol) -> dict[str, Any]:
    """What a version keeps of the protocol under which it went out, so that a wider use is noticed."""
    return {
        "id": protocol.id,
        "says_sha256": protocol.says_sha256,
        "since": str(protocol.since),
        "columns": [c.name for c in contract.columns],
    }


def _missing(contract: Contract) -> Problem:
    name = contract.name
    what = f"no data use protocol covers {name}, which holds data about people: nothing of it is published."
    fix = (
        f"Write protocols/{name}.yaml; this drafts it: metroon guard protocol {name} --write. "
        "If nobody stands behind a row, say so instead: privacyUnit none, with a privacyReason."
    )
    return contract.node.problem("G150", what, fix, "customProperties")


def _open(contract: Contract, protocol: Protocol, *, as_of: date, before: Lived | None) -> Iterator[Problem]:
    """What is still open in one protocol that covers a product."""
    name, node, since = contract.name, protocol.node, protocol.since
    for element in ELEMENTS:
        if str(getattr(protocol, element)).casefold().startswith(UNSAID):
            what = f"the protocol does not say its {element} yet: nothing of {name} is published."
            yield node.problem("G156", what, f"Write {element}: in words for residents.", element)
    standing = protocol.standing(as_of)
    if standing == "announced" and protocol.waiver is not None:
        what = f"that it needs no window was decided for {protocol.waiver.on}: nothing of {name} is published before."
        yield node.problem("G151", what, f"Wait until that day, then: metroon run {name}.", "comment")
    elif standing in ("announced", "open for comments"):
        what = f"comments on it are open until {protocol.closes}: nothing of {name} is published before they closed."
        fix = (
            f"Wait until the day after, then: metroon run {name}. If the records were lawfully public before, somebody "
            "of people.yaml may decide that no window is needed: comment: {waived: {by, on, reason}}"
        )
        yield node.problem("G151", what, fix, "comment")
    if protocol.unanswered:
        n = protocol.unanswered
        what = f"{n} comment{'s have' if n > 1 else ' has'} no reply: nothing of {name} is published."
        yield node.problem("G152", what, f"Write reply: and replied: for each. Then: metroon run {name}", "comment")
    entry = protocol.covers(name)
    if since is None or entry is None or entry.since > since:
        what = f"{name} came into the protocol after its window for comments had begun."
        fix = "Open a new window: write from: and to: below comment: that begin on that day or later."
        yield node.problem("G153", what, fix, "comment")
    elif before is not None and str(since) <= before.since:
        yield from _widened(contract, protocol, before)


def _widened(contract: Contract, protocol: Protocol, before: Lived) -> Iterator[Problem]:
    fix = f"Open a new window for comments that begins after {before.since}, or take the change back."
    if protocol.says_sha256 != before.says_sha256:
        what = f"its purpose or sharing has changed since something of {contract.name} was last published."
        yield protocol.node.problem("G153", what, fix, "purpose")
    more = [c.name for c in contract.columns if c.classification != "public" and c.name not in before.columns]
    if more:
        what = f"{contract.name} has come to hold {', '.join(more)} since something of it was last published."
        yield protocol.node.problem("G153", what, fix, "data")
