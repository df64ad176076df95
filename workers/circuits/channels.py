"""A channel that stands in a circuit: noise at its own place, whatever a job's `noise` adds.

Aer knows it as the instruction `kraus`: exact in a density matrix, drawn anew in each trajectory.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import product

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import Gate, Instruction, Operation

from qstill.contract.circuits.noise.channels import PauliError
from workers.circuits.matrices import Matrix, pauli_string

KRAUS = "kraus"  # Aer's name
MAX_PAULI_QUBITS = 2  # of a channel that a stabilizer simulation follows
_ROUNDING = 1e-12  # of a number of a channel's process matrix


def channel(operators: Sequence[Matrix], label: str) -> Instruction:
    """ρ → Σ K ρ K†, the first qubit the low bit of an index. label: a short name, and after a space its numbers."""
    every = [np.asarray(operator, dtype=np.complex128) for operator in operators]
    return Instruction(KRAUS, len(every[0]).bit_length() - 1, 0, every, label=label)


def is_channel(operation: Operation) -> bool:
    """Whether it is a channel; a gate may have the same name."""
    return operation.name == KRAUS and not isinstance(operation, Gate)


def pauli_error(operation: Instruction) -> PauliError | None:
    """A channel as Pauli operators with probabilities, if it is that and on one or two qubits."""
    if operation.num_qubits > MAX_PAULI_QUBITS:
        return None
    return _pauli_error(np.array(operation.params).tobytes(), operation.num_qubits)


def channels_in(circuit: QuantumCircuit) -> Iterator[Instruction]:
    """The channels that stand in the circuit, those in branches and loops included."""
    for instruction in circuit.data:
        if instruction.name == KRAUS and is_channel(instruction.operation):
            yield instruction.operation
        elif instruction.is_control_flow():
            for block in instruction.operation.blocks:
                yield from channels_in(block)


def completed(operators: Sequence[Matrix] | Matrix) -> list[Matrix]:
    """Operators K with ΣK†K = 1 exactly: what rounding lost is made up by (ΣK†K)^-½."""
    every = np.asarray(operators)
    values, vectors = np.linalg.eigh(np.einsum("kji,kjl->il", every.conj(), every))
    root = (vectors / np.sqrt(values)) @ vectors.conj().T
    return list(every @ root)


@lru_cache(1024)
def _pauli_error(operators: bytes, qubits: int) -> PauliError | None:
    """A channel is one of Pauli operators where its matrix over them is diagonal, whatever its Kraus operators are."""
    names = ["".join(letters) for letters in product("IXYZ", repeat=qubits)]
    size = 1 << qubits
    every = np.frombuffer(operators, dtype=np.complex128).reshape(-1, size, size)
    basis = np.array([pauli_string(name) for name in names])
    shares = np.einsum("pij,kij->kp", basis.conj(), every) / size
    process = np.einsum("kp,kq->pq", shares, shares.conj())
    chances = np.diag(process).real
    if np.abs(process - np.diag(chances)).max() > _ROUNDING:
        return None
    kept = {name: float(chance) for name, chance in zip(names, chances / chances.sum(), strict=True) if chance > 0}
    return PauliError(kind="pauli", terms={name: min(1.0, chance) for name, chance in kept.items()})
