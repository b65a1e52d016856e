"""Watching: deliveries are taken in as they come, and how long that takes is kept."""

from __future__ import annotations

import signal
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from metroon import flow
from metroon.base.errors import Problem, Refused
from metroon.catalog import declared
from metroon.city import load
from metroon.city.properties import days, promised
from metroon.collect import RemoteSource
from metroon.walk import Walk

if sys.platform != "win32":
    import fcntl

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set

    from metroon.base.account import Account, Run
    from metroon.city import City
    from metroon.lake import Evidence

SHARE = 0.95
"""The share of deliveries that the time is told of: one in twenty may take longer."""
WINDOW_DAYS = 90
_COMING = (".part", ".partial", ".tmp", ".crdownload", ".filepart")
"""What programs that copy or download put behind a name until the file is whole."""
_ABANDONED_S = 3600
"""A half file that nobody wrote to for so long is waited for no more."""
_LOCK = "watch.lock"
Stamp = tuple[int, int]
"""Size and time of change of a file."""


@dataclass(frozen=True)
class Asked:
    """How a city is watched.

    Args:
        folder: The city repo.
        as_of: The day taken for today; the city's own, or each day as it comes, unless given.
        poll_s: Every how many seconds it is looked; above 0.
        settle_s: For how many seconds a file must stay as it is before it counts as whole.
        fetch_s: Every how many seconds remote sources are asked.
    """

    folder: Path
    as_of: date | None = None
    poll_s: float = 2.0
    settle_s: float = 5.0
    fetch_s: float = 900.0


class Ended(Exception):  # noqa: N818  # asked for, and no fault
    """The watch was asked to end; the product at work is done."""


@dataclass
class Files:
    """What is known of files that are looked at again and again.

    A folder is looked at by its list and the stamps of its files, which works on network disks too, where no program
    is told of changes.

    Args:
        settle_s: For how many seconds a file must stay as it is before it counts as whole.
    """

    settle_s: float
    _since: dict[Path, tuple[Stamp, float]] = field(default_factory=dict)

    def stamps(self, files: Iterable[Path]) -> dict[Path, Stamp]:
        """The stamp of each file that is there."""
        found = {}
        for file in files:
            try:
                stat = file.stat()
            except OSError:
                continue  # gone since it was listed, or a disk that is away for a moment
            found[file] = (stat.st_size, stat.st_mtime_ns)
        return found

    def coming(self, stamps: Mapping[Path, Stamp], *, now: float) -> list[Path]:
        """The files that are not whole yet, for all that can be told.

        Args:
            stamps: Files with their stamps.
            now: The time of a clock that nobody sets, in seconds.
        """
        found = []
        for file, stamp in stamps.items():
            known = self._since.get(file)
            if known is None:
                # It was there before: how old it is tells how long it has been as it is.
                age = max(0.0, time.time() - stamp[1] / 1e9)
                known = self._since[file] = (stamp, now - min(age, self.settle_s))
            elif known[0] != stamp:
                known = self._since[file] = (stamp, now)
            if now - known[1] < self.settle_s or _is_half(file):
                found.append(file)
        return found


def _is_half(file: Path) -> bool:
    beside = [file] if file.suffix in _COMING else [file.with_name(file.name + ending) for ending in _COMING]
    for half in beside:
        try:
            if time.time() - half.stat().st_mtime < _ABANDONED_S:
                return True
        except OSError:
            continue
    return False


def watch(asked: Asked, say: Callable[[str], None]) -> None:
    """Take deliveries in as they come, until SIGTERM or Ctrl+C: then the product at work is done first.

    Args:
        asked: How.
        say: Hears one line of each thing that happened.

    Raises:
        Refused: The city cannot be read at the beginning, or is being watched already (F117).
    """
    city = load(asked.folder)
    with _alone(city.home), _signals() as ended:
        _Watch(asked, say, ended).go()


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    home.mkdir(parents=True, exist_ok=True)
    with (home / _LOCK).open("a") as file:
        try:
            if sys.platform != "win32":
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            what, fix = "this city is being watched already.", "Let that one go on, or end it first."
            raise Refused([Problem(str(home), 0, "F117", what, fix)]) from None
        yield


