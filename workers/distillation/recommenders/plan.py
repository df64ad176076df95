"""Which recommenders a job trains."""

from dataclasses import dataclass

from qstill.contract.distillations.recommenders.architectures import AnyScorer
from qstill.contract.distillations.recommenders.job import RankingTraining, RecommenderJob, TrainedScorer
from workers.distillation.networks.seeds import seed_of
from workers.distillation.recommenders.data.dataset import Data
from workers.distillation.recommenders.networks import ScorerNetwork, build
from workers.distillation.training.plan import Role


@dataclass(frozen=True)
class Stage:
    """One network to train. phase: its name for people. training_pointer: of its training in the job.

    weights_from: names the initial weights together with the seed; the stages of a pair share it.
    """

    name: str
    phase: str
    role: Role
    architecture: AnyScorer
    training: RankingTraining
    seed: int
    weights_from: str
    training_pointer: str

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
    seeds = range(job.training.seed, job.training.seed + job.evaluation.seeds)
    return [(_stage(job, "student", seed), _stage(job, "baseline", seed)) for seed in seeds]


def _stage(job: RecommenderJob, role: Role, seed: int) -> Stage:
    phase = f"{role} seed {seed - job.training.seed + 1}/{job.evaluation.seeds}"
    name = f"{role}-seed-{seed}"
    return Stage(name, phase, role, job.student.architecture, job.training, seed, "student", "/training")
