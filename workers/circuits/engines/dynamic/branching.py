"""Dynamic circuits: shots share a state until a measurement or a reset tells them apart. With noise, trajectories.

Aer keeps the states of all branches at once, so shots come in batches whose states fit.
"""

from collections import Counter
from collections.abc import Mapping
from math import sqrt
from typing import Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import Qubit

from qstill.contract.circuits.method_costs import statevector_bytes
from workers.circuits.engines import aer
from workers.circuits.engines.dynamic import branch_ends
from workers.circuits.engines.dynamic.branch_ends import Ends
from workers.circuits.examine.shape import final_measurements
from workers.circuits.program import Ask, Mean, Prepare, Program, Sample, generator, seeds

MAX_BRANCH_BYTES = 2**30  # states that branching shots keep at once; 20 qubits and 1,000 branches would be 16 GB
TRAJECTORIES_AT_ONCE = 2_000  # between two questions whether the job was cancelled
SHOTS_WITH_OBSERVABLES = 20_000  # each keeps its own expectation values


def sample(program: Program, ask: Ask) -> Sample:
    """Counts shot by shot. The same seed gives the same counts, on any number of threads."""
    circuit = without_idle_qubits(program)
    ends: Ends | None = None
    if program.observables:
        circuit = _observed(circuit, program)
    elif not program.mixed and (ends := branch_ends.told_apart(circuit)) is not None:
        circuit = ends.circuit
    translated = aer.translate(circuit)
    if ends is not None:
        ends.save(translated)
    # Values are kept shot by shot; and Aer's branches read memory that nobody wrote where readings may be wrong.
    branches = not program.observables and not program.readout
    batch = _batch(program, ask)
    batches = -(-ask.shots // batch)
    random = generator(ask.seed)
    width = program.circuit.num_clbits
    total: Counter[str] = Counter()
    values: list[list[Any]] = [[] for _ in program.observables]
    for index, batch_seed in enumerate(seeds(ask.seed, batches)):
        ask.between()
        size = min(batch, ask.shots - index * batch)
        data = aer.run(
            translated,
            threads=ask.threads,
            shots=size,
            seed=batch_seed,
            noise_model=program.aer_noise,
            enable_truncation=False,  # it forgets qubits that are branched on but never measured, and fails
            shot_branching_enable=branches,
            shot_branching_sampling_enable=branches,
        ).data(0)
        total.update(_read(data, size, width) if ends is None else ends.draw(data, size, width, random))
        for observable, kept in enumerate(values):
            kept += [entry if np.isscalar(entry) else entry[0] for entry in data[f"observable {observable}"]]
    return Sample(counts=dict(sorted(total.items())), expectations=[_mean(np.real(kept)) for kept in values])


def _read(data: Mapping[str, Any], shots: int, width: int) -> dict[str, int]:
    counts = data.get("counts", {"0x0": shots})  # none if nothing is measured
    return {format(int(key, 16), f"0{width}b"): count for key, count in counts.items()}


def _batch(program: Program, ask: Ask) -> int:
    states = max(1, MAX_BRANCH_BYTES // statevector_bytes(len(program.shape.active)))
    if program.mixed:
        return min(ask.shots, TRAJECTORIES_AT_ONCE)
    if program.observables:
        return min(ask.shots, SHOTS_WITH_OBSERVABLES)
    return ask.shots if 1 << program.shape.branchings <= states else min(ask.shots, states)


def _mean(values: Any) -> Mean:
    error = float(np.std(values, ddof=1)) / sqrt(len(values)) if len(values) > 1 else 0.0
    return Mean(float(np.mean(values)), standard_error=error)


def _observed(circuit: QuantumCircuit, program: Program) -> QuantumCircuit:
    """With expectation values kept shot by shot, before the final measurements."""
    ending = final_measurements(circuit)
    observed = circuit.copy_empty_like()
    kept = [instruction for index, instruction in enumerate(circuit.data) if index not in ending]
    for instruction in kept:
        observed._append(instruction)
    qubits = range(len(program.shape.active))
    for index, observable in enumerate(program.observables):
        observed.save_expectation_value(observable.operator, qubits, label=f"observable {index}", pershot=True)
    for index in sorted(ending):
        observed._append(circuit.data[index])
    return observed


def without_idle_qubits(program: Program, prepare: Prepare = aer.for_aer) -> QuantumCircuit:
    """The same without barriers and idle qubits. A clbit that an idle qubit clears is cleared by one that stays 0.

    Of several final measurements into one clbit the last is left: Aer would misread the bit once for each.
    """
    circuit = program.circuit
    active = set(program.shape.active)
    ending = final_measurements(circuit)
    last = {circuit.data[position].clbits[0]: position for position in sorted(ending)}
    writes = Counter(clbit for instruction in circuit.data for clbit in instruction.clbits)
    compact = QuantumCircuit(program.shape.active, circuit.clbits, *circuit.cregs)
    ground: Qubit | None = None
    for position, instruction in enumerate(circuit.data):
        overwritten = position in ending and last[instruction.clbits[0]] != position
        if instruction.operation.name == "barrier" or overwritten:
            continue
        if active.issuperset(instruction.qubits):
            compact._append(prepare(instruction))
        elif instruction.operation.name == "measure" and writes[instruction.clbits[0]] > 1:
            if ground is None:
                ground = Qubit()
                compact.add_bits([ground])
            compact._append(instruction.replace(qubits=(ground,)))
    return compact
