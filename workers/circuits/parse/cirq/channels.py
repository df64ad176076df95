"""Cirq's channels as Kraus operators. The first qubit is the high bit of an index, as Cirq has it."""

from collections.abc import Callable
from itertools import product
from math import isclose, sqrt
from typing import Any

import numpy as np
from qiskit.circuit import Instruction

from qstill.contract.errors import Problem
from workers.circuits.channels import channel, completed
from workers.circuits.matrices import Matrix, pauli_string
from workers.circuits.parse.cirq.json_fields import (
    Object,
    Symbols,
    constant,
    field,
    square_matrix,
    type_of,
    unitary_matrix,
)

MAX_CHANNEL_QUBITS = 3  # 64 Kraus operators of 8 by 8 numbers
_COMPLETE = 1e-6  # by which Kraus operators may miss completeness, and probabilities a sum of 1


def is_channel(gate: Any) -> bool:
    """Whether a gate of Cirq is one of the channels read here."""
    kind = gate.get("cirq_type") if isinstance(gate, dict) else None
    return isinstance(kind, str) and kind in _KINDS


def read_channel(gate: Object, width: int, path: str, symbols: Symbols) -> Instruction:
    """The channel on `width` qubits, the first the low bit. Raises `Problem`."""
    name, read = _KINDS[type_of(gate, path)]
    operators, numbers = read(gate, path, symbols)
    size = len(operators[0])
    if any(len(operator) != size for operator in operators):
        raise Problem("cirq_invalid", "All operators of a channel are matrices of one size.", pointer=path)
    if size != 1 << width:
        message = f"The channel acts on {size.bit_length() - 1} qubits, not {width}."
        raise Problem("cirq_invalid", message, pointer=path)
    if width > MAX_CHANNEL_QUBITS:
        message = f"A channel acts on up to {MAX_CHANNEL_QUBITS} qubits."
        raise Problem("cirq_unsupported", message, pointer=path)
    complete = sum(operator.conj().T @ operator for operator in operators)
    if not np.allclose(complete, np.eye(size), rtol=0, atol=_COMPLETE):
        raise Problem("cirq_invalid", "The operators of the channel are not complete: ΣK†K is not 1.", pointer=path)
    label = f"{name} {', '.join(f'{value:.3g}' for value in numbers)}" if numbers else name
    return channel(completed([_little_endian(operator, width) for operator in operators]), label)


def _little_endian(operator: Matrix, width: int) -> Matrix:
    axes = [*reversed(range(width)), *(width + axis for axis in reversed(range(width)))]
    return np.ascontiguousarray(operator.reshape((2,) * 2 * width).transpose(axes).reshape(operator.shape))


Read = tuple[list[Matrix], list[float]]  # Kraus operators, and the numbers that people know the channel by


def _chance(gate: Object, name: str, path: str, symbols: Symbols) -> float:
    value = constant(gate.get(name), f"{path}/{name}", symbols)
    if not 0 <= value <= 1:
        raise Problem("cirq_invalid", f"`{name}` is between 0 and 1.", pointer=f"{path}/{name}")
    return value


def _flip(letter: str) -> Callable[[Object, str, Symbols], Read]:
    def read(gate: Object, path: str, symbols: Symbols) -> Read:
        p = _chance(gate, "p", path, symbols)
        return _paulis({"I": 1 - p, letter: p}), [p]

    return read


def _depolarizing(gate: Object, path: str, symbols: Symbols) -> Read:
    """Every Pauli string but the identity with the same share of p."""
    p, qubits = _chance(gate, "p", path, symbols), gate.get("n_qubits", 1)
    if not isinstance(qubits, int) or isinstance(qubits, bool) or not 1 <= qubits <= MAX_CHANNEL_QUBITS:
        message = f"A channel acts on up to {MAX_CHANNEL_QUBITS} qubits."
        raise Problem("cirq_unsupported", message, pointer=f"{path}/n_qubits")
    strings = ["".join(letters) for letters in product("IXYZ", repeat=qubits)]
    return _paulis({string: p / (len(strings) - 1) for string in strings} | {strings[0]: 1 - p}), [p]


