"""Random circuits in our JSON, and their unitaries from nothing but the contract's table and numpy."""

from math import cos, pi, sin, sqrt
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.linalg import expm

Matrix = NDArray[np.complex128]

I2 = np.eye(2)
X = np.array([[0, 1], [1, 0]])
Y = np.array([[0, -1j], [1j, 0]])
Z = np.diag([1, -1])
PAULIS = {"I": I2, "X": X, "Y": Y, "Z": Z}
FIXED = {
    "x": X,
    "not": X,
    "cnot": X,
    "y": Y,
    "z": Z,
    "h": (X + Z) / sqrt(2),
    "s": np.diag([1, 1j]),
    "si": np.diag([1, -1j]),
    "t": np.diag([1, np.exp(1j * pi / 4)]),
    "ti": np.diag([1, np.exp(-1j * pi / 4)]),
    "v": np.array([[1 + 1j, 1 - 1j], [1 - 1j, 1 + 1j]]) / 2,
    "vi": np.array([[1 - 1j, 1 + 1j], [1 + 1j, 1 - 1j]]) / 2,
    "swap": np.eye(4)[[0, 2, 1, 3]],
}
ANGLES = st.one_of(st.floats(-7, 7, allow_nan=False), st.sampled_from([0.0, pi / 2, pi, -pi / 4]))
TURNS = st.floats(-1, 1, allow_nan=False)


def small_matrix(operation: dict[str, Any]) -> Matrix:
    """The matrix of the gate without its controls; the first target is the low bit of an index."""
    gate, theta = operation["gate"], operation.get("rotation")
    if gate == "z" and theta is not None:
        return np.diag([1, np.exp(1j * theta)])
    if gate in FIXED:
        return np.asarray(FIXED[gate], dtype=np.complex128)
    if theta is not None:
        pauli = gate[-1].upper()
        generator = PAULIS[pauli] if gate.startswith("r") else np.kron(PAULIS[pauli], PAULIS[pauli])
        return cos(theta / 2) * np.eye(len(generator)) - 1j * sin(theta / 2) * generator
    if gate == "zz":
        turns = operation.get("angle", operation.get("phase"))
        return np.asarray(expm(-1j * pi * turns * np.kron(Z, Z)))
    if gate in ("gpi", "gpi2"):
        turn = np.exp(2j * pi * operation["phase"])
        if gate == "gpi":
            return np.array([[0, 1 / turn], [turn, 0]])
        return np.array([[1, -1j / turn], [-1j * turn, 1]]) / sqrt(2)
    if gate == "ms":
        a, b = (small_matrix({"gate": "gpi", "phase": phase}) for phase in operation["phases"])
        generator = np.kron(a, b)  # the first target is the high bit
        matrix = expm(-1j * pi * operation.get("angle", 0.25) * generator)
        swap = FIXED["swap"]
        return np.asarray(swap @ matrix @ swap)
    terms = zip(operation["terms"], operation["coefficients"], strict=True)
    hamiltonian = sum(c * pauli_string(term) for term, c in terms)
    return np.asarray(expm(-1j * operation["time"] * hamiltonian))


def pauli_string(term: str) -> Matrix:
    product = np.eye(1, dtype=np.complex128)
    for letter in term:
        product = np.kron(product, PAULIS[letter])
    return product


def unitary(qubits: int, operations: list[dict[str, Any]]) -> Matrix:
    """The circuit's matrix, (2^n, 2^n), qubit 0 the low bit: every basis state is followed through every gate."""
    total = np.eye(1 << qubits, dtype=np.complex128)
    for operation in operations:
        if operation["gate"] in ("nop", "barrier"):
            continue
        matrix = small_matrix(operation)
        targets = operation["targets"] if "targets" in operation else [operation["target"]]
        controls = operation.get("controls", [operation["control"]] if "control" in operation else [])
        groups = [targets] if len(matrix) == 1 << len(targets) and len(targets) > 1 else [[t] for t in targets]
        for group in groups:
            total = embed(qubits, matrix, group, controls) @ total
    return total


def embed(qubits: int, matrix: Matrix, targets: list[int], controls: list[int]) -> Matrix:
    full = np.zeros((1 << qubits, 1 << qubits), dtype=np.complex128)
    for state in range(1 << qubits):
        if not all(state >> control & 1 for control in controls):
            full[state, state] = 1
            continue
        column = sum((state >> target & 1) << i for i, target in enumerate(targets))
        rest = state & ~sum(1 << target for target in targets)
        for row in range(len(matrix)):
            reached = rest | sum((row >> i & 1) << target for i, target in enumerate(targets))
            full[reached, state] += matrix[row, column]
    return full


@st.composite
def operations(draw: st.DrawFn, qubits: int) -> dict[str, Any]:
    """Any unitary operation on a register."""
    one = ["x", "not", "y", "z", "h", "s", "si", "t", "ti", "v", "vi", "rx", "ry", "rz", "gpi", "gpi2", "cnot", "phase"]
    two = ["swap", "xx", "yy", "zz", "zz native", "ms"]
    gate = draw(st.sampled_from([*one, *(two if qubits > 1 else []), "pauliexp", "nop"]))
    if gate == "nop" or (gate == "cnot" and qubits == 1):
        return {"gate": "nop"}
    order = draw(st.permutations(range(qubits)))
    count = 2 if gate in two else draw(st.integers(1, max(1, qubits - 1)))
    targets, spare = order[:count], order[count:]
    least = 1 if gate == "cnot" else 0
    controls = spare[: draw(st.integers(least, max(least, min(2, len(spare)))))]
    operation: dict[str, Any] = {"gate": gate.split()[0]}
    operation |= {"target": targets[0]} if len(targets) == 1 and draw(st.booleans()) else {"targets": targets}
    if controls:
        operation |= {"control": controls[0]} if len(controls) == 1 else {"controls": controls}
    if gate in ("rx", "ry", "rz", "xx", "yy", "zz"):
        operation["rotation"] = draw(ANGLES)
    elif gate == "phase":
        operation |= {"gate": "z", "rotation": draw(ANGLES)}
    elif gate == "zz native":
        operation[draw(st.sampled_from(["angle", "phase"]))] = draw(TURNS)
    elif gate in ("gpi", "gpi2"):
        operation["phase"] = draw(TURNS)
    elif gate == "ms":
        operation["phases"] = [draw(TURNS), draw(TURNS)]
        if draw(st.booleans()):
            operation["angle"] = draw(TURNS)
    elif gate == "pauliexp":
        term = st.text("IXYZ", min_size=count, max_size=count)
        terms = draw(st.lists(term, min_size=1, max_size=3))
        operation |= {"terms": terms, "coefficients": [draw(ANGLES) for _ in terms], "time": draw(TURNS)}
    return operation


@st.composite
def circuits(draw: st.DrawFn, max_qubits: int = 4, max_operations: int = 6) -> tuple[int, list[dict[str, Any]]]:
    qubits = draw(st.integers(1, max_qubits))
    return qubits, draw(st.lists(operations(qubits), min_size=1, max_size=max_operations))
