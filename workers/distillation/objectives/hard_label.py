"""Hard-label distillation (Touvron and others 2021, arXiv:2012.12877): ½·CE(z, y) + ½·CE(z, argmax z_t)."""

from torch import Tensor

from workers.distillation.objectives.terms import Target, Terms, cross_entropy_of_known, label_term
from workers.distillation.signals.signals import Signal


def hard_label(student: Tensor, signal: Signal, target: Target, *, alpha: float) -> Terms:
    """(1-α)·CE(label) + α·CE(the teacher's most likely class), each a mean over the rows of the batch that have it.

    student: logits (batch, classes). signal.logits: the same shape. target.labels: (batch,), -1 where unknown.
    Returns {"hard", "soft", "loss"}, scalars in nats; rows without a label carry the teacher's class only. The soft
    term is not 0 at equality: a student that equals the teacher can still be surer of the same class.
    """
    hard = label_term(student, target)
    soft = cross_entropy_of_known(student, signal.logits.argmax(1))
    return {"hard": hard, "soft": soft, "loss": (1 - alpha) * hard + alpha * soft}
