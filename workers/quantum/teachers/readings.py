"""Sums of Pauli strings read from measurements: which strings share one, and what its counts say of them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from qiskit import QuantumCircuit
from torch import Tensor

from qstill.contract.circuits.outputs import Observable, check_observable
from workers.circuits.program import Integers, Reals
from workers.quantum.observables import PauliSum

MAX_TABLE = 1 << 22  # numbers: what each outcome says of each observable, kept where it is small


@dataclass(frozen=True)
class Term:
    """A string and its coefficient in one of the observables. letters: by qubit, none of them I."""

    observable: int
    letters: dict[int, str]
    coefficient: float


@dataclass(frozen=True)
class Reading:
    """One measurement. basis: X, Y or Z by qubit; qubits: those that it reads, ascending: bits of an outcome."""

    basis: dict[int, str]
    terms: tuple[Term, ...]

    @property
    def qubits(self) -> list[int]:
        return sorted(self.basis)

    def turned(self, circuit: QuantumCircuit) -> QuantumCircuit:
        """The circuit, after which Z is what was X or Y."""
        found = circuit.copy()
        for qubit in self.qubits:
            if self.basis[qubit] == "Y":
                found.sdg(qubit)
            if self.basis[qubit] != "Z":
                found.h(qubit)
        return found

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
        found = np.zeros((observables, len(outcomes)))
        place = {qubit: bit for bit, qubit in enumerate(self.qubits)}
        for term in self.terms:
            sign = np.ones(len(outcomes))
            for qubit in term.letters:
                sign *= 1 - 2 * (outcomes >> place[qubit] & 1)
            found[term.observable] += term.coefficient * sign
        return found


def terms_of(observables: Sequence[Observable], qubits: int) -> list[Term]:
    """Raises Problem where an observable names qubits that do not exist."""
    found = []
    for number, observable in enumerate(observables):
        check_observable(observable, qubits, f"/observables/{number}")
        for term in observable.terms:
            named = range(qubits)[::-1] if term.qubits is None else term.qubits
            letters = {qubit: letter for qubit, letter in zip(named, term.paulis, strict=True) if letter != "I"}
            found.append(Term(number, letters, term.coefficient))
    return found


def sums_of(terms: Sequence[Term], observables: int, qubits: int) -> list[PauliSum]:
    """Coefficients by string, the rightmost letter of qubit 0."""
    found: list[dict[str, float]] = [{} for _ in range(observables)]
    for term in terms:
        string = "".join(term.letters.get(qubit, "I") for qubit in reversed(range(qubits)))
        own = found[term.observable]
        own[string] = own.get(string, 0.0) + term.coefficient
    return list(found)


def readings_of(terms: Sequence[Term]) -> list[Reading]:
    """Strings that want the same letter of every qubit that both read share a measurement; the first that fits."""
    bases: list[dict[int, str]] = []
    members: list[list[Term]] = []
    for term in terms:
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
    return [Reading(basis, tuple(own)) for basis, own in zip(bases, members, strict=True)]


def constants_of(terms: Sequence[Term], observables: int) -> Reals:
    """(observables,): the part of each that is a number."""
    found = np.zeros(observables)
    for term in terms:
        if not term.letters:
            found[term.observable] += term.coefficient
    return found


def estimated(worth: Reals, frequencies: Integers) -> tuple[Reals, Reals]:
    """(means, variances of the means), each (observables,). worth: (observables, outcomes) of counted outcomes."""
    shots = int(frequencies.sum())
    means: Reals = worth @ frequencies / shots
    spread = (worth - means[:, None]) ** 2 @ frequencies / max(1, shots - 1)
    return means, spread / shots
