"""Remains: every file below a folder decoded and searched for what told who somebody was."""

from __future__ import annotations

import gzip
import io
import json
import re
import unicodedata
import zipfile
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from metroon.base import store
from metroon.lake.suppression import SHORTEST, folded, normal, spans

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from pathlib import Path

    from metroon.lake.suppression import Erased

_CERTIFICATES = "certificates"
_DEEPEST = 3
_BATCH = 65_536
_IN_TABLE = 4
"""Parts of the path of a data file: lake, zone, table, file."""
_PARQUET = b"PAR1"
_ORDINARY = ("by", "code", "column", "event_time", "fix", "how", "kind", "state", "table", "title", "what", "zone")
"""Fields of a certificate that the city or the program words, whoever it is about."""
_FIELDS = re.compile(r'[,;\t|"\n\r]')


class Seeker(Protocol):
    """Tells what of something that was read is of the person who is looked for."""

    @property
    def how(self) -> str:
        """How it looks, as a certificate says it."""

    def finds(self, text: str) -> list[str]:
        """What a text tells of the person, each time that it does."""

    def finds_bytes(self, content: bytes) -> list[str]:
        """What bytes do that are not decoded."""


@dataclass(frozen=True)
class Words:
    """Looks for texts as such, wherever they stand, as words of their own.

    Args:
        words: The texts, as they are compared.

    Example:
        >>> Words(frozenset({"ada lovelace"})).finds("by ADA  Lovelace, not by Ada Lovelaces")
        ['ada lovelace']
    """

    words: frozenset[str]

    @property
    def how(self) -> str:
        """How it looks, as a certificate says it."""
        return "every file was decoded and searched for the values that were removed"

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        # A digit in front of a point belongs to the same number.
        longest = sorted(self.words, key=lambda w: (-len(w), w))
        either = "|".join(_written(w) for w in longest)
        return re.compile(rf"(?<![0-9a-z_])(?<!\d\.)(?:{either})(?![0-9a-z_])(?!\.\d)" if either else r"(?!)")

    @cached_property
    def _forms(self) -> dict[bytes, str]:
        return {form: word for word in self.words for form in _forms(word)}

    def finds(self, text: str) -> list[str]:
        """What stands in a text, whatever its letters and blanks."""
        return [normal(found) for found in self._pattern.findall(folded(text))]

    def finds_bytes(self, content: bytes) -> list[str]:
        """What stands in bytes: as UTF-8, UTF-16, Latin-1, or as JSON writes it."""
        low = content.lower()
        return [word for form, word in self._forms.items() if form in low]


def _written(word: str) -> str:
    """How a word may be written: a whole number also with zeros in front, after the point, and in groups."""
    if word.isascii() and word.isdigit():
        digits = word.lstrip("0") or "0"
        grouped = re.sub(r"(?<=\d)(?=(?:\d{3})+$)", lambda _: "[,']?", digits)
        return rf"0*{grouped}(?:\.0+)?"
    return re.escape(word).replace(r"\ ", r"\s+")


def _forms(word: str) -> set[bytes]:
    forms = set()
    # Only plain letters are made small in bytes, and a letter with accents may be several signs.
    for way in ("NFC", "NFD"):
        for text in (unicodedata.normalize(way, w) for w in (word, word.title(), word.upper())):
            forms |= {
                text.encode(),
                text.encode("utf-16-le"),
                text.encode("utf-16-be"),
                json.dumps(text)[1:-1].encode(),
            }
            forms |= {text.encode("latin-1")} if all(ord(sign) < 256 for sign in text) else set()
    return {form.lower() for form in forms}


@dataclass(frozen=True)
class Hashes:
    """Looks for values by their keyed hashes, whole or as words of a text, where the values are not known any more.

    Args:
        erased: Whose.
    """

    erased: Erased

    @property
    def how(self) -> str:
        """How it looks, as a certificate says it."""
        return (
            "every file was decoded, and its values and words compared, by their hashes, with those that were removed"
        )

    def finds(self, text: str) -> list[str]:
        """Whole values, fields of lines, parts of a JSON text, and words of each, that are of the person."""
        parts = {text, *_FIELDS.split(text)}
        if text.lstrip()[:1] in ("{", "["):
            parts |= set(_leaves(text))
        told = {normal(p) for p in parts} | {*spans(text, self.erased.lengths)}
        return [p for p in told if len(p) >= SHORTEST and (self.erased.tells(p) or self.erased.names(p))]

    def finds_bytes(self, content: bytes) -> list[str]:
        """What stands in bytes: as UTF-8, UTF-16, or Latin-1."""
        # UTF-16 starts at an even place, or at an odd one.
        wide = (content.decode("utf-16-le", "ignore"), content[1:].decode("utf-16-le", "ignore"))
        texts = (content.decode("utf-8", "ignore"), content.decode("latin-1"), *wide)
        return [found for text in texts for found in self.finds(text)]


