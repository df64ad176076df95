"""/v1/sweeps: many distillations of one teacher as one job, its trials and their Pareto front."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from fastapi.concurrency import run_in_threadpool

from app.circuits.histogram.svg import chart_svg
from app.distillations.endpoints import checkpoints_of, needed
from app.http.auth import Owner
from app.http.front import AtHand, Front
from app.http.paging import Limit
from app.http.refusals.problems import problems
from app.jobs.accepted import FINISHED, Reply, new_job
from app.jobs.answers import JobId, must_have_succeeded
from app.sweeps.chart import front_chart
from ledger import queries
from qstill.contract.answers.artifacts import CheckpointView
from qstill.contract.answers.jobs import JobView
from qstill.contract.answers.pages import Page
from qstill.contract.kinds import SWEEP
from qstill.contract.sweeps.results import FrontMember, TrialView
from qstill.contract.sweeps.sweep import MAX_TRIALS, Sweep

router = APIRouter(prefix="/v1/sweeps", tags=["sweeps"], responses=problems(401, 403, 422))

SVG: dict[int | str, dict[str, Any]] = {200: {"description": "The picture.", "content": {"image/svg+xml": {}}}}


@router.post("", status_code=202, responses=problems(400, 409, 413, 415, 429) | FINISHED)
async def submit_sweep(sweep: Sweep, front: AtHand, owner: Owner, reply: Reply) -> JobView:
    """Queue a sweep: one teacher, many students. Small students of one shape are trained in one pass.

    Returns at once; every finished trial is an event of the job.
    """
    files, check = needed(sweep.base, front, owner, pointer="/base")
    return await reply(new_job(SWEEP, sweep, owner, front.settings, files=files), check=check)


@router.get("/{job_id}/trials", responses=problems(404))
async def list_trials(
    job_id: JobId,
    front: AtHand,
    owner: Owner,
    after: Annotated[int, Query(ge=-1, le=MAX_TRIALS, description="Only trials after this number.")] = -1,
    limit: Limit = 100,
) -> Page[TrialView]:
    """The trials that have ended so far, in the order of their numbers."""
    await front.read_by_key(lambda connection: queries.get_job(connection, owner, job_id, SWEEP))
    rest = [TrialView.model_validate(row) for row in await _read(front, job_id, "trials.json") if row["number"] > after]
    kept = rest[:limit]
    return Page(
        data=kept,
        has_more=len(rest) > limit,
        first_id=str(kept[0].number) if kept else None,
        last_id=str(kept[-1].number) if kept else None,
    )


@router.get("/{job_id}/checkpoints", responses=problems(404))
async def list_sweep_checkpoints(job_id: JobId, front: AtHand, owner: Owner) -> Page[CheckpointView]:
    """The models that the sweep has published: the teacher that it trained, and the students of the front."""
    return await checkpoints_of(job_id, SWEEP, front, owner)


@router.get("/{job_id}/pareto", responses=problems(404, 409))
async def list_front(job_id: JobId, front: AtHand, owner: Owner) -> Page[FrontMember]:
    """The trials that no other beats in what ranks them on the validation rows, bytes and latency, best first."""
    await _succeeded(front, owner, job_id)
    members = [FrontMember.model_validate(row) for row in await _read(front, job_id, "pareto.json")]
    ids = [str(member.number) for member in members]
    return Page(data=members, has_more=False, first_id=ids[0] if ids else None, last_id=ids[-1] if ids else None)


@router.get("/{job_id}/pareto.svg", response_class=Response, responses=problems(404, 409) | SVG)
async def draw_front(job_id: JobId, front: AtHand, owner: Owner) -> Response:
    """What ranks trials on the validation rows, over bytes: all complete trials, and those of the front."""
    await _succeeded(front, owner, job_id)
    trials = [TrialView.model_validate(row) for row in await _read(front, job_id, "trials.json")]
    on_front = {row["number"] for row in await _read(front, job_id, "pareto.json")}
    return Response(chart_svg(front_chart(trials, on_front)), media_type="image/svg+xml")


async def _succeeded(front: Front, owner: str, job_id: str) -> None:
    must_have_succeeded(await front.read_by_key(lambda connection: queries.get_job(connection, owner, job_id, SWEEP)))


async def _read(front: Front, job_id: str, name: str) -> list[dict[str, Any]]:
    """What the sweep published under a name; nothing yet is an empty list."""
    found = await front.read_by_key(lambda connection: queries.get_artifact(connection, job_id, "report", name))
    if found is None:
        return []
    rows: list[dict[str, Any]] = json.loads(await run_in_threadpool(front.store.locate(found.path).read_bytes))
    return rows
