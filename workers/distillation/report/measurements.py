"""What was measured of a job's networks."""

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from qstill.contract.distillations.measures import TaskMeasure
from workers.distillation.data.dataset import Data
from workers.distillation.quality import Comparison, Quality
from workers.distillation.report.frame import Measurements, Subject
from workers.distillation.tasks.targets import Errors
from workers.distillation.tasks.task import Arms, Task
from workers.distillation.teachers import Use


@dataclass(frozen=True, kw_only=True)
class Answers(Subject):
    """A network's answers to the test rows. likeness: to the teacher's, as the task measures it."""

    quality: Quality | Errors
    likeness: float


@dataclass(frozen=True, kw_only=True)
class RowMeasurements(Measurements[Answers]):
    """teacher_parameters: 0 where unknown."""

    task: Task[Any]
    signal: Use
    teacher_parameters: int
    teacher_notes: tuple[str, ...]
    teacher_warnings: tuple[str, ...]
    student_warnings: tuple[str, ...]

    @property
    def measure(self) -> TaskMeasure:
        return self.task.measure

    @property
    def summarised(self) -> tuple[str, ...]:
        return tuple(name for name, _, _ in self.measure.table)

    @property
    def arms(self) -> Arms[Any]:
        """What was measured of each."""
        students, baselines = ([each.quality for each in arm] for arm in (self.students, self.baselines))
        return Arms(self.teacher.quality, students, baselines)

    @property
    def gain(self) -> Comparison | None:
        return self.task.compare(self.arms) if self.baselines else None

    @property
    def student_parameters(self) -> int:
        """Of its network, which is always here."""
        assert self.student_cost.size is not None
        return self.student_cost.size.parameters

    def besides(self, subject: Answers) -> dict[str, Any]:
        return {self.measure.likeness: subject.likeness}


def subject(logits: Tensor, data: Data, teacher: Tensor, **chosen: Any) -> Answers:
    """Measure logits (answers, classes) against the test labels and against the teacher's, where a label is known."""
    measured, likeness = data.task.measured(logits, data.test.labels, teacher)
    return Answers(quality=measured, likeness=likeness, **chosen)


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
