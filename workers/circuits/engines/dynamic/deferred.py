"""Resets and measurements in the middle put off to the end (Nielsen and Chuang 2010, section 4.4), so that there is one
final state and with it the exact probability of every outcome.
"""

from qiskit import QuantumCircuit
from qiskit.circuit import CircuitInstruction, Measure, Qubit
from qiskit.circuit.library import CXGate

_SILENT = {"barrier", "delay", "id"}


def deferred(circuit: QuantumCircuit) -> QuantumCircuit | None:
    """A circuit whose bits read the same, with further qubits after its own; None where a condition decides.

    Read from its end: what a qubit was before a reset is a qubit of its own, and a measurement that gates follow is of
    a qubit that was given a copy. The circuit's own qubits end as they ended.
    """
    stands: dict[Qubit, Qubit | None] = {qubit: qubit for qubit in circuit.qubits}  # None: one of its own, once needed
    busy: set[Qubit] = set()
    more: list[Qubit] = []
    backwards: list[CircuitInstruction] = []

    def standing(qubit: Qubit) -> Qubit:
        found = stands[qubit]
        if found is None:
            found = stands[qubit] = another()
        return found

    def another() -> Qubit:
        more.append(Qubit())
        return more[-1]

    for instruction in reversed(circuit.data):
        if instruction.is_control_flow() or instruction.name == "store":
            return None
        if instruction.name in _SILENT:
            continue
        if instruction.name == "reset":
            stands[instruction.qubits[0]] = None
            continue
        qubits = [standing(qubit) for qubit in instruction.qubits]
        if instruction.name == "measure" and qubits[0] in busy:
            copy = another()
            backwards.append(CircuitInstruction(Measure(), [copy], instruction.clbits))
            backwards.append(CircuitInstruction(CXGate(), [qubits[0], copy]))
            continue
        if instruction.name != "measure":
            busy.update(qubits)
        backwards.append(instruction.replace(qubits=qubits))
    found = QuantumCircuit(circuit.qubits, more, circuit.clbits, *circuit.cregs, global_phase=circuit.global_phase)
    for instruction in reversed(backwards):
        found._append(instruction)
    return found
