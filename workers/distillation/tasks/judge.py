"""What a teacher's answers to some labelled rows give away: how good they are, and what is wrong with them."""

import math
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from qstill.contract.distillations.preflight import RegressorCheck, TeacherCheck
from workers.distillation.quality import quality
from workers.distillation.tasks.targets import score

SUM_TOLERANCE = 1e-3  # of a row of probabilities; half precision and three printed digits stay within it
ROUNDED = 0.05  # of a row of probabilities that were printed with two digits: ten classes, each half a hundredth off
SATURATED = 0.999  # beyond, half precision and printed digits lose what is left for the other classes
SOFT = 0.9  # of the largest probability: below, a student hears of the other classes
TEMPERATURES = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
CLEARLY = 2.5  # standard errors between two orders of the classes
CLEARLY_BETTER = 0.1  # of accuracy
SMOOTHING_CLASSES = 3  # with two, the rest is one number and always even
SMOOTHING_ROWS = 20
EVEN_REST = 0.75  # nats: standard deviation of the other classes' log-probabilities in the median row
NARROW_TOP = 0.15  # between the quartiles of the largest probability
SMOOTHING = (0.02, 0.5)  # what is worth the name

Order = NDArray[np.int64]
Kind = Literal["logits", "probabilities", "log_probabilities"]


def judge(logits: Tensor, labels: Tensor, *, pointer: str, chance_class: int, tokens: bool = False) -> TeacherCheck:
    """logits: (rows, classes). labels: (rows,), all known. chance_class: the most frequent training label.

    tokens: the classes are tokens, which have no order to be mistaken about and no even rest.
    """
    found = quality(logits, labels, per_class=False)
    top = logits.double().softmax(1).amax(1)
    order = None if tokens else class_order(logits, labels)
    return TeacherCheck(
        pointer=pointer,
        rows=len(labels),
        accuracy=found.accuracy,
        negative_log_likelihood=found.negative_log_likelihood,
        expected_calibration_error=found.expected_calibration_error,
        chance=float((labels == chance_class).double().mean()),
        confidence=float(top.median()),
        saturated=float((top > SATURATED).double().mean()),
        temperature=softening_temperature(logits),
        answers_are=kind_of(logits),
        class_order=None if order is None else order.tolist(),
        accuracy_in_that_order=None if order is None else float(_right(logits, labels, order).mean()),
        label_smoothing=None if tokens else smoothing(logits),
    )


def judge_numbers(answers: Tensor, labels: Tensor, *, pointer: str) -> RegressorCheck:
    """answers, labels: (rows, targets), standardised, labels all known."""
    r2, error = score(answers, labels)
    return RegressorCheck(pointer=pointer, rows=len(labels), r2=r2, mean_squared_error=error)


def softening_temperature(logits: Tensor) -> float | None:
    """The lowest temperature at which half of the rows leave something for the other classes; None: no such."""
    for temperature in TEMPERATURES:
        if float((logits.double() / temperature).softmax(1).amax(1).median()) <= SOFT:
            return temperature
    return None


def kind_of(logits: Tensor) -> Kind:
    """What the numbers are, whatever they are called. Rows that are distributions are no logits."""
    values = logits.double()
    if bool((values >= 0).all()) and bool(((values.sum(1) - 1).abs() <= ROUNDED).all()):
        return "probabilities"
    if bool((torch.logsumexp(values, dim=1).abs() <= SUM_TOLERANCE).all()):
        return "log_probabilities"
    return "logits"


def class_order(logits: Tensor, labels: Tensor) -> Order | None:
    """The class that each column stands for, if another assignment than the claimed one is clearly more accurate.

    An assignment that fits best fits chance too. So one is found on every other row and tried on the rest.
    """
    tried, kept = (best_order(logits[first::2], labels[first::2]) for first in (0, 1))
    gain = torch.cat(
        [
            _right(logits[1::2], labels[1::2], tried) - _right(logits[1::2], labels[1::2]),
            _right(logits[0::2], labels[0::2], kept) - _right(logits[0::2], labels[0::2]),
        ]
    )
    changed = float(gain.abs().sum())
    if float(gain.mean()) < CLEARLY_BETTER or float(gain.sum()) < CLEARLY * math.sqrt(changed):
        return None
    order = best_order(logits, labels)
    return None if (order == np.arange(len(order))).all() else order


def best_order(logits: Tensor, labels: Tensor) -> Order:
    """The class of each column with which the most rows are right: an assignment problem on the confusion matrix."""
    classes = logits.shape[1]
    confusion = np.zeros((classes, classes))
    np.add.at(confusion, (logits.argmax(1).numpy(), labels.numpy()), 1)
    confusion += 0.5 * np.eye(classes)  # what is not decided stays where it is
    from scipy.optimize import linear_sum_assignment  # half a second to import, for teachers that seem out of order

    columns, assigned = linear_sum_assignment(confusion, maximize=True)
    order = np.empty(classes, dtype=np.int64)
    order[columns] = assigned
    return order


def _right(logits: Tensor, labels: Tensor, order: Order | None = None) -> Tensor:
    """(rows,) 1.0 where the answer is the label."""
    said = logits.argmax(1)
    named = said if order is None else torch.from_numpy(order)[said]
    return (named == labels).double()


def smoothing(logits: Tensor) -> float | None:
    """The ε of label smoothing that a teacher seems to be trained with, or None.

    Its largest probabilities pile up at 1 - ε + ε/classes, and the rest of a row is even: Müller, Kornblith and Hinton
    2019, arXiv:1906.02629. Without it the rest of a row spans several nats.
    """
    rows, classes = logits.shape
    if classes < SMOOTHING_CLASSES or rows < SMOOTHING_ROWS:
        return None
    logs = logits.double().log_softmax(1).sort(dim=1, descending=True).values
    top, rest = logs[:, 0].exp(), logs[:, 1:]
    spread = float(rest.std(dim=1, correction=0).median())
    low, middle, high = (float(top.quantile(share)) for share in (0.25, 0.5, 0.75))
    epsilon = (1 - middle) * classes / (classes - 1)
    if spread > EVEN_REST or high - low > NARROW_TOP or not SMOOTHING[0] <= epsilon <= SMOOTHING[1]:
        return None
    return epsilon
