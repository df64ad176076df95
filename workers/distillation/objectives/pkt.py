"""Probabilistic knowledge transfer (Passalis, Tefas 2018, arXiv:1803.10837): KL of who picks whom as a neighbour.

Row i picks row j ≠ i with a probability in proportion to (cos + 1)/2 of their features, the paper's cosine kernel.
"""

import torch
from torch import Tensor

from workers.distillation.objectives.features import flat, scaled, unit

LEAST_KERNEL = 1e-7  # of opposite rows, as in the authors' code: their logarithm has to be finite


def pkt(student: Tensor, teacher: Tensor) -> Tensor:
    """KL(teacher ‖ student) of the neighbours of each row, summed over all and divided by rows², as its weight expects.

    Both: (rows, ...), flattened, of any width. Rotating or reflecting a space, or scaling a row, changes nothing. The
    authors' code lets a row pick itself, the paper and this do not; 0 for fewer than three rows.
    """
    p, q = neighbours(teacher), neighbours(student)
    return (p.exp() * (p - q)).sum() / len(student) ** 2


def neighbours(features: Tensor) -> Tensor:
    """Logarithms of the probabilities (rows, rows - 1), in nats; a row itself is left out."""
    rows = unit(scaled(flat(features)))
    kernel = ((rows @ rows.T).clamp(-1, 1) + 1) / 2 + LEAST_KERNEL
    others = kernel[~torch.eye(len(rows), dtype=torch.bool, device=rows.device)].view(len(rows), -1)
    return others.log() - others.sum(1, keepdim=True).log()
