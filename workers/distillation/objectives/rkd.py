"""Relational distillation (Park and others 2019, arXiv:1904.05068): how rows lie to each other, not where.

Distances of pairs in units of their mean, and cosines of the angles of triples, compared by Huber's loss with δ = 1.
"""

import torch
from torch import Tensor
from torch.nn.functional import smooth_l1_loss

from workers.distillation.objectives.features import LEAST_NORM, flat, scaled, unit


def rkd(student: Tensor, teacher: Tensor, *, distance_weight: float, angle_weight: float) -> Tensor:
    """λ_d·distances + λ_a·angles, each a mean over the pairs and triples of different rows; 0 for a single row.

    Both: (rows, ...), flattened. Moving, rotating, reflecting or scaling either space changes nothing. Time and memory
    grow with rows²·numbers + rows³. The common code's means are over all pairs and triples: those of a row with itself
    are 0 there, which makes the terms (n - 1)/n and (n - 1)(n - 2)/n² as large for n rows.
    """
    from_to = [_differences(features) for features in (student, teacher)]
    return distance_weight * _distances(*from_to) + angle_weight * _angles(*from_to)


def _differences(features: Tensor) -> Tensor:
    """(rows, rows, numbers): the vector from each row to each."""
    rows = scaled(flat(features))
    return rows[None] - rows[:, None]


def _distances(student: Tensor, teacher: Tensor) -> Tensor:
    if len(student) < 2:
        return student.sum() * 0
    different = ~_itself(student)
    return smooth_l1_loss(_lengths(student[different]), _lengths(teacher[different]))


def _lengths(vectors: Tensor) -> Tensor:
    """In units of their mean."""
    lengths = (vectors.square().sum(1) + LEAST_NORM**2).sqrt()
    return lengths / lengths.mean()


def _angles(student: Tensor, teacher: Tensor) -> Tensor:
    """At each row j, between the ways to i and to k; all three different."""
    if len(student) < 3:
        return student.sum() * 0
    different = ~_itself(student)
    triples = different[:, :, None] & different[:, None, :] & different[None]
    return smooth_l1_loss(_cosines(student)[triples], _cosines(teacher)[triples])


def _cosines(vectors: Tensor) -> Tensor:
    ways = unit(vectors)
    return ways @ ways.transpose(1, 2)


def _itself(square: Tensor) -> Tensor:
    return torch.eye(len(square), dtype=torch.bool, device=square.device)
