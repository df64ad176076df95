"""Expressions of a program: their values, known or to be computed as it runs, and the places that they name."""

import math
from collections.abc import Callable, Sequence
from typing import Any

from openqasm3 import ast

from qstill.contract.circuits.openqasm3.classical import values
from qstill.contract.circuits.openqasm3.classical.memory import Memory
from qstill.contract.circuits.openqasm3.classical.places import Places
from qstill.contract.circuits.openqasm3.classical.types import (
    BOOL,
    COMPLEX,
    DURATION,
    FLOAT,
    INT,
    MAX_WIDTH,
    UINT,
    Fault,
    Kind,
    Type,
)
from qstill.contract.circuits.openqasm3.classical.values import Value, binary, converted, unary
from qstill.contract.circuits.openqasm3.entities import (
    CONSTANTS,
    Array,
    External,
)
from qstill.contract.circuits.openqasm3.limits import Limits

MAX_ARRAY_DIMENSIONS = 7  # of the specification
MAX_ARRAY_ELEMENTS = 100_000  # an array of 10^9 numbers is a line of source

_CONSTANT_VALUES = dict(zip(CONSTANTS, (math.pi, math.pi, math.tau, math.tau, math.e, math.e), strict=True))
_NUMBERS: dict[type, Kind] = {
    ast.IntType: "int",
    ast.UintType: "uint",
    ast.FloatType: "float",
    ast.AngleType: "angle",
}


class Expressions(Places):
    """Evaluation of expressions at one point of a program. call: runs a subroutine of the program."""

    def __init__(self, memory: Memory, limits: Limits) -> None:
        super().__init__(memory, limits)
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
        return Type(_NUMBERS[type(node)], 64 if width is None else width)

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
