"""What operators and functions of OpenQASM 3 do with known data; the same folds constants and runs on measured bits."""

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from qstill.contract.circuits.openqasm3.classical.types import (
    FLOAT,
    INT,
    MAX_WIDTH,
    UINT,
    Fault,
    NamedTwice,
    Type,
    cast,
    wrapped,
)


def _divide(to: Type, types: Sequence[Type], left: Any, right: Any) -> Any:
    if to.kind in ("float", "complex"):
        return left / right
    quotient = abs(left) // abs(right)
    return quotient if (left < 0) == (right < 0) else -quotient


def _remainder(to: Type, types: Sequence[Type], left: Any, right: Any) -> Any:
    if to.kind == "float":
        return math.fmod(left, right)
    return left - right * _divide(INT, types, left, right)


def _power(to: Type, types: Sequence[Type], base: Any, exponent: Any) -> Any:
    if to.kind in ("int", "uint"):
        return pow(base, exponent, 1 << (to.width or 1))
    value = base**exponent
    if isinstance(value, complex) and to.kind != "complex":
        raise ValueError(base)
    return value


def _rotated(to: Type, value: int, distance: int) -> int:
    width = to.bits
    distance %= width
    value &= (1 << width) - 1
    return (value << distance | value >> (width - distance)) & ((1 << width) - 1)


def _shifted(value: int, distance: int) -> int:
    if not 0 <= distance <= MAX_WIDTH:
        raise Fault(f"bits are shifted by 0 to {MAX_WIDTH:,} places, not {distance}")
    return value << distance


Function = Callable[..., Any]


def _plain(function: Callable[..., Any]) -> Function:
    return lambda to, types, *data: function(*data)


def _fitted(function: Function) -> Function:
    """The result brought into the operation's own type."""

    def fit(to: Type, types: Sequence[Type], *data: Any) -> Any:
        value = function(to, types, *data)
        if to.kind in ("int", "uint", "bit", "angle"):
            width = to.bits
            return wrapped(value, to) if to.kind == "int" else value & ((1 << width) - 1)
        if to.kind == "float":
            value = float(value)
            if not math.isfinite(value):
                raise OverflowError
        return value

    return fit


def _chosen(to: Type, types: Sequence[Type], index: int, *cells: Any) -> Any:
    if not 0 <= index < len(cells):
        raise Fault(f"there is no element {index} of {len(cells)}")
    return cells[index]


def _named_twice(to: Type, types: Sequence[Type], index: int) -> NoReturn:
    raise NamedTwice


COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")
_SIGNS: dict[str, Callable[..., Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
FUNCTIONS: dict[str, tuple[int, Type | None]] = {  # arguments, and the type of the result: None is the first one's
    **dict.fromkeys(
        ("arccos", "arcsin", "arctan", "ceiling", "cos", "exp", "floor", "log", "sin", "sqrt", "tan"), (1, FLOAT)
    ),
    "mod": (2, FLOAT),
    "pow": (2, FLOAT),
    "popcount": (1, UINT),
    "rotl": (2, None),
    "rotr": (2, None),
    "real": (1, FLOAT),
    "imag": (1, FLOAT),
}
OPERATIONS: dict[str, Function] = {
    "cast": lambda to, types, value: cast(value, types[0], to),
    "!": _plain(operator.not_),
    "~": _fitted(_plain(operator.invert)),
    "negate": _fitted(_plain(operator.neg)),
    "&&": _plain(lambda left, right: left and right),
    "||": _plain(lambda left, right: left or right),
    **{sign: _plain(function) for sign, function in _SIGNS.items()},
    "&": _fitted(_plain(operator.and_)),
    "|": _fitted(_plain(operator.or_)),
    "^": _fitted(_plain(operator.xor)),
    "<<": _fitted(_plain(_shifted)),
    ">>": _fitted(_plain(operator.rshift)),
    "+": _fitted(_plain(operator.add)),
    "-": _fitted(_plain(operator.sub)),
    "*": _fitted(_plain(operator.mul)),
    "/": _fitted(_divide),
    "%": _fitted(_remainder),
    "**": _fitted(_power),
    "arccos": _plain(math.acos),
    "arcsin": _plain(math.asin),
    "arctan": _plain(math.atan),
    "ceiling": _fitted(_plain(math.ceil)),
    "cos": _plain(math.cos),
    "exp": _fitted(_plain(math.exp)),
    "floor": _fitted(_plain(math.floor)),
    "log": _plain(math.log),
    "mod": _plain(math.fmod),
    "pow": _fitted(_power),
    "sin": _plain(math.sin),
    "sqrt": _plain(math.sqrt),
    "tan": _plain(math.tan),
    "popcount": lambda to, types, value: (value & ((1 << types[0].bits) - 1)).bit_count(),
    "rotl": _fitted(lambda to, types, value, distance: _rotated(to, value, distance)),
    "rotr": _fitted(lambda to, types, value, distance: _rotated(to, value, -distance)),
    "real": _plain(lambda value: complex(value).real),
    "imag": _plain(lambda value: complex(value).imag),
    "bit": _plain(lambda value, index: value >> index & 1),  # bit `index` of an integer
    "with_bit": _fitted(_plain(lambda value, index, bit: value & ~(1 << index) | bit << index)),
    "joined": _plain(lambda *bits: sum(bit << place for place, bit in enumerate(bits))),  # single bits, lowest first
    "chosen": _chosen,
    "named_twice": _named_twice,
    "otherwise": _plain(lambda test, then, otherwise: then if test else otherwise),
}
