"""What a student of vectors minimises. All take two tables, (rows, numbers), of student and teacher, and give a scalar.

Directions alone count but for `vector_mse`; the teacher's vectors bring no gradient.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, normalize

from qstill.contract.distillations.embeddings.objectives import (
    Contrastive,
    SimilarityMatrix,
    SingleOfVectors,
    VectorCosine,
    VectorMse,
    VectorSum,
    weighted,
)


def vector_mse(student: Tensor, teacher: Tensor) -> Tensor:
    """|s - t|², a mean over the rows."""
    return (student - teacher).square().sum(1).mean()


def vector_cosine(student: Tensor, teacher: Tensor) -> Tensor:
    """1 - cos(s, t), a mean over the rows, from 0 to 2."""
    return 1 - (normalize(student, dim=1) * normalize(teacher, dim=1)).sum(1).mean()


def similarity_matrix(student: Tensor, teacher: Tensor) -> Tensor:
    """(cos(sᵢ, sⱼ) - cos(tᵢ, tⱼ))², a mean over the pairs i ≠ j; 0 of a single row. Widths may differ."""
    rows = len(student)
    differences = cosines(student) - cosines(teacher)
    return differences.fill_diagonal_(0).square().sum() / max(1, rows * (rows - 1))


def contrastive(student: Tensor, teacher: Tensor, *, temperature: float) -> Tensor:
    """-log softmax over j of cos(sᵢ, tⱼ)/τ at j = i, a mean over the rows, in nats (InfoNCE, 1807.03748, eq. 4)."""
    likeness = normalize(student, dim=1) @ normalize(teacher, dim=1).T / temperature
    return cross_entropy(likeness, torch.arange(len(student), device=student.device))


def cosines(vectors: Tensor) -> Tensor:
    """(rows, rows)."""
    directions = normalize(vectors, dim=1)
    return directions @ directions.T


def loss_of(objective: SingleOfVectors | VectorSum) -> Callable[[Tensor, Tensor], Tensor]:
    """The objective as a function."""
    parts = [(weight, single) for _, weight, single in weighted(objective)]

    def loss(student: Tensor, teacher: Tensor) -> Tensor:
        return torch.stack([weight * _single(single, student, teacher) for weight, single in parts]).sum()

    return loss


def _single(objective: SingleOfVectors, student: Tensor, teacher: Tensor) -> Tensor:
    match objective:
        case VectorMse():
            return vector_mse(student, teacher)
        case VectorCosine():
            return vector_cosine(student, teacher)
        case SimilarityMatrix():
            return similarity_matrix(student, teacher)
        case Contrastive(temperature=temperature):
            return contrastive(student, teacher, temperature=temperature)
