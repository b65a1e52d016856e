"""``ckan``: the read actions of CKAN's Action API, so that scripts and harvesters made for CKAN work unchanged."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import parse_qsl, urlencode

from starlette.responses import Response
from starlette.routing import Route

from metroon import __version__
from metroon.base.node import did_you_mean
from metroon.permit import PUBLIC, NotThere
from metroon.serve import answer
from metroon.serve.door import Door
from metroon.serve.encoders import enclosed, json_text, object_lines, stream, value_lines
from metroon.serve.formats import MEDIA, Streamed
from metroon.serve.package_search import counted, invalid, sorting, terms, test_of
from metroon.serve.packages import FILES, belongs, department, package, resources, slug, tag, topic
from metroon.serve.query import (
    MOST_OFFSET,
    PAGE_SECONDS,
    Condition,
    Query,
    columns,
    condition,
    order,
    total,
    types_of,
    whole,
    words_of,
)
from metroon.serve.trouble import Answer, Trouble

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from metroon.base.catalog import Catalog, Dataset, Rows
    from metroon.serve.query import TypeName
    from metroon.serve.site import Portal, Site

Given = Mapping[str, Any]
BASE = "/api/3/action"


class Ckan(Door):
    """The read actions of CKAN's Action API v3. SQL of others is not run.

    Args:
        most_rows: The highest limit of ``datastore_search``; it says so when it cuts, and where to go on.
        most_packages: The highest number of datasets that one ``package_search`` gives.
    """

    title: ClassVar[str] = "CKAN Action API"
    standard: ClassVar[str] = "CKAN Action API v3, as of CKAN 2.11, read only"
    start: ClassVar[str] = f"{BASE}/package_list"

    most_rows: int = 32_000
    most_packages: int = 1_000

    def routes(self, portal: Portal) -> Sequence[BaseRoute]:
        """Its routes."""

        def answered(request: Request, body: bytes) -> Response:
            return _Asked(portal.site(), request, self).answer(body)

        endpoint = Answer(answered, methods=("GET", "POST"), told=_failed)
        return [Route(f"{base}/{{action}}", endpoint) for base in (BASE, "/api/action")]


_STATUS = {400: 409, 405: 405, 406: 409, 410: 404}
_TYPES = {404: "Not Found Error", 403: "Authorization Error", 409: "Validation Error", 503: "Search Error"}


class _Refused(Trouble):
    """What CKAN answers with 403."""

    @property
    def status(self) -> int:
        return 403


def _failed(trouble: Trouble) -> Response:
    """A trouble as CKAN tells one: clients read its ``__type``."""
    status = _STATUS.get(trouble.status, trouble.status)
    told: dict[str, object] = {"__type": _TYPES.get(status, "Validation Error")}
    words = f"{trouble.detail} {trouble.fix}"
    if told["__type"] == "Validation Error" and trouble.parameter:
        told[trouble.parameter] = [words]
    told["message"] = words
    body = json_text({"help": "", "success": False, "error": told})
    return Response(body, status, media_type=MEDIA["json"], headers={"Cache-Control": "no-store"})


@dataclass(frozen=True)
class _Asked:
    """One call of an action, and what answers it, all from one catalog."""

    site: Site
    request: Request
    door: Ckan

    @property
    def catalog(self) -> Catalog:
        return self.site.catalog

    @property
    def address(self) -> str:
        return answer.address(self.request, self.site)

    def answer(self, body: bytes) -> Response:
        name = str(self.request.path_params["action"])
        if name == "datastore_search_sql":
            what = "This portal does not run SQL that others write."
            raise _Refused("wrong-value", what, "Use datastore_search with filters, fields and sort.")
        if name not in ACTIONS:
            raise Trouble("not-there", "Action name not known.", did_you_mean(name[:60], ACTIONS))
        action = ACTIONS[name]
        given = _given(self.request, body)
        for key in given:
            if key not in (*action.takes, *_EVERYWHERE):
                raise invalid("The input field was not expected.", did_you_mean(key[:60], action.takes), key[:60])
        result = action.tell(self, given)
        if isinstance(result, Response):
            return result
        told = {"help": self.help(name), "success": True, "result": result}
        return Response(json_text(told), media_type=MEDIA["json"])

    def help(self, name: str) -> str:
        return f"{self.address}{BASE}/help_show?name={name}"

    # The site

    def status_show(self, given: Given) -> object:
        contact = self.catalog.portal.contact
        return {
            "ckan_version": "2.11.0", "site_url": self.address, "site_title": self.catalog.city,
            "site_description": self.catalog.portal.about, "error_emails_to": contact or None, "locale_default": "en",
            "extensions": ["datastore"], "metroon_version": __version__,
        }  # fmt: skip

    def site_read(self, given: Given) -> object:
        return True

    def help_show(self, given: Given) -> object:
        name = _text(given, "name", needed=True)
        if name not in ACTIONS:
            raise Trouble("not-there", "Action name not known.", did_you_mean(name[:60], ACTIONS))
        takes = ", ".join(ACTIONS[name].takes) or "nothing"
        return f"{ACTIONS[name].words} It takes: {takes}."

    def license_list(self, given: Given) -> object:
        known = {d.licence.id or d.licence.title: d.licence for d in self.catalog.datasets.values()}
        return [
            {"id": k, "title": li.title or k, "url": li.url, "status": "active", "domain_data": True}
            for k, li in sorted(known.items()) if k
        ]  # fmt: skip

    # Packages

    def package_list(self, given: Given) -> object:
        names = sorted(self.catalog.datasets)
        start = _whole(given, "offset", 0, most=MOST_OFFSET)
        return names[start : start + _whole(given, "limit", len(names), most=MOST_OFFSET)]

    def current_package_list_with_resources(self, given: Given) -> object:
        start = _whole(given, "offset", 0, most=MOST_OFFSET)
        most = _whole(given, "limit", self.door.most_packages, most=self.door.most_packages)
        return [
            package(self.catalog.datasets[n], self.address) for n in sorted(self.catalog.datasets)[start : start + most]
        ]

    def package_show(self, given: Given) -> object:
        name = _text(given, "id") or _text(given, "name_or_id", needed=True)
        return package(self._dataset(name), self.address)

    def package_search(self, given: Given) -> object:
        found = [d for d in self.catalog.datasets.values() if all(t(d) for t in self._tests(given))]
        for key, is_turned in reversed(sorting(_text(given, "sort"))):
            found.sort(key=key, reverse=is_turned)
        start = _whole(given, "start", 0, most=MOST_OFFSET)
        most = min(_whole(given, "rows", 10, most=MOST_OFFSET), self.door.most_packages)
        is_all = _text(given, "facet.limit") == "-1"
        most_facets = None if is_all else _whole(given, "facet.limit", 50, most=MOST_OFFSET)
        facets = {f: counted(found, f, most_facets) for f in _list(given, "facet.field")}
        searched = {
            f: {"title": f, "items": [{"name": n, "display_name": n, "count": c} for n, c in counts.items()]}
            for f, counts in facets.items()
        }
        return {
            "count": len(found),
            "sort": _text(given, "sort"),
            "facets": facets,
            "results": [package(d, self.address) for d in found[start : start + most]],
            "search_facets": searched,
        }

    def _tests(self, given: Given) -> list[Callable[[Dataset], bool]]:
        """What a dataset must be: every word of ``q`` and every term of ``fq`` and ``fq_list``."""
        asked = [*terms(_text(given, "q"), "q")]
        for text in (_text(given, "fq"), *_list(given, "fq_list")):
            asked += terms(text, "fq")
        return [test_of(f, values, is_not=is_not) for f, values, is_not in asked]

    # What they belong to

    def organization_list(self, given: Given) -> object:
        return self._groups(given, department)

    def organization_show(self, given: Given) -> object:
        return self._group(given, department)

    def group_list(self, given: Given) -> object:
        return self._groups(given, topic)

    def group_show(self, given: Given) -> object:
        return self._group(given, topic)

    def tag_list(self, given: Given) -> object:
        tags = sorted({t for d in self.catalog.datasets.values() for t in d.tags})
        looked = (_text(given, "query")).casefold()
        found = [t for t in tags if looked in t.casefold()]
        return [tag(t) for t in found] if _truth(given, "all_fields") else found

    def _groups(self, given: Given, of: Callable[[Dataset], str]) -> object:
        told = Counter(of(d) for d in self.catalog.datasets.values() if of(d))
        names = sorted(told, key=slug)
        start = _whole(given, "offset", 0, most=MOST_OFFSET)
        names = names[start : start + _whole(given, "limit", len(names), most=MOST_OFFSET)]
        if not _truth(given, "all_fields"):
            return [slug(n) for n in names]
        return [{**belongs(n, of), "package_count": told[n]} for n in names]

    def _group(self, given: Given, of: Callable[[Dataset], str]) -> object:
        wanted = _text(given, "id", needed=True)
        name = next((of(d) for d in self.catalog.datasets.values() if of(d) and wanted in (of(d), slug(of(d)))), "")
        if not name:
            raise _none()
        own = [d for d in self.catalog.datasets.values() if of(d) == name]
        told = {**belongs(name, of), "package_count": len(own), "users": [], "extras": []}
        has_packages = "include_datasets" in given and _truth(given, "include_datasets")
        return {**told, "packages": [package(d, self.address) for d in own]} if has_packages else told

    # Resources and rows

    def resource_show(self, given: Given) -> object:
        dataset, ending = self._resource_of(_text(given, "id", needed=True))
        found = next((r for r in resources(dataset, self.address) if r["id"] == f"{dataset.name}.{ending}"), None)
        if found is None:
            raise _none()
        return found

    def datastore_search(self, given: Given) -> object:
        name = _text(given, "resource_id") or _text(given, "id", needed=True)
        number = _whole(given, "version", 0, most=MOST_OFFSET) or None
        rows = self._rows(name, number)
        asked = _whole(given, "limit", 100, most=MOST_OFFSET)
        limit = min(asked, self.door.most_rows)
        query = _query(rows, given, limit)
        found = total(rows, query) if _truth(given, "include_total", usual=True) or limit < asked else None
        form = _text(given, "records_format") or "objects"
        if form not in ("objects", "lists"):
            fix = "Use objects or lists; for a file fetch the resource's url."
            raise invalid("This format of records is not offered.", fix, "records_format")
        told: dict[str, object] = {
            "resource_id": name,
            "fields": _fields(rows, query),
            "records_format": form,
            "limit": limit,
            "offset": query.offset,
            "_links": self._links(given, rows, query, limit),
        }
        if found is not None:
            told |= {"total": found, "total_was_estimated": False}
        if limit < asked:
            told["records_truncated"] = found is not None and query.offset + limit < found
        out = stream(rows, query, seconds=PAGE_SECONDS)
        made = object_lines if form == "objects" else value_lines
        lines = (made(b, out.geometry) for b in out.batches)
        begin = json_text({"help": self.help("datastore_search"), "success": True})[:-1]
        head = f'{begin}, "result": {json_text(told)[:-1]}, "records": ['.encode()
        return Streamed(enclosed(head, lines, b"]}}\n"), out.close, {"Content-Type": MEDIA["json"]})

    def datastore_info(self, given: Given) -> object:
        rows = self._rows(_text(given, "id") or _text(given, "resource_id", needed=True), None)
        return {"meta": {"id": rows.dataset.name, "count": rows.total}, "fields": _fields(rows, Query())}

    def _links(self, given: Given, rows: Rows, query: Query, limit: int) -> Mapping[str, str]:
        """Where to begin and where to go on: in the same version, so that no row is lost between pages."""
        kept = {k: v if isinstance(v, str) else json.dumps(v) for k, v in given.items() if k != "offset"}
        kept |= {"limit": str(limit), "version": str(rows.edition.number)}
        start = f"{BASE}/datastore_search?{urlencode(kept)}"
        return {
            "start": start,
            "next": f"{BASE}/datastore_search?{urlencode({**kept, 'offset': query.offset + limit})}",
        }

    def _rows(self, resource: str, number: int | None) -> Rows:
        dataset, _ = self._resource_of(resource)
        try:
            return self.site.gate.rows(PUBLIC, dataset.name, "ckan", version=number)
        except NotThere:
            raise _none() from None

    def _resource_of(self, wanted: str) -> tuple[Dataset, str]:
        """The dataset and the ending of a resource id; the dataset's own name is the id of its rows."""
        name, _, ending = wanted.partition(".")
        return self._dataset(name), ending or FILES[0]

    def _dataset(self, wanted: str) -> Dataset:
        found = self.catalog.datasets.get(wanted)
        if found is None:
            raise _none()
        return found


