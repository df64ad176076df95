"""What the reports of all domains have: three arms, what came of it, and what went in."""

from typing import Any, Generic, TypeVar

from pydantic import Field

from qstill.contract.distillations.report.measured import ROLES, Role
from qstill.contract.distillations.report.part import ReportPart
from qstill.contract.distillations.results import Gain, Verdict

Arm = TypeVar("Arm", bound=ReportPart)


class ReportFrame(ReportPart, Generic[Arm]):
    """Whether distillation helped: teacher, student, and the same student trained without a teacher."""

    measure: str = Field(description="What the verdict rests on.", examples=["accuracy"])
    teacher: Arm = Field(description="The teacher.")
    student: Arm = Field(description="The distilled students, one for each seed.")
    baseline: Arm | None = Field(description="The same students without a teacher; null if not asked for.")
    gain: Gain | None = Field(description="What the teacher added; null without a baseline.")
    verdict: Verdict | None = Field(description="As in the job's result.", examples=["BEATS"])
    notes: list[str] = Field(description="What to know to judge the numbers.", examples=[["Training could end early."]])
    soft_gradient_norm: float | None = Field(
        description="Of the untrained student: 0 means that it does not hear the teacher; null where no loss hears it.",
        examples=[9.4],
    )
    seed: int = Field(description="Of the first student.", examples=[0])
    checkpoints: int = Field(description="How many the job published.", examples=[7])
    student_sha256: str = Field(description="Of the first seed's published student.", examples=["9f86d081884c7d65"])
    seconds: float = Field(description="Computing time over all attempts.", examples=[4.2])
    peak_memory_bytes: int | None = Field(
        None,
        description="The most memory that the last attempt had for itself, without the files that it had mapped, which "
        "the system takes back when memory is short; null in reports that are older.",
        examples=[412000000],
    )
    job: dict[str, Any] = Field(
        description="The job as it was submitted, with its defaults.", examples=[{"training": {"epochs": 25}}]
    )
    versions: dict[str, str] = Field(description="What computed it.", examples=[{"torch": "2.13.0"}])

    def arms(self) -> list[tuple[Role, Arm]]:
        """Those that there are, by their roles."""
        return [(role, arm) for role in ROLES if (arm := getattr(self, role)) is not None]
