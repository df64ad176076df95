"""What a preflight says is what the job will find; and it costs a few batches, however large the job is."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import TypeAdapter
from sklearn.datasets import load_diabetes
from torch import Tensor

from qstill.contract.distillations.architectures.mlp import Mlp
from qstill.contract.distillations.datasets import BuiltinData
from qstill.contract.distillations.inspection import Inspection
from qstill.contract.distillations.job import DistillationJob
from qstill.contract.distillations.preflight import Preflight, PreflightQuestion
from qstill.contract.distillations.training import Training
from workers.distillation.data.dataset import Data, load
from workers.distillation.data.faults import check_data
from workers.distillation.inspection import inspect
from workers.distillation.jobs import distil_job
from workers.distillation.networks.answers import logits_of
from workers.distillation.preflight import look as looking
from workers.distillation.preflight import pace
from workers.distillation.preflight.rehearsal import rehearse
from workers.distillation.tasks.judge import smoothing
from workers.distillation.teachers import ask
from workers.distillation.training.learner import Learner, batches
from workers.distillation.training.plan import Lesson, Stage

pytestmark = pytest.mark.training

Make = Callable[..., Any]
Json = dict[str, Any]

DIGITS = load(BuiltinData(source="builtin", name="digits"), {})
SOFT = {"source": "soft_labels", "file": "file_1", "kind": "logits"}


def looked(job: DistillationJob, told: Any) -> Preflight:
    """As a worker is asked: through JSON."""
    question = PreflightQuestion(job=job, seconds_limit=86400.0)
    text = json.dumps(question.model_dump(mode="json", exclude_none=True))
    asked: TypeAdapter[Any] = TypeAdapter(Inspection)
    return Preflight.model_validate(inspect(asked.validate_json(text), told))


def codes(found: Preflight) -> set[str]:
    return {advice.code for advice in found.advice}


def taught(data: Data, *, epochs: int = 15, smoothed: float = 0.0) -> Any:
    """A network that knows the data's training split."""
    training = Training(epochs=epochs, label_smoothing=smoothed)
    stage = Stage("t", "t", "teacher", Mlp(kind="mlp", hidden=[64]), training, 0, "t", "", "")
    positions = torch.arange(len(data.train.y))
    learner = Learner(stage, Lesson(positions, len(positions), data.train.y), data)
    for epoch in range(epochs):
        for batch in batches(stage, learner.lesson, epoch):
            learner.learn(batch)
        learner.epoch, learner.batch = epoch + 1, 0
    return learner.network


@pytest.fixture(scope="module")
def answers() -> Tensor:
    """A good teacher's logits for all digits, in the order of the data set."""
    network = taught(DIGITS)
    return _of_all_rows(lambda x: logits_of(network, x))


def _of_all_rows(answer: Callable[[Tensor], Tensor]) -> Tensor:
    logits = torch.zeros(DIGITS.total, 10)
    for rows in (DIGITS.train, DIGITS.validation, DIGITS.test):
        logits[rows.index] = answer(rows.x)
    return logits


@pytest.fixture
def soft(house: Make, tmp_path: Path) -> Callable[[Tensor], Any]:
    """A house that has these soft labels."""

    def make(logits: Tensor) -> Any:
        np.save(tmp_path / "soft.npy", logits.numpy())
        return house(files={"file_1": tmp_path / "soft.npy"})

    return make


def digits(job: Make, **changes: Json) -> DistillationJob:
    made: DistillationJob = job(**{"dataset": {"source": "builtin", "name": "digits", "labelled": 50}, **changes})
    return made


@pytest.mark.parametrize(("accumulate", "seeds", "baseline"), [(1, 2, True), (3, 1, False)])
def test_the_steps_are_those_that_the_job_takes(
    job: Make, house: Make, monkeypatch: pytest.MonkeyPatch, accumulate: int, seeds: int, baseline: bool
) -> None:
    body = job(training={"accumulate": accumulate}, evaluation={"seeds": seeds, "baseline": baseline})
    found = looked(body, house())
    steps, step = [], Learner.step
    monkeypatch.setattr(Learner, "step", lambda learner: (steps.append(1), step(learner)))
    distil_job(body, house())
    assert found.shapes.total_steps == len(steps)


def test_shapes_and_sizes_are_those_of_the_report(job: Make, house: Make) -> None:
    body, told = job(), house()
    found = looked(body, told)
    assert (told.events, told.published, told.saved) == ([], {}, None)
    distil_job(body, told)
    report = json.loads(told.published["report.json"])
    assert found.capacity.student_parameters == report["student"]["cost"]["size"]["parameters"]
    assert found.capacity.teacher_multiply_adds == report["teacher"]["cost"]["size"]["multiply_adds"]
    assert sum(found.shapes.rows.values()) == 150
    assert (found.shapes.inputs, found.shapes.classes) == ([4], 3)
    assert found.shapes.student_logits == [16, 3]
    assert found.teachers == []
    assert 0 < found.time.total.low <= found.time.total.expected <= found.time.total.high
    assert found.memory.process < found.memory.peak


