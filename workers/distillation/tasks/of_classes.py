"""What classes and tokens have in common: answers are logits, and labels are numbers of classes."""

from collections.abc import Iterable, Sequence
from statistics import fmean
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import log_softmax

from qstill.contract.distillations.measures.measure import Measure
from qstill.contract.distillations.measures.usual import OF_CLASSES
from workers.distillation.measures import classes
from workers.distillation.objectives.terms import UNKNOWN, cross_entropy_of_known, is_known
from workers.distillation.quality import LEAST_PROBABILITY_LOG, Quality, agreement, quality
from workers.distillation.tasks.judge import judge
from workers.distillation.tasks.task import Arms, Block, Check, Task

HARDLY_HARD = 0.98  # accuracy of students from which on a teacher without mistakes is no surprise


class OfClasses(Task[Quality]):
    """Labels are numbers of classes, `UNKNOWN` where there is none; losses are in nats."""

    usual = OF_CLASSES
    no_better = "The teacher is no better than always answering the most frequent class."

    def score(self, answers: Tensor, labels: Tensor) -> tuple[float, float]:
        """(accuracy, or the measure that the job named; negative log-likelihood)."""
        loss = float(cross_entropy_of_known(answers, labels))
        if self.named is not None:
            return self.value_of(self.named, answers, labels), loss
        accuracy = (answers.argmax(1) == labels).double().sum() / (labels != UNKNOWN).sum()
        return float(accuracy), loss

    def weighed(self, measure: Measure, answers: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
        return classes.measured(measure, answers, labels, weights)

    def numbers_a_draw(self, measure: Measure, answers: Tensor) -> int:
        return classes.numbers_a_draw(measure, answers)

    def unmeasured(self, measure: Measure, labels: Tensor) -> str | None:
        if not classes.needs_every_class(measure):
            return None
        counts = labels[is_known(labels)].bincount(minlength=len(self.names)).tolist()
        absent = [name for name, count in zip(self.names, counts, strict=True) if not count]
        return None if not absent else f"{measure.heading} is of every class, and class {absent[0]!r} has no rows."

    def measured(self, answers: Tensor, labels: Tensor, teacher: Tensor) -> tuple[Quality, float]:
        known = torch.nonzero(is_known(labels)).flatten()
        if len(known) < len(labels):
            answers, labels, teacher = (part.index_select(0, known) for part in (answers, labels, teacher))
        return quality(answers, labels, per_class=not self.every_token), agreement(answers, teacher)

    def useless(self, teacher: Quality, labels: Tensor) -> bool:
        counts = labels[is_known(labels)].bincount()
        return teacher.accuracy <= float(counts.max() / counts.sum())

    def useless_answers(self, answers: Tensor, labels: Tensor, learned: Tensor) -> bool:
        return bool((answers.argmax(1) == labels).sum() <= (labels == most_frequent(learned)).sum())

    def perhaps_seen(self, arms: Arms[Quality]) -> bool:
        return arms.teacher.accuracy >= 1 and fmean(each.accuracy for each in arms.students) <= HARDLY_HARD

    def check(self, pointer: str, answers: Tensor, labels: Tensor, learned: Tensor) -> Check:
        known, chance = is_known(labels), most_frequent(learned)
        return judge(answers[known], labels[known], pointer=pointer, chance_class=chance, tokens=self.every_token)

    def of_trial(self, answers: Sequence[Tensor], labels: Tensor) -> dict[str, Any]:
        accuracies, likelihoods = zip(*(self.score(each, labels) for each in answers), strict=True)
        return {
            "accuracy": fmean(accuracies),
            "negative_log_likelihood": fmean(likelihoods),
            "accuracies": list(accuracies),
        }

    def of_file(self, blocks: Iterable[Block]) -> dict[str, Any]:
        """Block by block: a language model answers every token."""
        right, expected_right, agree, losses, expected_losses, furthest = [], [], [], [], [], 0.0
        kept = list[tuple[Tensor, Tensor]]()
        for said, by_network, y in blocks:
            known = is_known(y)
            labels, answers, expected = y[known], said[known], by_network[known]
            if self.by_name:
                kept.append((answers, labels))
            right.append(answers.argmax(1) == labels)
            expected_right.append(expected.argmax(1) == labels)
            agree.append(answers.argmax(1) == expected.argmax(1))
            losses.append(_losses(answers, labels))
            expected_losses.append(_losses(expected, labels))
            furthest = max(furthest, float((answers - expected).abs().max()) if len(answers) else 0.0)
        return {
            "accuracy": _mean(right),
            "pytorch_accuracy": _mean(expected_right),
            "negative_log_likelihood": _mean(losses),
            "pytorch_negative_log_likelihood": _mean(expected_losses),
            "max_logit_difference": furthest,
            "agreement": _mean(agree),
            **self.named_of_file(kept),
        }


def most_frequent(labels: Tensor) -> int:
    """The class that a network answers that has learned nothing but how often classes come."""
    return int(labels[is_known(labels)].bincount().argmax())


def _losses(logits: Tensor, labels: Tensor) -> Tensor:
    """(answers,) negative log-likelihoods in nats, as the report has them."""
    log_p = log_softmax(logits.double(), dim=1).clamp(min=LEAST_PROBABILITY_LOG)
    return -log_p.gather(1, labels[:, None])[:, 0]


def _mean(parts: list[Tensor]) -> float:
    return float(torch.cat(parts).double().mean())
