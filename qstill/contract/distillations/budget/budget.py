"""What a student may take, where a job says that instead of its architecture."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from qstill.contract.schemas import Strict, refuse

MAX_TIMES = 1_000_000.0
MAX_COUNT = 1 << 40  # bytes, multiply-adds: far beyond what a student here can have

Limit = Literal["times_smaller", "bytes", "multiply_adds", "milliseconds"]
Count = Annotated[int, Field(ge=1, le=MAX_COUNT)]


class Budget(Strict):
    """The most that a student may take: one limit, or several that hold together."""

    times_smaller: Annotated[float, Field(ge=1, le=MAX_TIMES)] | None = Field(
        None,
        description="Its weights and biases are at most the teacher's, of an ensemble all members', over this. A "
        "teacher of which only answers are known has none: say one of the others. Null: not limited so.",
        examples=[10],
    )
    bytes: Count | None = Field(
        None,
        description="Of its published file, float32, with the card in it: the tokenizer or the encoders of columns, "
        "too. Null: not limited so.",
        examples=[50_000],
    )
    multiply_adds: Count | None = Field(None, description="For one row. Null: not limited so.", examples=[100_000])
    milliseconds: Annotated[float, Field(gt=0, le=60_000)] | None = Field(
        None,
        description="For one row on one core of the machine that computes the job, the median of some tens. What fits "
        "then depends on that machine, and so may the student. Null: not limited so.",
        examples=[0.5],
    )

    @model_validator(mode="after")
    def _limits_something(self) -> "Budget":
        if not self.limits():
            reason = "name at least one: times_smaller, bytes, multiply_adds or milliseconds"
            refuse((), "nothing_limited", reason, {})
        return self

    def limits(self) -> list[Limit]:
        """Those that there are."""
        every: tuple[Limit, ...] = ("times_smaller", "bytes", "multiply_adds", "milliseconds")
        return [name for name in every if getattr(self, name) is not None]


class BudgetedStudent(Strict):
    """Who is to be taught, by what it may take: the architecture is looked for."""

    budget: Budget = Field(
        description="Networks of several kinds, depths and widths that fit the data and the budget are made; the "
        "validation rows choose one, by successive halving, after they have begun to learn from the teacher. It is "
        "then trained as if it had been named.",
        examples=[{"times_smaller": 10}],
    )
    compare: bool = Field(
        True,
        description="Where the teacher's network can be pruned and quantised, set the chosen student beside that at "
        "equal bytes, also if the job has no `compression` of its own. Costs about as much again. False: do not.",
        examples=[True],
    )
