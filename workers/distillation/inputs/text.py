"""Texts: rows of tokens, by their numbers in a tokenizer."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor, nn

from qstill.contract.errors import Problem
from workers.distillation.inputs.inputs import Inputs, Shape
from workers.distillation.networks.network import Network
from workers.distillation.networks.texts.tokens import END, PAD, UNKNOWN_TOKEN
from workers.distillation.rows import Rows, Standardisation
from workers.distillation.tasks.task import Task

TOKENIZER_FILE = "tokenizer.json"  # published beside the exports; all students of a job share it


@dataclass(frozen=True)
class Text(Inputs):
    """kind: of the tokenizer, as the job names it; tokenizer_digest: names it. rows_digest: names the rows of tokens.

    truncated: texts of which tokens were cut off. unknown: the share of the test texts' tokens that is unknown.
    texts: as they were read, by the numbers of rows; empty where rows are no whole texts.
    """

    file_input: ClassVar[str] = "tokens"
    standardised: ClassVar[bool] = False
    leaked: ClassVar[str] = (
        " once they are tokens: texts that come twice, or that differ only in unknown words or behind `max_length`. "
        "The accuracy will be too good; remove texts that come twice before uploading."
    )
    kind: str
    tokenizer: str
    tokenizer_digest: str
    rows_digest: str
    vocabulary: int
    truncated: int
    unknown: float
    texts: Sequence[str] = ()

    def of(self, rows: Rows) -> list[str]:
        """The texts of some rows, for who has a tokenizer of its own."""
        return [self.texts[number] for number in rows.index.tolist()]

    @property
    def digest(self) -> str:
        return self.tokenizer_digest + self.rows_digest

    def from_raw(self, network: Network, standardisation: Standardisation) -> nn.Module:
        return network

    def varying(self, row: Shape) -> Mapping[int, tuple[str, int]]:
        return {1: ("length", row[0])}

    def file_card(self, row: Shape) -> dict[str, Any]:
        return {
            "inputs": "tokens (batch, length), int64, by their numbers in the tokenizer; short rows are filled up at "
            "their end with the padding token, which changes no answer",
            "max_length": row[0],
            "tokenizer": {
                "file": TOKENIZER_FILE,
                "sha256": self.tokenizer_digest,
                "library": "tokenizers; a text that spells a special token out means letters: encode_special_tokens = "
                "True",
            },
            "padding": PAD,
            "unknown": UNKNOWN_TOKEN,
            "end_of_text": END,
        }

    def file_meta(self) -> dict[str, Any]:
        return {"tokenizer": TOKENIZER_FILE}

    def companions(self, row: Shape) -> Iterator[tuple[str, str, dict[str, Any]]]:
        yield (
            TOKENIZER_FILE,
            self.tokenizer,
            {"format": "tokenizer", "tokens": self.vocabulary, "max_length": row[0]},
        )

    def constant(self, rows: Tensor) -> int:
        return 0  # a token that stands first in every row is none

    def section(self) -> dict[str, Any]:
        return {
            "tokenizer_sha256": self.tokenizer_digest,
            "vocabulary": self.vocabulary,
            "truncated_texts": self.truncated,
            "unknown_share": self.unknown,
        }

    def notes(self, task: Task[Any], labels: Tensor, *, rows: int, row: Shape) -> list[str]:
        if self.kind == "teacher":
            made = f"({self.vocabulary} tokens) is the teacher's, and was trained on its texts"
        else:
            made = f"({self.kind}, {self.vocabulary} tokens) was trained on the training split alone"
        said = [f"The tokenizer {made}; teacher, student and baseline share it."]
        if self.truncated:
            said.append(f"{self.truncated} of {rows} texts were cut off after {row[0]} tokens.")
        if self.unknown:
            said.append(f"{self.unknown:.2%} of the test texts' tokens are unknown to the tokenizer.")
        return said + task.text_notes(self.kind, labels, self.unknown)

    def check_teacher(self, tokenizer: str | None, weights: Mapping[str, Tensor], row: Shape) -> None:
        """A token's number means something to the tokenizer that gave it, and to no other. A network with learned
        positions has as many as its rows had tokens.
        """
        if tokenizer != self.tokenizer_digest:
            has = f"tokenizer {tokenizer[:12]}" if tokenizer else "no tokenizer in its card"
            title = (
                f"The teacher has {has}, and this job tokenizer {self.tokenizer_digest[:12]}: their tokens are not the "
                "same. A tokenizer is trained on the training split; the same data, splits, seed and tokenizer give "
                "the same one."
            )
            ways_out = [{"dataset": {"tokenizer": {"kind": "teacher"}}}] if tokenizer else []
            raise Problem("tokenizer_mismatch", title, pointer="/file", ways_out=ways_out)
        positions = weights.get("positions")
        if positions is not None and positions.ndim == 3 and positions.shape[1] != row[0]:
            length = positions.shape[1]
            title = f"The teacher reads rows of {length} tokens; this job's `max_length` is {row[0]}."
            raise Problem("teacher_mismatch", title, pointer="/file", ways_out=[{"dataset": {"max_length": length}}])

    def check_onnx_teacher(self) -> None:
        title = "An onnx teacher is given numbers; which tokenizer it was trained with, its file does not say."
        way = {"format": "folder", "note": "zip the .onnx and its tokenizer.json together"}
        raise Problem("teacher_mismatch", title, pointer="/file", ways_out=[way])
