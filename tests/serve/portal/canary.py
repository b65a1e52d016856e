"""Canaries: values that may not leave, and a search for them in whatever was made, in every form it could have."""

from __future__ import annotations

import base64
import gzip
import hashlib
import html
import io
import zipfile
from collections.abc import Iterator, Mapping
from urllib.parse import quote, quote_plus

import brotli
import pyarrow as pa
import pyarrow.parquet as pq


def forms(canary: str) -> dict[str, bytes]:
    """Every form that a canary is looked for in, as bytes in small letters.

    Numbers are whole: 918273645 is looked for with separators too.
    """
    plain = canary.casefold()
    told = {
        "plain": plain.encode(),
        "url": quote(canary).casefold().encode(),
        "url of a form": quote_plus(canary).casefold().encode(),
        "html": html.escape(canary).casefold().encode(),
        "html numbers": "".join(f"&#{ord(c)};" for c in canary).encode(),
        "json": canary.encode("unicode_escape").lower(),
        "utf-16 little": canary.casefold().encode("utf-16-le"),
        "utf-16 big": canary.casefold().encode("utf-16-be"),
        "hex": canary.encode().hex().encode(),
        # What has no key can be tried out: the hash of a name or a number is that name or number.
        "sha-256": hashlib.sha256(canary.encode()).hexdigest().encode(),
        "sha-256 of small letters": hashlib.sha256(plain.encode()).hexdigest().encode(),
        "sha-1": hashlib.sha1(canary.encode()).hexdigest().encode(),
        "md5": hashlib.md5(canary.encode()).hexdigest().encode(),
    }
    for shift in range(3):
        # What stands before it decides which of three ways it is written; the letters at both ends depend on it.
        coded = base64.b64encode(b"\0" * shift + canary.encode())
        told[f"base64 {shift}"] = coded[4 if shift else 0 : len(coded) - len(coded) % 4 - 4].lower()
    if canary.isdigit():
        for mark in (",", ".", " ", "\u00a0", "\u202f", "\u2009", "'", "_", "-"):
            told[f"with {mark!r}"] = f"{int(canary):,}".replace(",", mark).encode()
        number = int(canary)
        told["social security number"] = f"{canary[:3]}-{canary[3:5]}-{canary[5:]}".encode()
        told["eight bytes"] = number.to_bytes(8, "little")
        told["float"] = pa.array([float(number)]).buffers()[1].to_pybytes()[:8]
        told["scientific"] = f"{number:e}".encode()
    return {name: form for name, form in told.items() if len(form) >= 4}


def readings(name: str, body: bytes) -> Iterator[tuple[str, bytes]]:
    """A file as it is, and what programs read in it: unpacked, decoded, with the statistics beside the values."""
    yield name, body
    if body[:4] == b"PAR1":
        file = pq.ParquetFile(io.BytesIO(body))
        yield f"{name} (values)", str(file.read().to_pylist()).encode()
        groups = [file.metadata.row_group(i) for i in range(file.metadata.num_row_groups)]
        told = [str(g.column(i).statistics) for g in groups for i in range(g.num_columns)]
        yield f"{name} (footer)", "\n".join([str(file.metadata.metadata), str(file.schema_arrow), *told]).encode()
    elif zipfile.is_zipfile(io.BytesIO(body)):
        with zipfile.ZipFile(io.BytesIO(body)) as packed:
            for inner in packed.namelist():
                yield from readings(f"{name} > {inner}", packed.read(inner))
    elif body[:3] == b"\x1f\x8b\x08":
        yield from readings(f"{name} (unpacked)", gzip.decompress(body))
    elif name.endswith(".br"):
        yield from readings(f"{name} (unpacked)", brotli.decompress(body))
    elif body[:4] == b"\xff\xff\xff\xff":
        yield f"{name} (values)", str(pa.ipc.open_stream(io.BytesIO(body)).read_all().to_pylist()).encode()


def found(made: Mapping[str, bytes], canaries: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """(Where, which canary, in which form) of every canary that is in what was made."""
    wanted = [(c, f, form) for c, text in canaries.items() for f, form in forms(text).items()]
    told = []
    for name, body in made.items():
        for where, reading in readings(name, body):
            small, as_it_is = reading.decode("utf-8", errors="replace").casefold().encode(), reading
            lower = as_it_is.lower()
            told += [(where, c, f) for c, f, form in wanted if form in small or form in lower or form in as_it_is]
    return told
