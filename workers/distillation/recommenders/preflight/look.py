"""A look at a recommender before it is submitted: everything is read, nothing is trained but a few batches.

What a job would fail with at once is raised here as the job would raise it, with the same code and pointer.
"""

import time
from dataclasses import dataclass
from typing import Any

import torch

from qstill.contract.distillations.preflight import PreflightQuestion
from qstill.contract.distillations.preflight_parts import Capacity, Memory, Time
from qstill.contract.distillations.recommenders.job import RecommenderJob, UploadedLists
from qstill.contract.distillations.recommenders.objectives import terms_of
from qstill.contract.distillations.recommenders.preflight import RankingFound, RankingPreflight, RankingShapes
from qstill.contract.distillations.teachers import Registered
from workers.distillation.artifacts.clock import LATENCY_SECONDS
from workers.distillation.networks.costs import parameters
from workers.distillation.preflight.costs import (
    BYTES,
    NOTHING,
    REPORT_SECONDS,
    around,
    capacity_of,
    memory_with,
    time_with,
    training_time,
)
from workers.distillation.preflight.files import time_of_exports
from workers.distillation.recommenders.data.dataset import Data, load
from workers.distillation.recommenders.distil import refuse_unfit
from workers.distillation.recommenders.known_model import from_model
from workers.distillation.recommenders.networks import ScorerNetwork
from workers.distillation.recommenders.plan import Stage, student_stages, teacher_stage
from workers.distillation.recommenders.preflight.advice import advice_on
from workers.distillation.recommenders.preflight.data import check_interactions, check_lists
from workers.distillation.recommenders.preflight.rehearsal import Rehearsal, first_users, rehearse
from workers.distillation.recommenders.signals import Signal, depth_of, from_lists, from_network
from workers.distillation.training.reproducible import reproducible
from workers.memory import peak_memory, watched
from workers.run import Run

INDEX_BYTES = 8  # of an item in a ranking


@dataclass(frozen=True)
class _Costs:
    """What was measured. loading: seconds. process: bytes. per_user: seconds that the teacher takes for a user.

    depth: items of a user's ranking that are held. vectors: bytes of the teacher's numbers.
    """

    job: RecommenderJob
    data: Data
    loading: float
    process: int
    per_user: float
    depth: int
    vectors: int
    teacher: Rehearsal | None
    student: Rehearsal
    baseline: Rehearsal | None

    @property
    def everything(self) -> list[Rehearsal]:
        return [each for each in (self.teacher, self.student, self.baseline) if each is not None]


def preflight_of_recommender(job: RecommenderJob, asked: PreflightQuestion, run: Run) -> dict[str, Any]:
    """Returns a RankingPreflight as JSON. Raises Problem where the job would fail before anything is trained."""
    with reproducible(run.threads), watched():
        return _look(job, asked, run).model_dump(mode="json")


def _look(job: RecommenderJob, asked: PreflightQuestion, run: Run) -> RankingPreflight:
    began = time.perf_counter()
    data = load(job.dataset, run.files)
    loading, k = time.perf_counter() - began, job.evaluation.k
    student_stage, baseline_stage = student_stages(job)[0]
    refuse_unfit(job, data, student_stage)
    signal, stage, network, per_user = _teacher(job, data, student_stage, run)
    process = peak_memory()
    costs = _Costs(
        job=job,
        data=data,
        loading=loading,
        process=process,
        per_user=per_user,
        depth=signal.ranking.shape[1],
        vectors=sum(each.nbytes for each in (signal.user_vectors, signal.item_vectors) if each is not None),
        teacher=None if stage is None else rehearse(stage, data, k),
        student=rehearse(student_stage, data, k, job.objective, signal),
        baseline=rehearse(baseline_stage, data, k) if job.evaluation.baseline else None,
    )
    found = RankingFound(
        shapes=_shapes(costs),
        teachers=[check_lists(signal, data, k)] if stage is None else [],
        capacity=_capacity(student_stage, network, data),
        time=_time(costs, limit=asked.seconds_limit),
        memory=_memory(costs, run, limit=asked.memory_limit),
        data=check_interactions(data, k),
    )
    finite = all(each.finite for each in costs.everything)
    return RankingPreflight(**dict(found), advice=advice_on(job, found, finite=finite))


