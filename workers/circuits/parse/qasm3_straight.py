"""The straight-line part of OpenQASM 3: registers, inputs, standard gates, measurements, resets, barriers.

It never complains: whatever it does not know is None, and the reference parser has the last word.
"""

import operator
import re
from collections.abc import Mapping
from functools import lru_cache
from math import e, pi, tau
from typing import Any

from qiskit import QuantumCircuit
from qiskit.circuit import (
    Barrier,
    CircuitInstruction,
    ClassicalRegister,
    Clbit,
    Gate,
    Measure,
    Parameter,
    QuantumRegister,
    Qubit,
)
from qiskit.circuit import Reset as ResetOperation
from qiskit.circuit.library import standard_gates as std

from app.circuits.expressions import Expression, ExpressionError, read_expression
from app.circuits.qasm_text import without_comments

# name: class, angles, qubits. stdgates.inc, and the built-in U.
GATES: dict[str, tuple[type[Gate], int, int]] = {
    "p": (std.PhaseGate, 1, 1),
    "phase": (std.PhaseGate, 1, 1),
    "x": (std.XGate, 0, 1),
    "y": (std.YGate, 0, 1),
    "z": (std.ZGate, 0, 1),
    "h": (std.HGate, 0, 1),
    "s": (std.SGate, 0, 1),
    "sdg": (std.SdgGate, 0, 1),
    "t": (std.TGate, 0, 1),
    "tdg": (std.TdgGate, 0, 1),
    "sx": (std.SXGate, 0, 1),
    "id": (std.IGate, 0, 1),
    "rx": (std.RXGate, 1, 1),
    "ry": (std.RYGate, 1, 1),
    "rz": (std.RZGate, 1, 1),
    "cx": (std.CXGate, 0, 2),
    "CX": (std.CXGate, 0, 2),
    "cy": (std.CYGate, 0, 2),
    "cz": (std.CZGate, 0, 2),
    "cp": (std.CPhaseGate, 1, 2),
    "cphase": (std.CPhaseGate, 1, 2),
    "crx": (std.CRXGate, 1, 2),
    "cry": (std.CRYGate, 1, 2),
    "crz": (std.CRZGate, 1, 2),
    "ch": (std.CHGate, 0, 2),
    "cu": (std.CUGate, 4, 2),
    "swap": (std.SwapGate, 0, 2),
    "ccx": (std.CCXGate, 0, 3),
    "cswap": (std.CSwapGate, 0, 3),
    "u1": (std.U1Gate, 1, 1),
    "u2": (std.U2Gate, 2, 1),
    "u3": (std.U3Gate, 3, 1),
    "U": (std.UGate, 3, 1),
}
_CONSTANTS = {"pi": pi, "π": pi, "tau": tau, "τ": tau, "euler": e, "ℇ": e}

_VERSION = re.compile(r"OPENQASM\s+3(?:\.[0-9]+)?")
_INCLUDE = re.compile(r"""include\s*["']stdgates\.inc["']""")
_DECLARATION = re.compile(
    r"(?P<kind>qubit|bit)\s*(?:\[\s*(?P<size>[0-9]+)\s*\]\s*|\s)\s*(?P<name>[A-Za-z_]\w*)\s*(?P<value>=.*)?", re.DOTALL
)
_MEASUREMENT = re.compile(r"(?:(?P<target>[^=]+)=)?\s*\bmeasure\s+(?P<qubits>[^=>-]+?)\s*(?:->\s*(?P<arrow>.+))?")
_INPUT = re.compile(r"input\s+(?:float|angle)\s*(?:\[\s*[0-9]+\s*\])?\s*(?<=[\s\]])(?P<name>[A-Za-z_]\w*)")
_RESET_OR_BARRIER = re.compile(r"(?P<name>reset|barrier)\b(?P<operands>.*)", re.DOTALL)
_GATE = re.compile(r"(?P<name>[A-Za-z]\w*)(?:\s*\((?P<angles>.*)\)\s*|\s+)(?P<operands>[^()]+)", re.DOTALL)
_OPERAND = re.compile(r"\s*(?P<name>[A-Za-z_]\w*)\s*(?:\[\s*(?P<index>[0-9]+)\s*\])?\s*")
_DECIMAL = re.compile(r"\s*-?\s*(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\s*")


class _Unknown(Exception):
    """This is not straight-line code, or it is wrong: someone else shall say which."""


def read_straight_line(source: str) -> QuantumCircuit | None:
    """The circuit, or None if the program holds anything but straight-line code on named registers."""
    if "{" in source:
        return None
    statements = [statement.strip() for statement in without_comments(source).split(";")]
    if statements.pop():
        return None
    reader = _Reader()
    try:
        for index, statement in enumerate(statements):
            if not (index == 0 and _VERSION.fullmatch(statement)):
                reader.read(statement)
    except _Unknown:
        return None
    for unused in set(reader.inputs.values()) - set(reader.circuit.parameters):
        reader.circuit.global_phase += unused - unused  # it can be given a value like any other
    return reader.circuit


