"""Erasure: versions whose rows are destroyed for good, and the certificates that prove it.

A certificate is written before anything is removed and completed after it was looked whether nothing is left; whoever
is cut off in between leaves a certificate that says so, and the next call goes on from there.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metroon.base.errors import Problem, Refused

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

FOLDER = "certificates"
"""Below the folder in which versions are kept."""
_CHUNK = 1 << 20
_BEGUN_WITH = "begun_with"
"""The names of what a certificate says from its beginning, and goes on to say."""
_AFTER = "_after"
"""How names end that files get when a certificate is completed."""


@dataclass(frozen=True)
class Certificate:
    """What was destroyed, why, who agreed, and how it was looked that nothing is left.

    Args:
        number: Counts from 1.
        told: Its content, as it stands in the file.
    """

    number: int
    told: Mapping[str, Any]

    @property
    def is_done(self) -> bool:
        """Whether everything it names was destroyed, and that was looked at."""
        return bool(self.told["state"] == "done")

    @property
    def kind(self) -> str:
        """What it is about: ``retention``, the ``erasure`` of one person, or the ``lifting`` of an erasure."""
        return str(self.told.get("kind", "retention"))

    @property
    def product(self) -> str:
        """The product whose rows had passed their time, or were of the person."""
        return str(self.told["product"])

    def changed(self) -> Iterator[tuple[str, int]]:
        """(Table of the restricted zone, version) of everything that stays readable, without the rows of a person."""
        told = (h for h in self.told.get("rewritten", ()) if h["zone"] == "restricted")
        yield from ((str(h["table"]), int(h["version"])) for h in told)

    def destroyed(self) -> Iterator[tuple[str, int]]:
        """(Table of the restricted zone, version) of everything whose rows it destroyed."""
        yield from ((str(v["table"]), int(v["version"])) for v in self.told.get("versions", ()))


class Certificates:
    """All certificates of one city, each with the hash of the one before it.

    Args:
        home: Where versions are kept.
    """

    def __init__(self, home: Path) -> None:
        self.folder = home / FOLDER

    def all(self) -> list[Certificate]:
        """Every certificate, oldest first.

        Raises:
            Refused: One cannot be read (L106).
        """
        return [self._read(file) for file in self._files()]

    def unfinished(self, kind: str = "retention") -> list[Certificate]:
        """Those of one kind that were begun, and cut off before the end."""
        return [c for c in self.all() if not c.is_done and c.kind == kind]

    def retained(self, product: str) -> list[Certificate]:
        """Those by which rows of a product had passed their time."""
        return [c for c in self.all() if c.product == product and c.kind == "retention"]

    def erased(self, product: str) -> list[Certificate]:
        """Those by which a person was erased from a product, and whose rows must not come back."""
        every = self.all()
        lifted = {int(c.told["of"]) for c in every if c.kind == "lifting"}
        return [c for c in every if c.product == product and c.kind == "erasure" and c.number not in lifted]

    def lifted(self, product: str) -> list[int]:
        """The numbers of erasures from a product that were lifted: such rows may come again."""
        return [int(c.told["of"]) for c in self.all() if c.product == product and c.kind == "lifting"]

    def of(self, table: str, version: int) -> Certificate | None:
        """The certificate of a version whose rows were destroyed; None when they were not."""
        return next((c for c in self.all() if (table, version) in set(c.destroyed())), None)

    def begin(self, told: Mapping[str, Any]) -> Certificate:
        """Write a new certificate, before anything is removed."""
        known = self.all()
        number = known[-1].number + 1 if known else 1
        former = str(known[-1].told["sha256"]) if known else ""
        begun = {**told, "number": number, "state": "begun", "former_sha256": former}
        return self.save(Certificate(number, {**begun, _BEGUN_WITH: sorted([*begun, _BEGUN_WITH])}))

    def save(self, certificate: Certificate) -> Certificate:
        """Write a certificate in the place of its earlier state; whole or not at all.

        Raises:
            Refused: The folder cannot be written (L101).
        """
        told = {**certificate.told, "number": certificate.number}
        told["sha256"] = content_sha256(told)
        file = self.folder / f"{certificate.number:04}.json"
        part = file.with_suffix(".part")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with part.open("w", encoding="utf-8") as out:
                json.dump(told, out, ensure_ascii=False, indent=1, sort_keys=True)
                out.flush()
                os.fsync(out.fileno())
            part.replace(file)
        except OSError as error:
            what = f"the certificate could not be written ({error.strerror})."
            fix = "Check free space and rights of the folder; nothing more is destroyed until then."
            raise Refused([Problem(str(file), 0, "L101", what, fix)]) from None
        return Certificate(certificate.number, told)

    def faults(self) -> list[Problem]:
        """What is wrong with the chain: a certificate that was changed, or one that is missing."""
        found, former = [], {""}
        for expected, certificate in enumerate(self.all(), 1):
            told, file = certificate.told, str(self.folder / f"{certificate.number:04}.json")
            if certificate.number != expected:
                what = f"certificate {expected} is missing."
            elif told["sha256"] != content_sha256(told):
                what = "the certificate was changed after it was written."
            elif told["former_sha256"] not in former:
                what = "the certificate before it is another than when it was written."
            else:
                what = ""
            if what:
                fix = "Restore the folder from a backup, and find out who changed it."
                found.append(Problem(file, 0, "L106", what, fix))
                break
            # What came after it may have been begun before it was completed.
            former = {str(told["sha256"]), begun_sha256(told)}
        return found

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob("[0-9]*.json"), key=lambda file: int(file.stem) if file.stem.isdigit() else 0)

    def _read(self, file: Path) -> Certificate:
        try:
            told = json.loads(file.read_text(encoding="utf-8"))
            made = Certificate(int(told["number"]), told)
            [*made.destroyed(), made.is_done, made.product, told["sha256"], told["former_sha256"], begun_sha256(told)]
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            fix = "Restore the folder from a backup: nothing is destroyed while a certificate cannot be read."
            raise Refused([Problem(str(file), 0, "L106", "the certificate cannot be read.", fix)]) from None
        return made


def content_sha256(told: Mapping[str, Any]) -> str:
    """The hash of a certificate's content, without the hash itself."""
    content = {k: v for k, v in told.items() if k != "sha256"}
    return hashlib.sha256(json.dumps(content, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def begun_sha256(told: Mapping[str, Any]) -> str:
    """The hash that a certificate had when it was begun, found again from what completing it does not change.

    Args:
        told: Its content, completed or not.

    Returns:
        The hash; empty where the certificate does not say what it was begun with.
    """
    if not told.get(_BEGUN_WITH):
        return ""
    begun = {k: told.get(k) for k in told[_BEGUN_WITH]} | {"state": "begun"}
    if files := begun.get("files"):
        begun["files"] = [{k: v for k, v in f.items() if not k.endswith(_AFTER)} for f in files]
    return content_sha256(begun)


def described(files: Iterable[str], home: Path) -> list[dict[str, Any]]:
    """Name, size and hash of files that are to be removed.

    Args:
        files: Their paths; those that are not there are left out.
        home: The folder that names are told from.
    """
    made = []
    for file in map(Path, files):
        if file.is_file():
            name = file.relative_to(home).as_posix()
            made.append({"file": name, "bytes": file.stat().st_size, "sha256": file_sha256(file)})
    return made


def remove(home: Path, names: Iterable[str]) -> None:
    """Remove files, those that are gone already too.

    Args:
        home: The folder that names are told from.
        names: Their names.

    Raises:
        Refused: One cannot be removed (L101); the certificate stays begun.
    """
    for name in names:
        try:
            (home / name).unlink(missing_ok=True)
        except OSError as error:
            fix = "Give this program the right to remove it; then call metroon guard retention --apply again."
            what = f"the file could not be removed ({error.strerror})."
            raise Refused([Problem(str(home / name), 0, "L101", what, fix)]) from None


def orphans(table: Path, named: Collection[str]) -> list[str]:
    """Data files of a table that no version has: what a run which was cut off left behind.

    Args:
        table: The table's folder.
        named: The paths of files that versions have.
    """
    return [str(file) for file in sorted(table.glob("*.parquet")) if str(file) not in named]


def file_sha256(file: Path) -> str:
    """The hash of a file's bytes."""
    digest = hashlib.sha256()
    with file.open("rb") as read:
        while chunk := read.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
