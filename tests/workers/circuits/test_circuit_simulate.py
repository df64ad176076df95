"""Counts follow the circuit's amplitudes, and the same seed gives the same counts."""

from math import sqrt
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qstill.contract.circuits.job import CircuitJob
from tests.testing.circuits.circuit_strategies import circuits, operations, unitary
from tests.testing.circuits.sampling import sample
from tests.testing.examples import examples
from tests.testing.refusals import problem_of
from workers.circuits.engines import final_state
from workers.circuits.engines.dynamic import branching
from workers.circuits.examine.shape import Shape, examine
from workers.circuits.parse import parse

BELL = [{"gate": "h", "target": 0}, {"gate": "x", "target": 1, "control": 0}]
HEAD = 'OPENQASM 3.0; include "stdgates.inc";\n'


def json_circuit(qubits: int, gates: list[dict[str, Any]]) -> dict[str, Any]:
    return {"format": "json", "qubits": qubits, "operations": gates}


def qasm(source: str) -> dict[str, Any]:
    return {"format": "openqasm3", "source": HEAD + source}


def shape_of(circuit: dict[str, Any]) -> Shape:
    (parsed,) = (parse(program) for program in CircuitJob.model_validate({"circuit": circuit}).programs)
    return examine(parsed)


def test_a_bell_pair_reads_00_or_11() -> None:
    counts = sample(json_circuit(2, BELL)).counts
    assert set(counts) == {"00", "11"}
    assert sum(counts.values()) == 1000


def test_clbit_0_is_the_rightmost_character() -> None:
    assert sample(json_circuit(3, [{"gate": "x", "target": 0}])).counts == {"001": 1000}
    measured = [{"gate": "x", "target": 0}, {"gate": "measure", "target": 0, "clbit": 3}]
    assert sample(json_circuit(3, measured)).counts == {"1000": 1000}


@settings(max_examples=examples(60))
@given(circuits(), st.integers(0, 2**63 - 1))
def test_counts_follow_the_amplitudes(circuit: tuple[int, list[dict[str, Any]]], seed: int) -> None:
    shots = 1_000_000
    qubits, gates = circuit
    counts = sample(json_circuit(qubits, gates), shots=shots, seed=seed).counts
    probabilities = np.abs(unitary(qubits, gates)[:, 0]) ** 2
    assert sum(counts.values()) == shots
    for state, p in enumerate(probabilities):
        deviation = abs(counts.get(format(state, f"0{qubits}b"), 0) - shots * p)
        assert deviation <= 7 * sqrt(shots * p * (1 - min(p, 1))) + 1


@settings(max_examples=examples(20))
@given(circuits(), st.integers(0, 2**63 - 1))
def test_the_same_seed_gives_the_same_counts(circuit: tuple[int, list[dict[str, Any]]], seed: int) -> None:
    first, second = (sample(json_circuit(*circuit), seed=seed, threads=threads).counts for threads in (1, 2))
    assert first == second


