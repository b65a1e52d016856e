"""``rest``: the portal's own API: datasets, their rows and versions, goals, neighborhoods and the plan."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlencode

from starlette.responses import Response
from starlette.routing import Route

from metroon import __version__
from metroon.permit import PUBLIC, NotThere
from metroon.serve import answer
from metroon.serve.accept import accepted
from metroon.serve.door import Door
from metroon.serve.encoders import enclosed, json_text, object_lines, stream
from metroon.serve.formats import MEDIA, Streamed, Wanted, cited, head_of, headers, is_known, respond
from metroon.serve.openapi import Operation, Parameter, Schema, document, nothing_else, read
from metroon.serve.query import PAGE_SECONDS, Query, cursor, place, total
from metroon.serve.row_parameters import COLUMN_FILTERS, FORMATS, ROW_PARAMETERS, column_parameters, query_of
from metroon.serve.trouble import PROBLEMS, TROUBLES, Answer, Trouble, not_there

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from metroon.base.catalog import Catalog, Dataset, Rows
    from metroon.base.scorecard import GoalPage, Score
    from metroon.serve.site import Portal, Site

BASE = "/api/v1"


class Rest(Door):
    """The portal's own API, in JSON, with rows in every format; described by OpenAPI 3.1.

    Args:
        page_rows: Rows of one page of JSON unless another limit is asked for.
        most_page_rows: The highest limit of one page of JSON; files have none.
    """

    title: ClassVar[str] = "REST API"
    standard: ClassVar[str] = "OpenAPI 3.1, with problem documents (RFC 9457)"
    start: ClassVar[str] = "/openapi.json"

    page_rows: int = 100
    most_page_rows: int = 10_000

    def routes(self, portal: Portal) -> Sequence[BaseRoute]:
        """Its routes."""

        def answering(tell: Callable[[_Asked], Response]) -> Answer:
            return Answer(lambda request, _: tell(_Asked(portal.site(), request, self)))

        return [
            Route("/openapi.json", answering(_Asked.described)),
            Route(BASE, answering(_Asked.begin)),
            Route(PROBLEMS, answering(_Asked.problems)),
            *(Route(BASE + o.path, answering(_answered(o))) for o in _operations()),
            Route(BASE + "/datasets/{name}/openapi.json", answering(_Asked.described_for)),
            Route(BASE + "/{rest:path}", answering(_Asked.nothing)),
        ]


@dataclass(frozen=True)
class _Asked:
    """One question, and what answers it, all from one catalog."""

    site: Site
    request: Request
    door: Rest

    @property
    def catalog(self) -> Catalog:
        return self.site.catalog

    @property
    def address(self) -> str:
        return answer.address(self.request, self.site)

    @property
    def name(self) -> str:
        return str(self.request.path_params["name"])

    @property
    def known(self) -> Dataset:
        found = self.catalog.datasets.get(self.name)
        if found is None:
            raise not_there()
        return found

    def told(self, value: object) -> Response:
        """A small answer as JSON, with a tag that changes with it."""
        body = json_text(value)
        head = {"ETag": _tag(body), "Cache-Control": "no-cache"}
        if is_known(head["ETag"], self.request.headers.get("if-none-match", "")):
            return Response(status_code=304, headers=head)
        return Response(body, headers=head, media_type=MEDIA["json"])

    # What describes the API

    def begin(self) -> Response:
        base = self.address + BASE
        links = {o.id: base + o.path for o in _operations()}
        return self.told({"title": self.catalog.city, "described_by": f"{self.address}/openapi.json", **links})

    def problems(self) -> Response:
        told = {slug: {"status": s, "title": title, "when": when} for slug, (s, title, when) in TROUBLES.items()}
        return self.told(told)

    def nothing(self) -> Response:
        raise Trouble("not-there", "There is nothing at this address.", f"Begin at {BASE}.")

    def described(self) -> Response:
        return self._document(_operations(self.catalog), f"{self.catalog.city}: open data", _ABOUT)

    def described_for(self) -> Response:
        """The document of one dataset: its columns are parameters, each with its type."""
        rows = self.site.gate.rows(PUBLIC, self.name, "rest")
        general = next(o for o in _operations() if o.id == "getRows")
        parameters = (*ROW_PARAMETERS, *column_parameters(rows))
        own = replace(general, path=f"/datasets/{self.name}/rows", parameters=parameters, more=None)
        return self._document([own], rows.dataset.title, rows.dataset.description)

    def _document(self, operations: Sequence[Operation], title: str, about: str) -> Response:
        server = self.address + BASE
        return self.told(document(operations, title=title, version=__version__, description=about, server=server))

    # What the catalog knows

    def datasets(self, given: Mapping[str, Any]) -> object:
        words = str(given.get("q", "")).casefold().split()
        found = [
            d
            for d in self.catalog.datasets.values()
            if all(w in f"{d.name} {d.title} {d.description} {' '.join(d.tags)}".casefold() for w in words)
            and given.get("shape") in (None, d.shape)
            and given.get("access") in (None, d.access)
            and given.get("topic") in (None, d.topic)
        ]
        listed = [{k: v for k, v in _dataset(d, self.address).items() if k in _SHORT} for d in found]
        return {"city": self.catalog.city, "as_of": self.catalog.as_of, "total": len(listed), "datasets": listed}

    def dataset(self, given: Mapping[str, Any]) -> object:
        return _dataset(self.known, self.address)

    def versions(self, given: Mapping[str, Any]) -> object:
        rows = f"{self.address}{BASE}/datasets/{self.known.name}/rows?version="
        versions = [{**asdict(e), "rows_url": f"{rows}{e.number}"} for e in self.known.editions]
        return {"dataset": self.known.name, "versions": versions}

    def goals(self, given: Mapping[str, Any]) -> object:
        return {"goals": [_goal(g) for g in self.catalog.goals]}

    def neighborhoods(self, given: Mapping[str, Any]) -> object:
        places = self.catalog.geographies.get(self.catalog.neighborhoods)
        if places is None:
            return {"neighborhoods": []}
        near = self.catalog.neighbors
        told = [
            {"id": k, "name": name, "residents": places.people.get(k), "neighbors": near.get(k, ())}
            for k, name in places.names.items()
        ]
        return {"title": places.label, "residents_source": places.people_source, "neighborhoods": told}

    def plan(self, given: Mapping[str, Any]) -> object:
        plan = self.catalog.plan
        if plan is None:
            raise Trouble("not-there", "The city has no plan here.", f"Look at {BASE}/goals for its goals.")
        return {**asdict(plan), "counts": plan.counts()}

    # Rows

    def estimates(self, given: Mapping[str, Any], others: Sequence[tuple[str, str]]) -> Response:
        if self.known.shape != "measure":
            raise not_there()
        return self.rows(given, others)

    def rows(self, given: Mapping[str, Any], others: Sequence[tuple[str, str]]) -> Response:
        ending = given.get("format") or accepted(self.request.headers.get("accept", ""), FORMATS)
        rows = self._opened(given)
        query = query_of(rows, given, others)
        asked = Wanted(self.catalog, self.address, self.request.url.path, {"raw": str(given.get("raw", ""))})
        if ending == "json":
            response = self._page(asked, rows, self._limited(query))
        else:
            known, is_head = self.request.headers.get("if-none-match", ""), self.request.method == "HEAD"
            response = respond(asked, rows, ending, query, is_head=is_head, if_none_match=known)
        response.headers.setdefault("Cache-Control", "no-cache")
        response.headers["Vary"] = "Accept"
        return response

    def _limited(self, query: Query) -> Query:
        most = self.door.most_page_rows
        if query.limit is not None and query.limit > most:
            fix = f"Ask for {most:,} or fewer and follow 'next', or fetch all with format=csv."
            raise Trouble("too-much", f"A page has at most {most:,} rows.", fix, "limit")
        return replace(query, limit=query.limit or self.door.page_rows)

    def _opened(self, given: Mapping[str, Any]) -> Rows:
        number = given.get("version")
        if "cursor" in given:
            at = place(given["cursor"]).version
            if number not in (None, at):
                fix = "Leave 'version' or 'cursor' out."
                raise Trouble("bad-cursor", "The cursor belongs to another version.", fix, "cursor")
            number = at
        dataset = self.known
        numbers = sorted(e.number for e in dataset.editions)
        if number is not None and dataset.has_rows and number not in (*numbers, *dataset.withdrawn):
            listed = f"Known: {', '.join(map(str, numbers))}."
            raise Trouble("no-version", "The dataset has no version of this number.", listed, "version")
        try:
            return self.site.gate.rows(PUBLIC, self.name, "rest", version=number)
        except NotThere:
            if number is None or not dataset.has_rows:
                raise
            fix = f"Look at {BASE}/datasets/{self.name}/versions for those that are there."
            raise Trouble("version-gone", "The rows of this version are gone.", fix, "version") from None

    def _page(self, asked: Wanted, rows: Rows, query: Query) -> Response:
        """A page of rows as JSON, with the way to the next."""
        head = {k: v for k, v in headers(asked, rows, "json", query).items() if k != "Content-Disposition"}
        head |= {"ETag": _tag(head["ETag"] + asked.address), "Cache-Control": "no-cache", "Content-Type": MEDIA["json"]}
        if is_known(head["ETag"], self.request.headers.get("if-none-match", "")):
            return Response(status_code=304, headers=head)
        if self.request.method == "HEAD":
            return head_of(head)
        found, limit = total(rows, query), query.limit or 0
        after = query.offset + limit
        turn = self._next(asked, cursor(rows, query, after)) if after < found else None
        if turn:
            head["Link"] = f'<{turn}>; rel="next", {head["Link"]}'
        told = {
            "dataset": rows.dataset.name,
            "version": rows.edition.number,
            "as_of": rows.edition.as_of,
            "licence": rows.dataset.licence.id or rows.dataset.licence.title or None,
            "citation": cited(asked.catalog, rows, asked.address),
            "total": found,
            "offset": query.offset,
            "returned": max(0, min(limit, found - query.offset)),
            "next": turn,
        }
        out = stream(rows, query, seconds=PAGE_SECONDS)
        lines = (object_lines(b, out.geometry) for b in out.batches)
        return Streamed(enclosed(f'{json_text(told)[:-1]}, "rows": ['.encode(), lines, b"]}\n"), out.close, head)

    def _next(self, asked: Wanted, to: str) -> str:
        left_out = ("cursor", "offset", "version")
        kept = [(k, v) for k, v in self.request.query_params.multi_items() if k not in left_out]
        return f"{asked.address}{asked.path}?{urlencode([*kept, ('cursor', to)])}"


def _answered(operation: Operation) -> Callable[[_Asked], Response]:
    """What answers at the address of an operation: it takes the parameters that it declares, and no others."""

    def answered(asked: _Asked) -> Response:
        given, others = read(operation.parameters, asked.request.query_params.multi_items())
        if operation.more is not None:
            response: Response = operation.answer(asked, given, others)
            return response
        nothing_else(operation.parameters, others)
        accepted(asked.request.headers.get("accept", ""), ("json",))
        return asked.told(operation.answer(asked, given))

    return answered


def _operations(catalog: Catalog | None = None) -> list[Operation]:
    """Every address with what it takes and gives; with the names that a catalog has, when there is one."""
    every = list(catalog.datasets.values()) if catalog else []
    name = _name_of("dataset", [d.name for d in every])
    with_rows = _name_of("dataset with rows", [d.name for d in every if d.has_rows])
    measure = _name_of("measure", [d.name for d in every if d.has_rows and d.shape == "measure"])
    return [
        Operation(
            "/datasets", "listDatasets", "All datasets, also those whose rows are not public.", _LIST_PARAMETERS,
            _json("total", "datasets"), _Asked.datasets,
        ),
        Operation(
            "/datasets/{name}", "getDataset", "What is known of one dataset.", (name,),
            _json("name", "title", "columns"), _Asked.dataset,
        ),
        Operation(
            "/datasets/{name}/versions", "listVersions", "The published versions of one dataset.", (name,),
            _json("dataset", "versions"), _Asked.versions,
        ),
        Operation(
            "/datasets/{name}/rows", "getRows", "Rows of one dataset: a page of them, or all as a file.",
            (with_rows, *ROW_PARAMETERS), _ROWS, _Asked.rows, COLUMN_FILTERS, _ROW_FAULTS,
        ),
        Operation(
            "/measures/{name}/estimates", "getEstimates", "Released estimates of one measure, with their intervals.",
            (measure, *ROW_PARAMETERS), _ROWS, _Asked.estimates, COLUMN_FILTERS, _ROW_FAULTS,
        ),
        Operation(
            "/goals", "listGoals", "The city's goals with their measures and newest numbers.", (),
            _json("goals"), _Asked.goals,
        ),
        Operation("/neighborhoods", "listNeighborhoods", "The city's neighborhoods.", (),
                  _json("neighborhoods"), _Asked.neighborhoods),
        Operation("/plan", "getPlan", "The city's strategy with its computed status.", (),
                  _json("title", "steps"), _Asked.plan),
    ]  # fmt: skip


_ABOUT = (
    "Datasets, measures with their uncertainty, goals and the plan of a city. Everything can be read without a key."
    " Rows are filtered by the names of their columns; each dataset has a document of its own with them at"
    " /datasets/{name}/openapi.json."
)
_LIST_PARAMETERS = (
    Parameter("q", "Words that must all stand in name, title, description or tags.", {"type": "string"}),
    Parameter("shape", "What it is.", {"enum": ["table", "measure", "listed"]}),
    Parameter("access", "Who may have its rows.", {"enum": ["public", "restricted public", "non-public"]}),
    Parameter("topic", "What it is about.", {"type": "string"}),
)
_ROWS_PAGE: Schema = {
    "type": "object",
    "required": ["dataset", "version", "as_of", "total", "offset", "returned", "next", "rows"],
    "properties": {
        "dataset": {"type": "string"},
        "version": {"type": "integer"},
        "as_of": {"type": "string", "format": "date"},
        "licence": {"type": ["string", "null"]},
        "citation": {"type": "string"},
        "total": {"type": "integer", "description": "Rows that the question finds, whatever the limit."},
        "offset": {"type": "integer"},
        "returned": {"type": "integer"},
        "next": {"type": ["string", "null"], "description": "The address of the next page."},
        "rows": {"type": "array", "items": {"type": "object"}},
    },
}
_ROWS: Mapping[str, Schema] = {MEDIA[f].partition(";")[0]: _ROWS_PAGE if f == "json" else {} for f in FORMATS}
_ROW_FAULTS = {"410": "The rows of this version are gone."}
_SHORT = {
    "name", "shape", "title", "description", "department", "topic", "tags", "access", "has_rows", "rows", "updated",
    "version", "licence", "links",
}  # fmt: skip


def _json(*required: str) -> Mapping[str, Schema]:
    return {MEDIA["json"]: {"type": "object", "required": list(required)}}


def _name_of(what: str, names: Sequence[str]) -> Parameter:
    return Parameter("name", f"The name of a {what}.", {"enum": list(names)} if names else {"type": "string"}, "path")


_APART = ("editions", "contract", "withdrawn")
"""What stands at addresses of its own, or nowhere."""


def _dataset(dataset: Dataset, address: str) -> dict[str, object]:
    """All that is known of a dataset; its versions have an address of their own, its contract is a file."""
    told: dict[str, object] = {k: v for k, v in asdict(dataset).items() if k not in _APART}
    api = f"{address}{BASE}/datasets/{dataset.name}"
    links = {"page": address + dataset.path, "self": api, "versions": f"{api}/versions"}
    if dataset.has_rows:
        has_shapes = bool(dataset.geometry or dataset.point)
        files = [f for f in FORMATS if f != "json" and (f != "geojson" or has_shapes)]
        links |= {"rows": f"{api}/rows", "openapi": f"{api}/openapi.json"}
        links |= {f: f"{api}/rows?format={f}" for f in files}
    return {**told, "version": dataset.version, "links": links}


def _goal(goal: GoalPage) -> dict[str, object]:
    told = {n: getattr(goal, n) for n in ("goal", "title", "outcome", "department", "owner", "warnings")}
    not_answered = [{"measure": m, "why": why} for m, why in goal.not_answered]
    return {**told, "not_answered": not_answered, "measures": [_newest(s) for s in goal.scores]}


def _newest(score: Score) -> dict[str, object]:
    names = ("measure", "title", "question", "unit", "direction", "is_share", "version")
    told = {n: getattr(score.measured, n) for n in names}
    city, number = score.city, None
    if city is not None:
        number = {
            "period": city.cell.period,
            **{n: getattr(city, n) for n in ("state", "value", "low", "high", "note")},
        }
    return {**told, "city": number, "target": score.target.status if score.target else None}


def _tag(text: str) -> str:
    return f'W/"{hashlib.sha256(text.encode()).hexdigest()[:24]}"'
