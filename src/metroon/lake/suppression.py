"""Suppression: keyed hashes by which the rows of somebody who was erased are told again, kept privately.

The hashes are made with a random key that only this folder holds: nobody can try out names or numbers without it, and
it never leaves with a certificate.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from metroon.base import private
from metroon.base.errors import Problem, Refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from metroon.base.engine import Engine, Relation

FOLDER = "erased"
"""Below the folder in which versions are kept."""
KEY = "key"
"""The file with the key of the hashes."""
_BATCH = 250_000
_VALUE = "_value"


def normal(value: object) -> str:
    """A value as it is compared: without needless blanks, in small letters, as tokens of pseudonyms are made.

    Example:
        >>> normal("  Ada   Lovelace "), normal(7), normal(7.0)
        ('ada lovelace', '7', '7')
    """
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return " ".join(str(value).split()).casefold()


@dataclass(frozen=True)
class Erased:
    """Somebody who was erased, as far as it is known still.

    Args:
        number: The number of the certificate.
        keys: Hashes of the key, and of the tokens that were published in its place.
        values: Hashes of what else told who it was.
        secret: What the hashes are made with.
    """

    number: int
    keys: frozenset[str]
    values: frozenset[str]
    secret: bytes

    def is_key(self, value: object) -> bool:
        """Whether a value is the key of this person, or a token in its place."""
        return value is not None and hashed(value, self.secret) in self.keys

    def tells(self, value: object) -> bool:
        """Whether a value told who this person was."""
        return value is not None and hashed(value, self.secret) in self.keys | self.values


def hashed(value: object, secret: bytes) -> str:
    """The keyed hash of a value."""
    return hmac.new(secret, normal(value).encode(), hashlib.sha256).hexdigest()


class Suppressions:
    """The lists of all who were erased from one city.

    Args:
        home: Where versions are kept.
    """

    def __init__(self, home: Path) -> None:
        self.folder = home / FOLDER

    def keep(self, number: int, keys: Iterable[object], values: Iterable[object]) -> Erased:
        """Write down who is erased, before anything is removed.

        Args:
            number: The number of the certificate.
            keys: The key, and tokens in its place.
            values: What else tells who it is.

        Raises:
            Refused: It cannot be written (L101), or lists are there without the key of their hashes (L122).
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            secret = self._secret()
            made = Erased(
                number,
                frozenset(hashed(k, secret) for k in keys),
                frozenset(hashed(v, secret) for v in values),
                secret,
            )
            told = {"keys": sorted(made.keys), "values": sorted(made.values)}
            private.save(json.dumps(told, indent=1).encode(), self._file(number))
        except OSError as error:
            what = f"the list of who was erased cannot be written ({error.strerror})."
            fix = "Check free space and rights of the folder; nothing was removed."
            raise Refused([Problem(str(self.folder), 0, "L101", what, fix)]) from None
        return made

    def of(self, number: int) -> Erased:
        """Who was erased with a certificate.

        Raises:
            Refused: The list is not there or cannot be read (L122).
        """
        try:
            told = json.loads(self._file(number).read_text(encoding="utf-8"))
            secret = bytes.fromhex((self.folder / KEY).read_text(encoding="ascii"))
            return Erased(number, frozenset(map(str, told["keys"])), frozenset(map(str, told["values"])), secret)
        except (OSError, ValueError, KeyError, TypeError):
            raise self._lost(self._file(number)) from None

    def drop(self, number: int) -> None:
        """Forget whom a certificate is about: rows of this person may come again."""
        self._file(number).unlink(missing_ok=True)

    def _file(self, number: int) -> Path:
        return self.folder / f"{number:04}.json"

    def _secret(self) -> bytes:
        file = self.folder / KEY
        if not file.exists():
            if any(self.folder.glob("[0-9]*.json")):
                raise self._lost(file)
            private.save(secrets.token_hex(32).encode(), file)
        return bytes.fromhex(file.read_text(encoding="ascii"))

    def _lost(self, file: Path) -> Refused:
        what = "the list by which somebody who was erased is told again is missing or cannot be read."
        fix = f"Restore the folder {FOLDER} from a backup; until then no row of the product is read."
        return Refused([Problem(str(file), 0, "L122", what, fix)])


def keys_in(engine: Engine, rows: Relation, column: str, every: Sequence[Erased]) -> dict[int, list[object]]:
    """Number of a certificate -> the values of a column that are the key of its person, as they stand there.

    Args:
        engine: The engine.
        rows: The rows.
        column: The column with the key.
        every: Those who were erased, all with one secret.
    """
    found: dict[int, list[object]] = {}
    owner = {h: e.number for e in every for h in e.keys}
    secret = every[0].secret if every else b""
    for value in _different(engine, rows, column) if every else ():
        number = owner.get(hashed(value, secret))
        if number is not None:
            found.setdefault(number, []).append(value)
    return found


def _different(engine: Engine, rows: Relation, column: str) -> Iterator[object]:
    values = rows.select(**{_VALUE: rows[column]}).distinct()
    for batch in engine.batches(values, rows=_BATCH):
        yield from (v for v in batch.column(_VALUE).to_pylist() if v is not None)


def scrubbed(record: str | None, every: Sequence[Erased]) -> str | None:
    """What a list of rows set aside may still say of a record; None where it tells of somebody who was erased.

    A record that is no whole one may be of anybody, so its text goes too.

    Args:
        record: A JSON object of the columns as they came, or the text of a record that is no whole one.
        every: Those who were erased.
    """
    told = _object(record)
    return None if told is None or any(e.tells(v) for v in told.values() for e in every) else record


def is_whole(record: str) -> bool:
    """Whether a record is a whole one, so that it can be told whose it is."""
    return _object(record) is not None


def _object(record: str | None) -> dict[str, object] | None:
    try:
        told = json.loads(record or "")
    except ValueError:
        return None
    return told if isinstance(told, dict) else None
