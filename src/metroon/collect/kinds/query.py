"""``kind: query``."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import ibis

from metroon.base.account import Delivery
from metroon.base.engine import CannotRun
from metroon.base.errors import Problem, Refused
from metroon.base.lineage import Lineage, lineage
from metroon.base.node import did_you_mean
from metroon.base.sql import NotAllowed, Select, select
from metroon.collect.source import FILE, LINE, REJECT, Raw, Reading, Source

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


class Query(Source):
    """Rows made of other products by one SELECT in DuckDB's SQL.

    The products are found by reading the query; it sees their typed, restricted columns. Each of its columns takes
    the strictest class of the columns that it is computed from and of those that decide which rows there are; what is
    made takes the strictest unit of all that it is made of.

    Args:
        sql: The file with the query, beside product.yaml.
    """

    sql: str = "query.sql"

    def files(self, data: Path, folder: Path) -> list[Path]:  # the same call for every source
        """The query's file."""
        return [folder / self.sql]

    def reads(self, folder: Path) -> frozenset[str]:
        """The products that the query names."""
        return self._parsed(folder).tables

    def lineage(self, folder: Path, columns: Mapping[str, Sequence[str]]) -> Lineage:
        """What the query makes its columns of."""
        return lineage(self._parsed(folder).text, {n: [*c, FILE, LINE] for n, c in columns.items()})

    def read(self, reading: Reading) -> Raw:
        """The rows of the query."""
        name = shown_query(reading.folder, self.sql)
        parsed = self._parsed(reading.folder)
        contract = reading.contract
        if unknown := sorted(parsed.tables - set(reading.inputs)):
            what = f"the query reads '{unknown[0]}', which is no product that it may be made of."
            raise Refused([Problem(name, 1, "D104", what, did_you_mean(unknown[0], reading.inputs))])
        inputs = {n: reading.inputs[n] for n in sorted(parsed.tables)}
        try:
            # Run once, here, so that what it cannot do is told here, and every later step sees the same rows.
            made = reading.engine.table(reading.engine.fetch(reading.engine.sql(parsed.text, inputs)))
        except CannotRun as error:
            fix = "Correct the query; try_cast gives null where a value does not fit."
            raise Refused([Problem(name, 1, "D104", f"the query cannot be run: {error.why}.", fix)]) from None
        if missing := [c.source for c in contract.columns if c.source not in made.columns]:
            named = ", ".join(f"'{m}'" for m in missing)
            what = f"the query does not give what the contract promises: {named}."
            fix = f"Add it to the SELECT, or take it out of contract.yaml. The query gives: {', '.join(made.columns)}."
            raise Refused([Problem(name, 1, "D105", what, fix)])
        rows = made.select(
            **{c.name: made[c.source] for c in contract.columns},
            **{FILE: ibis.literal(self.sql), LINE: ibis.row_number() + 1, REJECT: ibis.null("string")},
        )
        text = (reading.folder / self.sql).read_bytes()
        given = Delivery(self.sql, hashlib.sha256(text).hexdigest(), len(text), reading.engine.count(made))
        return Raw(rows, (given,))

    def _parsed(self, folder: Path) -> Select:
        name = shown_query(folder, self.sql)
        try:
            return select((folder / self.sql).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError):
            fix = "Write the SELECT into this file beside product.yaml, as UTF-8 text."
            raise Refused([Problem(name, 0, "D103", "the query's file is missing or cannot be read.", fix)]) from None
        except NotAllowed as error:
            fix = "Write one SELECT over the names of products."
            raise Refused([Problem(name, 1, "D104", f"the query cannot be run: {error}.", fix)]) from None


def shown_query(folder: Path, sql: str) -> str:
    """The query's file as the reader would type it below the city.

    Example:
        >>> from pathlib import Path
        >>> shown_query(Path("/toy/products/lights"), "query.sql")
        'products/lights/query.sql'
    """
    return "/".join([*folder.parts[-2:], sql])
