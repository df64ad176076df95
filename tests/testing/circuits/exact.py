"""What a circuit of our JSON does, from the contract's table and numpy alone: a density matrix for each reading.

The oracle of all methods: gates, measurements anywhere, resets, conditions, depolarizing and Pauli errors, misreadings.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from math import log, sqrt
from typing import Any

import numpy as np

from tests.testing.circuits.circuit_strategies import Matrix, embed, pauli_string, small_matrix

LEVEL = 1e-9  # the chance that a right sample is called wrong
ONE = np.array([[0, 1], [0, 0]])  # |0⟩⟨1|


@dataclass
class Noise:
    """one, two: depolarizing probabilities. pauli: of single qubits, by letter. misread: (p01, p10)."""

    one: float = 0.0
    two: float = 0.0
    pauli: dict[str, float] = field(default_factory=dict)
    misread: tuple[float, float] = (0.0, 0.0)

    def written(self) -> dict[str, Any]:
        """As a job's `noise`."""
        rules = [
            {"gate": gate, "error": {"kind": "depolarizing", "probability": p}}
            for gate, p in (("any_one_qubit", self.one), ("any_two_qubit", self.two))
        ]
        if self.pauli:
            error = {"kind": "pauli", "terms": self.pauli}
            rules += [{"gate": gate, "error": error} for gate in ("any_one_qubit", "any_two_qubit", "measure", "reset")]
        p01, p10 = self.misread
        return {"model": "custom", "gates": rules, "readout": [{"p01": p01, "p10": p10}]}


Branches = dict[tuple[int, ...], Matrix]  # by the classical bits; traces are probabilities


def run(qubits: int, operations: list[dict[str, Any]], clbits: int, noise: Noise | None = None) -> Branches:
    """From all zeros to the end."""
    start = np.zeros((1 << qubits, 1 << qubits), dtype=np.complex128)
    start[0, 0] = 1
    branches: Branches = {(0,) * clbits: start}
    for operation in operations:
        reached: Branches = {}
        for bits, rho in branches.items():
            held = operation.get("if")
            if held is not None and bits[held["clbit"]] != held["value"]:
                outcomes = iter([(bits, rho)])
            else:
                outcomes = _one(qubits, operation, bits, rho, noise or Noise())
            for after, part in outcomes:
                reached[after] = reached.get(after, 0) + part
        branches = reached
    return branches


def distribution(branches: Branches) -> dict[str, float]:
    """Probabilities by little-endian key."""
    found = {"".join(map(str, reversed(bits))): float(np.trace(rho).real) for bits, rho in branches.items()}
    return {key: chance for key, chance in found.items() if chance > 1e-12}


def state(branches: Branches) -> Matrix:
    """Whatever was read."""
    return sum(branches.values(), start=np.zeros((1, 1)))


def before_the_end(operations: list[dict[str, Any]], noise: Noise | None = None) -> list[dict[str, Any]]:
    """Without reading at the end: measurements that nothing but measurements follows leave their errors alone."""
    busy: set[tuple[str, int]] = set()
    kept = []
    for operation in reversed(operations):
        targets = operation.get("targets", [operation.get("target")])
        bits = {("q", target) for target in (*targets, operation.get("control"))}
        if operation["gate"] == "measure":
            clbits = operation["clbits"] if "clbits" in operation else [operation["clbit"]]
            if busy.isdisjoint(bits | {("c", clbit) for clbit in clbits}):
                operation = {"gate": "unread", "targets": targets}
                bits = bits if noise is not None and noise.pauli else set()
        elif "if" in operation:
            bits |= {("c", operation["if"]["clbit"])}
        busy |= bits
        kept.append(operation)
    return kept[::-1]


def mean(rho: Matrix, paulis: str) -> float:
    """⟨P⟩, the rightmost letter acting on qubit 0."""
    return float(np.trace(rho @ pauli_string(paulis)).real)


