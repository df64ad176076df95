"""Bias correction (Hinton, Vinyals, Dean 2015, arXiv:1503.02531, sec. 3): a class that the student never saw.

Through the teacher's answers on other classes a student learns what a class looks like, but not how often it comes. One
number, added to its logit, puts that right; it is the one that makes the most of the validation rows.
"""

import torch
from torch import Tensor

from qstill.contract.distillations.training import StudentTraining
from workers.distillation.data.dataset import Data
from workers.distillation.networks.answers import logits_of
from workers.distillation.training.keeper import Outcome
from workers.distillation.training.plan import Stage


def corrects(stage: Stage, data: Data) -> bool:
    """Whether the training asks for it and classes were left out; the teacher saw them all."""
    training = stage.training
    asked = isinstance(training, StudentTraining) and training.bias_correction
    return asked and bool(data.left_out) and stage.role != "teacher"


def corrected(outcome: Outcome, stage: Stage, data: Data) -> Outcome:
    """The outcome with the correction in its head's bias, where there is one."""
    if not corrects(stage, data):
        return outcome
    network = stage.begin(data)
    network.load_state_dict(outcome.weights)
    logits, labels = logits_of(network, data.validation.x), data.validation.y
    bias = shift(logits, labels, data.left_out)
    worth, _ = data.task.score(logits + bias, labels)
    weights = outcome.weights | {"head.bias": outcome.weights["head.bias"] + bias}
    return Outcome(weights, outcome.epoch, outcome.step, worth)


def shift(logits: Tensor, labels: Tensor, classes: tuple[int, ...]) -> Tensor:
    """What is added to a row of logits: the best offset for `classes`, 0 for the others."""
    unseen = torch.zeros(logits.shape[1]).index_fill(0, torch.tensor(classes), 1.0)
    return (best_offset(logits.cpu(), labels.cpu(), classes) * unseen).to(logits.device)


def best_offset(logits: Tensor, labels: Tensor, classes: tuple[int, ...]) -> float:
    """What, added to the logits of `classes`, gets the most rows right; the middle of the widest range of such numbers.

    logits: (rows, all classes). A row changes sides where its offset passes the margin between its best class and its
    best one of `classes`, so that only the ranges between margins have to be tried.
    """
    inside = torch.zeros(logits.shape[1], dtype=torch.bool).index_fill(0, torch.tensor(classes), True)
    outer, inner = (logits.double().masked_fill(mask, -torch.inf) for mask in (inside, ~inside))
    margins, order = (outer.amax(1) - inner.amax(1)).sort()
    right_if_raised, right_if_not = ((part.argmax(1) == labels)[order].long() for part in (inner, outer))
    none = torch.zeros(1, dtype=torch.long)
    raised = torch.cat([none, right_if_raised.cumsum(0)])  # rows below the offset are answered from `classes`
    not_raised = right_if_not.sum() - torch.cat([none, right_if_not.cumsum(0)])
    edges = torch.cat([margins[:1] - 1, margins, margins[-1:] + 1])
    right = raised + not_raised
    widths = torch.where(right == right.max(), edges[1:] - edges[:-1], -1.0)
    widest = int(widths.argmax())
    return float((edges[widest] + edges[widest + 1]) / 2)
