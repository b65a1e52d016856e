"""A file at a web address: fetched whole or not at all, and only when it has changed."""

from __future__ import annotations

import gzip
import io
import json
import os
import resource
import shutil
import ssl
import subprocess
import sys
import threading
import time
from datetime import timedelta
from functools import partial

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from loopback import Reply, fetched, raw_serving, read, serving, source

from metroon.base.errors import Refused
from metroon.collect import Landing
from metroon.collect.addresses import NotAllowed, is_public, resolve, split

ROWS = b"id,status\n1,open\n2,closed\n"


def codes(made, home) -> list[str]:
    with pytest.raises(Refused) as refused:
        fetched(made, home)
    assert all(p.file == "products/permits/product.yaml" and p.fix for p in refused.value.problems)
    return [p.code for p in refused.value.problems]


def http(url: str, **options: object):
    return source("http", url=f"{url}/permits.csv", **options)


# What is fetched


def test_a_file_is_fetched_and_read_as_the_kind_that_it_is(tmp_path, engine):
    with serving(lambda _: Reply(b"id;status\n1;open\n")) as server:
        made = http(server.url, **{"as": {"kind": "csv", "delimiter": ";"}})
        rows, raw = read(made, fetched(made, tmp_path), engine, id="string public", status="string public")

    assert [("1", "open", 2)] == [(r["id"], r["status"], r["_line"]) for r in rows]
    assert [1] == [d.read for d in raw.deliveries]


def parquet() -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table({"id": ["1", "2"]}), out)
    return out.getvalue()


FEATURES = [{"type": "Feature", "properties": {"id": str(i)}, "geometry": None} for i in (1, 2)]


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("parquet", parquet()),
        ("json", b'[{"id": 1}, {"id": 2}]'),
        ("ndjson", b'{"id": 1}\n{"id": 2}\n'),
        ("geofile", json.dumps({"type": "FeatureCollection", "features": FEATURES}).encode()),
    ],
)
def test_every_kind_of_file_can_be_fetched(tmp_path, engine, kind, body):
    with serving(lambda _: Reply(body)) as server:
        made = source("http", url=f"{server.url}/export?what=all", **{"as": {"kind": kind}})
        rows, _ = read(made, fetched(made, tmp_path), engine, id="string public")

    assert ["1", "2"] == [r["id"] for r in rows]


def test_what_is_landed_is_for_its_owner_only_and_says_where_it_came_from(tmp_path):
    with serving(lambda _: Reply(ROWS, headers={"ETag": '"a"'})) as server:
        landing = fetched(http(server.url), tmp_path)

    (file,) = landing.landed()
    assert (0o700, 0o600) == (
        landing.folder.stat().st_mode & 0o777,
        (landing.folder / file.file).stat().st_mode & 0o777,
    )
    assert (f"{server.url}/permits.csv", '"a"', 200, len(ROWS)) == (file.address, file.etag, file.status, file.size)
    assert [] == [p.name for p in landing.folder.iterdir() if p.name not in (file.file, ".landed.json")]


def test_a_file_that_has_not_changed_is_not_sent_again_and_keeps_its_name(tmp_path):
    def answer(asked):
        is_known = asked.headers.get("if-none-match") == '"a"'
        return Reply(b"", 304) if is_known else Reply(ROWS, headers={"ETag": '"a"'})

    with serving(answer) as server:
        before = fetched(http(server.url), tmp_path).deliveries()
        after = fetched(http(server.url), tmp_path).deliveries()

    assert before == after
    assert [None, '"a"'] == [a.headers.get("if-none-match") for a in server.asked]


def test_a_server_that_tells_only_when_a_file_changed_is_asked_by_that(tmp_path):
    day = "Wed, 04 Mar 2026 10:00:00 GMT"

    def answer(asked):
        is_known = asked.headers.get("if-modified-since") == day
        return Reply(b"", 304) if is_known else Reply(ROWS, headers={"Last-Modified": day})

    with serving(answer) as server:
        before = fetched(http(server.url), tmp_path).landed()

        assert before == fetched(http(server.url), tmp_path).landed()


