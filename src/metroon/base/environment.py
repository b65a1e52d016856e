"""Variables of the environment that hold for as long as something lasts."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@contextmanager
def environment(values: Mapping[str, str]) -> Iterator[None]:
    """While this lasts, variables hold what is given; then what they held before.

    Example:
        >>> with environment({"METROON_EXAMPLE": "1"}):
        ...     os.environ["METROON_EXAMPLE"]
        '1'
        >>> "METROON_EXAMPLE" in os.environ
        False
    """
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
