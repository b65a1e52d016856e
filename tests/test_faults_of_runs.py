"""What happens when a run is cut off, a disk is full or closed, clocks jump, or several runs are at work at once.

Whatever happens: the last good version stays readable, nothing is half published, and the next run cleans up.
"""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from metroon.base.engine import Engine
from metroon.city import load
from metroon.lake import Lake
from metroon.walk import Walk
from town import COMMAND, WARDS, Town, small_town, stays
from zygote import Zygote

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and rights are those of Unix")

KILLS = int(os.environ.get("METROON_KILLS", "100"))
IN_A_ROW = 4


def living_town(folder: Path) -> Town:
    """A town whose stays come in a file for each day, all of them appended."""
    town = small_town(folder, places=["ward"])
    town.city(as_of="2026-03-15")
    return town


def deliver(town: Town, number: int, each: int = 20) -> None:
    rows = stays(dict.fromkeys(WARDS, each), start=date(2025, 1, 1) + timedelta(days=number % 300), days=30)
    rows = [{**row, "id": f"d{number}-{row['id']}", "person": f"d{number}-{row['person']}"} for row in rows]
    town.csv(f"stays_{number:03}.csv", rows)


def versions(
    town: Town, engine: Engine, known: Mapping[tuple[str, str, int], str] | None = None
) -> dict[tuple[str, str, int], str]:
    """Every version -> the hash of its rows; all of them must be readable. Those known already are not read again."""
    lake, found = Lake(town.folder / ".metroon" / "lake", engine), {}
    for table in sorted(lake.folder.glob("*/*")):
        zone, name = table.parent.name, table.name
        if name.endswith(".set_aside"):
            continue
        for number in lake.history(name, zone):
            if known and (zone, name, number) in known:
                found[zone, name, number] = known[zone, name, number]
                continue
            version = lake.restricted(name, number) if zone == "restricted" else lake.open(name, number)
            rows = sorted(map(repr, engine.rows(lake.read(version))))
            found[zone, name, number] = hashlib.sha256("\n".join(rows).encode()).hexdigest()
    return found


def leftovers(town: Town) -> list[str]:
    """Data files that no version has, drafts and scratch folders."""
    home = town.folder / ".metroon"
    logs = {t: "".join(f.read_text() for f in t.glob("_delta_log/*.json")) for t in home.glob("lake/*/*")}
    lost = [f for t, text in logs.items() for f in t.rglob("*.parquet") if f.name not in text]
    lost += [*home.glob("scratch/*"), *home.rglob("*.tmp"), *home.rglob("*.part")]
    return [str(f.relative_to(home)) for f in lost if "_delta_log" not in f.parts or f.suffix == ".tmp"]


# SIGKILL


@pytest.mark.slow
def test_a_run_that_is_killed_at_any_moment_leaves_every_version_readable_and_the_next_run_whole(tmp_path, engine):
    """At least 100 kills; the seed is told, and METROON_SEED takes one again."""
    seed = int(os.environ.get("METROON_SEED") or random.randrange(1 << 32))
    print(f"METROON_SEED={seed}")
    chance = random.Random(seed)
    town = living_town(tmp_path / "town")
    cleaned = 0
    with Zygote(tmp_path) as zygote:
        whole = zygote.run("run", "-C", str(town.folder))
        assert 0 == whole.code, whole.told
        seconds, known, killed, delivered = whole.seconds, versions(town, engine), 0, 0
        while killed < KILLS:
            delivered += 1
            deliver(town, delivered)
            for _ in range(chance.randint(1, IN_A_ROW)):
                ended = zygote.run("run", "-C", str(town.folder), kill_after_s=chance.uniform(0, seconds))
                killed += ended.code == -signal.SIGKILL
                now = versions(town, engine, known)
                assert known.items() <= now.items(), "a version that was there is gone or has changed"
                known = now
            left = leftovers(town)
            whole = zygote.run("run", "-C", str(town.folder))
            assert 0 == whole.code, whole.told
            seconds, cleaned = whole.seconds, cleaned + bool(left)
            assert ("cut off removed" in whole.told) == bool(left), (left, whole.told)
            assert [] == leftovers(town)
            if not delivered % 5:
                for verb in (("guard", "verify"), ("guard", "audit"), ("explain", "stay_count")):
                    looked = zygote.run(*verb, "-C", str(town.folder))
                    assert 0 == looked.code, looked.told
        looked = [zygote.run("guard", verb, "-C", str(town.folder)) for verb in ("verify", "audit")]
    walk = Walk(load(town.folder), date(2026, 3, 15))

    assert known.items() <= versions(town, engine).items(), "a version has changed"
    assert [0, 0] == [look.code for look in looked]
    assert 220 + 80 * delivered == walk.engine.count(walk.lake.read(walk.version("stays")))
    assert cleaned or KILLS < 50, "no kill left anything behind: they all came too early or too late"


