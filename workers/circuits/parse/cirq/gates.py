"""Cirq's gates of a few numbers as Qiskit's, by the names in Cirq's JSON."""

from collections.abc import Callable, Mapping
from math import pi

from qiskit.circuit import Gate, ParameterExpression
from qiskit.circuit.library import standard_gates as std

from workers.circuits.parse.cirq.steps import Steps, one
from workers.circuits.parse.values import Value

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


def power(name: str, t: Value) -> Steps:
    """X^t, Y^t, Z^t, H^t, SWAP^t, (X⊗X)^t, (Y⊗Y)^t, (Z⊗Z)^t; the eigenvalue 1 stays 1."""
    if isinstance(t, int | float) and (name, t) in _NAMED:
        return one(_NAMED[name, t]())
    match name:
        case "x":
            return one(std.RXGate(pi * t), pi * t / 2)
        case "y":
            return one(std.RYGate(pi * t), pi * t / 2)
        case "z":
            return one(std.PhaseGate(pi * t))
        case "h":
            return one(std.RYGate(-pi / 4)).then(power("z", t)).then(one(std.RYGate(pi / 4)))
        case "swap":
            outer = one(std.CXGate()).on(1, 0, width=2)
            return outer.then(power("x", t).controlled([1])).then(outer)
        case "xx":
            return one(std.RXXGate(pi * t), pi * t / 2)
        case "yy":
            return one(std.RYYGate(pi * t), pi * t / 2)
        case _:
            return one(std.RZZGate(pi * t), pi * t / 2)


def _iswap(t: Value) -> Steps:
    return one(std.RXXGate(-pi * t / 2)).then(one(std.RYYGate(-pi * t / 2)))


def _phased_x(t: Value, p: Value) -> Steps:
    return one(std.RGate(pi * t, pi * p), pi * t / 2)


def _phased_iswap(t: Value, p: float) -> Steps:
    def turn(p: Value) -> Steps:
        return power("z", p).on(0, width=2).then(power("z", -p).on(1, width=2))

    return turn(p).then(_iswap(t)).then(turn(-p))


def _qasm_u(n: "Numbers") -> Steps:
    """Half turns. Cirq takes them modulo a whole turn, which a control notices."""
    theta, phi, lam = (pi * (t if isinstance(t, ParameterExpression) else t % 2) for t in (n[name] for name in _QASM_U))
    turned = one(std.RZGate(lam)).then(one(std.RYGate(theta))).then(one(std.RZGate(phi)))
    return turned.shifted((phi + lam) / 2)


def _gpi(phase: Value) -> Steps:
    return power("z", -2 * phase).then(power("x", 1)).then(power("z", 2 * phase))


def _ms(phase0: Value, phase1: Value, angle: Value) -> Steps:
    def turn(sign: int) -> Steps:
        first = power("z", 2 * sign * phase0).on(0, width=2)
        return first.then(power("z", 2 * sign * phase1).on(1, width=2))

    return turn(-1).then(one(std.RXXGate(2 * pi * angle))).then(turn(1))


def _fsim(theta: Value, phi: Value) -> Steps:
    return _iswap(-2 * theta / pi).then(power("z", -phi / pi).controlled([1]))


def _phased_fsim(n: "Numbers") -> Steps:
    """Phases on the qubits around an FSim, so that the matrix is the one in Cirq's documentation."""
    zeta, chi, gamma = n["zeta"], n["chi"], n["gamma"]
    before = one(std.PhaseGate(chi - gamma)).on(0, width=2).then(one(std.PhaseGate(-gamma - zeta)).on(1, width=2))
    after = one(std.PhaseGate(zeta - chi)).on(0, width=2)
    return before.then(_fsim(n["theta"], n["phi"])).then(after)


Numbers = Mapping[str, Value]
_POWER = {"exponent": 1.0, "global_shift": 0.0}
_NEEDED = float("nan")
_QASM_U = ("theta", "phi", "lmda")


def _eigen(name: str, controls: int = 0) -> Callable[[Numbers], Steps]:
    def steps(n: Numbers) -> Steps:
        gate = power(name, n["exponent"]).controlled([1] * controls)
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
    "CSwapGate": ({}, lambda _: power("swap", 1).controlled([1])),
    "XXPowGate": (_POWER, _eigen("xx")),
    "YYPowGate": (_POWER, _eigen("yy")),
    "ZZPowGate": (_POWER, _eigen("zz")),
    "Rx": ({"rads": _NEEDED}, lambda n: one(std.RXGate(n["rads"]))),
    "Ry": ({"rads": _NEEDED}, lambda n: one(std.RYGate(n["rads"]))),
    "Rz": ({"rads": _NEEDED}, lambda n: one(std.RZGate(n["rads"]))),
    "cirq.MSGate": ({"rads": _NEEDED}, lambda n: one(std.RXXGate(2 * n["rads"]))),
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
        lambda n: _phased_x(n["x_exponent"], n["axis_phase_exponent"]).then(power("z", n["z_exponent"])),
    ),
    "QasmUGate": (dict.fromkeys(_QASM_U, _NEEDED), _qasm_u),
    "FSimGate": (dict.fromkeys(("theta", "phi"), _NEEDED), lambda n: _fsim(n["theta"], n["phi"])),
    "PhasedFSimGate": (dict.fromkeys(("theta", "zeta", "chi", "gamma", "phi"), _NEEDED), _phased_fsim),
    # cirq-ionq's native gates, in turns
    "GPIGate": ({"phi": _NEEDED}, lambda n: _gpi(n["phi"])),
    "GPI2Gate": ({"phi": _NEEDED}, lambda n: one(std.RGate(pi / 2, 2 * pi * n["phi"]))),
    "MSGate": (
        {"phi0": _NEEDED, "phi1": _NEEDED, "theta": 0.25},
        lambda n: _ms(n["phi0"], n["phi1"], n["theta"]),
    ),
    "ZZGate": ({"theta": _NEEDED}, lambda n: one(std.RZZGate(2 * pi * n["theta"]))),
}
