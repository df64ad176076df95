"""The short way for what programs are full of: gates, measurements, resets and barriers, each on one line.

It yields the nodes that the long way yields, and leaves to that whatever else stands there.
"""

import re
from bisect import bisect_right
from typing import Any

from openqasm3.ast import (
    BinaryExpression,
    Expression,
    FloatLiteral,
    Identifier,
    IndexedIdentifier,
    IndexElement,
    IntegerLiteral,
    QuantumBarrier,
    QuantumGate,
    QuantumMeasurement,
    QuantumMeasurementStatement,
    QuantumReset,
    Span,
    Statement,
    UnaryExpression,
    UnaryOperator,
)

from qstill.contract.circuits.openqasm3.syntax.expressions import Expressions
from qstill.contract.circuits.openqasm3.syntax.tokens import END, KEYWORDS, SPACE
from qstill.contract.errors import Problem

_WORD = "[A-Za-z_][A-Za-z0-9_]*+"
_OPERAND = rf"(?:{_WORD}(?:\[[0-9]{{1,18}}+\])?+|\$[0-9]++)"
_ANGLES = r"[\w.+*, \t-]*+(?:/(?![/*])[\w.+*, \t-]*+)*+"
_GATE = re.compile(rf"{SPACE}({_WORD})(?:\(({_ANGLES})\))?+[ \t]*+({_OPERAND}(?:[ \t]*+,[ \t]*+{_OPERAND})*+)[ \t]*+;")
_MEASUREMENT = re.compile(
    rf"{SPACE}(?:({_OPERAND})[ \t]*+=[ \t]*+)?+(measure)[ \t]++({_OPERAND})(?:[ \t]*+->[ \t]*+({_OPERAND}))?+[ \t]*+;"
)
_NUMBER = re.compile(r"[ \t]*(-?)[ \t]*((?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)[ \t]*")
_WRITTEN = re.compile(rf"({_WORD}|\$[0-9]++)(?:\[([0-9]++)\])?")

_CONSTANTS = frozenset(("pi", "π", "tau", "τ", "euler", "ℇ"))
_MINUS = UnaryOperator["-"]

_Operand = IndexedIdentifier | Identifier
# Where an operand and its last token start, from the first operand on; its name; its index, if it has one.
_Written = tuple[int, int, Identifier, list[IndexElement] | None]


class PlainStatements:
    """Reads plain statements from a program. Operands written alike share their names and indices."""

    def __init__(self, program: Expressions) -> None:
        self._program = program
        self._constants: dict[str, list[Expression] | None] = {}
        self._written: dict[str, tuple[_Written, ...] | None] = {}

    def read(self, statements: list[Statement], *, in_gate: bool) -> None:
        """Append the plain statements that stand behind the next token, and go behind them."""
        while statement := self._gate(in_gate=in_gate) or (None if in_gate else self._measurement()):
            statements.append(statement)

    def _gate(self, *, in_gate: bool) -> QuantumGate | QuantumBarrier | QuantumReset | None:
        program = self._program
        found = _GATE.match(program.source, program.end)
        if found is None:
            return None
        name, angles, operands = found.groups()
        first = found.start(1)
        line = bisect_right(program.lines, first)
        margin = program.lines[line - 1]
        qubits = self._operands(operands, line, found.start(3) - margin)
        if not qubits:
            return None
        statement: QuantumGate | QuantumBarrier | QuantumReset
        if name not in KEYWORDS:
            arguments = self._arguments(angles, found.start(2)) if angles else []
            identifier = Identifier(name)
            identifier.span = Span(line, first - margin, line, first - margin)
            statement = QuantumGate([], identifier, arguments, qubits)
        elif name == "barrier" and angles is None:
            statement = QuantumBarrier(qubits)
        elif name == "reset" and angles is None and len(qubits) == 1 and not in_gate:
            statement = QuantumReset(qubits[0])
        else:
            return None
        program.end = found.end()
        statement.span = Span(line, first - margin, line, program.end - 1 - margin)
        return statement

    def _measurement(self) -> QuantumMeasurementStatement | None:
        program = self._program
        found = _MEASUREMENT.match(program.source, program.end)
        if found is None:
            return None
        before, qubit, behind = found.group(1, 3, 4)
        target, target_group = (before, 1) if behind is None else (behind, 4)
        if (before and behind) or (target and target.startswith("$")):
            return None
        first = found.start(1 if before else 2)
        line = bisect_right(program.lines, first)
        margin = program.lines[line - 1]
        qubits = self._operands(qubit, line, found.start(3) - margin)
        targets = self._operands(target, line, found.start(target_group) - margin) if target else [None]
        if not qubits or not targets:
            return None
        program.end = found.end()
        measurement = QuantumMeasurement(qubits[0])
        last = found.start(3) if qubit[-1] != "]" else found.end(3) - 1
        measurement.span = Span(line, found.start(2) - margin, line, last - margin)
        statement = QuantumMeasurementStatement(measurement, targets[0])
        statement.span = Span(line, first - margin, line, program.end - 1 - margin)
        return statement

    def _arguments(self, text: str, position: int) -> list[Expression]:
        """The angles in the brackets of a gate. Constants have no spans: those that are written alike are the same."""
        if (number := _NUMBER.fullmatch(text)) is not None:
            value = FloatLiteral(float(number[2]))
            return [UnaryExpression(_MINUS, value) if number[1] else value]
        if text not in self._constants:
            self._constants[text] = _constants(text)
        if (constants := self._constants[text]) is not None:
            return constants
        self._program.end = position
        self._program.advance()
        arguments = self._program.expressions(until=")")
        self._program.last(")")
        return arguments

    def _operands(self, text: str, line: int, column: int) -> list[Any] | None:
        """The operands that stand at this place, or None if one of them is a keyword."""
        if text not in self._written:
            self._written[text] = _written(text)
        written = self._written[text]
        if written is None:
            return None
        operands: list[Any] = []
        for start, last, name, indices in written:
            operand: _Operand = Identifier(name.name) if indices is None else IndexedIdentifier(name, indices)
            operand.span = Span(line, column + start, line, column + last)
            operands.append(operand)
        return operands


def _written(text: str) -> tuple[_Written, ...] | None:
    """What stands in the text of operands between commas, or None if one of them is a keyword."""
    written = []
    for operand in _WRITTEN.finditer(text):
        word, index = operand.groups()
        if word in KEYWORDS:
            return None
        last = operand.start() if index is None else operand.end() - 1
        indices: list[IndexElement] | None = None if index is None else [[IntegerLiteral(int(index))]]
        written.append((operand.start(), last, Identifier(word), indices))
    return tuple(written)


def _constants(text: str) -> list[Expression] | None:
    """The expressions between commas, without spans, or None if they are not numbers and constants alone."""
    reader = Expressions(text)
    try:
        reader.advance()
        expressions = reader.expressions(until=END)
    except Problem:
        return None
    if reader.kind != END or not all(_forget_spans(expression) for expression in expressions):
        return None
    return expressions


def _forget_spans(expression: Expression) -> bool:
    """Take the spans from a constant expression. False if it is something else."""
    expression.span = None
    match expression:
        case BinaryExpression():
            return _forget_spans(expression.lhs) and _forget_spans(expression.rhs)
        case UnaryExpression():
            return _forget_spans(expression.expression)
        case Identifier():
            return expression.name in _CONSTANTS
        case _:
            return isinstance(expression, IntegerLiteral | FloatLiteral)
