"""What a program does, elaborated: loops unrolled, subroutines and aliases written out, names resolved to numbers.

Qubits and bits are numbered in the order of their declaration. Angles and conditions are data of `values`: a number, or
a tree over inputs, measured bits and variables.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

Modifier: TypeAlias = tuple[Literal["inv", "pow", "ctrl", "negctrl"], Any]  # with the power, or how many controls


@dataclass(slots=True)
class Definition:
    """A gate that the program defines. Angles of its body are trees over `Free` parameters; qubits are its own.

    size: operations, if all that it stands for were written out.
    """

    name: str
    parameters: tuple[str, ...]
    qubits: int
    body: "list[Gate]" = field(default_factory=list)
    size: int = 1


@dataclass(slots=True)
class Gate:
    """A gate by its standard name, or one of the program's own. modifiers: as written, the last is applied first."""

    gate: str | Definition
    angles: tuple[Any, ...]
    qubits: tuple[int, ...]
    modifiers: tuple[Modifier, ...] = ()


@dataclass(slots=True)
class Measure:
    qubit: int
    bit: int


@dataclass(slots=True)
class Reset:
    qubit: int


@dataclass(slots=True)
class Barrier:
    qubits: tuple[int, ...]


@dataclass(slots=True)
class Assign:
    """Give bits, lowest first, or a variable a value. data: an integer for bits."""

    bits: tuple[int, ...]
    slot: int | None
    data: Any


@dataclass(slots=True)
class If:
    condition: Any
    then: "list[Step]"
    otherwise: "list[Step]"


@dataclass(slots=True)
class While:
    condition: Any
    body: "list[Step]"


Step: TypeAlias = Gate | Measure | Reset | Barrier | Assign | If | While


@dataclass(frozen=True, slots=True)
class Register:
    """scalar: declared without a size."""

    name: str
    size: int
    scalar: bool = False


@dataclass(slots=True)
class Elaborated:
    """A program without names.

    qubits, bits: its registers; bits that only a part of the program sees have numbers after theirs.
    inputs: in order of declaration. free: those without a value, which stand in angles alone.
    slots: how many variables the steps keep values in.
    silent: what was read and has no effect on a simulation, as words: "delay", "duration", "pragma".
    """

    qubits: Sequence[Register]
    bits: Sequence[Register]
    steps: Sequence[Step]
    inputs: Sequence[str]
    free: Sequence[str]
    slots: int
    silent: Sequence[str]
