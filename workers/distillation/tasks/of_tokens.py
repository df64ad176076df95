"""What both kinds of language modelling have in common: the classes are tokens, and each token of a row is answered."""

import math
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from torch import Tensor, nn

from qstill.contract.distillations.report.tasks import NO_SECTIONS, TaskSections
from workers.distillation.objectives.terms import labelled_rows
from workers.distillation.quality import Comparison, Quality, compare, mean_sd, verdict
from workers.distillation.rows import Rows
from workers.distillation.tasks.of_classes import OfClasses
from workers.distillation.tasks.task import Arms


class EveryToken(nn.Module):
    """A language model whose answers stand where their tokens do: (batch, length) to (batch, length, vocabulary)."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, tokens: Tensor) -> Tensor:
        """Logits."""
        return self.network(tokens).unflatten(0, tokens.shape)  # type: ignore[no-any-return]


@dataclass(frozen=True)
class OfTokens(OfClasses):
    """section: of the report. worth, worth_said: what it has of each arm beside perplexity, and what that is called."""

    tokens: list[str]
    members: tuple[list[int], list[int], list[int]] = field()  # not the default of `Task`

    every_token = True
    section: ClassVar[str]
    worth: ClassVar[str]
    worth_said: ClassVar[str]
    which: ClassVar[str]  # tokens are labels

    @property
    def names(self) -> list[str]:
        return self.tokens

    def order(self, worth: float, loss: float) -> tuple[float, float]:
        """Most answers are guesses: which token is likeliest says little of how good they are."""
        return (-loss, worth) if self.named is None else super().order(worth, loss)

    def exported(self, network: nn.Module) -> nn.Module:
        return EveryToken(network)

    @abstractmethod
    def bits(self, labels: Tensor) -> float:
        """Of `worth`, for each nat of an answer."""

    @abstractmethod
    def of_arm(self, nats: Sequence[float], bits: float) -> dict[str, Any]:
        """What the section says of one arm, given its nats of an answer, one for each seed."""

    @abstractmethod
    def of_test(self, labels: Tensor) -> dict[str, Any]:
        """What it says of the test rows."""

    def sections(self, arms: Arms[Quality], labels: Tensor) -> TaskSections:
        """`saved_…`: bits of the baseline less those of the student, paired by seed, with the 95% interval.

        verdict: by likelihood, which counts every answer and not the likeliest token alone.
        """
        bits = self.bits(labels)
        nats = {role: [one.negative_log_likelihood for one in arm] for role, arm in arms.by_role().items()}
        baselines, students = ([bits * one for one in nats[role]] for role in ("baseline", "student"))
        saved = compare(baselines, students) if baselines else None
        section = {
            **{role: self.of_arm(each, bits) if each else None for role, each in nats.items()},
            f"saved_{self.worth}": _interval(saved),
            **self.of_test(labels),
            "verdict": verdict(saved),
        }
        return TaskSections.model_validate(dict(NO_SECTIONS) | {self.section: section})

    def lesson_note(self, train: Rows, seen: Tensor, learned: Tensor) -> str:
        rows, tokens = train.x.shape
        own = int(labelled_rows(seen).sum())
        return (
            f"The text is {rows} training rows of {tokens} tokens. {self.epoch_note()}Student and baseline saw the "
            f"{self.which} tokens of {own} of them; the student also learned from {len(learned) - own} rows that only "
            "the teacher speaks about. The baseline took as many optimizer steps."
        )

    def epoch_note(self) -> str:
        """What an epoch does to rows: a sentence and a space, or nothing."""
        return ""

    def likelihood_notes(self, sections: TaskSections, *, student: int, teacher: int) -> list[str]:
        section, said = getattr(sections, self.section), list[str]()
        if teacher:
            mine, theirs = (getattr(arm, self.worth).mean for arm in (section.student, section.teacher))
            said.append(
                f"With {student:,} parameters in place of {teacher:,} ({teacher / student:.1f} times fewer) the "
                f"student needs {mine:.3f} {self.worth_said} where the teacher needs {theirs:.3f}."
            )
        if section.verdict is None:
            said.append("Accuracy counts the likeliest token alone; bits count how likely the right one was.")
        else:
            alone = ", which counts the likeliest token alone" if self.named is None else ""
            said.append(
                f"The verdict rests on {self.measure.said}{alone}. By bits, which count how likely the right one was, "
                f"it is {section.verdict}."
            )
        return said


def over_seeds(values: Sequence[float]) -> dict[str, Any]:
    """Mean and standard deviation."""
    return mean_sd(list(values)).model_dump()


def perplexities(nats: Sequence[float]) -> dict[str, Any]:
    """e to the nats of an answer, over seeds."""
    return over_seeds([math.exp(one) for one in nats])


def _interval(saved: Comparison | None) -> dict[str, float | None] | None:
    return None if saved is None else {"mean": saved.mean, "low": saved.low, "high": saved.high}
