"""Kullback-Leibler distillation with its gradient in closed form.

A small student's step is a hundred calls that each take longer to begin than to compute. Autograd makes thirty of them
for the loss; here they are a dozen. `objectives/kd.py` says what is computed, and the tests that both agree.
"""

import torch
from torch import Tensor
from torch.nn.functional import log_softmax

from qstill.contract.distillations.objectives import Kd
from workers.distillation.data.dataset import Data
from workers.distillation.objectives.schedules import value_at
from workers.distillation.objectives.terms import UNKNOWN, kl, upcast
from workers.distillation.training.plan import Stage

MOST_CLASSES = 64  # beyond it the arithmetic counts, and autograd's is the better
HOT = 10.0  # a temperature above which T² makes a loss of the rounding in the plain sum; `kl` costs a few calls more


def has_slope(stage: Stage, objective: object, data: Data) -> bool:
    """Whether `kd_and_slope` gives what this stage minimises: one answer a row, of few classes, and nothing besides."""
    plain = stage.training.class_weights == "none" and not stage.training.label_smoothing
    return (
        isinstance(objective, Kd)
        and plain
        and len(data.classes) <= MOST_CLASSES
        and not (data.task.every_token or data.task.yes_no)
    )


def slope_of(said: Tensor, wanted: Tensor, weight: Tensor | float) -> Tensor:
    """The gradient of weight·T·KL(wanted ‖ said) by the logits whose softmax at temperature T is `said`, for any T.

    So that of a mean of cross-entropies has the weight 1/labelled rows, and that of a mean of T²·KL the weight T/rows.
    """
    return (said - wanted) * weight


def kd_and_slope(student: Tensor, teacher: Tensor, labels: Tensor, kd: Kd, epoch: int) -> tuple[Tensor, Tensor]:
    """(loss in nats, its gradient by the student's logits). student, teacher: logits (batch, classes).

    labels: (batch,), -1 where unknown. epoch: from 1.
    """
    heat, alpha = value_at(kd.temperature, epoch), value_at(kd.alpha, epoch)
    rows, classes = student.shape
    student, teacher = upcast(student).t().contiguous(), upcast(teacher).t().contiguous()  # few classes: a fast softmax
    soft_student, soft_teacher = log_softmax(student / heat, dim=0), log_softmax(teacher / heat, dim=0)
    said = soft_teacher.exp()
    if heat > HOT:
        soft = kl(soft_teacher.t(), soft_student.t()) * heat**2
    else:
        soft = torch.sum(said * (soft_teacher - soft_student)) * (heat**2 / rows)
    slope = slope_of(soft_student.exp(), said, alpha * heat / rows)
    logs = log_softmax(student, dim=0)
    at_label = torch.arange(classes, device=labels.device)[:, None] == labels
    known = labels != UNKNOWN
    weight = known / known.sum().clamp_(min=1)
    hard = -torch.sum(logs * at_label * weight)
    slope += slope_of(logs.exp(), at_label.float(), weight * (1 - alpha))
    return torch.lerp(hard, soft, alpha), slope.t()
