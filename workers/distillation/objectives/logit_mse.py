"""Logit matching (Ba, Caruana 2014, arXiv:1312.6184; Kim and others 2021, arXiv:2105.08919): ‖z_s - z_t‖², centred.

Kim and others show that T²·KL at high T tends to ‖z_s - z_t‖²/(2K) less what the rows' means contribute. Centring the
logits removes that contribution exactly, and with it a demand that no prediction depends on.
"""

from torch import Tensor
from torch.nn.functional import mse_loss

from workers.distillation.objectives.terms import Target, Terms, label_term, upcast
from workers.distillation.signals.signals import Signal


def logit_mse(student: Tensor, signal: Signal, target: Target, *, alpha: float) -> Terms:
    """(1-α)·CE + α·‖(z_s - mean z_s) - (z_t - mean z_t)‖²/K, each a mean over the rows of the batch that have it.

    student: logits (batch, classes). signal.logits: the same shape. target.labels: (batch,), -1 where unknown.
    Returns {"hard" in nats, "soft" in squared logits, "loss"}; rows without a label carry the soft term only. The
    division by K makes the soft term twice the limit of kd's at high temperature, whatever the number of classes.
    Several labels: as it is for classes, but nothing is centred: each logit means something by itself.
    Regression: (1-α)·‖z_s - y‖²/K + α·‖z_s - z_t‖²/K on K standardised targets, where a constant means something.
    """
    teacher, student = upcast(signal.logits), upcast(student)
    hard = label_term(student, target)
    if target.labels.is_floating_point():
        soft = mse_loss(student, teacher)
        return {"hard": hard, "soft": soft, "loss": (1 - alpha) * hard + alpha * soft}
    soft = mse_loss(student - student.mean(1, keepdim=True), teacher - teacher.mean(1, keepdim=True))
    return {"hard": hard, "soft": soft, "loss": (1 - alpha) * hard + alpha * soft}
