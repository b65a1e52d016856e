"""``kind: pseudonym``."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, ClassVar

import pyarrow as pa

from metroon.base.errors import Refused
from metroon.guard.technique import Protecting, Technique

if TYPE_CHECKING:
    from metroon.base.engine import Engine, Relation

_VALUE, _TOKEN = "_value", "_token"
_BATCH = 250_000


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
    is_by_row: ClassVar[bool] = True

    def protect(self, rows: Relation, given: Protecting) -> Relation:
        """The rows with tokens in place of values."""
        key = given.keys.get(self.purpose)
        if not key or len(key) < 16:
            variable = f"METROON_KEY_{self.purpose.upper()}"
            what = f"there is no key for the purpose '{self.purpose}'."
            fix = f"Set {variable} to at least 16 random characters, from your secret store."
            raise Refused([given.contract.node.problem("G105", what, fix)])
        values = rows.select(**{_VALUE: rows[self.column]}).distinct()
        tokens = given.engine.table(_tokens(given.engine, values, key))
        # Null has no token, and no row of the other side is like it.
        told = rows.left_join(tokens, rows[self.column] == tokens[_VALUE])
        return told.select(*(c if c != self.column else told[_TOKEN].name(c) for c in rows.columns))

    def words(self) -> str:
        """It is a token."""
        return "Replaced by a token that nobody can turn back without a key that the city keeps."

    def leaves(self) -> str | None:
        """A linkage key."""
        return "linkage key"


def _tokens(engine: Engine, values: Relation, key: bytes) -> pa.Table:
    """Each different value, and its token."""
    made = [
        b.append_column(_TOKEN, pa.array([_token(key, v) for v in b.column(_VALUE).to_pylist()], pa.string()))
        for b in engine.batches(values, rows=_BATCH)
    ]
    return pa.Table.from_batches(made)


def _token(key: bytes, value: object) -> str | None:
    if value is None:
        return None
    normal = " ".join(str(value).split()).casefold()
    return hmac.new(key, normal.encode(), hashlib.sha256).hexdigest()[:32]