@dataclass(frozen=True)
class Together:
    """Looks for the key as it was given again, and for everything else by its hashes.

    Args:
        words: The key.
        hashes: What else was removed.
    """

    words: Words
    hashes: Hashes

    @property
    def how(self) -> str:
        """How it looks, as a certificate says it."""
        return f"every file was searched for the key that was given again; {self.hashes.how}"

    def finds(self, text: str) -> list[str]:
        """What a text tells of the person."""
        return [*self.words.finds(text), *self.hashes.finds(text)]

    def finds_bytes(self, content: bytes) -> list[str]:
        """What bytes do that are not decoded."""
        return [*self.words.finds_bytes(content), *self.hashes.finds_bytes(content)]


def _leaves(text: str) -> Iterator[str]:
    try:
        told = json.loads(text)
    except ValueError:
        return
    yield from _leaves_of(told)


def _leaves_of(told: object, without: Collection[str] | None = None) -> Iterator[str]:
    """Every text in what JSON told; names of fields only when none is to be left out."""
    waiting = [told]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            waiting += [v for k, v in part.items() if k not in (without or ())]
            waiting += [*part.keys()] if without is None else []
        elif isinstance(part, list):
            waiting += part
        elif part is not None:
            yield str(part)


@dataclass(frozen=True)
class Found:
    """Where somebody is found still.

    Args:
        tables: Table of the lake, or folder of another product's fetched copies -> how often it holds what told who the
            person was: rows of other people, or other products.
        files: Other files that do.
        looked: How many files were looked at.
        unread: Files that could be looked at only as bytes.
    """

    tables: Mapping[str, int]
    files: tuple[str, ...]
    looked: int
    unread: tuple[str, ...]


def words(values: Iterable[object]) -> Words:
    """What to look for: those of some values that are long enough to tell of somebody.

    Args:
        values: All that told who a person was.
    """
    return Words(frozenset(w for v in values if len(w := normal(v)) >= SHORTEST))


def look(home: Path, seeker: Seeker, *, landed: Collection[str] = ()) -> Found:
    """Decode every file below a folder and look for somebody: Parquet, SQLite, JSON, text, NumPy, ZIP, gzip, workbooks.

    Words that rows of other people hold too, such as the name of a place, may stand in logs and in the ledger.

    Args:
        home: The folder.
        seeker: What is looked for.
        landed: Products whose fetched copies are gone; those of others are their own.
    """
    tables: dict[str, int] = {}
    files: dict[str, set[str]] = {}
    shared: set[str] = set()
    unread, looked = [], 0
    for file in sorted(f for f in home.rglob("*") if f.is_file()):
        name, looked = file.relative_to(home).as_posix(), looked + 1
        parts = name.split("/")
        look_in = _in_certificate if parts[0] == _CERTIFICATES else _in_file
        told, is_read = look_in(file, seeker)
        is_table = parts[0] == "lake" and len(parts) == _IN_TABLE and file.suffix == ".parquet"
        if is_table or (parts[0] == "landed" and parts[1] not in landed):
            shared |= {*told}
            of = "/".join(parts[1:3] if is_table else parts[:2])
            tables[of] = tables.get(of, 0) + len(told)
        # The name of a file may be the name of a person.
        elif found := {*told, *seeker.finds(name.replace("/", "\n"))}:
            files[name] = found
        unread += [] if is_read else [name]
    left = tuple(name for name, found in files.items() if found - (shared if _may_name(name) else set()))
    return Found({t: n for t, n in tables.items() if n}, left, looked, tuple(unread))


def _may_name(name: str) -> bool:
    return name.startswith(("ledger/", "store.sqlite")) or "/_delta_log/" in name


