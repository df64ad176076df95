"""Contrastive representation distillation (Tian and others 2020, arXiv:1910.10699): -log h(i, i) - Σ log(1 - h(i, j)).

h is a critic's probability that two embeddings are of the same row: e^x/(e^x + N/M), x their cosine over τ, N the
number of negatives, M that of rows in the data. The authors' code divides e^x by M times its mean (of the first batch)
first, without which h is near 1 for unrelated rows, and M cancels: h = e^x/(e^x + N·mean).

The negatives are the other rows of the batch. The paper's, 16,384 at a time, come from a memory of embeddings of all
rows, older than the networks that it trains. The batch's are fresh and leave no state to save; small data has no more.
"""

import math

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from workers.distillation.objectives.features import unit
from workers.distillation.objectives.terms import upcast


def crd(student: Tensor, teacher: Tensor, *, temperature: float) -> Tensor:
    """The contrastive loss in nats, mean over rows, summed over both anchors: the teacher's row among students, and the
    student's among teachers. In one batch these are the same pairs, which doubles the sum. 0 for a single row.

    Both: embeddings (rows, width) of one width, of any length: only their direction counts. The least that can be
    reached is near 2 nats, not 0: negatives that are all equally far keep h = 1/(N + 1).
    """
    rows, student = len(student), upcast(student)
    if rows < 2:
        return student.sum() * 0
    x = unit(student) @ unit(upcast(teacher)).T / temperature
    same = torch.eye(rows, dtype=torch.bool, device=x.device)
    negatives = x[~same]
    log_mean = negatives.detach().logsumexp(0) - math.log(len(negatives))
    odds = x - log_mean - math.log(rows - 1)  # h is their sigmoid
    return -2 * (logsigmoid(odds[same]).sum() + logsigmoid(-odds[~same]).sum()) / rows
