"""What was measured of a job's networks."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from qstill.contract.distillations.measures.measure import Measure
from workers.distillation.data.dataset import Data
from workers.distillation.measures.draws import drawn
from workers.distillation.objectives.terms import is_known
from workers.distillation.quality import Comparison, Quality, compared_by
from workers.distillation.report.frame import Measurements, Subject
from workers.distillation.tasks.label_quality import LabelQuality
from workers.distillation.tasks.targets import Errors
from workers.distillation.tasks.task import Arms, Task
from workers.distillation.teachers import Use


@dataclass(frozen=True, kw_only=True)
class Answers(Subject):
    """A network's answers to the test rows. likeness: to the teacher's, as the task measures it.

    named: the measures that the job named, as far as there are any here. drawn: the same of rows drawn again (draws,).
    """

    quality: Quality | Errors | LabelQuality
    likeness: float
    named: Mapping[str, float] = field(default_factory=dict)
    drawn: Mapping[str, Tensor | None] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class RowMeasurements(Measurements[Answers]):
    """teacher_parameters: 0 where unknown. test_labels: of the test rows."""

    task: Task[Any]
    test_labels: Tensor
    signal: Use
    teacher_parameters: int
    teacher_notes: tuple[str, ...]
    teacher_warnings: tuple[str, ...]
    student_warnings: tuple[str, ...]

    @property
    def measure(self) -> Measure:
        return self.task.measure

    @property
    def summarised(self) -> tuple[str, ...]:
        named = [each for each in self.task.by_name if each.name in self.teacher.named]
        return tuple(name for name, _, _ in self.task.usual.table(self.measure, named))

    @property
    def arms(self) -> Arms[Any]:
        """What was measured of each."""
        students, baselines = ([each.quality for each in arm] for arm in (self.students, self.baselines))
        return Arms(self.teacher.quality, students, baselines)

    @property
    def gain(self) -> Comparison | None:
        return self.compared(self.students, self.baselines) if self.baselines else None

    def compared(self, first: Sequence[Answers], second: Sequence[Answers]) -> Comparison:
        """first - second in points of the measure, paired by position."""
        return compared_by(self.measure, self.worth(first), self.worth(second), rows=self.task.count(self.test_labels))

    def worth(self, subjects: Iterable[Answers]) -> list[float]:
        name = self.measure.name
        return [one.named[name] if name in one.named else float(getattr(one.quality, name)) for one in subjects]

    @property
    def student_parameters(self) -> int:
        """Of its network, which is always here."""
        assert self.student_cost.size is not None
        return self.student_cost.size.parameters

    def besides(self, subject: Answers) -> dict[str, Any]:
        named = {"measures": dict(subject.named)} if subject.named else {}
        return {self.task.usual.likeness: subject.likeness, **named}


def subject(logits: Tensor, data: Data, teacher: Tensor, **chosen: Any) -> Answers:
    """Measure logits (answers, classes) against the test labels and against the teacher's, where a label is known."""
    task, labels = data.task, data.test.labels
    measured, likeness = task.measured(logits, labels, teacher)
    by = [each for each in task.by_name if task.unmeasured(each, labels) is None]
    named = {each.name: task.value_of(each, logits, labels) for each in by}
    again = {each.name: _on_other_rows(each, logits, data) for each in by}
    return Answers(quality=measured, likeness=likeness, named=named, drawn=again, **chosen)


def _on_other_rows(measure: Measure, logits: Tensor, data: Data) -> Tensor | None:
    """(draws,): the same draws for every network of these rows."""
    known = is_known(data.test.labels).reshape(len(logits), -1).all(1)
    answers, labels = logits[known], data.test.labels[known]
    return drawn(
        lambda weights: data.task.weighed(measure, answers, labels, weights),
        len(labels),
        numbers=data.task.numbers_a_draw(measure, answers),
        seed=0,
    )


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
