"""Counts as soft labels: frequencies are the answers, and a row says as much as it has shots."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from torch.nn.functional import softmax

from qstill.contract.distillations.job import DistillationJob
from qstill.contract.distillations.teachers import EnsembleTeacher, SoftLabels
from tests.testing.examples import examples
from tests.testing.refusals import problem_of
from tests.workers.distillation.teachers.test_soft_labels import npy, npz
from workers.distillation.data.dataset import Data
from workers.distillation.teachers import Teacher
from workers.distillation.teachers.ask import signal_and_use
from workers.distillation.training.learner import batches
from workers.distillation.training.plan import student_lesson, student_stages

FILE = "file_1"
OUTCOMES = {"x0": "setosa", "01": "versicolor", "11": "virginica"}
COUNTS = np.random.default_rng(0).integers(0, 50, (150, 3)) + np.array([1, 0, 0])
Load = Callable[..., Teacher]


def by_key(counts: Any) -> list[dict[str, int]]:
    return [{"00": int(a) // 2, "1 0": int(a) - int(a) // 2, "01": int(b), "11": int(c)} for a, b, c in counts]


@pytest.fixture
def measured(load_teacher: Load, tmp_path: Path) -> Load:
    def make(content: bytes, data: Data, **given: Any) -> Teacher:
        (tmp_path / "counts").write_bytes(content)
        spec = SoftLabels.model_validate({"source": "soft_labels", "file": FILE, "kind": "counts"} | given)
        return load_teacher(spec, data, tmp_path / "counts")

    return make


@pytest.mark.parametrize(
    ("content", "given"),
    [
        (npy(COUNTS), {}),
        (npz(counts=COUNTS.astype(float)), {}),
        (json.dumps(by_key(COUNTS)).encode(), {"outcomes": OUTCOMES}),
        (json.dumps({"circuits": [{"counts": row} for row in by_key(COUNTS)]}).encode(), {"outcomes": OUTCOMES}),
    ],
)
def test_every_form_says_frequencies_and_weighs_rows_by_shots(
    measured: Load, iris: Data, content: bytes, given: dict[str, Any]
) -> None:
    teacher = measured(content, iris, **given)
    for rows in (iris.train, iris.test):
        wanted = torch.from_numpy(COUNTS)[rows.index].double()
        shares = softmax(teacher.logits(rows).double(), 1)
        torch.testing.assert_close(shares, wanted / wanted.sum(1, keepdim=True), rtol=0, atol=1e-6)
        assert teacher.weights is not None
        assert torch.equal(teacher.weights(rows), wanted.sum(1))
    assert "rows of equal shots" in teacher.notes[-1]


def test_classes_may_have_another_order(measured: Load, iris: Data) -> None:
    turned = measured(npy(COUNTS[:, ::-1]), iris, classes=iris.classes[::-1])
    torch.testing.assert_close(turned.logits(iris.test), measured(npy(COUNTS), iris).logits(iris.test))


def test_the_floor_is_that_of_the_shots(measured: Load, iris: Data) -> None:
    counts = np.full((150, 3), 100)
    counts[0] = [4, 4, 4]
    (note,) = measured(npy(counts), iris).notes
    assert "frequencies of 12 to 300 shots a row" in note
    assert f"{(3 / (2 * np.pi * 12)) ** 0.5:.3f}, {(3 / (2 * np.pi * 300)) ** 0.5:.3f}" in note
    assert "149 rows of equal shots" in note


def test_shots_of_no_class_are_left_out_and_counted(measured: Load, iris: Data) -> None:
    rows = [row | {"01": 0, "11": 0} | {"11": 7} for row in by_key(COUNTS)]
    teacher = measured(json.dumps(rows).encode(), iris, outcomes={"x0": "setosa", "01": "versicolor"})
    assert "1,050 of" in teacher.notes[0]
    assert (softmax(teacher.logits(iris.test), 1)[:, 0] > 0.99).all()


@pytest.mark.parametrize(
    ("content", "given", "code", "pointer"),
    [
        (npy(COUNTS[:, :2]), {}, "soft_labels_mismatch", "/file"),
        (npy(COUNTS + 0.5), {}, "soft_labels_invalid", "/file"),
        (npy(COUNTS - 60), {}, "soft_labels_invalid", "/file"),
        (npy(COUNTS * 0), {}, "soft_labels_invalid", "/file"),
        (npz(indices=COUNTS, values=COUNTS), {}, "soft_labels_invalid", "/file"),
        (b"not json", {"outcomes": OUTCOMES}, "soft_labels_invalid", "/file"),
        (b'[{"00": 0.5}]', {"outcomes": OUTCOMES}, "soft_labels_invalid", "/file"),
        (b'[{"00": -1}]', {"outcomes": OUTCOMES}, "soft_labels_invalid", "/file"),
        (b'[{"000": 1}]', {"outcomes": OUTCOMES}, "keys_differ", "/outcomes"),
        (b'[{"00": 1}]', {"outcomes": OUTCOMES}, "soft_labels_mismatch", "/file"),
        (b'[{"00": 1}]', {}, "outcomes_missing", "/outcomes"),
        (b'[{"00": 1}]', {"outcomes": {"00": "rose"}}, "class_mismatch", "/outcomes/00"),
    ],
)
def test_what_are_no_counts_is_refused(
    measured: Load, iris: Data, content: bytes, given: dict[str, Any], code: str, pointer: str
) -> None:
    refused = problem_of(measured, content, iris, **given)
    assert (refused.code, (refused.pointer or "").removeprefix("/teacher")) == (code, pointer)


@pytest.mark.parametrize("changes", [{"kind": "logits", "outcomes": OUTCOMES}, {"outcomes": {"0": "a", "11": "b"}}])
def test_outcomes_are_of_counts_and_of_one_length(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        SoftLabels.model_validate({"source": "soft_labels", "file": FILE, "kind": "counts"} | changes)


def job(**teacher: Any) -> DistillationJob:
    body = {
        "dataset": {"source": "builtin", "name": "iris"},
        "teacher": {"source": "soft_labels", "file": FILE, "kind": "counts"} | teacher,
        "student": {"architecture": {"kind": "mlp", "hidden": [4]}},
        "training": {"batch_size": 10},
    }
    return DistillationJob.model_validate(body)


def test_an_average_forgets_shots_and_is_refused() -> None:
    member = {"source": "soft_labels", "file": FILE, "kind": "counts"}
    with pytest.raises(ValidationError) as refused:
        EnsembleTeacher.model_validate({"source": "ensemble", "members": [member, member]})
    assert "not_in_an_ensemble" in {error["type"] for error in refused.value.errors()}


@settings(max_examples=examples(5), deadline=None)
@given(st.integers(0, 100))
def test_rows_come_into_batches_by_their_shots(iris: Data, seed: int) -> None:
    shots = torch.full((150,), 16.0, dtype=torch.float64)
    shots[: len(shots) // 2] = 4_096
    teacher = Teacher(
        lambda rows: torch.zeros(len(rows.y), 3), "0", weights=lambda rows: shots[rows.index], lasting=False
    )
    asked = job().model_copy(update={"training": job().training.model_copy(update={"seed": seed})})
    signal, _ = signal_and_use(teacher, iris, asked.signal, None)
    lesson = student_lesson(asked, iris, signal)
    stage = student_stages(asked)[0][0]
    drawn = torch.cat([torch.cat(batches(stage, lesson, epoch)) for epoch in range(20)])
    sure = shots[iris.train.index][drawn] > 16
    share = (shots[iris.train.index] > 16).double().mean()
    expected = float(share * 4_096 / (share * 4_096 + (1 - share) * 16))
    assert abs(float(sure.double().mean()) - expected) < 0.02
    assert len(drawn) == 20 * len(iris.train.y)
