"""What is said of an encoder and its student before the job is submitted."""

from typing import Literal

from pydantic import Field

from qstill.contract.distillations.preflight_parts import Advice, Seconds
from qstill.contract.schemas import View


class EncoderTime(View):
    """How long the job will compute, on this worker's machine."""

    steps_measured: int = Field(description="How many steps were taken for it.", examples=[3])
    teacher_answers: Seconds = Field(description="Asking the teacher about every sentence, once.")
    students: Seconds = Field(description="Of all seeds.")
    total: Seconds = Field(description="The whole job, from when a worker begins it.")
    limit: float = Field(description="What one attempt may take.", examples=[86400.0])


class EncoderMemory(View):
    """Bytes of the weights, at the job's peak."""

    teacher: int = Field(description="Its weights.", examples=[90868376])
    student: int = Field(
        description="Its weights, their gradients, the optimizer's state and the best epoch.", examples=[240000000]
    )
    limit: int = Field(description="What one job may take.", examples=[8000000000])


class EmbeddingPreflight(View):
    """A look at a student of an encoder that was not submitted. Some steps were taken, and nothing is kept of them."""

    object: Literal["preflight"] = Field("preflight", description="What this is.", examples=["preflight"])
    sentences: dict[Literal["train", "validation", "test"], int] = Field(
        description="Of each split.", examples=[{"train": 2000, "validation": 290, "test": 580}]
    )
    tokens: float = Field(description="Of a sentence, on average.", examples=[24.5])
    width: int = Field(description="Numbers of a vector of the teacher's.", examples=[384])
    student_parameters: int = Field(description="Weights of the student.", examples=[17_300_000])
    teacher_parameters: int = Field(description="Weights of the teacher.", examples=[22_700_000])
    time: EncoderTime = Field(description="How long it will take.")
    memory: EncoderMemory = Field(description="What it will occupy, besides the process itself.")
    advice: list[Advice] = Field(description="What to know of it, problems first.")