def test_the_same_bytes_sent_again_are_the_same_delivery(tmp_path):
    with serving(lambda _: Reply(ROWS)) as server:
        before = fetched(http(server.url), tmp_path).landed()

        assert before == fetched(http(server.url), tmp_path).landed()


def test_the_bytes_before_stay_until_no_version_needs_them(tmp_path):
    contents = iter([ROWS, ROWS + b"3,open\n"])
    with serving(lambda _: Reply(next(contents))) as server:
        first = fetched(http(server.url), tmp_path).landed()[0]
        landing = fetched(http(server.url), tmp_path)
    second = landing.landed()[0]

    assert ROWS == (landing.folder / first.file).read_bytes()
    assert [second.file] == [p.name for p in landing.deliveries()]
    landing.sweep({second.sha256}, grace=timedelta())
    assert [False, True] == [(landing.folder / f.file).is_file() for f in (first, second)]


# What must not be taken for data


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (Reply(b"<!DOCTYPE html><html>sign in</html>"), "D135"),
        (Reply(b'{"error": {"code": 500, "message": "x"}}'), "D135"),
        (Reply(b"", 304), "D135"),
        (Reply(b"", 204), "D135"),
        (Reply(b"no", 404), "D140"),
        (Reply(b"no", 401), "D134"),
        (Reply(b"no", 503), "D134"),
        (Reply(b"", 200), "D135"),
        (Reply(ROWS, headers={"Content-Encoding": "br"}), "D135"),
        (Reply(gzip.compress(ROWS)[:-9], headers={"Content-Encoding": "gzip"}), "D136"),
        (Reply(b"no gzip", headers={"Content-Encoding": "gzip"}), "D136"),
        (Reply(ROWS, length=len(ROWS) + 50), "D136"),
    ],
)
def test_what_is_no_whole_file_is_refused_and_the_last_good_one_stays(tmp_path, reply, code):
    replies = {"now": Reply(ROWS)}
    with serving(lambda _: replies["now"]) as server:
        before = fetched(http(server.url), tmp_path).landed()
        replies["now"] = reply

        assert [code] == codes(http(server.url), tmp_path)
    landing = Landing(tmp_path / "landed" / "permits")
    assert (before, True) == (landing.landed(), landing.is_whole())


def test_a_packed_file_is_unpacked_also_when_it_was_packed_in_parts(tmp_path):
    packed = gzip.compress(ROWS[:9]) + gzip.compress(ROWS[9:])
    with serving(lambda _: Reply(packed, headers={"Content-Encoding": "gzip"})) as server:
        (file,) = fetched(http(server.url), tmp_path).deliveries()

    assert ROWS == file.read_bytes()


def test_a_bomb_is_given_up_before_it_is_unpacked(tmp_path):
    bomb = gzip.compress(b"0" * 30_000_000)
    with serving(lambda _: Reply(bomb, headers={"Content-Encoding": "gzip"})) as server:
        assert ["D137"] == codes(http(server.url, most_mb=1), tmp_path)

    assert max((p.stat().st_size for p in (tmp_path / "landed" / "permits").iterdir()), default=0) <= 1_000_000


def test_a_file_that_says_that_it_is_too_large_is_not_even_begun(tmp_path):
    with serving(lambda _: Reply(b"", length=5_000_000)) as server:
        assert ["D137"] == codes(http(server.url, most_mb=1), tmp_path)

    assert 1 == len(server.asked)


