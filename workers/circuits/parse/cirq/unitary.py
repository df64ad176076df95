"""What a gate or an operation of Cirq does that is unitary: gates by their tables, controls, Pauli strings."""

from cmath import phase
from collections.abc import Callable, Sequence
from itertools import product

from qstill.contract.errors import Problem
from workers.circuits.parse.cirq import composite, paulis
from workers.circuits.parse.cirq.flat import Placed, pauli_map
from workers.circuits.parse.cirq.gates import GATES
from workers.circuits.parse.cirq.json_fields import (
    Object,
    Symbols,
    field,
    number,
    qubit_key,
    type_of,
    unitary_matrix,
    unsupported,
)
from workers.circuits.parse.cirq.steps import Steps, matrix_steps

MAX_CONTROLLED_MATRIX_QUBITS = 8  # controls double a matrix: 10 more would take gigabytes
MAX_CONTROL_STATES = 64  # of controls that act in several states, each a gate of its own

Build = Callable[[Object, int, str, Symbols], Steps]


def gate_steps(gate: Object, width: int, path: str, symbols: Symbols) -> Steps:
    """What a gate on `width` qubits does. Raises `Problem`."""
    kind = type_of(gate, path)
    if kind in GATES:
        defaults, build = GATES[kind]
        values = {name: number(gate.get(name, value), f"{path}/{name}", symbols) for name, value in defaults.items()}
        steps = build(values)
    elif kind in _COMPOSITE:
        steps = _COMPOSITE[kind](gate, width, path, symbols)
    else:
        unsupported(gate, path)
    if steps.width != width:
        raise Problem("cirq_invalid", f"{kind} acts on {steps.width} qubits, not {width}.", pointer=path)
    return steps


def string_operation(placed: Placed, symbols: Symbols) -> Steps:
    """A `PauliString` on the qubits that it names, in its order."""
    operation, path = placed.operation, placed.path
    letters = [
        paulis.letter(pauli, f"{path}/qubit_pauli_map/{index}/1")
        for index, (_, pauli) in enumerate(pauli_map(operation, path))
    ]
    coefficient = paulis.unit(operation.get("coefficient", 1), f"{path}/coefficient")
    return paulis.string_steps("".join(letters)).shifted(phase(coefficient))


def phasor_operation(placed: Placed, symbols: Symbols) -> Steps:
    """A `PauliStringPhasor` on its qubits; those that the string leaves out are taken as Z, as Cirq does."""
    operation, path = placed.operation, placed.path
    string, at = field(operation, "pauli_string", dict, path), f"{path}/pauli_string"
    letters = {
        key: paulis.letter(pauli, f"{at}/qubit_pauli_map/{index}/1")
        for index, (key, pauli) in enumerate(pauli_map(string, at))
    }
    named = [
        qubit_key(qubit, f"{path}/qubits/{index}") for index, qubit in enumerate(field(operation, "qubits", list, path))
    ]
    if not letters.keys() <= set(named):
        raise Problem("cirq_invalid", "The string acts on qubits that are not named.", pointer=f"{path}/qubits")
    coefficient = paulis.unit(string.get("coefficient", 1), f"{at}/coefficient")
    written = "".join(letters.get(key, "I") for key in named)
    return paulis.phasor(written, paulis.sign(coefficient, at), operation, path, symbols)


def controlled(steps: Steps, states: list[list[int]], path: str) -> Steps:
    """Where the controls, which come first, have one of these states."""
    count = len(states[0]) if states else 0
    if steps.loose and count:
        message = "A Clifford gate that is given as a tableau has no phase, which a control needs."
        raise Problem("cirq_unsupported", message, pointer=path)
    if count and steps.widest_matrix + count > MAX_CONTROLLED_MATRIX_QUBITS:
        message = f"A matrix is controlled on up to {MAX_CONTROLLED_MATRIX_QUBITS} qubits, controls included."
        raise Problem("cirq_unsupported", message, pointer=path)
    whole = Steps(count + steps.width)
    for values in states:
        whole = whole.then(steps.controlled(values))
    return whole


