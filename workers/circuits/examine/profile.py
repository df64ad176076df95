"""What the choice of a method has to know about a circuit, read off in one pass."""

from qiskit import QuantumCircuit
from qiskit.circuit import CircuitInstruction, ControlFlowOp

from qstill.contract.circuits.cost.bond_dimension import BondDimension
from qstill.contract.circuits.noise.model import CustomNoise, is_uneven, not_pauli
from qstill.contract.circuits.profile import Profile
from workers.circuits.channels import KRAUS, is_channel, pauli_error
from workers.circuits.classical import COMPUTE, READ
from workers.circuits.examine.clifford import steps_of
from workers.circuits.examine.feedback import feedback_of
from workers.circuits.examine.shape import Shape, depth_of
from workers.circuits.labels import angles, bit_label, gate_label, headings
from workers.circuits.noise.locations import name_of
from workers.circuits.noise.model import errors_at

_NOT_GATES = {"measure", "reset", "barrier", "delay", "id", COMPUTE, READ}
_ONE_BIT = {"rzz", "rxx", "ryy", "rzx", "ecr"}  # of operator Schmidt rank 2, as controlled gates are


def profile_of(
    circuit: QuantumCircuit, shape: Shape, *, rules: CustomNoise | None = None, locations: int = 0
) -> Profile:
    """rules, locations: the noise of a located circuit, and how many of its operations it strikes."""
    place = {qubit: index for index, qubit in enumerate(shape.active)}
    bond = BondDimension()
    operations = two_qubit = 0
    not_clifford: str | None = None
    not_followed: str | None = None
    odd_error = None if rules is None else not_pauli(rules)
    conditional = False
    for instruction in circuit.data:
        if instruction.name in _NOT_GATES:
            continue
        if instruction.is_control_flow():
            conditional = True
            operations += _operations(instruction.operation)
            not_followed = not_followed or _not_followed(circuit, instruction, rules)
        else:
            operations += 1
            if instruction.name == KRAUS and is_channel(instruction.operation):
                if odd_error is None and pauli_error(instruction.operation) is None:
                    odd_error = f"the channel {_in_words(circuit, instruction)}"
            elif not_clifford is None and steps_of(instruction.operation) is None:
                not_clifford = _in_words(circuit, instruction)
        if len(instruction.qubits) > 1:
            two_qubit += 1
            bits = 1 if instruction.is_controlled_gate() or instruction.name in _ONE_BIT else 2
            bond.add([place[qubit] for qubit in instruction.qubits], max(bits, len(instruction.qubits) - 1))
    return Profile(
        qubits=len(place),
        clbits=circuit.num_clbits,
        operations=operations,
        two_qubit=two_qubit,
        depth=depth_of(circuit),
        not_clifford=not_clifford,
        dynamic=shape.dynamic,
        conditional=conditional,
        branchings=shape.branchings,
        bond_bits=bond.bits(),
        computed=shape.computed,
        locations=locations + shape.channels,
        not_followed=not_followed,
        not_pauli=odd_error,
    )


def _not_followed(circuit: QuantumCircuit, instruction: CircuitInstruction, rules: CustomNoise | None) -> str | None:
    """What of a condition or a loop a stabilizer simulation cannot follow, in words."""
    feedback = feedback_of(instruction)
    if feedback is None:
        opening = headings(instruction.operation, circuit)[0]
        return f"`{opening}`, which is more than Pauli gates where one bit reads 0 or 1"
    if rules is None:
        return None
    for operation, qubit in (*feedback.branches[0], *feedback.branches[1]):
        if errors_at(rules, name_of(operation), (circuit.find_bit(qubit).index,)):
            return "errors of gates under a condition"
    return "conditions on bits that are misread more often in one value" if is_uneven(rules) else None


def _operations(operation: ControlFlowOp) -> int:
    return sum(
        _operations(inner.operation) if isinstance(inner.operation, ControlFlowOp) else 1
        for block in operation.blocks
        for inner in block.data
    )


def _in_words(circuit: QuantumCircuit, instruction: CircuitInstruction) -> str:
    operation = instruction.operation
    turned = angles(operation)
    named = gate_label(operation) if is_channel(operation) else operation.name
    name = f"{named}({turned})" if turned else named
    return f"{name} on {', '.join(bit_label(circuit, qubit) for qubit in instruction.qubits[:3])}"
