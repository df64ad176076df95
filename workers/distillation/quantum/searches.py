"""Where a circuit's value is lowest: by its surrogate, and by asking the circuit itself a limited number of times.

Searches see inputs as shares of the box that the rows span, so that one step size serves all of them.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from workers.distillation.networks.fourier import Waves

Floats = NDArray[np.float64]
Ask = Callable[[Floats], float]  # a row of inputs, to the circuit's answer

CANDIDATES = 4_096  # rows at which a surrogate is looked at before it descends
NUMBERS_AT_ONCE = 1 << 24  # of products of waves: 128 MiB
DESCENTS = 8  # from the lowest candidates
FIRST_STEP = 0.1  # of the box: COBYLA's first, and SPSA's
ASIDE = 0.03  # of the box, to both sides of where SPSA stands
CALIBRATING = 5  # pairs of answers that tell SPSA how steep it is
STEP_DECAY, ASIDE_DECAY = 0.602, 0.101  # Spall 1998, IEEE Trans. Aerosp. Electron. Syst. 34, 817


@dataclass(frozen=True)
class Box:
    """low, high: (inputs,); all searches begin inside, and the surrogate's stays there."""

    low: Floats
    high: Floats

    def at(self, shares: Floats) -> Floats:
        inside: Floats = self.low + shares * (self.high - self.low)
        return inside

    def shares(self, row: Sequence[float] | Floats) -> Floats:
        found: Floats = (np.asarray(row, dtype=np.float64) - self.low) / (self.high - self.low)
        return found


@dataclass(frozen=True)
class Sum:
    """A trigonometric sum of one value. coefficients: (waves,), double precision. units: radians of each input."""

    frequencies: Sequence[int]
    units: Sequence[float]
    coefficients: Tensor

    def __call__(self, rows: Tensor) -> Tensor:
        """(B,) of rows (B, inputs), double precision."""
        found: Tensor = (
            Waves(self.frequencies)(rows * torch.tensor(self.units, dtype=torch.float64)) @ self.coefficients
        )
        return found


def lowest(surrogate: Sum, box: Box, seed: int, also: Sequence[Sequence[float]]) -> tuple[Floats, float]:
    """(inputs, the sum there): the lowest of descents from the lowest of many rows. also: rows to begin from, too."""
    from scipy.optimize import minimize  # 0.3 s, which few jobs should pay

    drawn = box.at(np.random.default_rng(seed).uniform(size=(CANDIDATES, len(box.low))))
    candidates = np.concatenate([drawn, np.clip(np.array([*also]), box.low, box.high)])
    piece = max(1, NUMBERS_AT_ONCE // len(surrogate.coefficients))
    values = torch.cat([surrogate(part) for part in torch.split(torch.from_numpy(candidates), piece)]).numpy()

    def with_slope(shares: Floats) -> tuple[float, Floats]:
        row = torch.from_numpy(box.at(shares))[None].requires_grad_()
        value = surrogate(row).sum()
        (slope,) = torch.autograd.grad(value, row)
        return float(value.detach()), slope[0].numpy() * (box.high - box.low)

    begun = [box.shares(candidates[place]) for place in np.argsort(values)[:DESCENTS]]
    ends = [minimize(with_slope, each, jac=True, method="L-BFGS-B", bounds=[(0, 1)] * len(each)) for each in begun]
    best = min(ends, key=lambda end: float(end.fun))
    return box.at(np.asarray(best.x)), float(best.fun)


def cobyla(ask: Ask, box: Box, start: Sequence[float], evaluations: int, seed: int) -> Floats:
    """Where the lowest answer was. It begins anew at random where it ends with evaluations left."""
    from scipy.optimize import minimize

    random = np.random.default_rng(seed)
    seen: list[tuple[float, Floats]] = []

    def value(shares: Floats) -> float:
        seen.append((ask(box.at(shares)), shares.copy()))
        return seen[-1][0]

    first = box.shares(start)
    while (left := evaluations - len(seen)) >= len(first) + 2:  # a simplex and a step
        minimize(value, first, method="COBYLA", options={"rhobeg": FIRST_STEP, "maxiter": left})
        first = random.uniform(size=len(first))
    return box.at(min(seen, key=lambda pair: pair[0])[1]) if seen else np.asarray(start, dtype=np.float64)


def spsa(ask: Ask, box: Box, start: Sequence[float], evaluations: int, seed: int) -> Floats:
    """Where it ends: two answers a step, on both sides of where it stands, in a direction that is drawn."""
    random = np.random.default_rng(seed)
    here = box.shares(start)

    def slope(aside: float) -> tuple[float, Floats]:
        signs = random.choice([-1.0, 1.0], size=len(here))
        return (ask(box.at(here + aside * signs)) - ask(box.at(here - aside * signs))) / (2 * aside), signs

    pairs = evaluations // 2
    calibrating = min(CALIBRATING, pairs // 3)
    steep = float(np.mean([abs(slope(ASIDE)[0]) for _ in range(calibrating)])) if calibrating else 1.0
    steps = pairs - calibrating
    stability = steps / 10
    size = FIRST_STEP * (1 + stability) ** STEP_DECAY / (steep or 1.0)
    for step in range(steps):
        along, signs = slope(ASIDE / (1 + step) ** ASIDE_DECAY)
        moved = size / (1 + step + stability) ** STEP_DECAY * along
        here = here - math.copysign(min(abs(moved), FIRST_STEP), moved) * signs
    return box.at(here)