def test_an_answer_without_end_is_given_up_at_the_limit(tmp_path):
    def talk(connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nid\n")
        while True:
            connection.sendall(b"1\n" * 10_000)

    with raw_serving(talk) as url:
        assert ["D137"] == codes(http(url, most_mb=1), tmp_path)


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: "])
def test_a_server_that_drips_is_given_up(tmp_path, head):
    stop = threading.Event()

    def talk(connection):
        connection.sendall(head)
        while not stop.wait(0.05):
            connection.sendall(b"a")

    began = time.monotonic()
    with raw_serving(talk) as url:
        found = codes(http(url, timeout_s=0.3, tries=2), tmp_path)
    stop.set()

    assert ["D133"] == found
    assert time.monotonic() - began < 5


def test_a_server_that_says_nothing_is_given_up(tmp_path):
    stop = threading.Event()
    with raw_serving(lambda _: stop.wait(5) and None) as url:
        found = codes(http(url, timeout_s=0.2, tries=2), tmp_path)
    stop.set()

    assert ["D133"] == found


@given(st.binary(max_size=400))
@settings(max_examples=40)
def test_whatever_a_server_says_it_is_a_file_or_a_problem(tmp_path_factory, said):
    def talk(connection):
        connection.sendall(said)

    home = tmp_path_factory.mktemp("home")
    with raw_serving(talk) as url:
        found = {"D132", "D133", "D134", "D135", "D136", "D140"}
        try:
            landing = fetched(http(url, tries=1), home)
            found &= {"D132"} if landing.is_whole() else set()
        except Refused as refused:
            found -= {p.code for p in refused.problems}

    assert len(found) in (1, 5)


# Trying again


def test_a_server_that_is_tired_is_asked_again_when_it_said(tmp_path):
    replies = iter([Reply(b"", 429, {"Retry-After": "1"}), Reply(b"", 503), Reply(ROWS)])
    began = time.monotonic()
    with serving(lambda _: next(replies)) as server:
        fetched(http(server.url), tmp_path)

    assert (3, True) == (len(server.asked), time.monotonic() - began >= 1)


def test_a_date_to_come_again_is_measured_by_the_servers_own_clock(tmp_path):
    told = {"Retry-After": "Fri, 02 Jan 2099 00:00:01 GMT"}
    replies = iter([Reply(b"", 503, told), Reply(ROWS)])
    with serving(lambda _: next(replies)) as server:
        assert ["D134"] == codes(http(server.url), tmp_path)  # by its own clock that is years away: it is told

    assert 1 == len(server.asked)


def test_a_download_that_broke_off_goes_on_where_it_ended(tmp_path):
    rows = b"id,status\n" + b"".join(b"%d,open\n" % i for i in range(20_000))

    def answer(asked):
        told = {"ETag": '"a"', "Accept-Ranges": "bytes"}
        if "range" not in asked.headers:
            return Reply(rows[:150_000], headers=told, length=len(rows))
        start = int(asked.headers["range"].removeprefix("bytes=").rstrip("-"))
        return Reply(rows[start:], 206, {**told, "Content-Range": f"bytes {start}-{len(rows) - 1}/{len(rows)}"})

    with serving(answer) as server:
        (file,) = fetched(http(server.url), tmp_path).deliveries()

    assert rows == file.read_bytes()
    assert (2, '"a"') == (len(server.asked), server.asked[1].headers["if-range"])


def test_a_download_goes_on_in_the_next_run_too(tmp_path):
    rows = b"id,status\n" + b"".join(b"%d,open\n" % i for i in range(20_000))
    is_up = {"now": False}

    def answer(asked):
        told = {"ETag": '"a"'}
        if "range" not in asked.headers:
            return Reply(rows[:150_000], headers=told, length=len(rows))
        start = int(asked.headers["range"].removeprefix("bytes=").rstrip("-"))
        told |= {"Content-Range": f"bytes {start}-{len(rows) - 1}/{len(rows)}"}
        return Reply(rows[start:], 206, told) if is_up["now"] else Reply(b"", 503)

    with serving(answer) as server:
        assert ["D134"] == codes(http(server.url, tries=2), tmp_path)
        is_up["now"] = True
        landing = fetched(http(server.url), tmp_path)

    assert rows == landing.deliveries()[0].read_bytes()
    assert {".landed.json", landing.landed()[0].file} == {p.name for p in landing.folder.iterdir()}


def test_a_part_that_is_not_all_that_is_missing_is_not_taken_for_the_end(tmp_path):
    rows = b"id,status\n" + b"1,open\n" * 20_000

    def answer(asked):
        if "range" not in asked.headers:
            return Reply(rows[:90_000] if len(server.asked) == 1 else rows, headers={"ETag": '"a"'}, length=len(rows))
        start = int(asked.headers["range"].removeprefix("bytes=").rstrip("-"))
        told = {"ETag": '"a"', "Content-Range": f"bytes {start}-{start + 9_999}/{len(rows)}"}
        return Reply(rows[start : start + 10_000], 206, told)

    with serving(answer) as server:
        (file,) = fetched(http(server.url), tmp_path).deliveries()

    assert rows == file.read_bytes()


def test_a_file_that_changed_while_it_was_fetched_is_fetched_from_the_start(tmp_path):
    old, new = b"id,status\n" + b"1,open\n" * 20_000, b"id,status\n" + b"2,closed\n" * 20_000
    replies = iter([Reply(old[:90_000], headers={"ETag": '"a"'}, length=len(old)), Reply(new, headers={"ETag": '"b"'})])
    with serving(lambda _: next(replies)) as server:
        (file,) = fetched(http(server.url), tmp_path).deliveries()

    assert new == file.read_bytes()


# Where it is fetched from


@pytest.mark.parametrize(
    "host",
    ["localhost", "2130706433", "0x7f.1", "017700000001", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]",
     "169.254.169.254", "0.0.0.0",
     "[64:ff9b::7f00:1]", "[fd00:ec2::254]", "10.0.0.1", "100.64.0.1", "[fe80::1]", "224.0.0.1"],
)  # fmt: skip
def test_a_redirect_into_a_private_network_is_not_followed(tmp_path, host):
    with serving(lambda _: Reply(b"", 302, {"Location": f"http://{host}:1/secret.csv"})) as server:
        assert ["D132"] == codes(http(server.url), tmp_path)

    assert 1 == len(server.asked)


