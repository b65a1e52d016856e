"""What it takes to protect tables of several sizes: python bench/guard.py [SEED ...]

Each line is one made-up table: how many cells it has, how many need doubt, how many others had to be withheld for
them, how many are left without proof, and the processor time, with the programs that a full audit took beside.
The counts are skewed as a city's are: places of different size, groups of different shares, more spread than chance.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array, hstack, identity, kron, vstack

from metroon.guard.audit import audit
from metroon.guard.suppress import suppress
from metroon.guard.system import System, system

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

SPREAD = 0.3
"""Variance over mean squared, of the rates beneath the counts."""
MONEY_SHARE, MONEY_WIDTH = 0.15, 1_000.0


@dataclass(frozen=True)
class Dimension:
    """One row of ``lines`` for each equation between the nodes; which leaves each node is the sum of."""

    lines: Floats
    members: Floats


def tree(groups: int, leaves: int = 0) -> Dimension:
    """Leaves in groups with totals, and the total of all; one level when there are no leaves."""
    if not leaves:
        return Dimension(np.append(np.ones(groups), -1)[None, :], np.vstack([np.eye(groups), np.ones(groups)]))
    inner = groups * leaves
    upper = np.kron(np.eye(groups), np.ones(leaves))
    lower = np.hstack([upper, -np.eye(groups), np.zeros((groups, 1))])
    top = np.concatenate([np.zeros(inner), np.ones(groups), [-1]])
    return Dimension(np.vstack([lower, top]), np.vstack([np.eye(inner), upper, np.ones(inner)]))


def table(shape: Sequence[Dimension], *, seed: int, small: float) -> System:
    """A table of counts in which about a share ``small`` of all cells is from 1 to 10."""
    chance = np.random.default_rng(seed)
    share = np.ones(1)
    for part in shape:
        leaves = part.members.shape[1]
        share = np.kron(share, chance.dirichlet(np.full(leaves, 4.0 if leaves > 8 else 2.0)))
    members, lines = csr_array(np.ones((1, 1))), []
    for at, part in enumerate(shape):
        members = csr_array(kron(members, part.members))
        line = csr_array(np.ones((1, 1)))
        for other, beside in enumerate(shape):
            line = csr_array(kron(line, part.lines if at == other else identity(len(beside.members))))
        lines.append(line)
    spread = chance.gamma(1 / SPREAD, SPREAD, len(share))

    def drawn(size: float) -> Floats:
        return np.asarray(members @ np.random.default_rng(seed + 1).poisson(size * share * spread).astype(float))

    # The more people, the fewer small cells: halve the span of sizes until the share is met.
    low, high = float(len(share)), 1e8
    for _ in range(40):
        middle = float(np.sqrt(low * high))
        value = drawn(middle)
        low, high = (middle, high) if ((value > 0) & (value < 11)).mean() > small else (low, middle)
    return protected(system(csr_array(vstack(lines)), value))


def protected(made: System) -> System:
    """Counts from 1 to 10 stay in doubt by 2 down and 3 up, 5 in all."""
    is_small = (made.value > 0) & (made.value < 11)
    below = np.where(is_small, np.minimum(made.value, 2), 0)
    above = np.where(is_small, np.maximum(3, 5 - below), 0)
    return replace(made, below=below, above=above, width=np.where(is_small, 5.0, 0.0))


def linked(seed: int) -> System:
    """Two tables of the same places, by two groupings, that share the totals of the places."""
    places = tree(6, 5)
    one, two = (table([places, tree(size)], seed=seed, small=0.2) for size in (6, 4))
    # The second table splits the totals of the first anew.
    totals = one.value.reshape(-1, 7)[:, -1]
    chance = np.random.default_rng(seed)
    leaves = [chance.multinomial(int(n), chance.dirichlet(np.full(4, 2.0))) for n in totals[:30]]
    values = places.members @ np.hstack([leaves, np.sum(leaves, axis=1, keepdims=True)])
    nodes = len(places.members)
    tie = np.zeros((nodes, one.cells + two.cells))
    tie[range(nodes), range(6, one.cells, 7)] = 1
    tie[range(nodes), range(one.cells + 4, one.cells + two.cells, 5)] = -1
    apart = vstack(
        [
            hstack([one.matrix, csr_array((one.matrix.shape[0], two.cells))]),
            hstack([csr_array((two.matrix.shape[0], one.cells)), two.matrix]),
            csr_array(tie),
        ]
    )
    bundle = np.arange(one.cells + two.cells)
    bundle[one.cells + 4 :: 5] = bundle[6 : one.cells : 7]
    return protected(system(csr_array(apart), np.concatenate([one.value, values.ravel()]), bundle=bundle))


def money(seed: int) -> System:
    """Sums of money, in which cells of few payers stay in doubt by a share of themselves."""
    made = table([tree(8, 5), tree(12)], seed=seed, small=0.2)
    chance = np.random.default_rng(seed)
    leaves = chance.lognormal(9, 1.5, (40, 12))
    value = np.kron(tree(8, 5).members, tree(12).members) @ leaves.ravel()
    need = np.where(made.needs, MONEY_SHARE * value, 0)
    width = np.where(made.needs, np.maximum(2 * need, MONEY_WIDTH), 0)
    return system(made.matrix, value, below=need, above=need, width=width, is_whole=False)


def line(name: str, made: System) -> str:
    began = time.process_time()
    found = suppress(made)
    took = time.process_time() - began
    check = audit(made, found.hidden)
    secondary = int((found.hidden & ~made.needs).sum())
    return (
        f"{name:34} {made.cells:7,} {made.needs.sum():7,} {made.needs.mean():6.0%} {secondary:7,} "
        f"{len(found.failing):6} {len(check.failing):6} {took:8.1f} s {check.solved:6,}"
    )


def main(seeds: Sequence[int]) -> None:
    city = [tree(10, 6), tree(4), tree(5), tree(7)]
    shapes = {
        "city x quarter x age x race, 22 %": (city, 0.22),
        "city x quarter x age x race, 5 %": (city, 0.05),
        "city x quarter x age x race, 45 %": (city, 0.45),
        "60 x 40": ([tree(60), tree(40)], 0.22),
        "5 dimensions": ([tree(3), tree(2), tree(3), tree(2), tree(3)], 0.22),
        "3 dimensions": ([tree(4, 5), tree(4), tree(5)], 0.22),
    }
    heads = f"{'cells':>7} {'small':>7} {'':6} {'others':>7} {'failing':>6} {'audit':>5} {'time':>9} {'LPs':>7}"
    print(f"{'table':34} {heads}")
    for seed in seeds:
        for name, (shape, small) in shapes.items():
            print(line(name, table(shape, seed=seed, small=small)), flush=True)
        print(line("linked tables", linked(seed)), flush=True)
        print(line("money", money(seed)), flush=True)


if __name__ == "__main__":
    main([int(seed) for seed in sys.argv[1:]] or [1])
