"""States and operators as arrays, over all qubits of a circuit as submitted: statevector, density matrix, unitary."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from qiskit import QuantumCircuit

from app.circuits.outputs import MAX_MATRIX_QUBITS, MAX_STATE_QUBITS, StateName
from app.errors import Problem
from workers.circuits.engines import aer
from workers.circuits.program import Program
from workers.circuits.shape import examine

Complex = NDArray[np.complex128]

_LIMITS: dict[StateName, int] = {
    "statevector": MAX_STATE_QUBITS,
    "density_matrix": MAX_MATRIX_QUBITS,
    "unitary": MAX_MATRIX_QUBITS,
}


def check_state(name: StateName, program: Program, qubits: int, pointer: str) -> None:
    """Raise Problem where the circuit has no such state, or one too large to give out. qubits: as submitted."""
    limit = _LIMITS[name]
    if qubits > limit:
        title = f"A {name.replace('_', ' ')} is given out for circuits of up to {limit} qubits; this one has {qubits}."
        raise Problem("state_too_large", title, pointer=pointer)
    if program.shape.dynamic:
        title = "Measurements decide what happens next, so that there is no one final state."
        raise Problem("no_final_state", title, pointer=pointer)
    resets = any(instruction.operation.name == "reset" for instruction in program.circuit.data)
    if name == "unitary" and resets:
        raise Problem("no_unitary", "A circuit with a reset is no unitary.", pointer=pointer)
    if name in ("statevector", "unitary") and program.noise is not None:
        title = f"A noisy circuit has no {name}; its density matrix can be asked for."
        raise Problem("no_final_state", title, pointer=pointer, ways_out=[{"outputs": ["density_matrix"]}])


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
        data = aer.run(final, "density_matrix", threads=threads, shots=1, noise_model=program.noise).data(0)
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
