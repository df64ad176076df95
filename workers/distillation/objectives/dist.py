"""DIST (Huang and others 2022, arXiv:2205.10536): distances 1 - ρ(student, teacher), ρ Pearson's correlation.

Between the class probabilities of each row (inter-class), and of each class over the rows of the batch (intra-class).
"""

import torch
from torch import Tensor

from workers.distillation.objectives.terms import Target, Terms, label_term
from workers.distillation.signals.signals import Signal

LEAST_VARIATION = 1e-10  # summed squares of a vector whose largest value is 1; below it float32 holds only rounding
LEAST_SIZE = 1e-30  # of a vector's largest value; the gradient of dividing by less is infinite in float32


class DistTerms(Terms):
    """inter_class, intra_class: distances from 0 to 2, without a unit, before their weights."""

    inter_class: Tensor
    intra_class: Tensor


def dist(
    student: Tensor,
    signal: Signal,
    target: Target,
    *,
    beta: float,
    gamma: float,
    temperature: float,
    hard_weight: float,
) -> DistTerms:
    """hard_weight·CE + β·inter-class + γ·intra-class distance of softmax(z/T).

    student: logits (batch, classes). signal.logits: the same shape. target.labels: (batch,), -1 where unknown.
    Returns {"hard" in nats, "soft", "inter_class", "intra_class" without a unit, "loss"}; rows without a label have no
    hard term. The authors' code for CIFAR multiplies by T²; a correlation is free of scale, so that its gradient does
    not fall with T, and nothing is multiplied here. At T=1, the default, both are the same.
    """
    # Near-uniform probabilities less their mean are rounding in float32: of 10,000 classes at T=1000 a percent.
    p, q = (torch.softmax(logits.double() / temperature, dim=1) for logits in (signal.logits, student))
    inter, intra = pearson_distance(q, p).float(), pearson_distance(q.T, p.T).float()
    hard, soft = label_term(student, target), beta * inter + gamma * intra
    return {
        "hard": hard,
        "soft": soft,
        "inter_class": inter,
        "intra_class": intra,
        "loss": hard_weight * hard + soft,
    }


def pearson_distance(student: Tensor, teacher: Tensor) -> Tensor:
    """1 - ρ, mean over the rows in which the teacher varies; 0 when there is none. Both: (rows, values).

    Where the teacher does not vary there is nothing to correlate with; where only the student does not, ρ is 0.
    """
    s, t = _centred(student), _centred(teacher)
    s_squares, t_squares = (v.square().sum(1) for v in (s, t))
    varies = (t_squares > LEAST_VARIATION).to(t.dtype)
    norms = s_squares.clamp(min=LEAST_VARIATION).sqrt() * t_squares.clamp(min=LEAST_VARIATION).sqrt()
    distances = (1 - (s * t).sum(1) / norms) * varies
    return distances.sum() / varies.sum().clamp(min=1)


def _centred(rows: Tensor) -> Tensor:
    """Rows less their mean, each first brought to size 1: squares of small probabilities would vanish in float32."""
    sizes = rows.detach().abs().amax(1, keepdim=True).clamp(min=LEAST_SIZE)
    rows = rows / sizes
    return rows - rows.mean(1, keepdim=True)
