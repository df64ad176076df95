"""The one place that knows which question is answered by what."""

from typing import Any

from qstill.contract.distillations.budget.job import BudgetedJob
from qstill.contract.distillations.circuits.distribution.job import DistributionJob
from qstill.contract.distillations.circuits.job import ShorteningJob
from qstill.contract.distillations.embeddings.job import EmbeddingJob
from qstill.contract.distillations.job import DistillationJob
from qstill.contract.distillations.preflight import PreflightQuestion
from qstill.contract.distillations.recommenders.job import RecommenderJob
from qstill.contract.models.questions import Question
from workers.distillation.circuits.distribution.preflight import preflight_of_distribution
from workers.distillation.circuits.preflight import preflight_of_shortening
from workers.distillation.embeddings.preflight import preflight_of_encoder
from workers.distillation.predict.rows import predict
from workers.distillation.preflight.look import preflight
from workers.distillation.recommenders.preflight.look import preflight_of_recommender
from workers.run import Run


def inspect(question: Question | PreflightQuestion, run: Run) -> dict[str, Any]:
    """Returns the answer as JSON. Raises Problem."""
    if isinstance(question, Question):
        return predict(question, run)
    match question.job:
        case ShorteningJob():
            return preflight_of_shortening(question.job, question, run)
        case DistributionJob():
            return preflight_of_distribution(question.job, question, run)
        case RecommenderJob():
            return preflight_of_recommender(question.job, question, run)
        case EmbeddingJob():
            return preflight_of_encoder(question.job, question, run)
        case DistillationJob() | BudgetedJob():
            return preflight(question.job, question, run)
