"""A circuit's expectation values: numbers that the circuit itself is the truth of."""

from dataclasses import dataclass

from torch import Tensor

from qstill.contract.distillations.report.surrogate import JudgedBy
from workers.distillation.rows import Rows
from workers.distillation.tasks.numbers import Numbers


@dataclass(frozen=True)
class Expectations(Numbers):
    """As of regression, without labels. judged_by: as in the report's `surrogate`."""

    judged_by: JudgedBy = "exact"

    no_better = "The circuit's answers vary less than their shots and noise make them wrong: more shots are needed."

    def lesson_note(self, train: Rows, seen: Tensor, learned: Tensor) -> str:
        return (
            "There are no labels, and so no baseline: the student learned from the circuit's answers alone. What it "
            "has to be better than stands in `surrogate`: asking the circuit directly, and a linear model."
        )

    def data_notes(self) -> list[str]:
        truth = {
            "exact": "The test rows' labels are the circuit's expectation values without shots and noise",
            "teacher": "The circuit decides by what it measures, so the test rows' labels are its own answers",
        }[self.judged_by]
        return [
            f"{truth}; those of the validation rows are what the teacher answered. Networks learned the values less "
            "the mean of those answers and divided by their standard deviation."
        ]
