"""A portfolio by QAOA; value at risk and a European call by iterative amplitude estimation."""

from collections.abc import Callable
from math import comb, erf, exp, log, sqrt

import numpy as np
from pydantic import JsonValue
from qiskit import QuantumCircuit
from qiskit.circuit.library import StatePreparation

from qstill.contract.circuits.templates.answer import Answer
from qstill.contract.circuits.templates.finance import EuropeanCall, Portfolio, ValueAtRisk
from workers.circuits.templates.amplitude import (
    Estimation,
    amplified,
    amplified_probabilities,
    amplitude,
    estimate,
    loader,
)
from workers.circuits.templates.evidence import FITS, SIGMA, Floats, distribution, fit
from workers.circuits.templates.prepared import Counts, Prepared
from workers.circuits.templates.qaoa import Problem, bits, swap_mixer

DEVIATIONS = 3  # a distribution is cut off so many standard deviations from its mean
FINEST = 1e-4  # precision at which the search for value at risk stops asking whether a probability is above the level
COVERS = f"The interval of amplitude estimation ({SIGMA} sigma) covers the exact value."


def portfolio_problem(template: Portfolio) -> Problem:
    """Minimise risk and, with a minus, return. The mixer swaps assets, so that every state holds `budget` of them."""
    assets, budget = len(template.expected_returns), template.budget
    returns, covariance = np.array(template.expected_returns), np.array(template.covariance)
    choices = bits(assets)
    feasible = choices.sum(axis=1) == budget
    objectives = template.risk_aversion * np.einsum("si,ij,sj->s", choices, covariance, choices) - choices @ returns
    start = np.where(feasible, comb(assets, budget) ** -0.5, 0.0)
    initial = QuantumCircuit(assets)
    initial.append(StatePreparation(start), range(assets))
    return Problem(
        objectives,
        linear=template.risk_aversion * np.diag(covariance) - returns,
        quadratic=2 * template.risk_aversion * np.triu(covariance, 1),
        scale=float(objectives[feasible].std()) or 1.0,
        mixer=swap_mixer(assets),
        start=start,
        prepared=initial,
    )


def portfolio(template: Portfolio, *, seed: int, between: Callable[[], None]) -> Prepared:
    """Angles by QAOA; the optimum is known from computing all portfolios."""
    problem = portfolio_problem(template)
    assets, objectives, scale = problem.qubits, problem.costs, problem.scale
    returns, covariance = np.array(template.expected_returns), np.array(template.covariance)
    choices, feasible = bits(assets), problem.start > 0
    risks = np.einsum("si,ij,sj->s", choices, covariance, choices)
    found = problem.optimise(layers=template.layers, seed=seed, between=between)
    circuit = QuantumCircuit(assets, assets)
    circuit.compose(problem.ansatz(template.layers).assign_parameters(found.angles), inplace=True)
    circuit.measure(range(assets), range(assets))
    expected = distribution(found.probabilities, assets)
    lowest = float(objectives[feasible].min())
    optimal = feasible & np.isclose(objectives, lowest)

    def holding(index: int) -> dict[str, JsonValue]:
        return {
            "assets": list[JsonValue](_assets(index)),
            "objective": float(objectives[index]),
            "expected_return": float(choices[index] @ returns),
            "variance": float(risks[index]),
        }

    def interpret(counts: Counts, shots: int) -> Answer:
        held = [int(key, 2) for key in sorted(counts) if feasible[int(key, 2)]]
        best = min(held, key=lambda index: float(objectives[index]), default=None)
        hits = sum(count for key, count in counts.items() if optimal[int(key, 2)])
        mean = float(sum(objectives[int(key, 2)] * count for key, count in counts.items()) / shots)
        tested = fit(counts, shots, expected)
        words = "None of the shots holds as many assets as the budget says"
        if best is not None:
            words = f"The best portfolio among {shots:,} shots holds the assets {_assets(best)}"
        return Answer(
            summary=f"{words}; {hits / shots:.1%} of the shots read the optimum.",
            found=None if best is None else holding(best),
            expected=holding(int(np.flatnonzero(optimal)[0])),
            agrees=tested.good and best is not None and bool(optimal[best]),
            criterion=f"{FITS} The best portfolio that was read is an optimal one; no shot breaks the budget.",
            figures={
                "probability_of_optimum": hits / shots,
                "probability_of_optimum_theory": float(found.probabilities[optimal].sum()),
                "probability_of_optimum_at_random": float(optimal.sum() / feasible.sum()),
                "mean_objective": mean,
                "mean_objective_theory": found.mean_cost * scale,
                "mean_objective_at_random": float(objectives[feasible].mean()),
                "portfolios": [holding(int(index)) for index in np.flatnonzero(feasible)],
                "trace": [cost * scale for cost in found.trace],
                "beta": list[JsonValue](found.angles[: template.layers]),
                "gamma": list[JsonValue](found.angles[template.layers :]),
                **tested.figures(),
            },
        )

    return Prepared(circuit, interpret)


def _assets(index: int) -> list[int]:
    return [asset for asset in range(index.bit_length()) if index >> asset & 1]


