"""Which recommenders a job trains."""

from qstill.contract.distillations.recommenders.architectures import AnyScorer
from qstill.contract.distillations.recommenders.job import RankingTraining, RecommenderJob, TrainedScorer
from workers.distillation.networks.seeds import seed_of
from workers.distillation.recommenders.data.dataset import Data
from workers.distillation.recommenders.networks import ScorerNetwork, build
from workers.distillation.training.stage import AnyStage, pairs


class Stage(AnyStage[AnyScorer, RankingTraining, Data, ScorerNetwork]):
    """One recommender to train."""

    def begin(self, data: Data) -> ScorerNetwork:
        """The untrained network."""
        seed = seed_of(self.weights_from, self.seed)
        return build(self.architecture, users=data.users, items=data.items, seed=seed)


def teacher_stage(job: RecommenderJob, teacher: TrainedScorer) -> Stage:
    """The teacher that this job trains."""
    training = teacher.training or job.training
    pointer = "/teacher/training" if teacher.training else "/training"
    return Stage("teacher", "teacher", "teacher", teacher.architecture, training, training.seed, "teacher", pointer)


def student_stages(job: RecommenderJob) -> list[tuple[Stage, Stage]]:
    """(student, baseline) of every seed, a pair with the same initial weights."""
    of_all = {"architecture": job.student.architecture, "training": job.training}
    return pairs(Stage, first=job.training.seed, seeds=job.evaluation.seeds, **of_all)
