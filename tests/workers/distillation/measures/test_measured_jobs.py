"""A measure that a job names decides: epochs, verdict, trials, card and pictures."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from app.cli.show import show_distillation
from app.distillations.card import card
from app.distillations.pictures.plots import PLOTS
from app.sweeps.chart import front_chart
from qstill.contract.distillations.job import DistillationJob
from qstill.contract.distillations.report.document import DistillationReport, read_report
from qstill.contract.errors import Problem
from qstill.contract.sweeps.results import TrialView
from qstill.contract.sweeps.sweep import Sweep
from workers.distillation.jobs import distil_job
from workers.sweeps.run import run as run_sweep

pytestmark = pytest.mark.training

Make = Callable[..., Any]
SMALL = {
    "teacher": {"source": "train", "architecture": {"kind": "mlp", "hidden": [8]}},
    "student": {"architecture": {"kind": "mlp", "hidden": [4]}},
    "training": {"epochs": 4, "batch_size": 16},
}


def job(data: dict[str, Any], evaluation: dict[str, Any], **more: Any) -> DistillationJob:
    return DistillationJob.model_validate({"dataset": data, "evaluation": evaluation, **SMALL, **more})


def report_of(run: Any) -> DistillationReport:
    return read_report(json.loads(run.published["report.json"]))


IRIS = {"source": "builtin", "name": "iris", "labelled": 12}


@pytest.mark.parametrize("verdict", ["f1_macro", "log_loss"])
def test_the_named_measure_chooses_epochs_and_decides(verdict: str, house: Make) -> None:
    asked = ["auc", "top_2", "average_precision", "f1_micro", "log_loss", "accuracy"]
    run = house()
    result = distil_job(job(IRIS, {"seeds": 2, "verdict": verdict, "measures": asked}, export=["onnx"]), run)
    report = report_of(run)
    assert result["measure"] == report.measure == verdict
    assert [each.name for each in report.measures] == [verdict, *(each for each in asked if each != verdict)]
    points = [point.validation_score for point in report.curves["student-seed-0"]]  # type: ignore[union-attr]
    best = max(points) if verdict == "f1_macro" else min(points)
    assert report.student.runs[0].validation_score == best
    by_name = {each.name: each for each in report.measures}
    for one in report.student.runs:
        assert one.measures["accuracy"] == one.measures["f1_micro"] == one.accuracy  # type: ignore[union-attr]
        assert one.measures["log_loss"] == pytest.approx(one.negative_log_likelihood)  # type: ignore[union-attr]
    means = [np.mean([each.measures[verdict] for each in arm.runs]) for arm in (report.student, report.baseline)]  # type: ignore[union-attr]
    points_of = 100 if verdict == "f1_macro" else -1
    assert report.gain is not None
    assert report.gain.points == pytest.approx(points_of * (means[0] - means[1]))
    assert by_name[verdict].gain == report.gain
    for each in report.measures:
        for found in (each.teacher, each.student, each.baseline):
            assert found is not None
            assert found.rows_low is not None
            assert found.rows_high is not None
            assert found.rows_low <= found.mean <= found.rows_high
    export = report.models[0]
    assert export.measures[verdict] == pytest.approx(report.student.runs[0].measures[verdict], abs=1e-6)
    written = card(report)
    assert report.by.said in written
    assert "By the measures that were asked for" in written
    for name in ("curves", "pareto"):
        assert report.by.said.lower() in PLOTS[name](report).lower()
    show_distillation(result, Console())


def test_numbers_by_another_error(house: Make) -> None:
    run = house()
    data = {"source": "builtin", "name": "diabetes", "task": "regression"}
    evaluation = {"seeds": 2, "verdict": "mae", "measures": ["r2", "rmse"]}
    result = distil_job(job(data, evaluation, objective={"kind": "logit_mse"}, export=["onnx"]), run)
    report = report_of(run)
    assert result["measure"] == "mae"
    assert report.student.runs[0].measures["mae"] == pytest.approx(report.student.runs[0].mae)  # type: ignore[union-attr]
    assert report.student.summary["mae"].mean == pytest.approx(result["student"]["mean"])
    assert "mean absolute error" in card(report)
    assert report.models[0].worth(report.by) == pytest.approx(report.student.runs[0].measures["mae"], rel=1e-5)


def without_a_class(path: Path) -> Path:
    """An archive whose own test rows are of two of three classes."""
    draw = np.random.default_rng(0)
    y = np.arange(90) % 3
    x = draw.normal(size=(90, 2)) + y[:, None]
    np.savez(path, x_train=x[:60], y_train=y[:60], x_test=x[60:][y[60:] < 2], y_test=y[60:][y[60:] < 2])
    return path


def test_what_the_test_rows_do_not_have_is_a_dash_with_its_reason(tmp_path: Path, house: Make) -> None:
    files = {"file_1": without_a_class(tmp_path / "d.npz")}
    data = {"source": "file", "file": "file_1"}
    run = house(files=files)
    distil_job(job(data, {"seeds": 1, "measures": ["auc", "f1_macro"]}), run)
    report = report_of(run)
    auc, f1 = report.measures
    assert auc.student is None
    assert "'2'" in (auc.unmeasured or "")
    assert f1.student is not None
    assert "| AUC | – | – | – | – |" in card(report)
    with pytest.raises(Problem) as refused:
        distil_job(job(data, {"verdict": "auc"}), house(files=files))
    assert refused.value.code == "measure_undefined"
    assert refused.value.pointer == "/evaluation/verdict"
    with pytest.raises(Problem) as refused:
        distil_job(job(data, {"measures": ["f1_macro", "top_3"]}), house(files=files))
    assert (refused.value.code, refused.value.pointer) == ("too_few_classes", "/evaluation/measures/1")


@pytest.mark.parametrize("pruning", ["none", "median"])
def test_a_sweep_ranks_by_the_named_measure(pruning: str, house: Make) -> None:
    base = {"dataset": IRIS, "evaluation": {"seeds": 2, "verdict": "log_loss"}, **SMALL}
    space = {"/training/learning_rate": [0.0001, 0.003, 0.03], "/student/architecture/hidden": [[3], [5]]}
    run = house()
    result = run_sweep(Sweep.model_validate({"base": base, "space": space, "pruning": pruning}), run)
    trials = [TrialView.model_validate(each) for each in json.loads(run.published["trials.json"])]
    complete = [each.worth for each in trials if each.status == "complete" and each.worth is not None]
    assert result["measure"] == "log_loss"
    assert result["best"]["worth"] == min(complete)
    for each in trials:
        assert each.worth == pytest.approx(each.negative_log_likelihood)
    members = json.loads(run.published["pareto.json"])
    assert all(each["test_worth"] is not None for each in members)
    assert "log-loss" in front_chart(trials, result["front"]).description


def test_a_language_model_by_its_log_loss(tmp_path: Path, house: Make) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text("".join(json.dumps({"text": f"abc{i % 7}de{i % 3}fg " * 3}) + "\n" for i in range(40)))
    data = {"source": "text_file", "file": "file_1", "task": "language_modelling", "max_length": 8}
    data |= {"tokenizer": {"kind": "character", "vocabulary": 40}}
    network = {"kind": "decoder", "width": 8, "depth": 1, "heads": 2}
    more = {"teacher": {"source": "train", "architecture": network}, "student": {"architecture": network}}
    run = house(files={"file_1": path})
    asked = {"seeds": 2, "verdict": "log_loss", "measures": ["top_5"]}
    result = distil_job(job(data, asked, export=["onnx"], **more, training={"epochs": 2}), run)
    report = report_of(run)
    assert result["student"]["mean"] == pytest.approx(report.student.summary["negative_log_likelihood"].mean)
    assert any("rests on log-loss" in note for note in report.notes)
