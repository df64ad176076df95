"""A batch that several processes share is the batch of one: its loss, its gradients, and what a job makes of them."""

import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from torch.testing import assert_close

from qstill.contract.distillations.job import DistillationJob
from qstill.contract.distillations.training import Training
from qstill.contract.errors import Problem
from qstill.contract.kinds import Engine
from workers.children import Child
from workers.distillation.data.dataset import Data, load
from workers.distillation.data.texts import load_text
from workers.distillation.signals.signals import Signal
from workers.distillation.training import team
from workers.distillation.training.keeper import Keeper
from workers.distillation.training.learner import Learner, refuse_unfit
from workers.distillation.training.plan import Lesson, Stage, baseline_lesson, student_lesson, student_stages
from workers.distillation.training.team import shares, team_of
from workers.distillation.training.train import train
from workers.run import Stopped

pytestmark = pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="two processes need two processors")

Make = Callable[..., Any]
DIGITS = {"source": "builtin", "name": "digits", "labelled": 60, "standardise": "channel"}
CNN = {"architecture": {"kind": "cnn", "channels": [3, 4]}}
MLP = {"architecture": {"kind": "mlp", "hidden": [6]}}
SPEAK: dict[str, Any] = {
    "dataset": {
        "source": "text_file",
        "file": "file_1",
        "task": "language_modelling",
        "tokenizer": {"kind": "character", "vocabulary": 40},
        "max_length": 16,
    },
    "student": {"architecture": {"kind": "decoder", "width": 8, "depth": 1, "heads": 2, "dropout": 0.0}},
}


@pytest.fixture(scope="module", autouse=True)
def _helpers_end() -> Iterator[None]:
    """All tests share the helpers that the first one starts."""
    yield
    team.dismiss()


def stage_of(spec: DistillationJob, processes: int = 2) -> Stage:
    stage = student_stages(spec)[0][0]
    return replace(stage, training=stage.training.model_copy(update={"processes": processes}))


def answers(data: Data, architecture: Stage) -> Signal:
    """What a teacher of the student's build would say, with its features."""
    network = replace(architecture, seed=99).begin(data).eval()
    with torch.no_grad():
        logits, features = network.with_features(data.train.x)
    return Signal(3 * logits, "another student", features)


def learned(
    stage: Stage, lesson: Lesson, data: Data, house: Make, batches: list[list[int]]
) -> tuple[float, list[torch.Tensor | None], dict[str, torch.Tensor]]:
    """The sum of the losses, the gradients that are left, and the weights."""
    learner = Learner(stage, lesson, data)
    layers = learner.criterion.layers if learner.criterion else frozenset[str]()
    with team_of(stage, learner.network, layers, data, house()) as learner.team:
        for positions in batches:
            learner.learn(torch.tensor(positions))
        assert (learner.team is None) == (stage.training.processes == 1)
    return learner.loss_sum, [each.grad for each in learner.trained], learner.weights(copied=True)


def agree(
    stage: Stage, lesson: Lesson, data: Data, house: Make, batches: list[list[int]], *, besides: str = "nothing"
) -> None:
    """besides: what of the network's state may differ."""
    alone = replace(stage, training=stage.training.model_copy(update={"processes": 1}))
    together, one = (learned(each, lesson, data, house, batches) for each in (stage, alone))
    for name in [name for name in one[2] if name.endswith(besides)]:
        del together[2][name], one[2][name]
    assert_close(together, one, rtol=2e-4, atol=2e-6)


RAGGED = [[5, 3, 17, 8, 40], [1, 2, 9], [33]]  # the last leaves the helper without a row
OBJECTIVES: list[dict[str, Any]] = [
    {"kind": "kd"},
    {"kind": "dkd"},
    {"kind": "dist"},
    {"kind": "logit_mse"},
    {"kind": "rkd"},
    {"kind": "sp"},
    {"kind": "pkt"},
    {"kind": "crd", "width": 8},
    {"kind": "fitnet"},
    {"kind": "at"},
]


