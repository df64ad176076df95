"""Expressions of OpenQASM 3 and what stands in them: operators, calls, casts, literals, indices, operands, sets."""

from typing import Any, NoReturn

from openqasm3 import ast

from qstill.contract.circuits.openqasm3.syntax.tokens import (
    BITS,
    CODED,
    DURATION,
    FLOAT,
    HARDWARE_QUBIT,
    IMAGINARY,
    INTEGER,
    NAME,
    SCALARS,
    Tokens,
)
from qstill.contract.circuits.source_text import MAX_NESTING, refuse

MAX_HEIGHT = 128  # of an expression's tree: who walks it recurses, and a sum of 20,000 terms is a tree as high
MAX_RECURSION = (
    2 * MAX_NESTING
)  # of `expression`: a bracket, and an operator that what stands in the next one belongs to

_LEVELS = (
    ("||",),
    ("&&",),
    ("|",),
    ("^",),
    ("&",),
    ("==", "!="),
    (">", "<", ">=", "<="),
    ("<<", ">>"),
    ("+", "-"),
    ("*", "/", "%"),
)  # from the loosest; signs bind closer than these, and powers closer than signs
_BINARY = {sign: (level, ast.BinaryOperator[sign]) for level, signs in enumerate(_LEVELS) for sign in signs}
_SIGN_LEVEL = len(_LEVELS)
_POWER_LEVEL = _SIGN_LEVEL + 1
_BINARY["**"] = (_POWER_LEVEL, ast.BinaryOperator["**"])
_NO_OPERATOR = (-1, ast.BinaryOperator["**"])
_UNARY = {sign: ast.UnaryOperator[sign] for sign in "~!-"}
_BASES = {"b": 2, "o": 8, "x": 16}
_UNITS = {unit.name: unit for unit in ast.TimeUnit} | {"µs": ast.TimeUnit.us}
_MAX_DIGITS = 4_000  # Python refuses to read longer decimal integers


