"""Relaxed ranking distillation (Kang, Hwang, Kweon, Yu 2020, arXiv:2012.04357)."""

import torch
from torch import Tensor

from workers.distillation.objectives.terms import upcast


def rrd(interesting: Tensor, uninteresting: Tensor) -> Tensor:
    """-log p(the teacher's order of the interesting items, all above the others) in nats, mean over users.

    p = Π_k exp(s_k) / (Σ_{i≥k} exp(s_i) + Σ_j exp(s_j)), i over interesting and j over uninteresting items.
    interesting: the student's scores (users, K), in the teacher's order. uninteresting: (users, L).
    """
    interesting, uninteresting = upcast(interesting), upcast(uninteresting)
    others = torch.logsumexp(uninteresting, dim=1, keepdim=True)
    from_here_on = interesting.flip(1).logcumsumexp(1).flip(1)
    return (torch.logaddexp(from_here_on, others) - interesting).sum(1).mean()
