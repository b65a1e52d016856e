"""An erasure that is cut off is finished, reaches copies and backups, and is done only when nothing is found."""

from __future__ import annotations

import functools
import http.server
import json
import os
import subprocess
import sys
import threading
import zipfile
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from deltalake import DeltaTable, QueryBuilder
from hypothesis import given
from hypothesis import strategies as st

from erased import BY, CANARIES, KEY, NAME, WHY, codes, counts, erase, found, n_rows, rows, town
from metroon import erasing
from metroon.base import scratch, store
from metroon.base.store import Store
from metroon.city import load
from metroon.cli import main
from metroon.lake import erasure, lake, remains, removal, suppression
from metroon.lake.erasure import Certificates
from metroon.leaving import backup, export, restore
from town import Town

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

# Cut off


class Cut(BaseException):
    """The process was killed."""


STEPS = [
    "Suppressions.keep", "Certificates.begin", "removal._forget_waiting", "removal._fewer", "removal._rewrite",
    "Lake.rewrite", "Lake.align", "removal._scrub", "removal._withdraw", "scratch.sweep", "Store.forget",
    "remains.look", "Certificates.save",
]  # fmt: skip


def at(step: str) -> tuple[Any, str]:
    owners = {"removal": removal, "scratch": scratch, "remains": remains}
    for module in (erasure, lake, suppression, store):
        owners |= {
            n: getattr(module, n) for n in ("Certificates", "Lake", "Suppressions", "Store") if hasattr(module, n)
        }
    owner, name = step.split(".")
    return owners[owner], name


@pytest.mark.slow
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("is_after", [False, True])
def test_whoever_is_cut_off_has_done_nothing_or_is_finished_by_the_next_run(tmp_path, monkeypatch, step, is_after):
    made = town(tmp_path)
    with monkeypatch.context() as patched:
        owner, name = at(step)
        whole = getattr(owner, name)

        def cut(*given: Any, **more: Any) -> None:
            if is_after:
                whole(*given, **more)
            raise Cut

        patched.setattr(owner, name, cut)
        with pytest.raises(Cut):
            erase(made)
    if Certificates(tmp_path / ".metroon").all():
        told = made.run()
        assert told.account("stays").adds_up
        assert {"done"} == {c.told["state"] for c in Certificates(tmp_path / ".metroon").all()}
    else:
        assert {1: 160, 2: 240} == counts(made)
        erase(made)

    assert [] == found(tmp_path / ".metroon")
    assert {1: 157, 2: 235, 3: 235}.items() <= counts(made).items()
    assert [] == Certificates(tmp_path / ".metroon").faults()


def test_a_run_that_finishes_an_erasure_says_so_and_a_call_with_the_key_too(tmp_path, monkeypatch):
    made = town(tmp_path)

    def cut(*_: object) -> None:
        raise Cut

    with monkeypatch.context() as patched:
        patched.setattr(removal, "_scrub", cut)
        with pytest.raises(Cut):
            erase(made)
    certificate = erase(made)

    assert (1, True) == (certificate.number, certificate.is_done)
    assert [] == found(tmp_path / ".metroon")


def test_a_killed_process_is_finished_by_the_next_run(tmp_path):
    made = town(tmp_path)
    code = (
        "import os, sys; from datetime import date; from pathlib import Path;"
        "from metroon import erasing; from metroon.city import load; from metroon.walk import Walk;"
        "from metroon.lake import Lake; Lake.align = lambda *a: os.kill(os.getpid(), 9);"
        "erasing.erase(Walk(load(Path(sys.argv[1])), date(2026, 1, 31)), 'stays', sys.argv[2], by=sys.argv[3],"
        " reason='x 1')"
    )
    ended = subprocess.run([sys.executable, "-c", code, str(tmp_path), KEY, BY], check=False)
    assert -9 == ended.returncode
    told = made.run()

    assert any("erasure of a person was finished" in line for line in told.run.upkeep)
    assert [] == found(tmp_path / ".metroon")
    assert {1: 157, 2: 235, 3: 235} == counts(made)


