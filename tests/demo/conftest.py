from collections.abc import Callable
from pathlib import Path

import arroyo
import pytest

from metroon.demo import build


@pytest.fixture(scope="session")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("arroyo_vista"))


@pytest.fixture(scope="session")
def raw(city: Path) -> Callable[[str], list[arroyo.Row]]:
    kept: dict[str, list[arroyo.Row]] = {}

    def read(product: str) -> list[arroyo.Row]:
        if product not in kept:
            kept[product] = arroyo.rows(city, product)
        return kept[product]

    return read


@pytest.fixture(scope="session")
def records(raw: Callable[[str], list[arroyo.Row]]) -> Callable[[str], list[arroyo.Row]]:
    kept: dict[str, list[arroyo.Row]] = {}

    def read(product: str) -> list[arroyo.Row]:
        if product not in kept:
            kept[product] = arroyo.different(raw(product))
        return kept[product]

    return read
