"""JSON and OpenQASM 3 mean what their specifications say, and errors say where they are."""

from contextlib import suppress
from math import pi
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit, qasm3
from qiskit.quantum_info import Operator

from qstill.contract.circuits.job import CircuitJob
from qstill.contract.errors import Problem
from tests.testing.circuits.circuit_strategies import circuits, small_matrix, unitary
from tests.testing.examples import examples
from tests.testing.refusals import problem_of
from workers.circuits.parse import parse
from workers.circuits.parse.openqasm3 import parse_openqasm3

HEAD = 'OPENQASM 3.0;\ninclude "stdgates.inc";\n'


def parsed(qubits: int, operations: list[dict[str, Any]]) -> QuantumCircuit:
    circuit = {"format": "json", "qubits": qubits, "operations": operations}
    return parse(CircuitJob.model_validate({"circuit": circuit}).circuit)


def without_measurements(circuit: QuantumCircuit) -> QuantumCircuit:
    return circuit.remove_final_measurements(inplace=False)


def refusal(source: str) -> Problem:
    refused = problem_of(parse_openqasm3, HEAD + source)
    assert refused.pointer == "/circuit/source"
    return refused


@settings(max_examples=examples(60))
@given(circuits())
def test_a_json_circuit_is_the_unitary_of_the_contract(circuit: tuple[int, list[dict[str, Any]]]) -> None:
    np.testing.assert_allclose(Operator(without_measurements(parsed(*circuit))).data, unitary(*circuit), atol=1e-9)


@pytest.mark.slow
@settings(max_examples=examples(1_000))
@given(circuits())
def test_any_json_circuit_is_the_unitary_of_the_contract(circuit: tuple[int, list[dict[str, Any]]]) -> None:
    np.testing.assert_allclose(Operator(without_measurements(parsed(*circuit))).data, unitary(*circuit), atol=1e-9)


@settings(max_examples=examples(25))
@given(circuits(max_qubits=3, max_operations=4))
def test_a_circuit_exported_as_openqasm_3_is_the_same_circuit(circuit: tuple[int, list[dict[str, Any]]]) -> None:
    before = without_measurements(parsed(*circuit))
    after = parse_openqasm3(qasm3.dumps(before))
    assert Operator(after).equiv(Operator(before), atol=1e-6)


SQ = 1 / np.sqrt(2)
EXACT: list[tuple[dict[str, Any], Any]] = [
    ({"gate": "gpi", "target": 0, "phase": 0.25}, [[0, -1j], [1j, 0]]),
    ({"gate": "gpi2", "target": 0, "phase": 0.0}, [[SQ, -1j * SQ], [-1j * SQ, SQ]]),
    ({"gate": "gpi2", "target": 0, "phase": 0.25}, [[SQ, -SQ], [SQ, SQ]]),
    ({"gate": "z", "target": 0, "rotation": pi / 2}, [[1, 0], [0, 1j]]),
    ({"gate": "zz", "targets": [0, 1], "angle": 0.25}, np.diag(np.exp(np.array([-1, 1, 1, -1]) * 1j * pi / 4))),
    ({"gate": "zz", "targets": [0, 1], "rotation": pi / 2}, np.diag(np.exp(np.array([-1, 1, 1, -1]) * 1j * pi / 4))),
    (
        {"gate": "ms", "targets": [1, 0], "phases": [0, 0]},
        [[SQ, 0, 0, -1j * SQ], [0, SQ, -1j * SQ, 0], [0, -1j * SQ, SQ, 0], [-1j * SQ, 0, 0, SQ]],
    ),
    (
        {"gate": "ms", "targets": [1, 0], "phases": [0.25, 0]},
        [[SQ, 0, 0, -SQ], [0, SQ, -SQ, 0], [0, SQ, SQ, 0], [SQ, 0, 0, SQ]],
    ),
    (
        {"gate": "pauliexp", "targets": [0, 1], "terms": ["IZ"], "coefficients": [1.0], "time": pi / 4},
        np.diag(np.exp(np.array([-1, 1, -1, 1]) * 1j * pi / 4)),
    ),
]


@pytest.mark.parametrize(("operation", "matrix"), EXACT)
def test_the_matrices_of_the_table(operation: dict[str, Any], matrix: Any) -> None:
    qubits = 1 if "target" in operation else 2
    circuit = without_measurements(parsed(qubits, [operation]))
    np.testing.assert_allclose(Operator(circuit).data, matrix, atol=1e-12)


