"""Texts: what a drafted contract, product, measure and city say, with comments for the person who edits them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Protocol

from metroon.base.period import first_day, last_day
from metroon.base.period import name as period_name
from metroon.base.profile import snake_case, title
from metroon.city.scalar import listed, scalar

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from metroon.base.period import Grain
    from metroon.base.profile import ColumnProfile, Profile
    from metroon.city.city import CityFile
    from metroon.city.contract import Classification

_OWN = "vendor: metroon"


class Suggested(Protocol):
    """What the guard says of a column."""

    @property
    def classification(self) -> Classification:
        """Its likely class."""

    @property
    def reason(self) -> str:
        """Why it looks so."""

    @property
    def is_person(self) -> bool:
        """Whether it says that each row is about one person."""


@dataclass(frozen=True)
class Drafted:
    """What the texts of one product are made of.

    Args:
        name: The product's name.
        file: The name of its file.
        path: Pattern of its files, below the data folder.
        city: What the city declared.
        profile: The file, looked at.
        suggestions: Column name -> what it may tell about people.
    """

    name: str
    file: str
    path: str
    city: CityFile
    profile: Profile
    suggestions: Mapping[str, Suggested]

    @property
    def title(self) -> str:
        """What people may call the product."""
        return title(self.file.rpartition(".")[0])

    @property
    def person(self) -> ColumnProfile | None:
        """The column that tells people apart."""
        return next((c for c in self.profile.columns if self._tells_people_apart(c)), None)

    def _tells_people_apart(self, column: ColumnProfile) -> bool:
        suggested = self.suggestions[column.name]
        return suggested.is_person and suggested.classification == "linkage key" and column.recorded > 0

    def is_public(self, column: ColumnProfile) -> bool:
        """Whether nobody seems to stand behind a column."""
        return self.suggestions[column.name].classification == "public"


def contract_text(draft: Drafted) -> str:
    """The promise: an ODCS 3.2 contract."""
    profile = draft.profile
    return "\n".join(
        [
            f"# Drafted by metroon add from {_said(draft.file)}.",
            f"# {profile.rows:,} rows and {len(profile.columns)} columns were looked at by a machine, which guessed.",
            "# Read it from top to bottom, above all what is 'suggested', and change what is wrong; then set",
            "# status: active and delete the comments.",
            *(f"# Seen: {note}" for note in profile.notes),
            "apiVersion: v3.2.0",
            "kind: DataContract",
            f"id: {snake_case(draft.city.name) or 'city'}.{draft.name}",
            f"name: {scalar(draft.title)}",
            "version: 0.1.0",
            "status: draft",
            "description:",
            "  purpose: Not said yet. # why the city keeps these data, in one sentence",
            "  limitations: Not said yet. # what they leave out, and from when to when they are",
            "schema:",
            f"  - name: {draft.name}",
            f"    businessName: {scalar(draft.title)}",
            f"    dataGranularityDescription: {_grain(profile)} # one row for each what?",
            *_table_properties(draft),
            *_table_quality(profile),
            "    properties:",
            *(line for column in profile.columns for line in _column(draft, column)),
            *_freshness(draft),
            *_root_properties(draft),
            "",
        ]
    )


def _grain(profile: Profile) -> str:
    told = " and ".join(profile.column(k).header for k in profile.key)
    return scalar(f"One row for each {told}.") if told else "One row for each record of the file."


def _table_properties(draft: Drafted) -> Iterator[str]:
    profile = draft.profile
    lines = []
    if profile.point:
        x, y = profile.point
        lines.append(f"- {{ property: point, value: {{ longitude: {x}, latitude: {y} }}, {_OWN} }}")
    if profile.event_time:
        lines.append(f"- {{ property: eventTime, value: {profile.event_time}, {_OWN} }} # suggested: when it happened")
    if lines:
        yield "    customProperties:"
        yield from (f"      {line}" for line in lines)
    if not profile.point and profile.shape is None:
        yield from _geography_keys(draft)


def _geography_keys(draft: Drafted) -> Iterator[str]:
    """Columns that may name a place already, for a person to confirm."""
    for layer, geography in draft.city.places.items():
        word = layer.rpartition("_")[2]
        for column in draft.profile.columns:
            if word in column.name.split("_"):
                value = f"{{ column: {column.name}, layer: {layer}, vintage: {scalar(geography.vintage)} }}"
                yield f"    # If {column.name} holds the {geography.key} of a {layer}, add under customProperties:"
                yield f"    # - {{ property: geographyKey, value: {value}, {_OWN} }}"


def _table_quality(profile: Profile) -> Iterator[str]:
    if profile.rows:
        yield "    quality:"
        yield "      - id: rows"
        yield "        type: library"
        yield "        metric: rowCount"
        yield "        mustBeGreaterThan: 0 # the fewest rows that a whole delivery can have"
        yield "        severity: stop"
        yield "        dimension: completeness"
        yield "        description: A delivery is not empty"


def _column(draft: Drafted, column: ColumnProfile) -> Iterator[str]:
    suggested = draft.suggestions[column.name]
    said = title(column.header) or column.header
    yield f"      - name: {column.name}"
    if column.type == "object":
        yield "        physicalType: wkb"
    if column.header != column.name:
        yield f"        physicalName: {scalar(column.header)}"
    if said != column.name:
        yield f"        businessName: {scalar(said)}"
    yield from (f"        # {line}" for line in _remarks(draft, column))
    yield f"        logicalType: {column.type}"
    if column.format:
        yield f"        logicalTypeOptions: {{ format: {scalar(column.format)} }}"
    elif draft.profile.point and column.name in draft.profile.point:
        limit = 180 if column.name == draft.profile.point[0] else 90
        yield f"        logicalTypeOptions: {{ minimum: -{limit}, maximum: {limit} }}"
    if column.name in draft.profile.key:
        yield "        required: true"
        yield "        primaryKey: true"
        if len(draft.profile.key) > 1:
            yield f"        primaryKeyPosition: {draft.profile.key.index(column.name) + 1}"
    yield f"        classification: {suggested.classification} # suggested: {suggested.reason}"
    yield from _code_list(draft, column)
    if column.missing:
        codes = ", ".join(f"{{ value: {scalar(c.text)}, reason: {scalar(c.reason)} }}" for c in column.missing)
        yield "        customProperties:"
        yield f"          - {{ property: missingCodes, value: [{codes}], {_OWN} }}"


def _remarks(draft: Drafted, column: ColumnProfile) -> Iterator[str]:
    yield from column.notes
    if column.misfits:
        rows = "1 row is" if column.misfits == 1 else f"{column.misfits:,} rows are"
        yield f"{rows} set aside: what stands here is no {column.type} in this form."
    if column.missing and column.recorded:
        counted = ", ".join(f"{c.rows:,} times {scalar(c.text)}" for c in column.missing)
        yield f"Taken for not recorded: {counted}."
    if column.missing_share >= 0.005 and column.recorded:
        share = "nearly all" if column.missing_share > 0.995 else f"{column.missing_share:.0%} of the"
        yield f"Not recorded in {share} rows."
    if draft.is_public(column) and isinstance(column.low, float) and isinstance(column.high, float):
        yield f"From {_figure(column.low)} to {_figure(column.high)}."


def _code_list(draft: Drafted, column: ColumnProfile) -> Iterator[str]:
    if not column.codes or not draft.is_public(column):
        return
    yield "        quality:"
    yield f"          - id: {column.name}_known"
    yield "            type: library"
    yield "            metric: invalidValues"
    yield f"            arguments: {{ validValues: {listed(column.codes)} }}"
    yield "            mustBeLessThan: 1"
    yield "            unit: percent"
    yield "            severity: warn"
    yield "            dimension: conformity"
    yield f"            description: {scalar(f'{title(column.header) or column.name} is in the list')}"


def _freshness(draft: Drafted) -> Iterator[str]:
    if draft.profile.event_time:
        element = f"{draft.name}.{draft.profile.event_time}"
        yield "# How old may the newest event be? Say it, and Metroon tells when the data are late:"
        yield "# slaProperties:"
        yield f"#   - {{ property: latency, value: 35, unit: d, element: {element} }}"


def _root_properties(draft: Drafted) -> Iterator[str]:
    person = draft.person
    unit = "person" if person is not None and person.is_key else "event_on_person"
    yield "customProperties:"
    yield "  # What one row counts: person; event_on_person (a call, a crash, a case: people stand behind it); or none"
    yield "  # (a street light), and then a second property, privacyReason, says why nobody stands behind a row."
    yield f"  - {{ property: privacyUnit, value: {unit}, {_OWN} }} # suggested: {_why_unit(draft, unit)}"
    if person is not None and not person.is_key:
        yield f"  - {{ property: personKey, value: {person.name}, {_OWN} }} # suggested: one person has many rows"
    yield "  # aggregate: only measures leave. rows: public columns leave too, others as guard in product.yaml says."
    yield f"  - {{ property: releaseMode, value: aggregate, {_OWN} }}"


def _why_unit(draft: Drafted, unit: str) -> str:
    if unit == "person":
        return "each row is one person"
    if draft.profile.shape == "area":
        return "the safe one; the rows are areas, so none may be right"
    told = sum(draft.suggestions[c.name].classification not in ("public", "internal") for c in draft.profile.columns)
    if not told:
        return "the safe one; no column seems to tell of people, so none may be right"
    return f"{told} of {len(draft.profile.columns)} columns may tell of people"


def product_text(draft: Drafted) -> str:
    """How the promise is kept."""
    profile = draft.profile
    lines = [
        "# How the promise in contract.yaml is kept.",
        "collect:",
        f"  kind: {profile.kind}",
        f"  path: {scalar(draft.path)} # a pattern such as fire/incidents_*.csv takes many files of one form",
        *(f"  {key}: {scalar(value)}" for key, value in profile.options.items()),
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
        f"question: {scalar(f'How many records are there in {draft.title}?')}",
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


def _may_group(draft: Drafted, column: ColumnProfile) -> bool:
    is_code = column.name.endswith("code") or column.name in draft.profile.key
    return not is_code and draft.suggestions[column.name].classification in ("public", "quasi")


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


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value.is_integer() else f"{value:,.4g}" if abs(value) < 10_000 else f"{value:,.2f}"


def _said(text: str) -> str:
    """A file's name on one line of a comment."""
    return " ".join(text.split())


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
It runs with [Metroon](https://pypi.org/project/metroon/).

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
