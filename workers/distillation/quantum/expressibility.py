"""How much of its space a circuit reaches (Sim, Johnson and Aspuru-Guzik 2019, arXiv:1905.10876), and how steep it is
(McClean and others 2018, arXiv:1803.11173).
"""

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from qstill.contract.distillations.report.quantum import Expressibility
from workers.circuits.program import Reals
from workers.distillation.networks.circuits.network import CircuitNetwork

MAX_QUBITS = 10
STATES, FEWEST_STATES = 400, 100
DRAWS = 200
BINS = 75  # as in the paper
MAX_WORK = 1 << 30  # amplitudes that steps change, in all: seconds
AT_ONCE = 1 << 20  # amplitudes of the states that are made together
DEAD = 1e-10  # of the largest variance; what single precision leaves of 0 is below


def expressibility_of(network: CircuitNetwork, row: Tensor, seed: int) -> Expressibility | None:
    """row: (1, ...), as the network reads it. None where that would take long, or there is nothing to turn."""
    work = network.circuit.steps << network.qubits
    count, weights = min(STATES, MAX_WORK // max(1, work)), len(network.circuit.weights)
    if network.qubits > MAX_QUBITS or count < FEWEST_STATES or not weights:
        return None
    draw = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        numbers = network.numbers(row)
        given = {"rows": numbers} if network.inputs else {"states": network.states(numbers)}
    angles = (2 * torch.rand(count, weights, generator=draw) - 1) * math.pi
    parts = torch.split(angles, max(1, AT_ONCE >> network.qubits))
    found = fidelities(torch.cat([network.circuit.states(each, **given)[:, :, 0] for each in parts]))
    variance = gradient_variance(network, angles[:DRAWS], given, draw)
    dimension = 1 << network.qubits
    random = torch.randn(count, dimension, dtype=torch.complex64, generator=draw)
    return Expressibility(
        states=count,
        divergence=divergence(found, dimension),
        floor=divergence(fidelities(random / random.norm(dim=1, keepdim=True)), dimension),
        histogram=shares(found).tolist(),
        haar=np.exp(haar_shares(dimension)).tolist(),
        draws=min(DRAWS, len(angles)),
        gradient_variance=variance.tolist(),
        dead=(variance <= DEAD * variance.max()).nonzero().flatten().tolist(),
    )


def fidelities(states: Tensor) -> Reals:
    """(S(S-1)/2,), |<a|b>|^2 of every two of the states (S, 2^n)."""
    found = (states.conj() @ states.mT).abs().square()
    first, second = torch.triu_indices(len(states), len(states), 1)
    pairs: Reals = found[first, second].double().numpy()
    return pairs


def gradient_variance(network: CircuitNetwork, angles: Tensor, given: dict[str, Any], draw: torch.Generator) -> Tensor:
    """(P,), mean over the observables O of the mean square of the gradient of each by an angle.

    Signs drawn for each set of angles sum up all observables into one, whose mean square is the sum of theirs.
    """
    signs = 2.0 * torch.randint(2, (len(angles), len(network.sums)), generator=draw) - 1
    squares = torch.zeros(angles.shape[1], dtype=torch.float64)
    size = max(1, AT_ONCE >> network.qubits)
    for some, own in zip(torch.split(angles, size), torch.split(signs, size), strict=True):
        leaf = some.clone().requires_grad_()
        (gradient,) = torch.autograd.grad((network.circuit(leaf, **given)[:, 0] * own).sum(), leaf)
        squares += gradient.double().square().sum(0)
    return squares / (len(angles) * len(network.sums))


def divergence(found: Reals, dimension: int) -> float:
    """KL(found || Haar), nats, of fidelities."""
    own, log_haar = shares(found), haar_shares(dimension)
    there = own > 0
    return float((own[there] * (np.log(own[there]) - log_haar[there])).sum())


def shares(found: Reals) -> Reals:
    """(BINS,), of fidelities."""
    return np.histogram(np.clip(found, 0.0, 1.0), BINS, (0.0, 1.0))[0] / len(found)


def haar_shares(dimension: int) -> Reals:
    """(BINS,), logarithms of the bins' shares: (1-F)^(N-1) of all fidelities lie above F."""
    left = np.arange(BINS) / BINS
    kept = ((1 - left - 1 / BINS).clip(0.0) / (1 - left)) ** (dimension - 1)
    return (dimension - 1) * np.log1p(-left) + np.log1p(-kept)
