"""Cirq's gates as Qiskit's, by the names in Cirq's JSON. Exact with the global phase: a control makes it matter."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import pi

from qiskit.circuit import Gate, ParameterExpression
from qiskit.circuit.library import UnitaryGate
from qiskit.circuit.library import standard_gates as std

from workers.circuits.matrices import Matrix, controlled
from workers.circuits.parse.values import Value


@dataclass(frozen=True, slots=True)
class Steps:
    """Gates in time order, each with the places of its qubits among `width`, and a global phase in radians."""

    width: int
    gates: tuple[tuple[Gate, tuple[int, ...]], ...] = ()
    phase: Value = 0.0

    @property
    def widest_matrix(self) -> int:
        """The qubits of the largest gate that is a matrix of numbers."""
        return max((gate.num_qubits for gate, _ in self.gates if isinstance(gate, UnitaryGate)), default=0)

    def on(self, *places: int, width: int) -> "Steps":
        """The same on some qubits of more."""
        moved = tuple((gate, tuple(places[qubit] for qubit in qubits)) for gate, qubits in self.gates)
        return Steps(width, moved, self.phase)

    def then(self, after: "Steps") -> "Steps":
        """Both, one after the other, on the same qubits."""
        return Steps(self.width, self.gates + after.gates, self.phase + after.phase)

    def shifted(self, phase: Value) -> "Steps":
        """With more global phase, radians."""
        return Steps(self.width, self.gates, self.phase + phase)

    def controlled(self, values: list[int]) -> "Steps":
        """Where the new first qubits, one for each value, have these values."""
        count = len(values)
        if count == 0:
            return self
        controls = tuple(range(count))
        gates = [
            _controlled(gate, tuple(count + qubit for qubit in qubits), controls=controls)
            for gate, qubits in self.gates
        ]
        if isinstance(self.phase, ParameterExpression) or self.phase:
            phase: Gate = std.PhaseGate(self.phase)
            gates.append((phase.control(count - 1, annotated=False) if count > 1 else phase, controls))
        flips = [(std.XGate(), (control,)) for control, value in enumerate(values) if value == 0]
        return Steps(count + self.width, (*flips, *gates, *flips))


def _controlled(gate: Gate, places: tuple[int, ...], *, controls: tuple[int, ...]) -> tuple[Gate, tuple[int, ...]]:
    if isinstance(gate, UnitaryGate):  # Qiskit would decompose the matrix first, in seconds
        return UnitaryGate(controlled(gate.params[0], len(controls)), check_input=False), (*places, *controls)
    return gate.control(len(controls), annotated=False), (*controls, *places)


def _one(gate: Gate, phase: Value = 0.0) -> Steps:
    return Steps(gate.num_qubits, ((gate, tuple(range(gate.num_qubits))),), phase)


_NAMED: dict[tuple[str, float], type[Gate]] = {
    ("x", 1): std.XGate,
    ("x", 0.5): std.SXGate,
    ("x", -0.5): std.SXdgGate,
    ("y", 1): std.YGate,
    ("z", 1): std.ZGate,
    ("z", 0.5): std.SGate,
    ("z", -0.5): std.SdgGate,
    ("z", 0.25): std.TGate,
    ("z", -0.25): std.TdgGate,
    ("h", 1): std.HGate,
    ("swap", 1): std.SwapGate,
}


def _power(name: str, t: Value) -> Steps:
    """X^t, Y^t, Z^t, H^t, SWAP^t, (X⊗X)^t, (Y⊗Y)^t, (Z⊗Z)^t; the eigenvalue 1 stays 1."""
    if isinstance(t, int | float) and (name, t) in _NAMED:
        return _one(_NAMED[name, t]())
    match name:
        case "x":
            return _one(std.RXGate(pi * t), pi * t / 2)
        case "y":
            return _one(std.RYGate(pi * t), pi * t / 2)
        case "z":
            return _one(std.PhaseGate(pi * t))
        case "h":
            return _one(std.RYGate(-pi / 4)).then(_power("z", t)).then(_one(std.RYGate(pi / 4)))
        case "swap":
            outer = _one(std.CXGate()).on(1, 0, width=2)
            return outer.then(_power("x", t).controlled([1])).then(outer)
        case "xx":
            return _one(std.RXXGate(pi * t), pi * t / 2)
        case "yy":
            return _one(std.RYYGate(pi * t), pi * t / 2)
        case _:
            return _one(std.RZZGate(pi * t), pi * t / 2)


def _iswap(t: Value) -> Steps:
    return _one(std.RXXGate(-pi * t / 2)).then(_one(std.RYYGate(-pi * t / 2)))


def _phased_x(t: Value, p: Value) -> Steps:
    return _one(std.RGate(pi * t, pi * p), pi * t / 2)


def _phased_iswap(t: Value, p: float) -> Steps:
    def turn(p: Value) -> Steps:
        return _power("z", p).on(0, width=2).then(_power("z", -p).on(1, width=2))

    return turn(p).then(_iswap(t)).then(turn(-p))


def _gpi(phase: Value) -> Steps:
    return _power("z", -2 * phase).then(_power("x", 1)).then(_power("z", 2 * phase))


def _ms(phase0: Value, phase1: Value, angle: Value) -> Steps:
    def turn(sign: int) -> Steps:
        first = _power("z", 2 * sign * phase0).on(0, width=2)
        return first.then(_power("z", 2 * sign * phase1).on(1, width=2))

    return turn(-1).then(_one(std.RXXGate(2 * pi * angle))).then(turn(1))


def _fsim(theta: Value, phi: Value) -> Steps:
    return _iswap(-2 * theta / pi).then(_power("z", -phi / pi).controlled([1]))


def _phased_fsim(n: "Numbers") -> Steps:
    """Phases on the qubits around an FSim, so that the matrix is the one in Cirq's documentation."""
    zeta, chi, gamma = n["zeta"], n["chi"], n["gamma"]
    before = _one(std.PhaseGate(chi - gamma)).on(0, width=2).then(_one(std.PhaseGate(-gamma - zeta)).on(1, width=2))
    after = _one(std.PhaseGate(zeta - chi)).on(0, width=2)
    return before.then(_fsim(n["theta"], n["phi"])).then(after)


