"""Suggestions: seeded columns of every class among lookalikes; what is missed or wrongly accused is counted."""

from __future__ import annotations

import random
import string
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from metroon.base.engine import Engine
from metroon.base.patterns import PATTERNS, is_card, is_ssn, is_vin
from metroon.base.profile import ColumnProfile
from metroon.collect.profile import profile
from metroon.guard.suggest import suggest, suggestions

if TYPE_CHECKING:
    from pathlib import Path

    from metroon.guard.suggest import Suggestion

ROWS = 400
Made = Callable[[random.Random, int], object]

FIRST = (
    "Ana",
    "Linh",
    "José",
    "Mary",
    "Wei",
    "Omar",
    "Tess",
    "Paul",
    "Rosa",
    "Kim",
    "Ivo",
    "Nia",
    "Sam",
    "Lena",
    "Raj",
    "Dee",
)
LAST = (
    "Nguyen",
    "García",
    "Smith",
    "Lee",
    "O'Neil",
    "Khan",
    "Silva",
    "Brown",
    "Chen",
    "Patel",
    "Rossi",
    "Diaz",
    "Cole",
    "Ito",
)
STREETS = (
    "MAIN ST",
    "Willow Av",
    "N 1ST ST",
    "Story Rd",
    "Alum Rock Ave",
    "Camino Verde Dr",
    "SANTA CLARA ST",
    "Oak Ct",
)
WORDS = (
    "caller",
    "said",
    "the",
    "light",
    "was",
    "out",
    "again",
    "near",
    "school",
    "no",
    "answer",
    "left",
    "card",
    "dog",
    "he",
)


def digits(chance: random.Random, n: int) -> str:
    return "".join(chance.choice(string.digits) for _ in range(n))


def ssn(chance: random.Random, sign: str = "-") -> str:
    return sign.join(
        (f"{chance.randint(1, 665):03d}", f"{chance.randint(1, 99):02d}", f"{chance.randint(1, 9999):04d}")
    )


def phone(chance: random.Random, form: str = "({}) {}-{}") -> str:
    return form.format(chance.randint(200, 989), chance.randint(200, 999), f"{chance.randint(0, 9999):04d}")


def card(chance: random.Random) -> str:
    body = "4" + digits(chance, 14)
    return next(body + d for d in string.digits if is_card(body + d))


def vin(chance: random.Random) -> str:
    letters = "ABCDEFGHJKLMNPRSTUVWXYZ0123456789"
    while True:
        made = "".join(chance.choice(letters) for _ in range(17))
        for check in "0123456789X":
            if is_vin(made[:8] + check + made[9:]):
                return made[:8] + check + made[9:]


def name(chance: random.Random) -> str:
    return f"{chance.choice(FIRST)} {chance.choice(LAST)}"


def address(chance: random.Random) -> str:
    return f"{chance.randint(1, 9999)} {chance.choice(STREETS)}"


def prose(chance: random.Random) -> str:
    return " ".join(chance.choice(WORDS) for _ in range(chance.randint(4, 14)))


def day(chance: random.Random, low: int, high: int) -> str:
    return f"{chance.randint(low, high)}-{chance.randint(1, 12):02d}-{chance.randint(1, 28):02d}"


def one_of(*values: object) -> Made:
    return lambda chance, n: chance.choice(values)


