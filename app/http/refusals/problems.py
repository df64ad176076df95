"""Every failure as an RFC 9457 problem document that names the field and the way out."""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field
from sqlalchemy.exc import OperationalError
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match, Mount
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.http.refusals.patterns import in_words
from app.http.refusals.pointers import MAX_ECHO, json_pointer
from app.http.refusals.unknown_fields import unknown_field
from ledger.machine import IllegalTransition
from qstill.contract.errors import PROBLEM_MEDIA_TYPE, Problem
from qstill.contract.status import Status

MAX_FIELDS = 20  # errors named in one answer; a body of 100,000 wrong operations gets no answer of megabytes

METHODS = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")
PLAIN_CODES = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    413: "body_too_large",
    415: "unsupported_media_type",
    416: "range_not_satisfiable",
}
PLAIN_TITLES = {
    400: "The header `Range` cannot be read; write `bytes=FIRST-LAST`.",
    413: "The body is larger than this service reads.",
    416: "The content ends before this range.",
}
PLAIN_DETAILS = {
    "extra_forbidden": "There is no such field here.",
    "model_attributes_type": "An object is wanted here: `{…}`.",
    "union_tag_not_found": "Field required: it says which kind this is.",
}  # where pydantic's own words help nobody
UNREADABLE = (
    (UnicodeDecodeError, "it is not UTF-8; send the JSON uncompressed and in UTF-8"),
    (RecursionError, "its objects and lists lie too deep one in another; send a flatter one"),
    (ValueError, "a number in it has more digits than are read; send a shorter one"),
)  # why JSON could not be read, by what reading it raised, and the way out

Dialect = Callable[[Problem], Response]

logger = logging.getLogger(__name__)


class FieldProblem(BaseModel):
    """One field or parameter at fault."""

    pointer: str | None = Field(
        None, description="JSON pointer into the body.", examples=["/circuit/operations/3/gate"]
    )
    parameter: str | None = Field(None, description="Name of a path, query or header parameter.", examples=["limit"])
    code: str = Field(description="What is wrong, for programs.", examples=["unknown_gate"])
    detail: str = Field(description="What is wrong, for people.", examples=["There is no gate 'hh'."])


