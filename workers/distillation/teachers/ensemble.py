"""Several teachers as one: the mean of their probabilities, or the normalised geometric mean."""

import hashlib
import json
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import log_softmax, logsigmoid

from qstill.contract.distillations.teachers import EnsembleTeacher
from workers.distillation.data.dataset import Data
from workers.distillation.rows import Rows
from workers.distillation.teachers.base import Teacher


def ensemble(spec: EnsembleTeacher, data: Data, members: Sequence[Teacher]) -> Teacher:
    """members: in the order of the job. Those of regression have their plain mean."""
    weights = torch.tensor(spec.weights or [1.0] * len(members), dtype=torch.float64)
    weights = weights / weights.sum()

    def logits(rows: Rows) -> Tensor:
        answers = [member.logits(rows) for member in members]
        if data.task.answers == "values":
            return (torch.stack(answers).double() * weights[:, None, None]).sum(0).float()
        if data.task.yes_no:
            return average_of_labels(answers, weights, geometric=spec.average == "geometric")
        return average(answers, weights, geometric=spec.average == "geometric")

    told = [spec.average, weights.tolist(), [member.digest for member in members]]
    notes = [note for member in members for note in member.notes]
    if any(member.unspoken is not None for member in members):
        notes.append("What sparse members leave over is spread evenly, because an average needs whole distributions.")
    return Teacher(
        logits,
        hashlib.sha256(json.dumps(told).encode()).hexdigest(),
        bytes=sum(member.bytes for member in members),
        parameters=sum(member.parameters for member in members) if all(member.parameters for member in members) else 0,
        members=tuple(members),
        scope=hashlib.sha256("/".join(member.scope for member in members).encode()).hexdigest(),
        notes=tuple(notes),
        warnings=tuple(dict.fromkeys(warning for member in members for warning in member.warnings)),
    )


def average(answers: Sequence[Tensor], weights: Tensor, *, geometric: bool) -> Tensor:
    """Log-probabilities (rows, classes), float32. answers: logits of each member. weights: (members,), sum 1."""
    logs = torch.stack([log_softmax(logits.double(), dim=1) for logits in answers])  # a mean of logits depends on scale
    if geometric:
        return log_softmax((logs * weights[:, None, None]).sum(0), dim=1).float()
    return torch.logsumexp(logs + weights.log()[:, None, None], dim=0).float()


def average_of_labels(answers: Sequence[Tensor], weights: Tensor, *, geometric: bool) -> Tensor:
    """Logits (rows, labels), float32, of each label's mean probability; geometric: of both its sides, which is the mean
    of logits.
    """
    logits = torch.stack([each.double() for each in answers])
    if geometric:
        return (logits * weights[:, None, None]).sum(0).float()
    yes, no = (torch.logsumexp(logsigmoid(side) + weights.log()[:, None, None], dim=0) for side in (logits, -logits))
    return (yes - no).float()
