"""Names that outlive addresses: what a dataset, a version or a change is called wherever it is told of."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote


def permanent_id(city: str, path: str) -> str:
    """The tag URI of something that a city publishes, whatever the portal's address is today.

    Args:
        city: The city's name.
        path: Its path without a language, such as ``/datasets/trees``.

    Source:
        RFC 4151. The authority is a name of one label: it says that Metroon coined the rest, and resolves nowhere.

    Example:
        >>> permanent_id("San José", "/datasets/trees/3")
        'tag:metroon,2026:san-jose/datasets/trees/3'
    """
    plain = unicodedata.normalize("NFKD", city).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or quote(city, safe="")
    return f"tag:metroon,2026:{name}{quote(path, safe='/-._~')}"
