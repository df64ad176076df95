"""Measures of logits against classes, on rows that may count several times or not at all.

Each takes logits (rows, classes), labels (rows,), all known, and weights (draws, rows), and gives one number a draw,
NaN where the rows that count do not have it. Weights of 1 give what scikit-learn gives; whole numbers what it gives of
rows that stand there so often.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import log_softmax

from qstill.contract.distillations.measures.measure import (
    ACCURACY,
    AUC,
    AVERAGE_PRECISION,
    F1_MACRO,
    F1_MICRO,
    LOG_LOSS,
    Measure,
    top_of,
)
from workers.distillation.measures.ranked import area_under_roc, average_precision
from workers.distillation.quality import LEAST_PROBABILITY_LOG

OfRows = Callable[[Tensor, Tensor], Tensor]  # logits and labels to a number for each row
OfClass = Callable[[Tensor, Tensor, Tensor], Tensor]  # scores (rows,), whether positive (rows,), weights to (draws,)


def measured(measure: Measure, logits: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
    """(draws,) float64."""
    if (count := top_of(measure.name)) is not None:
        return _mean(among_likeliest(logits, labels, count), weights)
    if measure.name in OF_ROWS:
        return _mean(OF_ROWS[measure.name](logits, labels), weights)
    if measure.name in OF_EACH_CLASS:
        return _over_classes(OF_EACH_CLASS[measure.name], logits, labels, weights)
    assert measure.name == F1_MACRO.name
    return _macro_f1(logits, labels, weights)


def needs_every_class(measure: Measure) -> bool:
    """Whether rows without one of the classes have no such number."""
    return measure.name in OF_EACH_CLASS


def numbers_a_draw(measure: Measure, logits: Tensor) -> int:
    """How much there is to compute."""
    return logits.numel() if needs_every_class(measure) else len(logits)


def _right(logits: Tensor, labels: Tensor) -> Tensor:
    return (logits.argmax(1) == labels).double()


def _nats(logits: Tensor, labels: Tensor) -> Tensor:
    log_p = log_softmax(logits.double(), dim=1).clamp(min=LEAST_PROBABILITY_LOG)
    return -log_p.gather(1, labels[:, None])[:, 0]


OF_ROWS: dict[str, OfRows] = {ACCURACY.name: _right, F1_MICRO.name: _right, LOG_LOSS.name: _nats}
OF_EACH_CLASS: dict[str, OfClass] = {AUC.name: area_under_roc, AVERAGE_PRECISION.name: average_precision}


def among_likeliest(logits: Tensor, labels: Tensor, count: int) -> Tensor:
    """(rows,) 1.0 where fewer than `count` classes come before the label's; of equal ones the later come first."""
    own = logits.gather(1, labels[:, None])
    later = torch.arange(logits.shape[1], device=logits.device) > labels[:, None]
    before = (logits > own) | ((logits == own) & later)
    return (before.sum(1) < count).double()


def _mean(values: Tensor, weights: Tensor) -> Tensor:
    return weights @ values / weights.sum(1)


def _macro_f1(logits: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
    """Plain mean over classes that are a label or an answer: of others there is nothing to say."""
    said, classes = logits.argmax(1), logits.shape[1]

    def counted(of: Tensor, which: Tensor) -> Tensor:
        return which.new_zeros(len(which), classes).index_add_(1, of, which)

    both = counted(labels, weights) + counted(said, weights)
    return (2 * counted(labels, weights * (said == labels)) / both).nanmean(1)


def _over_classes(of_class: OfClass, logits: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
    """Of two classes that of the second; else the plain mean, each class against the rest."""
    p = logits.double().softmax(1)
    classes = [1] if p.shape[1] == 2 else range(p.shape[1])
    return torch.stack([of_class(p[:, code], labels == code, weights) for code in classes]).mean(0)
