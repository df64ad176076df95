"""What holds of any student of shots, any histogram and any independent bits."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from qstill.contract.distillations.circuits.distribution.job import (
    LEAST_SHOTS,
    Autoregressive,
    GivenShots,
    parts_of,
)
from qstill.contract.errors import Problem
from workers.distillation.circuits.distribution.judge import apart, paired
from workers.distillation.circuits.distribution.models import Histogram, histogram_of, independent_of
from workers.distillation.circuits.distribution.network import BitNetwork, bits_of, drawn, log_probabilities

FEW = settings(max_examples=25, deadline=None)


def network_of(bits: int, hidden: list[int], seed: int, scale: float = 2.0) -> BitNetwork:
    """With weights anywhere."""
    architecture = Autoregressive(kind="autoregressive", hidden=hidden)
    found = BitNetwork(architecture, torch.linspace(-1, 1, bits), seed)
    draw = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weights in found.parameters():
            weights.copy_(scale * torch.randn(weights.shape, generator=draw))
    return found


networks = st.builds(
    network_of,
    st.integers(1, 7),
    st.lists(st.integers(1, 5), min_size=1, max_size=3),
    st.integers(0, 2**31),
    st.sampled_from([0.3, 2.0]),
)
shots = st.integers(1, 6).flatmap(
    lambda bits: st.tuples(st.just(bits), st.lists(st.integers(0, 2**bits - 1), min_size=1, max_size=60))
)


def every(bits: int) -> torch.Tensor:
    return bits_of(torch.arange(1 << bits), bits)


@FEW
@given(networks)
def test_the_probabilities_of_all_keys_sum_to_1(network: BitNetwork) -> None:
    assert float(log_probabilities(network).exp().sum()) == pytest.approx(1.0, abs=1e-12)


@FEW
@given(networks)
def test_the_tree_of_all_keys_says_what_each_key_says_factor_by_factor(network: BitNetwork) -> None:
    with torch.no_grad():
        alone = torch.cat([network.log_probability(row[None]) for row in every(network.bits)])
        assert torch.allclose(log_probabilities(network), alone, atol=1e-5)
        assert torch.allclose(network.log_probability(every(network.bits)), alone, atol=1e-5)


@FEW
@given(networks, st.data())
def test_a_bit_sees_none_that_comes_after(network: BitNetwork, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, network.bits - 1))
    rows = every(network.bits)
    changed = rows.clone()
    changed[:, place:] = 1 - changed[:, place:]
    with torch.no_grad():
        assert torch.equal(network(rows)[:, : place + 1], network(changed)[:, : place + 1])


def test_an_untrained_student_is_independent_bits() -> None:
    codes = np.random.default_rng(1).integers(0, 64, 200) & np.random.default_rng(2).integers(0, 64, 200)
    independent = independent_of(codes, 6)
    architecture = Autoregressive(kind="autoregressive", hidden=[5, 3])
    network = BitNetwork(architecture, torch.from_numpy(independent.log_odds), 3)
    assert np.allclose(log_probabilities(network).exp().numpy(), independent.probabilities(), atol=1e-6)


def test_samples_come_as_often_as_the_student_says() -> None:
    network = network_of(4, [6], 5, 1.0)
    said = log_probabilities(network).exp().numpy()
    found = np.bincount(drawn(network, 40_000, 1).numpy(), minlength=16) / 40_000
    assert np.abs(found - said).max() < 5 * 0.5 / math.sqrt(40_000)
    assert torch.equal(drawn(network, 100, 7), drawn(network, 100, 7))


@FEW
@given(shots)
def test_the_histogram_and_independent_bits_are_distributions(given: tuple[int, list[int]]) -> None:
    bits, codes = given[0], np.array(given[1])
    histogram, independent = histogram_of(codes, bits), independent_of(codes, bits)
    everything = np.arange(1 << bits)
    models: tuple[Any, ...] = (histogram, independent)
    for model in models:
        assert model.probabilities().sum() == pytest.approx(1.0)
        assert np.allclose(np.exp(model.log_probability(everything)), model.probabilities())
    assert (histogram.probabilities() > 0).all()
    assert histogram.frequencies().sum() == pytest.approx(1.0)


def test_the_histogram_keeps_what_good_and_turing_say_for_the_unseen() -> None:
    """Counts 5, 2, 1, 1 of 9 shots over 8 keys: (2 + ½)/10 for the other four."""
    histogram = histogram_of(np.repeat([0, 3, 5, 6], [5, 2, 1, 1]), 3)
    assert histogram.unseen == pytest.approx(0.25)
    wanted = [0.75 * 5 / 9, 0.0625, 0.0625, 0.75 * 2 / 9, 0.0625, 0.75 / 9, 0.75 / 9, 0.0625]
    assert np.allclose(histogram.probabilities(), wanted)
    assert Histogram(1, np.array([0, 1]), np.array([1, 3])).unseen == 0.0  # there is no other key


def test_distances_are_what_they_are_called() -> None:
    one, other = np.array([0.5, 0.5, 0.0]), np.array([0.5, 0.0, 0.5])
    assert apart(one, other).total_variation == pytest.approx(0.5)
    assert apart(one, other).hellinger == pytest.approx(math.sqrt(0.5))
    assert apart(one, one).total_variation == apart(one, one).hellinger == 0.0


def test_an_interval_is_of_paired_shots() -> None:
    differences: NDArray[np.float64] = np.array([1.0, 2.0, 3.0, 2.0] * 10)
    found = paired(differences)
    half = 1.96 * differences.std(ddof=1) / math.sqrt(40)
    assert (found.nats, found.low) == pytest.approx((2.0, 2.0 - half), abs=1e-4)


@given(st.integers(1, 5000), st.floats(0.05, 0.5), st.floats(0.05, 0.5))
def test_every_shot_goes_somewhere_or_there_are_too_few(shots: int, held_out: float, validation: float) -> None:
    data = GivenShots(source="circuit", keep="distribution", counts={"0": 1}, held_out=held_out, validation=validation)
    problem = None
    try:
        parts = parts_of(data, shots)
    except Problem as refused:
        problem = refused
        parts = parts_of(data, problem.ways_out[0]["shots"])
    assert min(parts) >= LEAST_SHOTS
    if problem is None:
        assert sum(parts) == shots
    else:
        assert problem.code == "too_few_shots"
        assert problem.pointer in {"/dataset", "/dataset/held_out", "/dataset/validation"}
