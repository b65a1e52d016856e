"""Points that are no place are on no map that is served."""

import json

import pyarrow as pa
import pytest

from metroon.serve.encoders import feature_lines


@pytest.mark.parametrize(
    "pair", [(0.0, 0.0), (500.0, 1.0), (1.0, -121.0), (1.0, 90.0), (None, 1.0), (float("nan"), 1.0)]
)
def test_a_feature_whose_point_is_no_place_has_no_shape(pair):
    batch = pa.RecordBatch.from_pylist([{"x": pair[0], "y": pair[1]}, {"x": -121.5, "y": 37.25}])
    shapes = [json.loads(line)["geometry"] for line in feature_lines(batch, geometry="", point=("x", "y")).to_pylist()]

    assert [None, {"type": "Point", "coordinates": [-121.5, 37.25]}] == shapes
