"""What the choice of a method has to know about straight-line OpenQASM, read off its text in microseconds a gate.

The front door's view: a program of registers, standard gates, measurements and resets is understood, any other is None
and left to the worker, which judges again. What is understood is counted as `workers/circuits/facts.py` counts it; a
gate passes for Clifford unless its angles say for certain that it is not.
"""

import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import e, isclose, pi, remainder, tau
from typing import Any

from app.circuits.cuts import Cuts
from app.circuits.expressions import ExpressionError, read_expression
from app.circuits.formats import OpenQasm2Circuit, OpenQasm3Circuit
from app.circuits.methods import Facts
from app.circuits.qasm_text import without_comments

MAX_CHARACTERS = 100_000  # 40 ms on the event loop; a longer program is judged by the worker alone
MAX_STEPS = 50_000  # `h q;` of four characters may stand for thousands

_CERTAIN = 1e-6  # radians off a Clifford angle; nearer than that the worker decides

Angles = Sequence[float]


@dataclass(frozen=True, slots=True)
class _Gate:
    """bits: 2 to its power bounds the operator Schmidt rank across any bond. clifford: whether it may be, by angles."""

    qubits: int
    angles: int
    clifford: Callable[[Angles], bool]
    bits: int


def _whole(value: float, unit: float) -> bool:
    return isclose(remainder(value, unit), 0.0, abs_tol=_CERTAIN)


def _always(angles: Angles) -> bool:
    return True


def _never(angles: Angles) -> bool:
    return False


def _quarter_turn(angles: Angles) -> bool:
    return _whole(angles[0], pi / 2)


def _half_turn(angles: Angles) -> bool:
    return _whole(angles[0], pi)


def _euler(angles: Angles) -> bool:
    """U(θ, φ, λ). For θ = 0 only the sum of the others counts, for θ = π only their difference."""
    theta, phi, lam = angles
    if _whole(theta, pi):
        return _whole(phi + lam if _whole(theta, tau) else phi - lam, pi / 2)
    return all(_whole(angle, pi / 2) for angle in angles)


def _u2(angles: Angles) -> bool:
    return _euler((pi / 2, *angles))


def _gates() -> dict[str, _Gate]:
    """Of stdgates.inc and qelib1.inc, with what Qiskit added to it."""
    rows = [
        ("x y z h s sdg sx sxdg", 1, 0, _always, 1),
        ("t tdg", 1, 0, _never, 1),
        ("rx ry rz p phase u1", 1, 1, _quarter_turn, 1),
        ("u2", 1, 2, _u2, 1),
        ("u u3 U", 1, 3, _euler, 1),
        ("cx CX cy cz", 2, 0, _always, 1),
        ("swap", 2, 0, _always, 2),
        ("ch csx", 2, 0, _never, 1),
        ("rzz rxx", 2, 1, _quarter_turn, 1),
        ("cp cphase cu1 crx cry crz", 2, 1, _half_turn, 1),
        ("cu3", 2, 3, _half_turn, 1),
        ("cu", 2, 4, _half_turn, 1),
        ("ccx cswap rccx", 3, 0, _never, 2),
        ("c3x c3sqrtx rc3x", 4, 0, _never, 3),
        ("c4x", 5, 0, _never, 4),
    ]
    return {name: _Gate(*row) for names, *row in rows for name in names.split()}  # type: ignore[arg-type]


GATES = _gates()
_CONSTANTS = {"pi": pi, "π": pi, "tau": tau, "τ": tau, "euler": e, "ℇ": e}

_NAME = r"[A-Za-z_]\w*"
_NUMBER = r"[0-9]{1,6}"
_HEADER = re.compile(r"""OPENQASM\s+[0-9.]+|include\s*["'](?:stdgates|qelib1)\.inc["']""")
_OLD_REGISTER = re.compile(rf"(?P<kind>[qc]reg)\s+(?P<name>{_NAME})\s*\[\s*(?P<size>{_NUMBER})\s*\](?P<value>)")
_REGISTER = re.compile(
    rf"(?P<kind>qubit|bit)\s*(?:\[\s*(?P<size>{_NUMBER})\s*\]\s*|\s)\s*(?P<name>{_NAME})\s*(?P<value>=.*)?", re.DOTALL
)
_ARROW = re.compile(r"measure\s+(?P<qubits>[^=>-]+?)\s*->\s*(?P<clbits>[^=>-]+)")
_ASSIGNMENT = re.compile(r"(?P<clbits>[^=>-]+?)\s*=\s*measure\s+(?P<qubits>[^=>-]+)")
_APPLICATION = re.compile(rf"(?P<name>{_NAME})(?:\s*\((?P<angles>.*)\)\s*|\s+)(?P<operands>[^()]+)", re.DOTALL)
_OPERAND = re.compile(rf"\s*(?P<name>{_NAME})\s*(?:\[\s*(?P<index>{_NUMBER})\s*\]\s*)?")


class _Unknown(Exception):
    """This is not straight-line code, or it is wrong: the worker shall say which."""


def qasm_facts(circuit: OpenQasm3Circuit | OpenQasm2Circuit) -> Facts | None:
    """None where the program is not understood, or too long to be looked at here."""
    if len(circuit.source) > MAX_CHARACTERS or "{" in circuit.source:
        return None
    statements = [statement.strip() for statement in without_comments(circuit.source).split(";")]
    if statements.pop():
        return None
    reader = _Reader(whole_division=circuit.format == "openqasm3")
    try:
        for statement in statements:
            reader.read(statement)
        return reader.facts()
    except _Unknown:
        return None


