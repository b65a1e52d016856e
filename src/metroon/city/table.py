"""Tables with totals: what ``table:`` in product.yaml declares of a product that leaves as one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

from metroon.base.node import validate

if TYPE_CHECKING:
    from metroon.base.node import Node


class TableFile(BaseModel):
    """A table with totals, counted from the rows of a product.

    Args:
        by: Its dimensions, one item each: a column; geographies of the city, coarse to fine; grains of the event time,
            coarse to fine, such as [year, quarter]; or columns of which each is a part of the one before.
        count: What one row is, in the plural, such as ``people hurt``.
        zeros: What an empty cell is: ``public`` is shown as 0; ``sensitive`` is protected as a small count is.
        fiscal_year_begins: The month in which a year begins.
        settle_days: Days after its end until late reports of a period have come in; before, it is not in the table.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    by: list[str | list[str]] = Field(min_length=1)
    count: str = Field("events", min_length=1)
    zeros: Literal["public", "sensitive"] = "public"
    fiscal_year_begins: int = Field(1, ge=1, le=12)
    settle_days: int = Field(0, ge=0)

    @property
    def dimensions(self) -> list[list[str]]:
        """The names of each dimension, coarse to fine."""
        return [[one] if isinstance(one, str) else list(one) for one in self.by]


def table_file(node: Node) -> TableFile | None:
    """What a node declares; None when it is empty.

    Raises:
        Refused: Every fault at once, each with its line (Y103).
    """
    return validate(node, TableFile, "Y103") if node.value is not None else None
