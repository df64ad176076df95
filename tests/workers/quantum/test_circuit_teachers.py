"""Circuits that teach: exact values are Qiskit's, those of shots are honest draws, and a grid of nodes says it all."""

import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.quantum_info import SparsePauliOp, Statevector

from qstill.contract.circuits.job import CircuitJob
from qstill.contract.distillations.teachers.circuit import CircuitTeacher
from qstill.contract.errors import Problem
from tests.testing.examples import examples
from tests.testing.refusals import problem_of
from workers.circuits.planning import plan_circuits
from workers.circuits.program import Ask
from workers.circuits.route import simulate
from workers.distillation.networks.fourier import Waves
from workers.distillation.training.solution import Solution, grid, solved_on_grid
from workers.quantum.measurements import measurements_of
from workers.quantum.observables import sums_of
from workers.quantum.teachers.frequencies import frequencies_of
from workers.quantum.teachers.opened import start_of
from workers.quantum.teachers.values import CircuitValues

Z0 = {"terms": [{"paulis": "Z", "qubits": [0], "coefficient": 1.0}]}
STD = 'OPENQASM 3.0; include "stdgates.inc"; '
NOISE = {"model": "depolarizing", "one_qubit": 0.01, "two_qubit": 0.05}


MAXCUT = {"format": "template", "template": {"name": "maxcut", "layers": 1}}


def teacher(source: str, inputs: Sequence[str] = ("x0",), **given: Any) -> CircuitTeacher:
    body = {"source": "circuit", "circuit": {"format": "openqasm3", "source": source}, "inputs": inputs}
    return CircuitTeacher.model_validate_json(json.dumps(body | {"observables": [Z0]} | given))


def program(gates: str, inputs: Sequence[str] = ("x0",), qubits: int = 2) -> str:
    declared = " ".join(f"input float[64] {name};" for name in inputs)
    return f"{STD}{declared} qubit[{qubits}] q; {gates}"


def values(*about: Any, **given: Any) -> CircuitValues:
    return CircuitValues(teacher(*about, **given), threads=1)


@st.composite
def sources(draw: st.DrawFn) -> tuple[str, int, list[Any]]:
    """(program, inputs, observables): gates on three qubits, inputs in angles with slopes that are whole numbers."""
    count = draw(st.integers(1, 2))
    lines = []
    for name in [*range(count), *draw(st.lists(st.integers(0, count - 1), max_size=2))]:
        gate = draw(st.sampled_from(["rx", "ry", "rz", "p"]))
        slope, offset = draw(st.sampled_from([1, 2, -1])), draw(st.floats(-2, 2))
        lines.append(f"{gate}({slope}*x{name} + {offset:.3f}) q[{draw(st.integers(0, 2))}];")
    for _ in range(draw(st.integers(2, 6))):
        first, second = draw(st.permutations(range(3)))[:2]
        lines.append(draw(st.sampled_from([f"h q[{first}];", f"ry(0.7) q[{first}];", f"cx q[{first}], q[{second}];"])))
    lines = draw(st.permutations(lines))
    letters = st.text("IXYZ", min_size=3, max_size=3)
    return (
        program(" ".join(lines), [f"x{n}" for n in range(count)], 3),
        count,
        draw(st.lists(letters, min_size=1, max_size=2)),
    )


@settings(max_examples=examples(30), deadline=None)
@given(sources(), st.integers(0, 1000))
def test_a_sum_solved_on_the_grid_is_the_circuit_everywhere_and_has_no_other_frequency(
    drawn: tuple[str, int, list[Any]], seed: int
) -> None:
    source, count, observables = drawn
    circuit = values(source, [f"x{n}" for n in range(count)], observables=observables)
    found = circuit.frequencies()
    rows = torch.rand(7, count, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)) * 20 - 10
    more = [highest + 1 for highest in found.highest]
    for highest in (found.highest, more):
        nodes = grid(highest, found.units)
        coefficients = solved_on_grid(circuit.exact(nodes), highest)
        said = Waves(highest)(rows * torch.tensor(found.units, dtype=torch.float64)) @ coefficients
        torch.testing.assert_close(said, circuit.exact(rows), rtol=0, atol=1e-12)
    tensor = coefficients.reshape(*(2 * each + 1 for each in more), -1)
    for axis, last in enumerate(more):
        for beyond in (last, 2 * last):  # the last cosine and the last sine
            assert tensor.select(axis, beyond).abs().max() < 1e-12


