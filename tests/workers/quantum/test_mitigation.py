"""Mitigation gives back what depolarizing noise took, and changes nothing where there is none."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.quantum_info import Clifford, Operator

from qstill.contract.distillations.mitigation import ZeroNoise
from qstill.contract.distillations.teachers.circuit import CircuitTeacher
from tests.testing.examples import examples
from tests.testing.refusals import errors_of, problem_of
from workers.quantum.mitigate import KEPT, STEPS, extrapolated, folded, gains_of, near_clifford, telling
from workers.quantum.teachers.values import CircuitValues

FITS = ["linear", "richardson", "exponential"]
GAINS = {"kind": "clifford_gains", "variants": 4}
GATES = [("xx", "x0"), ("zz", 0.4), ("yy", "x1"), ("xx", 0.9), ("zz", "x0")]
CIRCUIT = {
    "format": "json",
    "qubits": 2,
    "operations": [{"gate": gate, "targets": [0, 1], "rotation": angle} for gate, angle in GATES],
}
MIDWAY = 'OPENQASM 3.0; include "stdgates.inc"; input float x0; input float x1; qubit[2] q; ry(x0) q[0]; ry(x1) q[1]; '
OBSERVABLES: list[Any] = [{"terms": [{"paulis": letters}]} for letters in ("ZI", "IZ", "ZZ")]


def zne(fit: Any = "linear", scales: list[int] | None = None) -> dict[str, Any]:
    return {"kind": "zne", "fit": fit, "scales": scales or [1, 3, 5]}


def values(mitigation: Any, two_qubit: float = 0.01, one_qubit: float = 0.0, **changes: Any) -> CircuitValues:
    body = {
        "source": "circuit",
        "circuit": CIRCUIT,
        "inputs": ["x0", "x1"],
        "observables": OBSERVABLES,
        "noise": {"model": "depolarizing", "one_qubit": one_qubit, "two_qubit": two_qubit},
        "mitigation": mitigation,
    }
    return CircuitValues(CircuitTeacher.model_validate(body | changes), threads=1)


ROWS = torch.tensor([[0.3, 1.1], [-0.8, 0.6]], dtype=torch.float64)


@pytest.mark.parametrize("mitigation", [*map(zne, FITS), GAINS], ids=[*FITS, "gains"])
@pytest.mark.parametrize("shots", [None, 400])
def test_without_noise_it_changes_nothing_but_shot_noise(mitigation: Any, shots: int | None) -> None:
    circuit = values(mitigation, two_qubit=0.0, shots=shots, seed=3)
    said, exact = circuit.asked(ROWS), circuit.exact(ROWS)
    off = (said.values - exact).abs()
    assert float(off.max()) <= (1e-9 if shots is None else 6 * float(said.variances.max().sqrt()) + 0.2)


@pytest.mark.parametrize("two_qubit", [0.002, 0.02])
def test_noise_of_all_qubits_together_is_taken_back_as_far_as_theory_says(two_qubit: float) -> None:
    """After gates on both qubits only, depolarizing noise leaves a share f of every value: f^scale of a folded one."""
    decay = -len(GATES) * math.log(1 - two_qubit)  # -ln f
    exact = values(None).exact(ROWS)

    def off(mitigation: Any) -> float:
        return float(((values(mitigation, two_qubit).asked(ROWS).values - exact) / exact).abs().max())

    before = off(None)
    assert before == pytest.approx(1 - math.exp(-decay))
    assert off(zne("exponential")) < 1e-9
    assert off(GAINS) < 1e-9
    assert off(zne("richardson")) <= decay**3 / 6 * 15 + 1e-9  # the remainder of a polynomial through 1, 3 and 5
    assert off(zne("linear")) <= decay**2 / 2 * 11 + 1e-9
    assert off(zne("richardson")) < off(zne("linear")) < before


def test_shots_are_counted_and_repeat_with_their_seed() -> None:
    measured = values(zne(), shots=100, seed=5)
    assert (measured.circuits, measured.shots, measured.circuits_before) == (3, 300, 0)
    by_gains = values(GAINS, shots=100, seed=5)
    assert (by_gains.circuits, by_gains.shots, by_gains.circuits_before) == (1, 100, 4)
    for circuit, mitigation in ((measured, zne()), (by_gains, GAINS)):
        said = circuit.asked(ROWS)
        assert torch.equal(values(mitigation, shots=100, seed=5).asked(ROWS.flip(0)).values.flip(0), said.values)
        assert not torch.equal(values(mitigation, shots=100, seed=6).asked(ROWS).values, said.values)
        assert circuit.unmitigated().shots == circuit.shots


def test_said_variances_are_those_of_repetition() -> None:
    found = [values(zne("richardson"), shots=50, seed=seed).asked(ROWS[:1]) for seed in range(20)]
    spread = torch.stack([each.values[0] for each in found]).var(0)
    said = torch.stack([each.variances[0] for each in found]).mean(0)
    assert ((spread / said).log().abs() < math.log(3)).all()


@settings(max_examples=examples(15), deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([1, 3, 5]))
def test_a_folded_circuit_does_the_same_in_as_many_times_its_gates(seed: int, scale: int) -> None:
    draw = np.random.default_rng(seed)
    circuit = QuantumCircuit(3, global_phase=0.3)
    for _ in range(6):
        circuit.u(*draw.uniform(-3, 3, 3), int(draw.integers(3)))
        circuit.sx(int(draw.integers(3)))
        circuit.cx(*map(int, draw.permutation(3)[:2]))
    bare, longer = folded(circuit, scale), circuit.copy()
    assert Operator(bare) == Operator(circuit)
    assert bare.size() == scale * circuit.size()
    longer.measure_all()
    counted = folded(longer, scale)
    assert counted.count_ops()["measure"] == 3
    assert counted.data[-1].operation.name == "measure"


@settings(max_examples=examples(25))
@given(st.integers(0, 10_000), st.floats(0.3, 0.99), st.sampled_from(FITS), st.sampled_from([[1, 3], [1, 3, 5, 7]]))
def test_no_decay_is_left_alone_and_the_right_one_is_undone(seed: int, f: float, fit: Any, scales: list[int]) -> None:
    draw, asked = np.random.default_rng(seed), ZeroNoise(kind="zne", scales=scales, fit=fit)
    truth = draw.uniform(-1, 1, (4, 2))
    steady = np.broadcast_to(truth, (len(scales), 4, 2))
    found, _ = extrapolated(steady, np.zeros_like(steady), asked)
    np.testing.assert_allclose(found, truth, atol=1e-9)
    decay = np.array(scales)[:, None, None]
    curve = {"linear": truth * (1 - (1 - f) * decay), "exponential": truth * f**decay}
    curve["richardson"] = curve["linear"]
    found, spread = extrapolated(curve[fit], np.zeros_like(steady), asked)
    np.testing.assert_allclose(found, truth, atol=1e-7)
    assert not spread.any()


@settings(max_examples=examples(15), deadline=None)
@given(st.integers(0, 10_000))
def test_a_variant_has_the_same_gates_and_few_that_are_not_clifford(seed: int) -> None:
    draw = np.random.default_rng(seed)
    circuit = QuantumCircuit(3)
    for _ in range(12):
        circuit.u(*draw.uniform(-3, 3, 3), 0)
        circuit.crx(float(draw.uniform(-3, 3)), 0, 1)
        circuit.rzz(float(draw.uniform(-3, 3)), 1, 2)
    variant = near_clifford(circuit, np.random.default_rng(seed))
    assert [each.operation.name for each in variant.data] == [each.operation.name for each in circuit.data]
    left = 0
    for before, after in zip(circuit.data, variant.data, strict=True):
        step = STEPS[after.operation.name]
        turns = np.array([float(angle) / step for angle in after.operation.params])
        moved = np.abs(turns * step - np.array(before.operation.params, dtype=float))
        assert (moved < step).all()
        left += int((np.abs(turns - np.round(turns)) > 1e-9).sum())
        if np.allclose(turns, np.round(turns)):
            Clifford(after.operation)  # raises where it is none
    assert left == KEPT
    assert near_clifford(circuit, np.random.default_rng(seed)) == variant


def test_gains_are_one_over_what_is_left_and_1_where_nobody_knows() -> None:
    ideal = np.array([[1.0, 0.5, 0.0], [-1.0, 0.2, 0.0]])
    none = np.zeros_like(ideal)
    np.testing.assert_allclose(gains_of(ideal, ideal * [0.5, 0.8, 1], none)[:2], [2, 1.25])
    np.testing.assert_allclose(gains_of(ideal, ideal * 0.5, none), 2)  # that of all together for the third
    np.testing.assert_allclose(gains_of(ideal, ideal * 0.5, none + 100), 1)
    np.testing.assert_allclose(gains_of(0 * ideal, none, none), 1)
    assert telling(ideal, 1) == [0]


def test_what_cannot_be_mitigated_is_refused() -> None:
    for noise in (None, {"model": "ideal"}):
        body = values(None).spec.model_dump(mode="json") | {"mitigation": zne(), "noise": noise}
        (refused,) = errors_of(CircuitTeacher.model_validate, body)
        assert (refused["type"], refused["loc"]) == ("nothing_to_mitigate", ("mitigation",))
    (refused,) = errors_of(ZeroNoise.model_validate, zne(scales=[1, 2]))
    assert (refused["type"], refused["loc"]) == ("not_odd", ("scales", 1))
    (refused,) = errors_of(ZeroNoise.model_validate, zne(scales=[1, 1]))
    assert (refused["type"], refused["loc"]) == ("named_twice", ("scales", 1))
    for midway in ("bit b; b = measure q[0]; x q[0];", "reset q[0];"):
        caught = problem_of(values, zne(), circuit={"format": "openqasm3", "source": MIDWAY + midway}, shots=10)
        assert (caught.code, caught.pointer) == ("not_a_unitary", "/mitigation")
