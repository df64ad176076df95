"""What is said of networks that a budget chooses among: in a preflight before they learn, in a report afterwards."""

from typing import Literal

from pydantic import Field

from qstill.contract.distillations.architectures import Architecture
from qstill.contract.distillations.budget.budget import Budget
from qstill.contract.distillations.report.part import ReportPart

Status = Literal["complete", "given_up", "failed"]


class BudgetLimits(ReportPart):
    """A budget in numbers; null: not limited so."""

    parameters: int | None = Field(None, description="Weights and biases, at most.", examples=[896])
    bytes: int | None = Field(None, description="Of the published file, at most.", examples=[None])
    multiply_adds: int | None = Field(None, description="For one row, at most.", examples=[None])
    milliseconds: float | None = Field(None, description="For one row on one core, at most.", examples=[None])


class BudgetCandidate(ReportPart):
    """A network that fits into a budget."""

    number: int = Field(description="From 0; names it here.", examples=[4])
    words: str = Field(description="For people.", examples=["an mlp of one hidden layer"])
    architecture: Architecture = Field(description="What it is.", examples=[{"kind": "mlp", "hidden": [10]}])
    part: float = Field(
        description="Of the budget: it is the widest of its form that fits into so much of it.", examples=[1.0]
    )
    parameters: int = Field(description="Weights and biases.", examples=[760])
    bytes: int = Field(description="Of its published file.", examples=[4588])
    multiply_adds: int = Field(description="For one row.", examples=[740])
    latency_ms: float = Field(
        description="Milliseconds of one row on one core: a median, measured once.", examples=[0.018]
    )


class TriedCandidate(BudgetCandidate):
    """What became of it. All numbers are of the validation rows."""

    status: Status = Field(
        description="complete: trained to the end. given_up: after a ninth or a third of the epochs it was not among "
        "the best third of those that take about as much; its numbers are of then. failed: its training diverged.",
        examples=["complete"],
    )
    worth: float | None = Field(
        description="Mean over its seeds of what the report's verdict rests on, as accuracy. Null where it failed.",
        examples=[0.953],
    )
    worths: list[float] = Field(description="Of each seed.", examples=[[0.951, 0.956]])
    epochs: list[int] = Field(description="The best one of each seed.", examples=[[28, 30]])


class BudgetSection(ReportPart):
    """How a budget chose the student."""

    budget: Budget = Field(description="As it was asked for.", examples=[{"times_smaller": 10}])
    limits: BudgetLimits = Field(description="What that comes to.")
    teacher_parameters: int | None = Field(
        description="Which `times_smaller` is of; null where that was not asked.", examples=[8970]
    )
    seeds: int = Field(description="Of each candidate, their own and not the students'.", examples=[3])
    candidates: list[TriedCandidate] = Field(description="All that were tried, the largest first.")
    left_out: list[str] = Field(
        description="Forms of which no network fits, and what the narrowest would take.",
        examples=[["a vit of two blocks: at least 1,066 parameters"]],
    )
    front: list[int] = Field(
        description="Numbers of the complete candidates that no other beats in worth and parameters.", examples=[[4, 9]]
    )
    chosen: int = Field(description="The number of the student's.", examples=[4])
    why: str = Field(
        description="In a sentence.",
        examples=["Of 24 candidates, an mlp of one hidden layer was right most often on the validation rows."],
    )
    notes: list[str] = Field(
        description="What to know to judge it.", examples=[["The test rows were not read to choose."]]
    )

    @property
    def student(self) -> TriedCandidate:
        """The chosen one."""
        return next(each for each in self.candidates if each.number == self.chosen)
