"""What both sides of a benchmark do: the same digits, teacher, student and number of steps, on one thread."""

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import nn

from qstill.contract.distillations.job import DistillationJob
from qstill.contract.distillations.teachers import TrainedTeacher
from workers.distillation import teachers
from workers.distillation.data.dataset import Data, load
from workers.distillation.networks.answers import logits_of
from workers.distillation.networks.network import Network
from workers.distillation.report.measure import checkpoint
from workers.distillation.training.keeper import Keeper
from workers.distillation.training.plan import (
    Lesson,
    baseline_lesson,
    student_lesson,
    student_stages,
    teacher_lesson,
    teacher_stage,
)
from workers.distillation.training.train import train

SMALL_STUDENT = {"kind": "mlp", "hidden": [16]}  # 1,210 weights
CNN = {"kind": "cnn", "channels": [73, 128]}  # 90,084
MLP = {"kind": "mlp", "hidden": [1024, 1024]}  # 1,126,410
TEACHER_EPOCHS = 6  # enough to be right about most digits; on neither side's clock
TEMPERATURE, ALPHA, LEARNING_RATE, BATCH = 4.0, 0.9, 0.01, 64
LEAST_ACCURACY = 0.9  # of either side's student: what was trained is a classifier
SAME_ACCURACY = 0.03  # of both sides' students, which saw other batches


class Quiet:
    """A house of one job that keeps the teacher's answers, and nothing else."""

    threads, resume, cache_bytes = 1, None, 1 << 30

    def __init__(self, scratch: Path) -> None:
        self.scratch = self.cache = scratch

    def progress(self, **_: Any) -> None: ...

    def event(self, kind: str, data: dict[str, Any]) -> None: ...

    def submit(self, *_: Any, **__: Any) -> str:
        return "job_of_another_house"

    def save(self, path: Path) -> None: ...

    def stop_requested(self) -> bool:
        return False


@dataclass(frozen=True)
class Work:
    """A student to be taught by a teacher that is trained already."""

    job: DistillationJob
    data: Data
    network: Network  # the teacher's
    file: bytes  # its checkpoint

    @property
    def epochs(self) -> int:
        return self.job.training.epochs

    @property
    def samples(self) -> int:
        """Rows over all epochs."""
        return self.epochs * len(self.data.learned)

    def student(self) -> Network:
        """Untrained; both sides start from the same weights."""
        return student_stages(self.job)[0][0].begin(self.data)

    def accuracy(self, network: nn.Module) -> float:
        """On the test rows."""
        return float((logits_of(network, self.data.test.x).argmax(1) == self.data.test.y).double().mean())


def work(teacher: dict[str, Any], *, epochs: int, student: dict[str, Any] = SMALL_STUDENT) -> Work:
    """The job and its teacher."""
    torch.set_num_threads(1)
    training = {"epochs": epochs, "learning_rate": LEARNING_RATE, "batch_size": BATCH, "schedule": "constant"}
    job = DistillationJob.model_validate(
        {
            "dataset": {"source": "builtin", "name": "digits"},
            "teacher": {
                "source": "train",
                "architecture": teacher,
                "training": {"epochs": TEACHER_EPOCHS, "learning_rate": 0.002},
            },
            "student": {"architecture": student},
            "objective": {"kind": "kd", "temperature": TEMPERATURE, "alpha": ALPHA},
            "training": training,
            "evaluation": {"seeds": 1},
        }
    )
    data = load(job.dataset, {})
    assert isinstance(job.teacher, TrainedTeacher)
    stage = teacher_stage(job, job.teacher)
    with kept(job) as keeper:
        outcomes = {stage.name: train(stage, teacher_lesson(data, job.teacher), data, keeper)}
    return Work(job, data, stage.trained(outcomes, data), checkpoint(stage, outcomes, data))


def distilled(given: Work) -> Network:
    """The student as a job trains it: the teacher is asked once, its answers are kept, and read at every step."""
    return by_lesson(given, lesson(given))


def lesson(given: Work) -> Lesson:
    """What the teacher says, from the file that keeps it."""
    with kept(given.job) as keeper:
        teacher = teachers.trained(given.network, given.file)
        signal, use = teachers.signal_and_use(teacher, given.data, given.job.signal, keeper.run)
    assert use.computed_rows == len(given.data.train.y)
    return student_lesson(given.job, given.data, signal)


def by_lesson(given: Work, heard: Lesson) -> Network:
    """The student, taught."""
    stage, _ = student_stages(given.job)[0]
    with kept(given.job) as keeper:
        outcome = train(stage, heard, given.data, keeper)
    return stage.trained({stage.name: outcome}, given.data)


def labels_alone(given: Work) -> Network:
    """The same student without a teacher, for as many steps."""
    _, stage = student_stages(given.job)[0]
    with kept(given.job) as keeper:
        outcome = train(stage, baseline_lesson(given.data), given.data, keeper)
    return stage.trained({stage.name: outcome}, given.data)


@contextmanager
def kept(job: DistillationJob) -> Iterator[Keeper]:
    """Where a training leaves its state, until the end of the block."""
    with tempfile.TemporaryDirectory() as folder:
        yield Keeper(job, Quiet(Path(folder)))  # type: ignore[arg-type]


def compare(ours: Callable[[], float], theirs: Callable[[], float], *, rounds: int) -> tuple[float, float]:
    """Medians of what the sides return, one after the other in every round, so that both meet the same machine."""
    found = [(ours(), theirs()) for _ in range(rounds)]
    mine, plain = zip(*found, strict=True)
    return median(mine), median(plain)


def cpu_seconds(given: Work, trained: Callable[[], nn.Module], accuracies: list[float]) -> float:
    """Of training; the accuracy of what was trained is added to `accuracies`."""
    began = time.process_time()
    student = trained()
    took = time.process_time() - began
    accuracies.append(given.accuracy(student))
    return took


def check_alike(ours: list[float], theirs: list[float]) -> None:
    """Both sides' students are classifiers, equally good ones."""
    assert min(*ours, *theirs) >= LEAST_ACCURACY, (ours, theirs)
    assert abs(median(ours) - median(theirs)) <= SAME_ACCURACY, (ours, theirs)
