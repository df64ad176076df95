"""What the choice of a method has to know about a circuit, read off in one pass."""

from qiskit import QuantumCircuit
from qiskit.circuit import CircuitInstruction, ControlFlowOp, ControlledGate

from app.circuits.methods import Facts
from workers.circuits.clifford import steps_of
from workers.circuits.labels import angles, bit_label
from workers.circuits.shape import Shape

_NOT_GATES = {"measure", "reset", "barrier", "delay", "id"}
_ONE_BIT = {"rzz", "rxx", "ryy", "rzx", "ecr"}  # of operator Schmidt rank 2, as controlled gates are


def facts_of(circuit: QuantumCircuit, shape: Shape, *, locations: int = 0) -> Facts:
    """locations: noisy operations."""
    place = {qubit: index for index, qubit in enumerate(shape.active)}
    crossings = [0] * (len(place) + 1)
    operations = two_qubit = 0
    not_clifford: str | None = None
    conditional = False
    for instruction in circuit.data:
        operation = instruction.operation
        if operation.name in _NOT_GATES:
            continue
        if isinstance(operation, ControlFlowOp):
            conditional = True
            operations += _operations(operation)
        else:
            operations += 1
            if not_clifford is None and steps_of(operation) is None:
                not_clifford = _in_words(circuit, instruction)
        if len(instruction.qubits) > 1:
            two_qubit += 1
            places = [place[qubit] for qubit in instruction.qubits]
            bits = 1 if isinstance(operation, ControlledGate) or operation.name in _ONE_BIT else 2
            bits = max(bits, len(places) - 1)
            crossings[min(places)] += bits
            crossings[max(places)] -= bits
    widest = crossed = 0
    for change in crossings:
        crossed += change
        widest = max(widest, crossed)
    return Facts(
        qubits=len(place),
        clbits=circuit.num_clbits,
        operations=operations,
        two_qubit=two_qubit,
        depth=circuit.depth(),
        not_clifford=not_clifford,
        dynamic=shape.dynamic,
        conditional=conditional,
        branchings=shape.branchings,
        widest_cut=widest,
        locations=locations,
    )


def _operations(operation: ControlFlowOp) -> int:
    return sum(
        _operations(inner.operation) if isinstance(inner.operation, ControlFlowOp) else 1
        for block in operation.blocks
        for inner in block.data
    )


def _in_words(circuit: QuantumCircuit, instruction: CircuitInstruction) -> str:
    operation = instruction.operation
    turned = angles(operation)
    name = f"{operation.name}({turned})" if turned else operation.name
    return f"{name} on {', '.join(bit_label(circuit, qubit) for qubit in instruction.qubits[:3])}"
