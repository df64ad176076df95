"""cirq-ionq, unmodified, against a started service: what it computes is what Cirq's own simulator computes."""

import math
import uuid
import warnings
from typing import Any

import numpy as np
import pytest

from tests.contract.conftest import distance, furthest
from tests.testing.service import Service

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import cirq
    import cirq_ionq
    from cirq_ionq.ionq_exceptions import IonQException, IonQNotFoundException, IonQUnsuccessfulJobException

pytestmark = [pytest.mark.service, pytest.mark.xdist_group("ionq"), pytest.mark.filterwarnings("ignore")]

EXACT = 1e-9
QUBITS = cirq.LineQubit.range(4)


@pytest.fixture
def cloud(ionq: Service) -> Any:
    return cirq_ionq.Service(remote_host=ionq.address, api_key="any", default_target="simulator")


def bell() -> cirq.Circuit:
    return cirq.Circuit(cirq.H(QUBITS[0]), cirq.CNOT(*QUBITS[:2]), cirq.measure(*QUBITS[:2], key="m"))


def must_be_exact(result: Any, circuit: cirq.Circuit, qubits: list[Any]) -> None:
    """Both sides number outcomes big-endian."""
    gates = cirq.drop_terminal_measurements(circuit)
    state = cirq.Simulator(dtype=np.complex128).simulate(gates, qubit_order=qubits).final_state_vector
    given = np.zeros(2 ** len(qubits))
    for outcome, probability in result.probabilities().items():
        given[outcome] = probability
    np.testing.assert_allclose(given, np.abs(state) ** 2, rtol=0, atol=EXACT)


def every_gate() -> cirq.Circuit:
    """All that cirq-ionq can send of the gateset `qis`."""
    a, b, c, d = QUBITS
    circuit = cirq.Circuit(cirq.H.on_each(*QUBITS))
    for place, gate in enumerate((cirq.X, cirq.Y, cirq.Z, cirq.S, cirq.T, cirq.X**0.5, cirq.X**-0.5, cirq.Z**-0.5)):
        circuit.append(gate(QUBITS[place % 4]))
    for place, gate in enumerate((cirq.X, cirq.Y, cirq.Z)):
        circuit.append((gate**0.3)(QUBITS[place]))
    for place, two in enumerate((cirq.XX, cirq.YY, cirq.ZZ)):
        circuit.append((two**0.2)(QUBITS[place], QUBITS[place + 1]))
    circuit.append([cirq.CNOT(d, a), cirq.SWAP(b, c), cirq.Z(a) ** -0.25])
    phasor = cirq.PauliStringPhasorGate(cirq.DensePauliString("XYZ"), exponent_neg=0.7, exponent_pos=0.1)
    circuit.append([phasor(c, a, d), cirq.ry(0.4).on_each(*QUBITS), cirq.measure(*QUBITS, key="m")])
    return circuit


def test_every_gate_means_what_cirq_means(cloud: Any) -> None:
    circuit = every_gate()
    must_be_exact(cloud.create_job(circuit, repetitions=10).results(), circuit, QUBITS)


def test_native_gates(cloud: Any) -> None:
    a, b, c, _ = QUBITS
    circuit = cirq.Circuit(
        [cirq_ionq.GPI2Gate(phi=0.1 + place / 5)(qubit) for place, qubit in enumerate((a, b, c))],
        cirq_ionq.GPIGate(phi=0.3)(b),
        cirq_ionq.MSGate(phi0=0.1, phi1=0.35)(c, a),
        cirq_ionq.ZZGate(theta=0.13)(a, b),
        cirq_ionq.MSGate(phi0=0.4, phi1=0.05, theta=0.1)(b, c),
        [cirq_ionq.GPI2Gate(phi=0.45 - place / 9)(qubit) for place, qubit in enumerate((a, b, c))],
        cirq.measure(a, b, c, key="m"),
    )
    must_be_exact(cloud.create_job(circuit, repetitions=10).results(), circuit, [a, b, c])


def test_samples_follow_the_probabilities(cloud: Any) -> None:
    shots = 2_000
    histogram = cloud.run(bell(), repetitions=shots, seed=5).histogram(key="m")
    assert distance(dict(histogram), np.array([0.5, 0, 0, 0.5])) < furthest(4, shots)


