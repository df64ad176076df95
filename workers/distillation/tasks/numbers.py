"""Regression: real numbers for each row, which networks learn standardised."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

import torch
from torch import Tensor, nn

from qstill.contract.distillations.measures.measure import R2, Measure
from qstill.contract.distillations.measures.usual import OF_NUMBERS
from qstill.contract.distillations.report.tasks import NO_SECTIONS, PredictedTarget, TaskSections
from qstill.contract.distillations.report.tasks import TargetErrors as ReportedErrors
from workers.distillation.measures import numbers
from workers.distillation.objectives.terms import labelled_rows
from workers.distillation.quality import mean
from workers.distillation.tasks.judge import judge_numbers
from workers.distillation.tasks.targets import Errors, TargetErrors, Targets, correlation, errors, score
from workers.distillation.tasks.task import Arms, Block, Check, Task


class InUnits(nn.Module):
    """A network of regression that answers in the units of the targets."""

    mean: Tensor
    std: Tensor

    def __init__(self, network: nn.Module, targets: Targets) -> None:
        super().__init__()
        self.raw = network
        self.register_buffer("mean", targets.mean.float())
        self.register_buffer("std", targets.std.float())

    def forward(self, raw: Tensor) -> Tensor:
        """Values (batch, targets)."""
        return self.raw(raw) * self.std + self.mean  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Numbers(Task[Errors]):
    """Answers and labels (rows, targets) are standardised, labels NaN where unknown; a row is one label."""

    targets: Targets = field()  # not the default of `Task`

    answers = "values"
    usual = OF_NUMBERS
    no_better = "The teacher is no better than always answering the mean of the labels."

    @property
    def names(self) -> list[str]:
        return self.targets.names

    def count(self, labels: Tensor) -> int:
        return int(labelled_rows(labels).sum())

    def score(self, answers: Tensor, labels: Tensor) -> tuple[float, float]:
        """(R², or the measure that the job named; mean squared error)."""
        r2, error = score(answers, labels)
        return (r2 if self.named is None else self.value_of(self.named, answers, labels)), error

    def weighed(self, measure: Measure, answers: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
        """In the unit of the target, of several in standard deviations, as everything."""
        targets = self.targets
        unit = targets.std.to(labels.device) if len(targets.names) == 1 else 1.0
        known = labels.double() * unit
        return numbers.measured(measure, answers.double() * unit - known, known, weights)

    def unmeasured(self, measure: Measure, labels: Tensor) -> str | None:
        varies = bool((labels.amax(0) > labels.amin(0)).any())
        return f"{measure.heading} needs labels that vary." if measure == R2 and not varies else None

    def measured(self, answers: Tensor, labels: Tensor, teacher: Tensor) -> tuple[Errors, float]:
        return errors(answers, labels, teacher, self.targets), correlation(answers, teacher)

    def useless(self, teacher: Errors, labels: Tensor) -> bool:
        return teacher.r2 <= 0

    def useless_answers(self, answers: Tensor, labels: Tensor, learned: Tensor) -> bool:
        return score(answers, labels)[0] <= 0

    def check(self, pointer: str, answers: Tensor, labels: Tensor, learned: Tensor) -> Check:
        return judge_numbers(answers, labels, pointer=pointer)

    def of_trial(self, answers: Sequence[Tensor], labels: Tensor) -> dict[str, Any]:
        found = [errors(each, labels, each, self.targets).rmse for each in answers]
        return {"rmse": fmean(found), "rmses": found}

    def exported(self, network: nn.Module) -> nn.Module:
        return InUnits(network, self.targets)

    def outputs(self) -> dict[str, Any]:
        return {"outputs": "values, one column a target, in its unit", "targets": self.targets.names}

    def of_file(self, blocks: Iterable[Block]) -> dict[str, Any]:
        """In units of the targets, of several in standard deviations, as in the report."""
        answers, expected, labels = (torch.cat(parts) for parts in zip(*blocks, strict=True))
        found = self.targets.standardised(answers)
        file, network = (errors(each, labels, expected, self.targets) for each in (found, expected))
        return {
            "rmse": file.rmse,
            "pytorch_rmse": network.rmse,
            "r2": file.r2,
            "max_value_difference": float((answers - self.targets.in_units(expected)).abs().max()),
            "correlation": correlation(found, expected),
            **self.named_of_file([(found, labels)]),
        }

    def sections(self, arms: Arms[Errors], labels: Tensor) -> TaskSections:
        """What was predicted, how its labels vary, and how well each network does it, mean over seeds."""
        found = [self._of_target(place, arms) for place in range(len(self.targets.names))]
        return NO_SECTIONS.model_copy(update={"targets": found})

    def _of_target(self, place: int, arms: Arms[Errors]) -> PredictedTarget:
        return PredictedTarget(
            name=self.targets.names[place],
            mean=float(self.targets.mean[place]),
            std=float(self.targets.std[place]),
            **{role: _mean_errors([one.per_target[place] for one in arm]) for role, arm in arms.by_role().items()},
        )

    def data_notes(self) -> list[str]:
        said = (
            "Networks learned the targets less their mean and divided by their standard deviation, both of the "
            "training split's labels; predictions, exports and measures are in units of the data."
        )
        if len(self.targets.names) > 1:
            said += (
                " The targets' units may differ: RMSE and mean absolute error over all of them are in those standard "
                "deviations, and for each target, in `targets`, in its own unit."
            )
        return [said]


def _mean_errors(found: Sequence[TargetErrors]) -> ReportedErrors | None:
    if not found:
        return None
    explained = mean([each.r2 for each in found if each.r2 is not None])
    return ReportedErrors(
        rmse=mean([each.rmse for each in found]), mae=mean([each.mae for each in found]), r2=explained
    )
