"""Cirq's gates as Qiskit's, by the names in Cirq's JSON. Exact with the global phase: a control makes it matter."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import pi

from qiskit.circuit import Gate
from qiskit.circuit.library import standard_gates as std


@dataclass(frozen=True, slots=True)
class Steps:
    """Gates in time order, each with the places of its qubits among `width`, and a global phase in radians."""

    width: int
    gates: tuple[tuple[Gate, tuple[int, ...]], ...] = ()
    phase: float = 0.0

    def on(self, *places: int, width: int) -> "Steps":
        """The same on some qubits of more."""
        moved = tuple((gate, tuple(places[qubit] for qubit in qubits)) for gate, qubits in self.gates)
        return Steps(width, moved, self.phase)

    def then(self, after: "Steps") -> "Steps":
        """Both, one after the other, on the same qubits."""
        return Steps(self.width, self.gates + after.gates, self.phase + after.phase)

    def shifted(self, phase: float) -> "Steps":
        """With more global phase, radians."""
        return Steps(self.width, self.gates, self.phase + phase)

    def controlled(self, values: list[int]) -> "Steps":
        """Where the new first qubits, one for each value, have these values."""
        count = len(values)
        if count == 0:
            return self
        controls = tuple(range(count))
        gates = [
            (gate.control(count, annotated=False), (*controls, *(count + qubit for qubit in qubits)))
            for gate, qubits in self.gates
        ]
        if self.phase:
            phase: Gate = std.PhaseGate(self.phase)
            gates.append((phase.control(count - 1, annotated=False) if count > 1 else phase, controls))
        flips = [(std.XGate(), (control,)) for control, value in enumerate(values) if value == 0]
        return Steps(count + self.width, (*flips, *gates, *flips))


def _one(gate: Gate, phase: float = 0.0) -> Steps:
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


def _power(name: str, t: float) -> Steps:
    """X^t, Y^t, Z^t, H^t, SWAP^t, (X⊗X)^t, (Y⊗Y)^t, (Z⊗Z)^t; the eigenvalue 1 stays 1."""
    if (name, t) in _NAMED:
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


def _iswap(t: float) -> Steps:
    return _one(std.RXXGate(-pi * t / 2)).then(_one(std.RYYGate(-pi * t / 2)))


def _phased_x(t: float, p: float) -> Steps:
    return _one(std.RGate(pi * t, pi * p), pi * t / 2)


def _phased_iswap(t: float, p: float) -> Steps:
    def turn(p: float) -> Steps:
        return _power("z", p).on(0, width=2).then(_power("z", -p).on(1, width=2))

    return turn(p).then(_iswap(t)).then(turn(-p))


Numbers = Mapping[str, float]
_POWER = {"exponent": 1.0, "global_shift": 0.0}


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
    "CZPowGate": (_POWER, _eigen("z", 1)),
    "CCXPowGate": (_POWER, _eigen("x", 2)),
    "CCZPowGate": (_POWER, _eigen("z", 2)),
    "SwapPowGate": (_POWER, _eigen("swap")),
    "CSwapGate": ({}, lambda _: _power("swap", 1).controlled([1])),
    "XXPowGate": (_POWER, _eigen("xx")),
    "YYPowGate": (_POWER, _eigen("yy")),
    "ZZPowGate": (_POWER, _eigen("zz")),
    "Rx": ({"rads": float("nan")}, lambda n: _one(std.RXGate(n["rads"]))),
    "Ry": ({"rads": float("nan")}, lambda n: _one(std.RYGate(n["rads"]))),
    "Rz": ({"rads": float("nan")}, lambda n: _one(std.RZGate(n["rads"]))),
    "cirq.MSGate": ({"rads": float("nan")}, lambda n: _one(std.RXXGate(2 * n["rads"]))),
    # ISWAP's eigenvalues are i^t and -i^t beside 1, so that its shift is a phase as for the others
    "ISwapPowGate": (_POWER, lambda n: _iswap(n["exponent"]).shifted(pi * n["exponent"] * n["global_shift"])),
    "PhasedISwapPowGate": (
        _POWER | {"phase_exponent": 0.25},
        lambda n: _phased_iswap(n["exponent"], n["phase_exponent"]).shifted(pi * n["exponent"] * n["global_shift"]),
    ),
    "PhasedXPowGate": (
        _POWER | {"phase_exponent": float("nan")},
        lambda n: _phased_x(n["exponent"], n["phase_exponent"]).shifted(pi * n["exponent"] * n["global_shift"]),
    ),
    "PhasedXZGate": (
        dict.fromkeys(("x_exponent", "z_exponent", "axis_phase_exponent"), float("nan")),
        lambda n: _phased_x(n["x_exponent"], n["axis_phase_exponent"]).then(_power("z", n["z_exponent"])),
    ),
    "FSimGate": (
        dict.fromkeys(("theta", "phi"), float("nan")),
        lambda n: _iswap(-2 * n["theta"] / pi).then(_power("z", -n["phi"] / pi).controlled([1])),
    ),
}