@st.composite
def interrupted(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    """A circuit with a measurement and a reset in its middle, and the same with fresh qubits in their place."""
    qubits = draw(st.integers(1, 3))
    before, after = (draw(st.lists(operations(qubits), min_size=1, max_size=4)) for _ in range(2))
    measured, cleared = draw(st.integers(0, qubits - 1)), draw(st.integers(0, qubits - 1))
    end = {"gate": "measure", "targets": list(range(qubits))}
    dynamic = [
        *before,
        {"gate": "measure", "target": measured, "clbit": qubits},
        {"gate": "reset", "target": cleared},
        *after,
        end,
    ]
    deferred = [
        *before,
        {"gate": "x", "target": qubits, "control": measured},
        {"gate": "swap", "targets": [cleared, qubits + 1]},
        *after,
        {"gate": "measure", "targets": list(range(qubits + 1))},
    ]
    return json_circuit(qubits, dynamic), json_circuit(qubits + 2, deferred)


@settings(max_examples=examples(30))
@given(interrupted())
def test_a_measurement_in_the_middle_is_one_deferred(pair: tuple[dict[str, Any], dict[str, Any]]) -> None:
    shots = 4_000
    dynamic, deferred = (sample(circuit, shots=shots).counts for circuit in pair)
    width = pair[0]["qubits"] + 1
    expected: dict[str, int] = {}
    for key, count in deferred.items():
        expected[key[-width:]] = expected.get(key[-width:], 0) + count
    dynamic = {key.zfill(width)[-width:]: count for key, count in dynamic.items()}
    assert sum(dynamic.values()) == shots
    for key in dynamic.keys() | expected.keys():
        a, b = dynamic.get(key, 0), expected.get(key, 0)
        assert abs(a - b) <= 7 * sqrt(a + b) + 1


TELEPORT = (
    "qubit[3] q; bit[2] m; bit[1] out; ry(1.2) q[0]; h q[1]; cx q[1], q[2]; cx q[0], q[1]; h q[0];"
    "m[0] = measure q[0]; m[1] = measure q[1]; if (m[1] == 1) { x q[2]; } if (m[0]) { z q[2]; }"
    "ry(-1.2) q[2]; out[0] = measure q[2];"
)


def test_teleportation_arrives() -> None:
    counts = sample(qasm(TELEPORT), shots=4000).counts
    assert {key[0] for key in counts} == {"0"}
    assert len(counts) == 4
    assert all(abs(count - 1000) < 200 for count in counts.values())


def test_a_loop_until_success_ends_in_success() -> None:
    repeat = "qubit q; bit c; h q; c = measure q; while (!c) { h q; c = measure q; }"
    assert sample(qasm(repeat), shots=100).counts == {"1": 100}


def test_a_dynamic_circuit_has_the_same_counts_for_the_same_seed_even_in_batches(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert sample(qasm(TELEPORT)).counts == sample(qasm(TELEPORT), threads=2).counts
    monkeypatch.setattr(branching, "MAX_BRANCH_BYTES", 2 * 16 * 8)  # two states, half of what four branches need
    batched = sample(qasm(TELEPORT), shots=99)
    assert batched.counts == sample(qasm(TELEPORT), shots=99).counts
    assert sum(batched.counts.values()) == 99
    assert len(batched.counts) == 4


def test_idle_qubits_cost_nothing_and_read_0() -> None:
    gates = [{"gate": "h", "target": 500}, {"gate": "x", "target": 3999, "control": 500}]
    counts = sample(json_circuit(4000, gates)).counts
    assert sorted({(key[0], key[-501], key.count("1")) for key in counts}) == [("0", "0", 0), ("1", "1", 2)]


def test_idle_qubits_of_a_dynamic_circuit_cost_nothing_either() -> None:
    gates = [*BELL, {"gate": "measure", "target": 0}, {"gate": "h", "target": 0}, {"gate": "measure", "target": 99}]
    counts = sample(json_circuit(100, gates)).counts
    assert all(len(key) == 100 and key[0] == "0" for key in counts)


def test_an_idle_qubit_still_overwrites_the_bit_it_is_measured_into() -> None:
    source = "qubit[2] q; bit c; x q[0]; c = measure q[0]; if (c) { x q[0]; } c = measure q[1];"
    assert sample(qasm(source)).counts == {"0": 1000}


def test_a_branch_may_act_on_a_qubit_that_is_never_measured() -> None:
    assert set(sample(qasm("qubit[2] q; bit c; h q[0]; c = measure q[0]; if (c) { x q[1]; }")).counts) == {"0", "1"}
    assert sample(qasm("qubit[2] q; bit c; if (c) { reset q[0]; } c = measure q[1];")).counts == {"0": 1000}


def test_a_dynamic_circuit_that_measures_no_active_qubit_reads_0() -> None:
    assert sample(qasm("qubit[2] q; bit[2] c; x q[0]; reset q[0]; c[1] = measure q[1];")).counts == {"00": 1000}


def test_an_identity_on_an_idle_qubit_costs_nothing() -> None:
    assert sample(qasm("qubit[2] q; id q[0]; x q[1];")).counts == {"10": 1000}


def test_a_loop_can_be_left_early() -> None:
    source = "qubit q; bit c; for int i in [0:9] { h q; c = measure q; if (c) { break; } }"
    counts = sample(qasm(source), shots=200).counts
    assert counts["1"] > 190


def test_a_box_is_a_scope() -> None:
    assert set(sample(qasm("qubit[1] q; bit c; box { x q[0]; } c = measure q[0];")).counts) == {"1"}


def test_a_circuit_without_gates_is_exact() -> None:
    nothing = sample(json_circuit(3, []))
    assert (nothing.counts, nothing.kind) == ({"000": 1000}, "exact")


def test_many_qubits_are_sampled_without_a_second_copy_of_the_state(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(final_state, "MAX_DRAWN_QUBITS", 1)
    ghz = [{"gate": "h", "target": 2}, {"gate": "x", "targets": [0, 4], "control": 2}]
    first, second = (sample(json_circuit(5, ghz)).counts for _ in range(2))
    assert first == second
    assert set(first) == {"00000", "10101"}
    assert sum(first.values()) == 1000


@pytest.mark.parametrize(
    ("gates", "dynamic"),
    [
        (BELL, False),
        ([*BELL, {"gate": "measure", "target": 0}, {"gate": "x", "target": 1}], False),
        ([*BELL, {"gate": "measure", "target": 0}, {"gate": "x", "target": 0}], True),
        ([*BELL, {"gate": "reset", "target": 0}], True),
        ([{"gate": "reset", "target": 0}, *BELL], False),
        ([{"gate": "measure", "target": 0}, {"gate": "measure", "target": 0, "clbit": 1}], False),
    ],
)
def test_only_what_follows_a_measurement_makes_a_circuit_dynamic(gates: list[dict[str, Any]], dynamic: bool) -> None:
    assert shape_of(json_circuit(2, gates)).dynamic is dynamic


def test_many_controls_stay_one_gate() -> None:
    gates = [{"gate": "x", "targets": list(range(12))}, {"gate": "v", "target": 12, "controls": list(range(12))}]
    counts = sample(json_circuit(13, [*gates, gates[1]])).counts
    assert counts == {"1" * 13: 1000}


def test_a_controlled_gate_of_the_clients_own_is_simulated() -> None:
    source = "gate g(a) t { rx(a) t; } qubit[3] q; x q[0]; x q[1]; ctrl(2) @ g(pi) q[0], q[1], q[2];"
    assert sample(qasm(source)).counts == {"111": 1000}


def test_a_state_that_aer_cannot_hold_is_a_problem() -> None:
    turned = [{"gate": "rx", "targets": list(range(50)), "rotation": 0.3}]
    assert problem_of(sample, json_circuit(50, turned), method="statevector").code == "needs_more_memory"
