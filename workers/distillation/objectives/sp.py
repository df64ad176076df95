"""Similarity-preserving distillation (Tung, Mori 2019, arXiv:1907.09682): ‖G_T - G_S‖²/b², G of products of rows."""

from torch import Tensor

from workers.distillation.objectives.features import flat, scaled, unit


def sp(student: Tensor, teacher: Tensor) -> Tensor:
    """Squared difference of the matrices of inner products of rows, each row of a matrix brought to length 1; over b².

    Both: (rows, ...), flattened, of any width. Rotating, reflecting or scaling either space changes nothing.
    """
    return (similarities(student) - similarities(teacher)).square().mean()


def similarities(features: Tensor) -> Tensor:
    """(rows, rows)."""
    rows = scaled(flat(features))
    return unit(rows @ rows.T)
