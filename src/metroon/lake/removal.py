"""Removal: a person's rows taken out of every version by what a certificate says, from wherever it was cut off.

Nothing of what the city declares is needed: the certificate names the tables and the columns, and the list beside it
tells whose rows they are.
"""

from __future__ import annotations

import json
import shutil
import uuid
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, cast

import ibis
import pyarrow as pa

from metroon.base import private, scratch
from metroon.base.engine import quote_name
from metroon.base.errors import Problem, Refused
from metroon.base.store import Store
from metroon.collect import FILE, LINE, RECORD
from metroon.conform.parts import added
from metroon.conform.staging import REASON
from metroon.lake import erasure, remains
from metroon.lake.erasure import Certificate, Certificates
from metroon.lake.evidence import key
from metroon.lake.suppression import Erased, Suppressions, keys_in, scrubbed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from metroon.base.engine import Engine, Relation
    from metroon.conform import Checked
    from metroon.conform.parts import Part
    from metroon.lake.lake import Lake
    from metroon.lake.remains import Seeker

WAITING = "waiting"
"""Below the ledger: lists of corrections that wait, as hashes of rows."""
ZoneName = Literal["restricted", "open"]
_AGAIN = "Call metroon erase again with the same key, or metroon run."


def reason(number: int) -> str:
    """Why rows that a file still holds are set aside."""
    return f"of somebody who was erased: certificate {number}"


def finish(lake: Lake, begun: Certificate, seeker: Seeker | None = None) -> Certificate:
    """Take a person out of everything below the folder, look that nothing is left, and complete the certificate.

    Args:
        lake: The lake; nothing else may be at work in it.
        begun: What was begun.
        seeker: What to look for afterwards; what was removed, by its hashes, unless given.

    Returns:
        The certificate, completed.

    Raises:
        Refused: Something cannot be written (L101), the list of who was erased is missing (L122), or something of the
            person is left (L124); the certificate stays begun.
    """
    home, told = lake.folder.parent, dict(begun.told)
    erased = Suppressions(home).of(begun.number)
    made = carry_out(lake, begun, erased)
    left = _left(lake, begun, erased)
    looking = seeker or remains.Hashes(erased)
    found = remains.look(home, looking, landed=told["landed"])
    if left or found.files:
        raise Refused(_not_done(home, begun.number, left, found.files, seeker))
    files = [{**f, **_after(home / f["name"])} for f in told["files"]]
    return Certificates(home).save(
        Certificate(
            begun.number,
            {
                **told,
                "state": "done",
                "files": files,
                "replaced_by": made,
                "verified": {
                    "how": looking.how,
                    "files_looked_at": found.looked,
                    "files_looked_at_as_bytes_only": list(found.unread),
                    "rows_found": 0,
                    "cells_of_others_that_hold_the_same": dict(found.tables),
                },
                "done_at": datetime.now(UTC).isoformat(timespec="seconds"),
            },
        )
    )


def _not_done(
    home: Path, number: int, left: Sequence[str], files: Sequence[str], seeker: Seeker | None
) -> Iterator[Problem]:
    for name in (*left, *files):
        # The name itself may be the name of the person.
        shown = home / name if seeker is None or not seeker.finds(name.replace("/", "\n")) else home
        what = f"certificate {number} is not complete: something of the person who is erased is left in it."
        fix = (
            f"A copy that somebody put there: move it away or remove it, but nothing that Metroon wrote. Then: {_AGAIN}"
        )
        yield Problem(str(shown), 0, "L124", what, fix)


def _after(file: Path) -> dict[str, Any]:
    if not file.is_file():
        return {"bytes_after": 0, "sha256_after": ""}
    return {"bytes_after": file.stat().st_size, "sha256_after": erasure.file_sha256(file)}


