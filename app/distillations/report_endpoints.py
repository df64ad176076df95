"""/v1/distillations: what came of one. Its report as JSON, as a model card, as pictures; and its exports."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from fastapi.concurrency import run_in_threadpool

from app.distillations.card import card
from app.distillations.circuits.card import shortening_card
from app.distillations.circuits.distribution.card import distribution_card
from app.distillations.embeddings.card import embedding_card
from app.distillations.recommenders.card import ranking_card
from app.distillations.stored_report import answers_with, must_have_report, rendered, report_row
from app.http.auth import Owner
from app.http.content import BYTES, CONTENT, send_file
from app.http.etag import IfNoneMatch, etag
from app.http.front import AtHand
from app.http.refusals.problems import problems
from app.jobs.answers import JobId, moment
from ledger import queries
from ledger.database import Record
from qstill.contract.answers.artifacts import ExportView, SplitView
from qstill.contract.answers.pages import Page
from qstill.contract.distillations.circuits.distribution.report import DistributionReport
from qstill.contract.distillations.circuits.report import ShorteningReport
from qstill.contract.distillations.embeddings.report import EmbeddingReport
from qstill.contract.distillations.recommenders.report import RecommenderReport
from qstill.contract.distillations.reports import Report, read_any
from qstill.contract.errors import Problem
from qstill.contract.kinds import DISTILLATION

JSON, MARKDOWN, SVG = "application/json", "text/markdown", "image/svg+xml"

router = APIRouter(prefix="/v1/distillations", tags=["distillations"], responses=problems(401, 403, 422))

ExportName = Annotated[
    str,
    Path(
        max_length=200,
        pattern=r"^[a-z0-9][a-z0-9.-]*$",
        description="The name of an export.",
        examples=["student-seed-0.onnx"],
    ),
]


@router.get("/{job_id}/report", response_model=Report, responses=problems(404, 409))
async def get_report(job_id: JobId, front: AtHand, owner: Owner) -> Response:
    """Whether distillation helped: teacher, student, and the same student trained without a teacher; of a circuit made
    shorter, it and the given one under the noise; of shots, the student and the histogram.

    As the worker wrote it: a report of an earlier version may lack fields.
    """
    found = await report_row(front, owner, job_id)
    content = await run_in_threadpool(lambda: front.store.locate(found.path).read_bytes())
    return Response(content, media_type=JSON, headers={"ETag": etag(found.sha256)})


@router.get(
    "/{job_id}/split",
    response_model=SplitView,
    responses=CONTENT | problems(409) | {200: {"description": "The rows of each split."}},
)
async def get_split(job_id: JobId, request: Request, front: AtHand, owner: Owner) -> Response:
    """Which rows of the data set were for training, validation and test, to measure something else on the same."""
    await must_have_report(front, owner, job_id)
    found = await front.read_by_key(lambda connection: queries.get_artifact(connection, job_id, "report", "split.json"))
    if found is None:
        title = "The job has no list of rows: it is a circuit's or of sentences, or an earlier version computed it."
        raise Problem("split_not_found", title, status=404)
    return send_file(
        request, front.store.locate(found.path), sha256=found.sha256, media_type=JSON, filename=f"{job_id}-split.json"
    )


@router.get("/{job_id}/report.md", response_class=Response, responses=answers_with(MARKDOWN, "The model card."))
async def get_card(job_id: JobId, front: AtHand, owner: Owner, if_none_match: IfNoneMatch = None) -> Response:
    """The report as a model card in Markdown: what the student is, its worth, its limits, and how to load it.

    How to load it is a program: it opens the first student's file as it was downloaded, and predicts.
    """
    checkpoints = await front.read(lambda connection: queries.list_artifacts(connection, job_id, "checkpoint"))
    ids = {each.name: each.id for each in checkpoints}

    def write(document: dict[str, Any]) -> str:
        match report := read_any(document):
            case ShorteningReport():
                return shortening_card(report)
            case DistributionReport():
                return distribution_card(report, ids)
            case RecommenderReport():
                return ranking_card(report, ids)
            case EmbeddingReport():
                return embedding_card(report, ids)
            case _:
                return card(report, ids)

    return await rendered(front, owner, job_id, if_none_match, write, MARKDOWN)


@router.get("/{job_id}/exports", responses=problems(404))
async def list_exports(job_id: JobId, front: AtHand, owner: Owner) -> Page[ExportView]:
    """The files that the job's `export` asked for, and of its `compression` those that nothing beats, as measured.

    Of a circuit made shorter: the circuit in OpenQASM 3, and its certificate, a body of `POST /v1/circuits`. Of shots:
    `distribution.json`, what is given back, and where `export` asks for it `student.onnx`.
    """
    await front.read_by_key(lambda connection: queries.get_job(connection, owner, job_id, DISTILLATION))
    found = await front.read(lambda connection: queries.list_artifacts(connection, job_id, "export"))
    names = [row.name for row in found]
    return Page(
        data=[_view(row) for row in found],
        has_more=False,
        first_id=names[0] if names else None,
        last_id=names[-1] if names else None,
    )


@router.get("/{job_id}/exports/{name}", response_class=Response, responses=CONTENT)
async def get_export(job_id: JobId, name: ExportName, request: Request, front: AtHand, owner: Owner) -> Response:
    """The file. `Range`, ETag and `Repr-Digest` are there to resume by."""
    await front.read_by_key(lambda connection: queries.get_job(connection, owner, job_id, DISTILLATION))
    found = await front.read_by_key(lambda connection: queries.get_artifact(connection, job_id, "export", name))
    if found is None:
        raise Problem("export_not_found", "The job has no such export.", status=404)
    return send_file(
        request, front.store.locate(found.path), sha256=found.sha256, media_type=BYTES, filename=found.name
    )


def _view(row: Record) -> ExportView:
    return ExportView(
        job=row.job_id,
        name=row.name,
        bytes=row.bytes,
        sha256=row.sha256,
        created_at=moment(row.created_at),
        meta=row.meta,
        links={"content": f"/v1/distillations/{row.job_id}/exports/{row.name}"},
    )
