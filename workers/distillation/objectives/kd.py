"""Kullback-Leibler distillation (Hinton, Vinyals, Dean 2015, arXiv:1503.02531, sec. 2)."""

from torch import Tensor

from workers.distillation.objectives.terms import (
    Target,
    Terms,
    binary_kl_from_logits,
    kl_from_logits,
    label_term,
    upcast,
)
from workers.distillation.signals.signals import Signal


def kd(student: Tensor, signal: Signal, target: Target, *, temperature: float, alpha: float) -> Terms:
    """(1-α)·CE + α·T²·KL(teacher ‖ student), each term a mean over the rows of the batch that have it.

    student: logits (batch, classes). signal.logits: the same shape. target.labels: (batch,), -1 where unknown.
    Returns {"hard", "soft", "loss"}, scalars in nats; rows without a label carry the soft term only. The hard term's
    mean is over the labelled rows, so that α weighs label against teacher the same however few rows are labelled.
    Of several labels a row, (batch, labels): binary cross-entropy and KL(σ(z_t/T) ‖ σ(z_s/T)) of each label, means over
    labels, too: what Yang and others (Multi-Label Knowledge Distillation, 2023, arXiv:2308.06453) build on.
    """
    teacher, student = upcast(signal.logits) / temperature, upcast(student)
    divergence = binary_kl_from_logits if target.yes_no else kl_from_logits
    soft = divergence(teacher, student / temperature) * temperature**2  # T² keeps the gradient's size
    hard = label_term(student, target)
    return {"hard": hard, "soft": soft, "loss": (1 - alpha) * hard + alpha * soft}
