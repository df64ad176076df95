"""Binary cross-entropy of what was chosen and what was drawn (He and others 2017, arXiv:1708.05031)."""

from torch import Tensor
from torch.nn.functional import softplus

from workers.distillation.objectives.terms import upcast


def bce(chosen: Tensor, drawn: Tensor) -> Tensor:
    """-log σ(chosen) - Σ log σ(-drawn) in nats, mean over all scores. chosen: (rows, 1). drawn: (rows, negatives)."""
    chosen, drawn = upcast(chosen), upcast(drawn)
    return (softplus(-chosen).sum() + softplus(drawn).sum()) / (chosen.numel() + drawn.numel())
