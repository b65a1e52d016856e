"""The schedule: lines for cron and units for systemd that run a city as often as its contracts promise."""

from __future__ import annotations

import re
import shlex
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from metroon.base.errors import Refused
from metroon.city.properties import days, latency, promised

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from metroon.base.node import Node
    from metroon.city import City

_NIGHT = "15 2 * * *"
_EVERY = ((1 / 24, "*/5 * * * *"), (1 / 4, "*/15 * * * *"), (1.0, "5 * * * *"), (2.0, "5 */6 * * *"))
"""Promised at least every so many days -> when to run: several times in that stretch, so that one miss is no breach."""
_VERIFY = "15 3 * * 0"
_FIELDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
_DAYS = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_PART = re.compile(r"(?:\*|(?P<low>\d+)(?:-(?P<high>\d+))?)(?:/(?P<step>\d+))?")
_MINUTES = 60 / 1440


@dataclass(frozen=True)
class Job:
    """Something to run at some times.

    Args:
        name: Its name among the jobs of the city; empty for the one that runs all of it.
        when: The five fields of cron.
        words: What follows ``metroon``.
        why: Why so often, in words.
    """

    name: str
    when: str
    words: tuple[str, ...]
    why: str


@dataclass(frozen=True)
class Schedule:
    """When a city is run, on this machine.

    Args:
        city: The city's name.
        folder: Where it is.
        zone: The zone in which times are meant.
        user: Who runs it.
        command: The program.
        jobs: What is run.
        soon: Whether something is promised so soon after it comes that the city should be watched instead.
    """

    city: str
    folder: Path
    zone: str
    user: str
    command: Path
    jobs: tuple[Job, ...]
    soon: bool

    @property
    def slug(self) -> str:
        """The city's name as names of units have it."""
        return re.sub(r"[^a-z0-9]+", "-", self.folder.name.lower()).strip("-") or "city"

    @property
    def lock(self) -> Path:
        """Held by a scheduled run, so that they do not pile up."""
        return self.folder / ".metroon" / "schedule.lock"

    @property
    def log(self) -> Path:
        """Where cron's runs write."""
        return self.folder / ".metroon" / "run.log"


def schedule(city: City, *, user: str) -> Schedule:
    """When to run a city, from the frequency and latency that its contracts promise.

    Args:
        city: The city.
        user: Who runs it.

    Raises:
        Refused: A contract's own schedule is none of cron (F118).
    """
    jobs, problems = [], []
    finest, why = float("inf"), "nothing is promised: every night"
    for name, product in city.products.items():
        own = _own(product.contract.node)
        if own is not None and not _is_cron(str(own.at("schedule").value)):
            what = f"the schedule '{own.at('schedule').value}' is none of cron."
            problems.append(
                own.problem("F118", what, "Write minute, hour, day, month, weekday: 15 2 * * *", "schedule")
            )
        elif own is not None:
            jobs.append(Job(name, str(own.at("schedule").value), ("run", name), f"the contract of {name} says so"))
        for promise in filter(None, (promised(product.contract.node, "frequency"), latency(product.contract.node))):
            given = _days(promise)
            if given is not None and given < finest:
                word = str(promise.at("property").value)
                finest, why = given, f"{name} promises a {word} of {promise.at('value').value} {_unit(promise)}"
    if problems:
        raise Refused(problems)
    when = next((cron for most, cron in _EVERY if finest <= most), _NIGHT)
    every = [
        Job("", when, ("run",), why),
        *jobs,
        Job("verify", _VERIFY, ("run", "--verify"), "every file hashed again"),
    ]
    nodes = [p.contract.node for p in city.products.values()]
    soon = any((t := promised(n, "timeToPublish")) is not None and (_days(t) or 1) < _MINUTES for n in nodes)
    return Schedule(city.file.name, city.folder.resolve(), city.file.time_zone, user, _command(), tuple(every), soon)


def _own(node: Node) -> Node | None:
    told = (s for s in node.at("slaProperties").each() if s.at("schedule").value)
    return next((s for s in told if str(s.at("scheduler").value or "cron") == "cron"), None)


def _days(promise: Node) -> float | None:
    try:
        return days(promise)
    except (ValueError, KeyError):
        return None  # told by metroon check where it counts


def _unit(promise: Node) -> str:
    return str(promise.at("unit").value or "d")


def _command() -> Path:
    return Path(shutil.which("metroon", path=str(Path(sys.executable).parent)) or Path(sys.argv[0]).absolute())


def _is_cron(text: str) -> bool:
    fields = text.split()
    return len(fields) == len(_FIELDS) and all(_is_field(f, *limits) for f, limits in zip(fields, _FIELDS, strict=True))


def _is_field(field: str, least: int, most: int) -> bool:
    for part in field.split(","):
        found = _PART.fullmatch(part)
        if found is None:
            return False
        numbers = [int(found[g]) for g in ("low", "high") if found[g]]
        if not all(least <= n <= most for n in numbers) or numbers != sorted(numbers) or found["step"] == "0":
            return False
    return True


# cron


