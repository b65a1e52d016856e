"""Permanent ids: how they are written, and that each stands once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from metroon.base.errors import Problem
    from metroon.base.node import Node

NAME = re.compile(r"[a-z][a-z0-9_]*")


def _id(name: str) -> str:
    if not NAME.fullmatch(name):
        raise ValueError("this cannot be a name. Fix: Use small letters, digits and _ and start with a letter.")
    return name


Id = Annotated[str, AfterValidator(_id)]
"""A permanent id: what it names may change, the id never does, for it stands in addresses."""


def repeated(ids: Iterable[tuple[str, Node]]) -> Iterator[Problem]:
    """Ids that stand twice in one list, each told where it stands the second time.

    Args:
        ids: (Id, the mapping whose key ``id`` holds it).
    """
    first: dict[str, int] = {}
    for name, node in ids:
        if name in first:
            what = f"the id '{name}' stands here twice (first on line {first[name]})."
            yield node.problem("R102", what, "Give one of them an id of its own; an id that was public stays.", "id")
        first.setdefault(name, node.line("id"))
