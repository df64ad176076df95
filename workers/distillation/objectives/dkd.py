"""Decoupled distillation (Zhao and others 2022, arXiv:2203.08679): α·TCKD + β·NCKD.

With p the teacher's probability of a row's target class, KL(teacher ‖ student) = TCKD + (1 - p)·NCKD.
"""

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from workers.distillation.objectives.terms import (
    UNKNOWN,
    Target,
    Terms,
    kl_from_logits,
    label_term,
    upcast,
)
from workers.distillation.signals.signals import Signal


class DkdTerms(Terms):
    """target_class: T²·TCKD. other_classes: T²·NCKD. Both in nats, before their weights."""

    target_class: Tensor
    other_classes: Tensor


def dkd(
    student: Tensor,
    signal: Signal,
    target: Target,
    *,
    alpha: float,
    beta: float,
    temperature: float,
    warm_up: int,
    hard_weight: float,
) -> DkdTerms:
    """hard_weight·CE + min(epoch/warm_up, 1)·T²·(α·TCKD + β·NCKD), each a mean over the rows of the batch that have it.

    TCKD: KL of (target class, all others). NCKD: KL among the others. A row without a label has no hard term, and takes
    the teacher's most likely class as its target: the paper, which has a label for every row, does not say.
    student: logits (batch, classes), three classes or more. signal.logits: the same shape. target.labels: (batch,), -1
    where unknown. Returns scalars in nats; "soft" is α·target_class + β·other_classes, without the warm-up.
    """
    logits = upcast(signal.logits)
    classes = torch.where(target.labels == UNKNOWN, logits.argmax(1), target.labels)
    is_target = one_hot(classes, logits.shape[1]).bool()
    teacher_target, teacher_others = _decouple(logits / temperature, is_target)
    student_target, student_others = _decouple(upcast(student) / temperature, is_target)
    target_class = kl_from_logits(teacher_target, student_target) * temperature**2
    other_classes = kl_from_logits(teacher_others, student_others) * temperature**2
    soft = alpha * target_class + beta * other_classes
    hard = label_term(student, target)
    warmth = 1.0 if target.epoch is None or warm_up == 0 else min(target.epoch / warm_up, 1.0)
    return {
        "hard": hard,
        "soft": soft,
        "target_class": target_class,
        "other_classes": other_classes,
        "loss": hard_weight * hard + warmth * soft,
    }


def _decouple(logits: Tensor, is_target: Tensor) -> tuple[Tensor, Tensor]:
    """Logits of the target against all others (batch, 2), and of the others (batch, classes - 1)."""
    others = logits[~is_target].view(len(logits), -1)
    return torch.stack([logits[is_target], others.logsumexp(1)], dim=1), others
