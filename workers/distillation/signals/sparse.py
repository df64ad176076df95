"""Answers that name a few classes of each row. What they leave over has a meaning, and `dense` gives it."""

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn.functional import log_softmax, softmax

from qstill.contract.distillations.teachers.pieces import Missing
from workers.distillation.signals.signals import Signal

SMALLEST = torch.finfo(torch.float32).tiny  # a probability that stands in for 0


@dataclass(frozen=True, kw_only=True)
class SparseSignal(Signal):
    """logits: (rows, k), log-probabilities of the classes `indices` (rows, k) out of `classes`.

    A loss never sees it: `rows` gives the dense signal of a batch, so that memory holds k values a row and no more.
    """

    indices: Tensor
    classes: int
    missing: Missing

    def rows(self, index: Tensor, states: Tensor | None = None) -> Signal:
        """The dense signal of some rows."""
        some = super().rows(index, states)
        logits, unspoken = dense(some.logits, self.indices.index_select(0, index), self.classes, self.missing)
        return Signal(logits, self.digest, some.features, unspoken)

    def to(self, device: torch.device) -> Signal:
        """The signal in the memory of a device, as sparse as it is."""
        return replace(self, **vars(super().to(device)) | {"indices": self.indices.to(device)})


def dense(logs: Tensor, indices: Tensor, classes: int, missing: Missing) -> tuple[Tensor, Tensor | None]:
    """Logits (rows, classes), float32, and which of them were not given, if that is the student's to decide.

    logs, indices: (rows, k), log-probabilities and their classes, none twice in a row.
    `ghost` is filled evenly too, so that the probability left over is there for whoever reads the logits alone.
    """
    logs, indices = logs.double(), indices.long()
    rows, k = logs.shape
    if missing == "renormalise":
        logs = log_softmax(logs, dim=1)
        filling = logs.new_full((rows,), math.log(SMALLEST))
    else:
        left = (1 - logs.exp().sum(1)).clamp(min=SMALLEST)
        filling = left.log() - math.log(max(classes - k, 1))
    logits = filling.float()[:, None].repeat(1, classes).scatter_(1, indices, logs.float())
    if missing != "ghost":
        return logits, None
    return logits, torch.ones(rows, classes, dtype=torch.bool, device=logs.device).scatter_(1, indices, False)


def drawn(logits: Tensor, draws: int, source: torch.Generator) -> tuple[Tensor, Tensor]:
    """(logarithms of shares, classes), both (rows, k), of what some draws from each row's distribution gave.

    k is `draws`, or all classes where there are fewer. Classes that no draw gave fill a row up, with next to nothing.
    """
    chances = softmax(logits.double(), dim=1)
    chosen = torch.multinomial(chances, draws, replacement=True, generator=source)
    counts = torch.zeros_like(chances).scatter_add_(1, chosen, torch.ones_like(chosen, dtype=chances.dtype))
    most = counts.topk(min(draws, logits.shape[1]), dim=1)
    return (most.values / draws).clamp(min=SMALLEST).log().float(), most.indices


def thinned(logits: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """(log-probabilities, classes), both (rows, k), of the k most probable classes of each row."""
    top = log_softmax(logits.double(), dim=1).topk(k, dim=1)
    return top.values.float(), top.indices
