"""Waiting: corrections that would tell two releases apart by a few people are held back until there are enough."""

from __future__ import annotations

import hashlib
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ibis
import numpy as np
import pyarrow as pa

from metroon import locate, measure, report
from metroon.base import private
from metroon.base.errors import Problem, Refused
from metroon.lake.removal import WAITING as FOLDER
from metroon.lake.removal import row_hashes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from metroon.base.engine import Relation
    from metroon.base.estimate import Cell
    from metroon.lake import Evidence, Open, Restricted, Version
    from metroon.measure import Asking, Tallied
    from metroon.walk import Walk

NOTE = "Corrections that concern fewer than {} people wait until they can be published together with others."
"""What stands beside the numbers; how many corrections wait is for the city's own people."""
_HASH, _MANY, _AT, _CAME, _FROM = "_row_sha256", "_many", "_at", "_came", "_from"


@dataclass(frozen=True)
class Waiting:
    """Rows of a product that wait. None of their values is here, only hashes of rows: restricted all the same.

    Args:
        columns: The columns that the hashes are of, in order.
        added: Hash -> how many such rows have come and are not counted yet, and since when.
        removed: Hash -> how many such rows have gone and are still counted, since when, and the version that has them.
    """

    columns: tuple[str, ...]
    added: Mapping[str, tuple[int, str]]
    removed: Mapping[str, tuple[int, str, int]]

    @property
    def rows(self) -> int:
        """How many rows wait."""
        return sum(n for n, _ in self.added.values()) + sum(n for n, _, _ in self.removed.values())

    @property
    def since(self) -> str:
        """Since when the oldest of them waits."""
        days = [day for _, day in self.added.values()] + [day for _, day, _ in self.removed.values()]
        return min(days, default="")


@dataclass(frozen=True)
class Held:
    """What waits of a product, for the operator.

    Args:
        product: The product.
        rows: How many rows.
        since: Since when the oldest of them waits.
    """

    product: str
    rows: int
    since: str


def held(walk: Walk, names: Iterable[str]) -> list[Held]:
    """What waits of the products that some measures count, as of their last releases.

    Args:
        walk: The city.
        names: Measures.
    """
    found = []
    for product in sorted({walk.indicators[n].of for n in names}):
        last = _last(walk, product)
        waiting = _read(walk, last.evidence, product) if last else None
        if waiting is not None:
            found.append(Held(product, waiting.rows, waiting.since))
    return found


def told(walk: Walk, names: Iterable[str]) -> tuple[str, ...]:
    """What waits, in words for the operator alone.

    Args:
        walk: The city.
        names: Measures.
    """
    why = "each would tell of too few people; they are counted when enough have come"
    return tuple(
        f"{h.product}: {h.rows} {'correction waits' if h.rows == 1 else 'corrections wait'} since {h.since}: {why}."
        for h in held(walk, names)
    )


def restore(walk: Walk, evidence: Evidence) -> None:
    """Count the rows that a release counted: what waited then is not counted now.

    Args:
        walk: The city as it was walked for the release.
        evidence: What the release says of its making.
    """
    for product in evidence.get("waiting", {}):
        waiting = _read(walk, evidence, product)
        try:
            if waiting is not None:
                _count_without(walk, product, waiting)
        except (OSError, Refused):
            walk.revised.pop(product, None)  # a version is gone: the number made again will differ, and say so


def hold(walk: Walk, made: Mapping[str, tuple[Asking, Tallied]]) -> set[str]:
    """Find the corrections that must wait, and leave them out of what is counted.

    Rows that came, or went, since the last release are held back where some number that it showed would change by
    fewer than the smallest group of people that may be told; all rows of that number wait, and again those of numbers
    that then have too few. Rows of months that are published for the first time never wait. When enough have come, or
    other ones that mend the number too, they are counted.

    Args:
        walk: The city. Its rows are those of the edition afterwards.
        made: Measure -> how it is asked, and what was counted of the newest version.

    Returns:
        The products of which other rows are counted now, so that their measures have to be counted again.
    """
    if walk.pinned:
        return set()  # what was published is made again: what waited then is known
    before = dict(walk.revised)
    for product in sorted({a.indicator.of for a, _ in made.values() if a.contract.unit != "none"}):
        _hold(walk, product, {n: told for n, told in made.items() if told[0].indicator.of == product})
    return {p for p in {*before, *walk.revised} if before.get(p) != walk.revised.get(p)}


def _hold(walk: Walk, product: str, made: Mapping[str, tuple[Asking, Tallied]]) -> None:
    walk.revised.pop(product, None)
    last = _last(walk, product)
    if last is None:
        return
    now, before = walk.version(product), walk.lake.restricted(product, last.evidence["beside"][product])
    waiting = _read(walk, last.evidence, product)
    if before is None or (before.number == now.number and waiting is None):
        return
    try:
        found = _revised(walk, before, waiting, now)
        if found is not None:
            _sift(walk, product, made, found, waiting)
    except (OSError, Refused):
        # The version before was erased: nothing is held, and what two editions would tell together is withheld.
        walk.revised.pop(product, None)


