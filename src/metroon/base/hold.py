"""Legal holds: what must not be destroyed or withdrawn, whatever else says that it may."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

    from metroon.base.node import Node


@dataclass(frozen=True)
class Hold:
    """One legal hold.

    Args:
        id: Its permanent id.
        products: The products it is about; empty for all.
        reason: Why, in words.
        by: Who ordered it, as people call the role or person.
        since: The day from which it was ordered.
        released: The day on which it ended; None while it holds.
        released_by: Who ended it; empty while it holds.
        node: Where it stands.
    """

    id: str
    products: tuple[str, ...]
    reason: str
    by: str
    since: date
    released: date | None
    released_by: str
    node: Node = field(repr=False, compare=False)

    def holds(self, product: str, on: date) -> bool:
        """Whether nothing of a product may go on a day. One that begins later holds already.

        Example:
            >>> from datetime import date
            >>> from metroon.base.node import Node
            >>> hold = Hold("suit", (), "A suit", "Attorney", date(2026, 1, 1), None, "", Node({}, "holds.yaml"))
            >>> hold.holds("crashes", date(2025, 1, 1))
            True
        """
        is_over = self.released is not None and self.released <= on
        return not is_over and (not self.products or product in self.products)
