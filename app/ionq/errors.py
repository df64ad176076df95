"""Problems as IonQ's clients read them: `{"statusCode", "error", "message", "validation"}`.

They retry 409, 429 and 5xx, some of them for ever: what will not go away is 400 or 404 here.
"""

from http import HTTPStatus
from typing import Any

from fastapi.responses import JSONResponse, Response
from pydantic import Field

from qstill.contract.errors import Problem
from qstill.contract.schemas import View

_PERMANENT = {409: 400, 410: 404, 412: 400, 416: 400, 422: 400}


class Validation(View):
    """Which fields are at fault."""

    source: str = Field(description="`body` or `query`.", examples=["body"])
    keys: list[str] = Field(description="Fields or parameters, with dots.", examples=[["input.circuit.3.gate"]])


class IonqError(View):
    """What went wrong, as IonQ's API says it."""

    statusCode: int = Field(description="The HTTP status.", examples=[400])  # noqa: N815  # IonQ's own name
    error: str = Field(description="The status in words.", examples=["Bad Request"])
    message: str = Field(description="One sentence for a person.", examples=["There is no gate 'hh'."])
    validation: Validation | None = Field(None, description="The fields at fault, where some are.")


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses=` of an endpoint that may answer with these errors."""
    return {status: {"model": IonqError} for status in statuses}


def tell(problem: Problem) -> Response:
    """The problem as an answer."""
    status = _PERMANENT.get(problem.status, problem.status)
    error = IonqError(statusCode=status, error=HTTPStatus(status).phrase, message=problem.title)
    named = [error for error in problem.errors if "parameter" in error or "pointer" in error]
    fields = [str(error["pointer"]).lstrip("/").replace("/", ".") for error in named if "pointer" in error]
    if not fields and problem.pointer is not None:
        fields = [problem.pointer.lstrip("/").replace("/", ".")]
    parameters = [str(error["parameter"]) for error in named if "parameter" in error]
    if fields or parameters:
        error.validation = Validation(source="body" if fields else "query", keys=fields or parameters)
    return JSONResponse(error.model_dump(exclude_none=True), status_code=status, headers=problem.headers)
