"""Which candidate of a budget becomes the student: all begin to learn from the teacher, few go on to the end.

Successive halving (Jamieson and Talwalkar 2016, 1502.07943): after a ninth and after a third of the epochs, all but the
best third of those that take about as much are given up. Only validation rows are read. What is decided is in the
keeper's notes and candidates that have learned among its outcomes, so that a later attempt goes on where one was ended.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from statistics import fmean

from qstill.contract.distillations.budget.job import BudgetedJob
from qstill.contract.distillations.budget.report import BudgetCandidate, BudgetSection, Status, TriedCandidate
from qstill.contract.distillations.measures.measure import Measure
from qstill.contract.errors import Problem
from workers.distillation.budget.candidates import Choices, by_part, choices_within
from workers.distillation.data.dataset import Data
from workers.distillation.networks.answers import logits_of
from workers.distillation.training.keeper import Keeper
from workers.distillation.training.plan import Lesson, Stage, student_stages
from workers.distillation.trials.pareto import front
from workers.distillation.trials.trials import PRUNING, Trial, TrialTrainer

SEEDS = 3  # of a candidate at most: enough to see that luck chose it, and a third of the work goes into choosing
HALVING = PRUNING["successive_halving"]
CHOICES, SECTION = "candidates of the budget", "choice of the budget"  # in the keeper's notes


def choices_of(job: BudgetedJob, data: Data, keeper: Keeper) -> Choices:
    """The candidates; a later attempt has the same, also where clocks had a say. Raises Problem as `choices_within`."""
    if CHOICES not in keeper.notes:
        keeper.note(CHOICES, choices_within(job, data, keeper.run).model_dump(mode="json"))
    return Choices.model_validate(keeper.notes[CHOICES])


def chosen(job: BudgetedJob, choices: Choices, lesson: Lesson, data: Data, keeper: Keeper) -> BudgetSection:
    """Train the candidates, most of them a little, and choose. lesson: the students'.

    Raises Problem no_candidate_learned, Stopped once the state is saved.
    """
    if SECTION not in keeper.notes:
        section = _Choosing(job, choices, lesson, data, keeper).section()
        for name in [name for name in keeper.outcomes if name.startswith("candidate-")]:
            del keeper.outcomes[name]
        keeper.note(SECTION, section.model_dump(mode="json"))
    return BudgetSection.model_validate(keeper.notes[SECTION])


def candidate_stages(job: BudgetedJob, candidate: BudgetCandidate, count: int) -> list[Stage]:
    """Its stages, as a student's with other initial weights. count: of candidates."""
    students = [student for student, _ in student_stages(job.with_architecture(candidate.architecture))]
    return [
        replace(
            stage,
            name=f"candidate-{candidate.number}-seed-{stage.seed}",
            phase=f"candidate {candidate.number + 1}/{count}",
            role="candidate",
            weights_from="candidate",
        )
        for stage in students[:SEEDS]
    ]


