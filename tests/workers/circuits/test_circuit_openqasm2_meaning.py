"""OpenQASM 2 by its paper: a definition counts whatever its name, a statement under `if` is tested once."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from qiskit.circuit.library import get_standard_gate_name_mapping
from qiskit.quantum_info import Operator
from qiskit_aer import AerSimulator

from qstill.contract.circuits.openqasm2.program import Call
from qstill.contract.circuits.openqasm2.reader import read_openqasm2
from qstill.contract.circuits.openqasm2.tokens import KEYWORDS
from qstill.contract.errors import Problem
from tests.testing.circuits.house import run_job
from tests.testing.circuits.sampling import sample
from tests.testing.examples import examples
from workers.circuits.engines.aer import translate
from workers.circuits.parse.openqasm2 import parse_openqasm2

HEAD = 'OPENQASM 2.0;\ninclude "qelib1.inc";\n'
_AER = AerSimulator().configuration()
NAMES = sorted(
    name
    for name in {*get_standard_gate_name_mapping(), *_AER.basis_gates, *_AER.custom_instructions, "u0", "u3", "if_else"}
    if name.isidentifier() and name[0].islower() and name not in KEYWORDS
)
OWN = "gate NAME(t) a,b { x b; cx b,a; ry(t/2) a; } gate other a,b { U(1,0,0) a; NAME(0.7) a,b; } qreg q[2];"
GATES = "other q[1],q[0]; NAME(0.3) q[0],q[1];"
NOISE = {"model": "depolarizing", "one_qubit": 0.0, "two_qubit": 0.0}
METHODS: list[dict[str, Any]] = [
    {},
    {"noise": NOISE},
    {"device": {"basis_gates": ["rz", "sx", "cx"]}},
]


@pytest.mark.parametrize("name", NAMES)
def test_renaming_a_gate_changes_nothing(name: str) -> None:
    renamed, foo = (parse_openqasm2(HEAD + (OWN + GATES).replace("NAME", each)) for each in (name, "foo"))
    np.testing.assert_allclose(Operator(translate(renamed)).data, Operator(translate(foo)).data, atol=1e-12)


@pytest.mark.parametrize("name", ["h", "iswap", "diagonal", "kraus", "id"])
@pytest.mark.parametrize("how", METHODS, ids=str)
def test_renaming_a_gate_changes_no_count_by_any_method(name: str, how: dict[str, Any]) -> None:
    source = HEAD + OWN + GATES + "creg c[2]; if(c==0) NAME(0.1) q[0],q[1]; measure q -> c;"
    programs = [{"format": "openqasm2", "source": source.replace("NAME", each)} for each in (name, "foo")]
    renamed, foo = (run_job(program, shots=500, **how)[0][0]["counts"] for program in programs)
    assert renamed == foo


@pytest.mark.parametrize("name", ["h", "iswap", "kraus", "id", "foo"])
def test_noise_of_probability_0_changes_nothing(name: str) -> None:
    source = {"format": "openqasm2", "source": HEAD + (OWN + GATES).replace("NAME", name)}
    noisy, bare = (run_job(source, outputs=["probabilities"], **how)[0][0] for how in ({"noise": NOISE}, {}))
    assert noisy["probabilities"] == pytest.approx(bare["probabilities"], abs=1e-12)


@pytest.mark.parametrize(
    ("source", "one"),
    [
        ("gate iswap a,b { x a; } qreg q[2]; iswap q[0],q[1];", "01"),
        ("gate diagonal(t) a { rz(t) a; } qreg q[2]; diagonal(1.1) q[0];", "00"),
        ("gate h a { U(pi, 0, pi) a; } qreg q[2]; h q[1];", "10"),
        ("gate unitary a { x a; } qreg q[2]; unitary q;", "11"),
        ("h q[0]; gate h a { x a; } h q[0]; h q[0];".replace("h q", "qreg q[2]; h q", 1), None),
    ],
)
def test_a_definition_counts_from_where_it_stands(source: str, one: str | None) -> None:
    found = sample({"format": "openqasm2", "source": HEAD + source}, shots=400, seed=1).counts
    assert found == {one: 400} if one else set(found) == {"00", "01"}


@given(st.sampled_from(NAMES), st.booleans())
@settings(max_examples=examples(20))
def test_an_unused_definition_changes_nothing(name: str, opaque: bool) -> None:
    rest = "qreg q[2]; creg c[2]; U(0.3,0.1,0.2) q[0]; CX q[0],q[1]; measure q -> c;"
    unused = f"opaque {name}(t) a,b;" if opaque else f"gate {name}(t) a,b {{ U(t,0,0) a; }}"
    with_it, without = (
        sample({"format": "openqasm2", "source": text}, shots=500, seed=3).counts for text in (unused + rest, rest)
    )
    assert with_it == without


BITS = 2
_INDEX = st.one_of(st.none(), st.integers(0, BITS - 1))
_CONDITION = st.one_of(st.none(), st.tuples(st.sampled_from("cd"), st.integers(0, 5)))
STATEMENTS = st.lists(
    st.tuples(st.sampled_from(["x", "flip", "reset", "measure c", "measure d"]), _INDEX, _CONDITION), max_size=12
)


@settings(max_examples=examples(80))
@given(STATEMENTS)
def test_a_statement_is_tested_once_and_then_done_whole(statements: list[tuple[str, int | None, Any]]) -> None:
    """Every state is a basis state, so that the outcome is certain; here it is followed bit by bit."""
    text = f"gate flip a {{ x a; }} qreg q[{BITS}]; creg c[{BITS}]; creg d[{BITS}];"
    qubits, clbits = [0] * BITS, {"c": [0] * BITS, "d": [0] * BITS}
    for what, index, condition in [*statements, ("measure d", None, None)]:
        operand = "" if index is None else f"[{index}]"
        word, _, register = what.partition(" ")
        text += "" if condition is None else f"if({condition[0]}=={condition[1]}) "
        text += f"{word} q{operand}" + (f" -> {register}{operand};" if register else ";")
        read = condition and sum(bit << place for place, bit in enumerate(clbits[condition[0]]))
        if condition is not None and read != condition[1]:
            continue
        for place in range(BITS) if index is None else [index]:
            if register:
                clbits[register][place] = qubits[place]
            else:
                qubits[place] = 0 if word == "reset" else 1 - qubits[place]
    key = "".join(str(bit) for register in "dc" for bit in reversed(clbits[register]))
    assert sample({"format": "openqasm2", "source": HEAD + text}, shots=20, seed=1).counts == {key: 20}


def test_a_register_measured_into_what_is_tested_is_measured_whole() -> None:
    source = "qreg q[2]; creg m[2]; x q[0]; measure q[0]->m[0]; x q[0]; x q[1]; if(m==1) measure q -> m;"
    assert sample({"format": "openqasm2", "source": HEAD + source}, shots=50, seed=1).counts == {"10": 50}


_FUNCTIONS = {name: getattr(math, name) for name in ("sin", "cos", "tan", "exp", "sqrt", "asin", "acos", "atan")}
_ATOMS = st.one_of(
    st.sampled_from(["pi", "a", "b", "0", "1", "2.", ".5", "1e-1", "3.25E+0"]), st.integers(0, 9).map(str)
)
_EXPRESSIONS = st.recursive(
    _ATOMS,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*/^"), inner).map("".join),
        st.tuples(st.sampled_from("+-"), inner).map("".join),
        inner.map("({})".format),
        st.tuples(st.sampled_from([*_FUNCTIONS, "ln"]), inner).map("{0[0]}({0[1]})".format),
    ),
    max_leaves=8,
)


@settings(max_examples=examples(300))
@given(_EXPRESSIONS, st.floats(-3, 3), st.floats(-3, 3))
def test_an_angle_is_what_python_makes_of_it(text: str, a: float, b: float) -> None:
    names = _FUNCTIONS | {"ln": math.log, "pi": math.pi, "a": a, "b": b}
    source = f"gate g(a, b) q {{ rz({text}) q; }} qreg q[1]; g({a!r}, {b!r}) q[0];"
    try:
        wanted = eval(text.replace("^", "**"), {"__builtins__": {}}, names)  # noqa: S307  # a text of this test
        assume(not isinstance(wanted, int) or abs(wanted) < 2**1000)
        wanted = float(wanted) if isinstance(wanted, int | float) else math.nan  # a power may be complex
    except (ArithmeticError, ValueError, TypeError):  # TypeError: a function of a complex number
        wanted = math.nan
    try:
        (statement,) = read_openqasm2(HEAD + source).statements
    except Problem:
        assert not math.isfinite(wanted)
        return
    (call,) = statement.operations
    assert isinstance(call, Call)
    assert not isinstance(call.gate, str)
    (inner,) = call.gate.body
    assert isinstance(inner, Call)
    assert inner.angles == (wanted,)
