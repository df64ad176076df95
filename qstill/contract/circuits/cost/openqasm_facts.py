"""What the choice of a method has to know about straight-line OpenQASM, as the front door reads it.

A program of registers, standard gates, measurements and resets is understood, any other is None and left to the worker,
which judges again. What is understood is counted as `workers/circuits/examine/facts.py` counts it; a gate passes for
Clifford unless its angles say for certain that it is not.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isclose, pi, remainder, tau
from typing import Any, Protocol

from qstill.contract.circuits.cost.bonds import Cuts
from qstill.contract.circuits.facts import Facts
from qstill.contract.circuits.formats import OpenQasm2Circuit, OpenQasm3Circuit
from qstill.contract.circuits.openqasm2 import program as qasm2
from qstill.contract.circuits.openqasm2.reader import read_openqasm2
from qstill.contract.circuits.openqasm3 import door
from qstill.contract.circuits.openqasm3 import steps as qasm3
from qstill.contract.circuits.openqasm3.limits import Limits

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


class _Named(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def size(self) -> int: ...


def qasm_facts(circuit: OpenQasm3Circuit | OpenQasm2Circuit, limits: Limits = door.USUAL) -> Facts | None:
    """None where the program is not understood, or too long to be looked at here."""
    if len(circuit.source) > door.MAX_CHARACTERS:
        return None
    if isinstance(circuit, OpenQasm2Circuit):
        return _facts_of_openqasm2(read_openqasm2(circuit.source))
    program = door.elaborated(circuit.source, limits)
    return None if program is None else _facts_of_openqasm3(program)


def _facts_of_openqasm3(program: qasm3.Elaborated) -> Facts | None:
    counter = _Counter(program.qubits, program.bits)
    for step in program.steps:
        match step:
            case qasm3.Gate(gate=str(name), angles=angles, qubits=qubits, modifiers=()) if name in GATES:
                counter.gate(name, angles, qubits)
            case qasm3.Gate(gate="id", modifiers=()) | qasm3.Barrier():
                continue
            case qasm3.Measure(qubit=qubit, bit=bit) if bit >= 0:
                counter.measure(qubit)
            case qasm3.Reset(qubit=qubit):
                counter.reset(qubit)
            case _:
                return None
    return counter.facts()


def _facts_of_openqasm2(program: qasm2.Program) -> Facts | None:
    counter = _Counter(program.qubits, program.clbits)
    for statement in program.statements:
        for step in statement.operations:
            match step:
                case _ if statement.condition is not None:
                    return None
                case qasm2.Call(gate=str(name), angles=angles, qubits=qubits) if name in GATES:
                    counter.gate(name, angles, qubits)
                case qasm2.Call(gate="id") | qasm2.Barrier():
                    continue
                case qasm2.Measure(qubit=qubit):
                    counter.measure(qubit)
                case qasm2.Reset(qubit=qubit):
                    counter.reset(qubit)
                case _:
                    return None
    return counter.facts()


class _Counter:
    """What `Facts` needs of the operations so far."""

    def __init__(self, qubits: Sequence[_Named], clbits: Sequence[_Named]) -> None:
        self.names = [f"{register.name}[{index}]" for register in qubits for index in range(register.size)]
        self.clbits = sum(register.size for register in clbits)
        self.operations = self.two_qubit = self.branchings = self.pending = 0
        self.not_clifford: str | None = None
        self.dynamic = False
        self.touched: set[int] = set()
        self.measured: set[int] = set()
        self.cuts = Cuts()

    def facts(self) -> Facts:
        return Facts(
            qubits=len(self.touched),
            clbits=self.clbits if self.measured else len(self.names),  # all are measured at the end where none is
            operations=self.operations,
            two_qubit=self.two_qubit,
            depth=0,
            not_clifford=self.not_clifford,
            dynamic=self.dynamic,
            conditional=False,
            branchings=self.branchings,
            widest_cut=self.cuts.widest(),
        )

    def gate(self, name: str, angles: Sequence[Any], qubits: tuple[int, ...]) -> None:
        self.dynamic = self.dynamic or not self.measured.isdisjoint(qubits)
        self.touched.update(qubits)
        self.branchings += self.pending
        self.pending = 0
        self.operations += 1
        known = all(isinstance(angle, int | float) for angle in angles)
        if known and self.not_clifford is None and not GATES[name].clifford(angles):
            given = f"({', '.join(f'{angle:.4g}' for angle in angles)})" if angles else ""
            self.not_clifford = f"{name}{given} on {', '.join(self.names[qubit] for qubit in qubits)}"
        if len(qubits) > 1:
            self.two_qubit += 1
            self.cuts.add(qubits, GATES[name].bits)

    def measure(self, qubit: int) -> None:
        self.measured.add(qubit)
        self.pending += 1

    def reset(self, qubit: int) -> None:
        self.dynamic = self.dynamic or qubit in self.touched
        self.pending += 1
