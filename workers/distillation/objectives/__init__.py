"""One file per loss. Every loss is called as `loss(student, signal, target)` and returns `Terms`."""

from collections.abc import Callable
from functools import partial

from torch import Tensor

from app.distillations.objectives import Dkd, Objective
from app.errors import Problem
from workers.distillation.objectives.dist import dist
from workers.distillation.objectives.dkd import dkd
from workers.distillation.objectives.hard_label import hard_label
from workers.distillation.objectives.jsd import jsd
from workers.distillation.objectives.kd import kd
from workers.distillation.objectives.logit_mse import logit_mse
from workers.distillation.objectives.logit_std import logit_std
from workers.distillation.objectives.reverse_kl import reverse_kl
from workers.distillation.objectives.terms import Target, Terms
from workers.distillation.signals import Signal

Loss = Callable[[Tensor, Signal, Target], Terms]

LOSSES: dict[str, Callable[..., Terms]] = {
    "kd": kd,
    "hard_label": hard_label,
    "logit_mse": logit_mse,
    "dkd": dkd,
    "dist": dist,
    "logit_std": logit_std,
    "reverse_kl": reverse_kl,
    "jsd": jsd,
}  # by the objective's kind; its other fields are the loss's keywords


def loss_of(objective: Objective) -> Loss:
    """The loss that a job asks for."""
    return partial(LOSSES[objective.kind], **objective.model_dump(exclude={"kind"}))


def refuse_undefined(objective: Objective, classes: int) -> None:
    """Raise Problem too_few_classes where the loss does not exist for so many classes."""
    if isinstance(objective, Dkd) and classes < 3:
        title = f"dkd needs three classes; this data has {classes}, and apart from the target only one is left."
        raise Problem("too_few_classes", title, pointer="/objective/kind", ways_out=[{"kind": "kd"}])
