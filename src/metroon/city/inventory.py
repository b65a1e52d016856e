"""The inventory as declared: what the city has or should have, and does not collect here yet."""

from __future__ import annotations

from datetime import date  # pydantic reads the annotation
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from metroon.base.catalog import (
    Access,  # pydantic reads the annotation
    Dataset,
    Steward,
)
from metroon.base.errors import Refused
from metroon.base.node import did_you_mean, validate
from metroon.city.ids import Id, repeated
from metroon.city.yaml import read

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from metroon.base.errors import Problem
    from metroon.base.node import Node


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class EntryFile(_Part):
    """One dataset that is not collected yet.

    Args:
        id: Its permanent id; the product that it becomes takes it over.
        title: What people call it.
        description: What it holds, in a sentence or two.
        department: Whose it is, a name of city.yaml.
        topic: What it is about.
        access: Who may have its rows once it is collected: ``public``, ``restricted public`` or ``non-public``.
        why_not_yet: Why it is not collected, in words for the public.
        contact: Whom to ask: an e-mail address, or who answers.
        planned: When it may come, in words; empty when nobody knows.
        reviewed: The day on which somebody last looked whether this entry is still true.
        tags: Further words to find it by.
        source: Where another portal lists it, when it was taken over from there; by this its entry is found again.
    """

    id: Id
    title: str
    description: str
    department: str
    topic: str = ""
    access: Access = "non-public"
    why_not_yet: str
    contact: str
    planned: str = ""
    reviewed: date
    tags: list[str] = Field(default_factory=list)
    source: str = ""


class InventoryFile(_Part):
    """What ``inventory.yaml`` holds.

    Args:
        entries: What is not collected yet.
    """

    entries: list[EntryFile] = Field(default_factory=list)


def inventory(
    folder: Path, departments: Mapping[str, str], taken: Collection[str], stewards: Mapping[str, Steward]
) -> tuple[Dataset, ...]:
    """What a city repo lists and does not collect; nothing when it has no inventory.yaml.

    Args:
        folder: The city repo.
        departments: Department -> what people call it.
        taken: Names of its products and measures.
        stewards: Contact -> steward, of people.yaml.

    Raises:
        Refused: Keys are unknown or wrong, names are not there or taken; every fault at once.
    """
    if not (folder / "inventory.yaml").exists():
        return ()
    node = read(folder / "inventory.yaml")
    told = validate(node, InventoryFile, "Y103")
    if problems := [*_faults(told, node, departments, taken)]:
        raise Refused(problems)
    return tuple(
        Dataset(
            name=e.id,
            shape="listed",
            title=e.title,
            description=e.description,
            department=departments[e.department],
            topic=e.topic,
            tags=tuple(e.tags),
            access=e.access,
            steward=stewards.get(e.contact) or _contact(e.contact),
            not_yet=e.why_not_yet,
            planned=e.planned,
            reviewed=e.reviewed,
        )
        for e in told.entries
    )


def declared(folder: Path) -> list[EntryFile]:
    """The entries of inventory.yaml as they are written; none when there is no such file.

    Raises:
        Refused: Keys are unknown or wrong.
    """
    file = folder / "inventory.yaml"
    return validate(read(file), InventoryFile, "Y103").entries if file.exists() else []


def _contact(told: str) -> Steward:
    return Steward(told, "contact", told if "@" in told or "://" in told else "")


def _faults(
    told: InventoryFile, node: Node, departments: Mapping[str, str], taken: Collection[str]
) -> Iterator[Problem]:
    yield from repeated((e.id, node.at("entries", i)) for i, e in enumerate(told.entries))
    for i, entry in enumerate(told.entries):
        at = node.at("entries", i)
        if entry.department not in departments:
            what = f"there is no department '{entry.department}'."
            yield at.problem("R101", what, did_you_mean(entry.department, departments), "department")
        if entry.id in taken:
            what = f"'{entry.id}' is a product or a measure already, and listed as not collected."
            yield at.problem("R102", what, "Take the entry out: what is collected keeps its id and its page.", "id")
