"""How to cite what the city publishes: with its version, its day and a link that stays."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from metroon.base.catalog import Catalog, Dataset, Edition
    from metroon.serve.words import Words


@dataclass(frozen=True)
class Citation:
    """How to cite one version.

    Args:
        link: Where this version stays.
        text: The citation in words.
        bibtex: The same for reference managers.
    """

    link: str
    text: str
    bibtex: str


def citation(catalog: Catalog, dataset: Dataset, edition: Edition | None, *, address: str, words: Words) -> Citation:
    """How to cite one version of a dataset, or its entry when nothing of it is published.

    Args:
        catalog: Whose it is.
        dataset: Which.
        edition: Which version; None when there is none.
        address: The portal's own address, without a slash at its end.
        words: The language.
    """
    link = f"{address}{dataset.path}" + (f"?version={edition.number}" if edition else "")
    owner = words.plain(dataset.department) or catalog.city
    title = words.plain(dataset.title)
    licence = dataset.licence.id or dataset.licence.title
    if edition is None:
        text = words.gettext("%(city)s, %(owner)s. %(title)s. Entry in the city's data inventory. %(link)s",
                             city=catalog.city, owner=owner, title=title, link=link)  # fmt: skip
    elif licence:
        text = words.gettext(
            "%(city)s, %(owner)s (%(year)s). %(title)s, version %(number)s of %(day)s. Licence: %(licence)s. %(link)s",
            city=catalog.city, owner=owner, year=edition.as_of.year, title=title, number=edition.number,
            day=words.day(edition.as_of), licence=licence, link=link,
        )  # fmt: skip
    else:
        text = words.gettext(
            "%(city)s, %(owner)s (%(year)s). %(title)s, version %(number)s of %(day)s. %(link)s",
            city=catalog.city, owner=owner, year=edition.as_of.year, title=title, number=edition.number,
            day=words.day(edition.as_of), link=link,
        )  # fmt: skip
    return Citation(link, text, _bibtex(catalog, dataset, edition, link=link, owner=owner, title=title))


def _bibtex(catalog: Catalog, dataset: Dataset, edition: Edition | None, *, link: str, owner: str, title: str) -> str:
    fields = {
        "author": "{" + _tex(f"{catalog.city}, {owner}") + "}",
        "title": "{" + _tex(title) + "}",
        "year": str((edition.as_of if edition else catalog.as_of).year),
        "version": str(edition.number) if edition else "",
        "date": edition.as_of.isoformat() if edition else "",
        "howpublished": "\\url{" + link + "}",
        "note": _tex(f"Licence: {dataset.licence.id or dataset.licence.title}")
        if dataset.licence.id or dataset.licence.title
        else "",
    }
    key = re.sub(r"\W+", "_", f"{dataset.name}_{edition.number}" if edition else dataset.name)
    lines = "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items() if value)
    return f"@misc{{{key},\n{lines}}}"


def _tex(text: str) -> str:
    r"""A text in which no character means anything to TeX.

    Example:
        >>> _tex("50% of A & B")
        '50\\% of A \\& B'
    """
    return re.sub(r"([&%$#_{}])", r"\\\1", text.replace("\\", ""))
