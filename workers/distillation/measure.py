"""Measuring what a job trained. The only place that reads the test rows, once everything is trained."""

from torch import Tensor, nn

from app.distillations.schemas import DistillationJob
from workers.distillation.checkpoints import to_bytes
from workers.distillation.data import Data
from workers.distillation.evaluate import latency, size, soft_gradient
from workers.distillation.learner import Learner, tokens_of
from workers.distillation.networks.network import Network
from workers.distillation.plan import Lesson, Stage
from workers.distillation.report import Cost, Findings, Subject, subject
from workers.distillation.state import Outcome
from workers.distillation.students import logits_of
from workers.distillation.teachers import Teacher, Use

GRADIENT_ROWS = 256  # enough to see whether the teacher is heard
GRADIENT_TEXTS = 4  # rows of a language model, which has an answer for each of their tokens


def measure(
    job: DistillationJob,
    data: Data,
    teacher: Teacher,
    lesson: Lesson,
    pairs: list[tuple[Stage, Stage]],
    outcomes: dict[str, Outcome],
    *,
    answers: Tensor,
    use: Use,
) -> Findings:
    """lesson: the students'. pairs: (student, baseline) of every seed. outcomes: of every stage trained, by its name.

    answers: the teacher's logits (test rows, classes). use: what its signal cost.
    """
    chosen = outcomes.get("teacher")
    first = pairs[0][0]
    return Findings(
        teacher=subject(
            answers,
            data,
            answers,
            seed=None,
            epoch=chosen and chosen.epoch,
            validation_accuracy=chosen and chosen.validation_accuracy,
        ),
        students=[_subject(student, data, outcomes, answers) for student, _ in pairs],
        baselines=[_subject(baseline, data, outcomes, answers) for _, baseline in pairs if job.evaluation.baseline],
        teacher_cost=None if teacher.network is None else _cost(teacher.network, teacher.bytes, data),
        student_cost=_cost(trained(first, outcomes, data), len(checkpoint(first, outcomes, data)), data),
        soft_gradient=_soft_gradient(first, lesson, data),
        signal=use,
        teacher_digest=teacher.digest,
        teacher_parameters=teacher.parameters,
        teacher_notes=teacher.notes,
        curves={name: outcome.curve for name, outcome in outcomes.items()},
    )


def _soft_gradient(stage: Stage, lesson: Lesson, data: Data) -> float | None:
    """Of the untrained student, on some of the rows that it learns from; None where the teacher only wrote labels."""
    if lesson.signal is None:
        return None
    heard = data.learned[: GRADIENT_ROWS if not data.language else GRADIENT_TEXTS]
    learner = Learner(stage, lesson, data)
    assert learner.criterion is not None
    network, criterion = learner.network.cpu(), learner.criterion.cpu()
    answers = tokens_of(heard, data.train.x.shape[1]) if data.language else heard
    labels = data.seen[heard].flatten() if data.language else data.seen[heard]
    return soft_gradient(network, data.train.x[heard], lesson.signal.rows(answers), labels, criterion)


def trained(stage: Stage, outcomes: dict[str, Outcome], data: Data) -> Network:
    """The network of a finished stage, with the weights of its best epoch."""
    network = stage.begin(data)
    network.load_state_dict(outcomes[stage.name].weights)
    return network


def checkpoint(stage: Stage, outcomes: dict[str, Outcome], data: Data) -> bytes:
    """The published file of a finished stage."""
    return to_bytes(outcomes[stage.name].weights, stage.architecture, data)


def _subject(stage: Stage, data: Data, outcomes: dict[str, Outcome], answers: Tensor) -> Subject:
    chosen = outcomes[stage.name]
    return subject(
        logits_of(trained(stage, outcomes, data), data.test.x),
        data,
        answers,
        seed=stage.seed,
        epoch=chosen.epoch,
        validation_accuracy=chosen.validation_accuracy,
    )


def _cost(network: nn.Module, file_bytes: int, data: Data) -> Cost:
    return Cost(size(network, data.input_shape, file_bytes), latency(network, data.train.x[0]))
