"""PennyLane's device on a started service: what `default.qubit` says, and its gradients."""

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from qstill.client import Client
from tests.testing.service import Service

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import pennylane as qml

    from qstill.pennylane import QstillDevice

pytestmark = [pytest.mark.service, pytest.mark.xdist_group("ionq"), pytest.mark.filterwarnings("ignore")]

WIRES = ["a", "b", "c"]


@pytest.fixture
def qstill(ionq: Service) -> Iterator[Client]:
    with Client(ionq.address, patience=240, progress=False) as client:
        yield client


def node(device: Any) -> Any:
    @qml.qnode(device, diff_method="parameter-shift")
    def circuit(x: Any, y: Any) -> Any:
        qml.RX(x, "a")
        qml.CRY(y, ["a", "b"])
        qml.IsingZZ(0.3, ["a", "b"])
        qml.Hadamard("c")
        qml.CNOT(["b", "c"])
        return qml.expval(qml.Z("a") @ qml.X("b") + 0.5 * qml.Y("b")), qml.var(qml.Z("b")), qml.probs(wires=["c", "a"])

    return circuit


def test_values_probabilities_and_gradients_are_those_of_pennylane(qstill: Client) -> None:
    ours, theirs = node(QstillDevice(WIRES, qstill)), node(qml.device("default.qubit", wires=WIRES))
    at = [qml.numpy.array(value, requires_grad=True) for value in (0.4, 0.9)]
    for found, expected in zip(ours(*at), theirs(*at), strict=True):
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)

    def slopes(circuit: Any) -> Any:
        return qml.jacobian(lambda *values: qml.math.stack(circuit(*values)[:2]))(*at)

    np.testing.assert_allclose(slopes(ours), slopes(theirs), rtol=0, atol=1e-9)


def test_samples_are_near(qstill: Client) -> None:
    shots = 20_000
    ours = qml.set_shots(node(QstillDevice(WIRES, qstill, seed=3)), shots)
    expected = node(qml.device("default.qubit", wires=WIRES))(0.4, 0.9)
    for found, exact in zip(ours(0.4, 0.9), expected, strict=True):
        np.testing.assert_allclose(found, exact, rtol=0, atol=6 * 1.5 / np.sqrt(shots))