def test_a_private_address_is_asked_only_when_the_city_says_that_it_is_its_own(tmp_path):
    with serving(lambda _: Reply(ROWS)) as server:
        assert ["D132"] == codes(http(server.url, intranet=[]), tmp_path)
        assert [] == server.asked
        fetched(http(server.url, intranet=[server.url.removeprefix("http://")]), tmp_path)

    assert 1 == len(server.asked)


@pytest.mark.parametrize(
    "to", ["file:///etc/passwd", "ftp://127.0.0.1/a", "http://user:word@127.0.0.1/a", "http://[::1"]
)
def test_a_redirect_to_what_is_no_plain_web_address_is_not_followed(tmp_path, to):
    with serving(lambda _: Reply(b"", 302, {"Location": to})) as server:
        assert ["D132"] == codes(http(server.url), tmp_path)


def test_redirects_are_followed_but_not_for_ever(tmp_path):
    with serving(
        lambda a: Reply(b"", 301, {"Location": "/b.csv"}) if a.path == "/permits.csv" else Reply(ROWS)
    ) as server:
        fetched(http(server.url), tmp_path)
    with serving(lambda _: Reply(b"", 302, {"Location": "/permits.csv"})) as server:
        assert ["D134"] == codes(http(server.url), tmp_path / "b")


@given(st.integers(0, 2**32 - 1))
def test_an_address_written_into_another_one_is_judged_as_itself(number):
    plain = ".".join(str(b) for b in number.to_bytes(4))
    mapped = f"::ffff:{plain}"

    assert is_public(plain) == is_public(mapped)
    assert is_public(plain) or not is_public(f"64:ff9b::{number >> 16:x}:{number & 0xFFFF:x}")


def test_a_name_of_this_link_is_never_the_citys_own():
    with pytest.raises(NotAllowed):
        resolve("169.254.169.254", 80, frozenset({"169.254.169.254"}))


@given(st.text(max_size=40))
def test_every_text_is_an_address_or_is_not(text):
    try:
        told = split(text).hostname
    except NotAllowed as fault:
        told = str(fault)

    assert told


# What is secret


