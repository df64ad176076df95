"""The registry in the ledger: rows over bytes that are the model's own, whatever becomes of what it was made from."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, insert, select

from ledger.database import Record, newest_first, now
from ledger.queries import unfinished_user
from ledger.rows import discard
from ledger.store.folder import Stored
from ledger.tables import artifacts, jobs, models
from qstill.contract.errors import Problem


def add_model(
    connection: Connection,
    owner: str,
    model_id: str,
    stored: Stored,
    *,
    name: str,
    labels: Mapping[str, str],
    reading: Mapping[str, Any],
    origin: Mapping[str, Any],
) -> Record:
    return connection.execute(
        insert(models)
        .values(
            id=model_id,
            owner=owner,
            name=name,
            labels=dict(labels),
            reading=dict(reading),
            origin=dict(origin),
            path=stored.path,
            bytes=stored.bytes,
            sha256=stored.sha256,
            created_at=now(),
        )
        .returning(models)
    ).one()


def get_model(connection: Connection, owner: str, model_id: str) -> Record:
    """Raises Problem (404)."""
    found = connection.execute(select(models).where(models.c.id == model_id, models.c.owner == owner)).one_or_none()
    if found is None:
        raise Problem("model_not_found", "There is no such model.", status=404)
    return found


def list_models(
    connection: Connection, owner: str, name: str | None, *, after: str | None, before: str | None, limit: int
) -> Sequence[Record]:
    """Up to `limit` models, newest first: those older than `after`, or the nearest ones newer than `before`."""
    query = select(models).where(models.c.owner == owner)
    if name is not None:
        query = query.where(models.c.name == name)
    return newest_first(connection, query, models.c.id, after=after, before=before, limit=limit)


def delete_model(connection: Connection, owner: str, model_id: str) -> None:
    """Raises Problem: 404, or 409 while a job that is not finished learns from it."""
    connection.execute(select(models.c.id).where(models.c.id == model_id).with_for_update())  # behind a submission's
    found = get_model(connection, owner, model_id)
    job_id = unfinished_user(connection, [model_id])
    if job_id is not None:
        raise Problem(
            "model_in_use",
            "A job that is not finished learns from this model.",
            status=409,
            ways_out=[{"method": "POST", "path": f"/v1/jobs/{job_id}/cancel"}],
        )
    discard(connection, found.path)
    connection.execute(models.delete().where(models.c.id == model_id))


def must_be_there(connection: Connection, owner: str, wanted: Sequence[tuple[str, str]]) -> None:
    """wanted: (JSON pointer, id of a model or checkpoint). Nobody deletes them until this transaction ends; others
    may name them.

    Raises Problem (422) that names the pointer.
    """
    for pointer, wanted_id in wanted:
        if wanted_id.startswith("model_"):
            query = select(models.c.id).where(models.c.id == wanted_id, models.c.owner == owner)
        else:
            query = (
                select(artifacts.c.id)
                .join(jobs, jobs.c.id == artifacts.c.job_id)
                .where(artifacts.c.id == wanted_id, artifacts.c.kind == "checkpoint", jobs.c.owner == owner)
            )
        if connection.scalar(query.with_for_update(read=True, key_share=True)) is None:
            is_model = wanted_id.startswith("model_")
            raise Problem(
                "model_not_found",
                f"There is no such {'model' if is_model else 'checkpoint'}.",
                pointer=pointer,
                # A job's `links` lead to its checkpoints.
                ways_out=[{"method": "GET", "path": "/v1/models" if is_model else "/v1/jobs?kind=distillation"}],
            )
