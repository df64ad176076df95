"""What a quantum student is stood beside: the same lesson, learned by something simpler from the same seeds."""

from collections.abc import Mapping
from dataclasses import replace

from qstill.contract.distillations.architectures import AnyArchitecture, family_of
from qstill.contract.distillations.architectures.mlp import Mlp
from qstill.contract.distillations.architectures.pieces import MAX_WIDTH
from qstill.contract.distillations.job import DistillationJob
from qstill.contract.distillations.objectives import Kd, Objective, OnLogits, Sum
from qstill.contract.distillations.report.quantum import IN_WORDS, Control
from workers.distillation.data.dataset import Data
from workers.distillation.networks.costs import parameters
from workers.distillation.training.plan import Lesson, Stage

Controls = Mapping[Control, list[Stage]]


def control_stages(job: DistillationJob, students: list[Stage], data: Data) -> Controls:
    """Each control's networks, one for each student; none for a student that needs no control."""
    first = students[0]
    if not (family_of(first.architecture).is_circuit and job.evaluation.controls):
        return {}
    simpler = {**family_of(first.architecture).controls(first.architecture), **_classical(first, data)}
    return {
        name: [_instead_of(student, name, simpler[name], number) for number, student in enumerate(students)]
        for name in IN_WORDS
        if name in simpler
    }


def _classical(student: Stage, data: Data) -> dict[str, AnyArchitecture]:
    """An mlp of about as many weights, of one hidden layer as wide as one may be, and one without a hidden layer."""
    weights = parameters(student.begin(data))
    inputs, classes = data.train.x[0].numel(), len(data.classes)
    hidden = min(MAX_WIDTH, max(1, round((weights - classes) / (inputs + 1 + classes))))
    return {"same_size_mlp": Mlp(kind="mlp", hidden=[hidden]), "linear": Mlp(kind="mlp", hidden=[])}


def _instead_of(student: Stage, name: Control, architecture: AnyArchitecture, number: int) -> Stage:
    return replace(
        student,
        name=f"{name}-seed-{student.seed}",
        phase=f"{IN_WORDS[name]}, {number + 1}",
        role="control",
        architecture=architecture,
    )


def control_lesson(lesson: Lesson) -> Lesson:
    """The students', as far as it compares answers: a control has other features, or none."""
    return replace(lesson, objective=None if lesson.objective is None else _of_answers(lesson.objective), begun=None)


def _of_answers(objective: Objective) -> Objective:
    if isinstance(objective, Sum):
        terms = [term for term in objective.terms if isinstance(term.objective, OnLogits)]
        return objective.model_copy(update={"terms": terms}) if terms else Kd()
    return objective if isinstance(objective, OnLogits) else Kd()
