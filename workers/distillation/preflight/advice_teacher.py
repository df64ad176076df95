"""Rules on what a teacher's answers say: its classes, its confidence, and whether it has anything to teach.

As those of `advice.py`, which has all others.
"""

from collections.abc import Iterator

from qstill.contract.distillations.job import DistillationJob
from qstill.contract.distillations.objectives import Dkd, LogitMse, LogitStd, Ramp, Single, TfKd, singles
from qstill.contract.distillations.preflight import Found
from qstill.contract.distillations.preflight_parts import Rule, advice, at
from qstill.contract.distillations.teachers import SoftLabels, TrainedTeacher, UploadedTeacher, parts
from qstill.contract.schemas import FieldPath
from workers.distillation.teachers.checks import objections_to, spec_at

NOISY = 0.8  # accuracy below which a teacher's answers alone mislead
MISCALIBRATED = 0.15
SATURATED_SHARE = 0.5
SMOOTHED_TEACHER = 0.05


def objections(job: DistillationJob, found: Found) -> Rule:
    """Classes in another order, and nothing to teach: what ends the job, unless it accepts that."""
    yield from objections_to(job, [*found.teachers, *found.regressors, *found.of_labels], found.shapes.class_names)


def label_smoothing(job: DistillationJob, found: Found) -> Rule:
    """A teacher that was trained with label smoothing says little of how classes resemble one another."""
    reason = (
        "Such a teacher's answers on a class are all alike, and its students are worse (Müller et al., 1906.02629)."
    )
    for check in found.teachers:
        if check.label_smoothing is not None:
            detail = (
                f"The largest probabilities pile up at {check.confidence:.2f} and the others are even, as after label "
                f"smoothing of about {check.label_smoothing:.2f}. {reason}"
            )
            yield advice("teacher_label_smoothing", "warning", detail, check.pointer)
    for place, spec in parts(job.teacher):
        training = (spec.training or job.training) if isinstance(spec, TrainedTeacher) else None
        if training is not None and training.label_smoothing >= SMOOTHED_TEACHER:
            own = isinstance(spec, TrainedTeacher) and spec.training is not None
            pointer = "".join(f"/{step}" for step in place) + "/training" if own else "/training"
            detail = f"The teacher is trained with label smoothing of {training.label_smoothing:g}. {reason}"
            yield advice("teacher_label_smoothing", "warning", detail, f"{pointer}/label_smoothing", 0.0)


def answers_are_probabilities(job: DistillationJob, found: Found) -> Rule:
    """Probabilities that are taken for logits are nearly even once a softmax is over them."""
    for check in found.teachers:
        if check.answers_are == "probabilities":
            detail = (
                "The answers are distributions, and are read as logits: their softmax is nearly even, so the student "
                "learns next to nothing."
            )
            fixed = isinstance(spec_at(job, check.pointer), UploadedTeacher | SoftLabels)
            pointer = f"{check.pointer}/kind" if fixed else check.pointer
            yield advice("answers_are_probabilities", "problem", detail, pointer, "probabilities" if fixed else None)


def log_probabilities_matched(job: DistillationJob, found: Found) -> Rule:
    """Squared differences depend on the level of the logits, which log-probabilities have lost."""
    given = any(check.answers_are == "log_probabilities" for check in found.teachers)
    for place, single in singles(job.objective):
        if given and isinstance(single, LogitMse):
            detail = (
                "The teacher gives log-probabilities. Those of classes that it rules out are far below, and squared "
                "differences are mostly theirs; kd weighs classes by their probability."
            )
            yield advice("log_probabilities_matched", "note", detail, at(place, "kind"), "kd")


def temperature(job: DistillationJob, found: Found) -> Rule:
    """A teacher whose answers at the job's temperature are as hard as labels."""
    for check in found.teachers[:1]:
        if check.saturated < SATURATED_SHARE or check.temperature is None or job.signal.draws is not None:
            continue
        for place, single in _softened(job):
            given = _number(single)
            if given is not None and given < check.temperature:
                detail = (
                    f"At T = 1 the teacher is surer than 0.999 on {check.saturated:.0%} of the validation rows. At "
                    f"T = {given:g} it is still nearly a label; from T = {check.temperature:g} on, half of its answers "
                    "leave a tenth to the other classes, and that is what a student learns from (1503.02531)."
                )
                yield advice("temperature_low", "warning", detail, at(place, "temperature"), check.temperature)


def drawn_at_another_temperature(job: DistillationJob, found: Found) -> Rule:
    """Shares of draws are right on average as they are, and not once a temperature has bent them."""
    if job.signal.draws is None:
        return
    for place, single in _softened(job):
        if getattr(single, "temperature", 1.0) != 1.0:
            detail = (
                "What is drawn from the teacher's probabilities stands on average for all of them, at temperature 1 "
                "alone: at another, classes that were not drawn are taken for impossible (2503.16870)."
            )
            yield advice("drawn_at_another_temperature", "warning", detail, at(place, "temperature"), 1.0)


def _softened(job: DistillationJob) -> Iterator[tuple[FieldPath, Single]]:
    """The losses whose temperature softens the teacher, and not a virtual or a standardised one."""
    for place, single in singles(job.objective):
        if hasattr(single, "temperature") and not isinstance(single, LogitStd | TfKd):
            yield place, single


def _number(single: Single) -> float | None:
    """A temperature that stays what it is; None for one that moves."""
    given = getattr(single, "temperature", None)
    return None if given is None or isinstance(given, Ramp) else float(given)


def miscalibrated(job: DistillationJob, found: Found) -> Rule:
    """Confidence that is far from accuracy is taught with the rest."""
    for check in found.teachers[:1]:
        if check.expected_calibration_error > MISCALIBRATED and check.accuracy > check.chance:
            detail = (
                f"The teacher's confidence is off by {check.expected_calibration_error:.2f} on average; the student "
                "learns that too. Soft labels of a calibrated teacher carry more (Guo et al., 1706.04599)."
            )
            yield advice("teacher_miscalibrated", "note", detail, check.pointer)


def noisy_teacher_alone(job: DistillationJob, found: Found) -> Rule:
    """Labels that are there and not heard, with a teacher that is often wrong."""
    noisy = [check for check in found.teachers[:1] if check.chance < check.accuracy < NOISY]
    for place, single in singles(job.objective):
        if noisy and getattr(single, "alpha", None) == 1.0 and not isinstance(single, Dkd):
            detail = (
                f"With alpha = 1 the student hears only the teacher, which is right on {noisy[0].accuracy:.0%} of the "
                f"validation rows; {found.data.labelled_rows} labels are there and unused."
            )
            yield advice("noisy_teacher_alone", "warning", detail, at(place, "alpha"), 0.5)


TEACHER_RULES = (
    objections,
    answers_are_probabilities,
    log_probabilities_matched,
    label_smoothing,
    temperature,
    drawn_at_another_temperature,
    miscalibrated,
    noisy_teacher_alone,
)
