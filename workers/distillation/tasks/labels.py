"""Several labels a row: any of them, none or all, each yes or no by itself."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

import torch
from torch import Tensor, nn

from qstill.contract.distillations.measures.measure import F1_MACRO, LOG_LOSS, Measure
from qstill.contract.distillations.measures.usual import OF_LABELS
from qstill.contract.distillations.preflight import LabelsCheck
from qstill.contract.distillations.report.tasks import NO_SECTIONS, LearnedLabel, TaskSections
from qstill.contract.distillations.report.tasks import LabelMeasures as ReportedMeasures
from qstill.contract.errors import Problem
from workers.distillation.measures import labels as measures
from workers.distillation.objectives.terms import binary_cross_entropy_of_known, is_known, labelled_rows
from workers.distillation.quality import mean
from workers.distillation.tasks.label_quality import LabelMeasures, LabelQuality, agreement_of_labels, label_quality
from workers.distillation.tasks.task import Arms, Block, Check, Task


@dataclass(frozen=True)
class Labels(Task[LabelQuality]):
    """Answers are logits (rows, labels); labels 0 or 1, float32, NaN where unknown. Counted are rows."""

    label_names: list[str] = field()  # not the default of `Task`

    usual = OF_LABELS
    yes_no = True
    no_better = "The teacher is no better than always answering how often each label comes."

    @property
    def names(self) -> list[str]:
        return self.label_names

    def count(self, labels: Tensor) -> int:
        return int(labelled_rows(labels).sum())

    def score(self, answers: Tensor, labels: Tensor) -> tuple[float, float]:
        """(macro F1, or the measure that the job named; mean cross-entropy of a label)."""
        return self.value_of(self.measure, answers, labels), float(binary_cross_entropy_of_known(answers, labels))

    def weighed(self, measure: Measure, answers: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
        return measures.measured(measure, answers, labels, weights)

    def numbers_a_draw(self, measure: Measure, answers: Tensor) -> int:
        return measures.numbers_a_draw(measure, answers)

    def unmeasured(self, measure: Measure, labels: Tensor) -> str | None:
        if not measures.lacking(measure, labels):
            return None
        return f"{measure.heading} is of labels that some rows have and others do not, and there is none."

    def measured(self, answers: Tensor, labels: Tensor, teacher: Tensor) -> tuple[LabelQuality, float]:
        return label_quality(answers, labels, self.names), agreement_of_labels(answers, teacher)

    def useless(self, teacher: LabelQuality, labels: Tensor) -> bool:
        return teacher.log_loss >= _of_shares(labels, labels)

    def useless_answers(self, answers: Tensor, labels: Tensor, learned: Tensor) -> bool:
        return self.value_of(LOG_LOSS, answers, labels) >= _of_shares(learned, labels)

    def check(self, pointer: str, answers: Tensor, labels: Tensor, learned: Tensor) -> Check:
        return LabelsCheck(
            pointer=pointer,
            rows=len(labels),
            f1_macro=self.value_of(F1_MACRO, answers, labels),
            log_loss=self.value_of(LOG_LOSS, answers, labels),
            chance=_of_shares(learned, labels),
        )

    def of_trial(self, answers: Sequence[Tensor], labels: Tensor) -> dict[str, Any]:
        return {"negative_log_likelihood": fmean(self.value_of(LOG_LOSS, each, labels) for each in answers)}

    def exported(self, network: nn.Module) -> nn.Module:
        return network

    def outputs(self) -> dict[str, Any]:
        return {"outputs": "logits, one column a label; its sigmoid is the label's probability", "labels": self.names}

    def of_file(self, blocks: Iterable[Block]) -> dict[str, Any]:
        answers, expected, labels = (torch.cat(parts) for parts in zip(*blocks, strict=True))
        return {
            "f1_macro": self.value_of(F1_MACRO, answers, labels),
            "pytorch_f1_macro": self.value_of(F1_MACRO, expected, labels),
            "log_loss": self.value_of(LOG_LOSS, answers, labels),
            "pytorch_log_loss": self.value_of(LOG_LOSS, expected, labels),
            "max_logit_difference": float((answers - expected).abs().max()),
            "agreement": agreement_of_labels(answers, expected),
            **self.named_of_file([(answers, labels)]),
        }

    def sections(self, arms: Arms[LabelQuality], labels: Tensor) -> TaskSections:
        """Each label by itself, mean over seeds."""
        shares = labels.double().mean(0).tolist()
        found = [_learned(at, name, shares[at], arms) for at, name in enumerate(self.names)]
        return NO_SECTIONS.model_copy(update={"labels": found})

    def data_notes(self) -> list[str]:
        return [
            "A row has any of the labels, none or all: each is learned by its own binary cross-entropy. A label is "
            "said where its probability is above 0.5; no threshold was fitted, and average precision needs none."
        ]


def refuse_constant(names: Sequence[str], train: Tensor, validation: Tensor, test: Tensor) -> None:
    """Raise Problem dataset_invalid for a label that is the same on all training rows, or splits without any label.

    The others: labels (rows, labels) of the splits.
    """
    for at, name in enumerate(names):
        values = train[:, at][train[:, at].isfinite()]
        if not len(values) or bool((values == values[0]).all()):
            title = f"Label {name[:100]!r} is the same on all training rows: there is nothing to learn."
            raise Problem("dataset_invalid", title, pointer="/dataset/file")
    for which, labels in (("validation", validation), ("test", test)):
        if not bool((labels > 0).any()):
            raise Problem("dataset_invalid", f"No {which} row has any of the labels.", pointer="/dataset/file")


def _learned(at: int, name: str, share: float, arms: Arms[LabelQuality]) -> LearnedLabel:
    return LearnedLabel(
        name=name,
        share=share,
        **{role: _over_seeds([one.per_label[at] for one in arm]) for role, arm in arms.by_role().items()},
    )


def _over_seeds(found: Sequence[LabelMeasures]) -> ReportedMeasures | None:
    if not found:
        return None
    precisions = [each.average_precision for each in found if each.average_precision is not None]
    return ReportedMeasures(f1=fmean(each.f1 for each in found), average_precision=mean(precisions))


def _of_shares(learned: Tensor, labels: Tensor) -> float:
    """Log-loss, nats a label, of answering for all rows how often each label comes among those learned."""
    known = is_known(learned)
    shares = torch.where(known, learned, 0).double().sum(0) / known.sum(0).clamp(min=1)
    logits = torch.logit(shares.clamp(1e-6, 1 - 1e-6)).expand(len(labels), -1)
    return float(measures.nats(logits, labels).mean())
