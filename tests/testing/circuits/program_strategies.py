"""Random programs: gates of one and two qubits, measured, reset and conditioned anywhere, measured at the end."""

from math import pi
from typing import Any

from hypothesis import strategies as st

from tests.testing.circuits.circuit_strategies import ANGLES, TURNS
from tests.testing.circuits.exact import Noise

Operations = list[dict[str, Any]]

_PAULIS = ("x", "y", "z")
_FIXED = (*_PAULIS, "h", "s", "si", "v", "vi")
_QUARTERS = st.integers(-4, 4).map(lambda quarter: quarter * pi / 2)
_EIGHTHS = st.integers(-8, 8).map(lambda eighth: eighth / 8)


@st.composite
def gates(draw: st.DrawFn, qubits: int, *, clifford: bool) -> dict[str, Any]:
    """A gate on one or two qubits."""
    target, *others = draw(st.permutations(range(qubits)))
    kinds = ["fixed", "turn", "phase", "gpi", "gpi2", *([] if clifford else ["t"])]
    kinds += ["controlled", "swap", "two", "ms", "zz"] * (qubits > 1)
    angles = _QUARTERS if clifford else ANGLES
    match draw(st.sampled_from(kinds)):
        case "fixed":
            return {"gate": draw(st.sampled_from(_FIXED)), "target": target}
        case "t":
            return {"gate": draw(st.sampled_from(["t", "ti"])), "target": target}
        case "turn":
            return {"gate": draw(st.sampled_from(["rx", "ry", "rz"])), "target": target, "rotation": draw(angles)}
        case "phase":
            return {"gate": "z", "target": target, "rotation": draw(angles)}
        case "gpi":
            return {"gate": "gpi", "target": target, "phase": draw(_EIGHTHS if clifford else TURNS)}
        case "gpi2":
            return {"gate": "gpi2", "target": target, "phase": draw(_EIGHTHS if clifford else TURNS) * 2}
        case "controlled":
            names = _PAULIS if clifford else (*_FIXED, "t")
            return {"gate": draw(st.sampled_from(names)), "target": target, "control": others[0]}
        case "swap":
            return {"gate": "swap", "targets": [target, others[0]]}
        case "two":
            name = draw(st.sampled_from(["xx", "yy", "zz"]))
            return {"gate": name, "targets": [target, others[0]], "rotation": draw(angles)}
        case "zz":
            return {"gate": "zz", "targets": [target, others[0]], "angle": draw(_EIGHTHS if clifford else TURNS) * 2}
        case _:
            phases = [draw(_EIGHTHS if clifford else TURNS) * 2 for _ in range(2)]
            return {"gate": "ms", "targets": [target, others[0]], "phases": phases}


@st.composite
def programs(
    draw: st.DrawFn, *, clifford: bool = False, dynamic: bool = False, conditions: str = "none", max_qubits: int = 3
) -> tuple[int, Operations]:
    """conditions: none, paulis (Pauli gates where one bit reads 0 or 1), any (all gates). Bit i of qubit i is measured
    at the end, bits from `qubits` on in between."""
    qubits = draw(st.integers(1, max_qubits))
    kinds = ["gate"] * 4 + ["measure", "reset"] * dynamic + ["if"] * (conditions != "none")
    found: Operations = []
    written: list[int] = []
    for kind in draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=9)):
        if kind == "measure" or (kind == "if" and not written):
            clbit = qubits + draw(st.integers(0, len(written)))
            written = sorted({*written, clbit})
            found.append({"gate": "measure", "target": draw(st.integers(0, qubits - 1)), "clbit": clbit})
        elif kind == "reset":
            found.append({"gate": "reset", "target": draw(st.integers(0, qubits - 1))})
        elif kind == "if":
            gate = {"gate": draw(st.sampled_from(_PAULIS)), "target": draw(st.integers(0, qubits - 1))}
            if conditions == "any":
                gate = draw(gates(qubits, clifford=clifford))
            found.append(gate | {"if": {"clbit": draw(st.sampled_from(written)), "value": draw(st.integers(0, 1))}})
        else:
            found.append(draw(gates(qubits, clifford=clifford)))
    return qubits, [*found, {"gate": "measure", "targets": list(range(qubits)), "clbits": list(range(qubits))}]


def clbits_of(qubits: int, operations: Operations) -> int:
    """How many classical bits the circuit has: as many as qubits, and those that measurements write."""
    written = [operation["clbit"] for operation in operations if "clbit" in operation]
    return max([qubits, *(clbit + 1 for clbit in written)])


noises = st.builds(
    Noise,
    one=st.sampled_from([0.0, 0.1, 1.0]),
    two=st.sampled_from([0.0, 0.2]),
    pauli=st.sampled_from([{}, {"X": 0.1}, {"Y": 0.2, "Z": 0.1}]),
    misread=st.sampled_from([(0.0, 0.0), (0.1, 0.1), (0.2, 0.05)]),
)
