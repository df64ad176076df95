"""What a teacher says. A loss receives a signal, never a model: live, cached and uploaded teachers are one to it."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor
from torch.nn.functional import log_softmax

PLAIN = "plain"  # the view of rows that nothing augments


@dataclass(frozen=True)
class Signal:
    """A teacher's logits (rows, classes), temperature not applied, without gradients.

    features: of its layers by their names, rows first, where a loss needs them.
    digest: names the data, their preprocessing and the teacher; two signals with one digest say the same.
    unspoken: (rows, classes), True where the teacher left the class to the student; None: it spoke of all.
    weights: (rows,), by which rows are drawn into batches; None: each once an epoch. A loss need not know of them.
    """

    logits: Tensor
    digest: str
    features: Mapping[str, Tensor] = field(default_factory=dict)
    unspoken: Tensor | None = None
    weights: Tensor | None = None

    def to(self, device: torch.device) -> "Signal":
        """The signal in the memory of a device."""
        return self._each(lambda rows: rows.to(device))

    def rows(self, index: Tensor, states: Tensor | None = None) -> "Signal":
        """The signal of some rows only, in single precision: what a loss is given for a batch.

        states: of the features, which a masked language model has of tokens that are not answered; None: the same.
        """
        some = self._each(lambda rows: rows.index_select(0, index))
        if states is not None:
            some = replace(some, features={name: rows.index_select(0, states) for name, rows in self.features.items()})
        return replace(some, logits=some.logits.float())

    def _each(self, change: Callable[[Tensor], Tensor]) -> "Signal":
        """The signal with each of its tensors changed, row for row."""
        return replace(
            self,
            logits=change(self.logits),
            features={name: change(rows) for name, rows in self.features.items()},
            unspoken=None if self.unspoken is None else change(self.unspoken),
            weights=None if self.weights is None else change(self.weights),
        )


def heard(signal: Signal, student: Tensor) -> Signal:
    """The signal as a student hears it: what the teacher did not speak of is divided as the student divides it.

    The probability that is left over as a whole is the teacher's. The gradient of the Kullback-Leibler divergence at
    T=1 is then the one of a residual class on both sides, the ghost token of 2503.16870. student: (rows, classes).
    """
    if signal.unspoken is None:
        return signal
    teacher, own = (log_softmax(logits.float(), dim=1) for logits in (signal.logits, student.detach()))
    left, share = (
        torch.logsumexp(logs.masked_fill(~signal.unspoken, -torch.inf), dim=1, keepdim=True) for logs in (teacher, own)
    )
    logits = torch.where(signal.unspoken, left + own - share, teacher)
    return replace(signal, logits=logits, unspoken=None)


def signal_digest(
    *, data: str, preprocessing: str, teacher: str, rows: str = "train", view: str = PLAIN, storage: str = ""
) -> str:
    """The key under which a signal may be kept and found again: it changes when any of them does.

    rows: of which split. view: of the rows; what augments them names its seed here. storage: how it is kept.
    """
    key = {"data": data, "preprocessing": preprocessing, "teacher": teacher}
    key |= {"rows": rows, "view": view, "storage": storage}
    return hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
