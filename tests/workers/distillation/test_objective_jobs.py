"""Every objective trains a student and ends in a report."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load as load_tensors
from torch import Tensor

from tests.testing.refusals import problem_of
from workers.distillation.data.dataset import load
from workers.distillation.jobs import distil_job
from workers.distillation.objectives import DISTANCES, LOSSES
from workers.distillation.objectives.terms import Target
from workers.distillation.teachers import Teacher, features
from workers.distillation.training.plan import student_stages
from workers.run import Stopped

pytestmark = pytest.mark.training

Make = Callable[..., Any]

SHORT = {"epochs": 2, "batch_size": 16}


@pytest.mark.parametrize("kind", [*LOSSES, *(kind for kind in DISTANCES if kind != "at")])
def test_a_short_job_ends_in_a_report(job: Make, house: Make, kind: str) -> None:
    told = house()
    result = distil_job(job(objective={"kind": kind}, training=SHORT), told)
    report = json.loads(told.published["report.json"])
    assert report["verdict"] == result["verdict"]
    assert report["job"]["objective"]["kind"] == kind
    assert report["soft_gradient_norm"] > 0
    assert any("calibration at T=1" in note for note in report["warnings"]) == (kind == "logit_std")


def test_attention_is_transferred_between_images_and_nothing_of_it_is_exported(
    job: Make, house: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    whole = features.features_of_rows

    def counted(network: Any, x: Tensor, names: frozenset[str]) -> dict[str, Tensor]:
        asked.append((len(x), sorted(names)))
        return whole(network, x, names)

    monkeypatch.setattr(features, "features_of_rows", counted)
    terms = [{"objective": {}}, {"objective": {"kind": "at", "hard_weight": 0}}, {"objective": {"kind": "fitnet"}}]
    spec = job(
        dataset={"source": "builtin", "name": "digits", "labelled": 50},
        teacher={"source": "train", "architecture": {"kind": "resnet", "depth": 8, "width": 4}},
        student={"architecture": {"kind": "vit", "patch": 4, "width": 8, "depth": 1, "heads": 2}},
        objective={"kind": "sum", "terms": terms},
        training={"epochs": 2, "batch_size": 256},
    )
    told = house()
    distil_job(spec, told)
    rows = len(load(spec.dataset, {}).train.y)
    assert [one for one in asked if one[0] > 1] == [(rows, ["pool", "stages.2"])], "all rows, once for all seeds"
    report = json.loads(told.published["report.json"])
    assert report["soft_gradient_norm"] > 0
    student = load_tensors(told.published["student-seed-0.safetensors"])
    assert set(student) == set(student_stages(spec)[0][0].begin(load(spec.dataset, {})).state_dict())


def test_features_are_refused_where_the_teacher_has_none_or_they_are_too_large(
    job: Make, house: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = job(objective={"kind": "sp"})
    data = load(spec.dataset, {})
    student = student_stages(spec)[0][0].begin(data)
    mute = Teacher(lambda rows: torch.zeros(len(rows.y), 3), "mute")
    refused = problem_of(features.wanted_features, spec.objective, student, mute, data)
    assert (refused.code, refused.pointer) == ("features_unavailable", "/objective/kind")
    monkeypatch.setattr(features, "MAX_BYTES", 1000)
    refused = problem_of(distil_job, spec, house())
    assert (refused.code, refused.pointer) == ("features_too_large", "/objective/layers")


def test_dkd_is_refused_for_uploaded_data_of_two_classes_before_anything_is_trained(
    job: Make, house: Make, tmp_path: Path
) -> None:
    np.savez(tmp_path / "data.npz", x=np.random.default_rng(0).normal(size=(30, 4)), y=np.arange(30) % 2)
    told = house(files={"file_x": tmp_path / "data.npz"})
    refused = problem_of(distil_job, job(dataset={"source": "file", "file": "file_x"}, objective={"kind": "dkd"}), told)
    assert (refused.code, refused.pointer) == ("too_few_classes", "/objective/kind")
    assert refused.ways_out == [{"kind": "kd"}]
    assert told.progressed == []


def test_a_warm_up_goes_on_where_a_stopped_job_left_it(job: Make, house: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = job(objective={"kind": "dkd", "warm_up": 3}, training=SHORT | {"epochs": 4}, evaluation={"seeds": 1})
    epochs: list[int] = []

    def watched(labels: Tensor, epoch: int, *rest: Any) -> Target:
        epochs.append(epoch)
        return Target(labels, epoch, *rest)

    monkeypatch.setattr("workers.distillation.training.learner.Target", watched)
    result = distil_job(spec, house())
    assert list(dict.fromkeys(epochs)) == [1, 2, 3, 4]
    asked = iter(range(40))
    stopped = house(stop=lambda: next(asked, None) is None)
    with pytest.raises(Stopped):
        distil_job(spec, stopped)
    assert distil_job(spec, house(resume=stopped.saved))["student_sha256"] == result["student_sha256"]
