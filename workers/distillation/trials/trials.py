"""Training the students of trials: those of one shape together, the others one by one; hopeless trials are given up."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from statistics import fmean

from qstill.contract.distillations.job import DistillationJob
from qstill.contract.errors import Problem
from qstill.contract.sweeps.sweep import Setting
from workers.distillation.data.dataset import Data
from workers.distillation.training.keeper import Keeper, Outcome
from workers.distillation.training.plan import Lesson, Stage
from workers.distillation.training.stack import Stack, Taught, group_of, most_together
from workers.distillation.training.train import train

FEW = 4  # trials that have come as far, below which none is given up


@dataclass(frozen=True)
class Pruning:
    """rungs: trials are compared after these parts of their epochs. kept: the share of them that goes on."""

    rungs: tuple[int, ...]
    kept: float


PRUNING: dict[str, Pruning | None] = {
    "none": None,
    "median": Pruning((4, 2), 1 / 2),
    "successive_halving": Pruning((9, 3), 1 / 3),
}


@dataclass
class Trial:
    """One setting. pairs: (student, baseline) of every seed. why: it failed."""

    number: int
    setting: Setting
    job: DistillationJob | None = None
    pairs: list[tuple[Stage, Stage]] = field(default_factory=list)
    lessons: list[Lesson] = field(default_factory=list)
    why: str | None = None

    @property
    def taught(self) -> list[Taught]:
        return [(student, lesson) for (student, _), lesson in zip(self.pairs, self.lessons, strict=True)]


class Pruned(Exception):
    """A student whose trial is given up; outcome: its last epoch's."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__("pruned")
        self.outcome = outcome


