"""What needs one class a row, and neither regression nor several labels have: it is refused at the door."""

from typing import Any

from qstill.contract.distillations.datasets import has_several_labels
from qstill.contract.distillations.objectives import OnFeatures, Single, singles
from qstill.contract.distillations.spec import DistillationSpec, learns_numbers, trainings
from qstill.contract.distillations.teachers import EnsembleTeacher, SoftLabels, UploadedTeacher, parts
from qstill.contract.distillations.teachers.circuit import CircuitTeacher
from qstill.contract.distillations.teachers.remote import EndpointTeacher
from qstill.contract.schemas import FieldPath, refuse

FITTING = "logit_mse, or on features fitnet, at, rkd, sp, pkt or crd, or a sum of these"


def fits_regression(objective: Single) -> bool:
    """Whether a loss exists without classes."""
    return isinstance(objective, OnFeatures) or objective.kind == "logit_mse"


def refuse_unfit_for_regression(job: DistillationSpec) -> None:
    """Raise a validation error where a job has no class for each row and asks for what only classes have."""
    if has_several_labels(job.dataset):
        _refuse_unfit_for_labels(job)
        return
    if not learns_numbers(job):
        for place, teacher in parts(job.teacher):
            if isinstance(teacher, SoftLabels) and teacher.kind == "values":
                reason = "these labels are classes, and values are no distribution over them"
                refuse((*place, "kind"), "only_for_regression", reason, "values")
        return
    for place, single in singles(job.objective):
        if not fits_regression(single):
            reason = f"{single.kind} compares classes, and what is learned here are real numbers: choose {FITTING}"
            refuse((*place, "kind"), "objective_mismatch", reason, single.kind)
    _refuse_teachers(job)
    _refuse_class_options(job, "what is learned here are real numbers")


def _refuse_unfit_for_labels(job: DistillationSpec) -> None:
    for place, single in singles(job.objective):
        if not fits_regression(single) and single.kind != "kd":
            reason = (
                f"{single.kind} compares classes of which a row has one, and here it has several: choose kd, {FITTING}"
            )
            refuse((*place, "kind"), "objective_mismatch", reason, single.kind)
    for place, teacher in parts(job.teacher):
        if isinstance(teacher, SoftLabels) and teacher.kind in ("values", "counts"):
            reason = "a row has several labels: the teacher says `probabilities` or `logits` of each"
            refuse((*place, "kind"), "kind_mismatch", reason, teacher.kind)
        if isinstance(teacher, EndpointTeacher):
            reason = "an endpoint is asked for one class a row: upload its answers as soft labels (rows, labels)"
            refuse((*place, "source"), "teacher_mismatch", reason, teacher.source)
        if isinstance(teacher, CircuitTeacher):
            refuse((*place, "source"), "teacher_mismatch", "a circuit teaches numbers, and no labels", teacher.source)
    _refuse_class_options(job, "a row has several labels here, and no class")


def _refuse_teachers(job: DistillationSpec) -> None:
    if isinstance(job.teacher, EnsembleTeacher) and job.teacher.average == "geometric":
        reason = "the geometric mean is one of probabilities; numbers have their plain mean, `probabilities` here"
        refuse(("teacher", "average"), "only_for_classification", reason, "geometric")
    for place, teacher in parts(job.teacher):
        if isinstance(teacher, SoftLabels) and teacher.kind != "values":
            reason = "the labels of this data are real numbers, and the teacher's answers must be such: `values`"
            refuse((*place, "kind"), "only_for_classification", reason, teacher.kind)
        if isinstance(teacher, UploadedTeacher) and teacher.kind not in (None, "logits"):
            reason = "a teacher of real numbers gives no probabilities: leave it out"
            refuse((*place, "kind"), "only_for_classification", reason, teacher.kind)


def _refuse_class_options(job: DistillationSpec, why: str) -> None:
    data, signal = job.dataset, job.signal
    unfit: list[tuple[FieldPath, bool, str, Any]] = [
        (("dataset", "label_noise"), bool(data.label_noise), "labels are replaced by other classes", data.label_noise),
        (("dataset", "leave_out"), bool(data.leave_out), "there are no classes to leave out", data.leave_out),
        (("signal", "top_k"), signal.top_k is not None, "there are no classes to keep the likeliest of", signal.top_k),
        (("signal", "draws"), signal.draws is not None, "there are no classes to draw", signal.draws),
        (
            ("signal", "precision"),
            signal.precision != "float32",
            "half precision is for what a softmax follows: keep float32",
            signal.precision,
        ),
        (("training", "bias_correction"), job.training.bias_correction, "there are no classes to correct", True),
    ]
    for place, training in trainings(job):
        smoothing, weights = training.label_smoothing, training.class_weights
        unfit += [
            ((*place, "label_smoothing"), bool(smoothing), "there are no classes to spread a label over", smoothing),
            ((*place, "class_weights"), weights != "none", "there are no classes to weigh", weights),
            ((*place, "balanced_batches"), training.balanced_batches, "there are no classes to balance", True),
        ]
    for place, asked, reason, given in unfit:
        if asked:
            refuse(place, "only_for_classification", f"{why}: {reason}", given)
