"""pennylane-ionq, unmodified, against a started service."""

import warnings
from typing import Any

import numpy as np
import pytest

from tests.contract.conftest import furthest
from tests.testing.service import Service

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import pennylane
    import pennylane_ionq
    from pennylane_ionq.ops import GPI, GPI2, MS

pytestmark = [pytest.mark.service, pytest.mark.xdist_group("ionq"), pytest.mark.filterwarnings("ignore")]

EXACT = 1e-9
WIRES = 3


@pytest.fixture(autouse=True)
def _address(ionq: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pennylane_ionq.api_client.APIClient, "BASE_URL", f"{ionq.address}/v0.4")


def device(name: str = "ionq.simulator", shots: int = 1000, **options: Any) -> Any:
    return pennylane.device(name, wires=WIRES, shots=shots, api_key="any", **options)


def exact_of(gates: list[Any]) -> Any:
    """Probabilities (2^WIRES,) by PennyLane's own simulator."""
    tape = pennylane.tape.QuantumScript(gates, [pennylane.probs(wires=range(WIRES))])
    return pennylane.execute([tape], pennylane.device("default.qubit", wires=WIRES))[0]


def every_gate() -> list[Any]:
    gates = [pennylane.Hadamard(wire) for wire in range(WIRES)]
    gates += [pennylane.RX(0.3, 0), pennylane.RY(0.5, 1), pennylane.RZ(0.7, 2)]
    gates += [pennylane.PauliX(0), pennylane.PauliY(1), pennylane.PauliZ(2), pennylane.S(0), pennylane.T(1)]
    gates += [pennylane.SX(2), pennylane.CNOT([2, 0]), pennylane.SWAP([0, 1])]
    gates += [pennylane.IsingXX(0.4, [0, 2]), pennylane.IsingYY(0.6, [1, 0]), pennylane.IsingZZ(0.8, [2, 1])]
    hamiltonian = pennylane.Hamiltonian([0.3, 0.2], [pennylane.PauliX(0) @ pennylane.PauliX(1), pennylane.PauliZ(2)])
    return [*gates, pennylane.evolve(hamiltonian, coeff=0.5), pennylane.RX(0.9, 1)]


def test_every_gate_means_what_pennylane_means() -> None:
    remote = device()
    remote.apply(every_gate())
    np.testing.assert_allclose(remote.prob, exact_of(every_gate()), rtol=0, atol=EXACT)


def gpi2(phase: float) -> Any:
    turn = np.exp(2j * np.pi * phase)
    return np.array([[1, -1j / turn], [-1j * turn, 1]]) / np.sqrt(2)


def ms(phase0: float, phase1: float, angle: float) -> Any:
    """exp(-iπ·angle·G(phase0)⊗G(phase1)), G the gate gpi, whose square is 1."""
    first, second = (np.array([[0, np.exp(-2j * np.pi * p)], [np.exp(2j * np.pi * p), 0]]) for p in (phase0, phase1))
    return np.cos(np.pi * angle) * np.eye(4) - 1j * np.sin(np.pi * angle) * np.kron(first, second)


def test_native_gates() -> None:
    """They have no matrices in PennyLane, so that those of IonQ's documentation are written above."""
    remote = device(gateset="native")
    remote.apply(
        [
            GPI2(0.1, wires=0),
            GPI2(0.3, wires=1),
            MS(0.1, 0.35, 0.21, wires=[0, 1]),
            GPI2(0.2, wires=1),
            GPI(0.3, wires=2),
        ]
    )
    entangled = ms(0.1, 0.35, 0.21) @ np.kron(gpi2(0.1) @ [1, 0], gpi2(0.3) @ [1, 0])
    state = np.kron(np.kron(np.eye(2), gpi2(0.2)) @ entangled, [0, 1])
    np.testing.assert_allclose(remote.prob, np.abs(state) ** 2, rtol=0, atol=EXACT)


def test_a_circuit_with_samples() -> None:
    shots = 4_000

    @pennylane.qnode(device(shots=shots))
    def circuit(angle: float) -> Any:
        pennylane.Hadamard(0)
        pennylane.CNOT([0, 1])
        pennylane.RX(angle, 1)
        return pennylane.probs(wires=[0, 1])

    half = 0.5 * np.array([np.cos(0.15) ** 2, np.sin(0.15) ** 2, np.sin(0.15) ** 2, np.cos(0.15) ** 2])
    assert np.abs(circuit(0.3) - half).sum() < furthest(4, shots)


def test_several_circuits_in_one_job() -> None:
    tapes = [
        pennylane.tape.QuantumScript([pennylane.PauliX(wire)], [pennylane.probs(wires=range(WIRES))], shots=10)
        for wire in range(WIRES)
    ]
    found = device(shots=10).batch_execute(tapes)
    for wire, probabilities in enumerate(found):
        assert int(np.argmax(probabilities)) == 4 >> wire
        assert np.max(probabilities) == 1


def test_noise_and_machines() -> None:
    shots = 500
    noisy = device(shots=shots, noise_model="harmony", noise_seed=3)
    noisy.apply([pennylane.PauliX(0), *[pennylane.CNOT([0, 1])] * 21])
    counts = noisy.prob * shots
    np.testing.assert_allclose(counts, np.round(counts), atol=1e-6)
    assert noisy.prob[0b110] < 0.9  # 21 cnots of a machine with 4 % errors
    machine = device("ionq.qpu", backend="aria-1", shots=100)
    machine.apply([pennylane.PauliX(0)])
    assert machine.prob[0b100] > 0.9


@pytest.mark.parametrize(
    "matrix",
    [
        np.array([[1, 1 + 1j, 0, -1j], [1 - 1j, 3, 2, 0], [0, 2, 0, 1j], [1j, 0, -1j, 1]]),
        np.array([[1, 1, 0, 0], [1, -1, 2, 0.5], [0, 2, -1, 0.5], [0, 0.5, 0.5, 7]]),
    ],
)
def test_terms_that_do_not_commute_are_a_product_of_one_step_in_the_order_listed(matrix: Any) -> None:
    """As pennylane-ionq's own tests find it of IonQ's service. `TrotterProduct` takes the last term first."""
    time = 0.7
    remote = device()
    remote.apply([pennylane.evolve(pennylane.Hamiltonian([2.0], [pennylane.Hermitian(matrix, [0, 1])]), time)])
    coefficients, terms = pennylane.pauli_decompose(-2.0 * matrix, wire_order=[0, 1]).terms()
    product = pennylane.TrotterProduct(pennylane.Hamiltonian(coefficients[::-1], terms[::-1]), time, n=1)
    np.testing.assert_allclose(remote.prob, exact_of([product]), rtol=0, atol=EXACT)
    whole = exact_of([pennylane.evolve(pennylane.Hermitian(2.0 * matrix, [0, 1]), time)])
    assert np.abs(remote.prob - whole).max() > 0.05


def test_what_is_refused_says_why() -> None:
    narrow = pennylane.device("ionq.qpu", backend="aria-1", wires=30, shots=10, api_key="any")
    with pytest.raises(Exception, match="aria-1 has 25 qubits"):
        narrow.apply([pennylane.PauliX(29)])
