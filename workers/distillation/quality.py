"""What a finished network is worth: quality on the test rows, size, and time on this machine."""

import math
from dataclasses import dataclass
from statistics import fmean, stdev

import numpy as np
import torch
from torch import Tensor, nn
from torch.autograd import grad
from torch.nn.functional import log_softmax, one_hot

from qstill.contract.distillations.measures.measure import Measure
from qstill.contract.distillations.results import Spread, Verdict
from workers.distillation.networks.costs import multiply_adds, parameters

CALIBRATION_BINS = 15
SHARE = 100.0  # points of a measure between 0 and 1
QUALITY_ROWS = 4096  # measured at once
LEAST_PROBABILITY_LOG = -103.0  # nats; below it float32 knows only 0, and a mean over rows would be infinite
T_95 = (
    *(12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281),
    *(2.2010, 2.1788, 2.1604, 2.1448, 2.1314, 2.1199, 2.1098, 2.1009, 2.0930),
)  # the 97.5% quantile of Student's t with 1, 2, … 19 degrees of freedom: MAX_SEEDS - 1


@dataclass(frozen=True)
class Bin:
    """Rows of which a network is about equally sure. Their mean confidence and accuracy; None where there are none."""

    rows: int
    confidence: float | None
    accuracy: float | None


@dataclass(frozen=True)
class Quality:
    """Of logits against labels. Losses in nats.

    per_class: accuracy of each class, None for one without rows; empty where the classes are tokens.
    reliability: over equal bins of the confidence in (0, 1].
    """

    accuracy: float
    negative_log_likelihood: float
    expected_calibration_error: float
    brier: float
    per_class: list[float | None]
    reliability: list[Bin]


@dataclass(frozen=True)
class Size:
    """bytes: of the published file. multiply_adds: of one input. Of a foreign model: parameters 0, None: unknown."""

    parameters: int
    bytes: int
    multiply_adds: int | None


@dataclass(frozen=True)
class Comparison:
    """Paired differences over seeds: their mean and 95% t-interval; None where one pair gives no interval."""

    mean: float
    low: float | None
    high: float | None
    differences: list[float]


def quality(logits: Tensor, labels: Tensor, *, per_class: bool = True) -> Quality:
    """logits: (rows, classes). labels: (rows,), all known. per_class: whether to tell the classes apart.

    In blocks: double precision takes twice the memory.
    """
    blocks = zip(torch.split(logits, QUALITY_ROWS), torch.split(labels, QUALITY_ROWS), strict=True)
    right, log_likelihood, confidence, brier = (
        torch.cat(parts) for parts in zip(*(_of_rows(*block) for block in blocks), strict=True)
    )
    return Quality(
        accuracy=float(right.double().mean()),
        negative_log_likelihood=float(-log_likelihood.mean()),
        expected_calibration_error=calibration_error(confidence, right),
        brier=float(brier.mean()),
        per_class=[_mean(right[labels == code]) for code in range(logits.shape[1] if per_class else 0)],
        reliability=reliability(confidence, right),
    )


def _of_rows(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """(right, log-likelihood, confidence, Brier score), each (rows,)."""
    log_p = log_softmax(logits.double(), dim=1).clamp(min=LEAST_PROBABILITY_LOG)
    brier = (log_p.exp() - one_hot(labels, logits.shape[1])).square().sum(1)
    return log_p.argmax(1) == labels, log_p.gather(1, labels[:, None])[:, 0], log_p.exp().amax(1), brier


def calibration_error(confidence: Tensor, right: Tensor) -> float:
    """Mean over rows of |accuracy - confidence| of the row's bin, in equal bins over (0, 1]. Both: (rows,)."""
    gaps = torch.zeros(CALIBRATION_BINS, dtype=torch.float64)
    gaps.index_add_(0, _bins(confidence), right.double() - confidence.double())
    return float(gaps.abs().sum() / len(right))


def reliability(confidence: Tensor, right: Tensor) -> list[Bin]:
    """The bins that the calibration error is made of. Both: (rows,)."""
    inside = [_bins(confidence) == number for number in range(CALIBRATION_BINS)]
    return [Bin(int(rows.sum()), _mean(confidence[rows]), _mean(right[rows])) for rows in inside]


def _bins(confidence: Tensor) -> Tensor:
    """Number of each row's bin."""
    return (confidence * CALIBRATION_BINS).ceil().long().clamp(1, CALIBRATION_BINS) - 1


def agreement(student: Tensor, teacher: Tensor) -> float:
    """Share of rows on which both name the same class. Both: logits (rows, classes)."""
    return float((student.argmax(1) == teacher.argmax(1)).double().mean())


def size(network: nn.Module, input_shape: tuple[int, ...], file_bytes: int) -> Size:
    """What the network takes."""
    return Size(parameters(network), file_bytes, multiply_adds(network, input_shape))


def compare(first: list[float], second: list[float], *, most: float = math.inf, step: float = 0.0) -> Comparison:
    """first - second, paired by position. most: what no difference exceeds, so that no interval does.

    step: what all differences are multiples of, as one test row of an accuracy; 0: of nothing. Counts that agree by
    chance tell of a small spread, not of none: a standard deviation below that of rounding to steps is not believed.
    """
    differences = [a - b for a, b in zip(first, second, strict=True)]
    mean = float(np.mean(differences))
    if len(differences) < 2:
        return Comparison(mean, None, None, differences)
    spread = max(float(np.std(differences, ddof=1)), step / math.sqrt(12))  # rounding's: uniform over one step
    half = T_95[len(differences) - 2] * spread / math.sqrt(len(differences))
    return Comparison(mean, max(mean - half, -most), min(mean + half, most), differences)


def compared_by(measure: Measure, first: list[float], second: list[float], *, rows: int) -> Comparison:
    """first - second, values of a measure, in its points. rows: of the test, each a step of a share."""
    points = measure.points
    own, other = ([points * value for value in arm] for arm in (first, second))
    bounded = points == SHARE and measure.least == 0
    return compare(own, other, most=SHARE if bounded else math.inf, step=SHARE / rows if measure.is_share else 0.0)


def verdict(difference: Comparison | None) -> Verdict | None:
    """By where the interval lies; one seed decides nothing. None where there was nothing to compare with."""
    if difference is None:
        return None
    if difference.low is None or difference.high is None:
        return "INCONCLUSIVE"
    if difference.low > 0:
        return "BEATS"
    return "NO BEATS" if difference.high <= 0 else "INCONCLUSIVE"


def mean_sd(values: list[float]) -> Spread:
    """The deviation is None for a single value."""
    return Spread(mean=fmean(values), sd=stdev(values) if len(values) > 1 else None)


def mean(values: list[float]) -> float | None:
    """None of none."""
    return fmean(values) if values else None


def soft_gradient(soft: Tensor, network: nn.Module) -> float:
    """Euclidean norm of the soft term's gradient over the network's weights: 0 means that the teacher is not heard."""
    trained = [each for each in network.parameters() if each.requires_grad]
    gradients = grad(soft, trained, allow_unused=True)  # features do not depend on what follows
    return math.sqrt(sum(float(g.double().square().sum()) for g in gradients if g is not None))


def _mean(values: Tensor) -> float | None:
    return float(values.double().mean()) if len(values) else None
