"""/v1/uploads: files in parts, each of which is sent again when its connection breaks. They become ordinary files."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Path, Request, Response
from fastapi.concurrency import run_in_threadpool
from sqlalchemy import Connection

from app.files.answers import columns_row, file_view
from app.files.columns import columns_of
from app.files.endpoints import UNBOUNDED
from app.files.upload import check_name, must_fit
from app.http.auth import Owner
from app.http.content import BYTES
from app.http.front import AtHand, Front
from app.http.paging import Lister, lister_of
from app.http.refusals.problems import problems
from app.jobs.answers import moment
from app.uploads.parts import digest_of, join, receive_part
from ledger import uploads
from ledger.database import Cursors, Record
from ledger.ids import id_pattern
from ledger.owned import FILES
from ledger.store.folder import FolderStore, Stored
from ledger.uploads import State
from qstill.contract.answers.files import FileView, Purpose
from qstill.contract.answers.pages import Page
from qstill.contract.answers.uploads import MAX_PARTS, SHOWN, NewUpload, PartView, UploadView, parts_of
from qstill.contract.errors import Problem

router = APIRouter(prefix="/v1/uploads", tags=["files"], responses=problems(401, 403, 422))

UploadId = Annotated[str, Path(pattern=id_pattern("upload"), description="The id of an upload.")]
PartNumber = Annotated[int, Path(ge=1, le=MAX_PARTS, description="Which part it is, from 1 on.")]
NAMED = 5  # parts in one sentence


@router.post("", status_code=201, responses=problems(400, 413, 415, 429, 507))
async def create_upload(new: NewUpload, response: Response, front: AtHand, owner: Owner) -> UploadView:
    """Begin a file that comes in parts: for what is large, or comes over a connection that breaks.

    Send each part with `PUT /v1/uploads/ID/parts/NUMBER`, in any order and several at once; ask `GET /v1/uploads/ID`
    which are missing; then `POST /v1/uploads/ID/complete`. What is small goes to `POST /v1/files` in one request.
    """
    settings = front.settings
    check_name(new.name, new.purpose)
    if new.bytes > settings.max_file_bytes:
        title = f"A file in parts may have {settings.max_file_bytes:,} bytes."
        raise Problem("file_too_large", title, status=413, pointer="/bytes")
    await run_in_threadpool(must_fit, front.store.root, new.bytes)
    row = await front.write(
        lambda connection: uploads.begin(
            connection,
            owner,
            purpose=new.purpose,
            name=new.name,
            size=new.bytes,
            sha256=new.sha256,
            part_bytes=new.cut,
            seconds=settings.upload_seconds,
            most=settings.max_unfinished_bytes_per_owner,
        )
    )
    response.headers["Location"] = f"/v1/uploads/{row.id}"
    return _view(row, ())


@router.get("")
async def list_uploads(lister: Annotated[Lister, Depends(lister_of("upload"))]) -> Page[UploadView]:
    """Your uploads, newest first: those that are not complete, and those that were completed since yesterday."""

    def find(connection: Connection, cursors: Cursors) -> Sequence[Record]:
        return uploads.newest(connection, lister.owner, cursors)

    return await lister.page(find, _in_list)


@router.get("/{upload_id}", responses=problems(404))
async def get_upload(upload_id: UploadId, front: AtHand, owner: Owner) -> UploadView:
    """Where an upload stands: which parts are still to be sent."""
    return _view(*await _standing(front, owner, upload_id))


@router.put(
    "/{upload_id}/parts/{number}",
    max_body_size=UNBOUNDED,
    responses=problems(400, 404, 409, 507),
    openapi_extra={
        "requestBody": {
            "required": True,
            "description": "The bytes of the part themselves: `curl -T PART`.",
            "content": {BYTES: {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def put_upload_part(
    upload_id: UploadId,
    number: PartNumber,
    request: Request,
    front: AtHand,
    owner: Owner,
    content_digest: Annotated[
        str | None, Header(description="Of the part: `sha-256=:BASE64:` (RFC 9530). What differs is refused.")
    ] = None,
) -> PartView:
    """Send a part. The answer says that it is kept: through a crash, too. Sent again, it is the same part.

    Each part but the last has the upload's `part_bytes`.
    """
    said = digest_of(content_digest)
    upload = await front.read_by_key(lambda connection: uploads.get(connection, owner, upload_id))
    size = uploads.must_take(upload, number)
    stored = await receive_part(front.store, request.stream(), upload, number, size, said)
    seconds = front.settings.upload_seconds
    try:
        kept = await front.write(
            lambda connection: uploads.add_part(connection, owner, upload_id, number, stored, seconds)
        )
    except Problem:
        front.store.delete(str(stored.path))
        raise
    if kept.path != stored.path:  # it had come before
        front.store.delete(str(stored.path))
    return PartView(upload=upload_id, number=number, bytes=kept.bytes, sha256=kept.sha256)


@router.post("/{upload_id}/complete", status_code=201, responses=problems(404, 409, 507))
async def complete_upload(upload_id: UploadId, response: Response, front: AtHand, owner: Owner) -> FileView:
    """Make the parts one file, once all are here. Asked again, it is the same file."""
    upload, parts = await _standing(front, owner, upload_id)
    if upload.status == State.OPEN:
        _must_be_whole(upload, parts)
        stored, columns = await run_in_threadpool(_make, front.store, upload, parts)
        row = await front.write(lambda connection: uploads.complete(connection, owner, upload_id, stored, columns))
    else:
        row = await front.read_by_key(lambda connection: FILES.get(connection, owner, upload.file_id))
    response.headers["Location"] = f"/v1/files/{row.id}"
    return file_view(row)


@router.delete("/{upload_id}", status_code=204, responses=problems(404))
async def delete_upload(upload_id: UploadId, front: AtHand, owner: Owner) -> None:
    """Give an upload up, with its parts. A file that it became stays."""
    await front.write(lambda connection: uploads.give_up(connection, owner, upload_id))


async def _standing(front: Front, owner: str, upload_id: str) -> tuple[Record, Sequence[Record]]:
    """An upload and the parts of it that are here. Raises Problem (404)."""

    def look(connection: Connection) -> tuple[Record, Sequence[Record]]:
        parts = uploads.parts(connection, upload_id)  # first: what is completed in between has none
        return uploads.get(connection, owner, upload_id), parts

    return await front.read(look)


def _must_be_whole(upload: Record, parts: Sequence[Record]) -> None:
    """Raises Problem (409) that names parts to send."""
    missing = _missing(upload, parts)
    if missing:
        named = ", ".join(map(str, missing[:NAMED])) + (", …" if len(missing) > NAMED else "")
        count = parts_of(upload.bytes, upload.part_bytes)
        title = f"{len(parts):,} of {count:,} parts are here; send {named}."
        ways_out = [{"method": "PUT", "path": f"/v1/uploads/{upload.id}/parts/{number}"} for number in missing[:NAMED]]
        raise Problem("parts_missing", title, status=409, ways_out=ways_out)


def _make(store: FolderStore, upload: Record, parts: Sequence[Record]) -> tuple[Stored, list[dict[str, Any]] | None]:
    """The file and its columns. Raises Problem."""
    try:
        stored = join(store, upload, parts)
        return stored, columns_row(columns_of(store.locate(str(stored.path)), upload.name, Purpose(upload.purpose)))
    except FileNotFoundError:
        title = "The parts went while they were read: another request completed or deleted this upload. Ask again."
        ways_out = [{"method": "GET", "path": f"/v1/uploads/{upload.id}"}]
        raise Problem("upload_changed", title, status=409, ways_out=ways_out) from None


def _missing(upload: Record, parts: Sequence[Record]) -> list[int]:
    here = {part.number for part in parts}
    return [number for number in range(1, parts_of(upload.bytes, upload.part_bytes) + 1) if number not in here]


def _view(upload: Record, parts: Sequence[Record]) -> UploadView:
    return _shown(upload, len(parts), _missing(upload, parts)[:SHOWN] if upload.status == State.OPEN else [])


def _in_list(upload: Record) -> UploadView:
    return _shown(upload, upload.received, None)


def _shown(upload: Record, received: int, missing: list[int] | None) -> UploadView:
    count, complete = parts_of(upload.bytes, upload.part_bytes), upload.status == State.COMPLETE
    path = f"/v1/uploads/{upload.id}"
    links = {"self": path, "complete": f"{path}/complete"}
    return UploadView(
        id=upload.id,
        status=upload.status,
        purpose=Purpose(upload.purpose),
        name=upload.name,
        bytes=upload.bytes,
        sha256=upload.sha256,
        part_bytes=upload.part_bytes,
        parts=count,
        received=count if complete else received,
        missing=missing,
        file=upload.file_id if complete else None,
        created_at=moment(upload.created_at),
        expires_at=moment(upload.expires_at),
        links=links | ({"file": f"/v1/files/{upload.file_id}"} if complete else {}),
    )