class _Reader:
    """Registers by name, and what `Facts` needs of the statements so far."""

    def __init__(self, *, whole_division: bool) -> None:
        self.whole_division = whole_division
        self.qubits: dict[str, range] = {}
        self.clbits: dict[str, range] = {}
        self.names: dict[int, str] = {}
        self.steps = self.operations = self.two_qubit = self.branchings = self.pending = 0
        self.not_clifford: str | None = None
        self.dynamic = False
        self.touched: set[int] = set()
        self.measured: set[int] = set()
        self.cuts = Cuts()

    def facts(self) -> Facts:
        sizes = self.clbits if self.measured else self.qubits  # without a measurement all are measured at the end
        return Facts(
            qubits=len(self.touched),
            clbits=sum(map(len, sizes.values())),
            operations=self.operations,
            two_qubit=self.two_qubit,
            depth=0,
            not_clifford=self.not_clifford,
            dynamic=self.dynamic,
            conditional=False,
            branchings=self.branchings,
            widest_cut=self.cuts.widest(),
        )

    def read(self, statement: str) -> None:
        if (found := _APPLICATION.fullmatch(statement)) and (gate := GATES.get(found["name"])):
            self._apply(gate, found["name"], found["angles"], found["operands"])
        elif _HEADER.fullmatch(statement):
            return
        elif found := _OLD_REGISTER.fullmatch(statement) or _REGISTER.fullmatch(statement):
            self._declare(found["kind"], found["name"], int(found["size"] or 1))
            if found["value"]:
                self.read(found["name"] + found["value"])
        elif found := _ARROW.fullmatch(statement) or _ASSIGNMENT.fullmatch(statement):
            self._measure(found["qubits"], found["clbits"])
        elif (found := _APPLICATION.fullmatch(statement)) and found["angles"] is None:
            self._apply_no_gate(found["name"], found["operands"])
        else:
            raise _Unknown

    def _declare(self, kind: str, name: str, size: int) -> None:
        registers = self.qubits if kind in ("qreg", "qubit") else self.clbits
        if name in self.qubits or name in self.clbits or name in GATES or size == 0:
            raise _Unknown
        start = sum(map(len, registers.values()))
        registers[name] = range(start, start + size)

    def _apply(self, gate: _Gate, name: str, angles: str | None, operands: str) -> None:
        groups = [_bits(operand, self.qubits) for operand in operands.split(",")]
        if len(groups) != gate.qubits:
            raise _Unknown
        times = max(map(len, groups))
        self._count(times)
        clifford = self._clifford(gate, angles)
        for time in range(times):
            if any(len(group) not in (1, times) for group in groups):
                raise _Unknown
            qubits = [group[time if len(group) > 1 else 0] for group in groups]
            if len(set(qubits)) != len(qubits):
                raise _Unknown
            self.dynamic = self.dynamic or not self.measured.isdisjoint(qubits)
            self.touched.update(qubits)
            self.branchings += self.pending
            self.pending = 0
            self.operations += 1
            if not clifford and self.not_clifford is None:
                self.not_clifford = f"{name}{f'({angles})' if angles else ''} on {operands}"
            if len(qubits) > 1:
                self.two_qubit += 1
                self.cuts.add(qubits, gate.bits)

    def _clifford(self, gate: _Gate, angles: str | None) -> bool:
        """Whether the gate may be Clifford."""
        parts = angles.split(",") if angles and angles.strip() else []
        if len(parts) != gate.angles:
            raise _Unknown
        values = [_value(part, self.whole_division) for part in parts]
        return None in values or gate.clifford([value for value in values if value is not None])

    def _measure(self, qubits: str, clbits: str) -> None:
        measured, written = _bits(qubits, self.qubits), _bits(clbits, self.clbits)
        if len(measured) != len(written):
            raise _Unknown
        self._count(len(measured))
        self.measured.update(measured)
        self.pending += len(measured)

    def _apply_no_gate(self, name: str, operands: str) -> None:
        groups = [_bits(operand, self.qubits) for operand in operands.split(",")]
        if name == "reset" and len(groups) == 1:
            self._count(len(groups[0]))
            self.dynamic = self.dynamic or not self.touched.isdisjoint(groups[0])
            self.pending += len(groups[0])
        elif name != "barrier" and not (name == "id" and len(groups) == 1):
            raise _Unknown

    def _count(self, steps: int) -> None:
        self.steps += steps
        if self.steps > MAX_STEPS:
            raise _Unknown


def _bits(operand: str, registers: dict[str, range]) -> range:
    named = _OPERAND.fullmatch(operand)
    register = registers.get(named["name"]) if named else None
    if named is None or register is None:
        raise _Unknown
    if named["index"] is None:
        return register
    index = int(named["index"])
    if index >= len(register):
        raise _Unknown
    return register[index : index + 1]


@lru_cache(4096)
def _value(expression: str, whole_division: bool) -> float | None:
    """The value of an angle, radians; None where it is not understood."""
    try:
        value: Any = read_expression(expression, _CONSTANTS).evaluate(
            {}, divide=_divide if whole_division else operator.truediv
        )
    except (ExpressionError, KeyError):
        return None
    return float(value)


def _divide(a: Any, b: Any) -> Any:
    if isinstance(a, int) and isinstance(b, int):
        raise ExpressionError("OpenQASM 3 divides integers as integers.")
    return a / b
