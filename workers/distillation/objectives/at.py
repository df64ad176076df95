"""Attention transfer (Zagoruyko, Komodakis 2017, arXiv:1612.03928): ‖Q_S/‖Q_S‖ - Q_T/‖Q_T‖‖.

Q is the attention map of features A: the sum over channels of |A|^p.
"""

from torch import Tensor

from workers.distillation.objectives.features import LEAST_SIZE, of_one_size, unit
from workers.distillation.objectives.terms import upcast


def at(student: Tensor, teacher: Tensor, *, p: float) -> Tensor:
    """Mean squared difference of attention maps over rows and places, as in the authors' code.

    Both: images (rows, channels, height, width), of any number of channels; different sizes meet at the smaller. The
    scale of either network's features changes nothing.
    """
    student, teacher = of_one_size(upcast(student), upcast(teacher))
    return (attention(student, p) - attention(teacher, p)).square().mean()


def attention(image: Tensor, p: float) -> Tensor:
    """(rows, places), each row of length 1: the mean over channels of |feature|^p."""
    largest = image.detach().abs().amax((1, 2, 3), keepdim=True).clamp(min=LEAST_SIZE)
    return unit((image / largest).abs().pow(p).mean(1).flatten(1))
