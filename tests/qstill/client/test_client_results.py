"""Counts as people want them: dictionaries, intervals, arrays, frames, pictures."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qstill.client.results import Result, Results, picture
from qstill.contract.circuits.results.statistics import wilson_interval
from tests.testing.stored_counts import results as stored

keys = st.integers(1, 6).flatmap(
    lambda bits: st.dictionaries(st.text("01", min_size=bits, max_size=bits), st.integers(1, 999), min_size=1)
)


@given(keys)
def test_every_form_says_the_same(counts: dict[str, int]) -> None:
    result = Result(stored(counts))
    bits, shots = len(next(iter(counts))), sum(counts.values())
    vector = result.to_numpy()
    assert vector.shape == (1 << bits,)
    assert vector.sum() == pytest.approx(1)
    for key, count in counts.items():
        assert result.probabilities[key] == count / shots == vector[int(key, 2)]
        assert result.interval[key] == wilson_interval(count, shots)
    rows = result.rows()
    assert {row[0]: row[1] for row in rows} == counts == result.counts
    assert [row[1] for row in rows] == sorted(counts.values(), reverse=True)


def result(**more: Any) -> Result:
    return Result({**stored({"00": 30, "11": 70}), **more})  # type: ignore[typeddict-item]


def test_arrays_of_what_was_asked_for() -> None:
    expectation = {"name": None, "value": 0.5, "standard_error": 0.0, "shot_noise": None}
    found = result(
        expectations=[expectation], statevector=[(0.0, 0.0), (0.0, 1.0)], probabilities={"00": 0.5, "11": 0.5}
    )
    assert found.to_numpy("expectations").tolist() == [0.5]
    assert found.to_numpy("statevector").tolist() == [0, 1j]
    assert found.to_numpy("exact").tolist() == [0.5, 0, 0, 0.5]
    for missing in ("unitary", "dreams"):
        with pytest.raises(ValueError, match=missing):
            found.to_numpy(missing)
    with pytest.raises(ValueError, match="exact"):
        result().to_numpy("exact")


def test_results_of_many_circuits() -> None:
    several = Results([result(binding={"theta": 0.1}), result(binding={"theta": 0.2})])
    assert several.to_numpy().shape == (2, 4)
    assert several[1:][0].binding == {"theta": 0.2}
    assert several.counts == [{"00": 30, "11": 70}] * 2
    frame = several.to_pandas()
    assert list(frame["theta"]) == [0.1, 0.1, 0.2, 0.2]
    assert list(frame["key"]) == ["11", "00"] * 2
    assert np.allclose(frame["probability"], [0.7, 0.3] * 2)


def test_a_result_shows_itself() -> None:
    assert repr(result()).startswith("Result({'11': 70, '00': 30}, shots=100")
    assert "11" in result()._repr_html_()
    drawn = Result(stored({"0": 1}), draw=lambda: '<svg onload="evil()"/>')._repr_html_()
    assert drawn == picture('<svg onload="evil()"/>')
    assert "evil" not in drawn  # it is an image's content, in base64
