"""What `cirq.to_json` writes for a circuit, read by a table: Cirq itself is never imported, and nothing is executed.

Qubits are numbered as Cirq sorts them. Every measurement key becomes a classical register, in order of appearance.
"""

from itertools import groupby
from math import isfinite
from typing import Any, NoReturn

from qiskit import QuantumCircuit
from qiskit.circuit import CircuitInstruction, ClassicalRegister

from app.circuits.cirq_text import QUBITS, check_cirq, document
from app.circuits.gates import MAX_CLBITS
from app.circuits.qasm_text import SOURCE
from app.errors import Problem
from workers.circuits.parse.cirq_gates import GATES, Steps

Object = dict[str, Any]
Key = tuple[str, tuple[int | str, ...]]


def parse_cirq(source: Object | str) -> QuantumCircuit:
    """The circuit in Qiskit. Raises `Problem` with the pointer of the object at fault."""
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
        self.numbers: dict[Key, int] = {}
        self.registers: dict[str, ClassicalRegister] = {}

    def read(self, whole: Object) -> QuantumCircuit:
        path = ""
        if whole.get("cirq_type") == "VAL":
            whole, path = _field(whole, "val", dict, path), "/val"
        if _type(whole, path) not in ("Circuit", "FrozenCircuit"):
            _unsupported(whole, path)
        operations = [
            (operation, f"{path}/moments/{i}/operations/{j}")
            for i, moment in enumerate(_objects(whole, "moments", path))
            for j, operation in enumerate(_objects(moment, "operations", f"{path}/moments/{i}"))
        ]
        qubits = sorted({key for operation, at in operations for key in _qubits_below(operation, at)})
        if not qubits:
            raise Problem("no_qubits", "The circuit has no qubit.", pointer=path)
        self.numbers = {key: number for number, key in enumerate(qubits)}
        self.circuit = QuantumCircuit(len(qubits))
        for operation, at in operations:
            self._operation(operation, at)
        return self.circuit

    def _operation(self, operation: Object, path: str) -> None:
        match _type(operation, path):
            case "TaggedOperation":
                self._operation(_field(operation, "sub_operation", dict, path), f"{path}/sub_operation")
            case "ClassicallyControlledOperation":
                self._conditional(operation, path)
            case "GateOperation" if _gate_type(operation, path) == "MeasurementGate":
                self._measure(operation, path)
            case "GateOperation" if _gate_type(operation, path) == "ResetChannel":
                self.circuit.reset(self._qubits(operation, "qubits", path))
            case _:
                steps, qubits = self._unitary(operation, path)
                _apply(steps, qubits, self.circuit)

    def _unitary(self, operation: Object, path: str) -> tuple[Steps, list[int]]:
        """What an operation does, and the numbers of its qubits."""
        match _type(operation, path):
            case "GateOperation":
                qubits = self._qubits(operation, "qubits", path)
                steps = _gate(_field(operation, "gate", dict, path), len(qubits), f"{path}/gate")
            case "SingleQubitPauliStringGateOperation":
                qubits = [self._number(_field(operation, "qubit", dict, path), f"{path}/qubit")]
                steps = _gate(_field(operation, "pauli", dict, path), 1, f"{path}/pauli")
            case "ControlledOperation":
                controls = self._qubits(operation, "controls", path)
                below = _field(operation, "sub_operation", dict, path)
                steps, qubits = self._unitary(below, f"{path}/sub_operation")
                steps = _controlled(steps, operation, len(controls), path)
                qubits = controls + qubits
            case "TaggedOperation":
                return self._unitary(_field(operation, "sub_operation", dict, path), f"{path}/sub_operation")
            case _:
                _unsupported(operation, path)
        if len(set(qubits)) != len(qubits):
            raise Problem("cirq_invalid", "A qubit is named twice in one operation.", pointer=path)
        return steps, qubits

    def _measure(self, operation: Object, path: str) -> None:
        gate, at = _field(operation, "gate", dict, path), f"{path}/gate"
        if gate.get("confusion_map"):
            raise Problem("cirq_unsupported", "A confusion map is not supported here.", pointer=f"{at}/confusion_map")
        key, qubits = _field(gate, "key", str, at), self._qubits(operation, "qubits", path)
        mask = gate.get("invert_mask") or []
        if not isinstance(mask, list) or len(mask) > len(qubits):
            raise Problem("cirq_invalid", "`invert_mask` has a value for each qubit.", pointer=f"{at}/invert_mask")
        if key in self.registers:
            raise Problem("cirq_unsupported", f"The key {key[:99]!r} is measured twice.", pointer=f"{at}/key")
        if self.circuit.num_clbits + len(qubits) > MAX_CLBITS:
            raise Problem("too_many_bits", f"More than {MAX_CLBITS:,} bits are measured.", pointer=path)
        register = self.registers[key] = ClassicalRegister(len(qubits), f"k{len(self.registers)}")
        self.circuit.add_register(register)
        inverted = [qubit for qubit, invert in zip(qubits, mask, strict=False) if invert]
        if inverted:
            self.circuit.x(inverted)
        self.circuit.measure(qubits, register)
        if inverted:
            self.circuit.x(inverted)

    def _conditional(self, operation: Object, path: str) -> None:
        conditions = _objects(operation, "conditions", path)
        if len(conditions) != 1 or conditions[0].get("cirq_type") != "KeyCondition":
            raise Problem(
                "cirq_unsupported", "One condition on one key is supported here.", pointer=f"{path}/conditions"
            )
        at = f"{path}/conditions/0"
        key = _field(conditions[0], "key", dict, at)
        register = self.registers.get(":".join([*_field(key, "path", list, at), _field(key, "name", str, at)]))
        if register is None or register.size != 1 or conditions[0].get("index", -1) != -1:
            message = "A condition is supported on the last value of a key that measured one qubit before."
            raise Problem("cirq_unsupported", message, pointer=f"{at}/key")
        steps, qubits = self._unitary(_field(operation, "sub_operation", dict, path), f"{path}/sub_operation")
        body = QuantumCircuit(len(qubits))
        _apply(steps, list(range(len(qubits))), body)
        self.circuit.if_test((register[0], 1), body, qubits, [])

    def _qubits(self, operation: Object, name: str, path: str) -> list[int]:
        named = _objects(operation, name, path)
        numbers = [self._number(qubit, f"{path}/{name}/{index}") for index, qubit in enumerate(named)]
        if len(set(numbers)) != len(numbers):
            raise Problem("cirq_invalid", "A qubit is named twice in one operation.", pointer=f"{path}/{name}")
        return numbers

    def _number(self, qubit: Object, path: str) -> int:
        return self.numbers[_qubit_key(qubit, path)]


