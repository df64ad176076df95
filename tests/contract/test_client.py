"""The Python client against a started service: circuits of three libraries, and students in this process."""

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from qstill.client import Client, Job, Results
from tests.testing.service import Service

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import cirq
    import pennylane as qml
    import sympy
    from qiskit import QuantumCircuit
    from qiskit.circuit import Parameter, ParameterVector
    from qiskit.circuit.random import random_circuit
    from qiskit.quantum_info import SparsePauliOp, Statevector

pytestmark = [
    pytest.mark.service,
    pytest.mark.timeout(600),  # trainings, and workers that start PyTorch
    pytest.mark.xdist_group("ionq"),
    pytest.mark.filterwarnings("ignore"),
]

EXACT = 1e-9
MLP: dict[str, Any] = {"kind": "mlp", "hidden": [8]}
SHORT: dict[str, Any] = {"training": {"epochs": 2}, "evaluation": {"seeds": 1, "baseline": False}}


@pytest.fixture
def qstill(ionq: Service) -> Iterator[Client]:
    with Client(ionq.address, patience=240, progress=False) as client:
        yield client


def exactly(client: Client, circuit: Any, **settings: Any) -> Any:
    return client.run(circuit, outputs=["counts", "probabilities"], **settings)


@pytest.mark.parametrize("seed", range(4))
def test_circuits_of_qiskit_mean_what_qiskit_means(qstill: Client, seed: int) -> None:
    circuit = random_circuit(4, 6, max_operands=3, seed=seed)
    expected = Statevector(circuit).probabilities()
    circuit.measure_all()
    np.testing.assert_allclose(exactly(qstill, circuit).to_numpy("exact"), expected, rtol=0, atol=EXACT)


def test_parameters_of_qiskit_are_bound_by_themselves_or_by_name(qstill: Client) -> None:
    weights, theta = ParameterVector("w", 2), Parameter("θ")
    circuit = QuantumCircuit(2)
    circuit.ry(weights[0] + 2 * theta, 0)
    circuit.rx(weights[1], 1)
    circuit.cx(0, 1)
    energy = SparsePauliOp.from_list([("ZZ", 0.5), ("XI", -1.5)])
    bindings: list[dict[Any, Any]] = [{weights: [0.1, 0.2], theta: 0.3}, {"w[0]": 1.0, "w[1]": 2.0, "θ": 0.5}]
    found = qstill.run(circuit, bindings=bindings, observables=[energy, "ZI"])
    assert isinstance(found, Results)
    values = [[0.1, 0.2, 0.3], [1.0, 2.0, 0.5]]
    expected = [
        [Statevector(bound).expectation_value(each).real for each in (energy, SparsePauliOp("ZI"))]
        for bound in (circuit.assign_parameters(dict(zip([*weights, theta], row, strict=True))) for row in values)
    ]
    np.testing.assert_allclose(found.to_numpy("expectations"), expected, rtol=0, atol=EXACT)


def test_what_measurements_decide(qstill: Client) -> None:
    circuit = QuantumCircuit(1, 2)
    circuit.h(0)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.x(0)
    circuit.measure(0, 1)
    assert set(qstill.run(circuit, shots=100).counts) == {"00", "01"}


def test_circuits_of_cirq(qstill: Client) -> None:
    a, b = cirq.LineQubit.range(2)
    angle = sympy.Symbol("angle")
    circuit = cirq.Circuit(cirq.ry(angle)(a), cirq.CNOT(a, b) ** 0.5, cirq.measure(a, b, key="m"))
    found = exactly(qstill, circuit, bindings=[{"angle": 0.4}, {angle: 2.0}])
    for result, value in zip(found, (0.4, 2.0), strict=True):
        gates = cirq.drop_terminal_measurements(cirq.resolve_parameters(circuit, {angle: value}))
        state = cirq.Simulator(dtype=np.complex128).simulate(gates).final_state_vector
        expected = (np.abs(state) ** 2).reshape(2, 2).T.ravel()  # Cirq's first qubit is its highest bit
        np.testing.assert_allclose(result.to_numpy("exact"), expected, rtol=0, atol=1e-7)


