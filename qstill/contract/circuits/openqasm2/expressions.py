"""Angles of OpenQASM 2: numbers, or in a gate's definition functions of its parameters."""

import math
import operator
from collections.abc import Callable, Mapping
from typing import TypeAlias

from qstill.contract.circuits.openqasm2.tokens import Tokens

MAX_OPERATORS = 256  # of one expression; each is a level of recursion when it is computed

Values: TypeAlias = tuple[float, ...]
Expression: TypeAlias = float | Callable[[Values], float]

FUNCTIONS: Mapping[str, Callable[[float], float]] = {
    "sin": math.sin,
    "cos": math.cos,
    "tan": math.tan,
    "exp": math.exp,
    "ln": math.log,
    "sqrt": math.sqrt,
    "asin": math.asin,
    "acos": math.acos,
    "atan": math.atan,
}
_BINARY: Mapping[str, tuple[int, int, Callable[[float, float], float]]] = {  # how strongly each binds left and right
    "+": (1, 2, operator.add),
    "-": (1, 2, operator.sub),
    "*": (3, 4, operator.mul),
    "/": (3, 4, operator.truediv),
    "^": (8, 7, math.pow),
}
_SIGN = 5  # binds less than a power: -a^2 is -(a^2)


def read_expression(tokens: Tokens, parameters: Mapping[str, int], *, max_nesting: int) -> Expression:
    """One expression. parameters: places of the names that stand for values. Raises `Problem` for one without a value,
    as far as it does not depend on them."""
    if tokens.kind in ("real", "integer"):  # by far the most frequent, and alone
        number = float(tokens.advance())
        if tokens.text in (",", ")"):
            return number
        return _Reader(tokens, parameters, max_nesting).binary(number, 0, 0)
    return _Reader(tokens, parameters, max_nesting).expression(0, 0)


def value_of(expression: Expression, values: Values) -> float:
    """Raises ArithmeticError or ValueError where it has no finite value."""
    value = expression if isinstance(expression, float) else expression(values)
    if not math.isfinite(value):
        raise OverflowError
    return value


def why_no_value(error: ArithmeticError | ValueError) -> str:
    return "cannot divide by zero" if isinstance(error, ZeroDivisionError) else "an angle is not a finite number"


class _Reader:
    def __init__(self, tokens: Tokens, parameters: Mapping[str, int], max_nesting: int) -> None:
        self.tokens = tokens
        self.parameters = parameters
        self.max_nesting = max_nesting
        self.operators = 0

    def expression(self, strength: int, depth: int) -> Expression:
        """What binds more strongly than `strength`. depth: brackets, signs and powers around it."""
        return self.binary(self._operand(depth), strength, depth)

    def binary(self, left: Expression, strength: int, depth: int) -> Expression:
        tokens = self.tokens
        while (found := _BINARY.get(tokens.text)) is not None and found[0] > strength:
            self._count()
            place = tokens.place
            power = tokens.advance() == "^"
            right = self.expression(found[1], depth + power)
            left = self._applied(found[2], left, right, place)
        return left

    def _operand(self, depth: int) -> Expression:
        tokens = self.tokens
        if depth > self.max_nesting:
            message = f"an expression is nested more than {self.max_nesting} deep"
            tokens.refuse(message, code="qasm_too_deep")
        if tokens.kind in ("real", "integer"):
            return float(tokens.advance())
        if tokens.take("("):
            inner = self.expression(0, depth + 1)
            tokens.expect(")")
            return inner
        if tokens.text in ("-", "+"):
            self._count()
            negative = tokens.advance() == "-"
            inner = self.expression(_SIGN, depth + 1)
            return self._negated(inner) if negative else inner
        place = tokens.place
        name = tokens.name("a number")
        if name in self.parameters:
            return operator.itemgetter(self.parameters[name])
        if name == "pi":
            return math.pi
        if name not in FUNCTIONS:
            tokens.refuse(f"'{name}' is not defined here", place=place)
        tokens.expect("(")
        inner = self.expression(0, depth + 1)
        tokens.expect(")")
        return self._called(FUNCTIONS[name], inner, place)

    def _count(self) -> None:
        self.operators += 1
        if self.operators > MAX_OPERATORS:
            message = f"an expression has more than {MAX_OPERATORS} operators"
            self.tokens.refuse(message, code="qasm_too_deep")

    def _applied(
        self, function: Callable[[float, float], float], left: Expression, right: Expression, place: int
    ) -> Expression:
        if isinstance(left, float) and isinstance(right, float):
            first, second = left, right
            return self._now(lambda: function(first, second), place)
        return lambda values: function(
            left if isinstance(left, float) else left(values), right if isinstance(right, float) else right(values)
        )

    def _called(self, function: Callable[[float], float], argument: Expression, place: int) -> Expression:
        if isinstance(argument, float):
            value = argument
            return self._now(lambda: function(value), place)
        return lambda values: function(argument(values))

    def _negated(self, argument: Expression) -> Expression:
        return -argument if isinstance(argument, float) else lambda values: -argument(values)

    def _now(self, value: Callable[[], float], place: int) -> float:
        try:
            return value()
        except (ArithmeticError, ValueError) as error:
            self.tokens.refuse(why_no_value(error), place=place)
