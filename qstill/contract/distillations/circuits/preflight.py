"""What is said of a circuit to be made shorter before the job is submitted."""

from typing import Literal

from pydantic import Field

from qstill.contract.distillations.circuits.report import GivenCost
from qstill.contract.distillations.preflight_parts import Advice, Seconds
from qstill.contract.schemas import View


class DepthSize(View):
    """What a short circuit of one depth would take."""

    layers: int = Field(description="Its depth.", examples=[5])
    parameters: int = Field(description="Angles.", examples=[78])
    cx: int = Field(description="CX before compiling.", examples=[13])


class ShorteningTime(View):
    """How long the job will compute, on this worker's machine."""

    steps_measured: int = Field(description="How many steps were taken for it.", examples=[9])
    fits: Seconds = Field(description="Of all depths.")
    judging: Seconds = Field(description="Running all circuits under the noise, at every strength of it.")
    total: Seconds = Field(description="The whole job, from when a worker begins it.")
    limit: float = Field(description="What one attempt may take.", examples=[86400.0])


class ShorteningPreflight(View):
    """A look at a circuit that was not submitted. Some steps of each depth were taken, and nothing is kept of them."""

    object: Literal["preflight"] = Field("preflight", description="What this is.", examples=["preflight"])
    qubits: int = Field(description="Of the circuit.", examples=[6])
    given: GivenCost = Field(description="The circuit as submitted, under the noise.")
    transpiled: GivenCost = Field(description="The same at the transpiler's level 3: what a short one has to beat.")
    depths: list[DepthSize] = Field(description="Those that would be tried.")
    time: ShorteningTime = Field(description="How long it will take.")
    advice: list[Advice] = Field(description="What to know of it, problems first.")
