"""Random OpenQASM 3 programs mean what an interpreter of the tests' own says, by every way they can be run."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.circuit import Gate
from qiskit.circuit.library import get_standard_gate_name_mapping

from qstill.contract.circuits.openqasm3.reader import elaborate
from qstill.contract.circuits.openqasm3.syntax.tokens import KEYWORDS
from tests.testing.examples import examples
from tests.workers.circuits.openqasm3 import interpreter
from tests.workers.circuits.openqasm3.interpreter import Program
from workers.circuits.engines.aer import simulator
from workers.circuits.engines.dynamic import branching, computed
from workers.circuits.examine.shape import examine
from workers.circuits.parse.openqasm3 import _Writer, parse_openqasm3
from workers.circuits.program import Ask
from workers.circuits.program import Program as Simulated

SHOTS = 2_000
STANDARD = {name for name, gate in get_standard_gate_name_mapping().items() if isinstance(gate, Gate)}
KNOWN_TO_OTHERS = STANDARD | set(simulator().configuration().basis_gates) | set(simulator().operation_names)
NAMES = sorted(
    (KNOWN_TO_OTHERS | {"kraus", "superop", "multiplexer", "gpi", "gpi2", "ms", "zz", "compute", "read", "my_gate"})
    - {"x", "h", "s", "rx", "ry", "rz", "p", "cx", "cz"}
    - set(KEYWORDS)
)
TYPES = {"n": ("uint", 3), "m": ("int", 4), "k": ("uint", 2)}


def test_the_pool_of_names_is_large() -> None:
    assert len(NAMES) > 60


@st.composite
def applications(draw: st.DrawFn, qubits: int, own: dict[str, tuple[int, list[Any]]]) -> Any:
    two = ["cx", "cz"] if qubits > 1 else []
    fitting = [name for name, (width, _) in own.items() if width <= qubits]
    name = draw(st.sampled_from(["x", "h", "s", "rx", "ry", "rz", "p", *two, *fitting]))
    width = own[name][0] if name in own else 2 if name in interpreter.TWO else 1
    angles = [draw(st.sampled_from([0.3, -0.8, 1.9]))] if name in ("rx", "ry", "rz", "p") else []
    modifiers: list[Any] = []
    for _ in range(draw(st.integers(0, 2))):
        kind = draw(st.sampled_from(["inv", "pow", "ctrl", "negctrl"]))
        if kind in ("inv", "pow"):
            modifiers.append((kind, None if kind == "inv" else draw(st.sampled_from([-1, 0, 2, 3]))))
        elif width < qubits:
            modifiers.append((kind, None))
            width += 1
    on = draw(st.permutations(range(qubits)))[:width]
    return "gate", name, angles, on, modifiers


@st.composite
def expressions(draw: st.DrawFn, bits: int, depth: int = 2) -> Any:
    leaves = [("number", draw(st.integers(-2, 5))), ("name", draw(st.sampled_from(sorted(TYPES)))), ("bits",)]
    leaves.append(("bit", draw(st.integers(0, bits - 1))))
    if depth == 0 or draw(st.booleans()):
        return draw(st.sampled_from(leaves))
    sign = draw(st.sampled_from([*interpreter.OPERATORS, "not"]))
    if sign == "not":
        return "not", draw(expressions(bits, depth - 1))
    return sign, draw(expressions(bits, depth - 1)), draw(expressions(bits, depth - 1))


@st.composite
def statements(draw: st.DrawFn, program: Program, depth: int, *, inside_loop: bool = False) -> list[Any]:
    found: list[Any] = []
    kinds = ["gate", "gate", "gate", "measure", "measure", "set", "turn", "reset", "set bit"]
    kinds += ["if", "if", "for"] if depth else []
    for _ in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from(kinds))
        qubit, bit = draw(st.integers(0, program.qubits - 1)), draw(st.integers(0, program.bits - 1))
        match kind:
            case "gate":
                found.append(draw(applications(program.qubits, program.gates)))
            case "measure" | "reset":
                found.append((kind, qubit, bit))
            case "turn":
                found.append(("turn", draw(st.sampled_from(["rx", "p"])), draw(expressions(program.bits, 1)), qubit))
            case "set":
                name = draw(st.sampled_from(["n", "m"]))
                found.append(("set", name, draw(expressions(program.bits))))
            case "set bit":
                found.append(("set bit", bit, draw(expressions(program.bits, 1))))
            case "if":
                then = draw(statements(program, depth - 1, inside_loop=inside_loop))
                otherwise = draw(st.one_of(st.just([]), statements(program, depth - 1, inside_loop=inside_loop)))
                if inside_loop and draw(st.booleans()):
                    then.append((draw(st.sampled_from(["break", "continue"])),))
                found.append(("if", draw(expressions(program.bits)), then, otherwise))
            case "for":
                values = draw(st.lists(st.integers(0, 3), min_size=1, max_size=3))
                found.append(("for", "k", values, draw(statements(program, depth - 1, inside_loop=True))))
    return found


@st.composite
def programs(draw: st.DrawFn) -> Program:
    qubits = draw(st.integers(1, 3))
    gates: dict[str, tuple[int, list[Any]]] = {}
    for name in draw(st.lists(st.sampled_from(NAMES), max_size=2, unique=True)):
        width = draw(st.integers(1, qubits))
        gates[name] = (width, [draw(applications(width, dict(gates))) for _ in range(draw(st.integers(1, 3)))])
    program = Program(qubits, draw(st.integers(1, 3)), gates, TYPES)
    program.body = [("gate", "h", [], [0], []), ("measure", 0, 0), *draw(statements(program, 2))]
    program.body.append(("measure", qubits - 1, program.bits - 1))
    return program


def counts(circuit: QuantumCircuit) -> dict[str, int]:
    program = Simulated(circuit, examine(circuit))
    ask = Ask(shots=SHOTS, seed=11)
    return (computed if program.shape.computed else branching).sample(program, ask).counts


def agree(found: dict[str, int], exact: dict[str, float]) -> None:
    for key in found | exact:
        likely = min(1.0, exact.get(key, 0.0))
        spread = (likely * (1 - likely) / SHOTS) ** 0.5
        assert abs(found.get(key, 0) / SHOTS - likely) <= 5.5 * spread + 1e-9, (key, found, exact)


@settings(max_examples=examples(60))
@given(programs())
def test_a_program_means_what_the_language_says(program: Program) -> None:
    source = interpreter.text(program)
    note(source)
    agree(counts(parse_openqasm3(source)), interpreter.run(program))


@pytest.mark.slow
@settings(max_examples=examples(1_500))
@given(programs())
def test_any_program_means_what_the_language_says(program: Program) -> None:
    source, exact = interpreter.text(program), interpreter.run(program)
    note(source)
    agree(counts(parse_openqasm3(source)), exact)
    agree(counts(_Writer(elaborate(source), native=False).circuit()), exact)


@settings(max_examples=examples(25))
@given(programs(), st.sampled_from(NAMES))
def test_an_unused_definition_and_other_names_change_nothing(program: Program, name: str) -> None:
    before = counts(parse_openqasm3(interpreter.text(program)))
    if name not in program.gates:
        more = {name: (1, [("gate", "x", [], [0], [])])} | program.gates
        assert counts(parse_openqasm3(interpreter.text(replace(program, gates=more)))) == before
    source = interpreter.text(program)
    for index, own in enumerate(program.gates):
        source = source.replace(f"gate {own} ", f"gate fresh{index} ").replace(f" {own} ", f" fresh{index} ")
        source = source.replace(f"\n{own} ", f"\nfresh{index} ")
    assert counts(parse_openqasm3(source)) == before
