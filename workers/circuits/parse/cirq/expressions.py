"""Expressions over measured keys: which bits they read, and what they are for each value of them.

Numbers are exact where sympy's would be. A key is an integer whose high bit is the first qubit measured.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from qiskit.circuit import ClassicalRegister, Clbit

from qstill.contract.errors import Problem
from workers.circuits.parse.cirq.json_fields import CONSTANTS, Object, field, real, type_of, unsupported

MAX_POWER = 64  # of an exponent in a condition

Find = Callable[[str, int, str], ClassicalRegister]  # a key, which of its measurements, and where it is named
Number = Fraction | float


def collect(
    tree: Any, path: str, find: Find, registers: dict[str, ClassicalRegister], clbits: dict[Clbit, None]
) -> None:
    """Collect the keys of an expression and the bits that it reads, in order."""
    if not isinstance(tree, dict):
        return
    kind = type_of(tree, path)
    if kind == "sympy.Symbol":
        name = field(tree, "name", str, path)
        registers[name] = find(name, -1, path)
        clbits |= dict.fromkeys(registers[name])
    elif kind == "sympy.Indexed":
        name, place = _indexed(tree, path)
        registers[name] = find(name, -1, path)
        if not 0 <= place < len(registers[name]):
            message = f"The key {name[:99]!r} has {len(registers[name])} bits, numbered from 0."
            raise Problem("cirq_invalid", message, pointer=path)
        clbits |= {registers[name][place]: None}
    elif "args" in tree:
        for index, part in enumerate(field(tree, "args", list, path)):
            collect(part, f"{path}/args/{index}", find, registers, clbits)


def _indexed(tree: Object, path: str) -> tuple[str, int]:
    """The key and the place of `key[place]`."""
    args = field(tree, "args", list, path)
    base, index = args if len(args) == 2 else (None, None)
    named = base.get("args") if isinstance(base, dict) else None
    if not isinstance(index, dict) or not isinstance(named, list) or not named or not isinstance(named[0], dict):
        raise Problem("cirq_invalid", "This must be a key and the number of a bit.", pointer=path)
    return field(named[0], "name", str, f"{path}/args/0/args/0"), field(index, "i", int, f"{path}/args/1")


@dataclass(frozen=True, slots=True)
class KeyValues:
    """The registers of the keys, and what each of their bits reads."""

    registers: Mapping[str, ClassicalRegister]
    read: Mapping[Clbit, int]

    def integer(self, name: str) -> int:
        total = 0
        for clbit in self.registers[name]:
            total = 2 * total + self.read[clbit]
        return total


def value_of(tree: Any, path: str, values: KeyValues) -> Number:
    """Recursion is bounded: the document's nesting is."""
    if not isinstance(tree, dict):
        return _exact(tree, path)
    kind = type_of(tree, path)
    match kind:
        case "sympy.Symbol":
            return Fraction(values.integer(field(tree, "name", str, path)))
        case "sympy.Indexed":
            name, place = _indexed(tree, path)
            return Fraction(values.read[values.registers[name][place]])
        case "sympy.Integer":
            return _exact(tree.get("i"), f"{path}/i")
        case "sympy.Float":
            return real(tree.get("approx"), f"{path}/approx")
        case "sympy.Rational":
            above, below = _exact(tree.get("p"), f"{path}/p"), _exact(tree.get("q"), f"{path}/q")
            return _divided(above, below, path)
        case _ if kind in CONSTANTS:
            return CONSTANTS[kind]
    args = [
        value_of(part, f"{path}/args/{index}", values) for index, part in enumerate(field(tree, "args", list, path))
    ]
    if kind in _COMPARISONS:
        if len(args) != 2:
            raise Problem("cirq_invalid", "A comparison is of two values.", pointer=f"{path}/args")
        return _COMPARISONS[kind](*args)
    if kind in _LOGIC:
        if any(arg not in (0, 1) for arg in args):
            message = "And, Or, Not and Xor are of conditions and of single bits, which read 0 or 1."
            raise Problem("cirq_unsupported", message, pointer=f"{path}/args")
        return _LOGIC[kind]([bool(arg) for arg in args])
    return _arithmetic(kind, tree, args, path)


def _arithmetic(kind: str, tree: Object, args: Sequence[Number], path: str) -> Number:
    if kind == "sympy.Add":
        return _finite(sum(args, start=Fraction(0)), path)
    if kind == "sympy.Mul":
        total: Number = Fraction(1)
        for arg in args:
            total = _finite(total * arg, path)
        return total
    if kind != "sympy.Pow" or len(args) != 2:
        unsupported(tree, path)
    base, exponent = args
    if exponent != int(exponent) or not -MAX_POWER <= exponent <= MAX_POWER:
        message = f"In a condition an exponent is an integer up to {MAX_POWER}."
        raise Problem("cirq_unsupported", message, pointer=f"{path}/args/1")
    raised: Number = base ** abs(int(exponent))
    return _finite(raised if exponent >= 0 else _divided(Fraction(1), raised, path), path)


def _divided(above: Number, below: Number, path: str) -> Number:
    if below == 0:
        raise Problem("cirq_invalid", "The expression divides by zero.", pointer=path)
    return above / below


def _finite(value: Number, path: str) -> Number:
    """Refuse numbers that grow without bound in a chain of powers."""
    if not -1e300 < value < 1e300 or (isinstance(value, Fraction) and value.denominator.bit_length() > 1000):
        raise Problem("cirq_invalid", "The expression has no value of sensible size.", pointer=path)
    return value


def _exact(value: Any, path: str) -> Fraction | float:
    found = real(value, path)
    return Fraction(value) if isinstance(value, int) else found


_COMPARISONS: dict[str, Callable[[Number, Number], bool]] = {
    "sympy.Equality": lambda a, b: a == b,
    "sympy.Unequality": lambda a, b: a != b,
    "sympy.GreaterThan": lambda a, b: a >= b,
    "sympy.LessThan": lambda a, b: a <= b,
    "sympy.StrictGreaterThan": lambda a, b: a > b,
    "sympy.StrictLessThan": lambda a, b: a < b,
}
_LOGIC: dict[str, Callable[[list[bool]], bool]] = {
    "sympy.And": all,
    "sympy.Or": any,
    "sympy.Xor": lambda args: sum(args) % 2 == 1,
    "sympy.Not": lambda args: not any(args),
}
