"""A circuit that reads a row once, as real arithmetic that any runtime has: head(observables · |U·ψ|²) for real ψ.

That such a circuit is no more than one matrix is also an answer to what is quantum in it.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from workers.quantum.circuit import DifferentiableCircuit
from workers.quantum.observables import PauliSum, observables


class AsMatrix(nn.Module):
    """Inputs as the network's; logits (batch, classes)."""

    real: Tensor
    imaginary: Tensor
    diagonal: Tensor

    def __init__(
        self,
        states: Callable[[Tensor], Tensor],
        circuit: DifferentiableCircuit,
        angles: Tensor,
        sums: list[PauliSum],
        head: nn.Linear,
    ) -> None:
        """states: real ones (2^n, batch) of inputs. angles: (P,) of the circuit. sums: what the head reads."""
        super().__init__()
        self.states, self.head = states, head
        unitary = circuit.states(angles[None], states=torch.eye(1 << circuit.qubits, dtype=torch.complex64))[0]
        self.register_buffer("real", unitary.real.contiguous())
        self.register_buffer("imaginary", unitary.imag.contiguous())
        read = observables(sums, circuit.qubits)
        self.register_buffer("diagonal", read.diagonal)
        self.flips = [(source, factors.real.contiguous(), factors.imag.contiguous()) for source, factors in read.flips]

    def forward(self, x: Tensor) -> Tensor:
        """Logits."""
        states = self.states(x)
        real, imaginary = self.real @ states, self.imaginary @ states
        means = self.diagonal @ (real.square() + imaginary.square())
        for source, factors, rotated in self.flips:
            there, across = real[source], imaginary[source]
            means = means + factors @ (real * there + imaginary * across)
            means = means - rotated @ (real * across - imaginary * there)
        return self.head(means.T)  # type: ignore[no-any-return]
