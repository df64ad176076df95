"""Every method against the oracle, and so against every other, wherever it applies."""

from math import log, sqrt
from statistics import variance
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qstill.contract.circuits.methods import plans
from qstill.contract.circuits.profile import Wanted
from tests.testing.circuits import exact
from tests.testing.circuits.exact import LEVEL, Noise, assert_sampled
from tests.testing.circuits.program_strategies import Operations, clbits_of, noises, programs
from tests.testing.circuits.sampling import read, sample
from tests.testing.examples import examples
from workers.circuits.program import Sample

SHOTS = 20_000
TRAJECTORIES = 2_000  # each pays for itself

Program = tuple[int, Operations]
paulis = st.text("IXYZ", min_size=4, max_size=4)


def check(method: str, program: Program, letters: str, *, shots: int = SHOTS, noise: Noise | None = None) -> Sample:
    """Counts, exact probabilities where the method has them, and an expectation value, all against the oracle."""
    qubits, operations = program
    letters = letters[:qubits]
    final = method in ("statevector", "density_matrix")
    found = sample(
        json_circuit(program),
        shots=shots,
        method=method,
        observables=[{"terms": [{"paulis": letters, "coefficient": 2.0}]}],
        outputs=["counts", *(["probabilities"] if final else [])],
        **({} if noise is None else {"noise": noise.written()}),
    )
    probabilities = exact.distribution(exact.run(qubits, operations, clbits_of(*program), noise))
    assert sum(found.counts.values()) == shots
    assert_sampled(found.counts, probabilities)
    if found.probabilities is not None:
        for key in probabilities.keys() | found.probabilities.keys():
            assert found.probabilities.get(key, 0) == pytest.approx(probabilities.get(key, 0), abs=1e-9)
    before = exact.run(qubits, exact.before_the_end(operations, noise), clbits_of(*program), noise)
    value = 2 * exact.mean(exact.state(before), letters)
    (mean,) = found.expectations
    assert abs(mean.value - value) <= tolerance(method, shots)
    if mean.variance is not None:
        assert mean.variance == pytest.approx(4 - value**2, abs=1e-6)
    return found


def tolerance(method: str, shots: int) -> float:
    """Of ⟨2P⟩: none for an exact method; for a mean over shots, each within ±2, Hoeffding's bound."""
    if method in ("trajectories", "shot_branching"):
        return 2 * sqrt(2 * log(2 / LEVEL) / shots)
    return 1e-6 if method == "matrix_product_state" else 1e-9  # it drops what is below rounding, then takes roots


@settings(max_examples=examples(40))
@given(programs(), paulis)
def test_measured_at_the_end(program: Program, letters: str) -> None:
    for method in ("statevector", "density_matrix", "matrix_product_state"):
        check(method, program, letters)


@settings(max_examples=examples(40))
@given(programs(clifford=True, dynamic=True, conditions="paulis"), paulis)
def test_clifford_circuits_measured_and_corrected_anywhere(program: Program, letters: str) -> None:
    check("stabilizer", program, letters)


@settings(max_examples=examples(40))
@given(programs(clifford=True, dynamic=True), paulis, noises)
def test_clifford_circuits_with_pauli_noise(program: Program, letters: str, noise: Noise) -> None:
    check("stabilizer", program, letters, noise=noise)


@settings(max_examples=examples(25))
@given(programs(dynamic=True, conditions="any"), paulis)
def test_measured_in_the_middle(program: Program, letters: str) -> None:
    for method in able(program) & {"shot_branching", "matrix_product_state"}:
        check(method, program, letters, shots=TRAJECTORIES)


@settings(max_examples=examples(40))
@given(programs(dynamic=True, conditions="any"))
def test_branches_drawn_from_at_the_end(program: Program) -> None:
    """Without observables the end of a dynamic circuit is a draw for each branch."""
    for method in able(program) & {"shot_branching"}:
        counts = sample(json_circuit(program), shots=TRAJECTORIES, method=method).counts
        assert sum(counts.values()) == TRAJECTORIES
        assert_sampled(counts, exact.distribution(exact.run(*program, clbits_of(*program))))


@settings(max_examples=examples(25))
@given(programs(), paulis, noises)
def test_noise_as_a_density_matrix_and_as_trajectories(program: Program, letters: str, noise: Noise) -> None:
    for method in able(program, noise) & {"density_matrix", "trajectories"}:
        check(method, program, letters, shots=TRAJECTORIES, noise=noise)


@settings(max_examples=examples(25))
@given(programs(dynamic=True, conditions="any"), paulis, noises)
def test_noise_and_measurements_in_the_middle(program: Program, letters: str, noise: Noise) -> None:
    for method in able(program, noise) & {"trajectories"}:
        check(method, program, letters, shots=TRAJECTORIES, noise=noise)


