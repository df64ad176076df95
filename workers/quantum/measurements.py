"""Sums of Pauli strings read from measurements: which strings share one, and what its outcomes say of them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from qiskit import QuantumCircuit
from torch import Tensor

from workers.circuits.program import Integers, Reals
from workers.quantum.observables import PauliSum

MAX_TABLE = 1 << 22  # numbers: what each outcome says of each observable, kept where it is small


@dataclass(frozen=True)
class Term:
    """A string and its coefficient in one of the observables. letters: by qubit, none of them I."""

    observable: int
    letters: Mapping[int, str]
    coefficient: float


@dataclass(frozen=True)
class Measurement:
    """basis: X, Y or Z by qubit; terms: of all observables, those that it reads."""

    basis: Mapping[int, str]
    terms: tuple[Term, ...]

    @property
    def qubits(self) -> list[int]:
        """Those that are measured, ascending: the bits of an outcome."""
        return sorted(self.basis)

    def probabilities(self, states: Tensor) -> Tensor:
        """Of each outcome (B, 2^k), of states (2^n, B), complex."""
        qubits = states.shape[0].bit_length() - 1
        for qubit in self.qubits:
            if self.basis[qubit] != "Z":
                zero, one = states.view(-1, 2, 1 << qubit, states.shape[1]).unbind(1)
                one = -1j * one if self.basis[qubit] == "Y" else one
                states = torch.stack([zero + one, zero - one], 1).reshape(states.shape) / math.sqrt(2)
        axes = states.abs().square().T.reshape(-1, *[2] * qubits)  # the highest qubit first
        unread = [qubits - qubit for qubit in range(qubits) if qubit not in self.basis]
        return (axes.sum(unread) if unread else axes).reshape(states.shape[1], -1)

    def worth(self, outcomes: Integers, observables: int) -> Reals:
        """(observables, outcomes): the part of each observable that an outcome says. outcomes: bits as `qubits`."""
        return self._worth(outcomes, observables, {qubit: bit for bit, qubit in enumerate(self.qubits)})

    def worth_of_all(self, qubits: int, observables: int) -> Reals:
        """(observables, 2^n): the same of outcomes in which every qubit is a bit."""
        return self._worth(np.arange(1 << qubits), observables, {qubit: qubit for qubit in range(qubits)})

    def _worth(self, outcomes: Integers, observables: int, bits: Mapping[int, int]) -> Reals:
        found = np.zeros((observables, len(outcomes)))
        for term in self.terms:
            sign = np.ones(len(outcomes))
            for qubit in term.letters:
                sign *= 1 - 2 * (outcomes >> bits[qubit] & 1)
            found[term.observable] += term.coefficient * sign
        return found


def rotated(circuit: QuantumCircuit, basis: Mapping[int, str]) -> QuantumCircuit:
    """The circuit, after which Z is what was X or Y."""
    found = circuit.copy()
    for qubit, letter in sorted(basis.items()):
        if letter == "Y":
            found.sdg(qubit)
        if letter != "Z":
            found.h(qubit)
    return found


def measurements_of(sums: Sequence[PauliSum]) -> list[Measurement]:
    """Strings that want the same letter of every qubit that both read share a measurement: the first that fits."""
    bases: list[dict[int, str]] = []
    members: list[list[Term]] = []
    for term in _terms(sums):
        if not term.letters:
            continue  # a number, which nothing is measured for
        for basis, own in zip(bases, members, strict=True):
            if all(basis.get(qubit, letter) == letter for qubit, letter in term.letters.items()):
                basis.update(term.letters)
                own.append(term)
                break
        else:
            bases.append(dict(term.letters))
            members.append([term])
    return [Measurement(basis, tuple(own)) for basis, own in zip(bases, members, strict=True)]


def constants_of(sums: Sequence[PauliSum]) -> Reals:
    """(observables,): the part of each that is a number."""
    found = np.zeros(len(sums))
    for term in _terms(sums):
        if not term.letters:
            found[term.observable] += term.coefficient
    return found


def _terms(sums: Sequence[PauliSum]) -> list[Term]:
    return [
        Term(number, {qubit: letter for qubit, letter in enumerate(reversed(string)) if letter != "I"}, coefficient)
        for number, strings in enumerate(sums)
        for string, coefficient in strings.items()
    ]


def estimated(worth: Reals, frequencies: Integers) -> tuple[Reals, Reals]:
    """(means, variances of the means), each (observables,). worth: (observables, outcomes) of counted outcomes."""
    shots = int(frequencies.sum())
    means: Reals = worth @ frequencies / shots
    spread = (worth - means[:, None]) ** 2 @ frequencies / max(1, shots - 1)
    return means, spread / shots