def test_columns_in_another_order_are_noticed_and_the_way_back_is_told(
    job: Make, soft: Callable[[Tensor], Any], answers: Tensor
) -> None:
    order = torch.tensor([3, 1, 2, 0, 4, 5, 9, 7, 8, 6])
    told = soft(answers[:, order])
    found = looked(digits(job, teacher=SOFT), told)
    assert found.teachers[0].class_order == order.tolist()
    (advice,) = [advice for advice in found.advice if advice.code == "class_order"]
    assert advice.suggestion is not None
    mended = looked(digits(job, teacher=SOFT | {"classes": advice.suggestion.value}), told)
    assert mended.teachers[0].accuracy == found.teachers[0].accuracy_in_that_order
    assert mended.teachers[0].class_order is None


def test_a_good_teacher_is_measured_and_not_suspected(
    job: Make, soft: Callable[[Tensor], Any], answers: Tensor
) -> None:
    (check,) = looked(digits(job, teacher=SOFT), soft(answers)).teachers
    assert (check.class_order, check.label_smoothing, check.answers_are) == (None, None, "logits")
    assert check.accuracy > 0.9
    assert check.rows == looking.ROWS


def test_a_saturated_teacher_wants_a_higher_temperature(
    job: Make, soft: Callable[[Tensor], Any], answers: Tensor
) -> None:
    found = looked(digits(job, teacher=SOFT, objective={"temperature": 1.0}), soft(answers * 3))
    (advice,) = [advice for advice in found.advice if advice.code == "temperature_low"]
    assert advice.suggestion is not None
    assert advice.suggestion.value == found.teachers[0].temperature
    again = looked(digits(job, teacher=SOFT, objective={"temperature": advice.suggestion.value}), soft(answers * 3))
    assert "temperature_low" not in codes(again)


def test_label_smoothing_is_suspected_where_it_was(answers: Tensor) -> None:
    plain = logits_of(taught(DIGITS, epochs=30), DIGITS.validation.x)
    smoothed = logits_of(taught(DIGITS, epochs=30, smoothed=0.1), DIGITS.validation.x)
    assert smoothing(plain) is None
    assert smoothing(smoothed) == pytest.approx(0.1, abs=0.05)


def test_an_ensemble_is_judged_as_a_whole_and_member_by_member(
    job: Make, soft: Callable[[Tensor], Any], answers: Tensor
) -> None:
    both = {"source": "ensemble", "members": [SOFT, SOFT]}
    whole, first, second = looked(digits(job, teacher=both), soft(answers)).teachers
    assert [check.pointer for check in (whole, first, second)] == [
        "/teacher",
        "/teacher/members/0",
        "/teacher/members/1",
    ]
    assert whole.accuracy == first.accuracy == second.accuracy
    trained = {"source": "train", "architecture": {"kind": "mlp", "hidden": [8]}}
    (only,) = looked(digits(job, teacher=both | {"members": [trained, SOFT]}), soft(answers)).teachers
    assert only.pointer == "/teacher/members/1"