@settings(max_examples=examples(20), deadline=None)
@given(sources(), st.integers(0, 1000))
def test_exact_values_are_those_of_qiskit(drawn: tuple[str, int, list[Any]], seed: int) -> None:
    source, count, observables = drawn
    names = [f"x{n}" for n in range(count)]
    circuit = values(source, names, observables=observables)
    rows = torch.rand(3, count, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)) * 6
    bare = circuit.circuit.remove_final_measurements(inplace=False)
    for row, said in zip(rows.tolist(), circuit.exact(rows).tolist(), strict=True):
        bound = bare.assign_parameters(dict(zip(names, row, strict=True)))
        state = Statevector(bound)
        expected = [state.expectation_value(SparsePauliOp(letters)).real for letters in observables]
        np.testing.assert_allclose(said, expected, atol=1e-12)


@settings(max_examples=examples(12), deadline=None)
@given(sources(), st.integers(0, 1 << 40))
def test_values_of_shots_are_within_their_errors_and_repeat_with_the_seed(
    drawn: tuple[str, int, list[Any]], seed: int
) -> None:
    source, count, observables = drawn
    names = [f"x{n}" for n in range(count)]
    rows = torch.linspace(-3, 3, 4 * count, dtype=torch.float64).reshape(4, count)
    circuit = values(source, names, observables=observables, shots=2000, seed=seed)
    said, exact = circuit.asked(rows), circuit.exact(rows)
    spread = ((1 - exact.square()).clamp(min=0) / 2000).sqrt()
    assert ((said.values - exact).abs() <= 6 * spread + 1e-12).all()
    torch.testing.assert_close(said.variances.sqrt(), spread, rtol=0.3, atol=6e-3)
    turned = circuit.asked(rows.flip(0))  # in whatever order
    assert torch.equal(turned.values.flip(0), said.values)
    other = values(source, names, observables=observables, shots=2000, seed=seed + 1).asked(rows)
    assert torch.equal(other.values, said.values) == bool((spread < 1e-9).all())


def test_strings_that_can_be_read_together_share_their_shots() -> None:
    sums = [{"terms": [{"paulis": letters, "coefficient": 0.5} for letters in ("ZI", "IZ", "ZZ", "XX", "II")]}, "XI"]
    circuit = values(program("ry(x0) q[0]; cx q[0], q[1];"), observables=sums, shots=4000)
    assert (circuit.circuits, circuit.shots) == (2, 8000)
    rows = torch.tensor([[0.4], [2.0]], dtype=torch.float64)
    torch.testing.assert_close(circuit.asked(rows).values, circuit.exact(rows), rtol=0, atol=0.06)
    assert [each.basis for each in measurements_of(sums_of(circuit.spec.observables, 2))] == [
        {0: "Z", 1: "Z"},
        {0: "X", 1: "X"},
    ]


def test_what_is_reset_or_measured_on_the_way_has_exact_values() -> None:
    circuit = values(program("ry(x0) q[0]; bit b; b = measure q[0]; reset q[0]; ry(x0) q[0]; cx q[0], q[1];"))
    rows = torch.linspace(-2, 2, 5, dtype=torch.float64)[:, None]
    torch.testing.assert_close(circuit.exact(rows), rows.cos(), rtol=0, atol=1e-12)


