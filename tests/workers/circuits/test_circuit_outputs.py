"""States, operators, probabilities, shots one by one and expectation values, against numpy and qiskit.quantum_info."""

import json
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit.quantum_info import DensityMatrix, SparsePauliOp, Statevector, partial_trace
from qiskit_aer import AerSimulator

from qstill.contract.circuits.results.document import read_results, results_json
from tests.testing.circuits import exact
from tests.testing.circuits.circuit_strategies import circuits, unitary
from tests.testing.circuits.exact import Noise
from tests.testing.circuits.house import run_job
from tests.testing.circuits.program_strategies import gates, noises
from tests.testing.circuits.sampling import read
from tests.testing.examples import examples
from tests.testing.refusals import problem_of
from tests.testing.stored_counts import results

GHZ = [{"gate": "h", "target": 0}, {"gate": "x", "target": 2, "control": 0}]


def json_circuit(qubits: int, operations: list[dict[str, Any]]) -> dict[str, Any]:
    return {"format": "json", "qubits": qubits, "operations": operations}


@settings(max_examples=examples(30))
@given(circuits())
def test_states_are_of_all_qubits_as_submitted(circuit: tuple[int, list[dict[str, Any]]]) -> None:
    outputs = ["statevector", "density_matrix", "unitary", "probabilities"]
    ((entry,), house) = run_job(json_circuit(*circuit), outputs=outputs)
    matrix = unitary(*circuit)
    state = Statevector(matrix[:, 0])
    np.testing.assert_allclose(house.arrays["unitary-0"], matrix, atol=1e-9)
    np.testing.assert_allclose(house.arrays["statevector-0"], state.data, atol=1e-9)
    np.testing.assert_allclose(house.arrays["density_matrix-0"], DensityMatrix(state).data, atol=1e-9)
    inline = np.array(entry["statevector"])
    np.testing.assert_allclose(inline[..., 0] + 1j * inline[..., 1], state.data, atol=1e-9)
    for key, chance in state.probabilities_dict().items():
        assert entry["probabilities"].get(key, 0) == pytest.approx(chance, abs=1e-9)


@settings(max_examples=examples(25))
@given(
    st.integers(1, 3).flatmap(lambda n: st.tuples(st.just(n), st.lists(gates(n, clifford=False), max_size=6))), noises
)
def test_a_noisy_density_matrix(circuit: tuple[int, list[dict[str, Any]]], noise: Noise) -> None:
    qubits, operations = circuit
    _, house = run_job(json_circuit(*circuit), outputs=["density_matrix"], noise=noise.written())
    unread = {"gate": "unread", "targets": list(range(qubits))}  # errors before a reading belong to it
    rho = exact.state(exact.run(qubits, [*operations, unread], qubits, noise))
    np.testing.assert_allclose(house.arrays["density_matrix-0"], rho, atol=1e-9)


@settings(max_examples=examples(15))
@given(circuits(max_qubits=3, max_operations=4), st.integers(0, 1000))
def test_a_device_moves_qubits_and_changes_no_answer(circuit: tuple[int, list[dict[str, Any]]], seed: int) -> None:
    device = {"coupling_map": {"shape": "line", "qubits": 5}, "seed": seed}
    outputs = ["statevector", "density_matrix", "probabilities"]
    paulis = "XYZ"[: circuit[0]]
    observable = {"terms": [{"paulis": paulis, "coefficient": 0.5}]}
    ((entry,), house) = run_job(json_circuit(*circuit), outputs=outputs, device=device, observables=[observable])
    state = Statevector(unitary(*circuit)[:, 0].copy())
    np.testing.assert_allclose(house.arrays["statevector-0"], state.data, atol=1e-9)
    np.testing.assert_allclose(house.arrays["density_matrix-0"], DensityMatrix(state).data, atol=1e-7)
    value = float(np.real(state.expectation_value(SparsePauliOp([paulis], [0.5]))))
    assert entry["expectations"][0]["value"] == pytest.approx(value, abs=1e-7)


def test_a_noisy_device_has_a_state_over_the_qubits_submitted() -> None:
    """Swaps go through other qubits, which noise leaves in any state: they are traced out."""
    device = {"coupling_map": [[0, 3], [1, 3], [2, 3]], "optimization_level": 0}
    noise = {"model": "depolarizing", "one_qubit": 0.05, "two_qubit": 0.1}
    circuit = json_circuit(3, [*GHZ, {"gate": "x", "target": 1, "control": 0}])
    _, house = run_job(circuit, outputs=["density_matrix"], device=device, noise=noise)
    found = house.arrays["density_matrix-0"]
    planned = read(circuit, device=device, noise=noise)
    assert planned.compiled is not None
    assert planned.compiled.final_layout != planned.compiled.initial_layout  # or the test would show nothing
    final = planned.routed.program.final()
    assert final.num_qubits == 4
    final.save_density_matrix()
    simulator = AerSimulator(method="density_matrix", noise_model=planned.routed.program.aer_noise)
    whole = simulator.run(final, shots=1).result().data(0)["density_matrix"]
    kept = planned.compiled.final_layout
    active = [planned.routed.program.circuit.find_bit(qubit).index for qubit in planned.routed.program.shape.active]
    others = [place for place, qubit in enumerate(active) if qubit not in kept]
    order = [sorted(kept).index(qubit) for qubit in kept]
    reduced = partial_trace(DensityMatrix(whole), others)
    np.testing.assert_allclose(found, _reordered(reduced.data, order), atol=1e-9)
    assert found.trace() == pytest.approx(1)


