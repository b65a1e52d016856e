"""Leaving: a city's whole folder as a backup, put back from one, or taken away in open files."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import metroon
from metroon import catalog as catalogs
from metroon import withdrawal
from metroon.base import bundle
from metroon.base.bundle import Bundle, Writing
from metroon.base.engine import Engine
from metroon.base.errors import Problem, Refused
from metroon.base.node import did_you_mean
from metroon.base.running import running
from metroon.base.store import Store
from metroon.lake import Lake, Ledger, removal, suppression
from metroon.lake import format as formats
from metroon.lake.erasure import Certificates
from metroon.lake.moment import moment
from metroon.lake.suppression import Suppressions
from metroon.permit import PUBLIC, Gate, NotThere
from metroon.serve import encoders

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from metroon.city import City
    from metroon.lake import Evidence
    from metroon.walk import Walk

CITY, HOME, DATA = "city", "home", "data"
"""Folders of a bundle: the city repo, what Metroon keeps of it, and raw files from outside of it."""
_OWN = ".metroon"
_LEFT_OUT = {".git", _OWN, "__pycache__", ".venv"}
"""What of a city's folder is kept elsewhere, or can be made again."""
_PASSING = {"cache", "scratch"}
_STORE = "store.sqlite"
_LEDGER, _CERTIFICATES, _ERASED = "ledger", "certificates", suppression.FOLDER
_DRAFT = re.compile(r"\..+\.\d+")
_WRITTEN = {".yaml", ".yml", ".md", ".sql", ".py", ".po", ".html", ".css", ".svg"}
_TRIES = 5


@dataclass(frozen=True)
class Kept:
    """A backup or export that was written.

    Args:
        folder: Where it is.
        files: How many files it has.
        copied: How many of them were written; the others did not change since the backup before.
        size: Bytes of all of them.
        removed: Older backups that were removed.
        left_out: What was left out, and why, in words.
    """

    folder: Path
    files: int
    copied: int
    size: int
    removed: int = 0
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class Restored:
    """A city that was put back.

    Args:
        folder: Where it is.
        made_at: When the backup was made.
        files: How many files were put back.
        destroyed: Files that were left out, for certificates say that they were destroyed.
        certificates: Certificates that are newer than the backup.
        entries: Lines of the ledger that are newer than the backup.
    """

    folder: Path
    made_at: str
    files: int
    destroyed: int
    certificates: int
    entries: int


# Backup


def backup(city: City, to: Path, *, at: datetime, with_data: bool = False, keep: int | None = None) -> Kept:
    """Copy what a city is made of, as it stands at one moment, also while a run is at work.

    Files that did not change since the backup before are linked to it, where the disk can. Keys for pseudonyms come
    from the environment, and are in no backup.

    Args:
        city: The city.
        to: The folder of its backups; each gets a folder of its own.
        at: When, in UTC.
        with_data: Take raw files along that lie outside the city's folder.
        keep: How many backups stay; older ones are removed. All unless given.

    Raises:
        Refused: The folder lies inside the city or holds backups of another one (F112), or cannot be written (F112).
    """
    _must_lie_outside(city, to)
    known = [Bundle.read(f) for f in bundle.bundles(to)]
    if others := {str(b.told.get("city")) for b in known} - {city.file.name}:
        fix = "Name a folder for this city alone."
        raise Refused([Problem(str(to), 0, "F112", f"it holds backups of {', '.join(sorted(others))}.", fix)])
    folder = to / at.strftime("%Y-%m-%dT%H-%M-%SZ")
    if folder.exists():
        raise Refused([Problem(str(folder), 0, "F112", "there is a backup of this second.", "Try again.")])
    with _written(folder), running(city.home), Writing(folder, known[-1] if known else None) as out:
        _copy(city, out, with_data=with_data)
        made = out.finish(_told(city, "backup", at))
        gone = [b.folder for b in known][: max(0, len(known) + 1 - keep)] if keep else []
        for old in gone:
            shutil.rmtree(old)
    return _kept(made, out, len(gone))


