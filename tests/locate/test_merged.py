"""Areas joined with their neighbors until each has enough residents."""

from __future__ import annotations

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from metroon.base.errors import Refused
from metroon.base.node import Node, validate
from metroon.base.places import Places
from metroon.city.city import Geography, Merged
from metroon.locate import merged_places

NODE = Node({}, "city.yaml")


def row(people: list[int], apart: frozenset[int] = frozenset()) -> Places:
    """Squares side by side; those in ``apart`` stand alone."""
    shapes = {f"{i:02}": shapely.box(i, 50 if i in apart else 0, i + 1, 51 if i in apart else 1) for i in range(len(people))}  # fmt: skip  # noqa: E501
    names = {k: f"Area {k}" for k in shapes}
    return Places("area", "Areas", "2025", True, names, shapes, dict(zip(shapes, map(float, people), strict=True)))


residents = st.lists(st.integers(0, 3_000), min_size=1, max_size=12)


@given(residents, st.integers(1, 8_000))
def test_every_joined_area_has_enough_residents_or_is_the_only_one(people, floor):
    made = merged_places("area.joined", row(people), Merged(residents=floor, title="Joined"), NODE)

    assert len(made.names) == 1 or min(made.people.values()) >= floor


@given(residents, st.integers(1, 8_000))
def test_each_area_is_in_one_joined_area_and_no_resident_is_lost(people, floor):
    whole = row(people)
    made = merged_places("area.joined", whole, Merged(residents=floor, title="Joined"), NODE)

    assert set(whole.names) == set(made.areas)
    assert sum(people) == pytest.approx(sum(made.people.values()))
    assert shapely.union_all([*whole.shapes.values()]).equals(shapely.union_all([*made.shapes.values()]))


@given(residents, st.integers(1, 3_000), st.integers(0, 3_000))
def test_joined_areas_are_of_one_piece(people, floor, more):
    made = merged_places("area.joined", row(people), Merged(residents=floor + more, title=""), NODE)

    assert all(shape.geom_type == "Polygon" for shape in made.shapes.values())


def test_the_smallest_goes_to_its_smallest_neighbor():
    made = merged_places("area.joined", row([900, 100, 500, 900]), Merged(residents=550, title="Joined"), NODE)

    assert {"00": 900.0, "01+02": 600.0, "03": 900.0} == made.people
    assert "Area 01 and Area 02" == made.names["01+02"]


def test_an_area_without_a_neighbor_stays():
    made = merged_places("area.joined", row([900, 5, 900], frozenset({1})), Merged(residents=100, title=""), NODE)

    assert 5.0 == made.people["01"]


def test_areas_without_residents_cannot_be_joined():
    whole = Places("area", "Areas", "2025", True, {"a": "A"}, {"a": shapely.box(0, 0, 1, 1)})
    with pytest.raises(Refused) as refused:
        merged_places("area.joined", whole, Merged(residents=1, title=""), NODE)

    assert ["G162"] == [p.code for p in refused.value.problems]


@pytest.mark.parametrize(
    "told",
    [
        {"merged": {"joined": {"residents": 5, "title": "t"}}},
        {"merged": {"q": {"residents": 5, "title": "t"}}, "bands": {"q": {"column": "c", "title": "t"}},
         "people": {"column": "p", "source": "s", "vintage": "2025"}},
        {"merged": {"joined": {"residents": 0, "title": "t"}},
         "people": {"column": "p", "source": "s", "vintage": "2025"}},
    ],
)  # fmt: skip
def test_what_cannot_be_joined_is_refused(told):
    with pytest.raises(Refused):
        validate(Node({"title": "t", "product": "p", "key": "k", "vintage": "2025", **told}, "city.yaml"),
                 Geography, "Y103")  # fmt: skip
