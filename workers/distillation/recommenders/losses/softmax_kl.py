"""Distillation of the softmax over items (Hinton, Vinyals, Dean 2015, arXiv:1503.02531): an item for a class."""

from torch import Tensor
from torch.nn.functional import log_softmax

from workers.distillation.objectives.terms import kl, upcast


def softmax_kl(student: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """T²·KL(teacher ‖ student) in nats, summed over items, mean over users.

    Both: scores (users, items); an item that the teacher gives -inf has no share in its distribution, one that both
    give -inf none in either.
    """
    theirs, mine = (log_softmax(upcast(scores) / temperature, dim=1) for scores in (teacher, student))
    return kl(theirs, mine) * temperature**2
