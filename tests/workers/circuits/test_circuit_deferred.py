"""Exact probabilities of circuits that measure and reset in the middle, and of many qubits with few outcomes."""

from typing import Any

import pytest
from hypothesis import given, settings

from qstill.contract.circuits.admission import Limits, admit
from qstill.contract.circuits.job import CircuitJob
from qstill.contract.circuits.outputs import MAX_PROBABILITY_QUBITS
from tests.testing.circuits import exact
from tests.testing.circuits.house import run_job
from tests.testing.circuits.program_strategies import Operations, programs
from tests.testing.examples import examples
from tests.testing.refusals import problem_of

WIDE = MAX_PROBABILITY_QUBITS + 1


def probabilities(circuit: dict[str, Any], **job: Any) -> dict[str, float]:
    """As the door lets them through and the worker finds them."""
    body = {"circuit": circuit, "outputs": ["probabilities"], "seed": 7} | job
    admit(CircuitJob.model_validate(body), Limits(memory_available=2**33))
    ((entry,), _) = run_job(**body)
    assert entry["counts"].keys() <= entry["probabilities"].keys()
    found: dict[str, float] = entry["probabilities"]
    return found


@settings(max_examples=examples(40))
@given(programs(dynamic=True))
def test_measured_and_reset_in_the_middle(program: tuple[int, Operations]) -> None:
    qubits, operations = program
    clbits = max([qubits, *(1 + operation.get("clbit", 0) for operation in operations)])
    found = probabilities({"format": "json", "qubits": qubits, "operations": operations})
    likely = {key: chance for key, chance in found.items() if chance > 1e-12}
    assert likely == pytest.approx(exact.distribution(exact.run(qubits, operations, clbits)), abs=1e-9)


def test_a_qubit_that_is_used_again_and_again() -> None:
    """Two coins and their parity, all by one qubit; the bit that is written twice keeps what was written last."""
    source = """OPENQASM 3.0; include "stdgates.inc"; qubit[2] q; bit[3] c;
    h q[0]; c[0] = measure q[0]; cx q[0], q[1]; reset q[0]; h q[0]; c[0] = measure q[0]; cx q[0], q[1];
    c[1] = measure q[0]; reset q[0]; c[2] = measure q[1];"""
    quarter = {"000": 0.25, "100": 0.25, "011": 0.25, "111": 0.25}
    assert probabilities({"format": "openqasm3", "source": source}) == pytest.approx(quarter)


def test_what_a_condition_decides_has_no_final_state() -> None:
    gates = [{"gate": "measure", "target": 0}, {"gate": "x", "target": 0, "if": {"clbit": 0, "value": 1}}]
    refused = problem_of(run_job, {"format": "json", "qubits": 1, "operations": gates}, outputs=["probabilities"])
    assert refused.code == "no_final_state"


def test_many_qubits_with_few_outcomes() -> None:
    ghz = [{"gate": "h", "target": 0}, {"gate": "x", "targets": list(range(1, WIDE)), "control": 0}]
    circuit = {"format": "json", "qubits": WIDE, "operations": ghz}
    assert probabilities(circuit) == pytest.approx({"0" * WIDE: 0.5, "1" * WIDE: 0.5})
    ((entry,), _) = run_job(circuit, method="statevector")
    ((same,), _) = run_job(circuit, outputs=["probabilities"])
    assert entry["counts"] == same["counts"]


def test_too_many_outcomes_are_refused_once_they_are_known() -> None:
    coins = [{"gate": "h", "targets": list(range(WIDE))}]
    refused = problem_of(run_job, {"format": "json", "qubits": WIDE, "operations": coins}, outputs=["probabilities"])
    assert (refused.code, refused.pointer) == ("state_too_large", "/outputs")
