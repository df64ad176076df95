"""Every template finds its known answer, and does not find it in counts that are wrong."""

import json
from typing import Any

import pytest

from qstill.contract.circuits.templates.answer import Answer
from tests.testing.circuits.sampling import sample
from tests.workers.circuits.templates.running import ADAPTER, answer, counts_of, mixed, noise, prepared
from workers.circuits.templates import prepare

TRIANGLE = [{"nodes": [0, 1]}, {"nodes": [1, 2], "weight": 2.0}, {"nodes": [2, 0], "weight": 0.5}]
TWO_ASSETS = {"expected_returns": [0.1, 0.2], "covariance": [[0.1, 0.0], [0.0, 0.5]], "budget": 1}

TEMPLATES: list[dict[str, Any]] = [
    *({"name": "bell", "state": state, "basis": basis} for state in ("phi_plus", "psi_minus") for basis in "xyz"),
    {"name": "bell", "state": "phi_minus", "basis": "y"},
    {"name": "bell", "state": "psi_plus", "basis": "y"},
    {"name": "ghz"},
    {"name": "ghz", "qubits": 100},
    {"name": "superposition", "states": 3},
    {"name": "superposition", "states": 1000},
    {"name": "teleportation"},
    {"name": "teleportation", "theta": -2.5, "phi": 4.0},
    *({"name": "deutsch_jozsa", "qubits": n, "function": kind} for n in (1, 5) for kind in ("constant", "balanced")),
    {"name": "bernstein_vazirani", "secret": "0"},
    {"name": "bernstein_vazirani", "secret": "1100101"},
    {"name": "qft"},
    {"name": "qft", "qubits": 6, "period": 7, "offset": 5},
    {"name": "phase_estimation", "phase": 0.0},
    {"name": "phase_estimation", "phase": 0.625, "qubits": 3},
    {"name": "phase_estimation", "phase": 0.9871, "qubits": 7},
    {"name": "grover"},
    {"name": "grover", "marked": ["00"]},
    {"name": "grover", "marked": ["1111111111"]},
    {"name": "grover", "marked": ["0110", "1001", "0000"], "iterations": 2},
    *({"name": "shor_15", "a": base, "counting_qubits": 4} for base in (2, 4, 7, 8, 11, 13, 14)),
    {"name": "shor_15"},
    {"name": "quantum_volume", "qubits": 4},
    {"name": "quantum_volume", "qubits": 9},
    {"name": "random_clifford", "qubits": 1},
    {"name": "random_clifford", "qubits": 50},
    {"name": "vqe"},
    {"name": "vqe", "molecule": "lih", "bond_length": 2.6},
    {"name": "portfolio"},
    {"name": "portfolio", "layers": 1, **TWO_ASSETS},
    {"name": "portfolio", "expected_returns": [0.0] * 3, "covariance": [[0.0] * 3] * 3, "budget": 1},
    {"name": "value_at_risk"},
    {"name": "value_at_risk", "qubits": 2, "level": 0.99, "mean": -3.0, "deviation": 0.5},
    {"name": "value_at_risk", "qubits": 2, "level": 0.5},
    {"name": "european_call"},
    {"name": "european_call", "spot": 1e6, "strike": 9e5, "rate": -0.5, "years": 6.25},
    {"name": "european_call", "strike": 2.3, "qubits": 3, "precision": 0.05},
    {"name": "maxcut"},
    {"name": "maxcut", "edges": TRIANGLE, "layers": 2},
    {"name": "quantum_kernel"},
    {"name": "quantum_kernel", "dataset": "wine", "features": 3, "repetitions": 1, "bandwidth": 0.3},
]


def label(template: dict[str, Any]) -> str:
    return " ".join(str(value) for value in template.values() if not isinstance(value, list))


def check(found: Answer) -> None:
    """It is JSON, and says what it means."""
    assert Answer.model_validate(json.loads(found.model_dump_json())) == found
    assert found.summary.endswith(".")
    assert found.criterion.endswith(".")


@pytest.mark.parametrize("template", TEMPLATES, ids=label)
def test_the_known_answer_is_found_and_noise_is_not_taken_for_it(template: dict[str, Any]) -> None:
    shots = 4000
    ready = prepared(**template)
    for seed in (1, 2, 3):
        found = ready.interpret(counts_of(ready, shots=shots, seed=seed), shots)
        check(found)
        assert found.agrees, (found.summary, found.figures)
    counts = counts_of(ready, shots=shots, seed=1)
    for share in (1.0, 0.5):
        spoilt = ready.interpret(mixed(counts, ready, shots, share), shots)
        check(spoilt)
        assert not spoilt.agrees, (share, spoilt.summary, spoilt.figures)


