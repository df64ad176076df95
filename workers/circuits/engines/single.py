"""Statevectors in single precision with qsim (Quantum AI team 2020, doi:10.5281/zenodo.4023103).

It fuses gates and runs them in the processor's widest registers: 20 qubits in a tenth of Aer's time. Aer's own single
precision gains nothing, so where qsim is not installed the job says so and runs in double precision.
"""

import importlib.util
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qiskit import QuantumCircuit
from qiskit.circuit import CircuitInstruction, Gate
from qiskit.quantum_info import Statevector
from qiskit.transpiler import generate_preset_pass_manager

from workers.circuits.engines import final_state
from workers.circuits.outcome_keys import counts_of
from workers.circuits.program import Ask, Integers, Mean, Program, Reals, Sample, generator

MAX_MATRIX_QUBITS = 4  # of one gate handed to qsim
FUSED_QUBITS = 3  # the fastest here for 16 to 24 qubits
COMPARED_QUBITS = 16  # up to so many the fidelity with double precision is measured: 40 ms

WHOLE_STATE = 1 << 16  # amplitudes up to which all probabilities are computed before one is drawn
BLOCK = 1 << 8  # amplitudes; a state of 2^24 has 65,536 blocks, and a thousand shots look into a thousand of them
BLOCKS_AT_ONCE = 1 << 14  # 64 MiB

Amplitudes = NDArray[np.complex64]


@lru_cache(1)
def available() -> bool:
    return importlib.util.find_spec("qsimcirq") is not None


def sample(program: Program, ask: Ask) -> Sample:
    """Counts from a state of single precision, and how far it is off."""
    measured = program.measured
    if not available() or not measured:
        exact = final_state.sample(program, ask)
        return exact if available() else _with(exact, remark="qsim is not installed: double precision")
    ask.between()
    final = program.final()
    state = amplitudes(final, threads=ask.threads)
    blocks = _weights(state)
    norm = float(blocks.sum())
    remark = f"single precision: the norm is off by {abs(norm - 1):.1e}"
    fidelity = None
    if len(program.shape.active) <= COMPARED_QUBITS:
        lost = _infidelity(Statevector(final).data, state)
        fidelity = 1 - max(lost, 2**-53)  # a rounded state is never said to be the very same
        remark += f", the fidelity with double precision by {lost:.1e}"
    positions = [final.find_bit(qubit).index for qubit in measured]
    columns = program.columns(measured)
    likely = None
    if ask.probabilities or len(state) <= WHOLE_STATE:
        probabilities = final_state.rounded(_marginal(state, positions))
        outcomes, frequencies = final_state.draw(probabilities, ask.shots, generator(ask.seed))
        if ask.probabilities:
            likely = final_state.likely_outcomes(probabilities, columns)
    else:
        outcomes, frequencies = _draw(state, blocks, positions, ask)
    return Sample(
        counts=counts_of(outcomes, frequencies, columns),
        probabilities=likely,
        expectations=_means(program, state) if program.observables else [],
        fidelity=fidelity,
        remark=remark,
    )


def _infidelity(double: NDArray[np.complex128], state: Amplitudes) -> float:
    """1 - |⟨double|state⟩|² of two vectors (2^n,), by what is orthogonal: the difference would round to 0."""
    rest = state - np.vdot(double, state) * double
    return float(np.vdot(rest, rest).real / np.vdot(state, state).real)


def _weights(state: Amplitudes) -> Reals:
    """The squared norm of each block of amplitudes."""
    parts = state.view(np.float32).reshape(-1, 2 * min(BLOCK, len(state)))
    weights: Reals = np.vecdot(parts, parts).astype(np.float64)
    return weights


