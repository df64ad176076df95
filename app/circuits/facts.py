"""What the choice of a method has to know about a JSON circuit, without a simulator: the front door's view.

The workers count again on the parsed circuit (`workers/circuits/facts.py`); what is refused here, they would refuse.
"""

from math import isclose, pi, remainder

from app.circuits.formats import JsonCircuit
from app.circuits.gates import Operation
from app.circuits.methods import Facts

_INERT = {"measure", "reset", "barrier", "nop"}  # on a qubit still in 0 they leave it there
_CLIFFORD = {"x", "not", "y", "z", "h", "s", "si", "v", "vi", "cnot", "swap"}
_CONTROLLED_CLIFFORD = {"x", "not", "cnot", "y", "z"}  # with one control
_TWO_BITS = {"swap", "pauliexp"}  # of operator Schmidt rank 4
_MANY = 64  # branchings: more than there can be shots


def active_qubits(circuit: JsonCircuit) -> set[int]:
    """The qubits that a gate touches. All others stay 0 and are not simulated."""
    touched: set[int] = set()
    for operation in circuit.operations:
        if operation.gate not in _INERT:
            touched.update(operation.acts_on, operation.controlled_by)
    return touched


def facts_of(circuit: JsonCircuit, *, noisy: bool = False) -> Facts:
    """One pass over the operations. Depth is not counted: no choice depends on it."""
    active = sorted(active_qubits(circuit))
    place = {qubit: index for index, qubit in enumerate(active)}
    crossings = [0] * (len(active) + 1)
    operations = two_qubit = branchings = pending = 0
    not_clifford: str | None = None
    measured: set[int] = set()
    touched: set[int] = set()
    dynamic = conditional = False
    for operation in circuit.operations:
        conditional = conditional or operation.condition is not None
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
        if not_clifford is None and not _is_clifford(operation):
            not_clifford = f"{operation.gate} on qubit {operation.acts_on[0]}"
        if len(qubits) > 1:
            two_qubit += 1
            bits = 2 if operation.gate in _TWO_BITS else 1
            crossings[min(place[qubit] for qubit in qubits)] += max(bits, len(qubits) - 1)
            crossings[max(place[qubit] for qubit in qubits)] -= max(bits, len(qubits) - 1)
    widest = crossed = 0
    for change in crossings:
        crossed += change
        widest = max(widest, crossed)
    return Facts(
        qubits=len(active),
        clbits=circuit.qubits,
        operations=operations,
        two_qubit=two_qubit,
        depth=0,
        not_clifford=not_clifford,
        dynamic=dynamic or conditional,
        conditional=conditional,
        branchings=min(branchings, _MANY),
        widest_cut=widest,
        locations=operations if noisy else 0,
    )


def _is_clifford(operation: Operation) -> bool:
    """Errs towards yes: a circuit that only looks Clifford is refused by the worker, with the reason."""
    controls = len(operation.controlled_by)
    if controls > 1 or (controls == 1 and operation.gate not in _CONTROLLED_CLIFFORD):
        return False
    if operation.rotation is not None:
        return controls == 0 and _is_whole(operation.rotation, pi / 2)
    if operation.gate in _CLIFFORD:
        return True
    turns = [*(operation.phases or []), *(value for value in (operation.phase, operation.angle) if value is not None)]
    return operation.gate not in ("t", "ti", "pauliexp") and all(_is_whole(turn, 1 / 4) for turn in turns)


def _is_whole(value: float | str, unit: float) -> bool:
    """Whether a value is a multiple of a unit; a free parameter is none."""
    return not isinstance(value, str) and isclose(remainder(value, unit), 0.0, abs_tol=1e-9)
