"""What a circuit job may say, and where a refusal points."""

from typing import Any

import pytest
from pydantic import ValidationError

from qstill.contract.circuits.formats import JsonCircuit, free_parameters
from qstill.contract.circuits.gates import GATES
from qstill.contract.circuits.job import CircuitJob
from tests.testing.refusals import errors_of

THREE_GATES = [{"gate": "h", "target": 0}, {"gate": "x", "target": 1, "control": 0}, {"gate": "nop"}]


def job(*operations: dict[str, Any], qubits: int = 4, **fields: Any) -> CircuitJob:
    circuit = {"format": "json", "qubits": qubits, "operations": [*THREE_GATES, *operations]}
    return CircuitJob.model_validate({"circuit": circuit, **fields})


def test_the_examples_of_the_documentation_are_valid() -> None:
    for example in CircuitJob.model_json_schema()["examples"]:
        assert CircuitJob.model_validate(example).shots == 1000


def test_a_job_survives_json() -> None:
    before = job({"gate": "rx", "targets": [0, 1], "controls": [2], "rotation": 0.5}, seed=2**63 - 1)
    assert CircuitJob.model_validate_json(before.model_dump_json()) == before


VALID = [
    {"gate": "x", "target": 0},
    {"gate": "not", "targets": [0, 1], "controls": [2, 3]},
    {"gate": "cnot", "target": 0, "control": 1},
    {"gate": "rx", "target": 0, "rotation": -1},
    {"gate": "z", "target": 0},
    {"gate": "z", "target": 0, "rotation": 0.1},
    {"gate": "zz", "targets": [0, 1], "rotation": 0.1},
    {"gate": "zz", "targets": [0, 1], "angle": 0.1},
    {"gate": "zz", "targets": [0, 1], "phase": 0.1},
    {"gate": "ms", "targets": [0, 1], "phases": [0, 0.5]},
    {"gate": "ms", "targets": [0, 1], "phases": [0, 0.5], "angle": 0.1},
    {"gate": "gpi2", "target": 0, "phase": 0.1},
    {"gate": "pauliexp", "targets": [2, 0], "terms": ["XY", "IZ"], "coefficients": [1, -0.5], "time": 2},
    {"gate": "measure", "targets": [0, 1]},
    {"gate": "measure", "target": 0, "clbit": 9},
    {"gate": "measure", "targets": [0, 1], "clbits": [3, 2]},
    {"gate": "reset", "target": 0},
    {"gate": "barrier"},
    {"gate": "nop", "targets": [0]},
    {"gate": "h", "target": 0, "control": None, "rotation": None},
    {"gate": "rx", "target": 0, "rotation": "2*theta - pi/4"},
    {"gate": "ms", "targets": [0, 1], "phases": ["a", 0.5], "angle": "(a + b)/2"},
    {"gate": "pauliexp", "target": 0, "terms": ["X"], "coefficients": ["c"], "time": "t"},
    {"gate": "h", "target": 0, "if": None},
]


@pytest.mark.parametrize("operation", VALID, ids=str)
def test_an_operation_of_the_table_is_accepted(operation: dict[str, Any]) -> None:
    assert isinstance(job(operation).circuit, JsonCircuit)


