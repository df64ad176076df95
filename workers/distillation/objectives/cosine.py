"""Directions of hidden states (DistilBERT: Sanh and others 2019, arXiv:1910.01108): 1 - cos(student, teacher).

The third of its three terms, 5·KL at T = 2, 2·cross-entropy and 1·cosine. Its student is as wide as its teacher; where
ours is not, a linear map that is trained with the student leads it there, as with hints: see `projections.py`.
"""

from torch import Tensor

from workers.distillation.objectives.features import LEAST_SIZE, of_one_size, unit
from workers.distillation.objectives.terms import upcast


def cosine(student: Tensor, teacher: Tensor) -> Tensor:
    """1 - cos, a mean over rows, from 0 to 2; of images over rows and places, each a vector of its channels.

    Both: of one width, (rows, width) or (rows, channels, height, width); images of different size meet at the smaller.
    The length of any vector changes nothing.
    """
    if student.ndim == 4:
        student, teacher = (image.flatten(2).transpose(1, 2) for image in of_one_size(student, teacher))
    return 1 - (_direction(student) * _direction(teacher)).sum(-1).mean()


def _direction(vectors: Tensor) -> Tensor:
    """Of length 1, whatever their size was; an empty one stays empty."""
    vectors = upcast(vectors)
    return unit(vectors / vectors.detach().abs().amax(-1, keepdim=True).clamp(min=LEAST_SIZE))
