"""Training is reproducible, fair to the baseline, blind to the test rows, and may stop anywhere."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from qstill.contract.distillations.job import DistillationJob
from tests.testing.refusals import problem_of
from tests.workers.distillation.learners import hashes, resumed
from workers.distillation.data.dataset import Data, load
from workers.distillation.jobs import distil_job
from workers.distillation.rows import Rows
from workers.distillation.signals.signals import Signal
from workers.distillation.training import keeper
from workers.distillation.training.keeper import CURVE_POINTS, Keeper, Outcome, Point, thinned
from workers.distillation.training.learner import Learner, batches
from workers.distillation.training.plan import (
    baseline_lesson,
    student_lesson,
    student_stages,
    teacher_lesson,
    teacher_stage,
)
from workers.distillation.training.train import train
from workers.run import Stopped

pytestmark = pytest.mark.training

Make = Callable[..., Any]


SMALL_WITH_DROPOUT = {
    "student": {"architecture": {"kind": "mlp", "hidden": [6], "dropout": 0.3}},
    "training": {"epochs": 3, "batch_size": 16, "checkpoint_every": 2},
}


@pytest.mark.parametrize(("optimizer", "schedule"), [("adam", "cosine"), ("adamw", "constant"), ("sgd", "cosine")])
@pytest.mark.parametrize("stops", [[1], [7], [15, 1, 4], [20, 26, 13], [3] * 12])
def test_a_job_that_was_stopped_ends_bit_for_bit_as_an_unbroken_one(
    job: Make, house: Make, stops: list[int], optimizer: str, schedule: str
) -> None:
    own = {"optimizer": optimizer, "schedule": schedule, "weight_decay": 0.01} | (
        {"momentum": 0.9} if optimizer == "sgd" else {}
    )
    spec = job(**SMALL_WITH_DROPOUT | {"training": SMALL_WITH_DROPOUT["training"] | own})
    unbroken = house()
    result = distil_job(spec, unbroken)
    last, result_after_stops = resumed(spec, house, stops)
    assert hashes(last) == hashes(unbroken)
    curves = [json.loads(told.published["report.json"])["curves"] for told in (last, unbroken)]
    assert curves[0] == curves[1]
    timeless = {"seconds": 0}
    assert result_after_stops | timeless == result | timeless


def test_a_cnn_resumes_bit_for_bit(job: Make, house: Make) -> None:
    spec = job(
        dataset={"source": "builtin", "name": "digits", "labelled": 50},
        student={"architecture": {"kind": "cnn", "channels": [4, 4], "dropout": 0.2}},
        training={"epochs": 2, "batch_size": 256},
        evaluation={"seeds": 1},
    )
    unbroken = house()
    distil_job(spec, unbroken)
    last, _ = resumed(spec, house, [11, 2])
    assert hashes(last) == hashes(unbroken)


def test_the_same_body_gives_the_same_bytes_and_another_seed_others(job: Make, house: Make) -> None:
    houses = [house() for _ in range(3)]
    for one, seed in zip(houses, (0, 0, 5), strict=True):
        distil_job(job(training={"seed": seed}), one)
    first, second, other = (hashes(one) for one in houses)
    assert first == second
    assert first["teacher.safetensors"] != other["teacher.safetensors"]


def test_the_state_of_another_job_is_left_unused(job: Make, house: Make) -> None:
    stopped = house(stop=lambda: True)
    with pytest.raises(Stopped):
        distil_job(job(), stopped)
    other, fresh = house(resume=stopped.saved), house()
    distil_job(job(training={"seed": 9}), other)
    distil_job(job(training={"seed": 9}), fresh)
    assert hashes(other) == hashes(fresh)


def test_student_and_baseline_start_equal_and_take_as_many_steps(job: Make) -> None:
    spec = job()
    data = load(spec.dataset, {})
    signal = Signal(torch.zeros(len(data.train.y), 3), "teacher")
    for student, baseline in student_stages(spec):
        first, second = (
            Learner(student, student_lesson(spec, data, signal), data),
            Learner(baseline, baseline_lesson(data), data),
        )
        assert first.steps_per_epoch == second.steps_per_epoch
        for one, other in zip(first.network.parameters(), second.network.parameters(), strict=True):
            assert torch.equal(one, other)
        rows = [torch.cat(batches(s, lesson, 0)) for s, lesson in ((student, first.lesson), (baseline, second.lesson))]
        assert len(rows[0]) == len(rows[1])
        assert sorted(rows[0].tolist()) == list(range(len(data.train.y)))
        assert bool((data.seen[rows[1]] >= 0).all()), "the baseline is shown labelled rows only"


def test_the_teacher_sees_every_label_of_the_training_split_and_no_other(job: Make) -> None:
    data = load(job().dataset, {})
    lesson = teacher_lesson(data, job().teacher)
    assert len(lesson.positions) == len(data.train.y)
    assert torch.equal(lesson.labels, data.train.y)


def test_a_teacher_for_self_distillation_sees_what_the_student_sees(job: Make, house: Make) -> None:
    own = {"source": "train", "architecture": {"kind": "mlp", "hidden": [4]}, "labels": "seen"}
    spec = job(teacher=own, training={"epochs": 30, "learning_rate": 0.05})
    data = load(spec.dataset, {})
    lesson = teacher_lesson(data, spec.teacher)
    assert torch.equal(lesson.labels, data.seen)
    assert len(lesson.positions) == 9
    told = house()
    assert distil_job(spec, told)["student"]["mean"] > 0.6
    notes = json.loads(told.published["report.json"])["notes"]
    assert any("on the 9 labels that the student saw" in note for note in notes)


def outcome(spec: Any, data: Data, house: Make) -> Outcome:
    return train(teacher_stage(spec, spec.teacher), teacher_lesson(data, spec.teacher), data, Keeper(spec, house()))


def test_the_best_epoch_comes_from_validation_rows_and_never_from_test_rows(job: Make, house: Make) -> None:
    spec = job(training={"epochs": 12, "learning_rate": 0.05})
    data = load(spec.dataset, {})
    spoiled = Rows(*(torch.full_like(part, -1) for part in (data.test.raw, data.test.x, data.test.y, data.test.index)))
    chosen = outcome(spec, data, house)
    blind = outcome(spec, replace(data, test=spoiled), house)
    assert chosen.epoch == blind.epoch
    assert all(torch.equal(chosen.weights[name], blind.weights[name]) for name in chosen.weights)
    wrong = replace(data.validation, y=(data.validation.y + 1) % 3)
    misled = outcome(spec, replace(data, validation=wrong), house)
    assert misled.validation_score < chosen.validation_score
    assert misled.epoch != chosen.epoch


def test_the_student_is_in_train_mode_at_every_step(job: Make, house: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    modes = []
    learn = Learner.learn

    def watched(self: Learner, positions: torch.Tensor) -> None:
        modes.append(self.network.training and all(layer.training for layer in self.network.modules()))
        learn(self, positions)

    monkeypatch.setattr(Learner, "learn", watched)
    distil_job(job(), house())
    assert len(modes) > 20
    assert all(modes)


def test_a_teacher_is_asked_for_its_signal_once(job: Make, house: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    once = nn.Module.__call__

    def watched(self: nn.Module, *given: Any) -> Any:
        if not torch.is_grad_enabled() and getattr(self, "head", None) is not None and self.head.in_features == 33:
            asked.append(len(given[0]))
        return once(self, *given)

    monkeypatch.setattr(nn.Module, "__call__", watched)
    spec = job(teacher={"source": "train", "architecture": {"kind": "mlp", "hidden": [33]}})
    distil_job(spec, house())
    train_rows = len(load(spec.dataset, {}).train.y)
    assert asked.count(train_rows) == 1


def test_training_that_diverges_says_so(job: Make, house: Make) -> None:
    own = {"optimizer": "sgd", "learning_rate": 10.0, "momentum": 0.99, "epochs": 60, "weight_decay": 1.0}
    diverged = problem_of(distil_job, job(training=own), house())
    assert (diverged.code, diverged.pointer) == ("training_diverged", "/training/learning_rate")


@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_both_ends_of_alpha_train(job: Make, house: Make, alpha: float) -> None:
    result = distil_job(job(objective={"alpha": alpha}, training={"epochs": 20, "learning_rate": 0.05}), house())
    assert result["student"]["mean"] > 0.5


def test_progress_and_events_tell_the_stages(job: Make, house: Make) -> None:
    told = house()
    distil_job(job(training={"checkpoint_every": 2}), told)
    phases = list(dict.fromkeys(step["phase"] for step in told.progressed))
    assert phases == [
        *("teacher", "student seed 1/2", "baseline seed 1/2", "student seed 2/2", "baseline seed 2/2"),
        "evaluation",
    ]
    assert [data["state"] for kind, data in told.events if kind == "stage"] == ["began", "ended"] * 5
    last_epochs = {data["stage"]: data["epoch"] for kind, data in told.events if kind == "epoch"}
    assert set(last_epochs.values()) == {4}
    assert sorted(told.published) == sorted(
        [
            *("report.json", "split.json", "teacher.safetensors"),
            *(f"{role}-seed-{seed}.safetensors" for role in ("student", "baseline") for seed in (0, 1)),
            *(f"student-seed-{seed}-epoch-{epoch}.safetensors" for seed in (0, 1) for epoch in (2, 4)),
        ]
    )
    assert told.metas["student-seed-1-epoch-2.safetensors"]["epoch"] == 2


def test_files_teach_as_well(job: Make, house: Make, tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    y = np.arange(120) % 3
    x = draw.normal(size=(120, 6, 6)) + y[:, None, None]
    np.savez(tmp_path / "data.npz", x=x, y=y)
    np.save(tmp_path / "soft.npy", np.eye(3)[y] * 0.9 + 0.1 / 3)
    files = {"file_x": tmp_path / "data.npz", "file_t": tmp_path / "soft.npy"}
    spec = job(
        dataset={"source": "file", "file": "file_x", "labelled": 9},
        teacher={"source": "soft_labels", "file": "file_t", "kind": "probabilities"},
        student={"architecture": {"kind": "cnn", "channels": [3]}},
    )
    told = house(files=files)
    result = distil_job(spec, told)
    assert result["teacher"]["mean"] == 1.0
    assert "teacher.safetensors" not in told.published


def test_a_cnn_for_an_uploaded_table_is_refused_before_the_teacher_is_trained(
    job: Make, house: Make, tmp_path: Path
) -> None:
    np.savez(tmp_path / "data.npz", x=np.random.default_rng(0).normal(size=(30, 4)), y=np.arange(30) % 2)
    spec = job(dataset={"source": "file", "file": "file_x"}, student={"architecture": {"kind": "cnn", "channels": [3]}})
    told = house(files={"file_x": tmp_path / "data.npz"})
    refused = problem_of(distil_job, spec, told)
    assert (refused.code, refused.pointer) == ("architecture_mismatch", "/student/architecture/kind")
    assert told.progressed == []


def test_a_teacher_adds_fifteen_points_to_fifty_labels_of_digits(house: Make) -> None:
    """Over four splits, because the draw of the fifty alone moves the gain by some points either way."""
    body = DistillationJob.model_json_schema()["examples"][0]
    results = []
    for split_seed in range(4):
        spec = body | {"dataset": body["dataset"] | {"split_seed": split_seed}, "evaluation": {"seeds": 2}}
        results.append(distil_job(DistillationJob.model_validate(spec), house()))
    assert np.mean([result["student"]["mean"] for result in results]) >= 0.94
    assert np.mean([result["gain"]["points"] for result in results]) >= 15


def test_a_killed_worker_resumes_bit_for_bit_from_the_last_state_it_saved(
    job: Make, house: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(keeper, "SECONDS_BETWEEN_SAVES", 0)
    spec, unbroken = job(**SMALL_WITH_DROPOUT), house()
    copies: list[Path] = []

    def keep(saved: Path) -> None:
        copies.append(tmp_path / f"state-{len(copies)}.pt")
        shutil.copy(saved, copies[-1])

    unbroken.save = keep
    result = distil_job(spec, unbroken)
    assert len(copies) > 50
    monkeypatch.undo()
    for copy in copies[::9]:
        resumed_once = house(resume=copy)
        assert distil_job(spec, resumed_once)["student_sha256"] == result["student_sha256"]
        assert hashes(resumed_once).items() <= hashes(unbroken).items()


@pytest.mark.parametrize("epochs", [1, 199, 200, 201, 399, 1000, 9999])
def test_a_curve_is_bounded_and_ends_with_the_last_epoch(epochs: int) -> None:
    kept = thinned([Point(epoch, 0.5, 0.5) for epoch in range(1, epochs + 1)])
    assert len(kept) <= CURVE_POINTS + 1
    assert kept[0].epoch == 1
    assert kept[-1].epoch == epochs
    assert len({after.epoch - before.epoch for before, after in pairwise(kept[:-1])}) <= 1
    assert len(kept) == epochs or len(kept) > CURVE_POINTS / 2
