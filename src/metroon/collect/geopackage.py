"""GeoPackage: a layer of features in a SQLite file (OGC 12-128r19)."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import shapely
from shapely.errors import ShapelyError

from metroon.base.engine import quote_name
from metroon.base.node import did_you_mean
from metroon.collect.deliveries import Unreadable

if TYPE_CHECKING:
    from pathlib import Path

_LAYERS = """
-- Grain: one row per layer of features.
select c.table_name, g.column_name, s.organization, s.organization_coordsys_id
from gpkg_contents c
join gpkg_geometry_columns g using (table_name)
left join gpkg_spatial_ref_sys s on s.srs_id = g.srs_id
where c.data_type = 'features'
order by c.table_name
"""
_ENVELOPE = {0: 0, 1: 32, 2: 48, 3: 48, 4: 64}
"""The code in a shape's flags -> the bytes of its envelope (2.1.3)."""
_DAMAGED = {"type": "damaged"}
_AGAIN = "Ask the department to send it again."


def layer_features(file: Path, layer: str) -> tuple[list[tuple[dict[str, Any], Any]], str | None]:
    """The features of one layer: their attributes and shapes, and the system that the file says.

    Args:
        file: The file.
        layer: The layer's name; empty when it has one only.

    Raises:
        Unreadable: It is no whole GeoPackage, or nobody says which of its layers is meant.
    """
    try:
        # Immutable: nothing is written beside a delivery, not even a lock.
        with closing(sqlite3.connect(f"file:{quote(str(file))}?mode=ro&immutable=1", uri=True)) as database:
            if database.execute("pragma quick_check").fetchone() != ("ok",):
                raise Unreadable("the GeoPackage is damaged.", _AGAIN)
            table, column, system = _chosen(database.execute(_LAYERS).fetchall(), layer)
            cursor = database.execute(f"select * from {quote_name(table)}")  # noqa: S608  # quoted
            names = [d[0] for d in cursor.description]
            features = [_feature(dict(zip(names, row, strict=True)), column) for row in cursor]
    except (sqlite3.Error, UnicodeDecodeError):
        raise Unreadable("the file is no whole GeoPackage.", _AGAIN) from None
    return features, system


def _chosen(layers: list[tuple[str, str, str | None, int | None]], layer: str) -> tuple[str, str, str | None]:
    found = [entry for entry in layers if entry[0] == layer or (not layer and len(layers) == 1)]
    names = [name for name, *_ in layers]
    if not found and layer:
        raise Unreadable(f"the GeoPackage has no layer '{layer}'.", did_you_mean(layer, names))
    if not found:
        listed = ", ".join(f"'{name}'" for name in names[:12])
        why = f"the GeoPackage has {len(names)} layers of features, and nobody says which is meant."
        raise Unreadable(why, f"Write layer: NAME in product.yaml. There are: {listed}." if names else _AGAIN)
    table, column, organization, number = found[0]
    is_known = organization and number is not None and organization.upper() != "NONE"
    return table, column, f"{organization}:{number}" if is_known else None


def _feature(values: dict[str, Any], column: str) -> tuple[dict[str, Any], Any]:
    blob = values.pop(column, None)
    return values, None if blob is None else _shape(blob)


def _shape(blob: object) -> Any:
    if not isinstance(blob, bytes) or blob[:2] != b"GP" or len(blob) < 8:
        return _DAMAGED
    size = _ENVELOPE.get(blob[3] >> 1 & 7)
    try:
        return _DAMAGED if size is None else shapely.from_wkb(blob[8 + size :])
    except ShapelyError:
        return _DAMAGED
