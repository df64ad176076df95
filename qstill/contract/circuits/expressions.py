"""Arithmetic that a client may write where a number is due: "2*gamma", "pi/4 - beta". Read by a table, never executed.

An expression becomes a list of steps for a stack, so that neither reading nor evaluating it recurses.
"""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import isfinite, pi
from typing import Any

MAX_EXPRESSION_CHARACTERS = 256  # bounds operands, nesting and the digits of an integer at once
MAX_NAME_CHARACTERS = 64  # names are echoed in errors and in results

Steps = tuple[int | float | str | Callable[..., Any], ...]

_TOKEN = re.compile(
    r"(?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)|(?P<name>[^\W\d]\w*)|(?P<power>\*\*|\^)|(?P<sign>[-+*/()])"
)
_CONSTANTS = {"pi": pi, "π": pi}
_BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}
_STRENGTH = {"(": 0, ")": 1, "+": 1, "-": 1, "*": 2, "/": 2, "negate": 3}


class ExpressionError(ValueError):
    """What is wrong with an expression, in one sentence."""


@dataclass(frozen=True, slots=True)
class Expression:
    """steps: numbers, names and operations in postfix order. names: the free parameters, in order of first use."""

    steps: Steps
    names: tuple[str, ...]

    def evaluate(self, values: Mapping[str, Any], *, divide: Callable[[Any, Any], Any] = operator.truediv) -> Any:
        """The value with `values` for the names: numbers, or anything that can be added and multiplied.

        Raises `ExpressionError` where a number is divided by zero or too large. divide: what "/" does.
        """
        stack: list[Any] = []
        try:
            for step in self.steps:
                if isinstance(step, str):
                    stack.append(values[step])
                elif step is operator.neg:
                    stack.append(-stack.pop())
                elif callable(step):
                    right, left = stack.pop(), stack.pop()
                    stack.append(divide(left, right) if step is operator.truediv else step(left, right))
                else:
                    stack.append(step)
            [value] = stack
            if isinstance(value, int):
                value = float(value)
        except ZeroDivisionError:
            raise ExpressionError("A number is divided by zero.") from None
        except OverflowError:
            raise ExpressionError("The value is too large.") from None
        if isinstance(value, float) and not isfinite(value):
            raise ExpressionError("The value is not a finite number.")
        return value


@lru_cache(4096)
def compile_expression(text: str) -> Expression:
    """Read numbers, `pi`, names, + - * / and parentheses. Raises `ExpressionError`."""
    return read_expression(text, _CONSTANTS)


def read_expression(text: str, constants: Mapping[str, float]) -> Expression:
    """The same with other constants."""
    if len(text) > MAX_EXPRESSION_CHARACTERS:
        raise ExpressionError(f"An expression has {MAX_EXPRESSION_CHARACTERS} characters at most.")
    steps: list[int | float | str | Callable[..., Any]] = []
    names: dict[str, None] = {}
    waiting: list[str] = []
    operand_due = True
    before = ""  # the last token, where it was a name
    for kind, word in _tokens(text):
        if word == "(" and before:
            raise ExpressionError(f"Functions are not known here: {before}(…) has no value.")
        before = word if kind == "name" else ""
        if kind != "sign":
            if not operand_due:
                raise ExpressionError(f"An operator is missing before {word!r}.")
            operand_due = False
            if kind == "number":
                steps.append(int(word) if word.isdigit() else float(word))
            elif word in constants:
                steps.append(constants[word])
            else:
                names[word] = None
                steps.append(word)
        elif operand_due and word in ("(", "-"):
            waiting.append("negate" if word == "-" else word)
        elif word != "(" and not operand_due:
            while waiting and _STRENGTH[waiting[-1]] >= _STRENGTH[word]:
                steps.append(_operation(waiting.pop()))
            if word in _BINARY:
                waiting.append(word)
                operand_due = True
            elif not waiting or waiting.pop() != "(":
                raise ExpressionError("A parenthesis is closed that was never opened.")
        else:
            missing = "A number or a name" if operand_due else "An operator"
            raise ExpressionError(f"{missing} is missing before {word!r}.")
    if operand_due:
        raise ExpressionError("The expression ends where a number or a name is due.")
    while waiting:
        if waiting[-1] == "(":
            raise ExpressionError("A parenthesis is not closed.")
        steps.append(_operation(waiting.pop()))
    return Expression(tuple(steps), tuple(names))


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens: list[tuple[str, str]] = []
    position = 0
    while position < len(text):
        if text[position] in " \t\r\n":
            position += 1
            continue
        token = _TOKEN.match(text, position)
        if token is None:
            raise ExpressionError(f"{text[position]!r} has no meaning here.")
        if token.lastgroup == "name" and len(token[0]) > MAX_NAME_CHARACTERS:
            raise ExpressionError(f"A name has {MAX_NAME_CHARACTERS} characters at most.")
        if token.lastgroup == "power":
            raise ExpressionError(f"Powers are not known here: write x*x for x{token[0]}2.")
        tokens.append((token.lastgroup or "", token[0]))
        position = token.end()
    return tokens


def _operation(sign: str) -> Callable[..., Any]:
    return operator.neg if sign == "negate" else _BINARY[sign]
