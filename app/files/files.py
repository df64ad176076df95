"""Uploaded files in the ledger: rows over bytes in the store."""

from collections.abc import Sequence

from sqlalchemy import Connection, insert, select

from app.files.views import Purpose
from ledger.database import Record, newest_first, now
from ledger.queries import unfinished_user
from ledger.rows import discard
from ledger.store.folder import Stored
from ledger.tables import files
from qstill.contract.errors import Problem

ENDINGS = {"safetensors": (".safetensors",), "torch": (".pt", ".pth"), "onnx": (".onnx",)}  # of a teacher's formats


def add_file(connection: Connection, owner: str, file_id: str, purpose: Purpose, name: str, stored: Stored) -> Record:
    return connection.execute(
        insert(files)
        .values(
            id=file_id,
            owner=owner,
            purpose=purpose,
            name=name,
            path=stored.path,
            bytes=stored.bytes,
            sha256=stored.sha256,
            created_at=now(),
        )
        .returning(files)
    ).one()


def get_file(connection: Connection, owner: str, file_id: str) -> Record:
    """Raises Problem (404)."""
    found = connection.execute(select(files).where(files.c.id == file_id, files.c.owner == owner)).one_or_none()
    if found is None:
        raise Problem("file_not_found", "There is no such file.", status=404)
    return found


def list_files(
    connection: Connection, owner: str, purpose: Purpose | None, *, after: str | None, before: str | None, limit: int
) -> Sequence[Record]:
    """Up to `limit` files, newest first: those older than `after`, or the nearest ones newer than `before`."""
    query = select(files).where(files.c.owner == owner)
    if purpose is not None:
        query = query.where(files.c.purpose == purpose)
    return newest_first(connection, query, files.c.id, after=after, before=before, limit=limit)


def delete_file(connection: Connection, owner: str, file_id: str) -> None:
    """Raises Problem: 404, or 409 while a job that is not finished needs it."""
    connection.execute(select(files.c.id).where(files.c.id == file_id).with_for_update())  # behind a submission's lock
    found = get_file(connection, owner, file_id)
    job_id = unfinished_user(connection, [file_id])
    if job_id is not None:
        raise Problem(
            "file_in_use",
            "A job that is not finished needs this file.",
            status=409,
            ways_out=[{"method": "POST", "path": f"/v1/jobs/{job_id}/cancel"}],
        )
    discard(connection, found.path)
    connection.execute(files.delete().where(files.c.id == file_id))


def must_exist(connection: Connection, owner: str, wanted: Sequence[tuple[str, str, str]]) -> None:
    """wanted: (JSON pointer, file id, purpose). Nobody deletes them until this transaction ends; others may name them.

    Raises Problem (422) that names the pointer.
    """
    for pointer, file_id, purpose in wanted:
        query = select(files.c.purpose).where(files.c.id == file_id, files.c.owner == owner)
        found = connection.scalar(query.with_for_update(read=True, key_share=True))
        if found is None:
            upload = {"method": "POST", "path": f"/v1/files?purpose={purpose}&name=…"}
            raise Problem("file_not_found", "There is no such file.", pointer=pointer, ways_out=[upload])
        if found != purpose:
            title = f"This file was uploaded as {found}; here a {purpose} is needed."
            raise Problem("wrong_purpose", title, pointer=pointer)


def must_end_in(connection: Connection, wanted: Sequence[tuple[str, str, tuple[str, ...]]]) -> None:
    """wanted: (JSON pointer, id of a file that exists, endings). Raises Problem (422) that names the pointer."""
    for pointer, file_id, endings in wanted:
        name = str(connection.scalar(select(files.c.name).where(files.c.id == file_id)))
        if not name.lower().endswith(endings):
            fitting = next((format for format, fit in ENDINGS.items() if name.lower().endswith(fit)), None)
            title = f"The file was uploaded as {name!r}; one of the kind {' or '.join(endings)} is named here."
            way_out = [{"format": fitting}] if fitting else []
            raise Problem("wrong_format", title, pointer=pointer, ways_out=way_out)
