"""Cirq's JSON: gates on line qubits, free parameters as sympy's symbols, moments as early as they can be."""

from collections.abc import Iterator
from math import pi
from typing import Any

from qiskit import QuantumCircuit

from qstill.contract.circuits.expressions import compile_expression
from qstill.contract.errors import Problem
from workers.circuits.export.json import to_json

Written = dict[str, Any]

_POWERS: dict[str, tuple[str, float]] = {
    "x": ("X", 1.0),
    "y": ("Y", 1.0),
    "z": ("Z", 1.0),
    "h": ("H", 1.0),
    "s": ("Z", 0.5),
    "si": ("Z", -0.5),
    "t": ("Z", 0.25),
    "ti": ("Z", -0.25),
    "v": ("X", 0.5),
    "vi": ("X", -0.5),
    "swap": ("Swap", 1.0),
}
_ROTATIONS = {"rx": "Rx", "ry": "Ry", "rz": "Rz"}
_PAIRS = {"xx": "XX", "yy": "YY", "zz": "ZZ"}
_CONTROLLED = {("x", 1): "CX", ("z", 1): "CZ", ("x", 2): "CCX", ("z", 2): "CCZ"}


def to_cirq(circuit: QuantumCircuit) -> Written:
    """What `cirq.read_json` reads. Raises `Problem` where the circuit is more than gates.

    A qubit that nothing acts on has an identity: Cirq knows qubits by their gates alone.
    """
    written = to_json(circuit)
    moments: list[list[Written]] = []
    front = [0] * circuit.num_qubits  # the first moment that is free on each qubit
    for operation in written["operations"]:
        if operation["gate"] == "barrier":
            continue
        if operation["gate"] in ("measure", "reset") or "if" in operation:
            title = "Only gates are written as Cirq's JSON here: no measurement, reset or condition."
            raise Problem("export_unsupported", title, pointer="/circuit", ways_out=[{"format": "openqasm3"}])
        for gate, qubits in _gates(operation):
            place = max(front[qubit] for qubit in qubits)
            if place == len(moments):
                moments.append([])
            moments[place].append(gate)
            for qubit in qubits:
                front[qubit] = place + 1
    idle = [_on(_object("IdentityGate", num_qubits=1), [qubit]) for qubit, free in enumerate(front) if not free]
    if idle:
        moments[:1] = [[*(moments[0] if moments else []), *idle]]
    return _object("Circuit", moments=[_object("Moment", operations=each) for each in moments])


def _gates(operation: Written) -> Iterator[tuple[Written, list[int]]]:
    """Each with its qubits: a gate on one qubit acts on each of its targets by itself."""
    name, angle = operation["gate"], operation.get("rotation")
    targets = operation["targets"] if "targets" in operation else [operation["target"]]
    controls = operation.get("controls", [operation["control"]] if "control" in operation else [])
    together = name == "swap" or name in _PAIRS
    for on in [targets] if together else [[target] for target in targets]:
        qubits = [*controls, *on]
        if angle is None and (name, len(controls)) in _CONTROLLED:
            yield _on(_power(_CONTROLLED[name, len(controls)], 1.0), qubits), qubits
        elif controls:
            values = _object("ProductOfSums", data=[[1] for _ in controls])
            inside = _on(_one(name, angle), on)
            line = [_qubit(qubit) for qubit in controls]
            yield (
                _object("ControlledOperation", controls=line, control_values=values, sub_operation=inside),
                qubits,
            )
        else:
            yield _on(_one(name, angle), on), qubits


def _one(name: str, angle: float | str | None) -> Written:
    if angle is None:
        return _power(*_POWERS[name])
    radians = _number(angle)
    if name in _ROTATIONS:
        return _object(_ROTATIONS[name], rads=radians)
    turns = radians / pi if isinstance(radians, float) else _sympy("Mul", radians, _real(1 / pi))
    if name == "z":
        return _power("Z", turns)
    return _power(_PAIRS[name], turns, shift=-0.5)


def _number(angle: float | str) -> float | Written:
    """An expression as sympy's objects."""
    if not isinstance(angle, str):
        return float(angle)
    stack: list[Written] = []
    for step in compile_expression(angle).steps:
        if isinstance(step, str):
            stack.append(_object("sympy.Symbol", name=step))
        elif not callable(step):
            stack.append(_real(float(step)))
        elif step.__name__ == "neg":
            stack.append(_sympy("Mul", _real(-1.0), stack.pop()))
        else:
            right, left = stack.pop(), stack.pop()
            if step.__name__ == "sub":
                right = _sympy("Mul", _real(-1.0), right)
            if step.__name__ == "truediv":
                right = _sympy("Pow", right, _real(-1.0))
            stack.append(_sympy("Add" if step.__name__ in ("add", "sub") else "Mul", left, right))
    return stack.pop()


def _real(value: float) -> Written:
    return _object("sympy.Integer", i=int(value)) if value.is_integer() else _object("sympy.Float", approx=value)


def _sympy(name: str, *args: Written) -> Written:
    return _object(f"sympy.{name}", args=list(args))


def _power(name: str, exponent: float | Written, *, shift: float = 0.0) -> Written:
    return _object(f"{name}PowGate", exponent=exponent, global_shift=shift)


def _on(gate: Written, qubits: list[int]) -> Written:
    return _object("GateOperation", gate=gate, qubits=[_qubit(qubit) for qubit in qubits])


def _qubit(number: int) -> Written:
    return _object("LineQubit", x=number)


def _object(kind: str, **fields: Any) -> Written:
    return {"cirq_type": kind, **fields}
