"""Clifford circuits with Stim (Gidney 2021, arXiv:2103.02202): thousands of qubits, measured anywhere."""

from collections.abc import Sequence

import numpy as np
import stim
from qiskit.circuit import CircuitInstruction

from workers.circuits.clifford import steps_of
from workers.circuits.keys import keys_of_bits
from workers.circuits.program import Ask, Bits, Mean, Program, Sample

BITS_AT_ONCE = 1 << 28  # measurement results that one batch of shots may hold

_NOT_GATES = {"barrier", "delay", "measure", "reset"}


def sample(program: Program, ask: Ask) -> Sample:
    """Counts, and expectation values of circuits that are not dynamic."""
    circuit, records = _translate(program)
    width = program.circuit.num_clbits
    if not records or not program.shape.active:  # all qubits stay 0
        return Sample(counts={"0" * width: ask.shots}, kind="exact", expectations=_means(program))
    sampler = circuit.compile_sampler(seed=ask.seed)
    batch = max(1, min(ask.shots, BITS_AT_ONCE // max(circuit.num_measurements, width)))
    total: dict[str, int] = {}
    for start in range(0, ask.shots, batch):
        ask.between()
        measured = sampler.sample(min(batch, ask.shots - start))
        bits = np.zeros((len(measured), width), dtype=np.uint8)
        bits[:, list(records)] = measured[:, list(records.values())]
        for key, count in _count(bits).items():
            total[key] = total.get(key, 0) + count
    return Sample(counts=total, expectations=_means(program))


def _count(bits: Bits) -> dict[str, int]:
    """Counts of the rows (shots, clbits), packed first: rows of 500 bits are sorted as 63 bytes."""
    packed = np.packbits(bits, axis=1)
    rows = np.ascontiguousarray(packed).view(np.dtype((np.void, packed.shape[1]))).ravel()
    _, first, counts = np.unique(rows, return_index=True, return_counts=True)
    return dict(zip(keys_of_bits(bits[first]), counts.tolist(), strict=True))


def _translate(program: Program) -> tuple[stim.Circuit, dict[int, int]]:
    """The circuit in Stim, and for each clbit that is written the number of the measurement it reads last."""
    place = {qubit: index for index, qubit in enumerate(program.circuit.qubits)}
    clbits = {clbit: index for index, clbit in enumerate(program.circuit.clbits)}
    lines: list[str] = []  # Stim reads text thirty times faster than it appends
    records: dict[int, int] = {}
    measurements = 0
    for instruction in program.circuit.data:
        targets = [place[qubit] for qubit in instruction.qubits]
        match instruction.operation.name:
            case "measure":
                lines.append(f"M {targets[0]}")
                records[clbits[instruction.clbits[0]]] = measurements
                measurements += 1
            case "reset":
                lines.append(f"R {targets[0]}")
            case "barrier" | "delay":
                continue
            case _:
                lines += _lines(instruction, targets)
    return stim.Circuit("\n".join(lines)), records


def _lines(instruction: CircuitInstruction, targets: Sequence[int]) -> list[str]:
    steps = steps_of(instruction.operation)
    assert steps is not None, instruction.operation.name  # the route has looked
    return [" ".join([name, *(str(targets[place]) for place in places)]) for name, places in steps]


def _means(program: Program) -> list[Mean]:
    """Exact: a Pauli string has the expectation 1, -1 or 0 in a stabilizer state."""
    if not program.observables:
        return []
    tableau = stim.TableauSimulator()
    tableau.set_num_qubits(len(program.shape.active))
    place = {qubit: index for index, qubit in enumerate(program.shape.active)}
    active = set(place)
    lines: list[str] = []
    for instruction in program.circuit.data:
        if instruction.operation.name not in _NOT_GATES and active.issuperset(instruction.qubits):
            lines += _lines(instruction, [place[qubit] for qubit in instruction.qubits])
    tableau.do(stim.Circuit("\n".join(lines)))
    found = []
    for observable in program.observables:
        letters = [
            (label[::-1], float(np.real(c))) for label, c in observable.to_list()
        ]  # Stim's first qubit is leftmost
        found.append(Mean(sum(c * tableau.peek_observable_expectation(stim.PauliString(text)) for text, c in letters)))
    return found
