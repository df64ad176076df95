"""A finished job's report, and what is rendered from it."""

import json
from collections.abc import Callable
from typing import Any

from fastapi import Response
from fastapi.concurrency import run_in_threadpool

from app.http.etag import etag, unchanged
from app.http.front import Front
from app.http.refusals.problems import problems
from app.jobs.answers import must_have_succeeded
from ledger import queries
from ledger.database import Record
from ledger.owned import FILES
from qstill import __version__
from qstill.contract.errors import Problem
from qstill.contract.kinds import DISTILLATION


def answers_with(media_type: str, description: str) -> dict[int | str, dict[str, Any]]:
    return problems(404, 409) | {
        200: {"description": description, "content": {media_type: {"schema": {"type": "string"}}}},
        304: {"description": "Unchanged since the ETag that you have."},
    }


async def must_have_report(front: Front, owner: str, job_id: str) -> None:
    """Raises Problem."""
    must_have_succeeded(
        await front.read_by_key(lambda connection: queries.get_job(connection, owner, job_id, DISTILLATION))
    )


async def report_row(front: Front, owner: str, job_id: str) -> Record:
    """The row of a finished job's report. Raises Problem."""
    await must_have_report(front, owner, job_id)
    found = await front.read_by_key(
        lambda connection: queries.get_artifact(connection, job_id, "report", "report.json")
    )
    if found is None:
        raise Problem("not_found", "The job has no report.", status=404)
    return found


async def rendered(
    front: Front,
    owner: str,
    job_id: str,
    if_none_match: str | None,
    render: Callable[[dict[str, Any]], str],
    media_type: str,
) -> Response:
    """What `render` makes of a report, with an ETag that another version of the service changes. Raises Problem."""
    found = await report_row(front, owner, job_id)
    tag = etag(f"{found.sha256[:32]}-{__version__}")  # another version of the service may write it otherwise
    if unchanged(tag, if_none_match):
        return Response(status_code=304, headers={"ETag": tag})
    document = await run_in_threadpool(_read, front, found)
    name = await _name_of_data(front, owner, document)
    content = await run_in_threadpool(lambda: render(_with_name(document, name)))
    return Response(content, media_type=media_type, headers={"ETag": tag})


async def _name_of_data(front: Front, owner: str, document: dict[str, Any]) -> str | None:
    """Of the uploaded file; None where there is none, or none any more."""
    file = document.get("job", {}).get("dataset", {}).get("file")
    if file is None:
        return None
    try:
        name: str = (await front.read_by_key(lambda connection: FILES.get(connection, owner, file))).name
    except Problem:
        return None
    return name


def _with_name(document: dict[str, Any], name: str | None) -> dict[str, Any]:
    """The report, its data under the name that people know."""
    if name is None:
        return document
    job = document["job"]
    return document | {"job": job | {"dataset": job["dataset"] | {"name": name}}}


def _read(front: Front, found: Record) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(front.store.locate(found.path).read_bytes())
    return report