def test_a_token_comes_from_the_environment_and_is_written_nowhere(tmp_path, monkeypatch):
    monkeypatch.setenv("PERMITS_TOKEN", "sesame-0815")
    with serving(lambda _: Reply(ROWS)) as server:
        landing = fetched(http(server.url, token_from="PERMITS_TOKEN"), tmp_path)

    assert "Bearer sesame-0815" == server.asked[0].headers["authorization"]
    assert not any(b"sesame" in p.read_bytes() for p in landing.folder.iterdir())


def test_a_token_that_is_not_there_is_named(tmp_path, monkeypatch):
    monkeypatch.delenv("PERMITS_TOKEN", raising=False)
    with pytest.raises(Refused, match="PERMITS_TOKEN"):
        fetched(http("http://127.0.0.1:1", token_from="PERMITS_TOKEN"), tmp_path)


def test_a_token_is_not_sent_to_another_host(tmp_path, monkeypatch):
    monkeypatch.setenv("PERMITS_TOKEN", "sesame-0815")
    with (
        serving(lambda _: Reply(ROWS)) as other,
        serving(lambda _: Reply(b"", 307, {"Location": f"{other.url}/permits.csv"})) as server,
    ):
        fetched(http(server.url, token_from="PERMITS_TOKEN"), tmp_path)

    assert [True, False] == ["authorization" in s.asked[0].headers for s in (server, other)]


@pytest.mark.parametrize(
    "url", ["https://a.example/b.csv?token=x", "https://u:p@a.example/b.csv", "ftp://a.example/b", "a.csv"]
)
def test_an_address_with_a_secret_or_of_another_protocol_is_refused_as_it_is_declared(url):
    with pytest.raises(Refused) as refused:
        source("http", url=url)

    assert ["K104"] == [p.code for p in refused.value.problems]


def test_a_kind_of_file_that_there_is_not_is_refused_as_it_is_declared():
    for given_here in ({"kind": "cvs"}, {"kind": "query"}, {"kind": "csv", "delimeter": ";"}):
        with pytest.raises(Refused) as refused:
            source("http", url="https://a.example/b.csv", **{"as": given_here})

        assert ["K104"] == [p.code for p in refused.value.problems]


# TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed here: apt-get install openssl")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", folder / "key",
         "-out", folder / "cert"],
        check=True, capture_output=True,
    )  # fmt: skip
    return folder


def tls(certificate, answer):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate / "cert", certificate / "key")
    return partial(serving, answer, context)


def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path, certificate):
    with tls(certificate, lambda _: Reply(ROWS))() as server:
        assert ["D133"] == codes(http(server.url), tmp_path)
        assert [] == server.asked


