"""What rows are made of, and all that the rest of the house must know of it: whoever needs to know asks `data.inputs`.

A new kind is a file beside this one that says what is abstract here, and a line where its data are read; the columns of
tables are one, in `tables/inputs.py`.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from torch import Tensor, nn

from workers.distillation.networks.family import Source
from workers.distillation.networks.network import Network
from workers.distillation.networks.texts.tokens import PAD
from workers.distillation.rows import Standardisation
from workers.distillation.tasks.task import Task

Shape = tuple[int, ...]  # of one row


class Inputs(ABC):
    """file_input: what an exported file calls its input. standardised: whether a teacher may have been shown rows on
    another scale. leaked: what test rows that are training rows, too, mean, behind how many there are.

    tokenizer: its JSON; vocabulary: how many tokens it knows; both None where rows are no tokens. truncated: rows of
    which something was cut off. source: the folder whose tokens rows are; padding: the number of a token that is not
    there.
    """

    file_input: ClassVar[str]
    standardised: ClassVar[bool]
    leaked: ClassVar[str]
    tokenizer: str | None
    vocabulary: int | None
    truncated: int
    source: Source | None = None
    padding: int = PAD

    @property
    @abstractmethod
    def digest(self) -> str:
        """Names what was done to rows besides standardising them."""

    @abstractmethod
    def from_raw(self, network: Network, standardisation: Standardisation) -> nn.Module:
        """What an exported file computes of rows as they were uploaded."""

    @abstractmethod
    def varying(self, row: Shape) -> Mapping[int, tuple[str, int]]:
        """Axes of an exported file's input that may have other sizes, besides its rows: (name, largest)."""

    @abstractmethod
    def file_card(self, row: Shape) -> dict[str, Any]:
        """What the card of an exported file says of its input."""

    @abstractmethod
    def file_meta(self) -> dict[str, Any]:
        """The same in what is said beside the file."""

    @abstractmethod
    def companions(self, row: Shape) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """JSON files that exported ones need: (name, content, what is known of it)."""

    @abstractmethod
    def constant(self, rows: Tensor) -> int:
        """How many inputs are the same in all raw rows and so say nothing."""

    @abstractmethod
    def section(self) -> dict[str, Any] | None:
        """What a report says of how rows were made."""

    @abstractmethod
    def notes(self, task: Task[Any], labels: Tensor, *, rows: int, row: Shape) -> list[str]:
        """The same in words. labels: of the test rows. rows: of the whole data set."""

    @abstractmethod
    def check_teacher(self, tokenizer: str | None, weights: Mapping[str, Tensor], row: Shape) -> None:
        """Raise the Problem of a network that was trained on something else. tokenizer: the digest of its own."""

    @abstractmethod
    def check_onnx_teacher(self) -> None:
        """Raise the Problem of rows that no ONNX file can be asked about."""
