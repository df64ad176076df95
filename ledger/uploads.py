"""Files that come in parts: one function and one transaction each, and what becomes of those that nobody finishes.

A part is written to the store, flushed, and then named by a row: what was acknowledged is a row. A part has one
content for ever, so that two clients, or one that asks again, cannot mix two files. The id of the file is drawn
with the upload, so that the bytes of an upload can be found and deleted wherever its process died.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Select, func, insert, select, update

from ledger.database import Cursors, Record, newest_first, now
from ledger.ids import new_id
from ledger.owned import FILES
from ledger.rows import discard
from ledger.store.folder import Stored
from ledger.tables import files, upload_parts, uploads
from qstill.contract.answers.files import Purpose
from qstill.contract.answers.uploads import part_size, parts_of
from qstill.contract.errors import Problem

LINGER_SECONDS = 24 * 3600.0  # from its end to its row's: no request that was at work on it lives as long
MAX_UNFINISHED = 100  # uploads of one owner: each may have thousands of files in the store
ENDED_AT_ONCE = 100


class State(StrEnum):
    OPEN = "open"
    COMPLETE = "complete"
    ENDED = "ended"  # given up by its owner or for its age: nobody sees it


def folder(upload_id: str) -> str:
    """Where its parts lie in the store."""
    return f"uploads/{upload_id}"


def begin(
    connection: Connection,
    owner: str,
    *,
    purpose: Purpose,
    name: str,
    size: int,
    sha256: str | None,
    part_bytes: int,
    seconds: float,
    most: int,
) -> Record:
    """seconds: that it stays without a new part. most: bytes of the owner's open uploads. Raises Problem (429)."""
    open_ones = (uploads.c.owner == owner, uploads.c.status == State.OPEN)
    count, promised, oldest = connection.execute(
        select(func.count(), func.coalesce(func.sum(uploads.c.bytes), 0), func.min(uploads.c.id)).where(*open_ones)
    ).one()
    if count and (count >= MAX_UNFINISHED or promised + size > most):
        title = f"You have {count} unfinished uploads of {int(promised):,} bytes; one key may have {MAX_UNFINISHED} of "
        title += f"{most:,} together. Complete or delete one."
        ways_out = [{"method": "DELETE", "path": f"/v1/uploads/{oldest}"}]
        raise Problem("too_many_uploads", title, status=429, ways_out=ways_out, headers={"Retry-After": "60"})
    row: dict[str, Any] = {
        "id": new_id("upload"),
        "owner": owner,
        "status": State.OPEN,
        "purpose": purpose,
        "name": name,
        "bytes": size,
        "sha256": sha256,
        "part_bytes": part_bytes,
        "file_id": new_id("file"),
        "created_at": now(),
        "expires_at": now() + seconds,
    }
    return connection.execute(insert(uploads).values(row).returning(uploads)).one()


def get(connection: Connection, owner: str, upload_id: str) -> Record:
    """Raises Problem (404)."""
    return _known(connection.execute(_of(owner, upload_id)).one_or_none())


def newest(connection: Connection, owner: str, cursors: Cursors) -> Sequence[Record]:
    """A page, newest first, each with how many of its parts are there as `received`."""
    count = select(func.count()).where(upload_parts.c.upload_id == uploads.c.id).scalar_subquery()
    query = select(uploads, count.label("received")).where(uploads.c.owner == owner, uploads.c.status != State.ENDED)
    return newest_first(connection, query, uploads.c.id, cursors)


def parts(connection: Connection, upload_id: str) -> Sequence[Record]:
    """Those that are there, in their order."""
    query = select(upload_parts).where(upload_parts.c.upload_id == upload_id).order_by(upload_parts.c.number)
    return connection.execute(query).all()


def must_take(upload: Record, number: int) -> int:
    """Bytes of a part. Raises Problem: 404 for a part that the file does not have, 409 where all have come."""
    if upload.status != State.OPEN:
        raise Problem("upload_complete", f"This upload is complete: it is {upload.file_id}.", status=409)
    most = parts_of(upload.bytes, upload.part_bytes)
    if not 1 <= number <= most:
        raise Problem("part_not_found", f"The upload has the parts 1 to {most}, and no part {number}.", status=404)
    return part_size(upload.bytes, upload.part_bytes, number)


