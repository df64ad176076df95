"""Classical types of OpenQASM 3 and what a cast does to a value (openqasm.com/language/types.html).

Values are plain Python: bool, int, float, complex; a `bit[n]` is the integer of its bits, index 0 the lowest; an
`angle[n]` is the integer k that stands for 2πk/2ⁿ radians.
"""

import struct
from dataclasses import dataclass
from math import isfinite, tau
from typing import Any, Literal

Kind = Literal["bit", "bool", "int", "uint", "float", "angle", "complex", "duration", "array"]

MAX_WIDTH = 4_096  # bits of one integer: powers of wider ones would take seconds


class Fault(Exception):
    """What is wrong with a program, in words. place: line and column, added by whoever knows them."""

    def __init__(self, message: str, code: str = "qasm_invalid") -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.place: tuple[int, int] | None = None


class NamedTwice(Fault):
    def __init__(self) -> None:
        super().__init__("a qubit is named twice in one operation")


@dataclass(frozen=True, slots=True)
class Type:
    """width: bits; None for a single bit and for what has none. base, shape: of an array."""

    kind: Kind
    width: int | None = None
    base: "Type | None" = None
    shape: tuple[int, ...] = ()

    def __str__(self) -> str:
        if self.base is not None:
            return f"array[{self.base}, {', '.join(map(str, self.shape))}]"
        return self.kind if self.width is None else f"{self.kind}[{self.width}]"

    @property
    def bits(self) -> int:
        """How many bits it can be taken for; 0 if it has none."""
        return (self.width or 1) if self.kind in ("bit", "bool", "int", "uint", "angle") else 0


BIT, BOOL, INT, UINT = Type("bit"), Type("bool"), Type("int", 64), Type("uint", 64)
FLOAT, ANGLE, COMPLEX, DURATION = Type("float", 64), Type("angle", 64), Type("complex"), Type("duration")
INTEGERS = ("bit", "bool", "int", "uint")
_FORMATS = {16: "e", 32: "f"}  # of IEEE 754, as `struct` names them


def wrapped(value: int, to: Type) -> int:
    """An integer modulo 2^width, for `int` the representative in two's complement."""
    width = to.width or 1
    value &= (1 << width) - 1
    return value - (1 << width) if to.kind == "int" and value >> (width - 1) else value


def radians(value: int, of: Type) -> float:
    """The angle that an `angle[n]` stands for."""
    return float(tau * (value / (1 << (of.width or 1))))


def cast(value: Any, of: Type, to: Type) -> Any:
    """The value in another type. Raises `Fault` where the specification has no such cast."""
    if of == to:
        return value
    if "duration" in (of.kind, to.kind) or "array" in (of.kind, to.kind):
        raise Fault(f"{of} cannot become {to}")
    if to.kind == "bool":
        return bool(value)
    if to.kind == "complex":
        return complex(radians(value, of) if of.kind == "angle" else value)
    if of.kind == "complex":
        raise Fault(f"{of} cannot become {to}; take real(…) or imag(…)")
    if to.kind == "float":
        return _rounded(radians(value, of) if of.kind == "angle" else value, to)
    if to.kind == "angle":
        return _angle(value, of, to)
    return _integer(value, of, to)


def _rounded(value: float, to: Type) -> float:
    """As IEEE 754 has it in so many bits; Python's own for 64 and what there is no format for."""
    value = float(value)
    if (letter := _FORMATS.get(to.width or 64)) is None:
        return value
    try:
        return float(struct.unpack(letter, struct.pack(letter, value))[0])
    except OverflowError:
        raise Fault(f"{value} does not fit into {to}") from None


def _angle(value: Any, of: Type, to: Type) -> int:
    width = to.width or 1
    if of.kind == "angle":
        shift = width - (of.width or 1)
        return int(value << shift if shift >= 0 else value >> -shift)
    if of.kind == "bit":
        if of.bits != width:
            raise Fault(f"{of} cannot become {to}: their widths differ")
        return int(value)
    if not isfinite(value):
        raise Fault("an angle must be finite")
    return int(round((value / tau) % 1 * (1 << width)) % (1 << width))


def _integer(value: Any, of: Type, to: Type) -> int:
    if of.kind == "angle":
        if to.kind != "bit" or to.bits != of.width:
            raise Fault(f"{of} cannot become {to}; bit[{of.width}] of it can")
        return int(value)
    if of.kind == "float":
        if to.kind == "bit":
            raise Fault(f"{of} cannot become {to}")
        if not isfinite(value):
            raise Fault(f"{value} cannot become {to}")
    return wrapped(int(value), to)
