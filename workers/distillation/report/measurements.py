"""What was measured of a job's networks."""

from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from workers.distillation.artifacts.clock import Latency
from workers.distillation.data.dataset import Data
from workers.distillation.quality import Comparison, Quality, Size
from workers.distillation.tasks.targets import Errors
from workers.distillation.tasks.task import Arms, Task
from workers.distillation.teachers import Use
from workers.distillation.training.keeper import Curve


@dataclass(frozen=True)
class Subject:
    """One network on the test rows. epoch, validation_score: of the weights chosen; None for an uploaded teacher.

    likeness: to the teacher, as the task measures it.
    """

    seed: int | None
    epoch: int | None
    validation_score: float | None
    quality: Quality | Errors
    likeness: float


@dataclass(frozen=True)
class Cost:
    """What a network takes in size, None where unknown, and time. timed: what was timed, where it is no network."""

    size: Size | None
    latency: Latency
    timed: str | None = None


@dataclass(frozen=True)
class Measurements:
    """All that was measured. teacher_cost: None where the teacher's network is not in this process.

    teacher_parameters: 0 where unknown. curves: of every stage that was trained, by its name.
    """

    task: Task[Any]
    teacher: Subject
    students: list[Subject]
    baselines: list[Subject]
    teacher_cost: Cost | None
    student_cost: Cost
    soft_gradient: float | None
    signal: Use
    teacher_digest: str
    teacher_parameters: int
    teacher_notes: tuple[str, ...]
    teacher_warnings: tuple[str, ...]
    curves: dict[str, Curve] = field(default_factory=dict)

    @property
    def arms(self) -> Arms[Any]:
        """What was measured of each."""
        students, baselines = ([each.quality for each in arm] for arm in (self.students, self.baselines))
        return Arms(self.teacher.quality, students, baselines)

    @property
    def gain(self) -> Comparison | None:
        """Student minus baseline in points of the measure, or None without a baseline."""
        return self.task.compare(self.arms) if self.baselines else None

    @property
    def student_parameters(self) -> int:
        """Of its network, which is always here."""
        assert self.student_cost.size is not None
        return self.student_cost.size.parameters


def subject(logits: Tensor, data: Data, teacher: Tensor, **chosen: Any) -> Subject:
    """Measure logits (answers, classes) against the test labels and against the teacher's, where a label is known."""
    measured, likeness = data.task.measured(logits, data.test.labels, teacher)
    return Subject(quality=measured, likeness=likeness, **chosen)


def row_counts(data: Data) -> dict[str, int]:
    """Rows and labels of each split, and what the student sees of them; of language models, labels are tokens."""
    return {
        "total": data.total,
        "train": len(data.train.y),
        "train_labels": data.task.count(data.train.y),
        "validation": len(data.validation.y),
        "test": len(data.test.y),
        "labels_seen": data.task.count(data.seen),
        "student_learns_from": len(data.learned),
    }
