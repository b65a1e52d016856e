"""People who look alike in rows that leave: how small their groups are, and whether a group tells what is in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import ibis

from metroon.guard.technique import WHO

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from metroon.base.engine import Engine, Relation

FEWEST_OTHERS = 3
"""People of a group who must have another value than the most frequent one; with fewer the group is nearly alike."""


@dataclass(frozen=True)
class Likeness:
    """How alike people are in rows that leave. Counts only; never public as they stand.

    Args:
        columns: The columns by which people may be recognised.
        groups: Different combinations of their values.
        smallest: People in the smallest group; None when there is no group.
        small_groups: Groups of fewer people than the minimum.
        small_rows: Rows in them.
        alone: Rows that are the only one with all their published values.
        alike: Sensitive column -> groups that hold too few different values of it, or are nearly all alike in it.
    """

    columns: tuple[str, ...]
    groups: int
    smallest: int | None
    small_groups: int
    small_rows: int
    alone: int = 0
    alike: Mapping[str, int] = field(default_factory=dict)

    def words(self) -> str:
        """In words, for the account.

        Example:
            >>> Likeness(("age",), 12, 15, 0, 0, alone=3).words()
            '12 groups of people who look alike in age, the smallest of 15; 3 rows are the only one with their values'
        """
        alone = f"{self.alone:,} row{'s are' if self.alone != 1 else ' is'} the only one with their values"
        if not self.columns or self.smallest is None:
            return alone
        many = f"{self.groups:,} group{'s' * (self.groups != 1)} of people who look alike in {', '.join(self.columns)}"
        return f"{many}, the smallest of {self.smallest:,}; {alone}"

    @property
    def is_safe(self) -> bool:
        """Whether no group is too small, and none too much alike."""
        return not self.small_groups and not any(self.alike.values())


def likeness(
    rows: Relation,
    columns: Sequence[str],
    diverse: Mapping[str, int],
    engine: Engine,
    *,
    minimum_cell: int,
    counts_alone: bool = False,
) -> Likeness:
    """How alike people are.

    Args:
        rows: Protected rows, with ``WHO`` where a column tells people apart; else each row is one person.
        columns: The quasi-identifying columns that stay.
        diverse: Sensitive column that stays -> fewest different values in each group.
        engine: The engine.
        minimum_cell: Fewest people in a group.
        counts_alone: Whether rows that are alone with all their values are counted too.

    Returns:
        People, not rows, in every number but ``small_rows`` and ``alone``.

    Source:
        Sweeney (2002), k-anonymity, doi:10.1142/S0218488502001648; Machanavajjhala et al. (2007), l-diversity,
        doi:10.1145/1217299.1217302.
    """
    small = small_rows = groups = 0
    smallest = None
    if columns:
        each = rows.group_by(list(columns)).aggregate(_n=rows.count(), _people=_people(rows))
        few = each["_people"] < minimum_cell
        told = engine.rows(
            each.aggregate(
                groups=each.count(), smallest=each["_people"].min(), small=few.cast("int64").sum(),
                rows=ibis.ifelse(few, each["_n"], 0).sum(),
            )
        )[0]  # fmt: skip
        groups, smallest = int(told["groups"]), told["smallest"]
        small, small_rows = int(told["small"] or 0), int(told["rows"] or 0)
    alike = {c: _alike(rows, columns, c, least, engine) for c, least in diverse.items()}
    alone = _alone(rows, engine) if counts_alone else 0
    return Likeness(tuple(columns), groups, smallest, small, small_rows, alone, alike)


def _people(rows: Relation) -> Any:
    return rows[WHO].nunique() if WHO in rows.columns else rows.count()


def _alike(rows: Relation, columns: Sequence[str], sensitive: str, least: int, engine: Engine) -> int:
    """Groups in which a value can be guessed of whoever is known to be in them."""
    # One number for each combination; unlike a join, it takes "not recorded" for a value like others.
    group = ibis.dense_rank().over(order_by=list(columns)) if columns else ibis.literal(0)
    who = {WHO: rows[WHO]} if WHO in rows.columns else {}
    told = engine.table(engine.fetch(rows.select(_group=group, _value=rows[sensitive], **who)))
    whole = told.group_by("_group").aggregate(_all=_people(told))
    known = told.filter(told["_value"].notnull())
    by_value = known.group_by(["_group", "_value"]).aggregate(_people=_people(known))
    values = by_value.group_by("_group").aggregate(_values=by_value.count(), _most=by_value["_people"].max())
    both = whole.left_join(values, "_group")
    is_few = both["_values"].fill_null(0) < least
    is_same = both["_all"] - both["_most"].fill_null(0) < FEWEST_OTHERS
    return engine.count(both.filter(is_few | is_same))


def _alone(rows: Relation, engine: Engine) -> int:
    names = [c for c in rows.columns if c != WHO]
    if not names:
        return 0
    each = rows.group_by(names).aggregate(_n=rows.count())
    return engine.count(each.filter(each["_n"] == 1))
