"""Types of OpenQASM 3, and what subroutines, externs and calibrations say of their arguments."""

from typing import Any

from openqasm3 import ast

from qstill.contract.circuits.openqasm3.syntax.expressions import Expressions
from qstill.contract.circuits.openqasm3.syntax.tokens import HARDWARE_QUBIT, NAME, SCALARS

_SIZED: dict[str, type[ast.BitType | ast.IntType | ast.UintType | ast.FloatType | ast.AngleType]] = {
    "bit": ast.BitType,
    "int": ast.IntType,
    "uint": ast.UintType,
    "float": ast.FloatType,
    "angle": ast.AngleType,
}
_UNSIZED: dict[str, type[ast.BoolType | ast.DurationType | ast.StretchType]] = {
    "bool": ast.BoolType,
    "duration": ast.DurationType,
    "stretch": ast.StretchType,
}


class Types(Expressions):
    """A program that types and arguments are taken from."""

    def type(self) -> ast.ClassicalType:
        """The type of a value or an array."""
        return self._array() if self.kind == "array" else self.scalar()

    def scalar(self) -> ast.ClassicalType:
        """The type of a value."""
        start, kind = self.start, self.kind
        if kind not in SCALARS:
            self.expected("a type")
        self.advance()
        scalar: ast.ClassicalType
        if kind in _UNSIZED:
            scalar = _UNSIZED[kind]()
        elif kind == "complex":
            scalar = self._complex()
        else:
            at = self.start
            size = self.size()
            if kind in ("int", "uint", "angle"):
                self.check_size(kind, size, at=at)
            scalar = _SIZED[kind](size)
        scalar.span = self.span(start, self.previous)
        return scalar

    def check_size(self, kind: str, size: ast.Expression | None, *, at: int) -> None:
        """Refuse a size that is negative or zero by its looks."""
        if isinstance(size, ast.UnaryExpression) or (isinstance(size, ast.IntegerLiteral) and size.value == 0):
            self.complain(f"The size of {kind!r} is a positive number.", at=at)

    def _complex(self) -> ast.ComplexType:
        if self.kind != "[":
            return ast.ComplexType(None)
        self.advance()
        if self.kind != "float":
            self.complain("The parts of a complex number are of type 'float'.")
        base: Any = self.scalar()
        self.take("]")
        return ast.ComplexType(base)

    def _array(self) -> ast.ArrayType:
        start = self.start
        self.advance()
        self.take("[")
        at = self.start
        base: Any = self.scalar()
        if isinstance(base, ast.StretchType):
            self.complain("An array has no elements of type 'stretch'.", at=at)
        self.take(",")
        dimensions = self._dimensions()
        if any(isinstance(dimension, ast.UnaryExpression) for dimension in dimensions):
            self.complain("The dimensions of an array are positive numbers.", at=at)
        array = ast.ArrayType(base, dimensions)
        array.span = self.span(start, self.previous)
        return array

    def _dimensions(self) -> list[ast.Expression]:
        """Expressions up to a closing bracket, which is taken; one at least."""
        dimensions = self.some_expressions(until="]")
        self.take("]")
        return dimensions

    def _array_reference(self) -> tuple[ast.ArrayReferenceType, ast.AccessControl]:
        start, access = self.start, ast.AccessControl[self.kind]
        self.advance()
        self.take("array")
        self.take("[")
        base: Any = self.scalar()
        self.take(",")
        dimensions: ast.Expression | list[ast.Expression]
        if self.accept("#dim"):
            self.take("=")
            dimensions = self.expression()
            self.take("]")
        else:
            dimensions = self._dimensions()
        array = ast.ArrayReferenceType(base, dimensions)
        array.span = self.span(start, self.previous)
        return array, access

    def result_type(self) -> ast.ClassicalType | None:
        """The type behind an arrow, if there is one."""
        return self.scalar() if self.accept("->") else None

    def subroutine_arguments(self) -> list[ast.ClassicalArgument | ast.QuantumArgument]:
        """In brackets, what a subroutine is given."""
        self.take("(")
        arguments = []
        while self.kind != ")":
            arguments.append(self._argument())
            if not self.accept(","):
                break
        self.take(")")
        return arguments

    def _argument(self) -> ast.ClassicalArgument | ast.QuantumArgument:
        start, kind = self.start, self.kind
        argument: ast.ClassicalArgument | ast.QuantumArgument
        if kind == "qubit":
            self.advance()
            size = self.size()
            argument = ast.QuantumArgument(self.name(), size)
        elif kind in ("qreg", "creg"):
            self.advance()
            name, size = self.name(), self.size()
            argument = ast.QuantumArgument(name, size)
            if kind == "creg":
                argument = ast.ClassicalArgument(ast.BitType(size), name)
        elif kind in ("readonly", "mutable"):
            array, access = self._array_reference()
            argument = ast.ClassicalArgument(array, self.name(), access)
        else:
            scalar = self.scalar()
            argument = ast.ClassicalArgument(scalar, self.name())
        argument.span = self.span(start, self.previous)
        return argument

    def extern_arguments(self) -> list[ast.ExternArgument]:
        """In brackets, the types of what an extern is given."""
        self.take("(")
        arguments = []
        while self.kind != ")":
            arguments.append(self._extern_argument())
            if not self.accept(","):
                break
        self.take(")")
        return arguments

    def _extern_argument(self) -> ast.ExternArgument:
        start = self.start
        if self.kind in ("readonly", "mutable"):
            argument = ast.ExternArgument(*self._array_reference())
        elif self.accept("creg"):
            argument = ast.ExternArgument(ast.BitType(self.size()))
        else:
            argument = ast.ExternArgument(self.scalar())
        argument.span = self.span(start, self.previous)
        return argument

    def calibration_arguments(self) -> list[ast.ClassicalArgument | ast.QuantumArgument | ast.Expression]:
        """What a calibration is defined for, in brackets if there are any: arguments, or the values of them."""
        arguments: list[ast.ClassicalArgument | ast.QuantumArgument | ast.Expression] = []
        if not self.accept("("):
            return arguments
        while self.kind != ")":
            arguments.append(self._calibration_argument())
            if not self.accept(","):
                break
        self.take(")")
        return arguments

    def _calibration_argument(self) -> ast.ClassicalArgument | ast.QuantumArgument | ast.Expression:
        start = self.start
        if self.kind in ("qubit", "qreg", "creg"):
            return self._argument()
        if self.kind not in SCALARS and self.kind != "array":
            return self.expression()
        kind = self.type()
        if self.kind == "(":
            return self.continued(self.cast(kind, start), start)
        if isinstance(kind, ast.ArrayType):
            self.expected("'('")
        argument = ast.ClassicalArgument(kind, self.name())
        argument.span = self.span(start, self.previous)
        return argument

    def calibration_qubits(self) -> list[ast.Identifier]:
        """Names and hardware qubits between commas, one at least; a comma may trail."""
        qubits = []
        while self.kind in (NAME, HARDWARE_QUBIT):
            qubit = ast.Identifier(self.text)
            qubit.span = self.span(self.start, self.start)
            qubits.append(qubit)
            self.advance()
            if not self.accept(","):
                break
        if not qubits:
            self.expected("a qubit")
        return qubits
