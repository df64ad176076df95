"""OpenQASM 3 through the reference parser and Qiskit's importer, with what the importer leaves out.

Added here: `const` and variables that are never assigned to, loops over qubits (unrolled), the built-in functions,
conditions of several comparisons, `switch`, the gates that Qiskit has beyond `stdgates.inc`, a line for every error,
and a bound on the operations that gate definitions and loops expand to.
"""

import math
import operator
import re
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from typing import Any

from antlr4.error.ErrorListener import ConsoleErrorListener, ErrorListener  # type: ignore[import-untyped]
from openqasm3 import ast, parse
from openqasm3.parser import QASM3ParsingError
from qiskit import QuantumCircuit
from qiskit.circuit import Gate, ParameterExpression
from qiskit.circuit.library import GlobalPhaseGate, get_standard_gate_name_mapping
from qiskit.exceptions import QiskitError
from qiskit_qasm3_import import ConversionError, types
from qiskit_qasm3_import.converter import ConvertVisitor
from qiskit_qasm3_import.data import Scope, Symbol
from qiskit_qasm3_import.exceptions import raise_from_node
from qiskit_qasm3_import.expression import ValueResolver
from qiskit_qasm3_import.state import LocalScope, State

from app.circuits.gates import MAX_CLBITS, MAX_QUBITS
from app.circuits.qasm_text import MAX_EXPANDED_OPERATIONS, MAX_LOOP_ITERATIONS, SOURCE
from app.errors import Problem
from workers.circuits.parse.qasm3_branches import as_branches, connectives, single_comparisons
from workers.circuits.parse.qasm3_straight import GATES
from workers.circuits.parse.qasm3_switches import switched_on_bits

ConsoleErrorListener.INSTANCE = ErrorListener()  # it would print every client's mistakes to our log

MAX_GATE_OPERATIONS = 10_000  # the importer copies a gate's whole definition wherever it is used, 80 µs each
BRANCH_OPERATIONS = 20  # an `if` takes the importer as long as so many gates
CONNECTIVE_OPERATIONS = 200  # and each && or || writes what is below it twice, over and over in nested branches
MAX_POWER_QUBITS = 6  # a power is taken of the gate's matrix, 4^n numbers

_FUNCTIONS: dict[str, Callable[..., float]] = {
    "arccos": math.acos,
    "arcsin": math.asin,
    "arctan": math.atan,
    "ceiling": math.ceil,
    "cos": math.cos,
    "exp": math.exp,
    "floor": math.floor,
    "log": math.log,
    "mod": math.fmod,
    "pow": math.pow,
    "sin": math.sin,
    "sqrt": math.sqrt,
    "tan": math.tan,
}
_OF_PARAMETERS = ("arccos", "arcsin", "arctan", "cos", "exp", "log", "sin", "tan")  # methods of an expression
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}
_TAKEN = re.compile(r"Symbol '(\w+)' already inserted")
_VARIABLES = (ast.IntType, ast.UintType, ast.FloatType, ast.AngleType)


def read_program(source: str) -> QuantumCircuit:
    """The program in Qiskit. Raises `Problem` with the line, its pointer at the source."""
    try:
        return _Converter().convert(switched_on_bits(parse(source))).circuit
    except QASM3ParsingError as error:
        raise _invalid(_syntax_error(error)) from None
    except ConversionError as error:
        raise _invalid(_with_line(error.message)) from None
    except RecursionError:
        raise Problem("qasm_too_deep", "The program is nested too deep to be read.", pointer=SOURCE) from None


def _invalid(message: str) -> Problem:
    return Problem("qasm_invalid", message, pointer=SOURCE)


def _syntax_error(error: QASM3ParsingError) -> str:
    """ "Line 3, column 5: …" from what the parser left in the exception and its causes."""
    if str(error):  # from the lexer, "L3:C5: token recognition error at: '\\x00'"
        line, column, message = str(error).split(":", 2)
        return f"Line {line[1:]}, column {int(column[1:]) + 1}:{message}."
    cause = error.__cause__
    recognition = cause.args[0] if cause is not None and cause.args else cause
    token = getattr(recognition, "offendingToken", None)
    if token is None:
        return "This is not OpenQASM 3."
    found = "end of the program" if token.text == "<EOF>" else repr(token.text)
    return f"Line {token.line}, column {token.column + 1}: unexpected {found}."


