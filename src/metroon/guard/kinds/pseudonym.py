"""``kind: pseudonym``."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

import pyarrow as pa

from metroon.base.errors import Refused
from metroon.guard.technique import Protecting, Technique

if TYPE_CHECKING:
    from metroon.base.engine import Relation


class Pseudonym(Technique):
    """The value becomes a token: the same for the same value within one purpose, different between purposes.

    The token is a keyed hash (HMAC-SHA-256, 128 bits). Without the key nobody can try out all phone numbers. The
    key comes from the environment variable ``METROON_KEY_`` + the purpose in capitals; it is never stored.
    A token is a linkage key: it follows a person through the rows, so rows of people with tokens still do not
    leave; it is for rows of things, and for the restricted zone.

    Args:
        purpose: What the tokens are for; products of one purpose can be joined, others cannot.
    """

    purpose: str

    def protect(self, rows: Relation, given: Protecting) -> Relation:
        """The rows with tokens in place of values."""
        key = given.keys.get(self.purpose)
        if not key or len(key) < 16:
            variable = f"METROON_KEY_{self.purpose.upper()}"
            what = f"there is no key for the purpose '{self.purpose}'."
            fix = f"Set {variable} to at least 16 random characters, from your secret store."
            raise Refused([given.contract.node.problem("G105", what, fix)])
        position = rows.columns.index(self.column)

        def tokens(batch: pa.Table) -> pa.Table:
            made = [_token(key, v) for v in batch.column(self.column).to_pylist()]
            return batch.set_column(position, self.column, pa.array(made, pa.string()))

        return given.engine.map_arrow(rows, tokens)

    def words(self) -> str:
        """It is a token."""
        return "Replaced by a token that nobody can turn back without a key that the city keeps."

    def leaves(self) -> str | None:
        """A linkage key."""
        return "linkage key"


def _token(key: bytes, value: object) -> str | None:
    if value is None:
        return None
    normal = " ".join(str(value).split()).casefold()
    return hmac.new(key, normal.encode(), hashlib.sha256).hexdigest()[:32]
