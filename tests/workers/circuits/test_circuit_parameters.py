"""A circuit with free parameters, given values afterwards, is the circuit written with numbers."""

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter, ParameterVector
from qiskit.quantum_info import Operator

from qstill.contract.circuits.expressions import compile_expression
from qstill.contract.circuits.formats import JsonCircuit, OpenQasm3Circuit, free_parameters
from qstill.contract.circuits.job import CircuitJob
from qstill.contract.errors import Problem
from tests.testing.circuits.circuit_strategies import circuits, unitary
from tests.testing.circuits.house import run_job
from tests.testing.examples import examples
from tests.testing.refusals import problem_of
from workers.circuits.export import to_json, to_openqasm2, to_openqasm3, to_text
from workers.circuits.parse import parse, require_bound
from workers.circuits.parse.json import parse_json
from workers.circuits.parse.openqasm3 import parse_openqasm3
from workers.circuits.planning import plan_circuits
from workers.circuits.program import Ask
from workers.circuits.route import simulate, sweep

Circuit = tuple[int, list[dict[str, Any]]]
VALUES = {"theta": 0.3, "b": -1.1, "γ": 0.7}
EXPRESSIONS = ["theta", "-b", "2*theta", "pi/4 - b", "theta*b/3 + 0.25", "(theta + γ)/2", "1/γ", "0.5", "pi/3"]
NUMBERS = ("rotation", "phase", "angle", "time")
HEAD = 'OPENQASM 3.0; include "stdgates.inc"; '


def commuting(operation: dict[str, Any]) -> dict[str, Any]:
    """A Pauli exponential of one term, which may be symbolic; anything else as it is."""
    if operation["gate"] != "pauliexp":
        return operation
    return operation | {"terms": operation["terms"][:1], "coefficients": operation["coefficients"][:1]}


@st.composite
def symbolic_circuits(draw: st.DrawFn) -> tuple[Circuit, Circuit]:
    """A circuit with expressions, and the same with their values."""
    qubits, operations = draw(circuits(max_qubits=3, max_operations=5))
    symbolic, numeric = [], []
    for operation in map(commuting, operations):
        text, plain = dict(operation), dict(operation)
        for name in NUMBERS:
            if name in operation:
                text[name] = draw(st.sampled_from(EXPRESSIONS))
                plain[name] = compile_expression(text[name]).evaluate(VALUES)
        for name in ("phases", "coefficients"):
            if name in operation:
                text[name] = [draw(st.sampled_from(EXPRESSIONS)) for _ in operation[name]]
                plain[name] = [compile_expression(item).evaluate(VALUES) for item in text[name]]
        symbolic.append(text)
        numeric.append(plain)
    return (qubits, symbolic), (qubits, numeric)


def body(qubits: int, operations: list[dict[str, Any]]) -> JsonCircuit:
    return JsonCircuit.model_validate({"format": "json", "qubits": qubits, "operations": operations})


def bound(circuit: QuantumCircuit) -> QuantumCircuit:
    return circuit.assign_parameters({parameter: VALUES[parameter.name] for parameter in circuit.parameters})


@settings(max_examples=examples(60))
@given(symbolic_circuits())
def test_values_given_afterwards_make_the_same_circuit(pair: tuple[Circuit, Circuit]) -> None:
    symbolic, numeric = body(*pair[0]), pair[1]
    circuit = parse_json(symbolic)
    assert {parameter.name for parameter in circuit.parameters} == set(free_parameters(symbolic))
    np.testing.assert_allclose(Operator(bound(circuit)).data, unitary(*numeric), atol=1e-9)


@settings(max_examples=examples(30))
@given(symbolic_circuits())
def test_parameters_survive_the_formats(pair: tuple[Circuit, Circuit]) -> None:
    circuit = parse_json(body(*pair[0]))
    values = {parameter.name: VALUES[parameter.name] for parameter in circuit.parameters}
    if "γ" in values:
        values["a"] = values.pop("γ")  # the first ASCII name that is free
    for again in (parse_json(JsonCircuit.model_validate(to_json(circuit))), parse_openqasm3(to_openqasm3(circuit))):
        assert {parameter.name for parameter in again.parameters} <= set(values)
        given_values = {parameter: values[parameter.name] for parameter in again.parameters}
        matrix = Operator(again.assign_parameters(given_values))
        assert matrix.equiv(Operator(unitary(*pair[1])), atol=1e-6)
    if circuit.parameters:
        with pytest.raises(Problem, match="no free parameters"):
            to_openqasm2(circuit)


@settings(max_examples=examples(40))
@given(symbolic_circuits())
def test_a_sweep_has_the_probabilities_of_the_circuit_written_with_numbers(pair: tuple[Circuit, Circuit]) -> None:
    qubits, operations = pair[0]
    names = free_parameters(body(*pair[0]))
    assume(names)
    circuit = {"format": "json", "qubits": qubits, "operations": operations}
    bindings = [dict.fromkeys(names, 0.5), {name: VALUES[name] for name in names}]
    submitted = {"circuit": circuit, "bindings": bindings, "seed": 7, "outputs": ["counts", "probabilities"]}
    job = CircuitJob.model_validate(submitted)
    planned_circuits = plan_circuits(job)
    ask = Ask(shots=1, seed=7, threads=1, probabilities=True)
    if len(planned_circuits) == 1:
        sample, _ = sweep(planned_circuits[0].routed, planned_circuits[0].bindings(bindings), [ask, ask])[1]
    else:
        sample, _ = simulate(planned_circuits[1].routed, ask, precision="double")
    expected = np.abs(unitary(*pair[1])[:, 0]) ** 2
    assert sample.probabilities is not None
    for state, probability in enumerate(expected):
        found = sample.probabilities.get(format(state, f"0{qubits}b"), 0.0)
        assert found == pytest.approx(probability, abs=1e-9)


