"""Losses that this job's data, batches or networks cannot have."""

from qstill.contract.distillations.architectures import family_of
from qstill.contract.distillations.datasets import BUILTIN_ROWS_AND_CLASSES, BuiltinData
from qstill.contract.distillations.objectives import Dkd, FeatureObjective, OnFeatures, Rkd, singles
from qstill.contract.distillations.objectives.features import MAX_RKD_BATCH
from qstill.contract.distillations.objectives.layers import LayersDoNotFit, layer_pairs
from qstill.contract.distillations.spec import DistillationSpec, architectures
from qstill.contract.distillations.teachers import EnsembleTeacher, SoftLabels, UploadedTeacher
from qstill.contract.distillations.teachers.remote import AtAnAddress
from qstill.contract.schemas import FieldPath, refuse


def refuse_impossible_objectives(job: DistillationSpec) -> None:
    for place, objective in singles(job.objective):
        if isinstance(objective, Dkd) and isinstance(job.dataset, BuiltinData):
            _refuse_two_classes(job.dataset, place)
        if isinstance(objective, Rkd) and job.training.batch_size > MAX_RKD_BATCH:
            reason = f"rkd compares all triples of a batch: at most {MAX_RKD_BATCH} rows"
            refuse(("training", "batch_size"), "batch_too_large", reason, job.training.batch_size)
        if isinstance(objective, OnFeatures):
            _refuse_impossible_layers(job, objective, place)


def _refuse_two_classes(data: BuiltinData, place: FieldPath) -> None:
    if BUILTIN_ROWS_AND_CLASSES[data.name][1] < 3:
        reason = f"{data.name} has two classes: apart from the target there is one left, and dkd compares several"
        refuse((*place, "kind"), "too_few_classes", reason, "dkd")


def _refuse_impossible_layers(job: DistillationSpec, objective: FeatureObjective, place: FieldPath) -> None:
    foreign = isinstance(job.teacher, UploadedTeacher) and job.teacher.format == "onnx"
    if foreign or isinstance(job.teacher, SoftLabels | AtAnAddress | EnsembleTeacher):
        reason = f"{objective.kind} compares features, and this teacher gives answers only"
        if isinstance(job.teacher, EnsembleTeacher):
            reason = f"{objective.kind} compares features, and those of an ensemble's members have no mean"
        refuse((*place, "kind"), "features_unavailable", reason, objective.kind)
    named = dict(architectures(job))
    if ("teacher",) not in named:
        return  # its network is known once it is read
    try:
        mine, theirs = (family_of(network).features(network) for network in (named["student",], named["teacher",]))
        layer_pairs(objective, mine, theirs)
    except LayersDoNotFit as fault:
        refuse((*place, *fault.place), "layers_do_not_fit", fault.reason, objective.layers)
