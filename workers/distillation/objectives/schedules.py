"""Parameters of a loss that change over the epochs."""

import math
from collections.abc import Mapping
from typing import Any

from qstill.contract.distillations.objectives import Ramp


def value_at(value: float | Ramp, epoch: int | None) -> float:
    """The value in an epoch, counted from 1; None, outside training, is after the last."""
    if not isinstance(value, Ramp):
        return value
    share = 1.0 if epoch is None else min((epoch - 1) / (value.epochs - 1), 1.0)
    if value.shape == "cosine":
        share = (1 - math.cos(math.pi * share)) / 2
    return value.start * (1 - share) + value.end * share


def changes(parameters: Mapping[str, Any]) -> bool:
    """Whether any parameter depends on the epoch."""
    return any(isinstance(value, Ramp) for value in parameters.values())