class Expressions(Tokens):
    """A program that expressions are taken from. A method takes what it is named for and leaves what follows next.

    `height` is that of the expression taken last, `_peak` that of the highest in what `durationof` encloses.
    """

    def __init__(self, source: str) -> None:
        super().__init__(source)
        self.height = 0
        self._peak = 0
        self._recursion = 0

    def expression(self, level: int = 0) -> ast.Expression:
        """An expression of operators that bind at least as closely as `level`."""
        self._recursion += 1
        if self._recursion > MAX_RECURSION:
            self._refuse_height()
        start = self.start
        left = self._signed() if self.kind in _UNARY else self._operand()
        left = self.continued(left, start, level)
        self._recursion -= 1
        return left

    def continued(self, left: ast.Expression, start: int, level: int = 0) -> ast.Expression:
        """The expression that begins with an operand, taken already, which starts at `start`."""
        while True:
            if self.kind == "[":
                height = self.height
                index, _ = self.index()
                left = ast.IndexExpression(left, index)
                self.set_height(max(height, self.height) + 1)
            else:
                binding, operator = _BINARY.get(self.kind, _NO_OPERATOR)
                if binding < level:
                    return left
                height = self.height
                self.advance()
                right = self._power() if binding == _POWER_LEVEL else self.expression(binding + 1)
                left = ast.BinaryExpression(operator, left, right)
                self.set_height(max(height, self.height) + 1)
            left.span = self.span(start, self.previous)

    def _power(self) -> ast.Expression:
        """What stands behind `**`: powers are taken from the right."""
        self.deeper()
        exponent = self.expression(_POWER_LEVEL)
        self.nesting -= 1
        return exponent

    def _signed(self) -> ast.Expression:
        start, operator = self.start, _UNARY[self.kind]
        self.deeper()
        self.advance()
        signed = ast.UnaryExpression(operator, self.expression(_SIGN_LEVEL))
        self.nesting -= 1
        self.set_height(self.height + 1)
        signed.span = self.span(start, self.previous)
        return signed

    def set_height(self, height: int) -> None:
        """The height of the expression that is being put together, which is bounded."""
        if height > MAX_HEIGHT:
            self._refuse_height()
        self.height = height
        self._peak = max(self._peak, height)

    def _refuse_height(self) -> NoReturn:
        message = f"This expression is a tree of more than {MAX_HEIGHT} levels."
        refuse(self.source, self.start, "qasm_too_deep", message)

    def _operand(self) -> ast.Expression:
        """A name, a literal, a call, a cast, or an expression in brackets."""
        start, kind = self.start, self.kind
        if kind == NAME:
            name = self.name()
            if self.kind == "(":
                return self.call(name, self.arguments(), start)
            self.height = 1
            return name
        if kind == "pow":  # the specification's function; its grammar has the word for the modifier alone
            name = ast.Identifier(self.take("pow"))
            name.span = self.span(start, start)
            return self.call(name, self.arguments(), start)
        if kind == "(":
            self.deeper()
            self.advance()
            expression = self.expression()
            self.take(")")
            self.nesting -= 1
            return expression
        if kind in SCALARS or kind == "array":
            return self.cast(self.type(), start)
        if kind == "durationof":
            expression = self._duration_of()
        else:
            expression = self._literal()
            self.height = 1
        expression.span = self.span(start, self.previous)
        return expression

    def _literal(self) -> ast.Expression:
        kind, text = self.kind, self.text
        literal: ast.Expression
        if kind == INTEGER:
            literal = ast.IntegerLiteral(self._integer(text))
        elif kind == FLOAT:
            literal = ast.FloatLiteral(float(text))
        elif kind in ("true", "false"):
            literal = ast.BooleanLiteral(kind == "true")
        elif kind == BITS:
            digits = text[1:-1].replace("_", "")
            literal = ast.BitstringLiteral(int(digits, 2), len(digits))
        elif kind == CODED:
            literal = ast.IntegerLiteral(int(text, _BASES[text[1].lower()]))
        elif kind == IMAGINARY:
            literal = ast.ImaginaryLiteral(float(text.rstrip("imj")))
        elif kind == DURATION:
            unit = text[-2:] if text[-2:] in _UNITS else "s"
            literal = ast.DurationLiteral(float(text.removesuffix(unit)), _UNITS[unit])
        elif kind == HARDWARE_QUBIT:
            literal = ast.Identifier(text)
        else:
            self.expected("an expression")
        self.advance()
        return literal

    def _integer(self, text: str) -> int:
        if len(text) > _MAX_DIGITS:
            self.complain("This number is too long.")
        return int(text)

    def _duration_of(self) -> ast.Expression:
        self.advance()
        self.take("(")
        peak, self._peak = self._peak, 0
        statements = self.block()
        self.set_height(self._peak + 1)
        self._peak = max(peak, self._peak)
        self.advance()
        self.take(")")
        return ast.DurationOf(statements)

    def block(self) -> list[Any]:
        """The statements in braces; the closing brace is the last token."""
        raise NotImplementedError

    def call(self, name: ast.Identifier, arguments: list[ast.Expression], start: int) -> ast.Expression:
        """The call of a function, from its name and its arguments."""
        call: ast.Expression
        if name.name != "sizeof":
            call = ast.FunctionCall(name, arguments)
        elif len(arguments) in (1, 2):
            call = ast.SizeOf(*arguments)
        else:
            self.complain("'sizeof' takes one or two arguments.", at=start)
        call.span = self.span(start, self.previous)
        return call

    def cast(self, kind: ast.ClassicalType, start: int) -> ast.Cast:
        """The expression in brackets behind a type, which was taken already."""
        self.deeper()
        self.take("(")
        cast = ast.Cast(kind, self.expression())
        self.take(")")
        self.nesting -= 1
        self.set_height(self.height + 1)
        cast.span = self.span(start, self.previous)
        return cast

    def type(self) -> ast.ClassicalType:
        """The type of a value or an array."""
        raise NotImplementedError

    def name(self) -> ast.Identifier:
        """A name."""
        start = self.start
        name = ast.Identifier(self.take(NAME))
        name.span = self.span(start, start)
        return name

    def names(self) -> list[ast.Identifier]:
        """Names between commas; one may trail."""
        names = [self.name()]
        while self.accept(",") and self.kind == NAME:
            names.append(self.name())
        return names

    def arguments(self) -> list[ast.Expression]:
        """Expressions in brackets, none at least."""
        self.deeper()
        self.take("(")
        arguments = self.expressions(until=")")
        self.take(")")
        self.nesting -= 1
        return arguments

    def expressions(self, *, until: str) -> list[ast.Expression]:
        """Expressions between commas, one of which may trail, up to a sign. `height` is one more than the highest."""
        expressions, height = [], 0
        while self.kind != until:
            expressions.append(self.expression())
            height = max(height, self.height)
            if not self.accept(","):
                break
        self.set_height(height + 1)
        return expressions

    def some_expressions(self, *, until: str) -> list[ast.Expression]:
        """As `expressions`, one at least."""
        if self.kind == until:
            self.expected("an expression")
        return self.expressions(until=until)

    def index(self) -> tuple[ast.IndexElement, bool]:
        """An index in square brackets, and whether it could be a size as well: one expression and nothing else."""
        self.deeper()
        self.take("[")
        index: ast.IndexElement
        if self.kind == "{":
            index, simple = self.set(), False
        else:
            first = self.index_or_range()
            index, simple = [first], not isinstance(first, ast.RangeDefinition)
            height = self.height
            while self.accept(","):
                simple = False
                if self.kind == "]":
                    break
                index.append(self.index_or_range())
                height = max(height, self.height)
            self.height = height
        self.take("]")
        self.nesting -= 1
        return index, simple

    def index_or_range(self) -> ast.Expression | ast.RangeDefinition:
        """An expression, or two or three of them between colons, of which the last of three must be there."""
        start = self.start
        first = None if self.kind == ":" else self.expression()
        if self.kind != ":":
            assert first is not None
            return first
        height = 0 if first is None else self.height
        self.advance()
        second = third = None
        if self.kind not in (":", "]", ","):
            second = self.expression()
            height = max(height, self.height)
        if self.accept(":"):
            third = self.expression()
            height = max(height, self.height)
        self.height = height
        span = ast.RangeDefinition(first, second, None) if third is None else ast.RangeDefinition(first, third, second)
        span.span = self.span(start, self.previous)
        return span

    def set(self) -> ast.DiscreteSet:
        """Expressions in braces, one at least."""
        start = self.start
        self.take("{")
        values = ast.DiscreteSet(self.some_expressions(until="}"))
        self.take("}")
        values.span = self.span(start, self.previous)
        return values

    def size(self) -> ast.Expression | None:
        """The expression in square brackets, if there are any."""
        if self.kind != "[":
            return None
        self.deeper()
        self.advance()
        size = self.expression()
        self.take("]")
        self.nesting -= 1
        return size
