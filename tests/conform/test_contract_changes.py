"""Each kind of change of a contract is told, and is breaking where readers of the rows could be hurt by it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metroon.base.errors import Refused
from metroon.base.node import Node
from metroon.city.contract import contract
from metroon.conform import changes, edition
from metroon.conform.changes import breaks
from slips import ODD, WHOLE, changed, parts
from tiny import ours, promise, text


def whole(**more) -> dict:
    return {"name": "v", "logicalType": "string", "classification": "quasi", **more}


def number(**more) -> dict:
    return {"name": "v", "logicalType": "integer", **more}


def codes(*values) -> dict:
    return whole(enum=[{"value": v} for v in values])


def between(before, after) -> list[tuple[str, bool]]:
    made = [edition(promise(text("k"), *c) if isinstance(c, tuple) else promise(text("k"), c)) for c in (before, after)]
    return [(c.what, c.is_breaking) for c in changes(*made)]


CHANGES = [
    (whole(), (), "column v is gone", True),
    ((), whole(), "column v is new", False),
    (whole(physicalName="V"), whole(name="w", physicalName="V"), "column v is gone; it is likely w now", True),
    (whole(name="opened_on"), whole(name="opened_at"), "column opened_on is gone; it is likely opened_at now", True),
    (number(), number(logicalType="number"), "v is a number, no longer an integer", True),
    (whole(), whole(classification="direct"), "the classification of v is direct, no longer quasi", False),
    (whole(), whole(classification="public"), "the classification of v is public, no longer quasi", False),
    (
        whole(classification="public"), whole(classification="direct"),
        "the classification of v is direct, no longer public", True,
    ),
    (text("v"), whole(), "the classification of v is quasi, no longer undecided", False),
    (whole(), whole(required=True), "v is required", True),
    (whole(required=True), whole(), "v is no longer required", True),
    (whole(), whole(unique=True), "v is unique", False),
    (whole(unique=True), whole(), "v is no longer unique", True),
    (whole(), whole(primaryKey=True), "the primary key is said for the first time", False),
    (whole(primaryKey=True), whole(), "the primary key is another", True),
    (codes("a", "b"), codes("a"), "1 code of v no longer allowed: b", True),
    (codes("a"), codes("a", "b"), "1 code of v new: b", False),
    (codes("a"), whole(), "v is no longer held to a list of values", False),
    (whole(), codes("a"), "v is held to a list of values", False),
    (number(customProperties=ours(missingCodes=["9"])), number(), "1 missing code of v count as values now", True),
    (number(), number(customProperties=ours(missingCodes=["9"])), "1 more code of v mean not recorded", False),
    (number(logicalTypeOptions={"minimum": 0}), number(), "minimum of v is not said, no longer 0", False),
    (number(), number(logicalTypeOptions={"maximum": 9}), "maximum of v is 9, no longer not said", False),
    (whole(), whole(businessName="V"), "the title of v is another", False),
    (whole(), whole(physicalName="V"), "the header in the file of v is another", False),
    (
        whole(), whole(quality=[{"id": "r", "metric": "nullValues", "mustBe": 0}]), "rule r is promised", False,
    ),
    (
        whole(quality=[{"id": "r", "metric": "nullValues", "mustBe": 0}]),
        whole(quality=[{"id": "r", "metric": "nullValues", "mustBe": 1}]), "rule r is another", False,
    ),
    (whole(), whole(relationships=[{"to": "toys.k"}]), "a reference is promised: v in toys.k", False),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "what", "is_breaking"), CHANGES)
def test_each_change_is_told_with_its_class(before, after, what, is_breaking):
    assert (what, is_breaking) in between(before, after)
    assert is_breaking is any(b for _, b in between(before, after))


def test_what_stays_the_same_is_no_change():
    assert [] == between(whole(), whole(description="In other words.", tags=["a"]))


def parsed(version: str, status: str = "active", *columns, **root):
    node = Node(
        {
            "apiVersion": "v3.2.0", "kind": "DataContract", "id": "toys", "version": version, "status": status,
            "schema": [{"name": "toys", "properties": [text("k"), *columns]}], **root,
        },
        "contract.yaml",
    )  # fmt: skip
    return contract(node, "toys")


@pytest.mark.parametrize(
    ("before", "after", "status", "codes"),
    [
        ("1.0.0", "1.0.0", "active", ["C220"]),
        ("1.0.0", "1.9.0", "active", ["C220"]),
        ("1.0.0", "2.0.0", "active", []),
        ("v1", "v2", "active", []),
        ("2024-01", "2025-01", "active", []),
        ("2.0.0", "1.0.0", "active", ["C220"]),
        ("1.0.0", "1.0.0", "draft", []),
        ("1.0.0", "1.0.0", "proposed", []),
    ],
)
def test_a_breaking_change_needs_a_new_major_version_of_what_was_promised(before, after, status, codes):
    kept = edition(parsed(before, status, whole()))

    assert codes == [p.code for p in breaks(kept, parsed(after), 3)]
    assert [] == breaks(kept, parsed(before, status, whole(), text("more")), 3)


def test_what_protects_people_waits_for_no_new_edition():
    shown = whole(classification="public")
    things = ours(releaseMode="rows", privacyUnit="none", privacyReason="They are toys.")
    before = edition(parsed("1.0.0", "active", shown, customProperties=things))
    after = parsed("1.0.0", "active", whole(classification="direct"),
                   customProperties=ours(releaseMode="aggregate", privacyUnit="person"))  # fmt: skip
    told = changes(before, edition(after))

    assert 3 == sum(c.is_breaking and c.is_protective for c in told)
    assert [] == breaks(before, after, 3)
    opened = parsed("1.0.0", "active", shown, customProperties=things)
    assert ["C220"] == [p.code for p in breaks(edition(after), opened, 3)]


def test_the_fix_names_the_version_to_write():
    (problem,) = breaks(edition(parsed("1.4.2", "active", whole())), parsed("1.5.0"), 3)

    assert "version 3 rely on" in problem.what
    assert "column v is gone" in problem.what
    assert problem.fix.startswith("Write version: 2.0.0")


@pytest.mark.parametrize(
    ("before", "after", "is_breaking"),
    [
        ({"releaseMode": "rows"}, {"releaseMode": "aggregate"}, True),
        ({"releaseMode": "aggregate"}, {"releaseMode": "rows"}, False),
        ({"privacyUnit": "person"}, {"privacyUnit": "event_on_person"}, True),
        ({"personKey": "k", "privacyUnit": "person"}, {"privacyUnit": "person"}, True),
        ({"minimumCell": 11}, {"minimumCell": 20}, False),
    ],
)
def test_what_a_row_means_and_whether_it_leaves_is_part_of_the_promise(before, after, is_breaking):
    made = [edition(parsed("1.0.0", customProperties=ours(**given))) for given in (before, after)]

    assert [is_breaking] == [c.is_breaking for c in changes(*made)]


@settings(max_examples=60)
@given(path=st.sampled_from(parts(WHOLE)), new=ODD | st.just(...))
def test_every_edition_that_can_be_read_is_compared_with_every_other(path, new):
    first = contract(Node(WHOLE, "contract.yaml"), "toys")
    try:
        second = contract(Node(changed(WHOLE, path, new), "contract.yaml"), "toys")
    except Refused:
        return
    there, back = changes(edition(first), edition(second)), changes(edition(second), edition(first))

    assert (not there) == (not back)
    assert () == changes(edition(second), edition(second))
