"""From measured steps to the time of a job, and from counted bytes to its memory."""

import math
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import psutil

from ledger.settings import machine_memory
from qstill.contract.distillations.architectures.fourier import Fourier, nodes_of
from qstill.contract.distillations.evaluation import MAX_EVALUATIONS
from qstill.contract.distillations.job import DistillationJob
from qstill.contract.distillations.preflight_parts import Capacity, Memory, Seconds, Time
from qstill.contract.distillations.spec import is_solved, student_count
from qstill.contract.distillations.teachers import parts
from qstill.contract.distillations.teachers.remote import EndpointTeacher, ServedTeacher
from workers.distillation.artifacts.clock import LATENCY_SECONDS
from workers.distillation.data.dataset import Data
from workers.distillation.preflight.pace import Pace
from workers.distillation.preflight.rehearsal import Rehearsal
from workers.distillation.signals.answers_on_disk import Layout
from workers.distillation.teachers import Teacher
from workers.run import Run

CALMER, BUSIER = 0.7, 1.4  # a later hour on the same machine
BYTES = 4  # of a number in single precision
SEARCHES = 2  # for a minimum, that ask a circuit besides its surrogate
REPORT_SECONDS = 0.5  # checkpoints, cards and pictures' numbers, of a small job


@dataclass(frozen=True)
class Costs:
    """What was measured. loading: seconds. process: bytes. per_row: seconds that the teacher takes for a row.

    rows_asked: of the teacher, by the last request. features: bytes of a row's that are held beside the answers.
    trained: teachers that the job trains. controls: of a quantum student, one of each. engine_memory: bytes.
    """

    job: DistillationJob
    data: Data
    loading: float
    process: int
    teacher: Teacher
    per_row: float
    rows_asked: int
    features: int
    trained: list[Rehearsal]
    student: Rehearsal
    baseline: Rehearsal | None
    controls: list[Rehearsal]
    engine: Seconds
    engine_memory: int
    exports: Seconds
    compression: Seconds
    search: Seconds

    @property
    def everything(self) -> list[Rehearsal]:
        return [*self.trained, *self.taught]

    @property
    def taught(self) -> list[Rehearsal]:
        """What each seed trains."""
        return [self.student, *([self.baseline] if self.baseline else []), *self.controls]

    def total_steps(self) -> int:
        """Of all that is trained, over all seeds."""
        seeds = student_count(self.job)
        steps = sum(each.total_steps for each in self.trained)
        return steps + seeds * sum(each.total_steps for each in self.taught)


def time_of(costs: Costs, *, limit: float) -> Time:
    """limit: seconds that one attempt may take."""
    seeds = student_count(costs.job)
    timed = 1 + (costs.teacher.network is not None)
    parts = {
        "teacher_training": total_of([training_time(each, 1) for each in costs.trained]),
        "teacher_answers": _answers(costs),
        "search": costs.search,
        "students": training_time(costs.student, seeds),
        "baselines": training_time(costs.baseline, seeds) if costs.baseline else NOTHING,
        "controls": total_of([training_time(each, seeds) for each in costs.controls]),
        "engine": costs.engine,
        "exports": costs.exports,
        "compression": costs.compression,
        "rest": around(costs.loading + timed * LATENCY_SECONDS + REPORT_SECONDS),
    }
    return time_with(parts, costs.everything, limit=limit)


def time_with(parts: dict[str, Seconds], rehearsed: Sequence[Pace], *, limit: float) -> Time:
    """parts: by the names of Time's fields, one after the other."""
    steps = sum(each.steps for each in rehearsed)
    return Time(**parts, steps_measured=steps, total=total_of(list(parts.values())), limit=limit)


def training_time(each: Pace, times: int) -> Seconds:
    """Of so many networks that are trained alike."""
    training = each.training
    least = min(training.epochs, training.patience + 1) if training.patience else training.epochs
    faster, mean, slower = _halves(each.seconds)
    per_batch = times * each.batches_per_epoch
    besides = times * each.per_epoch
    return Seconds(
        expected=training.epochs * (per_batch * mean + besides),
        low=least * (per_batch * faster + besides) * CALMER,
        high=training.epochs * (per_batch * slower + besides) * BUSIER,
    )


def _halves(seconds: list[float]) -> tuple[float, float, float]:
    """Means of the faster half, of all, and of the slower half; a mean, because it is their sum that one waits for."""
    ordered = sorted(seconds)
    middle = (len(ordered) + 1) // 2
    return fmean(ordered[:middle]), fmean(ordered), fmean(ordered[-middle:])


