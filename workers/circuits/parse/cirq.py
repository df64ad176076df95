"""What `cirq.to_json` writes for a circuit, read by a table: Cirq itself is never imported, and nothing is executed.

Qubits are numbered as Cirq sorts them. Every measurement key becomes a classical register of its name, in order of
appearance.
"""

from cmath import phase
from contextlib import ExitStack
from itertools import count

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import CircuitInstruction, ClassicalRegister, Parameter

from app.circuits.cirq_text import check_cirq, document
from app.circuits.gates import MAX_CLBITS
from app.circuits.qasm_text import SOURCE
from app.errors import Problem
from workers.circuits.parse.cirq_fields import (
    Object,
    complex_number,
    field,
    number,
    objects,
    qubit_key,
    type_of,
    unitary_matrix,
    unsupported,
)
from workers.circuits.parse.cirq_flat import Placed, flatten, qubits_of
from workers.circuits.parse.cirq_gates import GATES, Steps, matrix_steps

MAX_CONTROLLED_MATRIX_QUBITS = 8  # controls double a matrix: 10 more would take gigabytes
MAX_KEY_CHARACTERS = 64  # as a register's name, which every key of a histogram may repeat
_UNIT = 1e-6  # how far the size of a phase may be from 1


def parse_cirq(source: Object | str) -> QuantumCircuit:
    """The circuit in Qiskit, symbols as `Parameter`s. Raises `Problem` with the pointer of the object at fault."""
    check_cirq(source)
    try:
        return _Reader().read(document(source))
    except Problem as problem:
        if isinstance(source, dict):
            raise problem.within(SOURCE) from None
        raise Problem(problem.code, f"At {problem.pointer or 'the top'}: {problem.title}", pointer=SOURCE) from None


