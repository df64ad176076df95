"""`report.json` of an encoder: written by the worker that computed it, read by all who show it."""

from typing import Any, Literal

from pydantic import Field, ValidationError

from qstill.contract.distillations.report.exports import ExportedFile
from qstill.contract.distillations.report.frame import ReportFrame
from qstill.contract.distillations.report.measured import ChosenEpoch, LearningPoint, NetworkCost
from qstill.contract.distillations.report.part import ReportPart
from qstill.contract.distillations.results import Spread
from qstill.contract.errors import Problem


class VectorMeasures(ReportPart):
    """Of vectors of the held-out sentences."""

    spearman: float = Field(
        description="Rank correlation of the cosines of held-out pairs with the teacher's.", examples=[0.86]
    )
    cosine: float | None = Field(
        description="Mean cosine of a vector and the teacher's of the same sentence; null where widths differ.",
        examples=[0.91],
    )
    ndcg: float = Field(description="NDCG@10 of a sentence finding what belongs to it.", examples=[0.42])
    mrr: float = Field(description="Mean reciprocal rank of the same.", examples=[0.39])


class EncoderRun(ChosenEpoch, VectorMeasures):
    """One network on the test sentences."""

    validation_spearman: float | None = Field(description="What chose the epoch.", examples=[0.85])


class EncoderArm(ReportPart):
    """Teacher, student, or the student untaught."""

    summary: dict[str, Spread] = Field(
        description="Mean and standard deviation over seeds of each measure.",
        examples=[{"spearman": {"mean": 0.86, "sd": 0.004}}],
    )
    runs: list[EncoderRun] = Field(description="The network of each seed.")
    cost: NetworkCost | None = Field(description="What one takes.")


class EncoderPoint(LearningPoint):
    """An epoch of a student."""

    validation_spearman: float = Field(description="On the validation sentences.", examples=[0.85])


class ExportedEncoder(ExportedFile):
    """A student as ONNX, run on the test sentences."""

    tokens: int = Field(description="Of a row at most.", examples=[64])
    padding: int = Field(description="The number that fills a row up.", examples=[0])
    spearman: float = Field(description="As of the network it came from.", examples=[0.86])
    max_difference: float = Field(description="Of a number of a vector, from that network, at most.", examples=[3e-7])


class SentenceCounts(ReportPart):
    """What the data has."""

    train: int = Field(description="Sentences to learn from.", examples=[2000])
    validation: int = Field(description="Sentences that choose epochs.", examples=[290])
    test: int = Field(description="Sentences that are read once, at the end.", examples=[580])
    test_pairs: int = Field(description="Pairs of them whose cosines are compared.", examples=[168_000])
    belonging: int = Field(description="Test sentences that are to find what belongs to them.", examples=[240])
    truncated: int = Field(description="Sentences of which tokens were cut off.", examples=[3])


class SignalOfVectors(ReportPart):
    """What hearing the teacher cost."""

    computed: int = Field(description="Sentences that it was asked about.", examples=[2878])
    reused: int = Field(description="Sentences whose vectors an earlier job left.", examples=[0])
    width: int = Field(description="Numbers of a vector.", examples=[384])


class EmbeddingDigests(ReportPart):
    """Name what the report depends on."""

    data: str = Field(description="The sentences as they were read.", examples=["02c707b5075bd885"])
    teacher: str = Field(description="The teacher's file.", examples=["f1965c7108eb4604"])
    tokenizer: str = Field(description="Its tokenizer.", examples=["8b9db29471727598"])


class EmbeddingReport(ReportFrame[EncoderArm]):
    """Whether distillation helped: teacher, student, and the same student untaught."""

    measure: Literal["spearman"] = Field(description="What the verdict rests on.", examples=["spearman"])
    controls: dict[str, VectorMeasures] = Field(
        description="What costs next to nothing: `word_vectors` is the mean of the teacher's own vectors of the words.",
        examples=[{"word_vectors": {"spearman": 0.22, "cosine": 0.4, "ndcg": 0.3, "mrr": 0.28}}],
    )
    curves: dict[str, list[EncoderPoint]] = Field(
        description="Epochs of each student, at most about 200, by the names of the stages.",
        examples=[{"student-seed-0": [{"epoch": 1, "loss": 0.2, "validation_spearman": 0.7}]}],
    )
    exports: list[ExportedEncoder] = Field(description="Files of the first seed's student.")
    rows: SentenceCounts = Field(description="How many there were.")
    signal: SignalOfVectors = Field(description="Of the teacher's vectors.")
    digests: EmbeddingDigests = Field(description="Names of what went in.")


def read_embeddings(document: dict[str, Any]) -> EmbeddingReport:
    """Raises Problem (409) for a report that an earlier version wrote."""
    try:
        return EmbeddingReport.model_validate(document)
    except ValidationError:
        raise Problem("no_card", "An earlier version wrote this report.", status=409) from None