def test_a_certificate_is_held_against_the_name_and_not_the_number(tmp_path, certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", os.fspath(certificate / "cert"))
    with tls(certificate, lambda _: Reply(ROWS))() as server:
        named = server.url.replace("127.0.0.1", "localhost")
        fetched(http(named, intranet=["localhost"]), tmp_path)

        assert ["D133"] == codes(http(server.url), tmp_path / "b")


def test_https_never_becomes_plain_http(tmp_path, certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", os.fspath(certificate / "cert"))
    with tls(certificate, lambda _: Reply(b"", 302, {"Location": "http://localhost:1/a"}))() as server:
        named = server.url.replace("127.0.0.1", "localhost")

        assert ["D132"] == codes(http(named, intranet=["localhost"]), tmp_path)


def test_a_server_that_drips_over_tls_is_given_up_too(tmp_path, certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", os.fspath(certificate / "cert"))
    stop = threading.Event()
    with tls(certificate, lambda _: Reply(b"id\n", length=99_999, stall=stop))() as server:
        named = server.url.replace("127.0.0.1", "localhost")
        found = codes(http(named, intranet=["localhost"], timeout_s=0.4, tries=2), tmp_path)
        stop.set()

    assert ["D133"] == found


def test_a_part_of_other_content_is_not_added_to_what_is_there(tmp_path):
    old, new = b"id,status\n" + b"1,open\n" * 20_000, b"id,status\n" + b"2,closed\n" * 20_000

    def answer(asked):
        if "range" not in asked.headers:
            if len(server.asked) == 1:
                return Reply(old[:90_000], headers={"ETag": '"a"'}, length=len(old))
            return Reply(new, headers={"ETag": '"b"'})
        start = int(asked.headers["range"].removeprefix("bytes=").rstrip("-"))  # it does not look at If-Range
        return Reply(new[start:], 206, {"ETag": '"b"', "Content-Range": f"bytes {start}-{len(new) - 1}/{len(new)}"})

    with serving(answer) as server:
        (file,) = fetched(http(server.url), tmp_path).deliveries()

    assert new == file.read_bytes()


# The folder


def test_a_manifest_that_cannot_be_read_is_told(tmp_path):
    landing = Landing(tmp_path / "permits")
    landing.folder.mkdir()
    (landing.folder / ".landed.json").write_text("{")
    with pytest.raises(Refused) as refused:
        landing.landed()

    assert ["D130"] == [p.code for p in refused.value.problems]


def test_what_a_cut_off_run_left_behind_is_cleared_away(tmp_path):
    with serving(lambda _: Reply(ROWS)) as server:
        landing = fetched(http(server.url), tmp_path)
        (landing.folder / ".x.part").write_bytes(b"half")
        (landing.folder / "000001.abc.json").write_bytes(b"never counted")
        fetched(http(server.url), tmp_path)

    assert {".landed.json", landing.landed()[0].file} == {p.name for p in landing.folder.iterdir()}


def test_the_manifest_says_nothing_that_a_later_run_cannot_read(tmp_path):
    with serving(lambda _: Reply(ROWS)) as server:
        landing = fetched(http(server.url), tmp_path)
    told = json.loads((landing.folder / ".landed.json").read_text())

    assert {"checked_at", "earlier", "files", "snapshot", "state"} == set(told)


def test_a_fetch_that_is_killed_in_the_middle_leaves_nothing_half_done_and_the_next_one_goes_on(tmp_path):
    rows, kills = b"id,status\n" + b"1,open\n" * 100_000, threading.Event()

    def answer(asked):
        if "range" in asked.headers:
            start = int(asked.headers["range"].removeprefix("bytes=").rstrip("-"))
            told = {"ETag": '"a"', "Content-Range": f"bytes {start}-{len(rows) - 1}/{len(rows)}"}
            return Reply(rows[start:], 206, told)
        return Reply(rows[:400_000], headers={"ETag": '"a"'}, length=len(rows), stall=kills)

    code = (
        "import sys; from pathlib import Path; from metroon.collect import Landing;"
        "from metroon.base import kinds; from metroon.base.node import Node; from metroon.collect import Source;"
        "told = {'kind': 'http', 'url': sys.argv[1], 'intranet': ['127.0.0.1']};"
        "made = kinds.build('collect', Node(told, 'p'), Source);"
        "made.fetch(Landing(Path(sys.argv[2])))"
    )
    folder = tmp_path / "landed" / "permits"
    with serving(answer) as server:
        running = subprocess.Popen([sys.executable, "-c", code, f"{server.url}/permits.csv", folder])
        for _ in range(1000):
            if any(p.stat().st_size > 100_000 for p in folder.glob(".download.*") if p.suffix != ".json"):
                break
            time.sleep(0.02)
        running.kill()
        running.wait()
        kills.set()
        assert () == Landing(folder).landed()
        landing = fetched(http(server.url), tmp_path)

    assert rows == landing.deliveries()[0].read_bytes()
    assert "range" in server.asked[-1].headers


def test_a_disk_that_is_full_is_told_and_nothing_is_half_done(tmp_path):
    large = b"id,status\n" + b"1,open\n" * 100_000
    replies = {"now": Reply(ROWS)}
    with serving(lambda _: replies["now"]) as server:
        before = fetched(http(server.url), tmp_path).landed()
        replies["now"] = Reply(large)
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, limits[1]))  # a file cannot grow, as on a full disk
        try:
            found = codes(http(server.url), tmp_path)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        landing = Landing(tmp_path / "landed" / "permits")

        assert (["D144"], before, True) == (found, landing.landed(), landing.is_whole())
        assert large == fetched(http(server.url), tmp_path).deliveries()[0].read_bytes()
