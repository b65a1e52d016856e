"""Hints: names of columns that point to people, in three languages, and what their values must then look like.

The vocabulary of ``suggest``: data, to be added to. A hint whose values speak against it does not hold: a column
``telephone`` of zeros and ones says how somebody was reached, and is no telephone number.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from metroon.base.profile import ColumnProfile
    from metroon.city.contract import Classification

FEW = 12
"""Different values of a short list of answers, at the most."""
_ROWS_EACH = 20
"""Rows for each value, on average, that make a list of a column."""
_LONGEST_LIST = 150


@dataclass(frozen=True)
class Hint:
    """A class that a name points to, when the values do not speak against it.

    Args:
        classification: The class.
        about: What the column most likely holds.
        words: A regular expression over names in small letters with ``_`` between words.
        agrees: Whether the values can be that; asked only when there are any.
        is_person: Whether such a column, when it holds no measured figures, says that each row is about one person.
        pattern: The pattern of ``base/patterns.py`` whose share is told as evidence.
    """

    classification: Classification
    about: str
    words: str
    agrees: Callable[[ColumnProfile], bool] = lambda column: True
    is_person: bool = False
    pattern: str = ""

    def holds(self, column: ColumnProfile) -> bool:
        """Whether a column's name and values both allow it."""
        if not column.recorded:
            return bool(self.words) and bool(re.search(self.words, column.name))
        return bool(re.search(self.words, column.name)) and self.agrees(column)


def is_list(column: ColumnProfile) -> bool:
    """Whether the values are a short list of words, each standing many times: a category."""
    return (
        column.type == "string"
        and 0 < column.distinct <= _LONGEST_LIST
        and column.recorded >= _ROWS_EACH * column.distinct
    )


def is_prose(column: ColumnProfile) -> bool:
    """Whether the values are text of which hardly two are the same."""
    return column.type == "string" and not is_list(column)


def is_figure(column: ColumnProfile) -> bool:
    """Whether the values are no answers from a list, but may be true or measured."""
    return column.type != "boolean" and not is_list(column)


def can_identify(column: ColumnProfile) -> bool:
    """Whether the values can be numbers or names of single people, and no answers from a short list."""
    is_answer = column.distinct <= FEW and column.recorded >= 30 and column.mean_length <= 3
    return column.type in ("string", "integer") and not is_answer


def can_be_name(column: ColumnProfile) -> bool:
    """Whether the values can be names: text of several words, or mostly without digits."""
    return can_identify(column) and column.type == "string" and (column.digit_share < 0.5 or column.mean_words >= 2)


def can_be_number(column: ColumnProfile) -> bool:
    """Whether the values can be numbers of people: mostly with digits."""
    return can_identify(column) and column.digit_share > 0.5


def can_be_contact(column: ColumnProfile) -> bool:
    """Whether the values are long enough to reach somebody."""
    return can_identify(column) and column.mean_length >= 7


def can_be_age(column: ColumnProfile) -> bool:
    """Whether the values can be ages, typing errors among them, and no counts of people of an age."""
    return not isinstance(column.high, float) or column.high < 1_000


def _is_short_list(column: ColumnProfile) -> bool:
    return column.distinct <= FEW and column.recorded >= 30


# What has a name and is no person.
_THINGS = (
    r"street|project|organi[sz]ation|agency|neighbou?rhood|region|file|software|source|type|category|park|school|area"
    r"|department|station|county|city|place|district|ward|road|route|facility|program|product|event|dataset|business"
    r"|company|firm|site|building|zone|layer|common|asset|species|calle|barrio|ciudad|tract|geo|display|service|unit"
    r"|crash|incident|dist|column|field|table|group|class|status|hospital|county|state"
)
IS_THING = re.compile(rf"(^|_)({_THINGS})(_|$)")
"""Names of columns that hold the names of things, such as streets and firms, which often are named after people."""
_PEOPLE = (
    r"client|person|personal|patient|participant|individual|student|customer|subject|resident|inmate|victim|defendant"
    r"|suspect|beneficiary|member|voter|juror|cliente|persona|paciente|usuario"
)
_AGED = r"tree|pipe|main|signal|lamp|light|asset|building|roof|vehicle|fleet|equipment|pavement|bridge|meter|pump"
_CASES = r"case|incident|call|crash|report|permit|folder|file|docket|ticket|citation|record|party|par|event|request"


def _is_person_name(column: ColumnProfile) -> bool:
    return can_be_name(column) and not re.search(rf"({_THINGS})_?name", column.name)


