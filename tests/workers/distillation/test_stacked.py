"""Students that are trained together are what each would be alone, also when some end before others."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from qstill.contract.distillations.job import DistillationJob
from qstill.contract.distillations.objectives import LogitMse
from workers.distillation.data.dataset import Data, load
from workers.distillation.networks.answers import logits_of
from workers.distillation.rows import Rows
from workers.distillation.signals.signals import Signal
from workers.distillation.tasks.numbers import Numbers
from workers.distillation.tasks.targets import Targets
from workers.distillation.training.keeper import Keeper
from workers.distillation.training.plan import Lesson, Stage, baseline_lesson, student_lesson, student_stages
from workers.distillation.training.stack import Stack, group_of, most_together
from workers.distillation.training.train import train

RAMP = {"from": 8.0, "to": 2.0, "epochs": 3}
OPTIMIZERS: list[dict[str, Any]] = [
    {"optimizer": "adam", "weight_decay": 0.01},
    {"optimizer": "adamw", "weight_decay": 0.1, "schedule": "constant"},
    {"optimizer": "sgd", "learning_rate": 0.1, "weight_decay": 0.01},
    {"optimizer": "sgd", "learning_rate": 0.05, "momentum": 0.9, "nesterov": True},
]

Make = Callable[..., Any]


MLP = {"kind": "mlp", "hidden": [6, 5], "activation": "tanh"}
FOUR = 'OPENQASM 3.0; include "stdgates.inc"; ' + "".join(f"input float {name}; " for name in "klmna")
OWN = f"{FOUR} qubit[2] q; ry(k + a) q[0]; ry(l) q[1]; cx q[0], q[1]; rx(m*a) q[0]; ry(n) q[1]; cx q[1], q[0];"
CIRCUITS: list[dict[str, Any]] = [
    {"kind": "quantum", "qubits": 4, "layers": 2},
    {"kind": "quantum", "qubits": 4, "layers": 2, "frozen": True, "encoding": {"kind": "angle", "inputs": "raw"}},
    {"kind": "quantum", "qubits": 2, "layers": 2, "encoding": {"kind": "amplitude"}, "observables": ["z", "zz"]},
    {"kind": "quantum", "qubits": 4, "layers": 2, "encoding": {"kind": "angle", "upload_again": True}},
    {"kind": "circuit", "circuit": {"format": "openqasm3", "source": OWN}, "inputs": list("klmn")},
]


def lessons(
    job: Make, *, taught: bool = True, architecture: dict[str, Any] = MLP, **training: Any
) -> tuple[list[tuple[Stage, Lesson]], Data]:
    """Three settings of two seeds each, which end at different times."""
    made: list[tuple[Stage, Lesson]] = []
    settings: list[tuple[Any, float, float, int]] = [(1.0, 0.0, 1.0, 2), (RAMP, 0.9, 0.3, 4), (4.0, 1.0, 2.0, 4)]
    for number, (temperature, alpha, faster, epochs) in enumerate(settings):
        own = {"seed": 10 * number, "epochs": epochs} | training
        own["learning_rate"] = own.get("learning_rate", 0.01) * faster
        spec = job(
            student={"architecture": architecture},
            objective={"temperature": temperature, "alpha": alpha},
            training=own,
        )
        data = load(spec.dataset, {})
        torch.manual_seed(0)
        signal = Signal(3 * torch.randn(len(data.train.y), len(data.classes)), "made up")
        for pair in student_stages(spec):
            made.append((pair[0], student_lesson(spec, data, signal)) if taught else (pair[1], baseline_lesson(data)))
    return made, data


def lessons_of_numbers(job: Make, *, taught: bool, two: bool, **training: Any) -> tuple[list[Any], Data]:
    """Of real numbers. two: a second target, of which every other training row's is not known."""
    made: list[tuple[Stage, Lesson]] = []
    for number, (alpha, faster) in enumerate([(0.0, 1.0), (0.7, 0.3), ({"from": 1.0, "to": 0.2, "epochs": 3}, 2.0)]):
        own = {"seed": 10 * number, "epochs": 4, "batch_size": 64} | training
        spec = job(
            dataset={"source": "builtin", "name": "diabetes", "task": "regression", "labelled": 90},
            student={"architecture": {"kind": "mlp", "hidden": [6]}},
            objective={"kind": "logit_mse", "alpha": alpha},
            training=own | {"learning_rate": own.get("learning_rate", 0.01) * faster},
        )
        data = load(spec.dataset, {})
        data = _with_second_target(data) if two else data
        signal = Signal(torch.randn(len(data.train.y), 1 + two, generator=torch.Generator().manual_seed(0)), "made up")
        for pair in student_stages(spec):
            made.append((pair[0], student_lesson(spec, data, signal)) if taught else (pair[1], baseline_lesson(data)))
    return made, data


def _with_second_target(data: Data) -> Data:
    def both(y: Tensor, *, hidden: bool = False) -> Tensor:
        second = -0.5 * y + 0.1
        return torch.cat([y, second.where(torch.arange(len(y))[:, None] % 2 == 0, torch.nan) if hidden else second], 1)

    splits = {
        name: Rows(rows.raw, rows.x, both(rows.y, hidden=name == "train"), rows.index)
        for name, rows in (("train", data.train), ("validation", data.validation), ("test", data.test))
    }
    one = data.task.targets
    assert one is not None
    targets = Targets(["first", "second"], one.mean.repeat(2), one.std.repeat(2))
    return replace(data, **splits, seen=both(data.seen, hidden=True), task=Numbers(targets))


