"""Measures of how scores rank the rows that are positive above the others; rows of one score are taken together.

Each takes scores (rows,), whether a row is positive (rows,), and weights (draws, rows), and gives (draws,), NaN where
what counts has no positive rows, or no others where these are needed.
"""

import torch
from torch import Tensor


def area_under_roc(scores: Tensor, positive: Tensor, weights: Tensor) -> Tensor:
    """The chance that a positive row has the higher score than another, equal ones half."""
    hits, misses = _by_score(scores, positive, weights)
    lower = misses.cumsum(1) - misses
    return (hits * (lower + misses / 2)).sum(1) / (hits.sum(1) * misses.sum(1))


def average_precision(scores: Tensor, positive: Tensor, weights: Tensor) -> Tensor:
    """Σ (recall - recall before) · precision, over the scores from high to low, as scikit-learn: not interpolated."""
    hits, misses = (part.flip(1) for part in _by_score(scores, positive, weights))
    found = hits.cumsum(1)
    precision = torch.where(hits > 0, found / (found + misses.cumsum(1)), 0.0)
    return (hits * precision).sum(1) / hits.sum(1)


def _by_score(scores: Tensor, positive: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """(draws, scores): the weights of positive rows and of the others, by their scores from low to high."""
    values, place = torch.unique(scores, return_inverse=True)
    empty = weights.new_zeros(len(weights), len(values))
    return empty.index_add(1, place, weights * positive), empty.index_add(1, place, weights * ~positive)
