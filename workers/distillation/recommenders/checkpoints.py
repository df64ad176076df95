"""Recommenders as files: safetensors whose card names users and items, so that a model is usable alone.

with safe_open("student-seed-0.safetensors", "pt") as file:
    card = json.loads(file.metadata()["qstill"])  # domain, architecture, users, items
"""

import json
from typing import Any

from safetensors.torch import save
from torch import Tensor

from app.distillations.recommenders.architectures import AnyScorer
from workers.distillation.checkpoints import CARD
from workers.distillation.recommenders.data import Data


def to_bytes(weights: dict[str, Tensor], architecture: AnyScorer, data: Data) -> bytes:
    """A safetensors file; equal models have equal bytes. The n-th row of a table belongs to the n-th name."""
    card: dict[str, Any] = {
        "domain": "recommender",
        "architecture": architecture.model_dump(mode="json"),
        "users": data.user_names,
        "items": data.item_names,
    }
    tensors = {name: weights[name].contiguous() for name in sorted(weights)}
    return save(tensors, metadata={CARD: json.dumps(card, sort_keys=True)})
