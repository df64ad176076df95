"""What a teacher says. A loss receives a signal, never a model: live, cached and uploaded teachers are one to it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor


@dataclass(frozen=True)
class Signal:
    """A teacher's logits (rows, classes), temperature not applied, without gradients.

    features: of its layers by their names, rows first, where a loss needs them.
    digest: names the data, their preprocessing and the teacher; two signals with one digest say the same.
    """

    logits: Tensor
    digest: str
    features: Mapping[str, Tensor] = field(default_factory=dict)

    def to(self, device: torch.device) -> "Signal":
        """The signal in the memory of a device."""
        features = {name: rows.to(device) for name, rows in self.features.items()}
        return Signal(self.logits.to(device), self.digest, features)

    def rows(self, index: Tensor) -> "Signal":
        """The signal of some rows only: what a loss is given for a batch."""
        features = {name: rows.index_select(0, index) for name, rows in self.features.items()}
        return Signal(self.logits.index_select(0, index), self.digest, features)


def signal_digest(*, data: str, preprocessing: str, teacher: str) -> str:
    """The key under which a signal may be kept and found again: it changes when any of the three does."""
    key = json.dumps({"data": data, "preprocessing": preprocessing, "teacher": teacher}, sort_keys=True)
    return hashlib.sha256(key.encode()).hexdigest()
