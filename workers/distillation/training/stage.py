"""A network to train, of any domain."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

import torch
from torch import nn

from qstill.contract.distillations.training import Optimisation
from qstill.contract.errors import Problem
from workers.distillation.training.keeper import Outcome

Role = Literal["teacher", "student", "baseline", "control", "candidate", "pruned"]

Architecture = TypeVar("Architecture")
How = TypeVar("How", bound=Optimisation)
Rows = TypeVar("Rows")
Net = TypeVar("Net", bound=nn.Module)


@dataclass(frozen=True)
class AnyStage(Generic[Architecture, How, Rows, Net]):
    """One network to train. phase: its name for people. training_pointer: of its training in the job.

    weights_from: names the initial weights together with the seed; the stages of a pair share it.
    """

    name: str
    phase: str
    role: Role
    architecture: Architecture
    training: How
    seed: int
    weights_from: str
    training_pointer: str

    def begin(self, data: Rows) -> Net:
        """The untrained network, in train mode."""
        raise NotImplementedError

    def trained(self, outcomes: Mapping[str, Outcome], data: Rows) -> Net:
        """The network with the weights of its best epoch, in main memory. outcomes: of finished stages."""
        network = self.begin(data)
        network.load_state_dict(outcomes[self.name].weights)
        return network

    def device(self) -> torch.device:
        """Where it is computed. Raises Problem no_cuda."""
        wanted, here = self.training.device, torch.cuda.is_available()
        if wanted == "cuda" and not here:
            pointer = f"{self.training_pointer}/device"
            raise Problem("no_cuda", "This worker has no GPU.", pointer=pointer, ways_out=[{"device": "auto"}])
        return torch.device("cuda" if wanted != "cpu" and here else "cpu")

    def diverged(self) -> Problem:
        """Its loss is no number any more."""
        title = f"Training of the {self.role} diverged: its loss is no longer a number. A lower learning rate helps."
        ways_out = [{"learning_rate": self.training.learning_rate / 10}]
        return Problem("training_diverged", title, pointer=f"{self.training_pointer}/learning_rate", ways_out=ways_out)


Stage = TypeVar("Stage", bound=AnyStage[Any, Any, Any, Any])


def pairs(make: Callable[..., Stage], *, first: int, seeds: int, **fixed: Any) -> list[tuple[Stage, Stage]]:
    """(student, baseline) of so many seeds from the first one, each with the same initial weights. fixed: of all."""

    def one(role: Role, number: int) -> Stage:
        phase, name = f"{role} seed {number + 1}/{seeds}", f"{role}-seed-{first + number}"
        own = {"name": name, "phase": phase, "role": role, "seed": first + number}
        return make(**own, weights_from="student", training_pointer="/training", **fixed)

    return [(one("student", number), one("baseline", number)) for number in range(seeds)]
