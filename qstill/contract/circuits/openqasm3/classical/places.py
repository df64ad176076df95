"""What names, indices, slices and concatenations stand for at one point of a program."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from openqasm3 import ast

from qstill.contract.circuits.openqasm3.classical import values
from qstill.contract.circuits.openqasm3.classical.memory import Memory, bit_of, joined
from qstill.contract.circuits.openqasm3.classical.types import INT, INTEGERS, Fault, Type
from qstill.contract.circuits.openqasm3.classical.values import Free, Value, leaves
from qstill.contract.circuits.openqasm3.entities import Array, BitRegister, Entity, Qubits, Scope, Variable, selected
from qstill.contract.circuits.openqasm3.limits import Limits


class NeedsInput(Fault):
    """An input has to have a value before the program can be written out."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"the value of the input '{name}' has to be known before the program runs", "unbound_parameters"
        )
        self.name = name


class Measured(Fault):
    """A value that a measurement decides stands where it has to be known."""

    def __init__(self, what: str, value: Value) -> None:
        super().__init__(f"{what} cannot depend on a measurement", "qasm_unsupported")
        self.value = value


class QubitAtRunTime(Fault):
    """What a measurement says decides which qubit is meant. index: the node; known: its value as the program runs."""

    def __init__(self, index: Any, known: Value, size: int, fault: Fault) -> None:
        super().__init__(fault.message, fault.code)
        self.index = index
        self.known = known
        self.size = size


