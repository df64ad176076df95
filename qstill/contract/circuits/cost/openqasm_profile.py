"""What the choice of a method has to know about straight-line OpenQASM, as the front door reads it.

A program of registers, standard gates, measurements and resets is understood, any other is None and left to the worker,
which judges again. What is understood is counted as `workers/circuits/examine/profile.py` counts it; a gate passes for
Clifford unless its angles say for certain that it is not.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import pi, tau
from typing import Any, Protocol

from qstill.contract.circuits.cost.profile_counter import ProfileCounter, is_multiple
from qstill.contract.circuits.formats import OpenQasm2Circuit, OpenQasm3Circuit
from qstill.contract.circuits.openqasm2 import program as qasm2
from qstill.contract.circuits.openqasm2.reader import read_openqasm2
from qstill.contract.circuits.openqasm3 import door
from qstill.contract.circuits.openqasm3 import steps as qasm3
from qstill.contract.circuits.openqasm3.limits import Limits
from qstill.contract.circuits.profile import Profile

Angles = Sequence[float]


@dataclass(frozen=True, slots=True)
class _Gate:
    """bits: 2 to its power bounds the operator Schmidt rank across any bond. clifford: whether it may be, by angles."""

    qubits: int
    angles: int
    clifford: Callable[[Angles], bool]
    bits: int


def _always(angles: Angles) -> bool:
    return True


def _never(angles: Angles) -> bool:
    return False


def _quarter_turn(angles: Angles) -> bool:
    return is_multiple(angles[0], pi / 2)


def _half_turn(angles: Angles) -> bool:
    return is_multiple(angles[0], pi)


def _euler(angles: Angles) -> bool:
    """U(θ, φ, λ). For θ = 0 only the sum of the others counts, for θ = π only their difference."""
    theta, phi, lam = angles
    if is_multiple(theta, pi):
        return is_multiple(phi + lam if is_multiple(theta, tau) else phi - lam, pi / 2)
    return all(is_multiple(angle, pi / 2) for angle in angles)


def _u2(angles: Angles) -> bool:
    return _euler((pi / 2, *angles))


def _gates() -> dict[str, _Gate]:
    """Of stdgates.inc and qelib1.inc, with what Qiskit added to it."""
    rows: list[tuple[str, int, int, Callable[[Angles], bool], int]] = [
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
    return {
        name: _Gate(qubits, angles, clifford, bits)
        for names, qubits, angles, clifford, bits in rows
        for name in names.split()
    }


GATES = _gates()


class _Named(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def size(self) -> int: ...


def openqasm_profile(circuit: OpenQasm3Circuit | OpenQasm2Circuit, limits: Limits = door.USUAL) -> Profile | None:
    """None where the program is not understood, or too long to be looked at here."""
    if len(circuit.source) > door.MAX_CHARACTERS:
        return None
    if isinstance(circuit, OpenQasm2Circuit):
        return _profile_of_openqasm2(read_openqasm2(circuit.source))
    program = door.elaborated(circuit.source, limits)
    return None if program is None else _profile_of_openqasm3(program)


def _profile_of_openqasm3(program: qasm3.Elaborated) -> Profile | None:
    counter = _Counter(program.qubits, program.bits)
    for step in program.steps:
        match step:
            case qasm3.Gate(gate=str(name), angles=angles, qubits=qubits, modifiers=()) if name in GATES:
                counter.named_gate(name, angles, qubits)
            case qasm3.Gate(gate="id", modifiers=()) | qasm3.Barrier():
                continue
            case qasm3.Measure(qubit=qubit, bit=bit) if bit >= 0:
                counter.measure((qubit,))
            case qasm3.Reset(qubit=qubit):
                counter.reset((qubit,))
            case _:
                return None
    return counter.finished()


def _profile_of_openqasm2(program: qasm2.Program) -> Profile | None:
    counter = _Counter(program.qubits, program.clbits)
    for statement in program.statements:
        for step in statement.operations:
            match step:
                case _ if statement.condition is not None:
                    return None
                case qasm2.Call(gate=str(name), angles=angles, qubits=qubits) if name in GATES:
                    counter.named_gate(name, angles, qubits)
                case qasm2.Call(gate="id") | qasm2.Barrier():
                    continue
                case qasm2.Measure(qubit=qubit):
                    counter.measure((qubit,))
                case qasm2.Reset(qubit=qubit):
                    counter.reset((qubit,))
                case _:
                    return None
    return counter.finished()


class _Counter(ProfileCounter):
    """Of the operations so far on qubits that have the names of their registers."""

    def __init__(self, qubits: Sequence[_Named], clbits: Sequence[_Named]) -> None:
        super().__init__()
        self._names = [f"{register.name}[{index}]" for register in qubits for index in range(register.size)]
        self._clbits = sum(register.size for register in clbits)

    def named_gate(self, name: str, angles: Sequence[Any], qubits: tuple[int, ...]) -> None:
        gate = GATES[name]
        known = all(isinstance(angle, int | float) for angle in angles)
        if known and self.not_clifford is None and not gate.clifford(angles):
            given = f"({', '.join(f'{angle:.4g}' for angle in angles)})" if angles else ""
            self.not_clifford = f"{name}{given} on {', '.join(self._names[qubit] for qubit in qubits)}"
        self.gate(qubits, bits=gate.bits)

    def finished(self) -> Profile:
        """All are measured at the end where none is."""
        return self.profile(clbits=self._clbits if self.measured else len(self._names))
