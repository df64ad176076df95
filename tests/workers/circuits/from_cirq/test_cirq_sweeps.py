"""A sweep of a circuit of Cirq is its bindings, each submitted by itself."""

from typing import Any

import cirq
import pytest
import sympy

from tests.testing.circuits.branches import distribution
from workers.circuits.parse.cirq import parse_cirq
from workers.circuits.planning import bind

A, B, C, D = cirq.LineQubit.range(4)
T = sympy.Symbol("t")
GATES: list[tuple[Any, int]] = [
    (cirq.CCZ**T, 3),
    ((cirq.CZ**T).controlled(), 3),
    (cirq.ControlledGate(cirq.ISWAP**T, num_controls=1), 3),
    (cirq.TwoQubitDiagonalGate([T, 2 * T, 0, 1]), 2),
    (cirq.ThreeQubitDiagonalGate([T, 2 * T, 0, 1, 2, 3, 4 * T, 5]), 3),
    (cirq.ParallelGate(cirq.X**T, 2), 2),
    (cirq.H**T, 1),
    (cirq.SWAP ** (T / 2), 2),
    (cirq.PhaseGradientGate(num_qubits=3, exponent=T), 3),
]


@pytest.mark.parametrize(("gate", "width"), GATES, ids=repr)
def test_a_gate_with_a_symbol_is_bound_anew_wherever_it_stands(gate: Any, width: int) -> None:
    qubits = [A, B, C, D][:width]
    inner = cirq.CircuitOperation(cirq.FrozenCircuit(gate.on(*qubits)))
    circuit = cirq.Circuit(
        cirq.H.on_each(A, B, C, D),
        cirq.measure(A, key="m"),
        gate.on(*qubits).with_classical_controls("m"),
        inner.repeat(2).with_classical_controls("m"),
        inner.with_params({"t": T / 3}),
        cirq.H.on_each(A, B, C, D),
        cirq.measure(A, B, C, D, key="z"),
    )
    values = [{"t": 0.3}, {"t": 1.1}, {"t": -0.7}]
    parsed = parse_cirq(cirq.to_json(circuit))
    for bound, value in zip(bind(parsed, values), values, strict=True):
        alone = parse_cirq(cirq.to_json(cirq.resolve_parameters(circuit, value)))
        assert distribution(bound) == pytest.approx(distribution(alone), abs=1e-6)