def _with_line(message: str) -> str:
    """ "3,4: words" from the importer becomes "Line 3, column 5: words."."""
    place, separator, words = message.partition(": ")
    line, comma, column = place.partition(",")
    if not (separator and comma and line.isdigit() and column.isdigit()):
        return message
    if taken := _TAKEN.match(words):
        words = f"the name '{taken[1]}' is a gate's, or it is declared twice"
    return f"Line {line}, column {int(column) + 1}: {words.rstrip('.')}."


class _Values(ValueResolver):
    """Constant expressions, with the built-in functions and powers."""

    def visit_FunctionCall(self, node: ast.FunctionCall) -> tuple[float, types.Type]:  # noqa: N802
        function = _FUNCTIONS.get(node.name.name)
        if function is None:
            raise_from_node(node, f"there is no function '{node.name.name}'; known: {', '.join(_FUNCTIONS)}")
        if node.name.name in _OF_PARAMETERS and len(node.arguments) == 1:
            argument, _ = self.visit(node.arguments[0])
            if isinstance(argument, ParameterExpression):
                return getattr(argument, node.name.name)(), types.Float()
        return self._number(function, node.arguments, node), types.Float(const=True)

    def visit_BinaryExpression(self, node: ast.BinaryExpression) -> tuple[Any, types.Type]:  # noqa: N802
        if node.op is ast.BinaryOperator["**"]:
            return self._number(math.pow, [node.lhs, node.rhs], node), types.Float(const=True)
        value: tuple[Any, types.Type] = super().visit_BinaryExpression(node)
        return value

    def _number(self, function: Callable[..., float], nodes: Sequence[ast.Expression], node: ast.QASMNode) -> float:
        arguments = [self.visit(argument)[0] for argument in nodes]
        if not all(isinstance(argument, int | float) for argument in arguments):
            raise_from_node(node, "the arguments must be constant numbers")
        return function(*arguments)


