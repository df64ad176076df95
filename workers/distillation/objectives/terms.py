"""What every loss is given besides the signal, and what it returns."""

from dataclasses import dataclass
from typing import TypedDict

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, log_softmax, logsigmoid

UNKNOWN = -1  # the label of a row whose label is unknown, or hidden from the student


@dataclass(frozen=True)
class Target:
    """labels: classes of the rows (batch,), `UNKNOWN` where there is none; of regression real numbers (batch, targets),
    NaN where unknown.

    epoch: the running one, from 1, for losses that warm up; None outside training, where nothing is warming up.
    class_weights: of each class (classes,) in the label's term, None for equal ones. smoothing: of labels, from 0 to 1.
    yes_no: whether labels are those of rows that have several, (batch, labels), 0 or 1, NaN where unknown.
    """

    labels: Tensor
    epoch: int | None = None
    class_weights: Tensor | None = None
    smoothing: float = 0.0
    yes_no: bool = False


class Terms(TypedDict):
    """Scalars: what the labels say (nats; of regression a squared error), what the teacher says (nats unless its loss
    says otherwise), and what is minimised. A loss may add terms of its own.
    """

    hard: Tensor
    soft: Tensor
    loss: Tensor


def is_known(labels: Tensor) -> Tensor:
    """Where there is a label, of labels of any shape."""
    return labels.isfinite() if labels.is_floating_point() else labels != UNKNOWN


def labelled_rows(labels: Tensor) -> Tensor:
    """(rows,) whether a row has a label: at any of its tokens, of any of its targets."""
    known = is_known(labels)
    return known.flatten(1).any(1) if known.ndim > 1 else known


def upcast(logits: Tensor) -> Tensor:
    """Logits in single precision or better: half precision overflows in what follows."""
    return logits.to(torch.promote_types(logits.dtype, torch.float32))


def cross_entropy_of_known(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy in nats, mean over the labelled rows of the batch; 0 (not NaN) when there is none."""
    total = cross_entropy(upcast(logits), labels, ignore_index=UNKNOWN, reduction="sum")
    return total / (labels != UNKNOWN).sum().clamp(min=1)


def label_term(student: Tensor, target: Target) -> Tensor:
    """What the labels say: cross-entropy in nats, a mean over the labelled rows by the weights of their classes.

    Of regression: the mean squared error of what is known. Of several labels: their mean binary cross-entropy.
    """
    if target.yes_no:
        return binary_cross_entropy_of_known(student, target.labels)
    if target.labels.is_floating_point():
        return squared_error_of_known(student, target.labels)
    if target.class_weights is None and not target.smoothing:
        return cross_entropy_of_known(student, target.labels)
    weights, labels = target.class_weights, target.labels
    logits = upcast(student)
    total = cross_entropy(
        logits, labels, weights, ignore_index=UNKNOWN, reduction="sum", label_smoothing=target.smoothing
    )
    known = labels[labels != UNKNOWN]
    share = logits.new_tensor(len(known)) if weights is None else weights.index_select(0, known).sum()
    return total * torch.where(share > 0, 1 / share, 0)


def binary_cross_entropy_of_known(logits: Tensor, labels: Tensor) -> Tensor:
    """In nats, mean over the known labels of the batch; 0 (not NaN) when there is none. Both: (batch, labels)."""
    known = is_known(labels)
    nats = binary_cross_entropy_with_logits(upcast(logits), torch.where(known, labels, 0), reduction="none")
    return torch.where(known, nats, 0).sum() / known.sum().clamp(min=1)


def binary_kl_from_logits(teacher: Tensor, student: Tensor) -> Tensor:
    """KL of Bernoulli distributions in nats, mean over labels and the batch. Both: logits (batch, labels)."""
    share = teacher.sigmoid()
    yes = logsigmoid(teacher) - logsigmoid(student)
    no = logsigmoid(-teacher) - logsigmoid(-student)
    return (share * yes + (1 - share) * no).mean()


def squared_error_of_known(answers: Tensor, labels: Tensor) -> Tensor:
    """Mean over the known numbers of the batch; 0 (not NaN) when there is none. Both: (batch, targets)."""
    known = is_known(labels)
    differences = upcast(answers) - torch.where(known, labels, 0)
    return torch.where(known, differences, 0).square().sum() / known.sum().clamp(min=1)


def kl_from_logits(teacher: Tensor, student: Tensor) -> Tensor:
    """KL(teacher ‖ student) in nats, summed over classes, mean over the batch. Both: logits (batch, classes)."""
    return kl(log_softmax(teacher, dim=1), log_softmax(student, dim=1))


def kl(p: Tensor, q: Tensor) -> Tensor:
    """KL(p ‖ q) in nats, summed over classes, mean over the batch. Both: log-probabilities (batch, classes); -inf in p
    is a class without a share, whatever q says.

    Σ p·(log p/q - 1 + q/p), which is Σ p·log p/q because both sum to 1. Where p and q are close, as they are at a high
    temperature, the terms of the second are as large as log p/q, cancel, and leave rounding that T² makes the loss.
    """
    share = p > -torch.inf
    gap = (p - q).masked_fill(~share, 0)
    near = gap.clamp(-1, 1)
    of_near = p.exp() * (near + torch.expm1(-near))
    of_far = p.exp() * (gap - 1) + q.exp()
    return torch.where(share & (gap.abs() < 1), of_near, of_far).sum() / len(p)
