"""States and operators as arrays, over all qubits of a circuit as submitted: statevector, density matrix, unitary."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from qiskit import QuantumCircuit

from qstill.contract.circuits.outputs import (
    DYNAMIC,
    NOISY,
    NONE_OF_A_NOISY_CIRCUIT,
    StateName,
    check_state_size,
    no_final_state,
)
from qstill.contract.errors import Problem
from workers.circuits.engines import aer
from workers.circuits.examine.shape import examine
from workers.circuits.program import Program

Complex = NDArray[np.complex128]


def check_state(name: StateName, program: Program, qubits: int) -> None:
    """Raise Problem where the circuit has no such state, or one too large to give out. qubits: as submitted."""
    check_state_size(name, qubits)
    if program.shape.dynamic:
        raise no_final_state(DYNAMIC, "counts")
    resets = any(instruction.operation.name == "reset" for instruction in program.circuit.data)
    if name == "unitary" and resets:
        raise Problem("no_unitary", "A circuit with a reset is no unitary.", pointer="/outputs")
    if program.mixed and name in NONE_OF_A_NOISY_CIRCUIT:
        raise no_final_state(NOISY.format(name), "density_matrix")


def state(
    name: StateName, submitted: QuantumCircuit, program: Program, layout: Sequence[int] | None, *, threads: int
) -> Complex:
    """(2^n,) or (2^n, 2^n) over the qubits as submitted, qubit 0 the low bit, before the final measurements.

    layout: the program's qubit that each of them ended on, where a device moved them.
    """
    match name:
        case "statevector":
            return _statevector(submitted, threads)
        case "density_matrix":
            return _density_matrix(program, program.places(layout), submitted.num_qubits, threads)
        case "unitary":
            return _unitary(submitted, threads)


def _statevector(circuit: QuantumCircuit, threads: int) -> Complex:
    program = Program(circuit, examine(circuit))
    places = [circuit.find_bit(qubit).index for qubit in program.shape.active]
    final = program.final(aer.for_aer)
    array: Complex = np.exp([1j * float(circuit.global_phase)])
    if places:
        final = aer.translate(final)
        final.save_statevector()
        array = np.asarray(aer.run(final, threads=threads, shots=1).data(0)["statevector"], dtype=np.complex128)
    return _embedded(array, places, circuit.num_qubits)


def _density_matrix(program: Program, places: Mapping[int, int], qubits: int, threads: int) -> Complex:
    """places: the simulated qubit of each submitted one; all other simulated ones are traced out."""
    array: Complex = np.ones((1, 1), dtype=np.complex128)
    if places:
        final = aer.translate(program.final(), "density_matrix")
        final.save_density_matrix(list(places.values()))
        data = aer.run(final, "density_matrix", threads=threads, shots=1, noise_model=program.aer_noise).data(0)
        array = np.asarray(data["density_matrix"], dtype=np.complex128)
    return _embedded(array, list(places), qubits)


def _unitary(circuit: QuantumCircuit, threads: int) -> Complex:
    gates = QuantumCircuit(circuit.qubits, global_phase=circuit.global_phase)
    for instruction in circuit.data:
        if instruction.operation.name not in ("measure", "barrier", "delay"):
            gates._append(aer.for_aer(instruction))
    translated = aer.translate(gates, "unitary")
    translated.save_unitary()
    return np.asarray(aer.run(translated, "unitary", threads=threads, shots=1).data(0)["unitary"], dtype=np.complex128)


def _embedded(array: Complex, places: list[int], qubits: int) -> Complex:
    """The state of the qubits at `places` among `qubits` that are 0 otherwise."""
    indices = np.zeros(1 << len(places), dtype=np.int64)
    for index, place in enumerate(places):
        indices |= (np.arange(len(indices)) >> index & 1) << place
    whole = np.zeros((1 << qubits,) * array.ndim, dtype=np.complex128)
    whole[np.ix_(*[indices] * array.ndim)] = array
    return whole
