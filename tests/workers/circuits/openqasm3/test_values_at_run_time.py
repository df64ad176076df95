"""What is computed with measured values is what C computes with integers of the same widths."""

from collections.abc import Callable, Mapping
from operator import add, and_, eq, ge, gt, le, lt, mul, ne, or_, sub, xor
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.testing.examples import examples
from tests.testing.refusals import problem_of
from tests.workers.circuits.openqasm3.outcomes import require_outcomes

BITS = 4
HEAD = 'OPENQASM 3.0;\ninclude "stdgates.inc";\n'


class Computed(NamedTuple):
    """An expression, and its value."""

    text: str
    value: int


def _wrapped(value: int, *, signed: bool) -> int:
    value %= 1 << BITS
    return value - (1 << BITS) if signed and value >= 1 << (BITS - 1) else value


def _quotient(a: int, b: int) -> int:
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


_ARITHMETIC: Mapping[str, Callable[[int, int], int]] = {"+": add, "-": sub, "*": mul, "&": and_, "|": or_, "^": xor}
_COMPARISONS: Mapping[str, Callable[[int, int], bool]] = {"<": lt, "<=": le, ">": gt, ">=": ge, "==": eq, "!=": ne}
_DIVISIONS: Mapping[str, Callable[[int, int], int]] = {"/": _quotient, "%": lambda a, b: a - b * _quotient(a, b)}


@st.composite
def _expressions(draw: st.DrawFn, names: Mapping[str, int], *, signed: bool, depth: int = 3) -> Computed:
    kind = f"{'int' if signed else 'uint'}[{BITS}]"
    if depth == 0 or draw(st.integers(0, 4)) == 0:
        if draw(st.booleans()):
            name = draw(st.sampled_from(sorted(names)))
            return Computed(name, names[name])
        value = draw(st.integers(0, (1 << (BITS - 1)) - 1))
        return Computed(f"{kind}({value})", value)
    inner = _expressions(names, signed=signed, depth=depth - 1)
    left, right = draw(inner), draw(inner)
    match draw(st.sampled_from(("arithmetic", "arithmetic", "division", "shift", "sign", "choice"))):
        case "arithmetic":
            sign = draw(st.sampled_from(sorted(_ARITHMETIC)))
            value = _ARITHMETIC[sign](left.value, right.value)
            text = f"({left.text} {sign} {right.text})"
        case "division" if right.value != 0 and (left.value, right.value) != (-(1 << (BITS - 1)), -1):
            sign = draw(st.sampled_from(sorted(_DIVISIONS)))
            value = _DIVISIONS[sign](left.value, right.value)
            text = f"({left.text} {sign} {right.text})"
        case "shift" if not signed:
            by = draw(st.integers(0, BITS))
            sign = draw(st.sampled_from(("<<", ">>")))
            value = left.value << by if sign == "<<" else left.value >> by
            text = f"({left.text} {sign} {by})"
        case "sign":
            sign = draw(st.sampled_from("~-"))
            value = ~left.value if sign == "~" else -left.value
            text = f"({sign}{left.text})"
        case _:
            sign = draw(st.sampled_from(sorted(_COMPARISONS)))
            value = int(_COMPARISONS[sign](left.value, right.value))
            text = f"{kind}({left.text} {sign} {right.text})"
    return Computed(text, _wrapped(value, signed=signed))


@st.composite
def _cases(draw: st.DrawFn) -> tuple[bool, Mapping[str, int], Computed]:
    signed = draw(st.booleans())
    values = st.integers(-(1 << (BITS - 1)), (1 << (BITS - 1)) - 1) if signed else st.integers(0, (1 << BITS) - 1)
    names = {"a": draw(values), "b": draw(values)}
    return signed, names, draw(_expressions(names, signed=signed))


def _bits(value: int) -> str:
    return f"{value % (1 << BITS):0{BITS}b}"


@settings(max_examples=examples(40), deadline=None)
@given(_cases())
def test_measured_integers_are_computed_with_as_written_ones_are(
    case: tuple[bool, Mapping[str, int], Computed],
) -> None:
    signed, names, computed = case
    kind = f"{'int' if signed else 'uint'}[{BITS}]"
    measured, written = HEAD + f"qubit[{BITS}] q;\n", HEAD + "qubit q; measure q;\n"
    for name, value in names.items():
        flips = "".join(f"x q[{place}]; " for place, bit in enumerate(reversed(_bits(value))) if bit == "1")
        measured += f"reset q; {flips}bit[{BITS}] m{name} = measure q;\n{kind} {name} = {kind}(m{name});\n"
        written += f"{kind} {name} = {value};\n"
    result = f"output {kind} r;\nr = {computed.text};\n"
    for program in (measured, written):
        require_outcomes(program + result, {f"r={_bits(computed.value)}": 1}, shots=10)


COIN = HEAD + "qubit[4] q; bit c; bit[4] d; h q[0]; c = measure q[0]; "


@pytest.mark.parametrize(
    ("statement", "zero", "one"),
    [
        ("x q[1 + int(c)];", "0010", "0101"),
        ("x q[1]; cx q[int(c)], q[3];", "0010", "1011"),
        ("if (c) { for int i in [1:2] { x q[i + int(c)]; } }", "0000", "1101"),
        ("def f(qubit a) { x a; } f(q[2 - int(c)]);", "0100", "0011"),
        ("x q[1]; bit m; m = measure q[int(c)]; if (m) { x q[3]; }", "0010", "1011"),
        ("c = measure q[int(c)]; x q[2 + int(c)];", "0100", "0101"),
        ("x q[1]; reset q[int(c)];", "0010", "0001"),
        ("swap q[1 - int(c)], q[2];", "0000", "0100"),
    ],
)
def test_what_was_measured_says_which_qubit(statement: str, zero: str, one: str) -> None:
    require_outcomes(COIN + statement + " d = measure q;", {f"d={zero}": 0.5, f"d={one}": 0.5})


@pytest.mark.parametrize("statement", ["x q[4 + int(c)];", "cx q[int(c)], q[1];"])
def test_a_qubit_that_is_not_there_or_named_twice_stops_a_program_that_comes_there(statement: str) -> None:
    assert problem_of(require_outcomes, COIN + statement + " d = measure q;", {"d=0000": 1.0}).code == "qasm_fault"
