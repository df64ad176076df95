"""Fields of Cirq's JSON, each read as what it must be: numbers, sympy's expressions, matrices, qubits."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from dataclasses import field as dataclass_field
from functools import reduce
from itertools import groupby
from math import e, isfinite, pi
from operator import add, mul
from typing import Any, NoReturn

import numpy as np
from qiskit.circuit import Parameter, ParameterExpression
from qiskit.exceptions import QiskitError

from qstill.contract.circuits.cirq.text import QUBITS
from qstill.contract.circuits.expressions import MAX_NAME_CHARACTERS
from qstill.contract.errors import Problem
from workers.circuits.matrices import Matrix
from workers.circuits.parse.values import Value

Object = dict[str, Any]
Key = tuple[str, tuple[int | str, ...], int]  # where a qubit is, by what Cirq sorts it by, and its dimension

MAX_MATRIX_QUBITS = 6  # 4^n numbers of 60 characters each
MAX_DIMENSION = 1 << MAX_MATRIX_QUBITS  # of a qudit: its gates are matrices
MAX_EXPRESSION_PARTS = 1_000_000  # of all expressions, read once for every use: two seconds
_UNITARY = 1e-6  # how far a matrix may be from unitary, in each number
CONSTANTS = {"sympy.pi": pi, "sympy.E": e, "sympy.EulerGamma": float(np.euler_gamma)}


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
    """What Cirq sorts qubits by: their type, the place, or the name with its numbers as numbers, and the dimension."""
    kind = type_of(qubit, path)
    if kind not in QUBITS:
        unsupported(qubit, path)
    family = kind.removesuffix("Qubit").removesuffix("Qid")
    dimension = field(qubit, "dimension", int, path) if "dimension" in QUBITS[kind] else 2
    if not 1 <= dimension <= MAX_DIMENSION:
        message = f"A qudit's dimension is between 1 and {MAX_DIMENSION}."
        raise Problem("cirq_unsupported", message, pointer=f"{path}/dimension")
    if family == "Named":
        runs = (("".join(run), digits) for digits, run in groupby(field(qubit, "name", str, path), str.isdigit))
        name = "".join(f"{run.rjust(8, '0')}:{len(run)}" if digits else run for run, digits in runs)
        return family, (name,), dimension
    return family, tuple(field(qubit, name, int, path) for name in QUBITS[kind] if name != "dimension"), dimension


def qubits_of(dimension: int) -> int:
    """How many qubits hold the levels of a qudit; none that of one with a single level."""
    return (dimension - 1).bit_length()


@dataclass(slots=True)
class Symbols:
    """What names stand for: a number or an expression where a circuit operation resolves them, or a free parameter.

    resolvers: innermost first; each says of a name what it is, and where that is written. A name is the same parameter
    everywhere. budget: how much of all expressions may still be read, shared by all.
    """

    parameters: dict[str, Parameter] = dataclass_field(default_factory=dict)
    budget: list[int] = dataclass_field(default_factory=lambda: [MAX_EXPRESSION_PARTS])
    resolvers: tuple[Mapping[str, tuple[Any, str]], ...] = ()

    def value(self, name: str) -> Value:
        """What a resolver says is meant outside of it: it does not apply to its own values."""
        for index, resolver in enumerate(self.resolvers):
            if name in resolver:
                written, path = resolver[name]
                return _expression(written, path, replace(self, resolvers=self.resolvers[index + 1 :]))
        return self.parameters.setdefault(name, Parameter(name))

    def spend(self, path: str) -> None:
        """Count a part of an expression. Raises `Problem` where they are too many: resolvers can double each other."""
        self.budget[0] -= 1
        if self.budget[0] < 0:
            message = f"The expressions have more than {MAX_EXPRESSION_PARTS:,} parts once they are resolved."
            raise Problem("too_many_operations", message, pointer=path)


def number(value: Any, path: str, symbols: Symbols) -> Value:
    """A number, or what sympy's objects say in free parameters."""
    if isinstance(value, dict):
        try:
            value = _expression(value, path, symbols)
            if isinstance(value, ParameterExpression):
                return value if value.parameters else real(float(value), path)
        except (QiskitError, ArithmeticError, ValueError, TypeError):
            raise Problem("cirq_invalid", "The expression has no value.", pointer=path) from None
    return real(value, path)


