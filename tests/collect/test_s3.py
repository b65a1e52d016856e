"""Objects in a bucket: a small store that speaks the protocol, asked by the real client."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from loopback import Asked, Reply, fetched, read, serving

from metroon.base import kinds
from metroon.base.errors import Refused
from metroon.base.node import Node
from metroon.collect import Landing, RemoteSource, Source

pytest.importorskip("obstore", reason="the extra s3 is not installed")


@dataclass
class Store:
    objects: dict[str, bytes]
    key: str = ""
    broken: dict[str, Reply] = field(default_factory=dict)

    def __call__(self, asked: Asked) -> Reply:
        if self.key and f"Credential={self.key}/" not in asked.headers.get("authorization", ""):
            return _error(403, "AccessDenied")
        if asked.query.get("list-type") == "2":
            return self._list(asked.query.get("prefix", ""), asked.query.get("continuation-token", ""))
        name = asked.path.removeprefix("/city/")
        if name in self.broken:
            return self.broken[name]
        if name not in self.objects:
            return _error(404, "NoSuchKey")
        etag = _etag(self.objects[name])
        if asked.headers.get("if-match", etag) != etag:
            return _error(412, "PreconditionFailed")
        return Reply(self.objects[name], 200, {"ETag": etag, "Last-Modified": "Wed, 04 Mar 2026 10:00:00 GMT"})

    def _list(self, prefix: str, after: str) -> Reply:
        names = sorted(n for n in self.objects if n.startswith(prefix) and n > after)
        told = "".join(
            f"<Contents><Key>{escape(n)}</Key><LastModified>2026-03-04T10:00:00.000Z</LastModified>"
            f"<ETag>{escape(_etag(self.objects[n]))}</ETag><Size>{len(self.objects[n])}</Size></Contents>"
            for n in names[:2]
        )
        more = f"<NextContinuationToken>{escape(names[1])}</NextContinuationToken>" if len(names) > 2 else ""
        cut = "true" if more else "false"
        body = f"<ListBucketResult><Name>city</Name><IsTruncated>{cut}</IsTruncated>{told}{more}</ListBucketResult>"
        return Reply(body.encode(), 200, {"Content-Type": "application/xml"})


def _etag(content: bytes) -> str:
    return f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'


def _error(status: int, code: str) -> Reply:
    return Reply(f"<Error><Code>{code}</Code><Message>m</Message></Error>".encode(), status)


def s3(url: str, **options: object) -> RemoteSource:
    told = {"bucket": "city", "path": "permits/*.csv", "endpoint": url, "intranet": True, "timeout_s": 2}
    made = kinds.build("collect", Node({"kind": "s3", **told, **options}, "product.yaml"), Source)
    assert isinstance(made, RemoteSource)
    return made


def code(made: RemoteSource, home: Path) -> str:
    with pytest.raises(Refused) as refused:
        fetched(made, home)
    (problem,) = refused.value.problems
    return problem.code


OBJECTS = {f"permits/{c}.csv": f"id\n{c}\n".encode() for c in "abcde"} | {
    "permits/x.txt": b"no",
    "other/f.csv": b"id\nf\n",
}


def test_every_object_that_the_path_names_is_fetched_whatever_the_pages_of_the_list(tmp_path, engine):
    with serving(Store(dict(OBJECTS))) as server:
        landing = fetched(s3(server.url), tmp_path)
        rows, _ = read(s3(server.url), landing, engine, id="string public")

    assert list("abcde") == [r["id"] for r in rows]
    assert f"{server.url}/city/permits/a.csv" == landing.landed()[0].address


def test_only_objects_that_changed_are_fetched_again(tmp_path):
    store = Store(dict(OBJECTS))
    with serving(store) as server:
        before = fetched(s3(server.url), tmp_path).landed()
        server.asked.clear()
        store.objects["permits/b.csv"] = b"id\nnew\n"
        after = fetched(s3(server.url), tmp_path).landed()

    assert ["/city/permits/b.csv"] == [a.path for a in server.asked if "list-type" not in a.query]
    assert [True, False, True, True, True] == [a == b for a, b in zip(before, after, strict=True)]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"path": "nothing/*.csv"}, "D140"),
        ({"intranet": False}, "D132"),
        ({"most_mb": 1, "path": "large/*.csv"}, "D137"),
        ({"as": {"kind": "parquet"}, "path": "other/*"}, "D135"),
    ],
)
def test_what_cannot_be_had_is_told_and_what_was_landed_stays(tmp_path, options, expected):
    with serving(Store({**OBJECTS, "large/a.csv": b"0" * 1_000_001})) as server:
        before = fetched(s3(server.url), tmp_path).landed()
        assert expected == code(s3(server.url, **options), tmp_path)
    landing = Landing(tmp_path / "landed" / "permits")

    assert (before, True) == (landing.landed(), landing.is_whole())


def test_an_object_that_was_replaced_since_it_was_listed_is_not_mixed(tmp_path):
    store = Store(dict(OBJECTS))
    store.broken["permits/c.csv"] = _error(412, "PreconditionFailed")
    with serving(store) as server:
        assert "D138" == code(s3(server.url), tmp_path)


def test_a_key_is_taken_from_the_environment_and_written_nowhere(tmp_path, monkeypatch):
    monkeypatch.setenv("STORE_ID", "OPENSESAME")
    monkeypatch.setenv("STORE_SECRET", "sesame-0815")
    keys = {"key_id_from": "STORE_ID", "secret_from": "STORE_SECRET"}
    with serving(Store(dict(OBJECTS), key="OPENSESAME")) as server:
        assert "D142" == code(s3(server.url), tmp_path)
        landing = fetched(s3(server.url, **keys), tmp_path)
        monkeypatch.delenv("STORE_SECRET")
        assert "D131" == code(s3(server.url, **keys), tmp_path)

    assert not any(b"sesame" in p.read_bytes().lower() for p in landing.folder.iterdir())