class _Reader:
    def __init__(self) -> None:
        self.circuit = QuantumCircuit()
        self.numbers: dict[object, int] = {}
        self.registers: dict[str, ClassicalRegister] = {}
        self.parameters: dict[str, Parameter] = {}

    def read(self, whole: Object) -> QuantumCircuit:
        operations = flatten(whole)
        qubits = sorted({key for placed in operations for key in qubits_of(placed)})
        if not qubits:
            raise Problem("no_qubits", "The circuit has no qubit.", pointer="")
        self.numbers = {key: number for number, key in enumerate(qubits)}
        self.circuit = QuantumCircuit(len(qubits))
        for placed in operations:
            self._operation(placed)
        return self.circuit

    def _operation(self, placed: Placed) -> None:
        operation, path = placed.operation, placed.path
        match type_of(operation, path):
            case "ClassicallyControlledOperation":
                self._conditional(placed)
            case "GateOperation" if _gate_type(operation, path) == "MeasurementGate":
                self._measure(placed)
            case "GateOperation" if _gate_type(operation, path) == "ResetChannel":
                self.circuit.reset(self._qubits(placed, "qubits"))
            case _:
                steps, qubits = self._unitary(placed)
                _apply(steps, qubits, self.circuit)

    def _unitary(self, placed: Placed) -> tuple[Steps, list[int]]:
        """What an operation does, and the numbers of its qubits."""
        operation, path = placed.operation, placed.path
        match type_of(operation, path):
            case "GateOperation":
                qubits = self._qubits(placed, "qubits")
                steps = self._gate(field(operation, "gate", dict, path), len(qubits), f"{path}/gate")
            case "SingleQubitPauliStringGateOperation":
                qubits = [self._number(field(operation, "qubit", dict, path), f"{path}/qubit", placed)]
                steps = self._gate(field(operation, "pauli", dict, path), 1, f"{path}/pauli")
            case "ControlledOperation":
                controls = self._qubits(placed, "controls")
                steps, qubits = self._unitary(placed.below("sub_operation"))
                steps = _controlled(steps, _control_values(operation, len(controls), path), path)
                qubits = controls + qubits
            case "TaggedOperation":
                return self._unitary(placed.below("sub_operation"))
            case _:
                unsupported(operation, path)
        if len(set(qubits)) != len(qubits):
            raise Problem("cirq_invalid", "A qubit is named twice in one operation.", pointer=path)
        return steps, qubits

    def _gate(self, gate: Object, width: int, path: str) -> Steps:
        match kind := type_of(gate, path):
            case "IdentityGate" | "WaitGate":
                return Steps(width)
            case "GlobalPhaseGate":
                coefficient = complex_number(gate.get("coefficient"), f"{path}/coefficient")
                if abs(abs(coefficient) - 1) > _UNIT:
                    raise Problem("cirq_invalid", "A phase has the absolute value 1.", pointer=f"{path}/coefficient")
                steps = Steps(0, phase=phase(coefficient))
            case "MatrixGate":
                steps = matrix_steps(unitary_matrix(gate, path))
            case "TwoQubitDiagonalGate" | "ThreeQubitDiagonalGate":
                angles = field(gate, "diag_angles_radians", list, path)
                values = [number(angle, f"{path}/diag_angles_radians/{i}", {}) for i, angle in enumerate(angles)]
                if len(values) != (4 if kind.startswith("Two") else 8):
                    raise Problem("cirq_invalid", "There must be an angle for each state.", pointer=path)
                steps = matrix_steps(np.diag(np.exp(1j * np.array(values))))
            case "ParallelGate":
                below = self._gate(field(gate, "sub_gate", dict, path), 1, f"{path}/sub_gate")
                steps = Steps(width)
                for qubit in range(width):
                    steps = steps.then(below.on(qubit, width=width))
            case "ControlledGate":
                control_values = _control_values(gate, None, path)
                below = self._gate(field(gate, "sub_gate", dict, path), width - len(control_values), f"{path}/sub_gate")
                steps = _controlled(below, control_values, path)
            case _ if kind in GATES:
                defaults, build = GATES[kind]
                steps = build(
                    {
                        name: number(gate.get(name, default), f"{path}/{name}", self.parameters)
                        for name, default in defaults.items()
                    }
                )
            case _:
                unsupported(gate, path)
        if steps.width != width:
            raise Problem("cirq_invalid", f"{kind} acts on {steps.width} qubits, not {width}.", pointer=path)
        return steps

    def _measure(self, placed: Placed) -> None:
        gate, at = field(placed.operation, "gate", dict, placed.path), f"{placed.path}/gate"
        if gate.get("confusion_map"):
            raise Problem("cirq_unsupported", "A confusion map is not supported here.", pointer=f"{at}/confusion_map")
        key, qubits = placed.key(field(gate, "key", str, at)), self._qubits(placed, "qubits")
        mask = gate.get("invert_mask") or []
        if not isinstance(mask, list) or len(mask) > len(qubits):
            raise Problem("cirq_invalid", "`invert_mask` has a value for each qubit.", pointer=f"{at}/invert_mask")
        if key in self.registers:
            raise Problem("cirq_unsupported", f"The key {key[:99]!r} is measured twice.", pointer=f"{at}/key")
        if self.circuit.num_clbits + len(qubits) > MAX_CLBITS:
            raise Problem("too_many_bits", f"More than {MAX_CLBITS:,} bits are measured.", pointer=placed.path)
        register = self.registers[key] = ClassicalRegister(len(qubits), self._free_name(key))
        self.circuit.add_register(register)
        inverted = [qubit for qubit, invert in zip(qubits, mask, strict=False) if invert]
        if inverted:
            self.circuit.x(inverted)
        self.circuit.measure(qubits, register)
        if inverted:
            self.circuit.x(inverted)

    def _free_name(self, key: str) -> str:
        """The key, unless it is too long for a name or a register has it."""
        taken = {register.name for register in (*self.circuit.qregs, *self.circuit.cregs)}
        if 0 < len(key) <= MAX_KEY_CHARACTERS and key not in taken:
            return key
        return next(name for number in count() if (name := f"k{number}") not in taken)

    def _conditional(self, placed: Placed) -> None:
        """One `if` in another, for every condition; each holds where a key's bits are not all 0."""
        conditions = objects(placed.operation, "conditions", placed.path)
        registers = [self._condition(c, f"{placed.path}/conditions/{i}", placed) for i, c in enumerate(conditions)]
        steps, qubits = self._unitary(placed.below("sub_operation"))
        with ExitStack() as stack:
            for register in registers:
                if register.size == 1:
                    stack.enter_context(self.circuit.if_test((register[0], 1)))
                    continue
                with self.circuit.if_test((register, 0)) as otherwise:
                    pass
                stack.enter_context(otherwise)
            _apply(steps, qubits, self.circuit)

    def _condition(self, condition: Object, path: str, placed: Placed) -> ClassicalRegister:
        if type_of(condition, path) != "KeyCondition":
            unsupported(condition, path)
        key = field(condition, "key", dict, path)
        name = ":".join([*map(str, field(key, "path", list, path)), field(key, "name", str, path)])
        register = self.registers.get(placed.key(name))
        if register is None or condition.get("index", -1) != -1:
            message = "A condition is supported on the last value of a key that was measured before."
            raise Problem("cirq_unsupported", message, pointer=f"{path}/key")
        return register

    def _qubits(self, placed: Placed, name: str) -> list[int]:
        at = f"{placed.path}/{name}"
        named = objects(placed.operation, name, placed.path)
        numbers = [self._number(qubit, f"{at}/{index}", placed) for index, qubit in enumerate(named)]
        if len(set(numbers)) != len(numbers):
            raise Problem("cirq_invalid", "A qubit is named twice in one operation.", pointer=at)
        return numbers

    def _number(self, qubit: Object, path: str, placed: Placed) -> int:
        return self.numbers[placed.qubit(qubit_key(qubit, path))]


def _apply(steps: Steps, qubits: list[int], circuit: QuantumCircuit) -> None:
    for gate, places in steps.gates:
        circuit.append(CircuitInstruction(gate, [circuit.qubits[qubits[place]] for place in places]))
    circuit.global_phase += steps.phase


def _controlled(steps: Steps, values: list[int], path: str) -> Steps:
    if values and steps.widest_matrix + len(values) > MAX_CONTROLLED_MATRIX_QUBITS:
        message = f"A matrix is controlled on up to {MAX_CONTROLLED_MATRIX_QUBITS} qubits, controls included."
        raise Problem("cirq_unsupported", message, pointer=path)
    return steps.controlled(values)


def _control_values(owner: Object, count: int | None, path: str) -> list[int]:
    """The value that each control must have. Sums, as 'this control is 0 or 1', are refused."""
    at = f"{path}/control_values"
    values = owner.get("control_values")
    if isinstance(values, dict):
        if type_of(values, at) != "ProductOfSums":
            unsupported(values, at)
        values, at = field(values, "data", list, at), f"{at}/data"
    if not isinstance(values, list) or (count is not None and len(values) != count):
        raise Problem("cirq_invalid", "There must be a value for each control.", pointer=at)
    if any(value not in ([0], [1]) for value in values):
        raise Problem("cirq_unsupported", "A control has one value, 0 or 1.", pointer=at)
    return [value[0] for value in values]


def _gate_type(operation: Object, path: str) -> str:
    return type_of(field(operation, "gate", dict, path), f"{path}/gate")
