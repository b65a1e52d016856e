"""Texts: what a drafted product, a first measure and a new city say, with comments for the person who edits them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING

from metroon.base.period import first_day, last_day
from metroon.base.period import name as period_name
from metroon.city.scalar import listed, scalar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from metroon.base.period import Grain
    from metroon.city.promise import Drafted


def product_text(draft: Drafted) -> str:
    """How the promise is kept."""
    profile = draft.profile
    lines = [
        "# How the promise in contract.yaml is kept.",
        "collect:",
        *_collect(draft),
    ]
    if profile.shape == "area":
        lines += _as_geography(draft)
    else:
        lines += [
            "# When contract.yaml says releaseMode: rows, columns that are not public are dropped, unless",
            "# it says here how each is protected:",
            "# guard:",
            f"#   - {{ kind: coarsen, column: {profile.event_time or 'a_date'}, to: month }}",
        ]
    return "\n".join([*lines, ""])


def _collect(draft: Drafted) -> Iterator[str]:
    if draft.source:
        yield from (f"  {key}: {_value(value)}" for key, value in draft.source.items())
        if draft.source.get("kind") == "database":
            yield "  # Only what is new or changed: a column that grows, and how long a row may take to be committed."
            yield "  # incremental: { by: updated_at, overlap: 1h }"
        return
    yield f"  kind: {draft.profile.kind}"
    yield f"  path: {scalar(draft.path)} # a pattern such as fire/incidents_*.csv takes many files of one form"
    yield from (f"  {key}: {_value(value)}" for key, value in draft.profile.options.items())


def _value(value: object) -> str:
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{k}: {_value(v)}' for k, v in value.items())} }}"
    if isinstance(value, list):
        return f"[{', '.join(_value(v) for v in value)}]"
    return scalar(value) if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)


def _as_geography(draft: Drafted) -> list[str]:
    key = draft.profile.key[0] if draft.profile.key else "the_column_that_names_an_area"
    named = next((c.name for c in draft.profile.columns if "name" in c.name.split("_")), key)
    return [
        "# The rows are areas. To measure by them, add to city.yaml:",
        "# places:",
        f"#   {draft.name}:",
        f"#     title: {scalar(draft.title)}",
        f"#     product: {draft.name}",
        f"#     key: {key}",
        f'#     name: "{{{named}}}"',
        '#     vintage: "2020" # the year of these boundaries',
    ]


def measure_text(draft: Drafted) -> str:
    """A first measure: how many rows, when and where."""
    profile = draft.profile
    groups = [c.name for c in profile.columns if c.codes and len(c.codes) > 1 and c.name not in profile.key][:4]
    lines = [
        f"# A first measure, drafted by metroon add. Ask a better question of {draft.name} here.",
        "kind: count",
        f"title: {scalar(draft.title)}",
        f"question: {scalar(f'How many records of {draft.title} are there?')}",
        f"of: {draft.name}",
    ]
    if profile.event_time:
        lines.append(f"period: {{ column: {profile.event_time}, grain: {grain(profile.span)} }}")
    if profile.point and draft.city.places:
        lines.append(f"places: {listed(list(draft.city.places))}")
    elif profile.point:
        lines.append("# places: [district] # once city.yaml declares places")
    if groups:
        lines.append(f"# groups: {listed(groups)} # one breakdown each; small groups are hidden")
    lines += ["direction: neutral # up when more is better, down when less is", "unit: records"]
    return "\n".join([*lines, '# owner: "the role that answers questions about it"', ""])


def grain(span: tuple[date, date] | None) -> Grain:
    """The grain that shows most and still has a whole period: months below three years, else years.

    Example:
        >>> grain((date(2015, 1, 1), date(2015, 1, 31))), grain((date(2006, 1, 2), date(2013, 12, 8)))
        ('month', 'year')
        >>> grain((date(2015, 1, 10), date(2015, 2, 20)))
        'all'
    """
    if span is None:
        return "all"
    first, last = span
    likely: Grain = "month" if (last - first) < timedelta(days=3 * 365) else "year"
    day, starts = first, set[str]()
    while day <= last:
        starts.add(period_name(day, likely))
        day = last_day(period_name(day, likely)) + timedelta(days=1)
    slack = timedelta(days=1)
    whole = [p for p in starts if first_day(p) >= first - slack and last_day(p) <= last + slack]
    return likely if whole else "all"


CITY = """\
# What the city says once, for all its products.
name: {name}
time_zone: UTC # of the times in its files, such as America/Los_Angeles
languages: [en] # of its residents, two letters each
data: inbox # the folder of the raw files; it stays out of git
# departments:
#   fire: Fire Department
# Areas to measure by. First add their boundaries: metroon add districts.geojson
# places:
#   district:
#     title: Council districts
#     product: districts
#     key: district
#     vintage: "2020"
# thresholds:
#   minimum_cell: 11 # smaller groups of people are hidden
"""

README = """\
# {name}

The data of {name}: what each table promises, how the promise is kept, and what is measured.
It runs with Metroon.

- `city.yaml`: the city, its departments and its areas.
- `inbox/`: the raw files. They stay out of git.
- `products/NAME/contract.yaml`: what one table promises. The data steward's.
- `products/NAME/product.yaml`: how the promise is kept. The engineer's.
- `measures/NAME.yaml`: a question, and how to count its answer.

```
metroon add inbox/FILE   # draft a product and a first measure
metroon run              # from files to measured neighborhoods
metroon check            # every fault at once
```
"""
