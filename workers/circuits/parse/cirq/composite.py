"""Gates of Cirq on any number of qubits: transforms, permutations, diagonals, tableaux, matrices."""

from itertools import pairwise
from math import acos, pi, sqrt

import numpy as np
from qiskit.circuit import Gate, ParameterExpression
from qiskit.circuit.library import standard_gates as std
from qiskit.exceptions import QiskitError
from qiskit.quantum_info import Clifford

from qstill.contract.circuits.source_text import MAX_EXPANDED_OPERATIONS
from qstill.contract.errors import Problem
from workers.circuits.parse.cirq.booleans import truth
from workers.circuits.parse.cirq.gates import power
from workers.circuits.parse.cirq.json_fields import MAX_MATRIX_QUBITS, Object, Symbols, field, number
from workers.circuits.parse.cirq.steps import Steps, matrix_steps, one
from workers.circuits.parse.values import Value

MAX_TABLEAU_QUBITS = 32  # written as gates in n³ steps: 0.1 s


def fourier(gate: Object, width: int, path: str, symbols: Symbols) -> Steps:
    """The quantum Fourier transform; without the swaps at its end where it says so."""
    _few(width * (width + 1) // 2, path)
    gates: list[tuple[Gate, tuple[int, ...]]] = []
    for target in range(width):
        gates += [(std.CPhaseGate(pi / 2 ** (target - other)), (target, other)) for other in range(target)]
        gates.append((std.HGate(), (target,)))
    if gate.get("without_reverse") is not True:
        gates += [(std.SwapGate(), (place, width - 1 - place)) for place in range(width // 2)]
    return Steps(width, tuple(gates))


def gradient(gate: Object, width: int, path: str, symbols: Symbols) -> Steps:
    """Z^t, Z^(t/2), Z^(t/4), … on the qubits in turn."""
    t = number(gate.get("exponent", 1), f"{path}/exponent", symbols)
    steps = Steps(width)
    for place in range(width):
        steps = steps.then(power("z", t * 0.5**place).on(place, width=width))
    return steps


def permutation(gate: Object, width: int, path: str, symbols: Symbols) -> Steps:
    """Qubit i goes to the place permutation[i], in swaps."""
    places = field(gate, "permutation", list, path)
    if any(not isinstance(place, int) or isinstance(place, bool) for place in places) or (
        sorted(places) != [*range(len(places))]
    ):
        message = "A permutation names each place once."
        raise Problem("cirq_invalid", message, pointer=f"{path}/permutation")
    goal, swaps = list(places), []
    for place in range(len(goal)):
        while goal[place] != place:
            other = goal[place]
            swaps.append((std.SwapGate(), (place, other)))
            goal[place], goal[other] = goal[other], goal[place]
    return Steps(len(places), tuple(swaps))


def diagonal(gate: Object, width: int, path: str, symbols: Symbols) -> Steps:
    """A phase for each state, radians; the first qubit is the high bit of a state's number."""
    written, at = field(gate, "diag_angles_radians", list, path), f"{path}/diag_angles_radians"
    if len(written) != 1 << width:
        raise Problem("cirq_invalid", "There must be an angle for each state.", pointer=path)
    if not 1 <= width <= MAX_MATRIX_QUBITS:
        message = f"A diagonal gate acts on up to {MAX_MATRIX_QUBITS} qubits."
        raise Problem("cirq_unsupported", message, pointer=path)
    return _phases([number(angle, f"{at}/{state}", symbols) for state, angle in enumerate(written)], width)


def _phases(angles: list[Value], width: int) -> Steps:
    """diag(e^iθ) as a matrix, or with free parameters as a phase on every set of qubits.

    θ_s is the sum over the sets of qubits within s of α; each α follows from the θ by inclusion and exclusion.
    """
    if not any(isinstance(angle, ParameterExpression) for angle in angles):
        return matrix_steps(np.diag(np.exp(1j * np.array(angles, dtype=np.float64))))
    parts = list(angles)
    for qubit in range(width):
        bit = 1 << qubit
        for state in range(1 << width):
            if state & bit:
                parts[state] = parts[state] - parts[state ^ bit]
    steps = Steps(width, phase=parts[0])
    for state in range(1, 1 << width):
        places = [place for place in range(width) if state >> (width - 1 - place) & 1]
        turn = one(std.PhaseGate(parts[state])).controlled([1] * (len(places) - 1))
        steps = steps.then(turn.on(*places, width=width))
    return steps


def boolean_hamiltonian(gate: Object, width: int, path: str, symbols: Symbols) -> Steps:
    """exp(-iθ/2·n), n the number of boolean expressions that are true less its mean over all states."""
    names = field(gate, "parameter_names", list, path)
    texts = field(gate, "boolean_strs", list, path)
    if len(names) != width or not all(isinstance(name, str) for name in names):
        raise Problem("cirq_invalid", "There must be a name for each qubit.", pointer=f"{path}/parameter_names")
    if width > MAX_MATRIX_QUBITS:
        message = f"A Hamiltonian of boolean expressions acts on up to {MAX_MATRIX_QUBITS} qubits."
        raise Problem("cirq_unsupported", message, pointer=path)
    theta = number(gate.get("theta"), f"{path}/theta", symbols)
    true = np.zeros(1 << width)
    for index, text in enumerate(texts):
        true += truth(text, names, f"{path}/boolean_strs/{index}")
    return _phases([theta * float(share) for share in (true.mean() - true) / 2], width)


def tableau(gate: Object, width: int, path: str, symbols: Symbols) -> Steps:
    """A Clifford gate by what it makes of every X and Z. It says nothing of a global phase."""
    if width > MAX_TABLEAU_QUBITS:
        message = f"A Clifford gate acts on up to {MAX_TABLEAU_QUBITS} qubits."
        raise Problem("cirq_unsupported", message, pointer=path)
    xs, zs, signs = (field(gate, name, list, path) for name in ("xs", "zs", "rs"))
    rows = [row + other + [minus] for row, other, minus in zip(xs, zs, signs, strict=False) if _bits(row, other)]
    if len(rows) != 2 * width or any(len(row) != 2 * width + 1 for row in rows):
        raise Problem("cirq_invalid", "The tableau has two rows for each qubit, of its bits.", pointer=path)
    try:
        circuit = Clifford(np.array(rows, dtype=bool)).to_circuit()
    except (QiskitError, ValueError, TypeError):
        raise Problem("cirq_invalid", "The tableau is no Clifford gate.", pointer=path) from None
    gates = tuple(
        (instruction.operation, tuple(circuit.find_bit(qubit).index for qubit in instruction.qubits))
        for instruction in circuit.data
    )
    return Steps(width, gates, loose=True)


def _bits(row: object, other: object) -> bool:
    return isinstance(row, list) and isinstance(other, list) and all(isinstance(bit, bool) for bit in row + other)


def superposition(gate: Object, width: int, path: str, symbols: Symbols) -> Steps:
    """All of the first M states alike (Shukla and Vedula 2024, arXiv:2306.11747)."""
    total: int = field(gate, "m_value", int, path)
    if not 1 <= total <= 1 << width:
        raise Problem("cirq_invalid", f"`m_value` is between 1 and 2^{width}.", pointer=f"{path}/m_value")

    def at(steps: Steps, *places: int) -> Steps:
        return steps.on(*(width - 1 - place for place in places), width=width)

    ones = [place for place in range(total.bit_length()) if total >> place & 1]
    steps = Steps(width)
    hadamards = range(ones[0])
    for place in ones[1:]:
        steps = steps.then(at(power("x", 1), place))
    for place in hadamards:
        steps = steps.then(at(power("h", 1), place))
    if len(ones) == 1:
        return steps
    reached = 1 << ones[0]
    steps = steps.then(at(one(std.RYGate(-2 * acos(sqrt(reached / total)))), ones[1]))
    for place in range(ones[0], ones[1]):
        steps = steps.then(at(power("h", 1).controlled([0]), ones[1], place))
    for here, there in pairwise(ones[1:]):
        angle = -2 * acos(sqrt((1 << here) / (total - reached)))
        steps = steps.then(at(one(std.RYGate(angle)).controlled([0]), here, there))
        for place in range(here, there):
            steps = steps.then(at(power("h", 1).controlled([0]), there, place))
        reached += 1 << here
    return steps


def _few(gates: int, path: str) -> None:
    if gates > MAX_EXPANDED_OPERATIONS:
        message = f"The gate expands to more than {MAX_EXPANDED_OPERATIONS:,} operations."
        raise Problem("too_many_operations", message, pointer=path)
