"""The proof of an erasure reads what is packed, spelled otherwise or damaged, and no stray file is rows of others."""

from __future__ import annotations

import base64
import bz2
import gzip
import html
import io
import json
import lzma
import shutil
import sqlite3
import zipfile
from contextlib import closing
from urllib.parse import quote, quote_plus

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from erased import KEY, codes, erase, found, town
from metroon import erasing
from metroon.lake import remains
from metroon.lake.erasure import Certificates

WHO = "Zoë Canary Quux"


def zipped(content: bytes, *, comment: bytes = b"") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", content)
        archive.comment = comment
    return out.getvalue()


def in_parquet(table: pa.Table) -> bytes:
    out = io.BytesIO()
    pq.write_table(table, out)
    return out.getvalue()


FORMS = {
    "bz2": bz2.compress(WHO.encode()),
    "xz": lzma.compress(WHO.encode()),
    "base64": json.dumps({"a": base64.b64encode(f"by {WHO}".encode()).decode()}).encode(),
    "address": f"GET /find?who={quote(WHO)}".encode(),
    "form": f"who={quote_plus(WHO)}".encode(),
    "page": html.escape(WHO).encode("ascii", "xmlcharrefreplace"),
    "line of JSON": b"at 7 " + json.dumps({"who": WHO}).encode() + b"\n",
    "JSON in JSON": json.dumps(json.dumps({"who": WHO})).encode(),
    "mail": b"Zo=C3=AB Canary=20Quux",
    "UTF-32": WHO.encode("utf-32"),
    "name of a column": in_parquet(pa.table({WHO: [1]})),
    "about a column": in_parquet(
        pa.table([pa.array([1])], schema=pa.schema([pa.field("a", pa.int64(), metadata={"by": "Canary Quux"})]))
    ),
    "comment": zipped(b"x", comment=WHO.encode()),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_name_is_found_however_it_is_packed_or_spelled(tmp_path, form):
    (tmp_path / "left over").write_bytes(FORMS[form])

    assert ("left over",) == remains.look(tmp_path, remains.words([WHO, "Canary Quux"])).files


def test_a_name_is_found_in_bytes_that_a_database_holds(tmp_path):
    with sqlite3.connect(tmp_path / "a.sqlite") as db:
        db.execute("create table t (a blob)")
        db.execute("insert into t values (?)", (gzip.compress(WHO.encode()),))
    db.close()

    assert ("a.sqlite",) == remains.look(tmp_path, remains.words([WHO])).files


@pytest.mark.parametrize(
    "damaged",
    [
        b"\x1f\x8b\x08\x00" + b"\0" * 6 + b"\xff" * 30 + WHO.encode(),
        zipped(b"PAR1 and no more " + WHO.encode()),
        b"PAR1 and no more " + WHO.encode(),
    ],
)
def test_what_is_damaged_is_searched_as_bytes_and_said_so(tmp_path, damaged):
    (tmp_path / "left over").write_bytes(damaged)
    told = remains.look(tmp_path, remains.words([WHO]))

    assert (("left over",), ("left over",)) == (told.files, told.unread)


def test_a_copy_of_rows_that_no_log_names_is_no_table_of_others(tmp_path):
    made = town(tmp_path)
    lake = tmp_path / ".metroon" / "lake" / "restricted"
    (lake / "stranger").mkdir()
    shutil.copy(next((lake / "stays").glob("*.parquet")), lake / "stranger" / "a.parquet")

    assert ["L124"] == codes(lambda: erase(made))
    shutil.rmtree(lake / "stranger")
    assert erase(made, KEY).is_done
    assert [] == found(tmp_path / ".metroon")


@pytest.mark.parametrize("kind", ["timestamp", "date", "boolean"])
def test_a_key_that_can_be_written_in_many_ways_is_no_key(kind, tmp_path):
    made = town(tmp_path)
    made.product("marks", {"id": "string linkage key", "at": f"{kind} quasi"})
    made.csv("marks.csv", [{"id": "1", "at": ""}])

    assert ["L120"] == codes(lambda: erasing.plan(made.walk(), "marks", "1950-02-03", column="at"))


@pytest.mark.slow  # it is waited for half a minute
def test_while_another_program_reads_the_store_no_erasure_is_complete(tmp_path):
    made = town(tmp_path)
    with closing(sqlite3.connect(tmp_path / ".metroon/store.sqlite", isolation_level=None)) as other:
        other.execute("begin")
        other.execute("select count(*) from runs").fetchall()
        refused = codes(lambda: erase(made))
        state = Certificates(tmp_path / ".metroon").all()[-1].is_done
    done = erase(made)

    assert (["L101"], False, True) == (refused, state, done.is_done)


def test_a_log_that_another_program_packed_is_written_anew(tmp_path):
    made = town(tmp_path)
    log = tmp_path / ".metroon/lake/restricted/stays/_delta_log"
    commits = sorted(log.glob("*.json"))
    packed = log / f"{commits[0].stem}.{commits[-1].stem}.compacted.json"
    packed.write_text("".join(c.read_text(encoding="utf-8") for c in commits), encoding="utf-8")
    done = erase(made)

    assert done.is_done
    assert not packed.exists()
