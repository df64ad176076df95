"""Inner products with given states, read instead of observables: what a circuit is fitted to another by."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Overlaps:
    """targets: (2^n, B), complex, a state for each row."""

    targets: Tensor

    def means(self, state: Tensor) -> Tensor:
        """⟨t|ψ⟩ of each row's own target, (S, B, 2): real and imaginary parts. state: (S, 2^n, B)."""
        return torch.view_as_real((self.targets.conj() * state).sum(1))

    def applied(self, slope: Tensor, state: Tensor) -> Tensor:
        """As of observables, whose slope is 2·Re⟨λ|dψ⟩: λ = ½(∂Re + i·∂Im)·t. slope: (S, B, 2), real."""
        return torch.view_as_complex(slope.contiguous())[:, None] / 2 * self.targets

    def of(self, rows: slice) -> "Overlaps":
        """Those of some rows."""
        return Overlaps(self.targets[:, rows])


def fidelity(overlaps: Tensor) -> Tensor:
    """|⟨t|ψ⟩|² averaged coherently over rows: |Σ_b ⟨t_b|ψ_b⟩|² / B². overlaps: (S, B, 2). Returns (S,).

    With one row this is a state's fidelity. With rows that begin in every basis state and their images under V it is
    |Tr(V†U)|² / 4^n, the process fidelity.
    """
    return overlaps.mean(1).square().sum(-1)
