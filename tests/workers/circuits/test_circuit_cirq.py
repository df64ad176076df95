"""Cirq's JSON means what Cirq says it means, and errors point into the document."""

import json
from contextlib import suppress
from math import pi
from time import process_time
from typing import Any

import cirq
import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit.quantum_info import Operator

from app.circuits.admission import Limits, admit
from app.circuits.schemas import CircuitJob
from app.errors import Problem
from tests.workers.circuits.sampling import sample
from workers.circuits.parse.cirq import parse_cirq

EXPONENTS = st.one_of(st.floats(-3, 3), st.sampled_from([0, 1, -1, 0.5, -0.5, 0.25, -0.25, 2]))
SHIFTS = st.sampled_from([0.0, -0.5, 0.3])
POWERS = [
    cirq.XPowGate,
    cirq.YPowGate,
    cirq.ZPowGate,
    cirq.HPowGate,
    cirq.CXPowGate,
    cirq.CZPowGate,
    cirq.CCXPowGate,
    cirq.CCZPowGate,
    cirq.SwapPowGate,
    cirq.ISwapPowGate,
    cirq.XXPowGate,
    cirq.YYPowGate,
    cirq.ZZPowGate,
]
OTHERS = [
    lambda a, b, c: cirq.rx(a),
    lambda a, b, c: cirq.ry(a),
    lambda a, b, c: cirq.rz(a),
    lambda a, b, c: cirq.ms(a),
    lambda a, b, c: cirq.X,
    lambda a, b, c: cirq.Y,
    lambda a, b, c: cirq.CSWAP,
    lambda a, b, c: cirq.IdentityGate(2),
    lambda a, b, c: cirq.FSimGate(a, b),
    lambda a, b, c: cirq.givens(a),
    lambda a, b, c: cirq.PhasedISwapPowGate(phase_exponent=a, exponent=b),
    lambda a, b, c: cirq.PhasedXPowGate(phase_exponent=a, exponent=b, global_shift=c),
    lambda a, b, c: cirq.PhasedXZGate(x_exponent=a, z_exponent=b, axis_phase_exponent=c),
]


@st.composite
def gates(draw: st.DrawFn) -> Any:
    if draw(st.booleans()):
        gate = draw(st.sampled_from(POWERS))(exponent=draw(EXPONENTS), global_shift=draw(SHIFTS))
    else:
        gate = draw(st.sampled_from(OTHERS))(draw(EXPONENTS), draw(EXPONENTS), draw(EXPONENTS))
    room = 4 - cirq.num_qubits(gate)
    values = draw(st.lists(st.integers(0, 1), max_size=min(2, room)))
    return cirq.ControlledGate(gate, control_values=values) if values else gate


@st.composite
def cirq_circuits(draw: st.DrawFn) -> Any:
    places = draw(
        st.sampled_from(
            [
                cirq.LineQubit.range(-1, 3),
                cirq.GridQubit.square(2, top=-1),
                [cirq.NamedQubit(name) for name in ("a10", "a2", "a02", "b")],
                [cirq.LineQubit(0), cirq.NamedQubit("q"), cirq.GridQubit(3, 1), cirq.LineQubit(10)],
            ]
        )
    )
    circuit = cirq.Circuit()
    for gate in draw(st.lists(gates(), min_size=1, max_size=4)):
        operation = gate.on(*draw(st.permutations(places))[: cirq.num_qubits(gate)])
        circuit.append(operation.with_tags("tag") if draw(st.booleans()) else operation)
    return circuit


def same_up_to_phase(source: Any, circuit: Any) -> bool:
    return bool(
        cirq.allclose_up_to_global_phase(Operator(parse_cirq(source).reverse_bits()).data, cirq.unitary(circuit))
    )


@settings(max_examples=150)
@given(cirq_circuits())
def test_a_circuit_of_cirq_is_the_unitary_that_cirq_computes(circuit: Any) -> None:
    text = cirq.to_json(circuit)
    assert same_up_to_phase(text, circuit)


