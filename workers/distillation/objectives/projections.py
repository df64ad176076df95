"""The trained parts of losses on features: linear maps between widths, learned with the student and not exported."""

import math
from collections.abc import Sequence

from torch import Tensor, nn

from workers.distillation.objectives.features import flat

Shape = Sequence[int]  # of one row's feature


class Flattened(nn.Linear):
    """A linear map of features of any shape, flattened."""

    def forward(self, features: Tensor) -> Tensor:
        """(rows, ...) to (rows, width)."""
        return super().forward(flat(features))


def regressor(student: Shape, teacher: Shape) -> nn.Module:
    """FitNet's: a 1x1 convolution between images, a linear map between flat features."""
    if len(student) == 3:
        return nn.Conv2d(student[0], teacher[0], 1)
    return nn.Linear(student[0], teacher[0])


def embedding(shape: Shape, width: int) -> nn.Module:
    """CRD's: to a vector of `width` numbers."""
    return Flattened(math.prod(shape), width)
