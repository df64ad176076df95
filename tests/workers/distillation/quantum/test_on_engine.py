"""What the circuit engine finds of a trained network is what torch finds, but for noise and shots."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from qstill.contract.circuits.device import Device
from qstill.contract.circuits.noise import DepolarizingNoise
from qstill.contract.distillations.architectures.circuit import OwnCircuit
from qstill.contract.distillations.architectures.quantum import Quantum
from qstill.contract.errors import Problem
from tests.testing.examples import examples
from workers.distillation.networks.circuits.network import CircuitNetwork
from workers.distillation.networks.families import build
from workers.distillation.quantum.as_circuits import angles_of_rows, circuit_of
from workers.distillation.quantum.on_engine import Engine, distributions_of, means_of

LINE = Device.model_validate({"coupling_map": {"shape": "line", "qubits": 3}})
AMPLITUDE = {"kind": "amplitude", "inputs": "standardised"}
ENCODINGS = [AMPLITUDE, {"kind": "angle"}, {"kind": "angle", "upload_again": True}]
OWN = {"terms": [{"paulis": "XY", "qubits": [0, 2]}, {"paulis": "ZII", "coefficient": 0.5}]}


def noise(one: float, two: float) -> DepolarizingNoise:
    return DepolarizingNoise(model="depolarizing", one_qubit=one, two_qubit=two)


def network(encoding: dict[str, Any], seed: int = 0) -> CircuitNetwork:
    definition = Quantum.model_validate(
        {"kind": "quantum", "qubits": 3, "layers": 2, "encoding": encoding, "observables": ["z", "zz", OWN]}
    )
    made = build(definition, (3,), 2, seed=seed, pointer="")
    assert isinstance(made, CircuitNetwork)
    return made


def engine(given_noise: Any = None, device: Device | None = None) -> Engine:
    return Engine(given_noise, device, seed=0, threads=1)


def means_on(one: CircuitNetwork, x: torch.Tensor, where: Engine) -> np.ndarray:
    found = distributions_of(circuit_of(one), angles_of_rows(one, x), one.sums, where)
    return means_of(found, one.sums, None, 0)


def own_circuit() -> CircuitNetwork:
    source = (
        'OPENQASM 3.0; include "stdgates.inc"; input float b; input float a; input float k; input float w;'
        "input float v; qubit[3] q; ry(b) q[0]; rx(a) q[1]; crx(2*k + 0.5) q[0], q[2]; ry(w) q[1];"
        "cu(v, w, 0.3, 0.1) q[1], q[2];"
    )
    definition = OwnCircuit.model_validate(
        {
            "kind": "circuit",
            "circuit": {"format": "openqasm3", "source": source},
            "inputs": ["b", "a", "k"],
            "observables": ["z", OWN],
        }
    )
    made = build(definition, (3,), 2, seed=3, pointer="")
    assert isinstance(made, CircuitNetwork)
    return made


NETWORKS = [*(partial(network, encoding) for encoding in ENCODINGS), own_circuit]


@pytest.mark.parametrize("made", NETWORKS, ids=["amplitude", "angle", "again", "own"])
@pytest.mark.parametrize("device", [None, LINE], ids=["anywhere", "line"])
def test_without_noise_it_is_what_torch_says(made: Callable[[], CircuitNetwork], device: Device | None) -> None:
    one, x = made(), torch.randn(5, 3, generator=torch.Generator().manual_seed(1))
    expected = one.means(x).detach().numpy()
    np.testing.assert_allclose(means_on(one, x, engine(None, device)), expected, atol=1e-5)
    np.testing.assert_allclose(means_on(one, x, engine(noise(0, 0), device)), expected, atol=1e-5)


def test_noise_takes_away_and_all_of_it_takes_all() -> None:
    one, x = network(AMPLITUDE), torch.randn(4, 3)
    expected = one.means(x).detach().numpy()
    weak = means_on(one, x, engine(noise(0, 0.02)))
    assert np.linalg.norm(weak) < np.linalg.norm(expected)
    np.testing.assert_allclose(means_on(one, x, engine(noise(0, 1))), 0, atol=1e-9)


@settings(max_examples=examples(40))
@given(st.integers(0, 99), st.integers(1, 500))
def test_shots_scatter_as_they_should_and_repeat_with_their_seed(seed: int, shots: int) -> None:
    chances = np.random.default_rng(seed).dirichlet(np.ones(4), size=(30, 1))
    sums = [{"ZI": 1.0}, {"IZ": 1.0}, {"ZZ": 1.0}]
    exact, found = means_of(chances, sums, None, 0), means_of(chances, sums, shots, seed)
    np.testing.assert_array_equal(found, means_of(chances, sums, shots, seed))
    deviation = np.sqrt(np.maximum(1 - exact**2, 1e-12) / shots)
    scores = (found - exact) / deviation
    assert np.abs(scores.mean()) < 6 / np.sqrt(scores.size)


def test_a_circuit_spread_over_too_many_qubits_is_refused() -> None:
    definition = Quantum.model_validate({"kind": "quantum", "qubits": 11, "layers": 1})
    one = build(definition, (11,), 2, seed=0, pointer="")
    assert isinstance(one, CircuitNetwork)
    with pytest.raises(Problem) as refused:
        means_on(one, torch.randn(1, 11), engine(noise(0.1, 0.1)))
    assert (refused.value.code, refused.value.pointer) == (
        "too_many_qubits",
        "/evaluation/quantum/device/coupling_map",
    )
