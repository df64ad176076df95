"""A student as a file: safetensors whose card says how its weights are read, so that it is usable alone.

with safe_open("student.safetensors", "pt") as file:
    card = json.loads(file.metadata()["qstill"])  # domain, architecture, bits
"""

import json

from safetensors.torch import save
from torch import Tensor

from qstill.contract.distillations.circuits.distribution.job import Autoregressive
from workers.distillation.artifacts.checkpoints import CARD

NAME = "student.safetensors"


def to_bytes(weights: dict[str, Tensor], architecture: Autoregressive, bits: int) -> bytes:
    """A safetensors file; equal models have equal bytes."""
    card = {"domain": "distribution", "architecture": architecture.model_dump(mode="json"), "bits": bits}
    tensors = {name: weights[name].contiguous() for name in sorted(weights)}
    return save(tensors, metadata={CARD: json.dumps(card, sort_keys=True)})