def test_a_sweep_over_a_phase_of_everything_is_one_state() -> None:
    phase = {"gate": "pauliexp", "targets": [0], "terms": ["I"], "coefficients": ["theta"], "time": 1.0}
    circuit = {"format": "json", "qubits": 1, "operations": [{"gate": "h", "target": 0}, phase]}
    entries, _ = run_job(circuit, bindings=[{"theta": 0.1}, {"theta": 0.2}], outputs=["probabilities"])
    assert [entry["probabilities"] for entry in entries] == [pytest.approx({"0": 0.5, "1": 0.5})] * 2


def test_names_come_in_order_of_first_use() -> None:
    circuit = body(
        2,
        [
            {"gate": "rz", "target": 0, "rotation": "b - a"},
            {"gate": "ms", "targets": [0, 1], "phases": ["c", "a"], "angle": "pi"},
            {"gate": "pauliexp", "target": 0, "terms": ["X"], "coefficients": ["e"], "time": "d"},
        ],
    )
    assert free_parameters(circuit) == ["b", "a", "c", "d", "e"]


@pytest.mark.parametrize(
    "source",
    [
        "input float[64] theta; input angle b; qubit q; rx(2*theta - b) q; rz(theta/2) q;",
        "input float theta; input float b; qubit q; gate g(x_) p { rx(2*x_) p; } g(theta - b/2) q; rz(theta/2) q;",
    ],
)
def test_an_input_of_openqasm_3_is_a_parameter(source: str) -> None:
    circuit = parse_openqasm3(HEAD + source)
    expected = QuantumCircuit(1)
    expected.rx(2 * VALUES["theta"] - VALUES["b"], 0)
    expected.rz(VALUES["theta"] / 2, 0)
    assert Operator(bound(circuit)).equiv(Operator(expected))


def test_an_input_that_nothing_uses_can_be_given_a_value_too() -> None:
    for source in ("input float theta; qubit q; h q;", "input float theta; qubit q; for int i in [0:1] { h q; }"):
        assert [parameter.name for parameter in parse_openqasm3(HEAD + source).parameters] == ["theta"]


def test_functions_of_a_parameter_are_read_and_not_written() -> None:
    circuit = parse_openqasm3(HEAD + "input float theta; qubit q; rx(sin(theta)) q;")
    expected = QuantumCircuit(1)
    expected.rx(np.sin(VALUES["theta"]), 0)
    assert Operator(bound(circuit)).equiv(Operator(expected))
    for export in (to_json, to_openqasm3):
        with pytest.raises(Problem, match="more than sums"):
            export(circuit)


def test_a_circuit_without_values_is_refused_unless_asked_for() -> None:
    json_circuit = body(1, [{"gate": "rx", "target": 0, "rotation": "theta"}])
    program = OpenQasm3Circuit(format="openqasm3", source=HEAD + "input float theta; qubit q; rx(theta) q;")
    for circuit, pointer in ((json_circuit, "/circuit/operations"), (program, "/circuit/source")):
        with pytest.raises(Problem, match="theta") as refused:
            parse(circuit)
        assert (refused.value.code, refused.value.pointer) == ("unbound_parameters", pointer)
        free = parse(circuit, bound=False)
        assert free.count_ops()["measure"] == 1
        require_bound(bound(free), "/circuit")


@pytest.mark.parametrize(
    ("operation", "code", "pointer"),
    [
        (
            {"gate": "pauliexp", "targets": [0, 1], "terms": ["XX", "ZI"], "coefficients": [1, 1], "time": "t"},
            "pauliexp_not_symbolic",
            "/terms",
        ),
        ({"gate": "rx", "target": 0, "rotation": "t/0"}, "expression_invalid", "/rotation"),
        ({"gate": "rx", "target": 0, "rotation": "1e300*1e300*t"}, "expression_invalid", "/rotation"),
    ],
)
def test_what_cannot_be_symbolic_is_named(operation: dict[str, Any], code: str, pointer: str) -> None:
    refused = problem_of(parse_json, body(2, [operation]))
    assert (refused.code, refused.pointer) == (code, f"/circuit/operations/0{pointer}")


def test_names_that_a_grammar_does_not_take_are_changed() -> None:
    circuit = QuantumCircuit(1)
    for parameter in (*ParameterVector("θ", 2), Parameter("rx"), Parameter("x y"), Parameter("pi")):
        circuit.rx(parameter, 0)
    text = to_openqasm3(circuit)
    assert len(parse_openqasm3(text).parameters) == 5
    assert len(free_parameters(JsonCircuit.model_validate(to_json(circuit)))) == 5
    assert "rx" in to_text(circuit)
