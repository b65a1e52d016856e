"""One decision function for every surface. It reads nothing, and an error in it is a denial."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import datetime

    from metroon.base.catalog import Access

POLICY = "2026-11"
Surface = Literal["page", "file", "rest", "ckan", "ogc", "dcat", "feed", "search", "terminal", "plugin"]


@dataclass(frozen=True)
class Principal:
    """Who asks.

    Args:
        name: ``public``, ``operator``, or later a person.
        roles: What they are.
    """

    name: str
    roles: frozenset[str] = frozenset()


PUBLIC = Principal("public")
"""Anybody, without a name."""
OPERATOR = Principal("operator", frozenset({"operator"}))
"""Who runs Metroon on the city's own machine."""


@dataclass(frozen=True)
class Facts:
    """What is known of the thing asked for.

    Args:
        name: Product or measure.
        version: Its number; None when there is no published version.
        access: Who may have it.
        is_open: Whether the version lies in the open zone, so that the guard made it.
        fields: Columns of the published version.
    """

    name: str
    version: int | None
    access: Access
    is_open: bool
    fields: tuple[str, ...]


@dataclass(frozen=True)
class Decision:
    """What may be seen, and how.

    Args:
        allow: Whether anything may.
        fields: Which columns.
        row_filter: Which rows, as (column, values) pairs that must hold; empty for all.
        masks: (Column, mask).
        min_cell: Smallest group that may be shown; None without a limit of its own.
        min_width: Narrowest interval that may be shown; None without one.
        expires: When it ends; None when it does not.
        obligations: What must be done with it, such as ``cite``.
        policy_version: Which policy decided.
        reason: Why, in words.
    """

    allow: bool
    fields: tuple[str, ...] = ()
    row_filter: tuple[tuple[str, tuple[str, ...]], ...] = ()
    masks: tuple[tuple[str, str], ...] = ()
    min_cell: int | None = None
    min_width: float | None = None
    expires: datetime | None = None
    obligations: tuple[str, ...] = ()
    policy_version: str = POLICY
    reason: str = ""


def decide(
    principal: Principal,
    *,
    purpose: str,
    licence: str,
    product: Facts,
    fields: tuple[str, ...] | None,
    row_scope: str,
    surface: Surface,
    now: datetime,
) -> Decision:
    """Whether somebody may see some columns and rows of one version, on one surface.

    Args:
        principal: Who asks.
        purpose: What for; empty for the public.
        licence: The licence they come with; empty for the public.
        product: What is asked for.
        fields: Columns asked for; None for all that may be seen.
        row_scope: Rows asked for; empty for all.
        surface: Where it would leave.
        now: The time, for what expires.
    """
    if not product.is_open or product.version is None:
        return Decision(False, reason="nothing of it is published")
    wanted = product.fields if fields is None else tuple(f for f in fields if f in product.fields)
    return Decision(True, wanted, obligations=("cite",), reason="it is published for everybody")
