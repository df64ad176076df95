"""Branches, loops and subroutines that measured bits decide on do what the same program does in Python."""

from contextlib import suppress
from typing import Any, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.testing.examples import examples
from tests.workers.circuits.openqasm3.outcomes import require_outcomes

HEAD = 'OPENQASM 3.0;\ninclude "stdgates.inc";\n'
MEASURED = ("m0", "m1", "m2")


class Lines(NamedTuple):
    """Statements in both languages."""

    qasm: tuple[str, ...]
    python: tuple[str, ...]


class _End(Exception):
    """The program ends here."""


def _joined(parts: list[Lines]) -> Lines:
    return Lines(
        tuple(line for part in parts for line in part.qasm), tuple(line for part in parts for line in part.python)
    )


def _indented(python: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"    {line}" for line in python)


@st.composite
def _conditions(draw: st.DrawFn, names: tuple[str, ...]) -> tuple[str, str]:
    if draw(st.booleans()):
        bit = draw(st.sampled_from(MEASURED))
        return bit, bit
    comparison = f"{draw(st.sampled_from(names))} {draw(st.sampled_from(('<', '==', '>=')))} {draw(st.integers(0, 9))}"
    return comparison, comparison


@st.composite
def _assignments(draw: st.DrawFn, names: tuple[str, ...]) -> Lines:
    name, other, number = draw(st.sampled_from(names)), draw(st.sampled_from(names)), draw(st.integers(1, 5))
    sign = draw(st.sampled_from("+-*"))
    return Lines((f"{name} = {other} {sign} uint[4]({number});",), (f"{name} = ({other} {sign} {number}) % 16",))


@st.composite
def _jumps(draw: st.DrawFn, names: tuple[str, ...], *, loops: bool, returns: bool) -> Lines:
    kinds = ["break", "continue"] * loops + (["return"] if returns else ["end"])
    kind = draw(st.sampled_from(kinds))
    if kind == "return":
        name = draw(st.sampled_from(names))
        return Lines((f"return {name};",), (f"return {name}",))
    return Lines((f"{kind};",), ("raise End" if kind == "end" else kind,))


@st.composite
def _blocks(
    draw: st.DrawFn, names: tuple[str, ...], *, depth: int, loops: bool = False, returns: bool = False
) -> Lines:
    inner: dict[str, Any] = {"depth": depth - 1, "returns": returns}
    parts = []
    for number in range(draw(st.integers(1, 3))):
        kinds = ["assign", "assign"] + ["if", "if", "jump", "for", "while"] * (depth > 0)
        match draw(st.sampled_from(kinds)):
            case "assign":
                parts.append(draw(_assignments(names)))
            case "jump":
                jump, (qasm, python) = draw(_jumps(names, loops=loops, returns=returns)), draw(_conditions(names))
                parts.append(Lines((f"if ({qasm}) {jump.qasm[0]}",), (f"if {python}: {jump.python[0]}",)))
            case "if":
                qasm, python = draw(_conditions(names))
                then, other = (draw(_blocks(names, loops=loops, **inner)) for _ in range(2))
                parts.append(
                    Lines(
                        (f"if ({qasm}) {{", *then.qasm, "} else {", *other.qasm, "}"),
                        (f"if {python}:", *_indented(then.python), "else:", *_indented(other.python)),
                    )
                )
            case "for":
                body, times = draw(_blocks(names, loops=True, **inner)), draw(st.integers(1, 3))
                parts.append(
                    Lines(
                        (f"for uint i in [1:{times}] {{", *body.qasm, "}"),
                        (f"for _ in range({times}):", *_indented(body.python)),
                    )
                )
            case _:
                body, times = draw(_blocks(names, loops=True, **inner)), draw(st.integers(1, 3))
                (qasm, python), counter = draw(_conditions(names)), f"n{depth}_{number}"
                head = (f"uint[4] {counter} = 0;", f"while ({counter} < {times} && ({qasm})) {{", f"{counter} += 1;")
                start = (f"{counter} = 0", f"while {counter} < {times} and ({python}):", f"    {counter} += 1")
                parts.append(Lines((*head, *body.qasm, "}"), (*start, *_indented(body.python))))
    return _joined(parts)


def _value(python: tuple[str, ...], names: dict[str, int]) -> int:
    """u when the program has ended."""
    with suppress(_End):
        exec("\n".join(python), {"End": _End}, names)  # noqa: S102  what is executed was drawn here
    return names["u"]


@settings(max_examples=examples(40), deadline=None)
@given(_blocks(("u", "v"), depth=3), st.integers(0, 7))
def test_a_program_goes_the_way_that_its_bits_say(block: Lines, outcomes: int) -> None:
    bits = {name: outcomes >> place & 1 for place, name in enumerate(MEASURED)}
    expected = _value(block.python, {"u": 3, "v": 5} | bits)
    flips = "".join(f"x q[{place}]; " for place, bit in enumerate(bits.values()) if bit)
    reads = "".join(f"bit {name} = measure q[{place}];\n" for place, name in enumerate(MEASURED))
    program = f"{HEAD}qubit[3] q;\noutput uint[4] u;\nu = 3;\nuint[4] v = 5;\n{flips}\n{reads}" + "\n".join(block.qasm)
    require_outcomes(program, {f"u={expected:04b}": 1}, shots=10)


@settings(max_examples=examples(30), deadline=None)
@given(_blocks(("u", "v"), depth=3, returns=True), st.integers(0, 7))
def test_a_subroutine_returns_from_wherever_its_bits_say(block: Lines, outcomes: int) -> None:
    bits = {name: outcomes >> place & 1 for place, name in enumerate(MEASURED)}
    python = ("def f(u, v, m0, m1, m2):", *_indented((*block.python, "return v")), "u = f(3, 5, m0, m1, m2)")
    expected = _value(python, dict(bits))
    flips = "".join(f"x q[{place}]; " for place, bit in enumerate(bits.values()) if bit)
    program = (
        f"{HEAD}def f(uint[4] u, uint[4] v, bit m0, bit m1, bit m2) -> uint[4] {{\n"
        + "\n".join((*block.qasm, "return v;", "}"))
        + f"\nqubit[3] q;\nbit[3] m;\noutput uint[4] r;\n{flips}\nm = measure q;\nr = f(3, 5, m[0], m[1], m[2]);"
    )
    require_outcomes(program, {f"r={expected:04b}": 1}, shots=10)
