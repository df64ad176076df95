"""`if` and `switch` of OpenQASM 3 as the importer has them: one comparison each, `==` or a bit, branches nested."""

from collections.abc import Sequence

from openqasm3 import ast
from qiskit_qasm3_import.exceptions import raise_from_node

MAX_CONNECTIVES = 8  # each && or || writes a branch twice


def single_comparisons(node: ast.BranchingStatement) -> ast.BranchingStatement:
    """The same without `&&`, `||`, `!=`, and `!` of a comparison."""
    if connectives(node.condition) > MAX_CONNECTIVES:
        raise_from_node(node.condition, f"a condition has at most {MAX_CONNECTIVES} of && and ||")
    return _branch(node.condition, node.if_block, node.else_block, node)


def as_branches(node: ast.SwitchStatement) -> ast.Statement | None:
    """A switch as an `if` for every case, each in the `else` before it; None if nothing is in it."""
    otherwise: list[ast.Statement] = [] if node.default is None else list(node.default.statements)
    for values, block in reversed(node.cases):
        for value in reversed(values):
            test = _compared(ast.BinaryOperator["=="], node.target, value, node)
            otherwise = [_if(test, list(block.statements), otherwise, node)]
    if len(node.cases) == 0 and otherwise:
        return _if(ast.BooleanLiteral(value=True), otherwise, [], node)
    return otherwise[0] if otherwise else None


def connectives(condition: ast.Expression) -> int:
    """How many `&&` and `||` a condition has."""
    found, waiting = 0, [condition]
    while waiting:
        here = waiting.pop()
        if isinstance(here, ast.UnaryExpression):
            waiting.append(here.expression)
        elif isinstance(here, ast.BinaryExpression):
            found += here.op.name in ("&&", "||")
            waiting += (here.lhs, here.rhs)
    return found


def _branch(
    test: ast.Expression,
    then: Sequence[ast.Statement],
    otherwise: Sequence[ast.Statement],
    place: ast.QASMNode,
) -> ast.BranchingStatement:
    if isinstance(test, ast.BinaryExpression) and test.op.name == "&&":
        return _branch(test.lhs, [_branch(test.rhs, then, otherwise, place)], otherwise, place)
    if isinstance(test, ast.BinaryExpression) and test.op.name == "||":
        return _branch(test.lhs, then, [_branch(test.rhs, then, otherwise, place)], place)
    if isinstance(test, ast.BinaryExpression) and test.op.name == "!=":
        equal = _compared(ast.BinaryOperator["=="], test.lhs, test.rhs, test)
        return _if(equal, list(otherwise), list(then), place)
    if isinstance(test, ast.UnaryExpression) and test.op.name == "!":
        return _branch(test.expression, otherwise, then, place)
    return _if(test, list(then), list(otherwise), place)


def _compared(
    op: ast.BinaryOperator, lhs: ast.Expression, rhs: ast.Expression, place: ast.QASMNode
) -> ast.BinaryExpression:
    expression = ast.BinaryExpression(op=op, lhs=lhs, rhs=rhs)
    expression.span = place.span
    return expression


def _if(
    test: ast.Expression, then: list[ast.Statement], otherwise: list[ast.Statement], place: ast.QASMNode
) -> ast.BranchingStatement:
    statement = ast.BranchingStatement(condition=test, if_block=then, else_block=otherwise)
    statement.span = place.span
    return statement
