"""``delta``: Delta Lake folders, written by the engine and committed with the evidence inside the commit."""

from __future__ import annotations

import json
import os
import re
import shutil
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import CommitProperties, DeltaTable
from deltalake.exceptions import DeltaError, TableNotFoundError
from deltalake.transaction import AddAction

from metroon.base.errors import Problem, Refused
from metroon.base.kinds import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metroon.base.engine import Engine, Relation

_KEY = "metroon"
_WITHDRAWN = "metroon_withdrawn"
_READABLE = {"timestampNtz"}
# Old versions are evidence: they go by retention and erasure, never by a default of the format.
_KEEP_LOG = {"delta.logRetentionDuration": "interval 36500 days"}
# An uncommitted file younger than this may belong to a run that is still at work.
SETTLED_S = 3600
# delta-rs 1.6 takes paths for addresses of the web: below such a folder it writes commits that it does not find again.
_UNKEPT = re.compile(r"[#?\\]|%[0-9A-Fa-f]{2}")


class Delta(Kind):
    """Open tables that Spark, Databricks, Fabric, Trino and Polars read as they are.

    The commit names only the number of rows of a file: no smallest and largest value of a personal column
    comes into the log.
    """

    def write(self, table: Path, rows: Relation, engine: Engine, evidence: str) -> int:
        """Write a new version and return its number. A version appears whole or not at all.

        Raises:
            Refused: The folder cannot be written.
        """
        return self.commit(table, [self.save(table, rows, engine)], rows.schema().to_pyarrow(), evidence)

    def save(self, table: Path, rows: Relation, engine: Engine) -> Path:
        """Write rows into the folder of a table; they are nobody's until they are committed.

        Raises:
            Refused: The folder cannot be written.
        """
        self.look(table)
        file = table / f"part-{uuid.uuid4().hex}.parquet"
        try:
            table.mkdir(parents=True, exist_ok=True)
            engine.save(rows, file)
        except OSError as error:
            raise _unwritten(table, error) from error
        return file

    def look(self, table: Path) -> None:
        """Stop before anything is written into a folder that the format would lose.

        Raises:
            Refused: It would.
        """
        if found := _UNKEPT.search(table.resolve().as_posix()):
            what = f"the path of the folder holds {found[0]}, which the table format cannot keep."
            raise Refused([Problem(str(table), 0, "L101", what, "Rename or move the folder of the city.")])

    def place(self, table: Path, files: Sequence[Path]) -> list[Path]:
        """Bring files into a table's folder that are to be the rows of its next version, and return their paths there.

        Those that the newest version has stay, when all of its files do; else they get second names, for one commit
        cannot take a file away and add it. Others are moved.

        Args:
            table: The table.
            files: Parquet files, all of one schema.

        Raises:
            Refused: The folder cannot be written.
        """
        try:
            table.mkdir(parents=True, exist_ok=True)
            had = self._newest(table)
            is_more = had <= set(files)
            return [f if f in had and is_more else _placed(f, table) for f in files]
        except (OSError, DeltaError) as error:
            raise _unwritten(table, error) from error

    def commit(self, table: Path, files: Sequence[Path], schema: pa.Schema, evidence: str) -> int:
        """Make files the rows of a new version and return its number. A version appears whole or not at all.

        Args:
            table: The table.
            files: Parquet files in its folder, as ``place`` gave them.
            schema: Their columns.
            evidence: What is kept of their making.

        Raises:
            Refused: The folder cannot be written.
        """
        try:
            if not DeltaTable.is_deltatable(str(table)):
                # The first schema holds a time, so that the table may get one later too.
                first = schema.append(pa.field("_time", pa.timestamp("us")))
                DeltaTable.create(str(table), first, configuration=_KEEP_LOG)
            had = self._newest(table)
            DeltaTable(str(table)).create_write_transaction(
                [_add(f) for f in files if f not in had],
                "append" if had and had <= set(files) else "overwrite",
                schema,
                commit_properties=CommitProperties(custom_metadata={_KEY: evidence}),
            )
            return int(DeltaTable(str(table)).version())
        except (OSError, DeltaError) as error:
            raise _unwritten(table, error) from error

    def _newest(self, table: Path) -> set[Path]:
        """The data files that the table has now."""
        if not DeltaTable.is_deltatable(str(table)):
            return set()
        named = _names(DeltaTable(str(table)))
        return {table / name for name in named}

    def files(self, table: Path, number: int) -> list[str]:
        """The data files of one version.

        Raises:
            Refused: Another program gave the table features that plain Parquet reading would get wrong.
        """
        delta = DeltaTable(str(table), version=number)
        features = set(delta.protocol().reader_features or [])
        if features - _READABLE:
            what = f"the table has features we do not read: {', '.join(sorted(features - _READABLE))}."
            fix = "Rewrite it without them, or restore the version before."
            raise Refused([Problem(str(table), 0, "L102", what, fix)])
        # Not file_uris: they are written for the web, and the folder may be called San José.
        named = _names(delta)
        return [str(table / name) for name in named]

    def history(self, table: Path) -> dict[int, str]:
        """Version number -> evidence text, oldest first; empty when there is no table.

        Raises:
            Refused: There is a table, and it cannot be read.
        """
        commits = self._commits(table)
        return {int(c["version"]): str(c[_KEY]) for c in reversed(commits) if _KEY in c}

    def _commits(self, table: Path) -> list[dict[str, Any]]:
        """The commits of a table, newest first; none when there is no table."""
        try:
            return DeltaTable(str(table)).history()
        except TableNotFoundError:
            return []
        except (OSError, DeltaError) as error:
            what = f"the table's log cannot be read ({type(error).__name__})."
            fix = "Restore the folder from a backup, or move it away: the next run starts anew with version 1."
            raise Refused([Problem(str(table), 0, "L103", what, fix)]) from error

    def rewrite(self, file: Path, rows: Relation, engine: Engine) -> None:
        """Put other rows in the place of those in a data file, for every version that has it; ``align`` must follow.

        Args:
            file: The data file; it stays whole until the new one is on the disk.
            rows: What it is to hold, with the same columns.
            engine: The engine that writes.

        Raises:
            Refused: The folder cannot be written.
        """
        draft = file.with_name(f".{file.name}.{os.getpid()}")
        try:
            engine.save(rows, draft)
            _put(draft, file)
        except OSError as error:
            draft.unlink(missing_ok=True)
            raise _unwritten(file.parent, error) from error

    def align(self, table: Path) -> int:
        """Make the log say of every data file what it is now: its size, and how many rows it has.

        Other programs trust the size to find the end of a file, and the number to count rows without reading them. A
        checkpoint repeats what the commits say; it is taken away, for a later commit writes it again.

        Returns:
            How many commits were written anew.

        Raises:
            Refused: The folder cannot be written, or another program took commits away (L123).
        """
        log = table / "_delta_log"
        commits = sorted(c for c in log.glob("*.json") if c.stem.isdigit())
        repeated = ("*.checkpoint*", "_sidecars/*", "*.compacted.json", "*.crc", "_last_checkpoint")
        middles = [file for pattern in repeated for file in log.glob(pattern)]
        try:
            told = {c: _aligned(c.read_text(encoding="utf-8"), table) for c in commits}
            changed = [(c, text) for c, text in told.items() if text is not None]
            if changed and middles and [int(c.stem) for c in commits] != list(range(len(commits))):
                what = "commits are missing that its checkpoints stand for, so they cannot be written anew."
                fix = "Restore the log from a backup: another program has cleaned it up."
                raise Refused([Problem(str(log), 0, "L123", what, fix)])
            for middle in middles if changed else ():
                middle.unlink()
            for commit, text in changed:
                stat = commit.stat()
                draft = commit.with_name(f".{commit.name}.{os.getpid()}")
                draft.write_text(text, encoding="utf-8")
                # Who asks for the version of a day goes by the time of the commit.
                os.utime(draft, ns=(stat.st_atime_ns, stat.st_mtime_ns))
                _put(draft, commit)
        except OSError as error:
            raise _unwritten(table, error) from error
        return len(changed)

    def withdraw(self, table: Path, numbers: Sequence[int], told: str) -> None:
        """Take versions away for good: the log says so first, then their data files are removed.

        The commits stay, with their evidence. When the newest version goes, the table has no rows for programs that
        read it as it is.

        Args:
            table: The table.
            numbers: The versions.
            told: What is kept of it, as a JSON object; the numbers are added.

        Raises:
            Refused: The folder cannot be written.
        """
        delta = DeltaTable(str(table))
        mode: Literal["overwrite", "append"] = "overwrite" if max(self.history(table)) in numbers else "append"
        text = json.dumps({**json.loads(told), "numbers": sorted(numbers)}, ensure_ascii=False)
        try:
            delta.create_write_transaction(
                [], mode, delta.schema(), commit_properties=CommitProperties(custom_metadata={_WITHDRAWN: text})
            )
            self._purge(table)
        except (OSError, DeltaError) as error:
            what = f"the versions could not be withdrawn whole ({type(error).__name__})."
            fix = "Check the rights of the folder, then withdraw them again."
            raise Refused([Problem(str(table), 0, "L101", what, fix)]) from error

    def withdrawn(self, table: Path) -> dict[int, str]:
        """Number of each version that was withdrawn -> what was kept of it."""
        commits = self._commits(table)
        told = [str(c[_WITHDRAWN]) for c in reversed(commits) if _WITHDRAWN in c]
        return {int(n): text for text in told for n in json.loads(text)["numbers"]}

    def _purge(self, table: Path) -> int:
        """Remove the data files of versions that were withdrawn and that no other version has."""
        gone = self.withdrawn(table)
        if not gone:
            return 0
        kept = {f for n in self.history(table) if n not in gone for f in self.files(table, n)}
        lost = [Path(f) for n in gone for f in self.files(table, n) if f not in kept and Path(f).exists()]
        for file in lost:
            file.unlink()
        return len(lost)

    def sweep(self, table: Path, *, settled_s: float = SETTLED_S) -> int:
        """Remove data files that no commit names and no writer at work can want, and those of withdrawn versions.

        Args:
            table: The table.
            settled_s: Younger files stay, for a writer may be at work, in seconds; 0 when none is.
        """
        logs = "".join(log.read_text(encoding="utf-8") for log in (table / "_delta_log").glob("*.json"))
        old = time.time() - settled_s
        lost = [f for f in table.glob("part-*.parquet") if f.name not in logs and f.stat().st_mtime < old]
        for file in lost:
            file.unlink()
        return len(lost) + (self._purge(table) if _WITHDRAWN in logs else 0)


