"""``kind: schema_org``: what search engines read of a dataset or a measure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from starlette.routing import Route

from metroon.permit import NotThere
from metroon.serve.answer import address
from metroon.serve.documents import as_json, document, words_of
from metroon.serve.door import Door
from metroon.serve.structured import dataset_jsonld
from metroon.serve.trouble import Answer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from metroon.base.catalog import Catalog
    from metroon.serve.site import Portal

__all__ = ["SchemaOrg", "dataset_jsonld"]


class SchemaOrg(Door):
    """Every dataset and measure in the words of schema.org, as its page has them in its head."""

    title: ClassVar[str] = "schema.org"
    standard: ClassVar[str] = "schema.org Dataset, DataCatalog and DataDownload, as JSON-LD"
    start: ClassVar[str] = "/datasets/{name}.jsonld"

    def routes(self, portal: Portal) -> Sequence[Route]:
        """One document for each dataset and each measure."""

        def told(is_measure: bool) -> Answer:
            def answer(request: Request, body: bytes) -> Response:
                site, name = portal.site(), request.path_params["name"]
                dataset: Any = site.catalog.datasets.get(name)
                if dataset is None or (dataset.shape == "measure") != is_measure:
                    raise NotThere(name)
                words = words_of(request, site)
                made = dataset_jsonld(dataset, site.catalog, address(request, site), words=words)
                return document(request, as_json(made), media="application/ld+json", modified=site.changed)

            return Answer(answer)

        return [Route("/datasets/{name}.jsonld", told(False)), Route("/measures/{name}.jsonld", told(True))]

    def paths(self, catalog: Catalog) -> Iterable[str]:
        """One document for each dataset and each measure."""
        return [f"{d.path}.jsonld" for d in catalog.datasets.values()]
