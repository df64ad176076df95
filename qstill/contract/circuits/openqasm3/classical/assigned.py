"""Which names a block may give another value to, read off its syntax tree."""

from collections.abc import Iterable, Iterator
from typing import Any

from openqasm3 import ast


def assigned(nodes: Iterable[Any]) -> list[str]:
    """Names, each once, in order. A name that the block itself declares may be among them."""
    return list(dict.fromkeys(name for node in nodes for name in _of(node)))


def _of(node: Any) -> Iterator[str]:
    match node:
        case ast.ClassicalAssignment():
            yield _name(node.lvalue)
            yield from _given_away(node.rvalue)
        case ast.QuantumMeasurementStatement():
            if node.target is not None:
                yield _name(node.target)
        case ast.AliasStatement():
            yield from _names(node.value)  # under its new name it may be assigned to
        case ast.BranchingStatement():
            yield from assigned([*node.if_block, *node.else_block])
        case ast.ForInLoop() | ast.WhileLoop():
            yield from assigned(node.block)
        case ast.SwitchStatement():
            yield from assigned(statement for _, block in node.cases for statement in block.statements)
            yield from assigned([] if node.default is None else node.default.statements)
        case ast.CompoundStatement():
            yield from assigned(node.statements)
        case ast.Box():
            yield from assigned(node.body)
        case ast.ExpressionStatement():
            yield from _given_away(node.expression)
        case ast.ClassicalDeclaration():
            yield from _given_away(node.init_expression)
        case ast.ReturnStatement():
            yield from _given_away(node.expression)


def _given_away(node: Any) -> Iterator[str]:
    """Names among the arguments of calls: a subroutine may write into an array."""
    match node:
        case ast.FunctionCall():
            for argument in node.arguments:
                yield from _names(argument)
        case ast.UnaryExpression():
            yield from _given_away(node.expression)
        case ast.BinaryExpression():
            yield from _given_away(node.lhs)
            yield from _given_away(node.rhs)
        case ast.Cast():
            yield from _given_away(node.argument)


def _names(node: Any) -> Iterator[str]:
    match node:
        case ast.Identifier():
            yield node.name
        case ast.IndexExpression():
            yield from _names(node.collection)
        case ast.Concatenation():
            yield from _names(node.lhs)
            yield from _names(node.rhs)


def _name(node: ast.Identifier | ast.IndexedIdentifier) -> str:
    return node.name.name if isinstance(node, ast.IndexedIdentifier) else node.name