def keep(walk: Walk) -> None:
    """Write down what waits, before a release that leaves it out goes out; only the owner of the files may read it.

    Args:
        walk: The city, its numbers counted.

    Raises:
        Refused: It cannot be written (G130).
    """
    folder = walk.ledger.folder / FOLDER
    for _, sha256 in walk.revised.values():
        kept = folder / f"{sha256}.json"
        try:
            if not kept.exists():
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                private.save((walk.scratch / kept.name).read_bytes(), kept)
        except OSError as error:
            what = f"which corrections wait cannot be written down: {error.strerror}."
            fix = "Free space, or ask for the right to write, then run again."
            raise Refused([Problem(str(folder), 0, "G130", what, fix)]) from error


# Which rows came, and which went


@dataclass(frozen=True, eq=False)
class _Revised:
    """Rows that differ between two editions."""

    rows: pa.Table
    columns: tuple[str, ...]


def _revised(
    walk: Walk, before: Version[Restricted], waiting: Waiting | None, now: Version[Restricted]
) -> _Revised | None:
    new, old = walk.lake.read(now), walk.lake.read(before)
    if dict(new.schema().items()) != dict(old.schema().items()):
        return None
    # Where a row stands in its file is no part of it.
    columns = tuple(sorted(c.name for c in walk.contracts[now.name].columns if c.name in new.columns))
    if waiting is not None and waiting.columns == columns:
        old = _edition(walk, before, waiting)
    else:
        new, old = _unlike(walk, now, before)
        old = _hashed(walk, old, columns).mutate(**{_FROM: ibis.literal(before.number)})
    new = _hashed(walk, new, columns).mutate(**{_FROM: ibis.literal(now.number)})
    came = _beyond(new, _many(old)).mutate(**{_CAME: True})
    went = _beyond(old, _many(new)).mutate(**{_CAME: False})
    found = walk.engine.fetch(came.union(went.select(*came.columns)))
    if not found.num_rows:
        return None
    found = found.sort_by([(_HASH, "ascending"), (_CAME, "ascending")])
    number = pa.array(np.arange(found.num_rows))
    return _Revised(found.append_column(measure.REVISED, number), columns)


def _unlike(walk: Walk, now: Version[Restricted], before: Version[Restricted]) -> tuple[Relation, Relation]:
    """The rows of two versions but for the parts that both have: what differs between them is in these alone."""
    parts = {v.number: walk.parts(v) for v in (now, before)}
    both = parts[now.number].keys() & parts[before.number].keys()

    def rest(version: Version[Restricted]) -> Relation:
        files = [f for name, listed in parts[version.number].items() if name not in both for f in listed]
        return walk.engine.parquet(files) if files else walk.lake.read(version).limit(0)

    return rest(now), rest(before)


def _hashed(walk: Walk, rows: Relation, columns: Sequence[str]) -> Relation:
    return row_hashes(walk.engine, rows, columns, _HASH)


def _many(rows: Relation) -> Relation:
    return rows.group_by(_HASH).aggregate(**{_MANY: rows.count()})


def _beyond(rows: Relation, many: Relation) -> Relation:
    """The rows beyond so many of each kind."""
    numbered = rows.mutate(**{_AT: ibis.row_number().over(ibis.window(group_by=rows[_HASH]))})
    joined = numbered.left_join(many, [numbered[_HASH] == many[_HASH]])
    kept = joined.filter(joined[_AT] >= joined[_MANY].fill_null(0))
    return kept.select(*rows.columns)


def _upto(rows: Relation, many: Relation) -> Relation:
    """So many rows of each kind, at the most."""
    numbered = rows.mutate(**{_AT: ibis.row_number().over(ibis.window(group_by=rows[_HASH]))})
    joined = numbered.inner_join(many, [numbered[_HASH] == many[_HASH]])
    return joined.filter(joined[_AT] < joined[_MANY]).select(*rows.columns)


def _edition(walk: Walk, version: Version[Restricted], waiting: Waiting) -> Relation:
    """The rows that are counted: those of a version, without what came, with what went."""
    rows = _hashed(walk, walk.lake.read(version), waiting.columns).mutate(**{_FROM: ibis.literal(version.number)})
    made = _beyond(rows, _listed(walk, {h: n for h, (n, _) in waiting.added.items()}))
    for number in sorted({v for _, _, v in waiting.removed.values()}):
        older = walk.lake.restricted(version.name, number)
        if older is None or not walk.lake.has_rows(older.name, older.number):
            continue  # it was erased, and its people with it
        gone = {h: n for h, (n, _, v) in waiting.removed.items() if v == number}
        rows = _hashed(walk, walk.lake.read(older), waiting.columns).mutate(**{_FROM: ibis.literal(number)})
        made = made.union(_upto(rows, _listed(walk, gone)).select(*made.columns))
    return made


def _listed(walk: Walk, many: Mapping[str, int]) -> Relation:
    table = {_HASH: pa.array(list(many), pa.string()), _MANY: pa.array(list(many.values()), pa.int64())}
    return walk.engine.table(pa.table(table))