def test_a_hold_that_comes_in_between_stops_what_was_begun(tmp_path, monkeypatch):
    made = town(tmp_path)

    def cut(*_: object) -> None:
        raise Cut

    with monkeypatch.context() as patched:
        patched.setattr(removal, "carry_out", cut)
        with pytest.raises(Cut):
            erase(made)
    hold = {"id": "suit", "products": ["stays"], "reason": "A suit", "by": BY, "from": "2026-01-01"}
    made.write("holds.yaml", {"holds": [hold]})
    made.run()

    assert 1 == len(Certificates(tmp_path / ".metroon").unfinished("erasure"))
    assert found(tmp_path / ".metroon")


# The proof


@pytest.mark.parametrize("form", ["text", "escaped", "zip", "parquet", "utf-16", "name"])
def test_it_is_not_done_while_anything_is_found(tmp_path, form):
    made = town(tmp_path)
    file = tmp_path / ".metroon" / ("left over" if form != "name" else f"{NAME}.txt")
    if form == "zip":
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a.txt", f"who: {NAME}")
    elif form == "parquet":
        pq.write_table(pa.table({"who": [f"said {NAME}", None]}), file)
    else:
        told = {"text": f"by {NAME}.", "escaped": json.dumps({"a": NAME.replace("x", "x")}).replace("Q", "\\u0051")}
        file.write_bytes(f"by {NAME}".encode("utf-16-le") if form == "utf-16" else told.get(form, "x").encode())

    assert ["L124"] == codes(lambda: erase(made))
    file.unlink()
    assert erase(made).is_done
    assert [] == found(tmp_path / ".metroon")


def test_what_other_people_share_with_the_person_is_told_and_stays(tmp_path):
    made = town(tmp_path)
    made.csv("stays_3.csv", [{**rows(1, start=900, canaries=0)[0], "person": "namesake", "name": NAME}])
    made.ran()
    certificate = erase(made)

    assert ["restricted/stays"] == [*certificate.told["verified"]["cells_of_others_that_hold_the_same"]]
    assert "namesake" in (tmp_path / "inbox" / "stays_3.csv").read_text()
    assert 236 == n_rows(made, "restricted", "stays")


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Z"]), min_size=5, max_size=20))
def test_a_word_is_found_wherever_it_stands_alone_and_never_in_another(word):
    seeker = remains.words([word])

    assert seeker.finds(f"({word}) ")
    assert not seeker.finds(f"a{word}1") or not (word[0].isascii() and word[0].isalnum())
    assert seeker.finds_bytes(b"\x00" + word.casefold().encode() + b"\xff")


def test_what_the_store_remembers_of_the_person_goes(tmp_path):
    made = town(tmp_path)
    store = Store(tmp_path / ".metroon" / "store.sqlite")
    store.asked(date(2026, 1, 1), KEY, "en")
    store.asked(date(2026, 1, 1), f"where does {NAME} live", "en")
    store.asked(date(2026, 1, 1), "trees", "en")
    store.close()
    assert any("store" in f for f in found(tmp_path / ".metroon"))
    erase(made)
    store = Store(tmp_path / ".metroon" / "store.sqlite")

    assert ["trees"] == [q for q, *_ in store.not_found()]
    store.close()


# Logs


def test_a_checkpoint_is_written_anew_and_old_versions_are_still_read(tmp_path):
    made = town(tmp_path)
    table = tmp_path / ".metroon" / "lake" / "restricted" / "stays"
    DeltaTable(str(table)).create_checkpoint()
    assert [*(table / "_delta_log").glob("*.checkpoint.parquet")]
    erase(made)

    assert {1: 157, 2: 235, 3: 235} == counts(made)
    assert 235 == len(DeltaTable(str(table)).to_pyarrow_table(columns=["id"]))


def test_an_engine_that_trusts_the_log_counts_what_is_there(tmp_path):
    erase(town(tmp_path))
    table = str(tmp_path / ".metroon" / "lake" / "restricted" / "stays")
    told = []
    for version in (1, 2, 3):
        asked = QueryBuilder().register("stays", DeltaTable(table, version=version))
        told += pa.table(asked.execute("select count(*) as n, count(person) as people from stays")).to_pylist()

    assert [{"n": n, "people": n} for n in (157, 235, 235)] == told


