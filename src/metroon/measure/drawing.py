"""Drawing: the variance of a survey's shares by the way in which people were drawn, from sums over its clusters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import expit, stdtrit

from metroon.measure.interval import wilson

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Drawing:
    """What was asked, added up: one entry for each cell, stratum and cluster.

    Args:
        cell: Number of the cell.
        stratum: Its stratum; None when there are none.
        cluster: Its cluster; None when people themselves were drawn.
        asked: People asked, also those who did not answer.
        weight: Weights of those who answered.
        weight_squares: Their squares.
        says: Weights of those who say so.
        says_squares: Their squares.
    """

    cell: Ints
    stratum: NDArray[Any] | None
    cluster: NDArray[Any] | None
    asked: Floats
    weight: Floats
    weight_squares: Floats
    says: Floats
    says_squares: Floats


def drawn_share(drawing: Drawing, city: Ints, share: Floats, effective: Floats) -> tuple[Floats, Floats]:
    """The bounds of the share of every cell.

    Args:
        drawing: What was asked.
        city: Number of the cell that holds the whole survey round of each cell.
        share: The share of each cell.
        effective: Equally weighted answers that each share is worth.

    Returns:
        95 % bounds, nan where there are no degrees of freedom. A cell is a part of its round: clusters and people
        without anybody of it count as nothing, not as not drawn. A stratum of which one was drawn shows no spread; its
        distance from the mean stands for it.

    Source:
        Wolter (2007), Introduction to Variance Estimation, 2nd edition, chapter 6; Korn and Graubard (1999), Analysis
        of Health Surveys, chapters 3 and 5: logit scale, degrees of freedom, domains.
    """
    cells = len(share)
    drawing = drawing if drawing.cluster is None else _by_cluster(drawing)
    strata = _codes(drawing.stratum, len(drawing.cell))
    count = int(strata.max(initial=0)) + 1
    total = np.bincount(drawing.cell, weights=drawing.weight, minlength=cells)
    p, whole = share[drawing.cell], np.where(total > 0, total, np.nan)[drawing.cell]
    part = (drawing.says - p * drawing.weight) / whole
    if drawing.cluster is None:
        squares = (drawing.says_squares * (1 - 2 * p) + p * p * drawing.weight_squares) / whole**2
        units = drawing.asked
    else:
        squares, units = part**2, np.ones(len(part))
    at = drawing.cell * count + strata
    size = cells * count
    columns = (part, squares, units)
    sums = [np.bincount(at, weights=np.nan_to_num(v), minlength=size).reshape(cells, count) for v in columns]
    answers = np.bincount(at, weights=drawing.weight, minlength=size).reshape(cells, count)
    drawn, units_of = sums[2][city], sums[2]
    several = np.where(drawn > 1, drawn, np.nan)
    spread = several / (several - 1) * (sums[1] - sums[0] ** 2 / several)
    variance = np.where(drawn > 1, spread, sums[1]).sum(axis=1)
    met = units_of
    if drawing.cluster is not None:
        met = np.bincount(at[drawing.weight > 0], minlength=size).reshape(cells, count).astype(np.float64)
    freedom = np.where(answers > 0, np.maximum(met - 1, 0), 0).sum(axis=1)
    return _bounds(share, np.sqrt(np.maximum(variance, 0)), freedom, effective)


def _bounds(share: Floats, error: Floats, freedom: Floats, effective: Floats) -> tuple[Floats, Floats]:
    t = stdtrit(np.where(freedom > 0, freedom, np.nan), 0.975)
    with np.errstate(divide="ignore", invalid="ignore"):
        middle, reach = np.log(share / (1 - share)), t * error / (share * (1 - share))
        low, high = expit(middle - reach), expit(middle + reach)
        # Where all agree the logit has no bounds: Wilson's on the effective answers, with the same reach.
        instead = wilson(np.clip(share, 0, 1) * effective, np.where(effective > 0, effective, np.nan))
    flat = (share <= 0) | (share >= 1) | (error <= 0)
    return np.where(flat, instead.low, low), np.where(flat, instead.high, high)


def _by_cluster(drawing: Drawing) -> Drawing:
    """One entry for each cell and cluster; the same cluster in two strata is two."""
    strata, clusters = (_codes(k, len(drawing.cell)) for k in (drawing.stratum, drawing.cluster))
    shape = (int(drawing.cell.max(initial=0)) + 1, int(strata.max(initial=0)) + 1, int(clusters.max(initial=0)) + 1)
    found, at = np.unique(np.ravel_multi_index((drawing.cell, strata, clusters), shape), return_inverse=True)
    cell, stratum, cluster = np.unravel_index(found, shape)

    def added(numbers: Floats) -> Floats:
        return np.asarray(np.bincount(at, weights=numbers, minlength=len(found)), dtype=np.float64)

    columns = (drawing.asked, drawing.weight, drawing.weight_squares, drawing.says, drawing.says_squares)
    return Drawing(cell.astype(np.int64), stratum, cluster, *map(added, columns))


def _codes(labels: NDArray[Any] | None, size: int) -> Ints:
    if labels is None:
        return np.zeros(size, dtype=np.int64)
    text = np.array(["" if label is None else str(label) for label in labels])
    return np.unique(text, return_inverse=True)[1].astype(np.int64)