def add_part(connection: Connection, owner: str, upload_id: str, number: int, stored: Stored, seconds: float) -> Record:
    """The part's row, which names an earlier file where the same bytes had come before: the new one is nobody's then.

    Raises Problem: 404, or 409 for other bytes than those that came before, or after the end.
    """
    upload = _known(connection.execute(_of(owner, upload_id).with_for_update()).one_or_none())
    must_take(upload, number)
    same = (upload_parts.c.upload_id == upload_id, upload_parts.c.number == number)
    found = connection.execute(select(upload_parts).where(*same)).one_or_none()
    if found is not None and found.sha256 != stored.sha256:
        title = (
            f"Part {number} came before with other bytes. If the file has changed, delete the upload and begin anew."
        )
        ways_out = [{"method": "DELETE", "path": f"/v1/uploads/{upload_id}"}]
        raise Problem("part_differs", title, status=409, ways_out=ways_out)
    connection.execute(update(uploads).where(uploads.c.id == upload_id).values(expires_at=now() + seconds))
    if found is not None:
        return found
    part = {"number": number, "path": stored.path, "bytes": stored.bytes, "sha256": stored.sha256}
    row = insert(upload_parts).values(part | {"upload_id": upload_id}).returning(upload_parts)
    return connection.execute(row).one()


def complete(
    connection: Connection, owner: str, upload_id: str, stored: Stored, columns: list[dict[str, Any]] | None
) -> Record:
    """The row of the file, of which `stored` are the bytes; the same again for whoever asks again. Raises Problem."""
    upload = _known(connection.execute(_of(owner, upload_id).with_for_update()).one_or_none())
    if upload.status == State.OPEN:
        about = {"purpose": upload.purpose, "name": upload.name, "columns": columns}
        FILES.add(connection, owner, upload.file_id, stored, **about)
        _end(connection, upload_id, State.COMPLETE)
    return FILES.get(connection, owner, upload.file_id)


def give_up(connection: Connection, owner: str, upload_id: str) -> None:
    """Its bytes are deleted; a file that it became stays. Raises Problem (404)."""
    get(connection, owner, upload_id)
    _end(connection, upload_id, State.ENDED)


def anything_over(connection: Connection) -> bool:
    return connection.scalar(select(uploads.c.id).where(uploads.c.expires_at < now()).limit(1)) is not None


def sweep(connection: Connection) -> None:
    """End the uploads that nobody goes on with, and forget those that ended long ago, with all they may have left.

    Bytes are looked for twice: a process that was killed may have left some after the first time.
    """
    over = select(uploads).where(uploads.c.expires_at < now()).order_by(uploads.c.id).limit(ENDED_AT_ONCE)
    for upload in connection.execute(over.with_for_update(skip_locked=True)).all():
        if upload.status == State.OPEN:
            _end(connection, upload.id, State.ENDED)
            continue
        discard(connection, folder(upload.id))
        if connection.scalar(select(files.c.id).where(files.c.id == upload.file_id)) is None:
            discard(connection, f"files/{upload.file_id}")
        connection.execute(uploads.delete().where(uploads.c.id == upload.id))


def _end(connection: Connection, upload_id: str, status: State) -> None:
    discard(connection, folder(upload_id))
    connection.execute(upload_parts.delete().where(upload_parts.c.upload_id == upload_id))
    ended = {"status": status, "expires_at": now() + LINGER_SECONDS}
    connection.execute(update(uploads).where(uploads.c.id == upload_id).values(ended))


def _of(owner: str, upload_id: str) -> Select[Any]:
    return select(uploads).where(uploads.c.id == upload_id, uploads.c.owner == owner, uploads.c.status != State.ENDED)


def _known(found: Record | None) -> Record:
    if found is None:
        raise Problem("upload_not_found", "There is no such upload.", status=404)
    return found
