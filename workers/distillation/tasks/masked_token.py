"""Masked language modelling: the tokens that are hidden in a row. `masks.py` says which."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from workers.distillation.networks.texts.tokens import MASK
from workers.distillation.rows import Rows
from workers.distillation.tasks.masks import CHOSEN, MASKED, REPLACED, masked
from workers.distillation.tasks.of_tokens import OfTokens, over_seeds, perplexities


@dataclass(frozen=True)
class MaskedToken(OfTokens):
    """Measured by pseudo-perplexity and bits of a hidden token.

    Pseudo-perplexity is e to the mean nats of hidden tokens: as Salazar and others' (2020, arXiv:1910.14659), but with
    15 % of the tokens hidden at once, not one at a time. It is no perplexity, because the network sees what follows.
    """

    hides = True
    section = "masked_language_model"
    worth = "bits_per_token"
    worth_said = "bits per hidden token"
    which = "hidden"

    def hidden(self, rows: Rows, *, seed: int) -> Rows | None:
        return masked(rows, len(self.tokens), seed=seed)

    def asked(self, answers: int) -> int:
        return round(CHOSEN * answers)

    def outputs(self) -> dict[str, Any]:
        said = "logits (batch, length, vocabulary): of the token that stands at each; at padding they mean nothing"
        return {"outputs": said, "mask": MASK}

    def bits(self, labels: Tensor) -> float:
        return 1 / math.log(2)

    def of_arm(self, nats: Sequence[float], bits: float) -> dict[str, Any]:
        return {"pseudo_perplexity": perplexities(nats), "bits_per_token": over_seeds([bits * one for one in nats])}

    def of_test(self, labels: Tensor) -> dict[str, Any]:
        return {"test_tokens": len(labels), "chosen": CHOSEN, "masked": MASKED, "replaced": REPLACED}

    def epoch_note(self) -> str:
        return f"In every epoch {CHOSEN:.0%} of their tokens were hidden anew, for student and baseline the same. "

    def hearing_note(self, answers: int) -> str | None:
        return (
            "The teacher was asked in every epoch about the tokens that were hidden then, with the student's own "
            f"masks: {answers} tokens in the first. They are kept for later jobs of these seeds."
        )

    def text_notes(self, tokenizer: str, labels: Tensor, unknown: float) -> list[str]:
        return [
            f"Accuracy and likelihood are of the {len(labels)} test tokens that were hidden, always the same "
            "ones. They depend on the tokenizer: compare models of one tokenizer alone. Ends of texts and tokens that "
            "the tokenizer does not know are never hidden."
        ]
