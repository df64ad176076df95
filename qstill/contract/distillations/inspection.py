"""What a worker of distillations is asked while a request waits: to try a model, or to look at a job beforehand."""

from typing import Annotated

from pydantic import Field

from qstill.contract.distillations.preflight import PreflightQuestion
from qstill.contract.models.questions import Question

Inspection = Annotated[Question | PreflightQuestion, Field(discriminator="ask")]