def _answers(costs: Costs) -> Seconds:
    """Asking about all splits, and of searches. The views of augmented rows are part of the students' epochs."""
    data, nodes = costs.data, _nodes(costs.job)
    rows = len(data.train.y) + len(data.validation.y) + len(data.test.y) + nodes
    if costs.job.evaluation.minimise is not None:
        rows += SEARCHES * min(nodes or len(data.train.y) + len(data.validation.y), MAX_EVALUATIONS)
    ours = costs.per_row * rows
    remote = [spec for _, spec in parts(costs.job.teacher) if isinstance(spec, EndpointTeacher | ServedTeacher)]
    if not remote:
        return around(ours)
    a_request = costs.per_row * costs.rows_asked  # the rows that were asked were one
    least = max(_requests(spec, rows, data) / spec.requests_per_second for spec in remote)
    requests = max(_requests(spec, rows, data) for spec in remote)
    return around(max(least, ours), max(least, min(ours, requests * a_request)))


def _requests(spec: EndpointTeacher | ServedTeacher, rows: int, data: Data) -> int:
    """That a server gets for so many rows."""
    if isinstance(spec, EndpointTeacher):
        return math.ceil(rows / spec.rows_per_request)
    prompts = rows if spec.log_probabilities == "echo" else rows * data.input_shape[0]
    return math.ceil(prompts / spec.prompts_per_request)


def _nodes(job: DistillationJob) -> int:
    """Of a grid that a circuit is asked about besides: more than one by which it is solved on rows."""
    architecture = job.student.architecture
    if not (is_solved(job) and isinstance(architecture, Fourier) and isinstance(architecture.frequencies, list)):
        return 0
    return nodes_of(architecture.frequencies)


def around(expected: float, least: float | None = None) -> Seconds:
    """What takes so long now, at another hour. least: seconds, where it may take fewer."""
    least = expected if least is None else least
    return Seconds(expected=expected, low=least * CALMER, high=expected * BUSIER)


NOTHING = around(0.0)


def total_of(parts: list[Seconds]) -> Seconds:
    """One after the other."""
    return Seconds(
        expected=sum(part.expected for part in parts),
        low=sum(part.low for part in parts),
        high=sum(part.high for part in parts),
    )


def capacity_of(student: tuple[int, int], teacher: tuple[int | None, int | None]) -> Capacity:
    """Both: (weights and biases, multiply-adds); None where nobody knows."""
    return Capacity(
        student_parameters=student[0],
        teacher_parameters=teacher[0],
        ratio=None if teacher[0] is None else teacher[0] / student[0],
        student_multiply_adds=student[1],
        teacher_multiply_adds=teacher[1],
    )


def memory_of(costs: Costs, run: Run, *, limit: int | None) -> Memory:
    """limit: bytes that one job may take; None: half of this machine."""
    largest = max(costs.everything, key=lambda each: each.parameters * each.copies + each.kept / BYTES)
    weights = BYTES * (largest.parameters + costs.teacher.parameters)
    optimizer = BYTES * largest.parameters * largest.copies
    storage, data, classes = costs.job.signal, costs.data, len(costs.data.classes)
    splits = [Layout(len(rows.labels), classes).bytes for rows in (data.validation, data.test)]
    judged = 2 * max(splits)  # all logits of a split, and the blocks that they are put together from
    activations = max(max(each.kept, each.evaluated + judged) for each in costs.everything)
    layout = Layout(data.task.asked(len(data.train.labels)), classes, storage.precision, storage.kept(classes))
    shared = costs.teacher.lasting and run.cache is not None
    held = layout.bytes if shared else 2 * layout.bytes  # the blocks, and what they are put together to
    kept = layout.bytes + sum(splits) if shared else 0
    answers = (
        held + sum(splits) + costs.features * (data.train.y.numel() if data.task.every_token else len(data.train.y))
    )
    place = run.cache if run.cache is not None and run.cache.exists() else run.scratch
    parts = {"process": costs.process, "weights": weights, "optimizer": optimizer}
    parts |= {"activations": activations, "answers": answers, "engine": costs.engine_memory}
    return memory_with(parts, run, limit=limit, cache=kept, place=place)


def memory_with(parts: dict[str, int], run: Run, *, limit: int | None, cache: int, place: Path) -> Memory:
    """parts: bytes by the names of Memory's fields, all there at once. cache: bytes that are kept, in `place`."""
    return Memory(
        **parts,
        peak=sum(parts.values()),
        limit=limit or machine_memory() // 2,
        available=psutil.virtual_memory().available,
        cache=cache,
        cache_limit=run.cache_bytes if run.cache is not None else 0,
        disk_free=shutil.disk_usage(place).free,
    )
