"""A stranger who has every edition of every measure of a city finds nobody; where one cell more is shown, somebody."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from stranger import Number, Placed, Stranger

from metroon import flow
from metroon.city import load
from metroon.demo import build, earlier
from metroon.walk import Walk
from town import small_town

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLES = Path(__file__).parents[2] / "examples"
COMPONENTS = ("yes", "no", "unknown")


def truth_of(walk: Walk) -> dict[Number, float]:
    """The true numbers of every edition behind which people stand, as the certificates keep them."""
    truth: dict[Number, float] = {}
    for entry in walk.ledger.entries():
        if not (entry.release.proof and entry.edition):
            continue
        told = walk.ledger.proof(entry).system
        of = sorted(
            (int(name[7]), name[1], name[2:7], float(value))
            for name, value in zip(told.names, told.value, strict=True)
            if name[0] == entry.release.name and name[1] in COMPONENTS and int(name[7]) <= entry.edition
        )
        # The newest content that this edition can have comes last, and stays.
        for _, component, key, value in of:
            truth[entry.release.name, entry.edition, component, key] = value  # type: ignore[index]
    for (measure, edition, component, key), yes in list(truth.items()):
        no = truth.get((measure, edition, "no", key))
        if component == "yes" and no is not None:
            truth[measure, edition, "base", key] = yes + no
    return truth


def reading(walk: Walk) -> Stranger:
    """The stranger, after reading all that was published of measures."""
    stranger = Stranger(truth_of(walk))
    for name, indicator in walk.indicators.items():
        for edition in walk.lake.history(name, "open"):
            version = walk.lake.open(name, edition)
            assert version is not None
            stranger.reads(name, edition, walk.engine.rows(walk.lake.read(version)), is_share=indicator.is_share)
    return stranger


def of_people(walk: Walk) -> list[str]:
    return [n for n, i in walk.indicators.items() if walk.contracts[i.of].unit != "none"]


def found(walk: Walk) -> list[Placed]:
    stranger = reading(walk)
    stranger.thinks()
    assert stranger.equations
    return stranger.finds(of_people(walk))


def found_when_shown(walk: Walk, number: Number) -> list[Placed]:
    """What is found when one number more is published."""
    stranger = reading(walk)
    stranger.hidden.remove(number)
    stranger.shown[number] = stranger.oracle[number]
    stranger.thinks()
    return stranger.finds(of_people(walk))


def secondaries(walk: Walk) -> Iterator[Number]:
    """Numbers that are withheld only to protect others, the newest edition of each measure."""
    stranger = reading(walk)
    for number in sorted(stranger.hidden):
        measure, edition, component, key = number
        parts = [stranger.oracle.get((measure, edition, c, key), 0.0) for c in COMPONENTS]
        is_newest = edition == max(walk.lake.history(measure, "open"))
        if (
            is_newest
            and component == "yes"
            and stranger.oracle.get(number, 0.0) > 10
            and not any(0 < p < 11 for p in parts)
        ):
            yield number


def two_editions(folder: Path) -> Walk:
    """A town in which three people came too late for the first edition."""
    counts = {"north": 40, "east": 7, "south": 60, "west": 70}
    town = small_town(folder / "town", counts, groups=["race"])
    town.ran()
    return town.walk()


def arroyo_vista(folder: Path) -> Walk:
    """The invented city, on both of its days."""
    made = build(folder / "arroyo_vista")
    with earlier(made) as day:
        flow.run(Walk(load(made), day))
    return walked(made)


def walked(folder: Path) -> Walk:
    city = load(folder)
    assert city.file.as_of is not None
    walk = Walk(city, city.file.as_of)
    flow.run(walk)
    return walk


def test_a_stranger_finds_nobody_in_a_small_town_and_somebody_as_soon_as_one_cell_more_is_shown(
    tmp_path: Path,
) -> None:
    walk = two_editions(tmp_path)

    assert [] == found(walk)
    assert any(found_when_shown(walk, number) for number in secondaries(walk))


@pytest.mark.slow
def test_a_stranger_finds_nobody_in_both_editions_of_arroyo_vista(tmp_path: Path) -> None:
    walk = arroyo_vista(tmp_path)

    assert [] == found(walk)
    assert any(found_when_shown(walk, number) for number in secondaries(walk))


@pytest.mark.slow
@pytest.mark.shared
@pytest.mark.parametrize("name", ["sanjose", "sanfrancisco"])
def test_a_stranger_finds_nobody_in_a_real_city(
    name: str, shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METROON_DATA", str(shared_data))
    folder = tmp_path / name
    shutil.copytree(EXAMPLES / name, folder, ignore=shutil.ignore_patterns(".metroon"))

    assert [] == found(walked(folder))
