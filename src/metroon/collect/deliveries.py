"""Deliveries: many files of one product, each taken or refused whole, put together under the contract's names."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

import ibis
import pyarrow as pa

from metroon.base.account import Delivery
from metroon.base.errors import Problem, Refused
from metroon.collect.source import FILE, LINE, RECORD, REJECT, FileSource, Piece, Raw, Reading

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from metroon.base.engine import Relation
    from metroon.city.contract import Contract

_PADDING = " \0\ufeff"
_HIDDEN = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_MAY = "Give this program the right to read it, or ask the department to send it again."


class Unreadable(Exception):  # noqa: N818  # a decision about one file, told in the account
    """A delivery that cannot be read; the message says why, the fix what to do.

    Args:
        why: What is wrong with the file.
        fix: What to do.
        records: How many records it holds, where they can be counted all the same: they are lost, and told.
    """

    def __init__(self, why: str, fix: str, records: int = 0) -> None:
        super().__init__(why)
        self.fix = fix
        self.records = records


@dataclass(frozen=True)
class AtOnce:
    """The rows of a large file, not read yet.

    Args:
        rows: Under the contract's names, with ``_line``.
        records: How many there must be; what is not so many is read record by record.
        header: Column -> what the header calls it, where a row could be the header again; empty where none can.
        lines: What became of its physical lines.
        nulled: The same rows of texts, with null where one is empty; None where rows have other types.
        is_bare: Whether no text ends with a blank.
    """

    rows: Relation
    records: int
    header: Mapping[str, str]
    lines: Mapping[str, int]
    nulled: Relation | None = None
    is_bare: bool = False


Part = Callable[["Path", "Contract"], "tuple[pa.Table | AtOnce, list[str]]"]
"""One file and the contract -> its rows under the contract's names, and the headers that the contract lacks."""


def gather(source: FileSource, reading: Reading, read: Part) -> Raw:
    """Read every file of a source; a file that cannot be read is refused alone, with its reason.

    Args:
        source: Names the files.
        reading: What the source was given.
        read: One file -> its rows under the contract's names with ``_line`` and ``_reject``, and
            the headers that the contract does not name.

    Raises:
        Refused: There is no file, or none could be read.
    """
    return gather_sections(source, reading, lambda _: {"": read})


def gather_sections(source: FileSource, reading: Reading, sections: Callable[[Path], Mapping[str, Part]]) -> Raw:
    """Read every section of every file of a source; each is a delivery of its own, taken or refused alone.

    Args:
        source: Names the files.
        reading: What the source was given.
        sections: One file -> what follows its name in the section's, such as ``#2024`` -> how the section is read.

    Raises:
        Refused: There is no file, or none could be read.
    """
    files = source.deliveries(reading.data)
    at = reading.contract.node.file.replace("contract.yaml", "product.yaml")
    if not files:
        fix = f"Put the file into {reading.data}, or correct 'path:' (or the city's 'data:')."
        raise Refused([Problem(at, 1, "D101", f"no file matches '{source.path}' in the data folder.", fix)])
    tables: dict[str, pa.Table] = {}
    pieces: list[Piece] = []
    deliveries: list[Delivery] = []
    problems: list[Problem] = []
    left: dict[str, tuple[str, ...]] = {}
    for file in files:
        name = file.relative_to(reading.data).as_posix()
        given = Delivery(name, "", 0)
        try:
            parts = source.parts(file)
            given = Delivery(name, reading.sha256(*parts), sum(p.stat().st_size for p in parts))
            if (known := reading.known.get(name)) is not None and known.delivery.sha256 == given.sha256:
                left[name] = known.unnamed
                deliveries.append(known.delivery)
                continue
            found = sections(file)
        except (Unreadable, OSError) as error:
            _refuse(error, given, deliveries, problems)
            continue
        for section, read in found.items():
            given = replace(given, file=name + section)
            try:
                rows, unnamed = read(file, reading.contract)
            except (Unreadable, OSError) as error:
                _refuse(error, given, deliveries, problems)
                continue
            left[given.file] = tuple(unnamed)
            if isinstance(rows, AtOnce):
                pieces.append(_piece(rows, given.file))
                deliveries.append(replace(given, read=rows.records, lines=rows.lines))
                continue
            tables[given.file] = rows.append_column(FILE, pa.array([given.file] * rows.num_rows, pa.string()))
            deliveries.append(replace(given, read=rows.num_rows))
    if not left:
        raise Refused(problems)
    if tables:
        merged = _merged(list(tables.values()))
        pieces.insert(0, Piece(reading.engine.table(merged), tuple(tables), merged.num_rows))
    unnamed = list(dict.fromkeys(header for names in left.values() for header in names))
    notes = _left_out(unnamed) if source.others == "warn" and unnamed else []
    rows = _together(reading, pieces)
    unread = frozenset(left) - {file for piece in pieces for file in piece.deliveries}
    return Raw(rows, tuple(deliveries), tuple(problems), tuple(notes), tuple(pieces), left, unread)


def _piece(found: AtOnce, file: str) -> Piece:
    told = {FILE: ibis.literal(file), **{name: ibis.null("string") for name in (REJECT, RECORD)}}
    nulled = None if found.nulled is None else found.nulled.mutate(**told)
    return Piece(found.rows.mutate(**told), (file,), found.records, found.header, nulled, found.is_bare)