def _none() -> Trouble:
    return Trouble("not-there", "Not found.", "Look at package_list and package_show for what there is.")


# What is asked


def _given(request: Request, body: bytes) -> dict[str, Any]:
    given: dict[str, Any] = dict(request.query_params.multi_items())
    if not body.strip():
        return given
    try:
        text = body.decode()
        more = json.loads(text) if text.lstrip()[:1] in "{[" else dict(parse_qsl(text, keep_blank_values=True))
        # JSON can hold half a character, which no answer and no address could hold.
        json.dumps(more, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise invalid("The body is no JSON.", "Send a JSON object.", "body") from None
    if not isinstance(more, dict):
        raise invalid("The body is no JSON object.", "Send a JSON object.", "body")
    return {**given, **more}


def _text(given: Given, name: str, *, needed: bool = False) -> str:
    found = given.get(name)
    if found is None or found == "":
        if needed:
            raise invalid("Missing value.", f"Give '{name}'.", name)
        return ""
    if not isinstance(found, str | int | float) or len(str(found)) > 1000:
        raise invalid("Must be a text of at most 1,000 letters.", "Write a text.", name)
    return str(found)


def _whole(given: Given, name: str, usual: int, *, most: int) -> int:
    text = _text(given, name)
    return whole(text, parameter=name, least=0, most=most) if text else usual


def _truth(given: Given, name: str, *, usual: bool = False) -> bool:
    found = str(given.get(name, usual)).casefold()
    return found in ("true", "1", "yes", "on", "t", "y")


def _list(given: Given, name: str) -> list[str]:
    """A list as JSON has it, as JSON in a text, or separated by commas."""
    found = _parsed(given.get(name), name) if str(given.get(name, "")).lstrip()[:1] in '["' else given.get(name)
    if isinstance(found, str):
        found = found.split(",")
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(f, str) for f in found) or len(found) > 200:
        raise invalid("Must be a list of texts.", 'Write ["a", "b"].', name)
    return [f.strip() for f in found if f.strip()]


