"""Which networks a job trains, and from what each of them learns."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from qstill.contract.distillations.architectures import AnyArchitecture
from qstill.contract.distillations.job import DistillationJob
from qstill.contract.distillations.objectives import Objective
from qstill.contract.distillations.spec import student_count
from qstill.contract.distillations.teachers import TrainedTeacher
from qstill.contract.distillations.training import Training
from qstill.contract.errors import Problem
from workers.distillation.data.dataset import Data
from workers.distillation.networks.families import build
from workers.distillation.networks.network import Network
from workers.distillation.networks.seeds import seed_of
from workers.distillation.objectives.terms import labelled_rows
from workers.distillation.rows import Rows
from workers.distillation.signals.signals import Signal
from workers.distillation.training.solution import Solution
from workers.distillation.training.stage import AnyStage, pairs


@dataclass(frozen=True)
class Lesson:
    """What is learned from. positions: training rows (any order), repeated until they fill an epoch of `epoch_rows`.

    labels: of every training row, -1 (of regression NaN) where hidden. signal: over every training row; None learns
    from labels alone.
    ask: what the teacher says about another view of all training rows, and the view's name.
    x: inputs in place of the training rows' own. begun: weights to begin from, by their names; None: random ones.
    solution: weights that follow from what the teacher answered, so that there is nothing to train.
    """

    positions: Tensor
    epoch_rows: int
    labels: Tensor
    signal: Signal | None = None
    objective: Objective | None = None
    ask: Callable[[Rows, str], Signal] | None = None
    x: Tensor | None = None
    begun: Mapping[str, Tensor] | None = None
    solution: Solution | None = None


@dataclass(frozen=True)
class Stage(AnyStage[AnyArchitecture, Training, Data, Network]):
    """pointer: of its architecture in the job."""

    pointer: str

    def begin(self, data: Data) -> Network:
        """The untrained network. Raises Problem architecture_mismatch."""
        seed = seed_of(self.weights_from, self.seed)
        return build(
            self.architecture,
            data.input_shape,
            len(data.classes),
            seed=seed,
            pointer=self.pointer,
            vocabulary=data.inputs.vocabulary,
            standardisation=data.standardisation,
            source=data.inputs.source,
            padding=data.inputs.padding,
        )

    def device(self) -> torch.device:
        """Where it is computed. Raises Problem no_cuda."""
        device = super().device()
        if self.training.precision == "float16" and not torch.cuda.is_available():
            title = "float16 needs a GPU, and this worker has none."
            pointer = f"{self.training_pointer}/precision"
            raise Problem("no_cuda", title, pointer=pointer, ways_out=[{"precision": "bfloat16"}])
        return device


def teacher_stage(job: DistillationJob, teacher: TrainedTeacher, member: int | None = None) -> Stage:
    """The teacher that this job trains. member: its number in an ensemble, whose members have seeds of their own."""
    training = teacher.training or job.training
    pointer = "/teacher" if member is None else f"/teacher/members/{member}"
    return Stage(
        name="teacher" if member is None else f"teacher-{member}",
        phase="teacher" if member is None else f"teacher {member + 1}",
        role="teacher",
        architecture=teacher.architecture,
        training=training,
        seed=training.seed + (member or 0),
        weights_from="teacher",
        pointer=f"{pointer}/architecture",
        training_pointer=f"{pointer}/training" if teacher.training else "/training",
    )


def student_stages(job: DistillationJob) -> list[tuple[Stage, Stage]]:
    """(student, baseline) of every seed, a pair with the same initial weights."""
    return pairs(
        Stage,
        first=job.training.seed,
        seeds=student_count(job),
        architecture=job.student.architecture,
        training=job.training,
        pointer="/student/architecture",
    )


def teacher_lesson(data: Data, teacher: TrainedTeacher) -> Lesson:
    """Every label of the training split, or as many as the student sees."""
    labels = data.train.y if teacher.labels == "all" else data.seen
    known = _labelled(labels)
    return Lesson(known, len(known), labels)


def student_lesson(
    job: DistillationJob, data: Data, signal: Signal, ask: Callable[[Rows, str], Signal] | None = None
) -> Lesson:
    """The labels that it may see, and what the teacher says."""
    return Lesson(data.learned, len(data.learned), data.seen, signal, job.objective, ask)


def baseline_lesson(data: Data) -> Lesson:
    """The student's labels, repeated to the length of its epoch: as many steps, without the teacher."""
    return Lesson(_labelled(data.seen), len(data.learned), data.seen)


def _labelled(labels: Tensor) -> Tensor:
    """Positions of the rows that have a label; for language modelling, at any of their tokens, for regression any."""
    return torch.nonzero(labelled_rows(labels)).flatten()
