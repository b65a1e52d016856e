"""Packages: datasets in the shapes of CKAN: packages with resources, organizations, groups and tags."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from metroon.serve.formats import MEDIA

if TYPE_CHECKING:
    from metroon.base.catalog import Dataset

FILES = ("csv", "json", "parquet", "xlsx", "geojson")
"""Files that a dataset has; the last only where there are shapes or points."""


def package(dataset: Dataset, address: str) -> Mapping[str, object]:
    """A dataset as a package."""
    files = resources(dataset, address)
    made = dataset.editions[-1].made_at if dataset.editions else None
    changed = dataset.editions[0].made_at if dataset.editions else None
    steward = dataset.steward
    owner, about = department(dataset), topic(dataset)
    return {
        "id": dataset.name,
        "name": dataset.name,
        "title": dataset.title,
        "notes": dataset.description,
        "url": address + dataset.path,
        "type": "dataset",
        "state": "active",
        "private": False,
        "isopen": bool(dataset.licence.id) and dataset.has_rows,
        "license_id": dataset.licence.id,
        "license_title": dataset.licence.title or dataset.licence.id,
        "license_url": dataset.licence.url,
        "maintainer": steward.name if steward else None,
        "maintainer_email": steward.contact if steward and "@" in steward.contact else None,
        "author": owner or None,
        "author_email": None,
        "version": str(dataset.version) if dataset.version else None,
        "metadata_created": made.isoformat() if made else None,
        "metadata_modified": changed.isoformat() if changed else None,
        "owner_org": slug(owner) or None,
        "organization": belongs(owner, department) if owner else None,
        "groups": [belongs(about, topic)] if about else [],
        "tags": [tag(t) for t in dataset.tags],
        "num_tags": len(dataset.tags),
        "resources": files,
        "num_resources": len(files),
        "extras": [{"key": k, "value": v} for k, v in _extras(dataset)],
        "relationships_as_subject": [],
        "relationships_as_object": [],
    }


def resources(dataset: Dataset, address: str) -> list[dict[str, object]]:
    """The files of a dataset as resources; none when its rows are not public."""
    if not dataset.has_rows:
        return []
    changed = dataset.editions[0].made_at.isoformat() if dataset.editions else None
    endings = [f for f in FILES if f != "geojson" or dataset.geometry or dataset.point]
    return [
        {
            "id": f"{dataset.name}.{ending}",
            "package_id": dataset.name,
            "name": f"{dataset.title} ({ending.upper()})",
            "description": f"{dataset.grain} {_FILE_WORDS.get(ending, '')}".strip(),
            "format": ending.upper(),
            "mimetype": MEDIA[ending].partition(";")[0],
            "url": f"{address}{dataset.path}.{ending}",
            "url_type": None,
            "resource_type": "file",
            "datastore_active": True,
            "position": at,
            "state": "active",
            "created": changed,
            "last_modified": changed,
            "metadata_modified": changed,
            "size": None,
            "hash": "",
        }
        for at, ending in enumerate(endings)
    ]


_FILE_WORDS = {
    "csv": "Texts that a spreadsheet would run begin with an apostrophe; with ?raw=1 they are as they are.",
}


def department(dataset: Dataset) -> str:
    """The department that a dataset belongs to: its organization."""
    return dataset.department


def topic(dataset: Dataset) -> str:
    """What a dataset is about: its group."""
    return dataset.topic


def slug(text: str) -> str:
    """A name as it stands in addresses.

    Example:
        >>> slug("Parks & Trees (invented)")
        'parks-trees-invented'
    """
    return re.sub(r"[^a-z0-9_]+", "-", text.casefold()).strip("-")


def belongs(name: str, of: Callable[[Dataset], str]) -> dict[str, object]:
    """An organization or a group: what ``department`` or ``topic`` gives."""
    is_organization = of is department
    told = {"id": slug(name), "name": slug(name), "title": name, "display_name": name, "description": ""}
    kind = "organization" if is_organization else "group"
    return {**told, "type": kind, "is_organization": is_organization, "state": "active", "image_url": ""}


def tag(name: str) -> dict[str, object]:
    """A tag."""
    return {"id": name, "name": name, "display_name": name, "state": "active", "vocabulary_id": None}


def _extras(dataset: Dataset) -> list[tuple[str, str]]:
    """What CKAN has no field for, in words."""
    told = (
        ("access_level", dataset.access),
        ("grain", dataset.grain),
        ("known_gap", dataset.gap),
        ("limitations", dataset.limitations),
        ("legal_basis", dataset.legal_basis),
        ("promise", dataset.promise.text),
        ("rows", "" if dataset.rows is None else str(dataset.rows)),
        ("minimum_cell", "" if dataset.minimum_cell is None else str(dataset.minimum_cell)),
        ("made_of", ", ".join(dataset.made_of)),
    )
    return [(k, v) for k, v in told if v]