def _apply(steps: Steps, qubits: list[int], circuit: QuantumCircuit) -> None:
    for gate, places in steps.gates:
        circuit._append(CircuitInstruction(gate, [circuit.qubits[qubits[place]] for place in places]))
    circuit.global_phase += steps.phase


def _gate(gate: Object, width: int, path: str) -> Steps:
    match kind := _type(gate, path):
        case "IdentityGate":
            return Steps(width)
        case "ControlledGate":
            values = _control_values(gate, None, path)
            below = _gate(_field(gate, "sub_gate", dict, path), width - len(values), f"{path}/sub_gate")
            steps = _controlled(below, gate, len(values), path)
        case _ if kind in GATES:
            defaults, build = GATES[kind]
            steps = build({name: _real(gate, name, default, path) for name, default in defaults.items()})
        case _:
            _unsupported(gate, path)
    if steps.width != width:
        raise Problem("cirq_invalid", f"{kind} acts on {steps.width} qubits, not {width}.", pointer=path)
    return steps


def _controlled(steps: Steps, owner: Object, controls: int, path: str) -> Steps:
    return steps.controlled(_control_values(owner, controls, path))


def _control_values(owner: Object, count: int | None, path: str) -> list[int]:
    """The value that each control must have. Sums, as 'this control is 0 or 1', are refused."""
    at = f"{path}/control_values"
    values = owner.get("control_values")
    if isinstance(values, dict):
        if _type(values, at) != "ProductOfSums":
            _unsupported(values, at)
        values, at = _field(values, "data", list, at), f"{at}/data"
    if not isinstance(values, list) or (count is not None and len(values) != count):
        raise Problem("cirq_invalid", "There must be a value for each control.", pointer=at)
    if any(value not in ([0], [1]) for value in values):
        raise Problem("cirq_unsupported", "A control has one value, 0 or 1.", pointer=at)
    return [value[0] for value in values]


def _qubits_below(operation: Object, path: str) -> list[Key]:
    """The qubits of an operation and of those it wraps."""
    found = [
        _qubit_key(qubit, f"{path}/{name}/{index}")
        for name in ("qubits", "controls")
        if name in operation
        for index, qubit in enumerate(_objects(operation, name, path))
    ]
    if "qubit" in operation:
        found.append(_qubit_key(_field(operation, "qubit", dict, path), f"{path}/qubit"))
    if "sub_operation" in operation:
        found += _qubits_below(_field(operation, "sub_operation", dict, path), f"{path}/sub_operation")
    return found


def _qubit_key(qubit: Object, path: str) -> Key:
    """What Cirq sorts qubits by: the type's name, then the place, or the name with its numbers as numbers."""
    kind = _type(qubit, path)
    if kind not in QUBITS:
        _unsupported(qubit, path)
    if kind == "NamedQubit":
        runs = (("".join(run), digits) for digits, run in groupby(_field(qubit, "name", str, path), str.isdigit))
        return kind, ("".join(f"{run.rjust(8, '0')}:{len(run)}" if digits else run for run, digits in runs),)
    return kind, tuple(_field(qubit, name, int, path) for name in QUBITS[kind])


def _real(gate: Object, name: str, default: float, path: str) -> float:
    value = gate.get(name, default)
    if isinstance(value, dict):
        _unsupported(value, f"{path}/{name}")
    try:
        number = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else float("nan")
    except OverflowError:
        number = float("inf")
    if not isfinite(number) or abs(number) > 1e9:
        raise Problem("cirq_invalid", f"`{name}` must be a number below 10^9.", pointer=f"{path}/{name}")
    return number


def _type(value: Object, path: str) -> str:
    return str(_field(value, "cirq_type", str, path))


def _gate_type(operation: Object, path: str) -> str:
    return _type(_field(operation, "gate", dict, path), f"{path}/gate")


def _field(value: Object, name: str, kind: type, path: str) -> Any:
    found = value.get(name)
    if not isinstance(found, kind) or isinstance(found, bool):
        words: dict[type, str] = {dict: "an object", list: "a list", str: "a string"}
        what = words.get(kind, "an integer")
        raise Problem("cirq_invalid", f"`{name}` must be {what}.", pointer=f"{path}/{name}")
    return found


def _objects(value: Object, name: str, path: str) -> list[Object]:
    found: list[Object] = _field(value, name, list, path)
    for index, item in enumerate(found):
        if not isinstance(item, dict):
            raise Problem("cirq_invalid", "This must be an object.", pointer=f"{path}/{name}/{index}")
    return found


def _unsupported(value: Object, path: str) -> NoReturn:
    kind = str(value.get("cirq_type"))[:99]
    raise Problem("cirq_unsupported", f"{kind!r} is not supported here.", pointer=path)
