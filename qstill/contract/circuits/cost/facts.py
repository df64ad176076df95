"""What the choice of a method has to know about a JSON circuit, without a simulator: the front door's view.

The workers count again on the parsed circuit (`workers/circuits/examine/facts.py`); what is refused here,
they would refuse.
"""

from math import isclose, pi, remainder

from qstill.contract.circuits.cost.bonds import Cuts
from qstill.contract.circuits.expressions import compile_expression
from qstill.contract.circuits.facts import Facts
from qstill.contract.circuits.formats import JsonCircuit
from qstill.contract.circuits.gates import Operation
from qstill.contract.circuits.noise import CustomNoise, not_pauli

_INERT = {"measure", "reset", "barrier", "nop"}  # on a qubit still in 0 they leave it there
_NO_PAULIS = {"measure", "reset", "h", "s", "si", "t", "ti", "v", "vi", "swap", "gpi2"}  # whatever their angles
_TWO_BITS = {"swap", "pauliexp"}  # of operator Schmidt rank 4
_MANY = 64  # branchings: more than there can be shots


def active_qubits(circuit: JsonCircuit) -> set[int]:
    """The qubits that a gate touches. All others stay 0 and are not simulated."""
    touched: set[int] = set()
    for operation in circuit.operations:
        if operation.gate not in _INERT:
            touched.update(operation.acts_on, operation.controlled_by)
    return touched


def facts_of(circuit: JsonCircuit, *, rules: CustomNoise | None = None) -> Facts:
    """One pass over the operations. rules: the noise. Depth is not counted: no choice depends on it."""
    cuts = Cuts()
    operations = two_qubit = branchings = pending = 0
    not_clifford: str | None = None
    not_followed: str | None = None
    measured: set[int] = set()
    touched: set[int] = set()
    dynamic = conditional = False
    for operation in circuit.operations:
        if operation.condition is not None:
            conditional = True
            if not_followed is None and not _may_be_followed(operation):
                not_followed = f"the condition on {operation.gate}"
        if operation.gate == "measure":
            measured.update(operation.acts_on)
            pending += len(operation.acts_on)
        elif operation.gate == "reset":
            dynamic = dynamic or not touched.isdisjoint(operation.acts_on)
            pending += len(operation.acts_on)
        if operation.gate in _INERT:
            continue
        qubits = [*operation.controlled_by, *operation.acts_on]
        dynamic = dynamic or not measured.isdisjoint(qubits)
        touched.update(qubits)
        branchings += pending
        pending = 0
        operations += len(operation.terms or operation.acts_on)
        if not_clifford is None and not _may_be_clifford(operation):
            not_clifford = f"{operation.gate} on qubit {operation.acts_on[0]}"
        if len(qubits) > 1:
            two_qubit += 1
            bits = 2 if operation.gate in _TWO_BITS else 1
            cuts.add(qubits, max(bits, len(qubits) - 1))
    return Facts(
        qubits=len(touched),
        clbits=circuit.qubits,
        operations=operations,
        two_qubit=two_qubit,
        depth=0,
        not_clifford=not_clifford,
        dynamic=dynamic or conditional,
        conditional=conditional,
        branchings=min(branchings, _MANY),
        widest_cut=cuts.widest(),
        locations=max(1, operations) if rules is not None and (rules.gates or rules.readout) else 0,
        not_followed=not_followed,
        not_pauli=None if rules is None else not_pauli(rules),
    )


def _may_be_clifford(operation: Operation) -> bool:
    """No only where it is certain; what merely looks Clifford is refused by the worker, with the reason."""
    controls = len(operation.controlled_by)
    if operation.rotation is not None:
        return _is_whole(operation.rotation, pi / 2 if controls == 0 else pi if controls == 1 else 2 * pi)
    match operation.gate:
        case "t" | "ti":
            return False
        case "h" | "s" | "si" | "v" | "vi" | "swap":
            return controls == 0
        case "x" | "not" | "cnot" | "y" | "z":
            return controls <= 1
        case "gpi":
            return controls <= 1 and _is_whole(operation.phase, 1 / 8)
        case "gpi2":
            return controls == 0 and _is_whole(operation.phase, 1 / 4)
        case "zz" if controls == 0:
            return _is_whole(operation.phase if operation.angle is None else operation.angle, 1 / 4)
        case "ms" if controls == 0:
            return _is_whole(0.25 if operation.angle is None else operation.angle, 1 / 4)
        case _:
            return True


def _may_be_followed(operation: Operation) -> bool:
    """Whether a stabilizer simulation may follow a conditional operation, which then is a Pauli gate on one bit."""
    condition = operation.condition
    bits = 0 if condition is None else len(condition.reads)
    return bits <= 1 and not operation.controlled_by and operation.gate not in _NO_PAULIS


def _is_whole(value: float | str | None, unit: float) -> bool:
    """Whether a value is a multiple of a unit; a free parameter is none."""
    if isinstance(value, str):
        expression = compile_expression(value)
        value = None if expression.names else expression.evaluate({})
    return isinstance(value, int | float) and isclose(remainder(value, unit), 0.0, abs_tol=1e-6)
