"""The one place that knows which question is answered by what."""

from typing import Any

from app.distillations.preflight import PreflightQuestion
from app.distillations.recommenders.schemas import RecommenderJob
from app.models.predictions import Question
from workers.distillation.predict import predict
from workers.distillation.preflight import preflight
from workers.distillation.recommenders.preflight import preflight_of_recommender
from workers.run import Run


def inspect(question: Question | PreflightQuestion, run: Run) -> dict[str, Any]:
    """Returns the answer as JSON. Raises Problem."""
    if isinstance(question, Question):
        return predict(question, run)
    if isinstance(question.job, RecommenderJob):
        return preflight_of_recommender(question.job, question, run)
    return preflight(question.job, question, run)
