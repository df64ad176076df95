"""What changes nothing that is read of a circuit is found, and nothing else."""

import torch
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter

from workers.quantum.ansatz import hardware_efficient
from workers.quantum.circuit import DifferentiableCircuit
from workers.quantum.effect import without_effect
from workers.quantum.observables import sums_of


def exact(circuit: QuantumCircuit, observables: list[str], inputs: tuple[str, ...] = ()) -> DifferentiableCircuit:
    sums = sums_of(observables, circuit.num_qubits)  # type: ignore[arg-type]
    return DifferentiableCircuit(circuit, inputs=inputs, sums=sums, precision=torch.float64)


def test_the_last_rz_is_dead_where_z_is_read_and_the_first_where_the_state_is_zero() -> None:
    states = torch.randn(8, 3, dtype=torch.complex128)
    states /= states.norm(dim=0)
    layers = hardware_efficient(3, 2, "ring")
    assert without_effect(exact(layers, ["z"]), states=states) == {"w_09", "w_10", "w_11"}
    assert without_effect(exact(hardware_efficient(3, 1, "none", rotations=["rz", "ry"]), ["z"])) == {
        *("w_0", "w_1", "w_2")
    }


def test_an_input_that_reaches_nothing_is_found() -> None:
    x, y, w, v = map(Parameter, ("x", "y", "w", "v"))
    circuit = QuantumCircuit(3)
    circuit.rz(x, 0)  # of |0⟩
    circuit.ry(y, 0)
    circuit.ry(w, 0)
    circuit.crz(v, 1, 2)
    circuit.cx(0, 1)
    assert without_effect(exact(circuit, ["z"], ("x", "y"))) == {"x", "v"}
    circuit.ry(x, 2)
    assert without_effect(exact(circuit, ["z"], ("x", "y"))) == {"v"}


def test_a_circuit_without_parameters_has_none_that_are_dead() -> None:
    circuit = QuantumCircuit(1)
    circuit.h(0)
    assert without_effect(exact(circuit, ["z"])) == set()
