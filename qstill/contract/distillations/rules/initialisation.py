"""Students that cannot begin from their teacher, as far as the job tells."""

from qstill.contract.distillations.architectures import AnyArchitecture, family_of
from qstill.contract.distillations.architectures.pieces import MAX_LAYERS
from qstill.contract.distillations.initialisation import PLACE, CannotBegin, check
from qstill.contract.distillations.spec import DistillationSpec
from qstill.contract.distillations.teachers import EnsembleTeacher, SoftLabels, TrainedTeacher, UploadedTeacher
from qstill.contract.distillations.teachers.circuit import CircuitTeacher
from qstill.contract.distillations.teachers.remote import AtAnAddress
from qstill.contract.schemas import refuse


def refuse_impossible_initialisation(job: DistillationSpec) -> None:
    """Raise a validation error where a student cannot begin from its teacher, as far as the job tells."""
    how, teacher = job.student.initialise_from_teacher, job.teacher
    if how is None:
        return
    if isinstance(teacher, SoftLabels | AtAnAddress | CircuitTeacher) or getattr(teacher, "format", None) == "onnx":
        reason = "this teacher gives answers only; its weights are not at hand: train it here, or upload safetensors"
        refuse(PLACE, "weights_unavailable", reason, None)
    if isinstance(teacher, EnsembleTeacher):
        refuse(PLACE, "weights_unavailable", "an ensemble has several networks, and a student begins from one", None)
    if how.baseline and not job.evaluation.baseline:
        refuse((*PLACE, "baseline"), "no_baseline", "there is no baseline in this job", True)
    known = teacher.architecture if isinstance(teacher, TrainedTeacher | UploadedTeacher) else None
    try:
        # What is known once the teacher is read is checked then; until then a student stands for its teacher.
        check(how, job.student.architecture, known or _deepest(job.student.architecture))
    except CannotBegin as fault:
        refuse(("student", *fault.place), fault.code, fault.reason, None)


def _deepest(architecture: AnyArchitecture) -> AnyArchitecture:
    """The same network with as many blocks as there may be."""
    return architecture.model_copy(update={"depth": MAX_LAYERS}) if family_of(architecture).blocks else architecture
