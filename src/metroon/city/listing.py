"""Entries for the inventory, written from what another portal lists; what a person wrote stays as it is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from metroon.base.errors import Problem, Refused
from metroon.base.node import validate
from metroon.base.profile import snake_case
from metroon.city.city import CityFile
from metroon.city.inventory import InventoryFile, declared
from metroon.city.scalar import listed, scalar
from metroon.city.yaml import read, read_text, shown

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import date
    from pathlib import Path

    from metroon.base.catalog import Access

_LONGEST = 60
_HEADER = "# What the city has, or should have, and does not collect here yet.\n"


@dataclass(frozen=True)
class Entry:
    """What an entry of the inventory is written from.

    Args:
        source: Where another portal lists it; by this an entry is found again.
        title: What people call it.
        description: What it holds.
        owner: The department that it belongs to, as the portal calls it.
        contact: Whom to ask.
        topic: What it is about.
        access: Who may have its rows.
        why_not_yet: Why it is not collected here, in words for the public.
        tags: Further words to find it by.
    """

    source: str
    title: str
    description: str
    owner: str
    contact: str
    topic: str
    access: Access
    why_not_yet: str
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Written:
    """What became of entries.

    Args:
        ids: The ids of new entries, in their order.
        known: How many were there already.
        gone: Titles of entries that were taken over from the same portal before, and are not listed there any more.
        departments: Names of departments that were added to city.yaml.
    """

    ids: tuple[str, ...]
    known: int
    gone: tuple[str, ...]
    departments: tuple[str, ...]


def add_entries(folder: Path, entries: Sequence[Entry], taken: Collection[str], portal: str, *, on: date) -> Written:
    """Add to inventory.yaml what is not in it yet, and to city.yaml the departments that it names.

    An entry belongs to the department whose name or id its owner is, in whatever case; an owner that is none becomes
    one. Entries that are there already are not touched.

    Args:
        folder: The city repo.
        entries: What another portal lists.
        taken: Names of products and measures.
        portal: The beginning of the addresses of that portal, by which its entries of before are known.
        on: The day on which they were looked at.

    Raises:
        Refused: The files cannot be read, or are written so that nothing can be added (D164); nothing was written.
    """
    city, file = folder / "city.yaml", folder / "inventory.yaml"
    departments = dict(validate(read(city), CityFile, "Y103").departments)
    there = declared(folder)
    sources = {e.source: e for e in there if e.source}
    new = [e for e in entries if e.source not in sources]
    ids = _ids(new, {*taken, *(e.id for e in there)})
    added: dict[str, str] = {}
    owned = [_department(e.owner or portal, departments, added) for e in new]
    text = "".join(_entry(name, e, department, on) for name, e, department in zip(ids, new, owned, strict=True))
    texts = {}
    if new:
        before = file.read_text(encoding="utf-8-sig") if file.exists() else f"{_HEADER}entries:\n"
        texts[file] = _appended(before, text, file, len(there) + len(new))
    if added:
        texts[city] = _with_departments(city, added)
    for place, content in texts.items():
        draft = place.with_name(f".{place.name}.part")
        draft.write_text(content, encoding="utf-8")
        draft.replace(place)
    now = {e.source for e in entries}
    gone = [e.title for e in there if e.source.startswith(portal) and e.source not in now]
    return Written(tuple(ids), len(entries) - len(new), tuple(gone), tuple(added.values()))


def _ids(entries: Iterable[Entry], taken: set[str]) -> list[str]:
    made = []
    for entry in entries:
        name = base = snake_case(entry.title)[:_LONGEST].strip("_") or "dataset"
        n = 1
        while name in taken:
            n += 1
            name = f"{base}_{n}"
        taken.add(name)
        made.append(name)
    return made


def _department(owner: str, known: dict[str, str], added: dict[str, str]) -> str:
    wanted = _plain(owner)
    for name, title in known.items():
        if wanted in (_plain(name), _plain(title)):
            return name
    name = base = snake_case(owner)[:_LONGEST].strip("_") or "department"
    n = 1
    while name in known:
        n += 1
        name = f"{base}_{n}"
    known[name] = added[name] = owner
    return name


def _plain(text: str) -> str:
    return re.sub(r"\W+|_", " ", text).strip().casefold()


def _entry(name: str, entry: Entry, department: str, on: date) -> str:
    told = {
        "title": scalar(entry.title),
        "description": scalar(entry.description or entry.title),
        "department": scalar(department),
        "topic": scalar(entry.topic) if entry.topic else "",
        "access": entry.access,
        "why_not_yet": scalar(entry.why_not_yet),
        "contact": scalar(entry.contact or entry.owner or entry.source),
        "reviewed": on.isoformat(),
        "tags": listed(entry.tags) if entry.tags else "",
        "source": scalar(entry.source),
    }
    return f"  - id: {scalar(name)}\n" + "".join(f"    {key}: {value}\n" for key, value in told.items() if value)


def _appended(before: str, text: str, file: Path, n: int) -> str:
    made = f"{before.rstrip()}\n{text}"
    try:
        if len(validate(read_text(made, shown(file)), InventoryFile, "Y103").entries) == n:
            return made
    except Refused:
        pass  # said below: what stands there is in order, and what is added does not fit to how it is written
    what = "nothing can be added at its end."
    fix = "Write 'entries:' as a list of lines that begin with '  - id:', as docs/reference/inventory.md shows."
    raise Refused([Problem(shown(file), 0, "D164", what, fix)])


def _with_departments(city: Path, added: dict[str, str]) -> str:
    text = city.read_text(encoding="utf-8-sig")
    lines = [f"  {name}: {scalar(title)}" for name, title in added.items()]
    known = read(city).at("departments")
    before = text.splitlines()
    if isinstance(known.value, dict) and known.value:
        last = max(known.line(k) for k in known.value)
        made = [*before[:last], *lines, *before[last:]]
    else:
        made = [line for line in before if not re.fullmatch(r"departments:\s*(\{\s*\})?\s*(#.*)?", line)]
        made += ["departments:", *lines]
    whole = "\n".join(made) + "\n"
    wanted = {**(known.value if isinstance(known.value, dict) else {}), **added}
    try:
        if validate(read_text(whole, shown(city)), CityFile, "Y103").departments == wanted:
            return whole
    except Refused:
        pass  # as above
    fix = f"Add them yourself: {'; '.join(line.strip() for line in lines)}"
    raise Refused([known.problem("D164", "the departments of the portal cannot be added here.", fix)])
