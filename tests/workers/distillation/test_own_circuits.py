"""A circuit of the user's own is a network, whatever format it comes in, and what is none is refused with a pointer."""

import json
from collections.abc import Callable
from typing import Any

import cirq
import numpy as np
import pytest
import safetensors.torch
import sympy
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp, Statevector

from qstill.contract.circuits.formats import Circuit
from qstill.contract.distillations.architectures import Architecture
from qstill.contract.distillations.architectures.circuit import EXAMPLE
from tests.testing.examples import examples
from tests.testing.refusals import problem_of
from tests.workers.distillation.test_training import hashes, resumed
from workers.circuits.parse import parse
from workers.distillation.jobs import distil_job
from workers.distillation.networks.answers import logits_of
from workers.distillation.networks.circuits.own import OwnCircuitNetwork
from workers.distillation.networks.costs import multiply_adds, parameters
from workers.distillation.networks.families import build
from workers.quantum.observables import sums_of

Make = Callable[..., Any]
STANDARD = 'OPENQASM 3.0; include "stdgates.inc"; '


def network(shape: tuple[int, ...], classes: int = 3, seed: int = 0, **given_: Any) -> OwnCircuitNetwork:
    definition = TypeAdapter(Architecture).validate_python({"kind": "circuit", **given_})
    made = build(definition, shape, classes, seed=seed, pointer="/student/architecture")
    assert isinstance(made, OwnCircuitNetwork)
    return made


def qasm(source: str) -> dict[str, Any]:
    return {"format": "openqasm3", "source": STANDARD + source}


def with_qiskit(one: OwnCircuitNetwork, row: torch.Tensor) -> np.ndarray:
    """Logits of a row: the circuit as its own format's parser reads it, with numbers for its parameters."""
    said = one.definition.circuit
    parsed = parse(TypeAdapter(Circuit).validate_python(said.model_dump()), bound=False)
    parsed.remove_final_measurements()
    numbers = one.numbers(row[None])[0].detach().double().tolist()
    own = dict(zip(one.circuit.weights, one.angles.detach().double().tolist(), strict=True))
    own |= dict(zip(one.inputs, numbers, strict=False))
    bare = QuantumCircuit(parsed.num_qubits)
    bare.compose(parsed.assign_parameters({each: own[each.name] for each in parsed.parameters}), inplace=True)
    amplitudes = np.zeros(1 << parsed.num_qubits)
    amplitudes[: 1 if one.inputs else len(numbers)] = 1 if one.inputs else numbers
    state = Statevector(amplitudes).evolve(bare)
    sums = [SparsePauliOp.from_list(list(terms.items())) for terms in sums_of(one.definition.observables, one.qubits)]
    means = np.array([state.expectation_value(each).real for each in sums])
    return means @ one.head.weight.detach().double().numpy().T + one.head.bias.detach().double().numpy()


A, B, X0, X1 = sympy.symbols("a b x0 x1")
PAIR = cirq.LineQubit.range(2)
OF_FORMATS: list[dict[str, Any]] = [
    {
        "format": "json",
        "qubits": 2,
        "operations": [
            {"gate": "ry", "target": 0, "rotation": "x0"},
            {"gate": "rx", "target": 1, "rotation": "2*x1 - a"},
            {"gate": "zz", "targets": [0, 1], "rotation": "b"},
            {"gate": "h", "targets": [0, 1]},
            {"gate": "ry", "target": 1, "control": 0, "rotation": "a/2"},
            {"gate": "measure", "targets": [0, 1]},
        ],
    },
    qasm(
        "input float[64] x0; input float x1; input float a; input float b; qubit[2] q; bit[2] c;"
        "gate own(t) p, r { ry(t) p; cx p, r; sx r; } own(x0 + a) q[0], q[1]; ctrl @ u3(x1, b, 0.3) q[1], q[0];"
        "rxx(a*x0) q[0], q[1]; h q; t q[1]; swap q[0], q[1]; c = measure q;"
    ),
    {
        "format": "cirq",
        "source": cirq.to_json(
            cirq.Circuit(
                cirq.ry(X0 + 1).on(PAIR[0]),
                cirq.rx(X1 * 2).on(PAIR[1]),
                cirq.ZZPowGate(exponent=A).on(*PAIR),
                cirq.H.on_each(*PAIR),
                cirq.CX(*PAIR),
                cirq.ry(B).on(PAIR[1]).controlled_by(PAIR[0]),
            )
        ),
    },
]