def matrix_steps(matrix: Matrix) -> Steps:
    """A matrix whose first qubit is the high bit, as Cirq has it."""
    width = len(matrix).bit_length() - 1
    return Steps(width, ((UnitaryGate(matrix, check_input=False), tuple(reversed(range(width)))),))


Numbers = Mapping[str, Value]
_POWER = {"exponent": 1.0, "global_shift": 0.0}
_NEEDED = float("nan")


def _eigen(name: str, controls: int = 0) -> Callable[[Numbers], Steps]:
    def steps(n: Numbers) -> Steps:
        gate = _power(name, n["exponent"]).controlled([1] * controls)
        return gate.shifted(pi * n["exponent"] * n["global_shift"])

    return steps


# cirq_type: (numbers with the value each has when absent, NaN where it must be there; gate)
GATES: dict[str, tuple[Numbers, Callable[[Numbers], Steps]]] = {
    **{name: (_POWER, _eigen("x")) for name in ("XPowGate", "_PauliX")},
    **{name: (_POWER, _eigen("y")) for name in ("YPowGate", "_PauliY")},
    **{name: (_POWER, _eigen("z")) for name in ("ZPowGate", "_PauliZ")},
    "HPowGate": (_POWER, _eigen("h")),
    "CXPowGate": (_POWER, _eigen("x", 1)),
    "CYPowGate": (_POWER, _eigen("y", 1)),
    "CZPowGate": (_POWER, _eigen("z", 1)),
    "CCXPowGate": (_POWER, _eigen("x", 2)),
    "CCYPowGate": (_POWER, _eigen("y", 2)),
    "CCZPowGate": (_POWER, _eigen("z", 2)),
    "SwapPowGate": (_POWER, _eigen("swap")),
    "CSwapGate": ({}, lambda _: _power("swap", 1).controlled([1])),
    "XXPowGate": (_POWER, _eigen("xx")),
    "YYPowGate": (_POWER, _eigen("yy")),
    "ZZPowGate": (_POWER, _eigen("zz")),
    "Rx": ({"rads": _NEEDED}, lambda n: _one(std.RXGate(n["rads"]))),
    "Ry": ({"rads": _NEEDED}, lambda n: _one(std.RYGate(n["rads"]))),
    "Rz": ({"rads": _NEEDED}, lambda n: _one(std.RZGate(n["rads"]))),
    "cirq.MSGate": ({"rads": _NEEDED}, lambda n: _one(std.RXXGate(2 * n["rads"]))),
    # ISWAP's eigenvalues are i^t and -i^t beside 1, so that its shift is a phase as for the others
    "ISwapPowGate": (_POWER, lambda n: _iswap(n["exponent"]).shifted(pi * n["exponent"] * n["global_shift"])),
    "PhasedISwapPowGate": (
        _POWER | {"phase_exponent": 0.25},
        lambda n: _phased_iswap(n["exponent"], n["phase_exponent"]).shifted(pi * n["exponent"] * n["global_shift"]),
    ),
    "PhasedXPowGate": (
        _POWER | {"phase_exponent": _NEEDED},
        lambda n: _phased_x(n["exponent"], n["phase_exponent"]).shifted(pi * n["exponent"] * n["global_shift"]),
    ),
    "PhasedXZGate": (
        dict.fromkeys(("x_exponent", "z_exponent", "axis_phase_exponent"), _NEEDED),
        lambda n: _phased_x(n["x_exponent"], n["axis_phase_exponent"]).then(_power("z", n["z_exponent"])),
    ),
    "FSimGate": (dict.fromkeys(("theta", "phi"), _NEEDED), lambda n: _fsim(n["theta"], n["phi"])),
    "PhasedFSimGate": (dict.fromkeys(("theta", "zeta", "chi", "gamma", "phi"), _NEEDED), _phased_fsim),
    # cirq-ionq's native gates, in turns
    "GPIGate": ({"phi": _NEEDED}, lambda n: _gpi(n["phi"])),
    "GPI2Gate": ({"phi": _NEEDED}, lambda n: _one(std.RGate(pi / 2, 2 * pi * n["phi"]))),
    "MSGate": (
        {"phi0": _NEEDED, "phi1": _NEEDED, "theta": 0.25},
        lambda n: _ms(n["phi0"], n["phi1"], n["theta"]),
    ),
    "ZZGate": ({"theta": _NEEDED}, lambda n: _one(std.RZZGate(2 * pi * n["theta"]))),
}
