"""What of a circuit has to be simulated: the qubits that gates touch, and whether anything happens after measuring."""

from dataclasses import dataclass

from qiskit import QuantumCircuit
from qiskit.circuit import Clbit, ControlFlowOp, ForLoopOp, Qubit, WhileLoopOp

from workers.circuits.channels import channels_in
from workers.circuits.classical import COMPUTING, READ, computes

_IDLE = {"barrier", "delay", "id"}
_MANY = 64  # more branchings than there can be shots


@dataclass(frozen=True, slots=True)
class Shape:
    """active: the qubits that a gate touches, in the circuit's order; all others read 0.

    dynamic: a measurement or a reset decides what happens next, so that no one final state serves all shots.
    branchings: at most so many measurements and resets before the last gate; each can double the states to keep.
    source: the qubit that each clbit reads at the end, for circuits that are not dynamic.
    computed: what is measured goes into classical variables or into the angles of gates.
    channels: how many channels stand in it, those in branches and loops included; a loop counts once.
    """

    active: list[Qubit]
    dynamic: bool
    branchings: int
    source: dict[Clbit, Qubit]
    computed: bool = False
    channels: int = 0


def examine(circuit: QuantumCircuit, *, misread: bool = False) -> Shape:
    """One pass over the circuit. misread: readings may be wrong, so that two of one qubit need not agree."""
    touched: set[Qubit] = set()
    measured: set[Qubit] = set()
    branchings = pending = 0
    source: dict[Clbit, Qubit] = {}
    dynamic = computed = False
    for instruction in circuit.data:
        name, qubits = instruction.name, instruction.qubits
        if name in _IDLE:
            continue
        if name == "measure":
            source[instruction.clbits[0]] = qubits[0]
            dynamic = dynamic or (misread and qubits[0] in measured)
            measured.add(qubits[0])
            pending += 1
        elif name == "reset":
            dynamic = dynamic or qubits[0] in touched
            pending += 1
        else:
            if instruction.is_control_flow():
                dynamic = True
                pending += measurements_inside(instruction.operation)
                computed = computed or any(map(computes, instruction.operation.blocks))
            elif name in COMPUTING:
                computed = True
                pending += name == READ
            dynamic = dynamic or not measured.isdisjoint(qubits)
            touched.update(qubits)
            branchings += pending
            pending = 0
    active = [qubit for qubit in circuit.qubits if qubit in touched]
    channels = sum(1 for _ in channels_in(circuit))
    return Shape(active, dynamic or computed, branchings, source, computed, channels)


def depth_of(circuit: QuantumCircuit) -> int:
    """`QuantumCircuit.depth`, in a tenth of its time where nothing is conditional."""
    reached: dict[Qubit | Clbit, int] = {}
    for instruction in circuit.data:
        if instruction.is_control_flow() or instruction.name == "store":
            return int(circuit.depth())
        bits = (*instruction.qubits, *instruction.clbits)
        depth = max([reached.get(bit, 0) for bit in bits], default=0) + (not instruction.is_directive())
        for bit in bits:
            reached[bit] = depth
    return max(reached.values(), default=0)


def final_measurements(circuit: QuantumCircuit) -> set[int]:
    """Positions of the measurements after which nothing but measurements happens to the qubit and the bit."""
    busy: set[Qubit | Clbit] = set()
    found: set[int] = set()
    for position in reversed(range(len(circuit.data))):
        instruction = circuit.data[position]
        if instruction.name in _IDLE:
            continue
        bits = {*instruction.qubits, *instruction.clbits}
        if instruction.name == "measure" and busy.isdisjoint(bits):
            found.add(position)
        else:
            busy |= bits
    return found


def measurements_inside(operation: ControlFlowOp) -> int:
    """Measurements and resets inside; those of a loop may happen any number of times."""
    inside = sum(
        measurements_inside(instruction.operation)
        if isinstance(instruction.operation, ControlFlowOp)
        else instruction.operation.name in ("measure", "reset", READ)
        for block in operation.blocks
        for instruction in block.data
    )
    return inside * _MANY if isinstance(operation, ForLoopOp | WhileLoopOp) else inside
