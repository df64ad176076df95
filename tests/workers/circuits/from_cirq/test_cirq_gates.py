"""Cirq's JSON means what Cirq says it means."""

import json
from typing import Any

import cirq
import cirq_ionq
import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit.quantum_info import Operator

from qstill.contract.circuits.admission import Limits, admit
from qstill.contract.circuits.job import CircuitJob
from tests.testing.circuits.sampling import sample
from tests.testing.examples import examples
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
    lambda a, b, c: cirq.DiagonalGate([a, b]),
    lambda a, b, c: cirq.DiagonalGate([a, b, c, 0] * 4),
    lambda a, b, c: cirq.QuantumFourierTransformGate(3, without_reverse=a > 0),
    lambda a, b, c: cirq.inverse(cirq.QuantumFourierTransformGate(2)),
    lambda a, b, c: cirq.PhaseGradientGate(num_qubits=3, exponent=a),
    lambda a, b, c: cirq.inverse(cirq.QubitPermutationGate([1, 2, 0])),
    lambda a, b, c: cirq.QubitPermutationGate([3, 1, 0, 2]),
    lambda a, b, c: cirq.circuits.qasm_output.QasmUGate(a, b, c),
    lambda a, b, c: cirq.UniformSuperpositionGate(1 + int(abs(5 * a)) % 8, 3),
    lambda a, b, c: cirq.BooleanHamiltonianGate(["x", "y"], ["~x & y", "(x | y) ^ x"], a),
    lambda a, b, c: cirq.PauliInteractionGate(cirq.X, a > 0, cirq.Y, b > 0),
    lambda a, b, c: cirq.PauliStringPhasorGate(cirq.DensePauliString("XIZ"), exponent_neg=a, exponent_pos=b),
    lambda a, b, c: cirq.DensePauliString("XYZ", coefficient=1j),
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
    lambda e: cirq.TwoQubitDiagonalGate([e, 1, 2 * e, 0.3]),
    lambda e: cirq.ThreeQubitDiagonalGate([e, 1, 2 * e, 0.3, 0, -e, 0.1, 0.2]),
    lambda e: cirq.DiagonalGate([0.2, e]),
    lambda e: cirq.PhaseGradientGate(num_qubits=2, exponent=e),
    lambda e: cirq.PauliStringPhasorGate(cirq.DensePauliString("XY"), exponent_neg=e, exponent_pos=2 * e),
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
    if len(values) == 2 and draw(st.booleans()):
        states = draw(st.sets(st.tuples(*[st.integers(0, 1)] * 2), min_size=1))
        return cirq.ControlledGate(gate, control_values=cirq.SumOfProducts(sorted(states)))
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


@settings(max_examples=examples(60))
@given(cirq_circuits())
def test_a_circuit_of_cirq_is_the_unitary_that_cirq_computes(circuit: Any) -> None:
    text = cirq.to_json(circuit)
    assert same_up_to_phase(text, cirq.read_json(json_text=text))  # angles of QasmUGate may leave as 2 and return as 0


@pytest.mark.slow
@settings(max_examples=examples(1_000))
@given(cirq_circuits())
def test_whatever_cirq_writes_is_the_unitary_that_it_computes(circuit: Any) -> None:
    text = cirq.to_json(circuit)
    assert same_up_to_phase(text, cirq.read_json(json_text=text))


@pytest.mark.parametrize("power", POWERS)
def test_a_controlled_gate_keeps_its_global_phase(power: Any) -> None:
    gate = power(exponent=0.3, global_shift=0.4)
    qubits = cirq.LineQubit.range(1 + cirq.num_qubits(gate))
    circuit = cirq.Circuit(gate(*qubits[1:]).controlled_by(qubits[0], control_values=[0]))
    assert same_up_to_phase(json.loads(cirq.to_json(circuit)), circuit)


@settings(max_examples=examples(60))
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