def together(taught: list[tuple[Stage, Lesson]], data: Data, *, broken_after: int | None = None) -> Stack:
    """broken_after: steps after which another stack goes on from the first one's snapshot."""
    stack, steps = Stack(taught, data), 0
    while not stack.finished:
        for positions in stack.batches():
            stack.learn(positions)
            steps += 1
            if steps == broken_after:
                kept = stack.snapshot()
                stack = Stack(taught, data)
                stack.restore(kept)
                break
        else:
            stack.end_epoch()
    return stack


@pytest.mark.parametrize("training", OPTIMIZERS)
@pytest.mark.parametrize("taught", [True, False])
def test_each_is_what_it_would_be_alone(job: Make, house: Make, training: dict[str, Any], taught: bool) -> None:
    made, data = lessons(job, taught=taught, **training)
    are_what_they_would_be_alone(made, data, Keeper(job(), house()))


@pytest.mark.training
@pytest.mark.parametrize("architecture", CIRCUITS, ids=lambda each: "-".join(map(str, each.values()))[:40])
@pytest.mark.parametrize("training", OPTIMIZERS[1:3])
def test_circuits_too(job: Make, house: Make, architecture: dict[str, Any], training: dict[str, Any]) -> None:
    made, data = lessons(job, architecture=architecture, **training)
    are_what_they_would_be_alone(made, data, Keeper(job(), house()))
    whole, broken = together(made, data), together(made, data, broken_after=13)
    for name, outcome in whole.outcomes.items():
        assert all(torch.equal(w, broken.outcomes[name].weights[key]) for key, w in outcome.weights.items())


def test_what_is_kept_of_circuits_bounds_how_many_are_stacked(job: Make) -> None:
    made, data = lessons(job, architecture=CIRCUITS[0])
    network = made[0][0].begin(data)
    assert most_together(network, 16) > most_together(network, 64) > 1
    wide = lessons(job, architecture=CIRCUITS[0] | {"qubits": 8})[0][0]
    assert group_of(*wide) is None


@pytest.mark.parametrize("training", OPTIMIZERS[:3])
@pytest.mark.parametrize(("taught", "two"), [(True, False), (False, False), (True, True)])
def test_of_real_numbers_too(job: Make, house: Make, training: dict[str, Any], taught: bool, two: bool) -> None:
    made, data = lessons_of_numbers(job, taught=taught, two=two, **training)
    are_what_they_would_be_alone(made, data, Keeper(job(), house()))


def test_logits_that_are_matched_too(job: Make, house: Make) -> None:
    made, data = lessons(job)
    matched = [
        (stage, replace(lesson, objective=LogitMse(kind="logit_mse", alpha=alpha)))
        for (stage, lesson), alpha in zip(made, (0.0, 0.3, 0.6, 0.9, 1.0, 0.5), strict=True)
    ]
    assert group_of(*matched[0]) != group_of(*made[0])
    are_what_they_would_be_alone(matched, data, Keeper(job(), house()))


def are_what_they_would_be_alone(made: list[tuple[Stage, Lesson]], data: Data, keeper: Keeper) -> None:
    stack = together(made, data)
    for stage, lesson in made:
        alone, ours = train(stage, lesson, data, keeper), stack.outcomes[stage.name]
        assert (ours.epoch, ours.step) == (alone.epoch, alone.step)
        if data.train.y.is_floating_point():
            assert ours.validation_score == pytest.approx(alone.validation_score, abs=1e-5)
        else:
            assert ours.validation_score == alone.validation_score
        network, found = stage.begin(data), []
        for outcome in (ours, alone):
            network.load_state_dict(outcome.weights)
            found.append(logits_of(network, data.validation.x))
        assert float((found[0] - found[1]).abs().max()) <= 1e-4 * float(found[1].abs().max())


@pytest.mark.parametrize("steps", [1, 13, 20])
def test_a_stack_that_was_stopped_ends_bit_for_bit_as_an_unbroken_one(job: Make, steps: int) -> None:
    made, data = lessons(job)
    whole, broken = together(made, data), together(made, data, broken_after=steps)
    assert whole.outcomes.keys() == broken.outcomes.keys() == {stage.name for stage, _ in made}
    for name, outcome in whole.outcomes.items():
        assert all(torch.equal(w, broken.outcomes[name].weights[key]) for key, w in outcome.weights.items())


def test_one_that_diverges_harms_no_other(job: Make) -> None:
    made, data = lessons(job, optimizer="sgd")
    wild = made[2][0].training.model_copy(update={"learning_rate": 3e38})
    harmed = [
        (Stage(**vars(stage) | {"training": wild}) if i == 2 else stage, lesson)
        for i, (stage, lesson) in enumerate(made)
    ]
    stack, calm = together(harmed, data), together(made, data)
    assert stack.diverged == {made[2][0].name}
    for name, outcome in stack.outcomes.items():
        for key, weights in outcome.weights.items():
            torch.testing.assert_close(weights, calm.outcomes[name].weights[key])


@pytest.mark.parametrize(
    "change",
    [
        {"training": {"clip_norm": 1.0}},
        {"training": {"label_smoothing": 0.1}},
        {"objective": {"kind": "dist"}},
        {"student": {"architecture": {"kind": "mlp", "hidden": [4], "dropout": 0.1}}},
    ],
)
def test_what_a_stack_does_not_do_is_trained_alone(job: Make, change: dict[str, Any]) -> None:
    spec: DistillationJob = job(**change)
    data = load(spec.dataset, {})
    signal = Signal(torch.zeros(len(data.train.y), len(data.classes)), "made up")
    assert group_of(student_stages(spec)[0][0], student_lesson(spec, data, signal)) is None
