"""Regression: real numbers to predict, and how they are measured. Networks learn them standardised."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from qstill.contract.errors import Problem
from workers.distillation.objectives.terms import UNKNOWN

LEAST_SPREAD = 1e-12  # of a target's deviation, relative to its size: below it double precision sees no variation


@dataclass(frozen=True)
class Targets:
    """What is predicted. mean, std: (targets,), float64, of the training split's labels, in units of the data."""

    names: list[str]
    mean: Tensor
    std: Tensor

    def standardised(self, values: Tensor) -> Tensor:
        """Values (rows, targets) in units of the data, as networks learn them: float32."""
        return ((values.double() - self.mean) / self.std).float()

    def in_units(self, answers: Tensor) -> Tensor:
        """What networks answer (rows, targets), in units of the data: float64."""
        return answers.double() * self.std + self.mean


@dataclass(frozen=True)
class TargetErrors:
    """Of one target, in its unit; its square for none. r2: None where the rows' labels do not vary."""

    name: str
    rmse: float
    mae: float
    r2: float | None


@dataclass(frozen=True)
class Errors:
    """Of predictions against labels, as `Quality` is of a classifier.

    rmse, mae: in the target's unit. With several targets, whose units differ, in standard deviations of their training
    labels: the root of the mean square over targets, and the mean. r2: mean over the targets whose labels vary, else 0.
    rmse_to_teacher: of the same kind, from the teacher's predictions instead of the labels.
    """

    rmse: float
    mae: float
    r2: float
    rmse_to_teacher: float
    per_target: list[TargetErrors]


def targets_of(y: Tensor, names: list[str]) -> Targets:
    """From the labels of the training split (rows, targets). Raises Problem dataset_invalid."""
    for column, name in enumerate(names):
        known = y[:, column][y[:, column].isfinite()]
        if len(known) < 2 or not known.std(correction=0) > LEAST_SPREAD * known.abs().max():
            title = f"Target {name[:100]!r} does not vary over the labelled training rows: there is nothing to learn."
            raise Problem("dataset_invalid", title, pointer="/dataset/file")
    columns = [column[column.isfinite()].double() for column in y.T]
    mean, std = (torch.stack(each) for each in zip(*((c.mean(), c.std(correction=0)) for c in columns), strict=True))
    return Targets(list(names), mean, std)


def whole_rows(y: NDArray[np.float64]) -> NDArray[np.int64]:
    """(rows,) 0 where every target is known, which validation and test rows need, `UNKNOWN` elsewhere.

    Raises Problem dataset_invalid.
    """
    codes = np.where(np.isnan(y).any(1), UNKNOWN, 0)
    count = int((codes == 0).sum())
    if count < 4:
        title = f"{count} rows have all their labels; validation and test need one each, and training two."
        raise Problem("dataset_invalid", title, pointer="/dataset/file")
    return codes.astype(np.int64)


def errors(answers: Tensor, labels: Tensor, teacher: Tensor, targets: Targets) -> Errors:
    """All standardised, (rows, targets), labels all known."""
    found, wanted, said = (targets.in_units(part) for part in (answers, labels, teacher))
    per_target = [
        TargetErrors(name, _rmse(found[:, i] - wanted[:, i]), _mae(found[:, i] - wanted[:, i]), r2)
        for i, (name, r2) in enumerate(zip(targets.names, determination(found, wanted), strict=True))
    ]
    scale = targets.std if len(targets.names) > 1 else torch.ones_like(targets.std)
    explained = [each.r2 for each in per_target if each.r2 is not None]
    return Errors(
        rmse=_rmse((found - wanted) / scale),
        mae=_mae((found - wanted) / scale),
        r2=sum(explained) / len(explained) if explained else 0.0,
        rmse_to_teacher=_rmse((found - said) / scale),
        per_target=per_target,
    )


def determination(answers: Tensor, labels: Tensor) -> list[float | None]:
    """R² of each target: 1 less the squared errors' share of the labels' variation; None where they do not vary."""
    answers, labels = answers.double(), labels.double()
    variation = (labels - labels.mean(0)).square().sum(0)
    left = (answers - labels).square().sum(0)
    return [1 - float(squares) / float(of) if of > 0 else None for squares, of in zip(left, variation, strict=True)]


def correlation(answers: Tensor, teacher: Tensor) -> float:
    """Pearson's, mean over targets; 0 where one of both does not vary. Both: (rows, targets)."""
    first, second = (part.double() - part.double().mean(0) for part in (answers, teacher))
    lengths = first.norm(dim=0) * second.norm(dim=0)
    return float(torch.where(lengths > 0, (first * second).sum(0) / lengths.clamp(min=1e-300), 0.0).mean())


def score(answers: Tensor, labels: Tensor) -> tuple[float, float]:
    """(R², mean squared error), both means over the targets, of standardised answers (rows, targets)."""
    explained = [r2 for r2 in determination(answers, labels) if r2 is not None]
    error = float((answers.double() - labels.double()).square().mean())
    return (sum(explained) / len(explained) if explained else 0.0), error


def _rmse(differences: Tensor) -> float:
    return float(differences.square().mean().sqrt())


def _mae(differences: Tensor) -> float:
    return float(differences.abs().mean())