@pytest.mark.parametrize("objective", OBJECTIVES, ids=lambda objective: objective["kind"])
def test_losses_and_steps_are_those_of_one_process(job: Make, house: Make, objective: dict[str, Any]) -> None:
    plain = {"optimizer": "sgd", "learning_rate": 0.01}  # Adam would divide the rounding by itself
    spec = job(dataset=DIGITS, teacher={"source": "train"} | CNN, student=CNN, objective=objective, training=plain)
    data, stage = load(spec.dataset, {}), stage_of(spec)
    agree(stage, student_lesson(spec, data, answers(data, stage)), data, house, RAGGED)


WAYS: list[dict[str, Any]] = [
    {"accumulate": 4},  # what is left of three batches are gradients
    {"class_weights": "balanced", "label_smoothing": 0.1},
    {"clip_norm": 0.05, "ema": 0.9},
    {"precision": "bfloat16"},
]


@pytest.mark.parametrize("own", WAYS, ids=lambda own: "-".join(own))
@pytest.mark.parametrize("taught", [True, False])
def test_ways_to_train_are_those_of_one_process(job: Make, house: Make, own: dict[str, Any], taught: bool) -> None:
    spec = job(dataset=DIGITS, student=MLP, training={"optimizer": "sgd", "learning_rate": 0.01} | own)
    data, stage = load(spec.dataset, {}), stage_of(spec)
    lesson = student_lesson(spec, data, answers(data, stage)) if taught else baseline_lesson(data)
    agree(stage, lesson, data, house, RAGGED)


def test_a_language_model_answers_for_tokens_and_is_deaf_to_padding(job: Make, house: Make, tmp_path: Path) -> None:
    path = tmp_path / "texts.jsonl"
    path.write_text("\n".join(json.dumps({"text": "ab cd " * (i % 7 + 1)}) for i in range(60)))
    hidden = {"kind": "fitnet", "layers": {"last": "last"}, "hard_weight": 1, "weight": 1}
    teacher = {"source": "train"} | SPEAK["student"]
    spec = job(**SPEAK, teacher=teacher, objective=hidden, training={"optimizer": "sgd", "learning_rate": 0.01})
    data, stage = load_text(spec.dataset, {"file_1": path}), stage_of(spec)
    agree(stage, student_lesson(spec, data, answers(data, stage)), data, house, [[len(data.train.x) - 1, 0, 3], [2, 1]])


def test_batch_normalisation_is_that_of_each_processs_rows(job: Make, house: Make) -> None:
    """Both processes have the same rows here, and so the whole batch's mean and variance.

    What is kept for later is the variance by n - 1, and a process has half the n.
    """
    network = {"architecture": {"kind": "resnet", "depth": 8, "width": 2}}
    spec = job(dataset=DIGITS, student=network, training={"optimizer": "sgd", "learning_rate": 0.01})
    data, stage = load(spec.dataset, {}), stage_of(spec)
    lesson = student_lesson(spec, data, answers(data, stage))
    agree(stage, lesson, data, house, [[5, 3, 17, 5, 3, 17], [8, 9, 8, 9]], besides="running_var")


DROPS = {"architecture": {"kind": "mlp", "hidden": [6], "dropout": 0.3}}


def helpers() -> list[psutil.Process]:
    """Of this process, which may have servers of other tests below it too."""
    program = "workers.distillation.training.team_member"
    return [child for child in psutil.Process().children() if program in child.cmdline()]


def test_a_stopped_training_ends_bit_for_bit_as_an_unbroken_one(job: Make, house: Make) -> None:
    spec = job(student=DROPS, training={"epochs": 3, "batch_size": 16, "processes": 2, "accumulate": 2})
    data, stage = load(spec.dataset, {}), stage_of(spec)
    lesson = student_lesson(spec, data, answers(data, stage))
    unbroken, again = (train(stage, lesson, data, Keeper(spec, house())).weights for _ in range(2))
    asked = iter(range(8))
    stopped = house(stop=lambda: next(asked, None) is None)
    with pytest.raises(Stopped):
        train(stage, lesson, data, Keeper(spec, stopped))
    assert not helpers(), "who stops has no helpers"
    resumed = train(stage, lesson, data, Keeper(spec, house(resume=stopped.saved))).weights
    assert_close(again, unbroken, rtol=0, atol=0)
    assert_close(resumed, unbroken, rtol=0, atol=0)


