"""Texts in the tokens of a folder, for networks that are begun from it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from workers.distillation.data.dataset import Data
from workers.distillation.inputs.inputs import Shape
from workers.distillation.inputs.text import TOKENIZER_FILE, Text
from workers.distillation.networks.network import Network
from workers.distillation.networks.pretrained.source import Source
from workers.distillation.rows import Rows, Standardisation
from workers.distillation.tasks.task import Task


@dataclass(frozen=True, kw_only=True)
class FolderText(Text):
    """source: the folder, for rows of as many tokens as these have."""

    source: Source
    padding: int

    def from_raw(self, network: Network, standardisation: Standardisation) -> nn.Module:
        return network.portable()

    def file_card(self, row: Shape) -> dict[str, Any]:
        return {
            "inputs": "tokens (batch, length), int64, by their numbers in the tokenizer, its own marks around each "
            "text; short rows are filled up at their end with the padding token, which changes no answer",
            "max_length": row[0],
            "tokenizer": {
                "file": TOKENIZER_FILE,
                "sha256": hashlib.sha256(self.tokenizer.encode()).hexdigest(),
                "library": "tokenizers; encode with add_special_tokens = True",
            },
            "padding": self.padding,
        }

    def file_meta(self) -> dict[str, Any]:
        return {**super().file_meta(), "padding": self.padding}

    def notes(self, task: Task[Any], labels: Tensor, *, rows: int, row: Shape) -> list[str]:
        said = [f"The tokenizer ({self.vocabulary} tokens) is that of the folder that the student is begun from."]
        if self.truncated:
            said.append(f"{self.truncated} of {rows} texts fill all {row[0]} tokens, and may be cut off.")
        return said


def in_tokens_of(source: Source, data: Data, texts: Sequence[str], max_length: int) -> Data:
    """The same rows in the tokens of a folder. texts: of all rows. max_length: tokens of a row."""
    source = source.within(max_length)
    tokenizer = source.tokenizer
    found = tokenizer.encode(texts)
    tokens = torch.full((len(texts), tokenizer.length), tokenizer.pad)
    tokens[:, : found.shape[1]] = found

    def read(rows: Rows) -> Rows:
        part = tokens.index_select(0, rows.index)
        return replace(rows, raw=part, x=part)

    text = FolderText(
        kind="student",
        tokenizer=tokenizer.json,
        tokenizer_digest=tokenizer.digest,
        rows_digest=hashlib.sha256(tokens.numpy().tobytes()).hexdigest(),
        vocabulary=source.sizes.vocabulary,
        truncated=int((tokens != tokenizer.pad).all(1).sum()),
        unknown=0.0,
        texts=texts,
        source=source,
        padding=tokenizer.pad,
    )
    train, validation, test = map(read, (data.train, data.validation, data.test))
    return replace(data, train=train, validation=validation, test=test, text=text)
