"""Charts of the portal: pure functions that return markup, styled only by the classes of portal.css.

Shapes are drawn as SVG, words stand in HTML, so that they can be read aloud, translated and selected.
What is None has no number here and gets no mark.
"""

from metroon.serve.svg.bars import bars
from metroon.serve.svg.choropleth import breaks, choropleth, shades
from metroon.serve.svg.countbar import Look, countbar
from metroon.serve.svg.days import days
from metroon.serve.svg.dumbbell import dumbbell
from metroon.serve.svg.line import Line, span
from metroon.serve.svg.locator import locator
from metroon.serve.svg.shapes import Shapes, project
from metroon.serve.svg.spark import spark
from metroon.serve.svg.strip import Direction, Ends, ends, strip
from metroon.serve.svg.trend import trend

__all__ = [
    "Direction",
    "Ends",
    "Line",
    "Look",
    "Shapes",
    "bars",
    "breaks",
    "choropleth",
    "countbar",
    "days",
    "dumbbell",
    "ends",
    "locator",
    "project",
    "shades",
    "span",
    "spark",
    "strip",
    "trend",
]  # fmt: skip