def _together(reading: Reading, pieces: Sequence[Piece]) -> Relation:
    names = [*(c.name for c in reading.contract.columns), FILE, LINE, REJECT]
    if len(pieces) == 1:
        return pieces[0].rows
    if not pieces:
        types = dict.fromkeys(names, pa.string()) | {LINE: pa.int64()}
        return reading.engine.table(pa.schema(list(types.items())).empty_table())
    chosen = [p.rows.select(*names) for p in pieces]
    kinds = [{r[name].type() for r in chosen} for name in names]
    # One file says number where another says text: the contract types the text of both.
    mixed = [n for n, kind in zip(names, kinds, strict=True) if len(kind) > 1 and not any(k.is_binary() for k in kind)]
    return ibis.union(*(r.mutate(**{n: r[n].cast("string") for n in mixed}) for r in chosen))


def _refuse(error: Unreadable | OSError, given: Delivery, deliveries: list[Delivery], problems: list[Problem]) -> None:
    fault = error if isinstance(error, Unreadable) else Unreadable(f"it cannot be opened: {error.strerror}.", _MAY)
    problems.append(Problem(given.file, 0, "D102", str(fault), fault.fix))
    deliveries.append(replace(given, read=fault.records, refused=str(fault)))


def _merged(tables: Sequence[pa.Table]) -> pa.Table:
    try:
        return pa.concat_tables(tables, promote_options="permissive")
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        # One file says number where another says text: the contract types the text of both.
        return pa.concat_tables([_as_text(t) for t in tables])


def _as_text(rows: pa.Table) -> pa.Table:
    fields = [f if f.name == LINE or pa.types.is_binary(f.type) else pa.field(f.name, pa.string()) for f in rows.schema]
    return rows.cast(pa.schema(fields))


def match(headers: Sequence[str], contract: Contract) -> tuple[dict[str, int], list[str]]:
    """Where each declared column stands in a file's header, and the headers nobody declared.

    Raises:
        Unreadable: Declared columns are missing (the likely new name of each is told) or stand there twice, or
            none is there at all.
    """
    columns = {c.name: c.source for c in contract.columns}
    twice = [source for source in dict.fromkeys(columns.values()) if list(headers).count(source) > 1]
    if twice:
        names = ", ".join(f"'{name}'" for name in twice)
        why = f"the header has {names} more than once: nobody can tell which column is meant."
        raise Unreadable(why, "Ask the department for a header that names each column once.")
    found = {name: headers.index(source) for name, source in columns.items() if source in headers}
    unnamed = [h for h in headers if h not in columns.values()]
    if not found:
        # What stands there may be a row: no word of it is shown.
        why = "none of the promised columns is there: it may have no header line, or another delimiter."
        raise Unreadable(why, "Ask the department to send the header too, or check delimiter: in product.yaml.")
    missing = [c for c in columns if c not in found]
    if missing:
        guesses = [likely(columns[c], unnamed) for c in missing]
        renamed = [f"'{columns[c]}' may now be '{g}'" for c, g in zip(missing, guesses, strict=True) if g]
        told = "; ".join(renamed) or "no column looks like it"
        names = ", ".join(f"'{columns[c]}'" for c in missing)
        why = f"the schema changed: column {names} is missing ({told})."
        fix = (
            "Ask the department to send the old header, or accept the new one: set physicalName in contract.yaml "
            "and collect these files as a product of their own."
        )
        raise Unreadable(why, fix)
    return found, unnamed


def finish(columns: dict[str, pa.Array], lines: Iterable[int], rejects: Sequence[str | None]) -> pa.Table:
    """One file's rows with their lines and what is wrong with records that are not whole."""
    return pa.table({**columns, LINE: pa.array(lines, pa.int64()), REJECT: pa.array(rejects, pa.string())})


def headers(names: Sequence[str]) -> list[str]:
    """Header names, with ``column1``, ``column2`` ... by position where a cell is empty.

    Marks of byte order and zeros that programs pad names with are no part of a name.

    Raises:
        Unreadable: A name holds signs that no screen shows.

    Example:
        >>> headers(["", " id ", "name"])
        ['column1', 'id', 'name']
    """
    found = [name.strip(_PADDING).strip() or f"column{i}" for i, name in enumerate(names, start=1)]
    if hidden := [i for i, name in enumerate(found, start=1) if _HIDDEN.search(name)]:
        why = f"the header holds signs that no screen shows, in column {', '.join(map(str, hidden[:6]))}."
        raise Unreadable(why, "Ask the department for a header in plain words.")
    return found


def likely(header: str, others: Sequence[str]) -> str | None:
    """The one of some headers that a header most likely became; None where none looks like it.

    Example:
        >>> likely("Crash Date", ["crash_date", "severity"])
        'crash_date'
    """

    def likeness(other: str) -> float:
        a, b = (x.lower().replace("_", "").replace(" ", "") for x in (header, other))
        return 1.0 if a and b and (a in b or b in a) else SequenceMatcher(None, a, b).ratio()

    best = max(others, key=likeness, default=None)
    return best if best is not None and likeness(best) >= 0.5 else None


def _left_out(names: list[str]) -> list[str]:
    shown = ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
    return [f"{len(names)} column{'s' if len(names) > 1 else ''} not in the contract, left out: {shown}"]
