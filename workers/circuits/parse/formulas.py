"""Angles of OpenQASM 3 as Qiskit's expressions of free parameters."""

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

from qiskit.circuit import ParameterExpression

from qstill.contract.circuits.openqasm3.classical.places import NeedsInput
from qstill.contract.circuits.openqasm3.classical.values import UNKNOWN, Free, Node, leaves, run

_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": lambda left, right: left / right,
    "negate": lambda value: -value,
    "cast": lambda value: value,
    "arccos": lambda value: value.arccos(),
    "arcsin": lambda value: value.arcsin(),
    "arctan": lambda value: value.arctan(),
    "cos": lambda value: value.cos(),
    "exp": lambda value: value.exp(),
    "log": lambda value: value.log(),
    "sin": lambda value: value.sin(),
    "tan": lambda value: value.tan(),
}
_MAX_POWER = 16  # x**3 is written x·x·x


def formula(data: Any, parameters: Mapping[str, Any]) -> float | ParameterExpression:
    """The value of an angle, radians. parameters: a number or Qiskit's expression for each free name.

    Raises `NeedsInput` where Qiskit has no expression for it.
    """
    if isinstance(data, Free):
        return parameters[data.name]
    if not isinstance(data, Node):
        return float(data)
    arguments = [formula(argument, parameters) for argument in data.arguments]
    if not any(isinstance(argument, ParameterExpression) for argument in arguments):
        given = [
            argument if isinstance(original, UNKNOWN) else original
            for argument, original in zip(arguments, data.arguments, strict=True)
        ]
        return run(data.function, data.to, data.types, given)
    if data.function in _FUNCTIONS and data.to.kind == "float" and _are_plain(data):
        return _FUNCTIONS[data.function](*arguments)
    if data.function in ("**", "pow") and _is_small_power(arguments[1]):
        return reduce(lambda left, right: left * right, [arguments[0]] * int(arguments[1]))
    raise NeedsInput(next(leaf.name for leaf in leaves(data) if isinstance(leaf, Free)))


def _are_plain(data: Node) -> bool:
    """Whether no argument but a known one wraps around or is rounded."""
    return all(
        kind.kind == "float" or not isinstance(argument, UNKNOWN)
        for kind, argument in zip(data.types, data.arguments, strict=True)
    )


def _is_small_power(exponent: Any) -> bool:
    return isinstance(exponent, int | float) and exponent == int(exponent) and 1 <= exponent <= _MAX_POWER