def test_the_first_target_of_ms_is_the_high_bit() -> None:
    phases = [0.1, 0.3]
    swapped = small_matrix({"gate": "ms", "phases": phases[::-1]})
    circuit = without_measurements(parsed(2, [{"gate": "ms", "targets": [1, 0], "phases": phases}]))
    np.testing.assert_allclose(Operator(circuit).data, swapped, atol=1e-12)


def test_a_sum_that_does_not_commute_is_refused_beyond_eight_qubits() -> None:
    wide = {"gate": "pauliexp", "targets": list(range(9)), "coefficients": [1, 1], "time": 1}
    parsed(9, [wide | {"terms": ["X" * 9, "I" * 7 + "ZZ"]}])
    refused = problem_of(parsed, 9, [{"gate": "nop"}, wide | {"terms": ["X" * 9, "Z" * 9]}])
    assert (refused.code, refused.pointer) == ("pauliexp_too_wide", "/circuit/operations/1/terms")


@pytest.mark.parametrize("gate", ["gpi", "gpi2", "ms"])
def test_a_native_gate_with_many_controls_costs_no_matrix(gate: str) -> None:
    numbers = {"phases": [0.1, 0.2]} if gate == "ms" else {"phase": 0.1}
    targets = [0, 1] if gate == "ms" else [0]
    parsed(30, [{"gate": gate, "targets": targets, "controls": [*range(2, 30)]} | numbers])


def test_a_controlled_sum_that_does_not_commute_is_refused_beyond_eight_qubits() -> None:
    sum_of_two = {"gate": "pauliexp", "targets": [0, 1], "terms": ["XX", "ZI"], "coefficients": [1, 1], "time": 1}
    parsed(9, [sum_of_two | {"controls": [*range(2, 8)]}])
    refused = problem_of(parsed, 9, [sum_of_two | {"controls": [*range(2, 9)]}])
    assert (refused.code, refused.pointer) == ("pauliexp_too_wide", "/circuit/operations/0/controls")


def test_all_qubits_are_measured_unless_the_circuit_says_otherwise() -> None:
    implied = parsed(3, [{"gate": "h", "target": 0}])
    assert (implied.num_clbits, implied.count_ops()["measure"]) == (3, 3)
    written = parsed(3, [{"gate": "measure", "target": 1}, {"gate": "measure", "target": 0, "clbit": 5}])
    assert (written.num_clbits, written.count_ops()["measure"]) == (6, 2)
    source = parse(
        CircuitJob.model_validate(
            {"circuit": {"format": "openqasm3", "source": HEAD + "qubit[2] q; bit[7] unused; h q;"}}
        ).circuit
    )
    assert (source.num_clbits, source.count_ops()["measure"]) == (2, 2)


@pytest.mark.parametrize(
    ("source", "same"),
    [
        ("qubit[3] q; for int i in [0:2] { h q[i]; }", "qubit[3] q; h q;"),
        ("qubit[3] q; for int i in [2:-1:1] { rx(i*pi/2) q[i]; }", "qubit[3] q; rx(pi) q[2]; rx(pi/2) q[1];"),
        (
            "const uint n = 3; qubit[n] q; for uint i in [0:n-2] { cx q[i], q[i+1]; }",
            "qubit[3] q; cx q[0], q[1]; cx q[1], q[2];",
        ),
        ("const float a = pi/3; qubit q; rx(sin(a)**2) q;", "qubit q; rx(0.75) q;"),
        ("gate g(a) x { rx(a) x; rz(a/2) x; } qubit q; g(0.4) q;", "qubit q; rx(0.4) q; rz(0.2) q;"),
        (
            "qubit[3] q; ctrl(2) @ x q[0], q[1], q[2]; negctrl @ x q[0], q[1];",
            "qubit[3] q; ccx q[0], q[1], q[2]; x q[0]; cx q[0], q[1]; x q[0];",
        ),
        ("qubit[2] q; float angle_ = pi/4; int n = 2; rx(angle_*n) q[0];", "qubit[2] q; rx(pi/2) q[0];"),
        (
            "qubit[2] q; rzz(0.3) q[0], q[1]; sxdg q[0];",
            "qubit[2] q; cx q[0], q[1]; rz(0.3) q[1]; cx q[0], q[1]; inv @ sx q[0];",
        ),
        ("gate rzz(a) b, c { rx(a) b; } qubit[2] q; rzz(0.3) q[0], q[1];", "qubit[2] q; rx(0.3) q[0];"),
        ("qubit q; rx(mod(7, 4)) q; rz(floor(2.5) + ceiling(0.5)) q;", "qubit q; rx(3) q; rz(3) q;"),
        ('qubit q; bit c = 0; bit[2] d = "00"; h q;', "qubit q; h q;"),
        ("qubit q; int n = 1; n = 2; rx(n) q;", "qubit q; rx(2) q;"),
        ("qubit[2] q; rx(1/2) q[0]; rx(-3/2) q[1];", "qubit[2] q; rx(-1) q[1];"),
        (
            "qubit[3] q; cx q[0], q[1:2]; cx q[{0, 1}], q[{1, 2}];",
            "qubit[3] q; cx q[0], q[1]; cx q[0], q[2]; cx q[0], q[1]; cx q[1], q[2];",
        ),
        ("qubit[2] q; inv @ s q[0]; pow(3) @ t q[1];", "qubit[2] q; sdg q[0]; t q[1]; t q[1]; t q[1];"),
    ],
)
def test_programs_mean_what_they_spell_out(source: str, same: str) -> None:
    assert Operator(parse_openqasm3(HEAD + source)).equiv(Operator(parse_openqasm3(HEAD + same)))


