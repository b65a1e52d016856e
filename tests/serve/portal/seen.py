"""What real clients were seen doing: every test that lets one read a door says so here."""

from __future__ import annotations

SEEN: set[tuple[str, str, str]] = set()
"""(Door, client with its version, what it did)."""


def seen(door: str, client: str, call: str) -> None:
    """A client did something at a door, and got the right thing."""
    SEEN.add((door, client, call))