def _parsed(value: object, name: str) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        raise invalid("Cannot be read as JSON.", "Write JSON.", name) from None


def _query(rows: Rows, given: Given, limit: int) -> Query:
    filters = _parsed(given.get("filters") or {}, "filters")
    if not isinstance(filters, dict):
        raise invalid("Must be an object of columns and values.", 'Write {"column": "value"}.', "filters")
    text = given.get("q") or ""
    by_column = _parsed(text, "q") if isinstance(text, dict) or str(text).lstrip()[:1] == "{" else {}
    where = [_filter(rows, str(name), value) for name, value in filters.items()]
    where += [condition(rows, str(n), "contains", [v], parameter="q") for n, v in by_column.items()]
    return Query(
        select=columns(rows, _list(given, "fields"), parameter="fields"),
        where=tuple(where),
        order=order(rows, _sort(_text(given, "sort")), parameter="sort"),
        limit=limit,
        offset=_whole(given, "offset", 0, most=MOST_OFFSET),
        words=() if by_column else words_of(_text(given, "q"), parameter="q"),
    )


def _filter(rows: Rows, name: str, value: object) -> Condition:
    if value is None:
        return condition(rows, name, "is_null", [True], parameter="filters")
    if isinstance(value, list):
        return condition(rows, name, "in", value, parameter="filters")
    return condition(rows, name, "eq", [value], parameter="filters")


