"""What is not supported in Cirq's JSON, hostile or nonsense is refused, with a pointer into the document."""

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

from app.errors import Problem
from workers.circuits.parse.cirq import parse_cirq

Q = cirq.LineQubit.range(3)
AT = "/circuit/source/moments"
REFUSED = [
    (
        cirq.MatrixGate(np.diag([1, 2]), unitary_check=False).on(Q[0]),
        "cirq_invalid",
        f"{AT}/1/operations/0/gate/matrix",
        "not unitary",
    ),
    (cirq.QuantumFourierTransformGate(2).on(*Q[:2]), "cirq_unsupported", f"{AT}/1/operations/0/gate", "Fourier"),
    (cirq.depolarize(0.1).on(Q[0]), "cirq_unsupported", f"{AT}/1/operations/0/gate", "'DepolarizingChannel'"),
    (
        cirq.X(Q[0]) ** sympy.Symbol("t" * 65),
        "cirq_invalid",
        f"{AT}/1/operations/0/gate/exponent/name",
        "64 characters",
    ),
    (cirq.X(cirq.LineQid(5, 2)), "cirq_unsupported", f"{AT}/0/operations/1/qubit", "'LineQid'"),
    (
        cirq.CircuitOperation(cirq.FrozenCircuit(cirq.X(Q[0])), repetitions=-1),
        "cirq_unsupported",
        f"{AT}/1/operations/0/repetitions",
        "backwards",
    ),
    (
        cirq.CircuitOperation(cirq.FrozenCircuit(cirq.measure(Q[0])), repetitions=2, use_repetition_ids=True),
        "cirq_unsupported",
        f"{AT}/1/operations/0/use_repetition_ids",
        "repetition ids",
    ),
    (
        cirq.X(Q[0]).with_classical_controls(sympy.Symbol("m") > 0),
        "cirq_unsupported",
        f"{AT}/1/operations/0/conditions/0",
        "SympyCondition",
    ),
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


def repeated(circuit: Any, times: int) -> dict[str, Any]:
    return {"cirq_type": "CircuitOperation", "circuit": circuit, "repetitions": times}


def value(key: int, *operations: Any) -> dict[str, Any]:
    return {"cirq_type": "VAL", "key": key, "val": circuit_of(*operations)}


def reference(key: int) -> dict[str, Any]:
    return {"cirq_type": "REF", "key": key}


def power_tower(levels: int) -> Any:
    nine = {"cirq_type": "sympy.Integer", "i": 9}
    return {"cirq_type": "sympy.Pow", "args": [nine, power_tower(levels - 1)]} if levels else nine


CHAIN = [
    repeated(value(0, on(X, 0)), 1),
    *(repeated(value(i, repeated(reference(i - 1), 1)), 1) for i in range(1, 500)),
]
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
    "a billion repetitions": (
        circuit_of(repeated(circuit_of(), 10**9)),
        "too_many_operations",
        "/moments/0/operations/0",
    ),
    "a circuit in itself": (
        circuit_of(repeated(value(0, repeated(reference(0), 1)), 1)),
        "cirq_invalid",
        "/moments/0/operations/0/circuit/val/moments/0/operations/0/circuit/key",
    ),
    "a chain of circuits": (
        circuit_of(*CHAIN),
        "cirq_too_deep",
        "/moments/0/operations/0/circuit/val",
    ),
    "a controlled matrix": (
        circuit_of(
            on(
                {
                    "cirq_type": "ControlledGate",
                    "control_values": [[1]] * 8,
                    "sub_gate": {"cirq_type": "MatrixGate", "matrix": [[0, 1], [1, 0]]},
                },
                *range(9),
            )
        ),
        "cirq_unsupported",
        "/moments/0/operations/0/gate",
    ),
    "a wide matrix": (
        circuit_of(on({"cirq_type": "MatrixGate", "matrix": np.eye(128).tolist()}, *range(7))),
        "cirq_invalid",
        "/moments/0/operations/0/gate/matrix",
    ),
    "divided by zero": (
        circuit_of(on(X | {"exponent": {"cirq_type": "sympy.Rational", "p": 1, "q": 0}}, 0)),
        "cirq_invalid",
        "/moments/0/operations/0/gate/exponent",
    ),
    "a tower of powers": (
        circuit_of(on(X | {"exponent": power_tower(4)}, 0)),
        "cirq_invalid",
        "/moments/0/operations/0/gate/exponent",
    ),
    "twice": (circuit_of(on({"cirq_type": "CZPowGate"}, 3, 3)), "cirq_invalid", "/moments/0/operations/0/qubits"),
    "bad qubit": (circuit_of(on(X, "a")), "cirq_invalid", "/moments/0/operations/0/qubits/0/x"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_document_is_refused_in_milliseconds(name: str) -> None:
    source, code, pointer = HOSTILE[name]
    start = process_time()
    with pytest.raises(Problem) as refused:
        parse_cirq(source)
    assert process_time() - start < (3 if name.startswith("many") else 0.3)  # a collection of garbage may fall into it
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


@settings(max_examples=60)
@given(
    st.sampled_from(["GateOperation", "ControlledOperation", "ClassicallyControlledOperation", "TaggedOperation"]),
    st.dictionaries(st.sampled_from(["gate", "qubits", "sub_operation", "controls", "conditions"]), NONSENSE),
)
def test_nonsense_is_a_problem_and_nothing_else(kind: str, fields: dict[str, Any]) -> None:
    with suppress(Problem):
        parse_cirq(circuit_of(on({"cirq_type": "Rx", "rads": pi}, 0), {"cirq_type": kind} | fields))


def test_registers_have_the_names_of_the_keys() -> None:
    first, second = cirq.LineQubit.range(2)
    keys = ["b", "q", "k0", "x" * 100]
    circuit = cirq.Circuit(cirq.measure(qubit, key=key) for qubit, key in zip([first, second] * 2, keys, strict=True))
    names = [register.name for register in parse_cirq(cirq.to_json(circuit)).cregs]
    assert names[0] == "b"
    assert len(set(names)) == len(names)
    assert max(map(len, names)) <= 64
