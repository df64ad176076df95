"""Initial weights that are the teacher's (DistilBERT: Sanh and others 2019, arXiv:1910.01108, sec. 3).

The student has the teacher's embeddings, positions, last norm and head, and some of its blocks, as they are.
"""

from collections.abc import Mapping
from dataclasses import replace

from torch import Tensor

from qstill.contract.distillations.initialisation import PLACE, CannotBegin, FromTeacher, check, taken
from qstill.contract.distillations.job import DistillationJob
from qstill.contract.errors import Problem
from workers.distillation.data.dataset import Data
from workers.distillation.networks.network import Network
from workers.distillation.teachers import Teacher
from workers.distillation.training.plan import Lesson, Stage, baseline_lesson

Initial = Mapping[str, Tensor]  # by the student's names


def initial_weights(job: DistillationJob, student: Stage, teacher: Teacher, data: Data) -> Initial | None:
    """What students begin from, where it is the teacher's; None: random weights.

    Raises Problem weights_unavailable, and what `check` says: of a teacher that the job trains it was said at the door.
    """
    how = job.student.initialise_from_teacher
    if how is None:
        return None
    pointer = "/".join(("", *PLACE))
    if not isinstance(teacher.network, Network):
        title = "This teacher's weights are not at hand: it gives answers only."
        raise Problem("weights_unavailable", title, pointer=pointer)
    if teacher.architecture is not None:
        try:
            check(how, student.architecture, teacher.architecture)
        except CannotBegin as fault:
            raise Problem(fault.code, f"{fault.reason}.", pointer="/".join(("", "student", *fault.place))) from fault
    return weights_from(teacher, student.begin(data), how.blocks)


def baselines_lesson(job: DistillationJob, data: Data, begun: Initial | None) -> Lesson:
    """The baselines', which begin where the students do only if that was asked for. begun: the students' weights."""
    how, alone = job.student.initialise_from_teacher, baseline_lesson(data)
    return replace(alone, begun=begun) if how is not None and how.baseline else alone


def initialisation_note(how: FromTeacher) -> str:
    """What the comparison is then."""
    which = "evenly spaced ones" if how.blocks is None else f"{', '.join(map(str, how.blocks))}, counted from 0"
    said = (
        f"The students began from the teacher's weights; of its blocks they have {which}. All seeds of them begin "
        "alike, so that the interval covers no initial weights of students, but their batch order, dropout and masks. "
    )
    if how.baseline:
        return said + "The baselines began there too: the verdict is about what the objective adds to that."
    return (
        said + "The baselines began from random weights: the verdict is about the teacher's weights and words together."
    )


def weights_from(teacher: Teacher, student: Network, blocks: list[int] | None) -> dict[str, Tensor]:
    """Copies of the teacher's tensors by the student's names, the head in the order of the data's classes."""
    assert teacher.network is not None
    theirs = {name: tensor.detach().cpu().clone() for name, tensor in teacher.network.state_dict().items()}
    if teacher.order is not None:
        theirs |= {name: theirs[name].index_select(0, teacher.order) for name in ("head.weight", "head.bias")}
    chosen = taken(blocks, _depth(student.state_dict()), _depth(theirs))
    return {name: theirs[_source(name, chosen)] for name in student.state_dict()}


def _depth(weights: dict[str, Tensor]) -> int:
    return len({name.split(".")[1] for name in weights if name.startswith("blocks.")})


def _source(name: str, chosen: list[int]) -> str:
    """The name of the teacher's tensor that becomes the student's of this name."""
    if not name.startswith("blocks."):
        return name
    _, block, rest = name.split(".", 2)
    return f"blocks.{chosen[int(block)]}.{rest}"