@pytest.mark.parametrize("power", POWERS)
def test_a_controlled_gate_keeps_its_global_phase(power: Any) -> None:
    gate = power(exponent=0.3, global_shift=0.4)
    qubits = cirq.LineQubit.range(1 + cirq.num_qubits(gate))
    circuit = cirq.Circuit(gate(*qubits[1:]).controlled_by(qubits[0], control_values=[0]))
    assert same_up_to_phase(json.loads(cirq.to_json(circuit)), circuit)


def counts(*operations: Any, frozen: bool = False) -> dict[str, int]:
    circuit = cirq.Circuit(*operations)
    source = cirq.to_json(circuit.freeze() if frozen else circuit)
    job = CircuitJob.model_validate({"circuit": {"format": "cirq", "source": source}})
    admit(job, Limits(memory_available=2**30))
    assert CircuitJob.model_validate_json(job.model_dump_json()) == job
    return dict(sample({"format": "cirq", "source": source}, shots=20, seed=1).counts)


def test_measurements_resets_and_conditions_are_those_of_cirq() -> None:
    a, b = cirq.LineQubit.range(2)
    assert counts(cirq.I(a), cirq.X(b)) == {"10": 20}
    assert counts(cirq.I(a), cirq.X(b), frozen=True) == {"10": 20}
    assert counts(cirq.X(a), cirq.measure(b, a, key="m")) == {"10": 20}
    assert counts(cirq.X(a), cirq.measure(a, b, key="m", invert_mask=(True, True)), cirq.measure(a)) == {"110": 20}
    assert counts(cirq.X(a), cirq.reset(a), cirq.measure(a, b)) == {"00": 20}
    assert counts(
        cirq.X(a), cirq.measure(a, key="m"), cirq.X(b).with_classical_controls("m"), cirq.measure(b, key="n")
    ) == {"11": 20}


Q = cirq.LineQubit.range(3)
AT = "/circuit/source/moments"
REFUSED = [
    (cirq.MatrixGate(np.eye(2)).on(Q[0]), "cirq_unsupported", f"{AT}/1/operations/0/gate", "'MatrixGate'"),
    (cirq.QuantumFourierTransformGate(2).on(*Q[:2]), "cirq_unsupported", f"{AT}/1/operations/0/gate", "Fourier"),
    (cirq.depolarize(0.1).on(Q[0]), "cirq_unsupported", f"{AT}/1/operations/0/gate", "'DepolarizingChannel'"),
    (
        cirq.X(Q[0]) ** sympy.Symbol("t"),
        "cirq_unsupported",
        f"{AT}/1/operations/0/gate/exponent",
        "Symbol",
    ),
    (cirq.X(cirq.LineQid(5, 2)), "cirq_unsupported", f"{AT}/0/operations/1/qubit", "'LineQid'"),
    (cirq.CircuitOperation(cirq.FrozenCircuit(cirq.X(Q[0]))), "cirq_unsupported", f"{AT}/1/operations/0", "Circuit"),
    (
        [cirq.measure(Q[0], key="m"), cirq.measure(Q[0], key="m")],
        "cirq_unsupported",
        f"{AT}/2/operations/0/gate/key",
        "twice",
    ),
    (
        cirq.X(Q[0]).controlled_by(Q[1], control_values=[(0, 1)]),
        "cirq_unsupported",
        f"{AT}/1/operations/0/control_values/data",
        "one value",
    ),
]


@pytest.mark.parametrize(("operation", "code", "pointer", "words"), REFUSED)
def test_what_is_not_supported_is_named_and_pointed_at(operation: Any, code: str, pointer: str, words: str) -> None:
    text = cirq.to_json(cirq.Circuit(cirq.H(Q[0]), operation))
    with pytest.raises(Problem) as refused:
        parse_cirq(json.loads(text))
    assert (refused.value.code, refused.value.pointer) == (code, pointer)
    assert words in refused.value.title
    with pytest.raises(Problem) as refused:
        parse_cirq(text)
    assert (refused.value.code, refused.value.pointer) == (code, "/circuit/source")
    assert pointer.removeprefix("/circuit/source") in refused.value.title