def test_a_batch_keeps_its_order_and_each_circuit_its_own_width(cloud: Any) -> None:
    flipped = cirq.Circuit(cirq.X(QUBITS[2]), cirq.measure(QUBITS[2], key="flipped"))
    first, second = cloud.run_batch([bell(), flipped], repetitions=20)
    assert set(first.measurements) == {"m"}
    assert second.histogram(key="flipped") == {1: 20}


def test_noise_is_the_depolarizing_one_of_the_machine(cloud: Any) -> None:
    """21 cnots of aria-2: each leaves the pair mixed with probability 0.01856."""
    shots = 20_000
    circuit = cirq.Circuit(cirq.X(QUBITS[0]), [cirq.CNOT(*QUBITS[:2]) for _ in range(21)], cirq.measure(*QUBITS[:2]))
    result = cloud.create_job(circuit, repetitions=shots, noise={"model": "aria-2", "seed": 3}).results()
    model = cirq.DensityMatrixSimulator(dtype=np.complex128)
    one, two = cirq.depolarize(0.0006573333 * 3 / 4), cirq.depolarize(0.01856 * 15 / 16, n_qubits=2)
    wrong = [cirq.X(QUBITS[0]), one(QUBITS[0])] + [cirq.CNOT(*QUBITS[:2]), two(*QUBITS[:2])] * 21
    exact = np.real(np.diag(model.simulate(cirq.Circuit(wrong)).final_density_matrix))
    counts = {outcome: round(p * shots) for outcome, p in result.probabilities().items()}
    assert distance(counts, exact) < furthest(4, shots)
    assert distance(counts, np.array([0, 0, 0, 1.0])) > 2 * furthest(4, shots)  # the noise is there


@pytest.mark.parametrize("target", ["qpu", "qpu.forte-1"])
def test_counts_of_a_machine(cloud: Any, target: str) -> None:
    job = cloud._client.create_job(
        cirq_ionq.Serializer().serialize_single_circuit(bell()), repetitions=100, target=target
    )
    with pytest.warns(UserWarning, match="simulated"):
        result = cloud.get_job(job["id"]).results()
    assert sum(result.counts("m").values()) == 100


def test_a_job_says_what_it_is(cloud: Any) -> None:
    job = cloud.create_job(bell(), repetitions=30, name="pair")
    job.results()
    found = cloud.get_job(job.job_id())
    assert (found.status(), found.name(), found.target()) == ("completed", "pair", "simulator")
    assert (found.num_qubits(), found.repetitions(), found.measurement_dict()) == (2, 30, {"m": [0, 1]})


def test_lists_end(cloud: Any) -> None:
    made = {cloud.create_job(bell(), repetitions=1).job_id() for _ in range(3)}
    listed = [job.job_id() for job in cloud.list_jobs(limit=500)]
    assert made <= set(listed)
    assert len(listed) == len(set(listed))
    assert len(cloud.list_jobs(limit=2)) == 2


def test_cancel_and_delete(cloud: Any) -> None:
    heavy = cirq.Circuit([cirq.rx(0.1 * layer).on_each(*cirq.LineQubit.range(20)) for layer in range(1, 300)])
    job = cloud.create_job(heavy, repetitions=10)
    job.cancel()
    assert job.status() == cloud.get_job(job.job_id()).status() == "canceled"
    with pytest.raises(IonQUnsuccessfulJobException):
        cloud.get_job(job.job_id()).num_qubits()
    job.delete()
    assert job.status() == "deleted"
    with pytest.raises(IonQNotFoundException):
        cloud.get_job(job.job_id())


def test_wrong_requests_are_refused_once_and_not_tried_again(cloud: Any) -> None:
    with pytest.raises(IonQException, match="400"):
        cloud.create_job(bell(), repetitions=10, noise={"model": "loud"})
    with pytest.raises(IonQNotFoundException):
        cloud.get_job(str(uuid.uuid4()))


def test_calibrations(cloud: Any) -> None:
    current = cloud.get_current_calibration()
    assert current.num_qubits() == 25
    assert len(current.connectivity()) == 25 * 24
    assert current.calibration_time().tzinfo is not None
    assert math.isclose(current.fidelities()["2q"]["median"], 1 - 0.0133 * 3 / 4)
    assert current.timings()
    assert len(cloud.list_calibrations()) == 1
