"""An ansatz has the gates and parameters that it is counted by, in an order that the engine and the formats keep."""

from typing import get_args

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from qiskit import QuantumCircuit, qasm3
from qiskit.quantum_info import Statevector

from workers.quantum.ansatz import Entanglement, Rotation, hardware_efficient, pairs
from workers.quantum.circuit import DifferentiableCircuit
from workers.quantum.lower import lower
from workers.quantum.operations import Phases, Shuffle, Turns

ENTANGLEMENTS = get_args(Entanglement)
ROTATIONS = st.lists(st.sampled_from(get_args(Rotation)), max_size=3)


@given(st.integers(1, 7), st.integers(0, 5), st.sampled_from(ENTANGLEMENTS), ROTATIONS, ROTATIONS)
def test_parameters_are_numbered_as_they_stand(
    qubits: int, layers: int, entanglement: Entanglement, rotations: list[Rotation], closing: list[Rotation]
) -> None:
    circuit = hardware_efficient(qubits, layers, entanglement, rotations=rotations, closing=closing)
    standing = [each.operation.params[0].name for each in circuit.data if each.operation.params]
    assert standing == [parameter.name for parameter in circuit.parameters]
    assert len(standing) == qubits * (layers * len(rotations) + len(closing))
    assert circuit.count_ops().get("cx", 0) == sum(len(pairs(qubits, entanglement, layer)) for layer in range(layers))


@pytest.mark.parametrize(
    ("entanglement", "qubits", "first", "second"),
    [
        ("none", 3, [], []),
        ("line", 3, [(0, 1), (1, 2)], [(0, 1), (1, 2)]),
        ("ring", 3, [(0, 1), (1, 2), (2, 0)], [(0, 1), (1, 2), (2, 0)]),
        ("ring", 2, [(0, 1)], [(0, 1)]),
        ("brickwork", 5, [(0, 1), (2, 3)], [(1, 2), (3, 4)]),
        ("full", 3, [(0, 1), (0, 2), (1, 2)], [(0, 1), (0, 2), (1, 2)]),
    ],
)
def test_which_qubits_are_entangled(
    entanglement: Entanglement, qubits: int, first: list[tuple[int, int]], second: list[tuple[int, int]]
) -> None:
    assert [pairs(qubits, entanglement, layer) for layer in (0, 1)] == [first, second]


@pytest.mark.parametrize("entanglement", ENTANGLEMENTS)
def test_torch_and_openqasm_read_the_same_circuit(entanglement: Entanglement) -> None:
    circuit = hardware_efficient(3, 3, entanglement, closing=("ry",))
    weights = torch.linspace(-2, 2, circuit.num_parameters, dtype=torch.float64)
    module = DifferentiableCircuit(circuit, sums=[], precision=torch.float64)
    found = module.states(weights[None])[0, :, 0].numpy()
    again: QuantumCircuit = qasm3.loads(qasm3.dumps(circuit))
    assert [parameter.name for parameter in again.parameters] == module.weights
    assert abs(Statevector(again.assign_parameters(weights.tolist())).inner(Statevector(found))) == pytest.approx(1)


def test_a_layer_is_three_steps_of_the_engine() -> None:
    steps = lower(hardware_efficient(4, 3, "ring")).steps
    assert [type(step) for step in steps] == [Turns, Phases, Shuffle] * 3