class _Converter(ConvertVisitor):
    """Qiskit's importer, extended. `expanded` counts operations, definitions included, as if all were written out."""

    def __init__(self) -> None:
        super().__init__()
        self.expanded = 0
        self.gate_sizes: dict[str, int] = {}

    def visit(self, node: ast.QASMNode, context: State | None = None) -> Any:
        """Convert a node; an error that does not say where it happened is given the node's line."""
        try:
            return super().visit(node, context)
        except (QiskitError, ArithmeticError, IndexError, TypeError, ValueError) as error:
            message = getattr(error, "message", None) or str(error)
            raise_from_node(node, message)

    def visit_QubitDeclaration(self, node: ast.QubitDeclaration, context: State) -> State:  # noqa: N802
        self._check_size(node.size, MAX_QUBITS, context)
        return super().visit_QubitDeclaration(node, context)

    def visit_ClassicalDeclaration(self, node: ast.ClassicalDeclaration, context: State) -> State:  # noqa: N802
        if isinstance(node.type, ast.BitType):
            self._check_size(node.type.size, MAX_CLBITS, context)
            if isinstance(node.init_expression, ast.IntegerLiteral | ast.BooleanLiteral | ast.BitstringLiteral):
                if node.init_expression.value:
                    raise_from_node(node.init_expression, "classical bits start in 0")
                node = ast.ClassicalDeclaration(type=node.type, identifier=node.identifier)
        elif isinstance(node.type, _VARIABLES) and isinstance(node.init_expression, ast.Expression):
            constant = ast.ConstantDeclaration(node.type, node.identifier, node.init_expression)
            constant.span = node.span
            return self.visit_ConstantDeclaration(constant, context)  # nothing here can assign another value to it
        return super().visit_ClassicalDeclaration(node, context)

    def visit_ClassicalAssignment(self, node: ast.ClassicalAssignment, context: State) -> State:  # noqa: N802
        raise_from_node(node, "a classical value is given once, where it is declared; only measurements write bits")

    def visit_BranchingStatement(self, node: ast.BranchingStatement, context: State) -> State:  # noqa: N802
        self._count(BRANCH_OPERATIONS + CONNECTIVE_OPERATIONS * connectives(node.condition), node)
        node = single_comparisons(node)
        known = self._known(node.condition, context)
        if known is None:
            return super().visit_BranchingStatement(node, context)
        with LocalScope(context) as inner:
            for statement in node.if_block if known else node.else_block:
                self.visit(statement, inner)
        return context

    def visit_SwitchStatement(self, node: ast.SwitchStatement, context: State) -> State:  # noqa: N802
        statement = as_branches(node)
        return context if statement is None else self.visit(statement, context)

    def _known(self, condition: ast.Expression, context: State) -> bool | None:
        """Whether a condition on constants holds, as on a loop's variable; None if it reads a bit."""
        if isinstance(condition, ast.BooleanLiteral):
            return bool(condition.value)
        if isinstance(condition, ast.BinaryExpression) and condition.op.name in _COMPARISONS:
            sides = [self._resolve_generic(side, context, strict=True)[0] for side in (condition.lhs, condition.rhs)]
            if all(isinstance(side, int | float) for side in sides):
                return _COMPARISONS[condition.op.name](*sides)
        return None

    def visit_ConstantDeclaration(self, node: ast.ConstantDeclaration, context: State) -> State:  # noqa: N802
        value, kind = self._resolve_generic(node.init_expression, context, strict=False)
        if not isinstance(value, int | float) or not getattr(kind, "const", False):
            raise_from_node(node, "the value of a const must be a constant number")
        if isinstance(node.type, ast.FloatType):
            value, kind = float(value), types.Float(const=True)
        elif isinstance(node.type, ast.AngleType):
            value, kind = float(value), types.Angle(const=True)
        elif isinstance(node.type, ast.IntType | ast.UintType) and isinstance(value, int):
            kind = types.Int(const=True)
        else:
            raise_from_node(node, "a const is an int, uint, float or angle")
        _define(Symbol(node.identifier.name, value, kind, context.scope, node), context)
        return context

    def visit_QuantumGateDefinition(self, node: ast.QuantumGateDefinition, context: State) -> State:  # noqa: N802
        called = [statement.name.name for statement in node.body if isinstance(statement, ast.QuantumGate)]
        size = sum(self.gate_sizes.get(name, 1) for name in called)
        if size > MAX_GATE_OPERATIONS:
            message = f"gate '{node.name.name}' expands to more than {MAX_GATE_OPERATIONS:,} operations"
            raise_from_node(node, message)
        self.gate_sizes[node.name.name] = max(1, size)
        return super().visit_QuantumGateDefinition(node, context)

    def _define_gate(
        self,
        name: str,
        definition: Callable[..., Gate],
        n_parameters: int,
        n_qubits: int,
        definer: ast.QASMNode,
        context: State,
    ) -> State:
        if n_parameters == 0:
            definition = cache(definition)  # one gate for all its uses: the importer would copy its whole definition
        return super()._define_gate(name, definition, n_parameters, n_qubits, definer, context)

    def visit_QuantumGate(self, node: ast.QuantumGate, context: State) -> State:  # noqa: N802
        name = node.name.name
        if name in _qiskit_gates() and context.symbol_table.get(name, node) is None:
            kind, parameters, qubits = _qiskit_gates()[name]
            symbol = Symbol(name, kind, types.Gate(parameters, qubits), Scope.GLOBAL, node)
            _define(symbol, context)
        size = self.gate_sizes.get(name, 1)
        self._count(size, node)
        before = len(context.circuit.data)
        context = super().visit_QuantumGate(node, context)
        self._count((len(context.circuit.data) - before - 1) * size, node)
        return context

    def visit_ForInLoop(self, node: ast.ForInLoop, context: State) -> State:  # noqa: N802
        values = self._iterations(node, context)
        if _leaves_early(node.block):
            self._count(len(values), node)
            return super().visit_ForInLoop(node, context)
        for value in values:
            self._count(1, node)
            with LocalScope(context) as inner:
                _define(Symbol(node.identifier.name, value, types.Int(const=True), Scope.LOCAL, node), inner)
                for statement in node.block:
                    self.visit(statement, inner)
        return context

    def _iterations(self, node: ast.ForInLoop, context: State) -> Sequence[int]:
        values, kind = self._resolve_generic(node.set_declaration, context, strict=True)
        if isinstance(kind, types.Range):
            if values.start is None or values.stop is None:
                raise_from_node(node, "a loop's range needs a start and an end")
            values = range(values.start, values.stop, 1 if values.step is None else values.step)
        elif not isinstance(kind, types.Sequence):
            raise_from_node(node, "a loop runs over a range or a set of integers")
        if len(values) > MAX_LOOP_ITERATIONS:
            raise_from_node(node, f"a loop may have {MAX_LOOP_ITERATIONS:,} iterations")
        iterations: Sequence[int] = values
        return iterations

    def _check_size(self, size: ast.Expression | None, limit: int, context: State) -> None:
        if size is not None and not 0 < self._resolve_constant_int(size, context) <= limit:
            raise_from_node(size, f"a register has between 1 and {limit:,} bits")

    def _count(self, operations: int, node: ast.QASMNode) -> None:
        self.expanded += operations
        if self.expanded > MAX_EXPANDED_OPERATIONS:
            line = node.span.start_line if node.span else 0
            message = f"Line {line}: the program expands to more than {MAX_EXPANDED_OPERATIONS:,} operations."
            raise Problem("too_many_operations", message, pointer=SOURCE)

    def _resolve_generic(self, node: Any, context: State, strict: bool) -> tuple[Any, types.Type]:
        value: tuple[Any, types.Type] = _Values(context, strict).resolve(node)
        return value

    def _resolve_angle(self, node: ast.Expression, context: State) -> Any:
        value = super()._resolve_angle(node, context)
        if isinstance(value, int | float) and not math.isfinite(float(value)):
            raise_from_node(node, "an angle must be finite")
        return value

    def _resolve_condition(self, node: ast.Expression, context: State) -> Any:
        return super()._resolve_condition(_bit_condition(node, context), context)

    def _apply_gate_modifier(self, modifier: ast.QuantumGateModifier, gate: Gate, context: State) -> Gate:
        if modifier.modifier is ast.GateModifierName.pow and gate.num_qubits > MAX_POWER_QUBITS:
            raise_from_node(modifier, f"powers are taken of gates on up to {MAX_POWER_QUBITS} qubits")
        if modifier.modifier in (ast.GateModifierName.inv, ast.GateModifierName.pow):
            return super()._apply_gate_modifier(modifier, gate, context)
        controls = 1 if modifier.argument is None else self._resolve_constant_int(modifier.argument, context)
        if not 1 <= controls <= MAX_QUBITS:
            raise_from_node(modifier, f"a gate has between 1 and {MAX_QUBITS:,} controls")
        if gate.num_qubits == 0:
            gate = GlobalPhaseGate(gate.definition.global_phase)  # the importer's is a circuit without a name
        negative = modifier.modifier is ast.GateModifierName.negctrl
        return gate.control(controls, ctrl_state=0 if negative else None, annotated=False)