def _kept(made: Bundle, out: Writing, removed: int = 0, left_out: Sequence[str] = ()) -> Kept:
    size = sum(h.size for h in made.files.values())
    return Kept(made.folder, len(made.files), out.copied, size, removed, tuple(left_out))


def _must_lie_outside(city: City, to: Path) -> None:
    if to.resolve().is_relative_to(city.folder.resolve()):
        fix = "Name one outside, best on another disk."
        raise Refused([Problem(str(to), 0, "F112", "the folder lies inside the city's own.", fix)])


@contextmanager
def _written(folder: Path) -> Iterator[None]:
    """Tells in words when a folder cannot be written."""
    try:
        yield
    except OSError as error:
        what = f"it could not be written ({error.strerror or type(error).__name__})."
        fix = "Check free space and rights of the folder; what was there before stays."
        raise Refused([Problem(str(folder), 0, "F112", what, fix)]) from error


def _copy(city: City, out: Writing, *, with_data: bool) -> None:
    for left in reversed(range(_TRIES)):
        try:
            for file, name in _files(city, with_data=with_data):
                out.put(file, name)
            break
        except FileNotFoundError:
            # Removed between listing and copying, such as by a withdrawal: look anew.
            if not left:
                raise
            out.begin()
    _copy_store(city, out)


def _copy_store(city: City, out: Writing) -> None:
    if (city.home / _STORE).is_file():
        store = Store(city.home / _STORE)
        store.copy(out.path(f"{HOME}/{_STORE}"))
        store.close()
        out.written(f"{HOME}/{_STORE}")


def _files(city: City, *, with_data: bool) -> Iterator[tuple[Path, str]]:
    """Every file of a backup with its name: the lake first, so that the ledger knows all that is published in it."""
    home = city.home
    yield from ((f, f"{HOME}/{f.relative_to(home).as_posix()}") for f in moment(home / "lake"))
    for part in sorted(p for p in home.glob("[!.]*") if p.name not in _PASSING | {"lake"}):
        # The list of what was fetched, and of releases, before what it names.
        found = sorted(_below(part), key=lambda f: (f.name[0] != ".", f.suffix != ".jsonl", f.as_posix()))
        yield from ((f, f"{HOME}/{f.relative_to(home).as_posix()}") for f in found if _is_kept(f))
    yield from ((f, f"{CITY}/{f.relative_to(city.folder).as_posix()}") for f in _of_city(city))
    if with_data and not city.data.resolve().is_relative_to(city.folder.resolve()):
        yield from ((f, f"{DATA}/{f.relative_to(city.data).as_posix()}") for f in sorted(_below(city.data)))


def _below(part: Path) -> list[Path]:
    return [part] if part.is_file() else [f for f in part.rglob("*") if f.is_file()]


def _is_kept(file: Path) -> bool:
    is_draft = file.suffix in (".lock", ".part") or _DRAFT.fullmatch(file.name)
    return not is_draft and not file.name.startswith(_STORE)


def _of_city(city: City) -> list[Path]:
    found = (p for p in city.folder.iterdir() if p.name not in _LEFT_OUT)
    return sorted(f for p in found for f in _below(p) if not _LEFT_OUT & set(f.relative_to(city.folder).parts))


def _told(city: City, kind: str, at: datetime, **more: Any) -> dict[str, Any]:
    made_at = at.isoformat(timespec="seconds")
    return {
        "kind": kind,
        "city": city.file.name,
        "made_at": made_at,
        "metroon": metroon.__version__,
        "format": formats.number(city.home / "lake"),
        **more,
    }


# Restore