@pytest.mark.parametrize(
    ("source", "code", "words"),
    [
        ("qubit[2] q;\nh q[0]\ncx q[0], q[1];", "qasm_invalid", "Line 5, column 1"),
        ("qubit[2] q;\nfoo q[0];", "qasm_invalid", "Line 4, column 1: there is no gate 'foo'"),
        ("qubit[2] q;\nh q[5];", "qasm_invalid", "Line 4, column"),
        ("qubit[2] q;\n\ncx q[1], q[1];", "qasm_invalid", "Line 5, column 1: a qubit is named twice"),
        ("qubit[2] q; rx q[0];", "qasm_invalid", "Line 3, column 13"),
        ("qubit q; rx(1/0) q;", "qasm_invalid", "Line 3"),
        ("qubit q; rx(1e400) q;", "qasm_invalid", "finite"),
        ("qubit q; h ? q;", "qasm_invalid", "Line 3, column 12"),
        ("qubit[2] q; h q[0", "qasm_invalid", "the end of the program"),
        ("const uint n = 5000; qubit[n] q;", "too_many_qubits", "more than 4,096"),
        ("qubit[2*5000] q;", "too_many_qubits", "more than 4,096"),
        ("bit c;", "no_qubits", "no qubit"),
        ("qubit q; const int n = 1; n = 2;", "qasm_invalid", "cannot be given a value"),
        ("qubit q; float t = 1;", "qasm_invalid", "'t' is a gate's"),
        ("qubit q; rx(" + "+".join(["1.0"] * 5000) + ") q;", "qasm_too_deep", "levels"),
    ],
)
def test_an_error_says_where_and_what(source: str, code: str, words: str) -> None:
    problem = refusal(source)
    assert problem.code == code
    assert words in problem.title


def doubling(levels: int) -> str:
    gates = "".join(f"gate g{i} a {{ g{i - 1} a; g{i - 1} a; }}\n" for i in range(1, levels))
    return "gate g0 a { x a; x a; }\n" + gates + f"qubit q; g{levels - 1} q;"


HOSTILE = {
    "doubling definitions": doubling(25),
    "nested loops": "qubit q; for int i in [0:99999] { for int j in [0:99999] { } }",
    "loop of a long gate": doubling(12) + " for int i in [0:9999] { g11 q; }",
    "power of a wide gate": f"gate w {', '.join(f'a{i}' for i in range(20))} {{ h a0; }} qubit[20] q; "
    f"pow(2) @ w {', '.join(f'q[{i}]' for i in range(20))};",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_program_that_explodes_is_refused(name: str) -> None:
    assert refusal(HOSTILE[name]).code in ("qasm_invalid", "too_many_operations")


def test_only_the_standard_gates_can_be_included(tmp_path: Path) -> None:
    (tmp_path / "secret.inc").write_text("gate g a { x a; }")
    assert refusal(f'include "{tmp_path}/secret.inc"; qubit q;').code == "qasm_include"


@settings(max_examples=examples(60))
@given(st.text("qubit[]();{}=hx0123 \n\"'/*pi-measure>@if,.", max_size=60))
def test_nonsense_is_a_problem_and_nothing_else(text: str) -> None:
    with suppress(Problem):
        parse_openqasm3(HEAD + text)


def test_a_thousand_gates_are_read() -> None:
    gates = [
        f"h q[{i % 5}]; rx(0.{i}) q[{(i + 1) % 5}]; cx q[0], q[{1 + i % 4}]; rz({i}*pi/7) q[0];" for i in range(250)
    ]
    source = HEAD + "qubit[5] q; bit[5] c;\n" + "\n".join(gates) + "c = measure q;"
    circuit = parse_openqasm3(source)
    assert circuit.size() == 1005
