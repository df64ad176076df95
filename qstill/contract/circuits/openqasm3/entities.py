"""What a name of a program can stand for, and where names are looked up."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from openqasm3 import ast

from qstill.contract.circuits.openqasm3.classical.types import Fault, Type
from qstill.contract.circuits.openqasm3.classical.values import Value
from qstill.contract.circuits.openqasm3.steps import Definition


@dataclass(frozen=True, slots=True)
class Qubits:
    """Qubits by their numbers: a register, a part of one, an alias, an argument. scalar: one, without an index."""

    places: tuple[int, ...]
    scalar: bool = False


@dataclass(frozen=True, slots=True)
class BitRegister:
    """Bits that stand in the keys of the counts, lowest first; declared at the top of a program, or an alias."""

    places: tuple[int, ...]
    scalar: bool = False

    @property
    def type(self) -> Type:
        return Type("bit", None if self.scalar else len(self.places))


@dataclass(slots=True, eq=False)
class Variable:
    """A classical value with a name. region: how many runtime branches and loops it was declared in.

    slot: where it is kept while the program runs; None as long as its value is known throughout.
    """

    type: Type
    value: Value
    region: int = 0
    constant: bool = False
    slot: int | None = None


@dataclass(slots=True, eq=False)
class Array:
    """cells: variables in lists as deep as the shape is long."""

    type: Type
    cells: Any
    readonly: bool = False

    def flat(self) -> Iterator[Variable]:
        return _flat(self.cells)


def _flat(cells: Any) -> Iterator[Variable]:
    if isinstance(cells, Variable):
        yield cells
    else:
        for cell in cells:
            yield from _flat(cell)


@dataclass(frozen=True, slots=True)
class External:
    """A function that the program only declares."""

    name: str


Entity: TypeAlias = Qubits | BitRegister | Variable | Array | Definition | ast.SubroutineDefinition | External

_EVERYWHERE = (Definition, ast.SubroutineDefinition, External)  # seen from inside subroutines, as constants are


@dataclass(slots=True)
class Scope:
    """The names of a block. sealed: the block is a subroutine's, which of the names outside sees constants only."""

    outer: "Scope | None" = None
    sealed: bool = False
    names: dict[str, Entity] = field(default_factory=dict)
    operands: dict[object, Qubits] = field(default_factory=dict)  # `q[3]`, looked up once for all gates of a block
    gates: dict[str, tuple[str | Definition, int, int]] = field(
        default_factory=dict
    )  # likewise, with angles and qubits

    def find(self, name: str) -> Entity | None:
        scope: Scope | None = self
        sealed = False
        while scope is not None:
            if (found := scope.names.get(name)) is not None:
                if (
                    sealed
                    and not isinstance(found, _EVERYWHERE)
                    and not (isinstance(found, Variable) and found.constant)
                ):
                    raise Fault(f"'{name}' is not seen inside a subroutine: pass it as an argument")
                return found
            sealed = sealed or scope.sealed
            scope = scope.outer
        return None

    def declare(self, name: str, entity: Entity) -> None:
        if name in self.names:
            raise Fault(f"'{name}' is declared twice")
        if name in _RESERVED:
            raise Fault(f"'{name}' is a constant of the language")
        self.names[name] = entity
        self.operands.clear()
        self.gates.clear()


CONSTANTS = ("pi", "π", "tau", "τ", "euler", "ℇ")
_RESERVED = frozenset(CONSTANTS)


def selected(places: Sequence[Any], indices: Sequence[int]) -> tuple[Any, ...]:
    """The items at these indices; negative ones count from the end. Raises `Fault`."""
    for index in indices:
        if not -len(places) <= index < len(places):
            raise Fault(f"there is no index {index}: the size is {len(places)}")
    return tuple(places[index] for index in indices)
