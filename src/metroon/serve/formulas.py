"""Formulas, sources and constants of the page on method, as they are printed; the page's words are in its templates."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

from markupsafe import Markup

from metroon.measure.signals import LIMITS_FROM, VERDICT_FROM, false_alarms

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Source:
    """Where a method comes from.

    Args:
        text: Authors, year, and where it was printed.
        doi: Its permanent identifier; empty where it has none.
    """

    text: str
    doi: str = ""


@dataclass(frozen=True)
class Constants:
    """Numbers that the method is made of.

    Args:
        level: Of every interval.
        z: How many standard errors belong to it.
        exact_below: Counts below this have exact limits; standardised rates of fewer events have no value.
        zero_upper: Upper limit of a count of zero, in events.
        useful_points: A share whose interval is wider than this, in points, cannot be told.
        fewest_events: A count or rate of so many events or fewer cannot be told.
        widest: A total, mean, ratio or quantile whose interval is wider than so many times its value cannot be told.
        limits_from: Periods from which a chart has limits.
        verdict_from: Periods from which it calls anything a signal.
        step: Mean steps between the mean and a limit.
        quiet: Among a hundred charts without any change, how many show a signal in the last period.
    """

    level: float = 0.95
    z: float = NormalDist().inv_cdf(0.975)
    exact_below: int = 10
    zero_upper: float = -math.log(0.025)
    useful_points: int = 30
    fewest_events: int = math.ceil(0.30**-2) - 1
    widest: float = 4 * 0.30
    limits_from: int = LIMITS_FROM
    verdict_from: int = VERDICT_FROM
    step: float = 2.66
    quiet: float = 100 * false_alarms(24, rules="nhs7").last_point


CONSTANTS = Constants()

FORMULAS: Mapping[str, tuple[Markup, ...]] = {
    "count": (
        Markup("<i>L</i> = <i>x</i> (1 − 1/(9<i>x</i>) − <i>z</i>/(3√<i>x</i>))³"),
        Markup("<i>U</i> = (<i>x</i>+1) (1 − 1/(9(<i>x</i>+1)) + <i>z</i>/(3√(<i>x</i>+1)))³"),
    ),
    "rate": (Markup("<i>r</i> = <i>k</i> × <i>x</i> / <i>n</i>"),),
    "share": (
        Markup("<i>p</i> = <i>x</i> / <i>n</i>"),
        Markup(
            "<i>L</i>, <i>U</i> = (2<i>x</i> + <i>z</i>² ∓ <i>z</i> √(<i>z</i>² + 4<i>x</i>(1 − <i>x</i>/<i>n</i>))) "
            "/ (2(<i>n</i> + <i>z</i>²))"
        ),
    ),
    "waiting": (Markup("<i>S</i>(<i>t</i>) = ∏ (1 − <i>d</i>ᵢ / <i>n</i>ᵢ)"),),
    "mean": (Markup("<i>m</i> ∓ <i>t</i> · <i>s</i> / √<i>n</i>"),),
    "total": (Markup("<i>T</i> = ∑ <i>a</i>"), Markup("<i>T</i> ∓ <i>z</i> √(∑ <i>a</i>²)")),
    "ratio": (
        Markup("<i>R</i> = ∑ <i>y</i> / ∑ <i>x</i>"),
        Markup("Var(<i>R</i>) ≈ <i>n</i>/(<i>n</i>−1) · ∑ (<i>y</i> − <i>R x</i>)² / (∑ <i>x</i>)²"),
    ),
    "survey_share": (
        Markup("<i>p</i> = ∑ <i>w y</i> / ∑ <i>w</i>"),
        Markup("<i>n</i>* = (∑ <i>w</i>)² / ∑ <i>w</i>²"),
    ),
    "directly_standardised": (
        Markup("<i>v</i> = ∑ <i>w</i> (<i>x</i>/<i>n</i>) / ∑ <i>w</i>"),
        Markup("<i>L</i>, <i>U</i> = <i>v</i> + √(Var(<i>v</i>)/<i>O</i>) · (<i>O</i><sub>L,U</sub> − <i>O</i>)"),
    ),
    "indirectly_standardised": (Markup("<i>E</i> = ∑ <i>n r</i>"), Markup("<i>O</i> / <i>E</i>")),
    "gaps": (
        Markup("<i>d</i> = <i>p</i>₁ − <i>p</i>₂"),
        Markup("<i>L</i> = <i>d</i> − √((<i>p</i>₁−<i>l</i>₁)² + (<i>u</i>₂−<i>p</i>₂)²)"),
        Markup("<i>U</i> = <i>d</i> + √((<i>u</i>₁−<i>p</i>₁)² + (<i>p</i>₂−<i>l</i>₂)²)"),
    ),
    "places": (Markup("<i>p</i>₀ ∓ <i>z</i> √(<i>p</i>₀ (1 − <i>p</i>₀) / <i>n</i>)"),),
}
"""Part of the page -> its formulas. Letters are the same in every language."""

_WILSON = Source(
    "Wilson (1927), Journal of the American Statistical Association 22, 209-212", "10.1080/01621459.1927.10502953"
)
_BRESLOW = "Breslow and Day (1987), Statistical Methods in Cancer Research II, IARC"
_OHID = "Office for Health Improvement and Disparities, Public health technical guide"
_MANSKI = Source("Manski (1989), Journal of Human Resources 24, 343-360", "10.2307/145818")
_COUNTS = (
    Source(f"{_BRESLOW}, p. 69"),
    Source("Garwood (1936), Biometrika 28, 437-442", "10.1093/biomet/28.3-4.437"),
    Source(f"{_OHID}: confidence intervals"),
)

SOURCES: Mapping[str, tuple[Source, ...]] = {
    "count": _COUNTS,
    "rate": (
        *_COUNTS,
        Source(
            "Donner and Zou (2012), Statistical Methods in Medical Research 21, 347-359", "10.1177/0962280210383082"
        ),
    ),
    "share": (_WILSON, _MANSKI),
    "again": (_WILSON,),
    "waiting": (
        Source(
            "Kaplan and Meier (1958), Journal of the American Statistical Association 53, 457-481",
            "10.1080/01621459.1958.10501452",
        ),
        Source("Brookmeyer and Crowley (1982), Biometrics 38, 29-41", "10.2307/2530286"),
    ),
    "quantile": (
        Source("David and Nagaraja (2003), Order Statistics, 3rd edition, section 7.1"),
        Source("Hyndman and Fan (1996), The American Statistician 50, 361-365", "10.1080/00031305.1996.10473566"),
    ),
    "mean": (Source("Student (1908), Biometrika 6, 1-25", "10.1093/biomet/6.1.1"),),
    "total": (Source("Feller (1968), An Introduction to Probability Theory I, section XII.2"),),
    "ratio": (Source("Cochran (1977), Sampling Techniques, 3rd edition, section 6.4"),),
    "survey_share": (
        Source("Kish (1965), Survey Sampling, section 11.7"),
        Source("Wolter (2007), Introduction to Variance Estimation, 2nd edition, chapter 6"),
        Source("Korn and Graubard (1999), Analysis of Health Surveys, chapters 3 and 5"),
    ),
    "directly_standardised": (
        Source(
            "Dobson, Kuulasmaa, Eberle and Scherer (1991), Statistics in Medicine 10, 457-462", "10.1002/sim.4780100317"
        ),
        Source(_OHID),
    ),
    "indirectly_standardised": (Source(f"{_BRESLOW}, section 2.3"), Source(_OHID)),
    "unknown": (_MANSKI,),
    "signals": (
        Source("NHS England, Making Data Count"),
        Source("Wheeler (1993), Understanding Variation: The Key to Managing Chaos"),
    ),
    "gaps": (
        Source(
            "Newcombe (1998), Statistics in Medicine 17, 873-890, method 10",
            "10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I",
        ),
        Source("Katz, Baptista, Azen and Pike (1978), Biometrics 34, 469-474", "10.2307/2530610"),
        Source("Zou and Donner (2008), Statistics in Medicine 27, 1693-1702", "10.1002/sim.3095"),
    ),
    "inequality": (
        Source("WHO (2013), Handbook on health inequality monitoring"),
        Source(
            "Louis (1984), Journal of the American Statistical Association 79, 393-398",
            "10.1080/01621459.1984.10478062",
        ),
    ),
    "places": (
        Source("Spiegelhalter (2005), Statistics in Medicine 24, 1185-1202", "10.1002/sim.1970"),
        Source(
            "Benjamini and Hochberg (1995), Journal of the Royal Statistical Society B 57, 289-300",
            "10.1111/j.2517-6161.1995.tb02031.x",
        ),
    ),
    "borrowed": (
        Source("Clayton and Kaldor (1987), Biometrics 43, 671-681", "10.2307/2532003"),
        Source("Christiansen and Morris (1997), Journal of the American Statistical Association 92, 618-632"),
        Source("Martuzzi and Elliott (1996), Statistics in Medicine 15, 1867-1873"),
    ),
    "where": (Source("Urban Institute, Spatial Equity Data Tool, technical documentation"),),
}
"""Part of the page -> what it follows. Titles stay in the language in which they were printed."""
