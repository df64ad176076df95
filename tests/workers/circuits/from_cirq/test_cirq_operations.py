"""Circuit operations, keys, conditions and loops of Cirq read what they read there."""

from math import log2
from typing import Any

import cirq
import pytest
import sympy
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from qstill.contract.errors import Problem
from tests.testing.examples import examples
from tests.testing.refusals import problem_of
from tests.workers.circuits.from_cirq.exact import assert_read_alike, assert_same_state, last_values, of_qiskit
from tests.workers.circuits.from_cirq.programs import QUBITS, circuits, conditions, masks
from workers.circuits.parse.cirq import parse_cirq

A, B, C = QUBITS
MANY = 8  # bits that tell the branches apart


def branchings(circuit: Any) -> float:
    unrolled = cirq.unroll_circuit_op(circuit, deep=True, tags_to_check=None)
    return sum(bits(operation.without_classical_controls()) for operation in unrolled.all_operations())


def bits(operation: Any) -> float:
    return len(operation.qubits) if cirq.is_measurement(operation) else log2(len(cirq.kraus(operation)))


@settings(max_examples=examples(25), suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(circuits())
def test_a_program_of_cirq_reads_what_it_reads_there(circuit: Any) -> None:
    assume(branchings(circuit) <= MANY)
    assert_read_alike(circuit)


@settings(max_examples=examples(25), suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(circuits())
def test_a_program_of_cirq_ends_in_the_state_that_it_ends_in_there(circuit: Any) -> None:
    assume(branchings(circuit) <= MANY)
    assert_same_state(circuit)


@given(st.integers(1, 3).flatmap(lambda size: st.tuples(st.just(size), conditions("m", size) | masks("m", size))))
def test_a_condition_holds_for_the_values_for_which_it_holds_in_cirq(drawn: tuple[int, Any]) -> None:
    size, condition = drawn
    read = cirq.LineQubit.range(size)
    assert_read_alike(
        cirq.Circuit(
            cirq.H.on_each(*read),
            cirq.measure(*read, key="m"),
            cirq.X(cirq.LineQubit(3)).with_classical_controls(condition),
            cirq.measure(cirq.LineQubit(3), key="held"),
        )
    )


def test_an_expression_may_read_several_keys() -> None:
    m, n = sympy.symbols("m n")
    for held in (sympy.Eq(m + n, 2), m > n, sympy.And(m > 0, sympy.Not(n > 0)), sympy.Or(n, m > 2), m / 2 - n < 0):
        assert_read_alike(
            cirq.Circuit(
                cirq.H.on_each(A, B, C),
                cirq.measure(A, B, key="m"),
                cirq.measure(C, key="n"),
                cirq.X(C).with_classical_controls(held),
                cirq.measure(C, key="held"),
            )
        )


def measured_and_turned(key: str = "m") -> Any:
    return cirq.FrozenCircuit(cirq.H(A), cirq.measure(A, key=key), (cirq.X(B) ** 0.4).with_classical_controls(key))


def test_a_loop_goes_on_until_its_condition_holds() -> None:
    until = cirq.KeyCondition(cirq.MeasurementKey("m"))
    loop = cirq.CircuitOperation(measured_and_turned(), use_repetition_ids=False, repeat_until=until)
    both = cirq.CircuitOperation(cirq.FrozenCircuit(loop, cirq.measure(B, key="z")), repetitions=2)
    assert_read_alike(cirq.Circuit(loop, cirq.measure(B, key="z")), last=True)
    parsed = parse_cirq(cirq.to_json(cirq.Circuit(both.with_repetition_ids(["x", "y"]))))
    names = [register.name for register in parsed.cregs]
    assert names == ["x:m", "x:z", "y:m", "y:z"]
    k = sympy.Symbol("k")
    bits = sympy.IndexedBase("k")
    for held in (k > 1, sympy.Ne(k, 0), sympy.Eq(k, 2), sympy.Xor(bits[0], bits[1])):
        body = cirq.FrozenCircuit(cirq.H(A), cirq.measure(A, B, key="k"), cirq.X(C) ** 0.3)
        again = cirq.CircuitOperation(body, use_repetition_ids=False, repeat_until=cirq.SympyCondition(held))
        assert_read_alike(cirq.Circuit(again, cirq.measure(C, key="z")), last=True)


def test_a_condition_in_a_loop_reads_what_the_last_round_measured() -> None:
    body = cirq.FrozenCircuit(cirq.X(C).with_classical_controls("m"), cirq.X(A) ** 0.5, cirq.measure(A, key="m"))
    until = cirq.SympyCondition(sympy.Eq(sympy.Symbol("m"), 0))
    loop = cirq.CircuitOperation(body, use_repetition_ids=False, repeat_until=until)
    circuit = cirq.Circuit(cirq.H(A), cirq.measure(A, key="m"), loop, cirq.measure(C, key="z"))
    found = of_qiskit(parse_cirq(cirq.to_json(circuit)))
    chance = sum(share for outcome, share in found.items() if dict(outcome)["z"] == (1,))
    expected = sum(share for outcome, share in last_values(circuit).items() if dict(outcome)["z"] == (1,))
    assert chance == pytest.approx(expected, abs=1e-6)


def test_a_key_that_is_measured_twice_has_two_registers() -> None:
    circuit = cirq.Circuit(cirq.X(A), cirq.measure(A, key="m"), cirq.X(A), cirq.measure(A, key="m"))
    assert [register.name for register in parse_cirq(cirq.to_json(circuit)).cregs] == ["m", "m#2"]
    assert_read_alike(circuit)


def test_a_condition_names_one_of_several_measurements_of_a_key() -> None:
    source = cirq.Circuit(
        cirq.X(A),
        cirq.measure(A, key="m"),
        cirq.X(A),
        cirq.measure(A, key="m"),
        cirq.X(B).with_classical_controls(cirq.BitMaskKeyCondition("m", index=0)),
        cirq.X(C).with_classical_controls(cirq.BitMaskKeyCondition("m", index=1)),
        cirq.measure(B, C, key="z"),
    )
    assert_read_alike(source)


def test_keys_of_two_repeated_circuits_are_not_confused() -> None:
    first = cirq.CircuitOperation(measured_and_turned(), repetition_ids=["0"])
    second = cirq.CircuitOperation(
        cirq.FrozenCircuit(cirq.X(B).with_classical_controls("m"), cirq.measure(A, key="n")), repetition_ids=["0"]
    )
    with pytest.raises(Problem, match="No measurement of 'm'"):
        parse_cirq(cirq.to_json(cirq.Circuit(first, second)))


def test_symbols_are_resolved_outside_of_what_resolves_them() -> None:
    t, u = sympy.symbols("t u")
    swapped = cirq.CircuitOperation(
        cirq.FrozenCircuit(cirq.X(A) ** t, cirq.CX(A, B) ** (u / 2)), param_resolver={t: u, u: t + 0.1}, repetitions=-2
    )
    outer = cirq.CircuitOperation(cirq.FrozenCircuit(swapped, cirq.Y(B) ** t), param_resolver={"t": 0.7})
    circuit = cirq.Circuit(outer)
    bound = cirq.resolve_parameters(circuit, {"u": 0.3})
    assert_same_state(bound)
    parsed = parse_cirq(cirq.to_json(circuit))
    assert [parameter.name for parameter in parsed.parameters] == ["u"]


def test_a_circuit_is_repeated_as_often_as_a_symbol_says() -> None:
    n = sympy.Symbol("n")
    repeated = cirq.CircuitOperation(cirq.FrozenCircuit(cirq.X(A) ** 0.2), repetitions=n + 1, use_repetition_ids=False)
    outer = cirq.CircuitOperation(cirq.FrozenCircuit(repeated), param_resolver={"n": 2})
    assert_same_state(cirq.Circuit(outer))
    with pytest.raises(Problem, match="without free parameters"):
        parse_cirq(cirq.to_json(cirq.Circuit(repeated)))


def test_pauli_strings_are_measured_and_turned() -> None:
    string = cirq.X(A) * cirq.Y(B) * cirq.Z(C)
    start = [cirq.H(A), cirq.CX(A, B), cirq.T(B), cirq.X(C) ** 0.3]
    assert_same_state(cirq.Circuit(start, -string, cirq.PauliStringPhasor(string, exponent_neg=0.2, exponent_pos=0.1)))
    assert_read_alike(
        cirq.Circuit(
            start,
            cirq.PauliMeasurementGate([cirq.X, cirq.Y], key="p").on(B, C),
            cirq.PauliMeasurementGate(cirq.DensePauliString("ZXY", coefficient=-1), key="r").on(A, B, C),
            cirq.X(A).with_classical_controls("p"),
            cirq.measure(A, B, C, key="z"),
        )
    )


def test_doubling_resolvers_are_refused_in_time() -> None:
    """Sixteen resolvers, each of which makes ten of what the next one makes of a symbol."""
    symbol = {"cirq_type": "sympy.Symbol", "name": "t"}
    ten = {"cirq_type": "sympy.Add", "args": [symbol] * 10}
    gate = {"cirq_type": "XPowGate", "exponent": symbol}
    inner: Any = {"cirq_type": "GateOperation", "gate": gate, "qubits": [{"cirq_type": "LineQubit", "x": 0}]}
    for depth in range(9):
        circuit = {"cirq_type": "Circuit", "moments": [{"cirq_type": "Moment", "operations": [inner]}]}
        value = ten if depth < 8 else 1e-20
        inner = {"cirq_type": "CircuitOperation", "circuit": circuit, "param_resolver": {"param_dict": [["t", value]]}}
    refused = problem_of(
        parse_cirq, {"cirq_type": "Circuit", "moments": [{"cirq_type": "Moment", "operations": [inner]}]}
    )
    assert refused.code == "too_many_operations"


def test_a_circuit_operation_is_the_circuit_written_out() -> None:
    a, b, c = cirq.LineQubit.range(3)
    inner = cirq.CircuitOperation(cirq.FrozenCircuit(cirq.T(a), cirq.CX(a, b) ** 0.3))
    outer = cirq.CircuitOperation(cirq.FrozenCircuit(inner.with_qubit_mapping({b: c}).repeat(2), cirq.H(a)))
    circuit = cirq.Circuit(
        outer, inner.with_tags("tag"), outer.with_qubit_mapping({a: b, c: a}), cirq.I(c), inner.repeat(0)
    )
    plain = cirq.Circuit(cirq.decompose(circuit), cirq.I(c))
    assert_same_state(plain)
    assert_read_alike(circuit + cirq.measure(a, b, c, key="z"))
