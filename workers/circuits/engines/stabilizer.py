"""Clifford circuits with Stim (Gidney 2021, arXiv:2103.02202): thousands of qubits, measured anywhere, Pauli noise.

Pauli gates may depend on what one classical bit reads. Expectation values are exact, see `heisenberg`.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import stim
from qiskit.circuit import CircuitInstruction, Clbit, ControlFlowOp, Operation, Qubit

from workers.circuits.channels import is_channel, pauli_error
from workers.circuits.engines import heisenberg
from workers.circuits.engines.pauli_noise import error_lines
from workers.circuits.examine.clifford import steps_of
from workers.circuits.examine.feedback import feedback_of
from workers.circuits.examine.shape import final_measurements
from workers.circuits.noise.locations import name_of
from workers.circuits.noise.model import errors_at
from workers.circuits.outcome_keys import keys_of_bits
from workers.circuits.program import Ask, Bits, Mean, Program, Sample, generator

BITS_AT_ONCE = 1 << 28  # measurement results that one batch of shots may hold


def sample(program: Program, ask: Ask) -> Sample:
    """Counts and expectation values."""
    means = _means(program) if program.observables else []
    translation = _Translation(program)
    circuit = translation.circuit()
    width = program.circuit.num_clbits
    records = translation.records
    if not records or not program.shape.active:  # all qubits stay 0
        return Sample(counts={"0" * width: ask.shots}, kind="exact", expectations=means)
    sampler = circuit.compile_sampler(seed=ask.seed)
    random = generator(ask.seed)
    batch = max(1, min(ask.shots, BITS_AT_ONCE // max(circuit.num_measurements, width)))
    total = Counter[str]()
    for start in range(0, ask.shots, batch):
        ask.between()
        measured = sampler.sample(min(batch, ask.shots - start))
        for record, (p01, p10) in translation.uneven.items():
            read = measured[:, record]
            read ^= random.random(len(read)) < np.where(read, p10, p01)
        bits = np.zeros((len(measured), width), dtype=np.uint8)
        bits[:, list(records)] = measured[:, list(records.values())]
        total.update(_count(bits))
    return Sample(counts=dict(total), expectations=means)


def _count(bits: Bits) -> dict[str, int]:
    """Counts of the rows (shots, clbits), packed first: rows of 500 bits are sorted as 63 bytes, of 64 as a number."""
    packed = np.packbits(bits, axis=1)
    size = max(8, packed.shape[1])
    padded = np.zeros((len(bits), size), dtype=np.uint8)
    padded[:, : packed.shape[1]] = packed
    rows = padded.view(">u8" if size == 8 else np.dtype((np.void, size))).ravel()
    _, first, counts = np.unique(rows, return_index=True, return_counts=True)
    return dict(zip(keys_of_bits(bits[first]), counts.tolist(), strict=True))


def _means(program: Program) -> list[Mean]:
    """In the state before the final measurements, averaged over what is measured and goes wrong before."""
    circuit = _Translation(program, without=final_measurements(program.circuit)).circuit()
    places = [program.circuit.find_bit(qubit).index for qubit in program.shape.active]
    return heisenberg.means(circuit, program.observables, places)


@dataclass(slots=True)
class _Translation:
    """A program in Stim. without: positions of operations to leave out.

    records: for each clbit that is written the number of the measurement it reads last. uneven: (p01, p10) of the
    measurements that Stim cannot misread itself, because they are misread more often in one value.
    """

    program: Program
    without: set[int] = field(default_factory=set)
    records: dict[int, int] = field(default_factory=dict)
    uneven: dict[int, tuple[float, float]] = field(default_factory=dict)
    _measurements: int = 0

    def circuit(self) -> stim.Circuit:
        """Stim reads text thirty times faster than it appends."""
        source = self.program.circuit
        place = {qubit: index for index, qubit in enumerate(source.qubits)}
        clbits = {clbit: index for index, clbit in enumerate(source.clbits)}
        lines: list[str] = []
        for position, instruction in enumerate(source.data):
            operation = instruction.operation
            if operation.name in ("barrier", "delay") or position in self.without:
                continue
            targets = [place[qubit] for qubit in instruction.qubits]
            if operation.name == "measure":
                lines.append(self._measure(instruction.qubits[0], targets[0], clbits[instruction.clbits[0]]))
            elif operation.name == "reset":
                lines.append(f"R {targets[0]}")
            elif isinstance(operation, ControlFlowOp):
                lines += self._feedback(instruction, place, clbits)
            else:
                lines += _gate(operation, targets)
                if self.program.rules is not None:
                    lines += self._errors(operation, targets)
        return stim.Circuit("\n".join(lines))

    def _measure(self, qubit: Qubit, target: int, clbit: int) -> str:
        self.records[clbit] = self._measurements
        matrix = self.program.readout.get(qubit)
        if matrix is not None and matrix[0, 1] != matrix[1, 0]:
            self.uneven[self._measurements] = (float(matrix[0, 1]), float(matrix[1, 0]))
            matrix = None
        self._measurements += 1
        return f"M {target}" if matrix is None else f"M({float(matrix[0, 1])!r}) {target}"

    def _feedback(
        self, instruction: CircuitInstruction, place: dict[Qubit, int], clbits: dict[Clbit, int]
    ) -> Iterator[str]:
        feedback = feedback_of(instruction)
        assert feedback is not None  # the route has looked
        record = self.records.get(clbits[feedback.clbit])
        zero, one = feedback.branches
        for operation, qubit in zero:  # always; and once more, to undo it, where the bit reads 1
            yield from _gate(operation, [place[qubit]])
        if record is not None:  # a bit that nothing wrote reads 0
            for operation, qubit in (*zero, *one):
                for line in _gate(operation, [place[qubit]]):
                    pauli, target = line.split()
                    if pauli != "I":
                        yield f"C{pauli} rec[{record - self._measurements}] {target}"

    def _errors(self, operation: Operation, targets: Sequence[int]) -> Iterator[str]:
        rules = self.program.rules
        assert rules is not None
        for error in errors_at(rules, name_of(operation), tuple(targets)):
            yield from error_lines(error, targets)


def _gate(operation: Operation, targets: Sequence[int]) -> list[str]:
    if is_channel(operation):
        error = pauli_error(operation)
        assert error is not None  # the route has looked
        return error_lines(error, targets)
    steps: Any = steps_of(operation)
    assert steps is not None, operation.name  # the route has looked
    return [" ".join([name, *(str(targets[place]) for place in places)]) for name, places in steps]