# Which of them wait


def _sift(
    walk: Walk,
    product: str,
    made: Mapping[str, tuple[Asking, Tallied]],
    found: _Revised,
    before: Waiting | None,
) -> None:
    rows = found.rows.num_rows
    came = np.asarray(found.rows[_CAME].to_numpy(zero_copy_only=False), dtype=bool)
    every, person = [], np.arange(rows)
    # What a measure makes of its own rows, such as of several of one person, is told by no row alone.
    asked = {n: a for n, (a, _) in made.items() if not a.indicator.has_own_rows}
    for group in walk.cubes(asked):
        cube = _each(walk, product, {n: asked[n] for n in group}, found)
        person = measure.people(cube, rows)
        for name in group:
            shown = _shown(walk, name)
            if shown:
                every.append(measure.touched(cube, made[name][1], shown, rows))
    holds = measure.waits(every, came=came, person=person)
    if holds.any():
        _count_without(walk, product, _waiting(walk, found, holds, before))


def _each(walk: Walk, product: str, asked: Mapping[str, Asking], found: _Revised) -> measure.Cube:
    contract = walk.contracts[product]
    places = {g.id: g for a in asked.values() for one in (a, *a.coarser) for g in one.geographies}
    rows = walk.engine.table(found.rows)
    with tempfile.TemporaryDirectory(dir=walk.scratch) as folder:
        placed = locate.assign(walk.engine, rows, contract, places.values(), cache=Path(folder), version="revised")
        indicators = {n: a.indicator for n, a in asked.items()}
        return measure.cube(walk.engine, placed, indicators, contract, is_each=True)


def _shown(walk: Walk, name: str) -> set[Cell]:
    last = walk.lake.open(name)
    if last is None:
        return set()
    return {e.cell for e in report.shown(walk, name, last).estimates if e.events is not None or e.base is not None}


def _waiting(
    walk: Walk, found: _Revised, holds: np.ndarray[Any, np.dtype[np.bool_]], before: Waiting | None
) -> Waiting:
    today = walk.as_of.isoformat()
    added: dict[str, tuple[int, str]] = {}
    removed: dict[str, tuple[int, str, int]] = {}
    columns = found.rows.select([_HASH, _CAME, _FROM]).to_pylist()
    for row, waits in zip(columns, holds.tolist(), strict=True):
        if not waits:
            continue
        sha256 = row[_HASH]
        if row[_CAME]:
            known = before.added.get(sha256) if before else None
            many, since = added.get(sha256, (0, known[1] if known else today))
            added[sha256] = (many + 1, since)
        else:
            gone = before.removed.get(sha256) if before else None
            many, since, _ = removed.get(sha256, (0, gone[1] if gone else today, 0))
            removed[sha256] = (many + 1, since, int(row[_FROM]))
    return Waiting(found.columns, added, removed)


def _count_without(walk: Walk, product: str, waiting: Waiting) -> None:
    """Make the walk count the rows of an edition, from a file that lives as long as the walk."""
    version, text = walk.version(product), _written(waiting)
    sha256 = hashlib.sha256(text).hexdigest()
    file = walk.scratch / f"{product}-{version.number}-{sha256}.parquet"
    rows = _edition(walk, version, waiting)
    walk.engine.save(rows.drop(_HASH, _FROM), file)
    (walk.scratch / f"{sha256}.json").write_bytes(text)
    walk.revised[product] = (str(file), sha256)


def _written(waiting: Waiting) -> bytes:
    told = {"columns": waiting.columns, "added": waiting.added, "removed": waiting.removed}
    return json.dumps(told, sort_keys=True).encode()


def _read(walk: Walk, evidence: Evidence, product: str) -> Waiting | None:
    """What waited when a release was made; None when nothing did, or when the list is gone."""
    sha256 = evidence.get("waiting", {}).get(product)
    if not sha256:
        return None
    try:
        text = (walk.ledger.folder / FOLDER / f"{sha256}.json").read_bytes()
    except OSError:
        return None
    try:
        told = json.loads(text)
    except ValueError:
        return None
    # A list keeps its name when somebody who was erased is taken out of it.
    if hashlib.sha256(text).hexdigest() != sha256 and not told.get("erased"):
        return None
    return Waiting(
        tuple(told["columns"]),
        {h: (int(n), str(day)) for h, (n, day) in told["added"].items()},
        {h: (int(n), str(day), int(v)) for h, (n, day, v) in told["removed"].items()},
    )


def _last(walk: Walk, product: str) -> Version[Open] | None:
    """The release that was made of a product last, of whatever measure."""
    names = [n for n, i in walk.indicators.items() if i.of == product]
    known = [v for n in names if (v := _open(walk, n)) and product in v.evidence.get("beside", {})]
    return max(known, key=lambda v: (v.evidence["beside"][product], str(v.evidence["made_at"])), default=None)


def _open(walk: Walk, name: str) -> Version[Open] | None:
    try:
        return walk.lake.open(name)
    except Refused:
        return None  # the measure that cannot be read stops itself; the others tell which rows they were made of