@contextmanager
def _signals() -> Iterator[Event]:
    ended = Event()
    before = {s: signal.signal(s, lambda *_: ended.set()) for s in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield ended
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Watch:
    def __init__(self, asked: Asked, say: Callable[[str], None], ended: Event) -> None:
        self.asked, self.tell, self.ended = asked, say, ended
        self.files = Files(asked.settle_s)
        self.walk: Walk | None = None  # as it was declared last
        self.written: dict[Path, Stamp] = {}
        self.taken: dict[str, dict[Path, Stamp]] = {}
        self.day: date | None = None
        self.fetched = time.monotonic()
        self.waiting: set[Path] = set()
        self.zone = ZoneInfo("UTC")
        self.stopped: object = None  # by what, when nothing could be run last

    def go(self) -> None:
        self.say("watching", str(self.asked.folder))
        while not self.ended.is_set():
            self.look()
            self.ended.wait(self.asked.poll_s)
        self.say("ended", "what was at work is done")

    def say(self, name: str, what: str) -> None:
        self.tell(f"{datetime.now(self.zone):%Y-%m-%d %H:%M:%S}  {name}  {what}")

    def look(self) -> None:
        """Look once, and run what is due."""
        now = time.monotonic()
        folder = self.asked.folder
        data = self.walk.city.data if self.walk else folder / "inbox"
        written = self.files.stamps(f for f in declared(folder, data) if f.name[0] != ".")
        if written != self.written or self.walk is None:
            if not self.files.coming(written, now=now):
                self.written = written
                self.declare()
            return
        if self.day != self.today(self.walk.city):
            self.run_all()
            return
        if due := self.due(now):
            self.run(due)

    def declare(self) -> None:
        """Read what the city declares now, and run all of it."""
        try:
            walk = self.ready()
        except Refused as refused:
            self.stop("city", refused)
            return
        self.walk, self.zone = walk, ZoneInfo(walk.city.file.time_zone)
        self.run_all()

    def run_all(self) -> None:
        """Run everything but products with files that are not whole yet, and what is made of them."""
        if self.walk is None:
            return
        now, walk = time.monotonic(), self.walk
        local = [n for n, s in walk.sources.items() if not isinstance(s, RemoteSource)]
        half = {n for n in local if self.files.coming(self.files.stamps(walk.files(n)), now=now)}
        for name in half:
            self.taken.pop(name, None)  # due as soon as they are whole
        whole = sorted(walk.sources.keys() - _touched(walk, half))
        if half and not whole:
            self.day = self.today(walk.city)
            return
        self.run(whole if half else ())

    def ready(self) -> Walk:
        city = load(self.asked.folder)
        return Walk(city, self.today(city), told=self.step)

    def today(self, city: City) -> date:
        return self.asked.as_of or city.file.as_of or date.today()

    def step(self, verb: str, name: str) -> None:
        # Heard before each product and measure: the one before is done.
        if self.ended.is_set() and verb in ("fetch", "collect"):
            raise Ended

    def due(self, now: float) -> Sequence[str]:
        """The products with deliveries that are new and whole, or whose remote source is to be asked."""
        if self.walk is None:
            return ()
        due, waits = set(), set()
        for name, source in self.walk.sources.items():
            if isinstance(source, RemoteSource):
                if now - self.fetched >= self.asked.fetch_s:
                    due.add(name)
                continue
            stamps = self.files.stamps(self.walk.files(name))
            coming = self.files.coming(stamps, now=now)
            if stamps == self.taken.get(name):
                continue
            waits |= {f for f in coming if _is_half(f)}
            if not coming:
                due.add(name)
        for file in sorted(waits - self.waiting):
            self.say(file.name, "is not whole yet: waiting for it")
        self.waiting = waits
        return sorted(_touched(self.walk, due))

    def run(self, names: Sequence[str]) -> None:
        """Run some products and their measures, or all; faults of a delivery are told, and end nothing."""
        try:
            walk = self.ready()
            looked = set(names) or set(walk.sources)
            before = {n: self.files.stamps(walk.files(n)) for n in looked}
            if any(isinstance(walk.sources[n], RemoteSource) for n in looked):
                self.fetched = time.monotonic()
            made = with_arrivals(walk, flow.run(walk, names))
            walk.close()
        except Ended:
            return
        except (Refused, OSError) as error:
            self.stop("run", error)
            return
        self.walk, self.day, self.stopped = walk, walk.as_of, None
        self.taken |= before
        for told in made.upkeep:
            self.say("upkeep", told)
        for account in made.accounts:
            self.account(account)
        for measured in made.measured:
            if measured.outcome == "released":
                self.say(measured.measure, f"released version {measured.version}")
            self.fault(measured.measure, measured.problems)

    def stop(self, name: str, error: Refused | OSError) -> None:
        """Tell what nothing can be run for; once, however often it is tried again."""
        why: object = error.problems if isinstance(error, Refused) else error.strerror or type(error).__name__
        if why != self.stopped:
            self.stopped = why
            if isinstance(error, Refused):
                self.fault(name, error.problems)
            else:
                self.say(name, f"could not go on ({why}); it is tried again")

    def account(self, told: Account) -> None:
        if told.outcome != "unchanged":
            aside = sum(told.set_aside.values())
            rows = f"read {told.read:,} = kept {told.kept:,} + set aside {aside:,}"
            rows += f" + refused {told.refused:,}" if told.refused else ""
            arrival = next((n for n in told.notes if n.startswith(_FIRST)), "")
            what = "failed; the last good version stays" if told.outcome == "failed" else f"version {told.version}"
            self.say(told.product, "; ".join(p for p in (f"{told.outcome} {what}", rows, arrival) if p))
            self.fault(told.product, told.problems)

    def fault(self, name: str, problems: Iterable[Problem]) -> None:
        for problem in problems:
            at = f"{problem.file}: " if problem.file else ""
            self.say(name, f"{problem.code} {at}{problem.what} Fix: {problem.fix}")


def _touched(walk: Walk, names: Set[str]) -> set[str]:
    """Products, and all that is made of them."""
    found = set(names)
    while more := {n for n in walk.order if n not in found and walk.upstream(n) & found}:
        found |= more
    return found


# How long it takes from arrival to what is published

_FIRST = "published "


def with_arrivals(walk: Walk, made: Run) -> Run:
    """A run whose products say how long their new deliveries took from arrival to publication, which is kept.

    Deliveries of a product's first version are not counted: they may have lain there for years.
    """
    now = datetime.now(UTC)
    accounts = []
    for account in made.accounts:
        if account.outcome in ("published", "kept") and account.version is not None:
            _keep(walk, account.product, account.version, now)
        told = publishing(walk, account.product, now) if account.outcome != "failed" else ""
        accounts.append(replace(account, notes=(*account.notes, told)) if told else account)
    return replace(made, accounts=tuple(accounts))


def _keep(walk: Walk, product: str, number: int, now: datetime) -> None:
    history = walk.lake.history(product, "restricted")
    earlier = [n for n in history if n < number]
    if not earlier or number not in history:
        return
    known = _deliveries(history[max(earlier)])
    folders = (walk.data(product), walk.city.products[product].folder)
    for file, sha256 in _deliveries(history[number]) - known:
        # A sheet of a workbook is a delivery that no file has the name of.
        names = [name for name in (file, file.rpartition("#")[0]) if name]
        at = next((f for name in names for folder in folders if (f := folder / name).is_file()), None)
        if at is not None:
            # Of a file that was moved here with its old time, the other one tells when it came.
            stat = at.stat()
            came = datetime.fromtimestamp(max(stat.st_mtime, stat.st_ctime), UTC)
            seconds = max(0.0, (now - came).total_seconds())
            walk.store.arrived(product, file, sha256, arrived_at=came, published_at=now, seconds=seconds)


def _deliveries(evidence: Evidence) -> set[tuple[str, str]]:
    return {(str(d["file"]), str(d["sha256"])) for d in evidence["deliveries"] if not d["refused"]}


def publishing(walk: Walk, product: str, now: datetime) -> str:
    """How long deliveries of the last 90 days took from arrival to publication, beside the promise, in words.

    Empty when none came.
    """
    took = walk.store.seconds_to_publish(product, now - timedelta(days=WINDOW_DAYS))
    if not took:
        return ""
    most = percentile(took, SHARE)
    promise = promised(walk.contracts[product].node, "timeToPublish")
    words = f"{_FIRST}{duration(most)} after arrival at most, for 95 % of {len(took):,} deliver"
    words += f"{'y' if len(took) == 1 else 'ies'} in {WINDOW_DAYS} days"
    if promise is None:
        return words
    limit = days(promise) * 86400
    return f"{words}; {duration(limit)} promised{': LATE' if most > limit else ''}"


def percentile(ordered: Sequence[float], share: float) -> float:
    """The smallest value that at least some share of the values do not exceed.

    Args:
        ordered: Values, the smallest first; at least one.
        share: Above 0, at most 1.

    Source:
        The nearest-rank method, type 1 of Hyndman and Fan (1996), The American Statistician 50, 361-365,
        doi:10.1080/00031305.1996.10473566.

    Example:
        >>> percentile([1.0, 2.0, 3.0, 4.0], 0.5), percentile([1.0, 2.0, 3.0, 4.0], 0.95)
        (2.0, 4.0)
    """
    return next(v for i, v in enumerate(ordered, 1) if i >= share * len(ordered))


def duration(seconds: float) -> str:
    """A stretch of time, in words.

    Example:
        >>> duration(12.3), duration(150), duration(7200), duration(259200)
        ('12 seconds', '2.5 minutes', '2 hours', '3 days')
    """
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= 2 * size or (seconds >= size and seconds % size == 0):
            n = round(seconds / size, 1)
            return f"{n:g} {unit}{'s' * (n != 1)}"
    n = round(seconds, 1 if seconds < 10 else 0)
    return f"{n:g} second{'s' * (n != 1)}"
