"""Hints (FitNets: Romero and others 2015, arXiv:1412.6550): ½‖teacher's features - r(student's features)‖².

r, the regressor, is a linear map that is trained with the student: see `projections.py`. The paper trains the layers up
to the hint first and distils logits afterwards; here both are learned at once, as in most later comparisons.
"""

from torch import Tensor
from torch.nn.functional import mse_loss

from workers.distillation.objectives.features import of_one_size
from workers.distillation.objectives.terms import upcast


def fitnet(student: Tensor, teacher: Tensor) -> Tensor:
    """Mean squared difference: the paper's sum of squares, without its half, divided by how many numbers there are.

    student: features after the regressor, of the teacher's width. teacher: (rows, width) or (rows, channels, height,
    width); images of different size meet at the smaller.
    """
    if student.ndim == 4:
        student, teacher = of_one_size(student, teacher)
    return mse_loss(upcast(student), upcast(teacher))