# Header, values, class. Lookalikes stand beside what they look like.
SEEDED: tuple[tuple[str, Made, str], ...] = (
    # direct
    ("SSN", lambda c, n: ssn(c), "direct"),
    ("Soc Sec No", lambda c, n: ssn(c, ""), "direct"),
    ("ref", lambda c, n: ssn(c), "direct"),  # by its form alone
    ("EMAIL_ADDR", lambda c, n: f"{c.choice(FIRST).lower()}{n}@example.org", "direct"),
    ("correo", lambda c, n: f"p{n}@ejemplo.mx", "direct"),
    ("reach", lambda c, n: f"p{n}@example.org", "direct"),
    ("Telephone", lambda c, n: phone(c, "{}{}{}"), "direct"),
    ("telefono_casa", lambda c, n: phone(c), "direct"),
    ("line", lambda c, n: phone(c, "{}-{}-{}"), "direct"),
    ("CC", lambda c, n: card(c), "direct"),
    ("First Name", lambda c, n: c.choice(FIRST), "direct"),
    ("OWNERNAME", lambda c, n: name(c), "direct"),
    ("nombre", lambda c, n: name(c), "direct"),
    ("Applicant", lambda c, n: name(c), "direct"),
    ("Name", lambda c, n: name(c), "direct"),
    ("Address1", lambda c, n: address(c), "direct"),
    ("dirección", lambda c, n: address(c), "direct"),
    ("site", lambda c, n: address(c), "direct"),
    ("license_plate", lambda c, n: f"{c.randint(1, 9)}ABC{digits(c, 3)}", "direct"),
    ("VIN", lambda c, n: vin(c), "direct"),
    ("chassis", lambda c, n: vin(c), "direct"),
    ("Driver License", lambda c, n: f"D{digits(c, 7)}", "direct"),
    ("OFFICER_ID", lambda c, n: digits(c, 4), "direct"),
    ("account_no", lambda c, n: digits(c, 9), "direct"),
    ("photo_url", lambda c, n: f"https://example.org/{digits(c, 8)}.jpg", "direct"),
    # quasi
    ("DOB", lambda c, n: day(c, 1930, 2010), "quasi"),
    ("fecha_nacimiento", lambda c, n: day(c, 1930, 2010), "quasi"),
    ("BirthDate", lambda c, n: day(c, 1930, 2010), "quasi"),
    ("Age", lambda c, n: c.randint(0, 95), "quasi"),
    ("edad", lambda c, n: c.randint(0, 95), "quasi"),
    ("Sex", one_of("M", "F"), "quasi"),
    ("PRACE", one_of("W", "B", "H", "A", "O"), "quasi"),
    ("Ethnicity", one_of("Hispanic", "Not Hispanic"), "quasi"),
    ("idioma", one_of("es", "en", "vi"), "quasi"),
    ("ZIP", one_of("95112", "95110", "95126"), "quasi"),
    ("Neighborhood", one_of("Alviso", "Naglee Park", "Willow Glen"), "quasi"),
    ("Census.Tract", lambda c, n: f"60850{digits(c, 5)}", "quasi"),  # eleven digits, like telephones with a 1
    ("Call Type", one_of("MEDICAL", "FIRE", "DISTURBANCE"), "quasi"),
    ("event_date", lambda c, n: day(c, 2015, 2020), "quasi"),
    ("veteran", one_of("Y", "N"), "quasi"),
    ("OFFENSE_TIME", lambda c, n: f"{c.randint(0, 23):02d}:{c.randint(0, 59):02d}:00", "quasi"),
    # sensitive
    ("diagnosis", one_of("asthma", "diabetes", "none"), "sensitive"),
    ("DomesticViolenceVictim", one_of("0", "1", "99"), "sensitive"),
    ("SexualOrientation", one_of("1", "2", "3"), "sensitive"),
    ("Sobriety", one_of("Had Been Drinking", "Had Not Been Drinking"), "sensitive"),
    ("immigration_status", one_of("citizen", "other"), "sensitive"),
    ("homeless", one_of("Y", "N"), "sensitive"),
    ("latitude", lambda c, n: f"37.{digits(c, 6)}", "sensitive"),
    ("POINT_X", lambda c, n: f"-121.{digits(c, 6)}", "sensitive"),
    ("where", lambda c, n: f"(37.{digits(c, 5)}, -121.{digits(c, 5)})", "sensitive"),
    ("arrested", one_of("Y", "N"), "sensitive"),
    # free text
    ("Notes", lambda c, n: prose(c), "free text"),
    ("comentarios", lambda c, n: prose(c), "free text"),
    ("LocationDetails", lambda c, n: prose(c), "free text"),
    ("xyz", lambda c, n: prose(c), "free text"),
    ("field7", lambda c, n: f"p{n}@example.org" if n % 10 == 0 else f"k{n % 9}", "free text"),  # e-mail in one of ten
    # linkage key
    ("PersonalID", lambda c, n: 10_000 + n, "linkage key"),
    ("client_id", lambda c, n: f"C{n:06d}", "linkage key"),
    ("Permit Number", lambda c, n: 201_500_000 + n, "linkage key"),  # nine digits, like social security
    ("permit_no", lambda c, n: f"{201_500_000 + 7 * n}", "linkage key"),
    ("CASE_ID", lambda c, n: f"{6_292_000 + n}", "linkage key"),
    ("Incident_No", lambda c, n: f"F{15_000_000 + n}", "linkage key"),  # a letter and digits, like licences
    ("asset_id", lambda c, n: f"5{n:015d}", "linkage key"),  # sixteen digits, like cards
    (
        "APN",
        lambda c, n: f"{digits(c, 3)}-{digits(c, 2)}-{digits(c, 3)}",
        "linkage key",
    ),  # hyphens, like social security
    ("device_id", lambda c, n: f"d{n}", "linkage key"),
    # internal
    ("date_updated", lambda c, n: day(c, 2015, 2020), "internal"),
    ("queue", one_of("PWDx_Street Light", "ISD", "Parks"), "internal"),
    ("created_by", lambda c, n: c.choice(FIRST), "internal"),
    # public, many of them lookalikes of what is personal
    ("install_date", lambda c, n: day(c, 1950, 2020), "public"),  # like dates of birth
    ("built", lambda c, n: day(c, 1930, 2010), "public"),
    ("lamp_age_group", one_of("new", "old", "very old"), "quasi"),  # in doubt the stricter
    ("Street_Name_Type", one_of("ST", "AV", "RD"), "public"),
    ("project_name", one_of("Oak Street Repaving", "Bridge 7", "Park Lights"), "public"),
    ("asset_type", one_of("Street light", "Hydrant", "Sign"), "public"),
    ("phone_type", one_of("home", "work", "none"), "quasi"),  # about a telephone, and no telephone
    ("Priority", one_of("Priority 1", "Priority 2"), "public"),
    ("cost", lambda c, n: f"{c.uniform(5, 9000):.2f}", "public"),
    ("watts", lambda c, n: c.choice((70, 100, 150)), "public"),
    ("Council District", lambda c, n: c.randint(1, 10), "public"),
    ("city", one_of("San José"), "public"),
    ("Telephone Contact Made", one_of(0, 1), "public"),  # zeros and ones
    ("status", one_of("Open", "Closed"), "public"),
    ("road_class", one_of("arterial", "local", "freeway"), "public"),
    ("mean_age_of_pipes", lambda c, n: f"{c.uniform(1000, 2000):.1f}", "public"),
)


