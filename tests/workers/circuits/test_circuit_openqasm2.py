"""OpenQASM 2 means what Qiskit wrote, its errors say where they are, and what would explode is refused."""

from contextlib import suppress
from math import pi
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit, qasm2
from qiskit.quantum_info import Operator

from qstill.contract.circuits.job import CircuitJob
from qstill.contract.errors import Problem
from tests.testing.circuits.circuit_strategies import circuits
from tests.testing.circuits.sampling import sample
from tests.testing.examples import examples
from tests.testing.refusals import problem_of
from workers.circuits.parse import parse
from workers.circuits.parse.openqasm2 import parse_openqasm2

HEAD = 'OPENQASM 2.0;\ninclude "qelib1.inc";\n'


def counts(source: str, shots: int = 50) -> dict[str, int]:
    return sample({"format": "openqasm2", "source": HEAD + source}, shots=shots, seed=1).counts


@settings(max_examples=examples(40))
@given(circuits(max_qubits=3, max_operations=4))
def test_a_circuit_exported_as_openqasm_2_is_the_same_circuit(circuit: tuple[int, list[dict[str, Any]]]) -> None:
    qubits, operations = circuit
    for operation in operations:
        if operation["gate"] in ("gpi", "ms", "pauliexp"):  # qasm2.dumps fails where a matrix has a control
            operation.pop("control", None)
            operation.pop("controls", None)
    body = {"format": "json", "qubits": qubits, "operations": operations}
    before = parse(CircuitJob.model_validate({"circuit": body}).circuit).remove_final_measurements(inplace=False)
    after = parse_openqasm2(qasm2.dumps(before))
    assert Operator(after).equiv(Operator(before), atol=1e-4)  # Qiskit synthesises matrices to 1 - 1e-9


LEGACY = {
    "sx q[0];": lambda circuit: circuit.sx(0),
    "sxdg q[0];": lambda circuit: circuit.sxdg(0),
    "p(0.1) q[0];": lambda circuit: circuit.p(0.1, 0),
    "u(0.1, 0.2, 0.3) q[0];": lambda circuit: circuit.u(0.1, 0.2, 0.3, 0),
    "cu(0.1, 0.2, 0.3, 0.4) q[0], q[1];": lambda circuit: circuit.cu(0.1, 0.2, 0.3, 0.4, 0, 1),
    "rxx(0.1) q[0], q[1];": lambda circuit: circuit.rxx(0.1, 0, 1),
    "rzz(0.1) q[0], q[1];": lambda circuit: circuit.rzz(0.1, 0, 1),
    "crx(0.1) q[0], q[1];": lambda circuit: circuit.crx(0.1, 0, 1),
    "cp(0.1) q[0], q[1];": lambda circuit: circuit.cp(0.1, 0, 1),
    "csx q[0], q[1];": lambda circuit: circuit.csx(0, 1),
    "swap q[0], q[1];": lambda circuit: circuit.swap(0, 1),
    "cswap q[0], q[1], q[2];": lambda circuit: circuit.cswap(0, 1, 2),
    "c3x q[0], q[1], q[2], q[3];": lambda circuit: circuit.mcx([0, 1, 2], 3),
}


@pytest.mark.parametrize("source", LEGACY)
def test_the_gates_that_qiskit_added_to_qelib1_are_known(source: str) -> None:
    expected = QuantumCircuit(4)
    LEGACY[source](expected)
    assert Operator(parse_openqasm2(HEAD + "qreg q[4];" + source)).equiv(Operator(expected))


def test_conditions_resets_and_measurements_in_the_middle_work() -> None:
    middle = "qreg q[2]; creg c[2]; x q[0]; measure q[0] -> c[0]; if(c==1) x q[1]; reset q[0]; measure q[1] -> c[1];"
    assert counts(middle + "measure q[0] -> c[0];") == {"10": 50}
    assert counts("qreg q[1]; creg c[1]; creg d[1]; if(c==1) x q[0]; measure q -> d;") == {"00": 50}


def test_all_qubits_are_measured_unless_the_program_says_otherwise() -> None:
    assert counts("qreg q[2]; creg c[5]; x q[1];") == {"10": 50}


def test_expressions_are_computed() -> None:
    source = "gate g(a, b) x { rx(a*b) x; rx(-sin(a)^2) x; } qreg q[1]; g(pi/2, 2) q[0];"
    expected = QuantumCircuit(1)
    expected.rx(pi - 1, 0)
    assert Operator(parse_openqasm2(HEAD + source)).equiv(Operator(expected))


@pytest.mark.parametrize(
    ("source", "code", "words"),
    [
        ("qreg q[2];\nh q[0]\ncx q[0], q[1];", "qasm_invalid", "Line 5, column 1: "),
        ("qreg q[2];\nfoo q[0];", "qasm_invalid", "Line 4, column 1: 'foo' is not defined"),
        ("qreg q[2];\n h q[5];", "qasm_invalid", "Line 4, column 6: index 5 is out of range"),
        ("gate g a { g a; } qreg q[1];", "qasm_invalid", "Line 3, column 12: 'g' is not defined"),
        ("qreg q[1]; rx(1/0) q[0];", "qasm_invalid", "Line 3"),
        ("qreg q[1]; /* a\n b */ rx(1e400) q[0];", "qasm_invalid", "finite"),
        ("qreg q[1]; rx(asin(2)) q[0];", "qasm_invalid", "finite"),
        ("qreg q[1]; rx(2^2^2^2^2^2) q[0];", "qasm_invalid", "finite"),
        ("gate g(a) b { rx(1/a) b; } qreg q[1]; g(0) q[0];", "qasm_invalid", "divide by zero"),
        ("gate g(a) b { rx(a*1e300) b; } qreg q[1]; creg c[1]; if(c==0) g(1e300) q[0];", "qasm_invalid", "finite"),
        ("qreg q[1]; x q[99999999999999999999];", "qasm_invalid", "Line 3, column 16: this number is too long"),
        ("qreg q[1]; x q[0", "qasm_invalid", "Line 3"),
        ("creg c[1];", "no_qubits", "no qubit"),
        ("opaque g a; qreg q[1]; g q[0];", "qasm_unsupported", "Line 3, column 24: 'g' is opaque"),
    ],
)
def test_an_error_says_where_and_what(source: str, code: str, words: str) -> None:
    refused = problem_of(parse_openqasm2, HEAD + source)
    assert (refused.code, refused.pointer) == (code, "/circuit/source")
    assert words in refused.title


@settings(max_examples=examples(60))
@given(st.text("qreg[]();{}=hxc0129 \n\"'/*pi-^sin>@if,.", max_size=60))
def test_nonsense_is_a_problem_and_nothing_else(text: str) -> None:
    with suppress(Problem):
        parse_openqasm2(HEAD + text)


def test_a_thousand_gates_are_read() -> None:
    gates = [
        f"h q[{i % 5}]; rx(0.{i}) q[{(i + 1) % 5}]; cx q[0],q[{1 + i % 4}]; rz({i}*pi/7) q[0];" for i in range(250)
    ]
    source = HEAD + "qreg q[5]; creg c[5];\n" + "\n".join(gates) + "measure q -> c;"
    circuit = parse_openqasm2(source)
    assert circuit.size() == 1005