def _reordered(rho: Any, order: list[int]) -> Any:
    """Qubit i of the result is qubit order[i] of rho."""
    qubits = len(order)
    indices = np.arange(1 << qubits)
    source = sum((indices >> own & 1) << place for own, place in enumerate(order))
    return rho[np.ix_(source, source)]


def test_memory_is_the_counts_in_some_order() -> None:
    circuit = json_circuit(2, [{"gate": "h", "targets": [0, 1]}])
    ((entry,), _) = run_job(circuit, outputs=["memory"], shots=1000)
    assert Counter(entry["memory"]) == entry["counts"]
    halves = Counter(entry["memory"][:500]), Counter(entry["memory"][500:])
    assert all(70 < half[key] < 190 for half in halves for key in entry["counts"])  # 125 of 500 ± 6σ


def test_a_qubit_that_is_read_twice_is_misread_twice() -> None:
    measured = [{"gate": "x", "target": 0}, *({"gate": "measure", "target": 0, "clbit": bit} for bit in (0, 1))]
    noise = Noise(misread=(0.3, 0.3))
    ((entry,), _) = run_job(json_circuit(2, measured), noise=noise.written(), shots=20_000)
    exact.assert_sampled(entry["counts"], exact.distribution(exact.run(2, measured, 2, noise)))
    assert len(entry["counts"]) == 4


def test_a_bit_that_is_written_twice_at_the_end_is_misread_once() -> None:
    measured = [{"gate": "x", "target": 0}, *[{"gate": "measure", "target": 0, "clbit": bit} for bit in (1, 1, 0)]]
    noise = Noise(misread=(0.2, 0.05))
    for method in ("trajectories", "stabilizer"):
        ((entry,), _) = run_job(json_circuit(1, measured), noise=noise.written(), shots=20_000, method=method)
        exact.assert_sampled(entry["counts"], exact.distribution(exact.run(1, measured, 2, noise)))


def test_observables_of_idle_qubits() -> None:
    """⟨Z⟩ is 1 and ⟨X⟩ is 0, but a measurement of X is a coin."""
    observables = [{"terms": [{"paulis": letter, "qubits": [1]}]} for letter in "ZX"]
    for operations in ([], GHZ):
        for method in ("auto", "stabilizer", "statevector", "matrix_product_state"):
            job = {"observables": observables, "method": method, "shots": 100}
            _, house = run_job(json_circuit(3, operations), **job)
            (z, x) = house.result["expectations"]
            assert (z["value"], z["shot_noise"]) == pytest.approx((1, 0), abs=1e-6)
            assert (x["value"], x["shot_noise"]) == pytest.approx((0, 0.1), abs=1e-6)


@pytest.mark.parametrize(
    ("job", "code"),
    [
        ({"circuit": json_circuit(21, [{"gate": "h", "targets": list(range(21))}]), "outputs": ["probabilities"]}, 1),
        ({"circuit": json_circuit(11, GHZ), "outputs": ["unitary"]}, 1),
        ({"circuit": json_circuit(3, [{"gate": "reset", "target": 0}, *GHZ]), "outputs": ["unitary"]}, 2),
        ({"circuit": json_circuit(3, [*GHZ, {"gate": "reset", "target": 0}]), "outputs": ["statevector"]}, 3),
    ],
)
def test_what_there_is_no_state_of_is_refused(job: dict[str, Any], code: int) -> None:
    refused = problem_of(run_job, **job)
    assert refused.code == ["", "state_too_large", "no_unitary", "no_final_state"][code]
    assert refused.pointer == "/outputs"


def test_results_are_json() -> None:
    exact = {"01": 1e-17, "10": 0.1 + 0.2}
    registers = [{"name": 'a"\\', "clbits": [0]}]
    entry = results({"01": 2, "10": 1}, registers=registers, ideal={}, probabilities=exact, memory=["01"], seed=2**62)
    written = results_json([entry, entry])
    assert json.loads(written) == {"bit_order": "little", "circuits": [entry, entry]}
    assert read_results(written.encode()) == [entry, entry]


def test_the_ideal_distribution_is_left_out_where_it_is_not_wanted() -> None:
    bell = json_circuit(2, [{"gate": "h", "target": 0}, {"gate": "x", "target": 1, "control": 0}])
    noisy: dict[str, Any] = {"noise": {"model": "depolarizing", "one_qubit": 0.1, "two_qubit": 0.1}}
    (entry,), house = run_job(bell, **noisy)
    assert entry["ideal"] == pytest.approx({"00": 0.5, "11": 0.5})
    assert house.result["ideal"]["expected_total_variation"] > 0
    (without,), house = run_job(bell, ideal=False, **noisy)
    assert "ideal" not in without
    assert house.result["ideal"] is None
    assert without["counts"] == entry["counts"]
