"""What a family of networks does not do is refused at the door, and the engine room knows every family that it does."""

from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from qstill.contract.distillations import architectures
from qstill.contract.distillations.job import DistillationJob
from tests.testing.refusals import errors_of
from workers.distillation.networks import families

JOB: dict[str, Any] = {
    "dataset": {"source": "builtin", "name": "digits", "leave_out": ["3"]},
    "teacher": {"source": "train", "architecture": {"kind": "cnn", "channels": [3]}},
    "student": {"architecture": {"kind": "mlp", "hidden": [4]}},
}


@pytest.mark.parametrize(
    ("cannot", "asked", "place"),
    [
        ({"half_precision": False}, {"training": {"precision": "bfloat16"}}, ("training", "precision")),
        ({"head_bias": False}, {"training": {"bias_correction": True}}, ("training", "bias_correction")),
        ({"compresses": False}, {"compression": {}}, ("student", "architecture", "kind")),
        ({"exports": ("onnx",)}, {"export": ["onnx", "onnx_int8"]}, ("export", 1)),
        ({"why_no_onnx": lambda _: ("too_large", "of its size")}, {"export": ["onnx"]}, ("export", 0)),
    ],
)
def test_what_a_family_does_not_do_is_refused(
    monkeypatch: pytest.MonkeyPatch, cannot: dict[str, Any], asked: dict[str, Any], place: tuple[str | int, ...]
) -> None:
    DistillationJob.model_validate(JOB | asked)
    monkeypatch.setitem(architectures.BY_KIND, "mlp", replace(architectures.BY_KIND["mlp"], **cannot))
    assert errors_of(DistillationJob.model_validate, JOB | asked)[0]["loc"] == place


def test_a_teacher_trained_as_its_student_is_refused_where_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(architectures.BY_KIND, "cnn", replace(architectures.BY_KIND["cnn"], half_precision=False))
    own: dict[str, dict[str, Any]] = {name: {"training": {"precision": name}} for name in ("float32", "bfloat16")}
    with pytest.raises(ValidationError, match="a cnn is computed in float32 alone"):
        DistillationJob.model_validate(JOB | own["bfloat16"])
    DistillationJob.model_validate(JOB | own["bfloat16"] | {"teacher": JOB["teacher"] | own["float32"]})


def test_door_and_engine_room_know_the_same_families() -> None:
    assert [family.definition for family in families.FAMILIES] == [
        family.definition for family in architectures.FAMILIES
    ]
    assert len(architectures.BY_KIND) == len(architectures.FAMILIES)
