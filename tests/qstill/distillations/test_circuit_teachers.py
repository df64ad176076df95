"""What a circuit cannot teach, and which sums there are not, is refused at the field that asks for it."""

from typing import Any

import pytest
from pydantic import ValidationError

from qstill.contract.circuits.admission import Limits
from qstill.contract.distillations.architectures.fourier import MAX_NODES, nodes_of
from qstill.contract.distillations.job import DistillationJob
from qstill.contract.distillations.rules.circuits import highest_that_fits
from qstill.contract.distillations.spec import is_solved, student_count, trains_baseline
from qstill.contract.distillations.teachers.circuit import INPUT_SOURCE, CircuitTeacher, admit_circuit
from tests.testing.refusals import problem_of

Z = {"terms": [{"paulis": "Z", "qubits": [0], "coefficient": 1.0}]}
ROTATION = {"gate": "ry", "target": 0, "rotation": "x0"}
LIMITS = Limits(memory_available=1 << 30)


def job(**changes: Any) -> dict[str, Any]:
    body: dict[str, Any] = {
        "dataset": {"source": "uniform", "ranges": [[0.0, 6.0], [-1.0, 1.0]], "rows": 50},
        "teacher": {
            "source": "circuit",
            "circuit": {"format": "openqasm3", "source": INPUT_SOURCE},
            "inputs": ["x0", "x1"],
            "observables": [Z],
        },
        "student": {"architecture": {"kind": "fourier"}},
        "objective": {"kind": "logit_mse"},
    }
    for part, change in changes.items():
        whole = part == "student" or "kind" in change or "source" in change
        body[part] = change if whole else body.get(part, {}) | change
    return body


def fourier(**given: Any) -> dict[str, Any]:
    return {"architecture": {"kind": "fourier"} | given}


def refusal(body: dict[str, Any]) -> tuple[str, str]:
    """(code, pointer)."""
    with pytest.raises(ValidationError) as refused:
        DistillationJob.model_validate(body)
    (error,) = refused.value.errors()
    return error["type"], "".join(f"/{part}" for part in error["loc"])


MAXCUT = {"source": "circuit", "circuit": {"format": "template", "template": {"name": "maxcut", "layers": 1}}}
BELL = {"format": "template", "template": {"name": "bell"}}
TRAINED = {"source": "train", "architecture": {"kind": "mlp", "hidden": [4]}}


@pytest.mark.parametrize(
    ("changes", "code", "pointer"),
    [
        ({"dataset": {"labelled": 10}}, "no_labels", "/dataset/labelled"),
        ({"dataset": {"unlabelled_pool": False}}, "no_labels", "/dataset/unlabelled_pool"),
        ({"dataset": {"label_noise": 0.1}}, "no_labels", "/dataset/label_noise"),
        ({"dataset": {"ranges": [[0.0, 1.0]]}}, "inputs_mismatch", "/teacher/inputs"),
        ({"dataset": {"source": "builtin", "name": "iris"}}, "inputs_mismatch", "/teacher/inputs"),
        ({"dataset": {"ranges": [[1.0, 0.0]] * 2}}, "empty_range", "/dataset/uniform/ranges/0"),
        ({"teacher": {"inputs": ["x0", "x0"]}}, "named_twice", "/teacher/circuit/inputs/1"),
        ({"teacher": {"inputs": []}}, "missing", "/teacher/circuit/inputs"),
        ({"teacher": {"observables": []}}, "missing", "/teacher/circuit/observables"),
        (
            {"teacher": MAXCUT | {"circuit": {"format": "template", "template": {"name": "bell"}}}},
            "missing",
            "/teacher/circuit/inputs",
        ),
        ({"teacher": MAXCUT, "dataset": {"ranges": [[0.0, 1.0]] * 3}}, "inputs_mismatch", "/teacher/inputs"),
        ({"evaluation": {"minimise": {"observable": 1}}}, "no_such_observable", "/evaluation/minimise/observable"),
        ({"evaluation": {"minimise": {"start": [0.0]}}}, "inputs_mismatch", "/evaluation/minimise/start"),
        (
            {"student": {"architecture": {"kind": "mlp", "hidden": [4]}}, "evaluation": {"minimise": {}}},
            "minimum_unavailable",
            "/evaluation/minimise",
        ),
        ({"teacher": TRAINED}, "labels_needed", "/teacher/source"),
        ({"objective": {"kind": "kd"}}, "objective_mismatch", "/objective/kind"),
        ({"student": fourier(), "objective": {"kind": "rkd"}}, "features_unavailable", "/objective/kind"),
        ({"student": fourier(frequencies=[1])}, "inputs_mismatch", "/student/architecture/frequencies"),
        ({"student": fourier(units=[1.0] * 3)}, "inputs_mismatch", "/student/architecture/units"),
        ({"student": fourier(frequencies=200)}, "grid_too_large", "/student/architecture/frequencies"),
        ({"training": {"precision": "bfloat16"}}, "not_for_this_network", "/training/precision"),
        ({"compression": {}}, "compression_unavailable", "/student/architecture/kind"),
        ({"signal": {"top_k": 2}}, "only_for_classification", "/signal/top_k"),
        (
            {"dataset": {"source": "builtin", "name": "iris"}, "teacher": TRAINED, "student": fourier()},
            "frequencies_needed",
            "/student/architecture/frequencies",
        ),
        (
            {
                "dataset": {"source": "builtin_text", "name": "python_topics", "task": "classification"},
                "student": {"architecture": {"kind": "bag_of_embeddings", "width": 4}},
            },
            "teacher_mismatch",
            "/teacher/source",
        ),
    ],
)
def test_what_cannot_work_is_refused_where_it_is_said(changes: dict[str, Any], code: str, pointer: str) -> None:
    assert refusal(job(**changes)) == (code, pointer)


