"""Legal holds as declared: what a court, a claim or an audit may still ask for."""

from __future__ import annotations

from datetime import date  # pydantic reads the annotation
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

from metroon.base.errors import Refused
from metroon.base.hold import Hold
from metroon.base.node import did_you_mean, validate
from metroon.city.ids import Id, repeated
from metroon.city.yaml import read

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from metroon.base.errors import Problem
    from metroon.base.node import Node
    from metroon.city.people import Staff


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class ReleasedFile(_Part):
    """The end of a hold.

    Args:
        on: The day; from it on the hold holds no longer.
        by: A role of people.yaml that is held, or the contact of a steward there.
    """

    on: date
    by: str


class HoldFile(_Part):
    """One legal hold.

    Args:
        id: Its permanent id.
        products: The products it is about, or ``all``.
        reason: Why: the case, the claim or the request, in words.
        by: A role of people.yaml that is held, or the contact of a steward there.
        since: The day from which it was ordered.
        released: Who ended it and when; leave it out while it holds.
    """

    id: Id
    products: list[Id] | Literal["all"]
    reason: str = Field(min_length=1)
    by: str
    since: date = Field(alias="from")
    released: ReleasedFile | None = None


class HoldsFile(_Part):
    """What ``holds.yaml`` holds.

    Args:
        holds: Legal holds, also those that have ended.
    """

    holds: list[HoldFile] = Field(default_factory=list)


def holds(folder: Path, staff: Staff) -> tuple[Hold, ...]:
    """The legal holds of a city repo, in the order of the file; none when it has no holds.yaml.

    Args:
        folder: The city repo.
        staff: Who may order and end a hold.

    Raises:
        Refused: Keys are unknown or wrong, or names are not there; every fault at once.
    """
    if not (folder / "holds.yaml").exists():
        return ()
    node = read(folder / "holds.yaml")
    told = validate(node, HoldsFile, "Y103")
    products = {p.name for p in (folder / "products").glob("[!.]*") if p.is_dir()}
    if problems := [*_faults(told, node, staff, products)]:
        raise Refused(problems)
    return tuple(
        Hold(
            id=h.id,
            products=() if h.products == "all" else tuple(h.products),
            reason=h.reason,
            by=staff.named(h.by),
            since=h.since,
            released=h.released.on if h.released else None,
            released_by=staff.named(h.released.by) if h.released else "",
            node=node.at("holds", i),
        )
        for i, h in enumerate(told.holds)
    )


def _faults(told: HoldsFile, node: Node, staff: Staff, products: Collection[str]) -> Iterator[Problem]:
    yield from repeated((h.id, node.at("holds", i)) for i, h in enumerate(told.holds))
    for i, hold in enumerate(told.holds):
        at = node.at("holds", i)
        if hold.products == []:
            yield at.problem("G159", "the hold names no product.", "Name products, or write products: all", "products")
        for n, name in enumerate(hold.products if hold.products != "all" else ()):
            if name not in products:
                fix = did_you_mean(name, products)
                yield at.problem("R101", f"there is no product '{name}'.", fix, "products", n)
        named = [(("by",), hold.by), *([(("released", "by"), hold.released.by)] if hold.released else [])]
        for keys, word in named:
            if not staff.named(word):
                what = f"'{word}' is nobody in people.yaml who could order or end a hold."
                yield at.problem("G159", what, did_you_mean(word, staff.names), *keys)
        if hold.released is not None and hold.released.on < hold.since:
            what = "the hold ended before it began."
            yield at.problem("G159", what, "Correct one of the two days.", "released", "on")
