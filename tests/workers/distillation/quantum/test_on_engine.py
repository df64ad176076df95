"""What the circuit engine finds of a trained network is what torch finds, but for noise and shots."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from qstill.contract.circuits.device import Device
from qstill.contract.circuits.noise.model import DepolarizingNoise
from qstill.contract.distillations.architectures.circuit import OwnCircuit
from qstill.contract.distillations.architectures.quantum import Quantum
from qstill.contract.distillations.evaluation import QuantumEvaluation
from qstill.contract.distillations.mitigation import ZeroNoise
from tests.testing.examples import examples
from tests.testing.refusals import errors_of, problem_of
from workers.distillation.networks.circuits.network import CircuitNetwork
from workers.distillation.networks.families import build
from workers.distillation.quantum.as_circuits import angles_of_rows, circuit_of
from workers.distillation.quantum.mitigated import gains_by_variants, variants_of, without_noise
from workers.distillation.quantum.on_engine import Engine, distributions_of, means_of
from workers.quantum.measurements import constants_of

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
    refused = problem_of(means_on, one, torch.randn(1, 11), engine(noise(0.1, 0.1)))
    assert (refused.code, refused.pointer) == (
        "too_many_qubits",
        "/evaluation/quantum/device/coupling_map",
    )


def pair() -> CircuitNetwork:
    """All gates on both qubits, so that this noise leaves the same share of all values."""
    operations = [
        {"gate": gate, "targets": [0, 1], "rotation": angle}
        for gate, angle in (("xx", "a"), ("zz", 0.4), ("yy", "w"), ("xx", 0.7), ("zz", "v"))
    ]
    definition = OwnCircuit.model_validate(
        {
            "kind": "circuit",
            "circuit": {"format": "json", "qubits": 2, "operations": operations},
            "inputs": ["a"],
            "observables": ["z", {"terms": [{"paulis": "II", "coefficient": 0.5}, {"paulis": "ZZ"}]}],
        }
    )
    made = build(definition, (1,), 2, seed=3, pointer="")
    assert isinstance(made, CircuitNetwork)
    return made


ALL_GATES = Device(basis_gates=["rxx", "ryy", "rzz", "u"])


@pytest.mark.parametrize("two_qubit", [0.0, 0.02])
def test_mitigation_takes_back_noise_of_all_qubits_together(two_qubit: float) -> None:
    one, x = pair(), torch.randn(6, 1, generator=torch.Generator().manual_seed(1))
    circuit, angles, sums = circuit_of(one), angles_of_rows(one, x), one.sums
    where = engine(noise(0, two_qubit), ALL_GATES)
    expected = one.means(x).detach().double().numpy()
    zne = ZeroNoise(kind="zne", fit="exponential")
    at_scales = [distributions_of(circuit, angles, sums, replace(where, scale=scale)) for scale in zne.scales]
    np.testing.assert_allclose(without_noise(at_scales, zne, sums, None, 0), expected, atol=1e-5)
    variants = variants_of(circuit, angles, sums, where, count=6, seed=2)
    assert variants[0].shape == (6, 1, 4)
    gains = gains_by_variants(*variants, sums, None, 0)
    np.testing.assert_allclose(gains, np.full(3, gains[0]), rtol=1e-6)
    seen, constants = means_of(at_scales[0], sums, None, 0), constants_of(sums)
    np.testing.assert_allclose((seen - constants) * gains + constants, expected, atol=1e-5)
    again = variants_of(circuit, angles, sums, where, count=6, seed=2)
    np.testing.assert_array_equal(again[1], variants[1])


def test_strengths_and_mitigation_want_noise_that_can_be_scaled() -> None:
    depolarizing = {"model": "depolarizing", "one_qubit": 0.001, "two_qubit": 0.1}
    readout = {"model": "readout", "p01": 0.1, "p10": 0.1}
    for body, code, place in (
        ({"mitigation": {"kind": "zne"}}, "nothing_to_mitigate", ("mitigation",)),
        ({"noise_scales": [2.0]}, "noise_not_scaled", ("noise_scales",)),
        ({"noise_scales": [2.0], "noise": readout}, "noise_not_scaled", ("noise_scales",)),
        ({"noise_scales": [2.0, 11.0], "noise": depolarizing}, "noise_not_scaled", ("noise_scales", 1)),
    ):
        (refused,) = errors_of(QuantumEvaluation.model_validate, body)
        assert (refused["type"], refused["loc"]) == (code, place)
    asked = QuantumEvaluation.model_validate({"noise_scales": [2.0, 0.5], "noise": depolarizing})
    assert asked.strengths == [0.0, 0.5, 1.0, 2.0]
    assert QuantumEvaluation().strengths == [0.0]
