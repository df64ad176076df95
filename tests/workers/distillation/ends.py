"""Where losses are held to their formulas: temperatures, sizes and precisions from one end to the other."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Matrix = NDArray[np.float64]
Labels = NDArray[np.int64]
Parameters = dict[str, float]

TEMPERATURES = (0.1, 1.0, 20.0, 1000.0)
ENDS = [(2, 1.0), (2, 16.0), (10, 1.0), (10, 16.0), (10_000, 1.0)]  # classes, and logits from -4 to 4 times this
ROWS = 6
PRECISIONS = [torch.float32, torch.bfloat16]


def softened(z: Matrix, temperature: float) -> Matrix:
    """Logarithms of softmax(z/T)."""
    z = z / temperature
    z = z - z.max(axis=1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=1, keepdims=True))


def divergence(p: Matrix, q: Matrix) -> float:
    """KL(p ‖ q) of logarithms, a mean over rows."""
    return float(np.mean(np.sum(np.exp(p) * (p - q), axis=1)))


def batch(classes: int, size: float, *, rows: int = ROWS) -> tuple[Tensor, Tensor, Tensor]:
    """Student's and teacher's logits, which half precision holds exactly, even 4·size further up, and labels of which
    one is unknown. No row is constant, and the teacher has one favourite in each.
    """
    draw = torch.Generator().manual_seed(classes)
    student, teacher = (torch.randint(-64, 64, (rows, classes), generator=draw).float() / 16 for _ in range(2))
    numbers = torch.arange(rows)
    student[:, 0], student[:, 1] = 0.5, -1.5
    teacher[numbers, numbers % classes] = 4.0
    return size * student, size * teacher, numbers % (classes + 1) - 1


def leaf(student: Tensor) -> Tensor:
    return student.clone().requires_grad_()


def gradient(loss: Tensor, student: Tensor) -> Tensor:
    return torch.autograd.grad(loss, student)[0]
