"""A plan that shows nothing, or names what is not there, is refused before anything is asked."""

import pytest
from promises import LICENSED, NEVER, action, facts, plan

from metroon import review
from metroon.base.errors import Refused
from metroon.review import Known

DOCUMENT = {"kind": "document", "title": "Resolution", "on": "2026-01-13"}
KNOWN = Known(
    {
        "measure": ["shade"], "role": ["lead"], "department": ["Parks"], "language": ["en", "es"],
        "geography": ["shade.ward", "shade.ward.poverty"], "group": ["shade.age"],
    },
    {"parks": "Parks"},
    {"shade"},
)  # fmt: skip


def codes(*actions):
    return [p.code for p in review.plan_faults(plan(*actions), KNOWN)]


def refused(*actions):
    with pytest.raises(Refused) as stopped:
        review.status(plan(*actions), facts(), departments={})
    return [p.code for p in stopped.value.problems]


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        ([DOCUMENT], ["R103"]),
        ([DOCUMENT, DOCUMENT, LICENSED], ["R103"]),
        ([DOCUMENT, LICENSED], []),
        ([DOCUMENT, DOCUMENT, LICENSED, NEVER], []),
    ],
)
def test_documents_are_at_most_half_of_the_evidence(evidence, expected):
    assert expected == codes(action(evidence=evidence))
    assert not expected or expected == refused(action(evidence=evidence))


@pytest.mark.parametrize(
    "evidence",
    [
        {"kind": "products", "holds": "has_licence", "share": 0},
        {"kind": "products", "holds": "has_licence", "count": 0},
        {"kind": "stories", "count": 0},
        {"kind": "terms", "count": 0},
        {"kind": "inventory", "share": 0},
        {"kind": "goals", "share": 0},
        {"kind": "measure", "measure": "shade", "at_least": 0},
        {"kind": "measure", "measure": "shade", "at_least": -1},
    ],
)
def test_a_threshold_that_no_data_could_fail_is_refused(evidence):
    assert ["R104"] == codes(action(evidence=[evidence]))
    assert ["R104"] == refused(action(evidence=[evidence]))


def test_a_share_of_at_most_everything_is_refused():
    bounds = [{"kind": "measure", "measure": "shade", "at_most": x} for x in (0.99, 1)]

    assert [[], ["R104"]] == [codes(action(evidence=[b])) for b in bounds]


@pytest.mark.parametrize(
    "given",
    [
        {"owner": "chief"},
        {"department": "Parks"},
        {"depends_on": ["nothing"]},
        {"evidence": [{"kind": "measure", "measure": "shades"}]},
        {"evidence": [{"kind": "measure", "measure": "shade", "shows": "places", "by": "wards"}]},
        {"evidence": [{"kind": "measure", "measure": "shade", "shows": "groups", "by": "ward"}]},
        {"evidence": [{"kind": "roles", "roles": ["chief"]}]},
        {"evidence": [{"kind": "terms", "count": 1, "languages": ["fr"]}]},
        {"evidence": [{"kind": "products", "holds": "has_licence", "share": 1, "department": "parks"}]},
    ],
)
def test_a_name_that_is_not_there_is_told(given):
    assert ["R101"] == codes(action(**given))


def test_names_that_are_there_are_not_told():
    by = [{"kind": "measure", "measure": "shade", "shows": "places", "by": b} for b in ("ward", "ward.poverty")]

    assert [] == codes(action(department="parks", evidence=by))


def test_actions_that_wait_for_each_other_are_refused():
    circle = [action("a", depends_on=["b"]), action("b", depends_on=["c"]), action("c", depends_on=["a"])]

    assert ["R105"] == refused(*circle)


def test_a_kind_that_is_not_there_is_told_with_the_likely_one():
    found = review.plan_faults(plan(action(evidence=[{"kind": "product", "holds": "has_licence"}])), KNOWN)

    assert ["K101"] == [p.code for p in found]
    assert "'products'" in found[0].fix


def test_a_milestone_is_held_to_the_same_rules():
    milestone = {"title": "Half", "due": "2026-06-30", "evidence": [{"kind": "stories", "count": 0}]}

    assert ["R104"] == codes(action(milestones=[milestone]))


def test_every_fault_is_told_at_once():
    both = action(owner="chief", evidence=[DOCUMENT]), action("other", evidence=[{"kind": "stories", "count": 0}])

    assert ["R101", "R103", "R104"] == sorted(codes(*both))
