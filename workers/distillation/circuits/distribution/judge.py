"""Student, histogram and independent bits on shots that none of them has seen."""

from dataclasses import dataclass

import numpy as np
import torch

from qstill.contract.circuits.results.statistics import Z_95
from qstill.contract.distillations.circuits.distribution.job import MAX_LISTED_BITS, NllGain
from qstill.contract.distillations.circuits.distribution.report import Apart, JudgedModel, ModelName
from workers.distillation.circuits.distribution.fit import log_probability
from workers.distillation.circuits.distribution.models import Histogram, Independent, histogram_of
from workers.distillation.circuits.distribution.network import BitNetwork, bits_of, log_probabilities
from workers.distillation.circuits.distribution.shots import Reals, Shots
from workers.distillation.networks.costs import parameters


@dataclass(frozen=True)
class Judged:
    """logs: of each held-out shot, nats, by model. every: (2^bits,) probabilities by model; empty of too many bits."""

    network: BitNetwork
    histogram: Histogram
    independent: Independent
    logs: dict[ModelName, Reals]
    every: dict[ModelName, Reals]
    models: list[JudgedModel]

    def nll(self, model: ModelName) -> float:
        return -float(self.logs[model].mean())

    @property
    def gain(self) -> NllGain:
        """Of the student over the histogram, paired by shot."""
        return paired(self.logs["student"] - self.logs["histogram"])


def paired(differences: Reals) -> NllGain:
    """Their mean with its 95% interval, by the normal distribution: there are 16 shots at least."""
    mean = float(differences.mean())
    half = Z_95 * float(differences.std(ddof=1)) / float(np.sqrt(len(differences)))
    return NllGain(nats=mean, low=mean - half, high=mean + half)


def apart(p: Reals, q: Reals) -> Apart:
    """Two distributions over all keys."""
    return Apart(
        total_variation=min(1.0, float(np.abs(p - q).sum()) / 2),
        hellinger=min(1.0, float(np.sqrt(np.square(np.sqrt(p) - np.sqrt(q)).sum() / 2))),
    )


def judged(network: BitNetwork, histogram: Histogram, independent: Independent, shots: Shots) -> Judged:
    """On the held-out shots, and beside the exact distribution where it is known."""
    rows = bits_of(torch.from_numpy(shots.held_out), shots.bits)
    logs: dict[ModelName, Reals] = {
        "student": log_probability(network, rows).numpy(),
        "histogram": histogram.log_probability(shots.held_out),
        "independent": independent.log_probability(shots.held_out),
    }
    every: dict[ModelName, Reals] = {}
    seen = None
    if shots.bits <= MAX_LISTED_BITS:
        seen = histogram_of(shots.held_out, shots.bits).frequencies()
        every = {
            "student": log_probabilities(network).exp().numpy(),
            "histogram": histogram.probabilities(),
            "independent": independent.probabilities(),
        }
    sizes: dict[ModelName, int] = {
        "student": parameters(network),
        "histogram": len(histogram.codes),
        "independent": shots.bits,
    }
    models = [
        JudgedModel(
            model=name,
            nll=-float(found.mean()),
            standard_error=float(found.std(ddof=1)) / float(np.sqrt(len(found))),
            exact=None if shots.exact is None else apart(every[name], shots.exact),
            held_out=None if seen is None else apart(every[name], seen),
            parameters=sizes[name],
        )
        for name, found in logs.items()
    ]
    return Judged(network, histogram, independent, logs, every, models)


def decided(found: Judged) -> tuple[bool, str]:
    """Whether the student is the one to use, and why."""
    gain = found.gain
    said = f"{found.nll('student'):.3f} nats against {found.nll('histogram'):.3f}"
    if gain.nats <= 0:
        return False, f"the student's held-out NLL is not below the histogram's: {said}"
    interval = f"the 95% interval of the gain is {gain.low:+.3f} to {gain.high:+.3f}"
    if gain.low <= 0:
        return False, f"that the student's held-out NLL is below the histogram's is not shown: {said}, {interval}"
    return True, f"the student's held-out NLL is below the histogram's: {said}, {interval}"
