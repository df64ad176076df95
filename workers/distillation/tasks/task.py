"""What a student learns to say, and all that the rest of the house must know of it: whoever needs to know asks
`data.task`.

A new task is a file beside this one that says what is abstract here, and a line where its data are read.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Generic, Literal, Self, TypeVar

import torch
from torch import Tensor, nn

from qstill.contract.distillations.measures.measure import Measure
from qstill.contract.distillations.measures.usual import Usual
from qstill.contract.distillations.preflight import LabelsCheck, RegressorCheck, TeacherCheck
from qstill.contract.distillations.report.tasks import TaskSections
from workers.distillation.objectives.terms import is_known
from workers.distillation.rows import Rows
from workers.distillation.tasks.targets import Targets

Measures = TypeVar("Measures")  # of one network on the test rows: `Quality`, say
Check = TeacherCheck | RegressorCheck | LabelsCheck
Block = tuple[Tensor, Tensor, Tensor]  # (what a file answers, what its network answers, labels), answers first


@dataclass(frozen=True)
class Arms(Generic[Measures]):
    """What was measured of a job's networks; students and baselines are paired by seed."""

    teacher: Measures
    students: Sequence[Measures]
    baselines: Sequence[Measures]

    def by_role(self) -> dict[str, Sequence[Measures]]:
        """As a report calls them."""
        return {"teacher": [self.teacher], "student": self.students, "baseline": self.baselines}


@dataclass(frozen=True, kw_only=True)
class Judged:
    """named: what the verdict rests on, where that is not the task's usual measure. besides: what is measured, too."""

    named: Measure | None = None
    besides: tuple[Measure, ...] = ()

    def measured_by(self, named: Measure | None, besides: tuple[Measure, ...]) -> Self:
        """The same task by other measures."""
        return replace(self, named=named, besides=besides)

    @property
    def by_name(self) -> tuple[Measure, ...]:
        """All that a job named, that of the verdict first."""
        first = () if self.named is None else (self.named,)
        return (*first, *(each for each in self.besides if each != self.named))


