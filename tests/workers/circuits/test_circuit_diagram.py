"""A diagram shows every operation where it acts, and says what it leaves out."""

from math import pi
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from qiskit import QuantumCircuit
from qiskit.circuit.library import RXGate

from qstill.contract.circuits.formats import JsonCircuit
from tests.testing.circuits.circuit_strategies import circuits
from tests.testing.examples import examples
from workers.circuits.diagram.layout import MAX_DRAWN_OPERATIONS, lay_out
from workers.circuits.diagram.svg import diagram_svg
from workers.circuits.labels import angles
from workers.circuits.parse.json import parse_json
from workers.circuits.parse.openqasm3 import parse_openqasm3

HEAD = 'OPENQASM 3.0; include "stdgates.inc";\n'


def words(svg: str) -> list[str]:
    root = ElementTree.fromstring(svg)  # noqa: S314 - we wrote it
    return [element.text or "" for element in root.iter("{http://www.w3.org/2000/svg}text")]


@settings(max_examples=examples(60))
@given(circuits())
def test_every_operation_has_a_place_of_its_own(circuit: tuple[int, list[dict[str, Any]]]) -> None:
    qubits, operations = circuit
    parsed = parse_json(JsonCircuit.model_validate({"format": "json", "qubits": qubits, "operations": operations}))
    layout = lay_out(parsed)
    assert len(layout.marks) == len(parsed.data)
    cells = [
        (mark.column, row)
        for mark in layout.marks
        for span in [[*mark.rows, *(row for row, _ in mark.controls)]]
        for row in range(min(span), max(span) + 1)
    ]
    assert len(cells) == len(set(cells))
    words(diagram_svg(parsed))


def test_operations_side_by_side_share_a_column() -> None:
    layout = lay_out(parse_openqasm3(HEAD + "qubit[3] q; h q; cx q[0], q[1]; x q[2];"))
    assert [mark.column for mark in layout.marks] == [0, 0, 0, 1, 1]
    assert layout.marks[3].controls == ((0, 1),)
    assert layout.marks[3].rows == (1,)


def test_names_angles_and_wires_are_written() -> None:
    svg = diagram_svg(parse_openqasm3(HEAD + "qubit[2] q; bit[2] c; rx(0.3) q[0]; cp(pi/4) q[0], q[1]; c = measure q;"))
    assert {"q[0]", "q[1]", "c", "RX", "0.30", "P", "π/4"} <= set(words(svg))


@pytest.mark.parametrize(
    ("radians", "text"),
    [
        (pi, "π"),
        (-pi / 2, "-π/2"),
        (3 * pi / 4, "3π/4"),
        (0.3, "0.30"),
        (0.0, "0.00"),
        (1e-6, "1.0e-06"),
        (2 * pi, "2π"),
    ],
)
def test_an_angle_reads_as_people_write_it(radians: float, text: str) -> None:
    assert angles(RXGate(radians)) == text


def test_a_branch_is_framed_with_its_condition() -> None:
    source = "qubit[2] q; bit[2] c; c = measure q; if (c[0] == 1) { x q[1]; } else { h q[1]; } while (c[1]) { y q[0]; }"
    circuit = parse_openqasm3(HEAD + source)
    assert {"if c[0] = 1", "else", "while c[1] = 1"} <= set(words(diagram_svg(circuit)))
    assert len(lay_out(circuit).frames) == 2


def test_a_large_circuit_is_cut_and_says_so() -> None:
    circuit = QuantumCircuit(40)
    for _ in range(100):
        circuit.h(range(20))
    svg = diagram_svg(circuit)
    assert f"… and {2000 - MAX_DRAWN_OPERATIONS:,} more operations and 8 more qubits" in words(svg)
    assert len(svg) < 100_000


def test_names_of_a_client_cannot_smuggle_markup() -> None:
    circuit = QuantumCircuit(1, name="<script>")
    circuit.append(RXGate(0.1, label="<script>alert(1)</script>"), [0])
    assert "<script" not in diagram_svg(circuit, title="<script>")


def test_a_circuit_without_anything_is_drawn() -> None:
    assert words(diagram_svg(QuantumCircuit(1))) == ["q[0]"]


@pytest.mark.parametrize(
    ("statement", "name"),
    [("ctrl @ gphase(pi) q[0];", "P"), ("ctrl(2) @ gphase(pi) q[0], q[1];", "P"), ("negctrl @ gphase(pi) q[0];", "P₀")],
)
def test_a_controlled_global_phase_is_a_phase_of_its_last_control(statement: str, name: str) -> None:
    circuit = parse_openqasm3(HEAD + "qubit[2] q;\n" + statement)
    (mark,) = lay_out(circuit).marks
    assert (mark.name, mark.detail, len(mark.rows)) == (name, "π", 1)
    assert name in words(diagram_svg(circuit))


def test_gates_that_differ_look_different() -> None:
    gates: list[dict[str, Any]] = [
        {"gate": "ms", "targets": [0, 1], "phases": [0.1, 0.2]},
        {"gate": "ms", "targets": [0, 1], "phases": [0.3, 0.2]},
        {"gate": "gpi", "target": 0, "phase": 0.25},
        {"gate": "gpi", "target": 0, "phase": 0.5},
        {"gate": "pauliexp", "targets": [0, 1], "terms": ["XX"], "coefficients": [1.0], "time": 0.1},
        {"gate": "pauliexp", "targets": [0, 1], "terms": ["ZZ"], "coefficients": [1.0], "time": 0.1},
    ]
    parsed = parse_json(JsonCircuit.model_validate({"format": "json", "qubits": 2, "operations": gates}))
    assert len({(mark.name, mark.detail) for mark in lay_out(parsed).marks}) == len(gates)