def carry_out(lake: Lake, certificate: Certificate, erased: Erased) -> int | None:
    """Take a person out of everything; what was done before is found done.

    Args:
        lake: The lake.
        certificate: What goes.
        erased: Whose.

    Returns:
        The number of the version that holds the rows of the newest one that stay; None when it held none of them.
    """
    home, told = lake.folder.parent, certificate.told
    _drafts(home)
    lake.sweep(settled_s=0)
    _forget_waiting(lake, told, erased)
    made = _fewer(lake, certificate, erased)
    for table, zone, column in _tables(told):
        files = lake.data_files(table, zone)
        for file in files:
            _rewrite(lake, file, column, erased)
        # Also when nothing was to be rewritten: whoever was cut off may have got as far as here.
        if files:
            lake.align(table, zone)
    keys = {certificate.product: str(told["column"]), **{t: c for t, z, c in _tables(told) if z == "restricted"}}
    for table in told["set_aside"]:
        files = lake.data_files(str(table), "restricted")
        for file in files:
            _scrub(lake, file, keys.get(str(table).removesuffix(".set_aside")), erased)
        if files:
            lake.align(str(table), "restricted")
    erasure.remove(home, [f["file"] for v in told["versions"] for f in v["files"]])
    _withdraw(lake, certificate)
    for folder in ("cache", *(f"landed/{name}" for name in told["landed"])):
        if (home / folder).exists():
            shutil.rmtree(home / folder)
    scratch.sweep(home)
    if (home / "store.sqlite").is_file():
        store = Store(home / "store.sqlite")
        # What other people share with the person may be an ordinary word.
        own = remains.Hashes(replace(erased, shared=frozenset()))
        store.forget(lambda text: bool(own.finds(text)))
        store.close()
    return made


def _tables(told: Mapping[str, Any]) -> Iterator[tuple[str, ZoneName, str]]:
    for table in told["tables"]:
        yield str(table["table"]), cast("ZoneName", table["zone"]), str(table["column"])


def row_hashes(engine: Engine, rows: Relation, columns: Sequence[str], name: str) -> Relation:
    """Rows with the hash of some of their columns: the same rows have the same one.

    Args:
        engine: The engine.
        rows: The rows.
        columns: The columns, in order.
        name: What the column with the hash is called.
    """
    named = ", ".join(f"{quote_name(c)} := {quote_name(c)}" for c in columns)
    return engine.with_column(rows, name, f"sha256(cast(to_json(struct_pack({named})) as varchar))")


def _forget_waiting(lake: Lake, told: Mapping[str, Any], erased: Erased) -> None:
    """Take the hashes of the person's rows out of the lists of corrections that wait, before the rows are gone.

    Where nobody can tell which rows are made of the person's, those of every row go that is destroyed.
    """
    lists = {f: json.loads(f.read_text("utf-8")) for f in (lake.folder.parent / "ledger" / WAITING).glob("*.json")}
    if not lists:
        return
    for table, zone, column in _tables(told):
        for file in lake.data_files(table, zone) if zone == "restricted" else ():
            rows = lake.engine.parquet([str(file)])
            gone = _gone(lake.engine, rows, column, erased)
            if gone is not None:
                _forget(lake.engine, lists, rows.filter(gone))
    destroyed = (lake.folder.parent / f["file"] for v in told["versions"] for f in v["files"])
    for file in destroyed:
        if file.is_file():
            _forget(lake.engine, lists, lake.engine.parquet([str(file)]))


def _forget(engine: Engine, lists: Mapping[Path, dict[str, Any]], rows: Relation) -> None:
    for waiting, says in lists.items():
        columns = says["columns"]
        if not {*columns} <= {*rows.columns}:
            continue
        hashed = engine.fetch(
            row_hashes(engine, engine.table(engine.fetch(rows)), columns, "_sha256").select("_sha256")
        )
        lost = {*hashed["_sha256"].to_pylist()}
        if lost & {*says["added"], *says["removed"]}:
            for part in ("added", "removed"):
                says[part] = {h: n for h, n in says[part].items() if h not in lost}
            says["erased"] = True
            private.save(json.dumps(says, sort_keys=True).encode(), waiting)


def _drafts(home: Path) -> None:
    for file in (home / "lake").rglob(".*"):
        if file.is_file() and file.name != ".lock":
            file.unlink()


