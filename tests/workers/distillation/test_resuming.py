"""Every way to train, to compare and to augment resumes bit for bit."""

from typing import Any

import pytest

from tests.workers.distillation.learners import DIGITS, Make, hashes, resumed
from workers.distillation.jobs import distil_job

pytestmark = pytest.mark.training

SMALL = {"architecture": {"kind": "mlp", "hidden": [6], "dropout": 0.3}}
CNN = {"architecture": {"kind": "cnn", "channels": [3], "dropout": 0.2}}
RESNET = {"architecture": {"kind": "resnet", "depth": 8, "width": 2}}
WAYS: list[dict[str, Any]] = [
    {"ema": 0.9},
    {"accumulate": 3},
    {"clip_norm": 0.1, "accumulate": 2},
    {"optimizer": "sgd", "momentum": 0.9, "nesterov": True, "schedule": "step", "milestones": [1, 2], "decay": 0.5},
    {"warm_up": 2, "label_smoothing": 0.1, "class_weights": "balanced", "balanced_batches": True},
    {"patience": 1, "learning_rate": 0.3, "epochs": 12},
    {"precision": "bfloat16", "ema": 0.5, "accumulate": 2, "clip_norm": 1.0},
]


@pytest.mark.parametrize("stops", [[1], [8, 1], [5] * 6])
@pytest.mark.parametrize("own", WAYS, ids=lambda own: "-".join(own))
def test_every_way_to_train_resumes_bit_for_bit(job: Make, house: Make, own: dict[str, Any], stops: list[int]) -> None:
    spec = job(student=SMALL, training={"epochs": 3, "batch_size": 16, **own}, evaluation={"seeds": 1})
    resumes_bit_for_bit(spec, house, stops)


OBJECTIVES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"kind": "fitnet"}, SMALL),
    ({"kind": "crd", "width": 8}, SMALL),
    ({"kind": "rkd"}, SMALL),
    (
        {
            "kind": "sum",
            "terms": [{"objective": {}}, {"weight": {"from": 0, "to": 1, "epochs": 2}, "objective": {"kind": "crd"}}],
        },
        SMALL,
    ),
    ({"kind": "kd", "temperature": {"from": 8, "to": 2, "shape": "cosine", "epochs": 3}}, SMALL),
]


@pytest.mark.parametrize(("objective", "student"), OBJECTIVES, ids=lambda given: given.get("kind", ""))
def test_projections_and_ramps_resume_bit_for_bit(
    job: Make, house: Make, objective: dict[str, Any], student: dict[str, Any]
) -> None:
    training = {"epochs": 3, "batch_size": 16, "accumulate": 2}
    resumes_bit_for_bit(
        job(student=student, objective=objective, training=training, evaluation={"seeds": 1}), house, [9, 7]
    )


@pytest.mark.parametrize("consistent", [True, False])
@pytest.mark.parametrize("student", [CNN, RESNET], ids=["cnn", "resnet"])
def test_images_resume_bit_for_bit(job: Make, house: Make, student: dict[str, Any], consistent: bool) -> None:
    how = {"flip": True, "crop": 1, "noise": 0.1, "consistent": consistent}
    spec = job(
        dataset=DIGITS,
        teacher={"source": "train", "architecture": {"kind": "cnn", "channels": [4]}},
        student=student,
        objective={"kind": "sum", "terms": [{"objective": {}}, {"objective": {"kind": "at"}}]},
        training={"epochs": 2, "batch_size": 256, "augmentation": how, "ema": 0.9},
        evaluation={"seeds": 1},
    )
    resumes_bit_for_bit(spec, house, [8, 3])


def resumes_bit_for_bit(spec: Any, house: Make, stops: list[int]) -> None:
    unbroken = house()
    result = distil_job(spec, unbroken)
    last, after = resumed(spec, house, stops)
    assert after["student_sha256"] == result["student_sha256"]
    assert hashes(last) == hashes(unbroken)
