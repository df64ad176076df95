"""Bayesian personalised ranking (Rendle, Freudenthaler, Gantner, Schmidt-Thieme 2009, arXiv:1205.2618)."""

from torch import Tensor
from torch.nn.functional import softplus

from workers.distillation.objectives.terms import upcast


def bpr(chosen: Tensor, drawn: Tensor) -> Tensor:
    """-log σ(chosen - drawn) in nats, mean over all pairs. chosen: scores (rows, 1). drawn: (rows, negatives)."""
    return softplus(upcast(drawn) - upcast(chosen)).mean()
