"""Teacher-free distillation (Yuan and others 2020, arXiv:1909.11723): a virtual teacher, made of the label alone.

It gives the label's class the probability a and each other (1 - a)/(K - 1). Self-training, the paper's other form, is
kd with a teacher of the student's own kind.
"""

import math

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from workers.distillation.objectives.terms import UNKNOWN, Target, Terms, kl_from_logits, label_term, upcast
from workers.distillation.signals.signals import Signal


def tf_kd(
    student: Tensor, signal: Signal, target: Target, *, correct: float, temperature: float, alpha: float
) -> Terms:
    """(1-α)·CE + α·T²·KL(virtual teacher ‖ student), each a mean over the labelled rows; `signal` is not heard.

    The virtual teacher is softened as any other, softmax(log p/T). The authors' code takes softmax(p/T) instead, which
    is all but uniform at T = 20, leaves the student at T = 1, divides by the number of classes and has no T²; here T²
    keeps the gradient's size as in kd, so that α weighs alike at every T. student: logits (batch, classes).
    target.labels: (batch,), -1 where unknown. Returns {"hard", "soft", "loss"}, scalars in nats.
    """
    student = upcast(student)
    known = target.labels != UNKNOWN
    rows, classes = student[known], student.shape[1]
    is_label = one_hot(target.labels[known], classes).bool()
    wrong = math.log((1 - correct) / (classes - 1))
    virtual = torch.where(is_label, math.log(correct), wrong).to(student.dtype)
    divergence = kl_from_logits(virtual / temperature, rows / temperature) if len(rows) else student.sum() * 0
    hard, soft = label_term(student, target), divergence * temperature**2
    return {"hard": hard, "soft": soft, "loss": (1 - alpha) * hard + alpha * soft}