def restore(source: Path, to: Path, *, live: Path | None = None) -> Restored:
    """Put a city back from a backup or an export, after every file of it was hashed again.

    What the world has seen since is not forgotten, and nobody who was destroyed comes back: the newest ledger and the
    newest certificates count, of all backups beside this one and of the folder that is still there. What was withdrawn
    in one of them is withdrawn.

    Args:
        source: A backup, or the folder of several: then the newest of them.
        to: A folder that is not there or is empty, or a city's own of which nothing was kept yet.
        live: A city's folder that is still there, whose ledger and certificates are newer than those of any backup.

    Raises:
        Refused: The backup is not whole (F113), there is something in the folder (F114), the histories do not belong
            together (F115), or it cannot be written (F112).
    """
    chosen, beside = _chosen(source)
    chosen.look()
    if int(chosen.told["format"]) > formats.NOW:
        what = f"a newer Metroon wrote it: its format is {chosen.told['format']}, and this one knows {formats.NOW}."
        raise Refused([Problem(str(source), 0, "F110", what, "Install that version of Metroon, or a later one.")])
    to = to.resolve()
    is_city = _must_be_free(to)
    home = {n.partition("/")[2]: chosen.folder / n for n in chosen.files if n.startswith(f"{HOME}/")}
    others = [_home_of(b) for b in beside] + ([_home_of_live(live)] if live else [])
    ledger = _newest_ledger(home, others)
    certificates = _newest_certificates(home, others)
    put = {**home, **ledger, **certificates, **_all_erased(home, others)}
    gone = _destroyed(certificates.values()) & {(n, h.sha256) for n, h in _hashes(chosen).items()}
    put = {n: f for n, f in put.items() if n not in {name for name, _ in gone}}
    modes = {n.partition("/")[2]: h.mode for n, h in chosen.files.items() if n.startswith(f"{HOME}/")}
    draft = to.with_name(f".{to.name}.part") if not is_city else to / f"{_OWN}.part"
    with _written(to):
        shutil.rmtree(draft, ignore_errors=True)
        own = draft if is_city else draft / _OWN
        for name, file in put.items():
            _put(file, own / name, modes.get(name, 0o600))
        _must_be_whole(own)
        # What was begun in the backup may be completed since: of that it knows no more than of a newer one.
        _erase(own, {n for n, f in certificates.items() if n not in home or (_is_done(f) and not _is_done(home[n]))})
        _withdraw(own, [b.folder / HOME for b in beside] + ([live / _OWN] if live else []))
        names = [] if is_city else [n for n in chosen.files if n.partition("/")[0] in (CITY, DATA)]
        for name in names:
            part, _, below = name.partition("/")
            at = draft / below if part == CITY else draft / "restored_data" / below
            _put(chosen.folder / name, at, chosen.files[name].mode)
        if to.is_dir() and not is_city:
            to.rmdir()
        draft.replace(to / _OWN if is_city else to)
    newer = len([n for n in certificates if n not in home])
    lines = _lines(ledger) - _lines(home)
    return Restored(to, str(chosen.told["made_at"]), len(put) + len(names), len(gone), newer, lines)


def _chosen(source: Path) -> tuple[Bundle, list[Bundle]]:
    """The bundle that is meant, and all others of the same city beside it."""
    is_one = (source / bundle.MANIFEST).is_file()
    folders = list(bundle.bundles(source.resolve().parent if is_one else source))
    if not folders and not is_one:
        fix = "Name a folder that metroon backup or export wrote."
        raise Refused([Problem(str(source), 0, "F113", "there is no backup in this folder.", fix)])
    chosen = Bundle.read(source if is_one else folders[-1])
    beside = []
    for folder in folders:
        with suppress(Refused):  # another one that is broken keeps none from being put back
            found = Bundle.read(folder)
            if found.told.get("city") == chosen.told.get("city"):
                beside.append(found)
    return chosen, beside


def _must_be_free(to: Path) -> bool:
    """Whether the folder is a city's own, of which nothing was kept yet."""
    if not to.exists() or (to.is_dir() and not any(to.iterdir())):
        return False
    if (to / "city.yaml").is_file() and not (to / _OWN).exists():
        return True
    what = "there is something in the folder, and nothing is overwritten."
    fix = f"Name a folder that is not there, or move {_OWN} away from a city's own."
    raise Refused([Problem(str(to), 0, "F114", what, fix)])


