"""Language modelling: the token that follows each token."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from workers.distillation.tasks.of_tokens import OfTokens, over_seeds, perplexities


@dataclass(frozen=True)
class NextToken(OfTokens):
    """Measured by the perplexity of a token and the bits of a character. test_characters: without end marks."""

    test_characters: int

    section = "language_model"
    worth = "bits_per_character"
    worth_said = "bits per character"
    which = "next"

    def outputs(self) -> dict[str, Any]:
        said = "logits (batch, length, vocabulary): of the token that follows each; at padding they mean nothing"
        return {"outputs": said}

    def bits(self, labels: Tensor) -> float:
        return self.count(labels) / math.log(2) / self.test_characters

    def of_arm(self, nats: Sequence[float], bits: float) -> dict[str, Any]:
        return {"perplexity": perplexities(nats), "bits_per_character": over_seeds([bits * one for one in nats])}

    def of_test(self, labels: Tensor) -> dict[str, Any]:
        return {"test_tokens": self.count(labels), "test_characters": self.test_characters}

    def text_notes(self, tokenizer: str, labels: Tensor, unknown: float) -> list[str]:
        said = [
            "Perplexity is of a token and depends on the tokenizer: compare models of other tokenizers by bits per "
            "character. Both count the marks that end texts; each row is read without the row before it."
        ]
        if tokenizer == "word":
            said.append("Words lose capitals and spaces, so that bits per character flatter all models alike.")
        if tokenizer != "bpe" and unknown:
            said.append(
                "What is unknown counts as one easy token, so that bits per character flatter all models alike."
            )
        return said
