"""The verbs of ``metroon guard``: what would leave, who could be found in it, and the proof that nobody can."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from metroon import verb
from metroon.verb import CITY, DONE

if TYPE_CHECKING:
    pass


class _Guard(click.Group):
    """A first word that is no verb is the name of a product or measure."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            args = ["name", *args]
        return super().resolve_command(ctx, args)


@click.group(cls=_Guard, subcommand_metavar="PRODUCT|MEASURE | VERB")
def guard() -> None:
    """Tell what would leave and at which risk; audit, score, register, verify."""


@guard.command("name", hidden=True)
@click.argument("name")
@CITY
@verb.told
def name_(name: str, folder: str | None) -> int:
    """Tell what would leave of a product or measure, at which risk, what is hidden and why, and what to change."""
    walk = verb.walk(verb.load(folder), None)
    walk.wanted([name])
    return DONE