def _hashes(found: Bundle) -> dict[str, bundle.Held]:
    return {n.partition("/")[2]: h for n, h in found.files.items() if n.startswith(f"{HOME}/")}


def _home_of(found: Bundle) -> dict[str, Path]:
    return {n: found.folder / HOME / n for n in _hashes(found)}


def _home_of_live(city: Path) -> dict[str, Path]:
    home = city / _OWN
    parts = (home / name for name in (_LEDGER, _CERTIFICATES, _ERASED))
    return {f.relative_to(home).as_posix(): f for p in parts if p.is_dir() for f in _below(p) if _is_kept(f)}


def _newest_ledger(own: Mapping[str, Path], others: Iterable[Mapping[str, Path]]) -> dict[str, Path]:
    name = f"{_LEDGER}/ledger.jsonl"

    def text(of: Mapping[str, Path]) -> bytes:
        return of[name].read_bytes() if name in of else b""

    best, whole = own, text(own)
    for other in others:
        found = text(other)
        if found.startswith(whole):
            best, whole = other, found
        elif not whole.startswith(found):
            raise _apart(other[name])
    every = {n: f for of in (own, best) for n, f in of.items() if n.startswith(f"{_LEDGER}/")}
    return every


def _newest_certificates(own: Mapping[str, Path], others: Iterable[Mapping[str, Path]]) -> dict[str, Path]:
    def certificates(of: Mapping[str, Path]) -> dict[str, Path]:
        return {n: f for n, f in sorted(of.items()) if n.startswith(f"{_CERTIFICATES}/")}

    best = certificates(own)
    for other in map(certificates, others):
        for name in best.keys() & other.keys():
            mine, theirs = (json.loads(f.read_text(encoding="utf-8")) for f in (best[name], other[name]))
            if mine["begun_at"] != theirs["begun_at"]:
                raise _apart(other[name])
        best = {**best, **{n: f for n, f in other.items() if n not in best or _is_done(f)}}
    return best


def _all_erased(own: Mapping[str, Path], others: Iterable[Mapping[str, Path]]) -> dict[str, Path]:
    """Every list by which people who were erased are told again, with the key of its hashes."""
    every = {n: f for of in (*others, own) for n, f in of.items() if n.startswith(f"{_ERASED}/")}
    if f"{_ERASED}/{suppression.KEY}" in every:
        return every
    return {}


def _erase(home: Path, newer: Iterable[str]) -> None:
    """Take people who were erased since out of what was put back, before it gets its name."""
    engine = Engine()
    lake = Lake(home / "lake", engine)
    known = Certificates(home)
    for certificate in (c for name in {c.product for c in known.all()} for c in known.erased(name)):
        if f"{_CERTIFICATES}/{certificate.number:04}.json" in newer:
            removal.carry_out(lake, certificate, Suppressions(home).of(certificate.number))
    engine.close()


def _withdraw(home: Path, others: Iterable[Path]) -> None:
    """Take published versions away from what was put back that were withdrawn from the city since."""
    engine = Engine()
    lake = Lake(home / "lake", engine)
    for other in (Lake(o / "lake", engine) for o in others if (o / "lake").is_dir()):
        for name in {*other.published()} & {*lake.published()}:
            there = lake.history(name, "open")
            for number, told in other.withdrawn(name).items():
                # The evidence says when and of what it was made: another version may have the same number.
                if there.get(number) == told["evidence"]:
                    kept = {k: v for k, v in told.items() if k not in ("evidence", "numbers")}
                    lake.withdraw(name, [number], kept)
    engine.close()


def _is_done(certificate: Path) -> bool:
    return bool(json.loads(certificate.read_text(encoding="utf-8"))["state"] == "done")