@pytest.fixture(scope="module")
def suggested(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, str, Suggestion]]:
    """Header, true class and suggestion of every seeded column, each looked at alone."""
    file = tmp_path_factory.mktemp("seeded") / "columns.csv"
    chance = random.Random(7)
    columns = [[str(make(chance, n)) for n in range(ROWS)] for _, make, _ in SEEDED]
    lines = ["\t".join(header for header, _, _ in SEEDED), *("\t".join(row) for row in zip(*columns, strict=True))]
    file.write_text("\n".join(lines), encoding="utf-8")
    looked = {c.header: suggest(c) for c in profile(file, Engine()).columns}
    return [(header, label, looked[header]) for header, _, label in SEEDED]


@pytest.mark.parametrize(
    ("label", "precision", "recall"),
    [
        ("direct", 0.95, 1.0),
        ("sensitive", 0.95, 1.0),
        ("quasi", 0.9, 0.95),
        ("free text", 0.8, 1.0),
        ("linkage key", 0.9, 0.9),
        ("internal", 0.75, 0.75),
        ("public", 0.95, 0.9),
    ],
)
def test_each_class_is_found_and_few_lookalikes_are_taken_for_it(
    suggested: list[tuple[str, str, Suggestion]], label: str, precision: float, recall: float
) -> None:
    true = {h for h, given, _ in suggested if given == label}
    found = {h for h, _, s in suggested if s.classification == label}

    assert recall <= len(true & found) / len(true), f"missed: {sorted(true - found)}"
    assert precision <= len(true & found) / len(found), f"wrongly: {sorted(found - true)}"


def test_nothing_personal_is_called_public(suggested: list[tuple[str, str, Suggestion]]) -> None:
    assert [] == [h for h, label, s in suggested if label != "public" and s.classification == "public"]


def test_a_reason_shows_no_value(suggested: list[tuple[str, str, Suggestion]]) -> None:
    values = (*FIRST, *LAST, *STREETS, "Alviso", "MEDICAL", "95112", "example.org")

    assert [] == [s.reason for _, _, s in suggested if any(v in s.reason for v in values)]


