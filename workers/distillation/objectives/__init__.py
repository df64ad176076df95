"""One file per loss. Every loss is called as `loss(student, signal, target)` and returns `Terms`."""

from collections.abc import Callable
from functools import partial

from torch import Tensor

from app.distillations.schemas import Kd
from workers.distillation.objectives.kd import kd
from workers.distillation.objectives.terms import Target, Terms
from workers.distillation.signals import Signal

Loss = Callable[[Tensor, Signal, Target], Terms]


def loss_of(objective: Kd) -> Loss:
    """The loss that a job asks for."""
    return partial(kd, temperature=objective.temperature, alpha=objective.alpha)