@pytest.mark.parametrize("circuit", OF_FORMATS, ids=lambda circuit: circuit["format"])
@pytest.mark.parametrize("turn", ["plain", "arctan", "linear"])
def test_logits_are_those_of_the_circuit_as_it_was_read(circuit: dict[str, Any], turn: str) -> None:
    one = network((2,), circuit=circuit, inputs=["x1", "x0"], encoding={"kind": "angle", "turn": turn}, seed=3)
    assert (one.circuit.weights, one.inputs) == (["a", "b"], ["x1", "x0"])
    assert parameters(one) == 2 + (0 if turn == "plain" else 2) + 2 * 3 + 3
    assert multiply_adds(one, (2,)) > 0
    rows = torch.randn(3, 2, generator=torch.Generator().manual_seed(1))
    np.testing.assert_allclose(logits_of(one, rows), [with_qiskit(one, row) for row in rows], atol=5e-6)


@settings(max_examples=examples(20))
@given(st.integers(1, 4), st.integers(0, 99))
def test_rows_are_what_a_circuit_without_inputs_begins_with(features: int, seed: int) -> None:
    source = "input float a; input float b; qubit[2] q; ry(a) q[0]; crz(b) q[0], q[1]; cx q[1], q[0]; rx(a + b) q[1];"
    sums = ["z", "zz", {"pauli": "XY"}]
    one = network((features,), circuit=qasm(source), observables=sums, seed=seed)
    rows = torch.randn(3, features, generator=torch.Generator().manual_seed(seed))
    expected = [with_qiskit(one, row) for row in rows]
    np.testing.assert_allclose(logits_of(one, rows), expected, atol=5e-6)
    np.testing.assert_allclose(one.portable()(rows).detach(), expected, atol=5e-6)


def test_an_openqasm_2_circuit_is_a_frozen_reader_of_states() -> None:
    source = 'OPENQASM 2.0; include "qelib1.inc"; qreg q[2]; creg c[2]; h q[0]; cx q[0],q[1]; measure q -> c;'
    one = network((4,), circuit={"format": "openqasm2", "source": source})
    assert (one.circuit.weights, parameters(one)) == ([], 2 * 3 + 3)
    row = torch.tensor([0.2, -0.4, 0.1, 0.7])
    np.testing.assert_allclose(logits_of(one, row[None])[0], with_qiskit(one, row), atol=5e-6)


def test_names_that_not_every_format_takes_are_written_in_letters() -> None:
    operations = [{"gate": "ry", "target": 0, "rotation": "θ"}, {"gate": "ry", "target": 0, "rotation": "in + θ"}]
    one = network((1,), circuit={"format": "json", "qubits": 1, "operations": operations}, inputs=["θ"])
    assert one.inputs == ["a"]
    assert one.circuit.weights == ["in_1"]


THIRD = {"observables": [{"pauli": "Z", "qubits": [2]}]}
READ = "input float x0; input float x1; qubit[2] q; "


