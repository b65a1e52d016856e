"""What every verb of the command shares: options, the city, and how problems are told."""

from __future__ import annotations

import functools
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import RenderableType

    from metroon.base.errors import Problem
    from metroon.city import City
    from metroon.walk import Told, Walk

# What a script can rely on.
DONE, FAILED, REFUSED = 0, 1, 2


class Date(click.ParamType[date]):
    """A day, as an option of a verb."""

    name = "YYYY-MM-DD"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """The day that was written."""
        try:
            return value if isinstance(value, date) else date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no date; write it as 2026-01-31.", param, ctx)


def told(step: Callable[..., int | None]) -> Callable[..., None]:
    """Tell problems as a steward can act on them, and end with a code that scripts can rely on."""

    @functools.wraps(step)
    def told(*args: Any, **kwargs: Any) -> None:
        from metroon.base.errors import Refused, cannot

        try:
            sys.exit(step(*args, **kwargs) or DONE)
        except Refused as refused:
            tell(list(refused.problems))
            sys.exit(REFUSED)
        except BrokenPipeError:
            sys.exit(DONE)
        except OSError as error:
            # Where nobody nearer knows what it means: a disk that is full, away, or closed.
            tell([cannot(error)])
            sys.exit(REFUSED)

    return told


def tell(problems: list[Problem]) -> None:
    """Write problems where errors go, each with its place and what mends it."""
    from metroon import serve

    if sys.stderr.isatty():
        console(stderr=True).print(serve.problems(problems))
        return
    for problem in sorted(problems):
        print(problem, file=sys.stderr)
    print(f"{len(problems)} problem{'s' if len(problems) != 1 else ''}", file=sys.stderr)


def console(*, stderr: bool = False) -> Any:
    """Where pages are written."""
    from rich.console import Console

    return Console(stderr=stderr)


def show(*parts: RenderableType) -> None:
    """Write a page."""
    page = console()
    for part in parts:
        page.print(part)


def load(folder: str | None) -> City:
    """The city repo in a folder, here or above."""
    from metroon.city import load

    return load(city_folder(folder))


def city_folder(given: str | None) -> Path:
    """The folder that was named, or the nearest one above that holds a city."""
    if given:
        return Path(given)
    here = Path.cwd()
    return next((p for p in (here, *here.parents) if (p / "city.yaml").is_file()), here)


def walk(city: City, as_of: date | None, *, verify: bool = False, told: Told | None = None) -> Walk:
    """A city, ready to be walked."""
    from metroon.walk import Walk

    quiet: Told = lambda verb, name: None  # noqa: E731  # a default, not a function to find
    return Walk(city, as_of or city.file.as_of or date.today(), verify=verify, told=told or quiet)


CITY = click.option("--city", "-C", "folder", metavar="FOLDER", help="The city repo; here or above unless named.")
AS_OF = click.option("--as-of", type=Date(), help="The day to take for today; the city's own, or today.")
FULL = click.option("--full", is_flag=True, help="Tell every broken promise, place, group and note.")
PICTURE = click.option(
    "--picture", type=click.Path(dir_okay=False, path_type=Path), help="Write what is shown as a picture (SVG) too."
)
ON = click.option("--as-of", "on", type=Date(), help="As it was published on that day; nothing is computed.")
FORMAT = click.option("--format", "kind", type=click.Choice(["table", "json", "csv"]), default="table")


def say_json(what: Any) -> None:
    """Write something as JSON."""
    import json

    click.echo(json.dumps(what, indent=2, ensure_ascii=False, allow_nan=False))
