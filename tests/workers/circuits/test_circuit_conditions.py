"""Conditions on classical bits, against the branches of the state itself; and what each format makes of them."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister, qasm3

from qstill.contract.circuits.formats import JsonCircuit
from qstill.contract.errors import Problem
from tests.testing.circuits.branches import distribution, distribution_of_json
from tests.testing.circuits.circuit_strategies import operations
from tests.testing.circuits.sampling import sample
from tests.testing.examples import examples
from tests.testing.refusals import problem_of
from workers.circuits.export import to_json, to_openqasm2, to_openqasm3
from workers.circuits.parse.json import parse_json
from workers.circuits.parse.openqasm2 import parse_openqasm2
from workers.circuits.parse.openqasm3 import parse_openqasm3

Circuit = tuple[int, list[dict[str, Any]]]
HEAD = 'OPENQASM 3.0; include "stdgates.inc"; qubit[2] q; bit[2] c; h q; c = measure q; '


@st.composite
def dynamic_circuits(draw: st.DrawFn) -> Circuit:
    """Gates, measurements and resets, some under a condition on bits measured before."""
    qubits = draw(st.integers(1, 3))
    written: list[int] = []
    steps: list[dict[str, Any]] = [{"gate": "h", "targets": [*range(qubits)]}]
    for _ in range(draw(st.integers(2, 7))):
        kind = draw(st.sampled_from(["gate", "gate", "measure", "measure", "reset"]))
        target = draw(st.integers(0, qubits - 1))
        step: dict[str, Any] = {"gate": kind, "target": target}
        if kind == "gate":
            step = draw(operations(qubits).filter(lambda step: step["gate"] != "nop"))
        clbit = draw(st.integers(0, 3))
        if kind == "measure":
            step["clbit"] = clbit
        if written and draw(st.booleans()):
            tested = draw(st.lists(st.sampled_from(written), min_size=1, max_size=3, unique=True))
            value = draw(st.integers(0, 2 ** len(tested) - 1))
            step["if"] = {"clbits": tested, "value": value}
            if len(tested) == 1 and draw(st.booleans()):
                step["if"] = {"clbit": tested[0], "value": value}
        steps.append(step)
        if kind == "measure" and clbit not in written:
            written.append(clbit)
    return qubits, [*steps, {"gate": "measure", "target": 0}]


def parsed(qubits: int, steps: list[dict[str, Any]]) -> Any:
    return parse_json(JsonCircuit.model_validate({"format": "json", "qubits": qubits, "operations": steps}))


def close(here: dict[int, float], there: dict[int, float]) -> bool:
    return all(abs(here.get(key, 0) - there.get(key, 0)) < 1e-6 for key in here | there)


@settings(max_examples=examples(80))
@given(dynamic_circuits())
def test_a_condition_decides_in_every_branch(circuit: Circuit) -> None:
    assert close(distribution(parsed(*circuit)), distribution_of_json(*circuit))


@settings(max_examples=examples(40))
@given(dynamic_circuits())
def test_conditions_survive_every_format(circuit: Circuit) -> None:
    before = parsed(*circuit)
    expected = distribution_of_json(*circuit)
    assert close(distribution(parse_openqasm3(to_openqasm3(before))), expected)
    assert close(distribution(parse_json(JsonCircuit.model_validate(to_json(before)))), expected)
    with suppress(NotWritten):
        assert close(distribution(parse_openqasm2(openqasm2(before))), expected)


class NotWritten(Exception):
    """OpenQASM 2 has no conditions that overlap."""


def openqasm2(circuit: Any) -> str:
    try:
        return to_openqasm2(circuit)
    except Problem as problem:
        if problem.code == "export_unsupported" and "overlap" in problem.title:
            raise NotWritten from problem
        raise


def counts(qubits: int, *steps: dict[str, Any]) -> dict[str, int]:
    return dict(sample({"format": "json", "qubits": qubits, "operations": list(steps)}, shots=50, seed=1).counts)


def test_the_simulator_follows_conditions() -> None:
    start = [{"gate": "x", "target": 1}, {"gate": "measure", "targets": [0, 1]}]
    for value in range(4):
        flipped = {"gate": "x", "target": 2, "if": {"clbits": [0, 1], "value": value}}
        expected = "110" if value == 2 else "010"
        assert counts(3, *start, flipped, {"gate": "measure", "target": 2}) == {expected: 50}
    whole = {"gate": "x", "target": 0, "if": {"clbits": [0, 1], "value": 2}}
    assert counts(2, *start, whole, {"gate": "measure", "target": 0, "if": {"clbit": 1, "value": 1}}) == {"11": 50}
    assert counts(2, *start, whole, {"gate": "measure", "target": 0, "if": {"clbit": 1, "value": 0}}) == {"10": 50}
    reset = {"gate": "reset", "target": 1, "if": {"clbit": 1, "value": 1}}
    assert counts(2, *start, reset, {"gate": "measure", "target": 1}) == {"00": 50}


def test_a_teleported_qubit_arrives() -> None:
    prepare = {"gate": "ry", "target": 0, "rotation": 0.8}
    undo = {"gate": "ry", "target": 2, "rotation": -0.8}
    result = counts(
        3,
        prepare,
        {"gate": "h", "target": 1},
        {"gate": "cnot", "target": 2, "control": 1},
        {"gate": "cnot", "target": 1, "control": 0},
        {"gate": "h", "target": 0},
        {"gate": "measure", "targets": [0, 1]},
        {"gate": "x", "target": 2, "if": {"clbit": 1, "value": 1}},
        {"gate": "z", "target": 2, "if": {"clbit": 0, "value": 1}},
        undo,
        {"gate": "measure", "target": 2},
    )
    assert {key[0] for key in result} == {"0"}
    assert len(result) == 4


@pytest.mark.parametrize(
    ("condition", "outcomes"),
    [
        ("c == 2", {2}),
        ("c != 2", {0, 1, 3}),
        ("!(c == 1)", {0, 2, 3}),
        ("c[0]", {1, 3}),
        ("!c[0]", {0, 2}),
        ("c[0] == 1 && c[1] == 0", {1}),
        ("c[0] || c[1]", {1, 2, 3}),
        ("!(c[0] || c[1])", {0}),
        ("(c[0] && c[1]) || (!c[0] && !c[1])", {0, 3}),
        ("c[0] && !(c[1] || c == 1)", set()),
        ("true", {0, 1, 2, 3}),
        ("2 < 1", set()),
    ],
)
def test_a_condition_of_openqasm_3_holds_where_it_should(condition: str, outcomes: set[int]) -> None:
    program = HEAD + f"reset q; bit d; if ({condition}) {{ x q[0]; }} else {{ z q[0]; }} d = measure q[0];"
    found = distribution(parse_openqasm3(program))
    assert {key & 3 for key in found if key & 4} == outcomes
    assert {key & 3 for key in found if not key & 4} == {0, 1, 2, 3} - outcomes
    body = JsonCircuit.model_validate(to_json(parse_openqasm3(program)))
    assert close(distribution(parse_json(body)), found)
    assert close(distribution(parse_openqasm3(to_openqasm3(parse_openqasm3(program)))), found)


def test_a_switch_takes_one_case() -> None:
    cases = "case 0 { } case 1, 2 { x q[0]; } default { x q[1]; }"
    program = HEAD + f"reset q; bit[2] d; switch (c) {{ {cases} }} d = measure q;"
    assert close(distribution(parse_openqasm3(program)), {0b0000: 0.25, 0b0101: 0.25, 0b0110: 0.25, 0b1011: 0.25})


def test_a_switch_as_qiskit_writes_it() -> None:
    circuit = QuantumCircuit(QuantumRegister(2, "q"), ClassicalRegister(2, "c"), ClassicalRegister(2, "d"))
    circuit.h([0, 1])
    circuit.measure([0, 1], [0, 1])
    circuit.reset([0, 1])
    with circuit.switch(circuit.cregs[0]) as case:
        with case(0):
            circuit.x(0)
        with case(1, 2):
            circuit.x(1)
    with circuit.switch(circuit.clbits[0]) as case, case(1):
        circuit.x(0)
    circuit.measure([0, 1], [2, 3])
    expected = {0b0100: 0.25, 0b1101: 0.25, 0b1010: 0.25, 0b0111: 0.25}
    assert close(distribution(parse_openqasm3(qasm3.dumps(circuit))), expected)


def test_a_loop_may_branch_on_its_variable() -> None:
    program = HEAD + "for int i in [0:1] { if (i == 1) { reset q[i]; } else { z q[i]; } }"
    assert parse_openqasm3(program).count_ops() == {"h": 2, "measure": 2, "z": 1, "reset": 1}


def test_a_condition_that_measures_what_it_tests_is_not_json() -> None:
    program = HEAD + "if (c[0]) { c[0] = measure q[1]; x q[0]; }"
    with pytest.raises(Problem, match="measures into a bit") as refused:
        to_json(parse_openqasm3(program))
    assert refused.value.ways_out == [{"format": "openqasm3"}]


def test_loops_are_written_as_openqasm_3_only() -> None:
    program = HEAD + "while (c[0]) { h q[0]; c[0] = measure q[0]; if (c[1]) { x q[1]; } }"
    circuit = parse_openqasm3(program)
    again = to_openqasm3(parse_openqasm3(to_openqasm3(circuit)))
    assert again == to_openqasm3(circuit)
    assert "while (c[0]) {" in again
    for export in (to_json, to_openqasm2):
        assert problem_of(export, circuit).code == "export_unsupported"