@settings(max_examples=examples(20))
@given(programs(clifford=True, dynamic=True, conditions="any"), noises, st.integers(0, 2**63 - 1))
def test_the_same_seed_gives_the_same_counts_on_any_number_of_threads(
    program: Program, noise: Noise, seed: int
) -> None:
    for struck in (None, noise):
        for method in able(program, struck):
            job: dict[str, Any] = {"method": method, "seed": seed, "shots": 300}
            job |= {} if struck is None else {"noise": struck.written()}
            first, second = (sample(json_circuit(program), threads=threads, **job) for threads in (1, 2))
            assert first.counts == second.counts


@pytest.mark.parametrize("method", ["trajectories", "shot_branching", "matrix_product_state", "stabilizer"])
def test_neighbouring_seeds_are_independent(method: str) -> None:
    """Counts of one outcome over seeds spread as a binomial distribution's; if shots were shared, hardly at all."""
    operations: list[dict[str, Any]] = [
        {"gate": "h", "target": 0},
        {"gate": "measure", "target": 0, "clbit": 0},
        {"gate": "h", "target": 1},
        {"gate": "x", "target": 1, "if": {"clbit": 0, "value": 1}},
        {"gate": "measure", "target": 1, "clbit": 1},
    ]
    circuit = {"format": "json", "qubits": 2, "operations": operations}
    noise = {"noise": {"model": "depolarizing", "one_qubit": 0.1, "two_qubit": 0.1}} if method == "trajectories" else {}
    shots, seeds = 400, 40
    found = [
        sample(circuit, shots=shots, seed=seed, method=method, **noise).counts.get("00", 0) for seed in range(seeds)
    ]
    binomial = shots * (1 / 4) * (3 / 4)
    assert binomial / 3 < variance(found) < 3 * binomial  # chi-square of 39: beyond either once in 10^6


@pytest.mark.slow
@settings(max_examples=examples(300))
@given(programs(clifford=True, dynamic=True, conditions="paulis", max_qubits=4), paulis, st.none() | noises)
def test_stabilizers_with_many_more_examples(program: Program, letters: str, noise: Noise | None) -> None:
    for method in able(program, noise) & {"stabilizer", "trajectories"}:
        check(method, program, letters, shots=TRAJECTORIES, noise=noise)


@pytest.mark.slow
@settings(max_examples=examples(300))
@given(programs(dynamic=True, conditions="any", max_qubits=4), paulis, st.none() | noises)
def test_all_other_methods_with_many_more_examples(program: Program, letters: str, noise: Noise | None) -> None:
    for method in able(program, noise) - {"stabilizer"}:
        check(method, program, letters, shots=TRAJECTORIES, noise=noise)


def test_sixty_noisy_qubits_with_a_correction() -> None:
    """What is measured agrees with what is computed: a chain of noisy CNOTs, one qubit read, its partner corrected."""
    chain = [{"gate": "x", "target": qubit + 1, "control": qubit} for qubit in range(59)]
    fix = [{"gate": "measure", "target": 59, "clbit": 60}, {"gate": "x", "target": 58, "if": {"clbit": 60, "value": 1}}]
    end = {"gate": "measure", "targets": list(range(60)), "clbits": list(range(60))}
    strings = [(0, 1), (0, 30), (58,), (57, 58)]
    found = sample(
        json_circuit((60, [{"gate": "h", "target": 0}, *chain, *fix, end])),
        shots=SHOTS,
        noise={
            "model": "custom",
            "gates": [
                {"gate": "cx", "error": {"kind": "depolarizing", "probability": 0.01}},
                {"gate": "measure", "error": {"kind": "pauli", "terms": {"X": 0.02}}},
            ],
        },
        observables=[{"terms": [{"paulis": "Z" * len(string), "qubits": [*string]}]} for string in strings],
    )
    for string, mean in zip(strings, found.expectations, strict=True):
        signs = sum(
            count * (-1) ** sum(key[-1 - qubit] == "1" for qubit in string) for key, count in found.counts.items()
        )
        assert abs(signs / SHOTS - mean.value) <= sqrt(2 * log(2 / LEVEL) / SHOTS)  # Hoeffding's bound
    assert [round(mean.value, 2) for mean in found.expectations] != [1.0] * 4  # the noise is there


def able(program: Program, noise: Noise | None = None) -> set[str]:
    """The methods that can run it and give an expectation value."""
    job = {} if noise is None else {"noise": noise.written()}
    profile = read(json_circuit(program), **job).routed.profile
    every = plans(profile, Wanted(shots=1, observables=True), memory_available=2**30)
    return {plan.method.value for plan in every if plan.why_not is None}


def json_circuit(program: Program) -> dict[str, Any]:
    return {"format": "json", "qubits": program[0], "operations": program[1]}
