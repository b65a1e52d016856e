"""``kind: arcgis``."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

from pydantic import Field, field_validator

from metroon.collect.esri import geojson
from metroon.collect.web import ApiSource, Found, Page, check_columns, settle, snapshot, web_address

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from metroon.collect.client import Answer, Client
    from metroon.collect.landing import Landing

_WGS84 = 4326
_DATE, _ID = "esriFieldTypeDate", "esriFieldTypeOID"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SIGN_IN = {498, 499}


class Arcgis(ApiSource):
    """A layer or table of an ArcGIS server: FeatureServer or MapServer.

    Features are asked for in the order of their object id, as many at a time as the layer gives, or by ranges of ids
    where it has no pages; their number is compared with what the server counts before and after.
    ``geometry`` is the shape in longitude and latitude (WGS 84); a point gives ``geometry.longitude`` and
    ``geometry.latitude`` too. Dates, which the server tells in milliseconds, become times in UTC.

    Source:
        ArcGIS REST API, query (feature service/layer):
        https://developers.arcgis.com/rest/services-reference/enterprise/query-feature-service-layer/
    """

    url: str = Field(examples=["https://gis.example.org/arcgis/rest/services/Permits/FeatureServer/0"])
    """The layer's address, which ends with its number: .../FeatureServer/0."""
    where: str = Field("1=1", min_length=1)
    """Which features, as a condition in SQL; all unless given."""
    page_rows: int = Field(2_000, ge=1, le=32_000)
    """Features of one page, at most; fewer where the layer gives fewer."""

    @field_validator("url")
    @classmethod
    def _address(cls, given: str) -> str:
        address = web_address(given).partition("?")[0].rstrip("/")
        if not address.rpartition("/")[2].isdecimal():
            raise ValueError("it is a service and no layer. Fix: Add the layer's number: .../FeatureServer/0")
        return address

    def found(self, page: Any, told: Mapping[str, str]) -> Found:
        """The features of one page as flat records."""
        dates = [name for name, kind in told.items() if kind == _DATE]
        return Found([_flat(feature, dates) for feature in page["features"]], tuple(told))

    def fetch(self, landing: Landing) -> None:
        """Fetch every feature.

        Raises:
            Refused: The pages do not add up, or cannot be had; what was landed before stays.
        """
        with self.client(landing, "X-Esri-Authorization", "Bearer {}") as client:
            layer = _Layer(self, client)
            before, edited = landing.manifest(), layer.edited
            state = {"of": f"{self.url}?{self.where}", "edited": edited, "columns": json.dumps(layer.columns)}
            if (
                edited
                and landing.is_whole()
                and before.files
                and before.state == {**state, "count": str(layer.count())}
            ):
                settle(landing, list(before.files), before.state)
                return
            pages = snapshot(landing, client, self.url, layer.pages, layer.count)
            records = pages[0].records if pages else 0
            settle(landing, pages, {**state, "count": str(records)})