@pytest.mark.parametrize(
    ("pattern", "fits", "lookalikes"),
    [
        ("ssn", ["123-45-6789", "665-01-0001"],
         ["000-12-3456", "666-12-3456", "900-12-3456", "123-00-4567", "123-45-0000", "274-56-077"]),
        ("bare ssn", ["123456789"], ["000456789", "666456789", "12345678", "201500000"]),
        ("phone", ["(408) 535-4910", "408-535-4910", "+1 408.535.4910", "1-408-535-4910 x12"],
         ["123-456-7890", "408-135-4910", "4085354910", "2015-00-4910"]),
        ("bare phone", ["4085354910", "14085354910"], ["1085354910", "40853549"]),
        ("email", ["a.b@example.org"], ["@handle", "a@b", "a b@example.org", "see a@b.org, c@d.org"]),
        ("card", ["4111111111111111", "5500-0000-0000-0004", "378282246310005"],
         ["4111111111111112", "0000000000000000", "20150001"]),
        ("vin", ["1M8GDM9AXKP042788"], ["1M8GDM9A1KP042788", "ACV-0000174389"]),
        ("ip", ["192.168.0.1"], ["999.1.1.1", "1.2.3"]),
        ("plate", ["7ABC123", "7ABC 123"], ["ABC1234", "0ABC123"]),
        ("licence", ["D1234567"], ["D123456", "F150019001"]),
        ("address", ["212 WINCHESTER BL", "9-15 Orleans St  East Boston", "Calle 5 No. 12"],
         ["S 33RD ST & E SAN ANTONIO ST", "[300]-[400] SANTANA RW", "3 dogs"]),
        ("point", ["(37.797838468, -122.446243791)", "POINT (-121.88 37.33)"], ["(1, 2)", "37.79"]),
        ("clock", ["7:05", "23:59:59", "1:05 PM"], ["25:00", "12:61", "1:2"]),
    ],
)  # fmt: skip
def test_a_pattern_fits_what_it_names_and_not_its_lookalikes(
    pattern: str, fits: list[str], lookalikes: list[str]
) -> None:
    assert fits == [text for text in [*fits, *lookalikes] if PATTERNS[pattern](text)]


def test_nine_plain_digits_are_no_social_security_number_by_their_form() -> None:
    assert (False, True) == (is_ssn("123456789"), is_ssn("123456789", is_bare=True))


def test_sixteen_random_digits_are_mostly_no_cards() -> None:
    chance = random.Random(1)
    share = sum(is_card("4" + digits(chance, 15)) for _ in range(2_000)) / 2_000

    assert 0.08 < share < 0.12


def test_an_empty_column_is_judged_by_its_name() -> None:
    empty = [ColumnProfile(h, h.lower(), rows=50, empty=50) for h in ("SSN", "OWNERNAME", "SexualOrientation", "sewer")]

    assert ["direct", "direct", "sensitive", "internal"] == [suggest(c).classification for c in empty]


def looked(tmp_path: Path, text: str) -> dict[str, str]:
    file = tmp_path / "file.csv"
    file.write_text(text, encoding="utf-8")
    return {n: s.classification for n, s in suggestions(profile(file, Engine())).items()}


def test_where_each_row_is_a_person_nothing_about_the_row_is_public(tmp_path: Path) -> None:
    rows = "".join(f"{n},{n % 3},{n * 1.5}\n" for n in range(200))

    assert {"client_id": "linkage key", "answer": "quasi", "score": "quasi"} == looked(
        tmp_path, f"client_id,answer,score\n{rows}"
    )
    assert {"light_id": "linkage key", "answer": "public", "score": "public"} == looked(
        tmp_path, f"light_id,answer,score\n{rows}"
    )


def test_mean_ages_of_places_make_no_persons_of_them(tmp_path: Path) -> None:
    rows = "".join(f"0608500{n},{30 + n / 7:.1f},{n * 10}\n" for n in range(100, 200))

    assert {"tract": "quasi", "med_age": "quasi", "population": "public"} == looked(
        tmp_path, f"tract,med_age,population\n{rows}"
    )


@pytest.mark.parametrize(("decimals", "expected"), [(2, "quasi"), (5, "sensitive")])
def test_a_point_tells_as_much_as_it_has_decimals(tmp_path: Path, decimals: int, expected: str) -> None:
    rows = "".join(
        f"-121.{n:05d}"[: 5 + decimals] + f",37.{n:05d}"[: 4 + decimals] + "\n" for n in range(10_000, 99_000, 971)
    )

    assert {"lon": expected, "lat": expected} == looked(tmp_path, f"lon,lat\n{rows}")


@pytest.mark.shared
def test_real_files_of_people_hold_nothing_public(shared_data: Path) -> None:
    folder = shared_data / "homeless" / "hmis_sample_fy2022"
    engine = Engine()
    public = {
        f"{file.stem}.{name}"
        for file in sorted(folder.glob("*.csv"))
        for name, s in suggestions(profile(file, engine)).items()
        if s.classification == "public" and "personal_id" in suggestions(profile(file, engine))
    }

    assert set() == public
