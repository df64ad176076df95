"""Kullback-Leibler distillation (Hinton, Vinyals, Dean 2015, arXiv:1503.02531, sec. 2)."""

from torch import Tensor

from workers.distillation.objectives.terms import Target, Terms, kl_from_logits, label_term, upcast
from workers.distillation.signals.signals import Signal


def kd(student: Tensor, signal: Signal, target: Target, *, temperature: float, alpha: float) -> Terms:
    """(1-α)·CE + α·T²·KL(teacher ‖ student), each term a mean over the rows of the batch that have it.

    student: logits (batch, classes). signal.logits: the same shape. target.labels: (batch,), -1 where unknown.
    Returns {"hard", "soft", "loss"}, scalars in nats; rows without a label carry the soft term only. The hard term's
    mean is over the labelled rows, so that α weighs label against teacher the same however few rows are labelled.
    """
    teacher, student = upcast(signal.logits) / temperature, upcast(student)
    soft = kl_from_logits(teacher, student / temperature) * temperature**2  # T² keeps the gradient's size
    hard = label_term(student, target)
    return {"hard": hard, "soft": soft, "loss": (1 - alpha) * hard + alpha * soft}