def _names(delta: DeltaTable) -> list[str]:
    """The names of the data files of a table."""
    # As a stream: to make a table of it, pyarrow would import pandas first.
    return list(pa.RecordBatchReader.from_stream(delta.get_add_actions(flatten=True)).read_all()["path"].to_pylist())


def _aligned(commit: str, table: Path) -> str | None:
    """The text of a commit with the sizes and numbers of rows that its files have now; None where nothing differs."""
    lines, is_other = [], False
    for line in commit.splitlines():
        told = json.loads(line)
        for action in (told.get("add"), told.get("remove")):
            file = table / action["path"] if action else table
            if action and file.is_file() and action.get("size") not in (None, file.stat().st_size):
                action["size"], is_other = file.stat().st_size, True
            if action and file.is_file() and action.get("stats"):
                stats = json.dumps({"numRecords": pq.read_metadata(file).num_rows})
                is_other |= json.loads(action["stats"]) != json.loads(stats)
                action["stats"] = stats
        lines.append(json.dumps(told, ensure_ascii=False, separators=(",", ":")))
    return "\n".join(lines) + "\n" if is_other else None


def _put(draft: Path, file: Path) -> None:
    """Give a file that was written the name of another one, once it is on the disk."""
    draft.chmod(file.stat().st_mode)
    _settle(draft)
    draft.replace(file)
    _settle(file.parent)


def _settle(path: Path) -> None:
    """Wait until a file or a folder is on the disk."""
    at = os.open(path, os.O_RDONLY)
    try:
        os.fsync(at)
    finally:
        os.close(at)


def _unwritten(table: Path, error: Exception) -> Refused:
    what = f"the version could not be written ({type(error).__name__})."
    fix = "Check free space and rights of the folder; the last good version stays."
    return Refused([Problem(str(table), 0, "L101", what, fix)])


def _placed(file: Path, table: Path) -> Path:
    if file.parent != table:
        return Path(shutil.move(file, table / file.name))
    made = table / f"part-{uuid.uuid4().hex}.parquet"
    try:
        os.link(file, made)
    except OSError:  # a disk that knows no second names
        shutil.copyfile(file, made)
    return made


def _add(file: Path) -> AddAction:
    rows = json.dumps({"numRecords": pq.read_metadata(file).num_rows})
    return AddAction(file.name, file.stat().st_size, {}, int(time.time() * 1000), True, rows)
