"""Ranking distillation (Tang and Wang 2018, arXiv:1809.07428): the teacher's first items count as chosen."""

import torch
from torch import Tensor
from torch.nn.functional import softplus

from workers.distillation.objectives.terms import upcast


def rd(student: Tensor, weights: Tensor) -> Tensor:
    """-Σ_r w_r·log σ(score of the teacher's r-th item) in nats, mean over users.

    student: scores (users, K), in the teacher's order. weights: (users, K) or (K,), without gradients.
    """
    return (weights * softplus(-upcast(student))).sum(1).mean()


def position_weights(top: int, position: float) -> Tensor:
    """w_r ∝ e^(-r/λ), r from 1 to K, of sum 1."""
    return torch.softmax(-torch.arange(1, top + 1) / position, dim=0)


def discrepancy_weights(student: Tensor, drawn: Tensor, unseen: Tensor, discrepancy: float) -> Tensor:
    """w_r = tanh(max(μ·(r̂ - r), 0)), (users, K): how far below the teacher's rank r the student ranks an item.

    r̂ = ⌊n·(N - 1)/ε⌋ + 1, where n of the ε drawn items have a higher score than it and N items are unseen: it is their
    rank that is estimated, where the authors' code counts all items.
    student: scores (users, K), in the teacher's order. drawn: (users, ε), of items drawn evenly. unseen: (users,).
    """
    higher = (drawn[:, None, :] > student[:, :, None]).sum(2)
    estimated = (higher * (unseen[:, None] - 1)).div(drawn.shape[1], rounding_mode="floor") + 1
    teachers = torch.arange(1, student.shape[1] + 1, device=student.device)
    return torch.tanh(discrepancy * (estimated - teachers).clamp(min=0).to(student.dtype))


def hybrid_weights(positions: Tensor, discrepancies: Tensor) -> Tensor:
    """Their product, of sum 1 for each user, or 0 where the student ranks nothing too low.

    So it is in the paper; the authors' code leaves the sum as it is. With the sum at 1, the few items that the student
    still ranks too low share the whole weight, and the loss does not fade as it learns.
    """
    product = positions * discrepancies
    total = product.sum(1, keepdim=True)
    return torch.where(total > 0, product / total.clamp(min=torch.finfo(product.dtype).tiny), 0)
