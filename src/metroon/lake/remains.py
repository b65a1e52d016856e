"""Remains: every file below a folder decoded and searched for what told who somebody was."""

from __future__ import annotations

import base64
import bz2
import gzip
import html
import io
import json
import lzma
import quopri
import re
import unicodedata
import zipfile
import zlib
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Protocol
from urllib.parse import unquote_plus

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
_PACKED = {b"\x1f\x8b": gzip.decompress, b"BZh": bz2.decompress, b"\xfd7zXZ\x00": lzma.decompress}
"""How packed bytes begin, and what unpacks them."""
_BROKEN = (
    OSError,
    EOFError,
    ValueError,
    RuntimeError,
    NotImplementedError,
    zlib.error,
    lzma.LZMAError,
    zipfile.BadZipFile,
)
"""What is raised by archives that are damaged, or locked by a password."""
_ESCAPED = re.compile(r'\\(?:u([0-9a-fA-F]{4})|(["\\/]))')
_QUOTED = re.compile(r"=(?:[0-9A-F]{2}|\r?\n)")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{16,}")


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
        """What stands in bytes: as UTF-8, UTF-16, UTF-32, Latin-1, or as JSON writes it."""
        low = content.lower()
        # What takes several bytes for each sign fills them with zeros.
        return [word for form, word in self._forms.items() if form in low or form in low.replace(b"\0", b"")]


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
        """What stands in bytes: as UTF-8, UTF-16, UTF-32, or Latin-1."""
        # UTF-16 starts at an even place, or at an odd one.
        wide = (content.decode("utf-16-le", "ignore"), content[1:].decode("utf-16-le", "ignore"))
        narrow = content.replace(b"\0", b"").decode("latin-1")
        texts = (content.decode("utf-8", "ignore"), content.decode("latin-1"), narrow, *wide)
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
    """Decode every file below a folder and look for somebody: Parquet, SQLite, JSON, text, NumPy, archives, workbooks.

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
    named = _named(home)
    for file in sorted(f for f in home.rglob("*") if f.is_file()):
        name, looked = file.relative_to(home).as_posix(), looked + 1
        parts = name.split("/")
        look_in = _in_certificate if parts[0] == _CERTIFICATES else _in_file
        told, is_read = look_in(file, seeker)
        is_table = parts[0] == "lake" and len(parts) == _IN_TABLE and file in named
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


def _named(home: Path) -> set[Path]:
    """The data files that a log names; others beside them are nobody's rows."""
    found = set()
    for log in home.glob("lake/*/*/_delta_log"):
        told = "".join(commit.read_text(encoding="utf-8", errors="ignore") for commit in log.glob("*.json"))
        found |= {file for file in log.parent.glob("*.parquet") if file.name in told}
    return found


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
            found = [f for told in store.values(file) for f in _in_cell(told, seeker)]
            return [*found, *seeker.finds_bytes(file.read_bytes())], True
    except (pa.ArrowException, OSError):
        return seeker.finds_bytes(file.read_bytes()), False
    return _in_content(file.read_bytes(), seeker, 0)


def _in_cell(told: str | bytes, seeker: Seeker) -> list[str]:
    return seeker.finds(told) if isinstance(told, str) else _in_content(told, seeker, 1)[0]


def _in_parquet(source: Path | pa.BufferReader, seeker: Seeker) -> Iterator[list[str]]:
    with pq.ParquetFile(source) as parquet:
        about, schema = parquet.metadata, parquet.schema_arrow
        fields = [(field.name, field.metadata) for field in schema]
        yield seeker.finds("\n".join(str(told) for told in (about.metadata or "", schema.metadata or "", *fields)))
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
    unpack = next((way for head, way in _PACKED.items() if content.startswith(head)), None)
    try:
        if depth < _DEEPEST and content.startswith(b"PK\x03\x04"):
            return _in_zip(content, seeker, depth)
        if depth < _DEEPEST and unpack is not None:
            return _in_content(unpack(content), seeker, depth + 1)
        if content.startswith(b"\x93NUMPY"):
            return _in_array(content, seeker)
        if content.startswith(_PARQUET):
            return list(chain.from_iterable(_in_parquet(pa.BufferReader(content), seeker))), True
        text = content.decode("utf-8")
    except (*_BROKEN, pa.ArrowException):
        return seeker.finds_bytes(content), False
    # UTF-16 is UTF-8 too, with signs that no text has.
    wide = seeker.finds_bytes(content) if "\0" in text else []
    packed = (
        [f for inner in _packed(text) for f in _in_content(inner, seeker, depth + 1)[0]] if depth < _DEEPEST else []
    )
    return [*wide, *packed, *(f for spelled in _spelled(text) for f in seeker.finds(spelled))], True


def _in_zip(content: bytes, seeker: Seeker, depth: int) -> tuple[list[str], bool]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        found = [_in_content(archive.read(n), seeker, depth + 1) for n in archive.namelist()]
        beside = [archive.comment, *(part for i in archive.infolist() for part in (i.filename.encode(), i.comment))]
    told = [f for part in beside for f in seeker.finds(part.decode("utf-8", "ignore"))]
    return [*told, *(f for inner, _ in found for f in inner)], all(is_read for _, is_read in found)


def _spelled(text: str) -> Iterator[str]:
    """A text as it stands, and as it is meant where signs of it are written as numbers: in JSON, addresses, HTML, mail.

    Example:
        >>> list(_spelled("q=Zo%C3%AB+Under"))[-1], list(_spelled("Zo&#235;"))[-1]
        ('q=Zoë Under', 'Zoë')
    """
    yield text
    plain = text
    for _ in range(_DEEPEST):  # JSON stands in JSON
        if "\\" not in plain:
            break
        plain = _ESCAPED.sub(lambda found: chr(int(found[1], 16)) if found[1] else found[2], plain)
        plain = plain.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        yield plain
    if "%" in plain or "+" in plain:
        yield unquote_plus(plain)
    if "&" in plain:
        yield html.unescape(plain)
    if _QUOTED.search(plain):
        yield quopri.decodestring(plain.encode()).decode("utf-8", "replace")


def _packed(text: str) -> Iterator[bytes]:
    """What stands in a text as base64."""
    for found in _BASE64.findall(text):
        run = found[: len(found) - (len(found) % 4 == 1)]
        yield base64.urlsafe_b64decode(run.replace("+", "-").replace("/", "_") + "=" * (-len(run) % 4))


def _in_array(content: bytes, seeker: Seeker) -> tuple[list[str], bool]:
    try:
        array = np.load(io.BytesIO(content), allow_pickle=False)
    except (ValueError, EOFError):
        return seeker.finds_bytes(content), False
    if array.dtype.kind not in "US":
        return seeker.finds_bytes(array.tobytes()), True  # texts are kept as bytes in arrays of numbers
    return [f for v in array.ravel().tolist() for f in seeker.finds(str(v))], True
