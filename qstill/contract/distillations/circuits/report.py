"""`report.json` of a circuit made shorter: written by the worker that computed it, read by all who show it."""

from typing import Any

from pydantic import Field, ValidationError

from qstill.contract.distillations.circuits.job import ShorteningResult
from qstill.contract.distillations.report.part import ReportPart
from qstill.contract.errors import Problem


class CircuitCost(ReportPart):
    """What a circuit takes, as it was judged: compiled for the device where there is one."""

    cx_before: int = Field(description="Gates on two qubits or more before compiling.", examples=[200])
    cx: int = Field(description="The same after compiling.", examples=[200])
    depth: int = Field(description="Layers after compiling.", examples=[241])
    swaps: int = Field(description="Swaps that compiling inserted to bring qubits together.", examples=[0])


class GivenCost(CircuitCost):
    """The given circuit, as it is or at the transpiler's level 3."""

    fidelity_noisy: float | None = Field(description="Under the noise; null without noise.", examples=[0.197])


class ShortCircuit(CircuitCost):
    """One fit of one depth."""

    layers: int = Field(description="Its depth.", examples=[5])
    restart: int = Field(description="Which start, from 0.", examples=[2])
    parameters: int = Field(description="Angles.", examples=[78])
    fidelity_ideal: float = Field(description="Without noise.", examples=[0.997])
    fidelity_noisy: float | None = Field(description="Under the noise; null without noise.", examples=[0.857])


class FitPoint(ReportPart):
    """A step of a depth's fit."""

    step: int = Field(description="From 0.", examples=[100])
    best: float = Field(description="The largest fidelity of all starts there.", examples=[0.981])
    mean: float = Field(description="Their mean.", examples=[0.964])


class NoisePoint(ReportPart):
    """All circuits at one strength of the noise."""

    scale: float = Field(description="By which the job's errors are multiplied.", examples=[1.0])
    given: float = Field(description="The given circuit's fidelity.", examples=[0.197])
    transpiled: float = Field(description="That of its level 3.", examples=[0.21])
    short: float = Field(description="The short circuit's.", examples=[0.857])


class KeptObservable(ReportPart):
    """An observable whose value has to stay."""

    name: str | None = Field(description="As submitted.", examples=["parity"])
    given: float = Field(description="Of the given circuit without noise.", examples=[0.41])
    short: float = Field(description="Of the short one without noise.", examples=[0.408])
    given_noisy: float | None = Field(description="Under the noise; null without noise.", examples=[0.1])
    short_noisy: float | None = Field(description="Under the noise; null without noise.", examples=[0.36])


class Certificate(ReportPart):
    """A circuit job that runs the short circuit again, and what it is to find."""

    name: str = Field(description="The export that it is.", examples=["certificate.json"])
    compares: str = Field(
        description="What of its result stands beside the report.",
        examples=["expectations/0/value: the fidelity with what the given circuit makes of |0…0⟩"],
    )
    expected: float | None = Field(
        description="What is to be there; null where it takes a calculation.", examples=[0.857]
    )


class ShorteningReport(ShorteningResult, ReportPart):
    """Whether a shorter circuit survives the noise better than the given one, and than the transpiler's best."""

    qubits: int = Field(description="Of the circuit.", examples=[6])
    given: GivenCost = Field(description="The circuit as submitted.")
    transpiled: GivenCost = Field(description="The same at level 3 for the same device.")
    students: list[ShortCircuit] = Field(description="Every start of every depth.")
    chosen: ShortCircuit = Field(description="The one that was chosen.")
    fits: dict[str, list[FitPoint]] = Field(
        description="How each depth was fitted, at most about 200 steps, by its number of layers.",
        examples=[{"5": [{"step": 0, "best": 0.02, "mean": 0.01}]}],
    )
    noise_curve: list[NoisePoint] = Field(description="From weak noise to strong; empty without noise.")
    observables: list[KeptObservable] = Field(description="For keep `observables`; else empty.")
    certificate_of: Certificate = Field(description="What `certificate` is.")
    notes: list[str] = Field(description="What to know to judge the numbers.", examples=[["Nothing was sampled."]])
    job: dict[str, Any] = Field(
        description="The job as it was submitted, with its defaults.", examples=[{"training": {"steps": 400}}]
    )
    seed: int = Field(description="Of the fit.", examples=[0])
    digests: dict[str, str] = Field(
        description="Of the circuit as it was read, and of the short one.",
        examples=[{"given": "02c7", "short": "f196"}],
    )
    versions: dict[str, str] = Field(description="What computed it.", examples=[{"qiskit": "2.6.2"}])


def read_shortening(document: dict[str, Any]) -> ShorteningReport:
    """Raises Problem (409) for a report that an earlier version wrote."""
    try:
        return ShorteningReport.model_validate(document)
    except ValidationError:
        raise Problem("no_card", "An earlier version wrote this report.", status=409) from None
