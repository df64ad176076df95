"""What a teacher says. A loss receives a signal, never a model: live, cached and uploaded teachers are one to it."""

import hashlib
import json
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Signal:
    """A teacher's logits (rows, classes), temperature not applied, without gradients.

    digest: names the data, their preprocessing and the teacher; two signals with one digest say the same.
    """

    logits: Tensor
    digest: str

    def rows(self, index: Tensor) -> "Signal":
        """The signal of some rows only: what a loss is given for a batch."""
        return Signal(self.logits.index_select(0, index), self.digest)


def signal_digest(*, data: str, preprocessing: str, teacher: str) -> str:
    """The key under which a signal may be kept and found again: it changes when any of the three does."""
    key = json.dumps({"data": data, "preprocessing": preprocessing, "teacher": teacher}, sort_keys=True)
    return hashlib.sha256(key.encode()).hexdigest()
