"""How many examples of a property are tried: few where a change is made, many by ``make test-many``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Callable

IS_THOROUGH = "METROON_THOROUGH" in os.environ


def examples(few: int, *, many: int, **more: Any) -> Callable[[Any], Any]:
    """A property of which one example takes long, for it walks a town or solves a table.

    Args:
        few: Examples everywhere else.
        many: Examples of ``make test-many``.
        more: Other settings of Hypothesis.
    """
    chosen = settings(max_examples=many if IS_THOROUGH else few, **more)
    return lambda test: pytest.mark.many(chosen(test))
