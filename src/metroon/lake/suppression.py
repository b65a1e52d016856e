"""Suppression: keyed hashes by which the rows of somebody who was erased are told again, kept privately.

The hashes are made with a random key that only this folder holds: nobody can try out names or numbers without it, and
it never leaves with a certificate.
"""

from __future__ import annotations

import hmac
import json
import re
import secrets
import unicodedata
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from metroon.base import private
from metroon.base.errors import Problem, Refused

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from metroon.base.engine import Engine, Relation

FOLDER = "erased"
"""Below the folder in which versions are kept."""
KEY = "key"
"""The file with the key of the hashes."""
SHORTEST = 5
"""Shorter texts stand in too many places to tell of anybody."""
_BATCH = 250_000
_VALUE = "_value"
_MOST_WORDS = 12
"""A longer text is told by so many of its first words."""
_PARTS = ("keys", "values", "singles", "shared", "lengths", "words")
_LARGEST = 40
"""A number of more digits is no number of anybody."""
_WORD = re.compile(r"\d+(?:[.,]\d+)+|\w+")
_GROUPED = re.compile(r"[+-]?\d{1,3}(?:([,.'\u2019 \u00a0\u202f])\d{3})(?:\1\d{3})*")


def normal(value: object) -> str:
    """A value as it is compared: without needless blanks, in small letters, each letter with its accents one sign.

    Example:
        >>> normal("  Ada   Lovelace "), normal(7), normal(7.0), normal("Zoe\u0308") == normal("ZO\u00cb")
        ('ada lovelace', '7', '7', True)
    """
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return " ".join(folded(str(value)).split())


def folded(text: str) -> str:
    """A text in small letters, each letter with its accents one sign; blanks stay."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def numbers(value: object) -> frozenset[str]:
    """The numbers that a value may be meant as, each in one form; none where it is no number.

    Example:
        >>> sorted(numbers("0077,311")), sorted(numbers("7.7311e4")), sorted(numbers("77.311")), numbers("x7")
        ([], ['77311'], ['77.311', '77311'], frozenset())
    """
    text = str(value).strip()
    forms = [text, *([re.sub(r"[^\d+-]", "", text)] if isinstance(value, str) and _GROUPED.fullmatch(text) else [])]
    found = set()
    for form in forms:
        with suppress(InvalidOperation, ValueError):
            made = Decimal(form)
            if made.is_finite() and abs(made.adjusted()) <= _LARGEST:
                found.add(f"{made.normalize():f}")
    return frozenset(found)


def as_number(value: object) -> str:
    """A number in one form: as it reads by itself, else as one in groups; empty where it is none.

    Example:
        >>> as_number("0077311.0"), as_number("77,311"), as_number("77.311"), as_number("no")
        ('77311', '77311', '77.311', '')
    """
    return min(numbers(value), key=lambda form: abs(Decimal(form)), default="")


def spans(text: str, lengths: Iterable[int]) -> Iterator[str]:
    """Every run of so many words in a text, as it is compared.

    Example:
        >>> list(spans("by Ada Quux.", {2}))
        ['by ada', 'ada quux']
    """
    low = folded(text)
    words = [found.span() for found in _WORD.finditer(low)]
    for length in lengths:
        for first, last in zip(words, words[length - 1 :], strict=False):
            yield " ".join(low[first[0] : last[1]].split())


def _first_words(value: object) -> tuple[str, int]:
    """The words by which a value is told inside of a text, and how many they are."""
    n = min(len(_WORD.findall(normal(value))), _MOST_WORDS)
    return (next(spans(normal(value), (n,))), n) if n else ("", 0)


@dataclass(frozen=True)
class Erased:
    """Somebody who was erased, as far as it is known still.

    Args:
        number: The number of the certificate.
        keys: Hashes of the key, and of the tokens that were published in its place.
        values: Hashes of what else told who it was, and was of nobody else.
        secret: What the hashes are made with.
        singles: Those of the values that single out a person: names, numbers of people.
        shared: Hashes of names that other people have too.
        lengths: Of how many words keys and values are.
        words: Hashes of the words by which the key is told inside of a text.
        is_number: Whether the key is a number, so that 0077 and 77.0 are the same.
    """

    number: int
    keys: frozenset[str]
    values: frozenset[str]
    secret: bytes
    singles: frozenset[str] = frozenset()
    shared: frozenset[str] = frozenset()
    lengths: frozenset[int] = frozenset()
    words: frozenset[str] = frozenset()
    is_number: bool = False

    def is_key(self, value: object) -> bool:
        """Whether a value is the key of this person, or a token in its place."""
        return value is not None and any(hashed(v, self.secret) in self.keys for v in self.forms(value))

    def forms(self, value: object) -> frozenset[str]:
        """What a value is compared as."""
        return frozenset({normal(value)}) | (numbers(value) if self.is_number else frozenset())

    def tells(self, value: object) -> bool:
        """Whether a value told who this person was."""
        if value is None:
            return False
        return self.is_key(value) or hashed(value, self.secret) in self.values | self.shared

    def owns(self, record: Mapping[str, object], column: str | None) -> bool:
        """Whether a whole record is of this person.

        It is when the key stands anywhere in it. Where it has another key it is somebody else's, whatever else the two
        share; where it has none, a value that nobody else has tells.

        Args:
            record: Column -> value.
            column: The column with the key; None where nobody knows it.
        """
        values = [v for v in record.values() if v is not None]
        other = record.get(column) if column is not None else None
        if self.is_key(other) or any(self.names(str(v)) for v in values):
            return True
        if other is not None and (numbers(str(other)) if self.is_number else _WORD.search(str(other))):
            return False
        return any(self.is_key(v) or hashed(v, self.secret) in self.singles for v in values)

    def names(self, text: str) -> bool:
        """Whether the key stands in a text, as it is or as words of it, and is long enough to tell of anybody."""
        return any(
            len(part) >= SHORTEST and (self.is_key(part) or hashed(part, self.secret) in self.words)
            for part in (text, *spans(text, self.lengths))
        )


def hashed(value: object, secret: bytes) -> str:
    """The keyed hash of a value."""
    return hmac.digest(secret, normal(value).encode(), "sha256").hex()


class Suppressions:
    """The lists of all who were erased from one city.

    Args:
        home: Where versions are kept.
    """

    def __init__(self, home: Path) -> None:
        self.folder = home / FOLDER

    def keep(
        self,
        number: int,
        keys: Collection[object],
        values: Collection[object],
        *,
        singles: Collection[object] = (),
        shared: Collection[object] = (),
        is_number: bool = False,
    ) -> Erased:
        """Write down who is erased, before anything is removed.

        Args:
            number: The number of the certificate.
            keys: The key, and tokens in its place.
            values: What else tells who it is, and is of nobody else.
            singles: Those of the values that single out a person.
            shared: Names that other people have too.
            is_number: Whether the key is a number.

        Raises:
            Refused: It cannot be written (L101), or lists are there without the key of their hashes (L122).
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            secret = self._secret()
            made = person(number, secret, keys, values, singles=singles, shared=shared, is_number=is_number)
            told = {**{part: sorted(getattr(made, part)) for part in _PARTS}, "is_number": made.is_number}
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
            hashes = {part: frozenset(map(str, told[part])) for part in _PARTS if part != "lengths"}
            lengths, is_number = frozenset(map(int, told["lengths"])), bool(told["is_number"])
            return Erased(number, secret=secret, lengths=lengths, is_number=is_number, **hashes)
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


