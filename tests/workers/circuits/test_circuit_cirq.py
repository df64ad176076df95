"""Cirq's JSON means what Cirq says it means, and errors point into the document."""

import json
from contextlib import suppress
from math import pi
from time import process_time
from typing import Any

import cirq
import cirq_ionq
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
    cirq.CYPowGate,
    cirq.CZPowGate,
    cirq.CCXPowGate,
    cirq.CCYPowGate,
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
    lambda a, b, c: cirq.PhasedFSimGate(theta=a, zeta=b, chi=c, gamma=a - b, phi=b - c),
    lambda a, b, c: cirq.TwoQubitDiagonalGate([a, b, c, a + b]),
    lambda a, b, c: cirq.ThreeQubitDiagonalGate([a, b, c, 0, -a, -b, -c, a + b]),
    lambda a, b, c: cirq.MatrixGate(cirq.unitary(cirq.PhasedXZGate(x_exponent=a, z_exponent=b, axis_phase_exponent=c))),
    lambda a, b, c: cirq.MatrixGate(cirq.testing.random_unitary(8, random_state=int(1000 * abs(a)))),
    lambda a, b, c: cirq.ParallelGate(cirq.HPowGate(exponent=a), 2),
    lambda a, b, c: cirq.WaitGate(cirq.Duration(nanos=3)),
    lambda a, b, c: cirq_ionq.GPIGate(phi=a),
    lambda a, b, c: cirq_ionq.GPI2Gate(phi=a),
    lambda a, b, c: cirq_ionq.MSGate(phi0=a, phi1=b, theta=c),
    lambda a, b, c: cirq_ionq.ZZGate(theta=a),
]
SYMBOLIC: list[Any] = [
    *[lambda e, power=power: power(exponent=e, global_shift=0.3) for power in POWERS],
    cirq.rx,
    cirq.ry,
    cirq.rz,
    cirq.ms,
    lambda e: cirq.FSimGate(e, 2 * e),
    lambda e: cirq.PhasedISwapPowGate(phase_exponent=e, exponent=e + 1),
    lambda e: cirq.PhasedXPowGate(phase_exponent=e, exponent=-e),
    lambda e: cirq.PhasedXZGate(x_exponent=e, z_exponent=e / 3, axis_phase_exponent=0.2),
    lambda e: cirq_ionq.GPIGate(phi=e),
    lambda e: cirq_ionq.GPI2Gate(phi=e),
    lambda e: cirq_ionq.MSGate(phi0=e, phi1=2 * e, theta=e / 2),
    lambda e: cirq_ionq.ZZGate(theta=e),
]
T, B = sympy.symbols("t b")
EXPRESSIONS = [T, -T, 2 * T / 3 + 0.25, T - B / sympy.pi, T * B, sympy.sqrt(B) + T**2, T / B - 1]


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


@settings(max_examples=60)
@given(
    st.sampled_from(SYMBOLIC),
    st.sampled_from(EXPRESSIONS),
    st.lists(st.integers(0, 1), max_size=2),
    st.floats(-2, 2),
    st.floats(0.1, 2),
)
def test_symbols_given_a_value_afterwards_are_the_circuit_written_with_numbers(
    gate: Any, expression: Any, controls: list[int], t: float, b: float
) -> None:
    values = {"t": t, "b": b}
    with_numbers, operation = gate(float(expression.subs(values))), gate(expression)
    if type(operation).__module__.startswith("cirq_ionq"):
        controls = []  # cirq-ionq's own gates cannot be controlled while they hold a symbol
    operation = cirq.ControlledGate(operation, control_values=controls) if controls else operation
    with_numbers = cirq.ControlledGate(with_numbers, control_values=controls) if controls else with_numbers
    qubits = cirq.LineQubit.range(cirq.num_qubits(operation))
    text = cirq.to_json(cirq.Circuit(operation.on(*qubits)))
    parsed = parse_cirq(text)
    names = {str(symbol) for symbol in expression.free_symbols}
    assert {parameter.name for parameter in parsed.parameters} == names
    bound = parsed.assign_parameters({name: values[name] for name in names})
    matrix = Operator(bound.reverse_bits()).data
    np.testing.assert_allclose(matrix, cirq.unitary(cirq.Circuit(with_numbers.on(*qubits))), atol=1e-6)


def test_a_controlled_global_phase_is_a_phase() -> None:
    a, b = cirq.LineQubit.range(2)
    circuit = cirq.Circuit(
        cirq.H.on_each(a, b),
        cirq.global_phase_operation(1j),
        cirq.GlobalPhaseGate(np.exp(0.3j)).on().controlled_by(b, a, control_values=[1, 0]),
    )
    assert same_up_to_phase(cirq.to_json(circuit), circuit)


def test_a_circuit_operation_is_the_circuit_written_out() -> None:
    a, b, c = cirq.LineQubit.range(3)
    inner = cirq.CircuitOperation(cirq.FrozenCircuit(cirq.T(a), cirq.CX(a, b) ** 0.3))
    outer = cirq.CircuitOperation(cirq.FrozenCircuit(inner.with_qubit_mapping({b: c}).repeat(2), cirq.H(a)))
    circuit = cirq.Circuit(
        outer, inner.with_tags("tag"), outer.with_qubit_mapping({a: b, c: a}), cirq.I(c), inner.repeat(0)
    )
    plain = cirq.Circuit(cirq.decompose(circuit), cirq.I(c))
    assert same_up_to_phase(cirq.to_json(circuit), plain)


def test_a_circuit_operation_may_measure() -> None:
    a, b = cirq.LineQubit.range(2)
    flip = cirq.CircuitOperation(cirq.FrozenCircuit(cirq.X(a), cirq.measure(a, key="m")))
    assert counts(
        flip.with_measurement_key_mapping({"m": "first"}),
        cirq.X(b).with_classical_controls("first"),
        flip.with_qubit_mapping({a: b}),
    ) == {"01": 20}


def test_a_condition_holds_where_any_bit_is_one_and_all_conditions_do() -> None:
    a, b, c = cirq.LineQubit.range(3)
    start = [cirq.X(b), cirq.measure(a, b, key="m"), cirq.measure(a, key="zero"), cirq.measure(c, key="none")]
    then = cirq.measure(c, key="n")
    assert counts(*start, cirq.X(c).with_classical_controls("m"), then) == {"10100": 20}
    assert counts(*start, cirq.X(c).with_classical_controls("m", "zero"), then) == {"00100": 20}


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


@settings(max_examples=100)
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