def _apart(file: Path) -> Refused:
    what = "it does not go on from what is in the backup: one of them is of another city, or was made again."
    fix = "Copy the backup into a folder of its own, and name only what belongs to it."
    return Refused([Problem(str(file), 0, "F115", what, fix)])


def _destroyed(certificates: Iterable[Path]) -> set[tuple[str, str]]:
    """(Name, hash) of every file that certificates name, however deep they name it."""
    found: set[tuple[str, str]] = set()

    def look(told: object) -> None:
        if isinstance(told, dict):
            if isinstance(told.get("file"), str) and isinstance(told.get("sha256"), str):
                found.add((told["file"], told["sha256"]))
            for part in told.values():
                look(part)
        elif isinstance(told, list):
            for part in told:
                look(part)

    for file in certificates:
        look(json.loads(file.read_text(encoding="utf-8")))
    return found


def _put(file: Path, to: Path, mode: int) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(file, to)
    to.chmod(mode)


def _must_be_whole(home: Path) -> None:
    Ledger(home / _LEDGER).entries()
    if problems := Certificates(home).faults():
        raise Refused(problems)


def _lines(of: Mapping[str, Path]) -> int:
    file = of.get(f"{_LEDGER}/ledger.jsonl")
    return file.read_bytes().count(b"\n") if file else 0


# Export


def export(walk: Walk, to: Path, *, at: datetime, restricted: bool = False, by: str = "") -> Kept:
    """Leave: the city's own files, every published version and its evidence, in formats that others read.

    ``restore`` puts a city back from it. Without the restricted zone it can show what it published, and publish
    nothing new of people: the proofs of what was published hold true numbers, and are restricted.

    Args:
        walk: The city.
        to: The folder to write; it must not be there.
        at: When, in UTC.
        restricted: Take along what is not public: rows, rows set aside, proofs.
        by: The role or steward of people.yaml who answers for that.

    Raises:
        Refused: The folder is there (F112), or nobody who may answers for what is not public (F116).
    """
    city = walk.city
    _must_lie_outside(city, to)
    if to.exists():
        raise Refused([Problem(str(to), 0, "F112", "there is such a folder.", "Name one that is not there.")])
    if restricted and not city.staff.named(by):
        what = f"what is not public leaves by somebody who answers for it, and people.yaml knows nobody called '{by}'."
        fix = did_you_mean(by, city.staff.names) if city.staff.names else "Name roles in people.yaml, then: --by ROLE"
        raise Refused([Problem(str(city.folder / "people.yaml"), 0, "F116", what, fix)])
    with _written(to), running(city.home), Writing(to) as out:
        left = _exported(walk, out, restricted=restricted)
        answers = {"restricted": restricted, **({"by": by} if restricted else {})}
        out.put_text(_readme(city, left, restricted=restricted), "README.md")
        made = out.finish(_told(city, "export", at, **answers))
    return _kept(made, out, left_out=left)


def _exported(walk: Walk, out: Writing, *, restricted: bool) -> list[str]:
    city, left = walk.city, []
    closed: set[str] = set()
    if not restricted:
        for name in walk.lake.published():
            for held in withdrawal.held(walk, name):
                version = walk.lake.open(name, held.number)
                closed |= set(walk.lake.files(version)) if version is not None else set()
                left.append(f"version {held.number} of {name}: it holds {', '.join(held.columns)}, closed since")
    tells = any(c.kind != "retention" for c in Certificates(city.home).all())
    if tells and not restricted:
        left.append("home/certificates: one tells of one person")
    for file, name in _files(city, with_data=False):
        if tells and not restricted and name.startswith(f"{HOME}/{_CERTIFICATES}/"):
            continue
        if restricted or (_is_public(city, file, name) and str(file) not in closed):
            out.put(file, name)
    _write_tables(walk, out)
    if restricted:
        _write_restricted(walk, out)
    return left


