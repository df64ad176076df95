"""A state that lets go of measured qubits is the state that holds them all."""

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from qiskit.circuit.library import CCXGate, CXGate, HGate, RYGate, TGate, XGate
from qiskit.quantum_info import Operator

from workers.circuits.engines.dynamic.computed_code import Apply
from workers.circuits.engines.dynamic.live_state import ZEROS, LiveState, apply

QUBITS = 4
GATES = (HGate(), XGate(), TGate(), RYGate(0.7), CXGate(), CCXGate())


def whole(state: LiveState) -> Any:
    return state.holding(range(QUBITS)).amplitudes.reshape(-1)


@st.composite
def steps(draw: st.DrawFn) -> tuple[str, Any]:
    qubits = draw(st.permutations(range(QUBITS)))
    kind = draw(st.sampled_from(("gate", "controlled", "look", "clear")))
    if kind == "gate":
        gate = draw(st.sampled_from(GATES))
        return kind, Apply(Operator(gate).data, tuple(qubits[: gate.num_qubits]))
    if kind == "controlled":
        gate = draw(st.sampled_from(GATES[:4]))
        controls = tuple((qubit, draw(st.integers(0, 1))) for qubit in qubits[1 : 1 + draw(st.integers(1, 2))])
        return kind, Apply(Operator(gate).data, (qubits[0],), controls)
    return kind, qubits[0]


def applied(vector: Any, step: Apply) -> Any:
    """By the definition, amplitude for amplitude."""
    after = np.zeros_like(vector)
    for index, amplitude in enumerate(vector):
        if any(index >> qubit & 1 != value for qubit, value in step.controls):
            after[index] += amplitude
            continue
        column = sum((index >> qubit & 1) << place for place, qubit in enumerate(step.targets))
        for row in range(1 << len(step.targets)):
            reached = index
            for place, qubit in enumerate(step.targets):
                reached = reached & ~(1 << qubit) | (row >> place & 1) << qubit
            after[reached] += step.matrix[row, column] * amplitude
    return after


@given(st.lists(steps(), max_size=12))
def test_it_is_the_state_of_all_qubits(program: list[tuple[str, Any]]) -> None:
    state, vector = ZEROS, np.eye(1 << QUBITS, dtype=complex)[0]
    for kind, what in program:
        if isinstance(what, Apply):
            state, vector = apply(state, what), applied(vector, what)
        else:
            ones = np.arange(1 << QUBITS) >> what & 1
            likely = [float(np.sum(np.abs(vector[ones == outcome]) ** 2)) for outcome in (0, 1)]
            halves = state.halves(what)
            np.testing.assert_allclose([half.weight() for half in halves], likely, atol=1e-12)
            outcome = int(likely[1] > likely[0])
            state = halves[outcome].scaled(likely[outcome])
            vector = np.where(ones == outcome, vector, 0) / np.sqrt(likely[outcome])
            if kind == "clear":
                state = state.without(what)
                vector = np.where(ones == 0, np.roll(vector, -(outcome << what)), 0)
        np.testing.assert_allclose(whole(state), vector, atol=1e-12)


@given(st.lists(steps(), max_size=12), st.integers(0, QUBITS - 1))
def test_a_measured_qubit_is_not_held(program: list[tuple[str, Any]], qubit: int) -> None:
    state = ZEROS
    for _, what in program:
        state = apply(state, what) if isinstance(what, Apply) else state
    for half in state.halves(qubit):
        assert qubit not in half.live
        assert half.amplitudes.shape == (2,) * len(half.live)


def test_a_control_that_is_known_costs_nothing() -> None:
    flip = Operator(XGate()).data
    assert apply(ZEROS, Apply(flip, (0,), ((1, 1),))) is ZEROS
    assert apply(ZEROS, Apply(flip, (0,), ((1, 0),))).live == (0,)


def test_the_outcomes_of_qubits_are_read_first_one_lowest() -> None:
    state = apply(apply(ZEROS, Apply(Operator(XGate()).data, (1,))), Apply(Operator(RYGate(0.8)).data, (3,)))
    one = np.sin(0.4) ** 2
    np.testing.assert_allclose(state.probabilities((1, 3)), [0, 1 - one, 0, one], atol=1e-12)
    np.testing.assert_allclose(state.probabilities((1,)), [0, 1], atol=1e-12)
    np.testing.assert_allclose(state.probabilities(()), [1], atol=1e-12)
