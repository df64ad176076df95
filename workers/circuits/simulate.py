"""Counts of a circuit. One final state and one multinomial draw where that is enough; shot by shot where it is not."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from qiskit import ClassicalRegister, QuantumCircuit
from qiskit.circuit import Qubit

from app.circuits.admission import statevector_bytes
from app.errors import Problem
from workers.circuits.shape import Shape
from workers.circuits.target import for_aer, simulator, translate

MAX_DRAWN_QUBITS = 20  # beyond 2^20 probabilities Aer samples the state itself, without a second copy of that size
MAX_BRANCH_BYTES = 2**30  # states that branching shots keep at once; 20 qubits and 1,000 branches would be 16 GB
_PRECISION = 15  # decimals of a probability: what threads add up in another order must not change the counts
_WITHOUT_EFFECT = {"measure", "barrier", "reset", "delay"}  # on the final state, where nothing follows a measurement

Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Sample:
    """Little-endian counts, and how they came about."""

    counts: dict[str, int]
    method: str
    why: str
    exactness: Literal["exact", "sampled"]


def simulate(
    circuit: QuantumCircuit,
    shape: Shape,
    *,
    shots: int,
    seed: int,
    threads: int,
    between_batches: Callable[[], None] = lambda: None,
) -> Sample:
    """Run the circuit. The same seed gives the same counts, on any number of threads. Raises `Problem`.

    between_batches: called every few seconds at most where shots run in batches; it may raise.
    """
    if shape.dynamic:
        counts = _shot_by_shot(circuit, shape, shots=shots, seed=seed, threads=threads, between_batches=between_batches)
        why = "measurements or resets decide what happens next, so shots branch where their outcomes differ"
        return Sample(counts, "statevector", f"{len(shape.active)} active qubits; {why}", "sampled")
    active, measured = set(shape.active), set(shape.source.values())
    read = [qubit for qubit in shape.active if qubit in measured]
    if not read:
        return Sample({"0" * circuit.num_clbits: shots}, "none", "no gate touches a measured qubit", "exact")
    final = QuantumCircuit(shape.active)
    for instruction in circuit.data:
        if instruction.operation.name not in _WITHOUT_EFFECT and active.issuperset(instruction.qubits):
            final._append(for_aer(instruction))
    positions = [final.find_bit(qubit).index for qubit in read]
    if len(read) <= MAX_DRAWN_QUBITS:
        outcomes, frequencies = _draw(final, positions, shots=shots, seed=seed, threads=threads)
    else:
        outcomes, frequencies = _sample(final, positions, shots=shots, seed=seed, threads=threads)
    column = {qubit: index for index, qubit in enumerate(read)}
    columns = [column.get(shape.source[clbit], -1) if clbit in shape.source else -1 for clbit in circuit.clbits]
    why = f"{len(shape.active)} active qubits, measured at the end: one final state serves all shots"
    return Sample(_counts(outcomes, frequencies, columns), "statevector", why, "sampled")


def _draw(
    final: QuantumCircuit, positions: list[int], *, shots: int, seed: int, threads: int
) -> tuple[Integers, Integers]:
    """Outcomes over `positions` (the first is the low bit) and their frequencies, from one multinomial draw."""
    translated = translate(final)
    translated.save_probabilities(positions)
    data = _run(translated, shots=1, threads=threads)
    probabilities = np.round(data["probabilities"], _PRECISION)
    probabilities /= probabilities.sum()
    frequencies = np.random.Generator(np.random.PCG64(seed)).multinomial(shots, probabilities)
    outcomes = np.flatnonzero(frequencies)
    return outcomes, frequencies[outcomes]


def _sample(
    final: QuantumCircuit, positions: list[int], *, shots: int, seed: int, threads: int
) -> tuple[Integers, Integers]:
    """The same, sampled by Aer from its statevector."""
    measured = final.copy()
    measured.add_register(ClassicalRegister(len(positions)))
    measured.measure(positions, range(len(positions)))
    counts = _run(translate(measured), shots=shots, seed_simulator=seed, threads=threads)["counts"]
    sampled = sorted((int(key, 16), count) for key, count in counts.items())
    outcomes, frequencies = np.array(sampled, dtype=np.int64).T
    return outcomes, frequencies


def _shot_by_shot(
    circuit: QuantumCircuit,
    shape: Shape,
    *,
    shots: int,
    seed: int,
    threads: int,
    between_batches: Callable[[], None],
) -> dict[str, int]:
    """Counts of a dynamic circuit. Shots share a state until a measurement or a reset tells them apart.

    Aer keeps the states of all branches at once, so shots come in batches whose states fit.
    """
    translated = translate(_without_idle_qubits(circuit, shape))
    states = max(1, MAX_BRANCH_BYTES // statevector_bytes(len(shape.active)))
    batch = shots if 1 << shape.branchings <= states else min(shots, states)
    batches = -(-shots // batch)
    seeds = [seed] if batches == 1 else np.random.SeedSequence(seed).generate_state(batches, np.uint64).tolist()
    total: Counter[str] = Counter()
    for index, batch_seed in enumerate(seeds):
        between_batches()
        size = min(batch, shots - index * batch)
        data = _run(
            translated,
            shots=size,
            seed_simulator=batch_seed >> 1,
            threads=threads,
            enable_truncation=False,  # it forgets qubits that are branched on but never measured, and fails
            shot_branching_enable=True,
            shot_branching_sampling_enable=True,
        )
        total.update(data.get("counts", {"0x0": size}))  # none if nothing is measured
    width = circuit.num_clbits
    return {format(int(key, 16), f"0{width}b"): count for key, count in sorted(total.items())}


def _without_idle_qubits(circuit: QuantumCircuit, shape: Shape) -> QuantumCircuit:
    """The same without barriers and idle qubits. A clbit that an idle qubit clears is cleared by one that stays 0."""
    active = set(shape.active)
    writes = Counter(clbit for instruction in circuit.data for clbit in instruction.clbits)
    compact = QuantumCircuit(shape.active, circuit.clbits, *circuit.cregs)
    ground: Qubit | None = None
    for instruction in circuit.data:
        if instruction.operation.name == "barrier":
            continue
        if active.issuperset(instruction.qubits):
            compact._append(for_aer(instruction))
        elif instruction.operation.name == "measure" and writes[instruction.clbits[0]] > 1:
            if ground is None:
                ground = Qubit()
                compact.add_bits([ground])
            compact._append(instruction.replace(qubits=(ground,)))
    return compact


def _run(circuit: QuantumCircuit, *, threads: int, **options: Any) -> dict[str, Any]:
    """Aer's data for one circuit. Aer reports a failure as a status, not as an exception."""
    result = simulator().run(circuit, max_parallel_threads=threads, **options).result()
    if result.success:
        data: dict[str, Any] = result.data()
        return data
    status = str(result.results[0].status if result.results else result.status).removeprefix("ERROR: ").strip()
    code = "needs_more_memory" if "memory" in status.lower() else "simulation_failed"
    raise Problem(code, f"The simulator gave up: {status}", pointer="/circuit")


def _counts(outcomes: Integers, frequencies: Integers, columns: list[int]) -> dict[str, int]:
    """Little-endian keys of as many characters as `columns`: clbit i reads bit columns[i] of an outcome, -1 reads 0."""
    characters = np.full((len(outcomes), len(columns)), ord("0"), dtype=np.uint8)
    for clbit, column in enumerate(columns):
        if column >= 0:
            characters[:, len(columns) - 1 - clbit] += ((outcomes >> column) & 1).astype(np.uint8)
    keys = characters.tobytes().decode("ascii")
    width = len(columns)
    return {
        keys[start : start + width]: count
        for start, count in zip(range(0, len(keys), width), frequencies.tolist(), strict=True)
    }
