"""Controlled gates have the phases of the language's own definitions: `U` is not Qiskit's `u`."""

import numpy as np
import pytest
from hypothesis import given, settings
from numpy import exp, pi
from qiskit.quantum_info import Operator

from tests.testing.circuits.circuit_strategies import ANGLES, Matrix
from tests.testing.examples import examples
from workers.circuits.parse.openqasm3 import parse_openqasm3

HEAD = 'OPENQASM 3.0;\ninclude "stdgates.inc";\nqubit[2] q;\n'


def built_in(theta: float, phi: float, lam: float) -> Matrix:
    """The matrix of U in the specification."""
    turned = exp(1j * theta)
    first = [1 + turned, -1j * exp(1j * lam) * (1 - turned)]
    second = [1j * exp(1j * phi) * (1 - turned), exp(1j * (phi + lam)) * (1 + turned)]
    return np.array([first, second]) / 2


def controlled(matrix: Matrix, *, negative: bool = False) -> Matrix:
    """On q[1] where q[0] is one, or zero."""
    off, on = np.diag([1.0, 0.0]), np.diag([0.0, 1.0])
    return np.kron(np.eye(2), on if negative else off) + np.kron(matrix, off if negative else on)


def require(source: str, expected: Matrix) -> None:
    np.testing.assert_allclose(Operator(parse_openqasm3(HEAD + source)).data, expected, atol=1e-9)


@settings(max_examples=examples(25), deadline=None)
@given(ANGLES, ANGLES, ANGLES)
def test_a_controlled_gate_has_the_phase_of_the_specification(theta: float, phi: float, lam: float) -> None:
    u = built_in(theta, phi, lam)
    angles = f"{theta}, {phi}, {lam}"
    require(f"ctrl @ U({angles}) q[0], q[1];", controlled(u))
    require(f"negctrl @ U({angles}) q[0], q[1];", controlled(u, negative=True))
    require(f"ctrl @ inv @ U({angles}) q[0], q[1];", controlled(u.conj().T))
    require(f"ctrl @ pow(2) @ U({angles}) q[0], q[1];", controlled(u @ u))
    require(f"gate g(t) a {{ U(t, {phi}, {lam}) a; }} ctrl @ g({theta}) q[0], q[1];", controlled(u))
    require(f"gate g a {{ inv @ U({angles}) a; }} ctrl @ g q[0], q[1];", controlled(u.conj().T))
    require(f"ctrl @ u3({angles}) q[0], q[1];", controlled(u * exp(-1j * (theta + phi + lam) / 2)))
    require(f"cu({angles}, 0.4) q[0], q[1];", controlled(u * exp(1j * (0.4 - theta / 2))))
    quarter = built_in(pi / 2, phi, lam)
    require(f"ctrl @ u2({phi}, {lam}) q[0], q[1];", controlled(quarter * exp(-1j * (pi / 2 + phi + lam) / 2)))


@pytest.mark.parametrize(
    ("name", "definition"),
    [
        ("x", "U(pi, 0, pi) a; gphase(-pi / 2);"),
        ("y", "U(pi, pi / 2, pi / 2) a; gphase(-pi / 2);"),
        ("h", "U(pi / 2, 0, pi) a; gphase(-pi / 4);"),
        ("rx(0.7)", "U(0.7, -pi / 2, pi / 2) a; gphase(-0.7 / 2);"),
        ("ry(0.7)", "U(0.7, 0, 0) a; gphase(-0.7 / 2);"),
        ("rz(0.7)", "gphase(-0.7 / 2); U(0, 0, 0.7) a;"),
    ],
)
def test_a_standard_gate_is_what_its_definition_says(name: str, definition: str) -> None:
    own = parse_openqasm3(f"{HEAD}gate own a {{ {definition} }} ctrl @ own q[0], q[1];")
    assert Operator(own).equiv(parse_openqasm3(f"{HEAD}ctrl @ {name} q[0], q[1];"))
    np.testing.assert_allclose(Operator(own).data[0, 0], 1, atol=1e-9)
