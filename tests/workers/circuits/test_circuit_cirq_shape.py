"""The door takes all that Cirq writes, and refuses at once what no reader of it could take."""

import json
from typing import Any

import cirq
import cirq_ionq
import pytest
import sympy
from cirq.json_resolver_cache import _class_resolver_dictionary

from qstill.contract.circuits.admission import Limits, admit
from qstill.contract.circuits.cirq.shape import GATES, OPERATIONS
from qstill.contract.circuits.job import CircuitJob
from tests.testing.refusals import problem_of

A, B, C = cirq.LineQubit(0), cirq.GridQubit(1, 2), cirq.NamedQubit("c")
SMALL = cirq.FrozenCircuit(cirq.X(A), cirq.measure(A, key="m"))
WRITTEN = [
    cirq.Circuit(),
    cirq.Circuit(cirq.H(A), cirq.CNOT(A, B), cirq.CCZ(A, B, C) ** sympy.Symbol("t"), cirq.measure(A, B, key="m")),
    cirq.Circuit(cirq.X(A).with_tags("tag", cirq.VirtualTag()), cirq.measure(A, key="m")),
    cirq.Circuit(cirq.measure(A, key="m"), cirq.X(B).with_classical_controls("m")),
    cirq.Circuit(cirq.X(A).controlled_by(B, C), cirq.ControlledGate(cirq.Y)(A, B)),
    cirq.Circuit(cirq.CircuitOperation(SMALL, repetitions=2), cirq.CircuitOperation(SMALL)),
    cirq.Circuit(cirq.depolarize(0.1)(A), cirq.reset(B), cirq.X(A) * cirq.Z(B), cirq_ionq.GPIGate(phi=0.1)(A)),
]
GATE = {"cirq_type": "GateOperation", "gate": {"cirq_type": "HPowGate"}, "qubits": [{"cirq_type": "LineQubit", "x": 0}]}


def circuit(*operations: Any) -> dict[str, Any]:
    return {"cirq_type": "Circuit", "moments": [{"cirq_type": "Moment", "operations": list(operations)}]}


def submit(source: Any) -> None:
    job = CircuitJob.model_validate({"circuit": {"format": "cirq", "source": source}})
    admit(job, Limits(memory_available=2**30))


@pytest.mark.parametrize("written", WRITTEN, ids=str)
def test_what_cirq_writes_passes_the_door(written: cirq.Circuit) -> None:
    text = cirq.to_json(written)
    submit(text)
    submit(json.loads(text))


def test_every_gate_and_operation_of_cirq_is_known_at_the_door() -> None:
    classes = {name: kind for name, kind in _class_resolver_dictionary().items() if isinstance(kind, type)}
    gates = {name for name, kind in classes.items() if issubclass(kind, cirq.Gate) and "." not in name}
    operations = {name for name, kind in classes.items() if issubclass(kind, cirq.Operation) and name not in gates}
    assert gates <= GATES
    assert operations <= OPERATIONS | GATES


@pytest.mark.parametrize(
    ("source", "code", "place"),
    [
        ({"cirq_type": "Nonsense"}, "cirq_unsupported", ""),
        ({"cirq_type": 3}, "cirq_invalid", "/cirq_type"),
        ({}, "cirq_invalid", "/cirq_type"),
        ({"cirq_type": "Circuit"}, "cirq_invalid", "/moments"),
        ({"cirq_type": "Circuit", "moments": [{"cirq_type": "Circuit"}]}, "cirq_invalid", "/moments/0"),
        (circuit(7), "cirq_invalid", "/moments/0/operations/0"),
        (circuit({"cirq_type": "Nonsense"}), "cirq_unsupported", "/moments/0/operations/0"),
        (circuit(GATE, GATE | {"gate": {"cirq_type": "NoGate"}}), "cirq_unsupported", "/moments/0/operations/1/gate"),
        (circuit(GATE | {"gate": None}), "cirq_invalid", "/moments/0/operations/0/gate"),
        (circuit(GATE | {"qubits": None}), "cirq_invalid", "/moments/0/operations/0/qubits"),
        (
            circuit(GATE | {"qubits": [{"cirq_type": "LineQubit", "x": "0"}]}),
            "cirq_invalid",
            "/moments/0/operations/0/qubits/0/x",
        ),
        (
            circuit(GATE | {"qubits": [{"cirq_type": "LineQid", "x": 0}]}),
            "cirq_invalid",
            "/moments/0/operations/0/qubits/0/dimension",
        ),
        (
            circuit({"cirq_type": "TaggedOperation", "sub_operation": {"cirq_type": "Nonsense"}}),
            "cirq_unsupported",
            "/moments/0/operations/0/sub_operation",
        ),
        (
            circuit({"cirq_type": "CircuitOperation", "circuit": circuit({"cirq_type": "Nonsense"})}),
            "cirq_unsupported",
            "/moments/0/operations/0/circuit/moments/0/operations/0",
        ),
    ],
)
def test_what_is_no_circuit_is_refused_at_the_door(source: dict[str, Any], code: str, place: str) -> None:
    refused = problem_of(submit, source)
    assert (refused.code, refused.pointer) == (code, f"/circuit/source{place}")
    refused = problem_of(submit, json.dumps(source))
    assert (refused.code, refused.pointer) == (code, "/circuit/source")
    assert refused.title.startswith(f"At {place or 'the top'}: ")