def _sort(text: str) -> Iterable[tuple[str, bool]]:
    """``a desc, b`` as pairs; ``_id`` is the order that rows have anyway."""
    for part in text.split(","):
        words = part.replace('"', " ").split()
        if not words or words in (["_id"], ["_id", "asc"]):
            continue
        way = words[1].casefold() if len(words) > 1 else "asc"
        rest = [w.casefold() for w in words[2:]]
        if way not in ("asc", "desc") or rest not in ([], ["nulls", "last"]):
            raise invalid(
                "The order cannot be read.", "Write: column asc, or column desc; rows without come last.", "sort"
            )
        yield words[0], way == "desc"


_CKAN_TYPES: Mapping[TypeName, str] = {
    "string": "text", "integer": "int", "number": "numeric", "boolean": "bool", "date": "date",
    "timestamp": "timestamp", "object": "json",
}  # fmt: skip


def _fields(rows: Rows, query: Query) -> list[dict[str, object]]:
    kinds, told = types_of(rows), {c.name: c for c in rows.columns}
    return [
        {"id": n, "type": _CKAN_TYPES[kinds[n]], "info": {"label": told[n].title, "notes": told[n].description}}
        for n in query.select or told
    ]


@dataclass(frozen=True)
class _Action:
    """One action: what answers it, what it takes, and what it is for."""

    tell: Callable[[_Asked, Given], object]
    takes: tuple[str, ...]
    words: str


