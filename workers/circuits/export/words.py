"""Numbers, expressions and names as the formats' grammars want them."""

import re
from collections.abc import Iterable
from fractions import Fraction
from math import pi

from qiskit import QuantumCircuit
from qiskit.circuit import Parameter, ParameterExpression

from qstill.contract.circuits.expressions import MAX_NAME_CHARACTERS, ExpressionError, compile_expression
from qstill.contract.errors import Problem
from workers.circuits.binding import bound

_MAX_DENOMINATOR = 64
_CLOSE = 4e-16  # a fraction of π is written as one where that is the same number to the last bit or two


def words(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


def real(value: float) -> str:
    """A number that reads back as the same, "3*pi/4" where it is that. Always with a point: some grammars need it."""
    turns = Fraction(value / pi).limit_denominator(_MAX_DENOMINATOR) if abs(value) < 100 else Fraction(0)
    if turns and abs(float(turns) * pi - value) <= _CLOSE * abs(value):
        sign, multiple = "-" if turns < 0 else "", abs(turns.numerator)
        written = "pi" if multiple == 1 else f"{multiple}*pi"
        return f"{sign}{written}" + (f"/{turns.denominator}" if turns.denominator > 1 else "")
    digits, exponent, power = repr(float(value)).partition("e")
    return digits + ("" if "." in digits else ".0") + exponent + power


def angle(value: float | ParameterExpression) -> str:
    """A number, or an expression of free parameters; where it is not plain arithmetic, a `Problem`."""
    if not isinstance(value, ParameterExpression):
        return real(float(value))
    text = str(value)
    try:
        compile_expression(text)
    except ExpressionError:
        message = f"The expression {text[:100]!r} is more than sums, products and quotients."
        raise Problem("export_unsupported", message, pointer="/circuit") from None
    return text


def with_plain_parameters(circuit: QuantumCircuit) -> QuantumCircuit:
    """The same circuit, its free parameters renamed where a grammar would not take their names."""
    names = plain_names(circuit)
    renamed = {each: Parameter(names[each.name]) for each in circuit.parameters if names[each.name] != each.name}
    return bound(circuit, renamed) if renamed else circuit


def plain_names(circuit: QuantumCircuit) -> dict[str, str]:
    """The names that its parameters have then, by those that they have."""
    names: dict[str, str] = {}
    for parameter in circuit.parameters:
        names[parameter.name] = plain_name(parameter.name, names.values())
    return names


def plain_name(name: str, taken: Iterable[str]) -> str:
    """A name of ASCII letters, digits and underscores that none of `taken` and no word of a language is."""
    plain = re.sub(r"\W", "_", name, flags=re.ASCII)[: MAX_NAME_CHARACTERS - 8].strip("_") or "a"
    if not plain[0].isalpha():
        plain = f"a_{plain}"
    if name[: len(plain)] == plain and len(name) <= MAX_NAME_CHARACTERS - 8:
        plain = name  # underscores at its end are its own
    taken = {*taken, *_WORDS}
    unique, number = plain, 0
    while unique in taken:
        number += 1
        unique = f"{plain}_{number}"
    return unique


# What OpenQASM 2 and 3 reserve, their standard gates, and the gates that exports define.
_WORDS = words(
    """OPENQASM include input output const if else for in while switch case default break continue return end let def
    gate extern box measure reset barrier delay opaque qubit bit qreg creg int uint float angle complex bool array
    duration stretch void true false pi tau euler ctrl negctrl inv pow sin cos tan exp ln sqrt log arcsin arccos arctan
    mod floor ceiling popcount rotl rotr real imag sizeof durationof gphase U CX p x y z h s sdg t tdg sx sxdg rx ry rz
    r cx cy cz cp crx cry crz ch cu swap ccx cswap id phase cphase u u1 u2 u3 cu1 cu3 rxx ryy rzz u0"""
)
