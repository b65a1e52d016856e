"""Parts: what one delivery, or several small ones, bring to a version, so that what came before is not made again."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from metroon.conform.rules import FUTURE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from metroon.base.engine import Relation

Place = tuple[str, int]
"""A delivery and a line of it."""
SHOWN = 5
"""How many places of rows that break a rule are told."""


@dataclass(frozen=True)
class Part:
    """The rows that some deliveries bring to a version, and what became of their records.

    Args:
        key: A name that no other rows have.
        deliveries: Their names, refused ones too.
        files: Parquet files of the rows that are kept.
        aside: Parquet files of the rows that are set aside.
        kept: How many rows are kept.
        whole: How many whole records there are in deliveries that were taken.
        failed: Rule -> whole records that break it.
        where: Rule -> the first places of them.
        reasons: Reason -> rows set aside for it.
        missing: Column -> kept rows where it is not recorded.
        newest: The newest event, as ISO 8601; empty when there is none.
        points: What was counted of points that are no place, and of hours that clocks show twice or never.
        unnamed: Delivery -> the headers that the contract does not name.
        repeats: How many of the rows set aside repeat others.
        as_of: The day taken for today when it was made.
        made_by: What its rows were held to, as a hash: the contract, the options of the source, the code.
    """

    key: str
    deliveries: tuple[str, ...]
    files: tuple[str, ...] = ()
    aside: tuple[str, ...] = ()
    kept: int = 0
    whole: int = 0
    failed: Mapping[str, int] = field(default_factory=dict)
    where: Mapping[str, tuple[Place, ...]] = field(default_factory=dict)
    reasons: Mapping[str, int] = field(default_factory=dict)
    missing: Mapping[str, int] = field(default_factory=dict)
    newest: str = ""
    points: Mapping[str, int] = field(default_factory=dict)
    unnamed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    repeats: int = 0
    as_of: str = ""
    made_by: str = ""

    @property
    def waits(self) -> bool:
        """Whether rows break a rule that they will not break on another day."""
        return any(n and rule.endswith(FUTURE) for rule, n in self.failed.items())

    def told(self) -> dict[str, Any]:
        """As it is kept in the evidence of a version: files by their names."""
        files, aside = ([PurePath(f).name for f in files] for files in (self.files, self.aside))
        return {**asdict(self), "files": files, "aside": aside}

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Part:
        """A part as the evidence of a version tells it.

        Example:
            >>> Part.read(Part("k", ("a.csv",), where={"r": (("a.csv", 2),)}).told()).where
            {'r': (('a.csv', 2),)}
        """
        made = cls(**told)
        return replace(
            made,
            deliveries=tuple(made.deliveries),
            files=tuple(made.files),
            aside=tuple(made.aside),
            where={rule: tuple((str(f), int(n)) for f, n in places) for rule, places in made.where.items()},
            unnamed={file: tuple(names) for file, names in made.unnamed.items()},
        )


@dataclass(frozen=True)
class Before:
    """What a version before holds of deliveries that are as they were.

    Args:
        parts: Its parts.
        rows: Their rows.
        set_aside: Where the rows stand that they set aside, and why.
    """

    parts: tuple[Part, ...]
    rows: Relation
    set_aside: Relation


def added(counts: Sequence[Mapping[str, int]]) -> dict[str, int]:
    """The sums of several counts.

    Example:
        >>> added([{"a": 1}, {"a": 2, "b": 1}])
        {'a': 3, 'b': 1}
    """
    found: dict[str, int] = {}
    for each in counts:
        for name, n in each.items():
            found[name] = found.get(name, 0) + n
    return found


def first(places: Sequence[Sequence[Place]]) -> tuple[Place, ...]:
    """The first of several lists of places.

    Example:
        >>> first([[("b", 2)], [("a", 9), ("a", 1)]])
        (('a', 1), ('a', 9), ('b', 2))
    """
    return tuple(sorted(p for each in places for p in each)[:SHOWN])
