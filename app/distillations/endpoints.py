"""/v1/distillations: submit a distillation; /v1/checkpoints: the students it made. Its report is read in reading.py."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import TypeAdapter
from sqlalchemy import Connection

from app.circuits.limits import limits
from app.distillations.circuits.distribution.finished_job import with_counts
from app.distillations.loading import downloaded
from app.files.references import ENDINGS, must_end_in, must_exist
from app.http.auth import Owner
from app.http.content import BYTES, CONTENT, send_file
from app.http.etag import etag
from app.http.front import AtHand, Front
from app.http.refusals.problems import problems
from app.jobs.accepted import FINISHED, Reply, new_job
from app.jobs.answers import JobId, moment
from app.jobs.questions import asked
from app.models.references import must_be_there
from ledger import outbound, queries
from ledger.database import Change, Record
from ledger.ids import id_pattern
from ledger.store.safetensors import read_card
from qstill.contract.answers.artifacts import CheckpointView
from qstill.contract.answers.jobs import JobView
from qstill.contract.answers.pages import Page
from qstill.contract.distillations.circuits.admission import admit_shortening
from qstill.contract.distillations.circuits.distribution.admission import admit_distribution
from qstill.contract.distillations.circuits.distribution.job import DistributionJob
from qstill.contract.distillations.circuits.job import ShorteningJob
from qstill.contract.distillations.domains import AnyJob, Job, needs_of
from qstill.contract.distillations.job import DistillationJob
from qstill.contract.distillations.preflight import AnyPreflight, PreflightQuestion
from qstill.contract.distillations.teachers.circuit import CircuitTeacher, admit_circuit
from qstill.contract.errors import Problem
from qstill.contract.kinds import DISTILLATION, DISTILLATION_QUESTION, Kind

router = APIRouter(tags=["distillations"], responses=problems(401, 403, 422))

ANSWER: TypeAdapter[AnyPreflight] = TypeAdapter(AnyPreflight)

CheckpointId = Annotated[str, Path(pattern=id_pattern("ckpt"), description="The id of a checkpoint.")]


@router.post("/v1/distillations", status_code=202, responses=problems(400, 409, 413, 415, 429) | FINISHED)
async def submit_distillation(job: Job, front: AtHand, owner: Owner, reply: Reply) -> JobView:
    """Queue a distillation, of classifiers, of recommenders where the data are interactions, of an encoder of texts
    where they are sentences, of a circuit into a shorter one, or of shots into a model of their distribution.

    Returns at once; follow it by its events, or wait with `Prefer: wait=N`.
    """
    job, there = await with_counts(job, front, owner)
    files, check = needed(job, front, owner)
    new = new_job(DISTILLATION, job, owner, front.settings, files=files)
    return await reply(new, check=both(there, check))


@router.post("/v1/distillations/preflight", responses=problems(400, 413, 415, 429, 503))
async def look_at_distillation(job: Job, front: AtHand, owner: Owner) -> AnyPreflight:
    """What would become of a distillation, before it is submitted: its shapes, its teacher, what it costs, and advice.

    A worker reads the data and a teacher that is there already, and learns two batches and some more: seconds. What
    the job would fail with at once is the answer, with the code and pointer that the job would have. Nothing is kept.
    The answer on a recommender has the same sections, about users and items; that on a circuit says what it and its
    level 3 keep under the noise; that on shots how much of their distribution they have not seen, and that
    on an encoder what it and its student take.
    """
    job, there = await with_counts(job, front, owner)
    files, check = needed(job, front, owner)
    settings = front.settings
    question = PreflightQuestion(
        job=job, memory_limit=settings.distillation_memory_bytes, seconds_limit=settings.distillation_seconds
    )
    spec = question.model_dump(mode="json", exclude_none=True)
    return ANSWER.validate_python(
        await asked(spec, DISTILLATION_QUESTION, front, owner, files=files, check=both(there, check))
    )


def both(first: Change[None], second: Change[None]) -> Change[None]:
    """One after the other."""

    def check(connection: Connection) -> None:
        first(connection)
        second(connection)

    return check


def needed(
    job: AnyJob, front: Front, owner: str, *, pointer: str = ""
) -> tuple[list[str], Callable[[Connection], None]]:
    """The uploads and models that a job reads, and what checks that they are there. pointer: of the job in the body.

    Raises Problem where a teacher's address may not be called, or a circuit cannot be read.
    """
    if isinstance(job, ShorteningJob):
        admit_shortening(job, limits(front.settings))
    if isinstance(job, DistributionJob):
        admit_distribution(job, limits(front.settings))
    needs = needs_of(job)
    if isinstance(job, DistillationJob) and isinstance(job.teacher, CircuitTeacher):
        try:
            admit_circuit(job.teacher, limits(front.settings))
        except Problem as problem:
            raise problem.within(f"{pointer}/teacher") from None
    wanted = [(pointer + place, file, purpose) for place, file, purpose in needs.files]
    models = [(pointer + place, model) for place, model in needs.models]
    endings = [(pointer + place, file, ENDINGS[format]) for place, file, format in needs.formats]
    for place, url in needs.urls:
        outbound.check_field(url, front.settings.named_hosts, pointer + place)

    def check(connection: Connection) -> None:
        must_exist(connection, owner, wanted)
        must_end_in(connection, endings)
        must_be_there(connection, owner, models)

    return [file for _, file, _ in wanted] + [model for _, model in models], check


@router.get("/v1/distillations/{job_id}/checkpoints", responses=problems(404))
async def list_checkpoints(job_id: JobId, front: AtHand, owner: Owner) -> Page[CheckpointView]:
    """The models that the job has made so far, oldest first: teacher, students, baselines."""
    return await checkpoints_of(job_id, DISTILLATION, front, owner)


async def checkpoints_of(job_id: str, kind: Kind, front: Front, owner: str) -> Page[CheckpointView]:
    """All of a job of some kind, oldest first."""
    await front.read_by_key(lambda connection: queries.get_job(connection, owner, job_id, kind))
    found = await front.read(lambda connection: queries.list_artifacts(connection, job_id, "checkpoint"))
    ids = [row.id for row in found]
    return Page(
        data=[_view(row) for row in found],
        has_more=False,
        first_id=ids[0] if ids else None,
        last_id=ids[-1] if ids else None,
    )


@router.get("/v1/checkpoints/{checkpoint_id}", responses=problems(404))
async def get_checkpoint(
    checkpoint_id: CheckpointId, response: Response, front: AtHand, owner: Owner
) -> CheckpointView:
    """What a checkpoint is: its role, epoch, accuracy, size and digest."""
    found = await front.read_by_key(lambda connection: queries.get_checkpoint(connection, owner, checkpoint_id))
    response.headers["ETag"] = etag(found.sha256)
    return _view(found)


@router.get(
    "/v1/checkpoints/{checkpoint_id}/content",
    response_class=Response,
    responses=CONTENT,
)
async def get_checkpoint_content(
    checkpoint_id: CheckpointId, request: Request, front: AtHand, owner: Owner
) -> Response:
    """The weights as safetensors, its card in the metadata; of an encoder of texts a zip of its folder.

    `Range`, ETag and `Repr-Digest` are there to resume by.
    """
    found = await front.read_by_key(lambda connection: queries.get_checkpoint(connection, owner, checkpoint_id))
    return send_file(
        request,
        front.store.locate(found.path),
        sha256=found.sha256,
        media_type=BYTES,
        filename=downloaded(checkpoint_id, found.name),
    )


@router.get("/v1/checkpoints/{checkpoint_id}/card", responses=problems(404, 410))
async def get_checkpoint_card(checkpoint_id: CheckpointId, front: AtHand, owner: Owner) -> dict[str, Any]:
    """What it needs besides its weights: architecture, classes, input_shape, standardisation, tokenizer; of a
    recommender the names of users and items, of a model of shots its bits.
    """
    found = await front.read_by_key(lambda connection: queries.get_checkpoint(connection, owner, checkpoint_id))
    return await run_in_threadpool(read_card, front.store.locate(found.path))


def _view(row: Record) -> CheckpointView:
    return CheckpointView(
        id=row.id,
        job=row.job_id,
        name=row.name,
        bytes=row.bytes,
        sha256=row.sha256,
        created_at=moment(row.created_at),
        meta=row.meta,
        links={"self": f"/v1/checkpoints/{row.id}"}
        | {part: f"/v1/checkpoints/{row.id}/{part}" for part in ("content", "card")},
    )
