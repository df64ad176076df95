"""Numbers: features, or pixels of images."""

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from workers.distillation.inputs.inputs import Inputs, Shape
from workers.distillation.networks.answers import rows_at_once
from workers.distillation.networks.network import Network
from workers.distillation.rows import Standardisation
from workers.distillation.stored.rows import blocks_of
from workers.distillation.tasks.task import Task


class Raw(nn.Module):
    """A network behind its standardisation: raw inputs (batch, ...) to logits (batch, classes).

    The mean is subtracted in two parts of single precision, so that inputs far from zero lose nothing by it.
    """

    mean: Tensor
    rest: Tensor
    std: Tensor

    def __init__(self, network: Network, standardisation: Standardisation) -> None:
        super().__init__()
        self.network = network.portable()
        self.register_buffer("mean", standardisation.mean.float())
        self.register_buffer("rest", (standardisation.mean - standardisation.mean.float().double()).float())
        self.register_buffer("std", standardisation.std.float())

    def forward(self, raw: Tensor) -> Tensor:
        """Logits."""
        return self.network((raw - self.mean - self.rest) / self.std)  # type: ignore[no-any-return]


class Values(Inputs):
    file_input = "inputs"
    standardised = True
    leaked = ": the accuracy will be too good. Remove duplicates before uploading."
    tokenizer = None
    vocabulary = None
    truncated = 0

    @property
    def digest(self) -> str:
        return ""

    def from_raw(self, network: Network, standardisation: Standardisation) -> nn.Module:
        return Raw(network, standardisation)

    def varying(self, row: Shape) -> Mapping[int, tuple[str, int]]:
        return {}

    def file_card(self, row: Shape) -> dict[str, Any]:
        return {"inputs": "raw: the standardisation is the model's first layer", "input_shape": list(row)}

    def file_meta(self) -> dict[str, Any]:
        return {"standardisation": "inside"}

    def companions(self, row: Shape) -> Iterator[tuple[str, str, dict[str, Any]]]:
        return iter(())

    def constant(self, rows: Tensor) -> int:
        first = rows[:1]
        alike = [(block == first).all(0) for block in blocks_of(rows, rows_at_once(rows))]
        return int(torch.stack(alike).all(0).sum())

    def section(self) -> None:
        return None

    def notes(self, task: Task[Any], labels: Tensor, *, rows: int, row: Shape) -> list[str]:
        return []

    def check_teacher(self, tokenizer: str | None, weights: Mapping[str, Tensor], row: Shape) -> None:
        """Its card, or the job, says how its rows were scaled."""

    def check_onnx_teacher(self) -> None:
        """It is given numbers."""


VALUES = Values()
