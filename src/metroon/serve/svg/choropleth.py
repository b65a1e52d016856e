"""A map of areas in at most five shades; every area is a link with a name."""

from __future__ import annotations

import math
from bisect import bisect_right
from typing import TYPE_CHECKING

from markupsafe import Markup

from metroon.serve.svg.line import attr, made

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from metroon.serve.svg.shapes import Shapes

STEPS = (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 10.0)
MOST = 4
"""Cuts between classes: more than five shades cannot be told apart."""


def choropleth(
    shapes: Shapes,
    values: Mapping[str, float | None],
    *,
    breaks: Sequence[float],
    links: Mapping[str, tuple[str, str]],
    label: str,
    outlined: str = "",
    id: str = "map",
) -> Markup:
    """Areas shaded by class, hatched where there is no value, each a link with a name.

    Args:
        shapes: The areas, projected before; they are drawn and focused in its order.
        values: Place key -> value; None or missing: hatched.
        breaks: Cuts between the classes, from ``breaks``; the same for all periods of one indicator.
        links: Place key -> (address, name with the value in words or why there is none). An area without a link is
            drawn with the name of its place.
        label: What the map shows, in one sentence.
        outlined: Key of the place to mark in orange.
        id: Different for each map on a page.

    Returns:
        ``svg.map``; nothing when the places have no boundaries.
    """
    if not shapes.paths:
        return Markup("")
    shade = shades(breaks)
    parts = [
        f'<svg class="map" viewBox="{shapes.box}" role="group" aria-label="{attr(label)}"><defs>'
        f'<pattern id="{attr(id)}-na" width="6" height="6" patternUnits="userSpaceOnUse" '
        'patternTransform="rotate(45)"><path class="hl" d="M3,0V6"/></pattern></defs>'
    ]
    for key, path in shapes.paths.items():
        value = values.get(key)
        known = value is not None and math.isfinite(value)
        look = (
            f'class="q{shade[bisect_right(breaks, value)]}"'
            if known and value is not None
            else (f'class="na" fill="url(#{attr(id)}-na)"')
        )
        if key in links:
            href, name = links[key]
            parts.append(
                f'<a href="{attr(href)}" aria-label="{attr(name)}"><path {look} d="{path}">'
                f"<title>{attr(name)}</title></path></a>"
            )
        else:
            parts.append(f'<path {look} role="img" aria-label="{attr(shapes.names.get(key, key))}" d="{path}"/>')
    if outlined in shapes.paths:
        parts.append(f'<path class="you" d="{shapes.paths[outlined]}"/>')
    parts.append("</svg>")
    return made("".join(parts))


def breaks(values: Iterable[float | None], *, most: int = MOST) -> tuple[float, ...]:
    """Round cuts between at most five classes of equal width; the ends hold what lies beyond.

    Args:
        values: Every value that the map may show, of all periods: then the cuts stay the same over time.
        most: The largest number of cuts.

    Returns:
        Cuts, ascending: a value belongs to the class above a cut that it equals. Empty when all values are equal.

    Example:
        >>> breaks([1.2, 2.2, 3.4, 4.8, 6.1, 7.9]), breaks([5, 5, None]), breaks([0.62, 0.7, 0.81, 0.93])
        ((2.0, 4.0, 6.0), (), (0.7, 0.8, 0.9))
    """
    known = sorted(v for v in values if v is not None and math.isfinite(v))
    if not known or known[0] == known[-1]:
        return ()
    # Nine of ten values decide: one far-off place must not put all others into one shade.
    low, high = _at(known, 0.05), _at(known, 0.95)
    if low == high:
        low, high = known[0], known[-1]
    reach = high / (most + 1) - low / (most + 1)
    if not math.isfinite(reach) or reach <= 0:
        return ()
    power = 10.0 ** math.floor(math.log10(reach))
    for step in (s * power for s in (*STEPS, 20.0, 50.0)):
        if not math.isfinite(step) or step <= 0:
            return ()
        first = math.floor(low / step + 1e-9) + 1
        cuts = tuple(_short(k * step) for k in range(first, first + most + 2) if known[0] < k * step < high)
        if len(cuts) <= most:
            return cuts or _middle(known)
    return _middle(known)


def shades(breaks: Sequence[float]) -> tuple[int, ...]:
    """The shade (0 to 4) of each class, from the lowest: fewer classes are spread over the whole scale.

    Example:
        >>> shades((1, 2, 3, 4)), shades((1, 2)), shades((1,)), shades(())
        ((0, 1, 2, 3, 4), (0, 2, 4), (1, 3), (2,))
    """
    spread = ((2,), (1, 3), (0, 2, 4), (0, 1, 3, 4), (0, 1, 2, 3, 4))
    return spread[len(breaks)]


def _at(known: Sequence[float], share: float) -> float:
    return known[round(share * (len(known) - 1))]


def _short(x: float) -> float:
    return float(f"{x:.12g}")


def _middle(known: Sequence[float]) -> tuple[float, ...]:
    middle = _short(known[0] / 2 + known[-1] / 2)
    return (middle,) if known[0] < middle <= known[-1] else ()
