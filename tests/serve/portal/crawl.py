"""Follows every address that a portal tells of itself, in pages, documents and feeds, and reads what is there."""

from __future__ import annotations

import html
import io
import re
from collections import deque
from typing import TYPE_CHECKING

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.testclient import TestClient

HERE = "http://127.0.0.1:8000"
_LINK = re.compile(r"""(?:href|src|action)=["']([^"']+)""")
_ADDRESS = re.compile(re.escape(HERE) + r"""[^\s"'<>\\)#}`]*""")


def crawl(client: TestClient, starts: Iterable[str], *, limit: int = 5000) -> dict[str, tuple[int, str]]:
    """Path -> (status, what is there as text), for every path that can be reached from some."""
    found: dict[str, tuple[int, str]] = {}
    waiting = deque(starts)
    while waiting and len(found) < limit:
        path = waiting.popleft()
        if path in found:
            continue
        answer = client.get(path, follow_redirects=True)
        text = as_text(answer.headers.get("content-type", ""), answer.content)
        found[path] = (answer.status_code, text)
        waiting.extend(sorted(p for p in links(text) if p not in found))
    return found


def hrefs(text: str) -> set[str]:
    """Paths of this portal that a page links."""
    told = {html.unescape(a).partition("#")[0] for a in _LINK.findall(text)}
    return {p for p in told if p.startswith("/") and not p.startswith("//")}


def links(text: str) -> set[str]:
    """Paths of this portal that a text names."""
    told = hrefs(text)
    told |= {a.removeprefix(HERE) or "/" for a in _ADDRESS.findall(html.unescape(text))}
    return {p.rstrip(".,;") for p in told if p.startswith("/") and not p.startswith("//") and "{" not in p}


def as_text(kind: str, body: bytes) -> str:
    """What a program would read there, as text."""
    if body[:4] == b"PAR1":
        return str(pq.read_table(io.BytesIO(body)).to_pylist())
    if "arrow" in kind and body:
        return str(pa.ipc.open_stream(io.BytesIO(body)).read_all().to_pylist())
    if "spreadsheetml" in kind:
        book = openpyxl.load_workbook(io.BytesIO(body), read_only=True)
        return str([[list(row) for row in sheet.iter_rows(values_only=True)] for sheet in book])
    if "font" in kind or "image/png" in kind:
        return ""
    return body.decode("utf-8", errors="replace")
