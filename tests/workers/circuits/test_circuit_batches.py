"""Batches and sweeps are their circuits one by one, single precision is nearly double, door and workers agree."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit.quantum_info import Statevector

from qstill.contract.circuits.cost.json_profile import profile_of
from qstill.contract.circuits.formats import JsonCircuit
from qstill.contract.circuits.job import CircuitJob
from qstill.contract.circuits.methods import plans
from qstill.contract.circuits.noise.named import as_custom
from qstill.contract.circuits.profile import Method, Wanted
from qstill.contract.errors import Problem
from tests.testing.circuits import exact
from tests.testing.circuits.circuit_strategies import circuits, operations, unitary
from tests.testing.circuits.exact import Noise, assert_sampled
from tests.testing.circuits.house import run_job
from tests.testing.circuits.program_strategies import Operations, noises, programs
from tests.testing.circuits.sampling import read
from tests.testing.examples import examples
from workers.circuits.engines import final_state, single
from workers.circuits.program import seeds

ANSATZ = {
    "format": "json",
    "qubits": 3,
    "operations": [
        {"gate": "ry", "targets": [0, 1, 2], "rotation": "a"},
        {"gate": "z", "target": 1, "control": 0, "rotation": "a/2"},
        {"gate": "x", "target": 2, "control": 1},
        {"gate": "gpi", "target": 0, "phase": "b"},
        {"gate": "rx", "targets": [0, 2], "rotation": "b + 0.1"},
    ],
}
angles = st.floats(-3, 3, allow_nan=False).map(lambda angle: round(angle, 3) + 0.0123)  # none of them Clifford
OBSERVABLE = {"terms": [{"paulis": "ZXZ"}, {"paulis": "Y", "qubits": [2], "coefficient": 0.3}]}


def json_circuit(qubits: int, gates: Operations) -> dict[str, Any]:
    return {"format": "json", "qubits": qubits, "operations": gates}


@settings(max_examples=examples(15))
@given(st.lists(programs(dynamic=True, conditions="any"), min_size=2, max_size=4), st.integers(0, 2**63 - 1))
def test_a_batch_is_its_circuits_alone(batch: list[tuple[int, Operations]], seed: int) -> None:
    written = [json_circuit(*program) for program in batch]
    entries, _ = run_job(circuits=written, seed=seed, shots=50, outputs=["memory"])
    assert len({entry["seed"] for entry in entries}) == len(entries)
    for circuit, entry in zip(written, entries, strict=True):
        ((alone,), _) = run_job(circuit, seed=entry["seed"], shots=50, outputs=["memory"])
        assert alone == entry


@settings(max_examples=examples(15))
@given(st.lists(st.tuples(angles, angles), min_size=1, max_size=5), st.booleans(), st.booleans())
def test_a_sweep_is_binding_by_hand(points: list[tuple[float, float]], noisy: bool, state: bool) -> None:
    bindings = [{"a": a, "b": b} for a, b in points]
    job: dict[str, Any] = {"shots": 200, "observables": [OBSERVABLE]}
    job |= {"noise": {"model": "depolarizing", "one_qubit": 0.1, "two_qubit": 0.1}} if noisy else {}
    job |= {"outputs": ["density_matrix", "probabilities"]} if state else {}
    entries, house = run_job(ANSATZ, bindings=bindings, **job)
    assert house.result["circuits" if len(points) > 1 else "object"]
    for index, (binding, entry) in enumerate(zip(bindings, entries, strict=True)):
        bound = [
            {
                name: _value(value, binding) if name in ("rotation", "phase") else value
                for name, value in operation.items()
            }
            for operation in ANSATZ["operations"]
        ]
        ((alone,), own) = run_job(json_circuit(3, bound), seed=entry["seed"], **job)
        assert alone["counts"] == entry["counts"]
        assert entry["binding"] == binding
        assert "binding" not in alone
        for mine, others in zip(alone["expectations"], entry["expectations"], strict=True):
            assert mine == pytest.approx(others, abs=1e-9)
            assert others["shot_noise"] > 0
        if state:
            np.testing.assert_allclose(
                own.arrays["density_matrix-0"], house.arrays[f"density_matrix-{index}"], atol=1e-9
            )


def _value(text: str, binding: dict[str, float]) -> float:
    return {"a": binding["a"], "a/2": binding["a"] / 2, "b": binding["b"], "b + 0.1": binding["b"] + 0.1}[text]


@pytest.mark.parametrize("method", ["density_matrix", "matrix_product_state"])
def test_a_sweep_by_other_methods(method: str) -> None:
    for points in (1, 3):
        entries, _ = run_job(ANSATZ, bindings=[{"a": 0.3 * i, "b": 0.2} for i in range(points)], method=method)
        assert [entry["method"] for entry in entries] == [method] * points


def test_a_sweep_goes_in_chunks_that_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    bindings = [{"a": 0.1 * i, "b": 0.2} for i in range(7)]
    whole, _ = run_job(ANSATZ, bindings=bindings)
    monkeypatch.setattr(final_state, "STATES_AT_ONCE", 16)  # two states of three qubits
    assert run_job(ANSATZ, bindings=bindings)[0] == whole


def test_seeds_differ_by_their_last_bit_and_fit_the_simulator() -> None:
    dynamic = json_circuit(1, [*([{"gate": "h", "target": 0}, {"gate": "measure", "target": 0}] * 2)])
    coins = json_circuit(6, [{"gate": "ry", "targets": list(range(6)), "rotation": 1.0}])
    for circuit, method in ((dynamic, "shot_branching"), (coins, "matrix_product_state"), (coins, "statevector")):
        found = [run_job(circuit, seed=seed, method=method)[0][0]["counts"] for seed in (2**63 - 2, 2**63 - 1)]
        assert found[0] != found[1]
    assert len(set(seeds(7, 1000))) == 1000
    assert all(0 <= seed < 2**48 for seed in seeds(2**63 - 1, 100))


needs_qsim = pytest.mark.skipif(not single.available(), reason="qsim is not installed")


@needs_qsim
@settings(max_examples=examples(25))
@given(circuits())
def test_single_precision_is_double_precision_nearly(circuit: tuple[int, Operations]) -> None:
    job = {"precision": "single", "outputs": ["probabilities"], "shots": 20_000, "observables": [_parity(circuit[0])]}
    ((entry,), house) = run_job(json_circuit(*circuit), **job)
    state = Statevector(unitary(*circuit)[:, 0].copy())
    chances = {key: chance for key, chance in state.probabilities_dict().items() if chance > 1e-12}
    assert_sampled({key: count for key, count in entry["counts"].items() if key in chances}, chances)
    for key, chance in chances.items():
        assert entry["probabilities"].get(key, 0) == pytest.approx(chance, abs=1e-5)
    value = exact.mean(np.outer(state.data, state.data.conj()), "Z" * circuit[0])
    assert entry["expectations"][0]["value"] == pytest.approx(value, abs=1e-5)
    if entry["method"] == "statevector" and (known := house.result["exactness"]["fidelity_at_least"]) is not None:
        assert 1 - 1e-5 < known < 1


def _parity(qubits: int) -> dict[str, Any]:
    return {"terms": [{"paulis": "Z" * qubits}]}


@needs_qsim
def test_single_precision_draws_from_blocks_as_from_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """A block of four amplitudes, a state of 64: two of its qubits are not read."""
    monkeypatch.setattr(single, "WHOLE_STATE", 1)
    monkeypatch.setattr(single, "BLOCK", 4)
    monkeypatch.setattr(single, "BLOCKS_AT_ONCE", 3)
    turned = [{"gate": "ry", "target": qubit, "rotation": 0.4 + qubit / 3} for qubit in range(6)]
    gates = [*turned, {"gate": "x", "target": 5, "control": 0}, {"gate": "x", "target": 3, "control": 5}]
    measured = [*gates, {"gate": "measure", "targets": [5, 0, 3, 2], "clbits": [0, 1, 2, 3]}]
    ((entry,), _) = run_job(json_circuit(6, measured), precision="single", shots=50_000)
    assert_sampled(entry["counts"], exact.distribution(exact.run(6, measured, 6)))


@st.composite
def jobs(draw: st.DrawFn) -> tuple[dict[str, Any], Noise | None]:
    if draw(st.booleans()):
        qubits = draw(st.integers(1, 4))
        circuit = json_circuit(qubits, draw(st.lists(operations(qubits), min_size=1, max_size=5)))
        return circuit, None
    clifford = draw(st.booleans())
    program = draw(programs(clifford=clifford, dynamic=True, conditions=draw(st.sampled_from(["paulis", "any"]))))
    return json_circuit(*program), draw(st.none() | noises)


@settings(max_examples=examples(60))
@given(jobs(), st.booleans(), st.booleans())
def test_the_door_refuses_no_method_that_would_run(
    job: tuple[dict[str, Any], Noise | None], state: bool, observables: bool
) -> None:
    circuit, noise = job
    written = {} if noise is None else {"noise": noise.written()}
    parsed = CircuitJob.model_validate({"circuit": circuit} | written)
    assert isinstance(parsed.circuit, JsonCircuit)
    rules = None if parsed.noise is None else as_custom(parsed.noise)
    try:
        planned = read(circuit, **written)
    except Problem:  # pauliexp that noise cannot take apart
        return
    wanted = Wanted(shots=100, state=state, observables=observables)
    within, at_the_door = (
        {plan.method for plan in plans(profile, wanted, memory_available=2**30) if plan.why_not is None}
        for profile in (planned.routed.profile, profile_of(parsed.circuit, rules=rules))
    )
    if noise is not None and not planned.routed.profile.locations:
        within &= {Method.DENSITY_MATRIX, Method.STABILIZER}  # noise that strikes nothing counts as noise at the door
    assert within <= at_the_door
