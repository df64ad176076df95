"""The integer that Qiskit's exporter puts between bits and their `switch`: `int d; … d = c; switch (d) {…}`."""

from collections.abc import Iterator
from typing import Any

from openqasm3 import ast

Statements = list[Any]  # of `ast.Statement`, and at the top of a program of `ast.Pragma` too


def switched_on_bits(program: ast.Program) -> ast.Program:
    """The same with the bits in the integer's place. An integer that is used in any other way is left as it stands."""
    declared = {
        statement.identifier.name
        for statement in program.statements
        if isinstance(statement, ast.ClassicalDeclaration)
        and isinstance(statement.type, ast.IntType | ast.UintType)
        and statement.init_expression is None
    }
    replaced: set[str] = set()
    statements = _replaced(program.statements, declared, replaced)
    kept = [
        statement
        for statement in statements
        if not (isinstance(statement, ast.ClassicalDeclaration) and statement.identifier.name in replaced)
    ]
    return ast.Program(statements=kept, version=program.version)


def _replaced(statements: Statements, declared: set[str], replaced: set[str]) -> Statements:
    kept: Statements = []
    for statement in statements:
        if isinstance(statement, ast.SwitchStatement) and isinstance(statement.target, ast.Identifier):
            name = statement.target.name
            if name in declared and kept and (bits := _given(kept[-1], name)) is not None:
                kept.pop()
                statement.target = bits
                replaced.add(name)
        for block in _blocks(statement):
            block[:] = _replaced(block, declared, replaced)
        kept.append(statement)
    return kept


def _given(statement: ast.Statement, name: str) -> ast.Expression | None:
    """What bits a statement gives to a variable; None if it does anything else."""
    if not (isinstance(statement, ast.ClassicalAssignment) and statement.op.name == "="):
        return None
    if not (isinstance(statement.lvalue, ast.Identifier) and statement.lvalue.name == name):
        return None
    return statement.rvalue if isinstance(statement.rvalue, ast.Identifier | ast.IndexExpression) else None


def _blocks(statement: ast.Statement) -> Iterator[Statements]:
    if isinstance(statement, ast.BranchingStatement):
        yield statement.if_block
        yield statement.else_block
    elif isinstance(statement, ast.ForInLoop | ast.WhileLoop):
        yield statement.block
    elif isinstance(statement, ast.SwitchStatement):
        yield from (block.statements for _, block in statement.cases)
        if statement.default is not None:
            yield statement.default.statements
