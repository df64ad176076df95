"""Networks that say several labels of a row, and how they are measured."""

from dataclasses import dataclass

import torch
from torch import Tensor

from qstill.contract.distillations.measures import measure as named
from workers.distillation.measures.labels import measured
from workers.distillation.quality import Bin, calibration_error, reliability


@dataclass(frozen=True)
class LabelMeasures:
    """Of one label. average_precision: None where no row has it."""

    name: str
    f1: float
    average_precision: float | None


@dataclass(frozen=True)
class LabelQuality:
    """Of logits against what is so. Means over labels are plain ones; log_loss in nats of a label.

    reliability: of all labels of all rows, over equal bins of the confidence, which is the larger of a label's
    probability and what is left.
    """

    f1_macro: float
    f1_micro: float
    average_precision: float
    subset_accuracy: float
    hamming: float
    log_loss: float
    expected_calibration_error: float
    per_label: list[LabelMeasures]
    reliability: list[Bin]


def label_quality(logits: Tensor, so: Tensor, names: list[str]) -> LabelQuality:
    """Both: (rows, labels), what is so 0 or 1 and all known; some row has a label."""
    ones = torch.ones(1, len(so), dtype=torch.float64)
    confidence, right = logits.double().abs().sigmoid().flatten(), ((logits > 0) == (so > 0)).flatten()
    found = {each.name: float(measured(each, logits, so, ones)) for each in named.OF_LABELS if each != named.AUC}
    return LabelQuality(
        **found,
        expected_calibration_error=calibration_error(confidence, right),
        per_label=[_of_label(name, logits[:, [at]], so[:, [at]], ones) for at, name in enumerate(names)],
        reliability=reliability(confidence, right),
    )


def _of_label(name: str, logits: Tensor, so: Tensor, ones: Tensor) -> LabelMeasures:
    precision = float(measured(named.AVERAGE_PRECISION, logits, so, ones))
    return LabelMeasures(
        name, float(measured(named.F1_MACRO, logits, so, ones)), None if not bool((so > 0).any()) else precision
    )


def agreement_of_labels(student: Tensor, teacher: Tensor) -> float:
    """Share of labels of which both say the same. Both: logits (rows, labels)."""
    return float(((student > 0) == (teacher > 0)).double().mean())