class Task(Judged, ABC, Generic[Measures]):
    """usual: what is measured of such answers in any case. answers: logits, or values in units of the data.

    every_token: whether each token of a row is answered. hides: whether an epoch hides what is to be found, so that
    there is nothing to say of a row as it is. yes_no: whether each number of an answer is a label by itself.
    targets: of numbers. class_names: of classes that are not tokens. members: of texts that are cut into rows, those of
    training, validation and test by their numbers.
    """

    usual: ClassVar[Usual]
    answers: ClassVar[Literal["logits", "values"]] = "logits"
    every_token: ClassVar[bool] = False
    hides: ClassVar[bool] = False
    yes_no: ClassVar[bool] = False
    targets: Targets | None = None
    class_names: Sequence[str] = ()
    members: tuple[list[int], list[int], list[int]] | None = None

    @property
    @abstractmethod
    def names(self) -> list[str]:
        """Of each number of an answer: of classes, tokens or targets."""

    @property
    def answer_names(self) -> list[str]:
        """The same where answers are no tokens."""
        return [] if self.every_token else self.names

    @property
    def measure(self) -> Measure:
        """What a verdict rests on."""
        return self.named or self.usual.verdict

    @abstractmethod
    def weighed(self, measure: Measure, answers: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
        """(draws,) a measure by name, of rows that count by their weights (draws, rows); labels all known."""

    def numbers_a_draw(self, measure: Measure, answers: Tensor) -> int:
        """How much there is to compute of one."""
        return len(answers)

    def unmeasured(self, measure: Measure, labels: Tensor) -> str | None:
        """Why rows with these labels have no such number: a sentence; None where they have one."""
        return None

    def value_of(self, measure: Measure, answers: Tensor, labels: Tensor) -> float:
        """A measure of answers; rows without a label do not count."""
        known = is_known(labels) if labels.ndim == 1 else is_known(labels).flatten(1).all(1)
        answers, labels = answers[known], labels[known]
        weights = torch.ones(1, len(labels), dtype=torch.float64, device=labels.device)
        return float(self.weighed(measure, answers, labels, weights))

    @property
    @abstractmethod
    def no_better(self) -> str:
        """The warning of a teacher that has nothing to teach."""

    def count(self, labels: Tensor) -> int:
        """How many labels there are."""
        return int(is_known(labels).sum())

    def hidden(self, rows: Rows, *, seed: int) -> Rows | None:
        """The rows as an epoch hides them; None: as they are."""
        return None

    def asked(self, answers: int) -> int:
        """Of so many answers that training rows have, those that a teacher is asked for at once."""
        return answers

    @abstractmethod
    def score(self, answers: Tensor, labels: Tensor) -> tuple[float, float]:
        """(what is called `measure.validation`, what training makes small) of some rows."""

    def order(self, worth: float, loss: float) -> tuple[float, float]:
        """The best epoch has the most of it. Both: of `score`."""
        return self.measure.rank * worth, -loss

    @abstractmethod
    def measured(self, answers: Tensor, labels: Tensor, teacher: Tensor) -> tuple[Measures, float]:
        """(all measures of a network's answers to the test rows, how like the teacher's they are)."""

    @abstractmethod
    def useless(self, teacher: Measures, labels: Tensor) -> bool:
        """Whether a teacher has nothing to teach, by its measures on rows with these labels."""

    @abstractmethod
    def useless_answers(self, answers: Tensor, labels: Tensor, learned: Tensor) -> bool:
        """The same by its answers. learned: labels of training rows."""

    def perhaps_seen(self, arms: Arms[Measures]) -> bool:
        """Whether the teacher makes no mistake on rows that the students find hard."""
        return False

    @abstractmethod
    def check(self, pointer: str, answers: Tensor, labels: Tensor, learned: Tensor) -> Check:
        """What a preflight says of a teacher's answers to validation rows. learned: labels of training rows."""

    @abstractmethod
    def of_trial(self, answers: Sequence[Tensor], labels: Tensor) -> dict[str, Any]:
        """What a sweep says of a trial. answers: of the student of each seed."""

    @abstractmethod
    def exported(self, network: nn.Module) -> nn.Module:
        """What answers as an exported file shall."""

    @abstractmethod
    def outputs(self) -> dict[str, Any]:
        """What the card of a file says of its answers."""

    @abstractmethod
    def of_file(self, blocks: Iterable[Block]) -> dict[str, Any]:
        """What running a file on the test rows shows, beside the network that it came from."""

    def named_of_file(self, kept: Sequence[tuple[Tensor, Tensor]]) -> Mapping[str, Any]:
        """The same by what the job named; nothing where it named no measure. kept: blocks of (answers, labels)."""
        if not self.by_name:
            return {}
        answers, labels = (torch.cat(parts) for parts in zip(*kept, strict=True))
        found = [each for each in self.by_name if self.unmeasured(each, labels) is None]
        return {"measures": {each.name: self.value_of(each, answers, labels) for each in found}}

    @abstractmethod
    def sections(self, arms: Arms[Measures], labels: Tensor) -> TaskSections:
        """What a report has of this task besides. labels: of the test rows."""

    def lesson_note(self, train: Rows, seen: Tensor, learned: Tensor) -> str:
        """What the student saw. seen, learned: as `Data` has them."""
        labels = self.count(seen)
        return (
            f"The student saw {labels} labels and, through the teacher, {len(learned) - labels} rows without a label. "
            f"The baseline saw the same {labels} labels and nothing else, for as many optimizer steps."
        )

    def hearing_note(self, answers: int) -> str | None:
        """How the teacher was heard, where not as others are. answers: that it gave to the first epoch."""
        return None

    def data_notes(self) -> list[str]:
        """What a reader must know of how labels were read."""
        return []

    def text_notes(self, tokenizer: str, labels: Tensor, unknown: float) -> list[str]:
        """The same of texts. tokenizer: its kind. labels: of the test rows. unknown: share of their tokens."""
        return []

    def likelihood_notes(self, sections: TaskSections, *, student: int, teacher: int) -> list[str]:
        """What sections say in words. student, teacher: parameters, 0 where unknown."""
        return []
