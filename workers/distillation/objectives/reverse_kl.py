"""Reverse Kullback-Leibler divergence (as in GKD: Agarwal and others 2023, arXiv:2306.13649): KL(q ‖ p).

p is the teacher's distribution, q the student's.
"""

from torch import Tensor

from workers.distillation.objectives.terms import Target, Terms, kl_from_logits, label_term, upcast
from workers.distillation.signals.signals import Signal


def reverse_kl(student: Tensor, signal: Signal, target: Target, *, temperature: float, alpha: float) -> Terms:
    """(1-α)·CE + α·T²·KL(student ‖ teacher), each term a mean over the rows of the batch that have it.

    student: logits (batch, classes). signal.logits: the same shape. target.labels: (batch,), -1 where unknown.
    Returns {"hard", "soft", "loss"}, scalars in nats; rows without a label carry the soft term only. Everything stays
    in log space: a probability of the student that underflows to 0 has a finite logarithm, and a finite gradient.
    """
    teacher, softened = upcast(signal.logits) / temperature, upcast(student) / temperature
    soft = kl_from_logits(softened, teacher) * temperature**2
    hard = label_term(student, target)
    return {"hard": hard, "soft": soft, "loss": (1 - alpha) * hard + alpha * soft}
