"""The people of the invented city: how many live in each neighborhood, and how they differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from metroon.demo.sheet import Number, Whole

Dimension = Literal["age band", "race", "language"]
"""What residents are told apart by."""


@dataclass(frozen=True)
class Neighborhood:
    """One invented neighborhood.

    Args:
        number: Its number, from 1; five neighborhoods in order make a district.
        name: What people call it.
        residents: People who live there.
        poverty: Share of them below the poverty line.
        spanish: Share of them who speak Spanish at home.
        vietnamese: Share of them who speak Vietnamese at home.
    """

    number: int
    name: str
    residents: int
    poverty: float
    spanish: float
    vietnamese: float

    @property
    def key(self) -> str:
        """Its identifier, such as ``N07``."""
        return f"N{self.number:02d}"

    @property
    def district(self) -> int:
        """The number of its district."""
        return (self.number - 1) // 5 + 1


NEIGHBORHOODS = tuple(
    Neighborhood(i + 1, *row)
    for i, row in enumerate(
        [
            ("Quail Mesa", 6540, 0.034, 0.08, 0.03),
            ("Reservoir Heights", 9460, 0.087, 0.18, 0.03),
            ("Lantern Hill", 5890, 0.075, 0.15, 0.03),
            ("Olive Terrace", 7330, 0.041, 0.14, 0.04),
            ("Bell Orchard", 10310, 0.084, 0.14, 0.04),
            ("Egret Marsh", 7610, 0.058, 0.16, 0.08),
            ("North Weir", 10590, 0.076, 0.19, 0.04),
            ("Heron Point", 6260, 0.069, 0.15, 0.12),
            ("Little Harbor", 6910, 0.122, 0.21, 0.14),
            ("Sycamore Loop", 9760, 0.077, 0.13, 0.08),
            ("Alder Flat", 8510, 0.100, 0.22, 0.02),
            ("Indigo Park", 8520, 0.073, 0.17, 0.03),
            ("Junco", 4600, 0.096, 0.18, 0.02),
            ("Palo Seco", 5640, 0.172, 0.24, 0.03),
            ("Dry Ford", 6480, 0.170, 0.29, 0.03),
            ("Old Depot", 6660, 0.197, 0.33, 0.11),
            ("Mercado", 11980, 0.176, 0.27, 0.05),
            ("Foundry", 8470, 0.249, 0.36, 0.15),
            ("Courthouse", 6080, 0.211, 0.30, 0.09),
            ("Granary", 5980, 0.191, 0.26, 0.06),
            ("Cinder Hill", 7600, 0.122, 0.19, 0.14),
            ("Linnet", 8090, 0.108, 0.22, 0.19),
            ("Cottonwood Row", 9940, 0.230, 0.33, 0.09),
            ("Canal Bend", 7800, 0.167, 0.23, 0.21),
            ("Eastgate", 13580, 0.220, 0.34, 0.20),
            ("Las Norias", 10160, 0.186, 0.28, 0.03),
            ("Kiln Yard", 4950, 0.188, 0.35, 0.03),
            ("Garza Tract", 7950, 0.255, 0.38, 0.03),
            ("Pepper Lane", 8010, 0.281, 0.38, 0.03),
            ("Salt Cedar", 9380, 0.265, 0.42, 0.03),
            ("Rail Yards", 7380, 0.313, 0.40, 0.07),
            ("Tannery", 9450, 0.264, 0.35, 0.06),
            ("Sexto", 8280, 0.256, 0.38, 0.03),
            ("La Sombra", 10970, 0.322, 0.46, 0.02),
            ("Willow Slough", 8630, 0.325, 0.46, 0.03),
            ("Fiddler Field", 13020, 0.276, 0.42, 0.08),
            ("Maple Ditch", 8450, 0.277, 0.35, 0.12),
            ("Quarry Bottom", 8040, 0.276, 0.44, 0.06),
            ("Tule End", 8890, 0.301, 0.41, 0.04),
            ("Vista Vieja", 6680, 0.308, 0.43, 0.03),
        ]
    )
)
KEYS = np.array([n.key for n in NEIGHBORHOODS])
DISTRICTS = np.array([str(n.district) for n in NEIGHBORHOODS])
RESIDENTS: Whole = np.array([n.residents for n in NEIGHBORHOODS])
POVERTY: Number = np.array([n.poverty for n in NEIGHBORHOODS])

RARE_RACE = "Native Hawaiian or Pacific Islander"
GROUPS: dict[Dimension, tuple[str, ...]] = {
    "age band": ("0-17", "18-24", "25-44", "45-64", "65-74", "75 and over"),
    "race": ("Hispanic or Latino", "White", "Asian", "Black or African American",
             "American Indian or Alaska Native", RARE_RACE, "Two or more races"),
    "language": ("English", "Spanish", "Vietnamese", "Other"),
}  # fmt: skip


def shares(dimension: Dimension) -> Number:
    """How the residents of each neighborhood divide into groups.

    Grain:
        One row per neighborhood, one column per group of ``GROUPS``; each row sums to 1.
    """
    spanish = np.array([n.spanish for n in NEIGHBORHOODS])
    vietnamese = np.array([n.vietnamese for n in NEIGHBORHOODS])
    like = np.ones(len(NEIGHBORHOODS))
    if dimension == "language":
        return _with_rest([None, spanish, vietnamese, 0.04 * like])
    if dimension == "race":
        hispanic, asian, black = 0.06 + 1.15 * spanish, 0.05 + 1.2 * vietnamese, 0.03 + 0.12 * POVERTY
        return _with_rest([hispanic, None, asian, black, 0.009 * like, 0.004 * like, 0.045 * like])
    young, middle = 0.19 + 0.3 * POVERTY, 0.27 - 0.2 * POVERTY
    return _with_rest([young, 0.10 * like, None, middle, 0.11 - 0.1 * POVERTY, 0.07 - 0.08 * POVERTY])


def _with_rest(columns: list[Number | None]) -> Number:
    rest = 1 - np.sum([c for c in columns if c is not None], axis=0)
    return np.stack([rest if c is None else c for c in columns], axis=1)


def counts(dimension: Dimension) -> Whole:
    """Residents of each neighborhood by group, whole people that add up to its residents."""
    exact = shares(dimension) * RESIDENTS[:, None]
    whole = np.floor(exact).astype(np.int64)
    left = RESIDENTS - whole.sum(axis=1)
    order = np.argsort(-(exact - whole), axis=1, kind="stable")
    for row, n in enumerate(left.tolist()):
        whole[row, order[row, :n]] += 1
    return whole


def choose(rng: np.random.Generator, chances: Number, rows: Whole) -> Whole:
    """A column by chance for each row number, by the chances in that row.

    Example:
        >>> choose(np.random.default_rng(1), np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([0, 1, 1])).tolist()
        [0, 1, 1]
    """
    edges = np.cumsum(chances, axis=1)[:, :-1]
    return np.asarray((rng.random(len(rows))[:, None] >= edges[rows]).sum(axis=1), dtype=np.int64)


def live_in(rng: np.random.Generator, weights: Number, n: int) -> Whole:
    """Neighborhood numbers by chance, by the weight of each neighborhood."""
    return rng.choice(len(NEIGHBORHOODS), n, p=weights / weights.sum()) + 1
