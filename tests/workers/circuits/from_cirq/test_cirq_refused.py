"""What is not supported in Cirq's JSON, hostile or nonsense is refused, with a pointer into the document."""

import json
from contextlib import suppress
from math import pi
from typing import Any

import cirq
import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from qstill.contract.errors import Problem
from tests.testing.examples import examples
from tests.testing.refusals import problem_of
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
    (
        cirq.depolarize(0.1, 4).on(*Q, cirq.LineQubit(3)),
        "cirq_unsupported",
        f"{AT}/1/operations/0/gate/n_qubits",
        "3 qubits",
    ),
    (
        cirq.depolarize(0.1).on(Q[0]).controlled_by(Q[1]),
        "cirq_unsupported",
        f"{AT}/1/operations/0/sub_operation/gate",
        "'DepolarizingChannel'",
    ),
    (
        cirq.DensePauliString("XX", coefficient=2).on(*Q[:2]),
        "cirq_invalid",
        f"{AT}/1/operations/0/coefficient",
        "absolute value",
    ),
    (
        cirq.SingleQubitCliffordGate.X_sqrt.on(Q[0]).controlled_by(Q[1]),
        "cirq_unsupported",
        f"{AT}/1/operations/0",
        "no phase",
    ),
    (
        cirq.measure(Q[0], key="m", confusion_map={(0,): np.eye(2)}),
        "cirq_unsupported",
        f"{AT}/1/operations/0/gate/confusion_map",
        "confusion",
    ),
    (
        cirq.X(Q[0]) ** sympy.Symbol("t" * 65),
        "cirq_invalid",
        f"{AT}/1/operations/0/gate/exponent/name",
        "64 characters",
    ),
    (
        cirq.X(Q[0]).with_classical_controls(sympy.Symbol("m") > 0),
        "cirq_invalid",
        f"{AT}/1/operations/0/conditions/0/expr/args/0",
        "No measurement of 'm'",
    ),
    (
        [cirq.measure(*Q, key="m"), cirq.X(Q[0]).with_classical_controls(sympy.Symbol("m") ** 100 > 1)],
        "cirq_unsupported",
        f"{AT}/2/operations/0/conditions/0/expr/args/0/args/1",
        "exponent",
    ),
    (
        [cirq.measure(*Q, key="m"), cirq.X(Q[0]).with_classical_controls(1 / sympy.Symbol("m") > 1)],
        "cirq_invalid",
        f"{AT}/2/operations/0/conditions/0/expr/args/0",
        "zero",
    ),
    (
        [cirq.measure(Q[0], key="m"), cirq.measure(*Q[:2], key="m")],
        "cirq_invalid",
        f"{AT}/2/operations/0/gate",
        "on 2 qubits",
    ),
    (
        [
            cirq.measure(Q[0], key="m"),
            cirq.X(Q[0]).with_classical_controls(cirq.KeyCondition(cirq.MeasurementKey("m"), 1)),
        ],
        "cirq_invalid",
        f"{AT}/2/operations/0/conditions/0/key",
        "no measurement 1",
    ),
    (
        [
            cirq.KrausChannel(cirq.kraus(cirq.bit_flip(0.1)), key="k").on(Q[0]),
            cirq.X(Q[0]).with_classical_controls("k"),
        ],
        "cirq_unsupported",
        f"{AT}/2/operations/0/conditions/0/key",
        "channel did",
    ),
]


@pytest.mark.parametrize(("operation", "code", "pointer", "words"), REFUSED)
def test_what_is_not_supported_is_named_and_pointed_at(operation: Any, code: str, pointer: str, words: str) -> None:
    text = cirq.to_json(cirq.Circuit(cirq.H(Q[0]), operation))
    refused = problem_of(parse_cirq, json.loads(text))
    assert (refused.code, refused.pointer) == (code, pointer)
    assert words in refused.title
    refused = problem_of(parse_cirq, text)
    assert (refused.code, refused.pointer) == (code, "/circuit/source")
    assert pointer.removeprefix("/circuit/source") in refused.title


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


def looped(times: int) -> dict[str, Any]:
    """Loops in one another: each writes its body twice."""
    inner = circuit_of(*[on(X, 0)] * 500, on({"cirq_type": "MeasurementGate", "key": "m"}, 0))
    for _ in range(times):
        until = {"cirq_type": "KeyCondition", "key": {"name": "m", "path": []}}
        inner = circuit_of({"cirq_type": "CircuitOperation", "circuit": inner, "repeat_until": until})
    return inner


NO_CLIFFORD = {"cirq_type": "CliffordGate", "rs": [True, True], "xs": [[True], [True]], "zs": [[True], [True]]}
LOOPED = "/moments/0/operations/0" + "/circuit/moments/0/operations/0" * 8 + "/circuit/moments/0/operations/388"


def hamiltonian(text: str) -> dict[str, Any]:
    return {"cirq_type": "BooleanHamiltonianGate", "parameter_names": ["a"], "boolean_strs": [text], "theta": 1}


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
    "undone measurements": (
        circuit_of(repeated(circuit_of(on({"cirq_type": "MeasurementGate", "key": "m"}, 0)), -1)),
        "cirq_invalid",
        "/moments/0/operations/0/circuit/moments/0/operations/0",
    ),
    "a measurement under a condition": (
        circuit_of(
            on({"cirq_type": "MeasurementGate", "key": "m"}, 0),
            {
                "cirq_type": "ClassicallyControlledOperation",
                "conditions": [{"cirq_type": "KeyCondition", "key": {"name": "m", "path": []}}],
                "sub_operation": on({"cirq_type": "MeasurementGate", "key": "n"}, 0),
            },
        ),
        "cirq_invalid",
        "/moments/0/operations/1/sub_operation/gate",
    ),
    "a wide Fourier transform": (
        circuit_of(on({"cirq_type": "QuantumFourierTransformGate"}, *range(1000))),
        "too_many_operations",
        "/moments/0/operations/0/gate",
    ),
    "a loop in a loop in a loop": (looped(9), "too_many_operations", LOOPED),
    "incomplete": (
        circuit_of(on({"cirq_type": "KrausChannel", "_kraus_ops": [[[1, 0], [0, 0]]]}, 0)),
        "cirq_invalid",
        "/moments/0/operations/0/gate",
    ),
    "a deep boolean expression": (
        circuit_of(on(hamiltonian("~" * 9000), 0)),
        "cirq_too_deep",
        "/moments/0/operations/0/gate/boolean_strs/0",
    ),
    "code in a boolean expression": (
        circuit_of(on(hamiltonian("a.b"), 0)),
        "cirq_invalid",
        "/moments/0/operations/0/gate/boolean_strs/0",
    ),
    "no tableau": (circuit_of(on(NO_CLIFFORD, 0)), "cirq_invalid", "/moments/0/operations/0/gate"),
    "twice": (circuit_of(on({"cirq_type": "CZPowGate"}, 3, 3)), "cirq_invalid", "/moments/0/operations/0/qubits"),
    "bad qubit": (circuit_of(on(X, "a")), "cirq_invalid", "/moments/0/operations/0/qubits/0/x"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_document_is_refused_at_its_place(name: str) -> None:
    source, code, pointer = HOSTILE[name]
    refused = problem_of(parse_cirq, source)
    assert (refused.code, refused.pointer) == (code, f"/circuit/source{pointer}")


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


@settings(max_examples=examples(60))
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
