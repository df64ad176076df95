"""What exports look like, what they refuse, and the diagram for terminals."""

from math import pi
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import Clbit, Gate, Parameter, Qubit
from qiskit.circuit.library import RYGate, XGate, ZGate
from qiskit.quantum_info import Operator

from qstill.contract.circuits.formats import JsonCircuit
from qstill.contract.errors import Problem
from tests.testing.circuits.branches import distribution
from tests.testing.circuits.circuit_strategies import circuits
from tests.testing.examples import examples
from tests.testing.refusals import problem_of
from workers.circuits.binding import bind
from workers.circuits.diagram.layout import lay_out
from workers.circuits.export import to_json, to_openqasm2, to_openqasm3, to_text
from workers.circuits.export.text import WIDTH
from workers.circuits.export.words import real
from workers.circuits.parse.json import parse_json
from workers.circuits.parse.openqasm2 import parse_openqasm2
from workers.circuits.parse.openqasm3 import parse_openqasm3
from workers.circuits.parse.own_gates import own_gate

HEAD = 'OPENQASM 3.0;\ninclude "stdgates.inc";\n'


def bell() -> QuantumCircuit:
    return parse_openqasm3(HEAD + "qubit[2] q; bit[2] c; h q[0]; cx q[0], q[1]; c = measure q;")


def test_a_bell_pair_as_people_would_write_it() -> None:
    assert to_openqasm3(bell()) == HEAD + (
        "qubit[2] q;\nbit[2] c;\nh q[0];\ncx q[0], q[1];\nc[0] = measure q[0];\nc[1] = measure q[1];\n"
    )
    assert to_openqasm2(bell()) == (
        'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[2];\ncreg c[2];\n'
        "h q[0];\ncx q[0],q[1];\nmeasure q[0] -> c[0];\nmeasure q[1] -> c[1];\n"
    )
    assert to_json(bell()) == {
        "format": "json",
        "qubits": 2,
        "operations": [
            {"gate": "h", "target": 0},
            {"gate": "x", "target": 1, "control": 0},
            {"gate": "measure", "target": 0},
            {"gate": "measure", "target": 1},
        ],
    }
    assert to_text(bell()).splitlines() == [
        "q[0] ──┤H├──●──┤M├───────",
        "            │   ║",
        "q[1] ───────⊕───╫───┤M├──",
        "                ║    ║",
        "c 2  ═══════════╩0═══╩1══",
    ]


def test_controls_are_modifiers_in_openqasm_3() -> None:
    circuit = QuantumCircuit(5)
    circuit.append(XGate().control(4, ctrl_state=0b0111, annotated=False), range(5))
    circuit.append(RYGate(pi / 3).control(2, annotated=False), [4, 3, 2])
    text = to_openqasm3(circuit)
    assert "ctrl(3) @ negctrl @ x q[0], q[1], q[2], q[3], q[4];" in text
    assert "ctrl(2) @ ry(pi/3) q[4], q[3], q[2];" in text
    assert Operator(parse_openqasm3(text)).equiv(Operator(circuit))


@settings(max_examples=examples(60))
@given(st.one_of(st.floats(-1e6, 1e6), st.floats(-1e-3, 1e-3), st.integers(-300, 300).map(lambda n: n * pi / 64)))
def test_a_number_is_read_back_as_it_was(value: float) -> None:
    circuit = QuantumCircuit(1)
    circuit.rz(value, 0)
    for again in (parse_openqasm3(to_openqasm3(circuit)), parse_openqasm2(to_openqasm2(circuit))):
        assert float(again.data[0].operation.params[0]) == pytest.approx(value, rel=1e-15, abs=0)


def test_numbers_have_a_point_or_are_parts_of_pi() -> None:
    written = [real(value) for value in (1e-7, 1e30, 0.0, 2.0, pi, -pi / 2, 3 * pi / 4, 0.1)]
    assert written == ["1.0e-07", "1.0e+30", "0.0", "2.0", "pi", "-pi/2", "3*pi/4", "0.1"]


def test_registers_and_single_bits_keep_their_order() -> None:
    a, b = ClassicalRegister(2, "a"), ClassicalRegister(1, "measure")
    circuit = QuantumCircuit(QuantumRegister(1, "x"), [Qubit()], a, [Clbit()], b)
    both = ClassicalRegister(bits=[a[1], b[0]], name="both")
    circuit.add_register(both)
    circuit.h([0, 1])
    circuit.measure([0, 1, 0], [1, 3, 2])
    with circuit.if_test((both, 2)):
        circuit.x(0)
    circuit.measure(0, 0)
    assert "let both = a[1:1] ++ measure_1[0:0];" in to_openqasm3(circuit)
    assert distribution(parse_openqasm3(to_openqasm3(circuit))) == pytest.approx(distribution(circuit))
    assert distribution(parse_json(JsonCircuit.model_validate(to_json(circuit)))) == pytest.approx(
        distribution(circuit)
    )
    with pytest.raises(Problem, match="overlap"):
        to_openqasm2(circuit)


def test_a_condition_cuts_a_register_of_openqasm_2() -> None:
    circuit = parse_openqasm3(HEAD + "qubit[3] q; bit[4] c; h q; c[0:2] = measure q; if (c[1]) { x q[0]; h q[1]; }")
    text = to_openqasm2(circuit)
    assert "creg c[1];\ncreg c_1[1];\ncreg c_2[2];" in text
    assert "if(c_1==1) x q[0];\nif(c_1==1) h q[1];" in text


