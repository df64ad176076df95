"""Measuring what a job trained. The only place that reads the test pairs, once everything is trained."""

from collections.abc import Callable

import torch
from torch import Generator, Tensor

from qstill.contract.distillations.recommenders.job import RecommenderJob
from workers.distillation.artifacts.clock import latency
from workers.distillation.networks.costs import parameters
from workers.distillation.networks.seeds import seed_of
from workers.distillation.quality import Size, soft_gradient
from workers.distillation.recommenders.checkpoints import to_bytes
from workers.distillation.recommenders.data.dataset import Data
from workers.distillation.recommenders.learner import RankingLearner
from workers.distillation.recommenders.metrics import popularity, quality, rank, sampled
from workers.distillation.recommenders.networks import ScorerNetwork
from workers.distillation.recommenders.plan import Stage
from workers.distillation.recommenders.report.report import Lists, RankingMeasurements
from workers.distillation.recommenders.signals import Signal
from workers.distillation.report.frame import Cost
from workers.distillation.training.keeper import Outcome

Scores = Callable[[Tensor], Tensor]


def measure(
    job: RecommenderJob,
    data: Data,
    signal: Signal,
    teacher: ScorerNetwork | None,
    pairs: list[tuple[Stage, Stage]],
    outcomes: dict[str, Outcome],
) -> RankingMeasurements:
    """teacher: its network, where there is one. pairs: (student, baseline) of every seed. outcomes: by stage."""
    k = job.evaluation.k

    def judged(scores: Scores, seed: int | None, outcome: Outcome | None) -> Lists:
        among = None
        if job.evaluation.sampled_negatives is not None:
            draw = Generator().manual_seed(seed_of("sampled", job.training.seed))  # the same items for everybody
            among = quality(sampled(scores, data.test, data.untested, job.evaluation.sampled_negatives, draw), k)
        ranks = rank(scores, data.test, data.untested, k)
        return Lists(
            seed=seed,
            epoch=None if outcome is None else outcome.epoch,
            validation_score=None if outcome is None else outcome.validation_score,
            ranks=ranks,
            quality=quality(ranks, k),
            sampled=among,
        )

    def arm(stages: list[Stage]) -> list[Lists]:
        return [judged(_scores(one.trained(outcomes, data).eval()), one.seed, outcomes[one.name]) for one in stages]

    first = pairs[0][0]
    popular = rank(popularity(data.train.items, data.items), data.test, data.untested, k)
    cost = None if teacher is None else _cost(teacher.cpu(), signal.file_bytes)
    student_file = to_bytes(outcomes[first.name].weights, first.architecture, data)
    return RankingMeasurements(
        k=k,
        items=data.items,
        soft_gradient=_soft_gradient(job, first, data, signal),
        teacher=judged(signal.scores, None, outcomes.get("teacher")),
        students=arm([student for student, _ in pairs]),
        baselines=arm([baseline for _, baseline in pairs]) if job.evaluation.baseline else [],
        teacher_cost=cost,
        student_cost=_cost(first.trained(outcomes, data).eval(), len(student_file)),
        teacher_digest=signal.digest,
        popularity=quality(popular, k),
        curves={name: outcome.curve for name, outcome in outcomes.items()},
    )


def _scores(network: ScorerNetwork) -> Scores:
    def scores(users: Tensor) -> Tensor:
        with torch.no_grad():
            return network(users)  # type: ignore[no-any-return]

    return scores


def _cost(network: ScorerNetwork, file_bytes: int) -> Cost:
    """The time is that of scoring every item for one user."""
    size = Size(parameters(network), file_bytes, network.multiply_adds())
    return Cost(size, latency(network, torch.tensor(0)))


def _soft_gradient(job: RecommenderJob, stage: Stage, data: Data, signal: Signal) -> float:
    """Euclidean norm of the teacher's term's gradient over the untrained student's weights, in its first step."""
    learner = RankingLearner(stage, data, job.evaluation.k, job.objective, signal)
    soft = learner.terms(learner.batches()[0])["soft"]
    if not soft.requires_grad:
        return 0.0  # the teacher speaks of none of these users
    return soft_gradient(soft, learner.network)
