"""The angles of a circuit as functions of its parameters, for torch."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from qiskit.circuit import ParameterExpression
from torch import Tensor

FUNCTIONS = {
    name: getattr(torch, name) for name in ("sin", "cos", "tan", "exp", "log", "sqrt", "asin", "acos", "atan", "sign")
} | {"Abs": torch.abs}


class Angles:
    """Values of angles from values of parameters. Linear ones, nearly all, are one product of matrices."""

    def __init__(
        self, angles: Sequence[float | ParameterExpression], names: Sequence[str], precision: torch.dtype
    ) -> None:
        place = {name: number for number, name in enumerate(names)}
        self._weights = torch.zeros(len(angles), len(names), dtype=precision)
        self._offsets = torch.zeros(len(angles), dtype=precision)
        self._others: list[tuple[int, list[int], Callable[..., Any]]] = []
        for number, angle in enumerate(angles):
            if not isinstance(angle, ParameterExpression):
                self._offsets[number] = float(angle)
                continue
            parameters = list(angle.parameters)
            slopes = [angle.gradient(parameter) for parameter in parameters]
            if any(isinstance(slope, ParameterExpression) for slope in slopes):
                where = [place[parameter.name] for parameter in parameters]
                self._others.append((number, where, _compiled(angle, parameters)))
                continue
            for parameter, slope in zip(parameters, slopes, strict=True):
                self._weights[number, place[parameter.name]] = float(slope)
            self._offsets[number] = float(angle.bind(dict.fromkeys(parameters, 0.0)))

    def __call__(self, values: Tensor) -> Tensor:
        """values: (…, P) of the parameters, in the order of their names. Returns (…, A)."""
        found = values @ self._weights.T + self._offsets
        for number, where, function in self._others:
            value = function(*(values[..., place] for place in where))
            found = torch.cat([found[..., :number], value[..., None], found[..., number + 1 :]], -1)
        return found


def _compiled(angle: ParameterExpression, parameters: Sequence[Any]) -> Callable[..., Any]:
    from sympy import Symbol, lambdify  # half a second, which circuits with linear angles need not wait for

    expression = angle.sympify()
    symbols = {symbol.name: symbol for symbol in expression.free_symbols}
    ordered = [symbols.get(parameter.name, Symbol(parameter.name)) for parameter in parameters]
    compiled: Callable[..., Any] = lambdify(ordered, expression, [FUNCTIONS, "math"])
    return compiled
