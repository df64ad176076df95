"""Values of OpenQASM 3 expressions: known when a program is read, or a `Node` that is computed as it runs.

What they are computed by is `operations`; which type the result has is decided here.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from qstill.contract.circuits.openqasm3.classical.operations import COMPARISONS, FUNCTIONS, OPERATIONS
from qstill.contract.circuits.openqasm3.classical.types import (
    BOOL,
    COMPLEX,
    DURATION,
    FLOAT,
    INT,
    INTEGERS,
    Fault,
    Type,
)


@dataclass(frozen=True, slots=True)
class Bits:
    """Bits that are read as the program runs, lowest first, by the number that the program gave each."""

    places: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Slot:
    """A classical variable's value, read as the program runs."""

    number: int


@dataclass(frozen=True, slots=True)
class Free:
    """An `input`, or a parameter of a gate's definition, by name."""

    name: str


@dataclass(frozen=True, slots=True)
class Node:
    """`function` of `OPERATIONS` applied to arguments of these types; data are constants or again leaves and nodes."""

    function: str
    to: Type
    types: tuple[Type, ...]
    arguments: tuple[Any, ...]


UNKNOWN = (Bits, Slot, Free, Node)


@dataclass(frozen=True, slots=True)
class Value:
    """data: as `types` has it, or what it will be computed from."""

    type: Type
    data: Any

    @property
    def known(self) -> bool:
        return not isinstance(self.data, UNKNOWN)


def calculate(function: str, to: Type, *arguments: Value) -> Value:
    """The value of an operation: at once where all arguments are known."""
    types, data = tuple([value.type for value in arguments]), tuple([value.data for value in arguments])
    for item in data:
        if isinstance(item, UNKNOWN):
            return Value(to, Node(function, to, types, data))
    return Value(to, run(function, to, types, data))


def run(function: str, to: Type, types: Sequence[Type], data: Sequence[Any]) -> Any:
    """One operation on known data. Raises `Fault`."""
    try:
        return OPERATIONS[function](to, types, *data)
    except ZeroDivisionError:
        raise Fault("a number is divided by zero") from None
    except (OverflowError, ValueError):
        raise Fault(f"{function} has no value there") from None


def evaluate(data: Any, leaf: Callable[[Any], Any]) -> Any:
    """Data with a value for every leaf; what stays unknown stays a node. leaf: gives a leaf its data."""
    if isinstance(data, Node):
        arguments = tuple(evaluate(argument, leaf) for argument in data.arguments)
        if any(isinstance(argument, UNKNOWN) for argument in arguments):
            return Node(data.function, data.to, data.types, arguments)
        return run(data.function, data.to, data.types, arguments)
    return leaf(data) if isinstance(data, UNKNOWN) else data


def leaves(data: Any) -> list[Any]:
    """Every leaf below, in order."""
    if isinstance(data, Node):
        return [leaf for argument in data.arguments for leaf in leaves(argument)]
    return [data] if isinstance(data, UNKNOWN) else []


def converted(value: Value, to: Type) -> Value:
    """The value in another type, implicitly or by a cast."""
    return value if value.type == to else calculate("cast", to, value)


def truth(value: Value) -> Value:
    return converted(value, BOOL)


def real(value: Value) -> Value:
    """A number as a float, radians for an angle."""
    return converted(value, FLOAT)


def unary(sign: str, value: Value) -> Value:
    """-, ~ or ! of a value."""
    of = value.type
    if of.kind == "duration":
        return value
    if sign == "!":
        return calculate("!", BOOL, truth(value))
    if sign == "~":
        if of.kind == "bool":
            return calculate("!", BOOL, value)
        if not of.bits:
            raise Fault(f"{of} has no bits to invert")
        return calculate("~", of, value)
    return calculate("negate", INT if of.kind in ("bit", "bool") else of, value)