def constant(value: Any, path: str, symbols: Symbols) -> float:
    """A number, where a free parameter is not possible."""
    found = number(value, path, symbols)
    if isinstance(found, ParameterExpression):
        message = f"`{path.rpartition('/')[2]}` must be a number here, without free parameters."
        raise Problem("cirq_unsupported", message, pointer=path)
    return found


def real(value: Any, path: str) -> float:
    """A number that is written as one."""
    try:
        found = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else float("nan")
    except OverflowError:
        found = float("inf")
    if not isfinite(found) or abs(found) > 1e9:
        name = path.rpartition("/")[2]
        raise Problem("cirq_invalid", f"`{name}` must be a number below 10^9.", pointer=path)
    return found


def symbol_name(value: Object, path: str) -> str:
    """The name of a `sympy.Symbol` that becomes a parameter."""
    name: str = field(value, "name", str, path)
    if len(name) > MAX_NAME_CHARACTERS or not re.fullmatch(r"[^\W\d]\w*", name):
        message = f"A symbol's name is one word of at most {MAX_NAME_CHARACTERS} characters."
        raise Problem("cirq_invalid", message, pointer=f"{path}/name")
    return name


def _expression(value: Any, path: str, symbols: Symbols) -> Value:
    """Recursion is bounded: the document's nesting is, and so are circuits in one another."""
    symbols.spend(path)
    if not isinstance(value, dict):
        return real(value, path)
    match type_of(value, path):
        case "sympy.Symbol":
            return symbols.value(symbol_name(value, path))
        case "sympy.Integer":
            return real(value.get("i"), f"{path}/i")
        case "sympy.Float":
            return real(value.get("approx"), f"{path}/approx")
        case "sympy.Rational":
            return real(value.get("p"), f"{path}/p") / real(value.get("q"), f"{path}/q")
        case "sympy.Add" | "sympy.Mul" | "sympy.Pow" as kind:
            args = field(value, "args", list, path)
            if len(args) < 2 or (kind == "sympy.Pow" and len(args) > 2):
                raise Problem("cirq_invalid", "These are too few or too many arguments.", pointer=f"{path}/args")
            parts = [_expression(part, f"{path}/args/{i}", symbols) for i, part in enumerate(args)]
            if kind == "sympy.Pow":
                power = parts[0] ** parts[1]
                return power if isinstance(power, ParameterExpression) else real(power, path)
            total: Value = reduce(add if kind == "sympy.Add" else mul, parts)
            return total
        case kind if kind in CONSTANTS:
            return CONSTANTS[kind]
    unsupported(value, path)


def complex_number(value: Any, path: str) -> complex:
    """A number, or Cirq's object for a complex one."""
    if isinstance(value, dict):
        if type_of(value, path) != "complex":
            unsupported(value, path)
        return complex(real(value.get("real"), f"{path}/real"), real(value.get("imag"), f"{path}/imag"))
    return complex(real(value, path))


def square_matrix(rows: Any, at: str, *, needed: int | None = None) -> Matrix:
    """Rows of numbers, (2^n, 2^n), or as many as are needed. The first qubit is the high bit."""
    size = len(rows) if isinstance(rows, list) else 0
    if needed is not None and size != needed:
        raise Problem("cirq_invalid", f"The matrix has {size} rows; these qudits have {needed} states.", pointer=at)
    if needed is None and size not in [2**qubits for qubits in range(1, MAX_MATRIX_QUBITS + 1)]:
        message = f"A matrix acts on up to {MAX_MATRIX_QUBITS} qubits: its size is a power of two, {size} is not."
        raise Problem("cirq_invalid", message, pointer=at)
    if any(not isinstance(row, list) or len(row) != size for row in rows):
        raise Problem("cirq_invalid", f"The matrix must have {size} rows of {size} numbers.", pointer=at)
    return np.array(
        [[complex_number(item, f"{at}/{i}/{j}") for j, item in enumerate(row)] for i, row in enumerate(rows)],
        dtype=np.complex128,
    )


def unitary_matrix(rows: Any, at: str, *, needed: int | None = None) -> Matrix:
    """A matrix that is checked to be unitary. needed: its size, where that is no power of two."""
    matrix = square_matrix(rows, at, needed=needed)
    if not np.allclose(matrix @ matrix.conj().T, np.eye(len(matrix)), rtol=0, atol=_UNITARY):
        raise Problem("cirq_invalid", "The matrix is not unitary.", pointer=at)
    return matrix
