"""A sweep of 120 students: stacked and trained in one pass, against one after the other by the same house's trainer.

`python -m benchmarks.distillation.stacked`

Both sides have the same data, teacher's answers, initial weights and batches; each student's logits must agree after a
few epochs (after many, rounding grows in any training: one side's alone, summed in another order, would part as well).
Some of the students are trained one by one between the stacked runs, and their median stands for all 120.
"""

import sys
import time
from statistics import median

import torch

from benchmarks.distillation.work import kept
from benchmarks.report import Line, report
from qstill.contract.distillations.job import DistillationJob
from workers.distillation.data.dataset import Data, load
from workers.distillation.networks.answers import logits_of
from workers.distillation.signals.signals import Signal
from workers.distillation.training.keeper import Outcome
from workers.distillation.training.plan import Lesson, Stage, student_lesson, student_stages
from workers.distillation.training.stack import Stack
from workers.distillation.training.train import train

GOAL = 15  # times faster, single-threaded

STUDENTS = 120
EPOCHS = 40
COMPARED_EPOCHS = 3
ALONE = 12  # students a round that are timed one by one
ROUNDS = 3
TOLERANCE = 1e-4  # of the largest logit


def students(data: Data, signal: Signal, epochs: int) -> list[tuple[Stage, Lesson]]:
    """A grid of temperatures, alphas, learning rates and seeds."""
    grid = [(t, a, r) for t in (1.0, 2.0, 4.0, 8.0) for a in (0.3, 0.6, 0.9) for r in (0.005, 0.01)]
    made = []
    for number, (temperature, alpha, rate) in enumerate(grid):
        job = DistillationJob.model_validate(
            {
                "dataset": {"source": "builtin", "name": "digits"},
                "teacher": {"source": "train", "architecture": {"kind": "mlp", "hidden": [256]}},
                "student": {"architecture": {"kind": "mlp", "hidden": [16]}},
                "objective": {"kind": "kd", "temperature": temperature, "alpha": alpha},
                "training": {"epochs": epochs, "learning_rate": rate, "seed": 5 * number},
                "evaluation": {"seeds": 5},
            }
        )
        made += [(stage, student_lesson(job, data, signal)) for stage, _ in student_stages(job)]
    assert len(made) == STUDENTS
    return made


def stacked(taught: list[tuple[Stage, Lesson]], data: Data) -> dict[str, Outcome]:
    stack = Stack(taught, data)
    while not stack.finished:
        for positions in stack.batches():
            stack.learn(positions)
        stack.end_epoch()
    return stack.outcomes


def alone(taught: list[tuple[Stage, Lesson]], data: Data) -> dict[str, Outcome]:
    with kept(DistillationJob.model_validate(BODY)) as keeper:
        return {stage.name: train(stage, lesson, data, keeper) for stage, lesson in taught}


BODY = {
    "dataset": {"source": "builtin", "name": "digits"},
    "teacher": {"source": "train", "architecture": {"kind": "mlp", "hidden": [256]}},
    "student": {"architecture": {"kind": "mlp", "hidden": [16]}},
}


def check(data: Data, signal: Signal) -> None:
    """Every student equals its single run."""
    taught = students(data, signal, COMPARED_EPOCHS)
    together, single = stacked(taught, data), alone(taught, data)
    for stage, _ in taught:
        network = stage.begin(data)
        found = []
        for outcome in (together[stage.name], single[stage.name]):
            network.load_state_dict(outcome.weights)
            found.append(logits_of(network, data.validation.x))
        scale = float(found[1].abs().max())
        assert float((found[0] - found[1]).abs().max()) <= TOLERANCE * scale, stage.name


def measure() -> list[Line]:
    torch.set_num_threads(1)
    data = load(DistillationJob.model_validate(BODY).dataset, {})
    answers = 4 * torch.randn(len(data.train.y), len(data.classes), generator=torch.Generator().manual_seed(0))
    signal = Signal(answers.scatter_add(1, data.train.y[:, None], torch.full((len(answers), 1), 8.0)), "made up")
    check(data, signal)
    taught = students(data, signal, EPOCHS)
    together, one = [], []
    for turn in range(ROUNDS):
        start = time.process_time()
        stacked(taught, data)
        together.append(time.process_time() - start)
        some = taught[turn :: STUDENTS // ALONE]
        start = time.process_time()
        alone(some, data)
        one.append((time.process_time() - start) / len(some) * STUDENTS)
    claim = f"{STUDENTS} students of a sweep, {EPOCHS} epochs"
    ratio = median(one) / median(together)
    return [
        Line(claim=claim, ours=median(together), plain=median(one), unit="s", goal=7, better="less"),
        Line(claim="times faster than one by one", ours=ratio, plain=1, unit="×", goal=GOAL, better="more"),
    ]


if __name__ == "__main__":
    sys.exit(report(measure()))