def _asymmetric(gate: Object, path: str, symbols: Symbols) -> Read:
    written, at = field(gate, "error_probabilities", dict, path), f"{path}/error_probabilities"
    chances = {string: _chance(written, string, at, symbols) for string in written}
    widths = {len(string) for string in chances}
    if len(widths) != 1 or not all(set(string) <= set("IXYZ") and string for string in chances):
        raise Problem("cirq_invalid", "The errors are Pauli strings of one length.", pointer=at)
    if max(widths) > MAX_CHANNEL_QUBITS:
        message = f"A channel acts on up to {MAX_CHANNEL_QUBITS} qubits."
        raise Problem("cirq_unsupported", message, pointer=at)
    if not isclose(sum(chances.values()), 1, abs_tol=_COMPLETE):
        raise Problem("cirq_invalid", "The probabilities must add up to 1.", pointer=at)
    shown = [chances.get(letter, 0.0) for letter in "XYZ"] if widths == {1} else []
    return _paulis(chances), shown


def _paulis(chances: dict[str, float]) -> list[Matrix]:
    return [sqrt(chance) * pauli_string(string) for string, chance in chances.items() if chance]


def _amplitude_damping(gate: Object, path: str, symbols: Symbols) -> Read:
    gamma = _chance(gate, "gamma", path, symbols)
    return _damping(gamma), [gamma]


def _damping(gamma: float) -> list[Matrix]:
    return [_matrix([1, 0], [0, sqrt(1 - gamma)]), _matrix([0, sqrt(gamma)], [0, 0])]


def _generalized(gate: Object, path: str, symbols: Symbols) -> Read:
    """p: how probable it is that the environment is not excited."""
    p, gamma = _chance(gate, "p", path, symbols), _chance(gate, "gamma", path, symbols)
    excited = [operator[::-1, ::-1] for operator in _damping(gamma)]
    operators = [*(sqrt(p) * operator for operator in _damping(gamma)), *(sqrt(1 - p) * k for k in excited)]
    return operators, [p, gamma]


def _phase_damping(gate: Object, path: str, symbols: Symbols) -> Read:
    gamma = _chance(gate, "gamma", path, symbols)
    return [_matrix([1, 0], [0, sqrt(1 - gamma)]), _matrix([0, 0], [0, sqrt(gamma)])], [gamma]


def _matrix(*rows: list[float]) -> Matrix:
    return np.array(rows, dtype=np.complex128)


def _kraus(gate: Object, path: str, symbols: Symbols) -> Read:
    written, at = _several(gate, "_kraus_ops", path), f"{path}/_kraus_ops"
    return [square_matrix(rows, f"{at}/{index}") for index, rows in enumerate(written)], []


def _mixed_unitary(gate: Object, path: str, symbols: Symbols) -> Read:
    written, at = _several(gate, "_mixture", path), f"{path}/_mixture"
    operators = []
    for index, pair in enumerate(written):
        if not isinstance(pair, list) or len(pair) != 2:
            raise Problem("cirq_invalid", "This must be a probability and a matrix.", pointer=f"{at}/{index}")
        chance = constant(pair[0], f"{at}/{index}/0", symbols)
        if not 0 <= chance <= 1:
            raise Problem("cirq_invalid", "A probability is between 0 and 1.", pointer=f"{at}/{index}/0")
        operators.append(sqrt(chance) * unitary_matrix(pair[1], f"{at}/{index}/1"))
    return operators, []


def _several(gate: Object, name: str, path: str) -> list[Any]:
    written: list[Any] = field(gate, name, list, path)
    most = 4**MAX_CHANNEL_QUBITS
    if not 1 <= len(written) <= most:
        raise Problem("cirq_unsupported", f"A channel has up to {most} operators.", pointer=f"{path}/{name}")
    return written


_KINDS: dict[str, tuple[str, Callable[[Object, str, Symbols], Read]]] = {
    "BitFlipChannel": ("BF", _flip("X")),
    "PhaseFlipChannel": ("PF", _flip("Z")),
    "DepolarizingChannel": ("D", _depolarizing),
    "AsymmetricDepolarizingChannel": ("A", _asymmetric),
    "AmplitudeDampingChannel": ("AD", _amplitude_damping),
    "GeneralizedAmplitudeDampingChannel": ("GAD", _generalized),
    "PhaseDampingChannel": ("PD", _phase_damping),
    "KrausChannel": ("Kraus", _kraus),
    "MixedUnitaryChannel": ("Mixed", _mixed_unitary),
}
