"""Statements of OpenQASM 3 that do something at once: gates, measurements, resets, barriers, delays, assignments."""

from typing import Any

from openqasm3 import ast

from qstill.contract.circuits.openqasm3.syntax.declarations import Declarations
from qstill.contract.circuits.openqasm3.syntax.tokens import HARDWARE_QUBIT, NAME

_ASSIGNMENTS = {operator.name: operator for operator in ast.AssignmentOperator}
_MODIFIERS = {modifier.name: modifier for modifier in ast.GateModifierName}


class Gates(Declarations):
    """A program that such statements are taken from. A method leaves the last token of its statement next."""

    def measure(self) -> ast.QuantumMeasurementStatement:
        measurement = self.measurement()
        target = self.variable() if self.accept("->") else None
        self.last(";")
        return ast.QuantumMeasurementStatement(measurement, target)

    def reset(self) -> ast.QuantumReset:
        self.require_no_gate("a reset")
        self.advance()
        reset = ast.QuantumReset(self.operand())
        self.last(";")
        return reset

    def barrier(self) -> ast.QuantumBarrier:
        self.advance()
        barrier = ast.QuantumBarrier(self.operands())
        self.last(";")
        return barrier

    def delay(self) -> ast.DelayInstruction:
        self.advance()
        duration = self.size()
        if duration is None:
            self.expected("a duration in square brackets")
        delay = ast.DelayInstruction(duration, self.operands())
        self.last(";")
        return delay

    def modified_gate(self) -> ast.QuantumGate | ast.QuantumPhase:
        """A gate call that begins with a modifier, or with `gphase`."""
        modifiers = []
        while self.kind in _MODIFIERS:
            modifiers.append(self._modifier())
        if self.kind == "gphase":
            return self._phase(modifiers)
        name = self.name()
        arguments = self.arguments() if self.kind == "(" else []
        return self._gate(modifiers, name, arguments, self.size())

    def _modifier(self) -> ast.QuantumGateModifier:
        start, modifier = self.start, _MODIFIERS[self.kind]
        self.advance()
        argument = None
        if modifier is _MODIFIERS["pow"] or (self.kind == "(" and modifier is not _MODIFIERS["inv"]):
            self.take("(")
            argument = self.expression()
            self.take(")")
        self.take("@")
        node = ast.QuantumGateModifier(modifier, argument)
        node.span = self.span(start, self.previous)
        return node

    def _phase(self, modifiers: list[ast.QuantumGateModifier]) -> ast.QuantumPhase:
        start = self.start
        self.advance()
        arguments = self.arguments() if self.kind == "(" else []
        if len(arguments) != 1:
            self.complain("'gphase' takes one angle in brackets.", at=start)
        if self.kind == "[":
            self.complain("'gphase' takes no duration.")
        phase = ast.QuantumPhase(modifiers, arguments[0], self.operands())
        self.last(";")
        return phase

    def _gate(
        self,
        modifiers: list[ast.QuantumGateModifier],
        name: ast.Identifier,
        arguments: list[ast.Expression],
        duration: ast.Expression | None,
    ) -> ast.QuantumGate:
        if self.kind not in (NAME, HARDWARE_QUBIT):
            self.expected("a qubit")
        gate = ast.QuantumGate(modifiers, name, arguments, self.operands(), duration)
        self.last(";")
        return gate

    def named(
        self,
    ) -> ast.QuantumGate | ast.QuantumMeasurementStatement | ast.ClassicalAssignment | ast.ExpressionStatement:
        """A statement that begins with a name: what stands behind name, brackets and indices tells what it is."""
        start, name = self.start, self.name()
        is_call = self.kind == "("
        arguments = self.arguments() if is_call else []
        height, end = self.height if is_call else 1, self.previous
        indices: list[Any] = []
        ends, is_size = [], True
        while self.kind == "[":
            index, is_simple = self.index()
            is_size = is_simple and not indices
            height = max(height, self.height) + 1
            self.set_height(height)
            indices.append(index)
            ends.append(self.previous)
        if self.kind in (NAME, HARDWARE_QUBIT) and is_size:
            return self._gate([], name, arguments, indices[0][0] if indices else None)
        if self.kind in _ASSIGNMENTS and not is_call:
            return self._assignment(name, indices, start)
        expression = self.call(name, arguments, start) if is_call else name
        expression.span = self.span(start, end)
        for index, end in zip(indices, ends, strict=True):
            expression = ast.IndexExpression(expression, index)
            expression.span = self.span(start, end)
        self.height = height
        return self.rest_of_expression(expression, start)

    def _assignment(
        self, name: ast.Identifier, indices: list[ast.IndexElement], start: int
    ) -> ast.QuantumMeasurementStatement | ast.ClassicalAssignment:
        self.require_no_gate("an assignment")
        target: ast.IndexedIdentifier | ast.Identifier = name
        if indices:
            target = ast.IndexedIdentifier(name, indices)
            target.span = self.span(start, self.previous)
        operator = _ASSIGNMENTS[self.kind]
        self.advance()
        if self.kind != "measure":
            value = self.expression()
            self.last(";")
            return ast.ClassicalAssignment(target, operator, value)
        if operator is not _ASSIGNMENTS["="]:
            self.complain("A measurement is assigned with '='.")
        measurement = self.measurement()
        self.last(";")
        return ast.QuantumMeasurementStatement(measurement, target)

    def expression_statement(self) -> ast.ExpressionStatement:
        statement = ast.ExpressionStatement(self.expression())
        self.last(";")
        return statement
