"""`report.json` of a distribution that was learned: written by the worker that computed it, read by all who show it."""

from typing import Any, Literal

from pydantic import Field, ValidationError

from qstill.contract.distillations.circuits.distribution.job import DistributionResult
from qstill.contract.distillations.report.part import ReportPart
from qstill.contract.errors import Problem
from qstill.contract.schemas import View

ModelName = Literal["student", "histogram", "independent"]


class Parts(View):
    """How many shots went where."""

    training: int = Field(description="The student's weights are of these.", examples=[614])
    validation: int = Field(description="These chose its epoch.", examples=[154])
    held_out: int = Field(description="Nothing learned from these: they judge.", examples=[256])


class Apart(View):
    """How far two distributions are apart."""

    total_variation: float = Field(description="½ Σ|p - q|.", examples=[0.17])
    hellinger: float = Field(description="√(½ Σ(√p - √q)²).", examples=[0.2])


class JudgedModel(View):
    """A model of the distribution, made of the shots that are not held out."""

    model: ModelName = Field(description="Which.", examples=["student"])
    nll: float = Field(description="Of the held-out shots, nats a shot.", examples=[7.1])
    standard_error: float = Field(description="Of `nll`, from the spread over the shots.", examples=[0.08])
    exact: Apart | None = Field(description="To the circuit's exact distribution; null where that is not known.")
    held_out: Apart | None = Field(
        description="To the histogram of the held-out shots, which is itself a draw; null of more than 16 bits."
    )
    parameters: int = Field(description="Numbers that it is made of.", examples=[3310])


class LikelihoodPoint(View):
    """An epoch of the student. Of epoch 0 it is untrained: the independent bits of the training shots."""

    epoch: int = Field(description="From 0.", examples=[12])
    loss: float = Field(description="NLL of the training shots while they were learned, nats.", examples=[6.6])
    validation_nll: float = Field(description="Of the validation shots after the epoch, nats.", examples=[7.2])


class ReadOutcome(View):
    """A key that is likely, and what is said of it."""

    key: str = Field(description="The classical bits; clbit 0 is the rightmost character.", examples=["0000000000"])
    count: int = Field(description="Shots that read it, all of them.", examples=[31])
    student: float = Field(description="The student's probability.", examples=[0.029])
    histogram: float = Field(description="The histogram's.", examples=[0.03])
    exact: float | None = Field(description="The circuit's own; null where it is not known.", examples=[0.028])


class DistributionReport(DistributionResult, ReportPart):
    """Whether a model of the shots is nearer to what they were drawn from than their histogram."""

    parts: Parts = Field(description="How the shots were divided.")
    models: list[JudgedModel] = Field(description="Student, histogram and independent bits.")
    gain_over_independent: float = Field(
        description="The independent bits' held-out NLL less the student's, nats: what the student knows of how bits "
        "hang together.",
        examples=[1.1],
    )
    entropy: float | None = Field(
        description="Of the exact distribution, nats: no model's NLL is below it but by chance. Null: not known.",
        examples=[6.82],
    )
    all_shots: Apart | None = Field(
        description="Of the plain frequencies of all shots, the held-out ones too, to the exact distribution: what you "
        "had before. Null where that is not known."
    )
    shot_floor: float = Field(
        description="√(outcomes/2πS): about the most total variation that chance alone puts between a distribution "
        "over so many outcomes and the frequencies of as many shots as are not held out.",
        examples=[0.92],
    )
    unseen: float = Field(
        description="The probability that the histogram leaves to all keys that were not read together: Good's and "
        "Turing's estimate, (n₁ + ½)/(N + 1), spread evenly.",
        examples=[0.44],
    )
    epoch: int = Field(description="Of the student that was chosen.", examples=[35])
    parameters: int = Field(description="Of the student.", examples=[3310])
    curve: list[LikelihoodPoint] = Field(description="Its epochs, at most about 200.")
    top: list[ReadOutcome] = Field(description="The keys that were read most often, at most 32.")
    exports: list[dict[str, Any]] = Field(
        description="What is known of each exported file.", examples=[[{"name": "distribution.json"}]]
    )
    notes: list[str] = Field(description="What to know to judge the numbers.", examples=[["256 shots judge."]])
    job: dict[str, Any] = Field(
        description="The job as it was submitted, with its defaults.", examples=[{"training": {"epochs": 60}}]
    )
    seed: int = Field(description="Of the training.", examples=[0])
    digests: dict[str, str] = Field(description="Of the shots.", examples=[{"shots": "02c7"}])
    versions: dict[str, str] = Field(description="What computed it.", examples=[{"torch": "2.9.1"}])

    def of(self, model: ModelName) -> JudgedModel:
        """What was measured of a model."""
        return next(each for each in self.models if each.model == model)


def read_distribution(document: dict[str, Any]) -> DistributionReport:
    """Raises Problem (409) for a report that an earlier version wrote."""
    try:
        return DistributionReport.model_validate(document)
    except ValidationError:
        raise Problem("no_card", "An earlier version wrote this report.", status=409) from None
