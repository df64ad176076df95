"""A circuit of Cirq in Qiskit.

Qubits are numbered as Cirq sorts them. Every measurement of a key becomes a classical register of its name, in order of
appearance; one that a loop repeats keeps what was read last.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import accumulate, islice, pairwise
from math import sqrt

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import ClassicalRegister, Instruction
from qiskit.circuit.library import UnitaryGate

from qstill.contract.circuits.cirq.text import check_cirq, document
from qstill.contract.circuits.gates import MAX_QUBITS
from qstill.contract.circuits.source_text import MAX_EXPANDED_OPERATIONS, SOURCE
from qstill.contract.errors import Problem
from workers.circuits.channels import channel
from workers.circuits.parse.cirq import paulis
from workers.circuits.parse.cirq.channels import MAX_CHANNEL_QUBITS, is_channel, read_channel
from workers.circuits.parse.cirq.conditions import Tested, enter, read_condition, until
from workers.circuits.parse.cirq.flat import (
    Branch,
    Controlled,
    Flattener,
    Loop,
    Node,
    Placed,
    pauli_map,
    qubits_in,
)
from workers.circuits.parse.cirq.json_fields import (
    MAX_MATRIX_QUBITS,
    Key,
    Object,
    Symbols,
    complex_number,
    constant,
    objects,
    qubit_key,
    qubits_of,
    type_of,
    unsupported,
)
from workers.circuits.parse.cirq.json_fields import field as field_of
from workers.circuits.parse.cirq.qudits import flip, in_bits, refuse_qudits, steps_of
from workers.circuits.parse.cirq.records import Records
from workers.circuits.parse.cirq.steps import Steps
from workers.circuits.parse.cirq.unitary import (
    control_states,
    controlled,
    gate_steps,
    phasor_operation,
    string_operation,
)

_NORM = 1e-6  # how far a state's norm may be from 1


def parse_cirq(source: Object | str) -> QuantumCircuit:
    """The circuit in Qiskit, symbols as `Parameter`s. Raises `Problem` with the pointer of the object at fault."""
    check_cirq(source)
    try:
        return _Reader().read(document(source))
    except Problem as problem:
        if isinstance(source, dict):
            raise problem.within(SOURCE) from None
        raise Problem(problem.code, f"At {problem.pointer or 'the top'}: {problem.title}", pointer=SOURCE) from None


@dataclass(slots=True)
class _Reader:
    circuit: QuantumCircuit = field(default_factory=QuantumCircuit)
    symbols: Symbols = field(default_factory=Symbols)
    wires: dict[Key, tuple[int, ...]] = field(default_factory=dict)
    records: Records = field(default_factory=lambda: Records(QuantumCircuit()))
    conditions: int = 0
    written: int = 0

    def read(self, whole: Object) -> QuantumCircuit:
        nodes = Flattener(self.symbols).circuit(whole, "", Placed({}, ""))
        qubits = sorted(set(qubits_in(nodes)))
        places = [0, *accumulate(qubits_of(key[-1]) for key in qubits)]
        if not places[-1]:
            raise Problem("no_qubits", "The circuit has no qubit.", pointer="")
        if places[-1] > MAX_QUBITS:
            message = f"The qudits take {places[-1]:,} qubits; {MAX_QUBITS:,} are allowed."
            raise Problem("too_many_qubits", message, pointer="")
        self.wires = {key: tuple(range(*ends)) for key, ends in zip(qubits, pairwise(places), strict=True)}
        self.circuit = QuantumCircuit(places[-1])
        self.records = Records(self.circuit)
        self._write(nodes)
        return self.circuit

    def _write(self, nodes: Sequence[Node]) -> None:
        for node in nodes:
            match node:
                case Branch():
                    self._branch(node)
                case Loop():
                    self._loop(node)
                case Placed() if (act := self._not_unitary(node)) is not None:
                    if node.inverted:
                        message = "Only gates can be undone, in a circuit that is repeated backwards."
                        raise Problem("cirq_invalid", message, pointer=node.path)
                    act(node)
                case _:
                    steps, qubits = self._unitary(node)
                    self._apply(steps, qubits, node.path if isinstance(node, Placed) else node.placed.path)

    def _not_unitary(self, placed: Placed) -> Callable[[Placed], None] | None:
        """What writes an operation that is more than a gate."""
        if type_of(placed.operation, placed.path) != "GateOperation":
            return None
        gate = field_of(placed.operation, "gate", dict, placed.path)
        match type_of(gate, f"{placed.path}/gate"):
            case "MeasurementGate":
                return self._measure
            case "PauliMeasurementGate":
                return self._measure_paulis
            case "ResetChannel":
                return self._reset
            case "StatePreparationChannel":
                return self._prepare
            case "RandomGateChannel":
                return self._channel
            case _:
                return self._channel if is_channel(gate) else None

    def _unitary(self, node: Node) -> tuple[Steps, list[int]]:
        """What an operation does, and the numbers of its qubits."""
        if isinstance(node, Controlled):
            return self._controlled(node)
        if not isinstance(node, Placed):
            raise Problem("cirq_unsupported", "Qubits control gates alone.", pointer=node.placed.path)
        operation, path, symbols = node.operation, node.path, node.symbols(self.symbols)
        match type_of(operation, path):
            case "GateOperation":
                qubits, shape = self._qudits(node, "qubits")
                steps = steps_of(field_of(operation, "gate", dict, path), shape, f"{path}/gate", symbols)
            case "SingleQubitPauliStringGateOperation":
                key = node.qubit(qubit_key(field_of(operation, "qubit", dict, path), f"{path}/qubit"))
                qubits = self._of_qubits([key], path)
                steps = gate_steps(field_of(operation, "pauli", dict, path), 1, f"{path}/pauli", symbols)
            case "PauliString":
                qubits = self._of_qubits([node.qubit(key) for key, _ in pauli_map(operation, path)], path)
                steps = string_operation(node, symbols)
            case "PauliStringPhasor":
                qubits, steps = self._qubits(node, "qubits"), phasor_operation(node, symbols)
            case _:
                unsupported(operation, path)
        self._check_distinct(qubits, path)
        return (steps.inverse() if node.inverted else steps), qubits

    def _controlled(self, node: Controlled) -> tuple[Steps, list[int]]:
        placed = node.placed
        controls, shape = self._qudits(placed, "controls")
        parts = [self._unitary(inner) for inner in node.body]
        targets = list(dict.fromkeys(qubit for _, qubits in parts for qubit in qubits))
        place = {qubit: index for index, qubit in enumerate(targets)}
        inside = Steps(len(targets))
        for steps, qubits in parts:
            inside = inside.then(steps.on(*(place[qubit] for qubit in qubits), width=len(targets)))
        self._check_distinct(controls + targets, placed.path)
        states = control_states(placed.operation, len(shape), placed.path, shape)
        return controlled(inside, in_bits(states, shape), placed.path), controls + targets

    def _apply(self, steps: Steps, qubits: list[int], path: str) -> None:
        self.written += len(steps.gates)
        if self.written > MAX_EXPANDED_OPERATIONS:
            message = f"The circuit expands to more than {MAX_EXPANDED_OPERATIONS:,} operations."
            raise Problem("too_many_operations", message, pointer=path)
        steps.apply(self.circuit, qubits)

    def _reset(self, placed: Placed) -> None:
        self.circuit.reset(self._qudits(placed, "qubits")[0])

    def _prepare(self, placed: Placed) -> None:
        """A state, whatever the qubits were in before."""
        at, qubits = f"{placed.path}/gate/target_state", self._qubits(placed, "qubits")
        written = field_of(placed.operation["gate"], "target_state", list, f"{placed.path}/gate")
        if len(qubits) > MAX_MATRIX_QUBITS or len(written) != 1 << len(qubits):
            message = f"A state is a number for each of the states of up to {MAX_MATRIX_QUBITS} qubits."
            raise Problem("cirq_invalid", message, pointer=at)
        state = np.array([complex_number(part, f"{at}/{index}") for index, part in enumerate(written)])
        if abs(np.linalg.norm(state) - 1) > _NORM:
            raise Problem("cirq_invalid", "The squares of a state's numbers add up to 1.", pointer=at)
        basis, scale = np.linalg.qr(np.column_stack([state, np.eye(len(state))]))
        basis[:, 0] *= scale[0, 0]  # the state itself, not a multiple
        self.circuit.reset(qubits)
        self.circuit.append(UnitaryGate(basis, check_input=False, label="Prepare"), qubits[::-1])

    def _channel(self, placed: Placed) -> None:
        gate, at = field_of(placed.operation, "gate", dict, placed.path), f"{placed.path}/gate"
        qubits = self._qubits(placed, "qubits")
        self.circuit.append(self._one_channel(gate, len(qubits), at, placed), qubits)

    def _one_channel(self, gate: Object, width: int, path: str, placed: Placed) -> Instruction:
        symbols = placed.symbols(self.symbols)
        if gate.get("cirq_type") == "RandomGateChannel":
            return self._random(gate, width, path, placed)
        if isinstance(key := gate.get("_key"), dict):
            self.records.unknown.add(":".join([*map(str, key.get("path") or []), str(key.get("name"))]))
        return read_channel(gate, width, path, symbols)

    def _random(self, gate: Object, width: int, path: str, placed: Placed) -> Instruction:
        """A gate, or a channel, with some probability."""
        symbols = placed.symbols(self.symbols)
        chance = constant(gate.get("probability"), f"{path}/probability", symbols)
        if not 0 <= chance <= 1:
            raise Problem("cirq_invalid", "A probability is between 0 and 1.", pointer=f"{path}/probability")
        below, at = field_of(gate, "sub_gate", dict, path), f"{path}/sub_gate"
        if width > MAX_CHANNEL_QUBITS:
            message = f"A channel acts on up to {MAX_CHANNEL_QUBITS} qubits."
            raise Problem("cirq_unsupported", message, pointer=path)
        if is_channel(below) or below.get("cirq_type") == "RandomGateChannel":
            operators = self._one_channel(below, width, at, placed).params
        else:
            operators = [gate_steps(below, width, at, symbols).matrix(at)]
        nothing = sqrt(1 - chance) * np.eye(1 << width, dtype=np.complex128)
        inside = [sqrt(chance) * operator for operator in operators]
        return channel([nothing, *inside], f"Random {chance:.3g}")

    def _measure(self, placed: Placed) -> None:
        gate, at = field_of(placed.operation, "gate", dict, placed.path), f"{placed.path}/gate"
        if gate.get("confusion_map"):
            raise Problem("cirq_unsupported", "A confusion map is not supported here.", pointer=f"{at}/confusion_map")
        qubits, shape = self._qudits(placed, "qubits")
        mask = gate.get("invert_mask") or []
        if not isinstance(mask, list) or len(mask) > len(shape):
            raise Problem("cirq_invalid", "`invert_mask` has a value for each qubit.", pointer=f"{at}/invert_mask")
        if not qubits:
            raise Problem("cirq_unsupported", "What has a single level is not measured here.", pointer=placed.path)
        register = self._register(placed, len(qubits))
        if max(shape, default=2) > 2:
            self.records.levels.add(register)
        places = iter(qubits)
        qudits = [(dimension, [*islice(places, qubits_of(dimension))]) for dimension in shape]
        inverted = [qudit for qudit, invert in zip(qudits, mask, strict=False) if invert]
        for dimension, own in inverted:
            self._apply(flip(dimension, at), own, placed.path)
        self.circuit.measure(qubits, register)
        for dimension, own in inverted:
            self._apply(flip(dimension, at), own, placed.path)

    def _measure_paulis(self, placed: Placed) -> None:
        """The sign of a Pauli string: its parity is brought to one qubit, measured there, and taken back."""
        gate, at = field_of(placed.operation, "gate", dict, placed.path), f"{placed.path}/gate"
        letters, coefficient = paulis.dense(field_of(gate, "observable", dict, at), f"{at}/observable")
        qubits = self._qubits(placed, "qubits")
        if len(letters) != len(qubits) or not letters:
            raise Problem("cirq_invalid", "The observable has a Pauli operator for each qubit.", pointer=at)
        register = self._register(placed, 1)
        parity = paulis.parity_steps(letters)
        self._apply(parity, qubits, placed.path)
        inverted = paulis.sign(coefficient, f"{at}/observable") < 0
        if inverted:
            self.circuit.x(qubits[0])
        self.circuit.measure(qubits[0], register[0])
        if inverted:
            self.circuit.x(qubits[0])
        self._apply(parity.inverse(), qubits, placed.path)

    def _register(self, placed: Placed, size: int) -> ClassicalRegister:
        if self.conditions:
            message = "A measurement does not happen under a condition in Cirq."
            raise Problem("cirq_invalid", message, pointer=f"{placed.path}/gate")
        return self.records.register(placed, size)

    def _branch(self, node: Branch) -> None:
        """One `if` in another, for every condition."""
        placed = node.placed
        with ExitStack() as stack:
            holds = [
                enter(self.circuit, self._condition(condition, at, placed), stack)
                for index, condition in enumerate(objects(placed.operation, "conditions", placed.path))
                for at in [f"{placed.path}/conditions/{index}"]
            ]
            self.conditions += 1
            if all(holds):
                self._write(node.body)
            self.conditions -= 1

    def _loop(self, node: Loop) -> None:
        placed, at = node.placed, f"{node.placed.path}/repeat_until"
        self.records.loops += 1
        self._write(node.body)
        condition = field_of(placed.operation, "repeat_until", dict, placed.path)
        going_on = until(self.circuit, self._condition(condition, at, placed), at)
        if going_on is not None:
            with self.circuit.while_loop(going_on):
                self._write(node.body)
        self.records.loops -= 1

    def _condition(self, condition: Object, path: str, placed: Placed) -> Tested:
        as_number = condition.get("cirq_type") != "KeyCondition"
        return read_condition(condition, path, self.records.finder(placed, as_number=as_number))

    def _qubits(self, placed: Placed, name: str) -> list[int]:
        """Of an operation that acts on qubits alone."""
        numbers, shape = self._qudits(placed, name)
        refuse_qudits(shape, f"{placed.path}/{name}")
        return numbers

    def _qudits(self, placed: Placed, name: str) -> tuple[list[int], list[int]]:
        """The numbers of the qubits that hold them, one qudit's after another, and their dimensions."""
        at = f"{placed.path}/{name}"
        named = enumerate(objects(placed.operation, name, placed.path))
        keys = [placed.qubit(qubit_key(qubit, f"{at}/{index}")) for index, qubit in named]
        numbers = [number for key in keys for number in self.wires[key]]
        self._check_distinct(numbers, at)
        return numbers, [key[-1] for key in keys]

    def _of_qubits(self, keys: Sequence[Key], path: str) -> list[int]:
        refuse_qudits([key[-1] for key in keys], path)
        return [number for key in keys for number in self.wires[key]]

    def _check_distinct(self, qubits: list[int], path: str) -> None:
        if len(set(qubits)) != len(qubits):
            raise Problem("cirq_invalid", "A qubit is named twice in one operation.", pointer=path)
