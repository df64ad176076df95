"""Which distillation jobs can work, as far as that is known before anything is read."""

from typing import Any

from pydantic import model_validator

from qstill.contract.distillations.datasets import TextFile, UploadedData
from qstill.contract.distillations.rules.circuits import refuse_unfit_for_circuits
from qstill.contract.distillations.rules.class_maps import refuse_unfit_class_maps
from qstill.contract.distillations.rules.compression import refuse_impossible_compression
from qstill.contract.distillations.rules.data import refuse_unfit_data
from qstill.contract.distillations.rules.initialisation import refuse_impossible_initialisation
from qstill.contract.distillations.rules.measures import refuse_unfit_measures
from qstill.contract.distillations.rules.networks import refuse_what_families_do_not_do
from qstill.contract.distillations.rules.objectives import refuse_impossible_objectives
from qstill.contract.distillations.rules.regression import refuse_unfit_for_regression
from qstill.contract.distillations.rules.text import refuse_mixed_with_text
from qstill.contract.distillations.spec import (
    DistillationFields,
    DistillationSpec,
    folders,
    learns_numbers,
    student_count,
)
from qstill.contract.distillations.teachers.needs import files_of, formats_of, models_of
from qstill.contract.schemas import refuse
from qstill.contract.tables.splits import SplitFile

MAX_PERIODIC_CHECKPOINTS = 200  # files of one job


class DistillationJob(DistillationSpec):
    """Teach a small network what a larger one knows, and measure whether it helped."""

    @model_validator(mode="after")
    def _can_work(self) -> "DistillationJob":
        refuse_mixed_with_text(self)
        refuse_unfit_for_circuits(self)
        refuse_unfit_for_regression(self)
        refuse_what_families_do_not_do(self)
        refuse_unfit_data(self)
        refuse_impossible_objectives(self)
        refuse_unfit_measures(self)
        refuse_impossible_compression(self)
        if self.training.bias_correction and not learns_numbers(self) and not self.dataset.leave_out:
            reason = "it corrects the classes that `dataset.leave_out` names, and none is left out"
            refuse(("training", "bias_correction"), "nothing_to_correct", reason, True)
        refuse_impossible_initialisation(self)
        refuse_unfit_class_maps(self)
        every = self.training.checkpoint_every
        if every and self.training.epochs // every * student_count(self) > MAX_PERIODIC_CHECKPOINTS:
            reason = f"a job keeps at most {MAX_PERIODIC_CHECKPOINTS} periodic checkpoints over all its seeds"
            refuse(("training", "checkpoint_every"), "too_many_checkpoints", reason, every)
        return self


def referenced_files(job: DistillationFields[Any]) -> list[tuple[str, str, str]]:
    """The uploads that a job needs: (JSON pointer, file id, purpose)."""
    data = [("/dataset/file", job.dataset.file, "dataset")] if isinstance(job.dataset, UploadedData | TextFile) else []
    if isinstance(job.dataset, UploadedData) and isinstance(job.dataset.split, SplitFile):
        data.append(("/dataset/split/file", job.dataset.split.file, "split"))
    begun = [(f"{place}/file", each.file, "teacher") for place, each in folders(job) if each.file is not None]
    return data + files_of(job.teacher) + begun


def formats_of_job(job: DistillationFields[Any]) -> list[tuple[str, str, str]]:
    """The formats that uploads must have: (JSON pointer, file id, format)."""
    begun = [(f"{place}/file", each.file, "folder") for place, each in folders(job) if each.file is not None]
    return formats_of(job.teacher) + begun


def models_of_job(job: DistillationFields[Any]) -> list[tuple[str, str]]:
    """The models and checkpoints that a job needs: (JSON pointer, id)."""
    begun = [(f"{place}/model", each.model) for place, each in folders(job) if each.model is not None]
    return models_of(job.teacher) + begun