# Read from top to bottom, and the first that holds is taken: what identifies stands above what only may.
IDENTIFYING: tuple[Hint, ...] = (
    Hint(
        "quasi", "a code about a personal detail, not the detail itself",
        r"(ssn|dob|birth|name|address|phone|mail)\w*(quality|type|flag|known|provided|source)_?$", _is_short_list,
    ),
    Hint(
        "direct", "a social security or tax number",
        r"(^|_)(ssn|ss_no|ssno|itin|taxpayer|curp|rfc)(_|$)|soc(ial)?_?sec(urity)?(_?(id|no|num|number))?$"
        r"|seguro_social|(^|_)(cccd|cmnd|can_cuoc)(_|$)",
        can_be_number, is_person=True, pattern="bare ssn",
    ),
    Hint("direct", "an e-mail address", r"e_?mail|(^|_)correo(_|$)", can_be_contact, pattern="email"),
    Hint(
        "direct", "a telephone number", r"phone|telefono|celular|dien_thoai|(^|_)(tel|fax|mobile|movil|cell|sdt)(_|$)",
        can_be_contact, pattern="phone",
    ),
    Hint(
        "direct", "the number of a licence, passport, plate or vehicle",
        r"passport|pasaporte|ho_chieu|bien_so|driver_?lic|matricula|(^|_)(dl|dln|vin|plate|placas?)(_|$)|licen[cs]e_?plate"
        r"|(^|_)(plate|lic(en[cs]e)?)_?(no|num|number|id)|(^|_)licen[cs](e|ia)_?$",
        can_identify,
    ),
    Hint(
        "direct", "an account or card number",
        r"(^|_)(acct|account|cuenta|iban|routing|mrn)(_|$)|(credit|debit)_?card|card_?(no|num|number)"
        r"|medical_record|(medicaid|medicare|booking)_?(id|no|num|number)",
        can_identify,
    ),
    Hint(
        "direct", "an officer or employee of the city",
        r"badge|(officer|employee|inspector)(_?(id|no|num|name))?_?$", can_identify,
    ),
    Hint(
        "direct", "a person's name",
        r"(first|last|middle|given|sur|full|maiden|nick|family|legal|client|patient|person|resident|tenant|victim"
        r"|suspect|driver|officer|user)_?name|name_?suffix|surname|apellido|(^|_)(fname|lname|mname|alias)(_|$)"
        r"|contact_(first|last|name)|(^|_)ho_(va_)?ten(_|$)|^(ho|ten|ten_dem)$|(^|_)nombres?_?$|nombre_(de_|del_)?(la_|el_)?(persona|cliente|victima|paciente)",
        can_be_name, is_person=True,
    ),
    Hint(
        "direct", "the person or firm behind the row",
        r"owner|applicant|contractor|landlord|tenant|guardian|signature|council_?member|complainant|payee|grantee"
        r"|attorney|propietari[oa]|solicitante|inquilin[oa]|(^|_)(contact|member)_?$",
        can_be_name,
    ),
    Hint("direct", "perhaps a person's name", r"name_?$", _is_person_name),
    Hint(
        "direct", "a street address",
        r"address|direccion|domicilio|(^|_)dia_chi(_|$)|(^|_)(?<!mac_)(?<!ip_)addr(_|$|\d)|(street|house|apt|suite)_?(no|num|number)(_|$)|mailing"
        r"|residence_?$|(job|site)_?location",
        lambda c: can_identify(c) and not is_list(c), pattern="address",
    ),
    Hint("direct", "mostly street addresses", "", lambda c: c.hits.get("address", 0.0) >= 0.3, pattern="address"),
    Hint(
        "direct", "a picture, which may show a face or a plate",
        r"photo|foto|picture|mugshot|(^|_)(image|img|voice)(_|$)|fingerprint|biometric",
        lambda c: is_figure(c) and c.distinct > 2,
    ),
    Hint(
        "free text", "notes, which hold whatever was typed",
        r"(^|_)(notes?|comments?|remarks?|narrative|memo|comentarios?|notas?|observaci\w*|mensaje|message|ghi_chu)(_|$)",
    ),
)  # fmt: skip

