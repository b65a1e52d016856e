"""A labelled set of columns, all invented: every class of personal data among what looks like it and is not.

Each column has a header, a maker of values and the class that a privacy officer would give it. Headers range from
telling to misleading to none (``field_7``). The tuned part may be looked at when hints are changed; the held-out part
has other headers, other forms and other seeds, and is only counted.
"""

# ruff: noqa: E501  # a table is read by its lines

from __future__ import annotations

import random
import string
from collections.abc import Callable
from dataclasses import dataclass

from metroon.base.patterns import is_card, is_iban, is_npi, is_routing, is_vin

Made = Callable[[random.Random, int], object]
LETTERS = string.ascii_uppercase


@dataclass(frozen=True)
class Labelled:
    """One column of the set.

    Args:
        header: As it stands in the file.
        made: Makes the value of one row.
        label: The class.
        empty: Share of rows without a value.
    """

    header: str
    made: Made
    label: str
    empty: float = 0.0


# What people are called. Frequent names and some that no short list has.
_GIVEN = {
    "tuned": "Ana Linh José Mary Wei Omar Tess Paul Rosa Kim Ivo Nia Sam Lena Raj Dee Luis Hannah Tyrone Mei Duc Fatima",
    "held out": "Grace Minh Javier Susan Hao Yusuf Erin Peter Carmen Jin Marko Zoe Ben Julia Arjun Kay Diego Ruth Jamal",
}
_FAMILY = {
    "tuned": "Nguyen García Smith Lee O'Neil Khan Silva Brown Chen Patel Rossi Diaz Cole Ito Haddad Kowalski Abara",
    "held out": "Tran Hernández Johnson Park McCoy Ahmed Costa Wilson Wang Shah Conti Vega Reed Sato Nasser Novak Okafor",
}
_STREETS = {
    "tuned": "Main St|Willow Av|N 1st St|Story Rd|Alum Rock Ave|Camino Verde Dr|Santa Clara St|Oak Ct|Taylor St|Julian St",
    "held out": "Elm Street|Harbor Blvd|S 10th St|Senter Rd|Monterey Hwy|Via del Oro|Market St|Pine Ln|Hedding St|Jackson St",
}
_TEXT = {
    "tuned": "caller said the light was out again near school no answer left card dog he tree down blocking lane",
    "held out": "resident reports water running from hydrant since morning crew sent two bags of trash left behind fence",
}
_PARKS = {
    "tuned": "Lincoln Park|Emma Prusch Park|Kelley Park|Backesto Park|Guadalupe Garden|Watson Park|Roosevelt Center",
    "held out": "Cesar Chavez Plaza|Overfelt Gardens|William Street Park|Ryland Park|Bramhall Park|Almaden Lake Park",
}
_FIRMS = {
    "tuned": "Garcia Plumbing Inc|Lee's Auto Repair|Nguyen Market|Smith & Sons LLC|Bay Roofing Co|Rosa's Bakery",
    "held out": "Hernandez Electric|Tran Nails Salon|Johnson Construction Inc|Park Solutions LLC|Wilson Dental Group",
}
_SPECIES = {
    "tuned": "Quercus agrifolia|Platanus racemosa|Pistacia chinensis|Lagerstroemia indica|Ginkgo biloba|Acer rubrum",
    "held out": "Coast live oak|London plane|Crape myrtle|Chinese elm|Southern magnolia|Valley oak|Red maple",
}


def digits(chance: random.Random, n: int) -> str:
    """That many random digits."""
    return "".join(chance.choice(string.digits) for _ in range(n))


def checked(chance: random.Random, body: Callable[[str], str], is_right: Callable[[str], bool]) -> str:
    """A text whose check digit is right."""
    while True:
        for sign in "0123456789X":
            made = body(sign)
            if is_right(made):
                return made


def _card(chance: random.Random) -> str:
    front = chance.choice(("4", "51", "53", "6011"))
    rest = digits(chance, 15 - len(front))
    return checked(chance, lambda d: front + rest + d, is_card)


def _vin(chance: random.Random) -> str:
    signs = [chance.choice("ABCDEFGHJKLMNPRSTUVWXYZ0123456789") for _ in range(17)]
    return checked(chance, lambda d: "".join(signs[:8]) + d + "".join(signs[9:]), is_vin)


def _npi(chance: random.Random) -> str:
    body = "1" + digits(chance, 8)
    return checked(chance, lambda d: body + d, is_npi)