# A disk that is full, or closed


def is_told(code: int, text: str) -> bool:
    """Whether a run ended well, or with problems that say what to do: never with a traceback."""
    return "Traceback" not in text and (code == 0 or "Fix: " in text)


@pytest.fixture(scope="module")
def metroon(tmp_path_factory):
    """Runs the command in a process of its own, such as one that may write no long file, or that is another user."""
    with Zygote(tmp_path_factory.mktemp("zygote")) as zygote:

        def run(town: Town, *words: str, **more: int | None) -> tuple[int, str]:
            ended = zygote.run(*words, "-C", str(town.folder), **more)
            return ended.code, ended.told

        yield run


@pytest.mark.slow
@pytest.mark.parametrize("limit", [0, 500, 2_000, 4_000, 8_000, 30_000, 70_000])
def test_a_file_that_cannot_grow_stops_the_run_with_a_problem_and_nothing_half_done(tmp_path, metroon, engine, limit):
    town = living_town(tmp_path / "town")
    assert 0 == metroon(town, "run")[0]
    known = versions(town, engine)
    deliver(town, 1)

    code, text = metroon(town, "run", limit=limit)

    assert is_told(code, text), text
    assert known.items() <= versions(town, engine).items()
    assert 0 == metroon(town, "run")[0]
    assert [] == leftovers(town)
    assert 0 == metroon(town, "guard", "audit")[0]


