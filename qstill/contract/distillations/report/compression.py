"""The section of a report that sets distillation beside pruning and quantisation."""

from pydantic import Field

from qstill.contract.distillations.report.measured import NetworkLatency, Role
from qstill.contract.distillations.report.part import ReportPart
from qstill.contract.distillations.results import Gain, Spread


class CompressedCandidate(ReportPart):
    """One way to a small network."""

    name: str = Field(description="Names it in this section.", examples=["teacher-structured-0.9"])
    words: str = Field(description="For people: a noun phrase.", examples=["the teacher, as it was trained"])
    role: Role = Field(description="What it was made of.", examples=["teacher"])
    pruning: str | None = Field(description="How it was pruned; null: not.", examples=["structured"])
    sparsity: float | None = Field(description="Share of units or weights that went.", examples=[0.9])
    searched: bool = Field(description="Whether the sparsity was looked for, and not asked for.", examples=[False])
    quantisation: str | None = Field(description="How its weights were rounded; null: not.", examples=["int8_static"])
    accuracy: Spread = Field(description="On the test rows.")
    accuracies: list[float] = Field(description="Of each seed.", examples=[[0.94, 0.95]])
    validation_accuracy: Spread = Field(description="On the validation rows, which chose among them.")
    bytes: int = Field(description="Of the longest file.", examples=[6439])
    latency: NetworkLatency = Field(description="Of one row.")
    weights: int = Field(description="That are not zero.", examples=[1210])
    multiply_adds: int = Field(description="For one row.", examples=[1184])
    max_logit_difference: float = Field(description="From the network it was made of, at most.", examples=[0.02])
    agreement: float = Field(description="Share on which it names that network's class.", examples=[0.99])
    file: str | None = Field(description="The export, where it is published.", examples=["student-seed-0.onnx"])


class CompressedRival(ReportPart):
    """A candidate in a table."""

    name: str = Field(description="The candidate's.", examples=["teacher-structured-0.9"])
    fits: bool = Field(description="Whether it takes no more than the student.", examples=[True])
    times: float = Field(description="Its bytes or milliseconds, over the student's.", examples=[0.8])
    student_minus_this: Gain | None = Field(description="In points of test accuracy; null of the student itself.")


class TheStudent(ReportPart):
    """What the others are held to."""

    bytes: int = Field(description="Of its file.", examples=[6439])
    p50_ms: float = Field(description="Median milliseconds of one row.", examples=[0.014])


class CompressionSection(ReportPart):
    """Distillation beside pruning and quantisation."""

    verdicts: list[str] = Field(description="What came of it, in sentences.", examples=[["Nothing fits."]])
    notes: list[str] = Field(description="What to know to judge it.", examples=[["Latency is of one row."]])
    seeds: int = Field(description="How many students were compared.", examples=[5])
    student: TheStudent = Field(description="The distilled student as it is.")
    candidates: list[CompressedCandidate] = Field(description="All that was made.")
    at_equal_bytes: list[CompressedRival] = Field(description="The best of each kind that is no larger.")
    at_equal_latency: list[CompressedRival] = Field(description="The best of each kind that is no slower.")
