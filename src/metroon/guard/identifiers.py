"""Identifiers that nobody expected: columns declared public whose values are those of single people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from metroon.base.patterns import hits
from metroon.guard.suggest import MOST, is_no_chance

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from metroon.base.engine import Engine, Relation
    from metroon.base.errors import Problem
    from metroon.city.contract import Contract
    from metroon.guard.technique import Technique

VALIDATED = {
    "ssn": "social security numbers", "itin": "taxpayer numbers", "email": "e-mail addresses",
    "phone": "telephone numbers", "card": "payment card numbers", "iban": "bank account numbers",
    "mbi": "numbers of health insurance", "vin": "vehicle identification numbers",
}  # fmt: skip
"""Patterns whose form or check digit leaves little doubt, and what they are."""
_LOOKED_AT = 2_000
"""Different values of a column that are tried, the most frequent first: enough to tell a share to a few percent."""


def identifying(
    engine: Engine, rows: Relation, contract: Contract, techniques: Sequence[Technique]
) -> Iterator[Problem]:
    """Columns that would leave as they are and hold direct identifiers, whatever the contract says.

    A contract is written once, and files change: a column of notes that was empty may one day hold telephone numbers.
    Only forms that cannot be mistaken are acted on, and only when nearly all values have them; the rest is for
    ``metroon guard classify`` and a person.

    Args:
        engine: The engine.
        rows: The kept rows.
        contract: The promise, with the classes that somebody decided.
        techniques: Columns that a technique changes are not looked at.

    Yields:
        G170 for each such column, unless a named person declassified it with a reason.
    """
    changed = {t.column for t in techniques}
    for column in contract.columns:
        is_open = column.classification == "public" and column.name not in changed
        if not is_open or column.type not in ("string", "integer") or column.declassified or column.allowed:
            continue
        value = rows[column.name].cast("string")
        told = rows.select(value=value).filter(value.notnull()).group_by("value").aggregate(n=value.count())
        most = told.order_by(told["n"].desc(), told["value"]).limit(_LOOKED_AT)
        found = hits(((str(r["value"]).strip(), int(r["n"])) for r in engine.rows(most)), VALIDATED)
        looks = [p for p in VALIDATED if found.get(p, 0.0) >= MOST and is_no_chance(found, p)]
        if looks:
            what = (
                f"column '{column.name}' is declared public, and {found[looks[0]]:.0%} of its values look like "
                f"{VALIDATED[looks[0]]}: no row of {contract.name} is published."
            )
            fix = (
                "Write classification: direct. If they are no person's (a department's own, say), keep public and add "
                "the property declassified with by: and reason:."
            )
            yield column.node.problem("G170", what, fix, "classification")
