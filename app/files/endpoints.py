"""/v1/files: what jobs read. The body is the file itself; nothing uploaded is ever unpickled."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from sqlalchemy import Connection

from app.files.answers import FileId, columns_row, file_view, in_list
from app.files.columns import columns_of
from app.files.upload import check_name, check_size, receive
from app.http.auth import Owner
from app.http.content import BYTES, CONTENT, send_file
from app.http.front import AtHand
from app.http.paging import Lister, lister_of
from app.http.refusals.problems import problems
from ledger.database import Cursors, Record
from ledger.ids import new_id
from ledger.owned import FILES
from ledger.tables import files
from qstill.contract.answers.files import FileView, Purpose
from qstill.contract.answers.pages import Page
from qstill.contract.errors import Problem
from qstill.contract.schemas import Name

UNBOUNDED = 1 << 62  # this endpoint counts for itself, and by another setting

router = APIRouter(prefix="/v1/files", tags=["files"], responses=problems(401, 403, 422))


@router.post(
    "",
    status_code=201,
    max_body_size=UNBOUNDED,
    responses=problems(413, 415, 507),
    openapi_extra={
        "requestBody": {
            "required": True,
            "description": "The file itself, not a form: `curl --data-binary @FILE`.",
            "content": {BYTES: {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def upload_file(
    request: Request,
    response: Response,
    front: AtHand,
    owner: Owner,
    purpose: Annotated[Purpose, Query(description="What it is for.")],
    name: Annotated[Name, Query(description="Its name; the ending tells the format.", examples=["flowers.npz"])],
) -> FileView:
    """Upload a file.

    `dataset`: .npz with arrays x and y; tables as .csv, .tsv, .parquet, .feather or .arrow; a .zip of images in one
    folder for each class; texts as .jsonl, .csv or .parquet; .csv, .tsv and .jsonl also with .gz; and counts of a
    circuit as .json. The answer says what the columns of a csv are taken for. `teacher`: .safetensors, .onnx, .pt
    and .pth with weights alone, or a .zip of the folder of a model of texts, as `save_pretrained`,
    sentence-transformers and optimum write it, or the tokenizer of an .onnx as .json; `soft_labels`: .npy, .npz or
    .parquet, counts as .json, and a recommender's lists as .csv or .parquet; `split`: which rows are for training,
    validation and test, as .txt, .npy, .npz, .json or a table; `circuit`: .qasm or .json; `secret`: .json with headers
    for a teacher's endpoint, which is used and never shown again.
    """
    if request.headers.get("content-type", "").lower().startswith("multipart/"):
        raise Problem("not_a_form", "Send the file itself as the body: `curl --data-binary @FILE`.", status=415)
    check_name(name, purpose)
    limit = front.settings.max_upload_bytes
    declared = request.headers.get("content-length", "")
    check_size(int(declared[:19]) if declared.isascii() and declared.isdigit() else 0, limit)  # 19 digits are EiB
    file_id = new_id("file")
    stored = await receive(front.store, request.stream(), f"files/{file_id}", name=name, limit=limit)
    columns = await run_in_threadpool(columns_of, front.store.locate(f"files/{file_id}"), name, purpose)
    about = {"purpose": purpose, "name": name, "columns": columns_row(columns)}
    row = await front.write(lambda connection: FILES.add(connection, owner, file_id, stored, **about))
    response.headers["Location"] = f"/v1/files/{file_id}"
    return file_view(row)


@router.get("")
async def list_files(
    lister: Annotated[Lister, Depends(lister_of("file"))],
    purpose: Annotated[Purpose | None, Query(description="Only files for this.")] = None,
) -> Page[FileView]:
    """Your files, newest first."""
    wanted = [] if purpose is None else [files.c.purpose == purpose]

    def find(connection: Connection, cursors: Cursors) -> Sequence[Record]:
        return FILES.newest(connection, lister.owner, cursors, *wanted)

    return await lister.page(find, in_list)


@router.get("/{file_id}", responses=problems(404))
async def get_file(file_id: FileId, front: AtHand, owner: Owner) -> FileView:
    """What a file is."""
    return file_view(await front.read_by_key(lambda connection: FILES.get(connection, owner, file_id)))


@router.get(
    "/{file_id}/content",
    response_class=Response,
    responses=CONTENT,
)
async def get_file_content(file_id: FileId, request: Request, front: AtHand, owner: Owner) -> Response:
    """The bytes as they were uploaded; never those of a secret."""
    row = await front.read_by_key(lambda connection: FILES.get(connection, owner, file_id))
    if row.purpose == Purpose.SECRET:
        raise Problem("secret", "A secret is used, and never shown.", status=403)
    place = front.store.locate(row.path)
    return send_file(request, place, sha256=row.sha256, media_type=BYTES, filename=row.name)


@router.delete("/{file_id}", status_code=204, responses=problems(404, 409))
async def delete_file(file_id: FileId, front: AtHand, owner: Owner) -> None:
    """Delete a file. Refused while a job that is not finished needs it."""
    await front.write(lambda connection: FILES.delete(connection, owner, file_id))
