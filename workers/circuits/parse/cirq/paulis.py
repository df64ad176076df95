"""Pauli strings of Cirq: as gates, as what turns their eigenspaces, and measured."""

from typing import Any

from qiskit.circuit import Gate, ParameterExpression
from qiskit.circuit.library import standard_gates as std

from qstill.contract.errors import Problem
from workers.circuits.parse.cirq.gates import power
from workers.circuits.parse.cirq.json_fields import Object, Symbols, complex_number, field, number, type_of, unsupported
from workers.circuits.parse.cirq.steps import Steps, one

_UNIT = 1e-6  # how far the size of a phase may be from 1
_LETTERS = {"_PauliX": "X", "_PauliY": "Y", "_PauliZ": "Z", "IdentityGate": "I"}
_GATES: dict[str, type[Gate]] = {"X": std.XGate, "Y": std.YGate, "Z": std.ZGate}
_TO_Z: dict[str, type[Gate]] = {"X": std.HGate, "Y": std.SXGate}  # U with U P U† = Z


def letter(gate: Any, path: str) -> str:
    """I, X, Y or Z of one of Cirq's Pauli gates."""
    if not isinstance(gate, dict):
        raise Problem("cirq_invalid", "This must be a Pauli gate.", pointer=path)
    if type_of(gate, path) not in _LETTERS:
        unsupported(gate, path)
    return _LETTERS[type_of(gate, path)]


def dense(string: Object, path: str) -> tuple[str, complex]:
    """The letters of a `DensePauliString`, one for each qubit, and its coefficient of absolute value 1."""
    if type_of(string, path) not in ("DensePauliString", "MutableDensePauliString"):
        unsupported(string, path)
    mask = field(string, "pauli_mask", list, path)
    if any(code not in (0, 1, 2, 3) or isinstance(code, bool) for code in mask):
        raise Problem("cirq_invalid", "A Pauli operator is 0, 1, 2 or 3.", pointer=f"{path}/pauli_mask")
    return "".join("IXYZ"[code] for code in mask), unit(string.get("coefficient", 1), f"{path}/coefficient")


def unit(value: Any, path: str) -> complex:
    """A number of absolute value 1."""
    found = complex_number(value, path)
    if abs(abs(found) - 1) > _UNIT:
        raise Problem("cirq_invalid", "A phase has the absolute value 1.", pointer=path)
    return found


def sign(coefficient: complex, path: str) -> int:
    """1 or -1, where a coefficient must be one of them."""
    if min(abs(coefficient - 1), abs(coefficient + 1)) > _UNIT:
        raise Problem("cirq_invalid", "The coefficient must be 1 or -1.", pointer=f"{path}/coefficient")
    return 1 if coefficient.real > 0 else -1


def string_steps(letters: str) -> Steps:
    """The Pauli operators themselves."""
    gates = tuple((_GATES[pauli](), (place,)) for place, pauli in enumerate(letters) if pauli != "I")
    return Steps(len(letters), gates)


def parity_steps(letters: str) -> Steps:
    """Brings the parity of a Pauli string to the first qubit's Z. Cirq takes I for Z, and so does this."""
    width = len(letters)
    turned = tuple((_TO_Z[pauli](), (place,)) for place, pauli in enumerate(letters) if pauli in _TO_Z)
    return Steps(width, (*turned, *((std.CXGate(), (place, 0)) for place in range(1, width))))


def phasor(letters: str, sign: int, owner: Object, path: str, symbols: Symbols) -> Steps:
    """A phase on the eigenspace of -1 of a signed string, another on that of 1: half turns, as `owner` has them."""
    names = ("exponent_neg", "exponent_pos") if sign > 0 else ("exponent_pos", "exponent_neg")
    below, above = (number(owner.get(name), f"{path}/{name}", symbols) for name in names)
    width = len(letters)
    if not width:
        return Steps(0)
    parity = parity_steps(letters)
    middle = power("z", below).on(0, width=width)
    if isinstance(above, ParameterExpression) or above:
        flip = one(std.XGate()).on(0, width=width)
        middle = middle.then(flip).then(power("z", above).on(0, width=width)).then(flip)
    return parity.then(middle).then(parity.inverse())


def interaction(gate: Object, width: int, path: str, symbols: Symbols) -> Steps:
    """CZ with other Pauli operators in the place of each Z, negative ones too. Cirq writes no exponent."""
    turn = Steps(2)
    for place in range(2):
        pauli = letter(gate.get(f"pauli{place}"), f"{path}/pauli{place}")
        if pauli in _TO_Z:
            turn = turn.then(one(_TO_Z[pauli]()).on(place, width=2))
        if gate.get(f"invert{place}") is True:
            turn = turn.then(one(std.XGate()).on(place, width=2))
    return turn.then(one(std.CZGate())).then(turn.inverse())