def _in_certificate(file: Path, seeker: Seeker) -> tuple[list[str], bool]:
    """What somebody wrote into a certificate, without the words that stand in every one."""
    try:
        told = json.loads(file.read_bytes())
    except ValueError:
        return _in_file(file, seeker)
    return [found for text in _leaves_of(told, _ORDINARY) for found in seeker.finds(text)], True


def _in_file(file: Path, seeker: Seeker) -> tuple[list[str], bool]:
    """What a file tells of the person, and whether it could be decoded."""
    with file.open("rb") as read:
        head = read.read(16)
    try:
        if head.startswith(_PARQUET):
            return list(chain.from_iterable(_in_parquet(file, seeker))), True
        if head.startswith(b"SQLite format 3\0"):
            found = [f for text in store.texts(file) for f in seeker.finds(text)]
            return [*found, *seeker.finds_bytes(file.read_bytes())], True
    except (pa.ArrowInvalid, OSError):
        return seeker.finds_bytes(file.read_bytes()), False
    return _in_content(file.read_bytes(), seeker, 0)


def _in_parquet(file: Path, seeker: Seeker) -> Iterator[list[str]]:
    with pq.ParquetFile(file) as parquet:
        about = parquet.metadata
        yield seeker.finds(str(about.metadata or ""))
        for group in map(about.row_group, range(about.num_row_groups)):
            for column in map(group.column, range(about.num_columns)):
                bounds = column.statistics if column.is_stats_set else None
                yield seeker.finds(f"{bounds.min}\n{bounds.max}") if bounds is not None and bounds.has_min_max else []
        for batch in parquet.iter_batches(batch_size=_BATCH):
            yield from (_in_column(column, seeker) for column in batch.columns)


def _in_column(column: pa.Array, seeker: Seeker) -> list[str]:
    kind = column.type
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return [f for v in column.to_pylist() if v is not None for f in seeker.finds_bytes(v)]
    if pa.types.is_floating(kind) or pa.types.is_temporal(kind) or pa.types.is_boolean(kind):
        return []  # many people have the same
    if pa.types.is_nested(kind):
        return [f for v in column.to_pylist() if v is not None for f in seeker.finds(str(v))]
    counts = column.value_counts()
    told = zip(counts.field(0).to_pylist(), counts.field(1).to_pylist(), strict=True)
    return [f for v, n in told if v is not None for f in seeker.finds(str(v)) * n]


def _in_content(content: bytes, seeker: Seeker, depth: int) -> tuple[list[str], bool]:
    """What some bytes tell of the person, those in archives unpacked, and whether they could be decoded."""
    if depth < _DEEPEST and content.startswith(b"PK\x03\x04"):
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                found = [_in_content(archive.read(n), seeker, depth + 1) for n in archive.namelist()]
                named = seeker.finds("\n".join(archive.namelist()))
                return [*named, *(f for told, _ in found for f in told)], all(is_read for _, is_read in found)
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError):
            return seeker.finds_bytes(content), False
    if depth < _DEEPEST and content.startswith(b"\x1f\x8b"):
        try:
            return _in_content(gzip.decompress(content), seeker, depth + 1)
        except (OSError, EOFError):
            return seeker.finds_bytes(content), False
    if content.startswith(b"\x93NUMPY"):
        return _in_array(content, seeker)
    if content.startswith(_PARQUET):
        table = pq.read_table(pa.BufferReader(content))
        return [f for c in table.columns for chunk in c.chunks for f in _in_column(chunk, seeker)], True
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return seeker.finds_bytes(content), False
    # In JSON a letter may be written as a number.
    leaves = "\n".join(_leaves(text)) if "\\u" in text else ""
    # UTF-16 is UTF-8 too, with signs that no text has.
    wide = seeker.finds_bytes(content) if "\0" in text else []
    return [*seeker.finds(text), *seeker.finds(leaves), *wide], True


def _in_array(content: bytes, seeker: Seeker) -> tuple[list[str], bool]:
    try:
        array = np.load(io.BytesIO(content), allow_pickle=False)
    except ValueError:
        return seeker.finds_bytes(content), False
    if array.dtype.kind not in "US":
        return seeker.finds_bytes(array.tobytes()), True  # texts are kept as bytes in arrays of numbers
    return [f for v in array.ravel().tolist() for f in seeker.finds(str(v))], True
