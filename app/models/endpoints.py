"""/v1/models: checkpoints and uploaded models under a name, to teach, and to outlive the job that made them."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import TypeAdapter
from sqlalchemy import Connection

from app.files.references import ENDINGS, must_end_in, must_exist
from app.http.auth import Owner
from app.http.content import BYTES, CONTENT, send_file
from app.http.front import AtHand, Front
from app.http.paging import Lister, lister_of
from app.http.refusals.problems import problems
from app.jobs.answers import moment
from app.models.answers import ModelId, answers_of
from app.models.references import must_be_there
from ledger import queries
from ledger.database import Cursors, Record
from ledger.ids import new_id
from ledger.owned import FILES, MODELS
from ledger.store.safetensors import read_card
from ledger.tables import models
from qstill.contract.answers.models import ModelView, NewModel
from qstill.contract.answers.pages import Page
from qstill.contract.distillations.architectures import AnyArchitecture, Architecture
from qstill.contract.distillations.embeddings.students import AnyEncoder, Encoder
from qstill.contract.distillations.recommenders.architectures import AnyScorer, Scorer
from qstill.contract.distillations.teachers import ModelFormat
from qstill.contract.errors import Problem
from qstill.contract.schemas import Name

router = APIRouter(prefix="/v1/models", tags=["models"], responses=problems(401, 403, 422))

NETWORK: TypeAdapter[AnyArchitecture | AnyScorer | AnyEncoder | None] = TypeAdapter(
    Architecture | Scorer | Encoder | None
)


@router.post("", status_code=201, responses=problems(400, 410, 413, 415))
async def create_model(new: NewModel, response: Response, front: AtHand, owner: Owner) -> ModelView:
    """Promote a checkpoint or an uploaded file to a model. The model stays when the job or the file is deleted."""
    source, origin = await _source(front, owner, new)
    place = front.store.locate(source.path)
    model_id = new_id("model")
    try:
        stored = await run_in_threadpool(front.store.put, place, f"models/{model_id}")
    except FileNotFoundError:
        raise Problem("content_gone", "The content was deleted.", status=410) from None
    row = await front.write(
        lambda connection: MODELS.add(
            connection,
            owner,
            model_id,
            stored,
            name=new.name,
            labels=new.labels,
            reading=_format_of(new, source).model_dump(mode="json", exclude_none=True),
            origin=origin,
        )
    )
    response.headers["Location"] = f"/v1/models/{model_id}"
    return _view(row)


@router.get("")
async def list_models(
    lister: Annotated[Lister, Depends(lister_of("model"))],
    name: Annotated[Name | None, Query(description="Only models of this name.")] = None,
) -> Page[ModelView]:
    """Your models, newest first."""
    wanted = [] if name is None else [models.c.name == name]

    def find(connection: Connection, cursors: Cursors) -> Sequence[Record]:
        return MODELS.newest(connection, lister.owner, cursors, *wanted)

    return await lister.page(find, _view)


@router.get("/{model_id}", responses=problems(404))
async def get_model(model_id: ModelId, front: AtHand, owner: Owner) -> ModelView:
    """What a model is."""
    return _view(await front.read_by_key(lambda connection: MODELS.get(connection, owner, model_id)))


@router.get("/{model_id}/content", response_class=Response, responses=CONTENT)
async def get_model_content(model_id: ModelId, request: Request, front: AtHand, owner: Owner) -> Response:
    """Its bytes, in the format that it has."""
    row = await front.read_by_key(lambda connection: MODELS.get(connection, owner, model_id))
    suffix = {"torch": "pt", "folder": "zip"}.get(row.reading["format"], row.reading["format"])
    place = front.store.locate(row.path)
    return send_file(request, place, sha256=row.sha256, media_type=BYTES, filename=f"{model_id}.{suffix}")


@router.get("/{model_id}/card", responses=problems(404, 410))
async def get_model_card(model_id: ModelId, front: AtHand, owner: Owner) -> dict[str, Any]:
    """What it needs besides its weights, as its safetensors file says: architecture, classes, standardisation, …"""
    row = await front.read_by_key(lambda connection: MODELS.get(connection, owner, model_id))
    return await run_in_threadpool(read_card, front.store.locate(row.path))


@router.delete("/{model_id}", status_code=204, responses=problems(404, 409))
async def delete_model(model_id: ModelId, front: AtHand, owner: Owner) -> None:
    """Delete a model. Refused while a job that is not finished learns from it."""
    await front.write(lambda connection: MODELS.delete(connection, owner, model_id))


def _format_of(new: NewModel, source: Record) -> ModelFormat:
    """How the bytes are read. A checkpoint is safetensors with a card, or the folder of an encoder."""
    of_folder = new.checkpoint is not None and source.name.endswith(".zip")
    return ModelFormat(format="folder") if of_folder else new.model_format()


async def _source(front: Front, owner: str, new: NewModel) -> tuple[Record, dict[str, Any]]:
    """The row whose bytes are promoted, and what is remembered of it. Raises Problem (422) that names the field."""
    if new.file is not None:
        wanted = [("/file", new.file, "teacher")]
        endings = [("/file", new.file, ENDINGS[new.format])]
        await front.read(lambda connection: must_exist(connection, owner, wanted))
        await front.read(lambda connection: must_end_in(connection, endings))
        file_id = new.file
        row = await front.read(lambda connection: FILES.get(connection, owner, file_id))
        return row, {"file": row.id}
    checkpoint = str(new.checkpoint)
    await front.read(lambda connection: must_be_there(connection, owner, [("/checkpoint", checkpoint)]))
    row = await front.read(lambda connection: queries.get_checkpoint(connection, owner, checkpoint))
    return row, {"checkpoint": row.id, "job": row.job_id, "architecture": row.meta.get("architecture")}


def _view(row: Record) -> ModelView:
    origin, format = dict(row.origin), row.reading["format"]
    of_checkpoint = origin.pop("architecture", None)
    architecture = NETWORK.validate_python(of_checkpoint or row.reading.get("architecture"))
    return ModelView(
        id=row.id,
        name=row.name,
        labels=row.labels,
        format=format,
        architecture=architecture,
        answers=answers_of(architecture, format, has_card="checkpoint" in origin),
        bytes=row.bytes,
        sha256=row.sha256,
        origin=origin,
        created_at=moment(row.created_at),
        links={"self": f"/v1/models/{row.id}"} | {part: f"/v1/models/{row.id}/{part}" for part in ("content", "card")},
    )
