"""Guesses: what somebody means who names a source: a file, a database, one dataset of a portal, or a whole portal."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit, urlunsplit

from metroon.base.errors import Problem, Refused
from metroon.base.profile import product_name
from metroon.collect.offers import offer

if TYPE_CHECKING:
    from collections.abc import Mapping

What = Literal["path", "database", "remote", "portal"]
_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://")
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*")
# Ways in which an address carries a key that is nobody else's business.
_SECRET = re.compile(
    r"token|secret|passw|pwd|api[-_]?key|^key$|^auth|credential|signature|^sig$|^code$|subscription-key", re.IGNORECASE
)
_NOT_READ = ("ftp", "ftps", "scp", "ssh", "smb", "ldap", "mailto", "gs", "dropbox")
_SOCRATA = re.compile(r"/([a-z0-9]{4}-[a-z0-9]{4})(?=[./]|$)")
_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_CKAN = re.compile(rf"^(?P<above>.*?)/dataset/(?P<dataset>[^/]+)/resource/(?P<resource>{_UUID})(?:/|$)")
_CKAN_API = re.compile(r"^(?P<above>.*?)/api/(?:3/)?action/(?:datastore_search|resource_show)/?$")
_SERVICE = re.compile(
    r"^(?P<above>.*?)/(?P<service>[^/]+)/(?:FeatureServer|MapServer)(?:/(?P<layer>\d+))?(?:/query)?/?$"
)
_REQUESTS = re.compile(r"^(?P<above>.*?)/(?:v2/)?requests\.(?:json|xml)$")
_CATALOG = re.compile(r"/(?:data\.json|catalog\.jsonld|api/feed/dcat-us/[\d.]+\.json)$")
_ROOT = re.compile(
    r"^/?(data\.json|api/?|api/3/?|api/3/action/.*|catalog|dataset|datasets|search|browse|home|index\.html)?/?$"
)


@dataclass(frozen=True)
class SourceGuess:
    """What a source most likely is.

    Args:
        what: A path on this machine, a database, one dataset that lies elsewhere, or a whole portal.
        address: It, as it was named, without what a browser only adds.
        name: What a product of it may be called.
        source: How product.yaml would collect it, with its ``kind:``; empty for paths and portals.
        sets: Variables of the environment that the address itself stands for, where it holds nothing secret.
    """

    what: What
    address: str
    name: str = ""
    source: Mapping[str, Any] = field(default_factory=dict)
    sets: Mapping[str, str] = field(default_factory=dict)


def source_of(text: str, *, table: str | None = None) -> SourceGuess:
    """What somebody means, by the look of it alone: nothing is asked of the disk or the network.

    Args:
        text: A path, an address, or the environment variable that holds a database's address.
        table: The table, where it is a database.

    Raises:
        Refused: It holds a password or a key, which would be written down; or nobody can tell what it is (D157).

    Example:
        >>> source_of("inbox/calls.csv").what, source_of("https://data.example.gov/").what
        ('path', 'portal')
        >>> source_of("PERMITS_DB", table="public.permits").source
        {'kind': 'database', 'url_from': 'PERMITS_DB', 'table': 'public.permits'}
        >>> source_of("https://data.example.gov/Fire/Calls/abcd-1234/about_data").source
        {'kind': 'socrata', 'domain': 'data.example.gov', 'dataset': 'abcd-1234'}
    """
    if not _SCHEME.match(text):
        if _VARIABLE.fullmatch(text) and (table or "_" in text):
            return _database(text, text, table, {})
        return SourceGuess("path", text)
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise _refused("this is no address.", "Write it as your browser shows it.") from None
    scheme = parts.scheme.lower()
    if scheme in ("http", "https"):
        return _web(parts)
    if scheme in ("sftp", "s3"):
        return _files(parts)
    if scheme == "file":
        return SourceGuess("path", unquote(parts.path))
    if scheme in _NOT_READ:
        fix = "Have it sent over https or sftp, or fetch it into the data folder and add the file."
        raise _refused(f"nothing is read over {scheme} here.", fix)
    return _given_database(text, parts, table)


def _database(address: str, variable: str, table: str | None, sets: Mapping[str, str]) -> SourceGuess:
    source: dict[str, Any] = {"kind": "database", "url_from": variable}
    source |= {"table": table} if table else {}
    return SourceGuess("database", address, product_name((table or variable).rpartition(".")[2]), source, sets)


def _given_database(text: str, parts: SplitResult, table: str | None) -> SourceGuess:
    name = re.sub(r"[^A-Z0-9]+", "_", parts.path.rpartition("/")[2].partition(".")[0].upper()).strip("_")
    variable = f"{name or 'CITY'}_DB" if not name[:1].isdigit() else f"DB_{name}"
    if parts.password is not None or any(_SECRET.search(k) for k, _ in parse_qsl(parts.query)):
        how = f"set {variable} to it in the environment, and type: metroon add {variable} --table SCHEMA.TABLE"
        fix = f"Leave it out of the command, which is remembered: {how}"
        raise _refused("the address holds a password.", fix)
    return _database(parts.scheme, variable, table, {variable: text})


def _web(parts: SplitResult) -> SourceGuess:
    if parts.username is not None or parts.password is not None:
        fix = "Leave it out: product.yaml can name an environment variable that holds a token, with token_from:."
        raise _refused("the address holds a user or a password.", fix)
    if named := [k for k, _ in parse_qsl(parts.query, keep_blank_values=True) if _SECRET.search(k.strip("$"))]:
        fix = "Leave it out, and set it in the environment; token_from: in product.yaml names the variable."
        raise _refused(f"the address holds what looks like a key ('{named[0]}').", fix)
    if not parts.hostname:
        raise _refused("the address names no host.", "Write it as your browser shows it.")
    path, plain = unquote(parts.path), urlunsplit((parts.scheme, parts.netloc, parts.path, parts.query, ""))
    base = f"{parts.scheme}://{parts.netloc}"
    found = _portal_dataset(path, base, parts)
    if found is not None:
        return found
    if _CATALOG.search(path):
        return SourceGuess("portal", plain)
    told = offer(plain)
    if told.source:
        return SourceGuess("remote", plain, _named(path.rpartition("/")[2].partition(".")[0]), told.source)
    if _ROOT.fullmatch(path):
        return SourceGuess("portal", f"{base}/" if path in ("", "/") else plain)
    fix = (
        "Name a file (csv, xlsx, json, geojson, parquet), a dataset's page on a Socrata or CKAN portal, a layer "
        "(.../FeatureServer/0), or the portal itself, such as https://data.ourcity.gov."
    )
    raise _refused("nobody can tell from this address what lies there.", fix)


def _portal_dataset(path: str, base: str, parts: SplitResult) -> SourceGuess | None:
    query = dict(parse_qsl(parts.query))
    if found := _SERVICE.match(path):
        if found["layer"] is None:
            fix = "Name one of its layers by its number, such as .../FeatureServer/0; its page lists them."
            raise _refused("this is a service with several layers.", fix)
        url = f"{base}{re.sub(r'/query/?$', '', path).rstrip('/')}"
        return SourceGuess("remote", url, _named(found["service"]), {"kind": "arcgis", "url": url})
    if found := _CKAN.match(path):
        source = {"kind": "ckan", "url": base + found["above"], "resource": found["resource"]}
        return SourceGuess("remote", base + path, _named(found["dataset"]), source)
    if (found := _CKAN_API.match(path)) and (known := query.get("resource_id") or query.get("id")):
        source = {"kind": "ckan", "url": base + found["above"], "resource": known}
        return SourceGuess("remote", base + path, _named(known), source)
    if found := _REQUESTS.match(path):
        source = {"kind": "open311", "url": base + found["above"]}
        return SourceGuess("remote", base + path, "requests", source)
    if found := _SOCRATA.search(path):
        before = path[: found.start()].rpartition("/")[2]
        is_title = before not in ("", "d", "resource", "views", "dataset", "id", "v1", "v3")
        name = _named(before if is_title else f"dataset_{found[1]}")
        return SourceGuess(
            "remote", base + path, name, {"kind": "socrata", "domain": parts.netloc, "dataset": found[1]}
        )
    return None


def _files(parts: SplitResult) -> SourceGuess:
    if parts.password is not None:
        fix = "Leave it out: a key signs in, and the environment holds where it is: --option key_from=VARIABLE"
        raise _refused("the address holds a password.", fix)
    path = unquote(parts.path).lstrip("/")
    reader = offer(f"https://file.invalid/{path}").source.get("as")
    if not reader or not parts.hostname:
        raise _refused("nobody can tell from this address what the file is.", "Name a csv, xlsx, json or parquet file.")
    name, address = _named(path.rpartition("/")[2].partition(".")[0]), urlunsplit((*parts[:3], "", ""))
    if parts.scheme.lower() == "s3":
        source = {"kind": "s3", "bucket": parts.netloc, "path": path, "as": dict(reader)}
        return SourceGuess("remote", address, name, source)
    told = {"user": parts.username, "port": parts.port}
    asked: dict[str, Any] = {"kind": "sftp", "host": parts.hostname, **{k: v for k, v in told.items() if v}}
    return SourceGuess("remote", address, name, {**asked, "path": path, "as": dict(reader)})


def _named(text: str) -> str:
    return product_name(unquote(text).replace("-", "_"))


def _refused(what: str, fix: str) -> Refused:
    return Refused([Problem("", 0, "D157", what, fix)])
