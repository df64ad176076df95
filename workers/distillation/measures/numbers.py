"""Measures of predicted numbers against labels, on rows that may count several times or not at all.

Each takes the differences (rows, targets), the labels (rows, targets), and weights (draws, rows), and gives (draws,).
"""

import torch
from torch import Tensor

from qstill.contract.distillations.measures.measure import MAE, R2, RMSE, Measure


def measured(measure: Measure, differences: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
    """(draws,) float64, in the unit of the differences. All of them in double precision."""
    total = weights.sum(1)
    if measure.name == RMSE.name:
        return (weights @ differences.square().mean(1) / total).sqrt()
    if measure.name == MAE.name:
        return weights @ differences.abs().mean(1) / total
    assert measure.name == R2.name
    left = weights @ differences.square()
    centred = labels - labels.mean(0)  # far from 0, squares would leave nothing of a variation
    mean = weights @ centred / total[:, None]
    variation = weights @ centred.square() - total[:, None] * mean.square()
    return torch.where(variation > 0, 1 - left / variation, torch.nan).nanmean(1)