class TrialTrainer:
    """Trains what an earlier attempt has not. What it decides is in the keeper's notes, and so saved with its state.

    rungs: the name there of what trials are compared with.
    """

    def __init__(self, data: Data, keeper: Keeper, *, pruning: Pruning | None, rungs: str = "rungs") -> None:
        self.data, self.keeper, self.pruning = data, keeper, pruning
        notes = keeper.notes
        self.rungs: dict[str, list[float]] = notes.setdefault(rungs, {})
        self.pruned: list[int] = notes.setdefault("pruned", [])
        self.failed: dict[int, str] = notes.setdefault("failed", {})
        self.stacked: list[str] = notes.setdefault("stacked", [])  # stages

    def train(self, trials: Sequence[Trial], ended: Callable[[list[Trial]], None]) -> None:
        """All students of the trials. ended: is told of trials that are done, as they are."""
        for together in _groups(trials, self.data):
            if len(together) * len(together[0].pairs) > 1 and _group(together[0], self.data) is not None:
                self._stacked(together)
            else:
                for trial in together:
                    self._alone(trial)
            ended(together)

    def _stacked(self, trials: list[Trial]) -> None:
        lessons = [each for trial in trials for each in trial.taught]
        trial_of = {stage.name: trial for trial in trials for stage, _ in trial.taught}
        if all(name in self.keeper.outcomes or trial.number in self.failed for name, trial in trial_of.items()):
            return
        key = f"stack of {lessons[0][0].name}"
        stack = Stack(lessons, self.data)
        if (earlier := self.keeper.snapshot(key)) is not None:
            stack.restore(earlier)
        epochs = max(stage.training.epochs for stage, _ in lessons)
        while not stack.finished:
            for positions in stack.batches():
                self.keeper.between_batches(key, stack.snapshot)
                stack.learn(positions)
            stack.end_epoch(self._hopeless(trials))
            several = f"trials {trials[0].number + 1} to {trials[-1].number + 1}"
            phase = several if len(trials) > 1 else lessons[0][0].phase
            self.keeper.run.progress(phase=phase, done=stack.epoch, total=epochs, unit="epochs")
            self.keeper.between_epochs(key, stack.snapshot)
        for name in sorted(stack.diverged):
            self.failed[trial_of[name].number] = "its training diverged; a lower learning rate helps"
        self.stacked.extend(stage.name for stage, _ in lessons)
        self.keeper.outcomes |= stack.outcomes
        if stack.outcomes:
            self.keeper.finish(*next(iter(stack.outcomes.items())))

    def _hopeless(self, trials: list[Trial]) -> Callable[[Stack], set[str]]:
        def choose(stack: Stack) -> set[str]:
            """The students of trials that are compared after this epoch, and found wanting."""
            if self.pruning is None:
                return set()
            compared: list[tuple[str, Trial, float]] = []
            rank = self.data.task.measure.rank
            for trial in trials:
                scores = [rank * stack.latest[stage.name] for stage, _ in trial.taught if stage.name in stack.latest]
                rung = rung_of(self.pruning.rungs, trial.pairs[0][0].training.epochs, stack.epoch)
                if rung is not None and len(scores) == len(trial.pairs):
                    compared.append((rung, trial, fmean(scores)))
                    self.rungs.setdefault(rung, []).append(fmean(scores))
            given_up = [trial for rung, trial, score in compared if self._below(self.pruning, rung, score)]
            self.pruned.extend(trial.number for trial in given_up)
            return {stage.name for trial in given_up for stage, _ in trial.taught}

        return choose

    def _below(self, pruning: Pruning, rung: str, score: float) -> bool:
        """Whether a trial is not among the share that goes on; equally good ones all are."""
        known = sorted(self.rungs[rung], reverse=True)
        return len(known) >= FEW and score < known[math.ceil(len(known) * pruning.kept) - 1]

    def _alone(self, trial: Trial) -> None:
        """One seed after the other; the first decides whether the trial is worth the rest."""
        for position, (stage, lesson) in enumerate(trial.taught):
            if stage.name in self.keeper.outcomes or trial.number in self.pruned or trial.number in self.failed:
                continue

            def after_epoch(latest: Outcome, stage: Stage = stage, first: bool = position == 0) -> None:
                if self.pruning is None or not first:
                    return
                rung = rung_of(self.pruning.rungs, stage.training.epochs, latest.epoch)
                if rung is None:
                    return
                score = self.data.task.measure.rank * latest.validation_score
                self.rungs.setdefault(rung, []).append(score)
                if self._below(self.pruning, rung, score):
                    weights = {name: tensor.clone() for name, tensor in latest.weights.items()}
                    raise Pruned(Outcome(weights, latest.epoch, latest.step, latest.validation_score))

            try:
                outcome = train(stage, lesson, self.data, self.keeper, after_epoch=after_epoch)
            except Pruned as pruned:
                self.pruned.append(trial.number)
                outcome = pruned.outcome
            except Problem as problem:
                if problem.code != "training_diverged":
                    raise
                self.failed[trial.number] = "its training diverged; a lower learning rate helps"
                continue
            self.keeper.finish(stage.name, outcome)


def rung_of(rungs: tuple[int, ...], epochs: int, epoch: int) -> str | None:
    """Which comparison is due after an epoch, if one is; a training of few epochs has only the later ones."""
    if epoch >= epochs:
        return None
    return next((str(part) for part in reversed(rungs) if epoch == math.ceil(epochs / part)), None)


def _group(trial: Trial, data: Data) -> str | None:
    """Trials of one group are trained in one pass; None: alone. Labels of their own have no such pass."""
    return None if data.task.yes_no else group_of(*trial.taught[0])


def _groups(trials: Sequence[Trial], data: Data) -> Iterator[list[Trial]]:
    """Trials whose students can be stacked, as many as memory should hold; others each by itself."""
    groups: dict[str, list[Trial]] = {}
    for trial in trials:
        key = _group(trial, data)
        groups.setdefault(f"alone {trial.number}" if key is None else key, []).append(trial)
    for members in groups.values():
        stage = members[0].pairs[0][0]
        most = most_together(stage.begin(data), stage.training.batch_size)
        count = max(1, most // len(members[0].pairs))
        for first in range(0, len(members), count):
            yield members[first : first + count]