class _Reader:
    def __init__(self) -> None:
        self.circuit = QuantumCircuit()
        self.registers: dict[str, list[Qubit] | list[Clbit]] = {}
        self.inputs: dict[str, Parameter] = {}
        self.gates = {"U": GATES["U"]}

    def read(self, statement: str) -> None:
        if (gate := _GATE.fullmatch(statement)) and gate["name"] in self.gates:
            self._apply(gate["name"], gate["angles"], gate["operands"])
        elif _INCLUDE.fullmatch(statement) and len(self.gates) == 1:
            self.gates = GATES
        elif declaration := _DECLARATION.fullmatch(statement):
            self._declare(declaration)
        elif free := _INPUT.fullmatch(statement):
            self._require_new(free["name"])
            self.inputs[free["name"]] = Parameter(free["name"])
        elif measurement := _MEASUREMENT.fullmatch(statement):
            if (measurement["target"] is None) == (measurement["arrow"] is None):
                raise _Unknown
            self._measure(measurement["qubits"], measurement["target"] or measurement["arrow"])
        elif other := _RESET_OR_BARRIER.fullmatch(statement):
            self._reset_or_barrier(other["name"], other["operands"])
        else:
            raise _Unknown

    def _declare(self, declaration: re.Match[str]) -> None:
        name, size = declaration["name"], int(declaration["size"] or 1)
        if size == 0:
            raise _Unknown
        self._require_new(name)
        register = QuantumRegister(size, name) if declaration["kind"] == "qubit" else ClassicalRegister(size, name)
        self.circuit.add_register(register)
        self.registers[name] = list(register)
        if declaration["value"] is not None:
            value = _MEASUREMENT.fullmatch(name + declaration["value"])
            if declaration["kind"] == "qubit" or value is None or value["arrow"] is not None:
                raise _Unknown
            self._measure(value["qubits"], name)

    def _require_new(self, name: str) -> None:
        if name in self.registers or name in self.inputs or name in GATES or name in _CONSTANTS:
            raise _Unknown

    def _apply(self, name: str, angles: str | None, operands: str) -> None:
        kind, angle_count, qubit_count = self.gates[name]
        values = _angles(angles, self.inputs) if angles is not None else ()
        groups = [self._bits(operand, Qubit) for operand in operands.split(",")]
        if len(values) != angle_count or len(groups) != qubit_count:
            raise _Unknown
        gate = kind(*values)
        if qubit_count == 1:
            for qubit in groups[0]:
                self.circuit._append(CircuitInstruction(gate, (qubit,)))
            return
        qubits = [group[0] for group in groups]
        if any(len(group) > 1 for group in groups) or len(set(qubits)) != qubit_count:
            raise _Unknown
        self.circuit._append(CircuitInstruction(gate, qubits))

    def _measure(self, qubits: str, clbits: str) -> None:
        measured, written = self._bits(qubits, Qubit), self._bits(clbits, Clbit)
        if len(measured) != len(written):
            raise _Unknown
        for qubit, clbit in zip(measured, written, strict=True):
            self.circuit._append(CircuitInstruction(Measure(), (qubit,), (clbit,)))

    def _reset_or_barrier(self, name: str, operands: str) -> None:
        groups = [self._bits(operand, Qubit) for operand in operands.split(",")] if operands.strip() else []
        if name == "reset" and len(groups) == 1:
            for qubit in groups[0]:
                self.circuit._append(CircuitInstruction(ResetOperation(), (qubit,)))
            return
        qubits = [qubit for group in groups for qubit in group]
        if name == "reset" or not qubits or len(set(qubits)) != len(qubits):
            raise _Unknown
        self.circuit._append(CircuitInstruction(Barrier(len(qubits)), qubits))

    def _bits(self, operand: str, kind: type[Qubit] | type[Clbit]) -> list[Qubit] | list[Clbit]:
        named = _OPERAND.fullmatch(operand)
        register = self.registers.get(named["name"]) if named else None
        if named is None or register is None or not isinstance(register[0], kind):
            raise _Unknown
        if named["index"] is None:
            return register
        index = int(named["index"])
        if index >= len(register):
            raise _Unknown
        return [register[index]]


def _angles(text: str, inputs: Mapping[str, Parameter]) -> tuple[Any, ...]:
    """The values of comma-separated expressions, radians."""
    if _DECIMAL.fullmatch(text):
        return (float(text.replace(" ", "")),)
    try:
        return tuple(expression.evaluate(inputs, divide=_divide) for expression in _expressions(text))
    except (ExpressionError, KeyError):
        raise _Unknown from None


@lru_cache(4096)
def _expressions(text: str) -> tuple[Expression, ...]:
    return tuple(read_expression(part, _CONSTANTS) for part in text.split(","))


def _divide(a: Any, b: Any) -> Any:
    if isinstance(a, int) and isinstance(b, int):
        raise _Unknown  # OpenQASM divides integers as integers
    return operator.truediv(a, b)
