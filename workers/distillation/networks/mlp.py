"""Multilayer perceptrons."""

import math
from itertools import pairwise

from torch import Tensor, nn

from qstill.contract.distillations.architectures import Mlp
from workers.distillation.networks.network import ACTIVATIONS, Features, Network


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