class ProblemDocument(BaseModel):
    """What went wrong, where, and the way out (RFC 9457)."""

    type: str = Field(description="The code as a relative reference.", examples=["/problems/validation-failed"])
    code: str = Field(description="Stable; programs match on it.", examples=["validation_failed"])
    status: int = Field(description="The HTTP status.", examples=[422])
    title: str = Field(description="One sentence for a person.", examples=["There is no gate 'hh'."])
    pointer: str | None = Field(None, description="JSON pointer of the field at fault.", examples=["/circuit"])
    errors: list[FieldProblem] | None = Field(None, description="One entry per field, when several are wrong.")
    ways_out: list[dict[str, Any]] | None = Field(
        None, alias="try", description="What would work instead.", examples=[[{"method": "stabilizer"}]]
    )
    ruled_out: list[dict[str, Any]] | None = Field(
        None, description="What would not work either, and why.", examples=[None]
    )


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses=` of an endpoint that may answer with these problems."""
    schema = {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}
    return {status: {"model": ProblemDocument, "content": {PROBLEM_MEDIA_TYPE: schema}} for status in statuses}


def install(application: FastAPI, dialects: Mapping[str, Dialect] | None = None) -> None:
    """Add it after the middleware whose failures it is to translate.

    dialects: by the beginning of a path, how problems are told there instead of in problem documents.
    """
    application.state.dialects = dict(dialects or {})
    application.add_middleware(PlainFailures)
    application.add_exception_handler(Problem, _problem)
    application.add_exception_handler(RequestValidationError, _invalid)
    application.add_exception_handler(IllegalTransition, _illegal)
    application.add_exception_handler(HTTPException, _plain)
    application.add_exception_handler(ClientDisconnect, _gone)
    application.add_exception_handler(OperationalError, _no_database)
    application.add_exception_handler(Exception, _unforeseen)


class PlainFailures:
    """Makes problem documents of what the framework answers in plain text: a body over its limit, a bad range."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        translated = False

        async def translate(message: Message) -> None:
            nonlocal translated
            if message["type"] == "http.response.start" and message["status"] in PLAIN_TITLES:
                headers = Headers(raw=message["headers"])
                if headers.get("content-type", "").startswith("text/plain"):
                    translated = True
                    await _tell(Request(scope), _translated(message["status"], headers))(scope, receive, send)
            if not translated:
                await send(message)

        await self._app(scope, receive, translate)


def _translated(status: int, headers: Headers) -> Problem:
    kept = {name: headers[name] for name in ("content-range",) if name in headers}
    return Problem(PLAIN_CODES[status], PLAIN_TITLES[status], status=status, headers=kept)


def _tell(request: Request, problem: Problem) -> Response:
    dialects: Mapping[str, Dialect] = request.app.state.dialects
    for beginning, dialect in dialects.items():
        if request.url.path.startswith(beginning):
            return dialect(problem)
    return JSONResponse(
        problem.document(), status_code=problem.status, headers=problem.headers, media_type=PROBLEM_MEDIA_TYPE
    )


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return _tell(request, error)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    if isinstance(error.body, bytes):  # it was not even looked at
        title = "Send JSON, and say so: `Content-Type: application/json`."
        return _tell(request, Problem(PLAIN_CODES[415], title, status=415))
    body_field = request.scope["route"].body_field
    annotation = None if body_field is None else body_field.field_info.annotation
    return _tell(request, invalid(error.errors(), error.body, annotation))


def invalid(found: Sequence[Mapping[str, Any]], body: Any, annotation: Any = None) -> Problem:
    """The problem of a body or its parameters that pydantic found these errors in; their `loc` begins with `body`.

    annotation: the type of the body, to name the fields that there are.
    """
    fields = [_field(item, body, annotation) for item in found[:MAX_FIELDS]]
    first = fields[0]
    place = first.get("pointer") if "pointer" in first else first.get("parameter")
    title = f"{place or 'The body'}: {first['detail']}"
    if len(found) > 1:
        title += f" ({len(found) - 1} more)"
    return Problem("validation_failed", title, pointer=first.get("pointer"), errors=fields)


def _field(item: Mapping[str, Any], body: Any, annotation: Any) -> dict[str, str]:
    place, *path = item["loc"]
    code, context = str(item["type"]), item.get("ctx", {})
    detail = PLAIN_DETAILS.get(code) or str(item["msg"])
    if code == "string_pattern_mismatch":
        detail = in_words(context["pattern"]) or detail
    elif code == "extra_forbidden" and place == "body":
        detail = unknown_field(annotation, path)
    field = {"code": code, "detail": detail.removeprefix("Value error, ")[:MAX_ECHO].rstrip()}
    if place != "body":
        return {"parameter": str(path[0]) if path else str(place)} | field
    if code == "json_invalid":
        return {"pointer": "", "code": code, "detail": f"This is not JSON: {context['error']} at {path[0]}."}
    if code in {"union_tag_invalid", "union_tag_not_found"}:
        path.append(context["discriminator"].strip("'"))
    absent = code in {"missing", "extra_forbidden", "union_tag_not_found"} or path[-1:] == [context.get("field")]
    return {"pointer": json_pointer(path, body, last_is_key=absent)} | field


async def _gone(request: Request, error: Exception) -> Response:
    """For nobody: the connection is closed. Without it the log would call a broken upload our failure."""
    return _tell(request, Problem("client_gone", "The connection closed before the body was complete.", status=400))


async def _illegal(request: Request, error: Exception) -> Response:
    assert isinstance(error, IllegalTransition)
    asked = {"cancel": "cancelled", "pause": "paused", "resume": "resumed"}[error.action]
    over = f"has {error.status}" if error.status in (Status.SUCCEEDED, Status.FAILED) else f"is {error.status}"
    title = f"The job {over} and cannot be {asked} any more."
    return _tell(request, Problem("illegal_transition", title, status=409))


async def _plain(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = PLAIN_CODES.get(error.status_code, "http_error")
    title = PLAIN_TITLES[413] if error.status_code == 413 else _why_unreadable(error) or str(error.detail)
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = ", ".join(method for method in METHODS if _answers(request, method))
    return _tell(request, Problem(code, title, status=error.status_code, headers=headers))


def _why_unreadable(error: HTTPException) -> str | None:
    """Why a body could not be read, which the framework does not tell; None where that is not what went wrong."""
    cause = error.__cause__ if error.status_code == 400 else None
    for kind, reason in UNREADABLE:
        if isinstance(cause, kind):
            return f"The body cannot be read: {reason}."
    return None


def _answers(request: Request, method: str) -> bool:
    """Whether this path has an endpoint for a method; the framework's own `Allow` knows the first endpoint alone."""
    scope = dict(request.scope) | {"method": method}
    return any(route.matches(scope)[0] is Match.FULL for route in request.app.routes if not isinstance(route, Mount))


async def _no_database(request: Request, error: Exception) -> Response:
    logger.error("%s %s: the database does not answer: %s", request.method, request.url.path, type(error).__name__)
    title = "The database does not answer; try again."
    return _tell(request, Problem("database_unavailable", title, status=503, headers={"Retry-After": "2"}))


async def _unforeseen(request: Request, error: Exception) -> Response:
    logger.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return _tell(request, Problem("internal_error", "The service failed; its log has the details.", status=500))