def wide(gate: Gate) -> QuantumCircuit:
    circuit = QuantumCircuit(gate.num_qubits)
    circuit.append(gate, range(gate.num_qubits))
    return circuit


def test_what_would_take_minutes_is_refused() -> None:
    circuit = wide(ZGate().control(60, annotated=False))
    assert to_json(circuit)["operations"][0]["controls"] == [*range(60)]
    assert "ctrl(60) @ z" in to_openqasm3(circuit)
    with pytest.raises(Problem, match="61 qubits") as refused:
        to_openqasm2(circuit)
    assert refused.value.code == "export_unsupported"
    gate: Gate = XGate()
    for level in range(20):
        doubled = QuantumCircuit(1)
        for _ in range(2):
            doubled.append(gate, [0], copy=False)
        gate = Gate(f"g{level}", 1, [])
        gate.definition = doubled
    assert problem_of(to_openqasm3, wide(gate)).code == "export_too_large"


DEFINING = (
    'OPENQASM 2.0; include "qelib1.inc"; gate NAME(t, s) a,b { ry(t) a; cx a,b; u3(s,t,0.1) b; } '
    "gate other a,b { NAME(0.3,0.4) b,a; h a; } gate nothing a { } qreg q[2]; h q; "
    "NAME(0.1,0.2) q[0],q[1]; NAME(0.2,0.1) q[1],q[0]; other q[0],q[1]; nothing q[0]; NAME(0.1,0.2) q[1],q[0];"
)


@pytest.mark.parametrize(
    ("name", "written"), [("foo", "foo"), ("iswap", "iswap"), ("kraus", "kraus"), ("h1", "h1"), ("cz", "cz_1")]
)
def test_an_own_gate_is_written_under_its_name_unless_the_format_has_another_of_that_name(
    name: str, written: str
) -> None:
    circuit = parse_openqasm2(DEFINING.replace("NAME", name))
    wanted = Operator(circuit)
    for text, again in (
        (to_openqasm2(circuit), parse_openqasm2(to_openqasm2(circuit))),
        (to_openqasm3(circuit), parse_openqasm3(to_openqasm3(circuit))),
    ):
        assert f"gate {written} q0" in text
        assert text.count("gate ") == 5  # three angles of the first, the others
        assert Operator(again).equiv(wanted)
    assert Operator(parse_json(JsonCircuit.model_validate(to_json(circuit)))).equiv(wanted)


def test_an_own_gate_of_free_parameters_takes_them_as_its_own() -> None:
    k, definition, circuit = Parameter("γ"), QuantumCircuit(1, name="foo"), QuantumCircuit(2)
    definition.rx(2 * k, 0)
    definition.global_phase = k
    gate = own_gate("Foo", definition, [k])
    circuit.append(gate, [1])
    circuit.append(gate.control(1, annotated=False), [0, 1])
    text = to_openqasm3(circuit)
    assert "gate Foo(a) q0 { rx(2*a) q0; }" in text
    (again,) = bind(parse_openqasm3(text), [{"a": 0.7}])
    (wanted,) = bind(circuit, [{"γ": 0.7}])
    assert Operator(again).equiv(Operator(wanted))
    assert circuit.parameters == {k}


def test_a_gate_without_a_definition_is_refused_by_name() -> None:
    with pytest.raises(Problem, match="'oracle' on 3 qubits"):
        to_openqasm3(wide(Gate("oracle", 3, [])))


@settings(max_examples=examples(60))
@given(circuits())
def test_a_diagram_has_every_operation_in_lines_that_fit(circuit: tuple[int, list[dict[str, Any]]]) -> None:
    qubits, operations = circuit
    parsed = parse_json(JsonCircuit.model_validate({"format": "json", "qubits": qubits, "operations": operations}))
    lines = to_text(parsed).splitlines()
    assert max(map(len, lines)) <= WIDTH
    marks = lay_out(parsed).marks
    boxes = sum(len(mark.rows) for mark in marks if mark.kind == "box")
    assert sum(line.count("┤") for line in lines) == boxes
    controls = [state for mark in marks for _, state in mark.controls] + [1 for mark in marks if mark.kind == "z"]
    assert sum(line.count("●") for line in lines) == sum(controls)


def test_a_long_diagram_goes_on_below() -> None:
    gates = "".join(f"rx(0.{i + 1}) q[{i % 2}]; cx q[0], q[1]; " for i in range(20))
    lines = to_text(parse_openqasm3(HEAD + "qubit[2] q; " + gates)).splitlines()
    assert lines[0].startswith("q[0] ─")
    assert lines[0].endswith("»")
    assert lines[4].startswith("q[0] «")
    assert not lines[-1].endswith("»")
    assert max(map(len, lines)) <= WIDTH
    assert to_text(QuantumCircuit(40)).endswith("… and 8 more qubits\n")


def test_a_condition_has_brackets_and_a_line_to_its_bit() -> None:
    program = "qubit[2] q; bit c; c = measure q[0]; if (c) { x q[1]; }"
    assert to_text(parse_openqasm3(HEAD + program)).splitlines() == [
        "q[0] ──┤M├────────────────────────",
        "        ║",
        "q[1] ───╫───[if c[0] = 1──┤X├──]──",
        "        ║        ║",
        "c 1  ═══╩0═══════■════════════════",
    ]
