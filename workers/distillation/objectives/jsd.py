"""Generalised Jensen-Shannon divergence (GKD: Agarwal and others 2023, arXiv:2306.13649, eq. 1).

JSD(β) = β·KL(p ‖ m) + (1-β)·KL(q ‖ m), m = β·p + (1-β)·q, p the teacher's distribution, q the student's.
"""

import math

import torch
from torch import Tensor
from torch.nn.functional import log_softmax

from workers.distillation.objectives.terms import Target, Terms, kl, label_term, upcast
from workers.distillation.signals.signals import Signal


def jsd(student: Tensor, signal: Signal, target: Target, *, beta: float, temperature: float, alpha: float) -> Terms:
    """(1-α)·CE + α·T²·JSD(β), each term a mean over the rows of the batch that have it. 0 < β < 1.

    student: logits (batch, classes). signal.logits: the same shape. target.labels: (batch,), -1 where unknown.
    Returns {"hard", "soft", "loss"}, scalars in nats; rows without a label carry the soft term only. The mixture is
    taken in log space. Without T² the divergence never exceeds -β·ln β - (1-β)·ln(1-β): ln 2 at β = ½.
    """
    p, q = (log_softmax(upcast(logits) / temperature, dim=1) for logits in (signal.logits, student))
    mixture = torch.logaddexp(p + math.log(beta), q + math.log1p(-beta))
    divergence = beta * kl(p, mixture) + (1 - beta) * kl(q, mixture)
    soft = divergence * temperature**2
    hard = label_term(student, target)
    return {"hard": hard, "soft": soft, "loss": (1 - alpha) * hard + alpha * soft}
