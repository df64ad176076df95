"""A sweep from its data to its Pareto front: one teacher, heard once; trials in rounds; the test rows at the end."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import replace
from statistics import fmean
from typing import Any

from pydantic import ValidationError

from qstill.contract.distillations.architectures import family_of
from qstill.contract.distillations.job import DistillationJob
from qstill.contract.distillations.measures.measure import measure_of
from qstill.contract.distillations.objectives import Sequence
from qstill.contract.distillations.results import DistillationResult
from qstill.contract.distillations.spec import is_solved, trains_baseline
from qstill.contract.errors import Problem
from qstill.contract.sweeps.results import FrontMember, SweepResult, TrialView
from qstill.contract.sweeps.sweep import Setting, Sweep, apply, reason
from workers.distillation import teachers
from workers.distillation.artifacts.clock import latency
from workers.distillation.distil import first_heard, fit_to_teach, heard_lesson, load_data, publish, teacher_of
from workers.distillation.networks.answers import logits_of
from workers.distillation.networks.network import Network
from workers.distillation.objectives import refuse_undefined
from workers.distillation.quality import size
from workers.distillation.report.frame import result
from workers.distillation.report.measure import checkpoint, measure
from workers.distillation.rows import Rows
from workers.distillation.signals.signals import Signal
from workers.distillation.teachers.circuit import with_frequencies
from workers.distillation.teachers.features import asked_with_features, wanted_features, with_features
from workers.distillation.teachers.initialise import baselines_lesson, initial_weights
from workers.distillation.training.hearing import gradient_of_teacher
from workers.distillation.training.keeper import Keeper
from workers.distillation.training.learner import refuse_unfit
from workers.distillation.training.plan import Lesson, student_lesson, student_stages
from workers.distillation.training.reproducible import reproducible
from workers.distillation.trials.pareto import front
from workers.distillation.trials.trials import PRUNING, Trial, TrialTrainer
from workers.run import Run
from workers.sweeps.search import Search


def run(sweep: Sweep, run: Run) -> dict[str, Any]:
    """Compute a sweep. Returns a SweepResult as JSON; publishes trials.json, pareto.json and the front's students.

    Raises Problem when it cannot succeed, Stopped after saving its state.
    """
    with reproducible(run.threads):
        try:
            return _Sweeping(sweep, run).result()
        except Problem as problem:
            raise problem.within("/base") if problem.pointer else problem from None


class _Sweeping:
    """What all trials share."""

    def __init__(self, sweep: Sweep, run: Run) -> None:
        self.sweep, self.run, base = sweep, run, sweep.base
        self.keeper = Keeper(sweep, run)
        base = with_frequencies(base, run)
        self.data = load_data(base, run)
        refuse_undefined(base.objective, len(self.data.classes))
        refuse_unfit(student_stages(base)[0][0], self.data)
        self.teacher = fit_to_teach(base, self.data, teacher_of(base, self.data, self.keeper), run)
        self.heard, view = first_heard(base, self.data)
        data = replace(self.data, train=self.heard)
        self.signal, self.use = teachers.signal_and_use(self.teacher, data, base.signal, run, view=view)
        self.trainer = TrialTrainer(self.data, self.keeper, pruning=PRUNING[sweep.pruning])
        self.records: dict[int, TrialView] = {}
        self.costs: dict[str, tuple[int, int, float]] = self.keeper.notes.setdefault("costs", {})

    def result(self) -> dict[str, Any]:
        search, trials = Search(self.sweep), list[Trial]()
        for settings in search.rounds():
            new = [self._trial(len(trials) + place, setting) for place, setting in enumerate(settings)]
            trials += new
            self._ended([trial for trial in new if trial.why])
            self.trainer.train([trial for trial in new if not trial.why], self._ended)
            search.tell([self._goodness(trial) if self._complete(trial) else None for trial in new])
        complete = [trial for trial in trials if self._complete(trial)]
        if not complete:
            why = next((record.reason for record in self.records.values() if record.reason), "all were given up")
            raise Problem("no_trial_succeeded", f"None of the {len(trials)} trials succeeded: {why}.")
        best = min(complete, key=self._rank)
        chosen = [complete[i] for i in front([self._costs(trial) for trial in complete])]
        return self._concluded(best, sorted(chosen, key=self._rank), len(trials))

    def _trial(self, number: int, setting: Setting) -> Trial:
        """What a setting asks for; one that cannot be trained says why."""
        trial = Trial(number, setting)
        try:
            job = with_frequencies(apply(self.sweep.base, setting), self.run)
            pairs = [tuple(self._named(stage, number) for stage in pair) for pair in student_stages(job)]
            refuse_undefined(job.objective, len(self.data.classes))
            refuse_unfit(pairs[0][0], self.data)
            begun = initial_weights(job, pairs[0][0], self.teacher, self.data)
            lesson = replace(self._lesson(job), begun=begun)
        except (ValidationError, Problem) as error:
            trial.why = reason(error) if isinstance(error, ValidationError) else str(error)
            return trial
        trial.job, trial.pairs = job, [(student, baseline) for student, baseline in pairs]

        trial.lessons = [lesson for _ in pairs]
        return trial

    def _lesson(self, job: DistillationJob) -> Lesson:
        """From what the teacher said once for all trials, unless the objective has it say more."""
        first = student_stages(job)[0][0].begin(self.data)
        wanted = wanted_features(job.objective, first, self.teacher, self.data)
        if isinstance(job.objective, Sequence) or is_solved(job):
            return heard_lesson(job, self.data, self.teacher, wanted, self.run)[0]

        def ask(rows: Rows, view: str) -> Signal:
            def heard() -> Signal:
                data = replace(self.data, train=rows)
                return teachers.signal_and_use(self.teacher, data, job.signal, self.run, view=view)[0]

            return asked_with_features(heard, self.teacher, rows, wanted)

        signal = with_features(self.signal, self.teacher, self.heard, wanted)
        return student_lesson(job, self.data, signal, ask)

    def _named(self, stage: Any, number: int) -> Any:
        name = f"trial-{number}-{stage.role}-seed-{stage.seed}"
        return replace(stage, name=name, phase=f"trial {number + 1}/{self.sweep.count}")

    def _complete(self, trial: Trial) -> bool:
        return self.records[trial.number].status == "complete"

    def _rank(self, trial: Trial) -> tuple[float, ...]:
        """Ascending: the best first, then the surest, the smallest, the earliest."""
        record = self.records[trial.number]
        return -self._goodness(trial), record.negative_log_likelihood or 0.0, record.bytes or 0, trial.number

    def _goodness(self, trial: Trial) -> float:
        """On the validation rows, the larger the better."""
        worth, measure = self.records[trial.number].worth, self.data.task.measure
        assert worth is not None
        return worth if measure.better == "more" else -worth

    def _costs(self, trial: Trial) -> tuple[float, ...]:
        record = self.records[trial.number]
        return -self._goodness(trial), record.bytes or 0, record.latency_ms or 0

    def _ended(self, trials: list[Trial]) -> None:
        """Measure trials on the validation rows, and tell."""
        for trial in trials:
            self.records[trial.number] = record = self._record(trial)
            self.run.event("trial", record.model_dump(mode="json", exclude={"object"}))
        if trials:
            done, total = len(self.records), self.sweep.count
            self.run.progress(phase="trials", done=done, total=total, unit="trials")
            self._publish("trials.json", [self.records[number] for number in sorted(self.records)])

    def _record(self, trial: Trial) -> TrialView:
        failed = trial.why or self.trainer.failed.get(trial.number)
        stages = [student for student, _ in trial.pairs if student.name in self.keeper.outcomes]
        if failed or not stages:
            return _record(trial, "failed", reason=failed)
        outcomes = [self.keeper.outcomes[stage.name] for stage in stages]
        networks = [stage.trained(self.keeper.outcomes, self.data) for stage in stages]
        architecture = stages[0].architecture.model_dump_json()
        if architecture not in self.costs:
            takes = size(
                networks[0], self.data.input_shape, len(checkpoint(stages[0], self.keeper.outcomes, self.data))
            )
            typical = latency(networks[0], self.data.train.x[0]).p50_ms
            self.costs[architecture] = takes.parameters, takes.bytes, typical
        parameters, size_in_bytes, typical = self.costs[architecture]
        return _record(
            trial,
            "pruned" if trial.number in self.trainer.pruned else "complete",
            **self._measured(networks, self.data.validation),
            epochs=[outcome.epoch for outcome in outcomes],
            parameters=parameters,
            bytes=size_in_bytes,
            latency_ms=typical,
            stacked=stages[0].name in self.trainer.stacked,
        )

    def _measured(self, networks: list[Network], rows: Rows) -> dict[str, Any]:
        task = self.data.task
        answers = [logits_of(network, rows.x, rows.answered) for network in networks]
        worth = fmean(task.value_of(task.measure, each, rows.labels) for each in answers)
        return {"measure": task.measure.name, "worth": worth, **task.of_trial(answers, rows.labels)}

    def _concluded(self, best: Trial, chosen: list[Trial], count: int) -> dict[str, Any]:
        """Train the best trial's baselines, then read the test rows: for the front's members, and for nothing else."""
        assert best.job is not None
        job, data, keeper = best.job, self.data, self.keeper
        if trains_baseline(job):
            lesson = baselines_lesson(job, data, best.lessons[0].begun)
            pairs = [(baseline, baseline) for _, baseline in best.pairs]
            unpruned = TrialTrainer(data, keeper, pruning=None)
            unpruned.train([Trial(best.number, {}, job, pairs, [lesson] * len(pairs))], lambda _: None)
            if best.number in unpruned.failed:
                raise Problem("training_diverged", "The best trial's baseline diverged: it learns from labels alone.")
        answers = teachers.answers_of(self.teacher, data, data.test, self.run)
        outcomes = keeper.outcomes
        heard = gradient_of_teacher(best.pairs[0][0], best.lessons[0], data)
        measured = measure(job, data, self.teacher, heard, best.pairs, outcomes, answers=answers, use=self.use)
        digest = hashlib.sha256(checkpoint(best.pairs[0][0], outcomes, data)).hexdigest()
        for trial in {trial.number: trial for trial in [best, *chosen]}.values():
            for student, _ in trial.pairs:
                publish(student.name, student, outcomes[student.name], data, keeper)
        self._publish("pareto.json", [self._member(trial) for trial in chosen])
        short = result(
            DistillationResult,
            measured,
            checkpoints=len(keeper.published),
            student_sha256=digest,
            seconds=keeper.seconds(),
        )
        statuses = [record.status for record in self.records.values()]
        return SweepResult(
            measure=short.measure,
            trials=count,
            pruned=statuses.count("pruned"),
            failed=statuses.count("failed"),
            stacked_students=sum("-student-" in name for name in self.trainer.stacked),
            best=self.records[best.number],
            front=[trial.number for trial in chosen],
            teacher=short.teacher,
            student=short.student,
            baseline=short.baseline,
            gain=short.gain,
            verdict=short.verdict,
            notes=[*_notes(len(data.validation.y), count, measure_of(short.measure).said), *_without_controls(job)],
            seconds=short.seconds,
        ).model_dump(mode="json")

    def _member(self, trial: Trial) -> FrontMember:
        networks = [student.trained(self.keeper.outcomes, self.data) for student, _ in trial.pairs]
        found = self._measured(networks, self.data.test)
        worth = {f"test_{name}": found.get(name) for name in ("accuracy", "rmse", "worth")}
        return FrontMember(**self.records[trial.number].model_dump(), **worth)

    def _publish(self, name: str, records: Iterable[TrialView]) -> None:
        path = self.run.scratch / name
        path.write_text(json.dumps([record.model_dump(mode="json") for record in records], allow_nan=False))
        self.run.publish(path, kind="report", name=name, media_type="application/json")


def _record(trial: Trial, status: Any, **found: Any) -> TrialView:
    nothing: dict[str, Any] = dict.fromkeys(
        ("reason", "accuracy", "negative_log_likelihood", "parameters", "bytes", "latency_ms")
    )
    nothing |= {"accuracies": [], "epochs": [], "stacked": False}
    return TrialView(number=trial.number, setting=trial.setting, status=status, **nothing | found)


def _notes(rows: int, trials: int, measure: str) -> list[str]:
    return [
        f"{rows} validation rows chose the best epochs, the best of {trials} trials and the front: the best validation "
        f"{measure} of many is too good by the luck of the winner. The test rows were read once, for the front.",
        "The baseline has the best trial's architecture, training and seeds. Its own settings were not searched.",
    ]


def _without_controls(job: DistillationJob) -> list[str]:
    """Of a quantum student whose job would train controls by itself."""
    if not (family_of(job.student.architecture).is_circuit and job.evaluation.controls):
        return []
    return [
        "A sweep trains no controls of a quantum student, so that nothing here says what is quantum in it: submit the "
        "best setting as a distillation."
    ]