def person(
    number: int,
    secret: bytes,
    keys: Collection[object],
    values: Collection[object] = (),
    *,
    singles: Collection[object] = (),
    shared: Collection[object] = (),
    is_number: bool = False,
) -> Erased:
    """Somebody, told by hashes of what tells of them: as whole values, and as words inside of a text.

    Args:
        number: The number of the certificate.
        secret: What the hashes are made with.
        keys: The key, and tokens in its place.
        values: What else tells who it is, and is of nobody else.
        singles: Those of the values that single out a person.
        shared: Names that other people have too.
        is_number: Whether the key is a number.
    """
    every = [*keys]
    if is_number:
        every += [n for k in every if (n := as_number(k))]
    told = [_first_words(v) for part in (every, values, singles, shared) for v in part]

    def hashes(given: Iterable[object]) -> frozenset[str]:
        return frozenset(hashed(v, secret) for value in given for v in (value, _first_words(value)[0]) if v != "")

    return Erased(
        number,
        frozenset(hashed(k, secret) for k in every),
        hashes(values),
        secret,
        hashes(singles),
        hashes(shared),
        frozenset(n for _, n in told if n),
        frozenset(hashed(words, secret) for words in (_first_words(k)[0] for k in every) if words),
        is_number,
    )


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
    secret, has_numbers = every[0].secret if every else b"", any(e.is_number for e in every)
    for value in different(engine, rows, column) if every else ():
        number = owner.get(hashed(value, secret))
        if number is None and has_numbers:
            number = next((e.number for e in every if e.is_number and e.is_key(value)), None)
        if number is not None:
            found.setdefault(number, []).append(value)
    return found


def different(engine: Engine, rows: Relation, column: str) -> Iterator[object]:
    """Each different value of a column, but null."""
    values = rows.select(**{_VALUE: rows[column]}).distinct()
    for batch in engine.batches(values, rows=_BATCH):
        yield from (v for v in batch.column(_VALUE).to_pylist() if v is not None)


def scrubbed(record: str | None, every: Sequence[Erased], column: str | None = None) -> str | None:
    """What a list of rows set aside may still say of a record; None where it is of somebody who was erased.

    A record that is no whole one may be of anybody, so its text goes too.

    Args:
        record: A JSON object of the columns as they came, or the text of a record that is no whole one.
        every: Those who were erased.
        column: The column with their key; None where nobody knows it.
    """
    told = _object(record)
    return None if told is None or any(e.owns(told, column) for e in every) else record


def is_whole(record: str) -> bool:
    """Whether a record is a whole one, so that it can be told whose it is."""
    return _object(record) is not None


def _object(record: str | None) -> dict[str, object] | None:
    try:
        told = json.loads(record or "")
    except ValueError:
        return None
    return told if isinstance(told, dict) else None
