"""A real service for the real clients of IonQ's API."""

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.testing.service import Service, running

SURE = 1e-9  # the chance that a bound on sampled frequencies is broken by a service without a fault


@pytest.fixture(scope="session")
def ionq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running(tmp_path_factory.mktemp("ionq") / "data") as service:
        yield service


@pytest.fixture
def backends(ionq: Service, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """`backends("simulator")`, pointed at the service as its users are told to."""
    monkeypatch.setenv("IONQ_API_URL", f"{ionq.address}/v0.4")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from qiskit_ionq import IonQProvider  # seconds, which other clients' tests are spared

    return IonQProvider("any").get_backend


@pytest.fixture
def simulator(backends: Callable[..., Any]) -> Any:
    return backends("simulator")


def furthest(outcomes: int, shots: int) -> float:
    """How far sampled frequencies may be from their probabilities, in the sum of absolute differences.

    P(|p̂ - p|₁ ≥ ε) ≤ 2^outcomes · exp(-shots·ε²/2)  (Bretagnolle, Huber and Carol), solved for ε at the chance SURE.
    """
    return float(np.sqrt(2 * (outcomes * np.log(2) - np.log(SURE)) / shots))


def distance(counts: dict[int, int], probabilities: NDArray[np.float64]) -> float:
    """The sum of absolute differences between frequencies by outcome and probabilities (outcomes,)."""
    frequencies = np.zeros(len(probabilities))
    for outcome, count in counts.items():
        frequencies[outcome] = count
    return float(np.abs(frequencies / frequencies.sum() - probabilities).sum())
