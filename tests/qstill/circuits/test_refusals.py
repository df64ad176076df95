"""What a circuit of known size cannot give is refused at submission, at the field that asked for it."""

from typing import Any

import pytest

from qstill.contract.circuits.admission import Limits, admit
from qstill.contract.circuits.job import CircuitJob
from tests.testing.in_process import BELL
from tests.testing.refusals import problem_of

LIMITS = Limits(memory_available=2**30)
DEPOLARIZING = {"model": "depolarizing", "one_qubit": 0.01, "two_qubit": 0.01}
AFTER_X = {"gate": "x", "error": {"kind": "depolarizing", "probability": 0.1}}
DYNAMIC = {
    "format": "json",
    "qubits": 2,
    "operations": [
        {"gate": "h", "target": 0},
        {"gate": "measure", "target": 0},
        {"gate": "x", "target": 1, "if": {"clbit": 0, "value": 1}},
    ],
}


def wide(qubits: int) -> dict[str, Any]:
    return {"format": "json", "qubits": qubits, "operations": [{"gate": "h", "target": 0}]}


def custom(**rules: Any) -> dict[str, Any]:
    return {"noise": {"model": "custom"} | rules}


@pytest.mark.parametrize(
    ("fields", "code", "pointer", "ways_out"),
    [
        (
            {"noise": DEPOLARIZING, "outputs": ["statevector"]},
            "no_final_state",
            "/outputs",
            [{"outputs": ["density_matrix"]}],
        ),
        (
            {"noise": DEPOLARIZING, "outputs": ["unitary"]},
            "no_final_state",
            "/outputs",
            [{"outputs": ["density_matrix"]}],
        ),
        ({"circuit": DYNAMIC, "outputs": ["statevector"]}, "no_final_state", "/outputs", [{"outputs": ["counts"]}]),
        ({"circuit": DYNAMIC, "outputs": ["probabilities"]}, "no_final_state", "/outputs", [{"outputs": ["counts"]}]),
        ({"circuit": wide(11), "outputs": ["unitary"]}, "state_too_large", "/outputs", []),
        ({"circuit": wide(21), "outputs": ["statevector"]}, "state_too_large", "/outputs", []),
        ({"observables": [{"terms": [{"paulis": "ZZZ"}]}]}, "term_length", "/observables/0/terms/0/paulis", []),
        (
            {"observables": [{"terms": [{"paulis": "ZZ"}]}, {"terms": [{"paulis": "Z", "qubits": [2]}]}]},
            "no_such_qubit",
            "/observables/1/terms/0/qubits",
            [],
        ),
        (custom(gates=[AFTER_X, AFTER_X | {"qubits": [0, 9]}]), "no_such_qubit", "/noise/gates/1/qubits/1", []),
        (custom(readout=[{"p01": 0.1, "qubits": [2]}]), "no_such_qubit", "/noise/readout/0/qubits/0", []),
    ],
)
def test_it_is_refused_where_it_was_asked_for(
    fields: dict[str, Any], code: str, pointer: str, ways_out: list[dict[str, Any]]
) -> None:
    problem = problem_of(admit, CircuitJob.model_validate(BELL | fields), LIMITS)
    assert (problem.code, problem.pointer, problem.ways_out) == (code, pointer, ways_out)


@pytest.mark.parametrize(
    "fields",
    [
        {"noise": DEPOLARIZING, "outputs": ["density_matrix"]},
        {"circuit": wide(10), "outputs": ["unitary", "density_matrix"]},
        {"circuit": wide(20), "outputs": ["statevector"]},
        {"circuit": DYNAMIC, "outputs": ["memory"]},
        {"observables": [{"terms": [{"paulis": "ZZ"}, {"paulis": "Z", "qubits": [1]}]}]},
        custom(gates=[AFTER_X | {"qubits": [0, 1]}]),
        custom(gates=[AFTER_X | {"qubits": [9]}]) | {"device": {"coupling_map": {"shape": "line", "qubits": 10}}},
    ],
)
def test_what_there_is_passes(fields: dict[str, Any]) -> None:
    admit(CircuitJob.model_validate(BELL | fields), LIMITS)


def test_the_rules_of_a_batch_may_be_about_its_largest_circuit() -> None:
    body = {"circuits": [wide(2), wide(10)], "shots": 1} | custom(gates=[AFTER_X | {"qubits": [9]}])
    admit(CircuitJob.model_validate(body), LIMITS)


def test_a_template_is_judged_by_its_own_size() -> None:
    template = {"format": "template", "template": {"name": "ghz", "qubits": 3}}
    for fields, code in (
        ({"bindings": [{"theta": 0.1}]}, "unknown_parameter"),
        ({"observables": [{"terms": [{"paulis": "ZZ"}]}]}, "term_length"),
        (custom(gates=[AFTER_X | {"qubits": [3]}]), "no_such_qubit"),
        ({"noise": DEPOLARIZING, "outputs": ["statevector"]}, "no_final_state"),
    ):
        assert problem_of(admit, CircuitJob.model_validate({"circuit": template} | fields), LIMITS).code == code


def test_what_would_work_stands_apart_from_what_would_not() -> None:
    turned = [{"gate": "rx", "target": 0, "rotation": 0.3}, {"gate": "x", "target": 1, "control": 0}]
    body = {"circuit": {"format": "json", "qubits": 2, "operations": turned}, "method": "stabilizer"}
    document = problem_of(admit, CircuitJob.model_validate(body), LIMITS).document()
    assert {"method", "why"} == set().union(*document["try"])
    assert {"method", "why_not"} == set().union(*document["ruled_out"])
    works = {way["method"] for way in document["try"]}
    assert works >= {"statevector", "density_matrix", "matrix_product_state"}
    assert works.isdisjoint(way["method"] for way in document["ruled_out"])
    for method in works:
        admit(CircuitJob.model_validate(body | {"method": method}), LIMITS)
