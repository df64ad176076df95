"""Finance: iterative amplitude estimation covers the truth, beside qiskit-algorithms and qiskit-finance."""

from itertools import combinations
from math import pi, sin, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qstill.contract.circuits.templates.finance import EuropeanCall, Portfolio
from tests.testing.examples import examples
from tests.workers.circuits.templates.running import answer
from workers.circuits.templates.amplitude import (
    Interval,
    amplified,
    amplified_probabilities,
    amplitude,
    estimate,
    loader,
    narrow,
    next_iterations,
)
from workers.circuits.templates.evidence import exact_probabilities
from workers.circuits.templates.finance import black_scholes

PROBABILITIES = np.array([0.1, 0.2, 0.3, 0.4])
SHARES = np.array([0.0, 0.25, 1.0, 0.5])


def nothing() -> None: ...


@settings(max_examples=examples(50))
@given(st.floats(0, 1), st.floats(0.005, 0.1), st.integers(0, 2**32))
def test_the_estimate_is_as_precise_as_asked_and_covers_the_amplitude(a: float, precision: float, seed: int) -> None:
    found = estimate(a, precision=precision, seed=seed, between=nothing)
    for _, low, high in found.rounds:
        assert low - 1e-12 <= a <= high + 1e-12
    assert found.rounds[-1][2] - found.rounds[-1][1] <= 2 * precision


def test_queries_grow_like_one_over_the_precision() -> None:
    """Between precisions a factor of 16 apart, plain sampling would need 256 times as many."""
    coarse, fine = (
        np.mean([estimate(0.3, precision=p, seed=seed, between=nothing).queries for seed in range(20)])
        for p in (0.032, 0.002)
    )
    assert fine / coarse < 64


@settings(max_examples=examples(50))
@given(st.floats(0.01, 1.5), st.floats(1e-4, 0.1), st.integers(0, 5))
def test_the_next_power_keeps_the_branch_known(low: float, width: float, iterations: int) -> None:
    known = Interval(low, min(low + width, pi / 2))
    chosen = next_iterations(iterations, known)
    factor = 4 * chosen + 2
    assert chosen == iterations or factor >= 2 * (4 * iterations + 2)
    if chosen != iterations:
        assert int(factor * known.low / pi) == int(factor * known.high / pi - 1e-9)


@settings(max_examples=examples(50))
@given(st.floats(0.05, 1.5), st.floats(1e-3, 0.1), st.integers(1, 10_000))
def test_a_round_with_the_expected_counts_keeps_the_angle(angle: float, width: float, shots: int) -> None:
    known = Interval(max(0.0, angle - width), min(pi / 2, angle + width))
    chosen = next_iterations(0, known)
    ones = round(shots * sin((2 * chosen + 1) * angle) ** 2)
    narrowed = narrow(known, chosen, ones, shots, 1e-7)
    assert known.low <= narrowed.low <= angle <= narrowed.high <= known.high


@pytest.mark.parametrize("iterations", [0, 1, 3])
def test_amplified_circuits_have_the_distribution_that_theory_says(iterations: int) -> None:
    loading = loader(PROBABILITIES, SHARES)
    assert amplitude(loading) == pytest.approx(float(PROBABILITIES @ SHARES))
    circuit = amplified(loading, iterations)
    circuit.remove_final_measurements()
    np.testing.assert_allclose(
        exact_probabilities(circuit), amplified_probabilities(PROBABILITIES, SHARES, iterations), atol=1e-9
    )


@pytest.mark.filterwarnings("ignore")
def test_qiskit_algorithms_estimates_the_same_amplitude() -> None:
    from qiskit.primitives import StatevectorSampler
    from qiskit_algorithms import EstimationProblem, IterativeAmplitudeEstimation

    loading = loader(PROBABILITIES, SHARES).decompose(reps=8)
    problem = EstimationProblem(state_preparation=loading, objective_qubits=[2])
    sampler = StatevectorSampler(default_shots=1000, seed=3)
    theirs = IterativeAmplitudeEstimation(epsilon_target=0.01, alpha=0.001, sampler=sampler).estimate(problem)
    _, low, high = estimate(amplitude(loading), precision=0.01, seed=3, between=nothing).rounds[-1]
    exact = float(PROBABILITIES @ SHARES)
    their_low, their_high = theirs.confidence_interval
    assert max(low, their_low) <= exact <= min(high, their_high)


