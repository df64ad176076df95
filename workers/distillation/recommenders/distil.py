"""One distillation of recommenders from its interactions to its report."""

import hashlib
import json
from dataclasses import replace
from typing import Any

import torch

from qstill.contract.distillations.recommenders.job import (
    RecommenderJob,
    RecommenderResult,
    UploadedLists,
    items_needed,
)
from qstill.contract.distillations.recommenders.objectives import terms_of
from qstill.contract.distillations.report.measured import written
from qstill.contract.distillations.teachers import Registered
from workers.distillation.artifacts.onnx_file import publish_exports
from workers.distillation.recommenders.checkpoints import to_bytes
from workers.distillation.recommenders.data.dataset import Data, load
from workers.distillation.recommenders.export import exported
from workers.distillation.recommenders.known_model import from_model
from workers.distillation.recommenders.learner import RankingLearner
from workers.distillation.recommenders.networks import ScorerNetwork
from workers.distillation.recommenders.plan import Stage, student_stages, teacher_stage
from workers.distillation.recommenders.report.measure import measure
from workers.distillation.recommenders.report.report import report
from workers.distillation.recommenders.signals import Signal, depth_of, from_lists, from_network, refuse_full
from workers.distillation.report.frame import publish_documents, result
from workers.distillation.training.keeper import Keeper, thinned
from workers.distillation.training.train import drive, hand_over
from workers.run import Run


def distil_recommender(job: RecommenderJob, run: Run) -> dict[str, Any]:
    """Compute a job. Returns a RecommenderResult as JSON; publishes checkpoints and report.json.

    Raises Problem when the job cannot succeed, Stopped after saving its state.
    """
    keeper = Keeper(job, run)
    data = load(job.dataset, run.files)
    pairs = student_stages(job)
    refuse_unfit(job, data, pairs[0][0])
    signal, teacher = _teacher(job, data, keeper)
    for student, baseline in pairs:
        _teach(job, student, data, keeper, signal)
        if job.evaluation.baseline:
            _teach(job, baseline, data, keeper)
    run.progress(phase="evaluation", done=0, total=1, unit="reports")
    measured = measure(job, data, signal, teacher, pairs, keeper.outcomes)
    first = to_bytes(keeper.outcomes[pairs[0][0].name].weights, pairs[0][0].architecture, data)
    short = result(
        RecommenderResult,
        measured,
        checkpoints=len(keeper.published),
        student_sha256=hashlib.sha256(first).hexdigest(),
        seconds=keeper.seconds(),
    )
    exports = _export(job, data, pairs[0][0], keeper)
    document = written(report(job, data, measured, short, exports))
    publish_documents({"split.json": json.dumps(membership(data)), "report.json": document}, run)
    return short.model_dump(mode="json")


def membership(data: Data) -> dict[str, Any]:
    """JSON: the rows of the file in each split, as other jobs have it; those that were left out are in none."""
    train, validation, test = data.rows
    parts = {"train": train, "validation": validation, "test": test, "labelled": None, "learned": None}
    return {"object": "split", "digest": data.digest, "unit": "interactions", "rows": data.total, **parts}


def _export(job: RecommenderJob, data: Data, stage: Stage, keeper: Keeper) -> list[dict[str, Any]]:
    """Publish a student in the formats that are wanted. Returns what each of them is, for the report."""
    network = stage.trained(keeper.outcomes, data).eval()
    files = exported(job.export, network, stage.architecture, data, job.evaluation.k, keeper.run.threads)
    return publish_exports(files, stage.name, {"role": stage.role, "seed": stage.seed}, keeper.run)


def refuse_unfit(job: RecommenderJob, data: Data, stage: Stage) -> None:
    """Raise the Problem of a job that cannot work on this data or here, before anything is trained."""
    stage.device()
    everybody = torch.arange(data.users)
    refuse_full(
        data, data.unseen.counts(everybody), max(items_needed(single) for _, _, single in terms_of(job.objective))
    )
    if job.evaluation.sampled_negatives is not None:
        left = torch.full((data.users,), data.items).index_copy(
            0, data.test.users, data.untested.counts(data.test.users)
        )
        refuse_full(data, left, 2, pointer="/evaluation/sampled_negatives")


def _teacher(job: RecommenderJob, data: Data, keeper: Keeper) -> tuple[Signal, ScorerNetwork | None]:
    """What the teacher says; its network where there is one. One that this job trains is trained first."""
    objectives = [single for _, _, single in terms_of(job.objective)]
    if isinstance(job.teacher, UploadedLists):
        return from_lists(keeper.run.files[job.teacher.file], data, objectives), None
    if isinstance(job.teacher, Registered):
        device = student_stages(job)[0][0].device()
        return from_model(keeper.run.files.get(job.teacher.model), data, depth_of(objectives), device)
    stage = teacher_stage(job, job.teacher)
    device = stage.device()
    _teach(job, stage, data, keeper)
    network = stage.trained(keeper.outcomes, data).eval()
    file = to_bytes(keeper.outcomes[stage.name].weights, stage.architecture, data)
    return from_network(network.to(device), file, data, depth_of(objectives)), network


def _teach(job: RecommenderJob, stage: Stage, data: Data, keeper: Keeper, signal: Signal | None = None) -> None:
    """Train a network and publish its best epoch, unless an earlier attempt has. signal: None is without a teacher."""
    if stage.name in keeper.outcomes:
        return
    learner = RankingLearner(stage, data, job.evaluation.k, None if signal is None else job.objective, signal)
    drive(learner, keeper, measure="ndcg")
    content = to_bytes(learner.best.weights, stage.architecture, data)
    hand_over(f"{stage.name}.safetensors", stage, learner.best, content, keeper, measure="ndcg")
    keeper.finish(stage.name, replace(learner.best, curve=thinned(learner.curve)))
