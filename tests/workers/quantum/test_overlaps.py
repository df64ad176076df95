"""Overlaps with given states: their values are Qiskit's, their gradients finite differences."""

import numpy as np
import pytest
import torch
from qiskit import QuantumCircuit
from qiskit.quantum_info import Operator, process_fidelity, random_statevector, random_unitary

from workers.quantum.ansatz import hardware_efficient
from workers.quantum.circuit import DifferentiableCircuit
from workers.quantum.overlaps import fidelity

DOUBLE = torch.float64


def module_of(circuit: QuantumCircuit, targets: np.ndarray) -> DifferentiableCircuit:
    return DifferentiableCircuit(circuit, targets=torch.from_numpy(targets), precision=DOUBLE)


def some_weights(circuit: QuantumCircuit, sets: int) -> torch.Tensor:
    return torch.randn(sets, circuit.num_parameters, dtype=DOUBLE, generator=torch.Generator().manual_seed(7))


@pytest.mark.parametrize("qubits", [3, 8])  # dense, and in blocks
def test_with_a_state_they_are_qiskits_and_so_are_their_slopes(qubits: int) -> None:
    circuit = hardware_efficient(qubits, 2, "brickwork", closing=("ry",))
    target = random_statevector(1 << qubits, seed=3).data
    module, weights = module_of(circuit, target[:, None]), some_weights(circuit, 2)
    states = module.states(weights)[:, :, 0].numpy()
    expected = [np.vdot(target, state) for state in states]
    np.testing.assert_allclose(torch.view_as_complex(module(weights)[:, 0].contiguous()).numpy(), expected, atol=1e-12)
    few = weights[:, :5].clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda some: fidelity(module(torch.cat([some, weights[:, 5:]], 1))), (few,))


@pytest.mark.parametrize("qubits", [2, 5])
def test_over_all_basis_states_they_are_the_process_fidelity(qubits: int, monkeypatch: pytest.MonkeyPatch) -> None:
    circuit = hardware_efficient(qubits, 1, "line", rotations=("rz", "ry", "rz"))
    unitary = random_unitary(1 << qubits, seed=5)
    module, weights = module_of(circuit, unitary.data), some_weights(circuit, 1)
    rows = torch.eye(1 << qubits, dtype=torch.complex128)
    found = fidelity(module(weights, states=rows))
    bound = circuit.assign_parameters(weights[0].tolist())
    assert float(found[0]) == pytest.approx(process_fidelity(Operator(bound), unitary), abs=1e-12)
    few = weights[:, :3].clone().requires_grad_()
    assert torch.autograd.gradcheck(
        lambda some: fidelity(module(torch.cat([some, weights[:, 3:]], 1), states=rows)), (few,)
    )
    monkeypatch.setattr("workers.quantum.circuit.ROWS_AT_ONCE", 2 << qubits)  # in pieces, each with its own targets
    torch.testing.assert_close(fidelity(module(weights, states=rows)), found, rtol=0, atol=1e-12)


def test_a_circuit_overlaps_with_itself_wholly() -> None:
    circuit = hardware_efficient(4, 3, "ring")
    weights = some_weights(circuit, 1)
    state = DifferentiableCircuit(circuit, precision=DOUBLE).states(weights)[0].numpy()
    assert float(fidelity(module_of(circuit, state)(weights))[0]) == pytest.approx(1.0, abs=1e-12)
