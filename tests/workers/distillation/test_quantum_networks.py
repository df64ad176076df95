"""A quantum network says what Qiskit says of the same circuit, as a network, as ONNX and after a checkpoint."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
import safetensors.torch
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp, Statevector

from qstill.contract.distillations.architectures import Architecture
from qstill.contract.distillations.architectures.quantum import Quantum
from qstill.contract.distillations.datasets import BuiltinData
from qstill.contract.distillations.job import DistillationJob
from tests.testing.examples import examples
from tests.testing.refusals import problem_of
from workers.distillation.artifacts.student_onnx import to_onnx
from workers.distillation.data.dataset import load
from workers.distillation.jobs import distil_job
from workers.distillation.networks.answers import logits_of
from workers.distillation.networks.circuits.variational import QuantumNetwork
from workers.distillation.networks.costs import multiply_adds, parameters
from workers.distillation.networks.families import build
from workers.distillation.networks.seeds import seed_of
from workers.distillation.rows import Standardisation
from workers.quantum.ansatz import pairs
from workers.quantum.observables import sums_of

Make = Callable[..., Any]
AMPLITUDES = {"kind": "amplitude", "inputs": "standardised"}


def network(shape: tuple[int, ...], classes: int = 3, seed: int = 0, **given: Any) -> QuantumNetwork:
    definition = TypeAdapter(Architecture).validate_python({"kind": "quantum", **given})
    made = build(definition, shape, classes, seed=seed, pointer="/student/architecture")
    assert isinstance(made, QuantumNetwork)
    return made


def with_qiskit(one: QuantumNetwork, row: torch.Tensor) -> np.ndarray:
    """Logits of a row, gate by gate."""
    definition = one.definition
    qubits, encoding = definition.qubits, definition.encoding
    numbers = one.numbers(row[None])[0].detach().double().numpy()
    circuit, angles = QuantumCircuit(qubits), one.angles.detach()
    for layer in range(definition.layers):
        if encoding.kind == "angle" and (layer == 0 or encoding.upload_again):
            for qubit, angle in enumerate(numbers):
                circuit.ry(angle, qubit)
        for qubit in range(qubits):
            circuit.ry(float(angles[layer, 0, qubit]), qubit)
            circuit.rz(float(angles[layer, 1, qubit]), qubit)
        for control, target in pairs(qubits, definition.entanglement, layer):
            circuit.cx(control, target)
    amplitudes = np.zeros(1 << qubits)
    amplitudes[: len(numbers)] = numbers
    start = Statevector(amplitudes) if encoding.kind == "amplitude" else Statevector.from_int(0, 1 << qubits)
    state = start.evolve(circuit)
    sums = [SparsePauliOp.from_list(list(terms.items())) for terms in sums_of(definition.observables, qubits)]
    means = np.array([state.expectation_value(each).real for each in sums])
    return means @ one.head.weight.detach().double().numpy().T + one.head.bias.detach().double().numpy()


@st.composite
def definitions(draw: st.DrawFn) -> tuple[dict[str, Any], int]:
    """A definition, and the numbers of a row."""
    qubits = draw(st.integers(1, 9))
    amplitude = draw(st.booleans())
    again = draw(st.booleans())
    angle = {"kind": "angle", "turn": draw(st.sampled_from(["arctan", "linear"])), "upload_again": again}
    features = draw(st.integers(1, min(20, 1 << qubits) if amplitude else qubits))
    own = {"terms": [{"paulis": "X", "qubits": [0]}, {"paulis": "Y", "qubits": [qubits - 1], "coefficient": -0.5}]}
    read = draw(st.sampled_from([["z"], ["z", own]] + ([["zz"], ["z", "zz", own]] if qubits > 1 else [])))
    given_ = {
        "qubits": qubits,
        "layers": draw(st.integers(1, 3)),
        "encoding": AMPLITUDES if amplitude else angle,
        "entanglement": draw(st.sampled_from(["ring", "line", "brickwork", "full", "none"])),
        "observables": read,
    }
    return given_, features


@settings(max_examples=examples(40))
@given(definitions(), st.integers(0, 99))
def test_logits_are_those_of_the_same_circuit_in_qiskit(drawn: tuple[dict[str, Any], int], seed: int) -> None:
    definition, features = drawn
    one = network((features,), seed=seed, **definition)
    rows = torch.randn(3, features, generator=torch.Generator().manual_seed(seed))
    expected = np.array([with_qiskit(one, row) for row in rows])
    np.testing.assert_allclose(logits_of(one, rows).numpy(), expected, atol=5e-6)
    if not one.inputs:
        np.testing.assert_allclose(one.portable()(rows).detach().numpy(), expected, atol=5e-6)


def test_rows_are_read_raw_where_the_definition_says_so() -> None:
    raw = 5 + torch.rand(6, 4)
    standardise = Standardisation(raw.double().mean(0), raw.double().std(0))
    definition = Quantum(kind="quantum", qubits=2, layers=1, encoding={"kind": "amplitude", "inputs": "raw"})
    behind = build(definition, (4,), 2, seed=1, pointer="", standardisation=standardise)
    plain = build(definition, (4,), 2, seed=1, pointer="")
    torch.testing.assert_close(behind(standardise(raw)), plain(raw), atol=1e-5, rtol=1e-5)


def test_weights_are_counted_and_the_last_rz_is_dead_under_z() -> None:
    one = network((4,), qubits=4, layers=3, entanglement="ring")
    assert parameters(one) == 2 * 4 * 3 + 4 + 4 * 3 + 3
    assert multiply_adds(one, (4,)) == 8 * (2 * 4 * 3 + 4) * 16 + 4 * 16 + 4 * 3
    torch.nn.functional.cross_entropy(one(torch.randn(9, 4)), torch.arange(9) % 3).backward()
    assert one.angles.grad is not None
    assert one.angles.grad[-1, 1].abs().max() < 1e-7
    assert one.angles.grad.abs().flatten().count_nonzero() >= 2 * 4 * 3 - 4
    assert one.gain.grad is not None


def test_a_frozen_circuit_keeps_its_angles(job: Make, house: Make) -> None:
    student = {"architecture": {"kind": "quantum", "qubits": 4, "layers": 2, "frozen": True}}
    told = house()
    distil_job(job(student=student, training={"epochs": 2}), told)
    trained = safetensors.torch.load(told.published["student-seed-0.safetensors"])
    drawn = network((4,), seed=seed_of("student", 0), qubits=4, layers=2, frozen=True)
    torch.testing.assert_close(trained["angles"], drawn.angles, atol=0, rtol=0)
    assert not torch.equal(trained["head.weight"], drawn.head.weight)


@pytest.mark.parametrize(
    ("definition", "features", "ways"),
    [
        ({"qubits": 4, "encoding": {"kind": "amplitude"}}, 17, [("amplitude", 5)]),
        ({"qubits": 4}, 5, [("amplitude", 3), ("angle", 5)]),
    ],
)
def test_rows_that_do_not_fit_are_refused_with_what_fits(
    definition: dict[str, Any], features: int, ways: list[tuple[str, int]]
) -> None:
    refused = problem_of(network, (features,), layers=1, **definition)
    assert (refused.code, refused.pointer) == ("architecture_mismatch", "/student/architecture/qubits")
    assert [(way["encoding"]["kind"], way["qubits"]) for way in refused.ways_out or ()][: len(ways)] == ways


@pytest.mark.parametrize(
    ("changes", "code", "place"),
    [
        ({"observables": ["zz"], "qubits": 1}, "nothing_to_read", ("observables",)),
        ({"observables": ["ZZZ"], "qubits": 2}, "term_length", ("observables", 0)),
        ({"observables": ["z", {"pauli": "Z", "qubits": [2]}], "qubits": 2}, "no_such_qubit", ("observables", 1)),
    ],
)
def test_observables_of_other_qubits_are_refused(changes: dict[str, Any], code: str, place: tuple[Any, ...]) -> None:
    with pytest.raises(ValidationError) as refused:
        Quantum.model_validate({"kind": "quantum", "layers": 1, **changes})
    (error,) = refused.value.errors()
    assert (error["type"], error["loc"]) == (code, place)


@pytest.mark.parametrize(
    ("architecture", "changes", "code"),
    [
        ({"qubits": 11}, {"export": ["onnx"]}, "onnx_too_large"),
        ({"encoding": {"kind": "angle", "upload_again": True}}, {"export": ["onnx"]}, "not_for_this_network"),
        ({}, {"export": ["onnx_int8"]}, "not_for_this_network"),
        ({}, {"training": {"precision": "bfloat16"}}, "not_for_this_network"),
        ({}, {"compression": {}}, "compression_unavailable"),
    ],
)
def test_what_a_quantum_network_does_not_do_is_refused(
    job: Make, architecture: dict[str, Any], changes: dict[str, Any], code: str
) -> None:
    student = {"architecture": {"kind": "quantum", "qubits": 4, "layers": 1} | architecture}
    body = job().model_dump(mode="json", exclude_none=True) | {"student": student}
    with pytest.raises(ValidationError) as refused:
        DistillationJob.model_validate(body | changes)
    assert refused.value.errors()[0]["type"] == code


def test_a_row_of_zeros_is_no_state() -> None:
    iris = load(BuiltinData(source="builtin", name="iris"), {})
    one = network((4,), qubits=2, layers=1, encoding={"kind": "amplitude"})
    iris.train.raw[5] = 0
    refused = problem_of(one.refuse_rows, iris.train, "/student/architecture")
    assert (refused.code, refused.pointer) == ("zero_amplitudes", "/student/architecture/encoding")
    assert str(int(iris.train.index[5])) in refused.title


def test_an_onnx_file_answers_as_the_network() -> None:
    data = load(BuiltinData(source="builtin", name="digits"), {})
    definition = Quantum(kind="quantum", qubits=6, layers=4, encoding={"kind": "amplitude"}, observables=["z", "zz"])
    one = build(definition, data.input_shape, 10, seed=1, pointer="", standardisation=data.standardisation)
    content = to_onnx(one, data, definition)
    found = ort.InferenceSession(content).run(["logits"], {"inputs": data.test.raw.numpy()})[0]
    np.testing.assert_allclose(found, logits_of(one, data.test.x), atol=1e-5)
    assert len(content) < 2 * 4 * 64 * 64 + 40_000
    assert math.isfinite(float(found.sum()))
