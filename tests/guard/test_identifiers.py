"""Identifiers in columns that were declared public: nothing of the product leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from metroon.base.node import Node
from metroon.city.contract import contract
from metroon.guard import identifying
from metroon.guard.kinds.drop import Drop

if TYPE_CHECKING:
    from metroon.base.engine import Engine
    from metroon.city.contract import Contract

ROWS = 60


def promised(**column: Any) -> Contract:
    node = {
        "apiVersion": "v3.2.0", "kind": "DataContract", "id": "notes", "name": "notes", "version": "1",
        "status": "active",
        "schema": [{"name": "notes", "properties": [
            {"name": "note", "logicalType": "string", "classification": "public", **column},
        ]}],
        "customProperties": [
            {"property": "privacyUnit", "value": "none", "vendor": "metroon"},
            {"property": "privacyReason", "value": "things", "vendor": "metroon"},
        ],
    }  # fmt: skip
    return contract(Node(node, "contract.yaml"), "notes")


def found(engine: Engine, values: list[str], promise: Contract, techniques: tuple[Drop, ...] = ()) -> list[Any]:
    return list(identifying(engine, engine.table(pa.table({"note": values})), promise, techniques))


VALUES = {
    "e-mail addresses": [f"who{n}@example.org" for n in range(ROWS)],
    "telephone numbers": [f"(408) 555-{n:04d}" for n in range(ROWS)],
    "social security numbers": [f"{n + 100}-45-67{n:02d}" for n in range(ROWS)],
}


@pytest.mark.parametrize("words", VALUES)
def test_a_public_column_of_identifiers_stops_the_rows_and_the_message_tells_no_value(
    engine: Engine, words: str
) -> None:
    told = found(engine, VALUES[words], promised())

    assert [("G170", True)] == [(p.code, words in p.what) for p in told]
    assert not any(v in f"{told[0].what} {told[0].fix}" for v in VALUES[words])


@pytest.mark.parametrize(
    "values",
    [
        [f"lamp {n}" for n in range(ROWS)],
        [f"{400_000_000_000_0000 + n * 7_919_317}" for n in range(ROWS)],  # asset tags: one in ten passes by chance
        [f"who{n}@example.org" if n % 2 else "none" for n in range(ROWS)],  # a mixture is for a person to judge
    ],
)
def test_lookalikes_and_mixtures_do_not(engine: Engine, values: list[str]) -> None:
    assert [] == found(engine, values, promised())


def test_who_declassified_a_column_by_name_is_believed(engine: Engine) -> None:
    lowered = {"property": "declassified", "value": {"by": "Ana", "reason": "a department's own"}, "vendor": "metroon"}

    assert [] == found(engine, VALUES["e-mail addresses"], promised(customProperties=[lowered]))


def test_a_column_that_a_technique_changes_is_not_looked_at(engine: Engine) -> None:
    assert [] == found(engine, VALUES["e-mail addresses"], promised(), (Drop(column="note"),))


def test_an_empty_column_holds_nobody(engine: Engine) -> None:
    rows = engine.table(pa.table({"note": pa.array([None, None], pa.string())}))

    assert [] == list(identifying(engine, rows, promised(), ()))
