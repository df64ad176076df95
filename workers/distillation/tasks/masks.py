"""Masked language modelling (BERT: Devlin and others 2019, arXiv:1810.04805, sec. 3.1): tokens to be found again.

Of each row's tokens 15 % are chosen, at least one. Of the chosen 80 % become the mask, 10 % any token, drawn evenly,
and 10 % stay as they are; all of them are labels, and nothing else is. Ends of texts, what is unknown, and padding are
never chosen: there is nothing to learn from finding them.

Training rows are masked anew in every epoch (as RoBERTa's, arXiv:1907.11692, sec. 4.1, and DistilBERT's), by a seed
that depends on the network's seed and the epoch, so that a student that resumes sees what it would have seen, and its
baseline sees the very same masks. Validation and test rows are masked once, by the data's seed.
"""

import torch
from torch import Tensor

from workers.distillation.networks.texts.tokens import AFTER_MASK, MASK
from workers.distillation.objectives.terms import UNKNOWN
from workers.distillation.rows import Rows

CHOSEN = 0.15  # of a row's ordinary tokens
MASKED, REPLACED = 0.8, 0.1  # of the chosen ones; the others stay


def masked(rows: Rows, vocabulary: int, *, seed: int) -> Rows:
    """The rows with tokens hidden. `y` has the hidden ones and `UNKNOWN` elsewhere; only they are answered.

    vocabulary: how many tokens there are.
    """
    draw = torch.Generator().manual_seed(seed)
    chosen = _chosen(rows.x >= AFTER_MASK, draw)
    fate = torch.rand(rows.x.shape, generator=draw)
    others = torch.randint(AFTER_MASK, vocabulary, rows.x.shape, generator=draw)
    shown = torch.where(chosen & (fate < MASKED), MASK, rows.x)
    shown = torch.where(chosen & (fate >= MASKED) & (fate < MASKED + REPLACED), others, shown)
    return Rows(shown, shown, torch.where(chosen, rows.x, UNKNOWN), rows.index, chosen)


def _chosen(ordinary: Tensor, draw: torch.Generator) -> Tensor:
    """(rows, tokens): of each row's ordinary tokens the share that is chosen, rounded, and one at least."""
    counts = ordinary.sum(1)
    wanted = torch.minimum((CHOSEN * counts).round().long().clamp(min=1), counts)
    lots = torch.rand(ordinary.shape, generator=draw).masked_fill(~ordinary, 2.0)  # drawn last
    return lots.argsort(dim=1, stable=True).argsort(dim=1) < wanted[:, None]
