"""A small map that shows where one place lies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from metroon.serve.svg.line import attr, made

if TYPE_CHECKING:
    from metroon.serve.svg.shapes import Shapes


def locator(shapes: Shapes, key: str, *, label: str) -> Markup:
    """All areas in the colour of the ground, one in orange.

    Args:
        shapes: The areas, projected before.
        key: The place; with a key that has no area, only the ground is drawn.
        label: Where it lies, in one sentence.

    Returns:
        ``svg.map.loc``; nothing when the places have no boundaries.
    """
    if not shapes.paths:
        return Markup("")
    ground = "".join(path for k, path in shapes.paths.items() if k != key)
    here = f'<path class="here" d="{shapes.paths[key]}"/>' if key in shapes.paths else ""
    return made(
        f'<svg class="map loc" viewBox="{shapes.box}" role="img" aria-label="{attr(label)}">'
        f'<path class="base" d="{ground}"/>{here}</svg>'
    )