def _draw(state: Amplitudes, blocks: Reals, positions: Sequence[int], ask: Ask) -> tuple[Integers, Integers]:
    """Outcomes that were read and how often. Probabilities are looked at in the blocks alone that are drawn from."""
    random = generator(ask.seed)
    drawn, frequencies = final_state.draw(blocks / blocks.sum(), ask.shots, random)
    found = []
    for start in range(0, len(drawn), BLOCKS_AT_ONCE):
        chunk, shots = drawn[start : start + BLOCKS_AT_ONCE], frequencies[start : start + BLOCKS_AT_ONCE]
        amplitudes = state.reshape(-1, BLOCK)[chunk]
        weights = np.cumsum(amplitudes.real.astype(np.float64) ** 2 + amplitudes.imag.astype(np.float64) ** 2, axis=1)
        weights /= weights[:, -1:]
        weights += np.arange(len(chunk))[:, None]  # one ascending row: block i from i to i + 1
        row = np.repeat(np.arange(len(chunk)), shots)
        places = np.searchsorted(weights.ravel(), row + random.random(len(row)), side="right")
        found.append((chunk[row] - row) * BLOCK + places.clip(max=(row + 1) * BLOCK - 1))
    whole = np.concatenate(found)
    measured = np.zeros_like(whole)
    for place, position in enumerate(positions):
        measured |= (whole >> position & 1) << place
    outcomes, counts = np.unique(measured, return_counts=True)
    return outcomes, counts


def amplitudes(circuit: QuantumCircuit, *, threads: int) -> Amplitudes:
    """The final state (2^n,), qubit 0 the low bit of an index."""
    from qsimcirq import qsim  # imports Cirq: a second, and only jobs that ask for it pay

    flat = circuit if all(map(_has_small_matrix, circuit.data)) else _one_and_two_qubit_gates().run(circuit)
    translated = qsim.Circuit()
    translated.num_qubits = flat.num_qubits
    moments = [0] * flat.num_qubits
    for instruction in flat.data:
        places = [flat.find_bit(qubit).index for qubit in instruction.qubits]
        moment = max(moments[place] for place in places)
        for place in places:
            moments[place] = moment + 1
        matrix = instruction.operation.to_matrix().astype(np.complex64)
        qsim.add_matrix_gate(moment, places[::-1], matrix.reshape(-1).view(np.float32).tolist(), translated)
    # Not "z": the thread would flush tiny numbers to zero ever after, in doubles as well.
    options = {"c": translated, "f": FUSED_QUBITS, "t": threads, "v": 0, "r": 1, "s": 1, "z": False}
    on_a_processor: dict[str, Any] = {"g": False, "gmode": 0, "gsst": 512, "gdb": 16}
    state: Amplitudes = qsim.qsim_simulate_fullstate(options | on_a_processor, 0).view(np.complex64)
    return state


def _has_small_matrix(instruction: CircuitInstruction) -> bool:
    operation = instruction.operation
    return isinstance(operation, Gate) and operation.num_qubits <= MAX_MATRIX_QUBITS and hasattr(operation, "__array__")


@lru_cache(1)
def _one_and_two_qubit_gates() -> Any:
    return generate_preset_pass_manager(optimization_level=0, basis_gates=["u", "cx"])


def _marginal(state: Amplitudes, positions: list[int]) -> NDArray[np.float64]:
    """Probabilities (2^positions,), the first position the low bit."""
    qubits = len(state).bit_length() - 1
    probabilities = (state.real.astype(np.float64) ** 2 + state.imag.astype(np.float64) ** 2).reshape((2,) * qubits)
    axes = [qubits - 1 - position for position in positions]  # the first axis is the high bit
    others = tuple(axis for axis in range(qubits) if axis not in axes)
    kept = sorted(axes)
    summed = probabilities.sum(axis=others) if others else probabilities
    order = [kept.index(axis) for axis in reversed(axes)]
    return np.ascontiguousarray(summed.transpose(order)).reshape(-1)


def _means(program: Program, state: Amplitudes) -> list[Mean]:
    normal = Statevector(state.astype(np.complex128) / np.linalg.norm(state))
    found = []
    for observable in program.observables:
        mean = float(np.real(normal.expectation_value(observable.operator)))
        variance = None
        if observable.square is not None:
            variance = max(0.0, float(np.real(normal.expectation_value(observable.square))) - mean**2)
        found.append(Mean(mean, variance=variance))
    return found


def _with(sample: Sample, *, remark: str) -> Sample:
    return Sample(
        counts=sample.counts,
        kind=sample.kind,
        probabilities=sample.probabilities,
        expectations=sample.expectations,
        remark=remark,
    )