@lru_cache(1)
def _qiskit_gates() -> dict[str, tuple[type[Gate], int, int]]:
    """Qiskit's gates beyond `stdgates.inc`: class, angles, qubits. A program's own of the same name go first."""
    beyond = [
        (name, gate)
        for name, gate in get_standard_gate_name_mapping().items()
        if isinstance(gate, Gate) and name not in GATES
    ]
    return {name: (type(gate), len(gate.params), gate.num_qubits) for name, gate in beyond}


def _define(symbol: Symbol, context: State) -> None:
    context.symbol_table.insert(symbol)  # type: ignore[no-untyped-call]


def _bit_condition(node: ast.Expression, context: State) -> ast.Expression:
    """`bit == 1` as `bit == true`: the importer compares a bit with a bool only."""
    if not (isinstance(node, ast.BinaryExpression) and node.op.name in ("==", "!=")):
        return node
    sides = [node.lhs, node.rhs]
    for here, there in ((0, 1), (1, 0)):
        number = sides[here]
        if isinstance(number, ast.IntegerLiteral) and number.value in (0, 1):
            _, kind = ValueResolver(context).resolve(sides[there])
            if isinstance(kind, types.Bit):
                sides[here] = ast.BooleanLiteral(value=bool(number.value))
    changed = ast.BinaryExpression(op=node.op, lhs=sides[0], rhs=sides[1])
    changed.span = node.span
    return changed


def _leaves_early(block: Sequence[ast.Statement]) -> bool:
    """Whether `break` or `continue` occurs: such a loop is left to the simulator."""
    for statement in block:
        if isinstance(statement, ast.BreakStatement | ast.ContinueStatement):
            return True
        if isinstance(statement, ast.BranchingStatement) and (
            _leaves_early(statement.if_block) or _leaves_early(statement.else_block)
        ):
            return True
    return False
