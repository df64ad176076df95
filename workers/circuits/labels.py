"""Short names for people: gates, angles, bits and conditions as a diagram shows them."""

import re
from math import floor, pi

from qiskit import QuantumCircuit
from qiskit.circuit import (
    CircuitInstruction,
    ClassicalRegister,
    Clbit,
    ControlFlowOp,
    ControlledGate,
    ForLoopOp,
    IfElseOp,
    Operation,
    ParameterExpression,
    Qubit,
    WhileLoopOp,
)

_GATES = {
    "id": "I",
    "sdg": "S†",
    "tdg": "T†",
    "sx": "√X",
    "sxdg": "√X†",
    "rxx": "XX",
    "ryy": "YY",
    "rzz": "ZZ",
    "PauliEvolution": "exp(-itH)",
    "u1": "P",
}
_NUMBERS = (int, float, ParameterExpression)
_MAX_NAME = 14  # characters; a client may name a gate as it likes
_MAX_DENOMINATOR = 64
_NEAR = 1e-12  # of a multiple of π: what rounding leaves


def gate_label(operation: Operation | CircuitInstruction) -> str:
    """What stands in a gate's box; for a controlled gate, what its controls control."""
    gate = _controlled(operation)
    label = getattr(gate, "label", None) or _GATES.get(gate.name) or _capital(gate.name)
    return _short(label.partition(" ")[0])


def _controlled(operation: Operation | CircuitInstruction) -> Operation | CircuitInstruction:
    return operation.base_gate if isinstance(operation, ControlledGate) else operation


def _capital(name: str) -> str:
    return name.upper() if len(name) <= 4 else name


def _short(text: str) -> str:
    return text if len(text) <= _MAX_NAME else text[: _MAX_NAME - 1] + "…"


def angles(operation: Operation | CircuitInstruction) -> str:
    """A gate's parameters, "π/2" where they are that, otherwise with two decimals; names stay. "" if it has none.

    What follows the first word of a gate's label stands for them: turns, or the Pauli strings of an exponential.
    """
    gate = _controlled(operation)
    if told := (getattr(gate, "label", None) or "").partition(" ")[2]:
        return _short(told)
    values = [value for value in getattr(gate, "params", ()) if isinstance(value, _NUMBERS)]
    return ", ".join(
        _formula(value) if isinstance(value, ParameterExpression) else _angle(float(value)) for value in values[:4]
    )


def _formula(value: ParameterExpression) -> str:
    """An expression with its numbers to three digits."""
    return _short(re.sub(r"[0-9]+\.[0-9]{3,}", lambda number: f"{float(number[0]):.3g}", str(value)))


def _angle(radians: float) -> str:
    numerator, denominator = _fraction(radians / pi)
    if numerator and abs(numerator) <= 8 * denominator and abs(numerator / denominator * pi - radians) < 1e-9:
        sign = "-" if numerator < 0 else ""
        multiple = "" if abs(numerator) == 1 else str(abs(numerator))
        return f"{sign}{multiple}π" + (f"/{denominator}" if denominator > 1 else "")
    return f"{radians:.2f}" if 0.005 <= abs(radians) < 1000 or radians == 0 else f"{radians:.1e}"


def _fraction(number: float) -> tuple[int, int]:
    """The last convergent of its continued fraction whose denominator is at most 64: what is nearer than 1/2q² to a
    fraction has it among its convergents.
    """
    (before, below), (numerator, denominator) = (0, 1), (1, 0)
    rest = number
    while True:
        whole = floor(rest)
        found = whole * numerator + before, whole * denominator + below
        if found[1] > _MAX_DENOMINATOR:
            return numerator, denominator
        (before, below), (numerator, denominator) = (numerator, denominator), found
        if abs(numerator / denominator - number) < _NEAR:
            return numerator, denominator
        rest = 1 / (rest - whole)


def bit_label(circuit: QuantumCircuit, bit: Qubit | Clbit) -> str:
    """ "name[index]" of the bit's first register, or its index in the circuit."""
    place = circuit.find_bit(bit)
    if not place.registers:
        return f"{'q' if isinstance(bit, Qubit) else 'c'}{place.index}"
    register, index = place.registers[0]
    return f"{_short(register.name)}[{index}]"


def headings(operation: ControlFlowOp, circuit: QuantumCircuit) -> list[str]:
    """What opens each block of an `if`, a loop or a switch."""
    if isinstance(operation, IfElseOp):
        return [f"if {_condition(operation.condition, circuit)}", "else"]
    if isinstance(operation, WhileLoopOp):
        return [f"while {_condition(operation.condition, circuit)}"]
    if isinstance(operation, ForLoopOp):
        return [f"for {len(list(operation.params[0])):,} times"]
    return [operation.name.replace("_", " ")] + ["case"] * (len(operation.blocks) - 1)


def _condition(condition: object, circuit: QuantumCircuit) -> str:
    if not isinstance(condition, tuple):
        return "…"
    tested, value = condition
    if isinstance(tested, ClassicalRegister):
        return f"{_short(tested.name)} = {int(value)}"
    known = tested in circuit.clbits
    return f"{bit_label(circuit, tested) if known else 'bit'} = {int(value)}"
