"""One decision function for every surface. It reads nothing and knows no clock: what it needs is handed to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import datetime

    from metroon.base.catalog import Access

POLICY = "1"
"""Which policy decides; changes with every change of the rules below."""
Surface = Literal["page", "file", "rest", "ckan", "ogc", "dcat", "feed", "search", "terminal", "plugin"]
"""Where what was asked for would leave."""


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
    """What is known of one version that is asked for.

    Args:
        name: Product or measure.
        version: Its number; None when there is no published version.
        access: Who may have it.
        is_open: Whether it lies in the open zone, so that the guard made it.
        fields: Columns of it that are declared published.
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

    The public sees what the guard made of datasets whose access level is public; the operator sees all that the guard
    made. Whoever comes with a licence or a narrower scope of rows is refused: neither is kept yet,
    and a rule that nobody keeps must not widen what is seen.

    Args:
        principal: Who asks.
        purpose: What for; empty for the public.
        licence: The agreement they come with; empty for the public.
        product: What is asked for.
        fields: Columns asked for; None for all that may be seen.
        row_scope: Rows asked for; empty for all.
        surface: Where it would leave.
        now: The time, for what expires.

    Example:
        >>> from datetime import UTC, datetime
        >>> lights = Facts("street_lights", 3, "public", True, ("lamp", "watts"))
        >>> asked = dict(purpose="", licence="", row_scope="", surface="rest", now=datetime(2026, 7, 1, tzinfo=UTC))
        >>> decide(PUBLIC, product=lights, fields=("watts", "owner"), **asked).fields
        ('watts',)
        >>> closed = Facts("street_lights", 3, "non-public", True, ("lamp", "watts"))
        >>> decide(PUBLIC, product=closed, fields=None, **asked).allow
        False
    """
    if principal not in (PUBLIC, OPERATOR):
        return Decision(False, reason="nobody of that name is known")
    if licence or row_scope:
        return Decision(False, reason="agreements and scopes of rows are not kept yet")
    if not product.is_open or product.version is None:
        return Decision(False, reason="nothing of it is published")
    if principal == PUBLIC and product.access != "public":
        return Decision(False, reason="the city does not give it to everybody")
    seen = product.fields if fields is None else tuple(f for f in product.fields if f in fields)
    if not seen:
        return Decision(False, reason="none of these columns is published")
    return Decision(True, seen, obligations=("cite",), reason="it is published")