TELLING: tuple[Hint, ...] = (
    Hint(
        "linkage key", "a number that tells people apart and joins to other sets",
        rf"(^|_)({_PEOPLE})_?(id|no|num|nbr|number|key|code)_?$", can_identify, is_person=True,
    ),
    Hint(
        "linkage key", "the number of a parcel, which leads to its owner",
        r"(^|_)(i?apn|parcel\w*|lot|ain|folio)(_|$)", lambda c: c.type in ("string", "integer"),
    ),
    Hint(
        "linkage key", "a device or session",
        r"(^|_)(ip|mac|imei|device|session|cookie|token)(_?(id|addr\w*|no|number))?_?$", can_identify,
    ),
    Hint(
        "linkage key", "a number that joins to other sets",
        rf"(^|_)(ids?|uuid|guid|rsn|eid|oid)_?\d?$|_(no|num|nbr|number|key)_?$"
        rf"|({_CASES})_?(id|no|num|nbr|number|name|rsn)_?$"
        r"|(^|_)(uuid|guid)(_|$)|(^|_)id_[a-z]_?$|folio|expediente",
        lambda c: c.type in ("string", "integer") and c.distinct > 2,
    ),
    Hint(
        "sensitive", "a place on the ground",
        r"(^|_)(lat|lon|lng|long|latitude|longitude|latitud|longitud|vi_do|kinh_do|(lat|lon|lng)_(home|work|residence)|point_?[xy]|[xy]_?coord|coord_?[xy]|[xy]_cord"
        r"|[xy]_chp|x|y|geom(_\d+)?|wkt|wkb|coordinates|coordenadas|geo_?point|point|punto)_?$",
        is_figure,
    ),
    Hint(
        "quasi", "a date of birth",
        r"birth_?(date|day|dt|year)|date_of_birth|(^|_)(dob|yob|birth)(_|$)|nacimiento|fecha_nac|(ngay|nam)_sinh",
        is_person=True,
    ),
    Hint(
        "free text", "details that somebody typed", r"details?_?$|explan|specify|please_", lambda c: c.type == "string",
    ),
    Hint(
        "free text", "words that somebody typed",
        r"descri|reason|motivo|identify|(^|_)other(_|$)|summary|question|answer|title|subject",
        lambda c: is_prose(c) and c.mean_words > 1.3,
    ),
    Hint(
        "sensitive", "health",
        r"health|salud|suc_khoe|khuyet_tat|medical|diagnos|disab|discapac|hivaids|pregnan|embaraz|symptom|treatment|overdose|mental|impair"
        r"|prescri|antiretro|(^|_)(hiv|aids|ems|asthma|tcell|t_cell|viral|adap)(_|$)",
    ),
    Hint(
        "sensitive", "alcohol or drugs",
        r"alcohol|p?drug|droga|substance|sobri|p?sober|(^|_)(etoh|dui|bac)(_|$)",
    ),
    Hint(
        "sensitive", "a victim, violence or harm",
        r"victim|violen|abuse|domestic|traffick|exchange_for|labor_?exploit|coerced|fleeing|runaway|foster|juvenil"
        r"|child_?welfare|v?injur(y|ies)|inj_?sev|lesion|(^|_)(dv|minor)(_|$)",
    ),
    Hint(
        "sensitive", "who was hurt or killed",
        r"killed|injured|fatal|casualt|herid[oa]|muert[oa]|(^|_)inj(_|$)|(sev|other|ped|bic|mc)_?(inj|kill)",
    ),
    Hint(
        "sensitive", "immigration or citizenship",
        r"immigra|inmigra|citizen|ciudadan|undocument|refugee|asylum|migra|(^|_)visa(_|$)",
    ),
    Hint(
        "sensitive", "sexual orientation or gender identity",
        r"sexual|transgender|gender_?(identity|none)|single_gender|questioning|lgbt|non_?binary",
    ),
    Hint("sensitive", "belief or membership", r"religio|politic|party_affil|union_member|(^|_)faith(_|$)"),
    Hint(
        "sensitive", "police, court or prison",
        r"arrest|convict|offender|criminal|prison|incarcer|probation|parole|evict|custody|delito",
    ),
    Hint(
        "sensitive", "homelessness or shelter",
        r"homeless|shelter|albergue|living_?situation|unhoused|encampment|(^|_)(destination|essh)(_|$)|housing_?loss",
    ),
    Hint(
        "sensitive", "benefits or insurance of a person",
        r"benefit|insurance|alimony|child_?support|pension|workers_?comp|unemployment|welfare|subsid|soc_?sec_?retire"
        r"|(^|_)(snap|wic|tanf|ssi|ssdi|ga|medicaid|medicare|schip|cobra|calfresh)(_|$)",
    ),
    Hint(
        "public", "the age of a thing", rf"(^|_)({_AGED})_age_?$|(^|_)age_of_(the_)?({_AGED})_?$",
        lambda c: c.type in ("integer", "number"),
    ),
    Hint(
        "quasi", "an age", r"(^|_)(ages?|edad|tuoi|[pv]age|med_age|grupo_edad|age\d+\w*)(_|$)", can_be_age,
        is_person=True,
    ),
    Hint(
        "quasi", "sex", r"(^|_)([pv]?sex|sexo|gioi_tinh|gender|genero|female|male|mujer|hombre|pronouns?)(_|$)",
        is_person=True,
    ),
    Hint(
        "quasi", "race or ethnicity",
        r"(^|_)(p?race|raza|chung_toc|dan_toc|quoc_tich|ethnic\w*|etnia|hispanic|latin[oax]?|asian|white|black|african|am_?ind|native|tribe|tribal"
        r"|nativehi|ancestry|nationality|nacionalidad|country_of\w*)(_|$)",
        is_person=True,
    ),
    Hint("quasi", "language", r"language|idioma|lengua|ngon_ngu|interpreter|(^|_)lang(_|$)|english_prof"),
    Hint(
        "quasi", "household or family",
        r"household|marital|estado_civil|family|familia|relationship|single_parent|dependents?_|head_of|(^|_)hoh(_|$)",
    ),
    Hint(
        "quasi", "school, work, service or income",
        r"educat|escolar|nghe_nghiep|thu_nhap|last_grade|school_?(status|attend)|occupation|ocupacion|job_?title|employ|empleo|veteran"
        r"|military|income|ingreso|salary|wage|earned|percent_?ami|(^|_)(rent|renta)_?$",
    ),
    Hint(
        "quasi", "a small area that people live in",
        r"zip|postal|postcode|neighbou?rhood|barrio|vecindario|colonia|suburb|tract|census|precinct|geocode"
        r"|reporting_?district|(^|_)(block|beat|grid)(_|$)|fips|geoid|geo_id",
    ),
    Hint(
        "quasi", "a street, block or corner",
        r"(^|_)(street|st_name|road|rd|calle|intersection|cross_?street|xstreet|premise|location|ubicacion|lugar)"
        r"(_|$|\d)|(primary|second(ary)?)_?rd",
        is_prose,
    ),
    Hint(
        "quasi", "a time of day", r"(^|_)(time|hour|hora)_?$",
        lambda c: c.type in ("string", "integer") and c.mean_length <= 8 and c.digit_share > 0.5,
    ),
    Hint("quasi", "a vehicle that may be recognised", r"veh(icle)?_?(year|yr|make|model|colou?r)|modelo|marca"),
    Hint(
        "quasi", "what happened, which with a place and a time may tell to whom",
        r"incident_?(type|cat)|call_?type|offen[sc]e_?(type|code|desc\w*)?$|charge|crime|violation|complaint"
        r"|viol_?(cat\w*|code)?_?$|severity|crashsev|disposition|dispo(_|$)|nature_of|request_?(type|category)|tipo_(de_)?(incidente|llamada)",
    ),
    Hint(
        "internal", "the record's own history",
        r"(^|_)(created|updated|modified|edited|loaded|exported|deleted|inserted|processed|proc|export)"
        r"_?(at|on|by|date|ts|time|id)?_?$"
        r"|(date|fecha)_?(created|updated|modified|deleted|creado|actualizado)|(proc|export)_?date"
        r"|(entered|created|edited|verified|updated)_?by|(^|_)(hash\w*|software\w*|version|csv_version|etl|batch)(_|$)",
    ),
    Hint(
        "internal", "who in the city works on it",
        r"(^|_)(queue|assign\w*|staff|crew|dispatcher|user|agent|reviewer)(_|$)|responsible_|scene_unit",
        lambda c: c.type == "string",
    ),
    Hint(
        "public", "a city, district or public body",
        r"(^|_)(city|county|state|country|ciudad|condado|department|departamento|agency|ward|district|distrito|borough)"
        r"s?(_name|_id|_no)?_?$|st_abbr",
    ),
    Hint("public", "a year or month", r"(^|_)(year|anio|month|mes|quarter)_?$", lambda c: c.mean_length <= 9),
    Hint(
        "public", "the name of a public place or kind of thing",
        r"(^|_)(region|city|county|dist|district|ward|park|agency|department|species|category|type|class|zone)_?name_?$",
    ),
    Hint(
        "public", "a figure",
        r"(^|_)(pop|population|count|total|amount|cost|price|value|valuation|area|acres|miles|km|sq\w*|length|width|height"
        r"|percent|pct|score|rate|units)(_|$|\d)",
        lambda c: c.type in ("integer", "number"),
    ),
)  # fmt: skip

THING_DATE = re.compile(
    r"instal|built|plant|construct|manufactur|mainten|paint|paved|commission|warranty|repair|servic"
)
"""Names of days on which something was done to a thing."""
