"""States and operators as arrays, over all qubits of a circuit: statevector, density matrix, unitary."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from qiskit import QuantumCircuit

from app.circuits.outputs import MAX_MATRIX_QUBITS, MAX_STATE_QUBITS, StateName
from app.errors import Problem
from workers.circuits.engines import aer
from workers.circuits.program import Program

Complex = NDArray[np.complex128]

_LIMITS: dict[StateName, int] = {
    "statevector": MAX_STATE_QUBITS,
    "density_matrix": MAX_MATRIX_QUBITS,
    "unitary": MAX_MATRIX_QUBITS,
}


def check_state(name: StateName, program: Program, pointer: str) -> None:
    """Raise Problem where the circuit has no such state, or one too large to give out."""
    qubits, limit = program.circuit.num_qubits, _LIMITS[name]
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


def state(name: StateName, program: Program, *, threads: int) -> Complex:
    """(2^n,) or (2^n, 2^n), qubit 0 the low bit of an index, before the final measurements."""
    if name == "unitary":
        return _unitary(program.circuit, threads)
    final = aer.translate(program.final(aer.for_aer), name)
    getattr(final, f"save_{name}")()
    options: dict[str, Any] = {"noise_model": program.noise}
    data = aer.run(final, name, threads=threads, shots=1, **options).data(0)
    places = [program.circuit.find_bit(qubit).index for qubit in program.shape.active]
    return _embedded(np.asarray(data[name], dtype=np.complex128), places, program.circuit.num_qubits)


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
