"""Two processors on students: two jobs beside each other, against one job that splits its batches over two processes.

`python -m benchmarks.distillation.data_parallel`

All are steps as a job makes them (`workers/distillation/training/learner.py`), with the same batches; one process with
two threads, and one with one, are measured beside them. What the lines hold is samples for a second of a processor:
what else the machine does changes it less than the clock, which is printed too and counts on a machine with nothing
else to do. docs/adr/0011-several-processes-may-train-a-network.md draws the conclusion.
"""

import os

os.environ |= {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")}  # before numpy counts cores

import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal, cast

import psutil
import torch
from pydantic import TypeAdapter

from benchmarks.report import Line, report
from qstill.contract.distillations.architectures import Architecture
from qstill.contract.distillations.objectives import Kd
from qstill.contract.distillations.training import Training
from workers.distillation.data.dataset import Data, Rows, Standardisation
from workers.distillation.networks.build import parameters
from workers.distillation.signals.signals import Signal
from workers.distillation.training.learner import Learner
from workers.distillation.training.plan import Lesson, Stage
from workers.distillation.training.team import team_of
from workers.run import Run

PROCESSES = 2
CLASSES = 10
ROWS = 512
WARM_STEPS = 3
ROUNDS = 3
LEAST = 0.85  # of the split job's: a network whose steps are long gains nothing from either, and both vary
SAME = 1e-4  # of weights after the steps: halves of a batch are summed in another order

Way = Literal["two jobs", "split", "one thread", "two threads"]
WAYS: tuple[Way, ...] = ("two jobs", "split", "one thread", "two threads")


@dataclass(frozen=True)
class Work:
    """A student, its inputs, and how many steps are timed."""

    name: str
    architecture: dict[str, Any]
    input_shape: tuple[int, ...]
    batch: int
    steps: int


WORKS = [
    Work("perceptron", {"kind": "mlp", "hidden": [16]}, (1, 8, 8), 64, 500),
    Work("small CNN", {"kind": "cnn", "channels": [73, 128]}, (1, 8, 8), 64, 40),
    Work("ResNet-8 on 32x32", {"kind": "resnet", "depth": 8, "width": 16}, (3, 32, 32), 64, 8),
    Work("ResNet-20 on 32x32", {"kind": "resnet", "depth": 20, "width": 16}, (3, 32, 32), 64, 4),
]


@dataclass(frozen=True)
class Took:
    """By the clock from the first timed step to the last, and of all processors that computed."""

    began: float
    ended: float
    processor_seconds: float
    weights: list[float]


def measure() -> list[Line]:
    """Prints all ways; the lines hold two jobs against one that is split."""
    lines = []
    with ProcessPoolExecutor(PROCESSES, get_context("spawn")) as pool:
        for work in WORKS:
            best: dict[Way, tuple[float, float]] = dict.fromkeys(WAYS, (0.0, 0.0))  # what else runs only takes away
            for _ in range(ROUNDS):
                weights = {}
                for way in WAYS:
                    jobs = PROCESSES if way == "two jobs" else 1
                    took = list(pool.map(train, [work] * jobs, [way] * jobs))
                    weights[way] = torch.tensor(took[0].weights)
                    rates = by_the_clock(took, work), by_the_processor(took, work)
                    best[way] = max(best[way][0], rates[0]), max(best[way][1], rates[1])
                if work.architecture["kind"] != "resnet":  # each half of its batch is normalised by itself
                    check(weights["one thread"], weights["split"])
            name = f"{work.name}, {parameters(stage_of(work, 1).begin(data_of(work))):,} weights"
            for way, (clock, processor) in best.items():
                print(f"{name}: {way:12} {clock:9,.0f} samples/s {processor:9,.0f} samples/CPU-s")
            ours, plain = best["two jobs"][1], best["split"][1]
            claim = f"{name}: two jobs, against one that is split"
            lines.append(
                Line(claim=claim, ours=ours, plain=plain, unit="samples/CPU-s", goal=LEAST * plain, better="more")
            )
    return lines


def by_the_clock(took: list[Took], work: Work) -> float:
    """Samples a second of all jobs, from when the first begins to when the last ends."""
    return len(took) * work.batch * work.steps / (max(t.ended for t in took) - min(t.began for t in took))


def by_the_processor(took: list[Took], work: Work) -> float:
    """Samples for a second of a processor."""
    return len(took) * work.batch * work.steps / sum(t.processor_seconds for t in took)


def check(whole: torch.Tensor, split: torch.Tensor) -> None:
    """A split job learns what a whole one does."""
    largest = float((whole - split).abs().max())
    if largest > SAME:
        raise SystemExit(f"the split job is another one: weights differ by {largest:.2g}")


def train(work: Work, way: Way) -> Took:
    """Some steps of a job."""
    torch.set_num_threads(2 if way == "two threads" else 1)
    torch.use_deterministic_algorithms(True)
    stage, data = stage_of(work, PROCESSES if way == "split" else 1), data_of(work)
    draw = torch.Generator().manual_seed(1)
    said = Signal(torch.randn(ROWS, CLASSES, generator=draw), "made up")
    lesson = Lesson(torch.arange(ROWS), ROWS, data.train.y, said, Kd(temperature=4.0, alpha=0.9))
    learner = Learner(stage, lesson, data)
    batches = [torch.randperm(ROWS, generator=draw)[: work.batch] for _ in range(WARM_STEPS + work.steps)]
    with tempfile.TemporaryDirectory() as folder:
        run = cast(Run, SimpleNamespace(scratch=Path(folder), threads=1))
        with team_of(stage, learner.network, frozenset(), data, run) as learner.team:
            for number, positions in enumerate(batches):
                if number == WARM_STEPS:
                    processes = [psutil.Process(), *psutil.Process().children()]
                    before, began = processor_seconds(processes), time.time()
                learner.learn(positions)
            took = time.time(), processor_seconds(processes) - before
    weights = torch.cat([tensor.flatten() for tensor in learner.weights().values()])
    return Took(began, *took, weights.tolist())


def processor_seconds(processes: list[psutil.Process]) -> float:
    """That they have taken so far."""
    return sum(sum(process.cpu_times()[:2]) for process in processes)


def stage_of(work: Work, processes: int) -> Stage:
    """A student of the work."""
    training = Training(optimizer="sgd", learning_rate=0.05, momentum=0.9, batch_size=work.batch, processes=processes)
    return Stage(
        name="student",
        phase="student",
        role="student",
        architecture=TypeAdapter(Architecture).validate_python(work.architecture),
        training=training,
        seed=0,
        weights_from="student",
        pointer="/student/architecture",
        training_pointer="/training",
    )


def data_of(work: Work) -> Data:
    """Noise of the work's shape: what is learned is not the question."""
    draw = torch.Generator().manual_seed(0)
    x, y = torch.randn(ROWS, *work.input_shape, generator=draw), torch.randint(CLASSES, (ROWS,), generator=draw)
    rows = Rows(x, x, y, torch.arange(ROWS))
    plain = Standardisation(torch.zeros(()), torch.ones(()))
    classes = [str(number) for number in range(CLASSES)]
    return Data(rows, rows, rows, y, torch.arange(ROWS), classes, plain, ROWS, "noise")


if __name__ == "__main__":
    sys.exit(report(measure()))
