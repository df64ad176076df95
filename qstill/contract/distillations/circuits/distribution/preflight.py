"""What is said of shots and the model of their distribution before the job is submitted."""

from typing import Literal

from pydantic import Field

from qstill.contract.distillations.circuits.distribution.report import Parts
from qstill.contract.distillations.preflight_parts import Advice, Seconds
from qstill.contract.schemas import View


class DistributionTime(View):
    """How long the job will compute, on this worker's machine."""

    steps_measured: int = Field(description="How many steps were taken for it.", examples=[8])
    shots: Seconds = Field(description="Running the circuit, or reading the file.")
    training: Seconds = Field(description="All epochs; `low` is of one as long as `patience`.")
    total: Seconds = Field(description="The whole job, from when a worker begins it.")
    limit: float = Field(description="What one attempt may take.", examples=[86400.0])


class DistributionPreflight(View):
    """A look at shots that were not submitted. Some steps were taken, and nothing is kept of them."""

    object: Literal["preflight"] = Field("preflight", description="What this is.", examples=["preflight"])
    bits: int = Field(description="Of a key.", examples=[10])
    shots: int = Field(description="All of them.", examples=[1024])
    outcomes: int = Field(description="Different keys that were read.", examples=[380])
    unseen: float = Field(
        description="About how likely the next shot reads a key that none has read: how much a model can add.",
        examples=[0.2],
    )
    parts: Parts = Field(description="How the shots would be divided.")
    parameters: int = Field(description="Of the student.", examples=[3310])
    time: DistributionTime = Field(description="How long it will take.")
    advice: list[Advice] = Field(description="What to know of it, problems first.")