def _is_public(city: City, file: Path, name: str) -> bool:
    if name.startswith(f"{CITY}/"):
        # Rows may lie anywhere below the city's folder: only what is written by people leaves unasked.
        return file.suffix in _WRITTEN and not file.resolve().is_relative_to(city.data.resolve())
    is_list = name in (f"{HOME}/lake/format", f"{HOME}/{_LEDGER}/ledger.jsonl")
    return is_list or name.startswith((f"{HOME}/lake/open/", f"{HOME}/{_CERTIFICATES}/"))


def _write_tables(walk: Walk, out: Writing) -> None:
    """The newest of everything that the public may have, as CSV and Parquet with its columns explained."""
    every = catalogs.gather(walk)
    gate = Gate(every, catalogs.opener(walk, every, walk.engine))
    for name in sorted(every.datasets):
        history = walk.lake.history(name, "open")
        try:
            rows = gate.rows(PUBLIC, name, "file")
        except NotThere:
            continue
        _write_evidence(out, f"tables/{name}/evidence.json", history)
        for ending, write in (("csv", encoders.csv_bytes), ("parquet", encoders.parquet_bytes)):
            _write_bytes(out, f"tables/{name}/{name}.{ending}", write(encoders.stream(rows)))
        columns = [
            (c.name, c.title, c.type, c.description, c.protection, "; ".join(f"{v}: {label}" for v, label in c.allowed))
            for c in rows.columns
        ]
        header = ("column", "title", "type", "meaning", "protection", "values")
        out.put_text(_csv(header, columns), f"tables/{name}/{name}.columns.csv")


def _write_restricted(walk: Walk, out: Writing) -> None:
    for name, contract in sorted(walk.contracts.items()):
        kept = walk.lake.restricted(name)
        if kept is None or not walk.lake.has_rows(name, kept.number):
            continue
        parts = {name: walk.lake.read(kept), f"{name}.set_aside": walk.lake.set_aside(kept)}
        for part, relation in parts.items():
            walk.engine.save(relation, out.path(f"restricted/{name}/{part}.parquet"))
            out.written(f"restricted/{name}/{part}.parquet")
        _write_evidence(out, f"restricted/{name}/evidence.json", walk.lake.history(name, "restricted"))
        header = ("column", "header", "type", "class", "title", "meaning")
        columns = [(c.name, c.source, c.type, c.classification or "", c.title, c.description) for c in contract.columns]
        out.put_text(_csv(header, columns), f"restricted/{name}/{name}.columns.csv")


def _write_bytes(out: Writing, name: str, parts: Iterable[bytes]) -> None:
    with out.path(name).open("wb") as file:
        for part in parts:
            file.write(part)
    out.written(name)


def _write_evidence(out: Writing, name: str, history: Mapping[int, Evidence]) -> None:
    text = json.dumps({str(n): told for n, told in history.items()}, ensure_ascii=False, indent=1, sort_keys=True)
    out.put_text(text + "\n", name)


def _csv(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue()


def _readme(city: City, left: Sequence[str], *, restricted: bool) -> str:
    lines = [
        f"# {city.file.name}",
        "",
        "The city and every person in it are invented." if city.file.invented else "",
        "",
        "| folder | what it holds |",
        "| --- | --- |",
        "| `city/` | What the city declared: contracts (Open Data Contract Standard), measures, texts. |",
        "| `tables/` | The newest of everything that is public, as CSV and Parquet, with its columns and evidence. |",
        "| `home/lake/` | Every version, as Delta Lake folders: Parquet files and a log in JSON. |",
        "| `home/ledger/` | Every release that ever was, in one chained list. |",
        "| `home/certificates/` | What was destroyed, why, and who agreed. |",
        *(["| `restricted/` | Rows about people, and rows that were set aside: not public. |"] if restricted else []),
        f"| `{bundle.MANIFEST}` | The SHA-256 of every file. |",
        "",
        "`metroon restore` puts the city back from this folder.",
        *(f"Left out: {told}." for told in left),
    ]
    return "\n".join(lines) + "\n"