def test_without_labels_there_is_no_baseline_and_a_sum_is_solved_once() -> None:
    solved = DistillationJob.model_validate(job())
    assert (is_solved(solved), student_count(solved), trains_baseline(solved)) == (True, 1, False)
    trained = DistillationJob.model_validate(job(student={"architecture": {"kind": "mlp", "hidden": [8]}}))
    assert (is_solved(trained), student_count(trained), trains_baseline(trained)) == (False, 3, False)


def test_labels_of_a_data_set_play_no_part() -> None:
    data = {"source": "builtin", "name": "iris"}
    inputs = ["x0", "x1", "x2", "x3"]
    DistillationJob.model_validate(job(dataset=data, teacher={"inputs": inputs}))


def test_sums_that_are_trained_say_their_frequencies() -> None:
    data = {"source": "builtin", "name": "iris"}
    DistillationJob.model_validate(job(dataset=data, teacher=TRAINED, student=fourier(frequencies=[1, 1, 2, 0])))


@pytest.mark.parametrize("inputs", range(1, 12))
def test_the_size_that_fits_fits_and_the_next_does_not(inputs: int) -> None:
    most = highest_that_fits(inputs)
    assert nodes_of([most] * inputs) <= MAX_NODES < nodes_of([most + 1] * inputs)


def teacher(circuit: dict[str, Any], inputs: list[str], **given: Any) -> CircuitTeacher:
    body = {"source": "circuit", "circuit": circuit, "inputs": inputs, "observables": [Z]}
    return CircuitTeacher.model_validate(body | given)


def json_circuit(*operations: dict[str, Any]) -> dict[str, Any]:
    return {"format": "json", "qubits": 1, "operations": list(operations)}


@pytest.mark.parametrize(
    ("asked", "code", "pointer"),
    [
        (teacher(json_circuit(ROTATION), ["x0", "x1"]), "unused_input", "/inputs/1"),
        (teacher(json_circuit(ROTATION, ROTATION | {"rotation": "t"}), ["x0"]), "free_parameter", "/inputs"),
        (
            teacher({"format": "template", "template": {"name": "ghz", "qubits": 3}}, ["x0"]),
            "unused_input",
            "/inputs/0",
        ),
        (teacher({"format": "openqasm3", "source": INPUT_SOURCE}, ["x0"]), "free_parameter", "/inputs"),
        (teacher({"format": "openqasm3", "source": INPUT_SOURCE}, ["x0", "x9"]), "unused_input", "/inputs/1"),
        (teacher(json_circuit(ROTATION), ["x0"], observables=["ZZ"]), "term_length", "/observables/0/terms/0/paulis"),
        (
            teacher({"format": "openqasm3", "source": "OPENQASM 3.0; qubit[1000000] q;"}, ["x0"]),
            "too_many_qubits",
            "/circuit/source",
        ),
    ],
)
def test_a_circuit_is_read_at_the_door(asked: CircuitTeacher, code: str, pointer: str) -> None:
    refused = problem_of(admit_circuit, asked, LIMITS)
    assert (refused.code, refused.pointer) == (code, pointer)


def test_a_circuit_whose_parameters_are_its_inputs_is_admitted() -> None:
    admit_circuit(teacher(json_circuit(ROTATION), ["x0"]), LIMITS)
    admit_circuit(teacher({"format": "openqasm3", "source": INPUT_SOURCE}, ["x1", "x0"]), LIMITS)
    admit_circuit(CircuitTeacher.model_validate(MAXCUT), LIMITS)
    admit_circuit(CircuitTeacher.model_validate(MAXCUT | {"inputs": ["gamma0", "beta0"]}), LIMITS)