class _Choosing:
    """What all candidates share."""

    def __init__(self, job: BudgetedJob, choices: Choices, lesson: Lesson, data: Data, keeper: Keeper) -> None:
        self.job, self.choices, self.lesson, self.data, self.keeper = job, choices, lesson, data, keeper
        self.tried: dict[int, TriedCandidate] = {}
        self.sureness: dict[int, float] = {}  # negative log-likelihood, where there is one
        self.candidates = {each.number: each for each in choices.candidates}

    def section(self) -> BudgetSection:
        for part, alike in by_part(self.choices.candidates):
            trainer = TrialTrainer(self.data, self.keeper, pruning=HALVING, rungs=f"rungs of {part:g} of the budget")
            trainer.train([self._trial(each) for each in alike], partial(self._ended, trainer))
        complete = sorted((each for each in self.tried.values() if each.status == "complete"), key=self._rank)
        if not complete:
            title = "No candidate of the budget learned: the training of all of them diverged."
            ways_out = [{"learning_rate": self.job.training.learning_rate / 10}]
            raise Problem("no_candidate_learned", title, pointer="/training/learning_rate", ways_out=ways_out)
        given_up = sum(each.status == "given_up" for each in self.tried.values())
        costs = [(-self._goodness(each), float(each.parameters)) for each in complete]
        return BudgetSection(
            budget=self.job.student.budget,
            limits=self.choices.limits,
            teacher_parameters=self.choices.teacher_parameters,
            seeds=min(SEEDS, self.job.evaluation.seeds),
            candidates=[self.tried[number] for number in sorted(self.tried)],
            left_out=self.choices.left_out,
            front=sorted(complete[place].number for place in front(costs)),
            chosen=complete[0].number,
            why=why(complete, len(self.tried), given_up, self.data.task.measure),
            notes=self._notes(),
        )

    def _trial(self, candidate: BudgetCandidate) -> Trial:
        stages = candidate_stages(self.job, candidate, len(self.candidates))
        return Trial(
            candidate.number, {}, pairs=[(stage, stage) for stage in stages], lessons=[self.lesson] * len(stages)
        )

    def _ended(self, trainer: TrialTrainer, trials: list[Trial]) -> None:
        for trial in trials:
            self.tried[trial.number] = found = self._tried(trial, trainer)
            self.keeper.run.event("candidate", found.model_dump(mode="json"))
        done, total = len(self.tried), len(self.candidates)
        self.keeper.run.progress(phase="candidates", done=done, total=total, unit="candidates")

    def _tried(self, trial: Trial, trainer: TrialTrainer) -> TriedCandidate:
        known = self.candidates[trial.number].model_dump()
        stages = [stage for stage, _ in trial.pairs if stage.name in self.keeper.outcomes]
        if trial.number in trainer.failed or not stages:
            return TriedCandidate(**known, status="failed", worth=None, worths=[], epochs=[])
        outcomes, rows = self.keeper.outcomes, self.data.validation
        networks = [stage.trained(outcomes, self.data) for stage in stages]
        answers = [logits_of(network, rows.x, rows.answered) for network in networks]
        task = self.data.task
        self.sureness[trial.number] = task.of_trial(answers, rows.labels).get("negative_log_likelihood") or 0.0
        worths = [task.value_of(task.measure, each, rows.labels) for each in answers]
        status: Status = "given_up" if trial.number in trainer.pruned else "complete"
        epochs = [outcomes[stage.name].epoch for stage in stages]
        return TriedCandidate(**known, status=status, worth=fmean(worths), worths=worths, epochs=epochs)

    def _goodness(self, tried: TriedCandidate) -> float:
        """The larger the better."""
        assert tried.worth is not None
        return tried.worth if self.data.task.measure.better == "more" else -tried.worth

    def _rank(self, tried: TriedCandidate) -> tuple[float, ...]:
        """Ascending: the best first, then the surest, the smallest."""
        return -self._goodness(tried), self.sureness[tried.number], tried.parameters, tried.number

    def _notes(self) -> list[str]:
        rows, count = len(self.data.validation.y), len(self.candidates)
        said = [
            f"{rows} validation rows chose among {count} candidates: what the winner is worth on them is too good by "
            "its luck. Students were trained anew, from other initial weights, and the test rows were read "
            "once, at the end, for them.",
            "Candidates learned from the teacher as the students do, with the job's training. None was tuned by "
            "itself, as a sweep over /training can.",
        ]
        if self.choices.limits.milliseconds is not None:
            said.append("Milliseconds were measured on this machine: another one may leave, and choose, others.")
        return said


def why(complete: Sequence[TriedCandidate], tried: int, given_up: int, measure: Measure) -> str:
    """complete: those that were trained to the end, the best first."""

    def formatted(of: TriedCandidate) -> str:
        assert of.worth is not None
        return measure.formatted(of.worth)

    best, *others = complete
    said = (
        f"Of {tried} candidates within the budget, {best.words} of {best.parameters:,} parameters had the best "
        f"validation {measure.said}: {formatted(best)}"
    )
    if others:
        said += f"; next came {others[0].words} of {others[0].parameters:,} with {formatted(others[0])}"
    return f"{said}. {given_up} were given up before their last epoch." if given_up else f"{said}."
