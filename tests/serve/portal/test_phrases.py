"""Phrases: each is a sentence that a room really makes; its values are kept, and nothing else is taken for one."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from datetime import date, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient
from village import LAMPS_SET, score

from metroon import catalog as composing
from metroon import conform, editions, report, review, scorecard
from metroon.base.catalog import Catalog, Check, Dataset, Licence, Promise
from metroon.base.estimate import Cell, Estimate
from metroon.base.node import Node
from metroon.base.plan import Role
from metroon.base.scorecard import GoalPage, TargetGap
from metroon.city import imprint
from metroon.city.plan import Plan, PlanFile
from metroon.conform.threshold import OPERATORS, Threshold
from metroon.editions import Facts as Version
from metroon.guard.kinds.coarsen import Coarsen
from metroon.guard.kinds.drop import Drop
from metroon.guard.kinds.pseudonym import Pseudonym
from metroon.guard.technique import Technique
from metroon.measure import inequality, shrinkage
from metroon.measure import scorecard as scoring
from metroon.measure.balance import balance, breaks
from metroon.measure.coarsening import words_of
from metroon.review.kinds.document import Document
from metroon.review.kinds.goals import Goals
from metroon.review.kinds.inventory import Inventory
from metroon.review.kinds.measure import Measure
from metroon.review.kinds.products import Products
from metroon.review.kinds.roles import Roles
from metroon.review.kinds.stories import Stories
from metroon.review.kinds.terms import Terms
from metroon.serve import phrases
from metroon.serve.gaps import texts
from metroon.serve.phrases import AND_MORE, LONGEST, PHRASES, PLACES, told
from metroon.serve.words import LANGUAGES, Words
from tiny import File, checked, ours, promise, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from metroon.portal import CityPortal

SPOKEN = {n: Words(n) for n in LANGUAGES}
EN, ES = SPOKEN["en"], SPOKEN["es"]
TODAY = date(2026, 7, 15)


def untold(*made: str) -> list[str]:
    """Of sentences that rooms made, those that a phrase does not know."""
    return [m for m in made if any(told(m, w) is None for w in SPOKEN.values())]


def one(name: str = "trees", **more: Any) -> Dataset:
    return replace(LAMPS_SET, name=name, title=f"{name.title()}, all of them", **more)


def facts(**more: Any) -> review.Facts:
    many = {n: one(n) for n in ("trees", "ponds", "roads", "wells", "parks")}
    empty: dict[str, Any] = {"listed": {}, "scores": {}, "goals": (), "departments": (), "stories": (), "terms": (),
                             "roles": {}}  # fmt: skip
    return review.Facts(**{"as_of": TODAY, "products": many, **empty, **more})


# Data and their contracts


def test_how_late_data_are_is_known():
    kept = SimpleNamespace(event_time="called_at", latency_days=35)
    days = [TODAY - timedelta(days=n) for n in (36, 40, 5000)]

    made = [conform.late(kept, datetime(d.year, d.month, d.day), TODAY) for d in days] + [
        conform.late(kept, None, TODAY)
    ]

    assert [] == untold(*made)
    assert "5 jun 2026" in (told(made[1], ES) or "")


def rule_texts(engine: Any) -> Iterator[str]:
    types = ("integer", "number", "boolean", "date", "timestamp", "object")
    limits: dict[str, dict[str, Any]] = {
        "integer": {"minimum": 1, "maximum": 1200, "exclusiveMinimum": 0, "exclusiveMaximum": 1500, "multipleOf": 3},
        "number": {"minimum": -0.5, "maximum": 1e6, "format": "f32"},
        "date": {"minimum": "2025-01-31", "format": "M/d/yyyy"},
        "timestamp": {"maximum": "2025-01-31T12:00", "format": "M/d/yyyy HH:mm"},
        "boolean": {"format": "yes/no"},
    }
    plain = [{"name": f"plain_{t}", "logicalType": t} for t in types]
    bounded = [{"name": f"v_{t}", "logicalType": t, "logicalTypeOptions": o} for t, o in limits.items()]
    rest = [
        text("code", required=True, logicalTypeOptions={"minLength": 2, "maxLength": 30, "pattern": "^A"}),
        text("ward", enum=[{"value": "A north"}], unique=True),
        text("kin", relationships=[{"to": "others.id"}]),
        {"name": "whole", "logicalType": "integer", "logicalTypeOptions": {"format": "i32"}},
    ]
    quality = [
        {"metric": "rowCount", "mustBeGreaterThan": 0},
        {"metric": "duplicateValues", "mustBeLessThan": 5, "unit": "percent",
         "arguments": {"properties": ["code", "ward"]}},
    ]  # fmt: skip
    columns = [*plain, *bounded, *rest]
    keyed = [{**c, "primaryKey": True} if c["name"] in ("code", "ward") else c for c in columns]
    made = promise(*keyed, quality=quality, customProperties=ours(eventTime="plain_date"))
    row = ["A north" if c["name"] in ("code", "ward") else "" for c in columns]
    yield from (v.text for v in checked(engine, made, File([row])).verdicts)


def test_every_rule_that_a_contract_implies_is_known(engine):
    made = list(rule_texts(engine))

    assert len(made) > 25
    assert [] == untold(*made)


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("is_percent", [False, True])
def test_a_threshold_is_known_where_the_rest_of_the_rule_is(operator, is_percent):
    bound = [3, 4.5] if "etween" in operator else 4.5
    made = f"rowCount of the table ({Threshold(operator, bound, is_percent)})"

    assert [] == untold(made)
    assert told(made.replace("rowCount of the table", "Lamps are lit"), ES) is None


def test_every_protection_of_a_column_is_known():
    techniques: list[Technique] = [
        Coarsen(column="age", width=5),
        *(Coarsen(column="seen", to=to) for to in ("month", "quarter", "year", "area")),
        Pseudonym(column="who", **PSEUDONYM), Drop(column="who"),
    ]  # fmt: skip
    made = [t.words() for t in techniques]
    of = SimpleNamespace(name="who", classification="direct")
    made += [composing._protection(of, (), has_rows, is_open=False) for has_rows in (True, False)]
    made += [Technique.words(techniques[0]), " ".join(made[:2])]

    assert [] == untold(*made)


PSEUDONYM: dict[str, Any] = {
    n: "x" for n, f in Pseudonym.model_fields.items() if f.is_required() and n not in ("kind", "column")
}


def test_what_every_measure_and_licence_says_of_itself_is_known():
    columns = [words for title, _, meaning in composing._TOLD.values() for words in (title, meaning)]

    assert [] == untold(*columns, *(title for title, _ in imprint.LICENCES.values()))


def test_what_is_new_in_a_version_is_known():
    kinds = dict(zip("abcdefg", editions._WORDS.values(), strict=True))
    before = Version(10, {**kinds, "gone": "a text"})
    after = Version(1300, {**dict(zip("abcdefg", [*[*kinds.values()][1:], "a text"], strict=True)), "new": "a date"})
    made = [*editions._changes(before, after), *editions._changes(after, before)]
    made += [*editions._changes(replace(before, rows=9), before), *editions._changes(before, replace(before, rows=9))]
    cells = {(str(2000 + n), "all", "all", "all", "all"): float(n) for n in range(12)}
    made += [*editions._renumbered({}, cells), *editions._renumbered(cells, {k: v + 1 for k, v in cells.items()})]
    made += [*editions._renumbered(dict(list(cells.items())[1:]), {**cells, list(cells)[5]: 99.0})]

    assert len(made) > 20
    assert [] == untold(*made)


# Measures


@pytest.mark.parametrize("n", [3, 1300])
@pytest.mark.parametrize("unit", ["none", "person"])
def test_every_note_that_is_made_of_the_numbers_of_a_release_is_known(n, unit):
    contract = SimpleNamespace(unit=unit, columns=(), title="Street lamps")
    indicator = SimpleNamespace(needs_people=True, period=None, note="")
    tallied: Any = SimpleNamespace(
        indicator=indicator, minimum_cell=11, contract=contract, partial=("2022", "2022-Q1", "2026-05"),
        undated=n, undecided=n, outside=n,
    )  # fmt: skip

    assert [] == untold(*report.notes(tallied, {}))


@pytest.mark.parametrize("steps", [["quarter"], ["year", "without race"], ["all", "neighborhood.joined"]])
def test_what_was_coarsened_is_known(steps):
    assert [] == untold(words_of(steps))


def test_how_strength_is_borrowed_is_known():
    events, base = np.array([5.0, 90, 40, 300]), np.array([1000.0, 1000, 1000, 1000])
    different, alike = shrinkage.poisson_gamma(events, base), shrinkage.poisson_gamma(base / 10, base)
    two = shrinkage.poisson_gamma(events[:2], base[:2])
    uneven = shrinkage.poisson_gamma(events, base * np.array([0.1, 1, 5, 20]))

    assert [] == untold(*(s.sentence for s in (different, alike, two, uneven)))


def test_how_far_places_lie_apart_is_known():
    own = [Estimate(Cell("2025", "area", str(i)), "known", e / 1000, 0, 1, e, 1000.0)
           for i, e in enumerate((5, 90, 40, 300))]  # fmt: skip
    city = Estimate(Cell("2025"), "known", 0.11, 0.1, 0.12, 435, 4000.0)
    released: Any = SimpleNamespace(at=lambda _: city, indicator=SimpleNamespace(gaps_by="rate"))

    made = scoring._dispersion(released, own)

    assert made
    assert [] == untold(
        made, f"The 4 areas differ no more than chance makes them: each is given the mean of all. {made}"
    )


def test_whether_a_stock_balances_is_known():
    one_row = [np.array([row]) for row in ([10.0, 20, 25], [5.0, 1, 1], [3.0, 1, 1], [13.0, 20, 27])]
    found = balance(**dict(zip(("opening", "inflow", "outflow", "closing"), one_row, strict=True)))
    made = breaks(found, ["the city"], ["2025-05", "2025-06", "2025-07"])

    assert len(made) > 1
    assert [] == untold(
        *made,
        f"It does not balance: {'; '.join(made)}.",
        f"It does not balance: {'; '.join(made)}; 2 cannot be checked, because a number is hidden.",
    )


def test_every_word_of_how_unequal_groups_are_is_known():
    people, se = np.array([100.0, 200, 150, 90]), np.array([0.01, 0.02, 0.01, 0.03])
    made: set[str] = set()
    for value in (np.array([0.1, 0.2, 0.3, 0.15]), np.array([0.0, 0.0, 0.1, 0.2]), np.array([12.0, 30.0, 1.0, 44.0])):
        for errors in (se, None):
            for direction in ("up", "down"):
                for is_ordered in (True, False):
                    made |= every_summary(people, value, errors, direction=direction, is_ordered=is_ordered)

    assert len(made) > 30
    assert [] == untold(*made)


def every_summary(people: Any, value: Any, se: Any, *, direction: str, is_ordered: bool) -> set[str]:
    released = [Estimate(Cell("2025", group=str(i)), "known", v, v - 0.01, v + 0.01) for i, v in enumerate(value)]
    if se is None:
        released = [replace(e, low=None, high=None) for e in released]
    group: Any = SimpleNamespace(order=tuple("0123") if is_ordered else (), reference="0", by="band")
    indicator: Any = SimpleNamespace(direction=direction, is_share=value.max() <= 1, is_percent=value.max() <= 1)
    made = scoring._summaries(released, people, group, indicator, 0)
    return {words for s in made for words in (s.title, s.note) if words}


def test_titles_of_inequality_are_known():
    made = [*inequality._SPREADS.values(), *(f"{t}, without noise" for t in inequality._SPREADS.values())]
    made += [v for n, v in vars(inequality).items() if re.fullmatch(r"_[A-Z_]+", n) and isinstance(v, str)]

    assert len(made) > 25
    assert [] == untold(*made)


def test_what_changed_of_a_measure_is_known():
    old = score()
    now = replace(old, series=replace(old.series, number=2, changed=("among", "of")), target_words="5 by 2027-01-01 "
                  "(Council, set 2026-01-01)", late="3 days late: the newest event is of 2026-01-01, at most 35 days "
                  "were promised")  # fmt: skip
    made = [side for c in scorecard._changed(None, old, now) for side in (c.before, c.after)]

    assert [] == untold(*(m for m in made if m not in ("in time", "no target")))


def test_targets_are_known():
    def point(on: str, value: float | None = None, low: float = 0, high: float = 0) -> Any:
        return SimpleNamespace(on=date.fromisoformat(on), value=value, low=low, high=high)

    points = [point("2027-01-01", 0.25), point("2028-01-01", None, 1, 2)]
    made = [scorecard._points(points[:1]), scorecard._points(points[1:]), scorecard._points(points)]

    assert [] == untold(*made, *(f"{m} (Resolution 7, of June, set 2022-12-06)" for m in made))
    assert "Jan 1, 2027" in (told(made[2], EN) or "")


# The plan


def answers(question: Any, *given: review.Facts) -> list[str]:
    return [question.says(f) for f in given] + [question.ask(f).found for f in given]


def every_answer() -> Iterator[str]:
    some, none = facts(), facts(products={})
    for holds in ("has_licence", "has_steward", "is_classified", "has_legal_basis", "has_retention", "is_published",
                  "passes_checks", "is_fresh", "has_gap_told"):  # fmt: skip
        for access in (None, "public", "restricted public", "non-public"):
            for department in ("", "Lights, and lamps"):
                for least in ({"share": 1}, {"share": 0.8}, {"count": 2}):
                    question = Products(holds=holds, access=access, department=department, **least)
                    yield from answers(question, some, none)
    for share in (1, 0.8):
        goal = GoalPage("light", "Light, and air", "", "", "", (replace(score(), chain=(("type", "outcome"),)),))
        told_goals = facts(goals=(goal, replace(goal, title="Shade", scores=())))
        yield from answers(Goals(share=share), told_goals, facts())
        for days in (None, 365):
            inventory = Inventory(share=share, updated_within_days=days)
            yield from answers(inventory, facts(departments=("Lights (invented)", "Roads, all")), facts())
    lead = Role("lead", "Data lead", "Leads.", "", "", date(2026, 4, 1))
    for roles in ([], ["lead"]):
        held = facts(roles={"lead": lead, "other": replace(lead, id="other", holder="Ann")})
        yield from answers(Roles(roles=roles), held, facts())
    for days in (None, 30):
        yield from answers(Stories(count=6, within_days=days), facts())
        document = Document(title="Charter, old and new", on=TODAY, expires_after_days=days)
        yield from answers(document, facts(), facts(as_of=TODAY - timedelta(days=9)))
    yield "1 story was written."
    for languages in ([], ["es", "zh-Hans"]):
        yield from answers(Terms(count=25, languages=languages), facts())
    yield from every_answer_of_a_measure()


def every_answer_of_a_measure() -> Iterator[str]:
    bare = score()
    target = TargetGap(Cell("2025"), 0.3, 0.3, TODAY, "met", 0.1)
    full = [
        replace(bare, target=replace(target, status=status), target_words="0.3 by 2027-01-01 (Council, set 2026-01-01)")
        for status in ("met", "not met", "cannot tell")
    ]
    scores = [bare, replace(bare, city=None), replace(bare, city=replace(bare.city, low=None)), *full]
    scores += [replace(bare, baseline=SimpleNamespace(period="2024-07..2025-06"))]  # type: ignore[arg-type]
    for shows in ("released", "has target", "target met", "interval", "places", "groups", "baseline"):
        for bounds in ({}, {"at_least": 0.1}, {"at_most": 0.9}, {"at_least": 0.1, "at_most": 0.9}):
            named = ["", "area"] if shows in ("places", "groups") else [""]
            for by in named:
                question = Measure(measure="dark", shows=shows, by=by, **bounds)
                yield from answers(question, facts(), *(facts(scores={"dark": s}) for s in scores))


def test_every_question_of_the_plan_and_its_answer_is_known():
    made = list(dict.fromkeys(every_answer()))

    assert len(made) > 200
    assert [] == untold(*made)


def reasons() -> Iterator[str]:
    licensed = {"kind": "products", "holds": "has_licence", "share": 1.0}
    never = {"kind": "products", "holds": "is_fresh", "share": 1.0}
    paper = {"kind": "document", "title": "Minutes", "on": "2026-01-01", "expires_after_days": 30}
    lead = Role("lead", "Data lead", "Leads.", "Ann", "", date(2026, 1, 1))
    vacant = replace(lead, id="chair", title="Chair of data", holder="")
    told_facts = facts(
        products={"trees": one(licence=Licence("CC0-1.0"), promise=Promise())}, roles={"lead": lead, "chair": vacant}
    )
    milestone = {"title": "Half of it", "due": "2026-02-01", "evidence": [never]}
    actions: list[dict[str, Any]] = [
        {"id": "done"}, {"id": "bare", "evidence": []}, {"id": "late", "evidence": [never], "due": "2026-06-30"},
        {"id": "missed", "evidence": [never], "milestones": [milestone]}, {"id": "track", "evidence": [never]},
        {"id": "tomorrow", "evidence": [never], "due": "2026-07-16"},
        {"id": "today", "evidence": [never], "due": "2026-07-15"},
        {"id": "vacant", "evidence": [never], "owner": "chair"},
        {"id": "expired", "evidence": [never, paper]}, {"id": "expiring", "evidence": [paper, never]},
        {"id": "waits", "evidence": [never], "depends_on": ["late", "bare", "vacant", "missed"]},
        {"id": "reopened", "evidence": [never]}, {"id": "after", "evidence": [never], "depends_on": ["reopened"]},
        {"id": "nobody", "evidence": [never], "owner": "gone"},
    ]  # fmt: skip
    base = {"owner": "lead", "start": "2026-01-01", "due": "2026-12-31", "evidence": [licensed]}
    written = [{**base, "title": a["id"].title(), **a} for a in actions]
    document = {"title": "Plan", "authority": "Resolution 1", "start": "2026-01-01", "end": "2028-12-31",
                "steps": [{"id": "s", "title": "Serve", "actions": written}]}  # fmt: skip
    plan = Plan(PlanFile.model_validate(document), Node(document, "plan.yaml"))
    made = review.status(plan, told_facts, departments={}, done_on={"reopened": date(2026, 5, 1)})
    for action in made.steps[0].actions:
        yield action.reason
        yield from (e.found for e in action.evidence)


def test_every_reason_for_a_state_is_known():
    made = list(dict.fromkeys(reasons()))

    assert len(made) > 12
    assert [] == untold(*made)


# Values, and what is no phrase

EXAMPLES: dict[str, str] = {
    "signed": "+0.3", "amount": "4.5 %", "bound": "2025-01-31", "share": "80%", "least": "7%", "most": "99%",
    "day": "2026-06-30", "period": "2026-05", "periods": "2022, 2022-Q1", "name": "Oak Hill",
    "names": "Oak, Elm and 2 more",
    "pieces": "Oak (late), Elm (late)", "points": "5 by 2027-01-01", "claim": "Every piece of evidence holds",
    "breaks": "the city, 2025-05: closes 1 above what the opening stock and the flows make.",
    "sentence": "squared distance from the mean", "products": "public products of Oak Hill", "column": "watts",
    "other": "lamps.id", "code": "dark", "columns": "a, b", "metric": "rowCount", "form": "i32",
    "groups": "age_band, race",
    "types": "output, input", "languages": "es, vi", "type": "a text", "was": "a date",
}  # fmt: skip
FORMS = [(p, form) for p in PHRASES for form in ([p] if isinstance(p, str) else p)]


def filled(form: str, **given: str) -> str:
    return re.sub(r"%\((\w+)\)s", lambda m: given.get(m[1]) or EXAMPLES.get(m[1]) or "1,987", form)


@pytest.mark.parametrize(("phrase", "form"), FORMS, ids=lambda x: x if isinstance(x, str) else "")
def test_no_phrase_takes_a_sentence_from_another(phrase, form):
    made = filled(form, n="1") if not isinstance(phrase, str) and form == phrase[0] else filled(form)
    values = {n: PLACES[n].told(re.fullmatch(f"({PLACES[n].form})", filled(f"%({n})s"))[0], EN)
              for n in re.findall(r"%\((\w+)\)s", form)}  # fmt: skip
    values |= {"n": "1"} if "n" in values and " 1 " in f" {made} " and not isinstance(phrase, str) else {}

    assert (form % values if values else form) == told(made, EN)
    assert (phrase if isinstance(phrase, str) else phrase[0]) == phrases._fitting(made)[0][0].one


PLACED = [form for _, form in FORMS if "%(" in form]
NUMBERED = [
    n for n, place in PLACES.items() if re.fullmatch(place.form, "1987") and not re.fullmatch(place.form, "Oak")
]


@given(st.sampled_from(PLACED), st.integers(2, 9_999_999), st.dates(date(2000, 1, 1), date(2099, 1, 1)))
def test_no_number_day_or_name_is_lost_in_any_language(form, n, day):
    given_values = dict.fromkeys(("n", "all", "value", "low", "high", "held", "limit", "out", "days"), f"{n:,}")
    made = filled(form, **given_values, day=day.isoformat(), name="Oak Hill")
    for words in SPOKEN.values():
        said = told(made, words)
        assert said is not None
        for place in re.findall(r"%\((\w+)\)s", form):
            if place in given_values:
                assert words.number(n) in said
            if place == "day":
                assert words.day(day) in said
            if place == "name":
                assert "Oak Hill" in said


CITYS = (
    "Lamps are lit.", "Nothing after 30 April 2026 is in it: the export has stopped, and 40 days were promised.",
    "2026-06-30", "3", "", "Oak Hill (late)s", "At least 80% of people are glad.",
    "Every lamp. Every piece of it holds.",
    "The lamp is missing from the list of what is there", "x" * 5000, "a, " * 300, "“" * 400, "1 by 2 by 3",
    "“x” has a.",
)  # fmt: skip


@pytest.mark.parametrize("said", CITYS)
def test_what_is_no_phrase_stays_as_it_is(said):
    assert {said} == {w.plain(said) for w in SPOKEN.values()}
    assert told(said, ES) is None


@given(st.text(max_size=300))
def test_any_other_text_passes_through(said):
    assert told(said, EN) is not None or EN.plain(said) == said


def test_a_sentence_with_an_unknown_part_stays_english_as_a_whole():
    made = "It was due on 2026-06-30. The mayor said so."

    assert told(made, ES) is None
    assert '<span lang="en">' in ES.of(made)


def test_a_name_that_the_city_translated_is_said_so(tmp_path):
    head = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n'
    names = {"Oak Hill": "Loma del Roble", "Roads, all of them": "Todas las calles"}
    (tmp_path / "es.po").write_text(head + "".join(f'\nmsgid "{k}"\nmsgstr "{v}"\n' for k, v in names.items()))
    words = Words("es", tmp_path)

    said = words.plain("Not: Oak Hill, Roads, all of them, Elm and 4 more.")

    assert "Loma del Roble, Todas las calles, Elm" in said
    assert "4" in said


def test_in_english_days_are_written_as_people_write_them():
    late = "36 days late: the newest event is of 2026-04-30, at most 40 days were promised"

    assert "36 days late: the newest event is of Apr 30, 2026, at most 40 days were promised" == EN.plain(late)


def test_a_place_has_a_form_and_a_phrase_is_short():
    named = {n for _, form in FORMS for n in re.findall(r"%\((\w+)\)s", form)} | {"names", "n"}

    assert set() == named - set(PLACES)
    assert max(len(form) for _, form in FORMS) < LONGEST
    assert "%(names)s" in AND_MORE


# The whole city


def marked(page: str) -> Iterable[str]:
    for m in re.finditer(r'<(\w+)[^>]*\blang="en"[^>]*>(.*?)</\1>', page, re.DOTALL):
        yield " ".join(html.unescape(re.sub(r"<[^>]+>", "", m[2])).split())


@pytest.mark.slow
def test_only_the_citys_own_words_stay_english_in_spanish(client: TestClient, portal: CityPortal):
    catalog: Catalog = portal.site().catalog
    own = set(texts(catalog)) | {label for d in catalog.datasets.values() for c in d.columns for _, label in c.allowed}
    found: dict[str, str] = {}
    for path in ("/plan", "/datasets", "/measures", *(d.path for d in catalog.datasets.values())):
        found |= dict.fromkeys(marked(client.get(f"/es{path}").text), path)

    # A value such as 311 has no language, and nobody is asked to translate it.
    assert {} == {said: path for said, path in found.items() if said not in own and any(map(str.isalpha, said))}


def test_a_check_on_a_dataset_is_told_in_the_language_of_the_page():
    check = Check("lamp is missing", "lamp", "completeness", "set aside", True)

    assert ES.knows(check.text)
    assert ES.knows(check.dimension)
