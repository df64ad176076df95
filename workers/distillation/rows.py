"""Rows of data as networks see them."""

from dataclasses import dataclass

import torch
from torch import Tensor

from workers.distillation.stored.rows import StoredRows


@dataclass(frozen=True)
class Standardisation:
    """What is subtracted from inputs, then what they are divided by; shapes that broadcast against one input."""

    mean: Tensor
    std: Tensor

    def __call__(self, raw: Tensor) -> Tensor:
        """Raw inputs (rows, ...) to standardised ones of the same shape, float32; stored ones, once they are read."""
        if isinstance(raw, StoredRows):
            return raw.then(self)
        return raw.to(torch.float64, copy=True).sub_(self.mean).div_(self.std).float()


@dataclass(frozen=True)
class Rows:
    """One split. raw, x: inputs (rows, ...) before and after standardisation, float32. y: (rows,) int64.

    index: (rows,) where they stood in the data set before it was split.
    Text: raw and x are both the numbers of tokens (rows, tokens), int64. For language modelling y is (rows, tokens),
    the token that follows, `UNKNOWN` at padding; for masked language modelling the token that stands there, `UNKNOWN`
    where none is asked for. Training rows are not masked before an epoch shows them: see `training/augment.py`.
    Regression: y is (rows, targets), float32, standardised, NaN where unknown.
    raw and x are `StoredRows` where the data set is larger than what is held in memory: who picks rows need not know.
    answered: (rows, tokens) where networks that answer every token are heard at some alone; None: at all.
    """

    raw: Tensor
    x: Tensor
    y: Tensor
    index: Tensor
    answered: Tensor | None = None

    @property
    def labels(self) -> Tensor:
        """(answers,): of each answer that a network gives, a row's tokens after one another for language modelling.

        Regression: (answers, targets).
        """
        if self.answered is not None:
            return self.y[self.answered]
        return self.y if self.y.is_floating_point() else self.y.flatten()

    def some(self, chosen: Tensor | slice) -> "Rows":
        """Some of the rows, by their positions."""
        answered = None if self.answered is None else self.answered[chosen]
        return Rows(self.raw[chosen], self.x[chosen], self.y[chosen], self.index[chosen], answered)
