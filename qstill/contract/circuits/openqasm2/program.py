"""What an OpenQASM 2 program says: registers, and statements. Angles are numbers, broadcasts are written out.

Qubits and clbits are numbered in the order of their declaration.
"""

from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Register:
    """first: the number of its first qubit, or clbit where it is not quantum."""

    name: str
    first: int
    size: int
    quantum: bool


@dataclass(frozen=True, slots=True, eq=False)
class OwnGate:
    """A gate that the program defines, called with these angles. body: on the gate's own qubits, numbered from 0."""

    name: str
    angles: tuple[float, ...]
    qubits: int
    body: "tuple[Call | Barrier, ...]"


@dataclass(frozen=True, slots=True)
class Call:
    """A gate on qubits. gate: its name in qelib1.inc, or the program's own. angles: radians."""

    gate: str | OwnGate
    angles: tuple[float, ...]
    qubits: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Measure:
    qubit: int
    clbit: int


@dataclass(frozen=True, slots=True)
class Reset:
    qubit: int


@dataclass(frozen=True, slots=True)
class Barrier:
    qubits: tuple[int, ...]


Operation: TypeAlias = Call | Measure | Reset | Barrier


@dataclass(frozen=True, slots=True)
class Condition:
    """The classical register, by its number, reads the value when the statement begins."""

    register: int
    value: int


@dataclass(frozen=True, slots=True)
class Statement:
    """All that one statement does, under one test."""

    operations: tuple[Operation, ...]
    condition: Condition | None = None


@dataclass(slots=True)
class Program:
    qubits: list[Register] = field(default_factory=list)
    clbits: list[Register] = field(default_factory=list)
    statements: list[Statement] = field(default_factory=list)
