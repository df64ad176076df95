"""Rules of thumb that hold for classifiers and recommenders alike, and how advice is put in order.

As those of `advice.py`, which has those of classifiers.
"""

import math
from collections.abc import Iterable

from qstill.contract.distillations.domains import TaughtJob
from qstill.contract.distillations.preflight import Found
from qstill.contract.distillations.preflight_parts import Advice, Rule, advice
from qstill.contract.distillations.recommenders.preflight import RankingFound
from qstill.contract.distillations.teachers.circuit import CircuitTeacher

MUCH_LARGER = 100.0  # times the student; Mirzadeh and others lost accuracy far below this
ORDER = {"problem": 0, "warning": 1, "note": 2}

AnyFound = Found | RankingFound


def in_order(said: Iterable[Advice], *, finite: bool) -> list[Advice]:
    """Problems first. finite: whether the losses of the first steps were numbers."""
    return sorted([*said, *([] if finite else [_not_finite()])], key=lambda each: ORDER[each.severity])


def _not_finite() -> Advice:
    detail = "The loss of the first batches is no number: the learning rate is too high, or the inputs are not scaled."
    return advice("loss_not_finite", "problem", detail, "/training/learning_rate")


def one_seed(job: TaughtJob, found: AnyFound) -> Rule:
    """A single pair has no interval."""
    if job.evaluation.baseline and job.evaluation.seeds == 1 and _has_labels(job):
        detail = "One seed gives no interval, so the verdict will be INCONCLUSIVE whatever comes out."
        yield advice("one_seed", "warning", detail, "/evaluation/seeds", 3)


def no_baseline(job: TaughtJob, found: AnyFound) -> Rule:
    """Nothing to compare with."""
    if not job.evaluation.baseline and _has_labels(job):
        detail = "Without a baseline nobody knows whether the teacher helped: there will be no verdict."
        yield advice("no_baseline", "warning", detail, "/evaluation/baseline", True)


def _has_labels(job: TaughtJob) -> bool:
    """That a baseline could learn from: a circuit teaches without."""
    return not isinstance(job.teacher, CircuitTeacher)


def sizes(job: TaughtJob, found: AnyFound) -> Rule:
    """A student larger than its teacher, and one that is far smaller."""
    ratio = found.capacity.ratio
    if ratio is not None and ratio < 1:
        detail = (
            f"The student has {found.capacity.student_parameters:,} parameters and the teacher "
            f"{found.capacity.teacher_parameters:,}: this does not compress. It may still help (born-again networks, "
            "1805.04770)."
        )
        yield advice("student_larger", "note", detail, "/student/architecture")
    if ratio is not None and ratio > MUCH_LARGER:
        middle = math.sqrt(ratio) * found.capacity.student_parameters
        detail = (
            f"The teacher has {ratio:,.0f} times the student's parameters. Where the gap is wide, a teacher's "
            f"assistant in between (some {middle:,.0f} parameters) may teach better: distil into it first, then teach "
            "with it (Mirzadeh et al., 1902.03393)."
        )
        yield advice("capacity_gap", "note", detail, "/student/architecture")


def too_large(job: TaughtJob, found: AnyFound) -> Rule:
    """More memory than a job may take, or than there is."""
    memory = found.memory
    if memory.peak > memory.limit:
        detail = (
            f"The job needs about {memory.peak >> 20:,} MiB, and one may take {memory.limit >> 20:,}: it will be ended."
        )
        smaller = max(1, job.training.batch_size // 2)
        yield advice("memory", "problem", detail, "/training/batch_size", smaller)
    elif memory.peak - memory.process > memory.available:
        detail = (
            f"The job needs about {(memory.peak - memory.process) >> 20:,} MiB more, and the worker's machine has "
            f"{memory.available >> 20:,} free now."
        )
        yield advice("memory_now", "warning", detail)
    if memory.cache > min(memory.cache_limit, memory.disk_free):
        detail = (
            f"The teacher's answers take {memory.cache >> 20:,} MiB, more than may be kept: every job asks the teacher "
            "anew."
        )
        yield advice("cache_too_small", "warning", detail, "/signal/precision", "float16")


def too_long(job: TaughtJob, found: AnyFound) -> Rule:
    """More time than an attempt may take; a job goes on where it was, but not after a limit."""
    time = found.time
    if time.total.low > time.limit:
        detail = f"The job takes at least {time.total.low:,.0f} s, and an attempt may take {time.limit:,.0f}."
        yield advice("time", "problem", detail, "/training/epochs")
    elif time.total.high > time.limit:
        detail = f"The job may take {time.total.high:,.0f} s, and an attempt may take {time.limit:,.0f}."
        yield advice("time", "warning", detail, "/training/epochs")


COMMON_RULES = (one_seed, no_baseline, sizes, too_large, too_long)
