"""Every failure as an RFC 9457 problem document that names the field and the way out."""

import logging
from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from app.errors import PROBLEM_MEDIA_TYPE, Problem
from app.jobs.machine import IllegalTransition

MAX_FIELDS = 20  # errors named in one answer; a body of 100,000 wrong operations gets no answer of megabytes

PLAIN_CODES = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    413: "body_too_large",
    415: "unsupported_media_type",
}

logger = logging.getLogger(__name__)


class FieldProblem(BaseModel):
    pointer: str | None = Field(
        None, description="JSON pointer into the body.", examples=["/circuit/operations/3/gate"]
    )
    parameter: str | None = Field(None, description="Name of a path, query or header parameter.")
    code: str = Field(description="What is wrong, for programs.", examples=["unknown_gate"])
    detail: str = Field(description="What is wrong, for people.")


class ProblemDocument(BaseModel):
    """RFC 9457."""

    type: str = Field(examples=["/problems/validation-failed"])
    code: str = Field(description="Stable; programs match on it.", examples=["validation_failed"])
    status: int = Field(examples=[422])
    title: str = Field(description="One sentence for a person.")
    pointer: str | None = Field(None, description="JSON pointer of the field at fault.")
    errors: list[FieldProblem] | None = Field(None, description="One entry per field, when several are wrong.")
    ways_out: list[dict[str, Any]] | None = Field(None, alias="try", description="What would work instead.")


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses=` of an endpoint that may answer with these problems."""
    schema = {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}
    return {status: {"model": ProblemDocument, "content": {PROBLEM_MEDIA_TYPE: schema}} for status in statuses}


def install(application: FastAPI) -> None:
    application.add_exception_handler(Problem, _problem)
    application.add_exception_handler(RequestValidationError, _invalid)
    application.add_exception_handler(IllegalTransition, _illegal)
    application.add_exception_handler(HTTPException, _plain)
    application.add_exception_handler(Exception, _unforeseen)


def respond(problem: Problem) -> JSONResponse:
    return JSONResponse(
        problem.document(), status_code=problem.status, headers=problem.headers, media_type=PROBLEM_MEDIA_TYPE
    )


async def _problem(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Problem)
    return respond(error)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    found = error.errors()
    fields = [_field(item, error.body) for item in found[:MAX_FIELDS]]
    first = fields[0]
    place = first.get("pointer") if "pointer" in first else first.get("parameter")
    title = f"{place or 'The body'}: {first['detail']}"
    if len(found) > 1:
        title += f" ({len(found) - 1} more)"
    return respond(Problem("validation_failed", title, pointer=first.get("pointer"), errors=fields))


def _field(item: dict[str, Any], body: Any) -> dict[str, str]:
    place, *path = item["loc"]
    detail = "There is no such field here." if item["type"] == "extra_forbidden" else str(item["msg"])
    field = {"code": str(item["type"]), "detail": detail.removeprefix("Value error, ")}
    if place == "body":
        absent = item["type"] in {"missing", "extra_forbidden"}
        return {"pointer": json_pointer(path, body, last_is_key=absent)} | field
    return {"parameter": str(path[-1]) if path else str(place)} | field


def json_pointer(path: Sequence[str | int], body: Any, *, last_is_key: bool) -> str:
    """The RFC 6901 pointer of a validation error's location, without the names of union members that pydantic adds.

    last_is_key: the last part names a field even though the body lacks it.
    """
    parts: list[str] = []
    for position, part in enumerate(path):
        if (isinstance(body, dict) and part in body) or (
            isinstance(body, list) and isinstance(part, int) and part < len(body)
        ):
            body = body[part]  # type: ignore[index]
        elif not (last_is_key and position == len(path) - 1):
            continue
        parts.append(str(part).replace("~", "~0").replace("/", "~1"))
    return "".join(f"/{part}" for part in parts)


async def _illegal(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, IllegalTransition)
    title = f"A job that is {error.status} cannot {error.action}."
    return respond(Problem("illegal_transition", title, status=409))


async def _plain(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    code = PLAIN_CODES.get(error.status_code, "http_error")
    return respond(Problem(code, str(error.detail), status=error.status_code, headers=error.headers))


async def _unforeseen(request: Request, error: Exception) -> JSONResponse:
    logger.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return respond(Problem("internal_error", "The service failed; its log has the details.", status=500))
