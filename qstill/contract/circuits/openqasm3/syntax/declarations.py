"""Statements of OpenQASM 3 that declare or define what others use, but for those whose body is OpenQASM itself."""

from typing import Any

from openqasm3 import ast

from qstill.contract.circuits.openqasm3.syntax.operands import Operands
from qstill.contract.circuits.openqasm3.syntax.tokens import NAME


class Declarations(Operands):
    """A program that declarations are taken from. A method begins at the first token and leaves the last one next.

    `blocks` is the number of blocks around the statement.
    """

    def __init__(self, source: str) -> None:
        super().__init__(source)
        self.blocks = 0

    def require_global(self, what: str) -> None:
        """Refuse what stands in a block: the grammar allows it there, the language does not."""
        if self.blocks:
            self.complain(f"{what} must stand outside all blocks.")

    def pragma(self) -> ast.Pragma:
        self.require_global("Pragmas")
        command = self.rest_of_line()
        if command is None:
            self.complain("A pragma is followed by its text on the same line.")
        return ast.Pragma(command)

    def include(self) -> ast.Include:
        self.require_global("Includes")
        include = ast.Include(self.string())
        self.last(";")
        return include

    def alias(self) -> ast.AliasStatement:
        self.advance()
        name = self.name()
        self.take("=")
        start = self.start
        value: Any = self.expression()
        height = self.height
        while self.accept("++"):
            value = ast.Concatenation(value, self.expression())
            height = max(height, self.height) + 1
            self.set_height(height)
            value.span = self.span(start, self.previous)
        self.last(";")
        return ast.AliasStatement(name, value)

    def quantum_declaration(self) -> ast.QubitDeclaration:
        self.require_global("Declarations of qubits")
        self.advance()
        size = self.size()
        declaration = ast.QubitDeclaration(self.name(), size)
        self.last(";")
        return declaration

    def old_style_declaration(self) -> ast.QubitDeclaration | ast.ClassicalDeclaration:
        start, kind = self.start, self.kind
        if kind == "qreg":
            self.require_global("Declarations of qubits")
        self.advance()
        name, at = self.name(), self.start
        size = self.size()
        self.check_size(kind, size, at=at)
        self.last(";")
        if kind == "qreg":
            return ast.QubitDeclaration(name, size)
        bits = ast.BitType(size)
        bits.span = self.span(start, self.previous)
        return ast.ClassicalDeclaration(bits, name)

    def declaration_or_cast(self) -> ast.ClassicalDeclaration | ast.ExpressionStatement:
        """A declaration begins with a type, and so does a cast that stands alone."""
        start, is_array = self.start, self.kind == "array"
        kind = self.type()
        if self.kind == "(":
            return self.rest_of_expression(self.cast(kind, start), start)
        self.require_no_gate("a declaration of a classical variable")
        if is_array:
            self.require_global("Declarations of arrays")
        name = self.name()
        value = self._value() if self.accept("=") else None
        self.last(";")
        return ast.ClassicalDeclaration(kind, name, value)

    def rest_of_expression(self, operand: ast.Expression, start: int) -> ast.ExpressionStatement:
        """The statement that is an expression which begins with an operand, taken already."""
        statement = ast.ExpressionStatement(self.continued(operand, start))
        self.last(";")
        return statement

    def constant(self) -> ast.ConstantDeclaration:
        self.advance()
        kind = self.scalar()
        name = self.name()
        self.take("=")
        value = self._value()
        self.last(";")
        return ast.ConstantDeclaration(kind, name, value)

    def _value(self) -> Any:
        if self.kind == "{":
            return self._array_literal()
        return self.measurement() if self.kind == "measure" else self.expression()

    def _array_literal(self) -> ast.ArrayLiteral:
        start = self.start
        self.deeper()
        self.take("{")
        values: list[ast.Expression] = []
        while self.kind != "}":
            values.append(self._array_literal() if self.kind == "{" else self.expression())
            if not self.accept(","):
                break
        self.take("}")
        self.nesting -= 1
        literal = ast.ArrayLiteral(values)
        literal.span = self.span(start, self.previous)
        return literal

    def input_or_output(self) -> ast.IODeclaration:
        keyword = ast.IOKeyword[self.kind]
        self.require_global("Inputs and outputs")
        self.advance()
        kind = self.type()
        declaration = ast.IODeclaration(keyword, kind, self.name())
        self.last(";")
        return declaration

    def extern(self) -> ast.ExternDeclaration:
        self.require_global("Declarations of externs")
        self.advance()
        name = self.name()
        arguments = self.extern_arguments()
        declaration = ast.ExternDeclaration(name, arguments, self.result_type())
        self.last(";")
        return declaration

    def calibration_grammar(self) -> ast.CalibrationGrammarDeclaration:
        self.require_global("Calibration grammars")
        grammar = ast.CalibrationGrammarDeclaration(self.string())
        self.last(";")
        return grammar

    def calibration(self) -> ast.CalibrationStatement:
        self.advance()
        return ast.CalibrationStatement(self.calibration_block())

    def calibration_definition(self) -> ast.CalibrationDefinition:
        self.in_defcal = True
        self.advance()
        if self.kind not in (NAME, "measure", "reset", "delay"):
            self.expected(NAME)
        name = ast.Identifier(self.text)
        name.span = self.span(self.start, self.start)
        self.advance()
        arguments: list[Any] = self.calibration_arguments()
        qubits = self.calibration_qubits()
        result = self.result_type()
        self.in_defcal = False
        return ast.CalibrationDefinition(name, arguments, qubits, result, self.calibration_block())