_EVERYWHERE = ("callback", "include_private", "use_default_schema", "include_tracking", "language")
"""What clients send along, and what changes nothing here."""
_PAGED = ("limit", "offset")
_OF_GROUPS = (
    "sort", "order_by", "all_fields", "type", "include_dataset_count", "include_extras", "include_tags",
    "include_groups", "include_users", *_PAGED,
)  # fmt: skip
_OF_GROUP = (
    "id", "include_datasets", "include_dataset_count", "include_extras", "include_users", "include_groups",
    "include_tags", "include_followers",
)  # fmt: skip
_OF_ROWS = (
    "resource_id", "id", "filters", "q", "fields", "sort", "include_total", "records_format", "plain", "version",
    *_PAGED,
)  # fmt: skip
ACTIONS: Mapping[str, _Action] = {
    "status_show": _Action(_Asked.status_show, (), "What this site is."),
    "site_read": _Action(_Asked.site_read, (), "Whether it can be read."),
    "help_show": _Action(_Asked.help_show, ("name",), "What an action is for."),
    "license_list": _Action(_Asked.license_list, (), "Licences in use."),
    "package_list": _Action(_Asked.package_list, _PAGED, "Names of all datasets."),
    "current_package_list_with_resources": _Action(
        _Asked.current_package_list_with_resources, _PAGED, "All datasets with their resources."
    ),
    "package_show": _Action(_Asked.package_show, ("id", "name_or_id"), "One dataset."),
    "package_search": _Action(
        _Asked.package_search,
        ("q", "fq", "fq_list", "rows", "start", "sort", "facet", "facet.field", "facet.limit", "facet.mincount"),
        "Datasets that fit a search.",
    ),
    "organization_list": _Action(_Asked.organization_list, _OF_GROUPS, "Departments."),
    "organization_show": _Action(_Asked.organization_show, _OF_GROUP, "One department."),
    "group_list": _Action(_Asked.group_list, _OF_GROUPS, "Topics."),
    "group_show": _Action(_Asked.group_show, _OF_GROUP, "One topic."),
    "tag_list": _Action(_Asked.tag_list, ("query", "all_fields", "vocabulary_id"), "Tags."),
    "resource_show": _Action(_Asked.resource_show, ("id",), "One file of a dataset."),
    "datastore_search": _Action(_Asked.datastore_search, _OF_ROWS, "Rows of a dataset."),
    "datastore_info": _Action(_Asked.datastore_info, ("id", "resource_id"), "Columns of a dataset."),
}
"""Every action that is offered."""
