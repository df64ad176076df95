"""Comparisons with pruned and quantised networks that cannot be made."""

from qstill.contract.distillations.architectures import AnyArchitecture, family_of
from qstill.contract.distillations.compression import MAX_FINE_TUNED, Compression
from qstill.contract.distillations.datasets import BuiltinData, DrawnData, UploadedData, has_several_labels
from qstill.contract.distillations.spec import DistillationSpec, learns_numbers
from qstill.contract.distillations.teachers import ModelTeacher, TrainedTeacher, UploadedTeacher
from qstill.contract.schemas import refuse


def refuse_impossible_compression(job: DistillationSpec) -> None:
    """Raise a validation error where a comparison is asked for that cannot be made."""
    asked, seeds = job.compression, job.evaluation.seeds
    if asked is None:
        return
    if not isinstance(job.dataset, BuiltinData | UploadedData | DrawnData):
        reason = "pruned and quantised networks take numbers, and this data is text"
        refuse(("compression",), "compression_unavailable", reason, None)
    if learns_numbers(job):
        reason = "pruned and quantised networks are compared by their accuracy, and regression has none"
        refuse(("compression",), "compression_unavailable", reason, None)
    if has_several_labels(job.dataset):
        reason = "pruned and quantised networks are compared by accuracy, and rows with several labels have none"
        refuse(("compression",), "compression_unavailable", reason, None)
    here = isinstance(job.teacher, TrainedTeacher | ModelTeacher)
    if not here and not (isinstance(job.teacher, UploadedTeacher) and job.teacher.format != "onnx"):
        reason = (
            "what is pruned and quantised is the teacher's network, and this one is not at hand as weights: train it "
            "here, or upload them"
        )
        refuse(("teacher", "source"), "compression_needs_network", reason, job.teacher.source)
    if asked.seeds is not None and asked.seeds > seeds:
        refuse(("compression", "seeds"), "too_many_seeds", f"{seeds} students are trained", asked.seeds)
    count = asked.fine_tuned(asked.seeds or seeds)
    if count > MAX_FINE_TUNED:
        reason = f"{count} networks would be fine-tuned, and {MAX_FINE_TUNED} are at most: fewer seeds or prunings"
        refuse(("compression", "pruning"), "too_many_networks", reason, None)
    if "structured" in asked.kinds():
        _refuse_without_structure(job, asked)


def _refuse_without_structure(job: DistillationSpec, asked: Compression) -> None:
    networks: list[AnyArchitecture] = [job.student.architecture] if asked.combine else []
    if isinstance(job.teacher, TrainedTeacher | UploadedTeacher) and job.teacher.architecture is not None:
        networks.append(job.teacher.architecture)
    for network in networks:
        if why := family_of(network).why_no_units(network):
            place = next(i for i, each in enumerate(asked.pruning) if each.kind == "structured")
            refuse(("compression", "pruning", place, "kind"), "no_structure", why, "structured")
