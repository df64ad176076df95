"""Measures of logits of several labels a row, on rows that may count several times or not at all.

Each takes logits (rows, labels), what is so (rows, labels), 0 or 1 and all known, and weights (draws, rows), and gives
one number a draw, NaN where the rows that count do not have it. A label is said where its probability is above 0.5.
Means over labels are plain ones, as scikit-learn's `macro`; of weights as in `classes.py`.
"""

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from qstill.contract.distillations.measures.measure import (
    AUC,
    AVERAGE_PRECISION,
    F1_MACRO,
    F1_MICRO,
    HAMMING,
    LOG_LOSS,
    SUBSET_ACCURACY,
    Measure,
)
from workers.distillation.measures.ranked import area_under_roc, average_precision

RANKED = {AUC.name: area_under_roc, AVERAGE_PRECISION.name: average_precision}
LEAST_NATS_LOGIT = 103.0  # beyond, float32 knows only 0 and 1, as in `quality`


def measured(measure: Measure, logits: Tensor, so: Tensor, weights: Tensor) -> Tensor:
    """(draws,) float64."""
    said, wanted = (logits > 0).double(), so.double()
    if measure.name in (F1_MACRO.name, F1_MICRO.name):
        both, either = weights @ (said * wanted), weights @ (said + wanted)
        if measure.name == F1_MICRO.name:
            both, either = both.sum(1, keepdim=True), either.sum(1, keepdim=True)
        return torch.where(either > 0, 2 * both / either, 0.0).mean(1)
    if measure.name in RANKED:
        of_label = RANKED[measure.name]
        found = [of_label(logits[:, at].double(), so[:, at] > 0, weights) for at in range(logits.shape[1])]
        return torch.stack(found).nanmean(0)
    of_rows = {
        SUBSET_ACCURACY.name: lambda: (said == wanted).all(1).double(),
        HAMMING.name: lambda: (said != wanted).double().mean(1),
        LOG_LOSS.name: lambda: nats(logits, so).mean(1),
    }[measure.name]()
    return weights @ of_rows / weights.sum(1)


def nats(logits: Tensor, so: Tensor) -> Tensor:
    """(rows, labels) cross-entropies of each label."""
    bounded = logits.double().clamp(-LEAST_NATS_LOGIT, LEAST_NATS_LOGIT)
    return binary_cross_entropy_with_logits(bounded, so.double(), reduction="none")


def lacking(measure: Measure, so: Tensor) -> bool:
    """Whether no label of these rows has such a number."""
    if measure.name not in RANKED:
        return False
    some, every = (so > 0).any(0), (so > 0).all(0)
    return not bool((some & ~every if measure.name == AUC.name else some).any())


def numbers_a_draw(measure: Measure, logits: Tensor) -> int:
    """How much there is to compute."""
    return logits.numel()
