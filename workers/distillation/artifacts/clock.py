"""The time that one answer takes on this machine."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

LATENCY_RUNS = 300
LATENCY_SECONDS = 0.5  # at most, for one network: a large one is timed fewer times


@dataclass(frozen=True)
class Latency:
    """Milliseconds of one forward pass of one row, over `runs` of them, on the CPU threads of this job."""

    p50_ms: float
    p95_ms: float
    runs: int


def timed(answer: Callable[[], object]) -> Latency:
    """answer: one forward pass of one row."""
    return latency_of(milliseconds_of(answer, LATENCY_RUNS, LATENCY_SECONDS))


def milliseconds_of(answer: Callable[[], object], runs: int, seconds: float) -> list[float]:
    """How long each of up to `runs` calls took, once it has been called: as many as fit into `seconds`, but one."""
    milliseconds: list[float] = []
    answer()
    until = time.perf_counter() + seconds
    while len(milliseconds) < runs and (not milliseconds or time.perf_counter() < until):
        started = time.perf_counter()
        answer()
        milliseconds.append(1000 * (time.perf_counter() - started))
    return milliseconds


def latency_of(milliseconds: list[float]) -> Latency:
    """Of single calls."""
    p50, p95 = (float(np.quantile(milliseconds, q)) for q in (0.5, 0.95))
    return Latency(p50, p95, len(milliseconds))


def latency(network: nn.Module, row: Tensor) -> Latency:
    """row: one input, without the batch dimension."""
    network.eval()
    batch = row[None]
    with torch.inference_mode():
        return timed(lambda: network(batch))
