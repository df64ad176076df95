"""What a gate of Cirq does, in Qiskit's gates. Exact with the global phase: a control makes it matter."""

from copy import deepcopy
from dataclasses import dataclass, replace

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import CircuitInstruction, Gate, ParameterExpression
from qiskit.circuit.library import UnitaryGate
from qiskit.circuit.library import standard_gates as std
from qiskit.quantum_info import Operator

from qstill.contract.errors import Problem
from workers.circuits.matrices import Matrix, controlled
from workers.circuits.parse.values import Value


@dataclass(frozen=True, slots=True)
class Steps:
    """Gates in time order, each with the places of its qubits among `width`, and a global phase in radians.

    loose: the global phase is not known, so that nothing can control it.
    """

    width: int
    gates: tuple[tuple[Gate, tuple[int, ...]], ...] = ()
    phase: Value = 0.0
    loose: bool = False

    @property
    def widest_matrix(self) -> int:
        """The qubits of the largest gate that is a matrix of numbers."""
        return max((gate.num_qubits for gate, _ in self.gates if isinstance(gate, UnitaryGate)), default=0)

    def on(self, *places: int, width: int) -> "Steps":
        """The same on some qubits of more."""
        moved = tuple((gate, tuple(places[qubit] for qubit in qubits)) for gate, qubits in self.gates)
        return replace(self, width=width, gates=moved)

    def then(self, after: "Steps") -> "Steps":
        """Both, one after the other, on the same qubits."""
        return Steps(self.width, self.gates + after.gates, self.phase + after.phase, self.loose or after.loose)

    def shifted(self, phase: Value) -> "Steps":
        """With more global phase, radians."""
        return replace(self, phase=self.phase + phase)

    def inverse(self) -> "Steps":
        """What undoes it."""
        gates = tuple((_inverse(gate), places) for gate, places in reversed(self.gates))
        return replace(self, gates=gates, phase=-self.phase)

    def controlled(self, values: list[int]) -> "Steps":
        """Where the new first qubits, one for each value, have these values."""
        count = len(values)
        if count == 0:
            return self
        controls = tuple(range(count))
        gates = [
            _controlled(gate, tuple(count + qubit for qubit in qubits), controls=controls)
            for gate, qubits in self.gates
        ]
        if isinstance(self.phase, ParameterExpression) or self.phase:
            phase: Gate = std.PhaseGate(self.phase)
            gates.append((phase.control(count - 1, annotated=False) if count > 1 else phase, controls))
        flips = [(std.XGate(), (control,)) for control, value in enumerate(values) if value == 0]
        return Steps(count + self.width, (*flips, *gates, *flips))

    def matrix(self, path: str) -> Matrix:
        """(2^width, 2^width), the first qubit the low bit. Raises `Problem` where it has free parameters."""
        circuit = QuantumCircuit(self.width)
        self.apply(circuit, [*range(self.width)])
        if circuit.parameters:
            raise Problem("cirq_unsupported", "A channel's gate has no free parameters.", pointer=path)
        return np.asarray(Operator(circuit).data, dtype=np.complex128)

    def apply(self, circuit: QuantumCircuit, qubits: list[int]) -> None:
        """Append the gates to a circuit, into the block that is open."""
        for gate, places in self.gates:
            # Qiskit binds a parameter in the definition itself: a gate that stands twice would be bound once
            own = deepcopy(gate) if gate.is_parameterized() else gate
            circuit.append(CircuitInstruction(own, [circuit.qubits[qubits[place]] for place in places]))
        circuit.global_phase += self.phase


def one(gate: Gate, phase: Value = 0.0) -> Steps:
    """A single gate on all its qubits."""
    return Steps(gate.num_qubits, ((gate, tuple(range(gate.num_qubits))),), phase)


def matrix_steps(matrix: Matrix) -> Steps:
    """A matrix whose first qubit is the high bit, as Cirq has it."""
    width = len(matrix).bit_length() - 1
    return Steps(width, ((UnitaryGate(matrix, check_input=False), tuple(reversed(range(width)))),))


def _inverse(gate: Gate) -> Gate:
    if isinstance(gate, UnitaryGate):
        return UnitaryGate(gate.params[0].conj().T, check_input=False)
    return gate.inverse(annotated=False)


def _controlled(gate: Gate, places: tuple[int, ...], *, controls: tuple[int, ...]) -> tuple[Gate, tuple[int, ...]]:
    if isinstance(gate, UnitaryGate):  # Qiskit would decompose the matrix first, in seconds
        return UnitaryGate(controlled(gate.params[0], len(controls)), check_input=False), (*places, *controls)
    return gate.control(len(controls), annotated=False), (*controls, *places)
