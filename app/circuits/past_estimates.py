"""How well past predictions held, as the ratio of measured to predicted seconds, and what that makes of a new one."""

from collections.abc import Iterable, Mapping
from statistics import median, quantiles
from typing import Any

from qstill.contract.circuits.cost.estimates import Calibration, Estimate, Findings

HISTORY = 300  # jobs: enough for their 5% and 95% quantiles, and read in milliseconds
FEW = 20  # with fewer a quantile of 5% is the most extreme job
DEFAULT_FACTOR = 3.0  # within which benchmarks/circuits/predictions.py wants four of five predictions


def ratios(results: Iterable[Mapping[str, Any] | None]) -> list[float]:
    """Measured by predicted seconds of the results that name both."""
    found = []
    for result in results:
        predicted, measured = ((result or {}).get(name) for name in ("predicted_seconds", "simulation_seconds"))
        if predicted and measured:
            found.append(float(measured) / float(predicted))
    return found


def calibrate(found: list[float]) -> Calibration:
    """Median and 5% and 95% quantiles of the ratios; a default factor where they are few."""
    if len(found) < FEW:
        return Calibration(
            jobs=len(found), median_ratio=None, low=1 / DEFAULT_FACTOR, high=DEFAULT_FACTOR, basis="default"
        )
    twentieths = quantiles(found, n=20, method="inclusive")
    return Calibration(
        jobs=len(found), median_ratio=median(found), low=twentieths[0], high=twentieths[-1], basis="history"
    )


def estimate(findings: Findings, calibration: Calibration) -> Estimate:
    """The findings with the interval that the calibration gives."""
    return Estimate(
        circuits=findings.circuits,
        predicted_seconds=findings.predicted_seconds,
        low_seconds=findings.predicted_seconds * calibration.low,
        high_seconds=findings.predicted_seconds * calibration.high,
        calibration=calibration,
    )
