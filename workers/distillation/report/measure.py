"""Measuring what a job trained. The only place that reads the test rows, once everything is trained."""

from torch import Tensor, nn

from qstill.contract.circuits.device import Device
from qstill.contract.distillations.job import DistillationJob
from qstill.contract.distillations.spec import trains_baseline
from workers.distillation.artifacts.checkpoints import to_bytes
from workers.distillation.artifacts.clock import Latency, latency, latency_of, timed
from workers.distillation.data.dataset import Data
from workers.distillation.networks.answers import logits_of
from workers.distillation.networks.circuits.network import CircuitNetwork
from workers.distillation.quality import Size, size
from workers.distillation.quantum.cost import circuit_cost
from workers.distillation.report.frame import Cost
from workers.distillation.report.measurements import Answers, RowMeasurements, subject
from workers.distillation.rows import Rows
from workers.distillation.teachers import Teacher, Use
from workers.distillation.teachers.kinds import misnamed
from workers.distillation.training.keeper import Outcome
from workers.distillation.training.plan import Stage

SIMULATED = "one row, simulated"


def measure(
    job: DistillationJob,
    data: Data,
    teacher: Teacher,
    soft_gradient: float | None,
    pairs: list[tuple[Stage, Stage]],
    outcomes: dict[str, Outcome],
    *,
    answers: Tensor,
    use: Use,
) -> RowMeasurements:
    """soft_gradient: of the teacher's term, before training. pairs: (student, baseline) of every seed.

    outcomes: of every stage trained, by its name. answers: the teacher's logits (test rows, classes).
    use: what its signal cost.
    """
    chosen = outcomes.get("teacher")
    first = pairs[0][0]
    return RowMeasurements(
        task=data.task,
        test_labels=data.test.labels,
        teacher=subject(
            answers,
            data,
            answers,
            seed=None,
            epoch=chosen and chosen.epoch,
            validation_score=chosen and chosen.validation_score,
        ),
        students=[answers_of_stage(student, data, outcomes, answers) for student, _ in pairs],
        baselines=[
            answers_of_stage(baseline, data, outcomes, answers) for _, baseline in pairs if trains_baseline(job)
        ],
        teacher_cost=teacher_cost(teacher, data),
        student_cost=_cost(first.trained(outcomes, data), len(checkpoint(first, outcomes, data)), data, _device(job)),
        soft_gradient=soft_gradient,
        signal=use,
        teacher_digest=teacher.digest,
        student_warnings=tuple(doubt.said for doubt in first.begin(data).doubts()),
        teacher_parameters=teacher.parameters,
        teacher_notes=teacher.notes,
        teacher_warnings=(*teacher.warnings, *(misnamed(answers) if data.task.answers == "logits" else ())),
        curves={name: outcome.curve for name, outcome in outcomes.items() if outcome.curve},  # none of what was pruned
    )


def _device(job: DistillationJob) -> Device | None:
    return None if job.evaluation.quantum is None else job.evaluation.quantum.device


def checkpoint(stage: Stage, outcomes: dict[str, Outcome], data: Data) -> bytes:
    """The published file of a finished stage."""
    return to_bytes(outcomes[stage.name].weights, stage.architecture, data)


def answers_of_stage(stage: Stage, data: Data, outcomes: dict[str, Outcome], answers: Tensor) -> Answers:
    """A finished stage's network on the test rows. answers: the teacher's logits (test rows, classes)."""
    chosen = outcomes[stage.name]
    return subject(
        logits_of(stage.trained(outcomes, data), data.test.x, data.test.answered),
        data,
        answers,
        seed=stage.seed,
        epoch=chosen.epoch,
        validation_score=chosen.validation_score,
    )


def teacher_cost(teacher: Teacher, data: Data) -> Cost | None:
    """What a teacher of any origin takes; None where only its answers are known.

    Its network is timed as a student's, an ONNX model by onnxruntime, an ensemble as its members one after the other,
    an endpoint by the requests of many rows that this job sent it.
    """
    if teacher.members:
        costs = [teacher_cost(member, data) for member in teacher.members]
        return _sum([cost for cost in costs if cost is not None]) if all(costs) else None
    if teacher.network is not None:
        return _cost(teacher.network, teacher.bytes, data)
    if teacher.round_trips:
        return Cost(None, latency_of(teacher.round_trips), "one request to the endpoint, of many rows, and its answer")
    if teacher.circuit is not None:
        one = _first(data)
        return Cost(None, timed(lambda: teacher.logits(one)), SIMULATED)
    if not teacher.bytes:
        return None
    one = _first(data)
    size = Size(teacher.parameters, teacher.bytes, teacher.multiply_adds or None)
    return Cost(size, timed(lambda: teacher.logits(one)), f"one row by {teacher.by}")


def _sum(members: list[Cost]) -> Cost:
    """One member after the other; what is not known of one is not known of all."""
    sizes = [cost.size for cost in members if cost.size is not None]
    counts = [size.multiply_adds for size in sizes if size.multiply_adds is not None]
    size = None
    if len(sizes) == len(members):
        parameters, file_bytes = sum(each.parameters for each in sizes), sum(each.bytes for each in sizes)
        size = Size(parameters, file_bytes, sum(counts) if len(counts) == len(members) else None)
    latencies = [cost.latency for cost in members]
    p50, p95 = sum(each.p50_ms for each in latencies), sum(each.p95_ms for each in latencies)
    timed_ = Latency(p50, p95, min(each.runs for each in latencies))
    return Cost(size, timed_, "the sum of its members' medians, and of their 95th percentiles")


def _first(data: Data) -> Rows:
    rows = data.train
    return Rows(rows.raw[:1], rows.x[:1], rows.y[:1], rows.index[:1])


def _cost(network: nn.Module, file_bytes: int, data: Data, device: Device | None = None) -> Cost:
    """device: for which circuits are compiled."""
    taken, took = size(network, data.input_shape, file_bytes), latency(network, data.train.x[0])
    if not isinstance(network, CircuitNetwork):
        return Cost(taken, took)
    return Cost(taken, took, SIMULATED, circuit_cost(network, device))
