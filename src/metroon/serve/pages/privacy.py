"""``/privacy``: what is protected and how, the register of data about people, and what the portal keeps of readers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from metroon.base.catalog import Column
from metroon.serve.page import Page, Sheet

if TYPE_CHECKING:
    from collections.abc import Mapping

    from metroon.base.catalog import Catalog, Dataset
    from metroon.base.protocol import Protocol
    from metroon.serve.page import Asked
    from metroon.serve.words import Words


@dataclass(frozen=True)
class Registered:
    """One dataset with people behind its rows.

    Args:
        dataset: What is declared of it.
        department: Whose it is, in words; empty where nobody is named.
        stands_for: What one row is, in words.
        access: Who may have the rows, in a sentence.
        closed: How many of its columns never leave, in a sentence; empty when nothing of it is published.
        changed: (Column, what was done to it) of columns that leave in a coarser form.
        measures: (Path, title) of the measures made of it.
        protocols: The data use protocols that are about it.
    """

    dataset: Dataset
    department: str
    stands_for: str
    access: str
    closed: str
    changed: tuple[tuple[str, str], ...]
    measures: tuple[tuple[str, str], ...]
    protocols: tuple[Protocol, ...]


@dataclass(frozen=True)
class PrivacyView:
    """What the page on privacy shows.

    Args:
        title: The page's title.
        minimum_cell: The city's own limit.
        stricter: (Path, title, limit) of datasets with a stricter one.
        cells: Numbers in the newest releases of all measures.
        hidden: How many of them are hidden.
        hidden_sentence: Both in one sentence.
        register: Datasets with people behind their rows.
        without_people: How many datasets have no person behind a row.
        contact: Where to ask.
    """

    title: str
    minimum_cell: int
    stricter: tuple[tuple[str, str, int], ...]
    cells: int
    hidden: int
    hidden_sentence: str
    register: tuple[Registered, ...]
    without_people: int
    contact: str


class Privacy(Page):
    """How people are protected."""

    path = "/privacy"
    template = "privacy.html"

    def view(self, asked: Asked) -> PrivacyView:
        """The rules, the register and the portal's own conduct."""
        catalog, words = asked.catalog, asked.words
        register = personal(catalog)
        scores = catalog.scores.values()
        cells, hidden = sum(s.measured.cells for s in scores), sum(s.measured.hidden for s in scores)
        return PrivacyView(
            title=words.gettext("How people are protected"),
            minimum_cell=catalog.minimum_cell,
            stricter=tuple(
                (d.path, d.title, d.minimum_cell)
                for d in register
                if d.minimum_cell is not None and d.minimum_cell > catalog.minimum_cell
            ),
            cells=cells,
            hidden=hidden,
            hidden_sentence=hidden_words(hidden, cells, words),
            register=tuple(_registered(d, catalog, words) for d in register),
            without_people=sum(d.shape == "table" and d.unit == "none" for d in catalog.datasets.values()),
            contact=catalog.portal.contact,
        )

    def data(self, asked: Asked) -> Sheet:
        """The register.

        Grain:
            One row per dataset with people behind its rows.
        """
        columns = (
            Column("dataset", "Dataset", "The permanent id of the dataset.", "string"),
            Column("title", "Title", "What people call it.", "string"),
            Column("department", "Department", "Who owns it.", "string"),
            Column("row", "A row is", "person, or event_on_person.", "string"),
            Column("purposes", "Purposes", "What it is collected for.", "string"),
            Column("legal_basis", "Legal basis", "The law it rests on.", "string"),
            Column("retention", "Kept for", "How long it is kept.", "string"),
            Column("harm", "Who could be hurt", "Who could be hurt, and how.", "string"),
            Column("minimum_cell", "Minimum cell", "Smaller groups of people are hidden.", "integer"),
            Column("access", "Access", "Who may have the rows.", "string"),
            Column("rows_published", "Rows published", "Whether rows can be read by everybody.", "boolean"),
        )
        rows = [
            {
                "dataset": d.name,
                "title": d.title,
                "department": d.department,
                "row": d.unit,
                "purposes": " ".join(d.purposes),
                "legal_basis": d.legal_basis,
                "retention": d.retention,
                "harm": d.harm_notes,
                "minimum_cell": d.minimum_cell,
                "access": d.access,
                "rows_published": d.has_rows and not d.has_totals,
            }
            for d in personal(asked.catalog)
        ]
        source = f"{asked.catalog.city}, {asked.catalog.as_of}"
        return Sheet("privacy", "Register of data about people", columns, rows, source)


def personal(catalog: Catalog) -> tuple[Dataset, ...]:
    """The datasets with people behind their rows; one that does not say is taken for one of them.

    Args:
        catalog: Everything the city publishes.
    """
    return tuple(d for d in catalog.datasets.values() if d.shape == "table" and d.unit != "none")


def hidden_words(hidden: int, cells: int, words: Words) -> str:
    """How many of the numbers in the newest releases are hidden.

    Args:
        hidden: Hidden numbers.
        cells: All numbers.
        words: The language.
    """
    if not cells:
        return words.gettext("No measure is released yet.")
    if not hidden:
        return words.gettext("In the newest releases no number had to be hidden.")
    return words.ngettext(
        "In the newest releases %(n)s number of %(all)s is hidden (%(part)s).",
        "In the newest releases %(n)s numbers of %(all)s are hidden (%(part)s).",
        hidden, all=words.number(cells), part=words.percent(hidden / cells, 1),
    )  # fmt: skip


def access_words(dataset: Dataset, words: Words) -> str:
    """Who may have the rows, in a sentence.

    Args:
        dataset: The dataset.
        words: The language.
    """
    if dataset.has_totals:
        return words.gettext("Its rows are not published. A table of counts is, with its totals.")
    if dataset.has_rows:
        return words.gettext("Everybody may read its published rows.")
    if dataset.access == "restricted public":
        return words.gettext("Its rows are not published. Some people may get them under conditions; ask its steward.")
    return words.gettext("Its rows are not published, and nobody outside the city gets them here.")


def _registered(dataset: Dataset, catalog: Catalog, words: Words) -> Registered:
    closed = sum(not c.is_open for c in dataset.columns)
    made = [catalog.datasets[n] for kind, n in dataset.used_in if kind == "measure" and n in catalog.datasets]
    made = made or [d for d in catalog.datasets.values() if d.shape == "measure" and dataset.name in d.made_of]
    return Registered(
        dataset,
        dataset.department,
        _row_words(dataset.unit, words),
        access_words(dataset, words),
        words.ngettext(
            "%(n)s of its columns never leaves.", "%(n)s of its columns never leave.", closed
        )
        if dataset.has_rows and not dataset.has_totals and closed
        else "",
        tuple((c.title or c.name, c.protection) for c in dataset.columns if c.is_open and c.protection),
        tuple((d.path, d.title) for d in made),
        tuple(p for p in catalog.protocols if p.covers(dataset.name)),
    )  # fmt: skip


def _row_words(unit: str, words: Words) -> str:
    told: Mapping[str, str] = {
        "person": words.gettext("A person"),
        "event_on_person": words.gettext("Something that happened to a person"),
    }
    return told.get(unit, words.gettext("Not told; it is treated as a person"))
