"""One file per loss. On logits each is called as `loss(student, signal, target)` and returns `Terms`; on features as
`distance(student, teacher)`, a scalar. `criterion.py` makes of an objective what a student minimises.
"""

from collections.abc import Callable
from functools import partial

from torch import Tensor

from qstill.contract.distillations.objectives import Dkd, Objective, OnLogits, singles
from qstill.contract.errors import Problem
from workers.distillation.objectives.at import at
from workers.distillation.objectives.cosine import cosine
from workers.distillation.objectives.crd import crd
from workers.distillation.objectives.dist import dist
from workers.distillation.objectives.dkd import dkd
from workers.distillation.objectives.fitnet import fitnet
from workers.distillation.objectives.hard_label import hard_label
from workers.distillation.objectives.jsd import jsd
from workers.distillation.objectives.kd import kd
from workers.distillation.objectives.logit_mse import logit_mse
from workers.distillation.objectives.logit_std import logit_std
from workers.distillation.objectives.pkt import pkt
from workers.distillation.objectives.reverse_kl import reverse_kl
from workers.distillation.objectives.rkd import rkd
from workers.distillation.objectives.schedules import changes, value_at
from workers.distillation.objectives.sp import sp
from workers.distillation.objectives.terms import Target, Terms
from workers.distillation.objectives.tf_kd import tf_kd
from workers.distillation.signals.signals import Signal

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
    "tf_kd": tf_kd,
}  # by the objective's kind; its other fields are the loss's keywords

DISTANCES: dict[str, Callable[..., Tensor]] = {
    "fitnet": fitnet,
    "at": at,
    "rkd": rkd,
    "sp": sp,
    "pkt": pkt,
    "crd": crd,
    "cosine": cosine,
}  # by the objective's kind


def loss_of(objective: OnLogits) -> Loss:
    """The loss that an objective on logits asks for."""
    loss = LOSSES[objective.kind]
    parameters = {name: getattr(objective, name) for name in type(objective).model_fields if name != "kind"}
    if not changes(parameters):
        return partial(loss, **parameters)

    def changing(student: Tensor, signal: Signal, target: Target) -> Terms:
        now = {name: value_at(value, target.epoch) for name, value in parameters.items()}
        return loss(student, signal, target, **now)

    return changing


def refuse_undefined(objective: Objective, classes: int) -> None:
    """Raise Problem too_few_classes where a loss does not exist for so many classes."""
    for place, single in singles(objective):
        if isinstance(single, Dkd) and classes < 3:
            title = f"dkd needs three classes; this data has {classes}, and apart from the target only one is left."
            pointer = "".join(f"/{part}" for part in (*place, "kind"))
            raise Problem("too_few_classes", title, pointer=pointer, ways_out=[{"kind": "kd"}])
