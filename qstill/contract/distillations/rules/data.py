"""Splits, standardisation, views and stored answers that this job's data cannot have."""

from qstill.contract.distillations.architectures import family_of
from qstill.contract.distillations.datasets import BUILTIN_IMAGES, BUILTIN_ROWS_AND_CLASSES, AnyDataset, BuiltinData
from qstill.contract.distillations.spec import DistillationSpec, architectures, trainings
from qstill.contract.distillations.teachers import SoftLabels, parts
from qstill.contract.schemas import refuse


def refuse_unfit_data(job: DistillationSpec) -> None:
    """Raise a validation error where what is known of the data without reading it rules the job out."""
    _refuse_impossible_splits(job.dataset)
    if isinstance(job.dataset, BuiltinData) and job.dataset.name not in BUILTIN_IMAGES:
        _refuse_images_only(job)
    _refuse_impossible_views(job)
    _refuse_impossible_storage(job)


def _refuse_impossible_splits(data: AnyDataset) -> None:
    if not isinstance(data, BuiltinData):
        return  # its rows and classes are known once it is read
    rows, classes = BUILTIN_ROWS_AND_CLASSES[data.name]
    if data.labelled is not None and data.labelled < classes:
        reason = f"{data.name} has {classes} classes, and each needs at least one labelled row"
        refuse(("dataset", "labelled"), "too_few_labels", reason, data.labelled)
    if data.labelled is not None and data.labelled > rows * (1 - data.validation - data.test) + classes:
        reason = f"{data.name} has {rows} rows, and {data.validation + data.test:.0%} of them are held out"
        refuse(("dataset", "labelled"), "too_many_labels", reason, data.labelled)


def _refuse_images_only(job: DistillationSpec) -> None:
    for place, architecture in architectures(job):
        if family_of(architecture).reads == "images":
            reason = f"a {architecture.kind} needs images; digits is the built-in data set that has them"
            refuse((*place, "architecture", "kind"), "architecture_mismatch", reason, architecture.kind)
    if job.dataset.standardise == "channel":
        refuse(("dataset", "standardise"), "architecture_mismatch", "only images have channels", "channel")


def _refuse_impossible_views(job: DistillationSpec) -> None:
    how = job.training.augmentation
    tables = isinstance(job.dataset, BuiltinData) and job.dataset.name not in BUILTIN_IMAGES
    for place, training in trainings(job):
        if training.augmentation is None:
            continue
        if tables:
            refuse((*place, "augmentation"), "augmentation_needs_images", "only images are augmented", None)
        if (training.augmentation.flip or training.augmentation.crop) and job.dataset.standardise == "feature":
            reason = "flip and crop move pixels to where others were standardised: divide by `channel`, or by nothing"
            refuse(("dataset", "standardise"), "standardised_by_feature", reason, "feature")
    if how is not None and how.consistent and any(isinstance(each, SoftLabels) for _, each in parts(job.teacher)):
        reason = "soft labels say nothing of changed images: `consistent` has to be false"
        refuse(("training", "augmentation", "consistent"), "views_unavailable", reason, True)


def _refuse_impossible_storage(job: DistillationSpec) -> None:
    top_k, data = job.signal.top_k, job.dataset
    for name, given in (("top_k", top_k), ("draws", job.signal.draws)):
        if given is not None and isinstance(job.teacher, SoftLabels):
            reason = "soft labels are used as they were uploaded; thin them out"
            refuse(("signal", name), "already_kept", reason, given)
    if top_k is not None and isinstance(data, BuiltinData) and top_k > BUILTIN_ROWS_AND_CLASSES[data.name][1]:
        reason = f"{data.name} has {BUILTIN_ROWS_AND_CLASSES[data.name][1]} classes"
        refuse(("signal", "top_k"), "too_many_classes", reason, top_k)
