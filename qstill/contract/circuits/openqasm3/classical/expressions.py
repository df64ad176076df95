"""Expressions of a program: their values, known or to be computed as it runs, and the places that they name."""

import math
from collections.abc import Callable, Sequence
from typing import Any

from openqasm3 import ast

from qstill.contract.circuits.openqasm3.classical import values
from qstill.contract.circuits.openqasm3.classical.memory import Memory, bit_of, joined
from qstill.contract.circuits.openqasm3.classical.types import (
    BOOL,
    COMPLEX,
    DURATION,
    FLOAT,
    INT,
    INTEGERS,
    MAX_WIDTH,
    UINT,
    Fault,
    Type,
)
from qstill.contract.circuits.openqasm3.classical.values import Free, Value, binary, converted, leaves, unary
from qstill.contract.circuits.openqasm3.entities import (
    CONSTANTS,
    Array,
    BitRegister,
    Entity,
    External,
    Qubits,
    Scope,
    Variable,
    selected,
)
from qstill.contract.circuits.openqasm3.limits import Limits

MAX_ARRAY_DIMENSIONS = 7  # of the specification
MAX_ARRAY_ELEMENTS = 100_000  # an array of 10^9 numbers is a line of source

_CONSTANT_VALUES = dict(zip(CONSTANTS, (math.pi, math.pi, math.tau, math.tau, math.e, math.e), strict=True))
_NUMBERS: dict[type, str] = {
    ast.IntType: "int",
    ast.UintType: "uint",
    ast.FloatType: "float",
    ast.AngleType: "angle",
}


class NeedsInput(Fault):
    """An input has to have a value before the program can be written out."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"the value of the input '{name}' has to be known before the program runs", "unbound_parameters"
        )
        self.name = name


class Expressions:
    """Evaluation of expressions at one point of a program. call: runs a subroutine of the program."""

    def __init__(self, memory: Memory, limits: Limits) -> None:
        self.memory = memory
        self.limits = limits
        self.scope = Scope()
        self.silent: dict[str, None] = {}
        self.does: dict[type, Callable[[Any], None]] = {}  # what each kind of statement does
        self.call: Callable[[ast.SubroutineDefinition, Sequence[ast.Expression]], Value | None]
        self._kinds: dict[type, Callable[[Any], Value]] = {
            ast.IntegerLiteral: self._integer,
            ast.FloatLiteral: lambda node: Value(FLOAT, float(node.value)),
            ast.BooleanLiteral: lambda node: Value(BOOL, bool(node.value)),
            ast.ImaginaryLiteral: lambda node: Value(COMPLEX, complex(0, node.value)),
            ast.BitstringLiteral: lambda node: Value(Type("bit", node.width), int(node.value)),
            ast.DurationLiteral: lambda node: self._duration(),
            ast.DurationOf: lambda node: self._duration(),
            ast.Identifier: self._name,
            ast.UnaryExpression: lambda node: unary(node.op.name, self.value(node.expression)),
            ast.BinaryExpression: self._binary,
            ast.IndexExpression: lambda node: self.read(self.place(node)),
            ast.Concatenation: lambda node: self.read(self.place(node)),
            ast.Cast: lambda node: converted(self.value(node.argument), self.type(node.type)),
            ast.FunctionCall: self._call,
            ast.SizeOf: self._size,
            ast.QuantumMeasurement: self._measurement,
        }

    def value(self, node: Any) -> Value:
        evaluate = self._kinds.get(type(node))
        if evaluate is None:
            raise Fault(f"{type(node).__name__} has no value here", "qasm_unsupported")
        return evaluate(node)

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

    def type(self, node: Any) -> Type:
        """A classical type as it is written, its sizes evaluated."""
        if isinstance(node, ast.ArrayType):
            return self._array_type(node)
        if isinstance(node, ast.BoolType):
            return BOOL
        if isinstance(node, ast.DurationType | ast.StretchType):
            self._duration()
            return DURATION
        if isinstance(node, ast.ComplexType):
            return COMPLEX
        size = getattr(node, "size", None)
        width = None if size is None else self.integer(size, "the width of a type")
        if width is not None and not 1 <= width <= MAX_WIDTH:
            code = "too_many_bits" if width > MAX_WIDTH else "qasm_invalid"
            raise Fault(f"a type has between 1 and {MAX_WIDTH:,} bits, not {width:,}", code)
        if isinstance(node, ast.BitType):
            return Type("bit", width)
        return Type(_NUMBERS[type(node)], 64 if width is None else width)  # type: ignore[arg-type]

    def _array_type(self, node: ast.ArrayType) -> Type:
        shape = tuple(self.integer(size, "the size of an array") for size in node.dimensions)
        if (
            len(shape) > MAX_ARRAY_DIMENSIONS
            or any(size < 0 for size in shape)
            or math.prod(shape) > MAX_ARRAY_ELEMENTS
        ):
            raise Fault(f"an array has up to {MAX_ARRAY_DIMENSIONS} dimensions and {MAX_ARRAY_ELEMENTS:,} elements")
        return Type("array", base=self.type(node.base_type), shape=shape)

    def _integer(self, node: ast.IntegerLiteral) -> Value:
        return Value(
            INT if -(1 << 63) <= node.value < 1 << 63 else Type("int", node.value.bit_length() + 1), node.value
        )

    def without_effect(self, what: str) -> None:
        """Something was read that changes nothing here."""
        self.silent[what] = None

    def _duration(self) -> Value:
        self.without_effect("duration")
        return Value(DURATION, None)

    def _name(self, node: ast.Identifier) -> Value:
        found = self.scope.find(node.name)
        if found is None and node.name in _CONSTANT_VALUES:
            return Value(FLOAT, _CONSTANT_VALUES[node.name])
        return self.read(self.entity(node.name), node.name)

    def _binary(self, node: ast.BinaryExpression) -> Value:
        return binary(node.op.name, self.value(node.lhs), self.value(node.rhs))

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

    def _measurement(self, node: ast.QuantumMeasurement) -> Value:
        qubits = self.qubits(node.qubit)
        return self.memory.measured(qubits.places, scalar=qubits.scalar)

    def _call(self, node: ast.FunctionCall) -> Value:
        result = self.called(node)
        if result is None:
            raise Fault(f"'{node.name.name}' returns nothing")
        return result

    def called(self, node: ast.FunctionCall) -> Value | None:
        """What a call returns, None for a subroutine that returns nothing."""
        found = self.scope.find(node.name.name)
        if isinstance(found, ast.SubroutineDefinition):
            return self.call(found, node.arguments)
        if isinstance(found, External):
            raise Fault(f"'{node.name.name}' is extern: nothing here says what it does", "qasm_unsupported")
        if found is not None:
            raise Fault(f"'{node.name.name}' is no function")
        return values.call(node.name.name, [self.value(argument) for argument in node.arguments])

    def _size(self, node: ast.SizeOf) -> Value:
        place = self.place(node.target)
        if not isinstance(place, Array):
            raise Fault("sizeof takes an array")
        dimension = 0 if node.index is None else self.integer(node.index, "a dimension")
        if not 0 <= dimension < len(place.type.shape):
            raise Fault(f"there is no dimension {dimension}: the array has {len(place.type.shape)}")
        return Value(UINT, place.type.shape[dimension])

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
                indices, single = self.indices(index, len(place.places))
                return Qubits(selected(place.places, indices), single)
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
        return Fault(f"{what} cannot depend on a measurement", "qasm_unsupported")
    return Fault(f"{what} is a whole number, not {value.type}")
