"""What a product's files tell its readers beside the rows: the licence, who answers, and the known gap."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from metroon.base.catalog import Licence, Steward

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from metroon.city.contract import Contract

LICENCES = {
    "CC0-1.0": ("Creative Commons Zero 1.0", "https://creativecommons.org/publicdomain/zero/1.0/"),
    "CC-BY-4.0": ("Creative Commons Attribution 4.0", "https://creativecommons.org/licenses/by/4.0/"),
    "CC-BY-SA-4.0": ("Creative Commons Attribution-ShareAlike 4.0", "https://creativecommons.org/licenses/by-sa/4.0/"),
    "PDDL-1.0": ("Open Data Commons Public Domain Dedication", "https://opendatacommons.org/licenses/pddl/1-0/"),
    "ODC-By-1.0": ("Open Data Commons Attribution 1.0", "https://opendatacommons.org/licenses/by/1-0/"),
    "ODbL-1.0": ("Open Database License 1.0", "https://opendatacommons.org/licenses/odbl/1-0/"),
}
"""SPDX identifier -> (title, address of its text), of licences that cities use."""


def licence(contract: Contract) -> Licence:
    """What readers may do with a product, from the property ``licence`` of its contract; empty without one."""
    told: Any = contract.custom.get("licence") or {}
    if isinstance(told, str):
        return known_licence(told)
    known = known_licence(str(told.get("id", "")))
    return Licence(known.id, str(told.get("title") or known.title), str(told.get("url") or known.url))


def known_licence(name: str) -> Licence:
    """A licence by its SPDX identifier, with its title and the address of its text where they are known.

    Example:
        >>> known_licence("CC0-1.0").title, known_licence("MIT").title
        ('Creative Commons Zero 1.0', 'MIT')
    """
    title, url = LICENCES.get(name, (name, ""))
    return Licence(name, title, url)


def steward(contract: Contract, known: Mapping[str, Steward]) -> Steward | None:
    """Who answers for a product: the first member of its team who has not left; None when there is nobody.

    What people.yaml tells of them comes first, then the contract's own ``support``.

    Args:
        contract: The promise.
        known: Contact -> steward, of people.yaml.
    """
    told: Any = contract.node.value
    team = told.get("team") or {}
    members = team.get("members") or [] if isinstance(team, dict) else team
    here = [m for m in members if not m.get("dateOut")]
    member = next((m for m in here if m.get("role") == "steward"), next(iter(here), None))
    if member is None:
        return None
    if member["username"] in known:
        return known[member["username"]]
    support: dict[str, Any] = next(iter(told.get("support") or []), {})
    name, contact = str(member.get("name") or member["username"]), str(member["username"])
    contact = contact if "@" in contact else str(support.get("url") or "")
    return Steward(name, str(member.get("role") or "steward"), contact, str(support.get("description") or ""))


def gap(folder: Path) -> str:
    r"""The known gap of a product in plain words: the first paragraph of its README; empty without one.

    Example:
        >>> import pathlib, tempfile
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> _ = (folder / "README.md").write_text("# Trees\n\nTrees of parks are\nnot in it.\n\nMore.")
        >>> gap(folder)
        'Trees of parks are not in it.'
    """
    file = folder / "README.md"
    if not file.is_file():
        return ""
    paragraphs = re.split(r"\n\s*\n", file.read_text(encoding="utf-8-sig", errors="replace"))
    told = (re.sub(r"^#.*$", "", p, flags=re.MULTILINE).split() for p in paragraphs)
    return next((" ".join(words) for words in told if words), "")
