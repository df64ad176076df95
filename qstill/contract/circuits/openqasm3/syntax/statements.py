"""OpenQASM 3 from text to the reference syntax tree (`openqasm3.ast`), as the specification's `qasm3Parser.g4` has it.

What the grammar allows and the reference parser refuses for its place is refused here too: returns outside subroutines,
measurements in gates, qubits declared in blocks. What names mean is not asked.
"""

from collections.abc import Callable
from typing import Any

from openqasm3 import ast

from qstill.contract.circuits.openqasm3.syntax.gates import Gates
from qstill.contract.circuits.openqasm3.syntax.plain_statements import PlainStatements
from qstill.contract.circuits.openqasm3.syntax.tokens import ANNOTATION, END, NAME, SCALARS


def parse_program(source: str) -> ast.Program:
    """The syntax tree of an OpenQASM 3 program. Raises `Problem`, its pointer at the source.

    Spans count lines from 1 and columns from 0, and end where their last token starts. All nodes have one but the names
    and numbers that an operand of a plain gate call is made of, which such calls share.
    """
    return _Program(source).program()


class _Program(Gates):
    """A program that statements are taken from. A method begins at the first token and leaves the last one next.

    `loops` is the number of loops around the statement.
    """

    def __init__(self, source: str) -> None:
        super().__init__(source)
        self.loops = 0
        self._plain = PlainStatements(self)

    def program(self) -> ast.Program:
        version = None
        self.advance()
        if self.kind == "OPENQASM":
            version = self.version()
            self.last(";")
        else:
            self.start = self.end = 0
        program = ast.Program(self._statements(END), version)
        program.span = self.span(0, self.start)
        return program

    def _statements(self, closing: str) -> list[Any]:
        """What stands between the next token and a closing brace or the end, which is next then."""
        statements: list[Any] = []
        while True:
            self._plain.read(statements, in_gate=self.definition == "gate")
            self.advance()
            if self.kind == closing:
                return statements
            if self.kind in ("}", END):
                self.expected("a statement" if closing == END else "a statement or '}'")
            statements.append(self._scope() if self.kind == "{" else self._statement())

    def block(self) -> list[Any]:
        self.last("{")
        self.deeper()
        self.blocks += 1
        statements = self._statements("}")
        self.blocks -= 1
        self.nesting -= 1
        return statements

    def _body(self) -> list[Any]:
        """A block, or one statement in its place."""
        if self.kind == "{":
            return self.block()
        self.deeper()
        self.blocks += 1
        statement = self._statement()
        self.blocks -= 1
        self.nesting -= 1
        return [statement]

    def _scope(self) -> ast.CompoundStatement:
        start = self.start
        scope = ast.CompoundStatement(self.block())
        scope.span = self.span(start, self.start)
        return scope

    def _statement(self) -> Any:
        start = self.start
        annotations = []
        while self.kind == ANNOTATION:
            annotations.append(self._annotation())
        if annotations and self.kind == "pragma":
            self.expected("a statement")
        statement = _STATEMENTS.get(self.kind, _Program.expression_statement)(self)
        if annotations:
            statement.annotations = annotations
        statement.span = self.span(start, self.start)
        return statement

    def _annotation(self) -> ast.Annotation:
        start = self.start
        annotation = ast.Annotation(self.text[1:], self.rest_of_line())
        annotation.span = self.span(start, self.start)
        self.advance()
        return annotation

    def misplaced_version(self) -> ast.Statement:
        self.complain("The version is the first statement of a program.")

    def jump(self) -> ast.BreakStatement | ast.ContinueStatement:
        if not self.loops:
            self.complain(f"{self.text!r} must stand in a loop.")
        jump = ast.BreakStatement() if self.kind == "break" else ast.ContinueStatement()
        self.advance()
        self.last(";")
        return jump

    def end_statement(self) -> ast.EndStatement:
        self.advance()
        self.last(";")
        return ast.EndStatement()

    def return_statement(self) -> ast.ReturnStatement:
        if self.definition != "def":
            self.complain("'return' must stand in a subroutine.")
        self.advance()
        value: ast.Expression | ast.QuantumMeasurement | None = None
        if self.kind == "measure":
            value = self.measurement()
        elif self.kind != ";":
            value = self.expression()
        self.last(";")
        return ast.ReturnStatement(value)

    def branch(self) -> ast.BranchingStatement:
        condition = self._condition()
        then = self._body()
        here = self.kind, self.text, self.previous, self.start, self.end
        self.advance()
        if self.kind == "else":
            self.advance()
            return ast.BranchingStatement(condition, then, self._body())
        self.kind, self.text, self.previous, self.start, self.end = here
        return ast.BranchingStatement(condition, then, [])

    def _condition(self) -> ast.Expression:
        """The expression in brackets behind the next token."""
        self.advance()
        self.take("(")
        condition = self.expression()
        self.take(")")
        return condition

    def for_loop(self) -> ast.ForInLoop:
        self.advance()
        kind, name = self.scalar(), self.name()
        self.take("in")
        values: ast.Expression | ast.RangeDefinition | ast.DiscreteSet
        if self.kind == "{":
            values = self.set()
        elif self.accept("["):
            values = self.index_or_range()
            if not isinstance(values, ast.RangeDefinition):
                self.expected("':'")
            self.take("]")
        else:
            values = self.expression()
            if self.kind == ";":
                self.complain("The body of this loop is missing.")
        return ast.ForInLoop(kind, name, values, self._loop_body())

    def while_loop(self) -> ast.WhileLoop:
        return ast.WhileLoop(self._condition(), self._loop_body())

    def _loop_body(self) -> list[ast.Statement]:
        self.loops += 1
        body = self._body()
        self.loops -= 1
        return body

    def switch(self) -> ast.SwitchStatement:
        target = self._condition()
        self.take("{")
        cases: list[tuple[list[ast.Expression], ast.CompoundStatement]] = []
        default = None
        while self.kind != "}":
            if self.kind not in ("case", "default"):
                self.expected("'case', 'default' or '}'")
            if default is not None:
                self.complain("'default' is the last case of a switch.")
            if self.accept("default"):
                default = self._scope()
            else:
                self.advance()
                cases.append((self.some_expressions(until="{"), self._scope()))
            self.advance()
        return ast.SwitchStatement(target, cases, default)

    def box(self) -> ast.Box:
        self.advance()
        return ast.Box(self.size(), self.block())

    def gate_definition(self) -> ast.QuantumGateDefinition:
        self.require_global("Definitions of gates")
        self.advance()
        name = self.name()
        parameters: list[ast.Identifier] = []
        if self.accept("("):
            parameters = self.names() if self.kind != ")" else []
            self.take(")")
        return ast.QuantumGateDefinition(name, parameters, self.names(), self._definition_body("gate"))

    def subroutine_definition(self) -> ast.SubroutineDefinition:
        self.require_global("Definitions of subroutines")
        self.advance()
        name, arguments = self.name(), self.subroutine_arguments()
        result = self.result_type()
        return ast.SubroutineDefinition(name, arguments, self._definition_body("def"), result)

    def _definition_body(self, definition: str) -> list[Any]:
        self.definition = definition
        body = self.block()
        self.definition = ""
        return body