@pytest.mark.parametrize(
    ("changes", "features", "code", "pointer"),
    [
        ({"circuit": qasm(f"{READ} ry(x0) q[0]; reset q[1]; ry(x1) q[1];")}, 2, "untrainable_gate", "/circuit"),
        ({"circuit": qasm(f"{READ} bit c; c = measure q[0]; ry(x0 + x1) q[0];")}, 2, "untrainable_gate", "/circuit"),
        ({"circuit": qasm(f"{READ} bit c; c = measure q[0]; if (c) x q[1];")}, 2, "untrainable_gate", "/circuit"),
        ({"circuit": qasm(f"{READ} ry(x0) q[0];")}, 2, "unused_input", "/inputs/1"),
        ({"circuit": qasm(f"{READ} rz(x0) q[0]; ry(x1) q[1];")}, 2, "unused_input", "/inputs/0"),
        ({"circuit": qasm(f"{READ} ry(x0) q[0]; ry(x1) q[1];")}, 3, "architecture_mismatch", "/inputs"),
        ({"circuit": qasm("qubit[2] q; h q[0];"), "inputs": []}, 5, "architecture_mismatch", "/circuit"),
        ({"circuit": qasm("qubit q; h q;"), "inputs": [], "observables": ["zz"]}, 2, "nothing_to_read", "/observables"),
        ({"circuit": qasm(f"{READ} ry(x0) q[0]; ry(sin(x1)) q[1];")}, 2, "export_unsupported", "/circuit"),
        ({"circuit": qasm(f"{READ} ry(x0 + x1) q;"), **THIRD}, 2, "no_such_qubit", "/observables/0/terms/0/qubits"),
    ],
)  # fmt: skip
def test_what_is_no_network_is_refused_by_the_worker(
    changes: dict[str, Any], features: int, code: str, pointer: str
) -> None:
    refused = problem_of(network, (features,), **{"inputs": ["x0", "x1"]} | changes)
    found = refused
    assert (found.code, (found.pointer or "").removeprefix("/student/architecture")) == (code, pointer)


MANY = "qubit[17] q; h q;"
CIRQ_X = cirq.to_json(cirq.Circuit(cirq.X.on_each(cirq.LineQubit.range(17))))


@pytest.mark.parametrize(
    ("changes", "code", "place"),
    [
        ({"circuit": qasm(MANY)}, "too_many_qubits", ("circuit", "source")),
        ({"circuit": {"format": "cirq", "source": CIRQ_X}}, "too_many_qubits", ("circuit", "source")),
        ({"circuit": {"format": "json", "qubits": 17, "operations": []}}, "too_many_qubits", ("circuit", "qubits")),
        ({"inputs": ["x0", "y"]}, "unused_input", ("inputs", 1)),
        ({"inputs": ["x0", "x0"]}, "repeated_input", ("inputs",)),
        ({"encoding": {"kind": "amplitude"}}, "nothing_to_encode", ("encoding", "kind")),
        ({"inputs": [], "encoding": {"kind": "angle"}}, "nothing_to_encode", ("encoding", "kind")),
    ],
)
def test_what_is_no_network_is_refused_at_the_door(
    changes: dict[str, Any], code: str, place: tuple[str | int, ...]
) -> None:
    usual = {"kind": "circuit", "circuit": {"format": "openqasm3", "source": EXAMPLE}, "inputs": ["x0", "x1"]}
    TypeAdapter(Architecture).validate_python(usual)
    if "circuit" in changes:
        changes = {"inputs": []} | changes
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(Architecture).validate_python(usual | changes)
    (error,) = refused.value.errors()
    assert (error["type"], error["loc"][1:]) == (code, place)


@pytest.mark.training
def test_a_job_teaches_and_trains_circuits_and_says_what_is_dead(job: Make, house: Make) -> None:
    source = (
        "input float x0; input float x1; input float x2; input float x3; input float a; input float b; input float c;"
        "qubit[4] q; ry(x0) q[0]; ry(x1) q[1]; ry(x2) q[2]; ry(x3) q[3]; cx q[0], q[1]; cx q[2], q[3]; cx q[1], q[2];"
        "ry(a) q[1]; ry(b) q[2]; rz(c) q[2];"
    )
    own = {"kind": "circuit", "circuit": qasm(source), "inputs": ["x0", "x1", "x2", "x3"]}
    teacher = {"source": "train", "architecture": own}
    told, spec = house(), job(teacher=teacher, student={"architecture": own}, training={"epochs": 2})
    distil_job(spec, told)
    last, _ = resumed(spec, house, [1, 7])
    assert hashes(last) == hashes(told)
    trained = safetensors.torch.load(told.published["student-seed-0.safetensors"])
    assert {name: tuple(tensor.shape) for name, tensor in trained.items()} == {
        "angles": (3,), "gain": (4,), "head.weight": (3, 4), "head.bias": (3,), "mean": (4,), "std": (4,),
    }  # fmt: skip
    report = json.loads(told.published["report.json"])
    said = [warning for warning in report["warnings"] if "dead_parameters" in warning]
    assert len(said) == 1
    assert ": c." in said[0]
    assert [data["code"] for kind, data in told.events if kind == "warning"].count("dead_parameters") == 1
