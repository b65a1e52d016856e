"""The promise as a machine guesses it: the text of a drafted contract, with comments for the person who edits it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from metroon.base.profile import snake_case, title
from metroon.city.scalar import listed, scalar

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

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
        file: The name of its file, or what it is called where it comes from.
        path: Pattern of its files, below the data folder.
        city: What the city declared.
        profile: The file, looked at.
        suggestions: Column name -> what it may tell about people.
        source: How it is collected, when it is no file below the data folder.
    """

    name: str
    file: str
    path: str
    city: CityFile
    profile: Profile
    suggestions: Mapping[str, Suggested]
    source: Mapping[str, object] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """What people may call the product."""
        return title(self.file if self.source else self.file.rpartition(".")[0] or self.file)

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
            f"# Drafted by metroon add from {on_one_line(draft.file)}.",
            f"# {profile.rows:,} rows and {len(profile.columns)} columns were looked at by a machine, which guessed.",
            "# Read it from top to bottom, above all what is 'suggested', and change what is wrong; then set",
            "# status: active and delete the comments.",
            *(f"# Seen: {on_one_line(note)}" for note in profile.notes),
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
                said = on_one_line(geography.key)
                yield f"    # If {column.name} holds the {said} of a {layer}, add to customProperties:"
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
    yield from (f"        # {on_one_line(line)}" for line in _remarks(draft, column))
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
    if column.missing or column.written:
        yield "        customProperties:"
    if column.missing:
        codes = ", ".join(f"{{ value: {scalar(c.text)}, reason: {scalar(c.reason)} }}" for c in column.missing)
        yield f"          - {{ property: missingCodes, value: [{codes}], {_OWN} }}"
    if column.written:
        yield f"          - {{ property: written, value: [{', '.join(column.written)}], {_OWN} }}"


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
    is_figure = column.type in ("integer", "number")
    if is_figure and draft.is_public(column) and isinstance(column.low, float) and isinstance(column.high, float):
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


def _figure(value: float) -> str:
    """A figure as people read it; years stay without separators."""
    small = abs(value) < 10_000
    if value.is_integer():
        return f"{value:.0f}" if small else f"{value:,.0f}"
    return f"{value:.4g}" if small else f"{value:,.2f}"


def on_one_line(text: str) -> str:
    """A text on one line of a comment, without signs that YAML does not take."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