def binary(sign: str, left: Value, right: Value) -> Value:
    """The value of `left sign right`, its type as C99 and the specification promote it."""
    kinds = {left.type.kind, right.type.kind}
    if "array" in kinds:
        raise Fault("arrays have no operators")
    if "duration" in kinds:
        if sign in COMPARISONS:
            raise Fault("durations have no value here that could be compared", "qasm_unsupported")
        return Value(DURATION, None)
    if sign in ("&&", "||"):
        left, right = truth(left), truth(right)
        for one, other in ((left, right), (right, left)):
            if one.known:
                return one if one.data == (sign == "||") else other
        return calculate(sign, BOOL, left, right)
    if sign in COMPARISONS:
        if "angle" in kinds and left.type != right.type:
            left, right = _same_angles(left, right)
        return calculate(sign, BOOL, left, right)
    if sign in ("&", "|", "^"):
        return calculate(sign, _bitwise(left.type, right.type), left, right)
    if sign in ("<<", ">>"):
        if not left.type.bits or right.type.kind not in INTEGERS:
            raise Fault(f"{left.type} {sign} {right.type} has no meaning")
        return calculate(sign, left.type, left, right)
    return _arithmetic(sign, left, right)


def _same_angles(left: Value, right: Value) -> tuple[Value, Value]:
    if left.type.kind == right.type.kind:
        to = Type("angle", max(left.type.bits, right.type.bits))
        return converted(left, to), converted(right, to)
    return real(left), real(right)


def _bitwise(left: Type, right: Type) -> Type:
    if not left.bits or not right.bits:
        raise Fault(f"{left} and {right} have no bits to combine")
    for one, other in ((left, right), (right, left)):
        if one.kind == "bit" and other.kind != "bit":  # a literal beside a register, as in `c & 2`
            return one if other.kind in ("int", "bool") else other
    if left.kind == right.kind == "bit" and left.bits != right.bits:
        raise Fault(f"{left} and {right} differ in width")
    return left if left.bits >= right.bits else right


def _arithmetic(sign: str, left: Value, right: Value) -> Value:
    kinds = {left.type.kind, right.type.kind}
    if "complex" in kinds:
        return calculate(sign, COMPLEX, left, right)
    if "angle" in kinds:
        return _of_angles(sign, left, right)
    if "float" in kinds or (sign == "**" and right.known and right.data < 0):
        return calculate(sign, FLOAT, left, right)
    return calculate(sign, _common(left.type, right.type), left, right)


def _of_angles(sign: str, left: Value, right: Value) -> Value:
    if left.type.kind == right.type.kind == "angle":
        left, right = _same_angles(left, right)
        if sign in ("+", "-"):
            return calculate(sign, left.type, left, right)
        if sign == "/":
            return calculate(sign, Type("uint", left.type.width), left, right)
    for one, other in ((left, right), (right, left)):
        if (
            one.type.kind == "angle"
            and other.type.kind in INTEGERS
            and sign in ("*", "/")
            and (sign, one) != ("/", right)
        ):
            return calculate(sign, one.type, left, right)
    return calculate(sign, FLOAT, real(left), real(right))


_RANKS: dict[str, Callable[[Type], Type]] = {"bit": lambda kind: Type("uint", kind.bits), "bool": lambda kind: INT}


def _common(left: Type, right: Type) -> Type:
    """Of two integers: the wider; of one width, unsigned where either is."""
    ranks = [
        Type("uint", kind.bits) if kind.kind == "bit" else INT if kind.kind == "bool" else kind
        for kind in (left, right)
    ]
    width = max(kind.bits for kind in ranks)
    widest = [kind for kind in ranks if kind.bits == width]
    return Type("uint" if any(kind.kind == "uint" for kind in widest) else "int", width)


def call(name: str, arguments: Sequence[Value]) -> Value:
    """A built-in function of the specification."""
    if name not in FUNCTIONS:
        raise Fault(f"there is no function '{name}'; known: {', '.join(FUNCTIONS)}")
    count, kind = FUNCTIONS[name]
    if len(arguments) != count:
        raise Fault(f"{name} takes {count} argument{'s' * (count > 1)}, not {len(arguments)}")
    if name in ("rotl", "rotr", "popcount") and not arguments[0].type.bits:
        raise Fault(f"{name} takes bits, not {arguments[0].type}")
    if name in ("mod", "pow") and all(argument.type.kind in INTEGERS for argument in arguments):
        return binary("%" if name == "mod" else "**", *arguments)
    if kind is FLOAT and name not in ("real", "imag"):
        arguments = [real(argument) for argument in arguments]
    if kind is None:
        kind = arguments[0].type
    return calculate(name, kind, *arguments)