_STATEMENTS: dict[str, Callable[[_Program], Any]] = {
    NAME: _Program.named,
    "pragma": _Program.pragma,
    "OPENQASM": _Program.misplaced_version,
    "include": _Program.include,
    "let": _Program.alias,
    "barrier": _Program.barrier,
    "box": _Program.box,
    "break": _Program.jump,
    "continue": _Program.jump,
    "cal": _Program.calibration,
    "defcal": _Program.calibration_definition,
    "defcalgrammar": _Program.calibration_grammar,
    "const": _Program.constant,
    "def": _Program.subroutine_definition,
    "delay": _Program.delay,
    "end": _Program.end_statement,
    "extern": _Program.extern,
    "for": _Program.for_loop,
    "gate": _Program.gate_definition,
    "if": _Program.branch,
    "input": _Program.input_or_output,
    "output": _Program.input_or_output,
    "measure": _Program.measure,
    "qreg": _Program.old_style_declaration,
    "creg": _Program.old_style_declaration,
    "qubit": _Program.quantum_declaration,
    "reset": _Program.reset,
    "return": _Program.return_statement,
    "switch": _Program.switch,
    "while": _Program.while_loop,
    "array": _Program.declaration_or_cast,
    **dict.fromkeys(SCALARS, _Program.declaration_or_cast),
    **dict.fromkeys(("inv", "pow", "ctrl", "negctrl", "gphase"), _Program.modified_gate),
}