def _fewer(lake: Lake, certificate: Certificate, erased: Erased) -> int | None:
    """A new version of the product without the person; the rows stay in the account, as set aside."""
    name, told = certificate.product, certificate.told
    newest = lake.restricted(name)
    if newest is None or not lake.has_rows(name, newest.number):
        return None
    if certificate.number in newest.evidence.get("erased", ()):
        return newest.number
    rows = lake.read(newest)
    gone = _gone(lake.engine, rows, str(told["column"]), erased)
    if gone is None:
        return None
    why, n = reason(certificate.number), lake.engine.count(rows.filter(gone))
    account = newest.evidence["account"]
    kept = rows.filter(~gone)
    missing, last = _summary(lake.engine, kept, account["missing"], told.get("event_time"))
    aside = lake.set_aside(newest)
    evidence = {
        **newest.evidence,
        "account": {
            **account,
            "kept": account["kept"] - n,
            "reasons": _most_first({**account["reasons"], why: n}),
            "missing": missing,
        },
        "newest": last or None,
        "erased": [*newest.evidence.get("erased", ()), certificate.number],
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    passing = scratch.Scratch.begin(lake.folder.parent)
    try:
        told_of = str(told["column"]), told.get("event_time"), passing.folder
        parts = [_part(lake.engine, p, *told_of, [erased]) for p in lake.parts(newest)]
        every = aside.union(_aside(rows.filter(gone), why, aside))
        return lake.keep(name, kept, every, evidence, parts=parts).number
    finally:
        passing.end()


def _part(
    engine: Engine, part: Part, column: str, event_time: str | None, folder: Path, every: Sequence[Erased]
) -> Part:
    """A part without the rows of some people, which are set aside; the same where it holds none."""
    rows = engine.parquet(list(part.files)) if part.files else None
    found = keys_in(engine, rows, column, every) if rows is not None else {}
    if rows is None or not found:
        return part
    kept, lost, reasons = _parted(engine, rows, column, found)
    missing, last = _summary(engine, kept, part.missing, event_time)
    files = [folder / f"part-{uuid.uuid4().hex}.parquet" for _ in range(2)]
    n = engine.save(kept, files[0])
    engine.save(lost, files[1])
    return replace(
        part,
        key=key({"part": part.key, "erased": sorted(found)}) if part.key else "",
        files=(str(files[0]),),
        aside=(*part.aside, str(files[1])),
        kept=n,
        reasons={**part.reasons, **reasons},
        missing=missing,
        newest=last,
    )


def _parted(
    engine: Engine, rows: Relation, column: str, found: Mapping[int, Sequence[object]]
) -> tuple[Relation, Relation, dict[str, int]]:
    """The rows that stay, where those stood that go, and how many go for each reason."""
    values = [v for each in found.values() for v in each]
    why = ibis.cases(*((rows[column].isin(each), reason(n)) for n, each in found.items()), else_="")
    is_gone = rows[column].isin(values).fill_null(False)
    gone = rows.mutate(**{REASON: why}).filter(is_gone)
    counted = engine.rows(gone.group_by(REASON).aggregate(n=gone.count()))
    lost = gone.select(FILE, LINE, REASON).mutate(**{RECORD: ibis.null("string")})
    return rows.filter(~is_gone), lost, {str(r[REASON]): int(r["n"]) for r in counted}


def suppressed(engine: Engine, checked: Checked, column: str, every: Sequence[Erased], folder: Path) -> Checked:
    """Rows as they were read, without those of people who were erased: a file that still holds them brings none back.

    What was a part of a version before is without them already.

    Args:
        engine: The engine.
        checked: Rows that keep the promise.
        column: The column with the key.
        every: Those who were erased.
        folder: Where rows are written that go through files.
    """
    event_time = checked.contract.event_time
    if checked.parts:
        parts = tuple(
            p if p.key else _clean(engine, _part(engine, p, column, event_time, folder, every), column, folder, every)
            for p in checked.parts
        )
        if parts == checked.parts:
            return checked
        rows = engine.parquet([f for p in parts for f in p.files])
        told = [f for p in parts for f in p.aside]
        aside = engine.parquet(told) if told else checked.set_aside
        missing, last = added([p.missing for p in parts]), max((p.newest for p in parts), default="")
        reasons, kept = added([p.reasons for p in parts]), sum(p.kept for p in parts)
    else:
        parts = ()
        aside = checked.set_aside
        if RECORD in aside.columns:
            aside = engine.map_arrow(aside, partial(without_records, every=every, column=column))
        rows, reasons = checked.rows, dict(checked.reasons)
        if found := keys_in(engine, checked.rows, column, every):
            rows, lost, more = _parted(engine, checked.rows, column, found)
            rows = engine.table(engine.fetch(rows)).order_by([FILE, LINE])
            aside = engine.table(engine.fetch(aside.union(lost.select(*aside.columns)).order_by([FILE, LINE])))
            reasons |= more
        missing, last = _summary(engine, rows, checked.missing, event_time)
        kept = checked.kept - sum(reasons.values()) + sum(checked.reasons.values())
    newest = datetime.fromisoformat(last) if last else None
    return replace(
        checked, rows=rows, set_aside=aside, kept=kept, reasons=_most_first(reasons), missing=missing, newest=newest,
        parts=parts,
    )  # fmt: skip


def _clean(engine: Engine, part: Part, column: str, folder: Path, every: Sequence[Erased]) -> Part:
    """A part whose rows set aside tell of none of some people."""
    if not part.aside:
        return part
    rows = engine.parquet(list(part.aside))
    clean = engine.map_arrow(rows, partial(without_records, every=every, column=column))
    if _records(engine, clean) == _records(engine, rows):
        return part
    file = folder / f"part-{uuid.uuid4().hex}.parquet"
    engine.save(clean, file)
    return replace(part, aside=(str(file),))


def _records(engine: Engine, aside: Relation) -> int:
    return engine.count(aside.filter(aside[RECORD].notnull()))


def _gone(engine: Engine, rows: Relation, column: str, erased: Erased) -> Any:
    """Tells which rows are of the person; None when none is."""
    if column not in rows.columns:
        return None
    values = [v for found in keys_in(engine, rows, column, [erased]).values() for v in found]
    return rows[column].isin(values).fill_null(False) if values else None


def _aside(gone: Relation, why: str, like: Relation) -> Relation:
    told = gone.select(FILE, LINE).mutate(**{REASON: ibis.literal(why)})
    if RECORD in like.columns:
        told = told.mutate(**{RECORD: ibis.null("string")})
    return told.cast({c: t for c, t in like.schema().items() if told.schema()[c] != t}).select(*like.columns)


def _summary(
    engine: Engine, kept: Relation, missing: Mapping[str, int], event_time: str | None
) -> tuple[dict[str, int], str]:
    columns = [c for c in missing if c in kept.columns]
    sums = {f"_null{i}": kept[c].isnull().cast("int64").sum() for i, c in enumerate(columns)}
    last = {"_newest": kept[event_time].max()} if event_time in kept.columns else {}
    row = engine.rows(kept.aggregate(_n=kept.count(), **sums, **last))[0]
    counts = {c: int(row[f"_null{i}"] or 0) for i, c in enumerate(columns)}
    at = row.get("_newest")
    if at is not None and not isinstance(at, datetime):
        at = datetime(at.year, at.month, at.day)
    return {c: n for c, n in counts.items() if n}, at.isoformat() if at is not None else ""


def _most_first(reasons: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(reasons.items(), key=lambda item: (-item[1], item[0])))


def _rewrite(lake: Lake, file: Path, column: str, erased: Erased) -> None:
    """Take rows out of a data file."""
    rows = lake.engine.parquet([str(file)])
    gone = _gone(lake.engine, rows, column, erased)
    if gone is not None:
        lake.rewrite(file, rows.filter(~gone))


def _scrub(lake: Lake, file: Path, column: str | None, erased: Erased) -> None:
    """Take records that tell of the person out of a file of rows set aside; where they stood stays."""
    rows = lake.engine.parquet([str(file)])
    if RECORD not in rows.columns:
        return
    clean = lake.engine.map_arrow(rows, partial(without_records, every=[erased], column=column))
    if _records(lake.engine, clean) != _records(lake.engine, rows):
        lake.rewrite(file, clean)


def without_records(rows: pa.Table, every: Sequence[Erased], column: str | None) -> pa.Table:
    """Rows set aside, without the records that tell of somebody who was erased.

    Args:
        rows: Rows with ``_record``.
        every: Those who were erased.
        column: The column with their key; None where nobody knows it.
    """
    told = pa.array([scrubbed(r, every, column) for r in rows[RECORD].to_pylist()], pa.string())
    return rows.set_column(rows.column_names.index(RECORD), RECORD, told)


def _withdraw(lake: Lake, certificate: Certificate) -> None:
    told: dict[str, list[int]] = {}
    for gone in certificate.told["withdrawn"]:
        told.setdefault(str(gone["table"]), []).append(int(gone["version"]))
    for name, numbers in told.items():
        left = [n for n in numbers if n in lake.history(name, "open")]
        if left:
            words = {"at": certificate.told["begun_at"], "by": certificate.told["by"]["title"], "columns": []}
            lake.withdraw(name, left, {**words, "reason": f"certificate {certificate.number}"})


def _left(lake: Lake, certificate: Certificate, erased: Erased) -> list[str]:
    """Data files that hold rows of the person still."""
    found = []
    for table, zone, column in _tables(certificate.told):
        for file in lake.data_files(table, zone):
            if _gone(lake.engine, lake.engine.parquet([str(file)]), column, erased) is not None:
                found.append(file.relative_to(lake.folder.parent).as_posix())
    return found
