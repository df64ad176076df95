"""Multilayer perceptrons."""

import math
from collections.abc import Mapping
from itertools import pairwise

import torch
from torch import Tensor, nn

from qstill.contract.distillations.architectures.mlp import Mlp
from workers.distillation.networks.family import Family
from workers.distillation.networks.network import ACTIVATIONS, Features, Joint, Network, chain


class MlpNetwork(Network):
    """Inputs (batch, ...) are flattened; logits (batch, classes)."""

    def __init__(self, architecture: Mlp, input_shape: tuple[int, ...], classes: int) -> None:
        super().__init__()
        widths = [math.prod(input_shape), *architecture.hidden]
        self.hidden = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(widths))
        self.head = nn.Linear(widths[-1], classes)
        self.activation = ACTIVATIONS[architecture.activation]
        self.dropout = nn.Dropout(architecture.dropout)

    def forward(self, x: Tensor, seen: Features | None = None) -> Tensor:
        """Logits."""
        x = x.flatten(1)
        for number, layer in enumerate(self.hidden):
            x = self.activation(layer(x))
            if seen is not None:
                seen[f"hidden.{number}"] = x
            x = self.dropout(x)
        return self.head(x)  # type: ignore[no-any-return]

    def stacked(self, state: Mapping[str, Tensor], x: Tensor) -> Tensor:
        x = x.mT
        for number in range(len(self.hidden)):
            bias, weight = state[f"hidden.{number}.bias"], state[f"hidden.{number}.weight"]
            x = self.activation(torch.baddbmm(bias[:, :, None], weight, x))
        return torch.baddbmm(state["head.bias"][:, :, None], state["head.weight"], x)

    def kept(self, rows: int) -> int:
        return 0

    def joints(self) -> list[Joint]:
        """Between any two layers."""
        return chain([*self.hidden, self.head])


MLP = Family(
    definition=Mlp,
    build=lambda mlp, ends: MlpNetwork(mlp, ends.input_shape, ends.classes),
    scaled_as_they_come=("MatMul",),
    stacks=lambda mlp: not mlp.dropout,
)
