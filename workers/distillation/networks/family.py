"""What the engine room must know of a family of networks: one record beside its network."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic

from pydantic import BaseModel, ConfigDict

from qstill.contract.distillations.architectures.family import A
from workers.distillation.networks.network import Network
from workers.distillation.rows import Standardisation


@dataclass(frozen=True)
class Ends:
    """What a network stands between. vocabulary: how many tokens there are, for text, whose input_shape is (tokens,).

    pointer: of the definition, for the Problem when it does not fit. standardisation: of the inputs; None: unknown yet.
    """

    input_shape: tuple[int, ...]
    classes: int
    vocabulary: int
    pointer: str
    standardisation: Standardisation | None = None


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
