"""What the choice of a method has to know about a JSON circuit, without a simulator: the front door's view."""

from dataclasses import replace
from math import pi

from qstill.contract.circuits.cost.profile_counter import ProfileCounter, is_multiple
from qstill.contract.circuits.expressions import compile_expression
from qstill.contract.circuits.formats import JsonCircuit
from qstill.contract.circuits.gates import Operation
from qstill.contract.circuits.noise.model import CustomNoise, not_pauli
from qstill.contract.circuits.profile import Profile

_INERT = {"measure", "reset", "barrier", "nop"}  # on a qubit still in 0 they leave it there
_NO_PAULIS = {"measure", "reset", "h", "s", "si", "t", "ti", "v", "vi", "swap", "gpi2"}  # whatever their angles
_TWO_BITS = {"swap", "pauliexp"}  # of operator Schmidt rank 4


def active_qubits(circuit: JsonCircuit) -> set[int]:
    """The qubits that a gate touches. All others stay 0 and are not simulated."""
    touched: set[int] = set()
    for operation in circuit.operations:
        if operation.gate not in _INERT:
            touched.update(operation.acts_on, operation.controlled_by)
    return touched


def profile_of(circuit: JsonCircuit, *, rules: CustomNoise | None = None) -> Profile:
    """One pass over the operations. rules: the noise."""
    counter = ProfileCounter()
    not_followed: str | None = None
    conditional = False
    for operation in circuit.operations:
        if operation.condition is not None:
            conditional = True
            if not_followed is None and not _may_be_followed(operation):
                not_followed = f"the condition on {operation.gate}"
        if operation.gate == "measure":
            counter.measure(operation.acts_on)
        elif operation.gate == "reset":
            counter.reset(operation.acts_on)
        if operation.gate in _INERT:
            continue
        if counter.not_clifford is None and not _may_be_clifford(operation):
            counter.not_clifford = f"{operation.gate} on qubit {operation.acts_on[0]}"
        counter.gate(
            [*operation.controlled_by, *operation.acts_on],
            operations=len(operation.terms or operation.acts_on),
            bits=2 if operation.gate in _TWO_BITS else 1,
        )
    counted = counter.profile(clbits=circuit.qubits)
    return replace(
        counted,
        dynamic=counted.dynamic or conditional,
        conditional=conditional,
        locations=max(1, counted.operations) if rules is not None and (rules.gates or rules.readout) else 0,
        not_followed=not_followed,
        not_pauli=None if rules is None else not_pauli(rules),
    )


def _may_be_clifford(operation: Operation) -> bool:
    """No only where it is certain; what merely looks Clifford is refused by the worker, with the reason."""
    controls = len(operation.controlled_by)
    if operation.rotation is not None:
        return _is_multiple(operation.rotation, pi / 2 if controls == 0 else pi if controls == 1 else 2 * pi)
    match operation.gate:
        case "t" | "ti":
            return False
        case "h" | "s" | "si" | "v" | "vi" | "swap":
            return controls == 0
        case "x" | "not" | "cnot" | "y" | "z":
            return controls <= 1
        case "gpi":
            return controls <= 1 and _is_multiple(operation.phase, 1 / 8)
        case "gpi2":
            return controls == 0 and _is_multiple(operation.phase, 1 / 4)
        case "zz" if controls == 0:
            return _is_multiple(operation.phase if operation.angle is None else operation.angle, 1 / 4)
        case "ms" if controls == 0:
            return _is_multiple(0.25 if operation.angle is None else operation.angle, 1 / 4)
        case _:
            return True


def _may_be_followed(operation: Operation) -> bool:
    """Whether a stabilizer simulation may follow a conditional operation, which then is a Pauli gate on one bit."""
    condition = operation.condition
    bits = 0 if condition is None else len(condition.reads)
    return bits <= 1 and not operation.controlled_by and operation.gate not in _NO_PAULIS


def _is_multiple(value: float | str | None, unit: float) -> bool:
    """Whether a value is a multiple of a unit; a free parameter is none."""
    if isinstance(value, str):
        expression = compile_expression(value)
        value = None if expression.names else expression.evaluate({})
    return isinstance(value, int | float) and is_multiple(value, unit)
