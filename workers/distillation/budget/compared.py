"""The chosen student beside the teacher pruned and quantised, where a job does not ask for that by itself."""

from qstill.contract.distillations.architectures import AnyArchitecture
from qstill.contract.distillations.budget.job import BudgetedJob
from qstill.contract.distillations.job import DistillationJob
from qstill.contract.errors import Problem
from workers.distillation.compress.section import refuse_without_network
from workers.distillation.teachers import Teacher


def comparing(job: BudgetedJob, architecture: AnyArchitecture, teacher: Teacher) -> tuple[DistillationJob, str | None]:
    """(the job with a student of this architecture, why it is not set beside that teacher made smaller).

    The second is None where it is, or where the job does not want it.
    """
    found, why_not = job.comparing(architecture)
    if job.compression is None:
        try:
            refuse_without_network(found, teacher)
        except Problem as problem:
            found, why_not = job.with_architecture(architecture), problem.title.rstrip(".")
    said = None if why_not is None else f"The student is not set beside a pruned or quantised teacher: {why_not}."
    return found, said
