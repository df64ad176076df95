"""The tokenizer that came with a model, in the JSON of the `tokenizers` library, its own marks around each text."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import tokenizers
import torch
from torch import Tensor

from qstill.contract.errors import Problem
from workers.distillation.artifacts.checkpoints import invalid
from workers.distillation.networks.pretrained.archive import TOKENIZER, Folder


@dataclass(frozen=True)
class FolderTokenizer:
    """json: as the library reads it. pad: the number that fills rows up. length: tokens of a text at most, special ones
    among them. special: whether a text stands between the model's own marks.
    """

    json: str
    pad: int
    length: int
    special: bool = True

    @cached_property
    def _made(self) -> tokenizers.Tokenizer:
        made = tokenizers.Tokenizer.from_str(self.json)
        made.no_padding()
        made.enable_truncation(self.length)
        return made

    @cached_property
    def digest(self) -> str:
        """Names it and how it is used."""
        return hashlib.sha256(f"{self.length}/{self.special}/{self.json}".encode()).hexdigest()

    @property
    def tokens(self) -> list[str]:
        """By their numbers; an empty string where a number has none."""
        known = self._made.get_vocab()
        names = [""] * (1 + max(known.values()))
        for name, number in known.items():
            names[number] = name
        return names

    @property
    def said(self) -> str:
        """In words, for a report of a job in which others read otherwise."""
        count = len(self._made.get_vocab())
        return (
            f"The teacher reads the texts by a tokenizer of its own, of {count:,} tokens, and of each text at most "
            f"{self.length}."
        )

    def encode(self, texts: Sequence[str]) -> Tensor:
        """(texts, tokens of the longest), int64, filled up at their ends."""
        found = self._made.encode_batch(list(texts), add_special_tokens=self.special)
        rows = [encoding.ids for encoding in found]
        filled = np.full((len(rows), max(1, *map(len, rows)) if rows else 1), self.pad, dtype=np.int64)
        for number, row in enumerate(rows):
            filled[number, : len(row)] = row
        return torch.from_numpy(filled)

    def within(self, length: int) -> "FolderTokenizer":
        """The same for texts of at most so many tokens; its marks stay around what is cut off."""
        return replace(self, length=min(self.length, length))

    def alone(self) -> Tensor:
        """(tokens, 3 or so): each token of the vocabulary as a text of its own, between the model's own marks."""
        marks = self._made.encode("", add_special_tokens=self.special).ids
        half = -(-len(marks) // 2)
        numbers = torch.arange(len(self.tokens))[:, None]
        before, after = (torch.tensor(part, dtype=torch.int64) for part in (marks[:half], marks[half:]))
        return torch.cat([before.expand(len(numbers), -1), numbers, after.expand(len(numbers), -1)], dim=1)


def tokenizer_of(folder: Folder, *, vocabulary: int, pad: int, length: int, special: bool = True) -> FolderTokenizer:
    """vocabulary: numbers that the model knows. Raises Problem: tokenizer_invalid, tokenizer_mismatch."""
    if not folder.has(TOKENIZER):
        raise Problem(
            "tokenizer_invalid",
            f"There is no {TOKENIZER} in the folder, which is the one form of a tokenizer that is read.",
            pointer="/file",
            ways_out=[{"note": 'AutoTokenizer.from_pretrained("NAME").save_pretrained("FOLDER") writes it'}],
        )
    made = FolderTokenizer(folder.text(TOKENIZER), pad, length, special)
    try:
        numbers = made._made.get_vocab().values()
        if not numbers:
            raise ValueError("no token")
    except Exception as error:  # the library raises nothing more special
        title = f"{TOKENIZER} is not in the format of the `tokenizers` library, or empty."
        raise Problem("tokenizer_invalid", title, pointer="/file") from error
    if (highest := max(numbers)) >= vocabulary:
        title = (
            f"The tokenizer numbers its tokens up to {highest:,}, and the model knows {vocabulary:,} of them, from 0: "
            "it belongs to another model."
        )
        way = {"note": f"put the {TOKENIZER} of the same model into the folder"}
        raise Problem("tokenizer_mismatch", title, pointer="/file", ways_out=[way])
    if length < 3:
        raise invalid("The model reads fewer than three tokens.")
    return made