@pytest.mark.filterwarnings("ignore")
def test_the_call_is_that_of_qiskit_finance() -> None:
    from qiskit_finance.circuit.library import LogNormalDistribution

    template = EuropeanCall(name="european_call")
    found = answer("european_call")
    prices = np.array(found.figures["prices"])
    deviation = template.volatility * sqrt(template.years)
    drift = np.log(template.spot) + (template.rate - template.volatility**2 / 2) * template.years
    theirs = LogNormalDistribution(
        template.qubits, mu=drift, sigma=deviation**2, bounds=(float(prices[0]), float(prices[-1]))
    )
    np.testing.assert_allclose(theirs.values, prices, rtol=1e-9)
    np.testing.assert_allclose(theirs.probabilities, np.array(found.figures["probabilities"]), atol=1e-9)
    mean = float(theirs.probabilities @ np.maximum(theirs.values - template.strike, 0))
    price = np.exp(-template.rate * template.years) * mean
    assert found.expected == {"price": pytest.approx(price)}


def test_the_formula_is_that_of_the_textbook() -> None:
    """Hull, Options, Futures, and Other Derivatives, example 15.6."""
    call = EuropeanCall(name="european_call", spot=42.0, strike=40.0, rate=0.1, volatility=0.2, years=0.5)
    assert black_scholes(call) == pytest.approx(4.76, abs=0.005)


def test_a_finer_grid_comes_nearer_to_the_formula_up_to_what_is_cut_off() -> None:
    coarse, fine = (
        abs(answer("european_call", qubits=qubits, precision=0.1).figures["discretisation_error"])  # type: ignore[arg-type]
        for qubits in (2, 4)
    )
    assert fine < coarse / 10
    assert fine < 0.01 * black_scholes(EuropeanCall(name="european_call"))


def test_a_call_that_never_pays_is_worth_nothing() -> None:
    found = answer("european_call", strike=100.0)
    assert found.agrees
    assert found.found["price"] == found.expected["price"] == 0  # type: ignore[index, call-overload]


def test_value_at_risk_shifts_and_scales_with_the_loss() -> None:
    standard = answer("value_at_risk")
    moved = answer("value_at_risk", mean=10.0, deviation=2.0)
    ours, theirs = (each.found["value_at_risk"] for each in (moved, standard))  # type: ignore[index, call-overload]
    assert ours == pytest.approx(10 + 2 * theirs)


@pytest.mark.filterwarnings("ignore")
def test_the_best_portfolio_is_that_of_qiskit_finance() -> None:
    from qiskit_finance.applications.optimization import PortfolioOptimization

    template = Portfolio(name="portfolio")
    returns, covariance = np.array(template.expected_returns), np.array(template.covariance)
    program = PortfolioOptimization(returns, covariance, template.risk_aversion, template.budget).to_quadratic_program()
    choices = [
        [int(asset in held) for asset in range(len(returns))]
        for held in combinations(range(len(returns)), template.budget)
    ]
    best = min(choices, key=program.objective.evaluate)
    found = answer("portfolio")
    assert found.found["assets"] == [asset for asset, taken in enumerate(best) if taken]  # type: ignore[index, call-overload]
    assert found.found["objective"] == pytest.approx(program.objective.evaluate(best))  # type: ignore[index, call-overload]


def test_qaoa_is_better_than_chance() -> None:
    for name, what in (("portfolio", "probability_of_optimum"), ("maxcut", "probability_of_largest")):
        figures = answer(name).figures
        assert figures[what] > 3 * figures[f"{what}_at_random"]  # type: ignore[operator]