def _routing(chance: random.Random) -> str:
    body = chance.choice(("12", "32", "11")) + digits(chance, 6)
    return checked(chance, lambda d: body + d, is_routing)


def _iban(chance: random.Random) -> str:
    tail = digits(chance, 18)
    return next(t for n in range(100) if is_iban(t := f"DE{n:02d}{tail}"))


def _ssn(chance: random.Random, sign: str) -> str:
    area = chance.choice([*range(1, 666), *range(667, 900)])
    return sign.join((f"{area:03d}", f"{chance.randint(1, 99):02d}", f"{chance.randint(1, 9999):04d}"))


def _phone(chance: random.Random, form: str) -> str:
    return form.format(chance.randint(201, 989), chance.randint(200, 999), digits(chance, 4))


def _day(chance: random.Random, low: int, high: int, form: str = "{y}-{m:02d}-{d:02d}") -> str:
    return form.format(y=chance.randint(low, high), m=chance.randint(1, 12), d=chance.randint(1, 28))


def _mixed(chance: random.Random, text: str, value: str, share: float) -> str:
    return f"{text} {value}" if chance.random() < share else text


def _one(*values: object) -> Made:
    return lambda chance, n: chance.choice(values)


def columns(part: str) -> list[Labelled]:
    """The columns of one part, ``tuned`` or ``held out``."""
    held = part == "held out"
    given, family = _GIVEN[part].split(), _FAMILY[part].split()
    streets, words = _STREETS[part].split("|"), _TEXT[part].split()
    parks, firms, species = _PARKS[part].split("|"), _FIRMS[part].split("|"), _SPECIES[part].split("|")

    def pick(tuned: str, held_out: str) -> list[str]:
        return (held_out if held else tuned).split("|")

    def prose(chance: random.Random) -> str:
        return " ".join(chance.choice(words) for _ in range(chance.randint(5, 16)))

    def full(chance: random.Random, form: str) -> str:
        return form.format(g=chance.choice(given), f=chance.choice(family), i=chance.choice(LETTERS))

    def address(chance: random.Random) -> str:
        made = f"{chance.randint(1, 9999)} {chance.choice(streets)}"
        return made.upper() if held else made

    made: list[Labelled] = []

    def add(label: str, headers: list[str], *makers: Made, empty: float = 0.0) -> None:
        made.extend(Labelled(h, makers[i % len(makers)], label, empty) for i, h in enumerate(headers))

    # Direct identifiers, by telling names, in several languages, and by their form alone.
    add("direct", pick("SSN|Soc Sec No|client_ssn|NumeroSeguroSocial", "SocialSecurityNumber|ssn_no|SS_NO|seguro_social"),
        lambda c, n: _ssn(c, "-"), lambda c, n: _ssn(c, ""), lambda c, n: _ssn(c, " "))  # fmt: skip
    add("direct", pick("ref|field_7", "column12|ident"), lambda c, n: _ssn(c, "-"))
    add("direct", pick("itin|TaxpayerID", "Taxpayer No|ITIN_NUM"),
        lambda c, n: f"9{digits(c, 2)}-7{c.randint(0, 9)}-{digits(c, 4)}")  # fmt: skip
    add("direct", pick("EMAIL_ADDR|correo|reach|f3|E-mail", "ContactEmail|correo_electronico|how|v9|mail address"),
        lambda c, n: f"{c.choice(given).lower()}{n}@example.org",
        lambda c, n: f"{full(c, '{g}.{f}').lower()}@mail.example.com", empty=0.2)  # fmt: skip
    add("direct", pick("Telephone|telefono_casa|Cell Phone|line|x4|số điện thoại",
                       "HomePhone|celular|mobile_no|call back|q11|dien_thoai"),
        lambda c, n: _phone(c, "({}) {}-{}"), lambda c, n: _phone(c, "{}-{}-{}"),
        lambda c, n: _phone(c, "{}.{}.{}"), lambda c, n: _phone(c, "+1 {} {} {}"), empty=0.1)  # fmt: skip
    add("direct", pick("phone", "PHONE_1"), lambda c, n: _phone(c, "{}{}{}"))
    add("direct", pick("CC|card_number|pay|col_2", "CreditCard|PAN|method detail|m5"),
        lambda c, n: _card(c), lambda c, n: f"{(made := _card(c))[:4]} {made[4:8]} {made[8:12]} {made[12:]}")  # fmt: skip
    add("direct", pick("iban|account", "bank_acct|to"), lambda c, n: _iban(c))
    add("direct", pick("routing_no|AcctNo", "RoutingNumber|account_number"), lambda c, n: _routing(c),
        lambda c, n: digits(c, 11))  # fmt: skip
    add("direct", pick("VIN|vehicle", "veh_id_no|v_ident"), lambda c, n: _vin(c))
    add("direct", pick("plate|LICENSE_PLATE|placas", "PlateNumber|vehicle plate|lic_plate_no"),
        lambda c, n: f"{c.randint(1, 9)}{''.join(c.choice(LETTERS) for _ in range(3))}{digits(c, 3)}")  # fmt: skip
    add("direct", pick("DriversLicense|dl_no", "driver_lic_num|DLN"), lambda c, n: c.choice(LETTERS) + digits(c, 7))
    add("direct", pick("passport_no", "PassportNumber"), lambda c, n: digits(c, 9))
    add("direct", pick("MedicaidID|medical_record_no|mbi", "MRN|medicare_no|Medicaid Num"),
        lambda c, n: f"{c.randint(1, 9)}EG{c.randint(0, 9)}TE{c.randint(0, 9)}MK{digits(c, 2)}")  # fmt: skip
    add("direct", pick("First Name|nombre_del_paciente|middle_name|Họ", "given name|nombre de la persona|FNAME|tên"),
        lambda c, n: c.choice(given))  # fmt: skip
    add("direct", pick("Last Name|apellido|surname", "LNAME|apellido_paterno|family_name"),
        lambda c, n: c.choice(family))  # fmt: skip
    add("direct", pick("Full Name|applicant|owner_name|inspector|who|c1|họ và tên",
                       "ClientName|landlord|Contractor Name|officer|by|k2|ho_ten"),
        lambda c, n: full(c, "{g} {f}"), lambda c, n: full(c, "{f}, {g} {i}."),
        lambda c, n: full(c, "{g} {i} {f}").upper())  # fmt: skip
    add("direct", pick("home_address|Direccion|where|Mailing Address 1|địa chỉ",
                       "ResidenceAddress|domicilio|loc|STREET_ADDRESS|dia_chi"), lambda c, n: address(c))  # fmt: skip
    add("direct", pick("photo_url|fingerprint_id", "mugshot|biometric_hash"),
        lambda c, n: f"img/{digits(c, 8)}.jpg")  # fmt: skip

    # Keys that tell people or devices apart.
    add("linkage key", pick("client_id|PersonID|patient_no", "StudentNumber|resident_id|InmateNo"),
        lambda c, n: 100_000 + n, lambda c, n: f"P{n:06d}")  # fmt: skip
    add("linkage key", pick("APN|parcel", "ParcelNumber|lot_no"),
        lambda c, n: f"{digits(c, 3)}-{digits(c, 2)}-{digits(c, 3)}")  # fmt: skip
    add("linkage key", pick("device_id|session|token", "imei|cookie_id|SessionToken"),
        lambda c, n: f"{c.getrandbits(64):016x}")  # fmt: skip
    add("linkage key", pick("ip_address|f8", "ClientIP|src"),
        lambda c, n: ".".join(str(c.randint(1, 254)) for _ in range(4)))  # fmt: skip
    add("linkage key", pick("uuid|g", "row_guid|h"), lambda c, n: f"{c.getrandbits(32):08x}-{c.getrandbits(16):04x}-"
        f"4{c.getrandbits(12):03x}-a{c.getrandbits(12):03x}-{c.getrandbits(48):012x}")  # fmt: skip
    add("linkage key", pick("mac_addr|e1", "WifiMac|e2"),
        lambda c, n: ":".join(f"{c.getrandbits(8):02x}" for _ in range(6)))  # fmt: skip
    add("linkage key", pick("case_number|IncidentID|permit_no", "FolderRSN|call_id|Report Number"),
        lambda c, n: f"2026-{n:06d}", lambda c, n: 20_260_000 + n)  # fmt: skip

    # Sensitive.
    add("sensitive", pick("latitude|lat_home", "GPS Lat|y_latitude"), lambda c, n: f"{37.2 + c.random() / 4:.6f}")
    add("sensitive", pick("where_point", "geo_point"),
        lambda c, n: f"({37.2 + c.random() / 4:.6f}, {-121.9 + c.random() / 4:.6f})")  # fmt: skip
    add("sensitive", pick("HIVAIDS|mental_health|disabling_condition|discapacidad|pregnant",
                          "HealthStatus|substance_use|DisabilityType|embarazada|asthma"), _one("Yes", "No", "Unknown"))  # fmt: skip
    add("sensitive", pick("domestic_violence|victim_type|minor_involved", "DVVictim|fleeing|child_abuse"),
        _one(0, 1), _one("Y", "N", ""))  # fmt: skip
    add("sensitive", pick("immigration_status|citizenship", "VisaType|undocumented"),
        _one("citizen", "resident", "visa", "none"))  # fmt: skip
    add("sensitive", pick("sexual_orientation|gender_identity", "SexualOrientation|transgender"),
        _one("a", "b", "c", "not asked"))  # fmt: skip
    add("sensitive", pick("living_situation|shelter_type|destination", "HomelessReason|encampment|prior_living_situation"),
        _one("street", "car", "with family", "motel"))  # fmt: skip
    add("sensitive", pick("arrested|probation_status", "ConvictionType|parole"), _one("yes", "no"))
    add("sensitive", pick("FATAL_INJ|severe_injuries", "persons_killed|InjuredCount"), _one(0, 1, 2, 3))
    add("sensitive", pick("snap_benefit|insurance_type", "CalFreshCase|medicaid_enrolled"), _one("yes", "no"))
    add("sensitive", pick("religion", "ReligiousAffiliation"), _one("none", "catholic", "buddhist", "other"))

    # Quasi-identifiers.
    add("quasi", pick("DOB|birth_date|fecha_nac|ngày sinh", "DateOfBirth|BirthDt|fecha de nacimiento|ngay_sinh"),
        lambda c, n: _day(c, 1935, 2020), lambda c, n: _day(c, 1935, 2020, "{m}/{d}/{y}"))  # fmt: skip
    add("quasi", pick("birth_year", "YOB"), lambda c, n: c.randint(1935, 2020))
    add("quasi", pick("Age|edad|P_AGE|tuổi", "AGE_AT_ENTRY|VictimAge|grupo_edad|tuoi"), lambda c, n: c.randint(0, 95))
    add("quasi", pick("Sex|género|gender|giới tính", "SEXO|P_SEX|Gender|gioi_tinh"), _one("F", "M", "X"))
    add("quasi", pick("race|ethnicity|Hispanic", "RACE_DESC|Ethnicity|latino"), _one("A", "B", "H", "W", "O"))
    add(
        "quasi", pick("primary_language|idioma|ngôn ngữ", "PreferredLanguage|lengua|lang"), _one("en", "es", "vi", "zh")
    )
    add("quasi", pick("zip|ZIP_CODE|codigo_postal", "PostalCode|ZipCd|zip5"), _one("95112", "95116", "95127", "95123"))
    add(
        "quasi", pick("household_size|marital_status|veteran", "HHSize|FamilyType|MilitaryService"), _one(1, 2, 3, 4, 5)
    )
    add("quasi", pick("occupation|education|income", "Occupation|LastGrade|monthly_income"), _one("a", "b", "c", "d"))
    add(
        "quasi",
        pick("census_tract|beat", "TRACTCE|Police Beat"),
        lambda c, n: f"50{c.randint(10, 40)}.0{c.randint(1, 9)}",
    )
    add("quasi", pick("call_type|offense_desc|incident_type", "CRIME|ViolationCategory|Call Type"),
        _one("theft", "noise", "fire alarm", "injury"))  # fmt: skip
    add("quasi", pick("incident_date|created|fecha", "occurred_on|CallDate|reported"),
        lambda c, n: _day(c, 2024, 2026), lambda c, n: _day(c, 2024, 2026) + f" {c.randint(0, 23):02d}:{c.randint(0, 59):02d}")  # fmt: skip
    add("quasi", pick("incident_time", "TIME"), lambda c, n: f"{c.randint(0, 23):02d}:{c.randint(0, 59):02d}")
    add("quasi", pick("cross_street|intersection", "xstreet|SecondaryRd"),
        lambda c, n: f"{c.choice(streets)} {c.randint(1, 40)} {c.choice(streets)}")  # fmt: skip

    # What somebody typed.
    add("free text", pick("notes|comentarios|description|remarks|t5|ghi chú", "Narrative|observaciones|details|msg|z4|ghi_chu"),
        lambda c, n: prose(c))  # fmt: skip
    add("free text", pick("request_text|other", "summary_of_issue|p8"),
        lambda c, n: _mixed(c, prose(c), _phone(c, "{}-{}-{}"), 0.1))  # fmt: skip

    # Staff notes and the record's own history.
    add("internal", pick("last_edited|created_by|batch_id|queue", "updated_at|edited_by|etl_version|assigned_crew"),
        lambda c, n: _day(c, 2026, 2026), _one("jd", "mk", "lp"), _one("3", "4", "5"), _one("north crew", "south crew"))  # fmt: skip

    # Lookalikes: nothing of a person in them.
    add("public", pick("asset_type|material|road_class|species", "LampType|PipeMaterial|surface|SpeciesName"),
        _one("led", "hps", "mh"), _one("PVC", "iron", "clay"), _one("local", "arterial", "collector"),
        lambda c, n: c.choice(species))  # fmt: skip
    add("public", pick("park_name|facility|Library", "ParkTitle|site_name|center"), lambda c, n: c.choice(parks))
    add("public", pick("street_name_of_project", "project_street"), lambda c, n: c.choice(streets).upper())
    add("public", pick("install_date|date_planted|last_paved", "InstallDt|planting_date|repaved_on"),
        lambda c, n: _day(c, 1935, 2020))  # fmt: skip
    add(
        "public",
        pick("tree_age|pipe_age|vehicle_count", "AgeOfPipe|signal_age|bike_count"),
        lambda c, n: c.randint(0, 95),
    )
    add("public", pick("telephone|has_email|photo", "phone_yn|EmailFlag|picture"), _one(0, 1))
    add("public", pick("amount|total_cost|budget", "Cost_USD|ValuationAmt|spend"),
        lambda c, n: round(c.lognormvariate(8, 1), 2), lambda c, n: int(c.lognormvariate(12, 1)))  # fmt: skip
    add("public", pick("ward|council_district|city", "District No|WARD_NAME|County"), _one(1, 2, 3, 4, 5))
    add("public", pick("status|priority|is_open", "STATE_DESC|Level|active"), _one("open", "closed", "pending"))
    add("public", pick("year|quarter", "FiscalYear|month"), lambda c, n: c.randint(2010, 2026), _one(1, 2, 3, 4))
    add("public", pick("width_ft|lumens|height", "Length_m|watts|diameter_in"), lambda c, n: round(c.uniform(5, 90), 1))
    add("public", pick("department|category", "Agency|service_class"), _one("DOT", "PRNS", "ESD", "Library"))

    # Numbers of things that have the form of numbers of people: a person must decide, but they are not direct.
    add("thing's number", pick("permit_number|asset_tag|meter_id|serial_no", "PermitNum|AssetTag|MeterNo|InventoryTag"),
        lambda c, n: 100_000_000 + c.randrange(800_000_000), lambda c, n: c.choice("3456") + digits(c, 15),
        lambda c, n: f"{c.randint(200, 989)}{c.randint(200, 999)}{digits(c, 4)}", lambda c, n: f"{c.choice(LETTERS)}{digits(c, 7)}")  # fmt: skip
    add("thing's number", pick("product_code|colour", "sku|hex"),
        lambda c, n: "".join(c.choice("ABCDEFGHJKLMNPRSTUVWXYZ0123456789") for _ in range(17)),
        lambda c, n: f"#{c.getrandbits(24):06x}")  # fmt: skip
    add("thing's number", pick("pole_tag|hydrant", "lamp_tag|valve"),
        lambda c, n: f"{c.randint(1, 9)}{''.join(c.choice(LETTERS) for _ in range(2))}-{digits(c, 3)}")  # fmt: skip
    # Firms that carry a person's name: the person or firm behind a row is direct when it is asked so, else to be read.
    add("read first", pick("business_name|vendor", "CompanyName|Firm"), lambda c, n: f"{c.choice(firms)} {n % 97}")
    return made


NOT_DIRECT = {"thing's number": {"linkage key", "internal", "free text", "quasi"},
              "read first": {"free text", "direct", "internal", "public", "quasi"}}  # fmt: skip
"""Labels of lookalikes -> classes that are right for them."""


def is_right(label: str, suggested: str) -> bool:
    """Whether a suggested class is what the label asks for."""
    return suggested in NOT_DIRECT[label] if label in NOT_DIRECT else suggested == label
