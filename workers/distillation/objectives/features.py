"""What the losses on features share. Each compares features of the student and of the teacher for the same rows.

Features are (rows, width), or (rows, channels, height, width) for images; a distance between them is a scalar.
"""

import torch
from torch import Tensor

from workers.distillation.objectives.terms import upcast

LEAST_NORM = 1e-6  # of a row whose largest values are about 1; bounds the gradient where a row is empty
LEAST_SIZE = 1e-30  # of the largest value that rows are divided by; the gradient of dividing by less is infinite


def flat(features: Tensor) -> Tensor:
    """(rows, numbers), in single precision or better."""
    return upcast(features).flatten(1)


def unit(rows: Tensor) -> Tensor:
    """Vectors along the last dimension, of length 1; an empty one stays empty."""
    return rows * (rows.square().sum(-1, keepdim=True) + LEAST_NORM**2).rsqrt()


def scaled(features: Tensor) -> Tensor:
    """All features divided by the largest: squares of very small or large ones would leave the range of float32."""
    return features / features.detach().abs().amax().clamp(min=LEAST_SIZE)


def of_one_size(student: Tensor, teacher: Tensor) -> tuple[Tensor, Tensor]:
    """Two images, each dimension of the larger averaged down to the smaller."""
    size = [min(a, b) for a, b in zip(student.shape[2:], teacher.shape[2:], strict=True)]
    return _pooled(student, size), _pooled(teacher, size)


def _pooled(image: Tensor, size: list[int]) -> Tensor:
    """Adaptive average pooling as two products: the same bits in every run, on every device."""
    if list(image.shape[2:]) == size:
        return image
    down, across = (_averaging(length, wanted).to(image) for length, wanted in zip(image.shape[2:], size, strict=True))
    return down @ image @ across.T


def _averaging(length: int, wanted: int) -> Tensor:
    """(wanted, length): row i averages places i·length/wanted, rounded down, to (i+1)·length/wanted, rounded up."""
    matrix = torch.zeros(wanted, length)
    for i in range(wanted):
        first, last = i * length // wanted, -(-(i + 1) * length // wanted)
        matrix[i, first:last] = 1 / (last - first)
    return matrix