def test_a_teacher_is_asked_about_few_rows(
    job: Make, soft: Callable[[Tensor], Any], answers: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard, answer = [], ask._answers
    monkeypatch.setattr(ask, "_answers", lambda *given: heard.append(len(given[1].y)) or answer(*given))
    looked(digits(job, teacher=SOFT, training={"batch_size": 1024}), soft(answers))
    assert sum(heard) <= 2 * looking.ROWS


OPERATIONS = [{"gate": "ry", "target": 0, "rotation": "a"}, {"gate": "xx", "targets": [0, 5], "rotation": "a*b"}]
OF_STATES = {"kind": "circuit", "circuit": {"format": "json", "qubits": 6, "operations": OPERATIONS}}


@pytest.mark.parametrize(
    "changes",
    [
        {"objective": {"kind": "fitnet"}},
        {"objective": {"kind": "crd"}},
        {"objective": {"kind": "dkd"}, "signal": {"top_k": 3, "precision": "float16"}},
        {"training": {"batch_size": 4096, "ema": 0.9, "class_weights": "balanced", "balanced_batches": True}},
        {"training": {"optimizer": "sgd", "momentum": 0.9, "accumulate": 4, "precision": "bfloat16"}},
        {"training": {"epochs": 5, "augmentation": {"crop": 1, "mix": 0.3}}, "dataset": {"standardise": "channel"}},
        {"student": {"architecture": {"kind": "cnn", "channels": [4]}}},
        {"student": {"architecture": OF_STATES}},
    ],
)
def test_jobs_of_many_kinds_are_looked_at(job: Make, house: Make, changes: Json) -> None:
    body = {"dataset": {"source": "builtin", "name": "digits", "labelled": 50}} | changes
    if changes.get("dataset"):
        body["dataset"] = {"source": "builtin", "name": "digits", "labelled": 50, **changes["dataset"]}
    found = looked(job(**body), house())
    assert found.time.steps_measured >= 6
    assert "loss_not_finite" not in codes(found)


@pytest.mark.parametrize("objective", [{"kind": "kd"}, {"kind": "sequence", "prompt": 4}])
def test_a_language_model_is_looked_at(job: Make, house: Make, objective: Json) -> None:
    decoder = {"kind": "decoder", "width": 16, "heads": 1, "depth": 1}
    text = {"source": "builtin_text", "name": "python_topics", "task": "language_modelling", "max_length": 16}
    body = job(
        dataset=text | {"tokenizer": {"kind": "character"}},
        teacher={"source": "train", "architecture": decoder},
        student={"architecture": decoder},
        objective=objective,
    )
    found = looked(body, house())
    assert (found.shapes.class_names, found.data.labels, found.data.imbalance) == ([], {}, None)
    assert found.shapes.student_logits == [16 * 16, found.shapes.classes]


@pytest.mark.parametrize(("scale", "useless"), [(1.0, False), (-1.0, True)])
def test_a_teacher_of_numbers_is_measured_by_what_it_explains(
    job: Make, house: Make, tmp_path: Path, scale: float, useless: bool
) -> None:
    truth = load_diabetes().target
    np.save(tmp_path / "values.npy", truth.mean() + scale * 0.5 * (truth - truth.mean())[:, None])
    body = job(
        dataset={"source": "builtin", "name": "diabetes", "task": "regression", "labelled": 60},
        teacher={"source": "soft_labels", "file": "file_1", "kind": "values"},
        objective={"kind": "logit_mse"},
    )
    found = looked(body, house(files={"file_1": tmp_path / "values.npy"}))
    (check,) = found.regressors
    assert (found.teachers, found.data.labels, found.data.labelled_rows) == ([], {}, 60)
    assert check.r2 == pytest.approx(1 - (1 - 0.5 * scale) ** 2, rel=0.1)
    assert ("teacher_worse_than_chance" in codes(found)) == useless


def test_exports_and_compression_take_their_time(job: Make, house: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a clock to which each step takes as long, so that nothing else on the machine decides."""
    step = pace.seconds_of_step
    monkeypatch.setattr(pace, "seconds_of_step", lambda learner, positions: max(0.02, 0.0 * step(learner, positions)))
    exports = [looked(job_with(job, export=formats), house()).time for formats in ([], ["onnx"], ["onnx", "onnx_int8"])]
    assert exports[0].exports.expected == exports[0].compression.expected == 0
    assert 0 < exports[1].exports.expected < exports[2].exports.expected
    assert exports[2].total.expected > exports[2].exports.expected
    epochs = {"epochs": 200, "batch_size": 16}
    few, many = (
        looked(job_with(job, training=epochs, compression={"seeds": seeds, "pruning": prunings}), house())
        for seeds, prunings in (
            (1, [{"kind": "magnitude", "sparsity": 0.8}]),
            (2, [{"kind": "magnitude", "sparsity": 0.8}, {"kind": "structured", "sparsity": 0.5}]),
        )
    )
    assert 2 * few.time.compression.expected < many.time.compression.expected
    assert few.time.compression.low < few.time.compression.expected < few.time.compression.high
    short = looked(job_with(job, training=epochs, compression={"seeds": 2, "fine_tune_epochs": 2}), house())
    assert short.time.compression.expected < many.time.compression.expected / 2


def job_with(job: Make, *, export: list[str] | None = None, **changes: Json) -> DistillationJob:
    """The small job, with files."""
    body = job(**{"compression": {}, **changes}).model_dump(mode="json", exclude_none=True)
    if "compression" not in changes:
        del body["compression"]
    return DistillationJob.model_validate(body | {"export": export or []})


def test_memory_follows_the_batch() -> None:
    kept = []
    for batch in (64, 256):
        training = Training(epochs=1, batch_size=batch)
        stage = Stage("s", "s", "student", Mlp(kind="mlp", hidden=[32]), training, 0, "s", "", "")
        few = replace(DIGITS, learned=torch.arange(10))
        kept.append(rehearse(stage, Lesson(torch.arange(10), 1000, DIGITS.train.y), few, DIGITS).kept)
    small, large = kept
    assert small >= 64 * 4 * (64 + 32)  # inputs and one hidden layer at least
    assert large == pytest.approx(4 * small, rel=0.05)


def test_patience_may_end_a_training_early(job: Make, house: Make) -> None:
    found = looked(job(training={"epochs": 400, "patience": 3}), house())
    assert found.time.students.low < found.time.students.expected / 20


def test_what_is_odd_in_data_is_counted() -> None:
    train = replace(DIGITS.train, raw=DIGITS.train.raw.index_copy(0, torch.tensor([0]), DIGITS.test.raw[:1]))
    found = check_data(replace(DIGITS, train=train))
    assert found.duplicates_in_test == 1
    assert found.constant_features == int((train.raw.flatten(1).std(0) == 0).sum())
    assert sum(found.labels.values()) == found.labelled_rows == len(DIGITS.train.y)
