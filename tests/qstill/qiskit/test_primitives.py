"""What PUBs become, and what is made of counts and values, with nothing sent."""

from collections import Counter
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import Parameter
from qiskit.primitives.containers.sampler_pub import SamplerPub
from qiskit.providers import JobStatus
from qiskit.quantum_info import SparsePauliOp

from qstill.client.results import Result
from qstill.contract.circuits.job import CircuitJob
from qstill.contract.status import Status
from qstill.qiskit import EstimatorV2, QstillProvider, SamplerV2
from qstill.qiskit.jobs import status_of
from qstill.qiskit.sampler import _read
from tests.testing.stored_counts import results as stored


class Client:
    """Notes what is submitted, and answers with what it is given."""

    def __init__(self, *answers: Any) -> None:
        self.asked: list[tuple[Any, dict[str, Any]]] = []
        self._answers = iter(answers)

    def run(self, circuit: Any, **settings: Any) -> Any:
        self.asked.append((circuit, settings))
        return SimpleNamespace(id=f"job_{len(self.asked)}", circuits=lambda timeout: next(self._answers))


@given(st.lists(st.integers(1, 11), min_size=1, max_size=3), st.data())
def test_every_register_reads_its_own_bits(sizes: list[int], data: st.DataObject) -> None:
    width = sum(sizes)
    keys = st.text("01", min_size=width, max_size=width)
    counts = data.draw(st.dictionaries(keys, st.integers(1, 20), min_size=1, max_size=6))
    registers = [ClassicalRegister(size, f"r{number}") for number, size in enumerate(sizes)]
    circuit = QuantumCircuit(QuantumRegister(1), *registers)
    starts = np.cumsum([0, *sizes]).tolist()
    named = [
        {"name": register.name, "clbits": list(range(start, start + register.size))}
        for register, start in zip(registers, starts, strict=False)
    ]
    pub = SamplerPub.coerce((circuit,), sum(counts.values()))
    read = _read(pub, [Result(stored(counts, registers=named))])
    for register, start in zip(registers, starts, strict=False):
        expected: Counter[str] = Counter()
        for key, count in counts.items():
            expected[key[::-1][start : start + register.size][::-1]] += count
        assert read.data[register.name].get_counts() == expected


def turning(name: str = "a") -> QuantumCircuit:
    circuit = QuantumCircuit(2)
    circuit.ry(Parameter(name), 0)
    return circuit


def measured(circuit: QuantumCircuit) -> QuantumCircuit:
    made: QuantumCircuit = circuit.copy()
    made.measure_all()
    return made


def test_pubs_without_parameters_go_together_and_others_alone() -> None:
    client: Any = Client()
    plain, free = measured(QuantumCircuit(2)), measured(turning())
    pubs: list[Any] = [plain, (free, [0.1, 0.2, 0.3]), (plain,), (plain, None, 7)]
    job = SamplerV2(client, noise="aria-1").run(pubs, shots=100)
    assert job.job_id() == "job_1,job_2,job_3"
    together, alone, other = client.asked
    assert [len(each[0]) for each in (together, other)] == [2, 1]
    assert [each[1]["shots"] for each in client.asked] == [100, 100, 7]
    assert [list(each.values()) for each in alone[1]["bindings"]] == [[0.1], [0.2], [0.3]]
    assert all(each[1]["noise"] == "aria-1" and each[1]["wait"] is False for each in client.asked)


def test_what_measures_nothing_is_zero_and_not_asked() -> None:
    client: Any = Client()
    result = SamplerV2(client).run([QuantumCircuit(1, 3)], shots=5).result()
    assert result[0].data.c.get_counts() == {"000": 5}
    with pytest.warns(UserWarning, match="measure it"):
        SamplerV2(client).run([QuantumCircuit(1)]).result()
    assert not client.asked


def values(*rows: list[float]) -> list[Any]:
    made = []
    for row in rows:
        said = [{"name": None, "value": value, "standard_error": value / 10, "shot_noise": None} for value in row]
        made.append(Result(stored({"0": 1}, expectations=said)))
    return made


def test_values_stand_where_points_and_observables_meet() -> None:
    from qstill.client.results import Results

    client: Any = Client(Results(values([1, 2], [3, 4], [5, 6])))
    observables = [["ZZ"], [SparsePauliOp(["IX", "II"], [0.5, 2])]]
    job = EstimatorV2(client, seed=3).run([(turning(), observables, [0.1, 0.2, 0.3])])
    ((_, settings),) = client.asked
    assert settings["shots"] == 1
    body = {"circuit": {"format": "json", "qubits": 2, "operations": []}, "observables": settings["observables"]}
    sent = CircuitJob.model_validate(body).observables
    assert sorted((term.paulis, term.coefficient) for each in sent for term in each.terms) == [
        *(("I", 2.0), ("X", 0.5), ("ZZ", 1.0)),
    ]
    data = job.result()[0].data
    np.testing.assert_allclose(data.evs, [[1, 3, 5], [2, 4, 6]])
    np.testing.assert_allclose(data.stds, data.evs / 10)


def test_observables_are_sums_of_pauli_strings() -> None:
    client: Any = Client()
    with pytest.raises(ValueError, match="Z0 is none"):
        EstimatorV2(client).run([(turning(), "Z0", [0.1])])
    assert not client.asked


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        (["succeeded", "succeeded"], JobStatus.DONE),
        (["succeeded", "queued"], JobStatus.RUNNING),
        (["queued", "queued"], JobStatus.QUEUED),
        (["running", "failed"], JobStatus.ERROR),
        (["cancelled", "succeeded"], JobStatus.CANCELLED),
        ([], JobStatus.DONE),
    ],
)
def test_several_jobs_are_one(states: list[str], expected: JobStatus) -> None:
    jobs: Any = [SimpleNamespace(view=SimpleNamespace(status=Status(each)), refresh=lambda: None) for each in states]
    assert status_of(jobs) is expected


def test_backends_are_the_simulator_and_machines() -> None:
    client: Any = Client()
    provider = QstillProvider(client)
    names = [backend.name for backend in provider.backends()]
    assert names[0] == "simulator"
    assert {"aria-1", "forte-1"} <= set(names)
    assert provider.get_backend("aria-1", shots=7).options.noise == "aria-1"
    with pytest.raises(ValueError, match="there is no backend"):
        provider.get_backend("nowhere")
    provider.get_backend("aria-1", shots=7).run(measured(QuantumCircuit(1)), seed_simulator=5, memory=True)
    ((circuits, settings),) = client.asked
    assert len(circuits) == 1
    assert (settings["shots"], settings["seed"], settings["noise"]) == (7, 5, "aria-1")
    assert settings["outputs"] == ["counts", "memory"]
