"""Distillation experts (Kang, Hwang, Kweon, Yu 2020, arXiv:2012.04357)."""

import torch
from torch import Generator, Tensor, nn

from workers.distillation.objectives.terms import upcast
from workers.distillation.recommenders.data.sampling import gumbel


def de(rebuilt: Tensor, teacher: Tensor, choice: Tensor) -> Tensor:
    """‖teacher - Σ_m choice_m·rebuilt_m‖², mean over users (or items).

    rebuilt: (users, experts, n) what each expert makes of the student's numbers. teacher: (users, n).
    choice: (users, experts), each row of sum 1.
    """
    rebuilt, teacher, choice = upcast(rebuilt), upcast(teacher), upcast(choice)
    return (teacher - torch.einsum("um,umn->un", choice, rebuilt)).square().sum(1).mean()


def choose(chances: Tensor, temperature: float, generator: Generator) -> Tensor:
    """A row of sum 1 for each row of log-chances (users, experts): Gumbel-softmax, one-hot as τ falls to 0."""
    noise = gumbel(tuple(chances.shape), generator).to(chances)
    return torch.softmax((chances + noise) / temperature, dim=1)


def temperature_at(epoch: int, epochs: int, first: float, last: float) -> float:
    """τ of an epoch from 1 to `epochs`: τ_0·(τ_P/τ_0)^(p/P), falling geometrically from the first to the last."""
    return first if epochs < 2 else float(first * (last / first) ** ((epoch - 1) / (epochs - 1)))


class Experts(nn.Module):
    """M small networks from the student's numbers to the teacher's, and what chooses among them by the teacher's."""

    def __init__(self, student: int, teacher: int, experts: int) -> None:
        super().__init__()
        between = max(1, (student + teacher) // 2)
        self.first = nn.ModuleList(nn.Linear(student, between) for _ in range(experts))
        self.second = nn.ModuleList(nn.Linear(between, teacher) for _ in range(experts))
        self.selector = nn.Linear(teacher, experts)

    def forward(self, student: Tensor, teacher: Tensor, temperature: float, generator: Generator) -> Tensor:
        """The loss. student: (users, n). teacher: (users, m), without gradients."""
        rebuilt = [second(torch.relu(first(student))) for first, second in zip(self.first, self.second, strict=True)]
        chances = torch.log_softmax(self.selector(teacher), dim=1)
        return de(torch.stack(rebuilt, 1), teacher, choose(chances, temperature, generator))