def cron(told: Schedule) -> str:
    """The lines of a crontab."""
    lines = [
        f"# {told.city}: made by metroon schedule. Put it into the crontab of {told.user}: crontab -e",
        f"CRON_TZ={told.zone}",
        "# Where cron does not know CRON_TZ, such as Debian's, times are those of the machine.",
        "# Keys, tokens and databases' addresses come from the environment: set them here, or better from a store.",
    ]
    for job in told.jobs:
        command = shlex.join([*_locked(told), str(told.command), *job.words, "-C", str(told.folder)])
        text = f"{command} >> {shlex.quote(str(told.log))} 2>&1"
        lines += [f"# {job.why}", f"{job.when}  " + text.replace("%", r"\%")]
    return "\n".join(lines) + "\n"


def _locked(told: Schedule) -> list[str]:
    # A run that finds another one at work has nothing to do, and nothing to complain of.
    return [shutil.which("flock") or "flock", "-n", "-E", "0", str(told.lock)]


# systemd


def units(told: Schedule) -> dict[str, str]:
    """Name of each file below /etc/systemd/system -> its text."""
    made = {}
    for job in told.jobs:
        name = "-".join(p for p in ("metroon", told.slug, job.name.replace("_", "-")) if p)
        made[f"{name}.service"] = _service(told, job)
        made[f"{name}.timer"] = _timer(told, job)
    made[f"metroon-{told.slug}-watch.service"] = _watch(told)
    return made


def _service(told: Schedule, job: Job) -> str:
    words = [*_locked(told), str(told.command), *job.words, "-C", str(told.folder)]
    return _unit_text(
        {
            "Unit": [
                ("Description", _escaped(f"Metroon runs {told.city}: {job.why}")),
                ("After", "network-online.target"),
            ],
            "Service": [("Type", "oneshot"), ("ExecStart", _quoted(words)), *_beside(told)],
        }
    )


def _watch(told: Schedule) -> str:
    words = [str(told.command), "run", "--watch", "-C", str(told.folder)]
    return _unit_text(
        {
            "Unit": [("Description", _escaped(f"Metroon watches {told.city}")), ("After", "network-online.target")],
            "Service": [
                ("Type", "simple"),
                ("ExecStart", _quoted(words)),
                *_beside(told),
                ("Restart", "on-failure"),
                ("RestartSec", "60"),
                # The product at work is done first.
                ("TimeoutStopSec", "1h"),
                ("KillMode", "mixed"),
            ],
            "Install": [("WantedBy", "multi-user.target")],
        }
    )


def _beside(told: Schedule) -> list[tuple[str, str]]:
    return [
        ("User", told.user),
        ("WorkingDirectory", _escaped(str(told.folder))),
        ("EnvironmentFile", f"-/etc/metroon/{told.slug}.env"),
        ("Nice", "10"),
        ("NoNewPrivileges", "yes"),
        ("PrivateTmp", "yes"),
    ]


def _timer(told: Schedule, job: Job) -> str:
    calendar = [("OnCalendar", f"{when} {told.zone}") for when in _calendars(job.when)]
    return _unit_text(
        {
            "Unit": [("Description", _escaped(f"When Metroon runs {told.city}: {job.why}"))],
            "Timer": [*calendar, ("Persistent", "true")],
            "Install": [("WantedBy", "timers.target")],
        }
    )


def _unit_text(parts: Mapping[str, Sequence[tuple[str, str]]]) -> str:
    blocks = ("\n".join([f"[{name}]", *(f"{k}={v}" for k, v in lines)]) for name, lines in parts.items())
    return "\n\n".join(blocks) + "\n"


def _calendars(text: str) -> Iterator[str]:
    """The times of cron as systemd writes them; two where cron means one day or the other.

    Example:
        >>> [*_calendars("15 2 * * *")], [*_calendars("*/15 8-17 * * 1-5")]
        (['*-*-* 2:15:00'], ['Mon,Tue,Wed,Thu,Fri *-*-* 8..17:0/15:00'])
    """
    minute, hour, day, month, weekday = text.split()
    clock = f"{_listed(hour, 0)}:{_listed(minute, 0)}:00"
    date = f"*-{_listed(month, 1)}-{{}} {clock}"
    names = ",".join(dict.fromkeys(_DAYS[n] for n in _numbers(weekday)))
    if weekday == "*":
        yield date.format(_listed(day, 1))
    elif day == "*":
        yield f"{names} {date.format('*')}"
    else:
        yield date.format(_listed(day, 1))
        yield f"{names} {date.format('*')}"


def _listed(field: str, least: int) -> str:
    def part(text: str) -> str:
        span, _, step = text.partition("/")
        span = span.replace("-", "..")
        return f"{least if span == '*' else span}/{step}" if step else span

    return ",".join(map(part, field.split(",")))


def _numbers(field: str) -> list[int]:
    found = set()
    for part in field.split(","):
        told = _PART.fullmatch(part)
        if told is not None:
            low = int(told["low"]) if told["low"] else 0
            high = int(told["high"]) if told["high"] else low if told["low"] and not told["step"] else 6
            found |= set(range(low, high + 1, int(told["step"] or 1)))
    return sorted(found)


def _quoted(words: Sequence[str]) -> str:
    return " ".join(f'"{_escaped(w)}"' if re.search(r"[^\w@+=:,./-]", w) else w for w in words)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