class Places(ABC):
    """Finding what operands name. Indices are expressions, which the class below evaluates."""

    def __init__(self, memory: Memory, limits: Limits) -> None:
        self.memory = memory
        self.limits = limits
        self.scope = Scope()
        self.taken_as: dict[int, int] = {}  # what indices of qubits are in this branch, by their nodes' identity

    @abstractmethod
    def value(self, node: Any) -> Value:
        """What an expression is worth here."""

    def integer(self, node: Any, what: str) -> int:
        """A whole number that has to be known now."""
        value = self.value(node)
        if value.known and value.type.kind in INTEGERS:
            return int(value.data)
        raise unknown(value, what)

    def entity(self, name: str) -> Entity:
        found = self.scope.find(name)
        if found is None:
            raise Fault(f"there is no '{name}' here; it has to be declared first")
        return found

    def read(self, entity: Entity, name: str = "this") -> Value:
        """The value of what a name or an index stands for."""
        match entity:
            case Variable():
                return entity.value
            case BitRegister():
                return self.memory.read(entity)
            case Qubits():
                raise Fault(f"'{name}' is quantum; only `measure` reads it")
            case Array():
                raise Fault(f"'{name}' is an array; name one of its elements")
            case _:
                raise Fault(f"'{name}' has no value")

    def place(self, node: Any) -> Entity:
        """What a name, index, slice or concatenation stands for; a variable of its own for what only has a value."""
        match node:
            case ast.Identifier():
                if _is_physical(node.name):
                    return self.physical(node.name)
                return self.entity(node.name)
            case ast.IndexedIdentifier():
                place = self.place(node.name)
                for index in node.indices:
                    place = self._indexed(place, index)
                return place
            case ast.IndexExpression():
                return self._indexed(self.place(node.collection), node.index)
            case ast.Concatenation():
                return self._joined(self.place(node.lhs), self.place(node.rhs))
            case _:
                value = self.value(node)
                return Variable(value.type, value, self.memory.region)

    def physical(self, name: str) -> Entity:
        raise Fault(f"'{name}' is not known")

    def qubits(self, node: Any) -> Qubits:
        """The qubits that an operand names."""
        key = _operand(node)
        if (found := self.scope.operands.get(key)) is not None:
            return found
        place = self.place(node)
        if not isinstance(place, Qubits):
            name = getattr(node, "name", "this")
            raise Fault(f"'{getattr(name, 'name', name)}' is no qubit")
        if key is not None:
            self.scope.operands[key] = place
        return place

    def indices(self, index: Any, size: int) -> tuple[list[int], bool]:
        """The indices that brackets name, and whether they name a single one."""
        if isinstance(index, ast.DiscreteSet):
            return [self.integer(node, "an index") for node in index.values], False
        if len(index) == 1 and not isinstance(index[0], ast.RangeDefinition):
            return [self.integer(index[0], "an index")], True
        found: list[int] = []
        for node in index:  # more than one is the set of them
            if isinstance(node, ast.RangeDefinition):
                found += self.range(node, size)
            else:
                found.append(self.integer(node, "an index"))
        return found, False

    def range(self, node: ast.RangeDefinition, size: int | None = None) -> range:
        """start:step:stop, its end included. size: of what is indexed; ends left out are its ends."""
        step = 1 if node.step is None else self.integer(node.step, "a range's step")
        if step == 0:
            raise Fault("a range has a step other than 0")
        if size is None and (node.start is None or node.end is None):
            raise Fault("a loop's range needs a start and an end")
        last = 0 if size is None else size - 1
        start = (0 if step > 0 else last) if node.start is None else self.integer(node.start, "a range's start")
        stop = (last if step > 0 else 0) if node.end is None else self.integer(node.end, "a range's end")
        if size is not None:
            start, stop = start + size * (start < 0), stop + size * (stop < 0)
        found = range(start, stop + (1 if step > 0 else -1), step)
        if abs(stop - start) // abs(step) + 1 > self.limits.iterations:
            raise Fault(f"a range has {self.limits.iterations:,} numbers at most", "qasm_loop_too_long")
        return found

    def _indexed(self, place: Entity, index: Any) -> Entity:
        match place:
            case Qubits() if not place.scalar:
                return self._qubits_of(place, index)
            case BitRegister() if not place.scalar:
                if (chosen := self._chosen_at_run_time(index)) is not None:
                    return self._computed(bit_of(self.memory.read(place), chosen))
                indices, single = self.indices(index, len(place.places))
                return BitRegister(selected(place.places, indices), single)
            case Array():
                return self._element(place, index)
            case Variable() if place.type.bits and place.type.kind != "bool":
                return self._bits_of(place, index)
            case _:
                raise Fault("this has no parts that could be indexed")

    def _qubits_of(self, qubits: Qubits, index: Any) -> Qubits:
        size = len(qubits.places)
        if (number := self.taken_as.get(id(index))) is not None:
            return Qubits((qubits.places[number],), True)
        try:
            indices, single = self.indices(index, size)
        except Measured as fault:
            if isinstance(index, ast.DiscreteSet) or len(index) != 1 or isinstance(index[0], ast.RangeDefinition):
                raise
            raise QubitAtRunTime(index, fault.value, size, fault) from None
        return Qubits(selected(qubits.places, indices), single)

    def _chosen_at_run_time(self, index: Any) -> Value | None:
        if isinstance(index, ast.DiscreteSet) or len(index) != 1 or isinstance(index[0], ast.RangeDefinition):
            return None
        value = self.value(index[0])
        if value.known:
            return None
        if any(isinstance(leaf, Free) for leaf in leaves(value.data)):
            raise unknown(value, "an index")
        return value

    def _computed(self, value: Value) -> Variable:
        return Variable(value.type, value, self.memory.region)

    def _bits_of(self, variable: Variable, index: Any) -> Variable:
        if (chosen := self._chosen_at_run_time(index)) is not None:
            return self._computed(bit_of(variable.value, chosen))
        indices, single = self.indices(index, variable.type.bits)
        bits = [bit_of(variable.value, Value(INT, place)) for place in indices]
        return self._computed(bits[0] if single else joined(bits))

    def _element(self, array: Array, index: Any) -> Entity:
        shape = array.type.shape
        if isinstance(index, ast.DiscreteSet):
            raise Fault("an array is indexed by numbers and ranges")
        if len(index) > len(shape):
            raise Fault(f"the array has {len(shape)} dimension{'s' * (len(shape) > 1)}, not {len(index)}")
        if len(index) == len(shape) == 1 and (chosen := self._chosen_at_run_time(index)) is not None:
            cells = [cell.value for cell in array.cells]
            assert array.type.base is not None
            return self._computed(values.calculate("chosen", array.type.base, chosen, *cells))
        cells, sizes = self._sliced(array.cells, index, shape)
        if not sizes:
            cell: Variable = cells
            return cell
        return Array(Type("array", base=array.type.base, shape=sizes), cells, array.readonly)

    def _sliced(self, cells: Any, index: Sequence[Any], shape: tuple[int, ...]) -> tuple[Any, tuple[int, ...]]:
        if not index:
            return cells, shape
        first, *others = index
        if isinstance(first, ast.RangeDefinition):
            chosen = selected(cells, self.range(first, shape[0]))
            parts = [self._sliced(cell, others, shape[1:]) for cell in chosen]
            below = parts[0][1] if parts else shape[len(index) :]
            return [part for part, _ in parts], (len(parts), *below)
        (cell,) = selected(cells, [self.integer(first, "an index")])
        return self._sliced(cell, others, shape[1:])

    def _joined(self, left: Entity, right: Entity) -> Entity:
        if isinstance(left, Qubits) and isinstance(right, Qubits):
            if not set(left.places).isdisjoint(right.places):
                raise Fault("a qubit is named twice in one concatenation")
            return Qubits(left.places + right.places)
        if isinstance(left, BitRegister) and isinstance(right, BitRegister):
            return BitRegister(left.places + right.places)
        if isinstance(left, Array) and isinstance(right, Array) and left.type.shape[1:] == right.type.shape[1:]:
            shape = (left.type.shape[0] + right.type.shape[0], *left.type.shape[1:])
            return Array(Type("array", base=left.type.base, shape=shape), [*left.cells, *right.cells])
        both = [self.read(side) for side in (left, right)]
        if any(value.type.kind != "bit" for value in both):
            raise Fault("`++` joins qubits with qubits, or bits with bits")
        bits = [bit_of(value, Value(INT, place)) for value in both for place in range(value.type.bits)]
        return self._computed(joined(bits))


def _operand(node: Any) -> object:
    """What tells a name, or a name with a literal index, from all others; None for what has to be evaluated."""
    if type(node) is ast.Identifier:
        return node.name
    if type(node) is ast.IndexedIdentifier and len(node.indices) == 1:
        (index,) = node.indices
        if type(index) is list and len(index) == 1 and type(index[0]) is ast.IntegerLiteral:
            return node.name.name, index[0].value
    return None


def _is_physical(name: str) -> bool:
    return name.startswith("$")


def unknown(value: Value, what: str) -> Fault:
    """Why a value cannot serve where it has to be a known whole number."""
    for leaf in leaves(value.data):
        if isinstance(leaf, Free):
            return NeedsInput(leaf.name)
    if not value.known:
        return Measured(what, value)
    return Fault(f"{what} is a whole number, not {value.type}")
