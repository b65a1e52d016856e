"""The schedule: lines and units that cron and systemd take as they are, as often as the contracts promise."""

from __future__ import annotations

import shutil
import subprocess
from datetime import datetime

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from metroon.base.errors import Refused
from metroon.city import load
from metroon.cli import main
from metroon.schedule import _calendars, cron, schedule, units
from town import Town, small_town


@pytest.fixture
def town(tmp_path) -> Town:
    return small_town(tmp_path / "my town 100%").city(time_zone="America/Los_Angeles")


def promise(town: Town, *sla: dict[str, object]) -> None:
    told = town.walk().contracts["stays"].node.value
    town.write("products/stays/contract.yaml", {**told, "slaProperties": list(sla)})


def jobs(town: Town) -> dict[str, str]:
    return {j.name: j.when for j in schedule(load(town.folder), user="data").jobs}


@pytest.mark.parametrize(
    ("value", "unit", "when"),
    [(1, "h", "*/5 * * * *"), (6, "h", "*/15 * * * *"), (1, "d", "5 * * * *"), (2, "d", "5 */6 * * *")],
)
def test_what_is_promised_often_is_run_several_times_as_often(town, value, unit, when):
    promise(town, {"property": "frequency", "value": value, "unit": unit})

    assert when == jobs(town)[""]


@pytest.mark.parametrize("sla", [[], [{"property": "frequency", "value": 1, "unit": "y"}]])
def test_what_is_promised_seldom_is_run_every_night(town, sla):
    promise(town, *sla)

    assert "15 2 * * *" == jobs(town)[""]


def test_a_contracts_own_schedule_is_kept_beside(town):
    promise(town, {"property": "frequency", "value": 7, "unit": "d", "scheduler": "cron", "schedule": "0 6 * * 1-5"})

    assert "0 6 * * 1-5" == jobs(town)["stays"]


@pytest.mark.parametrize("text", ["0 30 * * *", "hourly", "0 6 * *", "*/0 * * * *", "0 6 * * 8", "5-1 * * * *"])
def test_a_schedule_that_is_none_is_told(town, text):
    promise(town, {"property": "frequency", "value": 1, "scheduler": "cron", "schedule": text})

    with pytest.raises(Refused) as refused:
        jobs(town)
    assert ["F118"] == [p.code for p in refused.value.problems]


def test_what_is_to_be_soon_is_better_watched(town):
    promise(town, {"property": "timeToPublish", "value": 15, "unit": "min"})

    assert schedule(load(town.folder), user="data").soon
    assert "run --watch" in CliRunner().invoke(main, ["schedule", str(town.folder)]).stdout


def test_a_line_of_cron_runs_this_city_in_its_zone_alone_and_writes_a_log(town):
    told = cron(schedule(load(town.folder), user="data"))
    line = next(x for x in told.splitlines() if x.startswith("15 2"))

    assert "CRON_TZ=America/Los_Angeles" in told
    assert "100\\%" in line
    assert "%" not in line.replace("\\%", "")
    assert all(word in line for word in ("flock -n -E 0", "schedule.lock", "run -C", "run.log", "2>&1"))


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze")
def test_systemd_takes_the_units_as_they_are(town, tmp_path):
    sla = {"property": "frequency", "value": 1, "scheduler": "cron", "schedule": "*/20 8-17 1 * 1-5"}
    promise(town, sla)
    out = tmp_path / "units"
    made = CliRunner().invoke(
        main, ["schedule", str(town.folder), "--for", "systemd", "--user", "root", "--write", str(out)]
    )
    files = sorted(map(str, out.iterdir()))
    looked = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *files], capture_output=True, text=True, check=False
    )

    assert 0 == made.exit_code
    assert 7 == len(files)
    assert (0, "") == (looked.returncode, "".join(x for x in looked.stderr.splitlines() if "my-town" in x))


def test_every_service_has_its_timer_but_the_one_that_stays(town):
    names = set(units(schedule(load(town.folder), user="data")))

    assert {n for n in names if n.endswith(".service")} - {
        n.replace(".timer", ".service") for n in names if n.endswith(".timer")
    } == {"metroon-my-town-100-watch.service"}


_MINUTES = st.one_of(st.just("*"), st.integers(0, 59).map(str), st.sampled_from(["*/15", "10-20", "5,35", "0-30/10"]))
_HOURS = st.one_of(st.just("*"), st.integers(0, 23).map(str), st.sampled_from(["*/6", "8-17"]))
_WEEKDAYS = st.sampled_from(["*", "0", "7", "1-5", "6,0"])


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze")
@given(_MINUTES, _HOURS, _WEEKDAYS)
def test_systemd_runs_at_the_times_that_cron_means(minute, hour, weekday):
    (when,) = _calendars(f"{minute} {hour} * * {weekday}")
    told = subprocess.run(
        ["systemd-analyze", "calendar", "--base-time=2026-03-15 12:00:00 UTC", "--iterations=3", f"{when} UTC"],
        capture_output=True, text=True, check=False, env={"TZ": "UTC", "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    times = [x.split(": ")[1] for x in told.stdout.splitlines() if x.strip().startswith(("Next elapse", "Iter"))]
    moments = [datetime.strptime(" ".join(t.split()[1:3]), "%Y-%m-%d %H:%M:%S") for t in times]

    assert 0 == told.returncode, told.stderr
    assert moments
    for m in moments:
        assert _means(minute, m.minute, 59)
        assert _means(hour, m.hour, 23)
        assert _means(weekday, m.isoweekday() % 7, 7) or (m.isoweekday() == 7 and _means(weekday, 7, 7))


def _means(field: str, number: int, most: int) -> bool:
    def one(part: str) -> bool:
        span, _, step = part.partition("/")
        low, _, high = ("0", "", str(most)) if span == "*" else span.partition("-")
        return int(low) <= number <= int(high or (most if step else low)) and (number - int(low)) % int(step or 1) == 0

    return any(map(one, field.split(",")))