REFUSED: list[tuple[dict[str, Any], tuple[str | int, ...], str]] = [
    ({"gate": "H", "target": 0}, ("gate",), "unknown_gate"),
    ({"gate": "h", "target": 4}, ("target",), "no_such_qubit"),
    ({"gate": "h", "target": -1}, ("target",), "greater_than_equal"),
    ({"gate": "h", "target": True}, ("target",), "int_type"),
    ({"gate": "h", "target": 0.0}, ("target",), "int_type"),
    ({"gate": "h", "targets": [0, 4]}, ("targets", 1), "no_such_qubit"),
    ({"gate": "x", "target": 0, "control": 7}, ("control",), "no_such_qubit"),
    ({"gate": "x", "target": 0, "controls": [1, 7]}, ("controls", 1), "no_such_qubit"),
    ({"gate": "x", "targets": [0, 0]}, ("targets",), "repeated_qubit"),
    ({"gate": "x", "target": 0, "control": 0}, ("control",), "repeated_qubit"),
    ({"gate": "x", "target": 0, "controls": [1, 1]}, ("controls",), "repeated_qubit"),
    ({"gate": "x", "target": 0, "targets": [1]}, ("targets",), "twice"),
    ({"gate": "x", "target": 0, "control": 1, "controls": [2]}, ("controls",), "twice"),
    ({"gate": "h"}, ("target",), "missing"),
    ({"gate": "cnot", "target": 0}, ("control",), "missing"),
    ({"gate": "swap", "targets": [0]}, ("targets",), "target_count"),
    ({"gate": "swap", "target": 0}, ("target",), "target_count"),
    ({"gate": "rx", "target": 0}, ("rotation",), "missing"),
    ({"gate": "h", "target": 0, "rotation": 0.1}, ("rotation",), "superfluous"),
    ({"gate": "zz", "targets": [0, 1], "rotation": 0.1, "angle": 0.1}, ("angle",), "superfluous"),
    ({"gate": "gpi", "target": 0, "rotation": 0.1}, ("rotation",), "superfluous"),
    ({"gate": "ms", "targets": [0, 1], "phases": [0.1]}, ("phases",), "too_short"),
    ({"gate": "rx", "target": 0, "rotation": float("nan")}, ("rotation",), "finite_number"),
    ({"gate": "rx", "target": 0, "rotation": float("inf")}, ("rotation",), "finite_number"),
    ({"gate": "rx", "target": 0, "rotation": "0.1.2"}, ("rotation",), "expression"),
    ({"gate": "rx", "target": 0, "rotation": ["0.1"]}, ("rotation",), "float_type"),
    ({"gate": "rx", "target": 0, "rotation": "2 *"}, ("rotation",), "expression"),
    ({"gate": "rx", "target": 0, "rotation": "1/(2 - 2)"}, ("rotation",), "expression"),
    ({"gate": "rx", "target": 0, "rotation": "a" * 257}, ("rotation",), "expression"),
    ({"gate": "ms", "targets": [0, 1], "phases": [0.1, "("]}, ("phases", 1), "expression"),
    ({"gate": "measure", "target": 0, "clbit": "c"}, ("clbit",), "int_type"),
    ({"gate": "x", "target": 0, "if": {"clbit": 0, "value": 1}}, ("if", "clbit"), "clbit_not_measured"),
    ({"gate": "x", "target": 0, "condition": {"clbit": 0, "value": 1}}, ("condition",), "extra_forbidden"),
    ({"gate": "barrier", "if": {"clbit": 0, "value": 1}}, ("if",), "superfluous"),
    ({"gate": "x", "target": 0, "if": {"value": 1}}, ("if", "clbit"), "missing"),
    ({"gate": "x", "target": 0, "if": {"clbit": 0, "clbits": [1], "value": 1}}, ("if", "clbits"), "twice"),
    ({"gate": "x", "target": 0, "if": {"clbits": [0, 0], "value": 1}}, ("if", "clbits"), "repeated_clbit"),
    ({"gate": "x", "target": 0, "if": {"clbits": [0, 1], "value": 4}}, ("if", "value"), "value_too_large"),
    ({"gate": "x", "target": 0, "if": {"clbit": 0, "value": 2}}, ("if", "value"), "value_too_large"),
    ({"gate": "x", "target": 0, "if": {"clbits": [*range(33)], "value": 0}}, ("if", "clbits"), "too_long"),
    ({"gate": "h", "target": 0, "angel": 1}, ("angel",), "extra_forbidden"),
    ({"gate": "measure", "target": 0, "control": 1}, ("control",), "superfluous"),
    ({"gate": "measure", "targets": [0, 1], "clbits": [0]}, ("clbits",), "clbits"),
    ({"gate": "measure", "targets": [0, 1], "clbits": [0, 0]}, ("clbits",), "clbits"),
    (
        {"gate": "pauliexp", "targets": [0], "terms": ["X", "XX"], "coefficients": [1, 1], "time": 1},
        ("terms", 1),
        "term_length",
    ),
    (
        {"gate": "pauliexp", "targets": [0], "terms": ["X"], "coefficients": [1, 1], "time": 1},
        ("coefficients",),
        "coefficient_count",
    ),
    (
        {"gate": "pauliexp", "targets": [0], "terms": ["Q"], "coefficients": [1], "time": 1},
        ("terms", 0),
        "string_pattern_mismatch",
    ),
]


@pytest.mark.parametrize(("operation", "loc", "code"), REFUSED, ids=str)
def test_a_refusal_points_at_the_field(operation: dict[str, Any], loc: tuple[str | int, ...], code: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        job(operation)
    [error] = refusal.value.errors(include_url=False)
    assert error["loc"] == ("circuit", "json", "operations", 3, *loc)
    assert error["type"] == code


def test_a_condition_reads_what_was_measured_before() -> None:
    measured = {"gate": "measure", "targets": [0, 1], "clbits": [5, 2]}
    flip = {"gate": "x", "target": 0, "if": {"clbits": [2, 5], "value": 3}}
    submitted = job(measured, flip)
    assert CircuitJob.model_validate(submitted.model_dump(mode="json", exclude_none=True)) == submitted
    assert errors_of(job, flip | {"if": {"clbits": [2, 5], "value": 3}}, measured)[0]["type"] == "clbit_not_measured"
    assert errors_of(job, measured, flip | {"if": {"clbits": [2, 3], "value": 3}})[0]["loc"][-3:] == ("if", "clbits", 1)


def test_the_names_of_free_parameters_are_known_at_the_door() -> None:
    circuit = job(
        {"gate": "rx", "target": 0, "rotation": "b*2 + a"}, {"gate": "gpi", "target": 0, "phase": "pi"}
    ).circuit
    assert isinstance(circuit, JsonCircuit)
    assert free_parameters(circuit) == ["b", "a"]


def test_an_unknown_gate_is_answered_with_a_near_name_and_all_known_ones() -> None:
    refusal = errors_of(job, {"gate": "CNOT", "target": 0, "control": 1})
    message = refusal[0]["msg"]
    assert "Did you mean 'cnot'?" in message
    assert all(name in message for name in GATES)


@pytest.mark.parametrize(
    ("fields", "field"), [({"shots": 0}, "shots"), ({"seed": -1}, "seed"), ({"seed": 2**63}, "seed")], ids=str
)
def test_shots_and_seed_are_bounded(fields: dict[str, Any], field: str) -> None:
    assert errors_of(job, **fields)[0]["loc"] == (field,)


def test_a_hundred_thousand_wrong_operations_are_refused_at_the_first() -> None:
    with pytest.raises(ValidationError) as refusal:
        job(*({"gate": f"gate{i}", "target": 0} for i in range(99_000)))
    assert refusal.value.error_count() == 1