def _one(
    qubits: int, operation: dict[str, Any], bits: tuple[int, ...], rho: Matrix, noise: Noise
) -> Iterator[tuple[tuple[int, ...], Matrix]]:
    targets = operation.get("targets", [operation.get("target")])
    if operation["gate"] == "measure":
        clbits = operation.get("clbits", [operation.get("clbit", targets[0])] if len(targets) == 1 else targets)
        yield from _measured(qubits, list(zip(targets, clbits, strict=True)), bits, rho, noise)
    elif operation["gate"] == "reset":
        for target in targets:
            lowered = embed(qubits, ONE, [target], [])
            kept = _projector(qubits, target, 0)
            rho = kept @ rho @ kept + lowered @ rho @ lowered.conj().T
            rho = _pauli_error(qubits, target, rho, noise)
        yield bits, rho
    elif operation["gate"] in ("nop", "barrier"):
        yield bits, rho
    elif operation["gate"] == "unread":
        for target in targets:
            rho = _pauli_error(qubits, target, rho, noise)
        yield bits, rho
    else:
        yield bits, _gate(qubits, operation, targets, rho, noise)


def _measured(
    qubits: int, pairs: list[tuple[int, int]], bits: tuple[int, ...], rho: Matrix, noise: Noise
) -> Iterator[tuple[tuple[int, ...], Matrix]]:
    if not pairs:
        yield bits, rho
        return
    (target, clbit), *others = pairs
    rho = _pauli_error(qubits, target, rho, noise)
    for outcome in (0, 1):
        kept = _projector(qubits, target, outcome)
        part = kept @ rho @ kept
        wrong = noise.misread[outcome]
        for reading, chance in ((outcome, 1 - wrong), (1 - outcome, wrong)):
            if chance:
                read = (*bits[:clbit], reading, *bits[clbit + 1 :])
                yield from _measured(qubits, others, read, part * chance, noise)


def _gate(qubits: int, operation: dict[str, Any], targets: list[int], rho: Matrix, noise: Noise) -> Matrix:
    matrix = small_matrix(operation)
    controls = operation.get("controls", [operation["control"]] if "control" in operation else [])
    groups = [targets] if len(matrix) == 1 << len(targets) and len(targets) > 1 else [[t] for t in targets]
    for group in groups:
        unitary = embed(qubits, matrix, group, controls)
        rho = unitary @ rho @ unitary.conj().T
        struck = [*controls, *group]
        chance = noise.one if len(struck) == 1 else noise.two
        if chance:
            rho = (1 - chance) * rho + chance * _mixed(qubits, struck, rho)
        for target in struck:
            rho = _pauli_error(qubits, target, rho, noise)
    return rho


def _mixed(qubits: int, struck: list[int], rho: Matrix) -> Matrix:
    """These qubits replaced by the maximally mixed state: the mean over all Pauli strings on them."""
    strings = [
        "".join(dict(zip(struck, letters, strict=True)).get(qubit, "I") for qubit in reversed(range(qubits)))
        for letters in product("IXYZ", repeat=len(struck))
    ]
    return sum(pauli_string(string) @ rho @ pauli_string(string) for string in strings) / len(strings)


def _pauli_error(qubits: int, target: int, rho: Matrix, noise: Noise) -> Matrix:
    kept = (1 - sum(noise.pauli.values())) * rho
    for letter, chance in noise.pauli.items():
        string = pauli_string("".join(letter if qubit == target else "I" for qubit in reversed(range(qubits))))
        kept = kept + chance * string @ rho @ string
    return kept


def _projector(qubits: int, target: int, outcome: int) -> Matrix:
    return np.diag([float(state >> target & 1 == outcome) for state in range(1 << qubits)])


def assert_sampled(counts: dict[str, int], probabilities: dict[str, float]) -> None:
    """Counts are a multinomial draw: P(Σ|n/N - p| ≥ ε) ≤ 2^k exp(-Nε²/2) (Bretagnolle, Huber and Carol)."""
    shots = sum(counts.values())
    assert counts.keys() <= probabilities.keys()
    distance = sum(abs(counts.get(key, 0) / shots - p) for key, p in probabilities.items())
    assert distance <= sqrt(2 * (len(probabilities) * log(2) - log(LEVEL)) / shots)
