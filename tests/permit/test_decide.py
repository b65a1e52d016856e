"""One decision: what it allows, what it refuses, and that asking for more never gives more."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from metroon.base.catalog import Access
from metroon.permit import OPERATOR, PUBLIC, Facts, Principal, decide
from metroon.permit.decide import Surface

NOW = datetime(2026, 7, 15, tzinfo=UTC)
NAMES = ("lamp", "watts", "outage", "light_id")
SURFACES = get_args(Surface)

facts = st.builds(
    Facts,
    st.just("street_lights"),
    st.none() | st.integers(1, 9),
    st.sampled_from(get_args(Access)),
    st.booleans(),
    st.lists(st.sampled_from(NAMES), unique=True).map(tuple),
)
fields = st.none() | st.lists(st.sampled_from((*NAMES, "owner_name", "_row")), unique=True).map(tuple)
principals = st.sampled_from((PUBLIC, OPERATOR, Principal("somebody"), Principal("public", frozenset({"operator"}))))
LIGHTS = Facts("street_lights", 3, "public", True, NAMES)


def decided(principal=PUBLIC, product=LIGHTS, wanted=None, surface="rest", **also):
    told = {"purpose": "", "licence": "", "row_scope": "", **also}
    return decide(principal, product=product, fields=wanted, surface=surface, now=NOW, **told)


@given(principals, facts, fields, st.sampled_from(SURFACES))
def test_what_may_be_seen_is_asked_for_and_published(principal, product, wanted, surface):
    decision = decided(principal, product, wanted, surface)

    assert set(decision.fields) <= set(product.fields) & set(product.fields if wanted is None else wanted)
    assert bool(decision.fields) == decision.allow


@given(principals, facts, fields, st.sampled_from(SURFACES), st.sampled_from(SURFACES))
def test_every_surface_gives_the_same_decision(principal, product, wanted, one, other):
    assert decided(principal, product, wanted, one) == decided(principal, product, wanted, other)


@given(facts, fields)
def test_the_public_never_sees_more_than_the_operator(product, wanted):
    assert set(decided(PUBLIC, product, wanted).fields) <= set(decided(OPERATOR, product, wanted).fields)


@given(facts)
def test_nothing_leaves_that_the_guard_did_not_make(product):
    restricted = replace(product, is_open=False)

    assert not decided(OPERATOR, restricted).allow
    assert not decided(PUBLIC, restricted).allow


def test_the_public_sees_only_what_is_public():
    assert decided().allow
    assert not decided(product=replace(LIGHTS, access="restricted public")).allow
    assert not decided(product=replace(LIGHTS, access="non-public")).allow


def test_a_role_that_somebody_gives_themselves_means_nothing():
    assert not decided(Principal("public", frozenset({"operator"}))).allow


def test_an_agreement_that_nobody_keeps_widens_nothing():
    assert not decided(licence="dul-7").allow
    assert not decided(row_scope="district = '6'").allow


def test_every_refusal_says_why_without_a_column_or_a_value():
    for decision in (decided(licence="x"), decided(product=replace(LIGHTS, version=None)), decided(wanted=("ssn",))):
        assert decision.reason
        assert "ssn" not in decision.reason
