"""The people as declared: roles with their duties, and stewards with what they promise."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date  # pydantic reads the annotation
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

from metroon.base.catalog import Steward
from metroon.base.errors import Refused
from metroon.base.node import Node, did_you_mean, validate
from metroon.base.plan import Role
from metroon.city.ids import Id, repeated
from metroon.city.yaml import read

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from metroon.base.errors import Problem

VACANT = "vacant"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RoleFile(_Part):
    """One role: duties that stay when the person goes.

    Args:
        id: Its permanent id; plans name it as ``owner``.
        title: What people call it.
        duties: What whoever holds it must do.
        holder: Who holds it, or ``vacant``.
        department: Whose it is, a name of city.yaml.
        since: Since when it is held, or vacant.
        deputy: The role that does the duties while this one is vacant.
        required: Whether the plan cannot do without it.
        may: What whoever holds it may decide: ``declassify``, to lower the class that a column inherits; ``erase``, to
            take a person out of everything that is kept.
    """

    id: Id
    title: str
    duties: str
    holder: str
    department: str = ""
    since: date
    deputy: str = ""
    required: bool = True
    may: list[Literal["declassify", "erase"]] = Field(default_factory=list)


class StewardFile(_Part):
    """One steward of data.

    Args:
        name: A person or a role.
        contact: The e-mail address; contracts name it as ``username`` of a member of their team.
        promise: How soon they answer, in words.
        hours: When they can be met, in words.
    """

    name: str
    contact: str
    promise: str = ""
    hours: str = ""


class PeopleFile(_Part):
    """What ``people.yaml`` holds.

    Args:
        roles: The roles that the city needs.
        stewards: Who answers for data.
    """

    roles: list[RoleFile] = Field(default_factory=list)
    stewards: list[StewardFile] = Field(default_factory=list)


@dataclass(frozen=True)
class Staff:
    """A city's roles and stewards, read.

    Args:
        roles: In order.
        stewards: Contact -> steward.
        node: Where they stand; None when the city has no people.yaml.
    """

    roles: tuple[Role, ...] = ()
    stewards: Mapping[str, Steward] = field(default_factory=dict)
    node: Node | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """What a file may write for somebody: ids of roles that are held, and contacts of stewards."""
        return (*(r.id for r in self.roles if r.holder), *self.stewards)

    @property
    def declassifiers(self) -> frozenset[str]:
        """Ids of roles that are held and may lower the class of a column."""
        return frozenset(r.id for r in self.roles if r.holder and "declassify" in r.may)

    @property
    def erasers(self) -> frozenset[str]:
        """Ids of roles that are held and may take a person out of everything that is kept."""
        return frozenset(r.id for r in self.roles if r.holder and "erase" in r.may)

    def named(self, word: str) -> str:
        """What people call the role or steward that a file names; empty when nobody holds it."""
        role = next((r for r in self.roles if r.id == word and r.holder), None)
        return role.title if role else self.stewards[word].name if word in self.stewards else ""


NOBODY = Staff()
"""The staff of a city without people.yaml."""


def people(folder: Path, departments: Mapping[str, str]) -> Staff:
    """The roles and stewards of a city repo; nobody when it has no people.yaml.

    Args:
        folder: The city repo.
        departments: Department -> what people call it.

    Raises:
        Refused: Keys are unknown or wrong, or names are not there; every fault at once.
    """
    if not (folder / "people.yaml").exists():
        return NOBODY
    node = read(folder / "people.yaml")
    told = validate(node, PeopleFile, "Y103")
    if problems := [*_faults(told, node, departments)]:
        raise Refused(problems)
    roles = tuple(
        Role(
            id=r.id,
            title=r.title,
            duties=r.duties,
            holder="" if r.holder == VACANT else r.holder,
            department=departments.get(r.department, ""),
            since=r.since,
            deputy=r.deputy,
            is_required=r.required,
            may=tuple(r.may),
        )
        for r in told.roles
    )
    stewards = {s.contact: Steward(s.name, "steward", s.contact, s.promise, s.hours) for s in told.stewards}
    return Staff(roles, stewards, node)


def _faults(told: PeopleFile, node: Node, departments: Mapping[str, str]) -> Iterator[Problem]:
    ids = {r.id for r in told.roles}
    yield from repeated((r.id, node.at("roles", i)) for i, r in enumerate(told.roles))
    for i, role in enumerate(told.roles):
        at = node.at("roles", i)
        if role.department and role.department not in departments:
            what = f"there is no department '{role.department}'."
            yield at.problem("R101", what, did_you_mean(role.department, departments), "department")
        if role.deputy and (role.deputy not in ids or role.deputy == role.id):
            what = f"'{role.deputy}' is no other role."
            yield at.problem("R101", what, did_you_mean(role.deputy, ids - {role.id}), "deputy")
    known: set[str] = set()
    for i, steward in enumerate(told.stewards):
        if steward.contact in known:
            what = f"two stewards have the contact '{steward.contact}'."
            yield node.at("stewards", i).problem("R102", what, "Keep one of them.", "contact")
        known.add(steward.contact)
