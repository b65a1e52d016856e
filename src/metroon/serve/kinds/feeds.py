"""``kind: feeds``: what is new, for feed readers and programs: in the city, of a dataset, a measure, a neighborhood."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, time
from heapq import nlargest
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import quote

from starlette.routing import Route

from metroon.base.estimate import ALL
from metroon.permit import NotThere
from metroon.serve.answer import address
from metroon.serve.documents import as_json, document, words_of
from metroon.serve.door import Door
from metroon.serve.figures import Figures, period_words
from metroon.serve.lately import kind_words, state_words
from metroon.serve.numbers import numbers
from metroon.serve.permanent import permanent_id
from metroon.serve.standing import absence
from metroon.serve.syndication import Entry, Feed, atom, json_feed
from metroon.serve.trouble import Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from metroon.base.catalog import Catalog, Dataset, Edition
    from metroon.base.estimate import Estimate
    from metroon.base.scorecard import Changed
    from metroon.serve.numbers import Numbers
    from metroon.serve.site import Portal, Site
    from metroon.serve.words import Words


class Feeds(Door):
    """Atom and JSON Feed of what is new: an entry for each version, with what is different, and for each real change.

    ``/feeds/city``, ``/feeds/datasets/NAME``, ``/feeds/measures/NAME`` and ``/feeds/neighborhoods/PLACE``, each with
    ``.atom`` or ``.json`` behind it, and ``?lang=`` for another language. Ids never change, and times are those of
    releases: nothing is new twice.

    Args:
        most: Entries in one feed.
    """

    title: ClassVar[str] = "Feeds"
    standard: ClassVar[str] = "Atom (RFC 4287) and JSON Feed 1.1"
    start: ClassVar[str] = "/feeds/city.atom"
    most: int = 100

    def routes(self, portal: Portal) -> Sequence[Route]:
        """Each feed in both formats."""
        made = {
            "/feeds/city": self._city,
            "/feeds/datasets/{name}": self._table,
            "/feeds/measures/{name}": self._measure,
            "/feeds/neighborhoods/{name}": self._neighborhood,
        }
        return [
            Route(f"{path}.{ending}", Answer(_told(portal, make, ending)))
            for path, make in made.items()
            for ending in ("atom", "json")
        ]

    def paths(self, catalog: Catalog) -> Iterable[str]:
        """Every feed in both formats."""
        home = catalog.geographies.get(catalog.neighborhoods)
        every = ["/feeds/city", *(f"/feeds{d.path}" for d in catalog.datasets.values())]
        every += [f"/feeds/neighborhoods/{quote(place, safe='')}" for place in (home.names if home else ())]
        return [f"{path}.{ending}" for path in every for ending in ("atom", "json")]

    def _city(self, at: _Reader, name: str) -> Feed:
        entries = [*at.versions(at.catalog.datasets.values(), most=self.most)]
        entries += [at.change(c) for c in at.changed() if c.kind != "first published"]  # its version tells of that
        subtitle = at.words.gettext("What really changed, and every new version.")
        return at.feed("/feeds/city", at.catalog.city, subtitle, page="/", entries=entries, most=self.most)

    def _table(self, at: _Reader, name: str) -> Feed:
        return self._dataset(at, name, is_measure=False)

    def _measure(self, at: _Reader, name: str) -> Feed:
        return self._dataset(at, name, is_measure=True)

    def _dataset(self, at: _Reader, name: str, *, is_measure: bool) -> Feed:
        dataset = at.catalog.datasets.get(name)
        if dataset is None or (dataset.shape == "measure") != is_measure:
            raise NotThere(name)
        entries = [*at.versions([dataset], most=self.most)]
        entries += [at.change(c) for c in at.changed() if c.measure == name and c.kind != "first published"]
        title, subtitle = at.words.plain(dataset.title), at.words.plain(dataset.description)
        return at.feed(f"/feeds{dataset.path}", title, subtitle, page=dataset.path, entries=entries, most=self.most)

    def _neighborhood(self, at: _Reader, name: str) -> Feed:
        home = at.catalog.geographies.get(at.catalog.neighborhoods)
        if home is None or name not in home.names:
            raise NotThere(name)
        entries = [*at.numbers_at(name)]
        here = [c for c in at.changed() if c.cell and (c.cell.geography, c.cell.place) == (home.id, name)]
        entries += [at.change(c) for c in here]
        title = at.words.plain(home.names[name])
        subtitle = at.words.gettext("What really changed here, and every new number.")
        page = f"/neighborhoods/{name}"
        return at.feed(f"/feeds{page}", title, subtitle, page=page, entries=entries, most=self.most)


def _told(portal: Portal, make: Callable[[_Reader, str], Feed], ending: str) -> Callable[[Request, bytes], Response]:
    def answer(request: Request, body: bytes) -> Response:
        site = portal.site()
        reader = _Reader(site, site.catalog, words_of(request, site), address(request, site))
        feed = make(reader, request.path_params.get("name", ""))
        if ending == "atom":
            return document(request, atom(feed), media="application/atom+xml", modified=feed.updated)
        return document(request, as_json(json_feed(feed)), media="application/feed+json", modified=feed.updated)

    return answer


@dataclass(frozen=True)
class _Reader:
    """Who reads a feed: which catalog, in which language, at which address."""

    site: Site
    catalog: Catalog
    words: Words
    address: str

    def feed(self, path: str, title: str, subtitle: str, *, page: str, entries: Sequence[Entry], most: int) -> Feed:
        """A feed of the newest of some entries."""
        ordered = sorted(sorted(entries, key=lambda e: e.id), key=lambda e: e.updated, reverse=True)[:most]
        query = "" if self.words.language == self.site.default else f"?lang={self.words.language}"
        return Feed(
            id=permanent_id(self.catalog.city, path),
            title=title,
            subtitle=subtitle,
            author=self.catalog.city,
            page=self.page(page),
            atom=f"{self.address}{quote(path)}.atom{query}",
            json=f"{self.address}{quote(path)}.json{query}",
            language=self.words.language,
            updated=ordered[0].updated if ordered else self.site.changed,
            entries=tuple(ordered),
        )

    def page(self, path: str) -> str:
        """The address of a page in the reader's language."""
        return f"{self.address}{quote(self.site.link(path, self.words.language))}"

    def changed(self) -> Sequence[Changed]:
        """What really changed lately."""
        return self.catalog.changes.changed if self.catalog.changes is not None else ()

    def versions(self, datasets: Iterable[Dataset], *, most: int) -> Iterator[Entry]:
        """One entry for each of the newest published versions of some datasets."""
        every = ((e.made_at, d.path, e.number, d, e) for d in datasets for e in d.editions)
        for _, _, _, dataset, edition in nlargest(most, every, key=lambda one: one[:3]):
            title, n = self.words.plain(dataset.title), self.words.number(edition.number)
            yield Entry(
                id=permanent_id(self.catalog.city, f"{dataset.path}/{edition.number}"),
                title=self.words.gettext("%(title)s: version %(n)s", title=title, n=n),
                text=self._what(dataset, edition),
                link=self.page(dataset.path),
                updated=edition.made_at,
                tags=(dataset.shape,),
            )

    def _what(self, dataset: Dataset, edition: Edition) -> str:
        """What a version is: of the newest of a measure its number, of every one what is different."""
        told = [self.words.gettext("As of %(day)s.", day=self.words.day(edition.as_of))]
        if edition is dataset.editions[0] and dataset.name in self.catalog.scores:
            told.append(self.headline(dataset.name))
        if edition.rows is not None:
            told.append(self.words.ngettext("%(n)s row.", "%(n)s rows.", edition.rows))
        if edition.changes:
            told += [
                self.words.gettext("Different from the version before: %(what)s.", what=self.words.plain(c))
                for c in edition.changes
            ]
        elif edition.number == 1:
            told.append(self.words.gettext("This is the first version."))
        return " ".join(told)

    def headline(self, measure: str) -> str:
        """The number of the whole city with its interval, or why there is none."""
        found = numbers(self.site, measure)
        return self._number(found, self.catalog.scores[measure].city)

    def numbers_at(self, place: str) -> Iterator[Entry]:
        """The newest number of each measure at one of the neighborhoods."""
        for name in self.catalog.scores:
            found, dataset = numbers(self.site, name), self.catalog.datasets.get(name)
            estimate = found.at(self.catalog.neighborhoods, place)
            if estimate is None or dataset is None or not dataset.editions:
                continue
            newest = dataset.editions[0]
            yield Entry(
                id=permanent_id(self.catalog.city, f"/neighborhoods/{place}{dataset.path}/{newest.number}"),
                title=self.words.plain(dataset.title),
                text=self._number(found, estimate),
                link=self.page(dataset.path),
                updated=newest.made_at,
                tags=("measure",),
            )

    def _number(self, found: Numbers, e: Estimate | None) -> str:
        words, figures = self.words, Figures(self.words, found.scale)
        if e is None:
            return words.gettext("No number of the whole city is published.")
        period = period_words(e.cell.period, words)
        if e.value is None:
            reason = absence(e, words, minimum=self.catalog.minimum_cell)
            return words.gettext("There is no number (%(period)s). %(reason)s", period=period, reason=reason)
        said = {"period": period, "value": figures.value(e.value), "unit": words.plain(found.measured.unit)}
        if e.low is None or e.high is None:
            return words.gettext("%(value)s %(unit)s (%(period)s); no range is known.", **said)
        range_ = figures.interval(e.low, e.high)
        if e.state == "cannot tell":
            return words.gettext(
                "%(value)s %(unit)s (%(period)s), with a range of %(range)s: too wide to say anything.", **said,
                range=range_,
            )  # fmt: skip
        return words.gettext("%(value)s %(unit)s (%(period)s), with a range of %(range)s.", **said, range=range_)

    def change(self, c: Changed) -> Entry:
        """One entry for one real change."""
        words, dataset = self.words, self.catalog.datasets.get(c.measure)
        said = {"title": words.plain(c.title), "where": words.plain(c.where), "what": kind_words(c.kind, words)}
        title = words.gettext("%(title)s, %(where)s: %(what)s", **said) if c.where else (
            words.gettext("%(title)s: %(what)s", **said)
        )  # fmt: skip
        return Entry(
            id=permanent_id(self.catalog.city, f"/changes/{_key(c)}"),
            title=title,
            text=self._before_and_after(c),
            link=self.page(dataset.path if dataset is not None else "/"),
            updated=self._when(dataset),
            tags=(c.kind,),
        )

    def _before_and_after(self, c: Changed) -> str:
        words, before, after = self.words, state_words(c.before, self.words), state_words(c.after, self.words)
        if c.before in ("", "nothing"):
            return words.gettext("Now: %(after)s.", after=after)
        return words.gettext("Before: %(before)s. Now: %(after)s.", before=before, after=after)

    def _when(self, dataset: Dataset | None) -> datetime:
        """When the release came that a change is of."""
        if dataset is not None and dataset.editions:
            return dataset.editions[0].made_at
        day = dataset.updated if dataset is not None else None
        return datetime.combine(day or self.catalog.as_of, time(), UTC)


def _key(c: Changed) -> str:
    """What tells one change from all others, for ever: what it is, of which number, from what to what."""
    cell = c.cell
    where = (cell.period, cell.geography, cell.place, cell.dimension, cell.group) if cell is not None else (ALL,)
    told = "\0".join((c.kind, c.measure, *where, c.before, c.after))
    return f"{c.measure}/{hashlib.sha256(told.encode()).hexdigest()[:16]}"
