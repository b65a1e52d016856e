"""``/api``: the doors for programs, each with the standard that it speaks, where to begin and its limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from metroon.base import kinds
from metroon.base.catalog import Column
from metroon.serve.door import Door
from metroon.serve.page import Page, Sheet

if TYPE_CHECKING:
    from pathlib import Path

    from metroon.serve.page import Asked


@dataclass(frozen=True)
class Limit:
    """One limit of a door.

    Args:
        name: Its name.
        value: What it is.
        meaning: What it means; empty when the door does not say.
    """

    name: str
    value: str
    meaning: str


@dataclass(frozen=True)
class DoorView:
    """One door.

    Args:
        name: Its name.
        title: What people call it.
        standard: Which version of which standard it speaks.
        start: The path to begin with; empty when it can only be told as a pattern.
        address: The same with the portal's address, or the pattern.
        about: What it is, in one sentence.
        limits: Its limits.
    """

    name: str
    title: str
    standard: str
    start: str
    address: str
    about: str
    limits: tuple[Limit, ...]

    @property
    def command(self) -> str:
        """What to type in a terminal to see how it answers."""
        return f'curl -s "{self.address}"'


@dataclass(frozen=True)
class ApiView:
    """What the page for programs shows.

    Args:
        title: The page's title.
        address: The portal's address.
        doors: The doors, in the order of their titles.
        example: The path of a page whose data anybody can try; empty when nothing is published.
        example_title: What it is called.
    """

    title: str
    address: str
    doors: tuple[DoorView, ...]
    example: str
    example_title: str

    @property
    def example_command(self) -> str:
        """What to type in a terminal to get it as a table."""
        return f'curl -O "{self.address}{self.example}.csv"'


class Api(Page):
    """The list of doors."""

    path = "/api"
    template = "api.html"

    def view(self, asked: Asked) -> ApiView:
        """Every door that this installation has."""
        address = asked.catalog.portal.address.rstrip("/") or asked.address
        having = [d for d in asked.catalog.datasets.values() if d.has_rows]
        found = next(iter(having), None)
        table = next((d.name for d in having if d.shape != "measure"), "")
        return ApiView(
            asked.words.gettext("Data for programs"),
            address,
            doors(address, example=table, plugins=asked.site.plugins),
            found.path if found else "",
            found.title if found else "",
        )

    def data(self, asked: Asked) -> Sheet:
        """The doors.

        Grain:
            One row per door.
        """
        columns = (
            Column("door", "Door", "Its name.", "string"),
            Column("title", "Title", "What people call it.", "string"),
            Column("standard", "Standard", "Which version of which standard it speaks.", "string"),
            Column("start", "Start", "The address to begin with.", "string"),
        )
        rows = [
            {"door": d.name, "title": d.title, "standard": d.standard, "start": d.address}
            for d in self.view(asked).doors
        ]
        return Sheet("api", "Doors for programs", columns, rows, f"{asked.catalog.city}, {asked.catalog.as_of}")


def doors(address: str, *, example: str, plugins: Path | None = None) -> tuple[DoorView, ...]:
    """The doors of this installation, found by listing their folder.

    Args:
        address: The portal's own address, without a slash at its end.
        example: Name of a dataset that is put in the place of ``{name}``; empty when there is none.
        plugins: The city repo's folder of kinds of its own.
    """
    found = []
    for name in kinds.names("serve", plugins):
        door = kinds.find("serve", name, Door, plugins)
        limits = tuple(
            Limit(n, str(f.default), f.description or "")
            for n, f in door.model_fields.items()
            if isinstance(f.default, int | float) and not isinstance(f.default, bool)
        )
        about = kinds.first_line("serve", name, plugins).replace("``", "")
        start = door.start.replace("{name}", example) if example else door.start
        path = "" if "{" in start else start
        found.append(DoorView(name, door.title, door.standard, path, f"{address}{start}", about, limits))
    return tuple(sorted(found, key=lambda d: d.title))