def test_helpers_go_on_to_the_next_stage_and_draw_masks_of_their_own(job: Make, house: Make) -> None:
    spec = job(student=DROPS, training={"optimizer": "sgd", "learning_rate": 0.1})
    data, stage = load(spec.dataset, {}), stage_of(spec)
    lesson = baseline_lesson(data)
    first, again = (learned(stage, lesson, data, house, [[1, 2]])[0] for _ in range(2))
    pids = [helper.pid for helper in helpers()]
    other = learned(replace(stage, seed=5), lesson, data, house, [[1, 2]])[0]
    assert first == again != other
    assert len(pids) == 1
    assert [helper.pid for helper in helpers()] == pids


def test_a_helper_that_dies_ends_the_attempt_as_if_the_child_had_died(job: Make, house: Make) -> None:
    spec = job(student=MLP)
    data, stage = load(spec.dataset, {}), stage_of(spec)
    learner = Learner(stage, baseline_lesson(data), data)

    def go_on_without_it() -> None:
        with team_of(stage, learner.network, frozenset(), data, house()) as learner.team:
            learner.learn(torch.arange(6))
            helpers()[0].kill()
            for _ in range(3):
                learner.learn(torch.arange(6))

    with pytest.raises(SystemExit, match="ended with exit status -9"):
        go_on_without_it()
    assert not helpers()


LONG = {
    "dataset": DIGITS,
    "teacher": {"source": "train", "architecture": {"kind": "mlp", "hidden": [8]}},
    "student": MLP,
    "training": {"epochs": 10_000, "processes": 2},
}


def training(scratch: Path) -> tuple[Child, psutil.Process]:
    """A child that trains, and its helper."""
    child = Child(Engine.DISTILLATION, threads=1)
    child.wait_until_ready()
    request = {"kind": "distillation", "spec": json.dumps(LONG), "scratch": str(scratch), "files": {}, "models": {}}
    child.send(request | {"resume": None, "threads": 1, "cache": str(scratch), "cache_bytes": 0, "hosts": []})
    while (message := child.receive(60)) is not None and message["say"] != "progress":
        assert message["say"] == "event", message
    (helper,) = psutil.Process(child.pid).children()
    return child, helper


def test_a_helper_dies_with_its_child_counts_in_its_memory_and_listens_to_this_machine_only(tmp_path: Path) -> None:
    child, helper = training(tmp_path)
    try:
        own = psutil.Process(child.pid).memory_info().rss
        time.sleep(2.0)  # as long as who belongs to it is not looked up again
        assert child.memory() > own + helper.memory_info().rss // 2
        listening = [
            connection.laddr.ip
            for process in (helper, psutil.Process(child.pid))
            for connection in process.net_connections()
            if connection.status == psutil.CONN_LISTEN
        ]
        assert listening
        assert set(listening) <= {"127.0.0.1", "::1"}
    finally:
        child.kill()
    helper.wait(10)


@given(rows=st.integers(0, 5000), processes=st.integers(1, 64))
def test_every_row_is_somebodys_and_the_first_process_has_some(rows: int, processes: int) -> None:
    sizes = shares(rows, processes)
    assert (sum(sizes), len(sizes)) == (rows, processes)
    assert max(sizes) - min(sizes) <= 1
    assert sizes[0] == max(sizes)


def test_more_processes_than_processors_are_refused_with_how_many_there_are(job: Make) -> None:
    spec = job(training={"batch_size": 64, "processes": 64})
    data = load(spec.dataset, {})
    with pytest.raises(Problem, match="asks for 64") as refused:
        refuse_unfit(student_stages(spec)[0][0], data)
    assert (refused.value.code, refused.value.pointer) == ("too_few_processors", "/training/processes")
    there = refused.value.ways_out[0]["processes"]
    refuse_unfit(stage_of(spec, there), data)


def test_a_batch_has_a_row_for_every_process() -> None:
    with pytest.raises(ValidationError, match="a batch has 3 rows"):
        Training(batch_size=3, processes=4)
    assert Training(batch_size=4, processes=4).processes == 4
