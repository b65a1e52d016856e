"""Columns that single people out together, though none of them does alone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from metroon.city.contract import Column, Contract

BIRTH = re.compile(r"birth|(^|_)(dob|nacimiento|ngay_sinh)(_|$)|fecha_nac")
SEX = re.compile(r"(^|_)(sex|sexo|gender|genero|gioi_tinh)(_|$)")
AREA = re.compile(
    r"(^|_)(zip|zipcode|postal|postcode|tract|block|neighbou?rhood|barrio|colonia|precinct|beat|geoid)(_|$)|zip_?code"
    r"|postal_?code|codigo_postal"
)


def singled_out(contract: Contract, staying: Iterable[str], areas: Iterable[str]) -> tuple[str, str, str] | None:
    """A date of birth, a small area and a sex that would leave in one row; None when no such three do.

    Date of birth, sex and postcode together are unique for most people: 87 % of the residents of the United States.

    Args:
        contract: The promise.
        staying: Columns that stay.
        areas: Columns that a point became.

    Source:
        Sweeney (2000), Simple Demographics Often Identify People Uniquely, Carnegie Mellon University, Data Privacy
        Working Paper 3, table 1.
    """
    columns = [c for name in staying if (c := contract.column(name)) is not None]
    keyed = {k.column for k in contract.geography_keys}
    births = [c.name for c in columns if _says(BIRTH, c) and c.type != "integer"]
    places = [*areas, *(c.name for c in columns if c.name in keyed or _says(AREA, c))]
    sexes = [c.name for c in columns if _says(SEX, c)]
    return (births[0], places[0], sexes[0]) if births and places and sexes else None


def _says(words: re.Pattern[str], column: Column) -> bool:
    said = (column.name, column.source, column.title)
    return any(words.search(re.sub(r"\W+", "_", s.casefold()).strip("_")) for s in said)
