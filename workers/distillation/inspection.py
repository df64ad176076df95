"""The one place that knows which question is answered by what."""

from typing import Any

from app.distillations.preflight import PreflightQuestion
from app.models.predictions import Question
from workers.distillation.predict import predict
from workers.distillation.preflight import preflight
from workers.run import Run


def inspect(question: Question | PreflightQuestion, run: Run) -> dict[str, Any]:
    """Returns the answer as JSON. Raises Problem."""
    match question:
        case Question():
            return predict(question, run)
        case PreflightQuestion():
            return preflight(question, run)
