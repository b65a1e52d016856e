"""Suggestions: what a column may tell about people, from its name and the shape of its values.

A suggestion decides nothing: a person reads it in the contract and changes what is wrong. In doubt it is the
stricter class, because a column that is kept back by mistake costs a line of YAML, and the other mistake cannot
be undone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from metroon.base.profile import ColumnProfile, Profile
    from metroon.city.contract import Classification


@dataclass(frozen=True)
class Suggestion:
    """What a column most likely is.

    Args:
        classification: The class, as a contract writes it.
        reason: Why, in words that a steward can check; never a value.
        is_person: Whether the column says that each row is about one person.
    """

    classification: Classification
    reason: str
    is_person: bool = False


@dataclass(frozen=True)
class _Hint:
    """A class that a name points to, when the values do not speak against it."""

    classification: Classification
    reason: str
    words: str
    agrees: Callable[[ColumnProfile], bool] = lambda column: True
    is_person: bool = False

    def holds(self, column: ColumnProfile) -> bool:
        return bool(re.search(self.words, column.name)) and (not column.recorded or self.agrees(column))


MOST = 0.8
"""Share of the values that must fit a pattern for the whole column to be that."""
SOME = 0.02
"""Above this share, single persons are named in a text that is something else."""
_FEW = 12


def _is_text(column: ColumnProfile) -> bool:
    """Not an answer from a short list, nor a figure: a column that can hold names and numbers of people."""
    is_answer = column.distinct <= _FEW and column.recorded >= 30 and column.mean_length <= 3
    return column.type in ("string", "integer") and not is_answer


def _is_name(column: ColumnProfile) -> bool:
    return _is_text(column) and column.type == "string" and column.digit_share < 0.5


def _is_number(column: ColumnProfile) -> bool:
    return _is_text(column) and column.digit_share > 0.5


def _is_contact(column: ColumnProfile) -> bool:
    return _is_text(column) and column.mean_length >= 7


def _is_age(column: ColumnProfile) -> bool:
    return not isinstance(column.high, float) or column.high <= 130


def _is_list(column: ColumnProfile) -> bool:
    """A short list of words: a category, whatever its name."""
    return column.type == "string" and 0 < column.distinct <= 60 and column.recorded >= 20 * column.distinct


def _is_prose(column: ColumnProfile) -> bool:
    return column.type == "string" and not _is_list(column)


_ID = r"_?(id|no|num|nbr|number|key|code)_?$"
_PEOPLE = (
    r"client|person|personal|patient|participant|household|individual|student|customer|subject|resident|inmate|defendant"
    r"|victim|suspect|beneficiary|applicant|member|voter|juror|employee|enrollment|cliente|persona|paciente|hmis|hogar"
)
_THING = (
    r"street|project|organi[sz]ation|agency|neighbou?rhood|region|file|software|source|type|category|park|school|department"
    r"|station|county|city|place|area|district|ward|road|route|facility|program|product|event|dataset|business|company|firm"
    r"|site|building|zone|layer|common|asset|species|calle|barrio|ciudad|tract|geo|display|service|unit|crash|incident"
)

# Read from top to bottom; the first that holds is taken, so that the stricter stand first.
_HINTS: tuple[_Hint, ...] = (
    # What tells about the recording of something tells less than the thing.
    _Hint("quasi", "a code about a personal detail, not the detail", r"(data_quality|_quality|_type|_flag|_known|_provided|_source)_?$",
          lambda c: c.distinct <= _FEW and c.recorded >= 30 and bool(re.search(r"ssn|dob|birth|name|address|phone|mail", c.name))),
    _Hint("direct", "a social security or tax number", r"(^|_)(ssn|ss_no|ssno|itin|taxpayer|curp|rfc)(_|$)|soc(ial)?_?sec(urity)?(_?(id|no|num|number))?$|seguro_social", _is_number, is_person=True),
    _Hint("direct", "an e-mail address", r"e_?mail|correo_?e|(^|_)correo(_|$)", _is_contact),
    _Hint("direct", "a telephone number", r"phone|telefono|celular|(^|_)(tel|fax|mobile|movil|cell)(_|$)", _is_contact),
    _Hint("direct", "a number of a licence, passport, plate or vehicle",
          r"passport|pasaporte|driver_?lic|(^|_)(dl|dln|vin|plate|placas?)(_|$)|licen[cs]e_?plate|(^|_)(plate|lic(en[cs]e)?)_?(no|num|number|id)|(^|_)licen[cs](e|ia)_?$|matricula", _is_text),
    _Hint("direct", "an account or card number", r"(^|_)(acct|account|cuenta)(_|$)|(credit|debit)_?card|card_?(no|num|number)|(^|_)(iban|routing|mrn)(_|$)|medical_record|medicaid_?(id|no)|booking_?(id|no)", _is_text),
    _Hint("direct", "it names an officer or employee", r"badge|officer_?(id|no|num|name)?_?$|employee_?(id|no|num|name)|inspector", _is_text),
    _Hint("direct", "a person's name",
          r"(first|last|middle|given|sur|full|maiden|nick|family|legal|client|patient|person|resident|tenant|victim|suspect|driver|officer|user)_?name"
          r"|surname|(^|_)(fname|lname|mname|alias|apellidos?)(_|$)|contact_(first|last|name)|(^|_)nombres?_?$|nombre_(de_|del_|y_)?(la_|el_)?(persona|cliente|victima|paciente|solicitante|alumn)", _is_name, is_person=True),
    _Hint("direct", "a person or firm behind the row", r"owner|applicant|contractor|landlord|tenant|guardian|signature|(^|_)(contact|member|propietari[oa]|solicitante|inquilin[oa])_?$|council_?member|co_member|complainant|payee|grantee|attorney", _is_name),
    _Hint("direct", "it may be a person's name", rf"(?<!{'_)(?<!'.join(())}x)name_?$", lambda c: _is_name(c) and not re.search(rf"({_THING})_?name", c.name)),
    _Hint("direct", "a street address", r"address|direccion|domicilio|(^|_)addr(_|$|\d)|(street|house|apt|suite)_?(no|num|number)(_|$)|mailing|residence_?$|job_?location|site_?location", _is_prose),
    _Hint("direct", "mostly street addresses", r"", lambda c: c.hits.get("address", 0) >= 0.3),
    _Hint("direct", "a picture may show a face or a plate", r"photo|foto|picture|mugshot|(^|_)(image|img)(_|$)|fingerprint|biometric|(^|_)voice(_|$)"),
    _Hint("sensitive", "a place on the ground", r"(^|_)(lat|lon|lng|long|latitude|longitude|latitud|longitud|point_?[xy]|[xy]_?coord?|coord_?[xy]|[xy]_cord|[xy]_chp|x|y|the_geom|geom(_\d+)?|wkt|wkb|coordinates|coordenadas|geo_?point|point|punto)_?$",
          lambda c: c.type != "boolean" and not _is_list(c)),
    _Hint("quasi", "a date of birth", r"birth|(^|_)(dob|yob)(_|$)|nacimiento|fecha_nac", is_person=True),
    _Hint("free text", "notes hold whatever was typed", r"(^|_)(notes?|comments?|remarks?|narrative|memo|coment\w*|notas?|observaci\w*|mensaje|message|transcript)(_|$)"),
    _Hint("free text", "words that somebody typed", r"descri|detail|explan|reason|motivo|specify|identify|other_|_other|summary|question|answer|title|subject|resources|message", lambda c: _is_prose(c) and c.mean_words > 1.3),
    _Hint("sensitive", "health", r"health|salud|medical|diagnos|disab|discapac|(^|_)(hiv|aids|ems|cpr|pcr|asthma|tcell|t_cell|viral)|hivaids|pregnan|embaraz|symptom|treatment|overdose|mental|patient|impair|prescri|life_?value|bounce_?back|support_from|antiretro|(^|_)adap(_|$)|ryan_white"),
    _Hint("sensitive", "alcohol or drugs", r"alcohol|drug|droga|substance|sobri|sober|(^|_)(etoh|dui|bac)(_|$)"),
    _Hint("sensitive", "a victim, violence or harm", r"victim|violen|abuse|(^|_)dv(_|$)|domestic|traffick|exchange_?for|labor_?exploit|workplace_|coerced|fleeing|when_occurred|runaway|foster|juvenil|(^|_)minor(_|$)|child_?welfare|(^|_)vejected|injury|inj_?sev|lesion"),
    _Hint("sensitive", "immigration or citizenship", r"immigra|inmigra|citizen|ciudadan|(^|_)visa(_|$)|undocument|refugee|asylum|migra"),
    _Hint("sensitive", "sexual orientation or gender identity", r"sexual|transgender|gender_?(identity|none)|no_single_gender|questioning|lgbt|non_?binary"),
    _Hint("sensitive", "belief or membership", r"religio|(^|_)faith(_|$)|politic|party_affil|union_member"),
    _Hint("sensitive", "police, court or prison", r"arrest|convict|offender|criminal|prison|incarcer|probation|parole|eviction|(^|_)evict|custody|arrestado|delito"),
    _Hint("sensitive", "homelessness or shelter", r"homeless|shelter|albergue|living_?situation|unhoused|encampment|destination|(^|_)(essh|path|bcp)(_|$)|street_?essh|housing_?(loss|assessment|status)"),
    _Hint("sensitive", "benefits or insurance of a person", r"benefit|(^|_)(snap|wic|tanf|ssi|ssdi|ga|medicaid|medicare|schip|cobra|calfresh|section_8)(_|$)|insurance|alimony|child_?support|pension|workers_?comp|unemployment|welfare|soc_?sec_?retire|subsid"),
    _Hint("quasi", "age", r"(^|_)(age|ages|edad|[pv]age|age_?(group|range|band|years?)|grupo_edad|med_age\w*)(_|$)", _is_age),
    _Hint("quasi", "sex", r"(^|_)([pv]?sex|sexo|gender|genero|female|male|mujer|hombre|pronouns?)(_|$)"),
    _Hint("quasi", "race or ethnicity", r"(^|_)(p?race|raza|ethnic\w*|etnia|etnicidad|hispanic|latin[oax]?|asian|white|black|african|am_?ind\w*|native\w*|tribe|tribal|nativehi\w*|ancestry|nationality|nacionalidad|country_of\w*)(_|$)"),
    _Hint("quasi", "language", r"language|idioma|lengua|(^|_)lang(_|$)|english_prof|interpreter"),
    _Hint("quasi", "household or family", r"household_?(size|type)|hh_?\d|marital|estado_civil|family_?size|tamano|relationship|single_parent|dependents?|head_of|hoh|famil(y|ia)"),
    _Hint("quasi", "school, work or service", r"educat|escolar|grade_?(completed|level)|school_?(status|attend)|occupation|ocupacion|job_?title|employ|empleo|veteran|military|discharge|income|ingreso|salary|wage|earned|rent_?$|renta|percent_?ami|war_?$|vietnam|korean|desert_storm|iraq|afghan"),
    _Hint("quasi", "a small area that people live in", r"zip|postal|postcode|codigo_postal|neighbou?rhood|barrio|vecindario|colonia|suburb|tract|(^|_)block(_|$)|census|precinct|(^|_)beat|reporting_?district|catchment|geocode|(^|_)grid(_|$)"),
    _Hint("quasi", "a street, block or corner", r"(^|_)(street|st_name|road|rd|calle|intersection|cross_?street|xstreet\d?|x_street|premise|location|ubicacion|lugar)(_|$|\d)|primary_?rd|second(ary)?_?rd|street_name|location_", _is_prose),
    _Hint("quasi", "a vehicle that may be recognised", r"veh(icle)?_?(year|yr|make|model|color|colour)|modelo|marca"),
    _Hint("quasi", "what happened, which with a place and a time may tell to whom", r"incident_?(type|cat|category)|final_incident|call_?type|offen[sc]e|charge|crime|violation|viol(cat|ation)?(_|$)|complaint|disposition|dispo(_|$)|nature|tipo_(de_)?(incidente|delito|llamada)|killed|injured|fatal|severity|crashsev"),
    _Hint("internal", "the record's own history", r"(^|_)(created|updated|modified|edited|loaded|exported|deleted|inserted|proc|processed)(_(at|on|by|date|ts|time))?_?$|(date|fecha)_?(created|updated|modified|deleted|creado|actualizado)|proc_?date|procdate|(entered|created|edited|verified|updated)_?by|(^|_)(export_?id|source_?id|hash\w*|software\w*|version|csv_version|etl\w*|batch\w*|_rev)(_|$)"),
    _Hint("internal", "who in the city works on it", r"(^|_)(queue|assign\w*|staff|crew|dispatcher|user|agent|reviewer)(_|$)|responsible_|on_scene_unit", lambda c: c.type == "string"),
    _Hint("linkage key", "a number of a parcel, which leads to its owner", r"(^|_)i?(apn|parcel\w*|lot|ain|folio)(_|$|no|num)"),
    _Hint("linkage key", "a device or session", r"(^|_)(ip|mac|imei|device|session|cookie|token)(_|$)"),
    _Hint("linkage key", "tells people apart, and joins to other sets", rf"(^|_)({_PEOPLE}){_ID}|(^|_)unique_id", is_person=True),
    _Hint("linkage key", "a number that joins to other sets", r"(^|_)(id|ids|uuid|guid|rsn|eid|oid)(_|$)|(id|_no|_num|_nbr|_number|_key)_?$|(case|incident|call|crash|report|permit|folder|file|docket|ticket|record|party)_?(no|num|nbr|number|key|name)_?$|number_?$|parnum",
          lambda c: c.type in ("string", "integer") and (c.distinct > 2 or not c.recorded)),
)  # fmt: skip

_THING_DATE = re.compile(r"instal|built|plant|construct|manufactur|inspect|mainten|paint|paved|commission|warranty|repair|serviced")


def suggestions(profile: Profile) -> dict[str, Suggestion]:
    """A suggestion for every column, each in the light of the others.

    Where a row is about one person, what looks public tells something about that person and is called quasi. Where
    rows are areas, their names and figures are those of places.
    """
    alone = {c.name: suggest(c) for c in profile.columns}
    if profile.shape == "area":
        return {c.name: _of_area(c, alone[c.name]) for c in profile.columns}
    if profile.point:
        alone |= {name: _point(profile.column(name)) for name in profile.point}
    if not any(s.is_person for s in alone.values()):
        return alone
    about = Suggestion("quasi", "tells something of a person, as each row here does")
    return {n: about if s.classification == "public" else s for n, s in alone.items()}


def suggest(column: ColumnProfile) -> Suggestion:
    """What one column may tell about people.

    Args:
        column: The column, looked at.

    Example:
        >>> from metroon.base.profile import ColumnProfile
        >>> suggest(ColumnProfile("DOB", "dob", "date", rows=9, distinct=9)).classification
        'quasi'
    """
    if column.type == "object":
        return Suggestion("public", "the boundary or line on the map")
    return _by_pattern(column) or _by_name(column) or _by_mixture(column) or _by_shape(column)


def _by_pattern(column: ColumnProfile) -> Suggestion | None:
    """What nearly all values fit: the form itself tells, whatever the name says."""
    told: tuple[tuple[str, Classification, str], ...] = (
        ("email", "direct", "e-mail addresses"),
        ("ssn", "direct", "social security numbers"),
        ("phone", "direct", "telephone numbers"),
        ("card", "direct", "payment card numbers"),
        ("iban", "direct", "bank account numbers"),
        ("vin", "direct", "vehicle identification numbers"),
        ("plate", "direct", "licence plates"),
        ("address", "direct", "street addresses"),
        ("point", "sensitive", "points on the ground"),
        ("ip", "linkage key", "addresses of devices"),
        ("url", "free text", "web addresses, which may hold anything"),
    )
    for pattern, classification, words in told:
        share = column.hits.get(pattern, 0.0)
        if share >= MOST:
            return Suggestion(classification, f"{share:.0%} of the values look like {words}", pattern == "ssn")
    if column.hits.get("shape", 0.0) >= MOST:
        return Suggestion("sensitive", "shapes or points on the ground")
    return None


def _by_name(column: ColumnProfile) -> Suggestion | None:
    hint = next((h for h in _HINTS if h.holds(column)), None)
    if hint is None:
        return None
    reason = f"{hint.reason} ({_evidence(column, hint)})"
    return Suggestion(hint.classification, reason, hint.is_person)


def _evidence(column: ColumnProfile, hint: _Hint) -> str:
    shares = {"an e-mail address": "email", "a telephone number": "phone", "a street address": "address",
              "mostly street addresses": "address", "a social security or tax number": "bare ssn"}  # fmt: skip
    share = column.hits.get(shares.get(hint.reason, ""), 0.0)
    if hint.words and not share:
        return "by its name"
    return f"{share:.0%} of the values look like it"


def _by_mixture(column: ColumnProfile) -> Suggestion | None:
    """Where some values name people, all of them have to be read."""
    words = {"email": "e-mail addresses", "phone": "telephone numbers", "ssn": "social security numbers",
             "address": "street addresses", "plate": "licence plates"}  # fmt: skip
    for pattern, said in words.items():
        share = column.hits.get(pattern, 0.0)
        if share >= SOME:
            return Suggestion("free text", f"{share:.0%} of the values look like {said}")
    return None


def _by_shape(column: ColumnProfile) -> Suggestion:
    if not column.recorded:
        return Suggestion("internal", "nothing is recorded yet, so that nothing can be said of it")
    if re.fullmatch(r"column\d+|index|Unnamed: \d+", column.header) and column.is_key:
        return Suggestion("internal", "row numbers of the program that wrote the file")
    if column.type in ("date", "timestamp"):
        if _THING_DATE.search(column.name):
            return Suggestion("public", "when something was done to a thing (by its name)")
        return Suggestion("quasi", "a date or time, which with a place may tell who")
    if column.type in ("number", "boolean"):
        return Suggestion("public", "a figure" if column.type == "number" else "yes or no")
    if column.type == "integer":
        return _whole(column)
    return _text(column)


def _whole(column: ColumnProfile) -> Suggestion:
    if column.is_key and column.rows >= 20:
        return Suggestion("linkage key", "a different number in every row")
    if column.hits.get("bare ssn", 0.0) >= 0.99 and column.distinct > 0.9 * column.recorded:
        return Suggestion("direct", "nine digits, nearly all different: they may be social security numbers")
    return Suggestion("public", "a figure")


def _text(column: ColumnProfile) -> Suggestion:
    if _is_list(column):
        return Suggestion("public", f"{column.distinct} different values, each many times")
    if column.hits.get("bare ssn", 0.0) >= 0.99 and column.distinct > 0.9 * column.recorded:
        return Suggestion("direct", "nine digits, nearly all different: they may be social security numbers")
    if column.mean_words <= 1.2 and column.digit_share > 0.5:
        if column.distinct > 0.5 * column.recorded:
            return Suggestion("linkage key", "a code that is different in most rows")
        return Suggestion("internal", "codes that nobody has explained yet")
    if column.mean_words <= 1.5 and column.mean_length <= 12 and column.recorded >= 10 * column.distinct:
        return Suggestion("internal", "short words that nobody has explained yet")
    if column.recorded < 20 * max(column.distinct, 1) and column.recorded < 200 and column.distinct <= 5:
        return Suggestion("internal", "too few rows to tell a list from what somebody typed")
    return Suggestion("free text", "many different texts: somebody has to read them first")


def _point(column: ColumnProfile) -> Suggestion:
    if column.decimals <= 2:
        return Suggestion("quasi", f"a place to {column.decimals} decimals of a degree: about a kilometre")
    return Suggestion("sensitive", f"a place to {column.decimals} decimals of a degree: as good as an address")


def _of_area(column: ColumnProfile, alone: Suggestion) -> Suggestion:
    """Rows are areas: their names, numbers and figures are of places, not of people."""
    named = alone.reason.startswith("it may be a person's name")
    if alone.classification in ("quasi", "linkage key", "sensitive") or named:
        return replace(alone, classification="public", reason="of an area, not of a person", is_person=False)
    return alone
