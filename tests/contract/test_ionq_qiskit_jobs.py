"""qiskit-ionq, unmodified, against a started service: jobs of several circuits, ended, failed, in sessions."""

import math
import warnings
from collections import Counter
from typing import Any

import pytest
from qiskit import QuantumCircuit

from tests.contract.qiskit_circuits import EXACT, Backends, bell, measured, must_be_exact, raw

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from qiskit_ionq import Session
    from qiskit_ionq.exceptions import IonQAPIError, IonQJobFailureError, IonQJobStateError

pytestmark = [pytest.mark.service, pytest.mark.xdist_group("ionq"), pytest.mark.filterwarnings("ignore")]


def test_several_circuits_with_memory(simulator: Any) -> None:
    simulator.set_options(noise_model="forte-1")
    flipped = QuantumCircuit(1, 1)
    flipped.x(0)
    flipped.measure(0, 0)
    job = simulator.run([bell(), flipped], shots=200, memory=True)
    result = job.result()
    for index in range(2):
        assert Counter(result.get_memory(index)) == result.get_counts(index)
        assert sum(result.get_counts(index).values()) == 200
    assert result.get_counts(1)["1"] > 190
    assert job.status(detailed=True)["completed"] == 2


def test_several_ideal_circuits_keep_their_order(simulator: Any) -> None:
    circuits = [QuantumCircuit(2, 2) for _ in range(5)]
    for index, circuit in enumerate(circuits):
        circuit.ry(index, 0)
        circuit.measure_all(add_bits=False)
    job = simulator.run(circuits)
    job.result()
    for circuit, found in zip(circuits, raw(job).values(), strict=True):
        must_be_exact(found, circuit)


@pytest.mark.parametrize(("name", "qubits"), [("qpu.forte-enterprise-2", 36), ("qpu.tempo-1", 100)])
def test_a_machine_without_published_noise_says_whose_it_borrows(backends: Backends, name: str, qubits: int) -> None:
    machine = backends(name)
    assert machine.num_qubits == qubits
    with pytest.warns(UserWarning, match="noise of forte-enterprise-1"):
        assert machine.run(bell(), shots=50).result().get_counts()


def test_a_machine_is_simulated_and_says_so(backends: Backends) -> None:
    machine = backends("qpu.forte-1")
    assert machine.num_qubits == 36
    assert machine.status()
    assert machine.calibration().qubits == 36
    job = machine.run(bell(), shots=300)
    with pytest.warns(UserWarning, match="simulated"):
        counts = job.result().get_counts()
    assert sum(counts.values()) == 300


def test_cancel_list_and_delete(simulator: Any) -> None:
    job = simulator.run(bell())
    job.result()
    with pytest.raises(IonQAPIError, match="nothing left to cancel"):
        job.cancel()
    assert simulator.retrieve_job(job.job_id()).result().get_probabilities() == pytest.approx(
        {"00": 0.5, "11": 0.5}, abs=EXACT
    )
    assert simulator.client.delete_job(job.job_id())["status"] == "deleted"
    with pytest.raises(IonQAPIError, match="no such job"):
        simulator.retrieve_job(job.job_id())


def test_a_job_that_takes_long_is_canceled(simulator: Any) -> None:
    circuit = QuantumCircuit(20)
    for layer in range(300):
        for qubit in range(20):
            circuit.rx(0.1 + layer, qubit)
    job = simulator.run(measured(circuit))
    job.cancel()
    with pytest.raises(IonQJobStateError):
        job.result()


def test_a_job_that_cannot_succeed_fails_with_the_reason(simulator: Any) -> None:
    broken = QuantumCircuit(1, 1)
    broken.measure(0, 0)
    broken.h(0)
    broken.measure(0, 0)
    query = {"extra_query_params": {"input": {"qubits": 1, "data": "OPENQASM 3.0; qubit q; frobnicate q;"}}}
    with pytest.raises((IonQJobFailureError, IonQAPIError), match="frobnicate"):
        simulator.run(broken, **query).result()


def test_wrong_gates_are_refused_once_and_not_tried_again(simulator: Any) -> None:
    query = {"extra_query_params": {"input": {"qubits": 1, "circuit": [{"gate": "warp", "target": 0}]}}}
    with pytest.raises(IonQAPIError, match="warp"):
        simulator.run(bell(), **query)


def test_sessions(simulator: Any) -> None:
    with Session(simulator, max_jobs=5, max_time=10) as session:
        assert session.status() == "created"
        simulator.run(bell()).result()
        assert session.status() == "started"
    assert session.status() == "ended"
    assert session.usage() > 0


def test_estimates(simulator: Any) -> None:
    estimate = simulator.client.estimate_job(backend="ionq_qpu.aria-1", oneq_gates=4, twoq_gates=2, qubits=2, shots=10)
    assert (estimate.backend, estimate.shots, estimate.cost) == ("qpu.aria-1", 10, 0)
    assert estimate.total_runtime is not None
    assert math.isfinite(estimate.total_runtime)
