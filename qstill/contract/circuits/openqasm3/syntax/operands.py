"""What gates and measurements of OpenQASM 3 act on, and measurements as values."""

from typing import Any

from openqasm3 import ast

from qstill.contract.circuits.openqasm3.syntax.tokens import HARDWARE_QUBIT, NAME
from qstill.contract.circuits.openqasm3.syntax.types import Types


class Operands(Types):
    """A program that operands are taken from. `definition` is "gate" or "def" in the body of one."""

    def __init__(self, source: str) -> None:
        super().__init__(source)
        self.definition = ""

    def require_no_gate(self, what: str) -> None:
        """Refuse what is not unitary in a gate's definition."""
        if self.definition == "gate":
            self.complain(f"A gate's definition cannot hold {what}.")

    def operand(self) -> ast.IndexedIdentifier | ast.Identifier:
        """A register, a part of one, or a hardware qubit."""
        start = self.start
        if self.kind == HARDWARE_QUBIT:
            qubit = ast.Identifier(self.take(HARDWARE_QUBIT))
            qubit.span = self.span(start, start)
            return qubit
        return self.variable()

    def variable(self) -> ast.IndexedIdentifier | ast.Identifier:
        """A name, or a part of what it names."""
        start = self.start
        name = self.name()
        if self.kind != "[":
            return name
        indices = []
        while self.kind == "[":
            indices.append(self.index()[0])
        variable = ast.IndexedIdentifier(name, indices)
        variable.span = self.span(start, self.previous)
        return variable

    def operands(self) -> list[Any]:
        """Operands between commas; one may trail. None if nothing else stands before the end of the statement."""
        operands = []
        while self.kind in (NAME, HARDWARE_QUBIT):
            operands.append(self.operand())
            if not self.accept(","):
                break
        return operands

    def measurement(self) -> ast.QuantumMeasurement:
        """`measure` and what it measures."""
        start = self.start
        self.require_no_gate("a measurement")
        self.advance()
        if self.kind not in (NAME, HARDWARE_QUBIT):
            self.expected("a qubit")
        measurement = ast.QuantumMeasurement(self.operand())
        measurement.span = self.span(start, self.previous)
        return measurement
