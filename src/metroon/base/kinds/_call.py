"""A function of DuckDB with its arguments, and how it is written in Spark SQL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

from sqlglot import exp

from metroon.base.kinds._words import Unequal, apply, cast

if TYPE_CHECKING:
    from collections.abc import Callable

    from metroon.base.kinds._reading import Part


class Writer(Protocol):
    """What writes the parts of an expression in Spark SQL."""

    def write(self, part: Part) -> exp.Expression:
        """A part, with whole numbers 64 bits wide."""

    def typed(self, part: Part, kind: str) -> exp.Expression:
        """A part in another type."""

    def boolean(self, part: Part) -> exp.Expression:
        """A condition."""

    def compared(self, how: str, left: Part, right: Part) -> exp.Expression:
        """A comparison of two parts in their common type."""


@dataclass(frozen=True)
class Call:
    """A function with its arguments.

    Args:
        writer: Writes them.
        part: The function.
    """

    writer: Writer
    part: Part

    def __getitem__(self, at: int) -> exp.Expression:
        return self.writer.write(self.part.parts[at])

    @property
    def every(self) -> list[exp.Expression]:
        """All arguments."""
        return [self.writer.write(p) for p in self.part.parts]

    def text(self, at: int) -> str:
        """A text in the query itself."""
        given = self.part.parts[at]
        if not isinstance(given.value, str):
            raise Unequal(f"'{self.part.name}' with another column where a text is expected")
        return given.value

    def number(self, at: int, *, low: int, high: int = 1_000_000) -> int:
        """A whole number in the query itself."""
        value = self.part.parts[at].value
        if not isinstance(value, int) or not low <= value <= high:
            raise Unequal(f"'{self.part.name}' with a number that is not written out or not {low} or more")
        return value


Builder: TypeAlias = "Callable[[Call], exp.Expression]"
"""Writes a call."""
Entry: TypeAlias = tuple[str, str, Builder]
"""Names of functions, the families of their arguments, and how they are written."""


def same(function: str) -> Builder:
    """The function of Spark SQL with the same arguments."""
    return lambda call: apply(function, *call.every)


def measured(function: str) -> Builder:
    """The function of Spark SQL with the same arguments, as a whole number of 64 bits."""
    return lambda call: cast(apply(function, *call.every), "bigint")