def _teacher(
    job: RecommenderJob, data: Data, student: Stage, run: Run
) -> tuple[Signal, Stage | None, ScorerNetwork | None, float]:
    """(what it says, how it is trained where it is not there yet, its network, the seconds that it takes for a user).

    An untrained one is asked about the users of the first batches, and says nothing of the others.
    """
    objectives, began = [single for _, _, single in terms_of(job.objective)], time.perf_counter()
    if isinstance(job.teacher, UploadedLists):
        return from_lists(run.files[job.teacher.file], data, objectives), None, None, 0.0
    depth = depth_of(objectives)
    if isinstance(job.teacher, Registered):
        signal, network = from_model(run.files.get(job.teacher.model), data, depth, student.device())
        return signal, None, network, (time.perf_counter() - began) / data.users
    stage, users = teacher_stage(job, job.teacher), first_users(student, data)
    network = stage.begin(data)
    signal = from_network(network, b"", data, depth, asked=users)
    return signal, stage, network, (time.perf_counter() - began) / len(users)


def _shapes(costs: _Costs) -> RankingShapes:
    data, batches, steps = costs.data, {}, {}
    for role, each in (("student", costs.student), ("teacher", costs.teacher)):
        if each is not None:
            batches[role], steps[role] = each.batch, each.batches_per_epoch
    taught = [each for each in (costs.student, costs.baseline) if each is not None]
    return RankingShapes.model_validate(
        {
            "rows": {name: len(getattr(data, name)) for name in ("train", "validation", "test")},
            "users": data.users,
            "items": data.items,
            "batch_sizes": batches,
            "steps_per_epoch": steps,
            "total_steps": (0 if costs.teacher is None else costs.teacher.total_steps)
            + costs.job.evaluation.seeds * sum(each.total_steps for each in taught),
        }
    )


def _capacity(student: Stage, theirs: ScorerNetwork | None, data: Data) -> Capacity:
    """theirs: the teacher, where its network is known."""
    own = student.begin(data)
    of_theirs = (None, None) if theirs is None else (parameters(theirs), theirs.multiply_adds())
    return capacity_of((parameters(own), own.multiply_adds()), of_theirs)


def _time(costs: _Costs, *, limit: float) -> Time:
    """limit: seconds that one attempt may take."""
    seeds, tested = costs.job.evaluation.seeds, len(torch.unique(costs.data.test.users))
    judged = sum((1 if each is costs.teacher else seeds) * each.per_user * tested for each in costs.everything)
    student = student_stages(costs.job)[0][0].begin(costs.data)
    timed = 1 + (costs.teacher is not None)
    parts = {
        "teacher_training": NOTHING if costs.teacher is None else training_time(costs.teacher, 1),
        "teacher_answers": around(costs.per_user * costs.data.users),
        "students": training_time(costs.student, seeds),
        "baselines": NOTHING if costs.baseline is None else training_time(costs.baseline, seeds),
        "controls": NOTHING,
        "engine": NOTHING,
        "exports": time_of_exports(len(costs.job.export), student, costs.student.per_user * tested),
        "compression": NOTHING,
        "rest": around(costs.loading + judged + timed * LATENCY_SECONDS + REPORT_SECONDS),
    }
    return time_with(parts, costs.everything, limit=limit)


def _memory(costs: _Costs, run: Run, *, limit: int | None) -> Memory:
    """limit: bytes that one job may take; None: half of this machine."""
    theirs = 0 if costs.teacher is None else costs.teacher.parameters
    copies = [each.parameters * each.copies for each in costs.everything]
    weights = BYTES * (theirs + max(each.parameters for each in costs.everything))
    optimizer = BYTES * max(copies)
    activations = max(max(each.kept, each.evaluated) for each in costs.everything)
    answers = INDEX_BYTES * costs.data.users * costs.depth + costs.vectors
    parts = {"process": costs.process, "weights": weights, "optimizer": optimizer}
    parts |= {"activations": activations, "answers": answers, "engine": 0}
    return memory_with(parts, run, limit=limit, cache=0, place=run.scratch)
