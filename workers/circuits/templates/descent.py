"""Minimising a smooth function of a circuit's angles."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Descent:
    """Where it ended; trace: the value at the start and after each iteration."""

    angles: Floats
    value: float
    trace: list[float]


def descend(
    value: Callable[[Floats], float], start: Floats, *, gradient: float, between: Callable[[], None]
) -> Descent:
    """BFGS with numerical derivatives until none is above `gradient`. between: called at every iteration; may raise."""
    from scipy.optimize import (  # 0.3 s, which few circuits should pay
        OptimizeResult,
        minimize,
    )

    trace = [value(start)]

    def step(intermediate_result: OptimizeResult) -> None:  # SciPy knows it by this name
        between()
        trace.append(float(intermediate_result.fun))

    between()
    found = minimize(value, start, method="BFGS", callback=step, options={"gtol": gradient})
    return Descent(np.asarray(found.x), float(found.fun), trace)
