"""The precision of a network's products; weights and losses are float32 in all of them."""

from contextlib import AbstractContextManager, nullcontext
from typing import Literal

import torch

Precision = Literal["float32", "bfloat16", "float16"]


def half(device: torch.device, precision: Precision) -> AbstractContextManager[object]:
    """Half precision inside, where it is asked for."""
    if precision == "float32":
        return nullcontext()
    return torch.autocast(device.type, dtype=getattr(torch, precision))
