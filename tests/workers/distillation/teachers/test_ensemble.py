"""An ensemble is the mean that its formula says, and nothing where it has one member."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch.testing import assert_close

from qstill.contract.distillations.architectures.mlp import Mlp
from qstill.contract.distillations.job import DistillationJob
from qstill.contract.distillations.teachers import EnsembleTeacher
from tests.testing.examples import examples
from tests.testing.refusals import errors_of, problem_of
from workers.distillation.artifacts.clock import Latency
from workers.distillation.data.dataset import Data
from workers.distillation.jobs import distil_job
from workers.distillation.networks.families import build
from workers.distillation.quality import Size
from workers.distillation.report import measure
from workers.distillation.report.measure import teacher_cost
from workers.distillation.teachers import Teacher, ensemble, trained
from workers.distillation.teachers.ensemble import average

Make = Callable[..., Any]

MLP = {"kind": "mlp", "hidden": [8]}

seeds = st.integers(0, 2**31)
sizes = st.tuples(st.integers(1, 5), st.integers(2, 8))


def logits(seed: int, members: int, rows: int, classes: int) -> NDArray[np.float64]:
    return np.random.default_rng(seed).normal(scale=5, size=(members, rows, classes))


def softmax(values: NDArray[np.float64]) -> NDArray[np.float64]:
    e = np.exp(values - values.max(-1, keepdims=True))
    return np.asarray(e / e.sum(-1, keepdims=True))


@given(seeds, sizes, st.booleans())
@settings(max_examples=examples(40))
def test_an_ensemble_of_one_is_itself(seed: int, size: tuple[int, int], geometric: bool) -> None:
    (alone,) = torch.from_numpy(logits(seed, 1, *size)).float()
    together = average([alone], torch.ones(1, dtype=torch.float64), geometric=geometric)
    assert_close(torch.softmax(together, 1), torch.softmax(alone, 1))
    thrice = average([alone] * 3, torch.tensor([0.2, 0.5, 0.3], dtype=torch.float64), geometric=geometric)
    assert_close(torch.softmax(thrice, 1), torch.softmax(alone, 1))


@given(seeds, sizes, st.lists(st.floats(0.01, 100), min_size=2, max_size=5), st.booleans())
@settings(max_examples=examples(60))
def test_the_mean_is_the_formula(seed: int, size: tuple[int, int], weights: list[float], geometric: bool) -> None:
    answers = logits(seed, len(weights), *size)
    w = np.array(weights) / sum(weights)
    p = softmax(answers)
    mean = np.prod(p ** w[:, None, None], axis=0) if geometric else (w[:, None, None] * p).sum(0)
    expected = mean / mean.sum(1, keepdims=True)
    ours = average([torch.from_numpy(a) for a in answers], torch.from_numpy(w), geometric=geometric)
    assert_close(torch.softmax(ours, 1), torch.from_numpy(expected).float(), atol=1e-6, rtol=1e-4)


@given(seeds, sizes, st.booleans())
@settings(max_examples=examples(40))
def test_a_member_may_shift_its_logits_and_members_may_change_places(
    seed: int, size: tuple[int, int], geometric: bool
) -> None:
    first, second = torch.from_numpy(logits(seed, 2, *size))
    half = torch.tensor([0.5, 0.5], dtype=torch.float64)
    plain = average([first, second], half, geometric=geometric)
    assert_close(average([second + 7, first - 30], half, geometric=geometric), plain, atol=1e-5, rtol=1e-5)


def test_a_sure_member_does_not_overflow() -> None:
    sure = torch.tensor([[1e4, 0.0, -1e4]])
    for geometric in (False, True):
        logs = average([sure, -sure], torch.tensor([0.5, 0.5], dtype=torch.float64), geometric=geometric)
        assert bool(logs.isfinite().all())


TRAIN = {"source": "train", "architecture": {"kind": "mlp", "hidden": [8]}}


def test_members_are_trained_from_different_seeds_and_kept_apart(job: Make, house: Make) -> None:
    told = house()
    distil_job(job(teacher={"source": "ensemble", "members": [TRAIN, TRAIN], "weights": [2.0, 1.0]}), told)
    first, second = (told.published[f"teacher-{number}.safetensors"] for number in (0, 1))
    assert first != second
    assert [told.metas[f"teacher-{number}.safetensors"]["seed"] for number in (0, 1)] == [0, 1]


def test_a_member_that_cannot_teach_is_refused_by_its_place_before_another_is_trained(job: Make, house: Make) -> None:
    told = house()
    lost = {"source": "file", "file": "file_1", "architecture": {"kind": "mlp", "hidden": []}}
    refused = problem_of(distil_job, job(teacher={"source": "ensemble", "members": [TRAIN, lost]}), told)
    assert refused.pointer == "/teacher/members/1/file"
    assert told.events == []


@pytest.mark.parametrize(
    ("teacher", "place"),
    [
        ({"members": [TRAIN]}, ("members",)),
        ({"members": [TRAIN] * 17}, ("members",)),
        ({"members": [TRAIN] * 2, "weights": [1.0]}, ("weights",)),
        ({"members": [TRAIN] * 2, "weights": [1.0, 0.0]}, ("weights", 1)),
        ({"members": [TRAIN, {"source": "ensemble", "members": [TRAIN] * 2}]}, ("members", 1)),
        ({"members": [TRAIN, {"source": "train", "architecture": {"kind": "cnn", "channels": [2]}}]}, None),
    ],
)
def test_an_ensemble_that_cannot_work_is_refused_at_the_door(
    job: Make, teacher: dict[str, Any], place: tuple[str | int, ...] | None
) -> None:
    (error,) = errors_of(job, teacher={"source": "ensemble"} | teacher)
    expected = ("teacher", "ensemble", *place) if place else ("teacher", "members", 1, "architecture", "kind")
    assert error["loc"][: len(expected)] == expected


def test_a_job_reads_back_as_it_was(job: Make) -> None:
    made = job(teacher={"source": "ensemble", "members": [TRAIN, TRAIN], "average": "geometric"})
    assert DistillationJob.model_validate_json(made.model_dump_json(exclude_none=True)) == made


def test_an_ensemble_costs_what_its_members_cost(iris: Data, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "latency", lambda *_: Latency(2.0, 3.0, 300))

    def member(seed: int) -> Teacher:
        return trained(build(Mlp(kind="mlp", hidden=[8]), (4,), 3, seed=seed, pointer=""), b"0" * (100 + seed))

    spec = EnsembleTeacher.model_validate(
        {"source": "ensemble", "members": [{"source": "train", "architecture": MLP}] * 2}
    )
    cost = teacher_cost(ensemble(spec, iris, [member(0), member(1)]), iris)
    assert cost is not None
    assert cost.size == Size(2 * (4 * 8 + 8 + 8 * 3 + 3), 201, 2 * (4 * 8 + 8 * 3))
    assert cost.latency == Latency(4.0, 6.0, 300)
    answers = Teacher(lambda rows: torch.zeros(len(rows.y), 3), "0")
    assert teacher_cost(ensemble(spec, iris, [member(0), answers]), iris) is None
