"""Jobs that a circuit teaches: from rows without labels to a student that stands for the circuit, and what it cost."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnxruntime as ort
import pytest
import torch
from pydantic import TypeAdapter

from app.distillations.card import card
from app.distillations.pictures.plots import PLOTS
from qstill.contract.circuits.job import CircuitJob
from qstill.contract.distillations.job import DistillationJob
from qstill.contract.distillations.preflight import PreflightQuestion
from qstill.contract.distillations.report.document import DistillationReport, read_report
from qstill.contract.distillations.teachers.circuit import INPUT_SOURCE
from qstill.contract.models.answers import Answer, Values
from qstill.contract.models.questions import AskRows, Question
from qstill.contract.sweeps.sweep import Sweep
from tests.testing.refusals import problem_of
from workers.circuits.run import simulate_job
from workers.distillation.jobs import distil_job
from workers.distillation.predict.rows import predict
from workers.distillation.preflight.look import preflight
from workers.run import Stopped
from workers.sweeps.run import run as run_sweep

pytestmark = pytest.mark.training

Make = Callable[..., Any]
MODEL = "ckpt_" + "0" * 32
SQUARE = [[0.0, 2 * math.pi], [-1.0, 1.0]]


def job(**changes: Any) -> DistillationJob:
    body: dict[str, Any] = {
        "dataset": {"source": "uniform", "ranges": SQUARE, "rows": 60},
        "teacher": {
            "source": "circuit",
            "circuit": {"format": "openqasm3", "source": INPUT_SOURCE},
            "inputs": ["x0", "x1"],
            "observables": [
                "ZI",
                {"name": "parity", "terms": [{"paulis": "ZZ"}, {"paulis": "XI", "coefficient": 0.5}]},
            ],
        },
        "student": {"architecture": {"kind": "fourier"}},
        "objective": {"kind": "logit_mse"},
        "training": {"epochs": 3},
    }
    for part, change in changes.items():
        whole = part == "student" or not isinstance(change, dict)
        body[part] = change if whole else body.get(part, {}) | change
    return DistillationJob.model_validate_json(json.dumps(body))


def distilled(house: Make, asked: DistillationJob, **given: Any) -> tuple[DistillationReport, Any]:
    run = house(**given)
    distil_job(asked, run)
    return read_report(json.loads(run.published["report.json"])), run


def mlp(*hidden: int) -> dict[str, Any]:
    return {"architecture": {"kind": "mlp", "hidden": [*hidden]}}


def values_of(house: Make, folder: Path, content: bytes, rows: list[list[float]]) -> list[list[float]]:
    path = folder / "model.safetensors"
    path.write_bytes(content)
    question = Question(model=MODEL, rows=AskRows(inputs=rows))
    answer: Any = TypeAdapter(Answer).validate_python(predict(question, house(files={MODEL: path})))
    assert isinstance(answer, Values)
    return answer.values


def test_a_sum_is_the_circuit_for_as_many_runs_as_it_has_coefficients(house: Make, tmp_path: Path) -> None:
    report, run = distilled(house, job(export=["onnx"]))
    found = report.surrogate
    assert found is not None
    assert (found.nodes, found.exact, found.circuits, found.shots_spent) == (15, True, 15, 0)
    assert found.rmse < 1e-6
    assert found.student.max_error <= (found.rounding or 0)
    assert found.direct.rmse < 1e-7 < found.linear.rmse
    assert found.spectrum is not None
    assert (found.spectrum.frequencies, found.spectrum.units) == ([2, 1], [1.0, 1.0])
    assert (report.baseline, report.verdict, report.warnings) == (None, None, [])
    assert report.rows.labels_seen == report.rows.train_labels == 0
    assert [target.name for target in report.targets or []] == ["observable 0", "parity"]
    rows = [[0.4, 0.9], [5.0, -3.0]]  # outside of where rows were drawn, too
    told = values_of(house, tmp_path, run.published["student-seed-0.safetensors"], rows)
    (file,) = [content for name, content in run.published.items() if name.endswith(".onnx")]
    session = ort.InferenceSession(file)
    file_says = session.run(["values"], {"inputs": torch.tensor(rows).numpy()})[0]
    assert torch.allclose(torch.tensor(told), torch.tensor(file_says), atol=1e-6)
    expected = exact(torch.tensor(rows, dtype=torch.float64))
    assert torch.allclose(torch.tensor(told, dtype=torch.float64), expected, atol=1e-5)
    said = card(report)
    assert said.splitlines()[2].startswith("The student stands in place of a quantum circuit. Test RMSE")
    for row in ("| Teacher | circuit, seed 0 |", "| Learned from | 15 nodes of a grid |", "| Inputs | as they are |"):
        assert row in said
    assert "from 15 rows on that is less than asking the circuit" in said
    assert PLOTS["pareto"](report).startswith("<svg")


def exact(rows: torch.Tensor) -> torch.Tensor:
    from workers.quantum.teachers.values import CircuitValues

    return CircuitValues(job().teacher, threads=1).exact(rows)  # type: ignore[arg-type]


def test_shots_are_counted_and_their_error_is_foretold(house: Make) -> None:
    report, _ = distilled(house, job(teacher={"shots": 4000}))
    found = report.surrogate
    assert found is not None
    assert (found.circuits_per_query, found.shots_per_query) == (2, 8000)
    assert (found.circuits, found.shots_spent, found.pays_after_queries) == (30, 120_000, 15)
    assert found.standard_error is not None
    assert 0.2 * found.standard_error < found.rmse < 1.5 * found.standard_error
    assert found.student.max_error < 4 * found.standard_error
    assert found.rmse < 3 * found.direct.rmse


@pytest.mark.parametrize(
    ("mitigation", "per_query", "before"),
    [({"kind": "zne", "fit": "exponential"}, 3, 0), ({"kind": "clifford_gains", "variants": 4}, 1, 4)],
)
def test_mitigation_is_counted_and_stands_beside_the_same_without(
    house: Make, mitigation: dict[str, Any], per_query: int, before: int
) -> None:
    noise = {"model": "depolarizing", "one_qubit": 0.0, "two_qubit": 0.1}
    dataset = {"rows": 20}
    report, _ = distilled(house, job(dataset=dataset, teacher={"noise": noise, "mitigation": mitigation}))
    found = report.surrogate
    assert found is not None
    assert found.mitigation is not None
    assert found.mitigation.helped == (found.direct.rmse < found.mitigation.without.rmse)
    assert found.mitigation.helped
    assert found.mitigation.sentence.startswith("helped: ")
    assert (found.circuits_per_query, found.circuits) == (per_query, 15 * per_query + before)
    assert found.mitigation.circuits_before == before
    assert (found.mitigation.gains is None) == (before == 0)
    assert found.rmse < found.mitigation.without.rmse
    assert f"Error mitigation {found.mitigation.sentence}." in card(report)
    assert not [each for each in report.warnings if "mitigation" in each]


def test_mitigation_that_makes_it_worse_is_reported(house: Make) -> None:
    noise = {"model": "depolarizing", "one_qubit": 0.0, "two_qubit": 0.0}
    taught = {"noise": noise, "shots": 20, "mitigation": {"kind": "zne", "fit": "richardson", "scales": [1, 3, 5, 7]}}
    report, _ = distilled(house, job(dataset={"rows": 20}, teacher=taught))
    assert report.surrogate is not None
    assert report.surrogate.mitigation is not None
    assert not report.surrogate.mitigation.helped
    assert any("did not help" in each for each in report.warnings)


def test_the_same_seed_gives_the_same_student_and_another_another(house: Make) -> None:
    first, again, other = (
        distilled(house, job(teacher={"shots": 50, "seed": seed}))[0].student_sha256 for seed in (1, 1, 2)
    )
    assert first == again != other


def test_a_sum_without_all_frequencies_is_fitted_to_the_rows(house: Make) -> None:
    student = {"architecture": {"kind": "fourier", "frequencies": [1, 1]}}
    report, _ = distilled(house, job(student=student))
    found = report.surrogate
    assert found is not None
    assert (found.nodes, found.exact, found.circuits) == (None, False, 48)
    assert 1e-4 < found.rmse < found.linear.rmse
    assert any("ridge" in note for note in report.notes)
    whole = {"architecture": {"kind": "fourier", "frequencies": 3}}
    report, _ = distilled(house, job(student=whole))
    assert report.surrogate is not None
    assert (report.surrogate.nodes, report.surrogate.exact) == (49, True)


@pytest.mark.parametrize(
    "architecture",
    [
        {"kind": "mlp", "hidden": [16]},
        {"kind": "quantum", "qubits": 2, "layers": 2, "encoding": {"kind": "angle"}},
    ],
)
def test_any_network_learns_from_a_circuit(house: Make, tmp_path: Path, architecture: dict[str, Any]) -> None:
    asked = job(student={"architecture": architecture}, training={"epochs": 30, "learning_rate": 0.03})
    report, _ = distilled(house, asked, cache=tmp_path)
    assert report.surrogate is not None
    assert (report.surrogate.exact, report.surrogate.circuits, report.surrogate.spectrum.ranks) == (False, 48, [])  # type: ignore[union-attr]
    assert len(report.student.runs) == 3
    assert report.soft_gradient_norm
    assert report.student.summary["rmse"].mean is not None
    kept, _ = distilled(house, asked, cache=tmp_path)
    assert (report.signal.computed_rows, kept.signal.computed_rows, kept.signal.reused_rows) == (36, 0, 36)
    assert kept.student_sha256 == report.student_sha256


def test_a_sum_is_trained_like_any_network_where_another_teaches(house: Make) -> None:
    body = {
        "dataset": {"source": "builtin", "name": "iris"},
        "teacher": {"source": "train", "architecture": {"kind": "mlp", "hidden": [8]}},
        "student": {"architecture": {"kind": "fourier", "frequencies": 1, "units": 0.5}},
        "training": {"epochs": 30},
        "evaluation": {"seeds": 1},
    }
    report, _ = distilled(house, DistillationJob.model_validate(body))
    assert report.surrogate is None
    assert (report.student.summary["accuracy"].mean or 0) > 0.6


def test_what_a_circuit_has_no_sum_for_is_refused_with_what_fits(house: Make) -> None:
    source = INPUT_SOURCE.replace("rz(x0)", "rz(x0*x1)")
    refused = problem_of(distilled, house, job(teacher={"circuit": {"format": "openqasm3", "source": source}}))
    assert (refused.code, refused.pointer) == ("not_periodic", "/student/architecture")
    many = [f"x{number}" for number in range(11)]
    turns = " ".join(f"input float[64] {name};" for name in many) + " qubit q;"
    source = 'OPENQASM 3.0; include "stdgates.inc"; ' + turns + " ".join(f"ry({name}) q;" for name in many)
    whole = {"circuit": {"format": "openqasm3", "source": source}, "inputs": many, "observables": ["Z"]}
    data = {"source": "uniform", "ranges": [[0.0, 1.0]] * 11}
    refused = problem_of(distilled, house, job(teacher=whole, dataset=data))
    assert (refused.code, refused.pointer) == ("grid_too_large", "/student/architecture/frequencies")
    assert {"kind": "mlp", "hidden": [64]} in refused.ways_out


def test_a_constant_is_nothing_to_learn(house: Make) -> None:
    refused = problem_of(distilled, house, job(teacher={"observables": ["ZI", "II"]}))
    assert (refused.code, refused.pointer) == ("constant_observable", "/teacher/observables/1")


def test_inputs_are_as_many_as_the_numbers_of_an_uploaded_row(house: Make, tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("a,b,c,label\n" + "\n".join(f"{n},{n},{n},{n % 2}" for n in range(20)))
    asked = {"dataset": {"source": "file", "file": "file_1"}, "rows": None}
    body = json.loads(job().model_dump_json()) | {"dataset": asked["dataset"]}
    refused = problem_of(
        distilled, house, DistillationJob.model_validate_json(json.dumps(body)), files={"file_1": path}
    )
    assert (refused.code, refused.pointer) == ("inputs_mismatch", "/teacher/inputs")


@pytest.mark.parametrize("student", [{"architecture": {"kind": "fourier"}}, mlp(8)])
def test_a_preflight_asks_a_few_rows_and_says_what_comes(house: Make, student: dict[str, Any]) -> None:
    asked = job(student=student, teacher={"shots": 100})
    question = PreflightQuestion(job=asked, memory_limit=1 << 33, seconds_limit=60)
    found = preflight(asked, question, house())
    assert found["shapes"]["inputs"] == [2]
    assert found["time"]["baselines"]["expected"] == 0
    assert not [said for said in found["advice"] if said["code"] in ("no_baseline", "one_seed")]


def test_a_sweep_solves_sums_and_trains_the_rest(house: Make) -> None:
    space = {"/student/architecture/frequencies": [None, 1]}
    sweep = Sweep.model_validate_json(json.dumps({"base": json.loads(job().model_dump_json()), "space": space}))
    found = run_sweep(sweep, house())
    assert (found["trials"], found["failed"], found["best"]["number"]) == (2, 0, 0)
    assert found["student"]["mean"] < 1e-6


def test_a_job_that_is_stopped_while_a_circuit_answers_goes_on_to_the_same_student(house: Make) -> None:
    asked = job(student=mlp(8), teacher={"shots": 20}, evaluation={"seeds": 2})
    whole, _ = distilled(house, asked)
    calls = iter(range(1000))
    stopped = house(stop=lambda: next(calls) > 12)
    with pytest.raises(Stopped):
        distil_job(asked, stopped)
    resumed, _ = distilled(house, asked, resume=stopped.saved)
    assert resumed.student_sha256 == whole.student_sha256


MAXCUT = {
    "dataset": {"source": "uniform", "ranges": [[-1.6, 1.6], [-3.2, 3.2]], "rows": 40},
    "teacher": {
        "source": "circuit",
        "circuit": {"format": "template", "template": {"name": "maxcut", "layers": 1}},
        "inputs": [],
        "observables": [],
        "shots": 512,
    },
    "evaluation": {"minimise": {}},
}


def test_a_minimum_is_run_again_by_its_certificate_and_stands_beside_other_searches(house: Make) -> None:
    report, run = distilled(house, job(**MAXCUT))
    found = report.surrogate.optimum  # type: ignore[union-attr]
    assert found is not None
    assert (found.observable, found.inputs) == ("cost", ["beta0", "gamma0"])
    assert found.searches["surrogate"].value < found.searches["start"].value - 0.3
    assert [found.searches[name].evaluations for name in ("surrogate", "cobyla", "spsa")] == [75, 75, 75]
    assert found.refined is not None
    assert found.refined.surrogate == pytest.approx(-6.3518, abs=1e-3)
    assert found.verdict.startswith("gain" if found.gain else "no gain")
    again = simulate_job(CircuitJob.model_validate_json(run.published["certificate.json"]), house())
    (expectation,) = again["expectations"]
    assert found.certificate == f"job_{len(run.submitted):032x}"
    assert expectation["value"] == pytest.approx(found.expected, abs=1e-9)
    assert found.expected == pytest.approx(found.searches["surrogate"].value, abs=1e-9)
    picture = PLOTS["surrogate"](report)
    assert found.verdict.split("; ")[1] in picture
    assert "## The minimum" in card(report)


def test_a_noisy_minimum_is_certified_with_its_noise(house: Make) -> None:
    noise = {"model": "depolarizing", "one_qubit": 0.01, "two_qubit": 0.05}
    asked = job(teacher={"noise": noise, "shots": None}, evaluation={"minimise": {"observable": 1, "seed": 3}})
    report, run = distilled(house, asked)
    found = report.surrogate.optimum  # type: ignore[union-attr]
    assert found is not None
    assert found.observable == "parity"
    again = simulate_job(CircuitJob.model_validate_json(run.published["certificate.json"]), house())
    assert again["expectations"][0]["value"] == pytest.approx(found.expected, abs=1e-9)
    assert abs(found.expected or 0) < abs(found.searches["surrogate"].value)


def test_looking_for_a_minimum_stops_when_asked(house: Make) -> None:
    looking = False

    def stop() -> bool:
        return looking

    run = house(stop=stop)
    told = run.progress

    def progress(**said: Any) -> None:
        nonlocal looking
        looking = looking or said["phase"] == "minimum"
        told(**said)

    run.progress = progress
    with pytest.raises(Stopped):
        distil_job(job(**MAXCUT), run)
    assert "report.json" not in run.published


def test_a_preflight_looks_at_a_job_for_a_minimum(house: Make) -> None:
    asked = job(**MAXCUT)
    found = preflight(asked, PreflightQuestion(job=asked, memory_limit=1 << 33, seconds_limit=60), house())
    assert found["shapes"]["inputs"] == [2]
    assert found["time"]["total"]["expected"] > 0