# Copies elsewhere


def test_a_backup_from_before_is_put_back_without_the_person(tmp_path):
    made = town(tmp_path / "town")
    before = backup(load(made.folder), tmp_path / "before", at=datetime(2026, 3, 1, tzinfo=UTC))
    erase(made)
    restore(before.folder, tmp_path / "again", live=made.folder)
    again = Town(tmp_path / "again")

    assert [] == found(tmp_path / "again" / ".metroon")
    assert {1: 157, 2: 235, 3: 235} == counts(again)
    assert (True, 235) == (again.run().account("stays").adds_up, again.run().account("stays").kept)
    assert [] == found(tmp_path / "again" / ".metroon")


def test_a_public_export_tells_nothing_of_an_erasure(tmp_path):
    made = town(tmp_path / "town")
    erase(made)
    told = export(made.walk(), tmp_path / "out", at=datetime(2026, 3, 1, tzinfo=UTC))

    assert [] == [f for f in (tmp_path / "out").rglob("*") if f.parent.name in ("certificates", "erased")]
    assert any("certificates" in why for why in told.left_out)
    restore(tmp_path / "out", tmp_path / "again")


def test_fetched_copies_go_and_are_not_kept_again(tmp_path):
    made = town(tmp_path / "town")
    site = tmp_path / "site"
    site.mkdir()
    (made.folder / "inbox" / "stays_1.csv").rename(site / "stays.csv")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        port = server.server_address[1]
        made.write("products/stays/product.yaml", {
            "collect": {"kind": "http", "url": f"http://127.0.0.1:{port}/stays.csv", "intranet": ["127.0.0.1"],
                        "as": {"kind": "csv", "path": "*.csv"}},
            "guard": [],
        })  # fmt: skip
        told = made.run()
        assert 160 == told.account("stays").kept, told.codes()
        certificate = erase(made)
        assert ["stays"] == certificate.told["landed"]
        assert [] == found(made.folder / ".metroon")
        account = made.run().account("stays")
        assert (157, True) == (account.kept, account.adds_up)
        assert [] == found(made.folder / ".metroon")
    finally:
        server.shutdown()
        server.server_close()


# The command


def said(folder: Path, *words: str, **more: Any) -> Result:
    return CliRunner().invoke(main, ["erase", "stays", *words, "-C", str(folder)], catch_exceptions=False, **more)


def test_the_command_tells_what_would_go_then_what_went_and_never_who(tmp_path):
    made = town(tmp_path)
    first = said(tmp_path, "--key", "-", "--dry-run", input=f"{KEY}\n")
    assert (0, True) == (first.exit_code, "up to 5 rows of 2 versions" in " ".join(first.output.split()))
    assert found(tmp_path / ".metroon")
    done = said(tmp_path, "--by", BY, "--reason", WHY, env={"METROON_ERASE_KEY": KEY})
    assert (0, True) == (done.exit_code, "certificate 1" in done.output)
    again = said(tmp_path, "--key", KEY, "--by", BY, "--reason", WHY)
    assert (2, True) == (again.exit_code, "L127" in again.output)
    lifted = said(tmp_path, "--lift", "1", "--by", BY, "--reason", "asked for it")

    assert (0, True) == (lifted.exit_code, "certificate 2" in lifted.output)
    assert not any(c in said.output for said in (first, done, again, lifted) for c in CANARIES)
    assert erasing.plan(made.walk(), "stays", KEY).is_empty


def test_the_plan_for_programs_holds_counts_alone(tmp_path):
    town(tmp_path)
    told = json.loads(said(tmp_path, "--key", KEY, "--dry-run", "--format", "json").output)

    assert [3, 5] == [h["rows"] for h in told["rewritten"]]
    assert not any(c in json.dumps(told) for c in CANARIES)
    assert not (tmp_path / ".metroon" / "erased").exists()
    assert os.listdir(tmp_path / ".metroon")
