"""Jobs that ask more of a teacher of other classes than its answers."""

from qstill.contract.distillations.spec import DistillationSpec
from qstill.contract.distillations.teachers import parts
from qstill.contract.distillations.teachers.pieces import OfOtherClasses
from qstill.contract.schemas import refuse


def refuse_unfit_class_maps(job: DistillationSpec) -> None:
    """Raise a validation error where a teacher's own head would have to answer for the data's classes."""
    for place, teacher in parts(job.teacher):
        if not isinstance(teacher, OfOtherClasses) or teacher.class_map is None:
            continue
        if job.compression is not None:
            reason = "what is compressed answers with the teacher's classes, not with the data's"
            refuse((*place, "class_map"), "class_map_unfit", reason, None)
        if job.student.initialise_from_teacher is not None:
            reason = "a student that begins from the teacher's weights has the teacher's classes"
            refuse((*place, "class_map"), "class_map_unfit", reason, None)
