"""What the engine room must know of a family of networks: one record beside its network."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol

from pydantic import BaseModel, ConfigDict
from torch import Tensor

from qstill.contract.distillations.architectures.family import A
from qstill.contract.distillations.architectures.pretrained import Pretrained
from workers.distillation.networks.network import Network
from workers.distillation.rows import Standardisation


class Source(Protocol):
    """A folder from which networks are begun."""

    def network(self, architecture: Pretrained, classes: int) -> Network:
        """With a fresh head, drawn from torch's generator."""
        ...

    def written(
        self, weights: Mapping[str, Tensor], architecture: Pretrained, classes: Sequence[str], about: Mapping[str, Any]
    ) -> bytes:
        """The checkpoint of such a network, a zip. about: what else is to be found in it, as JSON."""
        ...


@dataclass(frozen=True)
class Ends:
    """What a network stands between. vocabulary: how many tokens there are, for text, whose input_shape is (tokens,).

    pointer: of the definition, for the Problem when it does not fit. standardisation: of the inputs; None: unknown yet.
    source: the folder whose tokens rows are; None: they are others.
    """

    input_shape: tuple[int, ...]
    classes: int
    vocabulary: int
    pointer: str
    standardisation: Standardisation | None = None
    source: Source | None = None


class Written(BaseModel):
    """A circuit in operations as `JsonCircuit` has them, for who has no parser of what the definition says.

    weights: the names of its trained angles, in the order of their tensor. inputs: of the numbers of a row, in theirs.
    """

    model_config = ConfigDict(extra="forbid")

    qubits: int
    operations: list[dict[str, Any]]
    weights: list[str]
    inputs: list[str]


@dataclass(frozen=True, kw_only=True)
class Family(Generic[A]):
    """What the contract knows of the family of this definition, the door knows too.

    build: the network with random weights; raises Problem architecture_mismatch.
    scaled_as_they_come: in eight bits, the ONNX operators of which it is, each batch of whose inputs is scaled anew;
    None: scales are found once, on training rows.
    stacks: whether networks of one shape train stacked: they are `Stackable` then.
    written: what a card says of a definition that was built, beside it.
    """

    definition: type[A]
    build: Callable[[A, Ends], Network]
    scaled_as_they_come: tuple[str, ...] | None
    stacks: Callable[[A], bool] = lambda _: False
    written: Callable[[A], Written | None] = lambda _: None