@pytest.mark.parametrize("template", [each for each in TEMPLATES if each["name"] != "vqe"], ids=label)
def test_a_few_shots_do_not_contradict_the_answer(template: dict[str, Any]) -> None:
    ready = prepared(**template)
    for shots in (1, 7):
        found = ready.interpret(counts_of(ready, shots=shots, seed=5), shots)
        check(found)
        optimum_missed = template["name"] in ("maxcut", "portfolio")
        assert found.agrees or optimum_missed, (found.summary, found.figures)


@pytest.mark.parametrize("template", [{"name": "ghz", "qubits": 60}, {"name": "teleportation"}, {"name": "maxcut"}])
def test_a_template_is_run_like_any_other_circuit(template: dict[str, Any]) -> None:
    found = sample({"format": "template", "template": template}, shots=500, seed=3)
    assert prepared(**template, seed=0).interpret(found.counts, 500).agrees


SEEDED = [
    "deutsch_jozsa",
    "quantum_volume",
    "random_clifford",
    "portfolio",
    "european_call",
    "maxcut",
    "quantum_kernel",
]


@pytest.mark.parametrize("name", SEEDED)
def test_the_same_seed_gives_the_same_answer(name: str) -> None:
    assert answer(name, seed=3) == answer(name, seed=3)


@pytest.mark.parametrize("name", ["deutsch_jozsa", "quantum_volume", "random_clifford", "quantum_kernel"])
def test_another_seed_draws_another_circuit(name: str) -> None:
    counts = counts_of(prepared(name, seed=3), shots=1000, seed=1)
    assert counts != counts_of(prepared(name, seed=4), shots=1000, seed=1)


@pytest.mark.parametrize("seed", [0, 2**63 - 1])
@pytest.mark.parametrize("name", [*SEEDED, "value_at_risk"])
def test_any_seed_of_a_job_will_do(name: str, seed: int) -> None:
    assert answer(name, seed=seed).agrees


@pytest.mark.parametrize("name", ["vqe", "portfolio", "value_at_risk", "european_call", "maxcut", "quantum_kernel"])
def test_an_optimisation_stops_when_asked(name: str) -> None:
    class Enough(Exception):
        pass

    asked = 0

    def between() -> None:
        nonlocal asked
        asked += 1
        if asked == 3:
            raise Enough

    with pytest.raises(Enough):
        prepare(ADAPTER.validate_python({"name": name}), seed=1, between=between)


def test_a_uniform_superposition_of_all_states_is_told_from_a_single_state() -> None:
    ready = prepared("superposition", states=8)
    assert ready.interpret(counts_of(ready, shots=1000, seed=1), 1000).agrees
    assert not ready.interpret({"011": 1000}, 1000).agrees


def test_an_unlucky_base_gives_the_order_but_no_factors() -> None:
    assert answer("shor_15", a=14).found == {"order": 2, "factors": []}
    assert answer("shor_15", a=7).found == {"order": 4, "factors": [3, 5]}
    assert prepared("shor_15").interpret(noise(8, 4000), 4000).agrees is False


def test_too_many_grover_iterations_lose_the_marked_string_again() -> None:
    best, worse = (answer("grover", iterations=iterations) for iterations in (None, 8))
    assert best.agrees
    assert worse.agrees  # with theory, which says the same
    assert best.figures["theory"] > 0.99  # type: ignore[operator]
    assert worse.figures["theory"] < 0.1  # type: ignore[operator]


@pytest.mark.parametrize("seed", range(8))
def test_shor_with_one_shot_asks_for_more_shots_and_not_for_another_base(seed: int) -> None:
    given = answer("shor_15", shots=1, seed=seed, a=7)
    assert "another base" not in given.summary
    assert ("15 = 3 × 5" in given.summary) != ("take more shots" in given.summary)


def test_shor_with_a_base_that_gives_no_factors_asks_for_another() -> None:
    assert answer("shor_15", a=14).summary == "The order of 14 modulo 15 is 2; it gives no factors: try another base."
