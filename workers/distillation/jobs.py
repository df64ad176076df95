"""One distillation job, whatever its domain."""

from typing import Any

from qstill.contract.distillations.budget.job import BudgetedJob
from qstill.contract.distillations.circuits.distribution.job import DistributionJob
from qstill.contract.distillations.circuits.job import ShorteningJob
from qstill.contract.distillations.domains import AnyJob
from qstill.contract.distillations.embeddings.job import EmbeddingJob
from qstill.contract.distillations.job import DistillationJob
from qstill.contract.distillations.recommenders.job import RecommenderJob
from workers.distillation.circuits.distribution.learn import learn_distribution
from workers.distillation.circuits.shorten import shorten
from workers.distillation.distil import distil
from workers.distillation.embeddings.distil import distil_encoder
from workers.distillation.recommenders.distil import distil_recommender
from workers.distillation.training.reproducible import reproducible
from workers.memory import watched
from workers.run import Run


def distil_job(job: AnyJob, run: Run) -> dict[str, Any]:
    """Compute a job of any domain. Returns its result as JSON; publishes checkpoints and report.json.

    Raises Problem when the job cannot succeed, Stopped after saving its state.
    """
    with reproducible(run.threads), watched():
        match job:
            case ShorteningJob():
                return shorten(job, run)
            case DistributionJob():
                return learn_distribution(job, run)
            case RecommenderJob():
                return distil_recommender(job, run)
            case EmbeddingJob():
                return distil_encoder(job, run)
            case DistillationJob() | BudgetedJob():
                return distil(job, run)
