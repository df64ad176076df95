"""Jobs whose rows have several labels: teachers of every kind, files, predictions, sweeps and preflights."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
import torch

from app.distillations.card import card
from app.distillations.loading import program
from app.distillations.pictures.plots import PLOTS
from qstill.contract.distillations.preflight import PreflightQuestion
from qstill.contract.distillations.report.document import DistillationReport, read_report
from qstill.contract.errors import Problem
from qstill.contract.models.answers import NamedLabels
from qstill.contract.models.questions import AskRows, Question
from qstill.contract.sweeps.sweep import Sweep
from tests.workers.distillation.labels.conftest import NAMES, some_digits
from tests.workers.distillation.programs import Case, answers_of
from workers.distillation.jobs import distil_job
from workers.distillation.predict.rows import predict
from workers.distillation.preflight.look import preflight
from workers.sweeps.run import run as run_sweep

pytestmark = pytest.mark.training

Make = Callable[..., Any]
MODEL = "model_" + "0" * 32


def report_of(run: Any) -> DistillationReport:
    return read_report(json.loads(run.published["report.json"]))


@pytest.fixture
def finished(house: Make, archive: Path, labels_job: Make) -> Any:
    run = house(files={"file_1": archive})
    distil_job(labels_job(export=["onnx"]), run)
    return run


def said(house: Make, content: bytes, reading: dict[str, Any], rows: Any) -> NamedLabels:
    run = house(models={MODEL: reading})
    path = run.scratch / "model"
    path.write_bytes(content)
    run.files = {MODEL: path}
    return NamedLabels.model_validate(predict(Question(model=MODEL, rows=AskRows(inputs=rows)), run))


def test_a_job_from_its_rows_to_its_files(finished: Any, house: Make, tmp_path: Path) -> None:
    report = report_of(finished)
    assert report.measure == "f1_macro"
    assert [each.name for each in report.labels or []] == NAMES
    assert report.rows.labels_seen == 60
    assert report.baseline is not None
    for arm in (report.teacher, report.student, report.baseline):
        assert 0.5 < arm.summary["average_precision"].mean <= 1
        for run in arm.runs:
            assert run.f1_macro == pytest.approx(np.mean([each.f1 for each in run.per_label]))  # type: ignore[union-attr]
    assert report.teacher.summary["agreement"].mean == 1
    best = max(point.validation_score for point in report.curves["student-seed-0"])  # type: ignore[union-attr]
    assert report.student.runs[0].validation_score == best
    (exact,) = report.models
    assert exact.max_difference < 1e-4
    assert exact.agreement == 1  # type: ignore[union-attr]
    assert exact.worth(report.by) == pytest.approx(report.student.runs[0].f1_macro)  # type: ignore[union-attr]
    written = card(report)
    assert "## Labels" in written
    for name in ("curves", "reliability", "pareto"):
        assert PLOTS[name](report).startswith("<svg")

    rows = some_digits()[0][:5].tolist()
    checkpoint = "student-seed-0.safetensors"
    case = Case(program(checkpoint, "mlp", says="labels"), (checkpoint, finished.published[checkpoint]), [rows])
    ((probabilities,),) = answers_of([case], tmp_path / "program")
    file, network = finished.published["student-seed-0.onnx"], finished.published["student-seed-0.safetensors"]
    session = ort.InferenceSession(file)
    logits = session.run(["logits"], {"inputs": np.array(rows, dtype=np.float32)})[0]
    told = json.loads(session.get_modelmeta().custom_metadata_map["qstill"])
    assert told["labels"] == NAMES
    for content, reading in ((network, {}), (file, {"format": "onnx"})):
        answer = said(house, content, reading, rows)
        assert answer.labels == NAMES
        np.testing.assert_allclose(answer.logits, logits, atol=1e-4)
        np.testing.assert_allclose(answer.probabilities, torch.from_numpy(logits).sigmoid(), atol=1e-4)
        np.testing.assert_allclose(answer.probabilities, probabilities, atol=1e-4)
        named = [[name for name, p in zip(NAMES, row, strict=True) if p > 0.5] for row in answer.probabilities]
        assert answer.predicted == named


@pytest.mark.parametrize("kind", ["logits", "probabilities", "log_probabilities"])
def test_soft_labels_of_every_kind_teach_the_same(
    kind: str, house: Make, archive: Path, labels_job: Make, tmp_path: Path
) -> None:
    y = some_digits()[1].astype(np.float64)
    logits = 3 * (2 * y - 1) + np.random.default_rng(0).normal(size=y.shape)
    p = 1 / (1 + np.exp(-logits))
    array = {"logits": logits, "probabilities": p, "log_probabilities": np.log(p)}[kind]
    np.save(tmp_path / "soft.npy", array)
    run = house(files={"file_1": archive, "file_2": tmp_path / "soft.npy"})
    teacher = {"source": "soft_labels", "file": "file_2", "kind": kind}
    distil_job(labels_job(teacher=teacher, training={"epochs": 2}, evaluation={"seeds": 1}), run)
    report = report_of(run)
    held = (p > 0.5) == (y > 0.5)
    test = json.loads(run.published["split.json"])["test"]
    assert report.teacher.summary["hamming"].mean == pytest.approx(1 - held[test].mean())


def test_files_of_a_job_teach_the_next(
    finished: Any, house: Make, archive: Path, labels_job: Make, tmp_path: Path
) -> None:
    for name, given in (
        ("teacher.safetensors", {"format": "safetensors"}),
        ("student-seed-0.onnx", {"format": "onnx", "inputs": "raw"}),
    ):
        path = tmp_path / name
        path.write_bytes(finished.published[name])
        run = house(files={"file_1": archive, "file_2": path})
        teacher = {"source": "file", "file": "file_2", **given}
        few = {"teacher": teacher, "training": {"epochs": 2}, "evaluation": {"seeds": 1}}
        distil_job(labels_job(**few, objective={"kind": "logit_mse"}), run)
        earlier = report_of(finished)
        arm = earlier.teacher if name.startswith("teacher") else earlier.student
        found = report_of(run).teacher.runs[0].f1_macro  # type: ignore[union-attr]
        assert found == pytest.approx(arm.runs[0].f1_macro, abs=1e-6)  # type: ignore[union-attr]


def test_a_teacher_of_classes_knows_no_labels(house: Make, archive: Path, labels_job: Make, tmp_path: Path) -> None:
    x, y = some_digits()
    np.savez(tmp_path / "c.npz", x=x, y=y[:, 0] + y[:, 1])
    of_classes = labels_job(dataset={"task": "classification", "targets": None}, evaluation={"seeds": 1})
    run = house(files={"file_1": tmp_path / "c.npz"})
    distil_job(of_classes, run)
    (tmp_path / "t").write_bytes(run.published["teacher.safetensors"])
    asked = labels_job(teacher={"source": "file", "file": "file_2"})
    with pytest.raises(Problem, match="several labels a row") as refused:
        distil_job(asked, house(files={"file_1": archive, "file_2": tmp_path / "t"}))
    assert refused.value.code == "class_mismatch"


@pytest.mark.parametrize(
    "objective",
    [
        {"kind": "fitnet", "layers": {"hidden.0": "hidden.0"}},
        {"kind": "sum", "terms": [{"objective": {"kind": "kd"}}, {"objective": {"kind": "pkt"}}]},
    ],
)
def test_losses_on_features_teach_labels(
    objective: dict[str, Any], house: Make, archive: Path, labels_job: Make
) -> None:
    run = house(files={"file_1": archive})
    job = labels_job(objective=objective, training={"epochs": 2}, evaluation={"seeds": 1})
    assert distil_job(job, run)["student"]["mean"] > 0


def test_a_sweep_and_a_preflight_of_labels(house: Make, archive: Path, labels_job: Make) -> None:
    base = labels_job(training={"epochs": 2}, evaluation={"seeds": 1, "verdict": "average_precision"})
    sweep = Sweep(base=base, space={"/training/learning_rate": [0.003, 0.03], "/objective/alpha": [0.5, 1.0]})
    result = run_sweep(sweep, house(files={"file_1": archive}))
    assert result["measure"] == "average_precision"
    assert result["stacked_students"] == 0
    assert 0 < result["best"]["worth"] <= 1

    path = archive.parent / "soft.npy"
    np.save(path, np.full((400, 3), 0.5))
    teacher = {"source": "soft_labels", "file": "file_2", "kind": "probabilities"}
    run = house(files={"file_1": archive, "file_2": path})
    asked = labels_job(teacher=teacher)
    found = preflight(asked, PreflightQuestion(job=asked, seconds_limit=86400.0), run)
    (check,) = found["of_labels"]
    assert check["log_loss"] == pytest.approx(np.log(2))
    assert "teacher_worse_than_chance" in [each["code"] for each in found["advice"]]
