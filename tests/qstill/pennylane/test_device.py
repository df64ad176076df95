"""What a node becomes on the device, with nothing sent."""

import warnings
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from qstill.client.results import Result, Results
from qstill.contract.circuits.job import CircuitJob
from tests.testing.stored_counts import results as stored

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import pennylane as qml

    from qstill.pennylane import QstillDevice

pytestmark = pytest.mark.filterwarnings("ignore")


class Client:
    """Notes what is submitted, and answers each circuit with the same."""

    def __init__(self, **answer: Any) -> None:
        self.asked: list[tuple[list[str], dict[str, Any]]] = []
        self._answer = answer

    def run(self, sources: list[str], **settings: Any) -> Any:
        self.asked.append((sources, settings))
        made = Results([Result(stored(**self._answer)) for _ in sources])
        return SimpleNamespace(circuits=lambda timeout: made)


def values(*found: float) -> list[dict[str, Any]]:
    return [{"name": None, "value": value, "standard_error": 0.0, "shot_noise": None} for value in found]


def node(client: Any, *measured: Any, shots: Any = None, **settings: Any) -> Any:
    @qml.qnode(QstillDevice(["a", "b"], client, **settings), diff_method="parameter-shift")
    def circuit(x: Any) -> Any:
        qml.RX(x, "a")
        qml.IsingZZ(0.3, ["a", "b"])
        return tuple(map(qml.apply, measured)) if len(measured) > 1 else qml.apply(measured[0])

    return circuit if shots is None else qml.set_shots(circuit, shots)


def test_values_and_variances_are_of_pauli_sums() -> None:
    client: Any = Client(counts={"00": 1}, expectations=values(0.5, 0.25, 1.0))
    energy = qml.expval(qml.Z("a") @ qml.X("b") + 0.5 * qml.Y("b"))
    found = node(client, energy, qml.var(qml.Z("b")), noise="aria-1")(0.4)
    assert [float(each) for each in found] == [0.5, 1.0 - 0.25**2]
    ((sources, settings),) = client.asked
    assert sources[0].startswith("OPENQASM 2.0")
    assert (settings["noise"], settings["shots"]) == ("aria-1", 1)
    body = {"circuit": {"format": "openqasm2", "source": sources[0]}, "observables": settings["observables"]}
    sums = CircuitJob.model_validate(body).observables
    terms = [[(term.paulis, term.qubits, term.coefficient) for term in each.terms] for each in sums]
    assert terms == [[("ZX", [0, 1], 1.0), ("Y", [1], 0.5)], [("Z", [1], 1.0)], [("I", [0], 1.0)]]


def test_probabilities_are_of_the_wires_in_their_order() -> None:
    exact = {"00": 0.1, "01": 0.2, "10": 0.3, "11": 0.4}  # the first wire is rightmost
    client: Any = Client(counts={"00": 1}, probabilities=exact)
    for wires, expected in (
        (["a", "b"], [0.1, 0.3, 0.2, 0.4]),
        (["b", "a"], [0.1, 0.2, 0.3, 0.4]),
        (["b"], [0.3, 0.7]),
    ):
        np.testing.assert_allclose(node(client, qml.probs(wires=wires))(0.4), expected)


def test_samples_are_of_the_wires_and_in_parts() -> None:
    client: Any = Client(counts={"01": 30})
    assert node(client, qml.counts(wires=["a", "b"]), shots=30)(0.4) == {"10": 30}
    np.testing.assert_array_equal(node(client, qml.sample(wires="b"), shots=30)(0.4).ravel(), np.zeros(30))
    first, second = node(client, qml.expval(qml.Z("a")), shots=[10, 20])(0.4)
    assert (first, second) == (-1, -1)
    assert [settings["shots"] for _, settings in client.asked] == [30, 30, 30]


def test_tapes_of_a_gradient_are_one_job() -> None:
    client: Any = Client(counts={"00": 1}, expectations=values(0.5))
    qml.grad(node(client, qml.expval(qml.Z("a"))))(qml.numpy.array(0.4, requires_grad=True))
    assert [len(sources) for sources, _ in client.asked][-1] == 2
    assert len(client.asked) <= 2


def test_what_it_does_not_compute_is_said() -> None:
    client: Any = Client(counts={"00": 1})
    with pytest.raises(qml.exceptions.DeviceError):
        node(client, qml.state())(0.4)
    with pytest.raises(qml.exceptions.DeviceError, match="no sum of Pauli strings"):
        node(client, qml.expval(qml.Hermitian(np.eye(2), "a")))(0.4)
    with pytest.raises(ValueError, match="needs its wires"):
        QstillDevice(None, client)
