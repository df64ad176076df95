"""What all networks have in common."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple, Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from torch.nn.functional import batch_norm, gelu

from workers.distillation.rows import Rows

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"relu": torch.relu, "gelu": gelu, "tanh": torch.tanh}

Features = dict[str, Tensor]


class Doubt(NamedTuple):
    """What speaks against a network as it is. code: snake_case. said: a sentence for people."""

    code: str
    said: str


class Network(nn.Module):
    """Inputs (batch, ...) to logits (batch, classes). `head` is its last layer, linear with a bias.

    A forward that is given `seen` leaves in it the features that its family names, without copying them.
    """

    head: nn.Linear

    def forward(self, x: Tensor, seen: Features | None = None) -> Tensor:
        """Logits."""
        raise NotImplementedError

    def with_features(self, x: Tensor) -> tuple[Tensor, Features]:
        """Logits, and the features by their names."""
        seen: Features = {}
        return self(x, seen), seen

    def portable(self) -> nn.Module:
        """The same answers by what other runtimes have, to be exported."""
        return self

    def refuse_rows(self, rows: Rows, pointer: str) -> None:
        """Raise the Problem of rows that it cannot read. pointer: of its definition."""

    def states_kept(self, rows: int) -> int:
        """Bytes that a pass over so many rows keeps for its gradients and that autograd does not know of, at most."""
        return 0

    def doubts(self) -> list[Doubt]:
        """What of it is built for nothing, whatever it learns."""
        return []

    def joints(self) -> list["Joint"]:
        """Where it can be made narrower, from its inputs to its head; empty where it cannot."""
        return []


@runtime_checkable
class Stackable(Protocol):
    """A network that answers for many of its shape in one pass."""

    def stacked(self, state: Mapping[str, Tensor], x: Tensor) -> Tensor:
        """Logits (networks, classes, rows): in this order, over classes, a softmax is fast.

        state: as a network's `state_dict`, each tensor (networks, …). x: inputs (networks, rows, features), flattened.
        """
        ...

    def kept(self, rows: int) -> int:
        """How many numbers of each network a pass over so many rows keeps, where they are more than its weights."""
        ...


class BatchNorm(nn.Module):
    """Batch normalisation whose state is four float tensors: torch's own also counts batches, in an integer tensor
    that nothing here reads and that a file of weights should not need.
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Channels of mean 0 and variance 1 over the batch in train mode, over what was seen in eval mode."""
        one_value_each = self.training and x.numel() == x.shape[1]  # a batch of one 1x1 image has no variance
        return batch_norm(
            x, self.running_mean, self.running_var, self.weight, self.bias, self.training and not one_value_each
        )


Layer = nn.Linear | nn.Conv2d


@dataclass(frozen=True)
class Joint:
    """Units that one layer makes and only the next one takes. norm: between the two, one value a unit."""

    maker: Layer
    taker: Layer
    norm: BatchNorm | None = None

    @property
    def units(self) -> int:
        """How many there are."""
        return len(self.maker.weight)


def chain(layers: Iterable[nn.Module]) -> list[Joint]:
    """The joints of layers after one another."""
    made = [layer for layer in layers if isinstance(layer, nn.Linear | nn.Conv2d)]
    return [Joint(maker, taker) for maker, taker in pairwise(made)]