def circuit_of(*operations: Any) -> dict[str, Any]:
    return {"cirq_type": "Circuit", "moments": [{"cirq_type": "Moment", "operations": list(operations)}]}


def on(gate: Any, *qubits: Any) -> dict[str, Any]:
    places = [{"cirq_type": "LineQubit", "x": x} for x in qubits]
    return {"cirq_type": "GateOperation", "gate": gate, "qubits": places}


X = {"cirq_type": "XPowGate", "exponent": 1.0}
NESTED: Any = X
for _ in range(200):
    NESTED = {"cirq_type": "ControlledGate", "control_values": [[1]], "sub_gate": NESTED}
HOSTILE: dict[str, tuple[Any, str, str]] = {
    "not an object": ("[]", "cirq_invalid", ""),
    "not JSON": ('{"a":\n', "cirq_invalid", ""),
    "not a number": ('{"a": NaN}', "cirq_invalid", ""),
    "a number of 5000 digits": ('{"a": ' + "9" * 5000 + "}", "cirq_invalid", ""),
    "brackets": ('{"a":' + "[" * 100_000, "cirq_too_deep", ""),
    "nested gates": (circuit_of(on(NESTED, 0)), "cirq_too_deep", ""),
    "many qubits": (circuit_of(on(X, *range(5000))), "too_many_qubits", ""),
    "many operations": (circuit_of(*[on(X, 0)] * 200_001), "too_many_operations", ""),
    "not a circuit": ({"cirq_type": "os.system", "command": "true"}, "cirq_unsupported", ""),
    "no type": ({}, "cirq_invalid", "/cirq_type"),
    "no moments": ({"cirq_type": "Circuit"}, "cirq_invalid", "/moments"),
    "nothing": (circuit_of(), "no_qubits", ""),
    "a moment is a number": ({"cirq_type": "Circuit", "moments": [1]}, "cirq_invalid", "/moments/0"),
    "infinite": (circuit_of(on(X | {"exponent": 1e300}, 0)), "cirq_invalid", "/moments/0/operations/0/gate/exponent"),
    "huge": (circuit_of(on(X | {"exponent": 10**400}, 0)), "cirq_invalid", "/moments/0/operations/0/gate/exponent"),
    "a word": (circuit_of(on(X | {"exponent": "1"}, 0)), "cirq_invalid", "/moments/0/operations/0/gate/exponent"),
    "too many": (circuit_of(on(X, 0, 1)), "cirq_invalid", "/moments/0/operations/0/gate"),
    "twice": (circuit_of(on({"cirq_type": "CZPowGate"}, 3, 3)), "cirq_invalid", "/moments/0/operations/0/qubits"),
    "bad qubit": (circuit_of(on(X, "a")), "cirq_invalid", "/moments/0/operations/0/qubits/0/x"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_document_is_refused_in_milliseconds(name: str) -> None:
    source, code, pointer = HOSTILE[name]
    start = process_time()
    with pytest.raises(Problem) as refused:
        parse_cirq(source)
    assert process_time() - start < (3 if name == "many operations" else 0.3)
    assert (refused.value.code, refused.value.pointer) == (code, f"/circuit/source{pointer}")


WORDS = st.sampled_from(["Circuit", "Moment", "GateOperation", "XPowGate", "LineQubit", "ControlledOperation", "x"])
NONSENSE = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.floats() | WORDS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["cirq_type", "gate", "qubits", "x", "sub_operation", "sub_gate", "control_values", "exponent", "key"]
            ),
            inner,
        )
    ),
    max_leaves=8,
)


@settings(max_examples=100)
@given(
    st.sampled_from(["GateOperation", "ControlledOperation", "ClassicallyControlledOperation", "TaggedOperation"]),
    st.dictionaries(st.sampled_from(["gate", "qubits", "sub_operation", "controls", "conditions"]), NONSENSE),
)
def test_nonsense_is_a_problem_and_nothing_else(kind: str, fields: dict[str, Any]) -> None:
    with suppress(Problem):
        parse_cirq(circuit_of(on({"cirq_type": "Rx", "rads": pi}, 0), {"cirq_type": kind} | fields))
