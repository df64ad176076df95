"""Fields of Cirq's JSON, each read as what it must be: numbers, sympy's expressions, matrices, qubits."""

import re
from functools import reduce
from itertools import groupby
from math import e, isfinite, pi
from operator import add, mul
from typing import Any, NoReturn

import numpy as np
from qiskit.circuit import Parameter, ParameterExpression
from qiskit.exceptions import QiskitError

from app.circuits.cirq_text import QUBITS
from app.circuits.expressions import MAX_NAME_CHARACTERS
from app.errors import Problem
from workers.circuits.matrices import Matrix
from workers.circuits.parse.values import Value

Object = dict[str, Any]
Key = tuple[str, tuple[int | str, ...]]

MAX_MATRIX_QUBITS = 6  # 4^n numbers of 60 characters each
_UNITARY = 1e-6  # how far a matrix may be from unitary, in each number
_CONSTANTS = {"sympy.pi": pi, "sympy.E": e, "sympy.EulerGamma": float(np.euler_gamma)}


def type_of(value: Object, path: str) -> str:
    return str(field(value, "cirq_type", str, path))


def field(value: Object, name: str, kind: type, path: str) -> Any:
    found = value.get(name)
    if not isinstance(found, kind) or isinstance(found, bool):
        words: dict[type, str] = {dict: "an object", list: "a list", str: "a string"}
        what = words.get(kind, "an integer")
        raise Problem("cirq_invalid", f"`{name}` must be {what}.", pointer=f"{path}/{name}")
    return found


def objects(value: Object, name: str, path: str) -> list[Object]:
    found: list[Object] = field(value, name, list, path)
    for index, item in enumerate(found):
        if not isinstance(item, dict):
            raise Problem("cirq_invalid", "This must be an object.", pointer=f"{path}/{name}/{index}")
    return found


def unsupported(value: Object, path: str) -> NoReturn:
    kind = str(value.get("cirq_type"))[:99]
    raise Problem("cirq_unsupported", f"{kind!r} is not supported here.", pointer=path)


def qubit_key(qubit: Object, path: str) -> Key:
    """What Cirq sorts qubits by: the type's name, then the place, or the name with its numbers as numbers."""
    kind = type_of(qubit, path)
    if kind not in QUBITS:
        unsupported(qubit, path)
    if kind == "NamedQubit":
        runs = (("".join(run), digits) for digits, run in groupby(field(qubit, "name", str, path), str.isdigit))
        return kind, ("".join(f"{run.rjust(8, '0')}:{len(run)}" if digits else run for run, digits in runs),)
    return kind, tuple(field(qubit, name, int, path) for name in QUBITS[kind])


def number(value: Any, path: str, parameters: dict[str, Parameter]) -> Value:
    """A number, or what sympy's objects say in free parameters; one of the same name is the same parameter."""
    if isinstance(value, dict):
        try:
            value = _expression(value, path, parameters)
        except (QiskitError, ArithmeticError, ValueError, TypeError):
            raise Problem("cirq_invalid", "The expression has no value.", pointer=path) from None
        if isinstance(value, ParameterExpression):
            return value
    return _real(value, path)


def _real(value: Any, path: str) -> float:
    try:
        real = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else float("nan")
    except OverflowError:
        real = float("inf")
    if not isfinite(real) or abs(real) > 1e9:
        name = path.rpartition("/")[2]
        raise Problem("cirq_invalid", f"`{name}` must be a number below 10^9.", pointer=path)
    return real


def _expression(value: Any, path: str, parameters: dict[str, Parameter]) -> Value:
    """Recursion is bounded: the document's nesting is."""
    if not isinstance(value, dict):
        return _real(value, path)
    match type_of(value, path):
        case "sympy.Symbol":
            name: str = field(value, "name", str, path)
            if len(name) > MAX_NAME_CHARACTERS or not re.fullmatch(r"[^\W\d]\w*", name):
                message = f"A symbol's name is one word of at most {MAX_NAME_CHARACTERS} characters."
                raise Problem("cirq_invalid", message, pointer=f"{path}/name")
            return parameters.setdefault(name, Parameter(name))
        case "sympy.Integer":
            return _real(value.get("i"), f"{path}/i")
        case "sympy.Float":
            return _real(value.get("approx"), f"{path}/approx")
        case "sympy.Rational":
            return _real(value.get("p"), f"{path}/p") / _real(value.get("q"), f"{path}/q")
        case "sympy.Add" | "sympy.Mul" | "sympy.Pow" as kind:
            args = field(value, "args", list, path)
            if len(args) < 2 or (kind == "sympy.Pow" and len(args) > 2):
                raise Problem("cirq_invalid", "These are too few or too many arguments.", pointer=f"{path}/args")
            parts = [_expression(part, f"{path}/args/{i}", parameters) for i, part in enumerate(args)]
            if kind == "sympy.Pow":
                power = parts[0] ** parts[1]
                return power if isinstance(power, ParameterExpression) else _real(power, path)
            total: Value = reduce(add if kind == "sympy.Add" else mul, parts)
            return total
        case kind if kind in _CONSTANTS:
            return _CONSTANTS[kind]
    unsupported(value, path)


def complex_number(value: Any, path: str) -> complex:
    """A number, or Cirq's object for a complex one."""
    if isinstance(value, dict):
        if type_of(value, path) != "complex":
            unsupported(value, path)
        return complex(_real(value.get("real"), f"{path}/real"), _real(value.get("imag"), f"{path}/imag"))
    return complex(_real(value, path))


def unitary_matrix(gate: Object, path: str) -> Matrix:
    """The field `matrix`, (2^n, 2^n), checked to be unitary. The first qubit is the high bit."""
    rows = field(gate, "matrix", list, path)
    size, at = len(rows), f"{path}/matrix"
    if size not in [2**qubits for qubits in range(1, MAX_MATRIX_QUBITS + 1)]:
        message = f"A matrix acts on up to {MAX_MATRIX_QUBITS} qubits: its size is a power of two, {size} is not."
        raise Problem("cirq_invalid", message, pointer=at)
    if any(not isinstance(row, list) or len(row) != size for row in rows):
        raise Problem("cirq_invalid", f"The matrix must have {size} rows of {size} numbers.", pointer=at)
    matrix = np.array(
        [[complex_number(item, f"{at}/{i}/{j}") for j, item in enumerate(row)] for i, row in enumerate(rows)],
        dtype=np.complex128,
    )
    if not np.allclose(matrix @ matrix.conj().T, np.eye(size), rtol=0, atol=_UNITARY):
        raise Problem("cirq_invalid", "The matrix is not unitary.", pointer=at)
    return matrix
