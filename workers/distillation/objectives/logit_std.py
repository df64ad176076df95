"""Logit standardisation (Sun and others 2024, arXiv:2403.01427, alg. 1): KL of softmax((z - mean z)/(σ(z)·T))."""

from torch import Tensor

from workers.distillation.objectives.terms import Target, Terms, kl_from_logits, label_term, upcast
from workers.distillation.signals.signals import Signal

LEAST_DEVIATION = 1e-4  # bounds the gradient of a row that does not vary; the authors' 1e-7 lets it reach 10^7


def logit_std(
    student: Tensor, signal: Signal, target: Target, *, temperature: float, weight: float, hard_weight: float
) -> Terms:
    """hard_weight·CE + weight·T²·KL of logits standardised row by row, each a mean over the rows that have it.

    λ = 9 and T = 2 are what the authors' code is run with, and T² multiplies beside λ there as well. Its σ divides by
    K - 1, this one by K: a temperature that is √(1 - 1/K) times as high. The hard term sees the student's logits as
    they are.
    student: logits (batch, classes). signal.logits: the same shape. target.labels: (batch,), -1 where unknown.
    Returns {"hard", "soft", "loss"}, scalars in nats; rows without a label carry the soft term only. The soft term
    leaves the size of the student's logits free, which spoils calibration at T=1.
    """
    teacher, standardised = (standardise(upcast(logits)) / temperature for logits in (signal.logits, student))
    soft = kl_from_logits(teacher, standardised) * temperature**2
    hard = label_term(student, target)
    return {"hard": hard, "soft": soft, "loss": hard_weight * hard + weight * soft}


def standardise(logits: Tensor) -> Tensor:
    """Logits (batch, classes) of mean 0 and standard deviation 1 in each row; a row that does not vary becomes 0."""
    variance = logits.var(1, correction=0, keepdim=True)
    return (logits - logits.mean(1, keepdim=True)) * (variance + LEAST_DEVIATION**2).rsqrt()
