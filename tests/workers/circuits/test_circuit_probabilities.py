"""Exact probabilities where there are any: the worker decides, and nobody has to read the program before."""

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qstill.contract.circuits.job import CircuitJob
from qstill.contract.circuits.outputs import MAX_PROBABILITY_QUBITS, WHERE_POSSIBLE
from tests.testing.circuits.house import run_job
from tests.testing.circuits.program_strategies import Operations, programs
from tests.testing.circuits.sampling import read
from tests.testing.examples import examples
from workers.circuits.planning import plan_circuits

Json = dict[str, Any]

OUTPUTS = ["counts", WHERE_POSSIBLE]
HALF = {"00": 0.5, "11": 0.5}


def json_circuit(qubits: int, gates: Operations) -> Json:
    return {"format": "json", "qubits": qubits, "operations": gates}


def openqasm3(body: str) -> Json:
    return {"format": "openqasm3", "source": f'OPENQASM 3.0; include "stdgates.inc"; {body}'}


@settings(max_examples=examples(40))
@given(programs(dynamic=True, conditions="any") | programs(dynamic=False))
def test_there_are_some_unless_a_measurement_decides_and_they_sum_to_one(program: tuple[int, Operations]) -> None:
    circuit = json_circuit(*program)
    ((entry,), _) = run_job(circuit, outputs=OUTPUTS)
    dynamic = read(circuit).routed.program.shape.dynamic
    assert ("probabilities" in entry) != dynamic
    if not dynamic:
        ((strict,), _) = run_job(circuit, outputs=["probabilities"])
        assert entry["probabilities"] == strict["probabilities"]
        assert math.fsum(entry["probabilities"].values()) == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("gate pair a, b { h a; cx a, b; } qubit[2] q; bit[2] c; pair q[0], q[1]; c = measure q;", HALF),
        ("qubit[2] q; h q[0]; ctrl @ x q[0], q[1];", HALF),
        ("qubit[2] q; for int i in [0:0] { h q[i]; cx q[i], q[i + 1]; }", HALF),
        ("qubit[3] r; let q = r[0:1]; bit[2] c; h q[0]; cx q[0], q[1]; c = measure q;", HALF),
        ("qubit[2] q; bit a; bit b; x q[0]; a = measure q[0]; b = measure q[1];", {"01": 1.0}),
        ("qubit[2] q; bit[2] c; inv @ pow(2) @ s q[0]; ry(pi/3) q[1]; c = measure q;", {"00": 0.75, "10": 0.25}),
    ],
)
def test_programs_with_more_than_standard_gates_have_them_too(body: str, expected: dict[str, float]) -> None:
    ((entry,), _) = run_job(openqasm3(body), outputs=OUTPUTS)
    assert entry["probabilities"] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    "body",
    [
        "qubit q; bit[2] c; h q; c[0] = measure q; h q; c[1] = measure q;",
        "qubit q; bit c; h q; c = measure q; if (c) x q;",
        "qubit q; bit c; h q; reset q; c = measure q;",
    ],
)
def test_programs_in_which_measurements_decide_are_counted_and_need_no_note(body: str) -> None:
    ((entry,), _) = run_job(openqasm3(body), outputs=OUTPUTS)
    assert "probabilities" not in entry
    assert read(openqasm3(body), outputs=OUTPUTS).notes == []


def test_more_outcomes_than_can_be_listed_are_counted_and_that_is_said() -> None:
    wide = json_circuit(MAX_PROBABILITY_QUBITS + 1, [{"gate": "h", "targets": list(range(MAX_PROBABILITY_QUBITS + 1))}])
    planned = read(wide, shots=70, outputs=OUTPUTS)
    assert not planned.routed.probabilities
    assert "70 shots" in planned.notes[0]
    assert read(wide, shots=70).notes == []


def test_a_wide_clifford_circuit_is_not_made_dear_for_their_sake() -> None:
    qubits = 24
    gates = [{"gate": "h", "target": 0}, *({"gate": "x", "target": n, "control": 0} for n in range(1, qubits))]
    circuit = json_circuit(qubits, [*gates, {"gate": "measure", "targets": [0, 1]}])
    plain = read(circuit).routed.plan.method
    planned = read(circuit, outputs=OUTPUTS)
    assert (planned.routed.plan.method, planned.routed.probabilities) == (plain, False)


@pytest.mark.parametrize(("circuits", "listed"), [(2, True), (7, False)])
def test_a_batch_gives_as_many_as_can_be_read_again(circuits: int, listed: bool) -> None:
    width = MAX_PROBABILITY_QUBITS
    wide = json_circuit(width, [{"gate": "rx", "targets": list(range(width)), "rotation": 0.1}])
    job = {"circuits": [wide] * circuits, "seed": 7, "outputs": OUTPUTS}
    assert {planned.routed.probabilities for planned in plan_circuits(CircuitJob.model_validate(job))} == {listed}


@settings(max_examples=examples(10))
@given(st.lists(st.floats(-3, 3), min_size=2, max_size=5))
def test_a_sweep_has_them_for_every_binding(values: list[float]) -> None:
    circuit = json_circuit(1, [{"gate": "ry", "target": 0, "rotation": "a"}])
    entries, _ = run_job(circuit, bindings=[{"a": value} for value in values], outputs=OUTPUTS)
    for value, entry in zip(values, entries, strict=True):
        assert entry["probabilities"].get("1", 0.0) == pytest.approx(math.sin(value / 2) ** 2, abs=1e-9)
