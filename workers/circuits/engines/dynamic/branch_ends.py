"""The final measurements of a dynamic circuit, drawn from one distribution for each branch.

Aer would branch on each of them: 16 qubits at the end make a state for every shot. Instead every branch leaves readings
of its own, in further bits where a reset or a later measurement would hide them, and Aer returns the probabilities of
the final readings for each.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import CircuitInstruction, Clbit, ControlFlowOp, IfElseOp, Measure, Qubit

from workers.circuits.engines.final_state import MAX_DRAWN_QUBITS, draw, rounded
from workers.circuits.examine.shape import final_measurements, measurements_inside
from workers.circuits.outcome_keys import keys_of_bits

_LABEL = "ends"


@dataclass(frozen=True, slots=True)
class Ends:
    """circuit: without the final measurements. measured: their qubits. columns: (clbit, its qubit among them)."""

    circuit: QuantumCircuit
    measured: list[Qubit]
    columns: list[tuple[int, int]]

    def save(self, translated: QuantumCircuit) -> None:
        """Have Aer keep the probabilities of each branch."""
        positions = [self.circuit.find_bit(qubit).index for qubit in self.measured]
        translated.save_probabilities(positions, label=_LABEL, conditional=True)

    def draw(self, data: Mapping[str, Any], shots: int, width: int, random: np.random.Generator) -> dict[str, int]:
        """Counts over the first `width` clbits; those that only tell branches apart are dropped."""
        total: Counter[str] = Counter()
        frequency = data.get("counts", {"0x0": shots})  # none if nothing is measured before the end
        for readings in sorted(data[_LABEL], key=lambda key: int(key, 16)):
            before = int(readings, 16)
            outcomes, counts = draw(rounded(np.asarray(data[_LABEL][readings])), frequency[readings], random)
            bits = np.zeros((len(outcomes), width), dtype=np.uint8)
            bits[:] = [before >> clbit & 1 for clbit in range(width)]
            for clbit, column in self.columns:
                bits[:, clbit] = outcomes >> column & 1
            total.update(dict(zip(keys_of_bits(bits), counts.tolist(), strict=True)))
        return total


def told_apart(circuit: QuantumCircuit) -> Ends | None:
    """None where it cannot be done: a block measures, or nothing or too much is measured at the end."""
    ending = final_measurements(circuit)
    source = {circuit.data[index].clbits[0]: circuit.data[index].qubits[0] for index in sorted(ending)}
    measured = [qubit for qubit in circuit.qubits if qubit in set(source.values())]
    if not 0 < len(measured) <= MAX_DRAWN_QUBITS:
        return None
    kept = [instruction for index, instruction in enumerate(circuit.data) if index not in ending]
    written = Counter(instruction.clbits[0] for instruction in kept if instruction.operation.name == "measure")
    apart = circuit.copy_empty_like()
    for instruction in kept:
        operation = instruction.operation
        if isinstance(operation, ControlFlowOp):
            if not isinstance(operation, IfElseOp) or measurements_inside(operation):
                return None
        elif operation.name == "reset" or (operation.name == "measure" and written[instruction.clbits[0]] > 1):
            apart.add_bits([mark := Clbit()])
            apart._append(CircuitInstruction(Measure(), instruction.qubits, [mark]))
        apart._append(instruction)
    columns = [(circuit.find_bit(clbit).index, measured.index(qubit)) for clbit, qubit in source.items()]
    return Ends(apart, measured, columns)