@pytest.mark.parametrize("shots", [None, 2000])
def test_more_qubits_than_all_rows_have_room_for_are_run_row_by_row(
    shots: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = program("rx(x0) q[0]; cx q[0], q[1]; ry(x0) q[1];")
    rows = torch.tensor([[0.3], [2.5]], dtype=torch.float64)
    together = values(source, observables=["YZ", "ZI"], shots=shots)
    monkeypatch.setattr("workers.quantum.teachers.values.MAX_NUMBERS", 8)
    alone = values(source, observables=["YZ", "ZI"], shots=shots)
    assert alone.judged_by == "exact"
    torch.testing.assert_close(alone.exact(rows), together.exact(rows), rtol=0, atol=1e-12)
    torch.testing.assert_close(alone.asked(rows).values, alone.exact(rows), rtol=0, atol=0.1 if shots else 1e-12)


TELEPORTED = (
    "ry(x0) q[0]; h q[1]; cx q[1], q[2]; cx q[0], q[1]; h q[0]; bit a; bit b; a = measure q[0]; b = measure q[1]; "
    "if (b) { x q[2]; } if (a) { z q[2]; }"
)


def test_a_circuit_that_decides_by_what_it_measures_is_run_for_each_row() -> None:
    z2 = {"terms": [{"paulis": "Z", "qubits": [2], "coefficient": 2.0}, {"paulis": "X", "qubits": [2]}]}
    circuit = values(program(TELEPORTED, qubits=3), observables=[z2], shots=4000, seed=5)
    rows = torch.tensor([[0.3], [1.9]], dtype=torch.float64)
    said = circuit.asked(rows)
    torch.testing.assert_close(said.values, 2 * rows.cos() + rows.sin(), rtol=0, atol=0.15)
    assert circuit.judged_by == "teacher"
    assert torch.equal(circuit.asked(rows).values, said.values)
    assert circuit.frequencies().highest == (1,)
    refused = problem_of(values, program(TELEPORTED, qubits=3))
    assert (refused.code, refused.pointer) == ("no_exact_value", "/shots")


@pytest.mark.parametrize("shots", [None, 4000])
def test_noise_is_that_of_circuit_jobs(shots: int | None) -> None:
    source = program("ry(x0) q[0]; cx q[0], q[1]; rx(x0) q[1]; cx q[1], q[0];")
    observables: list[Any] = [Z0, "XX"]
    circuit = values(source, observables=observables, noise=NOISE, shots=shots)
    said = circuit.asked(torch.tensor([[0.8]], dtype=torch.float64)).values[0]
    body = {
        "circuit": {"format": "openqasm3", "source": source}, "bindings": [{"x0": 0.8}], "noise": NOISE, "seed": 0,
        "observables": observables, "method": "density_matrix",
    }  # fmt: skip
    (planned,) = plan_circuits(CircuitJob.model_validate_json(json.dumps(body)))
    expected = [mean.value for mean in simulate(planned.routed, Ask(shots=1, seed=0))[0].expectations]
    if shots is None:
        np.testing.assert_allclose(said, expected, atol=1e-12)
    else:  # the gates that turn X to Z have errors of their own
        np.testing.assert_allclose(said, np.array(expected) * [1, 0.98], atol=0.07)


def test_slopes_that_are_no_whole_numbers_have_a_unit_of_their_own() -> None:
    crossed = QuantumCircuit(2)
    x, y = Parameter("x"), Parameter("y")
    crossed.h(0)
    crossed.crx(x, 0, 1)
    crossed.rx(math.pi * y, 1)
    found = frequencies_of(crossed, ["x", "y"])
    assert (found.highest, found.units) == ((2, 1), (0.5, math.pi))
    assert found.within([2, 3], [0.5, math.pi])
    assert not found.within([1, 1], [0.5, math.pi])
    assert not found.within([2, 1], [1.0, math.pi])


def test_loops_repeat_and_branches_add_up() -> None:
    inner, circuit = QuantumCircuit(1), QuantumCircuit(1, 1)
    x = Parameter("x")
    inner.rx(x, 0)
    circuit.for_loop(range(3), None, inner, [0], [])
    circuit.measure(0, 0)
    circuit.if_else((circuit.clbits[0], 1), inner, inner, [0], [])
    assert frequencies_of(circuit, ["x"]).highest == (5,)


@pytest.mark.parametrize(
    ("angle", "words"),
    [("x0*x0", "not linear"), ("sin(x0)", "not linear"), ("x0*x1", "not linear")],
)
def test_angles_that_are_not_linear_have_no_spectrum(angle: str, words: str) -> None:
    circuit = values(program(f"ry({angle}) q[0]; rz(x0 + x1) q[0];", ["x0", "x1"]), ["x0", "x1"])
    with pytest.raises(Problem, match=words) as refused:
        circuit.frequencies()
    assert refused.value.code == "not_periodic"
    assert {way["architecture"]["kind"] for way in refused.value.ways_out} == {"fourier", "mlp"}


def test_slopes_without_a_common_measure_have_no_spectrum() -> None:
    with pytest.raises(Problem, match="no common measure"):
        values(program("ry(x0) q[0]; h q[0]; ry(1.41421356*x0) q[0];")).frequencies()


@pytest.mark.parametrize(
    ("inputs", "code", "pointer", "way_out"),
    [
        (["x0", "x2"], "unused_input", "/inputs/1", ["x0", "x1"]),
        (["x0"], "free_parameter", "/inputs", ["x0", "x1"]),
    ],
)
def test_the_circuits_parameters_are_its_inputs(inputs: list[str], code: str, pointer: str, way_out: list[str]) -> None:
    refused = problem_of(values, program("ry(x0) q[0]; rz(x1) q[0];", ["x0", "x1", "x2"]), inputs)
    assert (refused.code, refused.pointer) == (code, pointer)
    assert refused.ways_out == [{"inputs": way_out}]


@settings(max_examples=examples(20))
@given(st.lists(st.integers(0, 2), min_size=2, max_size=3), st.integers(0, 1000))
def test_ranks_are_those_of_products_and_noise_adds_none(highest: list[int], seed: int) -> None:
    assume(sum(highest) > 0)
    draw = torch.Generator().manual_seed(seed)
    parts = [torch.randn(2 * each + 1, generator=draw, dtype=torch.float64) for each in highest]
    product = parts[0]
    for each in parts[1:]:
        product = (product[:, None] * each).flatten()
    nodes = Waves(highest)(grid(highest, [1.0] * len(highest))) @ product[:, None]
    ranks = [1] * (len(highest) - 1)
    assert Solution(tuple(highest), solved_on_grid(nodes, highest), (nodes, nodes)).ranks() == ranks
    noisy = nodes + 1e-3 * torch.randn(nodes.shape, generator=draw, dtype=torch.float64)
    found = Solution(tuple(highest), solved_on_grid(noisy, highest), (nodes, noisy), spread=1.5e-3).ranks()
    assert all(rank <= 1 for rank in found)


@settings(max_examples=examples(20))
@given(st.lists(st.integers(0, 3), min_size=1, max_size=3), st.integers(0, 1000))
def test_squared_weights_of_the_nodes_add_up_to_one(highest: list[int], seed: int) -> None:
    """So that a value anywhere has the variance of a node's, which the report's standard error rests on."""
    draw = torch.Generator().manual_seed(seed)
    rows = torch.rand(5, len(highest), generator=draw, dtype=torch.float64) * 9
    nodes = len(grid(highest, [1.0] * len(highest)))
    weights = Waves(highest)(rows) @ solved_on_grid(torch.eye(nodes, dtype=torch.float64), highest)
    torch.testing.assert_close(weights.square().sum(1), torch.ones(5, dtype=torch.float64), rtol=0, atol=1e-12)


def test_an_observable_has_only_the_frequencies_of_its_past() -> None:
    source = program("ry(x0) q[0]; ry(x1) q[1]; rz(x0) q[0];", ["x0", "x1"])
    found = [values(source, ["x0", "x1"], observables=[each]).frequencies().highest for each in ("IZ", "IX", "ZI")]
    assert found == [(1, 0), (2, 0), (0, 1)]  # a rotation about Z moves no Z


def test_a_template_is_a_teacher_of_its_own_angles_and_cost() -> None:
    asked = CircuitTeacher.model_validate({"source": "circuit", "circuit": MAXCUT})
    assert asked.parameters == ["beta0", "gamma0"]
    found = CircuitValues(asked, threads=1)
    assert found.names == ["cost"]
    sums = found.frequencies()
    assert sums.highest == (2, 7)  # of an edge whose ends have four edges each: seven, itself among them
    nodes = grid(sums.highest, sums.units)
    coefficients = solved_on_grid(found.exact(nodes), sums.highest)
    rows = torch.rand(5, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * 6 - 3
    said = Waves(sums.highest)(rows * torch.tensor(sums.units, dtype=torch.float64)) @ coefficients
    torch.testing.assert_close(said, found.exact(rows), rtol=0, atol=1e-10)
    turned = CircuitTeacher.model_validate({"source": "circuit", "circuit": MAXCUT, "inputs": ["gamma0", "beta0"]})
    torch.testing.assert_close(CircuitValues(turned, threads=1).exact(rows.flip(1)), found.exact(rows))
    assert start_of(turned) == start_of(asked)[::-1]  # type: ignore[index]
