"""Circuits in torch are those of Qiskit: their states, expectation values and gradients, for every gate."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.circuit import Gate, Parameter, ParameterVector
from qiskit.circuit import library as gates
from qiskit.quantum_info import SparsePauliOp, Statevector, random_unitary

from qstill.contract.errors import Problem
from tests.testing.examples import examples
from workers.quantum.circuit import DifferentiableCircuit
from workers.quantum.lower import GATES, lower
from workers.quantum.operations import Phases, Shuffle, Turns

DOUBLE = torch.float64

ALL: dict[str, tuple[Callable[..., Gate], int, int]] = {
    **{name: (make, 1, 1) for name, make in (("rx", gates.RXGate), ("ry", gates.RYGate), ("rz", gates.RZGate))},
    **{name: (make, 1, 1) for name, make in (("p", gates.PhaseGate), ("u1", gates.U1Gate))},
    **{name: (make, 2, 1) for name, make in (("r", gates.RGate), ("u2", gates.U2Gate))},
    **{name: (make, 3, 1) for name, make in (("u", gates.UGate), ("u3", gates.U3Gate))},
    **{make().name: (make, 0, 1) for make in (gates.HGate, gates.XGate, gates.YGate, gates.ZGate, gates.IGate)},
    **{make().name: (make, 0, 1) for make in (gates.SGate, gates.SdgGate, gates.TGate, gates.TdgGate)},
    **{make().name: (make, 0, 1) for make in (gates.SXGate, gates.SXdgGate)},
    **{make().name: (make, 0, 2) for make in (gates.CXGate, gates.CYGate, gates.CZGate, gates.CHGate, gates.CSGate)},
    **{make().name: (make, 0, 2) for make in (gates.SwapGate, gates.iSwapGate, gates.ECRGate, gates.DCXGate)},
    **{make().name: (make, 0, 2) for make in (gates.CSdgGate, gates.CSXGate)},
    **{make(0.1).name: (make, 1, 2) for make in (gates.CRXGate, gates.CRYGate, gates.CRZGate, gates.CPhaseGate)},
    **{make(0.1).name: (make, 1, 2) for make in (gates.RXXGate, gates.RYYGate, gates.RZZGate, gates.RZXGate)},
    **{make(0.1).name: (make, 1, 2) for make in (gates.CU1Gate,)},
    "cu": (gates.CUGate, 4, 2),
    "cu3": (gates.CU3Gate, 3, 2),
    **{make().name: (make, 0, 3) for make in (gates.CCXGate, gates.CCZGate, gates.CSwapGate, gates.RCCXGate)},
    "mcphase": (lambda angle: gates.MCPhaseGate(angle, 3), 1, 4),
    "mcx": (lambda: gates.MCXGate(4), 0, 5),
}


@st.composite
def circuits(draw: st.DrawFn) -> tuple[QuantumCircuit, dict[Parameter, float]]:
    """A random circuit, half of its angles parameters, and their values."""
    qubits = draw(st.integers(5, 9))
    circuit, values = QuantumCircuit(qubits), {}
    angle = st.floats(-math.pi, math.pi)
    for _ in range(draw(st.integers(1, 25))):
        make, count, width = ALL[draw(st.sampled_from(sorted(ALL)))]
        given_: list[Any] = []
        for _ in range(count):
            value = draw(angle)
            if draw(st.booleans()):
                parameter = Parameter(f"w{len(values):03}")
                values[parameter] = value
                given_.append(2 * parameter - 0.25 if draw(st.booleans()) else parameter)
            else:
                given_.append(value)
        circuit.append(make(*given_), draw(st.permutations(range(qubits)))[:width])
    return circuit, values


def weights_of(module: DifferentiableCircuit, values: dict[Parameter, float]) -> torch.Tensor:
    by_name = {parameter.name: value for parameter, value in values.items()}
    return torch.tensor([[by_name[name] for name in module.weights]], dtype=module.precision)


@settings(max_examples=examples(25))
@given(circuits())
def test_states_are_those_of_qiskit(drawn: tuple[QuantumCircuit, dict[Parameter, float]]) -> None:
    circuit, values = drawn
    expected = Statevector(circuit.assign_parameters(values)).data
    for precision, distance in ((DOUBLE, 1e-12), (torch.float32, 2e-6)):
        module = DifferentiableCircuit(circuit, sums=[], precision=precision)
        found = module.states(weights_of(module, values))[0, :, 0].numpy()
        assert np.abs(np.abs(found) ** 2 - np.abs(expected) ** 2).max() < distance
        assert abs(abs(np.vdot(found, expected)) - 1) < distance  # a global phase is dropped


@pytest.mark.parametrize("name", sorted(GATES))
def test_every_gate_of_the_table_is_qiskits(name: str) -> None:
    make, count, width = ALL.get(name) or (gates.C3XGate, 0, 4)
    circuit = QuantumCircuit(max(width, 3))
    for qubit in range(circuit.num_qubits):
        circuit.u(0.3 + qubit, 0.7, -0.4, qubit)
    circuit.append(make(*np.linspace(0.3, 1.9, count)), range(width))
    for qubit in range(circuit.num_qubits):
        circuit.u(0.5, qubit, 0.9, qubit)
    module = DifferentiableCircuit(circuit, sums=[], precision=DOUBLE)
    found = module.states(torch.zeros(1, 0, dtype=DOUBLE))[0, :, 0].numpy()
    assert abs(np.vdot(found, Statevector(circuit).data)) == pytest.approx(1, abs=1e-12)


@settings(max_examples=examples(10))
@given(circuits(), st.data())
def test_expectation_values_and_gradients_are_those_of_finite_differences(
    drawn: tuple[QuantumCircuit, dict[Parameter, float]], data: st.DataObject
) -> None:
    circuit, values = drawn
    letters = st.text("IXYZ", min_size=circuit.num_qubits, max_size=circuit.num_qubits)
    terms_of_one = st.dictionaries(letters, st.floats(-2, 2), min_size=1, max_size=3)
    sums = data.draw(st.lists(terms_of_one, min_size=1, max_size=3))
    module = DifferentiableCircuit(circuit, sums=sums, precision=DOUBLE)
    weights = weights_of(module, values).requires_grad_()
    found = module(weights)[0, 0]
    state = Statevector(circuit.assign_parameters(values))
    expected = [state.expectation_value(SparsePauliOp.from_list([*terms.items()])).real for terms in sums]
    np.testing.assert_allclose(found.detach().numpy(), expected, atol=1e-11)
    if not module.weights:
        return
    (gradient,) = torch.autograd.grad(found.sum(), weights)
    step = 1e-5
    for place in range(weights.shape[1]):
        moved = weights.detach().repeat(2, 1)
        moved[0, place] += step
        moved[1, place] -= step
        high, low = module(moved).sum((1, 2))
        assert gradient[0, place].item() == pytest.approx(((high - low) / (2 * step)).item(), abs=1e-6)


def test_gradients_are_those_of_the_parameter_shift_rule() -> None:
    """Each angle of RY and RZ by π/2 to both sides (Mitarai and others 2018, arXiv:1803.00745), through Qiskit."""
    w = ParameterVector("w", 12)
    circuit = QuantumCircuit(3)
    for layer in range(2):
        for qubit in range(3):
            circuit.ry(w[6 * layer + qubit], qubit)
            circuit.rz(w[6 * layer + 3 + qubit], qubit)
        for qubit in range(3):
            circuit.cx(qubit, (qubit + 1) % 3)
    observable = {"ZIZ": 0.7, "IXY": -1.1}
    at = np.linspace(-2, 2, 12)

    def mean(values: Any) -> float:
        state = Statevector(circuit.assign_parameters(values))
        return float(state.expectation_value(SparsePauliOp.from_list([*observable.items()])).real)

    shifts = np.eye(12) * math.pi / 2
    expected = [(mean(at + shift) - mean(at - shift)) / 2 for shift in shifts]
    module = DifferentiableCircuit(circuit, sums=[observable], precision=DOUBLE)
    weights = torch.tensor(at[None]).requires_grad_()
    module(weights).sum().backward()
    assert weights.grad is not None
    np.testing.assert_allclose(weights.grad[0].numpy(), expected, atol=1e-12)


def reuploading(qubits: int) -> QuantumCircuit:
    """Inputs in rotations about all axes, alone, sums with weights and products with weights."""
    x, w = ParameterVector("x", qubits), ParameterVector("w", 4 * qubits)
    circuit = QuantumCircuit(qubits)
    for qubit in range(qubits):
        circuit.ry(x[qubit], qubit)
        circuit.rx(x[qubit] + w[qubit], qubit)
        circuit.cx(qubit, (qubit + 1) % qubits)
        circuit.rz(x[qubit] * w[qubits + qubit], qubit)
        circuit.ry(w[2 * qubits + qubit], qubit)
        circuit.cry(x[qubit].sin() + w[3 * qubits + qubit], qubit, (qubit + 1) % qubits)
    return circuit


@pytest.mark.parametrize("qubits", [3, 8])
def test_each_row_has_its_own_inputs_and_each_set_its_own_weights(qubits: int) -> None:
    circuit = reuploading(qubits)
    inputs = [f"x[{number}]" for number in range(qubits)]
    sums = [{"Z" * qubits: 1.0}, {"I" * (qubits - 1) + "X": 1.0}]
    module = DifferentiableCircuit(circuit, inputs=inputs, sums=sums, precision=DOUBLE)
    draw = torch.Generator().manual_seed(1)
    weights = torch.randn(2, len(module.weights), generator=draw, dtype=DOUBLE).requires_grad_()
    rows = torch.randn(3, qubits, generator=draw, dtype=DOUBLE).requires_grad_()
    found = module(weights, rows)
    for s in range(2):
        for b in range(3):
            values = dict(zip(inputs, rows[b].tolist(), strict=True))
            values |= dict(zip(module.weights, weights[s].tolist(), strict=True))
            state = Statevector(circuit.assign_parameters({each: values[each.name] for each in circuit.parameters}))
            expected = [state.expectation_value(SparsePauliOp.from_list([*terms.items()])).real for terms in sums]
            np.testing.assert_allclose(found[s, b].detach().numpy(), expected, atol=1e-12)
    if qubits == 3:  # which evaluates twice for each number
        assert torch.autograd.gradcheck(module, (weights, rows), atol=1e-7)


def test_many_rows_are_computed_in_pieces_and_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = ["x[0]", "x[1]", "x[2]"]
    module = DifferentiableCircuit(reuploading(3), inputs=inputs, sums=[{"ZZZ": 1.0}], precision=DOUBLE)
    draw = torch.Generator().manual_seed(2)
    weights = torch.randn(2, len(module.weights), generator=draw, dtype=DOUBLE)
    rows = torch.randn(7, 3, generator=draw, dtype=DOUBLE)
    whole = module(weights, rows)
    monkeypatch.setattr("workers.quantum.circuit.ROWS_AT_ONCE", 16)
    torch.testing.assert_close(module(weights, rows), whole, rtol=0, atol=1e-12)


@pytest.mark.parametrize("qubits", [3, 8])
def test_each_set_may_have_rows_and_states_of_its_own(qubits: int, monkeypatch: pytest.MonkeyPatch) -> None:
    inputs, sums = [f"x[{number}]" for number in range(qubits)], [{"Z" * qubits: 1.0}]
    draw = torch.Generator().manual_seed(4)
    again = DifferentiableCircuit(reuploading(qubits), inputs=inputs, sums=sums, precision=DOUBLE)
    once = DifferentiableCircuit(reuploading(qubits), sums=sums, precision=DOUBLE)
    rows = torch.randn(2, 5, qubits, generator=draw, dtype=DOUBLE)
    states = torch.randn(2, 1 << qubits, 5, generator=draw, dtype=torch.complex128)
    for module, given_ in ((again, {"rows": rows}), (once, {"states": states})):
        weights = torch.randn(2, len(module.weights), generator=draw, dtype=DOUBLE)
        alone = torch.cat([module(weights[s : s + 1], **{name: of[s] for name, of in given_.items()}) for s in (0, 1)])
        torch.testing.assert_close(module(weights, **given_), alone, rtol=0, atol=1e-10)
        monkeypatch.setattr("workers.quantum.circuit.ROWS_AT_ONCE", 4 << qubits)
        torch.testing.assert_close(module(weights, **given_), alone, rtol=0, atol=1e-10)
        learned = module(weights.requires_grad_(), **given_)
        assert torch.equal(learned.detach(), module(weights.detach(), **given_))  # which keeps no state


def test_the_states_that_rows_begin_with_have_gradients() -> None:
    circuit = QuantumCircuit(2)
    circuit.ry(Parameter("w"), 0)
    circuit.cx(0, 1)
    module = DifferentiableCircuit(circuit, sums=[{"ZZ": 1.0}, {"XI": 0.5}], precision=DOUBLE)
    states = torch.randn(4, 3, dtype=torch.complex128, generator=torch.Generator().manual_seed(3)).requires_grad_()
    assert torch.autograd.gradcheck(lambda begin: module(torch.ones(1, 1, dtype=DOUBLE), states=begin), (states,))


def test_a_layer_of_rotations_and_a_ring_is_three_steps() -> None:
    w = ParameterVector("w", 24)
    circuit = QuantumCircuit(4)
    for layer in range(3):
        for qubit in range(4):
            circuit.ry(w[8 * layer + qubit], qubit)
            circuit.rz(w[8 * layer + 4 + qubit], qubit)
        for qubit in range(4):
            circuit.cx(qubit, (qubit + 1) % 4)
    assert [type(step) for step in lower(circuit).steps] == [Turns, Phases, Shuffle] * 3


def test_gates_of_ones_own_go_by_their_definition() -> None:
    inner = QuantumCircuit(2, name="mine")
    theta = Parameter("t")
    inner.ry(theta, 0)
    inner.append(gates.UnitaryGate(random_unitary(4, seed=5)), [1, 0])
    circuit = QuantumCircuit(3)
    circuit.h(range(3))
    circuit.append(inner.to_gate(), [2, 0])
    circuit.append(inner.to_gate().inverse(), [1, 2])
    module = DifferentiableCircuit(circuit, sums=[], precision=DOUBLE)
    found = module.states(torch.tensor([[0.6]], dtype=DOUBLE))[0, :, 0].numpy()
    assert abs(np.vdot(found, Statevector(circuit.assign_parameters({theta: 0.6})).data)) == pytest.approx(1, abs=1e-10)


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda circuit: circuit.reset(0), "reset"),
        (lambda circuit: (circuit.measure(0, 0), circuit.h(0)), "after it was measured"),
        (lambda circuit: circuit.if_test((circuit.clbits[0], 1), QuantumCircuit(1), [0], []), "if_else"),
    ],
)
def test_what_cannot_be_differentiated_is_refused_by_name(build: Callable[[Any], Any], words: str) -> None:
    circuit = QuantumCircuit(1, 1)
    build(circuit)
    with pytest.raises(Problem, match=words) as refused:
        lower(circuit)
    assert refused.value.code == "untrainable_gate"


def test_measurements_at_the_end_say_which_bit_is_whose() -> None:
    circuit = QuantumCircuit(2, 2)
    circuit.h(0)
    circuit.measure([0, 1], [1, 0])
    assert lower(circuit).measured == {0: 1, 1: 0}
