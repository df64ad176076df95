"""Qiskit's primitives and backends on a started service: what Qiskit's own give, within their errors."""

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from qstill.client import Client
from tests.contract.conftest import distance, furthest
from tests.testing.service import Service

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister, transpile
    from qiskit.circuit import Parameter
    from qiskit.circuit.library import efficient_su2
    from qiskit.primitives import BackendSamplerV2, StatevectorEstimator
    from qiskit.providers import JobStatus
    from qiskit.quantum_info import Pauli, SparsePauliOp, Statevector

    from qstill.qiskit import EstimatorV2, QstillProvider, SamplerV2

pytestmark = [pytest.mark.service, pytest.mark.xdist_group("ionq"), pytest.mark.filterwarnings("ignore")]


@pytest.fixture
def qstill(ionq: Service) -> Iterator[Client]:
    with Client(ionq.address, patience=240, progress=False) as client:
        yield client


def example() -> QuantumCircuit:
    """That of the documentation of Qiskit's own primitives."""
    circuit = QuantumCircuit(QuantumRegister(2))
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.ry(Parameter("a"), 0)
    circuit.rz(Parameter("b"), 0)
    circuit.cx(0, 1)
    circuit.h(0)
    return circuit


def sweep(points: int) -> Any:
    return np.vstack([np.linspace(-np.pi, np.pi, points), np.linspace(-4 * np.pi, 4 * np.pi, points)]).T


def test_qiskits_example_of_a_sampler(qstill: Client) -> None:
    alpha, beta = ClassicalRegister(1, "alpha"), ClassicalRegister(1, "beta")
    circuit = example()
    circuit.add_register(alpha, beta)
    circuit.measure(0, alpha[0])
    circuit.measure(1, beta[0])
    shots = 2_000
    result = SamplerV2(qstill, seed=5).run([(circuit, sweep(4))], shots=shots).result()[0]
    assert result.data.alpha.shape == result.data.beta.shape == (4,)
    for point, row in enumerate(sweep(4)):
        expected = Statevector(example().assign_parameters(row)).probabilities()
        joint: dict[int, int] = {}
        both = zip(result.data.beta.get_bitstrings(point), result.data.alpha.get_bitstrings(point), strict=True)
        for high, low in both:  # shot by shot: registers are read together
            joint[int(high + low, 2)] = joint.get(int(high + low, 2), 0) + 1
        assert distance(joint, expected) < furthest(4, shots)


def test_qiskits_example_of_an_estimator(qstill: Client) -> None:
    observables = [[SparsePauliOp(["XX", "IY"], [0.5, 0.5])], [Pauli("XX")], [Pauli("IY")]]
    pubs: list[Any] = [(example(), observables, sweep(25)), (example().assign_parameters([0.1, 0.2]), "ZZ")]
    found, expected = EstimatorV2(qstill).run(pubs).result(), StatevectorEstimator().run(pubs).result()
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours.data.evs, theirs.data.evs, rtol=0, atol=1e-9)
        assert np.max(ours.data.stds) == 0


def test_many_observables_and_an_ansatz_of_the_library(qstill: Client) -> None:
    ansatz = efficient_su2(4, reps=2)
    observables = [Pauli("".join(letters)) for letters in np.random.default_rng(1).choice([*"IXYZ"], (120, 4))]
    values = np.random.default_rng(2).uniform(0, 2 * np.pi, ansatz.num_parameters)
    pub = (ansatz, observables, values)
    found, expected = (each.run([pub]).result()[0] for each in (EstimatorV2(qstill), StatevectorEstimator()))
    np.testing.assert_allclose(found.data.evs, expected.data.evs, rtol=0, atol=1e-9)


def test_noise_has_standard_errors(qstill: Client) -> None:
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    depolarizing = {"model": "depolarizing", "one_qubit": 0.0, "two_qubit": 0.2}
    found = EstimatorV2(qstill, noise=depolarizing).run([(circuit, "ZZ")]).result()[0]
    assert abs(float(found.data.evs) - 0.8) <= 6 * float(found.data.stds) + 1e-9


def test_a_backend_transpiles_runs_and_remembers(qstill: Client) -> None:
    backend = QstillProvider(qstill).get_backend()
    circuit = QuantumCircuit(3, 3)
    circuit.h(0)
    circuit.mcx([0, 1], 2)
    circuit.cx(0, 1)
    circuit.measure([0, 1], [1, 2])
    job = backend.run(transpile([circuit, circuit], backend), shots=500, memory=True, seed_simulator=3)
    result = job.result()
    assert job.status() is JobStatus.DONE
    for place in range(2):
        counts, memory = result.get_counts(place), result.get_memory(place)
        assert set(counts) == {"000", "110"}
        assert {key: memory.count(key) for key in counts} == counts
    sampled = BackendSamplerV2(backend=backend).run([circuit], shots=200).result()[0].data.c
    assert set(sampled.get_counts()) == {"000", "110"}


def test_what_measurements_decide_in_a_sampler(qstill: Client) -> None:
    first, second = ClassicalRegister(1, "first"), ClassicalRegister(1, "second")
    circuit = QuantumCircuit(QuantumRegister(1), first, second)
    circuit.h(0)
    circuit.measure(0, first)
    with circuit.if_test((first, 1)):
        circuit.x(0)
    circuit.measure(0, second)
    data = SamplerV2(qstill).run([circuit], shots=200).result()[0].data
    assert set(data.first.get_counts()) == {"0", "1"}
    assert data.second.get_counts() == {"0": 200}
