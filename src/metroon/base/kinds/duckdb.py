"""``duckdb``: rows are counted in this process."""

from __future__ import annotations

from metroon.base.engine import Engine, EngineKind


class DuckDB(EngineKind):
    """Counts in this process, with nothing to install or start: the engine unless the city names another.

    Args:
        memory_limit: The most memory it may take before it writes to disk, such as ``4GB``; four fifths of the
            machine's unless given.
    """

    memory_limit: str | None = None

    def start(self) -> Engine:
        """A new engine in memory."""
        return Engine(memory_limit=self.memory_limit)
