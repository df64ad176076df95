"""What moves the weights: the optimizer, the learning rate of a step, and the average of past weights."""

import math
from collections.abc import Iterable
from copy import deepcopy
from typing import Any

import torch
from torch import nn
from torch.optim import SGD, Adam, AdamW, Optimizer

from qstill.contract.distillations.training import Optimisation
from workers.distillation.networks.network import Network


def optimizer_of(parameters: Iterable[nn.Parameter], training: Optimisation) -> Optimizer:
    """The optimizer that a training asks for."""
    rate, decay = training.learning_rate, training.weight_decay  # fused: a third of the time for a small network
    if training.optimizer == "sgd":
        momentum, nesterov = training.momentum, training.nesterov
        return SGD(parameters, lr=rate, weight_decay=decay, momentum=momentum, nesterov=nesterov, fused=True)
    kind = Adam if training.optimizer == "adam" else AdamW
    return kind(parameters, lr=rate, weight_decay=decay, fused=True)


def learning_rate(training: Optimisation, step: int, steps_per_epoch: int) -> float:
    """Of a step, counted from 0."""
    warm_up = training.warm_up * steps_per_epoch
    if step < warm_up:
        return training.learning_rate * (step + 1) / warm_up
    if training.schedule == "cosine":
        total = training.epochs * steps_per_epoch - warm_up
        return training.learning_rate * 0.5 * (1 + math.cos(math.pi * (step - warm_up) / total))
    passed = sum(step >= milestone * steps_per_epoch for milestone in training.milestones)
    return training.learning_rate * training.decay**passed


class Average:
    """An exponential moving average of a network's weights, and of the state of its normalisation.

    It forgets its beginnings sooner than `decay` alone would: after n steps it keeps at most (n + 1)/(n + 10).
    """

    def __init__(self, network: Network, decay: float) -> None:
        self.network = deepcopy(network)
        self.decay = decay
        self.steps = 0

    def follow(self, network: Network) -> None:
        """One step towards the network's weights."""
        kept = min(self.decay, (self.steps + 1) / (self.steps + 10))
        self.steps += 1
        with torch.no_grad():
            followed = network.state_dict()
            for name, average in self.network.state_dict().items():
                average.lerp_(followed[name], 1 - kept)

    def state_dict(self) -> dict[str, Any]:
        """For `load_state_dict`."""
        return {"network": self.network.state_dict(), "steps": self.steps}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where `state_dict` was taken."""
        self.network.load_state_dict(state["network"])
        self.steps = state["steps"]
