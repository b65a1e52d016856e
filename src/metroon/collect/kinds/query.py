"""``kind: query``."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import ibis

from metroon.base.account import Delivery
from metroon.base.errors import Problem, Refused
from metroon.base.sql import NotAllowed, Select, select
from metroon.collect.source import FILE, LINE, REJECT, Raw, Reading, Source

if TYPE_CHECKING:
    from pathlib import Path


class Query(Source):
    """Rows made of other products by one SELECT in DuckDB's SQL.

    The products are found by reading the query; it sees their typed, restricted columns. What is made takes the
    strictest class and unit of all that it is made of.

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

    def read(self, reading: Reading) -> Raw:
        """The rows of the query."""
        parsed = self._parsed(reading.folder)
        made = reading.engine.sql(parsed.text, {n: reading.inputs[n] for n in sorted(parsed.tables)})
        missing = [c.source for c in reading.contract.columns if c.source not in made.columns]
        if missing:
            what = f"the query does not give the column '{missing[0]}' that the contract promises."
            fix = f"Add it to the SELECT, or take it out of contract.yaml. The query gives: {', '.join(made.columns)}."
            raise Refused([Problem(self.sql, 1, "D105", what, fix)])
        rows = made.select(
            **{c.name: made[c.source] for c in reading.contract.columns},
            **{
                FILE: ibis.literal(self.sql),
                LINE: ibis.row_number() + 1,
                REJECT: ibis.null("string"),
            },
        )
        text = (reading.folder / self.sql).read_bytes()
        given = Delivery(self.sql, hashlib.sha256(text).hexdigest(), len(text), reading.engine.count(rows))
        return Raw(rows, (given,))

    def _parsed(self, folder: Path) -> Select:
        file = folder / self.sql
        name = f"{folder.name}/{self.sql}"
        try:
            return select(file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            fix = "Write the SELECT into this file beside product.yaml."
            raise Refused([Problem(name, 0, "D103", "the query's file is missing.", fix)]) from None
        except NotAllowed as error:
            fix = "Write one SELECT over the names of products."
            raise Refused([Problem(name, 1, "D104", f"the query cannot be run: {error}.", fix)]) from None
