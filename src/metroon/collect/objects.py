"""Objects: JSON texts as rows; every number as it is written, nested objects under dotted names, lists as JSON text."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from metroon.collect.deliveries import Unreadable, finish, match
from metroon.collect.source import RECORD

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from metroon.city.contract import Contract

_BATCH = 50_000
_AGAIN = "Ask the department to send it again."
_ROWS = "Check rows: in product.yaml, and the names in contract.yaml: those of nested objects are written a.b."
_TOTALS = {
    "total", "count", "totalcount", "totalrecords", "totalrows", "recordcount", "numfound", "nummatched",
    "numbermatched", "totalresults", "totalitems",
}  # fmt: skip
"""What documents call the number of all records, in small letters and digits."""
_NEXT = {"next", "nextlink", "nextpage", "nexturl", "odatanextlink"}
"""What they call where to find more."""
_NO_OBJECT = "the record is no object"
_AMBIGUOUS = "the record has a name twice"


class JsonError(ValueError):
    """A text that is no JSON; the message says why, in words that show nothing of it."""


class Number(str):
    """A number as it is written: neither an id of 17 digits nor 0.10 changes on its way."""

    __slots__ = ()


class Twice:
    """An object that has one name twice: nobody can tell which of the two is meant.

    Args:
        pairs: Its names and values as they stand.
    """

    def __init__(self, pairs: list[tuple[str, object]]) -> None:
        self.pairs = pairs


class _FlawError(ValueError):
    """Why a record is no row."""


def parse(text: str) -> object:
    """What a JSON text says; numbers as ``Number``, objects with a name twice as ``Twice``.

    Raises:
        JsonError: It is none, holds NaN or infinity, or is nested too deeply.

    Example:
        >>> parse('{"id": 12345678901234567890, "is": [true, null]}')
        {'id': '12345678901234567890', 'is': [True, None]}
    """
    try:
        return _DECODER.decode(text)
    except RecursionError:
        raise JsonError("it is nested too deeply") from None
    except JsonError:
        raise
    except ValueError:
        raise JsonError("it is no JSON") from None


def written(value: object) -> str:
    """The JSON text of what was parsed, its numbers as they were written.

    Example:
        >>> written(parse('{"a": [1.50, "é", null]}'))
        '{"a": [1.50, "é", null]}'
    """
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, (dict, Twice)):
        pairs = value.pairs if isinstance(value, Twice) else value.items()
        return "{" + ", ".join(f"{json.dumps(k, ensure_ascii=False)}: {written(v)}" for k, v in pairs) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(written(v) for v in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def flat(record: object) -> dict[str, str | None]:
    """The columns of one record.

    Raises:
        ValueError: It is no object, has a name twice, or holds what is no text; the message says which.

    Example:
        >>> flat(parse('{"id": 1, "at": {"street": "A", "tags": ["x", 2]}, "gone": null}'))
        {'id': '1', 'at.street': 'A', 'at.tags': '["x", 2]', 'gone': None}
    """
    if not isinstance(record, (dict, Twice)):
        raise _FlawError(_NO_OBJECT)
    found: dict[str, str | None] = {}
    try:
        _flatten(record, "", found)
    except RecursionError:
        raise _FlawError("the record is nested too deeply") from None
    return found


@dataclass(frozen=True)
class Record:
    """One record as it was found.

    Args:
        line: Where it begins: its line, or its number in the list.
        value: What was parsed; whatever, when there is a fault.
        text: Its text, where it was kept.
        fault: Why it could not be parsed; empty when it could.
    """

    line: int
    value: object
    text: str | None = None
    fault: str = ""


@dataclass(frozen=True)
class Tabled:
    """Records under the contract's names.

    Args:
        rows: The contract's columns as text, with ``_line``, ``_reject`` and ``_record``.
        unnamed: Names that the contract does not have.
        notes: Names that some of the records lack.
    """

    rows: pa.Table
    unnamed: list[str]
    notes: tuple[str, ...] = ()


def tabled(records: Iterable[Record], contract: Contract) -> Tabled:
    """Records as a table; those that are no rows are kept with the reason.

    Args:
        records: The records, in order.
        contract: Names the columns.

    Raises:
        Unreadable: Not one record is an object, or has a column of the contract, or a column is in none of them.
    """
    seen: dict[str, None] = {}
    present: Counter[str] = Counter()
    sources = [c.source for c in contract.columns]
    tables: list[pa.Table] = []
    whole = 0
    for batch in _batches(records):
        found = [_columns(record) for record in batch]
        rejects = [reject for _, reject in found]
        texts = [None if reject is None else _kept(r) for r, reject in zip(batch, rejects, strict=True)]
        whole += rejects.count(None)
        for values, _ in found:
            if not values.keys() <= seen.keys():
                seen.update(dict.fromkeys(values))
        present.update({s: sum(s in values for values, _ in found) for s in sources})
        made = {c.name: pa.array([v.get(c.source) for v, _ in found], pa.string()) for c in contract.columns}
        rows = finish(made, [r.line for r in batch], rejects)
        tables.append(rows.append_column(RECORD, pa.array(texts, pa.string())))
    rows = pa.concat_tables(tables)
    if not whole:
        if rows.num_rows:
            raise Unreadable("not one record is an object.", _AGAIN, rows.num_rows)
        return Tabled(rows, [])
    _, unnamed = _matched(list(seen), contract, rows.num_rows)
    lacking = {s: whole - present[s] for s in sources if present[s] < whole}
    return Tabled(rows, unnamed, _lacking(lacking, whole))


def names(records: Iterable[Record]) -> list[str]:
    """Every name that the records have, in the order of the first that has it."""
    return list(dict.fromkeys(name for r in records for name in _columns(r)[0]))


def at_path(document: object, path: str) -> list[object]:
    """The list of records in a document.

    Args:
        document: What was parsed.
        path: Names from the outside in with points between them, such as ``result.records``; empty for a document
            that is the list itself.

    Raises:
        Unreadable: There is no list.

    Example:
        >>> at_path(parse('{"result": {"records": [{}, {}]}}'), "result.records")
        [{}, {}]
    """
    found = document
    for name in path.split(".") if path else []:
        found = found.get(name) if isinstance(found, dict) else None
    if not isinstance(found, list):
        where = f"at '{path}'" if path else "in the file itself"
        lists = [f"'{p}'" for p in _lists(document, "", 3)][:6]
        told = f"Write rows: {' or '.join(lists)} in product.yaml." if lists else _AGAIN
        raise Unreadable(f"the document has no list of records {where}.", told)
    return found


def one_page(document: object, path: str, records: int) -> list[str]:
    """What to say where a document says itself that its list is not all that there is.

    Args:
        document: What was parsed.
        path: Where its list of records is.
        records: How many there are.

    Example:
        >>> one_page(parse('{"total": 5000, "rows": [{"id": 1}]}'), "rows", 1)
        ['the document says that there are 5,000 records and holds 1: it may be one page of several']
        >>> one_page(parse('{"next": null, "count": 1, "rows": [{"id": 1}]}'), "rows", 1)
        []
    """
    around, found = [document, document.get("properties") if isinstance(document, dict) else None], document
    for name in path.split(".")[:-1] if path else []:
        found = found.get(name) if isinstance(found, dict) else None
        around.append(found)
    told = {_bare(n): v for level in around if isinstance(level, dict) for n, v in level.items()}
    totals = [int(str(v)) for n, v in told.items() if n in _TOTALS and _is_number(v)]
    page = "it may be one page of several"
    if more := max((n for n in totals if n > records), default=0):
        return [f"the document says that there are {more:,} records and holds {records:,}: {page}"]
    links = told.get("links")
    is_linked = isinstance(links, list) and any(isinstance(k, dict) and k.get("rel") == "next" for k in links)
    if told.get("exceededtransferlimit") is True or is_linked or any(n in _NEXT and v for n, v in told.items()):
        return [f"the document says that there are more than its {records:,} records: {page}"]
    return []


def _is_number(value: object) -> bool:
    return isinstance(value, (Number, int)) and not isinstance(value, bool) and str(value).isdecimal()


def _bare(name: str) -> str:
    return "".join(sign for sign in name.lower() if sign.isalnum())


def _constant(name: str) -> object:
    raise JsonError("it holds NaN or infinity, which are no JSON")


def _object(pairs: list[tuple[str, object]]) -> object:
    made = dict(pairs)
    return made if len(made) == len(pairs) else Twice(pairs)


def _flatten(value: object, prefix: str, found: dict[str, str | None]) -> None:
    if not isinstance(value, dict):
        raise _FlawError(_AMBIGUOUS)
    for name, below in value.items():
        path = prefix + name
        if isinstance(below, (dict, Twice)):
            _flatten(below, f"{path}.", found)
            continue
        if path in found:
            raise _FlawError(_AMBIGUOUS)
        text = below if below is None or isinstance(below, str) else written(below)
        if not path.isascii() or (text is not None and not text.isascii()):
            _check_unicode(path, text or "")
        found[path] = text


def _check_unicode(*texts: str) -> None:
    try:
        for text in texts:
            text.encode()
    except UnicodeEncodeError:
        raise _FlawError("the record holds half a sign of a text") from None


# Made once: json.loads would make one for each text.
_DECODER = json.JSONDecoder(parse_int=Number, parse_float=Number, parse_constant=_constant, object_pairs_hook=_object)


def _columns(record: Record) -> tuple[dict[str, str | None], str | None]:
    if record.fault:
        return {}, record.fault
    try:
        return flat(record.value), None
    except _FlawError as flaw:
        return {}, str(flaw)


def _kept(record: Record) -> str | None:
    """The text of a record that is no row, for whoever looks for what is wrong with it."""
    try:
        text = written(record.value) if record.text is None else record.text
    except RecursionError:
        return None
    return text.encode("utf-8", "backslashreplace").decode()


def _batches(records: Iterable[Record]) -> Iterator[list[Record]]:
    batch: list[Record] = []
    for record in records:
        batch.append(record)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    yield batch


def _matched(seen: Sequence[str], contract: Contract, records: int) -> tuple[dict[str, int], list[str]]:
    if not {c.source for c in contract.columns} & set(seen):
        raise Unreadable("no record has any of the promised columns.", _ROWS, records)
    try:
        return match(seen, contract)
    except Unreadable as fault:
        raise Unreadable(str(fault), fault.fix, records) from None


def _lacking(lacking: dict[str, int], whole: int) -> tuple[str, ...]:
    if not lacking:
        return ()
    shown = ", ".join(f"'{name}' in {n:,}" for name, n in list(lacking.items())[:6])
    more = f" and {len(lacking) - 6} more" if len(lacking) > 6 else ""
    return (f"of {whole:,} records some lack a name, and are empty there: {shown}{more}",)


def _lists(value: object, prefix: str, depth: int) -> Iterator[str]:
    if not isinstance(value, dict) or not depth:
        return
    for name, below in value.items():
        path = f"{prefix}.{name}" if prefix else name
        if isinstance(below, list) and below and isinstance(below[0], dict):
            yield path
        yield from _lists(below, path, depth - 1)