def control_states(owner: Object, count: int | None, path: str, shape: Sequence[int] | None = None) -> list[list[int]]:
    """The states of the controls in which a gate acts: 0 or 1 for each. count: how many there must be, if known.

    shape: the dimensions of the controls, and of what may follow them, where they are not all qubits.
    """
    at = f"{path}/control_values"
    values, sums = owner.get("control_values"), True
    if isinstance(values, dict):
        kind = type_of(values, at)
        if kind not in ("ProductOfSums", "SumOfProducts"):
            unsupported(values, at)
        values, at, sums = field(values, "data", list, at), f"{at}/data", kind == "ProductOfSums"
    if not isinstance(values, list) or not all(isinstance(part, list) for part in values):
        raise Problem("cirq_invalid", "There must be values for each control.", pointer=at)
    if any(not isinstance(value, int) or isinstance(value, bool) or value < 0 for part in values for value in part):
        raise Problem("cirq_invalid", "The values of controls are whole numbers from 0 on.", pointer=at)
    found = 1
    for part in values if sums else []:
        found *= len(set(part))
        if found > MAX_CONTROL_STATES:
            break
    if found > MAX_CONTROL_STATES or (not sums and len(values) > MAX_CONTROL_STATES):
        message = f"Controls act in up to {MAX_CONTROL_STATES} states."
        raise Problem("cirq_unsupported", message, pointer=at)
    states = [list(state) for state in product(*(sorted(set(part)) for part in values))] if sums else values
    distinct = [list(state) for state in dict.fromkeys(map(tuple, states))]
    width = len(values) if sums else len(values[0]) if values else 0
    if not distinct or any(len(state) != width for state in distinct) or (count is not None and width != count):
        raise Problem("cirq_invalid", "There must be a value for each control.", pointer=at)
    dimensions = [2] * width if shape is None else shape[:width]
    if len(dimensions) != width or any(
        value >= dimension for state in distinct for value, dimension in zip(state, dimensions, strict=True)
    ):
        raise Problem("cirq_unsupported", "A control has no such value: a qubit is 0 or 1.", pointer=at)
    return distinct


def _nothing(gate: Object, width: int, path: str, symbols: Symbols) -> Steps:
    return Steps(width)


def _phase(gate: Object, width: int, path: str, symbols: Symbols) -> Steps:
    return Steps(0, phase=phase(paulis.unit(gate.get("coefficient"), f"{path}/coefficient")))


def _matrix(gate: Object, width: int, path: str, symbols: Symbols) -> Steps:
    return matrix_steps(unitary_matrix(gate.get("matrix"), f"{path}/matrix"))


def _parallel(gate: Object, width: int, path: str, symbols: Symbols) -> Steps:
    below = gate_steps(field(gate, "sub_gate", dict, path), 1, f"{path}/sub_gate", symbols)
    gates = tuple(part for qubit in range(width) for part in below.on(qubit, width=width).gates)
    return Steps(width, gates, below.phase * width, below.loose)


def _controlled_gate(gate: Object, width: int, path: str, symbols: Symbols) -> Steps:
    states = control_states(gate, None, path)
    sub_gate = field(gate, "sub_gate", dict, path)
    return controlled(gate_steps(sub_gate, width - len(states[0]), f"{path}/sub_gate", symbols), states, path)


def _inverse(gate: Object, width: int, path: str, symbols: Symbols) -> Steps:
    return gate_steps(field(gate, "original", dict, path), width, f"{path}/original", symbols).inverse()


def _string(gate: Object, width: int, path: str, symbols: Symbols) -> Steps:
    letters, coefficient = paulis.dense(gate, path)
    return paulis.string_steps(letters).shifted(phase(coefficient))


def _phasor(gate: Object, width: int, path: str, symbols: Symbols) -> Steps:
    at = f"{path}/dense_pauli_string"
    letters, coefficient = paulis.dense(field(gate, "dense_pauli_string", dict, path), at)
    return paulis.phasor(letters, paulis.sign(coefficient, at), gate, path, symbols)


_COMPOSITE: dict[str, Build] = {
    "IdentityGate": _nothing,
    "WaitGate": _nothing,
    "GlobalPhaseGate": _phase,
    "MatrixGate": _matrix,
    "ParallelGate": _parallel,
    "ControlledGate": _controlled_gate,
    "_InverseCompositeGate": _inverse,
    "DensePauliString": _string,
    "MutableDensePauliString": _string,
    "PauliStringPhasorGate": _phasor,
    "PauliInteractionGate": paulis.interaction,
    "QuantumFourierTransformGate": composite.fourier,
    "PhaseGradientGate": composite.gradient,
    "QubitPermutationGate": composite.permutation,
    "TwoQubitDiagonalGate": composite.diagonal,
    "ThreeQubitDiagonalGate": composite.diagonal,
    "DiagonalGate": composite.diagonal,
    "BooleanHamiltonianGate": composite.boolean_hamiltonian,
    "SingleQubitCliffordGate": composite.tableau,
    "CliffordGate": composite.tableau,
    "UniformSuperpositionGate": composite.superposition,
}