@pytest.fixture
def small_disk(tmp_path):
    """A disk of its own for a city, of a few megabytes; only an administrator can make one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(disk)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small disk can only be made by an administrator")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


@pytest.mark.slow
@pytest.mark.parametrize("left", [0, 4, 12, 24, 40, 64])
def test_a_full_disk_stops_the_run_with_a_problem_and_nothing_half_done(small_disk, metroon, engine, left):
    """A real disk that is full (ENOSPC) but for some kilobytes."""
    town = living_town(small_disk / "town")
    assert 0 == metroon(town, "run")[0]
    known = versions(town, engine)
    deliver(town, 1)
    filler = small_disk / "filler"
    free = os.statvfs(small_disk)
    filler.write_bytes(b"0" * max(0, free.f_bavail * free.f_frsize - 1024 * left))

    code, text = metroon(town, "run")

    assert is_told(code, text), text
    assert known.items() <= versions(town, engine).items()
    filler.unlink()
    code, text = metroon(town, "run")
    assert 0 == code, text
    assert [] == leftovers(town)
    assert 0 == metroon(town, "guard", "audit")[0]


NOBODY = 65534


def unprivileged(*words: str) -> tuple[int, str]:
    """The command without the rights of an administrator over other people's files."""
    without = ["setpriv", "--inh-caps=-all", "--bounding-set=-dac_override,-dac_read_search,-fowner,-chown"]
    command = [*(without if os.geteuid() == 0 else []), *COMMAND, *words]
    environment = {**os.environ, "COLUMNS": "100", "NO_COLOR": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32" or not shutil.which("setpriv"), reason="needs setpriv")
@pytest.mark.parametrize(
    "closed", [".metroon", ".metroon/lake", ".metroon/lake/restricted/stays", ".metroon/ledger", ".metroon/cache"]
)
def test_a_folder_that_cannot_be_written_stops_the_run_with_a_problem(tmp_path, engine, metroon, closed):
    town = living_town(tmp_path / "town")
    assert 0 == metroon(town, "run")[0]
    (town.folder / ".metroon/cache").mkdir(exist_ok=True)
    known = versions(town, engine)
    deliver(town, 1)
    with shut(town.folder / closed):
        code, text = unprivileged("run", "-C", str(town.folder))

    assert is_told(code, text), text
    assert code != 0 or closed == ".metroon/cache"
    assert known.items() <= versions(town, engine).items()
    code, text = metroon(town, "run")
    assert 0 == code, text
    assert [] == leftovers(town)


@contextmanager
def shut(folder: Path) -> Iterator[None]:
    """A folder with all in it that belongs to somebody else and can only be read."""
    every = [folder, *folder.rglob("*")]
    modes = {file: file.stat() for file in every}
    for file in every:
        file.chmod(0o555 if file.is_dir() else 0o444)
        if os.geteuid() == 0:
            os.chown(file, NOBODY, NOBODY)
    try:
        yield
    finally:
        for file, stat in modes.items():
            if os.geteuid() == 0:
                os.chown(file, stat.st_uid, stat.st_gid)
            file.chmod(stat.st_mode)


# Several at once, and clocks


@pytest.mark.slow
def test_four_processes_of_twenty_commits_each_make_eighty_versions(tmp_path, engine):
    script = """
import sys
from pathlib import Path
import pyarrow as pa
from metroon.base.engine import Engine
from metroon.guard import Guarded
from metroon.lake import Lake
engine = Engine()
lake = Lake(Path(sys.argv[1]), engine)
for n in range(20):
    mark = f"{sys.argv[2]}-{n}"
    rows = engine.table(pa.table({"mark": [mark]}))
    version = lake.publish(Guarded("toys", rows, ()), {"key": mark})
    print(version.number, mark, flush=True)
"""
    writers = [
        subprocess.Popen([sys.executable, "-c", script, str(tmp_path), str(n)], stdout=subprocess.PIPE, text=True)
        for n in range(4)
    ]
    told = [line.split() for w in writers for line in w.communicate()[0].splitlines()]
    lake = Lake(tmp_path, engine)
    kept = {n: lake.open("toys", n) for n in lake.history("toys", "open")}

    assert 80 == len(told) == len(kept)
    assert {int(number): mark for number, mark in told} == {n: v.evidence["key"] for n, v in kept.items()}
    assert all([{"mark": v.evidence["key"]}] == engine.rows(lake.read(v)) for v in kept.values())


@pytest.mark.slow
def test_four_runs_at_once_leave_one_whole_city(tmp_path, metroon, engine):
    town = living_town(tmp_path / "town")
    for n in range(6):
        deliver(town, n)
    at_once = [
        subprocess.Popen(
            [*COMMAND, "run", "-C", str(town.folder)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        for _ in range(4)
    ]
    told = [(p.communicate()[0], p.returncode) for p in at_once]

    assert all(is_told(code, text) for text, code in told), told
    code, text = metroon(town, "run")
    assert 0 == code, text
    assert versions(town, engine)
    assert [] == leftovers(town)
    for verb in (("guard", "verify"), ("guard", "audit"), ("explain", "stay_count")):
        code, text = metroon(town, *verb)
        assert 0 == code, text


@pytest.mark.slow
def test_a_clock_that_is_set_back_loses_no_version_and_no_delivery(tmp_path, metroon, engine):
    """Files from the future, and a run whose day is before that of the run before."""
    town = living_town(tmp_path / "town")
    assert 0 == metroon(town, "run")[0]
    known = versions(town, engine)
    deliver(town, 1)
    later = 4_000_000_000
    for file in [*town.folder.rglob("stays_*.csv"), *town.folder.rglob("*.parquet"), *town.folder.rglob("*.lock")]:
        os.utime(file, (later, later))

    runs = [metroon(town, "run", "--as-of", day) for day in ("2026-03-10", "2026-03-20")]

    assert [0, 0] == [code for code, _ in runs], runs
    assert known.items() <= versions(town, engine).items()
    walk = Walk(load(town.folder), date(2026, 3, 20))
    assert 300 == walk.engine.count(walk.lake.read(walk.version("stays")))
    assert 0 == metroon(town, "guard", "audit")[0]
