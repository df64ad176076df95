"""Regression: numbers are learned standardised, and everything that leaves a job is in the units of the data."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter
from scipy import stats
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

from app.distillations.card import card
from app.distillations.pictures.plots import PLOTS
from qstill.contract.distillations.datasets import BuiltinData, UploadedData
from qstill.contract.distillations.report.document import read_report
from qstill.contract.distillations.results import DistillationResult
from qstill.contract.errors import Problem
from qstill.contract.models.answers import Answer, Values
from qstill.contract.models.questions import AskRows, Question
from tests.testing.examples import examples
from tests.testing.refusals import problem_of
from workers.distillation.data.dataset import Data, load
from workers.distillation.jobs import distil_job
from workers.distillation.objectives import LOSSES
from workers.distillation.objectives.terms import Target, label_term
from workers.distillation.predict.rows import predict
from workers.distillation.signals.signals import Signal
from workers.distillation.tasks.targets import Targets, correlation, errors, score
from workers.run import Stopped

pytestmark = pytest.mark.training

FILE, MODEL = "file_1", "ckpt_" + "0" * 32
Make = Callable[..., Any]
NAN = float("nan")


def uploaded(path: Path, **given: Any) -> Data:
    return load(UploadedData(source="file", file=FILE, task="regression", **given), {FILE: path})


def npz(folder: Path, **arrays: Any) -> Path:
    np.savez(folder / "data.npz", **arrays)
    return folder / "data.npz"


def csv(folder: Path, text: str) -> Path:
    (folder / "data.csv").write_text(text)
    return folder / "data.csv"


def linear(rows: int = 120, targets: int = 1) -> tuple[Any, Any]:
    """Inputs, and targets of very different units that follow from them."""
    draw = np.random.default_rng(0)
    x = draw.normal(size=(rows, 3))
    y = x @ draw.normal(size=(3, targets)) + 0.1 * draw.normal(size=(rows, targets))
    return x, y * np.logspace(0, 3, targets) + np.logspace(1, 5, targets)


def diabetes(job: Make, **changes: Any) -> Any:
    body: dict[str, Any] = {
        "dataset": {"source": "builtin", "name": "diabetes", "task": "regression", "labelled": 40},
        "objective": {"kind": "logit_mse"},
    }
    return job(**body | changes)


def test_targets_are_standardised_by_the_training_split_and_come_back(tmp_path: Path) -> None:
    x, y = linear(targets=3)
    data = uploaded(npz(tmp_path, x=x, y=y))
    assert data.task.targets is not None
    assert data.classes == data.task.targets.names == ["y0", "y1", "y2"]
    assert data.train.y.mean(0).abs().max() < 1e-6
    assert torch.allclose(data.train.y.std(0, correction=0), torch.ones(3), atol=1e-5)
    assert np.allclose(data.task.targets.in_units(data.test.y), y[data.test.index], rtol=1e-6)
    assert sorted(torch.cat([rows.index for rows in (data.train, data.validation, data.test)]).tolist()) == [
        *range(120)
    ]


def test_a_row_without_a_label_is_a_training_row(tmp_path: Path) -> None:
    x, y = linear()
    y[:5] = NAN
    data = uploaded(npz(tmp_path, x=x, y=y[:, 0]), labelled=20)
    assert set(range(5)) <= set(data.train.index.tolist())
    assert bool(data.seen[data.train.index < 5].isnan().all())
    assert (int(data.seen.isfinite().sum()), len(data.learned)) == (20, len(data.train.y))
    alone = uploaded(npz(tmp_path, x=x, y=y[:, 0]), labelled=20, unlabelled_pool=False)
    assert len(alone.learned) == 20


def test_a_csv_names_one_target_or_several(tmp_path: Path) -> None:
    lines = [f"{i},{i * i},{'' if i == 3 else i / 7},{-i}" for i in range(12)]
    path = csv(tmp_path, "a,height,weight,b\n" + "\n".join(lines))
    assert uploaded(path, label="weight").classes == ["weight"]
    data = uploaded(path, targets=["weight", "height"])
    assert (data.classes, data.input_shape) == (["weight", "height"], (2,))
    row = data.train.index.tolist().index(3)
    assert data.train.y[row].isnan().tolist() == [True, False]
    assert uploaded(csv(tmp_path, "a,b\n" + "\n".join(f"{i},{i * i}" for i in range(9)))).classes == ["b"]


@pytest.mark.parametrize(
    ("text", "given", "said", "pointer"),
    [
        ("a,b\n1,2\n2,x\n3,4\n5,6\n", {}, "Row 1, column 'b': 'x' is not a number", "/dataset/file"),
        ("a,b\n1,2\n2,inf\n3,4\n5,6\n", {}, "Row 1, column 'b'", "/dataset/file"),
        ("a,b\n1,2\n2,2\n3,2\n5,2\n", {}, "does not vary", "/dataset/file"),
        ("a,b\n1,2\n2,\n3,\n5,6\n", {}, "2 rows have all their labels", "/dataset/file"),
        ("a,b\n1,2\n", {"targets": ["a", "b"]}, "none is left", "/dataset/file"),
        ("a,b\n1,2\n", {"targets": ["a", "c"]}, "names 'c' 0 times", "/dataset/targets/1"),
    ],
)
def test_labels_that_cannot_be_learned_are_refused(
    tmp_path: Path, text: str, given: dict[str, Any], said: str, pointer: str
) -> None:
    with pytest.raises(Problem, match=said) as refused:
        uploaded(csv(tmp_path, text), **given)
    assert (refused.value.code, refused.value.pointer) == ("dataset_invalid", pointer)


def test_labels_of_another_shape_are_refused(tmp_path: Path) -> None:
    x, _ = linear()
    for y in (np.zeros((120, 0)), np.zeros((120, 101)), np.zeros((120, 2, 2)), np.zeros(119)):
        assert problem_of(uploaded, npz(tmp_path, x=x, y=y)).code == "dataset_invalid"


numbers = st.integers(0, 2**31).map(lambda seed: torch.Generator().manual_seed(seed))


@given(numbers, st.floats(0, 1), st.integers(1, 4))
@settings(deadline=None, max_examples=examples(30))
def test_the_loss_is_the_mix_of_two_squared_errors_and_hides_what_is_unknown(
    draw: torch.Generator, alpha: float, targets: int
) -> None:
    student, teacher, labels = (torch.randn(7, targets, generator=draw) for _ in range(3))
    labels[torch.rand(7, targets, generator=draw) < 0.4] = NAN
    student.requires_grad_()
    terms = LOSSES["logit_mse"](student, Signal(teacher, ""), Target(labels), alpha=alpha)
    known = labels.isfinite()
    s, t, y = (part.detach().numpy() for part in (student, teacher, labels))
    hard = float(np.mean((s - y)[known.numpy()] ** 2)) if known.any() else 0.0
    expected = (1 - alpha) * hard + alpha * float(np.mean((s - t) ** 2))
    assert terms["loss"].item() == pytest.approx(expected, rel=1e-5, abs=1e-6)
    terms["loss"].backward()
    assert student.grad is not None
    assert bool(student.grad.isfinite().all())


def test_without_any_label_the_label_term_is_zero_and_has_a_gradient() -> None:
    student = torch.ones(3, 2, requires_grad=True)
    term = label_term(student, Target(torch.full((3, 2), NAN)))
    term.backward()
    assert (term.item(), student.grad is not None and student.grad.abs().sum().item()) == (0.0, 0.0)


@given(numbers, st.integers(1, 3))
@settings(deadline=None, max_examples=examples(30))
def test_measures_agree_with_scikit_learn(draw: torch.Generator, count: int) -> None:
    mean, std = torch.randn(count, generator=draw).double() * 100, torch.rand(count, generator=draw).double() * 50 + 1
    targets = Targets([f"t{i}" for i in range(count)], mean, std)
    answers, labels, teacher = (torch.randn(20, count, generator=draw) for _ in range(3))
    found = errors(answers, labels, teacher, targets)
    a, y = targets.in_units(answers).numpy(), targets.in_units(labels).numpy()
    for i, one in enumerate(found.per_target):
        assert one.rmse == pytest.approx(root_mean_squared_error(y[:, i], a[:, i]))
        assert one.mae == pytest.approx(mean_absolute_error(y[:, i], a[:, i]))
        assert one.r2 == pytest.approx(r2_score(y[:, i], a[:, i]))
    scale = targets.std.numpy() if count > 1 else 1.0
    assert found.rmse == pytest.approx(float(np.sqrt(np.mean(((a - y) / scale) ** 2))))
    assert found.r2 == pytest.approx(r2_score(y, a))
    assert score(answers, labels)[0] == pytest.approx(found.r2, rel=1e-5)
    pairs = [stats.pearsonr(answers[:, i], teacher[:, i]).statistic for i in range(count)]
    assert correlation(answers, teacher) == pytest.approx(np.mean(pairs), abs=1e-6)


def test_what_does_not_vary_has_no_share_explained() -> None:
    flat = torch.ones(4, 1)
    assert score(flat * 2, flat) == (0.0, 1.0)
    assert correlation(flat, torch.arange(4.0)[:, None]) == 0.0


def test_distillation_is_judged_by_rmse_where_less_is_better(job: Make, house: Make) -> None:
    told = house()
    result = distil_job(diabetes(job, training={"epochs": 12}, evaluation={"seeds": 3}), told)
    assert DistillationResult.model_validate(result).model_dump(mode="json") == result
    report = json.loads(told.published["report.json"])
    students, baselines = ([each["rmse"] for each in report[arm]["runs"]] for arm in ("student", "baseline"))
    assert report["paired_differences_in_points"] == pytest.approx(np.subtract(baselines, students))
    assert (result["measure"], result["gain"]["points"]) == (
        "rmse",
        pytest.approx(np.mean(baselines) - np.mean(students)),
    )
    assert 40 < result["teacher"]["mean"] < 77  # in units of the data, whose labels have a deviation of 77
    assert set(report["student"]["summary"]) == {"rmse", "mae", "r2", "correlation", "rmse_to_teacher"}
    assert report["student"]["summary"]["correlation"]["mean"] > report["baseline"]["summary"]["correlation"]["mean"]
    assert (report["classes"], report["per_class"], report["targets"][0]["name"]) == ([], [], "progression")
    assert report["rows"]["labels_seen"] == 40
    assert any("units of the data" in note for note in report["notes"])
    assert "validation_r2" in (told.metas["student-seed-0.safetensors"] or {})
    assert {event["validation_r2"] is not None for kind, event in told.events if kind == "epoch"} == {True}

    read = read_report(report)
    words = card(read)
    assert "of test RMSE" in words
    assert "Predicts | progression" in words
    assert "Test RMSE" in PLOTS["pareto"](read)
    assert "Validation R²" in PLOTS["curves"](read)
    for name in ("reliability", "per_class"):
        with pytest.raises(Problem, match=r"confidence|no change"):
            PLOTS[name](read)


@pytest.mark.parametrize("kind", ["fitnet", "rkd", "sp", "pkt", "crd"])
def test_losses_on_features_need_no_classes(job: Make, house: Make, kind: str) -> None:
    result = distil_job(diabetes(job, objective={"kind": kind}, evaluation={"seeds": 1}), house())
    assert np.isfinite(result["student"]["mean"])


def test_a_sum_learns_several_targets_and_resumes_to_the_bit(tmp_path: Path, job: Make, house: Make) -> None:
    x, y = linear(targets=2)
    files = {FILE: npz(tmp_path, x=x, y=y)}
    terms = [{"objective": {"kind": "logit_mse"}}, {"weight": 0.001, "objective": {"kind": "sp", "hard_weight": 0.0}}]
    spec = diabetes(
        job,
        dataset={"source": "file", "file": FILE, "task": "regression"},
        objective={"kind": "sum", "terms": terms},
        training={"epochs": 20, "learning_rate": 0.05},
    )
    whole = house(files=files)
    result = distil_job(spec, whole)
    asked = iter(range(10_000))
    broken = house(files=files, stop=lambda: next(asked) == 60)
    with pytest.raises(Stopped):
        distil_job(spec, broken)
    again = house(files=files, resume=broken.saved)
    assert distil_job(spec, again)["student"] == result["student"]
    assert result["student"]["mean"] < 0.5  # of the standard deviations in which several targets are told
    report = json.loads(whole.published["report.json"])
    assert report["targets"][1]["student"]["rmse"] > 100 * report["targets"][0]["student"]["rmse"]


def test_a_teacher_that_knows_nothing_is_warned_of(job: Make, house: Make) -> None:
    teacher = {
        "source": "train",
        "architecture": {"kind": "mlp", "hidden": []},
        "training": {"epochs": 1, "learning_rate": 1e-9},
    }
    told = house()
    distil_job(diabetes(job, teacher=teacher, evaluation={"seeds": 1}), told)
    assert "mean of the labels" in json.loads(told.published["report.json"])["warnings"][0]
    assert [event["code"] for kind, event in told.events if kind == "warning"] == ["teacher_no_better_than_chance"]


def test_a_student_is_exported_and_tried_in_units_of_the_data(tmp_path: Path, job: Make, house: Make) -> None:
    told = house()
    distil_job(diabetes(job, evaluation={"seeds": 1}).model_copy(update={"export": ["onnx", "onnx_int8"]}), told)
    report = json.loads(told.published["report.json"])
    exact, small = report["exports"]
    assert exact["pytorch_rmse"] == pytest.approx(report["student"]["runs"][0]["rmse"], rel=1e-6)
    assert exact["max_value_difference"] < 1e-3 < small["max_value_difference"]
    assert exact["rmse"] == pytest.approx(exact["pytorch_rmse"], rel=1e-4)
    assert "values = session.run" in card(read_report(report))
    data = load(BuiltinData(source="builtin", name="diabetes", task="regression"), {})
    assert data.task.targets is not None
    truth = data.task.targets.in_units(data.test.y).numpy()
    rows = data.test.raw.numpy()
    values = ort.InferenceSession(told.published["student-seed-0.onnx"]).run(["values"], {"inputs": rows})[0]
    assert root_mean_squared_error(truth, values) == pytest.approx(report["student"]["runs"][0]["rmse"], rel=1e-4)
    for name, reading in (("student-seed-0.safetensors", {}), ("student-seed-0.onnx", {"format": "onnx"})):
        (tmp_path / name).write_bytes(told.published[name])
        question = Question(model=MODEL, rows=AskRows(inputs=rows[:4].tolist()))
        said = predict(question, house(files={MODEL: tmp_path / name}, models={MODEL: reading}))
        assert isinstance(TypeAdapter(Answer).validate_python(said), Values)
        assert (said["object"], said["targets"]) == ("values", ["progression"])
        assert np.allclose(said["values"], values[:4], rtol=1e-4)
