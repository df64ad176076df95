"""Measures that do not exist of what this job learns."""

from qstill.contract.distillations.datasets import BUILTIN_ROWS_AND_CLASSES, BuiltinData
from qstill.contract.distillations.measures.measure import NAMED, Learned, measure_of, top, top_of
from qstill.contract.distillations.spec import DistillationSpec, learned
from qstill.contract.schemas import FieldPath, refuse

OF_WHAT: dict[Learned, str] = {
    "classes": "a class for each row",
    "tokens": "tokens",
    "numbers": "real numbers",
    "labels": "several labels a row",
}


def refuse_unfit_measures(job: DistillationSpec) -> None:
    """Raise a validation error where a named measure is not one of what is learned, or stands there twice."""
    asked, what = job.evaluation, learned(job)
    named: list[tuple[FieldPath, str]] = [(("measures", place), name) for place, name in enumerate(asked.measures)]
    named = [(("verdict",), asked.verdict), *named] if asked.verdict is not None else named
    for place, name in named:
        if what not in measure_of(name).fits:
            fitting = [each.name for each in NAMED if what in each.fits]
            fitting += ["top_2, top_3, …"] if what in top(2).fits else []
            reason = f"{name} is no measure of what is learned here, {OF_WHAT[what]}: choose {', '.join(fitting)}"
            refuse(("evaluation", *place), "measure_mismatch", reason, name)
        if isinstance(job.dataset, BuiltinData) and (why := too_few_classes(name, _classes(job.dataset))):
            refuse(("evaluation", *place), "too_few_classes", why, name)
    for position, name in enumerate(asked.measures):
        if name in asked.measures[:position]:
            refuse(("evaluation", "measures", position), "named_twice", "a measure is named once", name)


def too_few_classes(name: str, classes: int) -> str | None:
    """Why a measure says nothing with so many classes; None where it says something."""
    count = top_of(name)
    if count is None or 1 < count < classes:
        return None
    if count == 1:
        return "top_1 is accuracy: name that"
    most = f"top_{classes - 1} at most" if classes > 2 else "choose accuracy"
    return f"there are {classes} classes, and each is among the {count} likeliest: {most}"


def _classes(data: BuiltinData) -> int:
    return BUILTIN_ROWS_AND_CLASSES[data.name][1]