def value_at_risk(template: ValueAtRisk, *, seed: int, between: Callable[[], None]) -> Prepared:
    """Bisection for the smallest loss x with P(loss ≤ x) ≥ level; each probability is an amplitude."""
    size = 1 << template.qubits
    deviations = np.linspace(-DEVIATIONS, DEVIATIONS, size)
    losses = template.mean + template.deviation * deviations
    weights = np.exp(-0.5 * deviations**2)
    probabilities = weights / weights.sum()

    def below(index: int) -> Floats:
        return (np.arange(size) <= index).astype(float)

    search: list[JsonValue] = []
    low, high = 0, size - 1  # P(loss ≤ the largest) is 1
    while low < high:
        middle = (low + high) // 2
        exact = amplitude(loader(probabilities, below(middle)))
        lower, upper = _decide(exact, template, seed=seed + len(search), between=between)
        search.append({"loss": float(losses[middle]), "probability": [lower, upper]})
        low, high = (low, middle) if (lower + upper) / 2 >= template.level else (middle + 1, high)
    shares = below(low)
    loading = loader(probabilities, shares)
    estimation = estimate(amplitude(loading), precision=template.precision, seed=seed, between=between)
    cumulative = np.minimum(np.cumsum(probabilities), 1.0)
    exact_index = int(np.searchsorted(cumulative, template.level))
    theory = amplified_probabilities(probabilities, shares, estimation.iterations)
    expected = distribution(theory, template.qubits + 1)

    def interpret(counts: Counts, shots: int) -> Answer:
        lower, upper = estimation.conclude(_good(counts), shots).amplitudes
        tested = fit(counts, shots, expected)
        covered = lower <= cumulative[low] <= upper
        reached = cumulative[low] >= template.level - FINEST
        smallest = low == 0 or cumulative[low - 1] <= template.level + FINEST
        figures: dict[str, JsonValue] = {
            "search": search,
            "losses": losses.tolist(),
            "probabilities": probabilities.tolist(),
            **_rounds(estimation, shots),
            **tested.figures(),
        }
        return Answer(
            summary=f"With probability {template.level:g} the loss is at most {losses[low]:.4g}: up to there lie "
            f"{lower:.4f} to {upper:.4f} of the distribution.",
            found={"value_at_risk": float(losses[low]), "probability": [lower, upper]},
            expected={"value_at_risk": float(losses[exact_index]), "probability": float(cumulative[exact_index])},
            agrees=bool(tested.good and covered and reached and smallest),
            criterion=f"{COVERS} {FITS} The value at risk is that of the exact sum; where two losses are as good up to "
            f"{FINEST} of probability, it is either.",
            figures=figures,
        )

    return Prepared(amplified(loading, estimation.iterations), interpret)


def _decide(exact: float, template: ValueAtRisk, *, seed: int, between: Callable[[], None]) -> tuple[float, float]:
    """An interval that does not hold the level, unless that would need more than the finest precision."""
    precision = template.precision
    while True:
        _, lower, upper = estimate(exact, precision=precision, seed=seed, between=between).rounds[-1]
        if not lower <= template.level <= upper or precision <= FINEST:
            return lower, upper
        precision /= 4


def european_call(template: EuropeanCall, *, seed: int, between: Callable[[], None]) -> Prepared:
    """The payoff of each price as a share of the largest; its mean is an amplitude (Stamatopoulos and others 2019)."""
    size, years = 1 << template.qubits, template.years
    deviation = template.volatility * sqrt(years)
    drift = log(template.spot) + (template.rate - template.volatility**2 / 2) * years
    prices = np.linspace(exp(drift - DEVIATIONS * deviation), exp(drift + DEVIATIONS * deviation), size)
    weights = np.exp(-0.5 * ((np.log(prices) - drift) / deviation) ** 2) / prices
    probabilities = weights / weights.sum()
    payoffs = np.maximum(prices - template.strike, 0)
    largest = float(payoffs.max())
    shares = payoffs / (largest or 1.0)
    today = exp(-template.rate * years) * largest  # from a share to a price
    loading = loader(probabilities, shares)
    estimation = estimate(amplitude(loading), precision=template.precision, seed=seed, between=between)
    exact = today * float(probabilities @ shares)
    formula = black_scholes(template)
    expected = distribution(amplified_probabilities(probabilities, shares, estimation.iterations), template.qubits + 1)

    def interpret(counts: Counts, shots: int) -> Answer:
        lower, upper = (today * share for share in estimation.conclude(_good(counts), shots).amplitudes)
        tested = fit(counts, shots, expected)
        figures: dict[str, JsonValue] = {
            "black_scholes": formula,
            "discretisation_error": exact - formula,
            "prices": prices.tolist(),
            "probabilities": probabilities.tolist(),
            "payoffs": payoffs.tolist(),
            **_rounds(estimation, shots),
            **tested.figures(),
        }
        return Answer(
            summary=f"The call is worth {lower:.4f} to {upper:.4f}; exactly {exact:.4f} on {size} prices, "
            f"{formula:.4f} by Black and Scholes.",
            found={"price": (lower + upper) / 2, "interval": [lower, upper]},
            expected={"price": exact},
            agrees=tested.good and lower <= exact <= upper,
            criterion=f"{COVERS} {FITS}",
            figures=figures,
        )

    return Prepared(amplified(loading, estimation.iterations), interpret)


def black_scholes(template: EuropeanCall) -> float:
    """The price for continuous, unbounded prices."""
    deviation = template.volatility * sqrt(template.years)
    upper = (log(template.spot / template.strike) + template.rate * template.years) / deviation + deviation / 2
    discounted = template.strike * exp(-template.rate * template.years)
    return template.spot * _normal(upper) - discounted * _normal(upper - deviation)


def _normal(value: float) -> float:
    return (1 + erf(value / sqrt(2))) / 2


def _good(counts: Counts) -> int:
    return sum(count for key, count in counts.items() if key[0] == "1")


def _rounds(estimation: Estimation, shots: int) -> dict[str, JsonValue]:
    return {
        "rounds": [{"grover_iterations": k, "interval": [low, high]} for k, low, high in estimation.rounds],
        "grover_iterations": estimation.iterations,
        "queries": estimation.queries + shots * (2 * estimation.iterations + 1),
    }