class _Layer:
    """What a layer says of itself, and its features."""

    def __init__(self, source: Arcgis, client: Client) -> None:
        self._source = source
        self._client = client
        _, told = self._asked(source.url, {})
        fields = told.get("fields")
        if not isinstance(fields, list) or not fields:
            raise self._refused("D140", "has no fields: it is no layer that can be read.")
        named = {str(f["name"]): str(f.get("type", "")) for f in fields if isinstance(f, dict) and "name" in f}
        kinds = [name for name, kind in named.items() if kind == _ID]
        self._id = str(told.get("objectIdField") or next(iter(kinds), "")) or self._told_id()
        # The shape itself is no field of a row.
        self.columns = {n: k for n, k in named.items() if k != "esriFieldTypeGeometry"}
        self._has_shape = bool(told.get("geometryType"))
        if self._has_shape:
            self.columns["geometry"] = "esriFieldTypeGeometry"
        most = told.get("maxRecordCount")
        self._rows = min(source.page_rows, most) if isinstance(most, int) and most > 0 else source.page_rows
        able = _below(told, "advancedQueryCapabilities")
        self._has_pages = bool(able.get("supportsPagination", False)) and bool(able.get("supportsOrderBy", True))
        info = _below(told, "editingInfo")
        self.edited = str(info.get("dataLastEditDate") or info.get("lastEditDate") or "")

    def count(self) -> int:
        """How many features the server counts; where it answers with features, how many ids it has."""
        _, told = self._query({"returnCountOnly": "true"})
        given = told.get("count")
        return given if isinstance(given, int) and "features" not in told else len(self._ids())

    def pages(self) -> Iterator[Page]:
        """The pages, in the order of the object ids."""
        queries = self._by_offset() if self._has_pages else self._by_ids()
        for query in queries:
            answer, told = self._query({**self._shape, "outFields": "*", **query})
            features = told.get("features")
            if not isinstance(features, list) or not all(isinstance(f, dict) for f in features):
                raise self._refused("D135", "answers with something else where features were asked for.")
            self._check(told, features)
            if features or query.get("resultOffset") == "0":
                yield Page(answer, [f["attributes"][self._id] for f in features])
            if isinstance(queries, _Offsets):
                # exceededTransferLimit is missing on many last pages, and on some others: only an empty page ends.
                queries.after(len(features))

    def _by_offset(self) -> _Offsets:
        return _Offsets(self._id, self._rows)

    def _by_ids(self) -> Iterator[dict[str, str]]:
        ids = self._ids()
        for start in range(0, len(ids), self._rows):
            part = ids[start : start + self._rows]
            between = f"{self._id} >= {part[0]} AND {self._id} <= {part[-1]}"
            yield {"where": f"({self._source.where}) AND {between}", "orderByFields": f"{self._id} ASC"}
        if not ids:
            yield {"resultOffset": "0"}

    def _ids(self) -> list[int]:
        _, told = self._query({"returnIdsOnly": "true"})
        given = told.get("objectIds")
        if given is None and told.get("objectIdFieldName"):
            return []  # how some servers tell of none
        if not isinstance(given, list) or not all(map(_is_whole, given)):
            raise self._refused("D140", "tells neither how many features there are nor their ids.")
        return sorted(int(i) for i in given)

    def _told_id(self) -> str:
        _, told = self._query({"returnIdsOnly": "true"})
        if name := told.get("objectIdFieldName"):
            return str(name)
        raise self._refused("D140", "has no object id: nobody can tell whether all its features came.")

    @property
    def _shape(self) -> dict[str, str]:
        return {"returnGeometry": "true", "outSR": str(_WGS84)} if self._has_shape else {"returnGeometry": "false"}

    def _check(self, told: Mapping[str, Any], features: list[dict[str, Any]]) -> None:
        system = _below(told, "spatialReference")
        if features and self._has_shape and _WGS84 not in (system.get("wkid"), system.get("latestWkid")):
            raise self._refused("D139", "sends coordinates of another system than it was asked for.")
        attributes = [f.get("attributes") for f in features]
        if not all(isinstance(a, dict) and self._id in a for a in attributes):
            raise self._refused("D139", f"sends features without {self._id}.")
        names = dict.fromkeys(n for a in attributes if isinstance(a, dict) for n in a)
        check_columns(self._client, self._source.url, self.columns, names)

    def _query(self, more: Mapping[str, str]) -> tuple[Answer, dict[str, Any]]:
        return self._asked(f"{self._source.url}/query", {"where": self._source.where, **more})

    def _asked(self, address: str, query: Mapping[str, str]) -> tuple[Answer, dict[str, Any]]:
        answer, told = self._client.json(address, {"f": "json", **query})
        fault = told.get("error") if isinstance(told, dict) else {}
        if isinstance(told, dict) and fault is None:
            return answer, told
        code = fault.get("code") if isinstance(fault, dict) else None
        number = f" {code}" if isinstance(code, int) else ""
        if code in _SIGN_IN or code == 403:
            fix = "Write token_from: with the name of an environment variable that holds a token of the server."
            raise self._client.refused("D134", address, f"lets only those in who have a token{number}.", fix)
        raise self._refused("D135", f"answers with error{number} where data were asked for.")

    def _refused(self, code: str, why: str) -> Exception:
        fix = "Check url: and where: in product.yaml by opening the address in a browser; ask who runs the server."
        return self._client.refused(code, self._source.url, why, fix)


class _Offsets:
    """Queries by offset, until a page is empty."""

    def __init__(self, name: str, rows: int) -> None:
        self._name = name
        self._rows = rows
        self._next = 0
        self._is_done = False

    def __iter__(self) -> Iterator[dict[str, str]]:
        for _ in count():
            if self._is_done:
                return
            told = {"resultOffset": str(self._next), "resultRecordCount": str(self._rows)}
            yield {**told, "orderByFields": f"{self._name} ASC"}

    def after(self, features: int) -> None:
        """Go on behind the features of the last page."""
        self._is_done = not features
        self._next += features


def _is_whole(number: object) -> bool:
    return isinstance(number, int) or (isinstance(number, float) and number.is_integer())


def _below(told: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    given = told.get(name)
    return given if isinstance(given, dict) else {}


def _flat(feature: Any, dates: list[str]) -> object:
    if not isinstance(feature, dict) or not isinstance(feature.get("attributes"), dict):
        return feature
    record = dict(feature["attributes"])
    for name in dates:
        record[name] = _time(record.get(name))
    if shape := _shape(feature.get("geometry")):
        record["geometry"] = shape
    return record


def _shape(given: object) -> dict[str, object] | None:
    try:
        return geojson(given)
    except (ValueError, TypeError, KeyError, IndexError):
        return {"type": "Polygon", "coordinates": []}  # one shape that is none sets its row aside, not the page


def _time(milliseconds: object) -> object:
    try:
        moment = _EPOCH + timedelta(milliseconds=int(str(milliseconds)))
    except (ValueError, OverflowError):
        return milliseconds
    return moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds").replace("+00:00", "Z")