def test_tapes_and_nodes_of_pennylane(qstill: Client) -> None:
    tape = qml.tape.QuantumScript([qml.RX(0.3, 0), qml.CRY(0.7, [0, 1]), qml.Hadamard(1)], [qml.probs(wires=[0, 1])])

    @qml.qnode(qml.device("default.qubit", wires=2))
    def node(x: float, y: float) -> Any:
        qml.RX(x, 0)
        qml.CRY(y, [0, 1])
        qml.Hadamard(1)
        return qml.probs(wires=[0, 1])

    expected = np.asarray(node(0.3, 0.7)).reshape(2, 2).T.ravel()  # its first wire is its highest bit
    for found in (exactly(qstill, tape), exactly(qstill, node, parameters=(0.3, 0.7))):
        np.testing.assert_allclose(found.to_numpy("exact"), expected, rtol=0, atol=1e-9)


def agree(client: Client, job: Job, rows: Any) -> None:
    """What the student says here, in both ways, is what the service says."""
    said: Any = client.predict(client.promote(job, "student"), rows)
    for runtime in ("onnx", "torch"):
        student = job.student(runtime=runtime)
        if hasattr(said, "values"):
            np.testing.assert_allclose(student.predict(rows), said.values, rtol=1e-4, atol=1e-4)
        else:
            np.testing.assert_allclose(student.probabilities(rows), said.probabilities, rtol=0, atol=1e-5)
            assert student.predict(rows).tolist() == said.predicted


def test_a_student_of_images_learns_and_predicts(qstill: Client) -> None:
    job = qstill.distill(dataset="digits", teacher={"kind": "mlp", "hidden": [32]}, student=MLP, **SHORT)
    agree(qstill, job, np.random.default_rng(0).uniform(0, 16, (5, 64)))
    module = job.student(runtime="torch").module
    assert set(module.state_dict()) == {"hidden.0.weight", "hidden.0.bias", "head.weight", "head.bias"}
    assert module.get_parameter("head.weight").requires_grad


def test_a_student_of_numbers(qstill: Client) -> None:
    data, mse = {"name": "diabetes", "task": "regression"}, {"kind": "logit_mse"}
    job = qstill.distill(dataset=data, teacher=MLP, student=MLP, objective=mse, **SHORT)
    agree(qstill, job, np.random.default_rng(0).normal(size=(4, 10)))


def test_a_student_of_a_table(qstill: Client) -> None:
    import pandas as pd  # type: ignore[import-untyped]

    dates = pd.date_range("2020-01-01", periods=160).strftime("%Y-%m-%d")
    frame = pd.DataFrame({"age": np.arange(160) % 70, "job": ["nurse", None, "cook", "pupil"] * 40, "since": dates})
    frame.loc[::7, "age"] = np.nan
    frame["buys"] = np.where(frame["job"] == "cook", "yes", "no")
    dataset = {"file": qstill.upload(frame), "label": "buys"}
    job = qstill.distill(dataset=dataset, teacher=MLP, student=MLP, **SHORT)
    agree(qstill, job, frame.drop(columns="buys")[:6])
    with pytest.raises(TypeError, match="objects or a frame"):
        job.student().predict([[1.0, 2.0, 3.0]])


def test_a_student_of_texts(qstill: Client) -> None:
    tokenizer = {"kind": "word", "vocabulary": 300}
    job = qstill.distill(
        dataset={
            "source": "builtin_text",
            "name": "python_topics",
            "task": "classification",
            "tokenizer": tokenizer,
            "labelled": 60,
        },
        teacher={"kind": "bag_of_embeddings", "width": 8},
        student={"kind": "bag_of_embeddings", "width": 4},
        export=["onnx"],
        **SHORT,
    )
    agree(qstill, job, ["The import statement binds a name.", "A list of numbers"])
