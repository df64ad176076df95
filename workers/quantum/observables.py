"""Sums of Pauli strings as what they do to amplitudes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal, Protocol

import numpy as np
import torch
from torch import Tensor

from qstill.contract.circuits.outputs import Observable
from workers.quantum.operations import Shuffle, Step, Turns, bit

PauliSum = Mapping[str, float]  # coefficients by string; the rightmost letter is qubit 0


class Readout(Protocol):
    """What is read of the final states, and how the adjoint states begin."""

    def means(self, state: Tensor) -> Tensor:
        """(S, B, O), real, of states (S, 2^n, B)."""

    def applied(self, slope: Tensor, state: Tensor) -> Tensor:
        """λ (S, 2^n, B) such that the loss changes by 2·Re⟨λ|dψ⟩. slope: (S, B, O), of the loss in what was read."""

    def of(self, rows: slice) -> "Readout":
        """The same of some of the rows."""


@dataclass(frozen=True)
class Observables:
    """O sums of Pauli strings. diagonal: (O, 2^n), real, of strings of I and Z.

    flips: of each set of qubits on which strings have X or Y, where an amplitude comes from (2^n,), and its factor in
    each observable (O, 2^n), complex.
    """

    diagonal: Tensor
    flips: tuple[tuple[Tensor, Tensor], ...] = ()

    def __len__(self) -> int:
        return len(self.diagonal)

    def means(self, state: Tensor) -> Tensor:
        """⟨ψ|O|ψ⟩ (S, B, O) of states (S, 2^n, B)."""
        squares = torch.view_as_real(state).flatten(2).square()  # real and imaginary, row by row
        found = (self.diagonal @ squares).view(*state.shape[:1], len(self), -1, 2).sum(-1)
        for source, factors in self.flips:
            found = found + (factors @ (state.conj() * state.index_select(1, source))).real
        return found.mT

    def applied(self, slope: Tensor, state: Tensor) -> Tensor:
        """Σ_o slope_o·O|ψ⟩, (S, 2^n, B). slope: (S, B, O), real."""
        found = (self.diagonal.mT @ slope.mT) * state
        for source, factors in self.flips:
            found = found + (slope.to(factors.dtype) @ factors).mT * state.index_select(1, source)
        return found

    def of(self, rows: slice) -> "Observables":
        """All rows have the same."""
        return self


def observables(sums: Sequence[PauliSum], qubits: int, precision: torch.dtype = torch.float32) -> Observables:
    """From coefficients by string, the rightmost letter of each qubit 0."""
    states = np.arange(1 << qubits)
    diagonal = np.zeros((len(sums), 1 << qubits))
    flips: dict[int, np.ndarray] = {}
    for number, terms in enumerate(sums):
        for letters, coefficient in terms.items():
            flipped, source, phase = 0, states, np.full(1 << qubits, coefficient, dtype=complex)
            for qubit, letter in enumerate(reversed(letters)):
                flipped |= (letter in "XY") << qubit
            source = states ^ flipped
            for qubit, letter in enumerate(reversed(letters)):
                sign = 1.0 - 2.0 * bit(qubits, qubit)[source]
                phase = phase * {"I": 1.0, "X": 1.0, "Y": 1j * sign, "Z": sign}[letter]
            if flipped:
                flips.setdefault(flipped, np.zeros((len(sums), 1 << qubits), dtype=complex))[number] += phase
            else:
                diagonal[number] += phase.real
    kind = torch.complex64 if precision == torch.float32 else torch.complex128
    return Observables(
        torch.from_numpy(diagonal).to(precision),
        tuple((torch.from_numpy(states ^ mask), torch.from_numpy(factors).to(kind)) for mask, factors in flips.items()),
    )


def before(observables: Observables, steps: Sequence[Step]) -> tuple[Observables, int]:
    """What has the same means before the steps that end a circuit, as far as it can be: Z alone sees no phase, and a
    shuffle moves its values. Second: how many steps are left.
    """
    left, diagonal = len(steps), observables.diagonal
    while left and not observables.flips and not isinstance(step := steps[left - 1], Turns):
        if isinstance(step, Shuffle):
            diagonal = diagonal[:, step.inverse]
        left -= 1
    return Observables(diagonal, observables.flips), left


def sums_of(wanted: Sequence[Literal["z", "zz"] | Observable], qubits: int) -> list[PauliSum]:
    """Observables as jobs name them: the Z of every qubit for "z", the product of the Z of every two for "zz"."""
    found: list[PauliSum] = []
    for each in wanted:
        if each == "z":
            found += [{string_of({qubit: "Z"}, qubits): 1.0} for qubit in range(qubits)]
        elif each == "zz":
            found += [{string_of({a: "Z", b: "Z"}, qubits): 1.0} for a, b in combinations(range(qubits), 2)]
        else:
            found.append(sum_of(each, qubits))
    return found


def sum_of(observable: Observable, qubits: int) -> PauliSum:
    """Coefficients by string; terms of the same string are added."""
    found: dict[str, float] = {}
    for term in observable.terms:
        named = term.qubits if term.qubits is not None else range(qubits)[::-1]
        string = string_of(dict(zip(named, term.paulis, strict=True)), qubits)
        found[string] = found.get(string, 0.0) + term.coefficient
    return found


def string_of(by_qubit: Mapping[int, str], qubits: int) -> str:
    """A string of Pauli letters, that of qubit 0 the last."""
    return "".join(by_qubit.get(qubit, "I") for qubit in reversed(range(qubits)))
